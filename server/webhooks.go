package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"agentserver/core/webhook"
)

// ingressPath is the route of deliveries, as Echo writes it.
const ingressPath = "/api/integrations/:provider/webhooks/:webhook_id/ingress"

// deliveryTimeout bounds how long the body of a delivery may take to arrive.
const deliveryTimeout = 30 * time.Second

// webhookRoutes adds what vendors send to, and the test of a webhook.
func (a *API) webhookRoutes() {
	tags := []string{"v1", "integrations"}
	ingress := a.describe(operation{
		id: "postV1WebhookIngressGeneric", method: http.MethodPost, path: braces(ingressPath),
		summary: "Webhook ingress", tags: tags, access: anyone,
	})
	text := func(name string) *huma.Param {
		return &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	ingress.Parameters = []*huma.Param{text("provider"), text("webhook_id")}
	ingress.Responses = map[string]*huma.Response{"200": {
		Description: "The delivery is stored", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}},
	}}
	a.huma.OpenAPI().AddOperation(&ingress)
	a.echo.POST(ingressPath, a.ingress)

	type pingRequest struct {
		WebhookID string `path:"webhook_id"`
	}
	type pingAnswer struct{ Body any }
	route(a, operation{
		id: "postV1WebhookPing", method: http.MethodPost, path: "/api/integrations/webhooks/{webhook_id}/ping", summary: "Webhook ping", tags: tags,
	}, func(ctx context.Context, in *pingRequest) (*pingAnswer, error) {
		arrived, err := a.platform.Webhooks.Ping(ctx, UserID(ctx), in.WebhookID)
		return &pingAnswer{arrived}, err
	})
}

// ingress takes a delivery. It answers when the delivery is stored.
func (a *API) ingress(c echo.Context) error {
	// Without the deadline, a sender that sends nothing would hold memory; where
	// the connection knows no deadlines, the body limit still holds.
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(deliveryTimeout))
	r := c.Request()
	err := a.platform.Webhooks.Receive(r.Context(), c.Param("provider"), c.Param("webhook_id"), r)
	var refusal *webhook.Refusal
	switch {
	case errors.As(err, &refusal):
		// Not a failure of the server, which would be logged one by one just when it
		// is busy.
		c.Response().Header().Set("Retry-After", refusal.RetryAfter())
		status, body := ErrorAnswer(r.Method, r.URL.Path, refusal.Err)
		return c.JSON(status, body)
	case err != nil:
		return err
	}
	return c.JSONBlob(http.StatusOK, []byte("null"))
}
