package telegram

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"agentserver/core"
)

const (
	// callTimeout bounds one attempt of a call, fileTimeout that of one which
	// moves a file.
	callTimeout = time.Minute
	fileTimeout = 5 * time.Minute
	// maxAnswer and maxFile bound what is read of an answer, in bytes.
	maxAnswer = 4 << 20
	maxFile   = 50 << 20
)

// tokenForm is what tokens look like. A text with other characters would lead to
// another address.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9:_-]+$`)

// client is the Bot API with one token.
type client struct {
	http  core.Doer
	root  string
	token core.Secret
}

// newClient refuses what is not a token, as Telegram does.
func newClient(doer core.Doer, root string, token core.Secret) (*client, error) {
	token = core.Secret(strings.TrimSpace(token.Reveal()))
	if !tokenForm.MatchString(token.Reveal()) {
		return nil, core.Errorf(core.Invalid, "%w", &refusal{
			spoken: true, Code: http.StatusNotFound, Description: "the credential is not the token of a bot, which @BotFather gives",
		})
	}
	return &client{http: doer, root: root, token: token}, nil
}

// request is what is sent, as often as it takes.
type request struct {
	method, url string
	contentType string
	body        []byte
	timeout     time.Duration
	limit       int64
}

// call calls a method and gives its result.
func (c *client) call(ctx context.Context, method string, params *core.Object) (any, error) {
	body, err := core.JSON(params)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "encoding the request: %w", err)
	}
	return c.result(ctx, c.methodRequest(method, "application/json", body, callTimeout))
}

func (c *client) methodRequest(method, contentType string, body []byte, timeout time.Duration) request {
	return request{
		method: http.MethodPost, url: c.root + "/bot" + c.token.Reveal() + "/" + method,
		contentType: contentType, body: body, timeout: timeout, limit: maxAnswer,
	}
}

// result sends a call and reads Telegram's envelope.
func (c *client) result(ctx context.Context, r request) (any, error) {
	status, data, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if refusal := readRefusal(status, data); refusal != nil {
		return nil, c.refused(refusal)
	}
	answer, err := core.DecodeJSON(data)
	envelope, isObject := answer.(map[string]any)
	if err != nil || !isObject {
		return nil, core.Errorf(core.Unavailable, "the answer of Telegram is not the JSON that was expected")
	}
	return envelope["result"], nil
}

// download gets a file by the path that getFile gave.
func (c *client) download(ctx context.Context, path string) (data []byte, err error) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if part == "" || part == "." || part == ".." {
			return nil, core.Errorf(core.Unavailable, "the path of the file is not one of Telegram's")
		}
		parts[i] = url.PathEscape(part)
	}
	status, data, err := c.send(ctx, request{
		method: http.MethodGet, url: c.root + "/file/bot" + c.token.Reveal() + "/" + strings.Join(parts, "/"),
		timeout: fileTimeout, limit: maxFile,
	})
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, c.refused(readRefusal(status, data))
	}
	return data, nil
}

// send sends a request, again while Telegram asks to wait, and gives the status
// and the body of the answer.
func (c *client) send(ctx context.Context, r request) (int, []byte, error) {
	patience := newPatience()
	for {
		status, data, err := c.attempt(ctx, r)
		if err != nil {
			return 0, nil, c.clean(ctx, err)
		}
		if status != http.StatusTooManyRequests || !patience.wait(ctx, readRefusal(status, data)) {
			return status, data, ctx.Err()
		}
	}
}

// attempt sends a request once.
func (c *client) attempt(ctx context.Context, r request) (int, []byte, error) {
	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(limited, r.method, r.url, body)
	if err != nil {
		return 0, nil, err
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, overtime(ctx, limited, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, r.limit+1))
	switch {
	case err != nil:
		return 0, nil, overtime(ctx, limited, err)
	case int64(len(data)) > r.limit:
		return 0, nil, core.Errorf(core.TooLarge, "the answer of Telegram is larger than %d MB", r.limit>>20)
	}
	return res.StatusCode, data, nil
}

// overtime tells an attempt that took too long from one that failed.
func overtime(ctx, limited context.Context, err error) error {
	if ctx.Err() == nil && limited.Err() != nil {
		return core.Errorf(core.Unavailable, "Telegram did not answer in time")
	}
	return err
}
