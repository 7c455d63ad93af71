package account

import (
	"math"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agentserver/core"
)

// checkClaims checks what a signed token says about itself, without leeway.
// Only the audience is required.
func checkClaims(claims jwt.MapClaims, now time.Time) error {
	seconds := float64(now.UnixMilli()) / 1000
	for _, c := range []struct {
		claim, notNumber string
		check            func(at float64) error
	}{
		{"iat", "Issued At claim (iat) must be an integer.", notBefore(seconds, "The token is not yet valid (iat)")},
		{"nbf", "Not Before claim (nbf) must be an integer.", notBefore(seconds, "The token is not yet valid (nbf)")},
		{"exp", "Expiration Time claim (exp) must be an integer.", func(at float64) error {
			if at <= seconds {
				return core.PlainErrorf(core.Unauthenticated, "Token has expired")
			}
			return nil
		}},
	} {
		value, present := claims[c.claim]
		if !present {
			continue
		}
		at, ok := value.(float64)
		if !ok {
			return invalidToken(c.notNumber)
		}
		if err := c.check(at); err != nil {
			return err
		}
	}
	if reason := audienceProblem(claims); reason != "" {
		return invalidToken(reason)
	}
	if !textOrAbsent(claims, "sub") {
		return invalidToken("Subject must be a string")
	}
	if !textOrAbsent(claims, "jti") {
		return invalidToken("JWT ID must be a string")
	}
	return nil
}

func notBefore(seconds float64, reason string) func(at float64) error {
	return func(at float64) error {
		if at > seconds {
			return invalidToken(reason)
		}
		return nil
	}
}

// audienceProblem says what is wrong with the audience, or "".
func audienceProblem(claims jwt.MapClaims) string {
	var named []any
	switch aud := claims["aud"].(type) {
	case nil:
		return `Token is missing the "aud" claim`
	case string:
		named = []any{aud}
	case []any:
		named = aud
	default:
		return "Invalid claim format in token"
	}
	for _, a := range named {
		if _, ok := a.(string); !ok {
			return "Invalid claim format in token"
		}
	}
	if !slices.Contains(named, any(Audience)) {
		return "Audience doesn't match"
	}
	return ""
}

func textOrAbsent(claims jwt.MapClaims, name string) bool {
	value, present := claims[name]
	_, text := value.(string)
	return text || !present
}

// identityOf reads the claims that say who it is. Those of another type count
// as absent.
func identityOf(claims jwt.MapClaims) Identity {
	text := func(m map[string]any, name string) string {
		s, _ := m[name].(string)
		return s
	}
	profile, _ := claims["user_metadata"].(map[string]any)
	return Identity{
		UserID:   text(claims, "sub"),
		Email:    text(claims, "email"),
		Name:     text(profile, "name"),
		Role:     text(claims, "role"),
		Phone:    text(claims, "phone"),
		IssuedAt: issuedAt(claims),
	}
}

// issuedAt reads when the token was made. It rounds down to the millisecond,
// which makes a token rather older than younger. What lies before 1970 counts as
// not said.
func issuedAt(claims jwt.MapClaims) time.Time {
	seconds, _ := claims["iat"].(float64)
	if seconds <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Floor(seconds * 1000))).UTC()
}
