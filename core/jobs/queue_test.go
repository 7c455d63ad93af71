package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/jobs"
)

type noteArgs struct {
	Text string `json:"text"`
}

func (noteArgs) Kind() string { return "test_note" }

// notes collects what jobs said.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, text)
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.texts...)
}

// The lines that were declared are worked on, and no others.
func TestLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, err := jobs.New(d, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		q.Line("declared", 1)
		q.Line("second", 1)
		said := &notes{}
		jobs.Handle(q, func(_ context.Context, args noteArgs) error {
			said.add(args.Text)
			return nil
		})
		require.NoError(t, d.Tx(t.Context(), func(tx *gorm.DB) error {
			sqlTx, err := db.SQLTx(tx)
			require.NoError(t, err)
			return q.Insert(t.Context(), sqlTx,
				jobs.Job{Args: noteArgs{"a"}, Line: "declared"}, jobs.Job{Args: noteArgs{"b"}, Line: "second"}, jobs.Job{Args: noteArgs{"c"}, Line: "neither"})
		}))
		require.NoError(t, q.Start(context.Background(), uuid.NewString()))
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			q.Stop(ctx)
		}()
		require.Eventually(t, func() bool { return len(said.all()) >= 2 }, 30*time.Second, 5*time.Millisecond)
		require.ElementsMatch(t, []string{"a", "b"}, said.all(), "what nobody works on stays")
	})
}
