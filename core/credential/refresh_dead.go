package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// ReconnectTopic is the topic of the bus on which the service says, once, that
// an account must be connected again. The message is a [Reconnect] in JSON.
const ReconnectTopic = "credentials.reconnect"

// A Reconnect says whose account must be connected again.
type Reconnect struct {
	UserID       string `json:"user_id"`
	Provider     string `json:"provider"`
	CredentialID string `json:"credential_id"`
}

// errDead marks what only the user can mend.
var errDead = errors.New("the vendor does not accept the refresh token")

// giveUp marks a credential whose refresh token the vendor refused for good, and
// tells so unless another process has. When another process has meanwhile stored
// a new one, the refusal was about the old one, and the new one is given.
func (s *Service) giveUp(ctx context.Context, v *vendor, userID string, used core.OAuth2) (core.OAuth2, error) {
	var newer *core.OAuth2
	marked := false
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		newer, marked = nil, false
		r, err := lockRow(tx, userID, used.ID)
		if err != nil {
			return err
		}
		if r == nil {
			return errNotFound()
		}
		stored, err := s.openToken(r)
		switch {
		case err != nil:
			return err
		case stored.RefreshToken != used.RefreshToken:
			newer = &stored
			return nil
		case !r.ReconnectAt.IsZero():
			return nil
		}
		marked = true
		return tx.Model(&row{}).Where("user_id = ? AND id = ?", userID, used.ID).UpdateColumn("reconnect_at", db.At(s.now())).Error
	})
	switch {
	case err != nil:
		s.log.Error("marking an account to be connected again failed", "provider", v.name, "credential", used.ID, "error", err)
		return core.OAuth2{}, v.errExpired("the vendor refused the refresh token")
	case newer != nil && s.valid(*newer):
		return *newer, nil
	case newer != nil:
		return core.OAuth2{}, v.errExpired("another refresh came in between")
	case marked:
		s.tell(ctx, Reconnect{UserID: userID, Provider: v.name, CredentialID: used.ID})
	}
	return core.OAuth2{}, s.errReconnect(v.name)
}

func (s *Service) tell(ctx context.Context, r Reconnect) {
	s.log.Warn("an account must be connected again: the vendor does not accept its refresh token any more",
		"user", r.UserID, "provider", r.Provider, "credential", r.CredentialID)
	data, err := json.Marshal(r)
	if err == nil {
		err = s.bus.Publish(ctx, ReconnectTopic, data)
	}
	if err != nil {
		s.log.Warn("telling that an account must be connected again failed", "credential", r.CredentialID, "error", err)
	}
}

// errReconnect is the answer for an account that only its user can connect.
func (s *Service) errReconnect(provider string) error {
	return core.WithCause(core.Invalid, errDead, fmt.Sprintf("The account at %s must be connected again", s.title(provider)))
}

// errNoRefreshToken is the answer when there is nothing to refresh with. Nobody
// has refused it, so it is not told.
func (v *vendor) errNoRefreshToken() error {
	return core.Errorf(core.Invalid, "The access to %s has expired. The account must be connected again", v.title)
}

// errExpired is the answer while a refresh does not work.
func (v *vendor) errExpired(why string) error {
	return core.Errorf(core.Unavailable, "The access to %s has expired and could not be renewed: %s", v.title, why)
}

// errNoRefresh is the answer while a provider cannot refresh at all.
func (s *Service) errNoRefresh(provider string, err error) error {
	why := "it cannot be signed in to here"
	if reason, off := s.registry.Off()[provider]; off {
		why = "it is turned off here (" + reason + ")"
	} else if core.IsKind(err, core.NotConfigured) {
		why = "its client id and secret are not set here"
	}
	return core.Errorf(core.Unavailable, "The access to %s has expired and cannot be renewed: %s", s.title(provider), why)
}

// title names a provider for people.
func (s *Service) title(provider string) string {
	if p, known := s.registry.Provider(provider); known {
		return p.Title
	}
	return provider
}
