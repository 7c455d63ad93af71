package agentmail

import (
	"context"
	"net/http"

	"agentserver/core"
)

// client is the API over HTTP, with one key.
type client struct {
	http core.Doer
	// root is the address of the API with its version.
	root string
	key  core.Secret
}

var _ api = (*client)(nil)

func (c *client) get(ctx context.Context, path ...string) (object, error) {
	return c.call(ctx, request{method: http.MethodGet, path: path, repeatable: true})
}

// patch sends changes that have the same effect when made twice.
func (c *client) patch(ctx context.Context, body any, path ...string) (object, error) {
	return c.call(ctx, request{method: http.MethodPatch, path: path, body: body, repeatable: true})
}

func (c *client) remove(ctx context.Context, path ...string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: path, repeatable: true})
	return err
}

func (c *client) create(ctx context.Context, body any, path ...string) (object, error) {
	return c.call(ctx, request{method: http.MethodPost, path: path, body: body})
}

// mail sends a message. With an idempotency key the vendor sends it once,
// however often it is asked within a day.
func (c *client) mail(ctx context.Context, idempotencyKey string, body any, path ...string) (object, error) {
	return c.call(ctx, request{
		method: http.MethodPost, path: path, body: body,
		idempotencyKey: idempotencyKey, repeatable: idempotencyKey != "",
	})
}

// list gets a page, whose items stand under name.
func (c *client) list(ctx context.Context, name string, q listQuery, path ...string) (*page, error) {
	o, err := c.call(ctx, request{method: http.MethodGet, path: path, query: q.encode(), repeatable: true})
	if err != nil {
		return nil, err
	}
	p := &page{Items: []object{}, Next: o.text("next_page_token")}
	items, _ := o[name].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			p.Items = append(p.Items, m)
		}
	}
	p.Count = len(p.Items)
	if n, ok := o["count"].(int); ok {
		p.Count = n
	}
	return p, nil
}

// Pods.

func (c *client) CreatePod(ctx context.Context, p podParams) (object, error) {
	return c.call(ctx, request{
		method: http.MethodPost, path: []string{"pods"}, body: p,
		repeatable: p.ClientID != "",
	})
}

func (c *client) GetPod(ctx context.Context, podID string) (object, error) {
	return c.get(ctx, "pods", podID)
}

func (c *client) ListPods(ctx context.Context, q listQuery) (*page, error) {
	return c.list(ctx, "pods", q, "pods")
}

func (c *client) DeletePod(ctx context.Context, podID string) error {
	return c.remove(ctx, "pods", podID)
}

// Keys of a pod.

func (c *client) WhoAmI(ctx context.Context) (object, error) { return c.get(ctx, "auth", "me") }

func (c *client) CreatePodKey(ctx context.Context, podID, name string) (*newKey, error) {
	o, err := c.create(ctx, object{"name": name}, "pods", podID, "api-keys")
	if err != nil {
		return nil, err
	}
	k := &newKey{ID: o.text("api_key_id"), Secret: core.Secret(o.text("api_key"))}
	if k.ID == "" || k.Secret == "" {
		return nil, core.Errorf(core.Unavailable, "AgentMail made a key and did not give it")
	}
	return k, nil
}

func (c *client) ListPodKeys(ctx context.Context, podID string, q listQuery) (*page, error) {
	return c.list(ctx, "api_keys", q, "pods", podID, "api-keys")
}

func (c *client) DeletePodKey(ctx context.Context, podID, keyID string) error {
	return c.remove(ctx, "pods", podID, "api-keys", keyID)
}

// Other parts of a pod.

func (c *client) DeletePodInbox(ctx context.Context, podID, inboxID string) error {
	return c.remove(ctx, "pods", podID, "inboxes", inboxID)
}

func (c *client) ListPodDomains(ctx context.Context, podID string, q listQuery) (*page, error) {
	return c.list(ctx, "domains", q, "pods", podID, "domains")
}

func (c *client) DeletePodDomain(ctx context.Context, podID, domainID string) error {
	return c.remove(ctx, "pods", podID, "domains", domainID)
}

func (c *client) ListPodWebhooks(ctx context.Context, podID string, q listQuery) (*page, error) {
	return c.list(ctx, "webhooks", q, "pods", podID, "webhooks")
}

func (c *client) DeletePodWebhook(ctx context.Context, podID, webhookID string) error {
	return c.remove(ctx, "pods", podID, "webhooks", webhookID)
}

// Inboxes.

func (c *client) CreateInbox(ctx context.Context, in scope, p inboxParams) (object, error) {
	return c.create(ctx, p, in.path("inboxes")...)
}

