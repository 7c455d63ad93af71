package github

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agentserver/core"
)

const (
	// maxRepeats is how often a request is made again.
	maxRepeats = 2
	// firstPause comes before the first repetition after a failure, limitPause
	// after a limit when GitHub does not say how long. Both double.
	firstPause = 500 * time.Millisecond
	limitPause = time.Minute
	// longestPause is what we wait at most; a limit that ends later is reported
	// at once.
	longestPause = time.Minute
	// attemptTimeout bounds one request.
	attemptTimeout = time.Minute
)

// retrying repeats a request after answers and failures that may pass.
type retrying struct {
	next core.Doer
	// repeatable requests may have had their effect already. The others are made
	// again only when GitHub refused them because of a limit.
	repeatable bool
}

// Do implements [core.Doer].
func (r *retrying) Do(req *http.Request) (*http.Response, error) {
	for repeats := 0; ; repeats++ {
		res, data, err := attempt(r.next, req)
		if repeats == maxRepeats {
			return res, err
		}
		pause := firstPause << repeats
		pause += time.Duration(rand.Int64N(int64(pause) / 10)) // #nosec G404 -- only spreads the load
		switch {
		case err != nil:
			if !r.repeatable || !core.IsKind(err, core.Unavailable) || req.Context().Err() != nil {
				return nil, err
			}
		case limited(res, data):
			pause = untilFree(res.Header, repeats)
		case r.repeatable && passing(res.StatusCode):
			if asked, ok := askedPause(res.Header); ok {
				pause = asked
			}
		default:
			return res, nil
		}
		if pause > longestPause {
			return res, err
		}
		if err := sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// attempt makes the request once, within its time, and reads the whole answer,
// so that a connection that breaks late counts as a failure too.
func attempt(next core.Doer, req *http.Request) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTimeout)
	defer cancel()
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, nil, err
		}
		again.Body = body
	}
	res, err := next.Do(again)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case core.IsKind(err, core.TooLarge):
		return nil, nil, err
	case err != nil:
		return nil, nil, core.Errorf(core.Unavailable, "reading the answer of %s: %w", req.URL.Hostname(), err)
	case len(data) > maxAnswer:
		return nil, nil, core.Errorf(core.TooLarge, "the answer of %s is larger than %d bytes", req.URL.Hostname(), maxAnswer)
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, data, nil
}

// passing reports whether an answer may be another one soon.
func passing(status int) bool {
	return status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
}

// limited reports whether GitHub refused a request because of too many, which
// it does with either status.
func limited(res *http.Response, data []byte) bool {
	switch res.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return res.Header.Get("Retry-After") != "" || res.Header.Get("X-RateLimit-Remaining") == "0" || mentionsLimit(string(data))
	}
	return false
}

func mentionsLimit(text string) bool { return strings.Contains(strings.ToLower(text), "rate limit") }

// untilFree is how long to wait before GitHub takes requests again.
func untilFree(h http.Header, repeats int) time.Duration {
	if asked, ok := askedPause(h); ok {
		return asked
	}
	reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || h.Get("X-RateLimit-Remaining") != "0" {
		return limitPause << repeats
	}
	now := time.Now()
	if there, err := http.ParseTime(h.Get("Date")); err == nil {
		now = there // the moment is one of GitHub's clock
	}
	return max(time.Unix(reset, 0).Sub(now), 0)
}

// askedPause is how long GitHub asks to wait, if it does.
func askedPause(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 {
		return time.Duration(min(s, 1e6) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// sleep waits, or gives the context's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
