package account_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/account"
)

const secret = "test-secret-key-with-at-least-32-characters"

var now = time.Unix(1_700_000_000, 500_000_000)

func verifier(t *testing.T, algorithm, key string) *account.Verifier {
	t.Helper()
	v, err := account.NewVerifier(t.Context(), account.VerifierOptions{
		Algorithm: algorithm, Key: core.Secret(key), Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	return v
}

// signed makes a token of the usual claims with some changed; nil removes one.
func signed(t *testing.T, method jwt.SigningMethod, key any, changes jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": "test-user-id", "role": "user", "aud": "authenticated", "email": "test@example.com"}
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	require.NoError(t, err)
	return token
}

func hs(t *testing.T, changes jwt.MapClaims) string {
	return signed(t, jwt.SigningMethodHS256, []byte(secret), changes)
}

func TestVerifyAccepts(t *testing.T) {
	usual := account.Identity{UserID: "test-user-id", Email: "test@example.com", Role: "user"}
	issued := func(at time.Time) account.Identity {
		id := usual
		id.IssuedAt = at.UTC()
		return id
	}
	for name, c := range map[string]struct {
		changes jwt.MapClaims
		want    account.Identity
	}{
		"no exp":               {nil, usual},
		"exp ahead":            {jwt.MapClaims{"exp": now.Unix() + 1}, usual},
		"iat and nbf now":      {jwt.MapClaims{"iat": now.Unix(), "nbf": now.Unix()}, issued(time.Unix(now.Unix(), 0))},
		"iat with a fraction":  {jwt.MapClaims{"iat": float64(now.Unix()) - 0.7501}, issued(time.Unix(now.Unix(), 0).Add(-751 * time.Millisecond))},
		"iat that means none":  {jwt.MapClaims{"iat": 0}, usual},
		"iat before all time":  {jwt.MapClaims{"iat": -1e300}, usual},
		"aud in a list":        {jwt.MapClaims{"aud": []string{"other", "authenticated"}}, usual},
		"no role":              {jwt.MapClaims{"role": nil}, account.Identity{UserID: "test-user-id", Email: "test@example.com"}},
		"role of another type": {jwt.MapClaims{"role": []string{"admin"}}, account.Identity{UserID: "test-user-id", Email: "test@example.com"}},
		"everything": {
			jwt.MapClaims{"role": "admin", "phone": "+49", "jti": "j", "user_metadata": map[string]any{"name": "Ada"}},
			account.Identity{UserID: "test-user-id", Email: "test@example.com", Role: "admin", Phone: "+49", Name: "Ada"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := verifier(t, "HS256", "  "+secret+"\n").Verify(hs(t, c.changes))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.want.Role == "admin", got.Admin())
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	raw := func(header, payload string) string {
		e := base64.RawURLEncoding
		return e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload)) + ".c2ln"
	}
	hour := int64(3600)
	for name, c := range map[string]struct{ token, want string }{
		"expired":               {hs(t, jwt.MapClaims{"exp": now.Unix() - hour}), "Token has expired"},
		"expired just now":      {hs(t, jwt.MapClaims{"exp": now.Unix()}), "Token has expired"},
		"expired, wrong aud":    {hs(t, jwt.MapClaims{"exp": now.Unix() - hour, "aud": "x"}), "Token has expired"},
		"another secret":        {signed(t, jwt.SigningMethodHS256, []byte("wrong-secret"), nil), "Invalid token: Signature verification failed"},
		"empty":                 {"", "Invalid token: Not enough segments"},
		"a word":                {"invalid", "Invalid token: Not enough segments"},
		"three words":           {"not.a.token", "Invalid token: Invalid header string"},
		"four segments":         {hs(t, nil) + ".x", "Invalid token: Not enough segments"},
		"payload is no object":  {raw(`{"alg":"HS256"}`, `7`), "Invalid token: Invalid payload string"},
		"signature not base64":  {hs(t, nil) + "!", "Invalid token: Invalid crypto padding"},
		"alg none":              {signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil), "Invalid token: The specified alg value is not allowed"},
		"alg HS384":             {signed(t, jwt.SigningMethodHS384, []byte(secret), nil), "Invalid token: The specified alg value is not allowed"},
		"alg HS512":             {signed(t, jwt.SigningMethodHS512, []byte(secret), nil), "Invalid token: The specified alg value is not allowed"},
		"alg of nobody":         {raw(`{"alg":"XX1"}`, `{}`), "Invalid token: The specified alg value is not allowed"},
		"no alg":                {raw(`{}`, `{}`), "Invalid token: The specified alg value is not allowed"},
		"no aud":                {hs(t, jwt.MapClaims{"aud": nil}), `Invalid token: Token is missing the "aud" claim`},
		"wrong aud":             {hs(t, jwt.MapClaims{"aud": "wrong-audience"}), "Invalid token: Audience doesn't match"},
		"wrong auds":            {hs(t, jwt.MapClaims{"aud": []string{"a", "b"}}), "Invalid token: Audience doesn't match"},
		"aud a number":          {hs(t, jwt.MapClaims{"aud": 7}), "Invalid token: Invalid claim format in token"},
		"aud a list of numbers": {hs(t, jwt.MapClaims{"aud": []any{"authenticated", 7}}), "Invalid token: Invalid claim format in token"},
		"iat ahead":             {hs(t, jwt.MapClaims{"iat": now.Unix() + hour}), "Invalid token: The token is not yet valid (iat)"},
		"nbf ahead":             {hs(t, jwt.MapClaims{"nbf": now.Unix() + 1}), "Invalid token: The token is not yet valid (nbf)"},
		"exp text":              {hs(t, jwt.MapClaims{"exp": "soon"}), "Invalid token: Expiration Time claim (exp) must be an integer."},
		"sub a number":          {hs(t, jwt.MapClaims{"sub": 7}), "Invalid token: Subject must be a string"},
		"jti a number":          {hs(t, jwt.MapClaims{"jti": 7}), "Invalid token: JWT ID must be a string"},
		"no sub":                {hs(t, jwt.MapClaims{"sub": nil}), "User ID not found in token"},
		"empty sub":             {hs(t, jwt.MapClaims{"sub": ""}), "User ID not found in token"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verifier(t, "HS256", secret).Verify(c.token)
			require.EqualError(t, err, c.want)
			var known *core.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, core.Unauthenticated, known.Kind)
			require.True(t, known.Plain)
		})
	}
}

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for algorithm, key := range map[string]crypto.Signer{
		"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey, "PS256": rsaKey, "PS384": rsaKey, "PS512": rsaKey,
		"ES256": p256, "ES384": p384, "ES512": p521, "EdDSA": ed,
	} {
		t.Run(algorithm, func(t *testing.T) {
			text := publicPEM(t, key.Public())
			method := jwt.GetSigningMethod(algorithm)
			for _, form := range []string{text, strings.ReplaceAll(text, "\n", `\n`)} {
				id, err := verifier(t, algorithm, form).Verify(signed(t, method, key, nil))
				require.NoError(t, err)
				require.Equal(t, "test-user-id", id.UserID)
			}
			// The public key is no secret, so a token signed with it is forged.
			_, err := verifier(t, algorithm, text).Verify(signed(t, jwt.SigningMethodHS256, []byte(text), nil))
			require.EqualError(t, err, "Invalid token: The specified alg value is not allowed")
		})
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		options account.VerifierOptions
		want    string
	}{
		"blank":               {account.VerifierOptions{Algorithm: "HS256", Key: " \t\n "}, "blank"},
		"example secret":      {account.VerifierOptions{Algorithm: "HS256", Key: "your-super-secret-jwt-token-with-at-least-32-characters-long"}, "public documentation"},
		"none":                {account.VerifierOptions{Algorithm: "none", Key: secret}, `unknown token algorithm "none"`},
		"no algorithm":        {account.VerifierOptions{Key: secret}, "unknown token algorithm"},
		"not a PEM":           {account.VerifierOptions{Algorithm: "RS256", Key: secret}, "not a PEM public key for RS256"},
		"another kind of key": {account.VerifierOptions{Algorithm: "RS256", Key: core.Secret(publicPEM(t, key.Public()))}, "not a PEM public key for RS256"},
		"another curve":       {account.VerifierOptions{Algorithm: "ES384", Key: core.Secret(publicPEM(t, key.Public()))}, "not a PEM public key for ES384"},
		"key set of secrets":  {account.VerifierOptions{Algorithm: "HS256", JWKSURL: "http://127.0.0.1:1/"}, "shared secret"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := account.NewVerifier(t.Context(), c.options)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestCheckSecret(t *testing.T) {
	for name, c := range map[string]struct {
		secret  core.Secret
		warning bool
	}{
		"31 characters":        {core.Secret(strings.Repeat("x", 31)), true},
		"32 characters":        {core.Secret(strings.Repeat("x", 32)), false},
		"31 and spaces around": {core.Secret("  " + strings.Repeat("x", 31) + "\n"), true},
	} {
		t.Run(name, func(t *testing.T) {
			warning, err := account.CheckSecret(c.secret)
			require.NoError(t, err)
			require.Equal(t, c.warning, warning != "")
		})
	}
}

func TestKeySet(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits++
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "x": number(key.X), "y": number(key.Y),
		}}})
	}))
	defer server.Close()
	v, err := account.NewVerifier(t.Context(), account.VerifierOptions{Algorithm: "ES256", JWKSURL: server.URL, Client: server.Client()})
	require.NoError(t, err)
	sign := func(kid string) string {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "u", "aud": "authenticated"})
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		require.NoError(t, err)
		return text
	}
	for range 3 {
		id, err := v.Verify(sign("one"))
		require.NoError(t, err)
		require.Equal(t, "u", id.UserID)
	}
	require.Equal(t, 1, hits, "the set is kept")
	_, err = v.Verify(sign("two"))
	require.EqualError(t, err, "Invalid token: Signature verification failed")
}

