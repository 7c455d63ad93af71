package credential

import (
	"context"
	"fmt"

	"agentserver/core"
	"agentserver/core/db"
)

// Callback ends a sign-in with the code that the vendor gave, and stores what it
// brings as a new credential. The state token is used up, whatever the vendor
// says. The kinds of its errors are those of [Service.Login]; [core.Invalid] for
// a state token that is not good and for a code that the vendor does not take;
// [core.Unprocessable] for a code that is none; and those of [Service.Add].
func (s *Service) Callback(ctx context.Context, userID, provider string, code core.Secret, stateToken string) (Meta, error) {
	v, err := s.vendor(provider)
	if err != nil {
		return Meta{}, err
	}
	redirect, err := s.redirectURL()
	if err != nil {
		return Meta{}, err
	}
	if err := checkCode(code); err != nil {
		return Meta{}, err
	}
	begun, err := s.consume(ctx, userID, v.name, stateToken)
	if err != nil {
		return Meta{}, err
	}
	// The code can be used once, so a client that leaves does not waste it.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), vendorTimeout)
	defer cancel()
	token, problem := s.exchange(limited, v, redirect, code, begun)
	if problem != nil {
		return Meta{}, core.PlainErrorf(core.Invalid, "OAuth2 callback failed to exchange code for tokens: %s", problem.text)
	}
	return s.Add(context.WithoutCancel(ctx), userID, token)
}

func (s *Service) exchange(ctx context.Context, v *vendor, redirect string, code core.Secret, begun state) (core.OAuth2, *vendorError) {
	answer, err := v.exchange(ctx, redirect, code, begun.Verifier)
	if err != nil {
		return core.OAuth2{}, v.explain(err, code, core.Secret(begun.Verifier))
	}
	token := v.credential(answer, begun.Scopes, s.now())
	if token.RefreshToken == "" && v.auth.NeedsRefreshToken {
		return core.OAuth2{}, &vendorError{text: v.title + " gave no refresh token"}
	}
	if v.auth.Identify != nil {
		grant := core.OAuthGrant{Token: token, Member: answer.Extra}
		var who core.OAuthIdentity
		err := guarded(v.name, func() (err error) {
			who, err = v.auth.Identify(ctx, v.http, grant)
			return err
		})
		if err != nil {
			return core.OAuth2{}, v.explain(err, code, token.AccessToken, token.RefreshToken)
		}
		token.Username = cut(db.Clean(who.Username), maxShort)
		token.Title, token.Metadata = cut(db.Clean(who.Title), maxTitle), who.Metadata
	}
	return token, v.checkSize(token)
}

// checkSize refuses what is larger than what users may store.
func (v *vendor) checkSize(token core.OAuth2) *vendorError {
	plain, err := encode(token)
	if err != nil {
		return &vendorError{text: "what " + v.title + " says of the account cannot be stored"}
	}
	if len(plain) > maxCredential {
		return &vendorError{text: fmt.Sprintf("what %s gave has more than %d bytes", v.title, maxCredential)}
	}
	return nil
}
