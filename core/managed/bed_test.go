package managed_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/jobs"
	"agentserver/core/managed"
)

const ada, bob = "user-ada", "user-bob"

// quick is a configuration in which nothing takes long but the wait, which ends
// when there is an outcome.
var quick = managed.Config{Wait: 20 * time.Second, Retry: time.Millisecond, Grace: 50 * time.Millisecond, Late: 300 * time.Millisecond}

// bed is a database and a vendor, for any number of processes.
type bed struct {
	t      *testing.T
	db     *db.DB
	vendor *vendor
	keys   *credential.Ring
	log    *logBuffer
	slots  int // jobs at a time of the processes that are started, 0 for the usual
}

// process is one of them.
type process struct {
	*managed.Service
	credentials *credential.Service
	queue       *jobs.Queue
}

func each(t *testing.T, fn func(b *bed)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ring, err := credential.NewRing([]credential.Key{{Name: "a", Key: core.Secret(bytes.Repeat([]byte{1}, 32))}})
		require.NoError(t, err)
		b := &bed{t: t, db: d, vendor: newVendor(), keys: ring, log: &logBuffer{}}
		accounts := account.NewService(d)
		for _, user := range []string{ada, bob} {
			_, err := accounts.Ensure(t.Context(), account.Identity{UserID: user, Email: user + "@example.com"})
			require.NoError(t, err)
		}
		fn(b)
		require.NotContains(t, b.log.String(), "canary", "a secret is in the log")
	})
}

// start adds a process. Processes that share a bus share locks.
func (b *bed) start(c managed.Config, shared bus.Bus) *process {
	b.t.Helper()
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var registry core.Registry
	require.NoError(b.t, registry.Add(&core.Provider{Name: "acme", Title: "Acme", Managed: b.vendor}))
	credentials, err := credential.Open(b.t.Context(), b.db, b.keys, &registry, credential.Options{})
	require.NoError(b.t, err)
	queue, err := jobs.New(b.db, log)
	require.NoError(b.t, err)
	s := managed.New(c, managed.Deps{
		DB: b.db, Bus: shared, Queue: queue, Registry: &registry, Credentials: credentials, Alive: account.NewService(b.db).Alive, Log: log,
	})
	if b.slots > 0 {
		queue.Line("managed", b.slots)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.Start(ctx, true)
	require.NoError(b.t, queue.Start(context.Background(), uuid.NewString()))
	b.t.Cleanup(func() {
		cancel()
		limited, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		queue.Stop(limited)
	})
	return &process{s, credentials, queue}
}

// one starts a process of its own.
func (b *bed) one() *process { return b.start(quick, bus.NewLocal()) }

// single starts a process of its own that takes no other job while it is at one.
func (b *bed) single() *process {
	b.slots = 1
	defer func() { b.slots = 0 }()
	return b.one()
}

// stored gives the secret that the user's blocks run with, or "".
func (b *bed) stored(p *process, user string) string {
	b.t.Helper()
	metas, err := p.credentials.List(b.t.Context(), user)
	require.NoError(b.t, err)
	if len(metas) == 0 {
		return ""
	}
	require.Len(b.t, metas, 1)
	require.True(b.t, metas[0].IsManaged)
	c, err := p.credentials.Get(b.t.Context(), user, metas[0].ID)
	require.NoError(b.t, err)
	if c == nil {
		return "" // it went meanwhile
	}
	return c.(core.APIKey).Key.Reveal()
}

// settles waits until nothing is left to do for a user, and requires that the
// one secret that works is the one that is stored.
func (b *bed) settles(p *process, user string) {
	b.t.Helper()
	b.idle(p)
	require.Equal(b.t, b.vendor.secrets(user), []string{b.stored(p, user)})
}

// idle waits until there are no tasks.
func (b *bed) idle(p *process) {
	b.t.Helper()
	b.eventually(func() bool { return len(b.open(p)) == 0 })
}

// retried makes the next attempt due now until done: once is not enough, for it
// is without effect while an attempt is under way. It is refused when the task
// has ended or needs no other attempt.
func (b *bed) retried(p *process, user string, done func() bool) {
	b.t.Helper()
	b.eventually(func() bool {
		err := p.Retry(b.t.Context(), user, "acme")
		return (err == nil || core.IsKind(err, core.NotFound) || core.IsKind(err, core.Conflict)) && done()
	})
}

func (b *bed) open(p *process) []managed.Entry {
	b.t.Helper()
	list, err := p.List(b.t.Context(), managed.Filter{Open: true, Limit: 100})
	require.NoError(b.t, err)
	return list
}

func (b *bed) eventually(done func() bool) {
	b.t.Helper()
	require.Eventually(b.t, done, 30*time.Second, 5*time.Millisecond)
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// endLease makes every task overdue, and every claim one that its process cannot
// have any more.
func (b *bed) endLease() {
	b.t.Helper()
	require.NoError(b.t, b.db.Write.Exec("UPDATE managed_tasks SET next_at = ?", db.At(time.Now().Add(-2*time.Minute))).Error)
}
