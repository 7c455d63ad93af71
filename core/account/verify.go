package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"agentserver/core"
)

// VerifierOptions say which tokens are accepted. Either Key or JWKSURL is set.
type VerifierOptions struct {
	// Algorithm is the only signature algorithm that is accepted: HS, RS, PS or
	// ES with 256, 384 or 512, or EdDSA.
	Algorithm string
	// Key is the shared secret of an HS algorithm, else a public key in PEM.
	// Space around it is ignored.
	Key core.Secret
	// JWKSURL names a key set. It is fetched at the start, then every hour, and
	// when a token names an unknown key, at most every five minutes. HS
	// algorithms have no key sets.
	JWKSURL string
	// Client fetches the key set; nil means http.DefaultClient.
	Client *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier checks bearer tokens. It is safe for concurrent use.
type Verifier struct {
	algorithm string
	key       jwt.Keyfunc
	parser    *jwt.Parser
	now       func() time.Time
}

// NewVerifier checks the options. The context ends the fetching of a key set;
// that the set cannot be fetched yet is not an error.
func NewVerifier(ctx context.Context, o VerifierOptions) (*Verifier, error) {
	v := &Verifier{algorithm: o.Algorithm, parser: jwt.NewParser(jwt.WithoutClaimsValidation()), now: o.Now}
	if v.now == nil {
		v.now = time.Now
	}
	if o.JWKSURL != "" {
		if err := checkKeySetAlgorithm(o); err != nil {
			return nil, fmt.Errorf("preparing token checks: %w", err)
		}
		set, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{o.JWKSURL}, keyfunc.Override{
			Client: o.Client, HTTPTimeout: 10 * time.Second,
		})
		if err != nil {
			return nil, fmt.Errorf("preparing token checks: reading the key set: %w", err)
		}
		v.key = set.Keyfunc
		return v, nil
	}
	key, err := verificationKey(o.Algorithm, o.Key)
	if err != nil {
		return nil, fmt.Errorf("preparing token checks: %w", err)
	}
	v.key = func(*jwt.Token) (any, error) { return key, nil }
	return v, nil
}

// errAlgorithm is how the key function refuses an algorithm.
var errAlgorithm = errors.New("algorithm not allowed")

// Verify checks a token and gives whom it speaks for. Errors are of kind
// [core.Unauthenticated] and say what is wrong in the words clients know.
func (v *Verifier) Verify(token string) (Identity, error) {
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		if t.Method.Alg() != v.algorithm {
			return nil, errAlgorithm
		}
		return v.key(t)
	})
	if err != nil {
		return Identity{}, invalidToken(parseReason(token, err))
	}
	if err := checkClaims(claims, v.now()); err != nil {
		return Identity{}, err
	}
	id := identityOf(claims)
	if id.UserID == "" {
		return Identity{}, core.PlainErrorf(core.Unauthenticated, "User ID not found in token")
	}
	return id, nil
}

// parseReason words why a token could not be read or its signature not checked.
func parseReason(token string, err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return malformedReason(token)
	case errors.Is(err, errAlgorithm), algorithmUnknown(err):
		return "The specified alg value is not allowed"
	default:
		return "Signature verification failed"
	}
}

// algorithmUnknown reports that the header names an algorithm that does not
// exist, or none.
func algorithmUnknown(err error) bool {
	return errors.Is(err, jwt.ErrTokenUnverifiable) && strings.Contains(err.Error(), "signing method (alg)")
}

func malformedReason(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "Not enough segments"
	}
	if !isObject(parts[0]) {
		return "Invalid header string"
	}
	if !isObject(parts[1]) {
		return "Invalid payload string"
	}
	return "Invalid crypto padding"
}

func isObject(segment string) bool {
	data, err := base64.RawURLEncoding.DecodeString(segment)
	var object map[string]any
	return err == nil && json.Unmarshal(data, &object) == nil
}

func invalidToken(reason string) error {
	return core.PlainErrorf(core.Unauthenticated, "Invalid token: %s", reason)
}
