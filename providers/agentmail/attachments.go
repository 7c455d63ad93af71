package agentmail

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"agentserver/core"
	"agentserver/core/rest"
)

// maxAttachment bounds an attachment, in bytes. It travels through the agent as
// text, a third longer.
const maxAttachment = 25 << 20

type attachmentOutput struct {
	Content      core.Pin[string] `json:"content_base64" doc:"Content of the file, in base64"`
	AttachmentID core.Pin[string] `json:"attachment_id" doc:"Id of the attachment"`
}

type messageAttachmentInput struct {
	messageRef
	AttachmentID string `json:"attachment_id" doc:"Id of the attachment, from the message"`
}

var getMessageAttachment = core.NewBlock(core.BlockSpec{
	ID: "a283ffc4-8087-4c3d-9135-8f26b86742ec", Name: "AgentMailGetMessageAttachmentBlock",
	Description: "Downloads a file that is attached to a message, up to 25 MiB.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *messageAttachmentInput, out *attachmentOutput) error {
	link, err := connect(run, in.Credentials).GetMessageAttachment(ctx, in.InboxID, in.MessageID, in.AttachmentID)
	if err != nil {
		return err
	}
	return out.download(ctx, run, link, in.AttachmentID)
})

type threadAttachmentInput struct {
	threadRef
	AttachmentID string `json:"attachment_id" doc:"Id of the attachment, from the thread"`
}

var getThreadAttachment = core.NewBlock(core.BlockSpec{
	ID: "06b6a4c4-9d71-4992-9e9c-cf3b352763b5", Name: "AgentMailGetThreadAttachmentBlock",
	Description: "Downloads a file that is attached to a message of a thread, up to 25 MiB.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *threadAttachmentInput, out *attachmentOutput) error {
	link, err := connect(run, in.Credentials).GetThreadAttachment(ctx, in.InboxID, in.ThreadID, in.AttachmentID)
	if err != nil {
		return err
	}
	return out.download(ctx, run, link, in.AttachmentID)
})

// download follows the link of an attachment. It is signed: the key is not
// sent, and no error repeats it.
func (o attachmentOutput) download(ctx context.Context, run *core.Run, link object, id string) error {
	if size, ok := core.Number(link["size"]); ok && size > maxAttachment {
		return core.Errorf(core.TooLarge, "the attachment is larger than %d bytes", maxAttachment)
	}
	address := link.text("download_url")
	if address == "" {
		return core.Errorf(core.Unavailable, "AgentMail gave no link to the attachment")
	}
	doer := &retrying{next: run.HTTP, repeatable: true, limit: maxAttachment}
	data, err := rest.Send(ctx, doer, rest.Request{Method: http.MethodGet, URL: address})
	var status *rest.StatusError
	if errors.As(err, &status) {
		return core.Errorf(kindOf(status.Status), "downloading the attachment: HTTP %d", status.Status)
	}
	if err != nil {
		return core.Errorf(core.KindOf(err), "downloading the attachment: %w", err)
	}
	o.Content.Emit(base64.StdEncoding.EncodeToString(data))
	o.AttachmentID.Emit(id)
	return nil
}
