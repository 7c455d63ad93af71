package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"agentserver/core"
)

// sealedPart is the plain text of the sealed column. Its text is bare because
// [core.Secret] encodes as asterisks; it lives only while a row is written or
// read and is never printed.
type sealedPart struct {
	Type             core.CredentialType `json:"type"`
	Managed          bool                `json:"managed,omitempty"`
	Metadata         map[string]any      `json:"metadata,omitempty"`
	Key              string              `json:"key,omitempty"`
	ExpiresAt        *int64              `json:"expires_at,omitempty"`
	AccessToken      string              `json:"access_token,omitempty"`
	RefreshToken     string              `json:"refresh_token,omitempty"`
	AccessExpiresAt  *int64              `json:"access_expires_at,omitempty"`
	RefreshExpiresAt *int64              `json:"refresh_expires_at,omitempty"`
	Scopes           []string            `json:"scopes,omitempty"`
	Username         string              `json:"username,omitempty"`
	Password         string              `json:"password,omitempty"`
	Host             string              `json:"host,omitempty"`
	Headers          map[string]string   `json:"headers,omitempty"`
}

// encode gives the bytes to seal for a credential.
func encode(c core.Credential) ([]byte, error) {
	base := c.Base()
	p := sealedPart{Type: c.Type(), Managed: base.Managed, Metadata: base.Metadata}
	switch c := c.(type) {
	case core.APIKey:
		p.Key, p.ExpiresAt = c.Key.Reveal(), seconds(c.ExpiresAt)
	case core.OAuth2:
		p.AccessToken, p.AccessExpiresAt = c.AccessToken.Reveal(), seconds(c.AccessExpiresAt)
		p.RefreshToken, p.RefreshExpiresAt = c.RefreshToken.Reveal(), seconds(c.RefreshExpiresAt)
		p.Scopes, p.Username = c.Scopes, c.Username
	case core.UserPassword:
		p.Username, p.Password = c.Username.Reveal(), c.Password.Reveal()
	case core.HostScoped:
		p.Host, p.Headers = c.Host, map[string]string{}
		for name, value := range c.Headers {
			p.Headers[name] = value.Reveal()
		}
	default:
		return nil, fmt.Errorf("encoding a credential: %T cannot be stored", c)
	}
	data, err := json.Marshal(p) //nolint:gosec // what it gives is sealed at once
	if err != nil {
		// The cause may quote a value of the metadata.
		return nil, errors.New("encoding a credential: its metadata is not JSON")
	}
	return data, nil
}

// decode is the reverse of encode; base comes from the row.
func decode(data []byte, base core.CredentialBase) (core.Credential, error) {
	var p sealedPart
	if err := json.Unmarshal(data, &p); err != nil {
		// The cause may quote a secret.
		return nil, errors.New("decoding a credential: its content is not known to this version")
	}
	if p.Managed != base.Managed {
		return nil, fmt.Errorf("decoding a credential: who manages it was changed: %w", ErrDamaged)
	}
	base.Metadata = p.Metadata
	switch p.Type {
	case core.TypeAPIKey:
		return core.APIKey{CredentialBase: base, Key: core.Secret(p.Key), ExpiresAt: instant(p.ExpiresAt)}, nil
	case core.TypeOAuth2:
		return core.OAuth2{
			CredentialBase: base, AccessToken: core.Secret(p.AccessToken), RefreshToken: core.Secret(p.RefreshToken),
			Scopes: p.Scopes, Username: p.Username,
			AccessExpiresAt: instant(p.AccessExpiresAt), RefreshExpiresAt: instant(p.RefreshExpiresAt),
		}, nil
	case core.TypeUserPassword:
		return core.UserPassword{CredentialBase: base, Username: core.Secret(p.Username), Password: core.Secret(p.Password)}, nil
	case core.TypeHostScoped:
		headers := make(map[string]core.Secret, len(p.Headers))
		for name, value := range p.Headers {
			headers[name] = core.Secret(value)
		}
		return core.HostScoped{CredentialBase: base, Host: p.Host, Headers: headers}, nil
	default:
		return nil, errors.New("decoding a credential: its type is not known to this version")
	}
}

// seconds gives Unix seconds, or nil for no time.
func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	s := t.Unix()
	return &s
}

func instant(s *int64) time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Unix(*s, 0).UTC()
}
