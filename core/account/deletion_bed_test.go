package account_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// office is a process that deletes accounts.
type office struct {
	*account.Service
	t      *testing.T
	d      *db.DB
	queue  *jobs.Queue
	worker string
	log    *text
}

// text is a log that can be read.
type text struct {
	mu   sync.Mutex
	data []byte
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	return len(p), nil
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}

// openOffice makes a process that has not begun to work. The time to settle is
// as good as none unless it is set.
func openOffice(t *testing.T, d *db.DB, o account.DeletionOptions) *office {
	t.Helper()
	log := &text{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	var err error
	o.Queue, err = jobs.New(d, o.Log)
	require.NoError(t, err)
	if o.Bus == nil {
		o.Bus = bus.NewLocal()
		t.Cleanup(func() { require.NoError(t, o.Bus.Close()) })
	}
	if o.Settle == 0 {
		o.Settle = time.Nanosecond
	}
	s := account.NewService(d)
	s.HandleDeletions(o)
	return &office{s, t, d, o.Queue, uuid.NewString(), log}
}

// work begins to take jobs, until the test ends.
func (o *office) work() *office {
	o.t.Helper()
	require.NoError(o.t, o.queue.Start(context.Background(), o.worker))
	o.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		o.queue.Stop(ctx)
	})
	return o
}

// user makes an account.
func (o *office) user(id account.Identity) {
	o.t.Helper()
	_, err := o.Ensure(o.t.Context(), id)
	require.NoError(o.t, err)
}

// remove begins a deletion that the user asks for.
func (o *office) remove(userID string) *account.Deletion {
	o.t.Helper()
	deletion, err := o.Delete(o.t.Context(), userID, userID)
	require.NoError(o.t, err)
	return deletion
}

// record gives a deletion as it is now.
func (o *office) record(id string) *account.DeletionRecord {
	o.t.Helper()
	r, err := o.Deletion(o.t.Context(), id)
	require.NoError(o.t, err)
	return r
}

// until waits for a record that is as wanted.
func (o *office) until(id, what string, done func(r *account.DeletionRecord) bool) *account.DeletionRecord {
	o.t.Helper()
	var last *account.DeletionRecord
	require.Eventually(o.t, func() bool {
		last = o.record(id)
		return done(last)
	}, time.Minute, 10*time.Millisecond, what)
	return last
}

func (o *office) finished(id string) *account.DeletionRecord {
	o.t.Helper()
	return o.until(id, "the deletion is finished", func(r *account.DeletionRecord) bool { return r.State == account.DeletionFinished })
}

// count counts rows.
func (o *office) count(table, where string, args ...any) int {
	o.t.Helper()
	var n int64
	require.NoError(o.t, o.d.Write.Table(table).Where(where, args...).Count(&n).Error)
	return int(n)
}

// states gives the states of steps by name.
func states(r *account.DeletionRecord) map[string]account.StepState {
	m := map[string]account.StepState{}
	for _, s := range r.Steps {
		m[s.Name] = s.State
	}
	return m
}

// calls counts what was called, in order.
type calls struct {
	mu   sync.Mutex
	list []string
}

func (c *calls) add(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, name)
	n := 0
	for _, other := range c.list {
		if other == name {
			n++
		}
	}
	return n
}

func (c *calls) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.list...)
}

// step is a step that only tells that it was called.
func (c *calls) step(name string) account.DeletionStep {
	return account.DeletionStep{Name: name, Do: func(context.Context, string) (int, error) {
		c.add(name)
		return 1, nil
	}}
}
