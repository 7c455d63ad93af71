package bench

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkBlocks reads GET /api/blocks: whole and compressed, and as a client
// that has it already.
func BenchmarkBlocks(b *testing.B) {
	bed := newBed(b, "", 1)
	get := func(b *testing.B, headers map[string]string) (etag string) {
		b.Helper()
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, bed.url+"/api/blocks", nil)
		require.NoError(b, err)
		req.Header.Set("Authorization", "Bearer "+bed.tokens[0])
		for k, v := range headers {
			req.Header.Set(k, v)
		}
		res, err := bed.client.Do(req)
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
		return res.Header.Get("ETag")
	}
	etag := get(b, nil)
	cases := map[string]map[string]string{
		"gzip": {"Accept-Encoding": "gzip"}, "plain": {"Accept-Encoding": "identity"}, "not modified": {"If-None-Match": etag},
	}
	for name, headers := range cases {
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					get(b, headers)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
