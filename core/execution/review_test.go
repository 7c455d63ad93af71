package execution_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/execution"
	"agentserver/core/graph"
)

const reviewBlock = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d"

// asking draws an agent that asks about each of its items.
func asking(items ...any) *drawing {
	return (&drawing{}).node("emit", emitBlock, vals{"values": items}).
		node("ask", reviewBlock, vals{"name": "an item"}).
		node("yes", outputBlock, vals{"name": "yes"}).node("no", outputBlock, vals{"name": "no"}).node("said", outputBlock, vals{"name": "said"}).
		link("emit.value", "ask.data").link("ask.approved_data", "yes.value").link("ask.rejected_data", "no.value").link("ask.review_message", "said.value")
}

// awaitReview waits until a run has asked everything, and gives the questions.
func (b *bed) awaitReview(m *graph.Model, id string) []execution.PendingReview {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		run, err := b.p.Executions.Get(b.t.Context(), b.user, m.ID, id)
		require.NoError(b.t, err)
		require.False(b.t, run.Status.Final(), "the run is %s", run.Status)
		return run.Status == execution.Review
	}, 30*time.Second, 5*time.Millisecond, "the run asks nobody")
	list, err := b.p.Executions.RunReviews(b.t.Context(), b.user, id)
	require.NoError(b.t, err)
	return list
}

func (b *bed) decide(list ...execution.Verdict) execution.Verdicts {
	b.t.Helper()
	done, err := b.p.Executions.Decide(b.t.Context(), b.user, list)
	require.NoError(b.t, err)
	return done
}

func text(s string) *string { return &s }

func TestReview(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		m, ids := b.save(asking("a", "b", "c"))
		id := b.start(m, nil)
		list := b.awaitReview(m, id)
		require.Len(t, list, 3)
		first := list[0]
		require.Equal(t, execution.PendingReview{
			NodeExecID: first.NodeExecID, NodeID: ids["ask"], UserID: b.user, GraphExecID: id, GraphID: m.ID, GraphVersion: 1,
			Payload: "a", Instructions: text("an item"), Editable: true, Status: execution.ReviewWaiting,
			CreatedAt: first.CreatedAt, UpdatedAt: first.UpdatedAt,
		}, first)
		b.awaitNodes(m.ID, id, ids["ask"], execution.Review, execution.Review, execution.Review)

		require.Equal(t, execution.Verdicts{Approved: 1}, b.decide(execution.Verdict{NodeExecID: list[0].NodeExecID, Approved: true, Data: "A", Message: text("fine")}))
		require.Len(t, b.awaitReview(m, id), 2, "the run waits for the rest")
		pending, err := b.p.Executions.PendingReviews(t.Context(), b.user, 1, 25)
		require.NoError(t, err)
		require.Len(t, pending, 2)
		require.False(t, pending[0].CreatedAt.Before(pending[1].CreatedAt), "newest first")
		second, err := b.p.Executions.PendingReviews(t.Context(), b.user, 2, 1)
		require.NoError(t, err)
		require.Equal(t, pending[1:], second)

		// Nothing depends on the process that asked.
		b.close(0)
		b = open(t, flags)
		require.Equal(t, execution.Verdicts{Approved: 1, Rejected: 1}, b.decide(
			execution.Verdict{NodeExecID: list[1].NodeExecID, Message: text(" ")}, execution.Verdict{NodeExecID: list[2].NodeExecID, Approved: true}))
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
		require.Equal(t, []any{"A", "c"}, run.Outputs["yes"])
		require.Equal(t, []any{"b"}, run.Outputs["no"])
		require.Equal(t, []any{"fine", "Execution rejected by reviewer", "Execution approved by reviewer"}, run.Outputs["said"])
		require.Len(t, of(run, ids["ask"]), 3)

		// The same answers again do no harm, others are refused.
		b.decide(execution.Verdict{NodeExecID: list[0].NodeExecID, Approved: true})
		_, err = b.p.Executions.Decide(t.Context(), b.user, []execution.Verdict{{NodeExecID: list[0].NodeExecID}})
		require.ErrorContains(t, err, "Review "+list[0].NodeExecID+" was already processed with status APPROVED, cannot change to REJECTED")
		require.True(t, core.IsKind(err, core.Invalid))
	})
}

