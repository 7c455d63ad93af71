package server

import (
	"context"
	"net/http"
	"time"

	"agentserver/core/webhook"
)

type deliveriesPage struct {
	Deliveries []webhook.Entry `json:"deliveries"`
	NextCursor *string         `json:"next_cursor" doc:"For the next page; null on the last one"`
}

type replayBody struct {
	UserID    string     `json:"user_id,omitempty"`
	WebhookID string     `json:"webhook_id,omitempty"`
	Provider  string     `json:"provider,omitempty"`
	Since     *time.Time `json:"since,omitempty" doc:"Only those that arrived then or later"`
	Until     *time.Time `json:"until,omitempty" doc:"Only those that arrived before"`
	Limit     int        `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"1000" doc:"The oldest ones, so many"`
}

type replayed struct {
	Replayed int `json:"replayed"`
}

// adminWebhookRoutes adds what administrators do about deliveries.
func (a *API) adminWebhookRoutes() {
	hooks := a.platform.Webhooks
	tags := []string{"v1", "admin"}

	type listRequest struct {
		State     string `query:"state" enum:"pending,done,dead"`
		UserID    string `query:"user_id"`
		WebhookID string `query:"webhook_id"`
		Provider  string `query:"provider"`
		Limit     int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		Cursor    string `query:"cursor" doc:"next_cursor of the page before"`
	}
	type pageAnswer struct{ Body deliveriesPage }
	route(a, operation{
		id: "getV1ListWebhookDeliveries", method: http.MethodGet, path: "/api/admin/webhooks/deliveries", summary: "List webhook deliveries", tags: tags,
	}, func(ctx context.Context, in *listRequest) (*pageAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		list, err := hooks.Deliveries(ctx, webhook.Filter{
			State: webhook.State(in.State), UserID: in.UserID, WebhookID: in.WebhookID, Provider: in.Provider, Limit: in.Limit, Before: in.Cursor,
		})
		page := deliveriesPage{Deliveries: list}
		if len(list) == in.Limit {
			page.NextCursor = &list[len(list)-1].ID
		}
		return &pageAnswer{page}, err
	})

	type oneRequest struct {
		DeliveryID string `path:"delivery_id"`
	}
	type oneAnswer struct{ Body webhook.Entry }
	route(a, operation{
		id: "postV1ReplayWebhookDelivery", method: http.MethodPost, path: "/api/admin/webhooks/deliveries/{delivery_id}/replay",
		summary: "Replay a webhook delivery", tags: tags, status: http.StatusAccepted,
	}, func(ctx context.Context, in *oneRequest) (*oneAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		entry, err := hooks.Replay(ctx, in.DeliveryID)
		if err == nil {
			a.log.InfoContext(ctx, "administrator replays a delivery", "id", RequestID(ctx), "admin", Caller(ctx).UserID, "delivery", in.DeliveryID)
		}
		return &oneAnswer{entry}, err
	})

	type manyRequest struct{ Body replayBody }
	type manyAnswer struct{ Body replayed }
	route(a, operation{
		id: "postV1ReplayWebhookDeliveries", method: http.MethodPost, path: "/api/admin/webhooks/deliveries/replay",
		summary: "Replay dead webhook deliveries", tags: tags, status: http.StatusAccepted,
	}, func(ctx context.Context, in *manyRequest) (*manyAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		n, err := hooks.ReplayAll(ctx, in.Body.filter())
		if err == nil {
			a.log.InfoContext(ctx, "administrator replays dead deliveries", "id", RequestID(ctx), "admin", Caller(ctx).UserID, "deliveries", n)
		}
		return &manyAnswer{replayed{n}}, err
	})
}

func (b replayBody) filter() webhook.Filter {
	f := webhook.Filter{UserID: b.UserID, WebhookID: b.WebhookID, Provider: b.Provider, Limit: b.Limit}
	if b.Since != nil {
		f.Since = *b.Since
	}
	if b.Until != nil {
		f.Until = *b.Until
	}
	return f
}
