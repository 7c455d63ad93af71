package server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"agentserver/server"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := server.NewHTTPMetrics(registry, "rest_api")
	require.NoError(t, err)
	require.NoError(t, server.RegisterServiceInfo(registry, "agentserver", "1.2.3"))
	s := newSite(t, func(o *server.PipelineOptions) { o.Metrics = m })
	s.GET("/metrics", echo.WrapHandler(server.MetricsHandler(registry)))
	s.POST("/api/graphs/:graph_id/execute/:version", ok)
	s.GET("/api/fails", func(echo.Context) error { return errors.New("x") })
	s.GET("/api/chat/health", ok)
	s.Group("/api", func(next echo.HandlerFunc) echo.HandlerFunc { return next })

	s.ask("POST", "/api/graphs/1/execute/2", strings.NewReader("12345"))
	s.ask("POST", "/api/graphs/3/execute/4", strings.NewReader("12345"))
	s.ask("GET", "/api/fails", nil)
	s.ask("GET", "/api/chat/health", nil)
	s.ask("GET", "/nowhere", nil)
	s.ask("GET", "/api/nowhere", nil)
	s.ask("DELETE", "/api/fails", nil)

	text := s.ask("GET", "/metrics", nil).Body.String()
	const route = "/api/graphs/{graph_id}/execute/{version}"
	for _, line := range []string{
		`autogpt_rest_api_http_requests_total{handler="` + route + `",method="POST",status="2xx"} 2`,
		`autogpt_rest_api_http_requests_total{handler="/api/fails",method="GET",status="5xx"} 1`,
		`autogpt_rest_api_http_request_size_bytes_sum{handler="` + route + `"} 10`,
		`autogpt_rest_api_http_response_size_bytes_sum{handler="` + route + `"} 8`,
		`autogpt_rest_api_http_combined_size_bytes_sum{handler="` + route + `",method="POST",status="2xx"} 18`,
		`autogpt_rest_api_http_request_duration_highr_seconds_count 3`,
		`autogpt_rest_api_http_request_duration_highr_seconds_bucket{le="0.025"} `,
		`autogpt_rest_api_http_request_duration_seconds_bucket{handler="` + route + `",method="POST",le="0.5"} 2`,
		`autogpt_rest_api_http_requests_inprogress{handler="/metrics",method="GET"} 1`,
		`autogpt_service_info{service="agentserver",version="1.2.3"} 1`,
	} {
		require.Contains(t, text, line)
	}
	for _, absent := range []string{"health", "nowhere", "DELETE", `handler="/api/*"`, `handler=""`} {
		require.NotContains(t, text, absent)
	}

	_, err = server.NewHTTPMetrics(registry, "rest_api")
	require.ErrorContains(t, err, "registering metrics of rest_api")
	_, err = server.NewHTTPMetrics(registry, "external_api")
	require.NoError(t, err)
}
