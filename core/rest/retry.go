package rest

import (
	"math/rand/v2"
	"net/http"
	"time"

	"agentserver/core"
)

// Defaults of [Retrying].
const (
	DefaultRepeats = 2
	DefaultWait    = 30 * time.Second
	DefaultAttempt = time.Minute
	firstPause     = 500 * time.Millisecond
)

// Retrying repeats requests, where that is safe, after failures and answers that
// may pass. It is for vendors without rules of their own for that.
//
// Requests that only read or that may be made any number of times (GET, HEAD,
// OPTIONS, PUT, DELETE, and others with an Idempotency-Key) are repeated after
// connections that failed and the statuses 408, 429, 500, 502, 503 and 504. All
// others only after 429 and 503 that say when to come back: those were refused
// before they did anything. Retry-After is honoured, else the pause doubles from
// half a second. Waits that would be longer together than Wait are not begun: the
// answer is given back as it is. Bodies are read to their end.
type Retrying struct {
	Next core.Doer
	// Repeats is how often a request is made again, Wait bounds all pauses
	// together, and Attempt one request. 0 are the defaults.
	Repeats int
	Wait    time.Duration
	Attempt time.Duration
	// MaxBody bounds an answer, in bytes; 0 is [DefaultMaxBody].
	MaxBody int64
}

var _ core.Doer = Retrying{}

// Do implements [core.Doer].
func (r Retrying) Do(req *http.Request) (*http.Response, error) {
	r.setDefaults()
	left := r.Wait
	for made := 0; ; made++ {
		res, _, err := Once(r.Next, req, r.Attempt, r.MaxBody)
		pause, again := pauseAfter(req, res, err, made)
		if made >= r.Repeats || !again || pause > left || req.Context().Err() != nil || !repeatable(req) {
			return res, err
		}
		left -= pause
		if err := Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

func (r *Retrying) setDefaults() {
	if r.Repeats == 0 {
		r.Repeats = DefaultRepeats
	}
	if r.Wait == 0 {
		r.Wait = DefaultWait
	}
	if r.Attempt == 0 {
		r.Attempt = DefaultAttempt
	}
	if r.MaxBody == 0 {
		r.MaxBody = DefaultMaxBody
	}
}

// repeatable reports whether the request's body can be sent again.
func repeatable(req *http.Request) bool { return req.Body == nil || req.GetBody != nil }

// idempotent reports whether a request may be made more than once.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, "":
		return true
	}
	return req.Header.Get("Idempotency-Key") != ""
}

// pauseAfter says whether a request may be made again, and after what pause.
func pauseAfter(req *http.Request, res *http.Response, err error, made int) (time.Duration, bool) {
	pause := firstPause << made
	pause += time.Duration(rand.Int64N(int64(pause) / 4)) //nolint:gosec // spreads retries, keeps no secret
	if err != nil {
		// A refused address or an answer that is too large stays what it is.
		passing := core.IsKind(err, core.Unavailable) || core.KindOf(err) == core.Internal
		return pause, passing && idempotent(req)
	}
	asked, says := RetryAfter(res.Header)
	if says {
		pause = asked
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return pause, says || idempotent(req)
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return pause, idempotent(req)
	}
	return 0, false
}
