package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

// BenchmarkCredentials lists the 20 credentials of a user, beside a bare handler
// of Echo that does one indexed select of as many rows on the same database.
func BenchmarkCredentials(b *testing.B) {
	engines(b, func(b *testing.B, url string) {
		bed := newBed(b, url, 1)
		for i := range 20 {
			body := fmt.Appendf(nil, `{"type":"api_key","provider":"openai","title":"Key %d","api_key":"sk-bench"}`, i)
			bed.call(0, "POST", "/api/integrations/openai/credentials", body, nil)
		}
		bare := httptest.NewServer(bareList(bed.platform.DB))
		defer bare.Close()
		b.Run("server", func(b *testing.B) { hammer(b, bed, bed.url+"/api/integrations/credentials") })
		b.Run("bare", func(b *testing.B) { hammer(b, bed, bare.URL+"/list") })
	})
}

// hammer gets a page as fast as it comes.
func hammer(b *testing.B, bed *bed, url string) {
	get := func() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
		require.NoError(b, err)
		req.Header.Set("Authorization", "Bearer "+bed.tokens[0])
		req.Header.Set("Accept-Encoding", "identity")
		res, err := bed.client.Do(req)
		require.NoError(b, err)
		n, err := io.Copy(io.Discard, res.Body)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
		require.Greater(b, n, int64(2000))
	}
	get()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			get()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// bareList is the least that a server can do to list them.
func bareList(d *db.DB) http.Handler {
	type item struct {
		ID, Provider, Type, Title, Public string
		Managed                           bool
	}
	query := "SELECT id, provider, type, title, public, is_managed FROM credentials WHERE user_id = ? ORDER BY created_at"
	handle, err := d.Read.DB()
	if err != nil {
		panic(err)
	}
	if d.Engine == db.Postgres {
		query = "SELECT id, provider, type, title, public, is_managed FROM credentials WHERE user_id = $1 ORDER BY created_at"
	}
	e := echo.New()
	e.GET("/list", func(c echo.Context) error {
		rows, err := handle.QueryContext(c.Request().Context(), query, "bench-user-0")
		if err != nil {
			return err
		}
		defer rows.Close()
		var items []item
		for rows.Next() {
			var i item
			if err := rows.Scan(&i.ID, &i.Provider, &i.Type, &i.Title, &i.Public, &i.Managed); err != nil {
				return err
			}
			items = append(items, i)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, items)
	})
	return e
}
