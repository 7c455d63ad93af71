package execution

import (
	"context"
	"database/sql"
	"fmt"

	"agentserver/core/db"
)

// writer writes one transaction of the journal with a few statements of many
// rows each.
type writer struct {
	ctx    context.Context
	tx     *sql.Tx
	engine db.Engine
}

var (
	runColumns = []column{
		{"id", "text"},
		{"user_id", "text"},
		{"graph_id", "text"},
		{"graph_version", "bigint"},
		{"status", "text"},
		{"inputs", "text"},
		{"credential_inputs", "text"},
		{"nodes_input_masks", "text"},
		{"preset_id", "text"},
		{"parent_id", "text"},
		{"root_id", "text"},
		{"depth", "bigint"},
		{"is_dry_run", "boolean"},
		{"context", "text"},
		{"stats", "text"},
		{"worker_id", "text"},
		{"fence", "bigint"},
		{"cancel_requested", "boolean"},
		{"is_deleted", "boolean"},
		{"is_shared", "boolean"},
		{"created_at", "timestamptz"},
	}
	nodeColumns = []column{
		{"id", "text"},
		{"graph_exec_id", "text"},
		{"node_id", "text"},
		{"block_id", "text"},
		{"seq", "bigint"},
		{"status", "text"},
		{"pins", "text"},
		{"input", "text"},
		{"emitted", "bigint"},
		{"routed", "bigint"},
		{"stats", "text"},
		{"added_at", "timestamptz"},
		{"queued_at", "timestamptz"},
		{"started_at", "timestamptz"},
		{"ended_at", "timestamptz"},
	}
	outputColumns = []column{{"node_exec_id", "text"}, {"first", "bigint"}, {"data", "text"}}
	updateColumns = []column{
		{"id", "text"},
		{"status", "text"},
		{"stats", "text"},
		{"started_at", "timestamptz"},
		{"ended_at", "timestamptz"},
		{"leaves", "boolean"},
	}
)

// fencedEntries finds the entries whose run is not theirs any more, and locks
// the rows of the others.
func (w *writer) fencedEntries(batch []*entry) (map[*entry]bool, error) {
	fences := map[string]int64{}
	var rows [][]any
	for _, e := range batch {
		id, _ := e.guard()
		if _, seen := fences[id]; !seen && id != "" {
			fences[id] = -1
			rows = append(rows, []any{id})
		}
	}
	if err := w.readFences(rows, fences); err != nil {
		return nil, fmt.Errorf("checking fences: %w", err)
	}
	fenced := map[*entry]bool{}
	for _, e := range batch {
		if id, fence := e.guard(); id != "" && fences[id] != fence {
			fenced[e] = true
		}
	}
	return fenced, nil
}

func (w *writer) readFences(ids [][]any, fences map[string]int64) error {
	if len(ids) == 0 {
		return nil
	}
	lock := ""
	if w.engine == db.Postgres {
		lock = " FOR UPDATE"
	}
	s := newStatement(w.engine)
	if err := s.source([]column{{"id", "text"}}, ids); err != nil {
		return err
	}
	s.text("SELECT id, fence FROM graph_executions WHERE id IN (SELECT id FROM v) ORDER BY id" + lock)
	found, err := w.tx.QueryContext(w.ctx, s.sql(), s.args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var id string
		var fence int64
		if err := found.Scan(&id, &fence); err != nil {
			return err
		}
		fences[id] = fence
	}
	return found.Err()
}

func (w *writer) write(batch []*entry, skip map[*entry]bool) error {
	var runs, updates, outputs, ended [][]any
	var nodes, states []nodeRow
	for _, e := range batch {
		if skip[e] {
			continue
		}
		if r := e.create; r != nil {
			runs = append(runs, []any{
				r.ID, r.UserID, r.GraphID, r.GraphVersion, string(r.Status), r.Inputs, r.CredentialInputs, r.NodesInputMasks,
				r.PresetID, r.ParentID, r.RootID, r.Depth, r.IsDryRun, r.Context, r.Stats, r.WorkerID, r.Fence,
				r.CancelRequested, r.IsDeleted, r.IsShared, r.CreatedAt,
			})
		}
		nodes = append(nodes, e.nodes...)
		states = append(states, e.states...)
		for _, o := range e.outputs {
			outputs = append(outputs, []any{o.NodeExecID, o.First, o.Data})
		}
		if u := e.update; u != nil {
			updates = append(updates, []any{
				e.runID, string(u.status), db.AsJSON(u.stats), db.At(u.startedAt), db.At(u.endedAt), u.release || u.leave || u.status.Final(),
			})
			if u.status.Final() && u.status != Completed {
				ended = append(ended, []any{e.runID, db.At(u.endedAt)})
			}
		}
	}
	// An entry may be written again when the answer to its commit was lost:
	// what is there already is left as it is.
	const already = " ON CONFLICT DO NOTHING"
	steps := []struct {
		what string
		do   func() error
	}{
		{"runs", func() error { return w.insert("graph_executions", runColumns, runs, already) }},
		{"node runs", func() error {
			return w.insert("node_executions", nodeColumns, nodeValues(nodes), nodeConflict+", pins = excluded.pins, input = excluded.input")
		}},
		{"node states", func() error { return w.insert("node_executions", nodeColumns, nodeValues(states), nodeConflict) }},
		{"outputs", func() error { return w.insert("node_outputs", outputColumns, outputs, already) }},
		{"run states", func() error { return w.updateRuns(updates) }},
		{"ends of node runs", func() error { return w.endNodes(ended) }},
	}
	// The first error ends it: SQLite may have undone the transaction by itself,
	// and what is executed after that would stay.
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("writing %s: %w", s.what, err)
		}
	}
	return nil
}

