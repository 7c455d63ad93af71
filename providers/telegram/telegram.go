// Package telegram lets agents speak as a Telegram bot: they send messages and
// files, change and delete messages, and start when somebody writes to the bot
// or reacts to a message.
//
// The vendor's documentation is at https://core.telegram.org/bots/api. The bot's
// token is part of every URL, so no URL may get into an error or a log.
package telegram

import (
	"context"
	"net/url"
	"strings"

	"agentserver/core"
)

// settings are the operator's, under providers.telegram.
type settings struct {
	BaseURL string `key:"base_url" doc:"Address of the Bot API, up to and without /bot: Telegram's own, or that of a Bot API server of your own" default:"https://api.telegram.org" env:"TELEGRAM_BASE_URL"`
}

const defaultBaseURL = "https://api.telegram.org"

var config = &settings{BaseURL: defaultBaseURL}

var provider = &core.Provider{
	Name:     "telegram",
	Title:    "Telegram",
	Settings: config,
	Auth:     []core.AuthMethod{core.APIKeyAuth{Help: "Create a bot with @BotFather (https://t.me/BotFather), which gives you its token"}},
	Webhooks: &manager{settings: config},
	Trusted:  trusted,
	Start:    start,
	Blocks: []core.Block{
		sendMessage, replyToMessage, sendPhoto, sendVoice, sendAudio, sendDocument, sendVideo,
		editMessage, deleteMessage, getFile,
		messageTrigger, reactionTrigger,
	},
}

func init() { core.Register(provider) }

// start checks the settings.
func start(context.Context, *core.Env) error {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && u.Scheme != "http" {
		return core.Errorf(core.Invalid, "base_url is not the address of an API, such as %s", defaultBaseURL)
	}
	return nil
}

// trusted lets an address that the operator has set be anywhere, such as a Bot
// API server on this machine.
func trusted() []string {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || config.root() == defaultBaseURL {
		return nil
	}
	return []string{u.Host}
}

// root is the address that the paths of the API follow.
func (s *settings) root() string { return strings.TrimRight(s.BaseURL, "/") }

// connect gives the API as the user's bot.
func connect(run *core.Run, c core.APIKey) (*client, error) {
	return newClient(run.HTTP, config.root(), c.Key)
}

var social = []core.Category{core.CategorySocial}

// access is the input that every block has.
type access struct {
	Credentials core.APIKey `json:"credentials" doc:"Token of the bot, from @BotFather"`
}

// sentOutput are the outputs of blocks that make or change a message.
type sentOutput struct {
	MessageID core.Pin[int]    `json:"message_id" doc:"Id of the message in its chat"`
	Status    core.Pin[string] `json:"status" doc:"What was done"`
}

// emit reports a message of Telegram.
func (o sentOutput) emit(result any, status string) error {
	message, _ := result.(map[string]any)
	id, ok := core.Number(message["message_id"])
	if !ok {
		return core.Errorf(core.Unavailable, "the answer of Telegram has no message_id")
	}
	o.MessageID.Emit(int(id))
	o.Status.Emit(status)
	return nil
}

// failed puts what could not be done in front of an error. The end of a run
// stays what it is.
func failed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return core.Errorf(core.KindOf(err), "Failed to %s: %w", what, err)
}
