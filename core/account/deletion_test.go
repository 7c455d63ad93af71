package account_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestDeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		done := &calls{}
		o := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{done.step("one"), done.step("two")}}).work()
		o.user(ada)
		o.user(bob)
		before, err := o.Get(t.Context(), bob.UserID)
		require.NoError(t, err)

		deletion := o.remove(ada.UserID)
		require.Equal(t, ada.UserID, deletion.UserID)
		require.Equal(t, account.DeletionPending, deletion.State)
		require.True(t, deletion.FinishedAt.IsZero())
		r := o.finished(deletion.ID)
		require.Equal(t, []account.StepReport{
			{Name: "one", State: account.StepDone, Count: 1},
			{Name: "two", State: account.StepDone, Count: 1},
			{Name: "account", State: account.StepDone, Count: 1},
			{Name: "final sweep", State: account.StepDone, Count: 2},
		}, r.Steps)
		require.Equal(t, []string{"one", "two", "one", "two"}, done.all())
		require.Equal(t, deletion.RequestedAt, r.RequestedAt)
		require.False(t, r.FinishedAt.Before(r.RequestedAt.Time))
		require.Equal(t, ada.UserID, r.RequestedBy)
		require.Empty(t, r.Email, "a finished record does not say who it was")
		require.Zero(t, o.count("users", "id = ?", ada.UserID))
		require.NotContains(t, o.log.String(), ada.Email)

		after, err := o.Get(t.Context(), bob.UserID)
		require.NoError(t, err)
		require.Equal(t, before, after)
		_, err = o.Delete(t.Context(), ada.UserID, ada.UserID)
		require.True(t, core.IsKind(err, core.NotFound), "%v", err)
	})
}

// The record, what must be undone at vendors and the job are there together or
// not at all.
func TestDeletionBeginsAsAWhole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fail := true
		o := openOffice(t, d, account.DeletionOptions{BeforeDelete: func(_ context.Context, tx *gorm.DB, userID string) error {
			err := tx.Exec("INSERT INTO encryption_keys (name, sealed, created_at) VALUES (?, '', '2025-01-01')", userID).Error
			if err == nil && fail {
				err = errors.New("no revocation today")
			}
			return err
		}})
		o.user(ada)
		_, err := o.Delete(t.Context(), ada.UserID, "cli")
		require.ErrorContains(t, err, "no revocation today")
		for _, table := range []string{"account_deletions", "encryption_keys", "river_job"} {
			require.Zero(t, o.count(table, "1 = 1"), table)
		}
		_, err = o.Ensure(t.Context(), ada)
		require.NoError(t, err, "the account is as it was")

		fail = false
		_, err = o.Delete(t.Context(), ada.UserID, "cli")
		require.NoError(t, err)
		for _, table := range []string{"account_deletions", "encryption_keys", "river_job"} {
			require.Equal(t, 1, o.count(table, "1 = 1"), table)
		}
	})
}

func TestDeletionsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{})
		o.user(ada)
		ids := make([]string, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				deletion, err := o.Delete(context.Background(), ada.UserID, ada.UserID)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = deletion.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, 1, o.count("account_deletions", "1 = 1"))
		require.Equal(t, 1, o.count("river_job", "1 = 1"))
	})
}

func TestConfirmation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{})
		o.user(ada)
		ask := func(by, confirm string) error {
			_, err := o.DeleteConfirmed(t.Context(), ada.UserID, by, confirm)
			return err
		}
		for _, confirm := range []string{"", " ", ada.UserID, "ada@example.co", bob.Email, "yes"} {
			refusedPlainly(t, ask(ada.UserID, confirm), core.Invalid, `To delete the account, send {"confirm": "<the account's e-mail address>"}`)
		}
		refusedPlainly(t, ask("root", "ada"), core.Invalid, `To delete the account, send {"confirm": "<the account's e-mail address or id>"}`)
		require.Zero(t, o.count("account_deletions", "1 = 1"))

		require.NoError(t, ask(ada.UserID, " ADA@Example.com "))
		require.NoError(t, ask(ada.UserID, ada.Email), "again is the same")
		require.NoError(t, ask("root", ada.UserID))
		refusedPlainly(t, ask(ada.UserID, "no"), core.Invalid, `To delete the account, send {"confirm": "<the account's e-mail address>"}`)
		require.Equal(t, 1, o.count("account_deletions", "1 = 1"))
		_, err := o.DeleteConfirmed(t.Context(), "ghost", "root", "ghost")
		require.True(t, core.IsKind(err, core.NotFound))
	})
}

