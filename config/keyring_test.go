package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
)

func TestEncryptionKeys(t *testing.T) {
	const (
		a      = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
		b      = "/+//////////////////////////////////////////" // 33 bytes
		urls   = "_-8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		sample = "dvziYgz0KSK8FENhju0ZYi8-fRTfAdlz6YLhdB_jhNw="
	)
	for _, tc := range []struct {
		name, keys string
		names      []string
		failure    string
	}{
		{"none", "", nil, ""},
		{"one", a, []string{""}, ""},
		{"named, newest first", "2026:" + urls + ",2025:" + a, []string{"2026", "2025"}, ""},
		{"example key as an old one", a + "," + sample, []string{"", ""}, ""},
		{"example key first", sample + "," + a, nil, "key 1 is the published example key"},
		{"example key first, named", "mine:" + sample, nil, "key 1 is the published example key"},
		{"too long", a + "," + b, nil, "key 2: 32 bytes in base64 are expected"},
		{"not base64", "0123456789abcdef!", nil, "key 1: 32 bytes in base64 are expected"},
		{"empty name", ":" + a, nil, "key 1: a name has"},
		{"same key", a + ",x:" + strings.TrimRight(a, "="), nil, "keys 1 and 2 are the same"},
		{"same name", "x:" + a + ",x:" + urls, nil, "keys 1 and 2 are the same or have the same name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(t, "", config.Options{Flags: map[string]string{"encryption.keys": tc.keys}})
			if tc.failure != "" {
				require.ErrorContains(t, err, "encryption.keys (flag): "+tc.failure)
				for key := range strings.SplitSeq(tc.keys, ",") {
					require.NotContains(t, err.Error(), key)
				}
				return
			}
			require.NoError(t, err)
			var names []string
			for _, k := range c.Encryption.Ring {
				require.Len(t, k.Key.Reveal(), 32)
				names = append(names, k.Name)
			}
			require.Equal(t, tc.names, names)
		})
	}
}
