package managed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/managed"
)

var errDown = errors.New("the vendor is down")

func failing(context.Context) error { return errDown }

func TestModels(t *testing.T) {
	each(t, func(b *bed) { dbtest.CheckModels(b.t, b.db, managed.Models()...) })
}

func TestEnsure(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { p.Ensure(b.t.Context(), ada) })
		}
		wg.Wait()
		require.Equal(b.t, []string{b.stored(p, ada)}, b.vendor.secrets(ada), "it is there when the first wait ends")
		p.Ensure(b.t.Context(), ada)
		require.Equal(b.t, 1, b.vendor.count("provision"))
		require.Empty(b.t, b.stored(p, bob))
		require.Empty(b.t, b.open(p))
	})
}

// Processes that share their locks provision once between them.
func TestEnsureInManyProcesses(t *testing.T) {
	each(t, func(b *bed) {
		shared := bus.NewLocal()
		processes := []*process{b.start(quick, shared), b.start(quick, shared), b.start(quick, shared)}
		var wg sync.WaitGroup
		for _, p := range processes {
			for range 10 {
				wg.Go(func() {
					p.Ensure(b.t.Context(), ada)
					p.Ensure(b.t.Context(), bob)
				})
			}
		}
		wg.Wait()
		b.settles(processes[0], ada)
		b.settles(processes[1], bob)
		require.Equal(b.t, 2, b.vendor.count("provision"))
	})
}

// A provider that fails is tried again by itself and not waited for twice.
func TestEnsureWhileTheVendorFails(t *testing.T) {
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			each(t, func(b *bed) {
				p := b.one()
				when := b.vendor.before
				if after {
					when = b.vendor.after
				}
				b.vendor.fault(when, "provision", failing)
				p.Ensure(b.t.Context(), ada)
				require.Empty(b.t, b.stored(p, ada))
				p.Ensure(b.t.Context(), ada) // does not hang
				list := b.open(p)
				require.Len(b.t, list, 1)
				require.Equal(b.t, errDown.Error(), list[0].LastError)
				require.False(b.t, list[0].Stored)
				b.vendor.fault(when, "provision", nil)
				b.retried(p, ada, func() bool { return b.stored(p, ada) != "" })
				b.settles(p, ada)
				require.Contains(b.t, b.log.String(), "an attempt at a managed credential failed")
			})
		})
	}
}

// A vendor that does not answer costs a listing its wait and no more.
func TestEnsureWhileTheVendorIsSlow(t *testing.T) {
	each(t, func(b *bed) {
		hurried := quick
		hurried.Wait = 1
		p := b.start(hurried, bus.NewLocal())
		answer := make(chan struct{})
		b.vendor.fault(b.vendor.before, "provision", func(context.Context) error { <-answer; return nil })
		p.Ensure(b.t.Context(), ada)
		require.Empty(b.t, b.stored(p, ada))
		gone, leave := context.WithCancel(b.t.Context())
		leave()
		b.start(quick, bus.NewLocal()).Ensure(gone, ada) // whoever leaves does not wait
		close(answer)
		b.eventually(func() bool { return b.stored(p, ada) != "" })
	})
}

func TestEnsureGivesUpAndBeginsAgain(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		b.vendor.fault(b.vendor.before, "provision", failing)
		p.Ensure(b.t.Context(), ada)
		b.eventually(func() bool { l := b.open(p); return len(l) == 1 && l[0].State == "given up" })
		require.Equal(b.t, managed.MaxAttempts, b.vendor.count("provision"))
		b.vendor.fault(b.vendor.before, "provision", nil)
		p.Ensure(b.t.Context(), ada)
		require.Empty(b.t, b.stored(p, ada), "it rests")
		require.NoError(b.t, b.db.Write.Exec("UPDATE managed_tasks SET updated_at = ?", db.At(time.Now().Add(-time.Hour))).Error)
		p.Ensure(b.t.Context(), ada)
		b.eventually(func() bool { return b.stored(p, ada) != "" })
		b.settles(p, ada)
	})
}

