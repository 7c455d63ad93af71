package agentmail

import (
	"context"

	"agentserver/core"
)

// maxRecipients is the vendor's limit for one message.
const maxRecipients = 50

// checkRecipients counts before the call, so that the user reads which limit it
// was.
func checkRecipients(lists ...[]string) error {
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	if n > maxRecipients {
		return core.Errorf(core.Invalid, "Max %d combined recipients across to, cc, and bcc (got %d)", maxRecipients, n)
	}
	return nil
}

// sendKey makes sending safe to repeat: a node that runs again after a crash
// has the same id, so the vendor does not send its mail twice.
func sendKey(run *core.Run) string { return clientID(run.NodeExecID) }

// messageRef is the input of blocks that work on one message.
type messageRef struct {
	inboxRef
	MessageID string `json:"message_id" doc:"Id of the message, with its angle brackets"`
}

// sentOutput is what blocks that send give out.
type sentOutput struct {
	MessageID core.Pin[string] `json:"message_id" doc:"Id of the message that was sent"`
	ThreadID  core.Pin[string] `json:"thread_id" doc:"Id of its thread"`
	Result    core.Pin[object] `json:"result" doc:"Both ids as one object"`
}

func (o sentOutput) emit(sent object, err error) error {
	if err != nil {
		return err
	}
	o.MessageID.Emit(sent.text("message_id"))
	o.ThreadID.Emit(sent.text("thread_id"))
	o.Result.Emit(sentShape.of(sent))
	return nil
}

type sendMessageInput struct {
	inboxRef
	To      []string `json:"to" doc:"Addresses of the recipients"`
	Subject string   `json:"subject" doc:"Subject line"`
	Text    string   `json:"text" doc:"The message as plain text"`
	HTML    string   `json:"html" default:"" advanced:"true" doc:"The message as HTML, for readers that show it"`
	CC      []string `json:"cc" factory:"[]" advanced:"true" doc:"Addresses that get a copy"`
	BCC     []string `json:"bcc" factory:"[]" advanced:"true" doc:"Addresses that get a copy which the others do not see"`
	Labels  []string `json:"labels" factory:"[]" advanced:"true" doc:"Labels that the sent message gets"`
}

var sendMessage = core.NewBlock(core.BlockSpec{
	ID: "b67469b2-7748-4d81-a223-4ebd332cca89", Name: "AgentMailSendMessageBlock",
	Description: "Sends a new e-mail from an inbox, to 50 recipients at most.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *sendMessageInput, out *sentOutput) error {
	if err := checkRecipients(in.To, in.CC, in.BCC); err != nil {
		return err
	}
	return out.emit(connect(run, in.Credentials).SendMessage(ctx, in.InboxID, sendParams{
		To: in.To, CC: in.CC, BCC: in.BCC, Subject: in.Subject, Text: in.Text, HTML: in.HTML, Labels: in.Labels,
		IdempotencyKey: sendKey(run),
	}))
})

type listMessagesInput struct {
	inboxRef
	paging
	labelled
}

type messagesOutput struct {
	Messages core.Pin[[]object] `json:"messages" doc:"The messages of this page, without their text"`
	pageOutput
}

var listMessages = core.NewBlock(core.BlockSpec{
	ID: "721234df-c7a2-4927-b205-744badbd5844", Name: "AgentMailListMessagesBlock",
	Description: "Lists the messages of an inbox, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listMessagesInput, out *messagesOutput) error {
	p, err := connect(run, in.Credentials).ListMessages(ctx, in.InboxID, in.query(in.Labels))
	if err != nil {
		return err
	}
	out.Messages.Emit(messageItemShape.all(p.Items))
	out.emit(p)
	return nil
})

type getMessageOutput struct {
	MessageID     core.Pin[string] `json:"message_id" doc:"Id of the message"`
	ThreadID      core.Pin[string] `json:"thread_id" doc:"Id of its thread"`
	Subject       core.Pin[string] `json:"subject" doc:"Subject line"`
	Text          core.Pin[string] `json:"text" doc:"The message as plain text, with what it quotes"`
	ExtractedText core.Pin[string] `json:"extracted_text" optional:"true" doc:"Only what its writer added, without the quoted mail"`
	HTML          core.Pin[string] `json:"html" optional:"true" doc:"The message as HTML"`
	Result        core.Pin[object] `json:"result" doc:"The whole message"`
}

