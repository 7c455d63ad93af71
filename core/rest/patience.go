package rest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"agentserver/core"
)

// The functions here are what repeating a request is made of; which answers are
// worth it, and how often, is for each vendor's client to say.

// Once makes a request within a time and reads the whole answer, of at most limit
// bytes, so that a connection that breaks late counts as a failure too. The body
// of the response can be read again; data is what is in it. The request may be
// made again after that.
func Once(doer core.Doer, req *http.Request, timeout time.Duration, limit int64) (res *http.Response, data []byte, err error) {
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, nil, err
		}
		again.Body = body
	}
	res, err = doer.Do(again)
	if err != nil {
		return nil, nil, err
	}
	from := res.Body // res is nil when an error is returned
	defer func() { _ = from.Close() }()
	data, err = io.ReadAll(io.LimitReader(from, limit+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case core.IsKind(err, core.TooLarge):
		return nil, nil, err
	case err != nil:
		return nil, nil, core.Errorf(core.Unavailable, "reading the answer of %s: %w", req.URL.Hostname(), err)
	case int64(len(data)) > limit:
		return nil, nil, core.Errorf(core.TooLarge, "the answer of %s is larger than %d bytes", req.URL.Hostname(), limit)
	}
	kept := *res
	kept.Body = io.NopCloser(bytes.NewReader(data))
	return &kept, data, nil
}

// RetryAfter is how long an answer asks to wait, if it does: by Retry-After, in
// seconds or as a date, or by Retry-After-Ms.
func RetryAfter(h http.Header) (time.Duration, bool) {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms >= 0 {
		return time.Duration(min(ms, 1e9) * float64(time.Millisecond)), true
	}
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 {
		return time.Duration(min(s, 1e6) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// Sleep waits, or gives the context's error when that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
