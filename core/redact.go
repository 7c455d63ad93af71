package core

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// minRedacted is the length below which a secret is not looked for in texts:
// taking out every "a" would hide nothing and spoil the message.
const minRedacted = 5

// Redact takes the secrets of credentials out of a text: some vendors, and some
// errors about addresses, repeat what was sent to them.
func Redact(text string, credentials ...Credential) string {
	for _, c := range credentials {
		for _, s := range secretsOf(c) {
			plain := s.Reveal()
			if len(plain) < minRedacted {
				continue
			}
			for _, form := range []string{plain, url.QueryEscape(plain), url.PathEscape(plain)} {
				text = strings.ReplaceAll(text, form, redacted)
			}
		}
	}
	return text
}

func secretsOf(c Credential) []Secret {
	switch c := c.(type) {
	case APIKey:
		return []Secret{c.Key}
	case OAuth2:
		return []Secret{c.AccessToken, c.RefreshToken}
	case UserPassword:
		pair := c.Username.Reveal() + ":" + c.Password.Reveal()
		return []Secret{c.Password, Secret(base64.StdEncoding.EncodeToString([]byte(pair)))}
	case HostScoped:
		var all []Secret
		for _, value := range c.Headers {
			all = append(all, value)
			// "Bearer x" is repeated as x.
			if _, rest, found := strings.Cut(value.Reveal(), " "); found {
				all = append(all, Secret(rest))
			}
		}
		return all
	default:
		return nil
	}
}

// credentialsOf gives the credentials among inputs.
func credentialsOf(in Values) []Credential {
	var all []Credential
	for _, v := range in {
		if c, ok := v.(Credential); ok {
			all = append(all, c)
		}
	}
	return all
}
