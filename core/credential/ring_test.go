package credential_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
)

func key(name string, fill byte) credential.Key {
	return credential.Key{Name: name, Key: core.Secret(bytes.Repeat([]byte{fill}, 32))}
}

func ring(t *testing.T, keys ...credential.Key) *credential.Ring {
	t.Helper()
	r, err := credential.NewRing(keys)
	require.NoError(t, err)
	return r
}

func TestRing(t *testing.T) {
	r := ring(t, key("new.key-1_a", 1), key("", 2))
	for _, plain := range []string{"", "x", strings.Repeat("long ", 10_000)} {
		sealed, err := r.Seal([]byte(plain), "table", "row")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(sealed, "v1.new.key-1_a."), sealed)
		opened, err := r.Open(sealed, "table", "row")
		require.NoError(t, err)
		require.Equal(t, plain, string(opened))
		again, err := r.Seal([]byte(plain), "table", "row")
		require.NoError(t, err)
		require.NotEqual(t, sealed, again, "the nonce is fresh")
	}

	old := ring(t, key("", 2))
	require.Regexp(t, `^[0-9a-f]{8}$`, old.First())
	sealed, err := old.Seal([]byte("kept"))
	require.NoError(t, err)
	opened, err := r.Open(sealed)
	require.NoError(t, err, "later keys open")
	require.Equal(t, "kept", string(opened))
}

func TestRingRefuses(t *testing.T) {
	r := ring(t, key("a", 1))
	sealed, err := r.Seal([]byte("plain text"), "user", "id")
	require.NoError(t, err)
	flipped := []byte(sealed)
	flipped[len(flipped)-5] ^= 1
	for name, c := range map[string]struct {
		sealed  string
		context []string
		ring    *credential.Ring
		want    error
		says    string
	}{
		"nothing":             {sealed: "", want: credential.ErrDamaged},
		"no version":          {sealed: strings.TrimPrefix(sealed, "v1."), want: credential.ErrDamaged},
		"no content":          {sealed: "v1.a.", want: credential.ErrDamaged, says: "key a"},
		"not base64":          {sealed: "v1.a.%%%", want: credential.ErrDamaged, says: "key a"},
		"a changed bit":       {sealed: string(flipped), want: credential.ErrDamaged, says: "key a"},
		"cut":                 {sealed: sealed[:len(sealed)-4], want: credential.ErrDamaged, says: "key a"},
		"another context":     {sealed: sealed, context: []string{"other", "id"}, want: credential.ErrDamaged},
		"parts moved":         {sealed: sealed, context: []string{"use", "rid"}, want: credential.ErrDamaged},
		"a part less":         {sealed: sealed, context: []string{"user"}, want: credential.ErrDamaged},
		"key not in the ring": {sealed: sealed, ring: ring(t, key("b", 1)), want: credential.ErrUnknownKey, says: "key a sealed: the key is not in the setting encryption.keys"},
		"same name, other":    {sealed: sealed, ring: ring(t, key("a", 2)), want: credential.ErrDamaged, says: "key a"},
		"renamed key":         {sealed: strings.Replace(sealed, ".a.", ".b.", 1), ring: ring(t, key("b", 1)), want: credential.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			if c.context == nil {
				c.context = []string{"user", "id"}
			}
			if c.ring == nil {
				c.ring = r
			}
			plain, err := c.ring.Open(c.sealed, c.context...)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.says)
			require.Nil(t, plain)
		})
	}
}

func TestNewRingRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		keys []credential.Key
		says string
	}{
		"no key":         {nil, "there is no key"},
		"short key":      {[]credential.Key{key("a", 1), {Name: "b", Key: "short-secret"}}, "key 2: it has 12 bytes, not 32"},
		"bad name":       {[]credential.Key{key("a b", 1)}, "key 1: its name"},
		"one name twice": {[]credential.Key{key("a", 1), key("a", 2)}, "key 2: the name a is taken"},
		"one key twice":  {[]credential.Key{key("", 1), key("", 1)}, "key 2: the name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := credential.NewRing(c.keys)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "short-secret")
		})
	}
}
