package agentmail

import (
	"context"

	"agentserver/core"
)

// draftRef is the input of blocks that work on one draft.
type draftRef struct {
	inboxRef
	DraftID string `json:"draft_id" doc:"Id of the draft"`
}

// savedDraftOutput is what blocks that write a draft give out.
type savedDraftOutput struct {
	DraftID    core.Pin[string] `json:"draft_id" doc:"Id of the draft"`
	SendStatus core.Pin[string] `json:"send_status" optional:"true" doc:"scheduled, sending or failed; empty for a draft that nobody scheduled"`
	Result     core.Pin[object] `json:"result" doc:"The whole draft"`
}

func (o savedDraftOutput) emit(draft object, err error) error {
	if err != nil {
		return err
	}
	o.DraftID.Emit(draft.text("draft_id"))
	o.SendStatus.Emit(draft.text("send_status"))
	o.Result.Emit(draftShape.of(draft))
	return nil
}

type createDraftInput struct {
	inboxRef
	To        []string `json:"to" doc:"Addresses of the recipients"`
	Subject   string   `json:"subject" default:"" advanced:"true" doc:"Subject line"`
	Text      string   `json:"text" default:"" advanced:"true" doc:"The message as plain text"`
	HTML      string   `json:"html" default:"" advanced:"true" doc:"The message as HTML, for readers that show it"`
	CC        []string `json:"cc" factory:"[]" advanced:"true" doc:"Addresses that get a copy"`
	BCC       []string `json:"bcc" factory:"[]" advanced:"true" doc:"Addresses that get a copy which the others do not see"`
	InReplyTo string   `json:"in_reply_to" default:"" advanced:"true" doc:"Id of the message that this answers"`
	SendAt    string   `json:"send_at" default:"" advanced:"true" doc:"When to send it by itself, such as 2026-08-26T09:00:00Z; nothing to send it by hand"`
}

var createDraft = core.NewBlock(core.BlockSpec{
	ID: "25ac9086-69fd-48b8-b910-9dbe04b8f3bd", Name: "AgentMailCreateDraftBlock",
	Description: "Writes a draft, to be sent later: by hand, or by itself at a set time.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *createDraftInput, out *savedDraftOutput) error {
	return out.emit(connect(run, in.Credentials).CreateDraft(ctx, in.InboxID, draftParams{
		To: in.To, CC: in.CC, BCC: in.BCC, Subject: in.Subject, Text: in.Text, HTML: in.HTML,
		InReplyTo: in.InReplyTo, SendAt: in.SendAt,
	}))
})

type getDraftOutput struct {
	DraftID    core.Pin[string] `json:"draft_id" doc:"Id of the draft"`
	Subject    core.Pin[string] `json:"subject" optional:"true" doc:"Subject line"`
	SendStatus core.Pin[string] `json:"send_status" optional:"true" doc:"scheduled, sending or failed; empty for a draft that nobody scheduled"`
	SendAt     core.Pin[string] `json:"send_at" optional:"true" doc:"When it will be sent by itself; empty if it will not"`
	Result     core.Pin[object] `json:"result" doc:"The whole draft"`
}

var getDraft = core.NewBlock(core.BlockSpec{
	ID: "8e57780d-dc25-43d4-a0f4-1f02877b09fb", Name: "AgentMailGetDraftBlock",
	Description: "Reads a draft and tells whether and when it will be sent.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *draftRef, out *getDraftOutput) error {
	draft, err := connect(run, in.Credentials).GetDraft(ctx, in.InboxID, in.DraftID)
	if err != nil {
		return err
	}
	draft = draftShape.of(draft)
	out.DraftID.Emit(draft.text("draft_id"))
	out.Subject.Emit(draft.text("subject"))
	out.SendStatus.Emit(draft.text("send_status"))
	out.SendAt.Emit(draft.text("send_at"))
	out.Result.Emit(draft)
	return nil
})

type draftsOutput struct {
	Drafts core.Pin[[]object] `json:"drafts" doc:"The drafts of this page, without their text"`
	pageOutput
}

func (o draftsOutput) emitAll(p *page, err error) error {
	if err != nil {
		return err
	}
	o.Drafts.Emit(draftItemShape.all(p.Items))
	o.emit(p)
	return nil
}

type listDraftsInput struct {
	inboxRef
	paging
	labelled
}

var listDrafts = core.NewBlock(core.BlockSpec{
	ID: "e84883b7-7c39-4c5c-88e8-0a72b078ea63", Name: "AgentMailListDraftsBlock",
	Description: "Lists the drafts of an inbox, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listDraftsInput, out *draftsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListDrafts(ctx, ofInbox(in.InboxID), in.query(in.Labels)))
})

type updateDraftInput struct {
	draftRef
	To      *[]string `json:"to" doc:"New recipients, which replace the old; an empty list removes them"`
	Subject *string   `json:"subject" doc:"New subject line"`
	Text    *string   `json:"text" doc:"New plain text"`
	HTML    *string   `json:"html" doc:"New HTML"`
	SendAt  *string   `json:"send_at" doc:"New time to send it by itself; empty text takes it off the schedule"`
}

// changes are the members to change. What is not connected stays as it is.
func (in *updateDraftInput) changes() object {
	o := object{}
	if in.To != nil {
		o["to"] = *in.To
	}
	for name, value := range map[string]*string{"subject": in.Subject, "text": in.Text, "html": in.HTML} {
		if value != nil {
			o[name] = *value
		}
	}
	if in.SendAt != nil {
		o["send_at"] = *in.SendAt
		if *in.SendAt == "" {
			o["send_at"] = nil // empty text is no time; the vendor clears with null
		}
	}
	return o
}

var updateDraft = core.NewBlock(core.BlockSpec{
	ID: "351f6e51-695a-421a-9032-46a587b10336", Name: "AgentMailUpdateDraftBlock",
	Description: "Changes a draft: only what is given.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *updateDraftInput, out *savedDraftOutput) error {
	return out.emit(connect(run, in.Credentials).UpdateDraft(ctx, in.InboxID, in.DraftID, in.changes()))
})

var sendDraft = core.NewBlock(core.BlockSpec{
	ID: "37c39e83-475d-4b3d-843a-d923d001b85a", Name: "AgentMailSendDraftBlock",
	Description: "Sends a draft now. The draft is gone afterwards.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *draftRef, out *sentOutput) error {
	return out.emit(connect(run, in.Credentials).SendDraft(ctx, in.InboxID, in.DraftID, sendKey(run)))
})

var deleteDraft = core.NewBlock(core.BlockSpec{
	ID: "9023eb99-3e2f-4def-808b-d9c584b3d9e7", Name: "AgentMailDeleteDraftBlock",
	Description: "Deletes a draft, for good. A scheduled one is not sent.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *draftRef, out *deletedOutput) error {
	return out.emit(connect(run, in.Credentials).DeleteDraft(ctx, in.InboxID, in.DraftID))
})

type listOrgDraftsInput struct {
	access
	paging
}

var listOrgDrafts = core.NewBlock(core.BlockSpec{
	ID: "ed7558ae-3a07-45f5-af55-a25fe88c9971", Name: "AgentMailListOrgDraftsBlock",
	Description: "Lists the drafts of every inbox that the key reaches, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listOrgDraftsInput, out *draftsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListDrafts(ctx, nil, in.query(nil)))
})