func TestReviewsOneAfterAnother(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		// More reviews than a run may have lost owners.
		b := open(t, flags)
		d := (&drawing{}).node("first", storeBlock, vals{"input": 0})
		before := "first.output"
		const reviews = 25
		for i := range reviews {
			name := string(rune('a' + i))
			d.node(name, reviewBlock, vals{"name": name}).link(before, name+".data")
			before = name + ".approved_data"
		}
		m, _ := b.save(d.node("out", outputBlock, vals{"name": "out"}).link(before, "out.value"))
		id := b.start(m, nil)
		for i := range reviews {
			list := b.awaitReview(m, id)
			require.Len(t, list, 1)
			b.decide(execution.Verdict{NodeExecID: list[0].NodeExecID, Approved: true, Data: i + 1})
			require.Eventually(t, func() bool {
				left, err := b.p.Executions.RunReviews(t.Context(), b.user, id)
				require.NoError(t, err)
				return len(left) == 0 || left[0].NodeExecID != list[0].NodeExecID
			}, 10*time.Second, time.Millisecond)
			require.Eventually(t, func() bool {
				run, err := b.p.Executions.Find(t.Context(), b.user, id)
				require.NoError(t, err)
				left, err := b.p.Executions.RunReviews(t.Context(), b.user, id)
				require.NoError(t, err)
				return run.Status.Final() || len(left) == 1
			}, 10*time.Second, time.Millisecond)
		}
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
		require.Equal(t, []any{reviews}, run.Outputs["out"])
	})
}

func TestReviewApprovesTheRest(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		// The second item comes when the first was decided.
		m, _ := b.save((&drawing{}).node("one", storeBlock, vals{"input": "one"}).
			node("join", plainKeep, nil).node("ask", reviewBlock, vals{"name": "n"}).node("out", outputBlock, vals{"name": "out"}).
			node("said", outputBlock, vals{"name": "said"}).node("stop", conditionBlock, vals{"operator": "==", "value2": "two", "no_value": "two"}).
			link("one.output", "join.value").link("join.value", "ask.data").link("ask.approved_data", "out.value").link("ask.review_message", "said.value").
			link("ask.approved_data", "stop.value1").link("stop.no_output", "join.value"))
		id := b.start(m, nil)
		list := b.awaitReview(m, id)
		b.decide(execution.Verdict{NodeExecID: list[0].NodeExecID, Approved: true, AutoApprove: true, Data: "does not count"})
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
		require.Equal(t, []any{"one", "two"}, run.Outputs["out"])
		require.Equal(t, []any{"Execution approved by reviewer", "Auto-approved (user approved all future actions for this node)"}, run.Outputs["said"])
	})
}

func TestReviewOfSensitiveBlocks(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		m, ids := b.save((&drawing{}).node("risk", riskBlock, vals{"value": "x"}).node("out", outputBlock, vals{"name": "out"}).
			node("failed", outputBlock, vals{"name": "failed"}).link("risk.value", "out.value").link("risk.error", "failed.value"))
		require.Equal(t, []any{"x"}, b.await(m, b.start(m, nil)).Outputs["out"], "nobody is asked by default")
		require.NoError(t, b.p.Graphs.SetSettings(t.Context(), b.user, m.ID, graph.Settings{SensitiveActionSafeMode: true}))
		ask := func() (string, execution.PendingReview) {
			id := b.start(m, nil)
			list := b.awaitReview(m, id)
			require.Len(t, list, 1)
			require.Equal(t, "RiskBlock", *list[0].Instructions)
			require.Equal(t, "x", list[0].Payload.(map[string]any)["value"])
			return id, list[0]
		}
		id, q := ask()
		b.decide(execution.Verdict{NodeExecID: q.NodeExecID, Approved: true, Data: map[string]any{"value": "y"}})
		require.Equal(t, []any{"y"}, b.await(m, id).Outputs["out"])

		id, q = ask()
		b.decide(execution.Verdict{NodeExecID: q.NodeExecID, Message: text("too risky")})
		run := b.await(m, id)
		require.Equal(t, execution.Failed, of(run, ids["risk"])[0].Status)
		require.Contains(t, run.Outputs["failed"][0], "Block execution rejected by reviewer: too risky")

		id, q = ask()
		b.decide(execution.Verdict{NodeExecID: q.NodeExecID, Approved: true, Data: "no object"})
		require.Contains(t, b.await(m, id).Outputs["failed"][0], "Review data must be a dict for block input, got str")

		id, q = ask()
		b.decide(execution.Verdict{NodeExecID: q.NodeExecID, Approved: true, Data: map[string]any{"delay": 0}})
		require.Contains(t, b.await(m, id).Outputs["failed"][0], "'value' is a required property")
	})
}

