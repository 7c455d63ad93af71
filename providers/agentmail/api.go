package agentmail

import (
	"context"
	"strconv"
	"strings"

	"agentserver/core"
)

// api is AgentMail as blocks and provisioning see it, in the groups of the
// vendor's own SDK, so that the SDK can take the place of [client]. Answers are
// whole objects, members that are new to us included, because blocks pass them
// on.
type api interface {
	podAPI
	podKeyAPI
	podPartAPI
	inboxAPI
	messageAPI
	threadAPI
	draftAPI
	listAPI
}

type podAPI interface {
	// CreatePod gives the existing pod of the same client id, if there is one.
	CreatePod(ctx context.Context, p podParams) (object, error)
	GetPod(ctx context.Context, podID string) (object, error)
	ListPods(ctx context.Context, q listQuery) (*page, error)
	// DeletePod is refused while the pod has inboxes, keys or domains.
	DeletePod(ctx context.Context, podID string) error
}

type podKeyAPI interface {
	// WhoAmI tells what the key of the caller is and what it reaches.
	WhoAmI(ctx context.Context) (object, error)
	// CreatePodKey makes another key with every call, and only its answer ever
	// holds the secret.
	CreatePodKey(ctx context.Context, podID, name string) (*newKey, error)
	ListPodKeys(ctx context.Context, podID string, q listQuery) (*page, error)
	DeletePodKey(ctx context.Context, podID, keyID string) error
}

// podPartAPI is what else must go before a pod can.
type podPartAPI interface {
	DeletePodInbox(ctx context.Context, podID, inboxID string) error
	ListPodDomains(ctx context.Context, podID string, q listQuery) (*page, error)
	DeletePodDomain(ctx context.Context, podID, domainID string) error
	ListPodWebhooks(ctx context.Context, podID string, q listQuery) (*page, error)
	DeletePodWebhook(ctx context.Context, podID, webhookID string) error
}

type inboxAPI interface {
	CreateInbox(ctx context.Context, in scope, p inboxParams) (object, error)
	GetInbox(ctx context.Context, inboxID string) (object, error)
	ListInboxes(ctx context.Context, in scope, q listQuery) (*page, error)
	UpdateInbox(ctx context.Context, inboxID, displayName string) (object, error)
	DeleteInbox(ctx context.Context, inboxID string) error
}

type messageAPI interface {
	SendMessage(ctx context.Context, inboxID string, p sendParams) (object, error)
	ReplyToMessage(ctx context.Context, inboxID, messageID string, p replyParams) (object, error)
	ForwardMessage(ctx context.Context, inboxID, messageID string, p forwardParams) (object, error)
	GetMessage(ctx context.Context, inboxID, messageID string) (object, error)
	ListMessages(ctx context.Context, inboxID string, q listQuery) (*page, error)
	UpdateMessage(ctx context.Context, inboxID, messageID string, p labelParams) (object, error)
	// GetMessageAttachment gives a link, good for an hour, not the content.
	GetMessageAttachment(ctx context.Context, inboxID, messageID, attachmentID string) (object, error)
}

type threadAPI interface {
	GetThread(ctx context.Context, in scope, threadID string) (object, error)
	ListThreads(ctx context.Context, in scope, q listQuery) (*page, error)
	DeleteThread(ctx context.Context, inboxID, threadID string) error
	// GetThreadAttachment gives a link, good for an hour, not the content.
	GetThreadAttachment(ctx context.Context, inboxID, threadID, attachmentID string) (object, error)
}

type draftAPI interface {
	CreateDraft(ctx context.Context, inboxID string, p draftParams) (object, error)
	GetDraft(ctx context.Context, inboxID, draftID string) (object, error)
	ListDrafts(ctx context.Context, in scope, q listQuery) (*page, error)
	// UpdateDraft changes the members of p; a nil value clears one.
	UpdateDraft(ctx context.Context, inboxID, draftID string, p object) (object, error)
	SendDraft(ctx context.Context, inboxID, draftID, idempotencyKey string) (object, error)
	DeleteDraft(ctx context.Context, inboxID, draftID string) error
}

