package builder_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core/builder"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// remembered gives what a user's menu suggests to search for again.
func (b *bed) remembered(userID string) []builder.SearchEntry {
	b.t.Helper()
	s, err := b.Suggestions(b.t.Context(), userID)
	require.NoError(b.t, err)
	return s.RecentSearches
}

// rows counts the rows of a user.
func (b *bed) rows(userID string) int {
	b.t.Helper()
	var n int64
	require.NoError(b.t, b.db.Read.Table("builder_searches").Where("user_id = ?", userID).Count(&n).Error)
	return int(n)
}

// age makes all that is remembered older.
func (b *bed) age() {
	b.t.Helper()
	var rows []struct {
		ID        string
		UpdatedAt db.Time
	}
	require.NoError(b.t, b.db.Read.Table("builder_searches").Find(&rows).Error)
	for _, r := range rows {
		require.NoError(b.t, b.db.Write.Exec("UPDATE builder_searches SET updated_at = ? WHERE id = ?", db.At(r.UpdatedAt.Add(-time.Hour)), r.ID).Error)
	}
}

func (b *bed) searched(userID string, q builder.Query) string {
	b.t.Helper()
	results, _ := b.search(userID, q)
	return results.SearchID
}

func TestModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, builder.Models()...) })
}

func TestHistory(t *testing.T) {
	each(t, func(b *bed) {
		require.Equal(b.t, []builder.SearchEntry{}, b.remembered(alice))
		first := b.searched(alice, builder.Query{Text: "  it's 100% a_b  ", Filters: []string{"blocks", "my_agents"}, Creators: []string{"cleo", "dora"}})
		require.NoError(b.t, uuid.Validate(first))
		require.Equal(b.t, []builder.SearchEntry{{
			SearchQuery: "it's 100% a_b", Filter: []string{"blocks", "my_agents"}, ByCreator: []string{"cleo", "dora"}, SearchID: first,
		}}, b.remembered(alice))

		b.age()
		second := b.searched(alice, builder.Query{Text: "other"})
		require.NotEqual(b.t, first, second)
		list := b.remembered(alice)
		require.Len(b.t, list, 2)
		require.Equal(b.t, builder.SearchEntry{SearchQuery: "other", Filter: []string{}, ByCreator: []string{}, SearchID: second}, list[0], "the newest first")

		// What is typed on changes the same search, and makes it the newest.
		b.age()
		require.Equal(b.t, first, b.searched(alice, builder.Query{Text: "changed", SearchID: first}))
		list = b.remembered(alice)
		require.Equal(b.t, builder.SearchEntry{SearchQuery: "changed", Filter: []string{}, ByCreator: []string{}, SearchID: first}, list[0])
		require.Len(b.t, list, 2)

		for i := range 5 {
			b.age()
			b.searched(alice, builder.Query{Text: fmt.Sprint("more ", i)})
		}
		list = b.remembered(alice)
		require.Len(b.t, list, 5)
		require.Equal(b.t, "more 4", list[0].SearchQuery)
		require.Equal(b.t, "more 0", list[4].SearchQuery)
		require.Equal(b.t, []builder.SearchEntry{}, b.remembered(bob))
	})
}

func TestOneRowPerSearch(t *testing.T) {
	each(t, func(b *bed) {
		id := b.searched(alice, builder.Query{Text: "text", Page: 1, Size: 5})
		for page := 2; page < 5; page++ {
			require.Equal(b.t, id, b.searched(alice, builder.Query{Text: "text", SearchID: id, Page: page, Size: 5}))
			require.Equal(b.t, id, b.searched(alice, builder.Query{Text: "text", Page: page, Size: 5}), "without its id")
			require.Equal(b.t, id, b.searched(alice, builder.Query{Text: "text", SearchID: uuid.NewString(), Page: page, Size: 5}), "with an unknown id")
		}
		require.Equal(b.t, id, b.searched(alice, builder.Query{Text: "text"}), "again")
		require.Equal(b.t, 1, b.rows(alice))
		blocks := b.searched(alice, builder.Query{Text: "text", Filters: []string{"blocks"}})
		require.NotEqual(b.t, id, blocks, "other filters")
		require.NotEqual(b.t, id, b.searched(alice, builder.Query{Text: "text", Creators: []string{"cleo"}}), "other creators")
		require.NotEqual(b.t, id, b.searched(alice, builder.Query{Text: "text", SearchID: uuid.NewString()}), "an unknown id")
		require.Equal(b.t, 4, b.rows(alice))

		// Searching again makes it recent again.
		b.age()
		b.searched(alice, builder.Query{Text: "newer"})
		require.Equal(b.t, "newer", b.remembered(alice)[0].SearchQuery)
		require.Equal(b.t, blocks, b.searched(alice, builder.Query{Text: "text", Filters: []string{"blocks"}}))
		require.Equal(b.t, blocks, b.remembered(alice)[0].SearchID)
	})
}