func refusedPlainly(t *testing.T, err error, kind core.Kind, text string) {
	t.Helper()
	var known *core.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind)
	require.Equal(t, text, known.Message)
	require.True(t, known.Plain)
}

// at gives ada with a token of another time.
func at(issued time.Time) account.Identity {
	id := ada
	id.IssuedAt = issued
	return id
}

// Tokens outlive the account, and bring nobody back.
func TestTokensOfDeletedAccounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		hold := make(chan struct{})
		o := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{{Name: "hold", Do: func(ctx context.Context, _ string) (int, error) {
			select {
			case <-hold:
			case <-ctx.Done():
			}
			return 0, ctx.Err()
		}}}}).work()
		// Another process, which has not met the user yet.
		other := openOffice(t, d, account.DeletionOptions{})
		o.user(ada)
		deletion := o.remove(ada.UserID)
		requested := deletion.RequestedAt.Time
		future := requested.Add(time.Hour)
		for _, s := range []*office{o, other} {
			for _, id := range []account.Identity{ada, at(future)} {
				_, err := s.Ensure(t.Context(), id)
				refusedPlainly(t, err, core.Forbidden, "This account is being deleted")
				require.True(t, account.IsDeleting(err))
			}
			_, err := s.Get(t.Context(), ada.UserID)
			require.True(t, core.IsKind(err, core.NotFound))
			require.True(t, core.IsKind(s.SetEmail(t.Context(), ada.UserID, "x@example.com"), core.NotFound))
		}
		close(hold)
		o.finished(deletion.ID)

		second := requested.Truncate(time.Second)
		old := map[string]account.Identity{
			"no time":          ada,
			"long before":      at(requested.Add(-time.Hour)),
			"that moment":      at(requested),
			"that very second": at(second),
		}
		for name, id := range old {
			for _, s := range []*office{o, other} {
				_, err := s.Ensure(t.Context(), id)
				refusedPlainly(t, err, core.Unauthenticated, "This account was deleted")
				require.False(t, account.IsDeleting(err), name)
			}
		}
		require.Zero(t, o.count("users", "id = ?", ada.UserID))

		fresh, err := o.Ensure(t.Context(), at(time.Now().Truncate(time.Second).Add(time.Second)))
		require.NoError(t, err, "a later token makes a new account")
		require.False(t, fresh.CreatedAt.Before(requested))
		for name, id := range old {
			for _, s := range []*office{o, other} {
				_, err := s.Ensure(t.Context(), id)
				require.True(t, core.IsKind(err, core.Unauthenticated), "%s, though there is a new account: %v", name, err)
			}
		}
		_, err = o.Ensure(t.Context(), at(future))
		require.NoError(t, err)

		// The new account can go as well.
		again := o.remove(ada.UserID)
		require.NotEqual(t, deletion.ID, again.ID)
		o.finished(again.ID)
		_, err = o.Ensure(t.Context(), at(second.Add(time.Millisecond)))
		require.True(t, core.IsKind(err, core.Unauthenticated))
		require.Equal(t, account.DeletionFinished, o.record(deletion.ID).State, "the first record stays")
	})
}

