package credential

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"agentserver/core"
	"agentserver/core/db"
)

// exchange gets the tokens for a code.
func (v *vendor) exchange(ctx context.Context, redirect string, code core.Secret, verifier string) (*oauth2.Token, error) {
	auth := orElse(v.auth.ClientAuth, core.ClientAuthDefault)
	var options []oauth2.AuthCodeOption
	if v.auth.PKCE {
		options = append(options, oauth2.VerifierOption(verifier))
	}
	c := v.config(auth)
	c.RedirectURL = redirect
	return c.Exchange(v.shaping(ctx, auth), code.Reveal(), options...)
}

// refresh gets the tokens for a refresh token.
func (v *vendor) refresh(ctx context.Context, token core.Secret) (*oauth2.Token, error) {
	auth := orElse(v.auth.RefreshAuth, v.auth.ClientAuth)
	return v.config(auth).TokenSource(v.shaping(ctx, auth), &oauth2.Token{RefreshToken: token.Reveal()}).Token()
}

func (v *vendor) config(auth core.OAuthClientAuth) *oauth2.Config {
	style := oauth2.AuthStyleInHeader
	if auth == core.ClientAuthBody {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: v.id, ClientSecret: v.secret.Reveal(), Endpoint: oauth2.Endpoint{TokenURL: v.auth.TokenURL, AuthStyle: style},
	}
}

// shaping gives a context under which token requests go through the provider's
// client, in the shape that the vendor wants.
func (v *vendor) shaping(ctx context.Context, auth core.OAuthClientAuth) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport: shaper{v, auth},
		// The client under it has followed those that may be followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

type shaper struct {
	vendor *vendor
	auth   core.OAuthClientAuth
}

// RoundTrip implements [http.RoundTripper].
func (s shaper) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	_ = r.Body.Close() // the contract of a RoundTripper
	if err != nil {
		return nil, fmt.Errorf("reading a token request: %w", err)
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, fmt.Errorf("reading a token request: %w", err)
	}
	if s.auth == core.ClientAuthBasicAndID {
		form.Set("client_id", s.vendor.id)
	}
	return s.vendor.send(r.Context(), form, s.vendor.auth.TokenJSON, r.URL.String(), r.Header)
}

// send posts fields to one of the vendor's addresses.
func (v *vendor) send(ctx context.Context, form url.Values, asJSON bool, address string, header http.Header) (*http.Response, error) {
	body, kind := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if asJSON {
		fields := make(map[string]string, len(form))
		for name := range form {
			fields[name] = form.Get(name)
		}
		var err error
		if body, err = core.JSON(fields); err != nil {
			return nil, fmt.Errorf("encoding a token request: %w", err)
		}
		kind = "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body)) //nolint:gosec // the provider declares the address, and the client is guarded
	if err != nil {
		return nil, fmt.Errorf("making a token request: %w", err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "application/json")
	for name, value := range v.auth.Header {
		r.Header.Set(name, value)
	}
	return v.http.Do(r)
}

// credential gives what an answer of the token endpoint stands for, with the
// scopes that were asked for or, on a refresh, none.
func (v *vendor) credential(answer *oauth2.Token, requested []string, now time.Time) core.OAuth2 {
	c := core.OAuth2{
		CredentialBase: core.CredentialBase{Provider: v.name},
		AccessToken:    core.Secret(answer.AccessToken), RefreshToken: core.Secret(answer.RefreshToken),
		Scopes: requested,
	}
	if granted := v.granted(answer.Extra("scope")); len(granted) > 0 && !v.auth.KeepRequested {
		c.Scopes = granted
	}
	if v.auth.NeverExpires {
		return c
	}
	lifetime := secondsOf(answer.Extra("expires_in"))
	if lifetime <= 0 {
		lifetime = v.auth.Lifetime
	}
	c.AccessExpiresAt = after(now, lifetime)
	// Both names are in use.
	c.RefreshExpiresAt = after(now, secondsOf(answer.Extra("refresh_token_expires_in")))
	if c.RefreshExpiresAt.IsZero() {
		c.RefreshExpiresAt = after(now, secondsOf(answer.Extra("refresh_expires_in")))
	}
	return c
}

// granted reads the scopes of an answer: a text or a list of texts.
func (v *vendor) granted(member any) []string {
	var texts []string
	switch m := member.(type) {
	case string:
		texts = append(texts, m)
	case []any:
		for _, item := range m {
			if text, ok := item.(string); ok {
				texts = append(texts, text)
			}
		}
	}
	parts := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(v.auth.GrantedSeparator, r) }
	var scopes []string
	for _, text := range texts {
		for _, scope := range strings.FieldsFunc(db.Clean(text), parts) {
			scopes = append(scopes, cut(scope, maxShort))
		}
	}
	return scopes[:min(len(scopes), maxScopes)]
}

// maxLifetime is as good as for ever, and far from what a time can hold.
const maxLifetime = 100 * 365 * 24 * time.Hour

// secondsOf reads a number of seconds, which some vendors send as a text.
func secondsOf(member any) time.Duration {
	var n float64
	switch m := member.(type) {
	case float64:
		n = m
	case int64:
		n = float64(m)
	case string:
		n, _ = strconv.ParseFloat(m, 64)
	}
	if math.IsNaN(n) || n <= 0 {
		return 0
	}
	return time.Duration(min(n, maxLifetime.Seconds()) * float64(time.Second))
}

// after gives a time in whole seconds, as it is stored.
func after(now time.Time, lifetime time.Duration) time.Time {
	if lifetime <= 0 {
		return time.Time{}
	}
	return now.Add(lifetime).UTC().Truncate(time.Second)
}

// cut gives at most n characters of a text.
func cut(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}