func TestSearchesOfOthers(t *testing.T) {
	each(t, func(b *bed) {
		his := b.searched(bob, builder.Query{Text: "of bob"})
		before := b.remembered(bob)
		for i, id := range []string{his, uuid.NewString(), "nonsense", strings.Repeat("x", 10000)} {
			got := b.searched(alice, builder.Query{Text: fmt.Sprint("of alice ", i), SearchID: id})
			require.NotEqual(b.t, id, got)
			require.Equal(b.t, i+1, b.rows(alice))
		}
		// Also when the words are the same.
		require.NotEqual(b.t, his, b.searched(alice, builder.Query{Text: "of bob", SearchID: his}))
		require.NotEqual(b.t, his, b.searched(alice, builder.Query{Text: "of bob", Page: 2, Size: 1}))
		require.Equal(b.t, before, b.remembered(bob))
	})
}

func TestHistoryIsPruned(t *testing.T) {
	each(t, func(b *bed) {
		kept := b.searched(bob, builder.Query{Text: "of bob"})
		old := db.At(time.Now().Add(-time.Hour))
		for i := range 150 {
			require.NoError(b.t, b.db.Write.Exec(`INSERT INTO builder_searches (id, user_id, query, filters, creators, created_at, updated_at)
				VALUES (?, ?, ?, '[]', '[]', ?, ?)`, fmt.Sprintf("s%03d", i), alice, fmt.Sprint(i), old, db.At(old.Add(time.Duration(i)*time.Second))).Error)
		}
		newest := b.searched(alice, builder.Query{Text: "newest"})
		var left []string
		require.NoError(b.t, b.db.Read.Table("builder_searches").Where("user_id = ?", alice).Order("updated_at").Pluck("id", &left).Error)
		require.Len(b.t, left, 100)
		require.Equal(b.t, "s051", left[0])
		require.Equal(b.t, newest, left[99])
		require.Equal(b.t, kept, b.remembered(bob)[0].SearchID)
	})
}

func TestSearchesSideBySide(t *testing.T) {
	each(t, func(b *bed) {
		id := b.searched(alice, builder.Query{Text: "begin"})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, err := b.Search(b.t.Context(), alice, builder.Query{Text: fmt.Sprint("typed ", i), SearchID: id, Page: 1, Size: 1})
				require.NoError(b.t, err)
				_, err = b.Search(b.t.Context(), alice, builder.Query{Text: fmt.Sprint("new ", i), Page: 1, Size: 1})
				require.NoError(b.t, err)
			})
		}
		all.Wait()
		require.Equal(b.t, 9, b.rows(alice))
	})
}

func TestDeleteUser(t *testing.T) {
	each(t, func(b *bed) {
		for i := range 3 {
			b.searched(alice, builder.Query{Text: fmt.Sprint(i)})
		}
		his := b.searched(bob, builder.Query{Text: "of bob"})
		n, err := b.DeleteUser(b.t.Context(), alice)
		require.NoError(b.t, err)
		require.Equal(b.t, 3, n)
		require.Equal(b.t, []builder.SearchEntry{}, b.remembered(alice))
		require.Equal(b.t, his, b.remembered(bob)[0].SearchID)
	})
}
