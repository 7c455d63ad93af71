package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsNamespace begins the name of every metric; dashboards know it.
const metricsNamespace = "autogpt"

// HTTPMetrics counts and times requests.
type HTTPMetrics struct {
	requests     *prometheus.CounterVec
	requestSize  *prometheus.SummaryVec
	responseSize *prometheus.SummaryVec
	combinedSize *prometheus.SummaryVec
	fineDuration prometheus.Histogram
	duration     *prometheus.HistogramVec
	inProgress   *prometheus.GaugeVec
}

// NewHTTPMetrics registers the metrics of one API, whose name is a part of
// theirs: "rest_api" or "external_api".
func NewHTTPMetrics(registry prometheus.Registerer, api string) (*HTTPMetrics, error) {
	counter := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: metricsNamespace, Subsystem: api, Name: name, Help: help}
	}
	summary := func(name, help string, labels ...string) *prometheus.SummaryVec {
		return prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Namespace: metricsNamespace, Subsystem: api, Name: name, Help: help,
		}, labels)
	}
	m := &HTTPMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts(
			counter("http_requests_total", "Requests by method, class of status and route.")), []string{"method", "status", "handler"}),
		requestSize:  summary("http_request_size_bytes", "Length of request bodies by route.", "handler"),
		responseSize: summary("http_response_size_bytes", "Length of answers by route, before compression.", "handler"),
		combinedSize: summary("http_combined_size_bytes", "Length of request bodies and answers together.", "handler", "method", "status"),
		fineDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Subsystem: api, Name: "http_request_duration_highr_seconds",
			Help:    "Time to answer, in fine steps, all routes together.",
			Buckets: []float64{.01, .025, .05, .075, .1, .25, .5, .75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60},
		}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Subsystem: api, Name: "http_request_duration_seconds",
			Help: "Time to answer by method and route.", Buckets: []float64{.1, .5, 1},
		}, []string{"method", "handler"}),
		inProgress: prometheus.NewGaugeVec(prometheus.GaugeOpts(
			counter("http_requests_inprogress", "Requests being answered now.")), []string{"method", "handler"}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.requestSize, m.responseSize, m.combinedSize, m.fineDuration, m.duration, m.inProgress,
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics of %s: %w", api, err)
		}
	}
	return m, nil
}

// Middleware measures the requests that a route takes, except checks of health
// and readiness.
func (m *HTTPMetrics) Middleware() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			route, method := braces(c.Path()), c.Request().Method
			if !measured(route) {
				return next(c)
			}
			running := m.inProgress.WithLabelValues(method, route)
			running.Inc()
			defer running.Dec()
			start := time.Now()
			if err := next(c); err != nil {
				c.Error(err)
			}
			if routeOf(c) == "" {
				m.inProgress.DeleteLabelValues(method, route)
				return nil
			}
			took := time.Since(start).Seconds()
			status := fmt.Sprintf("%dxx", c.Response().Status/100)
			in, out := float64(max(c.Request().ContentLength, 0)), float64(c.Response().Size)
			m.requests.WithLabelValues(method, status, route).Inc()
			m.requestSize.WithLabelValues(route).Observe(in)
			m.responseSize.WithLabelValues(route).Observe(out)
			m.combinedSize.WithLabelValues(route, method, status).Observe(in + out)
			m.fineDuration.Observe(took)
			m.duration.WithLabelValues(method, route).Observe(took)
			return nil
		}
	}
}

func measured(route string) bool {
	return route != "" && !strings.Contains(route, "/health") && !strings.Contains(route, "/readiness")
}

// RegisterServiceInfo registers a gauge that is always 1 and names the service
// and its version.
func RegisterServiceInfo(registry prometheus.Registerer, service, version string) error {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: metricsNamespace, Name: "service_info", Help: "The service and its version.",
		ConstLabels: prometheus.Labels{"service": service, "version": version},
	})
	info.Set(1)
	if err := registry.Register(info); err != nil {
		return fmt.Errorf("registering service info: %w", err)
	}
	return nil
}

// MetricsHandler serves what was gathered in the text format of Prometheus.
func MetricsHandler(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{})
}
