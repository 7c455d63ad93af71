package github

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

const (
	// pageSize is the largest page that GitHub gives.
	pageSize = 100
	// maxPages bounds how much of a list is read, to as many items as GitHub
	// lists of the files of a pull request.
	maxPages = 30
)

// listAll reads a list to its end, or to its first 3000 items.
func listAll[T any](ctx context.Context, a *api, path string, query url.Values) ([]T, error) {
	q := url.Values{}
	for name, values := range query {
		q[name] = values
	}
	q.Set("per_page", strconv.Itoa(pageSize))
	all := []T{}
	for n := 1; n <= maxPages; n++ {
		q.Set("page", strconv.Itoa(n))
		var page []T
		if err := a.do(ctx, http.MethodGet, path, q, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			break
		}
	}
	return all, nil
}
