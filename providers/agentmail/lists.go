package agentmail

import (
	"context"

	"agentserver/core"
)

// listRef is the input of blocks that work on one of the lists.
type listRef struct {
	access
	Direction string `json:"direction" enum:"send,receive" doc:"Whether the list is for mail that goes out or comes in"`
	ListType  string `json:"list_type" enum:"allow,block" doc:"Whether it names what is allowed or what is blocked"`
}

func (in *listRef) list() list { return list{Direction: in.Direction, Type: in.ListType} }

// entryRef is the input of blocks that work on one entry.
type entryRef struct {
	listRef
	Entry string `json:"entry" doc:"The address or domain"`
}

type entryOutput struct {
	Entry  core.Pin[string] `json:"entry" doc:"The address or domain"`
	Result core.Pin[object] `json:"result" doc:"The whole entry"`
}

// emit gives the entry as it was asked for, which is how the agent knows it.
func (o entryOutput) emit(asked string, entry object) {
	o.Entry.Emit(asked)
	o.Result.Emit(entryShape.of(entry))
}

type listEntriesInput struct {
	listRef
	paging
}

type entriesOutput struct {
	Entries core.Pin[[]object] `json:"entries" doc:"The entries of this page"`
	pageOutput
}

var listEntries = core.NewBlock(core.BlockSpec{
	ID: "01489100-35da-45aa-8a01-9540ba0e9a21", Name: "AgentMailListEntriesBlock",
	Description: "Lists the entries of an allow or block list, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listEntriesInput, out *entriesOutput) error {
	p, err := connect(run, in.Credentials).ListEntries(ctx, in.list(), in.query(nil))
	if err != nil {
		return err
	}
	out.Entries.Emit(entryShape.all(p.Items))
	out.emit(p)
	return nil
})

type createEntryInput struct {
	listRef
	Entry  string `json:"entry" doc:"The address or domain to put on the list"`
	Reason string `json:"reason" default:"" advanced:"true" doc:"Why it is blocked; not used on allow lists"`
}

var createListEntry = core.NewBlock(core.BlockSpec{
	ID: "b6650a0a-b113-40cf-8243-ff20f684f9b8", Name: "AgentMailCreateListEntryBlock",
	Description: "Puts an address or a domain on an allow or block list.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *createEntryInput, out *entryOutput) error {
	p := entryParams{Entry: in.Entry}
	if in.ListType == "block" {
		p.Reason = in.Reason
	}
	entry, err := connect(run, in.Credentials).CreateListEntry(ctx, in.list(), p)
	if err != nil {
		return err
	}
	out.emit(in.Entry, entry)
	return nil
})

var getListEntry = core.NewBlock(core.BlockSpec{
	ID: "fb117058-ab27-40d1-9231-eb1dd526fc7a", Name: "AgentMailGetListEntryBlock",
	Description: "Looks up an address or a domain on an allow or block list. It fails if the list does not have it.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *entryRef, out *entryOutput) error {
	entry, err := connect(run, in.Credentials).GetListEntry(ctx, in.list(), in.Entry)
	if err != nil {
		return err
	}
	out.emit(in.Entry, entry)
	return nil
})

var deleteListEntry = core.NewBlock(core.BlockSpec{
	ID: "2b8d57f1-1c9e-470f-a70b-5991c80fad5f", Name: "AgentMailDeleteListEntryBlock",
	Description: "Takes an address or a domain off an allow or block list.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *entryRef, out *deletedOutput) error {
	return out.emit(connect(run, in.Credentials).DeleteListEntry(ctx, in.list(), in.Entry))
})
