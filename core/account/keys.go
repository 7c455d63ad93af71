package account

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"agentserver/core"
)

// algorithms are the names that are accepted in configuration.
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
	"PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// minSecret is how many characters a shared secret should have.
const minSecret = 32

// publicSecrets stand in public documentation, so anyone can sign with them.
var publicSecrets = []string{
	"your-super-secret-jwt-token-with-at-least-32-characters-long",
	"super-secret-jwt-token-with-at-least-32-characters-long",
}

// CheckSecret judges the shared secret of an HS algorithm, without the space
// around it. An error means that it must not be used, a warning that it is weak.
func CheckSecret(secret core.Secret) (warning string, err error) {
	text := strings.TrimSpace(secret.Reveal())
	switch {
	case text == "":
		return "", errors.New("the token key is blank")
	case slices.Contains(publicSecrets, text):
		return "", errors.New("the token key is the example from public documentation, with which anyone can sign tokens; set one of your own")
	case len([]rune(text)) < minSecret:
		return fmt.Sprintf("the token key has fewer than %d characters and may be guessed", minSecret), nil
	default:
		return "", nil
	}
}

func sharedSecret(algorithm string) bool { return strings.HasPrefix(algorithm, "HS") }

func checkAlgorithm(name string) error {
	if !slices.Contains(algorithms, name) {
		return fmt.Errorf("unknown token algorithm %q: it must be one of %s", name, strings.Join(algorithms, ", "))
	}
	return nil
}

func checkKeySetAlgorithm(o VerifierOptions) error {
	if err := checkAlgorithm(o.Algorithm); err != nil {
		return err
	}
	if sharedSecret(o.Algorithm) {
		return fmt.Errorf("a key set holds public keys and %s needs a shared secret", o.Algorithm)
	}
	return nil
}

// verificationKey gives the key in the form that the algorithm takes.
func verificationKey(algorithm string, key core.Secret) (any, error) {
	if err := checkAlgorithm(algorithm); err != nil {
		return nil, err
	}
	text := strings.TrimSpace(key.Reveal())
	if sharedSecret(algorithm) {
		if _, err := CheckSecret(key); err != nil {
			return nil, err
		}
		return []byte(text), nil
	}
	// Environment files often hold the lines of a PEM as \n on one line.
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	public, err := publicKey(algorithm, []byte(text))
	if err != nil {
		// The cause is not shown: it may quote the key.
		return nil, fmt.Errorf("the token key is not a PEM public key for %s", algorithm)
	}
	return public, nil
}

func publicKey(algorithm string, pem []byte) (any, error) {
	switch algorithm[:2] {
	case "RS", "PS":
		return jwt.ParseRSAPublicKeyFromPEM(pem)
	case "ES":
		key, err := jwt.ParseECPublicKeyFromPEM(pem)
		if err != nil {
			return nil, err
		}
		return key, checkCurve(algorithm, key)
	default:
		return jwt.ParseEdPublicKeyFromPEM(pem)
	}
}

func checkCurve(algorithm string, key *ecdsa.PublicKey) error {
	method, ok := jwt.GetSigningMethod(algorithm).(*jwt.SigningMethodECDSA)
	if !ok || method.CurveBits != key.Curve.Params().BitSize {
		return errors.New("the curve does not fit the algorithm")
	}
	return nil
}
