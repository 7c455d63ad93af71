package server

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"agentserver/core/platform"
)

// healthRoutes adds what operators ask: health and metrics.
func (a *API) healthRoutes() {
	type answer struct {
		Status int
		Body   platform.Health
	}
	route(a, operation{
		id: "getHealthHealth", method: http.MethodGet, path: "/health", summary: "Health", tags: []string{"health"}, access: anyone,
	}, func(ctx context.Context, _ *struct{}) (*answer, error) {
		health, ok := a.platform.Check(ctx)
		out := &answer{Status: http.StatusOK, Body: health}
		if !ok {
			out.Status = http.StatusServiceUnavailable
		}
		return out, nil
	})
	if a.platform.Config.Metrics.Enabled {
		a.echo.GET("/metrics", echo.WrapHandler(MetricsHandler(a.platform.Metrics)))
	}
}
