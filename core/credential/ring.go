package credential

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"agentserver/core"
)

// keySize is that of AES-256.
const keySize = 32

// sealVersion starts everything sealed.
const sealVersion = "v1"

var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// The reasons why something does not open. Errors of [Ring.Open] wrap one.
var (
	// ErrUnknownKey means that the ring lacks the key.
	ErrUnknownKey = errors.New("the key is not in the setting encryption.keys")
	// ErrDamaged means that it was changed, moved to another place, or sealed
	// with another key of the same name.
	ErrDamaged = errors.New("it is damaged, belongs elsewhere, or was sealed with another key of that name")
)

// Key is a key of a [Ring].
type Key struct {
	// Name is 1 to 32 letters, digits, dots, dashes or underscores. When it is
	// empty, the key is named by a fingerprint.
	Name string
	// Key holds 32 raw bytes.
	Key core.Secret
}

// Ring seals text with AES-256-GCM. Its first key seals, all of them open. It is
// safe for concurrent use.
type Ring struct {
	first string
	names []string // as given
	keys  map[string]cipher.AEAD
}

// NewRing checks the keys: there is at least one, and their names differ.
// Errors name a key by its place.
func NewRing(keys []Key) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("making the key ring: there is no key")
	}
	r := &Ring{keys: make(map[string]cipher.AEAD, len(keys))}
	for i, k := range keys {
		name := k.Name
		if name == "" {
			name = fingerprint(k.Key)
		}
		aead, err := newAEAD(k.Key)
		switch {
		case err != nil:
			return nil, fmt.Errorf("making the key ring: key %d: %w", i+1, err)
		case !keyName.MatchString(name):
			return nil, fmt.Errorf("making the key ring: key %d: its name is not 1 to 32 letters, digits, dots, dashes or underscores", i+1)
		case r.keys[name] != nil:
			return nil, fmt.Errorf("making the key ring: key %d: the name %s is taken", i+1, name)
		case i == 0:
			r.first = name
		}
		r.keys[name] = aead
		r.names = append(r.names, name)
	}
	return r, nil
}

func newAEAD(key core.Secret) (cipher.AEAD, error) {
	raw := []byte(key.Reveal())
	if len(raw) != keySize {
		return nil, fmt.Errorf("it has %d bytes, not %d", len(raw), keySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// fingerprint names a key. The label keeps it apart from other hashes of the
// key; 32 bits of a hash do not help to find 256 bits.
func fingerprint(key core.Secret) string {
	sum := sha256.Sum256([]byte("agentserver: name of an encryption key\x00" + key.Reveal()))
	return hex.EncodeToString(sum[:4])
}

// First gives the name of the key that seals.
func (r *Ring) First() string { return r.first }

// Names gives the names of the keys in the order in which they were given, so
// the one that seals is first.
func (r *Ring) Names() []string { return slices.Clone(r.names) }

// Seal encrypts plain into v1.<key name>.<nonce and ciphertext in base64url>.
// The same context, in the same order, is needed to open it: name what it
// belongs to there, such as the table, the owner and the row.
func (r *Ring) Seal(plain []byte, context ...string) (string, error) {
	return r.sealWith(r.first, plain, context)
}

func (r *Ring) sealWith(name string, plain []byte, context []string) (string, error) {
	key, ok := r.keys[name]
	if !ok {
		return "", fmt.Errorf("sealing with key %s: %w", name, ErrUnknownKey)
	}
	// The nonce is random and stands before the ciphertext.
	sealed := key.Seal(nil, nil, plain, additional(name, context)) //nolint:gosec // this kind of AEAD makes its own nonce
	return sealVersion + "." + name + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open gives what was sealed. Errors wrap [ErrUnknownKey] or [ErrDamaged], name
// the key and hold nothing of the content.
func (r *Ring) Open(sealed string, context ...string) ([]byte, error) {
	name, body, ok := split(sealed)
	if !ok {
		return nil, fmt.Errorf("opening what was sealed: it names no key: %w", ErrDamaged)
	}
	key, ok := r.keys[name]
	if !ok {
		return nil, fmt.Errorf("opening what key %s sealed: %w", name, ErrUnknownKey)
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("opening what key %s sealed: %w", name, ErrDamaged)
	}
	plain, err := key.Open(nil, nil, data, additional(name, context))
	if err != nil {
		return nil, fmt.Errorf("opening what key %s sealed: %w", name, ErrDamaged)
	}
	return plain, nil
}

// split takes a sealed text apart. A key name may hold dots, the rest does not.
func split(sealed string) (name, body string, ok bool) {
	rest, found := strings.CutPrefix(sealed, sealVersion+".")
	dot := strings.LastIndexByte(rest, '.')
	if !found || dot < 0 || !keyName.MatchString(rest[:dot]) {
		return "", "", false
	}
	return rest[:dot], rest[dot+1:], true
}

// additional is what a seal is bound to. Lengths keep ("a", "bc") apart from
// ("ab", "c").
func additional(name string, context []string) []byte {
	var data []byte
	for _, part := range append([]string{sealVersion, name}, context...) {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}