var getMessage = core.NewBlock(core.BlockSpec{
	ID: "2788bdfa-1527-4603-a5e4-a455c05c032f", Name: "AgentMailGetMessageBlock",
	Description: "Reads a message with its text.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *messageRef, out *getMessageOutput) error {
	m, err := connect(run, in.Credentials).GetMessage(ctx, in.InboxID, in.MessageID)
	if err != nil {
		return err
	}
	out.MessageID.Emit(m.text("message_id"))
	out.ThreadID.Emit(m.text("thread_id"))
	out.Subject.Emit(m.text("subject"))
	out.Text.Emit(m.text("text"))
	out.ExtractedText.Emit(m.text("extracted_text"))
	out.HTML.Emit(m.text("html"))
	out.Result.Emit(messageShape.of(m))
	return nil
})

type replyInput struct {
	messageRef
	Text string `json:"text" doc:"The reply as plain text"`
	HTML string `json:"html" default:"" advanced:"true" doc:"The reply as HTML, for readers that show it"`
}

var replyToMessage = core.NewBlock(core.BlockSpec{
	ID: "b9fe53fa-5026-4547-9570-b54ccb487229", Name: "AgentMailReplyToMessageBlock",
	Description: "Answers the sender of a message, in its thread.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *replyInput, out *sentOutput) error {
	return out.emit(connect(run, in.Credentials).ReplyToMessage(ctx, in.InboxID, in.MessageID,
		replyParams{Text: in.Text, HTML: in.HTML, IdempotencyKey: sendKey(run)}))
})

type forwardInput struct {
	messageRef
	To      []string `json:"to" doc:"Addresses of the recipients"`
	CC      []string `json:"cc" factory:"[]" advanced:"true" doc:"Addresses that get a copy"`
	BCC     []string `json:"bcc" factory:"[]" advanced:"true" doc:"Addresses that get a copy which the others do not see"`
	Subject string   `json:"subject" default:"" advanced:"true" doc:"Subject line; that of the message if left empty"`
	Text    string   `json:"text" default:"" advanced:"true" doc:"Plain text to put in front"`
	HTML    string   `json:"html" default:"" advanced:"true" doc:"HTML to put in front"`
}

var forwardMessage = core.NewBlock(core.BlockSpec{
	ID: "b70c7e33-5d66-4f8e-897f-ac73a7bfce82", Name: "AgentMailForwardMessageBlock",
	Description: "Passes a message on to others, 50 recipients at most.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *forwardInput, out *sentOutput) error {
	if err := checkRecipients(in.To, in.CC, in.BCC); err != nil {
		return err
	}
	return out.emit(connect(run, in.Credentials).ForwardMessage(ctx, in.InboxID, in.MessageID, forwardParams{
		To: in.To, CC: in.CC, BCC: in.BCC, Subject: in.Subject, Text: in.Text, HTML: in.HTML,
		IdempotencyKey: sendKey(run),
	}))
})

type updateMessageInput struct {
	messageRef
	AddLabels    []string `json:"add_labels" factory:"[]" advanced:"true" doc:"Labels to put on the message"`
	RemoveLabels []string `json:"remove_labels" factory:"[]" advanced:"true" doc:"Labels to take off it"`
}

type updateMessageOutput struct {
	MessageID core.Pin[string] `json:"message_id" doc:"Id of the message"`
	Result    core.Pin[object] `json:"result" doc:"The message after the change; only its id and labels are filled"`
}

var updateMessage = core.NewBlock(core.BlockSpec{
	ID: "694ff816-4c89-4a5e-a552-8c31be187735", Name: "AgentMailUpdateMessageBlock",
	Description: "Puts labels on a message or takes them off.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *updateMessageInput, out *updateMessageOutput) error {
	if len(in.AddLabels) == 0 && len(in.RemoveLabels) == 0 {
		return core.Errorf(core.Invalid, "Must specify at least one label operation: add_labels or remove_labels")
	}
	m, err := connect(run, in.Credentials).UpdateMessage(ctx, in.InboxID, in.MessageID,
		labelParams{Add: in.AddLabels, Remove: in.RemoveLabels})
	if err != nil {
		return err
	}
	out.MessageID.Emit(m.text("message_id"))
	out.Result.Emit(messageShape.of(m))
	return nil
})
