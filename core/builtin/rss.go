package builtin

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/mmcdole/gofeed"

	"agentserver/core"
)

// RSSEntry is an item of a feed.
type RSSEntry struct {
	Title       string    `json:"title"`
	Link        string    `json:"link"`
	Description string    `json:"description"`
	PubDate     time.Time `json:"pub_date"`
	Author      string    `json:"author"`
	Categories  []string  `json:"categories"`
}

// maxFeedSeen bounds how many items a run remembers.
const maxFeedSeen = 100_000

func readFeed(now func() time.Time) core.Block {
	type input struct {
		URL        string `json:"rss_url" placeholder:"https://example.com/rss" doc:"Address of the feed: RSS, Atom or JSON Feed"`
		Period     int    `json:"time_period" default:"1440" placeholder:"1440" doc:"Minutes before the start of the run from which on items count"`
		Rate       int    `json:"polling_rate" placeholder:"300" doc:"Seconds between two looks at the feed"`
		Continuous bool   `json:"run_continuously" default:"true" doc:"Look again and again, for up to 30 days, instead of once"`
	}
	type output struct {
		Entry   core.Pin[RSSEntry]   `json:"entry" doc:"Each new item"`
		Entries core.Pin[[]RSSEntry] `json:"entries" doc:"All new items of one look at the feed"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "5ebe6768-8e5d-41e3-9134-1c7bd89a8d52", Name: "ReadRSSFeedBlock",
		Description: "Reads a feed and passes on its new items, each of them once.",
		Categories:  []core.Category{core.CategoryInput},
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		began := now()
		since := began.Add(-time.Duration(min(max(in.Period, 0), maxFeedPeriod)) * time.Minute)
		rate := time.Duration(min(max(in.Rate, 1), int(maxWait/time.Second))) * time.Second
		seen := feedMemory{}
		for first := true; ; first = false {
			feed, err := fetchFeed(ctx, run.HTTP, in.URL)
			switch {
			case err != nil && (first || ctx.Err() != nil):
				return err
			case err != nil: // a feed that was there will be there again
				run.Log.WarnContext(ctx, "reading a feed again failed", "error", err)
			default:
				entries := seen.fresh(feed.Items, since)
				for _, e := range entries {
					out.Entry.Emit(e)
				}
				if first || len(entries) > 0 {
					out.Entries.Emit(entries)
				}
			}
			if !in.Continuous || now().Add(rate).After(began.Add(maxWait)) {
				return nil
			}
			if err := pause(ctx, rate); err != nil {
				return err
			}
		}
	})
}

// maxFeedPeriod is a century, in minutes.
const maxFeedPeriod = 100 * 366 * 24 * 60

// feedMemory knows the items that were passed on.
type feedMemory map[[sha256.Size]byte]bool

// fresh gives the items from a time on that were not given before. An item
// without a date, a title or a link is left out.
func (seen feedMemory) fresh(items []*gofeed.Item, since time.Time) []RSSEntry {
	entries := []RSSEntry{}
	for _, item := range items[:min(len(items), maxItems)] {
		published := item.PublishedParsed
		if published == nil {
			published = item.UpdatedParsed
		}
		if published == nil || published.Before(since) || item.Title == "" || item.Link == "" {
			continue
		}
		id := item.GUID
		if id == "" {
			id = item.Link + "\n" + item.Title + "\n" + published.UTC().String()
		}
		key := sha256.Sum256([]byte(id))
		if seen[key] {
			continue
		}
		if len(seen) >= maxFeedSeen {
			clear(seen) // rather an item twice than memory without end
		}
		seen[key] = true
		entries = append(entries, entryOf(item, published.UTC()))
	}
	return entries
}

func entryOf(item *gofeed.Item, published time.Time) RSSEntry {
	e := RSSEntry{
		Title: item.Title, Link: item.Link, Description: item.Description, PubDate: published,
		Categories: append([]string{}, item.Categories...),
	}
	if e.Description == "" {
		e.Description = item.Content
	}
	if len(item.Authors) > 0 && item.Authors[0] != nil {
		e.Author = item.Authors[0].Name
		if e.Author == "" {
			e.Author = item.Authors[0].Email
		}
	}
	return e
}
