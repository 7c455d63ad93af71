package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

const (
	deliveryLine = "webhook_deliveries"
	retireLine   = "webhook_retirements"
	// jobSize is how many deliveries one job takes, and jobLanes how many of them
	// at a time. Few at a time leave room for those that arrive, and for the runs.
	jobSize  = 50
	jobLanes = 4
	// portionSize bounds the bytes of the deliveries that a job holds at a time, but
	// for a single one.
	portionSize = 4 << 20
	// deliveryJobs and retireJobs are how many jobs one process does at a time.
	deliveryJobs = 2
	retireJobs   = 4
	// longestRetry bounds the pause between two attempts at a delivery.
	longestRetry = time.Hour
	// lostPause is when a job is tried again that could not write.
	lostPause = time.Second
)

// deliveryArgs is the job that starts the runs of deliveries.
type deliveryArgs struct {
	IDs []string `json:"ids"`
}

// Kind names the job.
func (deliveryArgs) Kind() string { return "webhook_deliveries" }

func (s *Service) handleJobs() {
	s.Queue.Line(deliveryLine, deliveryJobs)
	s.Queue.Line(retireLine, retireJobs)
	jobs.Handle(s.Queue, s.workOnDeliveries)
	jobs.Handle(s.Queue, s.workOnRetired)
}

