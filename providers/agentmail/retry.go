package agentmail

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"agentserver/core"
	"agentserver/core/rest"
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
		res, data, err := rest.Once(r.next, req, attemptTimeout, r.limit)
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
			if !r.passing(res.StatusCode, data) {
				return res, nil
			}
			if asked, ok := rest.RetryAfter(res.Header); ok {
				pause = asked
			}
			if pause > longestPause {
				return res, nil
			}
		}
		r.repeats++
		if err := rest.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// passing reports whether an answer may be another one soon.
func (r *retrying) passing(status int, data []byte) bool {
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return true
	case status != http.StatusConflict:
		return false
	}
	// Most conflicts stay, so the code decides.
	var body struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(data, &body) != nil {
		return false
	}
	// With a key of its own, a request conflicts only with itself: an earlier
	// attempt is still under way.
	return body.Code == "race_condition" || r.keyed && body.Code == "conflict"
}