// A run that waits takes no place, and is stopped at once with its questions.
func TestStopOfReview(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags, "worker.max_runs=1")
		m, ids := b.save(asking("a"))
		id := b.start(m, nil)
		list := b.awaitReview(m, id)
		other, _ := b.save((&drawing{}).node("s", storeBlock, vals{"input": 1}).node("out", outputBlock, vals{"name": "out"}).link("s.output", "out.value"))
		require.Equal(t, execution.Completed, b.await(other, b.start(other, nil)).Status)

		meta, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
		require.NoError(t, err)
		require.Equal(t, execution.Terminated, meta.Status)
		run := b.await(m, id)
		require.Equal(t, execution.Terminated, of(run, ids["ask"])[0].Status)
		left, err := b.p.Executions.PendingReviews(t.Context(), b.user, 1, 25)
		require.NoError(t, err)
		require.Empty(t, left)
		_, err = b.p.Executions.Decide(t.Context(), b.user, []execution.Verdict{{NodeExecID: list[0].NodeExecID, Approved: true}})
		require.ErrorContains(t, err, "was already processed with status REJECTED")
	})
}

// A run is stopped while one of its nodes asks and another one works.
func TestStopWhileAsking(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "s", untilStopped(func(int64, any) bool { return true }))
		b := openScripted(t, flags)
		m, ids := b.save(asking("a").node("s", scriptBlock, vals{"script": "s"}))
		id := b.start(m, nil)
		b.awaitNodes(m.ID, id, ids["ask"], execution.Review)
		b.awaitNodes(m.ID, id, ids["s"], execution.Running)
		require.Eventually(t, func() bool {
			run, err := b.p.Executions.Find(t.Context(), b.user, id)
			require.NoError(t, err)
			return run.Status == execution.Running
		}, 10*time.Second, time.Millisecond)
		list, err := b.p.Executions.PendingReviews(t.Context(), b.user, 1, 25)
		require.NoError(t, err)
		_, err = b.p.Executions.Decide(t.Context(), b.user, []execution.Verdict{{NodeExecID: list[0].NodeExecID, Approved: true}})
		require.ErrorContains(t, err, "Cannot process reviews while execution status is RUNNING")
		require.True(t, core.IsKind(err, core.Conflict))
		_, err = b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
		require.NoError(t, err)
		run := b.await(m, id)
		require.Equal(t, execution.Terminated, run.Status)
		require.Equal(t, execution.Terminated, of(run, ids["ask"])[0].Status)
		left, err := b.p.Executions.RunReviews(t.Context(), b.user, id)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

// An agent in an agent asks; its parent waits and gets what comes of it.
func TestReviewInNestedAgents(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		child, _ := b.save((&drawing{}).node("in", inputBlock, vals{"name": "n"}).node("ask", reviewBlock, vals{"name": "q"}).
			node("out", outputBlock, vals{"name": "n"}).link("in.result", "ask.data").link("ask.approved_data", "out.value"))
		in := agentNode(child.ID, "n")
		in["input_schema"] = map[string]any{"properties": map[string]any{"n": map[string]any{}}}
		parent, _ := b.save((&drawing{}).node("agent", agentBlock, in).node("v", storeBlock, vals{"input": "v"}).
			node("out", outputBlock, vals{"name": "out"}).link("v.output", "agent.n").link("agent.n", "out.value"))
		id := b.start(parent, nil)
		var list []execution.PendingReview
		require.Eventually(t, func() bool {
			var err error
			list, err = b.p.Executions.PendingReviews(t.Context(), b.user, 1, 25)
			require.NoError(t, err)
			if len(list) == 0 {
				return false
			}
			run, err := b.p.Executions.Find(t.Context(), b.user, list[0].GraphExecID)
			require.NoError(t, err)
			return run.Status == execution.Review
		}, 20*time.Second, 5*time.Millisecond)
		require.NotEqual(t, id, list[0].GraphExecID)
		b.decide(execution.Verdict{NodeExecID: list[0].NodeExecID, Approved: true, Data: "w"})
		require.Equal(t, []any{"w"}, b.await(parent, id).Outputs["out"])
	})
}

