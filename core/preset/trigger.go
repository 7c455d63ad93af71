package preset

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/graph"
	"agentserver/core/webhook"
)

// payload is the input of trigger blocks that takes what an event brings.
const payload = "payload"

// SetUpTrigger saves a preset that the events of a webhook start, and finds or
// registers the webhook.
func (s *Service) SetUpTrigger(ctx context.Context, userID string, t TriggerSetup) (*Preset, error) {
	g, err := s.Graphs.Readable(ctx, userID, t.GraphID, t.GraphVersion)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, gone(t.GraphID)
	}
	node, spec := s.trigger(g.Version)
	if spec == nil {
		return nil, core.PlainErrorf(core.Invalid, "Graph #%s does not have a webhook node", t.GraphID)
	}
	inputs := declared(spec, t.Config)
	r := newRow(userID, g, New{Inputs: inputs, Credentials: t.Credentials, Name: t.Name, Description: t.Description, IsActive: true})
	err = s.linked(ctx, "Could not set up webhook", spec, g, node, r, "", func(hook *webhook.Webhook) error {
		r.WebhookID = &hook.ID
		return s.insert(ctx, r)
	})
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, r)
}

func gone(graphID string) error {
	return core.PlainErrorf(core.Gone, "Graph #%s not accessible (anymore)", graphID)
}

// declared keeps what a block has inputs for. The payload is not configured: it
// comes with events.
func declared(spec *core.BlockSpec, given core.Values) core.Values {
	inputs := core.Values{}
	for name, v := range given {
		if f, ok := spec.Field(name); ok && f.Credentials == nil && name != payload {
			inputs[name] = v
		}
	}
	return inputs
}

// linked sets the webhook of a preset up and calls store, which must link it.
// When the preset is not stored, the webhook goes unless others need it.
func (s *Service) linked(
	ctx context.Context, what string, spec *core.BlockSpec, g *graph.Loaded, node *graph.Node, r *row, current string,
	store func(*webhook.Webhook) error,
) error {
	if reason := s.Registry.Disabled(s.block(node)); reason != "" {
		if err := s.Webhooks.Available(); err != nil {
			return err
		}
		return core.PlainErrorf(core.Invalid, "%s: the block %s is disabled here: %s", what, spec.Name, reason)
	}
	inputs, err := s.triggerInputs(g, node, r)
	if err != nil {
		return err
	}
	if err := s.checkInputs(g, node, inputs, what); err != nil {
		return err
	}
	for try := 1; ; try++ {
		hook, err := s.Webhooks.SetUp(ctx, r.UserID, spec, inputs, current)
		var missing *webhook.Feedback
		switch {
		case errors.As(err, &missing):
			return core.PlainErrorf(core.Invalid, "%s: %s", what, missing.Text)
		case core.IsKind(err, core.Conflict) && try < linkTries:
			continue
		case err != nil:
			return err
		}
		err = store(hook)
		if err == nil {
			return nil
		}
		// Others may need it; then it stays.
		if pruneErr := s.prune(context.WithoutCancel(ctx), hook.ID); pruneErr != nil {
			s.Log.WarnContext(ctx, "a webhook without a trigger is left for the clean-up", "webhook", hook.ID, "error", pruneErr)
		}
		if !core.IsKind(err, core.Conflict) || try == linkTries {
			return err
		}
	}
}

func (s *Service) block(node *graph.Node) core.Block {
	b, _ := s.Registry.Block(node.BlockID)
	return b
}

func (s *Service) prune(ctx context.Context, webhookID string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		_, err := s.Webhooks.Prune(ctx, tx, webhookID)
		return err
	})
}

// triggerInputs gives what the trigger node of a graph gets for a preset: the
// node's own values, the preset's over them, and its credentials.
func (s *Service) triggerInputs(g *graph.Loaded, node *graph.Node, r *row) (core.Values, error) {
	inputs := over(node.InputDefault, r.Inputs.V)
	delete(inputs, payload)
	known, err := graph.CredentialsInputs(s.Registry, g.All())
	if err != nil {
		return nil, err
	}
	for _, in := range known {
		ref, ok := r.Credentials.V[in.Key]
		if !ok {
			continue
		}
		for _, m := range in.Members {
			if m.NodeID == node.ID {
				inputs[m.Field] = map[string]any{"id": ref.ID, "provider": ref.Provider, "type": string(ref.Type)}
			}
		}
	}
	return inputs, nil
}