// A process that remembers the user forgets them when another one begins a
// deletion.
func TestOtherProcessesForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		shared := bus.NewLocal()
		defer shared.Close()
		here := openOffice(t, d, account.DeletionOptions{Bus: shared})
		there := openOffice(t, d, account.DeletionOptions{Bus: shared})
		there.Listen(t.Context())
		here.user(ada)
		there.user(ada)
		here.remove(ada.UserID)
		require.Eventually(t, func() bool {
			_, err := there.Ensure(t.Context(), ada)
			return account.IsDeleting(err)
		}, 20*time.Second, time.Millisecond, "the other process learns of it before its memory fades")
	})
}

// Whatever fails on the way, the deletion comes to its end.
func TestFailingSteps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const secret = "secret of a vendor"
		done := &calls{}
		faulty := func(name string, best bool, fail func(call int) error) account.DeletionStep {
			return account.DeletionStep{Name: name, BestEffort: best, Do: func(context.Context, string) (int, error) { return 1, fail(done.add(name)) }}
		}
		o := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{
			faulty("breaks", false, func(call int) error {
				if call == 1 {
					return errors.New(secret)
				}
				return nil
			}),
			faulty("crashes", false, func(call int) error {
				if call == 1 {
					panic("a bug")
				}
				return nil
			}),
			faulty("never works", true, func(int) error { return core.Errorf(core.Unavailable, "The vendor is away") }),
			faulty("breaks in the sweep", false, func(call int) error {
				if call == 2 {
					return errors.New(secret)
				}
				return nil
			}),
		}}).work()
		o.user(ada)
		id := o.remove(ada.UserID).ID
		r := o.until(id, "the failure is recorded", func(r *account.DeletionRecord) bool { return r.Steps[0].State == account.StepFailing })
		require.Equal(t, "It failed; the log of the server says why", r.Steps[0].Error)
		require.Equal(t, account.StepPending, r.Steps[1].State, "steps are done in order")
		require.Equal(t, ada.Email, r.Email)

		r = o.finished(id)
		require.Equal(t, map[string]account.StepState{
			"breaks": account.StepDone, "crashes": account.StepDone, "never works": account.StepFailed,
			"breaks in the sweep": account.StepDone, "account": account.StepDone, "final sweep": account.StepDone,
		}, states(r))
		require.Equal(t, account.StepReport{Name: "breaks", State: account.StepDone, Count: 2}, r.Steps[0])
		require.Equal(t, account.StepReport{Name: "never works", State: account.StepFailed, Error: "The vendor is away", Count: 1}, r.Steps[2])
		require.Equal(t, []string{
			"breaks", "breaks", "crashes", "crashes", "never works", "breaks in the sweep", // first
			"breaks", "crashes", "never works", "breaks in the sweep", // a sweep that fails
			"breaks", "crashes", "never works", "breaks in the sweep",
		}, done.all())
		require.GreaterOrEqual(t, r.Attempts, 4)
		require.Contains(t, o.log.String(), "a step of an account deletion crashed")
	})
}

// A vendor that is away keeps the deletion from being finished, and no data.
func TestPendingRevocations(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var left atomic.Int64
		left.Store(2)
		o := openOffice(t, d, account.DeletionOptions{Remaining: func(context.Context, string) (int, error) { return int(left.Load()), nil }}).work()
		o.user(ada)
		deletion := o.remove(ada.UserID)
		require.Equal(t, 2, deletion.RevocationsPending)
		r := o.until(deletion.ID, "everything else is done", func(r *account.DeletionRecord) bool { return states(r)["final sweep"] == account.StepDone })
		require.Equal(t, account.DeletionPending, r.State)
		require.Equal(t, 2, r.RevocationsPending)
		require.Zero(t, o.count("users", "id = ?", ada.UserID))
		again := o.remove(ada.UserID)
		require.Equal(t, deletion.ID, again.ID, "also when the account has gone")
		_, err := o.Ensure(t.Context(), at(time.Now().Add(time.Hour)))
		require.True(t, account.IsDeleting(err))

		left.Store(0)
		require.Zero(t, o.finished(deletion.ID).RevocationsPending)
	})
}

