package credential

import (
	"fmt"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
)

// Input is the body of a request to store a credential. Type says which of the
// other fields count; "" is refused. What clients may not set, such as
// is_managed and metadata, has no field and is ignored, and so is provider: the
// path of the request names it.
//
// Times are Unix seconds. Secrets have at most 64 KiB, all of a credential
// together 256 KiB; a title has at most 200 characters, an id 255.
type Input struct {
	// ID is chosen by the client; "" lets the server choose.
	ID    string              `json:"id,omitempty"`
	Type  core.CredentialType `json:"type"`
	Title *string             `json:"title,omitempty"`

	// APIKey is required for api_key.
	APIKey    core.Secret `json:"api_key,omitempty"`
	ExpiresAt *int64      `json:"expires_at,omitempty"`

	// AccessToken and Scopes are required for oauth2.
	AccessToken           core.Secret `json:"access_token,omitempty"`
	AccessTokenExpiresAt  *int64      `json:"access_token_expires_at,omitempty"`
	RefreshToken          core.Secret `json:"refresh_token,omitempty"`
	RefreshTokenExpiresAt *int64      `json:"refresh_token_expires_at,omitempty"`
	Scopes                []string    `json:"scopes,omitempty"`

	// Username is required for user_password, where it may be empty, and is
	// shown in lists only for oauth2.
	Username *core.Secret `json:"username,omitempty"`
	// Password is required for user_password; it may be empty unless the
	// username is.
	Password *core.Secret `json:"password,omitempty"`

	// Host is required for host_scoped.
	Host string `json:"host,omitempty"`
	// Headers are at most 100.
	Headers map[string]core.Secret `json:"headers,omitempty"`
}

// The limits of what is stored: characters of shown text, bytes of secrets.
const (
	maxID         = 255
	maxProvider   = 100
	maxTitle      = 200
	maxShort      = 500 // a username in lists, a scope, the name of a header
	maxHost       = 2048
	maxScopes     = 500
	maxHeaders    = 100
	maxSecret     = 64 << 10
	maxCredential = 256 << 10
	maxUnix       = 253402300799 // the end of the year 9999
)

// credential checks the input and gives what it stands for.
func (in *Input) credential(provider string) (core.Credential, *string, error) {
	base := core.CredentialBase{ID: idOr(in.ID), Provider: provider}
	c := check{kind: in.Type}
	c.text(in.ID, maxID, "id")
	c.exact(in.ID, "id")
	c.text(provider, maxProvider, "provider")
	c.exact(provider, "provider")
	var title *string
	if in.Title != nil {
		text := db.Clean(*in.Title)
		c.text(text, maxTitle, "title")
		title, base.Title = &text, text
	}
	var made core.Credential
	switch in.Type {
	case core.TypeAPIKey:
		made = in.apiKey(&c, base)
	case core.TypeOAuth2:
		made = in.oauth2(&c, base)
	case core.TypeUserPassword:
		made = in.userPassword(&c, base)
	case core.TypeHostScoped:
		made = in.hostScoped(&c, base)
	case "":
		return nil, nil, invalid("union_tag_not_found", "Unable to extract tag using discriminator 'type'", "body")
	default:
		return nil, nil, invalid("union_tag_invalid", "Input tag found using 'type' does not match any of the expected tags: 'oauth2', 'api_key', 'user_password', 'host_scoped'", "body")
	}
	if c.total > maxCredential {
		c.fail("too_long", fmt.Sprintf("A credential should have at most %d bytes", maxCredential))
	}
	if c.problems != nil {
		return nil, nil, &core.Error{Kind: core.Unprocessable, Message: "The credentials are not valid", Detail: c.problems}
	}
	return made, title, nil
}

func (in *Input) apiKey(c *check, base core.CredentialBase) core.Credential {
	c.required(in.APIKey == "", "api_key")
	c.secret(in.APIKey, "api_key")
	c.time(in.ExpiresAt, "expires_at")
	return core.APIKey{CredentialBase: base, Key: in.APIKey, ExpiresAt: instant(in.ExpiresAt)}
}

func (in *Input) oauth2(c *check, base core.CredentialBase) core.Credential {
	c.required(in.AccessToken == "", "access_token")
	c.required(in.Scopes == nil, "scopes")
	c.secret(in.AccessToken, "access_token")
	c.secret(in.RefreshToken, "refresh_token")
	c.time(in.AccessTokenExpiresAt, "access_token_expires_at")
	c.time(in.RefreshTokenExpiresAt, "refresh_token_expires_at")
	c.count(len(in.Scopes), maxScopes, "scopes")
	scopes := cleanAll(in.Scopes)
	for i, scope := range scopes {
		c.text(scope, maxShort, "scopes", i)
	}
	username := ""
	if in.Username != nil {
		username = db.Clean(in.Username.Reveal())
		c.text(username, maxShort, "username")
	}
	return core.OAuth2{
		CredentialBase: base, AccessToken: in.AccessToken, RefreshToken: in.RefreshToken, Scopes: scopes, Username: username,
		AccessExpiresAt: instant(in.AccessTokenExpiresAt), RefreshExpiresAt: instant(in.RefreshTokenExpiresAt),
	}
}

func (in *Input) userPassword(c *check, base core.CredentialBase) core.Credential {
	c.required(in.Username == nil, "username")
	c.required(in.Password == nil, "password")
	if in.Username == nil || in.Password == nil {
		return nil
	}
	// Some vendors take a key as the name and nothing as the password.
	c.required(*in.Username == "" && *in.Password == "", "password")
	c.secret(*in.Username, "username")
	c.secret(*in.Password, "password")
	return core.UserPassword{CredentialBase: base, Username: *in.Username, Password: *in.Password}
}

func (in *Input) hostScoped(c *check, base core.CredentialBase) core.Credential {
	host := strings.TrimSpace(db.Clean(in.Host))
	c.required(host == "", "host")
	c.text(host, maxHost, "host")
	c.count(len(in.Headers), maxHeaders, "headers")
	headers := make(map[string]core.Secret, len(in.Headers))
	for _, name := range core.SortedKeys(in.Headers) {
		c.text(name, maxShort, "headers")
		c.exact(name, "headers")
		c.secret(in.Headers[name], "headers", name)
		headers[name] = in.Headers[name]
	}
	return core.HostScoped{CredentialBase: base, Host: host, Headers: headers}
}