// workOnDeliveries starts the runs of deliveries that have none yet.
func (s *Service) workOnDeliveries(ctx context.Context, args deliveryArgs) error {
	var rows []deliveryRow
	err := s.DB.Write.WithContext(ctx).Omit("payload").Where("id IN ? AND state = ?", args.IDs, Pending).Order("id").Find(&rows).Error
	if err != nil {
		return jobs.Later(lostPause)
	}
	work := &fanout{Service: s, linked: map[string][]Trigger{}}
	for len(rows) > 0 {
		n := portion(rows)
		if err := work.doAll(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// portion gives how many of the deliveries are worked on together, by what they
// hold: one at least.
func portion(rows []deliveryRow) int {
	n, size := 0, int64(0)
	for n < len(rows) && (n == 0 || size+rows[n].Size <= portionSize) {
		size += rows[n].Size
		n++
	}
	return n
}

// doAll starts the runs of some deliveries and stores what became of them.
func (f *fanout) doAll(ctx context.Context, rows []deliveryRow) error {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	var full []deliveryRow
	if err := f.DB.Read.WithContext(ctx).Select("id, payload").Where("id IN ?", ids).Order("id").Find(&full).Error; err != nil || len(full) != len(rows) {
		return jobs.Later(lostPause)
	}
	lanes := errgroup.Group{}
	lanes.SetLimit(jobLanes)
	for i := range rows {
		rows[i].Payload = full[i].Payload
		lanes.Go(func() error {
			f.do(ctx, &rows[i])
			return nil
		})
	}
	_ = lanes.Wait() // what went wrong is in the rows
	if ctx.Err() != nil {
		return jobs.Later(lostPause)
	}
	if err := f.settle(ctx, rows); err != nil {
		f.Log.WarnContext(ctx, "what became of deliveries could not be stored and is found out again", "error", err)
		return jobs.Later(lostPause)
	}
	return nil
}

// fanout is one job at work.
type fanout struct {
	*Service
	mu     sync.Mutex
	linked map[string][]Trigger
}

// triggers gives the triggers of a webhook, read once for a job.
func (f *fanout) triggers(ctx context.Context, webhookID string) ([]Trigger, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if list, ok := f.linked[webhookID]; ok {
		return list, nil
	}
	list, err := f.Triggers.Linked(ctx, webhookID)
	if err == nil {
		f.linked[webhookID] = list
	}
	return list, err
}

// do starts the runs of a delivery and notes the outcome in its row.
func (f *fanout) do(ctx context.Context, d *deliveryRow) {
	d.Attempts++
	runs, again, err := f.fire(ctx, d)
	for _, id := range runs {
		if !slices.Contains(d.Runs.V, id) {
			d.Runs.V = append(d.Runs.V, id)
		}
	}
	log := f.Log.With("delivery", d.ID, "webhook", d.WebhookID, "user", d.UserID, "provider", d.Provider, "event", d.EventType)
	d.LastError = ""
	switch {
	case err == nil:
		d.State, d.DoneAt = Done, db.Now()
	case again && d.Attempts < f.config.Attempts:
		pause := doubled(f.config.Retry, d.Attempts, longestRetry)
		d.NextAt, d.LastError = db.At(time.Now().Add(pause)), shownError(err)
		if ctx.Err() == nil {
			log.WarnContext(ctx, "a delivery did not start all its runs and is tried again", "attempts", d.Attempts, "next_in", pause, "error", err)
		}
	case ctx.Err() != nil: // nothing is stored
	default:
		d.State, d.DoneAt, d.LastError = Dead, db.Now(), shownError(err)
		log.ErrorContext(ctx, "a delivery did not start all its runs and is given up; it can be replayed", "attempts", d.Attempts, "error", err)
	}
}

// fire starts a run of each trigger that wants the event. again tells whether
// another try may help.
func (f *fanout) fire(ctx context.Context, d *deliveryRow) (runs []string, again bool, err error) {
	if d.EventType == core.PingEvent {
		return nil, false, nil
	}
	list, err := f.triggers(ctx, d.WebhookID)
	if err != nil {
		return nil, true, err
	}
	e := Event{WebhookID: d.WebhookID, UserID: d.UserID, Provider: d.Provider, Type: d.EventType, Payload: d.Payload.V}
	var failures []error
	for _, t := range list {
		id := runID(d, t)
		started, err := f.fireOne(ctx, t, e, id)
		switch {
		case err == nil && started:
			runs = append(runs, id)
			f.metrics.run(d.Provider, "started")
		case err != nil:
			failures = append(failures, err)
			again = again || temporary(err)
			f.metrics.run(d.Provider, "failed")
		}
	}
	return runs, again, errors.Join(failures...)
}

// fireOne keeps a panic from ending the process.
func (f *fanout) fireOne(ctx context.Context, t Trigger, e Event, runID string) (started bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a trigger crashed: %v", r)
		}
	}()
	return t.Fire(ctx, e, runID)
}

// temporary reports whether a failure may pass by itself.
func temporary(err error) bool {
	var known *core.Error
	return !errors.As(err, &known) || known.Kind == core.Unavailable || known.Kind == core.Internal || known.Kind == core.TooMany
}

// runSpace is the name space of the ids of runs.
var runSpace = uuid.MustParse("4bfb6ecd-9a4c-4f0c-9d0c-6a2f3f5c0f2e")

// runID gives the id of the run that a delivery starts of a trigger: always the
// same in one round, so that however often it is tried, there is one.
func runID(d *deliveryRow, t Trigger) string {
	return uuid.NewSHA1(runSpace, fmt.Appendf(nil, "%s\x00%d\x00%s", d.ID, d.Round, t.ID())).String()
}

// settle stores what became of deliveries, and adds jobs for those that are tried
// again.
func (s *Service) settle(ctx context.Context, rows []deliveryRow) error {
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		for i := range rows {
			d := &rows[i]
			columns := map[string]any{
				"state": d.State, "attempts": d.Attempts, "last_error": d.LastError, "runs": d.Runs,
				"next_at": d.NextAt, "done_at": d.DoneAt,
			}
			// A job that was late has nothing to say: another one did the same, or the
			// delivery is being replayed.
			done := tx.Model(&deliveryRow{}).
				Where("id = ? AND state = ? AND round = ? AND attempts = ?", d.ID, Pending, d.Round, d.Attempts-1).Updates(columns)
			if done.Error != nil {
				return done.Error
			}
			if done.RowsAffected > 0 && d.State == Pending {
				if err := s.enqueueDeliveries(ctx, tx, []string{d.ID}, d.NextAt); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settling deliveries: %w", err)
	}
	for i := range rows {
		s.metrics.settled(&rows[i])
	}
	return nil
}

// doubled gives the pause after a number of failed attempts.
func doubled(first time.Duration, attempts int, limit time.Duration) time.Duration {
	p := first << min(max(attempts-1, 0), 20)
	if p > limit || p <= 0 {
		return limit
	}
	return p
}
