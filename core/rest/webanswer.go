package rest

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/net/html/charset"

	"agentserver/core"
)

// webValue gives the body of an answer as JSON, when it says that it is, or as
// text. An empty one that should be JSON is null.
func webValue(res *http.Response, data []byte) (any, error) {
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(res.Header.Get("Content-Type")), ";")
	}
	if isJSON(strings.TrimSpace(kind)) {
		if len(bytes.TrimSpace(data)) == 0 {
			return nil, nil
		}
		v, err := core.DecodeJSON(bytes.TrimPrefix(data, []byte("\ufeff")))
		if err != nil {
			return nil, core.Errorf(core.Invalid, "the answer says that it is JSON, but it cannot be read: %w", err)
		}
		return v, nil
	}
	return webText(data, params["charset"]), nil
}

func isJSON(kind string) bool {
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")
}

// webText reads text of a charset, UTF-8 when none is named or known. What is
// no text in it is replaced.
func webText(data []byte, name string) string {
	if name != "" && !strings.EqualFold(name, "utf-8") {
		if r, err := charset.NewReaderLabel(name, bytes.NewReader(data)); err == nil {
			if text, err := io.ReadAll(r); err == nil {
				data = text
			}
		}
	}
	return strings.ToValidUTF8(string(data), "\ufffd")
}
