package builtin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// pages gives the next text to every request, and no answer for "".
type pages struct {
	list []string
	next int
	done func()
}

func (p *pages) Do(*http.Request) (*http.Response, error) {
	if p.next == len(p.list) {
		p.done()
		return nil, context.Canceled
	}
	text := p.list[p.next]
	p.next++
	if text == "" {
		return nil, errors.New("refused")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text))}, nil
}

func feedOf(ids ...int) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel>`)
	for _, id := range ids {
		fmt.Fprintf(&b, `<item><title>%d</title><link>https://example.com/%[1]d</link><guid>%[1]d</guid><pubDate>Mon, 23 Nov 2026 12:00:00 GMT</pubDate></item>`, id)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

func TestFeedIsReadAgain(t *testing.T) {
	_, registry := registered(t)
	b, _ := registry.BlockByName("ReadRSSFeedBlock")
	ctx, cancel := context.WithCancel(t.Context())
	// The second look finds nothing new, the third fails.
	doer := &pages{list: []string{feedOf(1, 2), feedOf(2, 1), "", feedOf(3, 2)}, done: cancel}
	var got []string
	err := core.Execute(ctx, b, &core.Run{HTTP: doer}, core.Values{"rss_url": "https://example.com", "polling_rate": 0},
		func(pin string, v any) error {
			switch v := v.(type) {
			case map[string]any:
				got = append(got, fmt.Sprint(pin, " ", v["title"]))
			case []any:
				got = append(got, fmt.Sprint(pin, " ", len(v)))
			}
			return nil
		})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"entry 1", "entry 2", "entries 2", "entry 3", "entries 1"}, got)
}

func TestFeedThatNeverWasThere(t *testing.T) {
	_, err := run(t, "ReadRSSFeedBlock", core.Values{"rss_url": "https://example.com", "polling_rate": 1}, &core.Run{HTTP: &pages{list: []string{""}}})
	require.ErrorContains(t, err, "the feed cannot be read: refused")
}