func (c *client) GetInbox(ctx context.Context, inboxID string) (object, error) {
	return c.get(ctx, "inboxes", inboxID)
}

func (c *client) ListInboxes(ctx context.Context, in scope, q listQuery) (*page, error) {
	return c.list(ctx, "inboxes", q, in.path("inboxes")...)
}

func (c *client) UpdateInbox(ctx context.Context, inboxID, displayName string) (object, error) {
	return c.patch(ctx, object{"display_name": displayName}, "inboxes", inboxID)
}

func (c *client) DeleteInbox(ctx context.Context, inboxID string) error {
	return c.remove(ctx, "inboxes", inboxID)
}

// Messages.

func (c *client) SendMessage(ctx context.Context, inboxID string, p sendParams) (object, error) {
	return c.mail(ctx, p.IdempotencyKey, p, "inboxes", inboxID, "messages", "send")
}

func (c *client) ReplyToMessage(ctx context.Context, inboxID, messageID string, p replyParams) (object, error) {
	return c.mail(ctx, p.IdempotencyKey, p, "inboxes", inboxID, "messages", messageID, "reply")
}

func (c *client) ForwardMessage(ctx context.Context, inboxID, messageID string, p forwardParams) (object, error) {
	return c.mail(ctx, p.IdempotencyKey, p, "inboxes", inboxID, "messages", messageID, "forward")
}

func (c *client) GetMessage(ctx context.Context, inboxID, messageID string) (object, error) {
	return c.get(ctx, "inboxes", inboxID, "messages", messageID)
}

func (c *client) ListMessages(ctx context.Context, inboxID string, q listQuery) (*page, error) {
	return c.list(ctx, "messages", q, "inboxes", inboxID, "messages")
}

func (c *client) UpdateMessage(ctx context.Context, inboxID, messageID string, p labelParams) (object, error) {
	return c.patch(ctx, p, "inboxes", inboxID, "messages", messageID)
}

func (c *client) GetMessageAttachment(ctx context.Context, inboxID, messageID, attachmentID string) (object, error) {
	return c.get(ctx, "inboxes", inboxID, "messages", messageID, "attachments", attachmentID)
}

// Threads.

func (c *client) GetThread(ctx context.Context, in scope, threadID string) (object, error) {
	return c.get(ctx, in.path("threads", threadID)...)
}

func (c *client) ListThreads(ctx context.Context, in scope, q listQuery) (*page, error) {
	return c.list(ctx, "threads", q, in.path("threads")...)
}

func (c *client) DeleteThread(ctx context.Context, inboxID, threadID string) error {
	return c.remove(ctx, "inboxes", inboxID, "threads", threadID)
}

func (c *client) GetThreadAttachment(ctx context.Context, inboxID, threadID, attachmentID string) (object, error) {
	return c.get(ctx, "inboxes", inboxID, "threads", threadID, "attachments", attachmentID)
}

// Drafts.

func (c *client) CreateDraft(ctx context.Context, inboxID string, p draftParams) (object, error) {
	return c.create(ctx, p, "inboxes", inboxID, "drafts")
}

func (c *client) GetDraft(ctx context.Context, inboxID, draftID string) (object, error) {
	return c.get(ctx, "inboxes", inboxID, "drafts", draftID)
}

func (c *client) ListDrafts(ctx context.Context, in scope, q listQuery) (*page, error) {
	return c.list(ctx, "drafts", q, in.path("drafts")...)
}

func (c *client) UpdateDraft(ctx context.Context, inboxID, draftID string, p object) (object, error) {
	return c.patch(ctx, p, "inboxes", inboxID, "drafts", draftID)
}

func (c *client) SendDraft(ctx context.Context, inboxID, draftID, idempotencyKey string) (object, error) {
	return c.mail(ctx, idempotencyKey, object{}, "inboxes", inboxID, "drafts", draftID, "send")
}

func (c *client) DeleteDraft(ctx context.Context, inboxID, draftID string) error {
	return c.remove(ctx, "inboxes", inboxID, "drafts", draftID)
}

// Lists.

func (c *client) CreateListEntry(ctx context.Context, l list, p entryParams) (object, error) {
	return c.create(ctx, p, "lists", l.Direction, l.Type)
}

func (c *client) GetListEntry(ctx context.Context, l list, entry string) (object, error) {
	return c.get(ctx, "lists", l.Direction, l.Type, entry)
}

func (c *client) ListEntries(ctx context.Context, l list, q listQuery) (*page, error) {
	return c.list(ctx, "entries", q, "lists", l.Direction, l.Type)
}

func (c *client) DeleteListEntry(ctx context.Context, l list, entry string) error {
	return c.remove(ctx, "lists", l.Direction, l.Type, entry)
}
