package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// pages answers each request with the page that it asks for.
type pages map[string]string

func (p pages) Do(r *http.Request) (*http.Response, error) {
	body, ok := p[r.URL.Path+" "+r.URL.Query().Get("page")]
	status := http.StatusOK
	if !ok {
		status, body = http.StatusNotFound, `{"message":"Not Found"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func checkPage(first, last int) string {
	runs := make([]string, 0, pageSize)
	for id := first; id <= last; id++ {
		runs = append(runs, fmt.Sprintf(`{"id":%d,"name":"job","status":"completed","conclusion":"success","output":{"annotations_count":0}}`, id))
	}
	return fmt.Sprintf(`{"total_count":150,"check_runs":[%s]}`, strings.Join(runs, ","))
}

func TestChecksOfSeveralPages(t *testing.T) {
	const path = "/repos/o/r/commits/abcdef/check-runs "
	for last, p := range map[int]pages{
		150: {path + "1": checkPage(1, 100), path + "2": checkPage(101, 150)},
		100: {path + "1": checkPage(1, 100), path + "2": checkPage(1, 0)},
		99:  {path + "1": checkPage(1, 99)},
	} {
		a := connect(p, core.APIKey{Key: "k"})
		results, err := checkResults(t.Context(), a, repo{"o", "r"}, "abcdef", nil)
		require.NoError(t, err)
		require.Len(t, results, last)
		require.Equal(t, 1, results[0].ID)
		require.Equal(t, last, results[last-1].ID)
	}
	a := connect(pages{path + "1": checkPage(1, 100)}, core.APIKey{Key: "k"})
	_, err := checkResults(t.Context(), a, repo{"o", "r"}, "abcdef", nil)
	require.EqualError(t, err, "HTTP 404 Error: Not Found", "a page that is missing")
}

// A run that is stopped while it asks for remarks ends as stopped, although
// remarks that cannot be had do no harm.
func TestChecksThatAreStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	page := `{"check_runs":[{"id":1,"name":"job","status":"completed","output":{"annotations_count":1}}]}`
	a := connect(doerFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/annotations") {
			cancel()
			return nil, ctx.Err()
		}
		return pages{r.URL.Path + " 1": page}.Do(r)
	}), core.APIKey{Key: "k"})
	_, err := checkResults(ctx, a, repo{"o", "r"}, "abcdef", nil)
	require.ErrorIs(t, err, context.Canceled)
}
