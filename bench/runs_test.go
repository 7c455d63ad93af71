package bench

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRuns starts runs of a three-node agent over HTTP from 50 users at
// once, and counts those that are completed and recorded.
func BenchmarkRuns(b *testing.B) {
	agent, err := os.ReadFile("testdata/three_nodes.json")
	require.NoError(b, err)
	engines(b, func(b *testing.B, url string) {
		const users = 50
		bed := newBed(b, url, users)
		paths := make([]string, users)
		for i := range users {
			var g struct{ ID string }
			bed.call(i, "POST", "/api/graphs", agent, &g)
			paths[i] = fmt.Sprintf("/api/graphs/%s/execute/1", g.ID)
		}
		b.ResetTimer()
		start, used := time.Now(), cpu()
		var wg sync.WaitGroup
		work := make(chan int)
		for u := range users {
			wg.Go(func() {
				for range work {
					bed.call(u, "POST", paths[u], []byte(`{"inputs":{"in":"x"}}`), nil)
				}
			})
		}
		for i := range b.N {
			work <- i
		}
		close(work)
		wg.Wait()
		for bed.completed() < b.N {
			time.Sleep(5 * time.Millisecond)
		}
		took := time.Since(start)
		b.ReportMetric(float64(cpu()-used)/1e6/float64(b.N), "cpu-ms/run")
		b.StopTimer()
		bed.figures("agentserver_")
		b.ReportMetric(float64(b.N)/took.Seconds(), "runs/s")
		b.ReportMetric(bed.latency(0.99).Seconds()*1000, "p99-ms")
	})
}

func (b *bed) completed() int {
	var n int64
	require.NoError(b.tb, b.platform.DB.Read.Table("graph_executions").Where("status = ?", "COMPLETED").Count(&n).Error)
	return int(n)
}

// latency is the time from acceptance to the recorded end that a share of the
// runs stayed within.
func (b *bed) latency(share float64) time.Duration {
	var rows []struct{ CreatedAt, EndedAt time.Time }
	require.NoError(b.tb, b.platform.DB.Read.Table("graph_executions").Select("created_at, ended_at").Find(&rows).Error)
	all := make([]time.Duration, len(rows))
	for i, r := range rows {
		all[i] = r.EndedAt.Sub(r.CreatedAt)
	}
	slices.Sort(all)
	return all[int(float64(len(all)-1)*share)]
}
