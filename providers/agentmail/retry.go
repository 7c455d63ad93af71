package agentmail

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"agentserver/core"
)

const (
	// maxRepeats is how often a request is made again.
	maxRepeats = 2
	// firstPause doubles with each repetition, when the vendor does not say.
	firstPause = 500 * time.Millisecond
	// longestPause is what we wait at most; a quota that frees later is
	// reported at once.
	longestPause = 30 * time.Second
	// attemptTimeout bounds one request, as in the vendor's SDKs.
	attemptTimeout = 60 * time.Second
)

// retrying repeats a request after answers and failures that may pass.
type retrying struct {
	next core.Doer
	// repeatable requests may be made again; the others are made once.
	repeatable bool
	// keyed requests carry an idempotency key.
	keyed bool
	// limit bounds the bytes of an answer.
	limit int64
	// repeats counts the repetitions made.
	repeats int
}

// Do implements [core.Doer].
func (r *retrying) Do(req *http.Request) (*http.Response, error) {
	for {
		res, err := r.attempt(req)
		if !r.repeatable || r.repeats == maxRepeats {
			return res, err
		}
		pause := firstPause << r.repeats
		pause += time.Duration(rand.Int64N(int64(pause) / 10)) // #nosec G404 -- only spreads the load
		if err != nil {
			if !core.IsKind(err, core.Unavailable) || req.Context().Err() != nil {
				return nil, err
			}
		} else {
			if !r.passing(res) {
				return res, nil
			}
			if asked, ok := askedPause(res.Header); ok {
				pause = asked
			}
			if pause > longestPause {
				return res, nil
			}
		}
		r.repeats++
		if err := sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// attempt makes the request once, within its time, and reads the whole answer,
// so that a connection that breaks late counts as a failure too.
func (r *retrying) attempt(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTimeout)
	defer cancel()
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	res, err := r.next.Do(again)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, r.limit+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case core.IsKind(err, core.TooLarge):
		return nil, err
	case err != nil:
		return nil, core.Errorf(core.Unavailable, "reading the answer of %s: %w", req.URL.Hostname(), err)
	case int64(len(data)) > r.limit:
		return nil, core.Errorf(core.TooLarge, "the answer of %s is larger than %d bytes", req.URL.Hostname(), r.limit)
	}
	res.Body = &answer{Reader: bytes.NewReader(data), data: data}
	return res, nil
}

// answer is a body that has been read.
type answer struct {
	io.Reader
	data []byte
}

// Close implements [io.Closer].
func (*answer) Close() error { return nil }

// passing reports whether an answer may be another one soon.
func (r *retrying) passing(res *http.Response) bool {
	switch {
	case res.StatusCode == http.StatusRequestTimeout, res.StatusCode == http.StatusTooManyRequests,
		res.StatusCode >= http.StatusInternalServerError:
		return true
	case res.StatusCode != http.StatusConflict:
		return false
	}
	// Most conflicts stay, so the code decides.
	var body struct {
		Code string `json:"code"`
	}
	a, ok := res.Body.(*answer)
	if !ok || json.Unmarshal(a.data, &body) != nil {
		return false
	}
	// With a key of its own, a request conflicts only with itself: an earlier
	// attempt is still under way.
	return body.Code == "race_condition" || r.keyed && body.Code == "conflict"
}

// askedPause is how long the vendor asks to wait, if it does.
func askedPause(h http.Header) (time.Duration, bool) {
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
