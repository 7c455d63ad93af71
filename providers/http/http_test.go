package http

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func TestBelongs(t *testing.T) {
	for _, c := range []struct {
		host, address string
		want          bool
	}{
		{"a.example", "https://a.example/x", true},
		{" A.Example ", "http://a.example", true},
		{"a.example", "https://b.a.example", false},
		{"a.example", "https://a.example.evil.example", false},
		{"https://a.example/v1/", "https://a.example/x", true},
		{"http://a.example:8080", "http://a.example:8080", true},
		{"*.a.example", "https://x.y.a.example", true},
		{"*.a.example", "https://a.example", true},
		{"*.a.example", "https://xa.example", false},
		{"*.", "https://a.example", false},
		{"*", "https://a.example", false},
		{"", "https://a.example", false},
		{"a.example:80", "http://a.example", true},
		{"a.example:80", "https://a.example", false},
		{"*.a.example:8080", "http://b.a.example:8080", true},
		{"a.example", "http://a.example:8080", false},
		{"a.example", "http://a.example:443", true},
		{"[2606:4700::1]:8443", "https://[2606:4700::1]:8443", true},
	} {
		u, err := url.Parse(c.address)
		require.NoError(t, err)
		require.Equal(t, c.want, belongs(c.host, u), "%s for %s", c.host, c.address)
	}
}
