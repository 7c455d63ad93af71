package github

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agentserver/core"
	"agentserver/core/rest"
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
		res, data, err := rest.Once(r.next, req, attemptTimeout, maxAnswer)
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
			if asked, ok := rest.RetryAfter(res.Header); ok {
				pause = asked
			}
		default:
			return res, nil
		}
		if pause > longestPause {
			return res, err
		}
		if err := rest.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
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
	if asked, ok := rest.RetryAfter(h); ok {
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
