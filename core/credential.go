package core

import (
	"context"
	"encoding/base64"
	"time"
)

// CredentialType is the wire name of a way to authenticate at a vendor.
type CredentialType string

// The credential types, as they stand in schemas and answers.
const (
	TypeAPIKey       CredentialType = "api_key"
	TypeOAuth2       CredentialType = "oauth2"
	TypeUserPassword CredentialType = "user_password"
	TypeHostScoped   CredentialType = "host_scoped"
)

// Credential is what a block uses to speak for a user at a vendor: one of
// [APIKey], [OAuth2], [UserPassword] and [HostScoped].
type Credential interface {
	// Base gives what every credential has.
	Base() CredentialBase
	// Type gives the wire name of the kind.
	Type() CredentialType
	// Authorization gives the value of an Authorization header, or "".
	Authorization() string
}

// CredentialBase is what every credential has.
type CredentialBase struct {
	ID       string
	Provider string
	Title    string
	// Managed marks a credential that the platform provisioned for the user.
	Managed bool
	// Metadata is the provider's own, such as the id of a pod.
	Metadata map[string]any
}

// Base gives the common part.
func (b CredentialBase) Base() CredentialBase { return b }

// APIKey is a single secret.
type APIKey struct {
	CredentialBase
	Key Secret
	// ExpiresAt is zero for a key that does not expire.
	ExpiresAt time.Time
}

// Type is api_key.
func (APIKey) Type() CredentialType { return TypeAPIKey }

// Authorization is a bearer header.
func (c APIKey) Authorization() string { return "Bearer " + c.Key.Reveal() }

// OAuth2 is a pair of tokens that a user granted.
type OAuth2 struct {
	CredentialBase
	AccessToken  Secret
	RefreshToken Secret
	Scopes       []string
	Username     string
	// AccessExpiresAt and RefreshExpiresAt are zero when unknown.
	AccessExpiresAt  time.Time
	RefreshExpiresAt time.Time
}

// Type is oauth2.
func (OAuth2) Type() CredentialType { return TypeOAuth2 }

// Authorization is a bearer header.
func (c OAuth2) Authorization() string { return "Bearer " + c.AccessToken.Reveal() }

// UserPassword is a name and a password.
type UserPassword struct {
	CredentialBase
	Username Secret
	Password Secret
}

// Type is user_password.
func (UserPassword) Type() CredentialType { return TypeUserPassword }

// Authorization is a basic header.
func (c UserPassword) Authorization() string {
	pair := c.Username.Reveal() + ":" + c.Password.Reveal()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// HostScoped is a set of headers for the requests to one host.
type HostScoped struct {
	CredentialBase
	// Host is a host name, "*.example.com", or either with a port.
	Host    string
	Headers map[string]Secret
}

// Type is host_scoped.
func (HostScoped) Type() CredentialType { return TypeHostScoped }

// Authorization is the header of that exact name, or "".
func (c HostScoped) Authorization() string { return c.Headers["Authorization"].Reveal() }

// An AuthMethod is a way for a user to connect an account: [APIKeyAuth],
// [OAuth2Auth], [UserPasswordAuth] or [HostScopedAuth].
type AuthMethod interface{ CredentialType() CredentialType }

// APIKeyAuth lets users enter a key.
type APIKeyAuth struct {
	// Help says where a user finds the key.
	Help string
}

// CredentialType is api_key.
func (APIKeyAuth) CredentialType() CredentialType { return TypeAPIKey }

// UserPasswordAuth lets users enter a name and a password.
type UserPasswordAuth struct{}

// CredentialType is user_password.
func (UserPasswordAuth) CredentialType() CredentialType { return TypeUserPassword }

// HostScopedAuth lets users enter headers for a host.
type HostScopedAuth struct{}

// CredentialType is host_scoped.
func (HostScopedAuth) CredentialType() CredentialType { return TypeHostScoped }

// A SystemCredential is one that the operator pays for. Users may use it in
// runs; its secret is never shown.
type SystemCredential struct {
	// ID is fixed: clients and cost filters know it.
	ID    string
	Title string
	// Load gives the credential from the provider's settings, or nil when the
	// operator has not set it.
	Load func() Credential
}

// ManagedCredentialProvider provisions one credential per user.
//
// The platform calls it under a lock per user and provider, retries failures
// with backoff, and stores the result under a unique index.
type ManagedCredentialProvider interface {
	// Available reports whether the operator's configuration is present.
	Available() bool
	// Provision makes a credential for the user. It must be safe to call again
	// after a result was lost: it finds and replaces what it left behind.
	Provision(ctx context.Context, userID string) (Credential, error)
	// Deprovision revokes it. It returns nil when it is already gone, and
	// refuses what belongs to someone else. The credential is nil when it was
	// never stored or does not open; what belongs to the user is then found
	// without it.
	Deprovision(ctx context.Context, userID string, c Credential) error
}

// ManagedCredentialRotator is implemented by managed credential providers whose
// vendor can give another secret while the present one still works.
type ManagedCredentialRotator interface {
	// Renew makes a new secret beside the present one, which is nil when it does
	// not open. The credential it gives is a managed one of the same type.
	Renew(ctx context.Context, userID string, present Credential) (Credential, error)
	// Retire revokes every secret that was made for the user but that of keep.
	// When the vendor does not know keep, it revokes nothing and the kind of its
	// error is [NotFound].
	Retire(ctx context.Context, userID string, keep Credential) error
}

// CredentialRef is how graphs, presets and requests name a credential.
type CredentialRef struct {
	ID       string         `json:"id"`
	Provider string         `json:"provider"`
	Type     CredentialType `json:"type"`
	Title    *string        `json:"title"`
}
