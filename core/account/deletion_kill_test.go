package account_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/account"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/jobs"
)

// The environment of a process of TestKilledDeletion: the data folder or the
// address of the database, and the moment at which it stands still.
const (
	childDir  = "TEST_DELETION_DIR"
	childURL  = "TEST_DELETION_URL"
	childStop = "TEST_DELETION_STOP"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir)+os.Getenv(childURL) != "" {
		if err := deleteUntilTold(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// moments are when a deletion is killed: before and after the work of each step,
// in its first round and in the sweep, and before its end.
var moments = []string{
	"first one begins", "first one ends", "first two begins", "first two ends",
	"sweep one begins", "sweep one ends", "sweep two begins", "sweep two ends", "counting",
}

// deleteUntilTold works on deletions until there is none left. It says each
// moment on its output, and at one of them it stands still.
func deleteUntilTold() error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{DataDir: os.Getenv(childDir), URL: os.Getenv(childURL)})
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	queue, err := jobs.New(d, log)
	if err != nil {
		return err
	}
	service := account.NewService(d)
	service.HandleDeletions(account.DeletionOptions{
		Queue: queue, Bus: bus.NewLocal(), Log: log, Settle: time.Nanosecond,
		Steps: []account.DeletionStep{erasing(d, "one"), erasing(d, "two")},
		Remaining: func(context.Context, string) (int, error) {
			reach("counting")
			return 0, nil
		},
	})
	self := uuid.NewString()
	// As a worker does at its start for those that are lost.
	if _, err := queue.Rescue(ctx, func(id string) bool { return id == self }); err != nil {
		return err
	}
	if err := queue.Start(ctx, self); err != nil {
		return err
	}
	for pending := int64(1); pending > 0; time.Sleep(5 * time.Millisecond) {
		if err := d.Read.Table("account_deletions").Where("state = 'pending'").Count(&pending).Error; err != nil {
			return err
		}
	}
	fmt.Println("finished")
	return nil
}

// reach says a moment, and stops there if it is the one.
func reach(moment string) {
	fmt.Println(moment)
	if moment == os.Getenv(childStop) {
		select {}
	}
}

// erasing is a step whose data are the rows of encryption_keys that are named
// after it and the user, two in a transaction.
func erasing(d *db.DB, name string) account.DeletionStep {
	return account.DeletionStep{Name: name, Do: func(ctx context.Context, userID string) (int, error) {
		var users int64
		if err := d.Read.Table("users").Where("id = ?", userID).Count(&users).Error; err != nil {
			return 0, err
		}
		round := "sweep "
		if users > 0 {
			round = "first "
		}
		reach(round + name + " begins")
		n, err := d.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
			done := tx.Exec(`DELETE FROM encryption_keys WHERE name IN
				(SELECT name FROM encryption_keys WHERE sealed = ? AND name LIKE ? LIMIT 2)`, name, userID+"%")
			return int(done.RowsAffected), done.RowsAffected > 0, done.Error
		})
		if err == nil {
			reach(round + name + " ends")
		}
		return n, err
	}}
}

// A deletion survives the death of its process at any moment.
func TestKilledDeletion(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killDeletions(t, db.Options{DataDir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { killDeletions(t, db.Options{URL: dbtest.PostgresURL(t)}) })
}

func killDeletions(t *testing.T, o db.Options) {
	o.Log = slog.New(slog.DiscardHandler)
	inDatabase := func(do func(d *db.DB)) {
		d, err := db.Open(t.Context(), o)
		require.NoError(t, err)
		do(d)
		require.NoError(t, d.Close())
	}
	var deletionID string
	inDatabase(func(d *db.DB) {
		require.NoError(t, d.Migrate(t.Context()))
		office := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{erasing(d, "one"), erasing(d, "two")}})
		office.user(ada)
		office.user(bob)
		for _, owner := range []string{ada.UserID, bob.UserID} {
			for i := range 10 {
				kind := []string{"one", "two"}[i%2]
				require.NoError(t, d.Write.Exec("INSERT INTO encryption_keys (name, sealed, created_at) VALUES (?, ?, '2025-01-01')", fmt.Sprint(owner, i), kind).Error)
			}
		}
		deletionID = office.remove(ada.UserID).ID
	})
	killedIn := ""
	for i, moment := range moments {
		said := deleteInChild(t, o, moment)
		require.Equal(t, moment, said[len(said)-1])
		for _, earlier := range moments[:i] {
			// A step whose end is recorded is not begun again, but in the sweep.
			if strings.HasPrefix(earlier, "first") && stepOf(earlier) != killedIn {
				require.NotContains(t, said, earlier, "after a kill in %s", killedIn)
			}
		}
		killedIn = stepOf(moment)
	}
	require.Contains(t, deleteInChild(t, o, ""), "finished")
	inDatabase(func(d *db.DB) {
		office := openOffice(t, d, account.DeletionOptions{Steps: []account.DeletionStep{erasing(d, "one"), erasing(d, "two")}})
		r := office.record(deletionID)
		require.Equal(t, account.DeletionFinished, r.State)
		for _, s := range r.Steps {
			require.Equal(t, account.StepDone, s.State, s.Name)
		}
		require.GreaterOrEqual(t, r.Attempts, len(moments)+1, "each process took it up")
		require.Zero(t, office.count("users", "id = ?", ada.UserID))
		require.Equal(t, 1, office.count("users", "id = ?", bob.UserID))
		require.Zero(t, office.count("encryption_keys", "name LIKE 'ada%'"))
		require.Equal(t, 10, office.count("encryption_keys", "name LIKE 'bob%'"))
	})
}

// stepOf gives the round and the step of a moment.
func stepOf(moment string) string {
	return strings.TrimSuffix(strings.TrimSuffix(moment, " begins"), " ends")
}

// deleteInChild runs a process until it says a moment, at which it is killed, or
// to its end, and gives what it said.
func deleteInChild(t *testing.T, o db.Options, moment string) []string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Clean(self))
	cmd.Env = append(os.Environ(), childDir+"="+o.DataDir, childURL+"="+o.URL, childStop+"="+moment)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
		if lines.Text() == moment {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	if moment == "" {
		require.NoError(t, err, "%s", said)
	}
	require.NotEmpty(t, said)
	return said
}
