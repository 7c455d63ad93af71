package credential

import (
	"slices"
	"strings"

	"agentserver/core"
)

// Meta is what clients may know of a credential. It never holds a secret.
type Meta struct {
	ID       string              `json:"id"`
	Provider string              `json:"provider"`
	Type     core.CredentialType `json:"type"`
	Title    *string             `json:"title"`
	// Scopes and Username are null unless the type is oauth2.
	Scopes   []string `json:"scopes"`
	Username *string  `json:"username"`
	// Host is that of a host_scoped credential, or the address of the server
	// for an oauth2 credential of an MCP server; else null.
	Host *string `json:"host"`
	// IsManaged marks a credential that the platform provisioned. Clients read
	// either name, so both are sent.
	IsManaged      bool `json:"is_managed"`
	AutoGPTManaged bool `json:"autogpt_managed"`
	// NeedsReconnect is true while the vendor does not accept the refresh token
	// any more. Blocks cannot use the credential then: the user signs in again.
	NeedsReconnect bool `json:"needs_reconnect"`
}

// public is the part of a stored credential that lists show unopened.
type public struct {
	Scopes   []string `json:"scopes,omitempty"`
	Username string   `json:"username,omitempty"`
	Host     string   `json:"host,omitempty"`
}

// mcpProvider is the provider of all MCP servers; the metadata of its
// credentials says which server one is for.
const (
	mcpProvider  = "mcp"
	mcpServerURL = "mcp_server_url"
)

func publicOf(c core.Credential) public {
	switch c := c.(type) {
	case core.OAuth2:
		p := public{Scopes: c.Scopes, Username: c.Username}
		if c.Provider == mcpProvider {
			p.Host, _ = c.Metadata[mcpServerURL].(string)
		}
		return p
	case core.HostScoped:
		return public{Host: c.Host}
	default:
		return public{}
	}
}

func newMeta(base core.CredentialBase, kind core.CredentialType, title *string, p public, reconnect bool) Meta {
	m := Meta{
		ID: base.ID, Provider: base.Provider, Type: kind, Title: title, Host: textOrNil(p.Host),
		IsManaged: base.Managed, AutoGPTManaged: base.Managed, NeedsReconnect: reconnect,
	}
	if kind == core.TypeOAuth2 {
		m.Username = textOrNil(p.Username)
		if m.Scopes = slices.Clone(p.Scopes); m.Scopes == nil {
			m.Scopes = []string{}
		}
	}
	return m
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ProviderName gives the wire name of a provider as older agents store it:
// "ProviderName.OPENAI" is openai.
func ProviderName(stored string) string {
	if name, ok := strings.CutPrefix(stored, "ProviderName."); ok {
		return strings.ToLower(name)
	}
	return stored
}
