package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"agentserver/core"
	"agentserver/core/rest"
)

const (
	// revokeTimeout bounds the revocation of one credential.
	revokeTimeout = 10 * time.Second
	// revokeAtOnce is how many credentials are revoked at the same time.
	revokeAtOnce = 4
)

// errNoRevocation says that a vendor has none.
var errNoRevocation = errors.New("the vendor has no revocation")

// RevokeAll revokes all tokens of a user at their vendors, as far as these can,
// before the user's rows go. It reports how many could not be revoked although
// their vendors may have a revocation; each is tried for ten seconds. Nothing
// stored changes.
func (s *Service) RevokeAll(ctx context.Context, userID string) (failed int, err error) {
	var rows []row
	err = s.db.Read.WithContext(ctx).Where("user_id = ? AND type = ?", userID, core.TypeOAuth2).Order("created_at, id").Find(&rows).Error
	if err != nil {
		return 0, fmt.Errorf("listing what to revoke: %w", err)
	}
	var count atomic.Int64
	var group errgroup.Group
	group.SetLimit(revokeAtOnce)
	for _, r := range rows {
		group.Go(func() error {
			if err := s.revokeRow(ctx, &r); err != nil && !errors.Is(err, errNoRevocation) {
				count.Add(1)
			}
			return nil
		})
	}
	err = group.Wait()
	return int(count.Load()), err
}

// revokeRow revokes what a row holds. Its error was logged.
func (s *Service) revokeRow(ctx context.Context, r *row) error {
	token, err := s.openToken(r)
	if err == nil {
		var v *vendor
		if v, err = s.vendor(r.Provider); err == nil {
			return s.revokeToken(ctx, v, token)
		}
	}
	s.log.Warn("a token was not revoked", "provider", r.Provider, "credential", r.ID, "error", err)
	return err
}

// revokeToken revokes a token at its vendor. Its error was logged.
func (s *Service) revokeToken(ctx context.Context, v *vendor, token core.OAuth2) error {
	limited, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	err := v.revoke(limited, token)
	if err == nil || errors.Is(err, errNoRevocation) {
		return err
	}
	problem := v.explain(err, token.AccessToken, token.RefreshToken)
	s.log.Warn("a token was not revoked", "provider", v.name, "credential", token.ID, "reason", problem.text)
	return problem
}

func (v *vendor) revoke(ctx context.Context, token core.OAuth2) error {
	switch {
	case v.auth.Revoke != nil:
		return guarded(v.name, func() error { return v.auth.Revoke(ctx, v.http, token) })
	case v.auth.RevokeURL == "":
		return errNoRevocation
	case orElse(v.auth.RevokeAuth, v.auth.ClientAuth) == core.ClientAuthBearer:
		return v.postRevocation(ctx, token, url.Values{})
	}
	hint := func(secret core.Secret, kind string) url.Values {
		return url.Values{"token": {secret.Reveal()}, "token_type_hint": {kind}}
	}
	if token.RefreshToken == "" {
		return v.postRevocation(ctx, token, hint(token.AccessToken, "access_token"))
	}
	if err := v.postRevocation(ctx, token, hint(token.RefreshToken, "refresh_token")); err != nil {
		return err
	}
	// Most vendors have dropped the access token with the other one, and some
	// say of such a token that it is not valid.
	err := v.postRevocation(ctx, token, hint(token.AccessToken, "access_token"))
	var answered *rest.StatusError
	if errors.As(err, &answered) && answered.Status < http.StatusInternalServerError {
		return nil
	}
	return err
}

func (v *vendor) postRevocation(ctx context.Context, token core.OAuth2, form url.Values) error {
	header := http.Header{}
	switch orElse(v.auth.RevokeAuth, v.auth.ClientAuth) {
	case core.ClientAuthBody:
		form.Set("client_id", v.id)
		form.Set("client_secret", v.secret.Reveal())
	case core.ClientAuthBasicAndID:
		form.Set("client_id", v.id)
		header.Set("Authorization", v.basic())
	case core.ClientAuthBasic:
		header.Set("Authorization", v.basic())
	case core.ClientAuthBearer:
		header.Set("Authorization", token.Authorization())
	case core.ClientAuthDefault, core.ClientAuthNone:
	}
	res, err := v.send(ctx, form, false, v.auth.RevokeURL, header)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &rest.StatusError{Status: res.StatusCode}
	}
	return nil
}

// basic gives the header of RFC 6749, section 2.3.1.
func (v *vendor) basic() string {
	return core.UserPassword{
		Username: core.Secret(url.QueryEscape(v.id)), Password: core.Secret(url.QueryEscape(v.secret.Reveal())),
	}.Authorization()
}
