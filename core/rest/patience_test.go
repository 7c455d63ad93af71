package rest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/rest"
)

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name, value string
		pause       time.Duration
		asked       bool
	}{
		{"Retry-After", "2", 2 * time.Second, true},
		{"Retry-After", "0.5", 500 * time.Millisecond, true},
		{"Retry-After", "0", 0, true},
		{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT", 0, true},
		{"Retry-After", "-1", 0, false},
		{"Retry-After", "NaN", 0, false},
		{"Retry-After", "soon", 0, false},
		{"Retry-After-Ms", "250", 250 * time.Millisecond, true},
		{"X-Other", "1", 0, false},
	} {
		pause, asked := rest.RetryAfter(http.Header{c.name: {c.value}})
		require.Equal(t, c.pause, pause, c.value)
		require.Equal(t, c.asked, asked, c.value)
	}
	for _, name := range []string{"Retry-After", "Retry-After-Ms"} {
		for _, value := range []string{"Inf", "1e300"} {
			pause, asked := rest.RetryAfter(http.Header{name: {value}})
			require.True(t, asked)
			require.Greater(t, pause, time.Hour, "%s: %s", name, value)
		}
	}
}
