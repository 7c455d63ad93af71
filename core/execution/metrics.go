package execution

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"agentserver/core"
)

// metrics are the figures of runs.
type metrics struct {
	starts    *prometheus.CounterVec
	runs      prometheus.Histogram
	activeNow prometheus.Gauge
	nodes     *prometheus.CounterVec
	nodeTimes *prometheus.HistogramVec
	batches   prometheus.Histogram
	commits   prometheus.Histogram
	lost      prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		starts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autogpt_graph_executions_total", Help: "Runs asked for, by what came of it.",
		}, []string{"status"}),
		runs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "agentserver_run_seconds", Help: "How long runs took.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 12),
		}),
		activeNow: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "execution_manager_active_runs", Help: "Runs at work in this process.",
		}),
		nodes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autogpt_block_executions_total", Help: "Blocks run, by how they ended.",
		}, []string{"block_type", "status"}),
		nodeTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "autogpt_block_duration_seconds", Help: "How long blocks took.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"block_type"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "agentserver_journal_batch_steps", Help: "Steps written in one transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "agentserver_journal_commit_seconds", Help: "How long a transaction of steps took.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12),
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "agentserver_runs_recovered_total", Help: "Runs taken over from lost workers.",
		}),
	}
	if r != nil {
		r.MustRegister(m.starts, m.runs, m.activeNow, m.nodes, m.nodeTimes, m.batches, m.commits, m.lost)
	}
	return m
}

func (m *metrics) started(err error) {
	status := "success"
	switch {
	case err == nil:
	case core.KindOf(err) == core.Internal:
		status = "error"
	default:
		status = "validation_error"
	}
	m.starts.WithLabelValues(status).Inc()
}

func (m *metrics) run(took time.Duration) { m.runs.Observe(took.Seconds()) }
func (m *metrics) active(n int)           { m.activeNow.Set(float64(n)) }
func (m *metrics) recovered(n int)        { m.lost.Add(float64(n)) }

func (m *metrics) node(block string, ok bool, took time.Duration) {
	status := "success"
	if !ok {
		status = "error"
	}
	m.nodes.WithLabelValues(block, status).Inc()
	m.nodeTimes.WithLabelValues(block).Observe(took.Seconds())
}

func (m *metrics) batch(steps int, took time.Duration) {
	m.batches.Observe(float64(steps))
	m.commits.Observe(took.Seconds())
}