type listAPI interface {
	CreateListEntry(ctx context.Context, l list, p entryParams) (object, error)
	GetListEntry(ctx context.Context, l list, entry string) (object, error)
	ListEntries(ctx context.Context, l list, q listQuery) (*page, error)
	DeleteListEntry(ctx context.Context, l list, entry string) error
}

// object is one of the vendor's objects with all its members.
type object map[string]any

// text gives a member, or "" if it is absent, null or no text.
func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// page is one page of a list.
type page struct {
	Items []object
	// Count is the number of items on this page.
	Count int
	// Next is the token of the next page, "" after the last.
	Next string
}

// newKey is a key just made, with its secret.
type newKey struct {
	ID     string
	Secret core.Secret
}

// scope says whose inboxes, threads or drafts are meant: the path in front of
// them. The zero value is all that the key reaches.
type scope []string

func ofPod(podID string) scope     { return scope{"pods", podID} }
func ofInbox(inboxID string) scope { return scope{"inboxes", inboxID} }

func (s scope) path(parts ...string) []string { return append(s[:len(s):len(s)], parts...) }

// list names one of the allow and block lists.
type list struct{ Direction, Type string }

// listQuery asks for one page.
type listQuery struct {
	// Limit is brought into the range from 1 to 100, the vendor's.
	Limit     int
	PageToken string
	Labels    []string
}

func (q listQuery) encode() string {
	text := "limit=" + strconv.Itoa(min(max(q.Limit, 1), maxPage))
	if q.PageToken != "" {
		text += "&page_token=" + escape(q.PageToken)
	}
	if len(q.Labels) > 0 {
		// One parameter with a JSON array, as the vendor's first SDK sends it.
		labels := make([]string, len(q.Labels))
		for i, l := range q.Labels {
			data, _ := core.JSON(l) // text always has a JSON form
			labels[i] = string(data)
		}
		text += "&labels=" + escape("["+strings.Join(labels, ", ")+"]")
	}
	return text
}

// maxPage is the most items that the vendor gives at once.
const maxPage = 100

type podParams struct {
	ClientID string `json:"client_id,omitempty"`
	Name     string `json:"name,omitempty"`
}

type inboxParams struct {
	Username    string `json:"username,omitempty"`
	Domain      string `json:"domain,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
}

type sendParams struct {
	To      []string `json:"to"`
	CC      []string `json:"cc,omitempty"`
	BCC     []string `json:"bcc,omitempty"`
	Subject string   `json:"subject"`
	Text    string   `json:"text"`
	HTML    string   `json:"html,omitempty"`
	Labels  []string `json:"labels,omitempty"`

	IdempotencyKey string `json:"-"`
}

type replyParams struct {
	Text string `json:"text"`
	HTML string `json:"html,omitempty"`

	IdempotencyKey string `json:"-"`
}

type forwardParams struct {
	To      []string `json:"to"`
	CC      []string `json:"cc,omitempty"`
	BCC     []string `json:"bcc,omitempty"`
	Subject string   `json:"subject,omitempty"`
	Text    string   `json:"text,omitempty"`
	HTML    string   `json:"html,omitempty"`

	IdempotencyKey string `json:"-"`
}

type labelParams struct {
	Add    []string `json:"add_labels,omitempty"`
	Remove []string `json:"remove_labels,omitempty"`
}

type draftParams struct {
	To        []string `json:"to"`
	CC        []string `json:"cc,omitempty"`
	BCC       []string `json:"bcc,omitempty"`
	Subject   string   `json:"subject,omitempty"`
	Text      string   `json:"text,omitempty"`
	HTML      string   `json:"html,omitempty"`
	InReplyTo string   `json:"in_reply_to,omitempty"`
	SendAt    string   `json:"send_at,omitempty"`
}

type entryParams struct {
	Entry  string `json:"entry"`
	Reason string `json:"reason,omitempty"`
}
