package builtin

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// bomb is an input that would become very large, or take very long.
type bomb struct {
	name, block string
	in          core.Values
	file        string               // path of what "workspace://bomb" is
	answer      func() io.ReadCloser // body of the answer to a request
	want        string               // part of the error; "" when it is just within the limits
}

// maxBombHeap bounds what the heap may grow by, in bytes. It is generous: what it
// tells from a bounded block is one that is not bounded at all.
const maxBombHeap = 400 << 20

func TestBombs(t *testing.T) {
	const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">` +
		`<!ENTITY lol2 "&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;">]>`
	feed := core.Values{"rss_url": "https://bomb.example", "polling_rate": 1, "run_continuously": false}
	file := core.Values{"file_input": "workspace://bomb"}
	lines := core.Values{"file_input": "workspace://bomb", "produce_singular_result": true}
	dir := t.TempDir()
	bombs := []bomb{
		{name: "workbook that unpacks to much", block: "ReadSpreadsheetBlock", in: file, file: zipBomb(t, dir, 300<<20), want: "Unable to read Excel file: it unpacks to more than 200 MB"},
		{name: "workbook that lies about its size", block: "ReadSpreadsheetBlock", in: file, file: zipBomb(t, dir, 1000), want: "Unable to read Excel file: zip: not a valid zip file"},
		{name: "workbook of far-off cells", block: "ReadSpreadsheetBlock", in: lines, file: wideWorkbook(t, dir), want: "the table has more than 10000000 cells"},
		{name: "workbook that repeats a text", block: "ReadSpreadsheetBlock", in: lines, file: repeatedWorkbook(t, dir), want: "the table has more than 100 MB of text"},
		{name: "quote without an end", block: "ReadSpreadsheetBlock", in: file, file: repeated(t, dir, "a,b\n1,\"", "x\n", 100<<20), want: "a cell has more than 1048576 bytes; perhaps a quote is not closed"},
		{name: "row without an end", block: "ReadSpreadsheetBlock", in: file, file: repeated(t, dir, "", ",", 100<<20), want: "a row has more than 16384 columns"},
		{name: "empty rows without an end", block: "ReadSpreadsheetBlock", in: lines, file: repeated(t, dir, "a\n", "\n", 20<<20), want: "the table has more than 1000000 rows"},
		{name: "cells for a list", block: "ReadSpreadsheetBlock", in: file, file: repeated(t, dir, "", "1,2,3,4,5,6,7,8,9,0\n", 60<<20), want: "the table has more than 2000000 cells; with produce_singular_result its rows come one by one"},
		{name: "text for one output", block: "FileReadBlock", in: file, file: repeated(t, dir, "", "x", 90<<20), want: "the text is larger than 67108864 bytes; with a smaller size_limit it comes in pieces"},
		{name: "tags in tags", block: "XMLParserBlock", in: core.Values{"input_xml": strings.Repeat("<a>", maxXML/3)}, want: "XML is nested too deeply."},
		{name: "tags beside tags", block: "XMLParserBlock", in: core.Values{"input_xml": "<a>" + strings.Repeat("<b></b>", maxXML/7-1) + "</a>"}, want: "XML has more than 200000 tags."},
		{name: "tags that fill a result", block: "XMLParserBlock", in: core.Values{"input_xml": "<a>" + strings.Repeat("<b></b>", maxXMLTags-1) + "</a>"}},
		{name: "tags without an end", block: "XMLParserBlock", in: core.Values{"input_xml": strings.Repeat("<!--", maxXML/4)}, want: "XML contains text outside the root element"},
		{name: "text in pieces", block: "XMLParserBlock", in: core.Values{"input_xml": "<a>" + strings.Repeat(`\.x<!---->`, maxXML/10-1) + "</a>"}},
		{name: "entities in XML", block: "XMLParserBlock", in: core.Values{"input_xml": laughs + "<lolz>&lol2;</lolz>"}, want: "Unclosed tag detected in XML input."},
		{name: "entities in a feed", block: "ReadRSSFeedBlock", in: feed, answer: body(laughs+"<rss><channel><title>&lol2;</title></channel></rss>", "", 0), want: "the feed declares entities, which is not allowed"},
		{name: "tags in tags of a feed", block: "ReadRSSFeedBlock", in: feed, answer: body(`<rss xmlns:a="b"><channel><item>`, "<a:a>", maxFeed-1000), want: "the feed is nested deeper than 100 levels"},
		{name: "items of a feed", block: "ReadRSSFeedBlock", in: feed, answer: body("<rss><channel>", "<item/>", maxFeed-1000), want: "the feed has more than 100000 elements and attributes"},
		{name: "items of a JSON feed", block: "ReadRSSFeedBlock", in: feed, answer: body(`{"version":"https://jsonfeed.org/version/1","items":[`, "{},", maxFeed-1000), want: "the feed has more than 100000 elements and attributes"},
		{name: "lists in lists of a JSON feed", block: "ReadRSSFeedBlock", in: feed, answer: body(`{"items":`, "[", maxFeed-1000), want: "the feed is nested deeper than 100 levels"},
		{name: "feed without an end", block: "ReadRSSFeedBlock", in: feed, answer: body("<rss>", " ", 1<<40), want: "the answer of bomb.example is larger than 10485760 bytes"},
		{name: "answer without an end", block: "SendWebRequestBlock", in: core.Values{"url": "https://bomb.example"}, answer: body("", "x", 1<<40), want: "the answer of bomb.example is larger than 16777216 bytes"},
		{name: "lists in lists of an answer", block: "SendWebRequestBlock", in: core.Values{"url": "https://bomb.example"}, answer: body("", "[", 10<<20), want: "cannot be read"},
		{name: "pattern without an end", block: "MatchTextPatternBlock", in: core.Values{"text": slowText, "match": slow, "data": "x"}, want: "the pattern takes too long on this text (more than 5s)"},
		{name: "template without an end", block: "FillTextTemplateBlock", in: core.Values{"values": map[string]any{}, "format": loops("")}, want: "Template "},
		{name: "template that writes without an end", block: "FillTextTemplateBlock", in: core.Values{"values": map[string]any{}, "format": loops("{{ 'x' * 10000 }}")}, want: "Template output is too large (max 10485760 bytes)"},
	}
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) { b.goOff(t) })
	}
}

