package builtin

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html/charset"

	"agentserver/core"
	"agentserver/core/rest"
)

// Limits of a feed. Those of its parts keep a small text from becoming a large
// structure: the parser needs some hundred bytes for a part, and recurses.
const (
	maxFeed      = 10 << 20 // bytes
	maxFeedParts = 100_000  // elements and attributes, or tokens of JSON
	maxFeedDepth = 100
	feedTimeout  = time.Minute
)

// fetchFeed reads a feed. The errors say that it was the feed.
func fetchFeed(ctx context.Context, doer core.Doer, address string) (*gofeed.Feed, error) {
	u, err := rest.ParseURL(address)
	if err != nil {
		return nil, core.Errorf(core.KindOf(err), "the feed cannot be read: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "the feed's URL cannot be read")
	}
	req.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8")
	res, data, err := rest.Once(doer, req, feedTimeout, maxFeed) //nolint:bodyclose // Once closes it
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, core.Errorf(core.KindOf(err), "the feed cannot be read: %w", err)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, core.Errorf(core.Unavailable, "the feed cannot be read: HTTP %d Error: %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return parseFeed(data)
}

func parseFeed(data []byte) (*gofeed.Feed, error) {
	data = withoutControlBytes(data)
	if err := checkFeed(data); err != nil {
		return nil, err
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(data))
	if err != nil {
		return nil, core.Errorf(core.Invalid, "the feed cannot be read: %w", err)
	}
	return feed, nil
}

// withoutControlBytes removes, as the parser does, the bytes that XML does not
// allow. They are the same in every encoding that a feed may be in.
func withoutControlBytes(data []byte) []byte {
	return slices.DeleteFunc(data, func(b byte) bool { return b < ' ' && b != '\t' && b != '\n' && b != '\r' })
}

// checkFeed looks at the structure of a feed without building it. What is not
// well-formed is for the parser to refuse.
func checkFeed(data []byte) error {
	if trimmed := bytes.TrimLeft(data, "\ufeff \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return checkJSONFeed(trimmed)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict, d.CharsetReader = false, charset.NewReaderLabel
	parts, depth := 0, 0
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the end, or what the parser stumbles over too
		}
		switch token := token.(type) {
		case xml.StartElement:
			parts += 1 + len(token.Attr)
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(token), []byte("<!ENTITY")) {
				return core.Errorf(core.Invalid, "the feed declares entities, which is not allowed")
			}
		}
		if err := checkFeedSize(parts, depth); err != nil {
			return err
		}
	}
}

func checkJSONFeed(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	parts, depth := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return nil //nolint:nilerr // the end, or what the parser stumbles over too
		}
		parts++
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if err := checkFeedSize(parts, depth); err != nil {
			return err
		}
	}
}

func checkFeedSize(parts, depth int) error {
	if parts > maxFeedParts {
		return core.Errorf(core.TooLarge, "the feed has more than %d elements and attributes", maxFeedParts)
	}
	if depth > maxFeedDepth {
		return core.Errorf(core.TooLarge, "the feed is nested deeper than %d levels", maxFeedDepth)
	}
	return nil
}
