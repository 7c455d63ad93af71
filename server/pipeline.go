package server

import (
	"log/slog"

	"github.com/labstack/echo/v4"
)

// PipelineOptions configure what every request passes.
type PipelineOptions struct {
	// Log receives a line per request and what went wrong; nil means
	// slog.Default.
	Log *slog.Logger
	// CORS says which web pages may call.
	CORS CORSConfig
	// Metrics counts requests; nil turns that off.
	Metrics *HTTPMetrics
	// MaxBody is the largest request body in bytes.
	MaxBody int64
	// OwnBodyLimit, when set, picks requests that MaxBody does not bound,
	// because their handlers have limits of their own.
	OwnBodyLimit func(c echo.Context) bool
}

// Install puts the middleware onto e, in its order, and makes it answer errors
// in the forms clients know. It is called once, before routes are added.
func Install(e *echo.Echo, o PipelineOptions) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = ErrorHandler(o.Log)
	// Only a proxy on this machine is believed about where a request is from.
	e.IPExtractor = echo.ExtractIPFromXFFHeader(
		echo.TrustLoopback(true), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false))
	// Before routing: a preflight is answered for any path.
	e.Pre(CORS(o.CORS))
	if o.Metrics != nil {
		e.Use(o.Metrics.Middleware())
	}
	e.Use(
		RequestLog(o.Log),
		Gzip(),
		SecurityHeaders(),
		BodyLimit(o.MaxBody, o.OwnBodyLimit),
		Errors(o.Log),
		Params(),
	)
}
