package builder

import (
	"context"
	"log/slog"
	"time"

	"agentserver/core"
)

// Primary, Extra and Ratio score texts for one query.
func Primary(name, text, query string) float64 { return newScorer(query).primary(name, text) }

// Extra is for the other texts of a thing.
func Extra(text, query string, contains, similar float64) float64 {
	return newScorer(query).extra(text, contains, similar)
}

// Ratio says how alike a text and a query are.
func Ratio(text, query string) float64 { return newMatcher(query).ratio(text) }

// RatioOf is Ratio for many texts and one query.
func RatioOf(query string) func(text string) float64 { return newMatcher(query).ratio }

// Typed gives what is searched for when a text was typed.
func Typed(text string) (string, error) {
	q := Query{Text: text}
	err := q.tidy()
	return q.Text, err
}

// NewUse makes what counts the use of blocks, and gives its two methods.
func NewUse(ctx context.Context, count func(context.Context, time.Time) (map[string]int, error)) (latest func(context.Context) map[string]int, stop func()) {
	u := &use{count: count, ctx: ctx, log: slog.New(slog.DiscardHandler)}
	return u.latest, u.stop
}

// FindBlocks gives the search of the blocks of a registry, which says how many
// there are.
func FindBlocks(registry *core.Registry) func(text string) int {
	x, err := newIndex(registry)
	if err != nil {
		panic(err)
	}
	return func(text string) int {
		var totals Totals
		return len(x.find(newScorer(text), &Query{Text: text}, &totals))
	}
}
