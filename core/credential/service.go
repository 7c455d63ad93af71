package credential

import (
	"context"
	"strings"

	"agentserver/core"
)

// Service is the room's front door.
type Service struct{ registry *core.Registry }

// New makes the service.
func New(registry *core.Registry) *Service { return &Service{registry} }

// Get gives a credential that the user may run blocks with, or nil. The secret
// in it must not leave the process but to the vendor.
func (s *Service) Get(_ context.Context, _, id string) (core.Credential, error) {
	for _, p := range s.registry.Providers() {
		for _, system := range p.System {
			if system.ID == id {
				return system.Load(), nil
			}
		}
	}
	return nil, nil
}

// Find gives what a user may know of a credential, or nil.
func (s *Service) Find(ctx context.Context, userID, id string) (*core.CredentialRef, error) {
	c, err := s.Get(ctx, userID, id)
	if c == nil || err != nil {
		return nil, err
	}
	base := c.Base()
	return &core.CredentialRef{ID: base.ID, Provider: base.Provider, Type: c.Type(), Title: &base.Title}, nil
}

// ProviderName gives the wire name of a provider as older agents store it:
// "ProviderName.OPENAI" is openai.
func ProviderName(stored string) string {
	if name, ok := strings.CutPrefix(stored, "ProviderName."); ok {
		return strings.ToLower(name)
	}
	return stored
}
