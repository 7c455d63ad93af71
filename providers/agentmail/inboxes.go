package agentmail

import (
	"context"

	"agentserver/core"
)

// inboxRef is the input of blocks that work on one inbox.
type inboxRef struct {
	access
	InboxID string `json:"inbox_id" doc:"The inbox: its id, which is its address"`
}

type newInboxOutput struct {
	InboxID      core.Pin[string] `json:"inbox_id" doc:"Id of the inbox"`
	EmailAddress core.Pin[string] `json:"email_address" doc:"Address of the inbox, the same as its id"`
	Result       core.Pin[object] `json:"result" doc:"The whole inbox"`
}

func (o newInboxOutput) emit(inbox object) {
	o.InboxID.Emit(inbox.text("inbox_id"))
	o.EmailAddress.Emit(inbox.text("inbox_id"))
	o.Result.Emit(inboxShape.of(inbox))
}

type createInboxInput struct {
	access
	Username    string `json:"username" default:"" advanced:"false" doc:"Part of the address before the @; made up if left empty"`
	Domain      string `json:"domain" default:"" advanced:"false" doc:"Domain of the address, one of AgentMail or your own; theirs if left empty"`
	DisplayName string `json:"display_name" default:"" advanced:"false" doc:"Name that readers see beside the address"`
}

var createInbox = core.NewBlock(core.BlockSpec{
	ID: "7a8ac219-c6ec-4eec-a828-81af283ce04c", Name: "AgentMailCreateInboxBlock",
	Description: "Opens an inbox with an e-mail address of its own.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *createInboxInput, out *newInboxOutput) error {
	inbox, err := connect(run, in.Credentials).CreateInbox(ctx, nil,
		inboxParams{Username: in.Username, Domain: in.Domain, DisplayName: in.DisplayName})
	if err != nil {
		return err
	}
	out.emit(inbox)
	return nil
})

type getInboxOutput struct {
	InboxID      core.Pin[string] `json:"inbox_id" doc:"Id of the inbox"`
	EmailAddress core.Pin[string] `json:"email_address" doc:"Address of the inbox, the same as its id"`
	DisplayName  core.Pin[string] `json:"display_name" optional:"true" doc:"Name that readers see beside the address"`
	Result       core.Pin[object] `json:"result" doc:"The whole inbox"`
}

var getInbox = core.NewBlock(core.BlockSpec{
	ID: "b858f62b-6c12-4736-aaf2-dbc5a9281320", Name: "AgentMailGetInboxBlock",
	Description: "Looks up an inbox.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *inboxRef, out *getInboxOutput) error {
	inbox, err := connect(run, in.Credentials).GetInbox(ctx, in.InboxID)
	if err != nil {
		return err
	}
	out.InboxID.Emit(inbox.text("inbox_id"))
	out.EmailAddress.Emit(inbox.text("inbox_id"))
	out.DisplayName.Emit(inbox.text("display_name"))
	out.Result.Emit(inboxShape.of(inbox))
	return nil
})

type listInboxesInput struct {
	access
	paging
}

type inboxesOutput struct {
	Inboxes core.Pin[[]object] `json:"inboxes" doc:"The inboxes of this page"`
	pageOutput
}

var listInboxes = core.NewBlock(core.BlockSpec{
	ID: "cfd84a06-2121-4cef-8d14-8badf52d22f0", Name: "AgentMailListInboxesBlock",
	Description: "Lists the inboxes that the key reaches, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listInboxesInput, out *inboxesOutput) error {
	p, err := connect(run, in.Credentials).ListInboxes(ctx, nil, in.query(nil))
	if err != nil {
		return err
	}
	out.Inboxes.Emit(inboxShape.all(p.Items))
	out.emit(p)
	return nil
})

type updateInboxInput struct {
	inboxRef
	DisplayName string `json:"display_name" doc:"New name that readers see beside the address"`
}

type updateInboxOutput struct {
	InboxID core.Pin[string] `json:"inbox_id" doc:"Id of the inbox"`
	Result  core.Pin[object] `json:"result" doc:"The whole inbox after the change"`
}

var updateInbox = core.NewBlock(core.BlockSpec{
	ID: "59b49f59-a6d1-4203-94c0-3908adac50b6", Name: "AgentMailUpdateInboxBlock",
	Description: "Renames an inbox. Its address stays.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *updateInboxInput, out *updateInboxOutput) error {
	inbox, err := connect(run, in.Credentials).UpdateInbox(ctx, in.InboxID, in.DisplayName)
	if err != nil {
		return err
	}
	out.InboxID.Emit(inbox.text("inbox_id"))
	out.Result.Emit(inboxShape.of(inbox))
	return nil
})

var deleteInbox = core.NewBlock(core.BlockSpec{
	ID: "ade970ae-8428-4a7b-9278-b52054dbf535", Name: "AgentMailDeleteInboxBlock",
	Description: "Deletes an inbox with all its mail, for good.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *inboxRef, out *deletedOutput) error {
	return out.emit(connect(run, in.Credentials).DeleteInbox(ctx, in.InboxID))
})
