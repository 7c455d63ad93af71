// Package agentmail gives agents e-mail addresses of their own, by AgentMail:
// inboxes, messages, threads, drafts, and lists of whom to hear from.
//
// It is also the first user of managed credentials: with a key of the
// operator's organisation, each user gets a pod, which is a separate part of
// the organisation, and a key that reaches nothing but that pod.
//
// The vendor's documentation is at https://docs.agentmail.to.
package agentmail

import (
	"context"
	"net/url"
	"strings"
	"time"

	"agentserver/core"
)

// settings are the operator's, under providers.agent_mail.
type settings struct {
	APIKey  core.Secret `key:"api_key" doc:"Key of the operator's organisation. It serves to give each user a pod and a key; no user can run blocks with it" env:"AGENTMAIL_API_KEY"`
	BaseURL string      `key:"base_url" doc:"Address of the API, up to and without /v0, such as https://api.agentmail.eu for the European one" default:"https://api.agentmail.to" env:"AGENTMAIL_BASE_URL"`
}

// defaultBaseURL is the public API.
const defaultBaseURL = "https://api.agentmail.to"

var config = &settings{BaseURL: defaultBaseURL}

var provisioning = &managed{settings: config, pause: 250 * time.Millisecond}

// There is no system credential on purpose: the organisation's key reaches the
// mail of every user.
var provider = &core.Provider{
	Name:     "agent_mail",
	Title:    "AgentMail",
	Settings: config,
	Auth:     []core.AuthMethod{core.APIKeyAuth{Help: "Create a key at https://console.agentmail.to"}},
	Managed:  provisioning,
	Trusted:  trusted,
	Start:    start,
	Blocks: []core.Block{
		createInbox, getInbox, listInboxes, updateInbox, deleteInbox,
		sendMessage, listMessages, getMessage, replyToMessage, forwardMessage, updateMessage,
		getMessageAttachment, getThreadAttachment,
		listInboxThreads, getInboxThread, deleteInboxThread, listOrgThreads, getOrgThread,
		createDraft, getDraft, listDrafts, updateDraft, sendDraft, deleteDraft, listOrgDrafts,
		listEntries, createListEntry, getListEntry, deleteListEntry,
		createPod, getPod, listPods, deletePod, listPodInboxes, listPodThreads, listPodDrafts, createPodInbox,
	},
}

func init() { core.Register(provider) }

// start checks the settings and keeps the client that provisioning uses.
func start(_ context.Context, env *core.Env) error {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && u.Scheme != "http" {
		return core.Errorf(core.Invalid, "base_url is not the address of an API, such as https://api.agentmail.to")
	}
	provisioning.http = env.HTTP
	return nil
}

// trusted lets an address that the operator has set be anywhere, such as a
// scripted AgentMail on this machine.
func trusted() []string {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || config.BaseURL == defaultBaseURL {
		return nil
	}
	return []string{u.Host}
}

// root is the address that the paths of the API follow.
func (s *settings) root() string { return strings.TrimRight(s.BaseURL, "/") + "/v0" }

// connect gives the API as the user's credential sees it.
func connect(run *core.Run, c core.APIKey) api {
	return &client{http: run.HTTP, root: config.root(), key: c.Key}
}

var communication = []core.Category{core.CategoryCommunication}

// access is the input that every block has.
type access struct {
	Credentials core.APIKey `json:"credentials" doc:"API key of AgentMail"`
}

// paging are the inputs of every block that lists.
type paging struct {
	Limit     int    `json:"limit" default:"20" advanced:"true" doc:"Most items to give, from 1 to 100"`
	PageToken string `json:"page_token" default:"" advanced:"true" doc:"Where to go on: the next_page_token of the page before, or nothing for the first page"`
}

// labelled narrows a list.
type labelled struct {
	Labels []string `json:"labels" factory:"[]" advanced:"true" doc:"Only items that carry all of these labels"`
}

// pageOutput are the outputs that go with the items of a list.
type pageOutput struct {
	Count         core.Pin[int]    `json:"count" doc:"How many items this page has"`
	NextPageToken core.Pin[string] `json:"next_page_token" optional:"true" doc:"Where the next page starts; empty after the last"`
}

// emit gives the figures of a page.
func (o pageOutput) emit(p *page) {
	o.Count.Emit(p.Count)
	o.NextPageToken.Emit(p.Next)
}

// deletedOutput is the output of every block that deletes.
type deletedOutput struct {
	Success core.Pin[bool] `json:"success" doc:"True once it is gone"`
}

// emit reports the deletion, unless it failed.
func (o deletedOutput) emit(err error) error {
	if err != nil {
		return err
	}
	o.Success.Emit(true)
	return nil
}

func (p paging) query(labels []string) listQuery {
	return listQuery{Limit: p.Limit, PageToken: p.PageToken, Labels: labels}
}