func TestKeySetMayComeLater(t *testing.T) {
	v, err := account.NewVerifier(t.Context(), account.VerifierOptions{Algorithm: "ES256", JWKSURL: "http://127.0.0.1:1/keys"})
	require.NoError(t, err)
	_, err = v.Verify(hs(t, nil))
	require.EqualError(t, err, "Invalid token: The specified alg value is not allowed")
}

func TestSigner(t *testing.T) {
	for _, algorithm := range []string{"HS256", "HS384", "HS512"} {
		s, err := account.NewSigner(algorithm, secret)
		require.NoError(t, err)
		v, err := account.NewVerifier(t.Context(), account.VerifierOptions{Algorithm: algorithm, Key: secret})
		require.NoError(t, err)
		token, err := s.Token(account.Identity{UserID: "u", Email: "a@b.c", Name: "Ada", Phone: "1"}, time.Hour)
		require.NoError(t, err)
		got, err := v.Verify(token)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), got.IssuedAt, time.Minute)
		got.IssuedAt = time.Time{}
		require.Equal(t, account.Identity{UserID: "u", Email: "a@b.c", Name: "Ada", Phone: "1", Role: account.RoleUser}, got)

		late, err := s.Token(account.Identity{UserID: "u", Role: account.RoleAdmin}, -time.Second)
		require.NoError(t, err)
		_, err = v.Verify(late)
		require.EqualError(t, err, "Token has expired")

		_, err = s.Token(account.Identity{}, time.Hour)
		require.Error(t, err)
	}
	_, err := account.NewSigner("RS256", secret)
	require.ErrorContains(t, err, "shared secret")
	_, err = account.NewSigner("HS256", " ")
	require.ErrorContains(t, err, "blank")
}

func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOlt7fV19.c2ln", "eyJhbGciOm51bGx9.bnVsbA."} {
		f.Add(seed)
	}
	v, err := account.NewVerifier(f.Context(), account.VerifierOptions{Algorithm: "HS256", Key: secret})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, token string) {
		_, err := v.Verify(token)
		require.Error(t, err, "nobody can sign by chance")
		require.True(t, core.IsKind(err, core.Unauthenticated))
	})
}
