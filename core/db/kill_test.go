package db_test

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// The variables tell the test binary, started again, to be the process that is
// killed while it migrates.
const (
	victimDir = "TEST_MIGRATE_DIR"
	victimURL = "TEST_MIGRATE_URL"
)

func TestMain(m *testing.M) {
	if dir, url := os.Getenv(victimDir), os.Getenv(victimURL); dir != "" || url != "" {
		migrateUntilKilled(db.Options{DataDir: dir, URL: url})
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const filled = "CREATE TABLE b (x text); INSERT INTO b SELECT x FROM a;"

// begun is what the victim runs: its second step does not end by itself on
// SQLite, and takes some seconds on Postgres.
func begun(engine db.Engine) fs.FS {
	stay := "SELECT pg_sleep(3);"
	if engine == db.SQLite {
		stay = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO b SELECT hex(randomblob(500)) FROM n;"
	}
	return steps("CREATE TABLE a (x text); INSERT INTO a VALUES ('kept');", filled+" "+stay)
}

// mended is the same with a second step that ends.
var mended = steps("CREATE TABLE a (x text); INSERT INTO a VALUES ('kept');", filled)

func migrateUntilKilled(o db.Options) {
	ctx := context.Background()
	d, err := db.Open(ctx, o)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("open\n")
	if err := d.MigrateFiles(ctx, begun(d.Engine)); err != nil {
		panic(err)
	}
}

func TestKilledMigration(t *testing.T) {
	eachEmpty(t, func(t *testing.T, o db.Options) {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), victimDir+"="+o.DataDir, victimURL+"="+o.URL)
		victim.Stderr = os.Stderr
		out, err := victim.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, victim.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		awaitSecondStep(t, o)
		require.NoError(t, victim.Process.Kill())
		require.Error(t, victim.Wait())

		d, err := db.Open(t.Context(), o)
		require.NoError(t, err, "the data folder must be free again")
		defer func() { require.NoError(t, d.Close()) }()
		require.NoError(t, d.MigrateFiles(t.Context(), mended))
		var rows []string
		require.NoError(t, d.Read.Raw("SELECT x FROM b").Scan(&rows).Error)
		require.Equal(t, []string{"kept"}, rows)
	})
}

// awaitSecondStep returns when the victim is in the middle of its second step.
func awaitSecondStep(t *testing.T, o db.Options) {
	t.Helper()
	inside := func() bool {
		info, err := os.Stat(o.DataDir + "/agentserver.db-wal")
		return err == nil && info.Size() > 8<<20
	}
	if o.URL != "" {
		watch := dbtest.Postgres(t)
		inside = func() bool {
			var n int
			require.NoError(t, watch.Read.Raw("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").Scan(&n).Error)
			return n > 0
		}
	}
	require.Eventually(t, inside, 30*time.Second, 5*time.Millisecond)
}
