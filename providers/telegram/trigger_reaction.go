package telegram

import (
	"context"

	"agentserver/core"
)

type reactionOutput struct {
	Payload   core.Pin[map[string]any] `json:"payload" doc:"The update as Telegram sent it"`
	ChatID    core.Pin[int]            `json:"chat_id" doc:"Id of the chat"`
	MessageID core.Pin[int]            `json:"message_id" doc:"Id of the message in its chat"`
	UserID    core.Pin[int]            `json:"user_id" doc:"Id of who reacted; 0 when that is not told"`
	Username  core.Pin[string]         `json:"username" doc:"Their user name; may be empty"`
	New       core.Pin[[]any]          `json:"new_reactions" doc:"Their reactions now"`
	Old       core.Pin[[]any]          `json:"old_reactions" doc:"Their reactions before"`
}

var reactionTrigger = core.NewBlock(core.BlockSpec{
	ID: "82525328-9368-4966-8f0c-cd78e80181fd", Name: "TelegramMessageReactionTriggerBlock",
	Description: "Starts the agent when somebody reacts to a message. In groups, Telegram tells only bots that are administrators.",
	Categories:  social,
	Webhook:     &core.WebhookConfig{Provider: "telegram", Type: hookType, Resource: hookType, EventFormat: reactionEvent},
}, func(_ context.Context, _ *core.Run, in *triggered, out *reactionOutput) error {
	reaction := member(in.Payload, reactionEvent)
	if reaction == nil {
		return nil // another update of the same bot
	}
	user := member(reaction, "user")
	out.Payload.Emit(in.Payload)
	out.ChatID.Emit(number(member(reaction, "chat"), "id"))
	out.MessageID.Emit(number(reaction, "message_id"))
	out.UserID.Emit(number(user, "id"))
	out.Username.Emit(text(user, "username"))
	out.New.Emit(list(reaction, "new_reaction"))
	out.Old.Emit(list(reaction, "old_reaction"))
	return nil
})
