package server

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/builder"
	"agentserver/core/platform"
)

// Describe gives the OpenAPI document without starting anything.
func Describe(c *config.Config, registry *core.Registry) ([]byte, error) {
	active, err := platform.ActiveProviders(c, registry)
	if err != nil {
		return nil, err
	}
	a, err := New(&platform.Platform{
		Config: c, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Registry: active,
		Builder: builder.New(builder.Deps{Registry: active}),
	})
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(a.OpenAPI(), "", "  ")
}

// NewProbe answers /health and /metrics for a process without an API.
func NewProbe(p *platform.Platform) http.Handler {
	e := echo.New()
	Install(e, PipelineOptions{Log: p.Log, MaxBody: 1024})
	a := &API{echo: e, platform: p, log: p.Log}
	e.GET("/health", func(c echo.Context) error {
		health, ok := p.Check(c.Request().Context())
		status := http.StatusOK
		if !ok {
			status = http.StatusServiceUnavailable
		}
		return c.JSON(status, health)
	})
	if p.Config.Metrics.Enabled {
		e.GET("/metrics", echo.WrapHandler(MetricsHandler(p.Metrics)))
	}
	return a
}
