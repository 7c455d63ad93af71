package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"agentserver/core"
)

// EncryptionKey is a key of stored secrets.
type EncryptionKey struct {
	// Name tells the keys of a ring apart; "" when none was given.
	Name string
	// Key holds 32 raw bytes.
	Key core.Secret
}

// publicKey ships with the AutoGPT Platform's example configuration, so
// anyone can open what it sealed. It may stay in the ring to read old rows.
const publicKey = "dvziYgz0KSK8FENhju0ZYi8-fRTfAdlz6YLhdB_jhNw="

var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// parseKeys reads encryption.keys. Errors name a key by its place, never by
// its text.
func parseKeys(entries []core.Secret) ([]EncryptionKey, error) {
	public, err := parseKey(publicKey)
	if err != nil {
		return nil, err
	}
	var ring []EncryptionKey
	for i, entry := range entries {
		k, err := parseKey(strings.TrimSpace(entry.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if i == 0 && k.Key == public.Key {
			return nil, errors.New("key 1 is the published example key of the AutoGPT Platform; put a key of your own before it")
		}
		for j, other := range ring {
			if k.Key == other.Key || k.Name == other.Name && k.Name != "" {
				return nil, fmt.Errorf("keys %d and %d are the same or have the same name", j+1, i+1)
			}
		}
		ring = append(ring, k)
	}
	return ring, nil
}

func parseKey(text string) (EncryptionKey, error) {
	var k EncryptionKey
	if name, rest, named := strings.Cut(text, ":"); named {
		if !keyName.MatchString(name) {
			return k, errors.New("a name has 1 to 32 letters, digits, dots, dashes or underscores")
		}
		k.Name, text = name, rest
	}
	// Both alphabets of base64 are in use, with and without padding.
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 {
		return k, errors.New("32 bytes in base64 are expected; openssl rand -base64 32 makes such a key")
	}
	k.Key = core.Secret(raw)
	return k, nil
}