// endNodes ends the node runs of runs that ended early, and what they have asked
// people.
func (w *writer) endNodes(runs [][]any) error {
	err := w.chunks([]column{{"id", "text"}, {"ended_at", "timestamptz"}}, runs, func(s *statement) {
		s.text(`UPDATE human_reviews SET status = 'REJECTED', review_message = '` + stoppedText + `', reviewed_at = v.ended_at, updated_at = v.ended_at
			FROM v WHERE human_reviews.graph_exec_id = v.id AND human_reviews.status = 'WAITING'`)
	})
	if err != nil {
		return err
	}
	return w.chunks([]column{{"id", "text"}, {"ended_at", "timestamptz"}}, runs, func(s *statement) {
		s.text(`UPDATE node_executions SET status = 'TERMINATED', ended_at = v.ended_at FROM v
			WHERE node_executions.graph_exec_id = v.id AND node_executions.status IN ('QUEUED', 'RUNNING', 'REVIEW')`)
	})
}

const nodeConflict = ` ON CONFLICT (id) DO UPDATE SET status = excluded.status, emitted = excluded.emitted, routed = excluded.routed, stats = excluded.stats,
	queued_at = excluded.queued_at, started_at = excluded.started_at, ended_at = excluded.ended_at`

// nodeValues makes the rows of node runs. Of several of one id only the last
// counts: one statement may not touch a row twice.
func nodeValues(rows []nodeRow) [][]any {
	last := make(map[string]int, len(rows))
	for i := range rows {
		last[rows[i].ID] = i
	}
	values := make([][]any, 0, len(last))
	for i := range rows {
		r := &rows[i]
		if last[r.ID] != i {
			continue
		}
		values = append(values, []any{
			r.ID, r.GraphExecID, r.NodeID, r.BlockID, r.Seq, string(r.Status), r.Pins, r.Input, r.Emitted, r.Routed, r.Stats,
			r.AddedAt, r.QueuedAt, r.StartedAt, r.EndedAt,
		})
	}
	return values
}

// insert adds rows, in statements within the engines' limits on parameters.
func (w *writer) insert(table string, columns []column, rows [][]any, conflict string) error {
	into := "INSERT INTO " + table + " (" + names(columns) + ") "
	return w.each(rows, func(s *statement, rows [][]any) error {
		if w.engine == db.SQLite { // which compiles this faster than a select
			s.text(into)
			s.values(columns, rows)
			s.text(conflict)
			return nil
		}
		if err := s.source(columns, rows); err != nil {
			return err
		}
		s.text(into + "SELECT " + names(columns) + " FROM v" + conflict)
		return nil
	})
}

// updateRuns changes the rows of runs. Final states never change again, which
// the condition holds even if a caller errs.
func (w *writer) updateRuns(rows [][]any) error {
	return w.chunks(updateColumns, rows, func(s *statement) {
		s.text(`UPDATE graph_executions SET status = v.status, stats = COALESCE(v.stats, graph_executions.stats),
			started_at = COALESCE(v.started_at, graph_executions.started_at), ended_at = v.ended_at,
			worker_id = CASE WHEN v.leaves THEN NULL ELSE worker_id END, fence = fence + CASE WHEN v.leaves THEN 1 ELSE 0 END
			FROM v WHERE graph_executions.id = v.id AND graph_executions.status IN ('INCOMPLETE', 'QUEUED', 'RUNNING', 'REVIEW')`)
	})
}

// Rows of one statement. The SQLite driver's work grows with the square of the
// number of parameters, so its statements are short.
const (
	chunkSQLite   = 16
	chunkPostgres = 1000
)

// chunks executes a statement that sees the rows as the table v.
func (w *writer) chunks(columns []column, rows [][]any, finish func(*statement)) error {
	return w.each(rows, func(s *statement, rows [][]any) error {
		if err := s.source(columns, rows); err != nil {
			return err
		}
		finish(s)
		return nil
	})
}

// each executes a statement for a few rows at a time.
func (w *writer) each(rows [][]any, build func(s *statement, rows [][]any) error) error {
	chunk := chunkSQLite
	if w.engine == db.Postgres {
		chunk = chunkPostgres
	}
	for len(rows) > 0 {
		n := min(chunk, len(rows))
		s := newStatement(w.engine)
		if err := build(s, rows[:n]); err != nil {
			return err
		}
		if _, err := w.tx.ExecContext(w.ctx, s.sql(), s.args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
