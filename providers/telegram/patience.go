package telegram

import (
	"context"
	"time"

	"agentserver/core/rest"
)

const (
	// maxAttempts is how often a call is made at most.
	maxAttempts = 3
	// maxWait bounds the waits of a call together. A limit that frees later is
	// reported at once.
	maxWait = 30 * time.Second
)

// patience says how long a call may still wait for its turn. Telegram refuses a
// call over its limits before it has an effect, so any may be made again.
type patience struct {
	attempts int
	left     time.Duration
}

func newPatience() *patience { return &patience{attempts: 1, left: maxWait} }

// wait waits as long as Telegram asks for. It reports false, without having
// waited, when that is too long or too often, and when ctx ends.
func (p *patience) wait(ctx context.Context, r *refusal) bool {
	// Telegram speaks in whole seconds; an answer that names none, such as that
	// of a gateway, is worth one.
	seconds := max(r.Parameters.RetryAfter, 1)
	if p.attempts == maxAttempts || seconds > p.left.Seconds() {
		return false
	}
	pause := time.Duration(seconds * float64(time.Second))
	p.attempts++
	p.left -= pause
	return rest.Sleep(ctx, pause) == nil
}
