package agentmail

import (
	"context"

	"agentserver/core"
)

// threadRef is the input of blocks that work on one thread of an inbox.
type threadRef struct {
	inboxRef
	ThreadID string `json:"thread_id" doc:"Id of the thread"`
}

type threadsOutput struct {
	Threads core.Pin[[]object] `json:"threads" doc:"The threads of this page, without their messages"`
	pageOutput
}

func (o threadsOutput) emitAll(p *page, err error) error {
	if err != nil {
		return err
	}
	o.Threads.Emit(threadItemShape.all(p.Items))
	o.emit(p)
	return nil
}

type threadOutput struct {
	ThreadID core.Pin[string]   `json:"thread_id" doc:"Id of the thread"`
	Messages core.Pin[[]object] `json:"messages" doc:"Its messages, the oldest first"`
	Result   core.Pin[object]   `json:"result" doc:"The whole thread, messages included"`
}

func (o threadOutput) emit(thread object, err error) error {
	if err != nil {
		return err
	}
	o.ThreadID.Emit(thread.text("thread_id"))
	messages := []object{}
	list, _ := thread["messages"].([]any)
	for _, m := range list {
		if m, ok := m.(map[string]any); ok {
			messages = append(messages, messageShape.of(m))
		}
	}
	o.Messages.Emit(messages)
	o.Result.Emit(threadShape.of(thread))
	return nil
}

type listInboxThreadsInput struct {
	inboxRef
	paging
	labelled
}

var listInboxThreads = core.NewBlock(core.BlockSpec{
	ID: "63dd9e2d-ef81-405c-b034-c031f0437334", Name: "AgentMailListInboxThreadsBlock",
	Description: "Lists the threads of an inbox, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listInboxThreadsInput, out *threadsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListThreads(ctx, ofInbox(in.InboxID), in.query(in.Labels)))
})

var getInboxThread = core.NewBlock(core.BlockSpec{
	ID: "42866290-1479-4153-83e7-550b703e9da2", Name: "AgentMailGetInboxThreadBlock",
	Description: "Reads a thread of an inbox with all its messages.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *threadRef, out *threadOutput) error {
	return out.emit(connect(run, in.Credentials).GetThread(ctx, ofInbox(in.InboxID), in.ThreadID))
})

var deleteInboxThread = core.NewBlock(core.BlockSpec{
	ID: "18cd5f6f-4ff6-45da-8300-25a50ea7fb75", Name: "AgentMailDeleteInboxThreadBlock",
	Description: "Deletes a thread with all its messages, for good.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *threadRef, out *deletedOutput) error {
	return out.emit(connect(run, in.Credentials).DeleteThread(ctx, in.InboxID, in.ThreadID))
})

type listOrgThreadsInput struct {
	access
	paging
	labelled
}

var listOrgThreads = core.NewBlock(core.BlockSpec{
	ID: "d7a0657b-58ab-48b2-898b-7bd94f44a708", Name: "AgentMailListOrgThreadsBlock",
	Description: "Lists the threads of every inbox that the key reaches, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listOrgThreadsInput, out *threadsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListThreads(ctx, nil, in.query(in.Labels)))
})

type orgThreadInput struct {
	access
	ThreadID string `json:"thread_id" doc:"Id of the thread"`
}

var getOrgThread = core.NewBlock(core.BlockSpec{
	ID: "39aaae31-3eb1-44c6-9e37-5a44a4529649", Name: "AgentMailGetOrgThreadBlock",
	Description: "Reads a thread with all its messages, whichever inbox it is in.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *orgThreadInput, out *threadOutput) error {
	return out.emit(connect(run, in.Credentials).GetThread(ctx, nil, in.ThreadID))
})
