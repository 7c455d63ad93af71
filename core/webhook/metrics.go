package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of webhooks.
type metrics struct {
	deliveries *prometheus.CounterVec
	runs       *prometheus.CounterVec
	settles    *prometheus.CounterVec
	durations  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentserver_webhook_deliveries_total",
			Help: "Deliveries by outcome: accepted, duplicate, forged, unknown (no such webhook at that provider), oversized, invalid, broken, or, to be sent again, limited, busy, backlog, unavailable.",
		}, []string{"provider", "outcome"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentserver_webhook_runs_total", Help: "Runs that deliveries started, or failed to start.",
		}, []string{"provider", "outcome"}),
		settles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentserver_webhook_deliveries_settled_total", Help: "Deliveries by what became of them: done, pending (tried again) or dead.",
		}, []string{"provider", "state"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "agentserver_webhook_delivery_seconds", Help: "Time from a delivery's arrival until its runs were started.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600},
		}, []string{"provider"}),
	}
	if r != nil {
		r.MustRegister(m.deliveries, m.runs, m.settles, m.durations)
	}
	return m
}

func (m *metrics) received(provider, outcome string) {
	m.deliveries.WithLabelValues(provider, outcome).Inc()
}

func (m *metrics) run(provider, outcome string) { m.runs.WithLabelValues(provider, outcome).Inc() }

func (m *metrics) settled(d *deliveryRow) {
	m.settles.WithLabelValues(d.Provider, string(d.State)).Inc()
	if d.State == Done {
		m.durations.WithLabelValues(d.Provider).Observe(max(d.DoneAt.Sub(d.ReceivedAt.Time).Seconds(), 0))
	}
}