// checkInputs refuses values that the trigger's block would refuse when an event
// comes. What is missing altogether is for the webhook to say.
func (s *Service) checkInputs(g *graph.Loaded, node *graph.Node, inputs core.Values, what string) error {
	mask := maps.Clone(inputs)
	mask[payload] = map[string]any{}
	v := s.Graphs.Validator()
	faults := v.Nodes(g.Version, true, map[string]core.Values{node.ID: mask})[node.ID]
	for _, field := range core.SortedKeys(faults) {
		if _, given := inputs[field]; given {
			return core.PlainErrorf(core.Invalid, "%s: invalid input '%s': %s", what, field, faults[field])
		}
	}
	return nil
}

// Update changes a preset. When inputs and credentials of one that begins with a
// trigger change, its webhook does too.
func (s *Service) Update(ctx context.Context, userID, id string, c Change) (*Preset, error) {
	r, err := find(ctx, s.DB.Read, userID, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFound(id)
	}
	if (c.Inputs == nil || c.Credentials == nil) && (len(c.Inputs) > 0 || len(c.Credentials) > 0) {
		return nil, core.PlainErrorf(core.Invalid, "Preset inputs and credentials must be provided together")
	}
	columns := map[string]any{}
	if c.Name != nil && *c.Name != "" {
		r.Name = db.Clean(*c.Name)
		columns["name"] = r.Name
	}
	if c.Description != nil {
		r.Description = db.Clean(*c.Description)
		columns["description"] = r.Description
	}
	if c.IsActive != nil {
		r.IsActive = *c.IsActive
		columns["is_active"] = r.IsActive
	}
	if len(c.Inputs) == 0 && len(c.Credentials) == 0 {
		if err := s.store(ctx, r, columns, nil); err != nil {
			return nil, err
		}
		return s.shown(ctx, r)
	}
	if err := s.updateInputs(ctx, r, c, columns); err != nil {
		return nil, err
	}
	return s.shown(ctx, r)
}

func (s *Service) updateInputs(ctx context.Context, r *row, c Change, columns map[string]any) error {
	g, err := s.Graphs.Readable(ctx, r.UserID, r.GraphID, r.GraphVersion)
	if err != nil {
		return err
	}
	if g == nil {
		return gone(r.GraphID)
	}
	node, spec := s.trigger(g.Version)
	r.Inputs.V, r.Credentials.V = c.Inputs, c.Credentials
	if spec != nil {
		r.Inputs.V = declared(spec, c.Inputs)
	}
	columns["inputs"], columns["credentials"] = r.Inputs, r.Credentials
	if spec == nil {
		return s.store(ctx, r, columns, nil)
	}
	current := ""
	if r.WebhookID != nil {
		current = *r.WebhookID
	}
	return s.linked(ctx, "Could not update trigger configuration", spec, g, node, r, current, func(hook *webhook.Webhook) error {
		return s.store(ctx, r, columns, &hook.ID)
	})
}

// store changes a preset's row and, if hook is not nil, its webhook. The one that
// it had goes when no other preset needs it.
func (s *Service) store(ctx context.Context, r *row, columns map[string]any, hook *string) error {
	columns["updated_at"] = db.Now()
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		now, err := find(ctx, locked(tx), r.UserID, r.ID)
		if err != nil {
			return err
		}
		if now == nil {
			return notFound(r.ID)
		}
		if hook != nil {
			if err := s.Webhooks.Link(tx, r.UserID, *hook); err != nil {
				return err
			}
			columns["webhook_id"] = *hook
		}
		if err := live(tx, r.UserID).Where("id = ?", r.ID).Updates(columns).Error; err != nil {
			return fmt.Errorf("storing preset: %w", err)
		}
		if hook != nil && now.WebhookID != nil && *now.WebhookID != *hook {
			_, err = s.Webhooks.Prune(ctx, tx, *now.WebhookID)
		}
		return err
	})
	if err == nil && hook != nil {
		r.WebhookID = hook
	}
	return err
}
