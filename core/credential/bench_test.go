package credential_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db/dbtest"
)

// BenchmarkList lists 20 stored credentials; BenchmarkGet opens one.
func BenchmarkList(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		metas, err := s.List(b.Context(), ada)
		if err != nil || len(metas) != 20 {
			b.Fatal(len(metas), err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		if c, err := s.Get(b.Context(), ada, "id-7"); c == nil || err != nil {
			b.Fatal(c, err)
		}
	}
}

func filled(b *testing.B) *credential.Service {
	b.Helper()
	r, err := credential.NewRing([]credential.Key{key("a", 1)})
	require.NoError(b, err)
	s, err := credential.Open(b.Context(), dbtest.SQLite(b), r, &core.Registry{}, credential.Options{})
	require.NoError(b, err)
	for i := range 20 {
		_, err := s.Create(b.Context(), ada, "openai", credential.Input{ID: fmt.Sprintf("id-%d", i), Type: core.TypeAPIKey, APIKey: "sk-canary"})
		require.NoError(b, err)
	}
	return s
}
