package agentmail

import (
	"context"

	"agentserver/core"
)

// podRef is the input of blocks that work on one pod.
type podRef struct {
	access
	PodID string `json:"pod_id" doc:"Id of the pod"`
}

type podOutput struct {
	PodID  core.Pin[string] `json:"pod_id" doc:"Id of the pod"`
	Result core.Pin[object] `json:"result" doc:"The whole pod"`
}

func (o podOutput) emit(pod object, err error) error {
	if err != nil {
		return err
	}
	o.PodID.Emit(pod.text("pod_id"))
	o.Result.Emit(podShape.of(pod))
	return nil
}

type createPodInput struct {
	access
	ClientID string `json:"client_id" default:"" advanced:"true" doc:"Your own id for it. With the id of a pod that exists, that pod is given instead of a second one"`
}

var createPod = core.NewBlock(core.BlockSpec{
	ID: "a2db9784-2d17-4f8f-9d6b-0214e6f22101", Name: "AgentMailCreatePodBlock",
	Description: "Creates a pod, which keeps the mail of one customer or tenant apart from all other. It takes the key of a whole organisation.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *createPodInput, out *podOutput) error {
	return out.emit(connect(run, in.Credentials).CreatePod(ctx, podParams{ClientID: in.ClientID}))
})

var getPod = core.NewBlock(core.BlockSpec{
	ID: "553361bc-bb1b-4322-9ad4-0c226200217e", Name: "AgentMailGetPodBlock",
	Description: "Looks up a pod.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *podRef, out *podOutput) error {
	return out.emit(connect(run, in.Credentials).GetPod(ctx, in.PodID))
})

type listPodsInput struct {
	access
	paging
}

type podsOutput struct {
	Pods core.Pin[[]object] `json:"pods" doc:"The pods of this page"`
	pageOutput
}

var listPods = core.NewBlock(core.BlockSpec{
	ID: "9d3725ee-2968-431a-a816-857ab41e1420", Name: "AgentMailListPodsBlock",
	Description: "Lists the pods of the organisation, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listPodsInput, out *podsOutput) error {
	p, err := connect(run, in.Credentials).ListPods(ctx, in.query(nil))
	if err != nil {
		return err
	}
	out.Pods.Emit(podShape.all(p.Items))
	out.emit(p)
	return nil
})

var deletePod = core.NewBlock(core.BlockSpec{
	ID: "f371f8cd-682d-4f5f-905c-529c74a8fb35", Name: "AgentMailDeletePodBlock",
	Description: "Deletes a pod, for good. Its inboxes, domains and API keys must be gone before.",
	Categories:  communication, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *podRef, out *deletedOutput) error {
	return out.emit(connect(run, in.Credentials).DeletePod(ctx, in.PodID))
})

type listPodInput struct {
	podRef
	paging
}

var listPodInboxes = core.NewBlock(core.BlockSpec{
	ID: "a8c17ce0-b7c1-4bc3-ae39-680e1952e5d0", Name: "AgentMailListPodInboxesBlock",
	Description: "Lists the inboxes of a pod, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listPodInput, out *inboxesOutput) error {
	p, err := connect(run, in.Credentials).ListInboxes(ctx, ofPod(in.PodID), in.query(nil))
	if err != nil {
		return err
	}
	out.Inboxes.Emit(inboxShape.all(p.Items))
	out.emit(p)
	return nil
})

type listPodThreadsInput struct {
	podRef
	paging
	labelled
}

var listPodThreads = core.NewBlock(core.BlockSpec{
	ID: "80214f08-8b85-4533-a6b8-f8123bfcb410", Name: "AgentMailListPodThreadsBlock",
	Description: "Lists the threads of all inboxes of a pod, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listPodThreadsInput, out *threadsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListThreads(ctx, ofPod(in.PodID), in.query(in.Labels)))
})

var listPodDrafts = core.NewBlock(core.BlockSpec{
	ID: "12fd7a3e-51ad-4b20-97c1-0391f207f517", Name: "AgentMailListPodDraftsBlock",
	Description: "Lists the drafts of all inboxes of a pod, page by page.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *listPodInput, out *draftsOutput) error {
	return out.emitAll(connect(run, in.Credentials).ListDrafts(ctx, ofPod(in.PodID), in.query(nil)))
})

type createPodInboxInput struct {
	podRef
	Username    string `json:"username" default:"" advanced:"true" doc:"Part of the address before the @; made up if left empty"`
	Domain      string `json:"domain" default:"" advanced:"true" doc:"Domain of the address, one of AgentMail or your own; theirs if left empty"`
	DisplayName string `json:"display_name" default:"" advanced:"true" doc:"Name that readers see beside the address"`
}

var createPodInbox = core.NewBlock(core.BlockSpec{
	ID: "c6862373-1ac6-402e-89e6-7db1fea882af", Name: "AgentMailCreatePodInboxBlock",
	Description: "Opens an inbox with an e-mail address of its own in a pod.",
	Categories:  communication,
}, func(ctx context.Context, run *core.Run, in *createPodInboxInput, out *newInboxOutput) error {
	inbox, err := connect(run, in.Credentials).CreateInbox(ctx, ofPod(in.PodID),
		inboxParams{Username: in.Username, Domain: in.Domain, DisplayName: in.DisplayName})
	if err != nil {
		return err
	}
	out.emit(inbox)
	return nil
})