// A job that was lost with its process is made again when its user comes back.
func TestEnsureAddsALostJob(t *testing.T) {
	for name, at := range map[string]time.Duration{"long ago": -time.Hour, "written by a clock that was set back": 100 * time.Hour} {
		t.Run(name, func(t *testing.T) { testLostJob(t, at, false) })
	}
	t.Run("queued long ago", func(t *testing.T) { testLostJob(t, -time.Hour, true) })
}

func testLostJob(t *testing.T, at time.Duration, queued bool) {
	each(t, func(b *bed) {
		long := db.At(time.Now().Add(at))
		require.NoError(b.t, b.db.Write.Exec("INSERT INTO managed_tasks VALUES ('user-ada','acme','provision',7,false,1,'',?,NULL,?,?,?)", long, queued, long, long).Error)
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		b.eventually(func() bool { return b.stored(p, ada) != "" })
		b.settles(p, ada)
	})
}

func TestEnsureWithoutAVendorOrAnAccount(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), "nobody")
		require.Empty(b.t, b.open(p))
		b.vendor.mu.Lock()
		b.vendor.off = true
		b.vendor.mu.Unlock()
		p.Ensure(b.t.Context(), ada)
		require.Empty(b.t, b.open(p))
		require.Zero(b.t, b.vendor.count("provision"))
	})
}

// Without their locks, as when Redis restarts, two processes work on the same
// user: in the end one secret works, and it is the stored one.
func TestAttemptsWithoutLocks(t *testing.T) {
	each(t, func(b *bed) {
		entered, goOn := make(chan struct{}), make(chan struct{})
		b.vendor.fault(b.vendor.before, "provision", func(context.Context) error {
			b.vendor.fault(b.vendor.before, "provision", nil)
			close(entered)
			<-goOn
			return nil
		})
		slow := b.single()
		go slow.Ensure(context.Background(), ada)
		<-entered
		other := b.one()
		b.endLease()
		require.NoError(b.t, other.Retry(b.t.Context(), ada, "acme"))
		b.eventually(func() bool { return b.stored(other, ada) != "" })
		// The slow one now removes the secret that is stored, makes its own, and
		// finds that it does not count.
		close(goOn)
		b.eventually(func() bool { return b.vendor.count("provision") == 2 && b.vendor.count("renew") > 0 })
		b.settles(other, ada)
	})
}

// The same while the account goes: the slow attempt leaves nothing behind.
func TestRevocationWithoutLocks(t *testing.T) {
	each(t, func(b *bed) {
		entered, goOn := make(chan struct{}), make(chan struct{})
		b.vendor.fault(b.vendor.before, "provision", func(context.Context) error {
			b.vendor.fault(b.vendor.before, "provision", nil)
			close(entered)
			<-goOn
			return nil
		})
		slow := b.single() // else it may take the revocation, again and again
		go slow.Ensure(context.Background(), ada)
		<-entered
		other := b.one()
		require.NoError(b.t, b.db.Tx(b.t.Context(), func(tx *gorm.DB) error {
			if err := tx.Exec("DELETE FROM users WHERE id = 'user-ada'").Error; err != nil {
				return err
			}
			return other.RevokeAll(b.t.Context(), tx, ada)
		}))
		b.idle(other)
		close(goOn)
		b.eventually(func() bool { return len(b.vendor.secrets(ada)) > 0 || b.vendor.count("deprovision") > 2 })
		b.eventually(func() bool { return len(b.vendor.secrets(ada)) == 0 && len(b.open(other)) == 0 })
	})
}