// Of many requests at once, the run goes on once.
func TestDecideAtOnce(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		m, ids := b.save(asking("a", "b", "c", "d"))
		id := b.start(m, nil)
		var wg sync.WaitGroup
		for range 3 {
			for _, q := range b.awaitReview(m, id) {
				wg.Go(func() {
					_, err := b.p.Executions.Decide(context.Background(), b.user, []execution.Verdict{{NodeExecID: q.NodeExecID, Approved: true}})
					if err != nil {
						t.Errorf("deciding: %v", err)
					}
				})
			}
		}
		wg.Wait()
		run := b.await(m, id)
		require.Equal(t, []any{"a", "b", "c", "d"}, run.Outputs["yes"])
		require.Len(t, of(run, ids["ask"]), 4)
	})
}

func TestDecideRefuses(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		m, _ := b.save((&drawing{}).node("v", storeBlock, vals{"input": "v"}).node("ask", reviewBlock, vals{"name": "q", "editable": false}).link("v.output", "ask.data"))
		one, two := b.start(m, nil), b.start(m, nil)
		q, r := b.awaitReview(m, one)[0].NodeExecID, b.awaitReview(m, two)[0].NodeExecID
		deep := any("x")
		for range 11 {
			deep = []any{deep}
		}
		for _, c := range []struct {
			name string
			user string
			list []execution.Verdict
			kind core.Kind
			text string
		}{
			{"nothing", b.user, nil, core.Unprocessable, "At least one review must be provided"},
			{"twice", b.user, []execution.Verdict{{NodeExecID: q}, {NodeExecID: q}}, core.Unprocessable, "Duplicate review IDs found: " + q},
			{"unknown", b.user, []execution.Verdict{{NodeExecID: q}, {NodeExecID: "x"}, {NodeExecID: "y"}}, core.NotFound, "Review(s) not found: x, y"},
			{"another user", "user-2", []execution.Verdict{{NodeExecID: q}}, core.NotFound, "Review(s) not found: " + q},
			{"two runs", b.user, []execution.Verdict{{NodeExecID: q}, {NodeExecID: r}}, core.Conflict, "All reviews in a single request must belong to the same execution."},
			{"not editable", b.user, []execution.Verdict{{NodeExecID: q, Approved: true, Data: "w"}}, core.Invalid, "Review " + q + " is not editable"},
			{"too deep", b.user, []execution.Verdict{{NodeExecID: q, Data: deep}}, core.Unprocessable, "nested more than 10 levels"},
			{"too large", b.user, []execution.Verdict{{NodeExecID: q, Data: strings.Repeat("x", 1_000_000)}}, core.Unprocessable, "larger than 1000000 characters"},
			{"too much said", b.user, []execution.Verdict{{NodeExecID: q, Message: text(strings.Repeat("x", 2001))}}, core.Unprocessable, "2000 characters"},
		} {
			_, err := b.p.Executions.Decide(t.Context(), c.user, c.list)
			require.ErrorContains(t, err, c.text, c.name)
			require.Equal(t, c.kind, core.KindOf(err), c.name)
		}
		require.Len(t, b.awaitReview(m, one), 1, "nothing was decided")
		b.decide(execution.Verdict{NodeExecID: q, Approved: true, Data: "v"})
		b.decide(execution.Verdict{NodeExecID: r, Data: "a rejection changes nothing"})
		require.Equal(t, execution.Completed, b.await(m, one).Status)
		require.Equal(t, execution.Completed, b.await(m, two).Status)
		_, err := b.p.Executions.RunReviews(t.Context(), "user-2", one)
		require.True(t, core.IsKind(err, core.NotFound))
	})
}
