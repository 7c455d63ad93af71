package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The web client sends what it has no value for as the text null.
func TestNullsInQueries(t *testing.T) {
	b := newBed(t, "")
	b.call(alice, "GET", "/api/review/pending?page=null&page_size=null", nil).is(200, "[]")
	all := b.object(alice, "GET", "/api/builder/search?search_query=null&filter=null&search_id=null&by_creator=null&page=1&page_size=5", nil)
	require.Equal(t, b.object(alice, "GET", "/api/builder/search?page=1&page_size=5", nil)["total_items"], all["total_items"])
	b.call(alice, "GET", "/api/review/pending?page=nullify", nil).has(422)
	b.call(alice, "GET", "/api/review/pending?page==null", nil).has(422)
}