// What was asked for before the account went, and whose answer was lost, comes to
// be later: the revocation is done once more before it counts.
func TestRevocationAfterALostAnswer(t *testing.T) {
	each(t, func(b *bed) {
		late := quick
		late.Late = 3 * time.Second
		p := b.start(late, bus.NewLocal())
		asked := make(chan struct{})
		b.vendor.fault(b.vendor.before, "provision", func(context.Context) error {
			b.vendor.fault(b.vendor.before, "provision", failing)
			close(asked)
			return errDown
		})
		b.vendor.fault(b.vendor.after, "deprovision", func(context.Context) error {
			b.vendor.fault(b.vendor.after, "deprovision", nil)
			b.vendor.mu.Lock()
			defer b.vendor.mu.Unlock()
			b.vendor.add(ada) // now
			return nil
		})
		go p.Ensure(context.Background(), ada)
		<-asked
		require.NoError(b.t, b.db.Tx(b.t.Context(), func(tx *gorm.DB) error { return p.RevokeAll(b.t.Context(), tx, ada) }))
		require.NoError(b.t, b.db.Write.Exec("DELETE FROM users WHERE id = 'user-ada'").Error)
		b.eventually(func() bool { return len(b.vendor.secrets(ada)) > 0 })
		n, err := p.Remaining(b.t.Context(), ada)
		require.NoError(b.t, err)
		require.Equal(b.t, 1, n, "it does not count yet")
		// The later steps of a deletion ask again, which does not make it count.
		b.eventually(func() bool { l := b.open(p); return len(l) == 1 && !l[0].UnderWay && l[0].Attempts == 0 })
		require.NoError(b.t, b.db.Tx(b.t.Context(), func(tx *gorm.DB) error { return p.RevokeAll(b.t.Context(), tx, ada) }))
		require.True(b.t, core.IsKind(p.Retry(b.t.Context(), ada, "acme"), core.Conflict))
		require.NotEmpty(b.t, b.vendor.secrets(ada))
		require.True(b.t, b.open(p)[0].NextAt.After(time.Now()), "it was hurried")
		b.idle(p)
		require.Empty(b.t, b.vendor.secrets(ada))
		require.Equal(b.t, 2, b.vendor.count("deprovision"))
	})
}

// One user's requests do not keep others waiting, and add one job at a time.
func TestOneUserDoesNotFillTheLine(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		answer := make(chan struct{})
		b.vendor.fault(b.vendor.before, "deprovision", func(context.Context) error { <-answer; return nil })
		for range 100 {
			require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
			require.NoError(b.t, p.Retry(b.t.Context(), ada, "acme"))
		}
		p.Ensure(b.t.Context(), bob)
		require.NotEmpty(b.t, b.stored(p, bob))
		var waiting int64
		require.NoError(b.t, b.db.Read.Table("river_job").Where("state IN ?", []string{"available", "running", "scheduled", "retryable"}).Count(&waiting).Error)
		require.Less(b.t, waiting, int64(10))
		close(answer)
		b.idle(p)
		require.Empty(b.t, b.vendor.secrets(ada))
	})
}

func TestRevoke(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		p.Ensure(b.t.Context(), bob)
		first := b.stored(p, ada)
		b.vendor.fault(b.vendor.before, "deprovision", failing)
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		require.Empty(b.t, b.stored(p, ada), "nobody can use it from then on")
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"), "again does no harm")
		n, err := p.Remaining(b.t.Context(), ada)
		require.NoError(b.t, err)
		require.Equal(b.t, 1, n)
		p.Ensure(b.t.Context(), ada)
		require.Equal(b.t, 2, b.vendor.count("provision"), "no other one before the first is gone")
		require.Equal(b.t, []string{first}, b.vendor.secrets(ada))
		b.vendor.fault(b.vendor.before, "deprovision", nil)
		b.retried(p, ada, func() bool { return len(b.open(p)) == 0 })
		require.Empty(b.t, b.vendor.secrets(ada))
		n, err = p.Remaining(b.t.Context(), ada)
		require.NoError(b.t, err)
		require.Zero(b.t, n)
		b.eventually(func() bool { p.Ensure(b.t.Context(), ada); return b.stored(p, ada) != "" })
		require.NotEqual(b.t, first, b.stored(p, ada))
		require.Equal(b.t, []string{b.stored(p, bob)}, b.vendor.secrets(bob))
		require.True(b.t, core.IsKind(p.Revoke(b.t.Context(), "nobody", "acme"), core.NotFound))
		require.True(b.t, core.IsKind(p.Retry(b.t.Context(), bob, "acme"), core.NotFound))
	})
}