// What other processes may still write for the user is awaited.
func TestSettling(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		done := &calls{}
		o := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{done.step("one")}, Settle: time.Hour}).work()
		o.user(ada)
		deletion := o.remove(ada.UserID)
		require.Eventually(t, func() bool { return o.count("river_job", "state = 'scheduled'") == 1 }, time.Minute, 10*time.Millisecond,
			"the job is put off")
		r := o.record(deletion.ID)
		require.Equal(t, account.StepDone, states(r)["account"])
		require.Equal(t, account.StepPending, states(r)["final sweep"])
		require.Equal(t, []string{"one"}, done.all())

		// A straggler brings the account back.
		require.NoError(t, d.Write.Exec("INSERT INTO users (id, email, created_at, updated_at) VALUES (?, ?, '2025-01-01', '2025-01-01')", ada.UserID, ada.Email).Error)
		// The hour goes by.
		var steps string
		require.NoError(t, d.Read.Table("account_deletions").Pluck("steps", &steps).Error)
		earlier := regexp.MustCompile(`"at":"20\d\d`).ReplaceAllString(steps, `"at":"2001`)
		require.NotEqual(t, steps, earlier)
		require.NoError(t, d.Write.Exec("UPDATE account_deletions SET steps = ?", earlier).Error)
		require.NoError(t, d.Write.Exec("UPDATE river_job SET state = 'available', scheduled_at = created_at").Error)
		o.finished(deletion.ID)
		require.Equal(t, []string{"one", "one"}, done.all())
		require.Zero(t, o.count("users", "id = ?", ada.UserID))
	})
}

// A process that stood still, and was taken for dead, removes nothing any more.
func TestLateProcessIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		reached, release, refused := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		var attempts atomic.Int32
		slow := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{{Name: "data", Do: func(ctx context.Context, userID string) (int, error) {
			if attempts.Add(1) > 1 {
				return 0, nil // its queue goes on taking jobs, so it may be the one that takes this job again
			}
			close(reached)
			<-release
			n, err := d.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
				done := tx.Exec("DELETE FROM users WHERE id = ?", userID)
				return int(done.RowsAffected), false, done.Error
			})
			refused <- err
			return n, err
		}}}}).work()
		slow.user(ada)
		deletion := slow.remove(ada.UserID)
		<-reached
		fast := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{(&calls{}).step("data")}}).work()
		require.Eventually(t, func() bool {
			n, err := fast.queue.Rescue(t.Context(), func(id string) bool { return id != slow.worker })
			require.NoError(t, err)
			return n == 1
		}, 30*time.Second, 10*time.Millisecond)
		fast.finished(deletion.ID)
		_, err := fast.Ensure(t.Context(), at(time.Now().Add(time.Minute)))
		require.NoError(t, err)

		close(release)
		require.ErrorContains(t, <-refused, "taken up by another process")
		require.Equal(t, 1, fast.count("users", "id = ?", ada.UserID), "the new account stays")
		require.Equal(t, account.DeletionFinished, fast.record(deletion.ID).State)
	})
}

func TestAlive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{})
		o.user(ada)
		alive := func(id string) (is bool) {
			require.NoError(t, d.Tx(t.Context(), func(tx *gorm.DB) (err error) {
				is, err = o.Alive(t.Context(), tx, id)
				return err
			}))
			return is
		}
		require.True(t, alive(ada.UserID))
		require.False(t, alive("ghost"))
		o.remove(ada.UserID)
		require.False(t, alive(ada.UserID))
	})
}

func TestLookup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{})
		o.user(ada)
		o.user(bob)
		for _, text := range []string{ada.UserID, ada.Email, " ADA@example.COM "} {
			id, email, err := o.Lookup(t.Context(), text)
			require.NoError(t, err, text)
			require.Equal(t, []string{ada.UserID, ada.Email}, []string{id, email})
		}
		_, _, err := o.Lookup(t.Context(), "ghost")
		require.True(t, core.IsKind(err, core.NotFound))
		o.user(account.Identity{UserID: bob.Email, Email: "strange@example.com"})
		_, _, err = o.Lookup(t.Context(), bob.Email)
		require.True(t, core.IsKind(err, core.Conflict))

		o.remove(ada.UserID)
		require.NoError(t, d.Write.Exec("DELETE FROM users WHERE id = ?", ada.UserID).Error)
		for _, text := range []string{ada.UserID, ada.Email} {
			id, _, err := o.Lookup(t.Context(), text)
			require.NoError(t, err)
			require.Equal(t, ada.UserID, id, "one whose deletion is under way is found")
		}
	})
}

func TestDeletionPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{})
		var ids []string
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			o.user(account.Identity{UserID: name, Email: name + "@example.com"})
			deletion, err := o.Delete(t.Context(), name, "root")
			require.NoError(t, err)
			ids = append([]string{deletion.ID}, ids...)
		}
		require.NoError(t, d.Write.Exec("UPDATE account_deletions SET state = 'finished' WHERE user_id IN ('b', 'd')").Error)
		list := func(f account.DeletionFilter) (got []string) {
			for pages := 1; ; pages++ {
				require.Less(t, pages, 10)
				page, err := o.Deletions(t.Context(), f)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page.Deletions), max(f.Limit, 1))
				for _, r := range page.Deletions {
					require.Equal(t, "root", r.RequestedBy)
					got = append(got, r.ID)
				}
				if page.NextCursor == nil {
					return got
				}
				f.Cursor = *page.NextCursor
			}
		}
		for limit := range 7 {
			require.Equal(t, ids, list(account.DeletionFilter{Limit: limit}), "newest first, in pages of %d", limit)
		}
		require.Equal(t, []string{ids[0], ids[2], ids[4]}, list(account.DeletionFilter{Limit: 2, State: account.DeletionPending}))
		require.Equal(t, []string{ids[1], ids[3]}, list(account.DeletionFilter{Limit: 2, State: account.DeletionFinished}))
		_, err := o.Deletions(t.Context(), account.DeletionFilter{Cursor: "x' OR 1=1"})
		require.True(t, core.IsKind(err, core.Unprocessable))
		_, err = o.Deletion(t.Context(), "ghost")
		refusedPlainly(t, err, core.NotFound, "Deletion not found")
	})
}

// A clock that was ahead when the user's row went does not put the end off for
// longer than it takes to settle.
func TestClockSetBackBeforeTheSweep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		done := &calls{}
		o := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{done.step("one")}, Settle: 2 * time.Second}).work()
		o.user(ada)
		id := o.remove(ada.UserID).ID
		o.until(id, "the row is gone", func(r *account.DeletionRecord) bool { return states(r)["account"] == account.StepDone })
		var steps string
		require.NoError(t, d.Read.Table("account_deletions").Pluck("steps", &steps).Error)
		year := time.Now().UTC().Format(`"at":"2006`)
		require.Contains(t, steps, year)
		require.NoError(t, d.Write.Exec("UPDATE account_deletions SET steps = ?", strings.ReplaceAll(steps, year, `"at":"2999`)).Error)
		o.finished(id)
	})
}

// A token that was made while the deletion was under way is not for an account
// that comes after.
func TestTokensFromTheTimeOfADeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := openOffice(t, d, account.DeletionOptions{Remaining: func(context.Context, string) (int, error) { return 0, nil }})
		who := ada
		o.user(who)
		id := o.remove(who.UserID).ID
		who.IssuedAt = time.Now().Add(time.Second).Truncate(time.Second)
		_, err := o.Ensure(t.Context(), who)
		require.True(t, account.IsDeleting(err), "%v", err)
		require.Eventually(t, func() bool { return time.Now().After(who.IssuedAt) }, 10*time.Second, 10*time.Millisecond)
		o.work()
		o.finished(id)
		_, err = o.Ensure(t.Context(), who)
		require.True(t, core.IsKind(err, core.Unauthenticated), "%v", err)
		who.IssuedAt = time.Now().Add(time.Minute)
		_, err = o.Ensure(t.Context(), who)
		require.NoError(t, err)
	})
}
