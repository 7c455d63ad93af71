package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
)

// maxDescription bounds what an error repeats of Telegram's words, in bytes.
const maxDescription = 1000

// refusal is an answer of Telegram that is not a success.
type refusal struct {
	Code        int    `json:"error_code"`
	Description string `json:"description"`
	Parameters  struct {
		// RetryAfter is how many seconds to wait.
		RetryAfter float64 `json:"retry_after"`
		// MigrateToChatID is the new id of a group that became a supergroup.
		MigrateToChatID int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
	OK bool `json:"ok"`
	// spoken says that the words are Telegram's, and not those of a gateway.
	spoken bool
}

func (r *refusal) Error() string {
	if r.Parameters.MigrateToChatID != 0 {
		return fmt.Sprintf("%s (the id of the chat is now %d)", r.Description, r.Parameters.MigrateToChatID)
	}
	return r.Description
}

// readRefusal gives what Telegram refuses, nil for a success. What is not in
// Telegram's form, such as the page of a gateway, is known by its status.
func readRefusal(status int, data []byte) *refusal {
	var r refusal
	if err := json.Unmarshal(data, &r); err != nil {
		r = refusal{OK: status == http.StatusOK}
	}
	if r.OK && status == http.StatusOK {
		return nil
	}
	r.spoken = r.Code != 0
	if !r.spoken {
		r.Code = status
	}
	if r.Description == "" {
		r.Description = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)))
	}
	if len(r.Description) > maxDescription {
		r.Description = strings.ToValidUTF8(r.Description[:maxDescription], "") + "…"
	}
	return &r
}

// refused makes an error of a refusal. Its words are Telegram's, so the token is
// taken out in case they repeat it.
func (c *client) refused(r *refusal) error {
	r.Description = strings.ReplaceAll(r.Description, c.token.Reveal(), c.token.String())
	return core.Errorf(kindOf(r.Code), "%w", r)
}

func kindOf(code int) core.Kind {
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return core.Forbidden
	case code == http.StatusNotFound:
		return core.NotFound
	case code == http.StatusConflict:
		return core.Conflict
	case code == http.StatusRequestEntityTooLarge:
		return core.TooLarge
	case code == http.StatusTooManyRequests:
		return core.TooMany
	case code >= 400 && code < 500:
		return core.Invalid
	}
	return core.Unavailable
}

// isRevoked reports whether Telegram does not know the token any more: 404 is
// its answer to what has not the form of one.
func isRevoked(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.spoken && (r.Code == http.StatusUnauthorized || r.Code == http.StatusNotFound)
}

// clean makes an error of a call that was not answered. The errors of HTTP
// libraries repeat the URL and with it the token, which must not stay in any
// part of the error, since logs show causes too.
func (c *client) clean(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *core.Error
	if errors.As(err, &known) {
		if !c.tells(known) {
			return known
		}
		return &core.Error{Kind: known.Kind, Message: strings.ReplaceAll(known.Message, c.token.Reveal(), c.token.String())}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if c.tells(err) {
		err = nil
	}
	return core.WithCause(core.Unavailable, err, "Telegram cannot be reached")
}

// tells reports whether an error or one of its causes holds the token.
func (c *client) tells(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), c.token.Reveal()) {
			return true
		}
	}
	return false
}
