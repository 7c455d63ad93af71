package preset

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/graph"
)

var _ graph.Triggers = (*Service)(nil)

// Adopt makes a preset of the inputs and the webhook of a trigger node, as agents
// had them before there were presets. A webhook that is not the user's, or does
// not fit the node, is left out: it came with somebody else's file.
func (s *Service) Adopt(tx *gorm.DB, userID string, g *graph.Loaded, node *graph.Node, webhookID string) error {
	first, spec := s.trigger(g.Version)
	if spec == nil || first.ID != node.ID {
		return nil
	}
	hook, err := s.Webhooks.Find(tx, userID, webhookID)
	if err != nil || hook == nil || hook.Provider != spec.Webhook.Provider || hook.WebhookType != spec.Webhook.Type {
		return err
	}
	var known *core.Error
	if err := s.Webhooks.Link(tx, userID, webhookID); errors.As(err, &known) {
		return nil // it is being removed
	} else if err != nil {
		return err
	}
	inputs, credentials, err := s.nodeInputs(g, node, spec)
	if err != nil {
		return err
	}
	r := newRow(userID, g, New{Inputs: inputs, Credentials: credentials, Name: g.Name, Description: g.Description, IsActive: true})
	r.WebhookID = &webhookID
	if err := tx.Create(r).Error; err != nil {
		return fmt.Errorf("storing preset of a trigger node: %w", err)
	}
	return nil
}

// nodeInputs parts what a node holds into inputs and credentials, the latter by
// the keys that they have in the agent.
func (s *Service) nodeInputs(g *graph.Loaded, node *graph.Node, spec *core.BlockSpec) (core.Values, map[string]core.CredentialRef, error) {
	known, err := graph.CredentialsInputs(s.Registry, g.All())
	if err != nil {
		return nil, nil, err
	}
	credentials := map[string]core.CredentialRef{}
	for _, in := range known {
		for _, m := range in.Members {
			if ref, ok := node.InputDefault[m.Field].(map[string]any); ok && m.NodeID == node.ID {
				text := func(key string) string { t, _ := ref[key].(string); return t }
				credentials[in.Key] = core.CredentialRef{ID: text("id"), Provider: text("provider"), Type: core.CredentialType(text("type"))}
			}
		}
	}
	return declared(spec, node.InputDefault), credentials, nil
}
