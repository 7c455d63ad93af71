package agentmail

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

// maxAnswer bounds an answer of the API, in bytes. A thread comes with the text
// of all its messages.
const maxAnswer = 32 << 20

// request is one call of the API.
type request struct {
	method string
	// path are fixed words and ids in turn; each is encoded.
	path  []string
	query string
	body  any
	// idempotencyKey is for calls that send mail.
	idempotencyKey string
	// repeatable calls have the same effect when made twice.
	repeatable bool
}

// call makes a request, and makes it again where that is safe and may help. An
// answer without a body gives an empty object.
func (c *client) call(ctx context.Context, r request) (object, error) {
	path, err := joinPath(r.path)
	if err != nil {
		return nil, err
	}
	out := rest.Request{
		Method: r.method, URL: c.root + path, Auth: "Bearer " + c.key.Reveal(), JSON: r.body,
		Header: map[string]string{"Accept": "application/json"},
	}
	if r.query != "" {
		out.URL += "?" + r.query
	}
	if r.idempotencyKey != "" {
		out.Header["Idempotency-Key"] = r.idempotencyKey
	}
	doer := &retrying{next: c.http, repeatable: r.repeatable, keyed: r.idempotencyKey != "", limit: maxAnswer}
	data, err := rest.Send(ctx, doer, out)
	if err != nil {
		if r.method == http.MethodDelete && doer.repeats > 0 && isStatus(err, http.StatusNotFound) {
			return object{}, nil // the attempt whose answer was lost has deleted it
		}
		return nil, c.failure(ctx, err)
	}
	if len(data) == 0 {
		return object{}, nil
	}
	var value any
	if err := rest.Decode(data, &value); err != nil {
		return nil, err
	}
	o, ok := value.(map[string]any)
	if !ok {
		return nil, core.Errorf(core.Unavailable, "the answer of AgentMail is not an object")
	}
	return o, nil
}

// failure gives an error in the words for users.
func (c *client) failure(ctx context.Context, err error) error {
	var status *rest.StatusError
	if errors.As(err, &status) {
		return readError(status, c.key)
	}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return core.WithCause(core.Unavailable, err, "AgentMail did not answer in time")
	}
	return err
}

// idNames tells what follows a word of a path.
var idNames = map[string]string{
	"pods": "pod_id", "inboxes": "inbox_id", "messages": "message_id", "threads": "thread_id", "drafts": "draft_id",
	"attachments": "attachment_id", "lists": "direction", "api-keys": "api_key_id", "domains": "domain_id",
	"webhooks": "webhook_id",
}

// joinPath makes a path and refuses parts that would lead to another route.
func joinPath(parts []string) (string, error) {
	var b strings.Builder
	before := ""
	for _, part := range parts {
		if strings.TrimSpace(part) == "" || part == "." || part == ".." {
			name, known := idNames[before]
			if !known {
				name = "entry"
			}
			return "", core.Errorf(core.Invalid, "%s must be an id, not %q", name, part)
		}
		before = part
		b.WriteByte('/')
		b.WriteString(escape(part))
	}
	return b.String(), nil
}

// escape encodes everything that is not unreserved, @ included, which the
// vendor asks for and [url.PathEscape] leaves.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
