package preset

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/execution"
	"agentserver/core/graph"
	"agentserver/core/webhook"
)

var _ webhook.Triggers = (*Service)(nil)

// Linked gives the presets that a webhook starts.
func (s *Service) Linked(ctx context.Context, webhookID string) ([]webhook.Trigger, error) {
	var rows []row
	err := s.DB.Read.WithContext(ctx).Where("webhook_id = ? AND NOT is_deleted", webhookID).Order("created_at, id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("finding presets of a webhook: %w", err)
	}
	list := make([]webhook.Trigger, len(rows))
	for i := range rows {
		list[i] = &trigger{Service: s, row: &rows[i]}
	}
	return list, nil
}

// CountLinked counts the presets that a webhook starts, those that are turned off
// too.
func (s *Service) CountLinked(tx *gorm.DB, webhookID string) (int, error) {
	var n int64
	err := tx.Model(&row{}).Where("webhook_id = ? AND NOT is_deleted", webhookID).Count(&n).Error
	if err != nil {
		return 0, fmt.Errorf("counting presets of a webhook: %w", err)
	}
	return int(n), nil
}

// LinkedAmong gives those of some webhooks that start presets.
func (s *Service) LinkedAmong(ctx context.Context, webhookIDs []string) ([]string, error) {
	var linked []string
	err := s.DB.Read.WithContext(ctx).Model(&row{}).Where("webhook_id IN ? AND NOT is_deleted", webhookIDs).
		Distinct().Pluck("webhook_id", &linked).Error
	if err != nil {
		return nil, fmt.Errorf("finding presets of webhooks: %w", err)
	}
	return linked, nil
}

// Unlink takes a webhook from the presets that it starts.
func (s *Service) Unlink(tx *gorm.DB, webhookID string) error {
	err := tx.Model(&row{}).Where("webhook_id = ?", webhookID).
		Updates(map[string]any{"webhook_id": nil, "updated_at": db.Now()}).Error
	if err != nil {
		return fmt.Errorf("unlinking presets: %w", err)
	}
	return nil
}

// trigger is a preset as webhooks see it, for the deliveries of one job.
type trigger struct {
	*Service
	row *row

	once   sync.Once
	agent  *agent
	broken error
}

// agent is what a preset starts.
type agent struct {
	nodeID   string
	wanted   []string // events; none means every one
	timezone string
}

// ID is the preset's.
func (t *trigger) ID() string { return t.row.ID }

// Fire starts a run with the preset's inputs and what the event brings.
func (t *trigger) Fire(ctx context.Context, e webhook.Event, runID string) (started bool, err error) {
	r := t.row
	if !r.IsActive {
		return false, nil
	}
	t.once.Do(func() { t.agent, t.broken = t.find(ctx) })
	if t.agent == nil || t.broken != nil || !matches(t.agent.wanted, e.Type) {
		return false, t.broken
	}
	mask := over(r.Inputs.V, core.Values{payload: e.Payload})
	_, err = t.Executions.Start(ctx, execution.StartRequest{
		UserID: r.UserID, GraphID: r.GraphID, GraphVersion: r.GraphVersion, Credentials: r.Credentials.V,
		Masks: map[string]core.Values{t.agent.nodeID: mask}, PresetID: r.ID, Timezone: t.agent.timezone, RunID: runID,
	})
	if core.IsKind(err, core.Forbidden) {
		t.log().WarnContext(ctx, "triggers of an agent are removed: it is not in the user's library any more", "error", err)
		return false, t.unlink(ctx, "user_id = ? AND graph_id = ? AND webhook_id = ?", r.UserID, r.GraphID, r.WebhookID)
	}
	return err == nil, err
}

// find gives the agent of the preset. It is nil when there is none any more; the
// trigger is turned off or removed then.
func (t *trigger) find(ctx context.Context) (*agent, error) {
	r := t.row
	g, err := t.Graphs.Readable(ctx, r.UserID, r.GraphID, r.GraphVersion)
	if err != nil {
		return nil, err
	}
	if g == nil {
		t.log().WarnContext(ctx, "a trigger is turned off: its agent is gone")
		return nil, t.turnOff(ctx)
	}
	node, spec := t.Service.trigger(g.Version)
	if spec == nil && t.someOff(g.Version) {
		return nil, core.Errorf(core.Unavailable, "a provider of the agent is turned off here")
	}
	if spec == nil {
		t.log().WarnContext(ctx, "a trigger is removed: its agent does not begin with one any more")
		return nil, t.unlink(ctx, "id = ? AND webhook_id = ?", r.ID, r.WebhookID)
	}
	inputs, err := t.triggerInputs(g, node, r)
	if err != nil {
		return nil, err
	}
	a := &agent{nodeID: node.ID}
	if a.wanted, err = webhook.Events(spec.Webhook, inputs); err != nil {
		return nil, core.Errorf(core.Invalid, "Event filter is not configured on trigger")
	}
	a.timezone, err = t.timezone(ctx, r.UserID)
	return a, err
}

// someOff reports whether the agent has blocks of providers that are off here.
func (t *trigger) someOff(g *graph.Version) bool {
	return slices.ContainsFunc(g.Nodes, func(n graph.Node) bool { return t.Registry.BlockOff(n.BlockID) != "" })
}

func (t *trigger) log() *slog.Logger {
	return t.Log.With("preset", t.row.ID, "webhook", *t.row.WebhookID, "user", t.row.UserID, "graph", t.row.GraphID)
}

// matches reports whether an event is among those wanted; none means every one.
func matches(wanted []string, event string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, event)
}

func (t *trigger) turnOff(ctx context.Context) error {
	err := t.DB.Write.WithContext(ctx).Model(&row{}).Where("id = ?", t.row.ID).
		Updates(map[string]any{"is_active": false, "updated_at": db.Now()}).Error
	if err != nil {
		return fmt.Errorf("turning a trigger off: %w", err)
	}
	return nil
}

// unlink takes the webhook from the presets that a condition selects, and prunes
// it when no other needs it.
func (t *trigger) unlink(ctx context.Context, where string, args ...any) error {
	return t.DB.Tx(ctx, func(tx *gorm.DB) error {
		err := tx.Model(&row{}).Where(where, args...).Updates(map[string]any{"webhook_id": nil, "updated_at": db.Now()}).Error
		if err != nil || t.row.WebhookID == nil {
			return err
		}
		_, err = t.Webhooks.Prune(ctx, tx, *t.row.WebhookID)
		return err
	})
}
