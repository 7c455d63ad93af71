package account

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agentserver/core"
)

// Signer makes the tokens that a [Verifier] with the same secret accepts.
type Signer struct {
	method jwt.SigningMethod
	key    []byte
}

// NewSigner takes an HS algorithm and its secret.
func NewSigner(algorithm string, secret core.Secret) (*Signer, error) {
	if !sharedSecret(algorithm) {
		return nil, fmt.Errorf("preparing to sign tokens: %q is not an algorithm with a shared secret", algorithm)
	}
	key, err := verificationKey(algorithm, secret)
	if err != nil {
		return nil, fmt.Errorf("preparing to sign tokens: %w", err)
	}
	return &Signer{method: jwt.GetSigningMethod(algorithm), key: key.([]byte)}, nil
}

// Token makes a token for id that is good for ttl from now. An empty role
// becomes [RoleUser].
func (s *Signer) Token(id Identity, ttl time.Duration) (string, error) {
	if id.UserID == "" {
		return "", fmt.Errorf("signing a token: the user has no id")
	}
	if id.Role == "" {
		id.Role = RoleUser
	}
	now := time.Now()
	claims := jwt.MapClaims{
		"aud": Audience, "sub": id.UserID, "role": id.Role, "email": id.Email, "phone": id.Phone,
		"iat": now.Unix(), "exp": now.Add(ttl).Unix(), "user_metadata": map[string]any{"name": id.Name},
	}
	if id.Name == "" {
		claims["user_metadata"] = map[string]any{}
	}
	token, err := jwt.NewWithClaims(s.method, claims).SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token, nil
}
