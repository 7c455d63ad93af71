package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// validate checks what a type cannot say, brings URLs into one form, and
// parses origins and keys.
func (c *Config) validate(providers []string) error {
	var errs []error
	report := func(key string, err error) {
		if err != nil {
			errs = append(errs, c.problem(key, "%w", err))
		}
	}
	var err error
	report("listen", checkListen(c.Listen))
	if strings.TrimSpace(c.DataDir) == "" {
		report("data_dir", errors.New("a folder is expected"))
	}
	c.PublicURL, err = webURL(c.PublicURL)
	report("public_url", err)
	c.FrontendURL, err = webURL(c.FrontendURL)
	report("frontend_url", err)
	c.Auth.JWKSURL, err = webURL(c.Auth.JWKSURL)
	report("auth.jwks_url", err)
	report("database.url", checkScheme(c.Database.URL.Reveal(), "postgres", "postgresql"))
	report("redis.url", checkScheme(c.Redis.URL.Reveal(), "redis", "rediss"))
	c.checkAuth(report)
	c.Encryption.Ring, err = parseKeys(c.Encryption.Keys)
	report("encryption.keys", err)
	c.CORS.Allowed, err = parseOrigins(c.CORS.AllowOrigins, c.Prod())
	report("cors.allow_origins", err)
	return errors.Join(append(errs, c.checkProviderNames(providers)...)...)
}

// problem makes an error about a setting's value.
func (c *Config) problem(key, format string, args ...any) error {
	return fmt.Errorf("%s (%s): "+format, append([]any{key, c.Source(key)}, args...)...)
}

func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("an address and a port such as 127.0.0.1:8006 are expected, got %q", address)
	}
	return nil
}

// webURL checks an optional URL and takes the slashes off its end.
func webURL(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("a URL that starts with http:// or https:// is expected, got %q", text)
	}
	return strings.TrimRight(text, "/"), nil
}

// checkScheme checks an optional URL that may hold a password, so its error
// does not show it.
func checkScheme(text string, schemes ...string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err == nil && slices.Contains(schemes, u.Scheme) {
		return nil
	}
	return fmt.Errorf("a URL that starts with %s:// is expected", strings.Join(schemes, ":// or "))
}

// checkAuth finds combinations that could verify no token. Only the secret of
// an HS algorithm can be made by the server.
func (c *Config) checkAuth(report func(key string, err error)) {
	a := c.Auth
	shared := strings.HasPrefix(a.JWTAlgorithm, "HS")
	switch {
	case a.JWTKey != "" && strings.TrimSpace(a.JWTKey.Reveal()) == "":
		report("auth.jwt_key", errors.New("the key is blank"))
	case shared && a.JWKSURL != "":
		report("auth.jwks_url", fmt.Errorf("a key set has no shared secrets, so auth.jwt_algorithm cannot be %s", a.JWTAlgorithm))
	case !shared && a.JWTKey == "" && a.JWKSURL == "":
		report("auth.jwt_algorithm", fmt.Errorf("%s needs a public key in auth.jwt_key or auth.jwks_url", a.JWTAlgorithm))
	}
}
