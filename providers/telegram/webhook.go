package telegram

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"

	"agentserver/core"
)

// hookType is the only type of webhook, and its only resource: the bot itself.
const hookType = "bot"

// secretHeader carries the secret that was given to setWebhook.
const secretHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the name of a header

// manager sets webhooks up. A bot has one, with the events of all triggers.
type manager struct{ settings *settings }

var (
	_ core.WebhookRegistrar = (*manager)(nil)
	_ core.WebhookManager   = (*manager)(nil)
	_ core.WebhookUpdater   = (*manager)(nil)
)

// Receive implements [core.WebhookManager]. The update's id stands in the body,
// which is as trustworthy as the header that lets it in.
func (m *manager) Receive(hook core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	want, given := hook.Secret.Reveal(), d.Header.Get(secretHeader)
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(given)) != 1 {
		return core.WebhookEvent{}, core.Errorf(core.Forbidden, "Invalid or missing %s", secretHeader)
	}
	update, err := core.DecodeObject(d.Body)
	if err != nil {
		return core.WebhookEvent{}, err
	}
	event := core.WebhookEvent{Type: eventOf(update), Payload: update}
	if id, ok := update["update_id"].(int); ok {
		event.DeliveryID = core.Text(id)
	}
	return event, nil
}

// Register implements [core.WebhookRegistrar]. Telegram replaces whatever
// webhook the bot had.
func (m *manager) Register(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	bot, err := m.bot(http, c)
	if err != nil {
		return core.WebhookRegistration{}, err
	}
	updates := allowedUpdates(hook.Events)
	_, err = bot.call(ctx, "setWebhook", core.NewObject(
		"url", hook.IngressURL, "secret_token", hook.Secret.Reveal(), "allowed_updates", updates))
	if err != nil {
		return core.WebhookRegistration{}, failed(ctx, "set up the Telegram webhook", hint(err))
	}
	return core.WebhookRegistration{Config: map[string]any{"url": hook.IngressURL, "allowed_updates": updates}}, nil
}

// Update implements [core.WebhookUpdater].
func (m *manager) Update(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	return m.Register(ctx, http, hook, c)
}

// Deregister implements [core.WebhookRegistrar]. It leaves a webhook alone that
// is not ours any more: somebody may have set the bot up elsewhere since.
func (m *manager) Deregister(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) error {
	err := m.deregister(ctx, http, hook, c)
	if isRevoked(err) {
		return nil // a bot without its token hears nothing
	}
	return failed(ctx, "remove the Telegram webhook", err)
}

func (m *manager) deregister(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) error {
	bot, err := m.bot(http, c)
	if err != nil {
		return err
	}
	result, err := bot.call(ctx, "getWebhookInfo", core.NewObject())
	if err != nil {
		return err
	}
	info, ok := result.(map[string]any)
	if !ok {
		return core.Errorf(core.Unavailable, "the answer of Telegram is not the JSON that was expected")
	}
	if text(info, "url") != hook.IngressURL {
		return nil
	}
	_, err = bot.call(ctx, "setWebhook", core.NewObject("url", ""))
	return err
}

func (m *manager) bot(http core.Doer, c core.Credential) (*client, error) {
	key, ok := c.(core.APIKey)
	if !ok {
		return nil, core.Errorf(core.Invalid, "a webhook of Telegram needs the token of a bot")
	}
	return newClient(http, m.settings.root(), key.Key)
}

// hint says what to do about a token that Telegram does not know.
func hint(err error) error {
	if isRevoked(err) {
		return core.Errorf(core.KindOf(err), "%w (is the token of the bot right?)", err)
	}
	return err
}

// allowedUpdates gives the kinds of updates that bring the events, in order.
func allowedUpdates(events []string) []string {
	if len(events) == 0 {
		return []string{"message", reactionEvent}
	}
	var updates []string
	for _, event := range events {
		kind, _, _ := strings.Cut(event, ".")
		updates = append(updates, kind)
		if event == editedEvent {
			updates = append(updates, "edited_message")
		}
	}
	slices.Sort(updates)
	return slices.Compact(updates)
}