// An account that goes while its credential is being made leaves nothing.
func TestRevokeAllWhileProvisioning(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		entered, goOn := make(chan struct{}), make(chan struct{})
		b.vendor.fault(b.vendor.after, "provision", func(context.Context) error {
			close(entered)
			<-goOn
			return nil
		})
		go p.Ensure(context.Background(), ada)
		<-entered
		err := b.db.Tx(b.t.Context(), func(tx *gorm.DB) error {
			if err := tx.Exec("DELETE FROM users WHERE id = 'user-ada'").Error; err != nil {
				return err
			}
			return p.RevokeAll(b.t.Context(), tx, ada)
		})
		require.NoError(b.t, err)
		close(goOn)
		b.idle(p)
		require.Empty(b.t, b.vendor.secrets(ada))
		require.Empty(b.t, b.stored(p, ada))
		p.Ensure(b.t.Context(), ada)
		require.Empty(b.t, b.open(p))
	})
}

func TestRevocationsGoOnForever(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		b.vendor.fault(b.vendor.before, "deprovision", failing)
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		b.eventually(func() bool { l := b.open(p); return len(l) == 1 && l[0].Attempts > 4 })
		b.eventually(func() bool { // an attempt under way would count on from what it has read
			r := b.db.Write.Exec("UPDATE managed_tasks SET attempts = 500 WHERE NOT claimed")
			require.NoError(b.t, r.Error)
			return r.RowsAffected == 1
		})
		b.retried(p, ada, func() bool { l := b.open(p); return len(l) == 1 && l[0].Attempts > 500 && l[0].State == "revoke" })
		b.vendor.fault(b.vendor.before, "deprovision", nil)
		b.retried(p, ada, func() bool { return len(b.open(p)) == 0 })
		require.Empty(b.t, b.vendor.secrets(ada))
	})
}

// A credential that does not open can be revoked, and rotation mends it.
func TestDamagedCredentials(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		for _, user := range []string{ada, bob} {
			p.Ensure(b.t.Context(), user)
		}
		require.NoError(b.t, b.db.Write.Exec("UPDATE credentials SET sealed = 'v1.a.AAAA'").Error)
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		_, err := p.Rotate(b.t.Context(), bob, "acme")
		require.NoError(b.t, err)
		b.idle(p)
		require.Empty(b.t, b.vendor.secrets(ada))
		b.settles(p, bob)
	})
}

// A provider that panics, or gives what is not its own, fails an attempt.
func TestBadProviders(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		b.vendor.fault(b.vendor.before, "provision", func(context.Context) error { panic("out of cheese") })
		p.Ensure(b.t.Context(), ada)
		require.Contains(b.t, b.open(p)[0].LastError, "the provider acme crashed")
	})
}

// What a provider that is off now has given out is not forgotten.
func TestRevokeAtAProviderThatIsOff(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		off := func(is bool) {
			b.vendor.mu.Lock()
			defer b.vendor.mu.Unlock()
			b.vendor.off = is
		}
		off(true)
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		b.eventually(func() bool {
			l := b.open(p)
			return len(l) == 1 && l[0].LastError == "the provider acme is turned off here or not configured"
		})
		off(false)
		b.retried(p, ada, func() bool { return len(b.open(p)) == 0 })
		require.Empty(b.t, b.vendor.secrets(ada))
	})
}