// goOff runs the block and watches the heap.
func (b *bomb) goOff(t *testing.T) {
	_, registry := registered(t)
	block, ok := registry.BlockByName(b.block)
	require.True(t, ok)
	runtime.GC()
	runtime.GC() // what finalizers held goes at the second
	before := heap()
	done, highest := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			select {
			case <-done:
				highest <- most
				return
			case <-time.After(2 * time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	err := core.Execute(t.Context(), block, &core.Run{HTTP: b, Files: b}, b.in, ignore)
	close(done)
	grown := int64(<-highest) - int64(before)
	if b.want == "" {
		require.NoError(t, err)
	} else {
		require.ErrorContains(t, err, b.want)
	}
	require.Less(t, grown, int64(maxBombHeap), "bytes that the heap grew by")
	t.Logf("the heap grew by %d MB", grown>>20)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Do answers every request.
func (b *bomb) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: b.answer()}, nil
}

// Local gives the bomb's file, whatever the reference.
func (b *bomb) Local(context.Context, *core.Run, string) (*core.LocalFile, error) {
	return &core.LocalFile{Path: b.file}, nil
}

func (*bomb) Open(context.Context, *core.Run, string) (data []byte, mime, name string, err error) {
	return nil, "", "", core.Errorf(core.Unavailable, "not here")
}

func (*bomb) Put(context.Context, *core.Run, []byte, string, string) (string, error) {
	return "", core.Errorf(core.Unavailable, "not here")
}

func (*bomb) Create(context.Context, *core.Run, string) (*core.LocalFile, error) {
	return nil, core.Errorf(core.Unavailable, "not here")
}

func (*bomb) Store(context.Context, *core.Run, *core.LocalFile) (string, error) {
	return "", core.Errorf(core.Unavailable, "not here")
}

// loops is a template with three loops, one in the other.
func loops(inner string) string {
	return strings.Repeat("{% for i in range(10000) %}", 3) + inner + strings.Repeat("{% endfor %}", 3)
}

// again is a text over and over.
type again struct {
	block string // the text, often enough for the reads not to be many
	at    int
}

func newAgain(text string) *again { return &again{block: strings.Repeat(text, 1+(64<<10)/len(text))} }

// Read implements [io.Reader].
func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.block[a.at:])
	a.at = (a.at + n) % len(a.block)
	return n, nil
}

// body gives a text and then another over and over, up to a size.
func body(head, text string, size int64) func() io.ReadCloser {
	return func() io.ReadCloser {
		if text == "" {
			return io.NopCloser(strings.NewReader(head))
		}
		return io.NopCloser(io.MultiReader(strings.NewReader(head), io.LimitReader(newAgain(text), size)))
	}
}

func repeated(t *testing.T, dir, head, text string, size int64) string {
	t.Helper()
	f, err := os.CreateTemp(dir, "")
	require.NoError(t, err)
	_, err = io.Copy(f, body(head, text, size)())
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return f.Name()
}
