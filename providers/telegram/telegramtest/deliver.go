package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// SecretHeader carries the secret of a webhook.
const SecretHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the name of a header

// ErrNoWebhook says that the bot has no webhook, or none for such updates.
var ErrNoWebhook = errors.New("the bot has no webhook for the update")

// unasked are kinds of updates that come only when they are named.
var unasked = []string{"chat_member", "message_reaction", "message_reaction_count"}

// Deliver sends an update to the webhook of a bot and gives the status of the
// answer. An update without an update_id gets the next one. Deliver it twice
// with the same to have Telegram repeat itself, which it does until an answer
// has status 2xx.
func (s *Server) Deliver(ctx context.Context, token string, update map[string]any) (status int, err error) {
	update = maps.Clone(update)
	s.mu.Lock()
	var hook Webhook
	if b := s.bots[token]; b != nil {
		hook = b.webhook
	}
	if update["update_id"] == nil {
		s.lastID++
		update["update_id"] = s.lastID
	}
	s.mu.Unlock()
	if hook.URL == "" || !hook.takes(update) {
		return 0, ErrNoWebhook
	}
	data, err := json.Marshal(update)
	if err != nil {
		return 0, fmt.Errorf("encoding the update: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if hook.Secret != "" {
		req.Header.Set(SecretHeader, hook.Secret)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// takes reports whether the webhook is told of such updates.
func (w Webhook) takes(update object) bool {
	for kind := range update {
		if kind == "update_id" {
			continue
		}
		if len(w.AllowedUpdates) == 0 {
			return !slices.Contains(unasked, kind)
		}
		if slices.Contains(w.AllowedUpdates, kind) {
			return true
		}
	}
	return false
}
