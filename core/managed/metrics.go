package managed

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of managed credentials.
type metrics struct {
	outcomes  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentserver_managed_credentials_total",
			Help: "Attempts at managed credentials by outcome: provisioned, rotated, deprovisioned, retired or failed.",
		}, []string{"provider", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "agentserver_managed_credential_seconds", Help: "How long attempts at managed credentials took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"provider", "action"}),
	}
	if r != nil {
		r.MustRegister(m.outcomes, m.durations)
	}
	return m
}

func (m *metrics) attempt(provider string, action string, outcome string, took time.Duration) {
	m.outcomes.WithLabelValues(provider, outcome).Inc()
	m.durations.WithLabelValues(provider, action).Observe(took.Seconds())
}
