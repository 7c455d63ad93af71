package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"agentserver/core"
)

// Limits of a [WebRequest].
const (
	// MaxWebAnswer bounds the body of the answer, in bytes.
	MaxWebAnswer = 16 << 20
	// MaxWebFiles bounds how many files a [WebInput] may name.
	MaxWebFiles = 100
)

// WebRequest is a request that a user wrote, field by field.
type WebRequest struct {
	URL    string
	Method string
	// Header are the user's. Whatever its spelling, a name counts once.
	Header map[string]string
	// Secret are headers of a credential; those of the user win over them.
	Secret map[string]core.Secret
	// JSON sends the body as JSON, else it is a form. A body that is nil is none.
	JSON bool
	Body map[string]any
	// Files are sent with the body as the fields of a multipart form, under the
	// name FilesName. The form of the body is then no matter of JSON.
	Files     []*core.LocalFile
	FilesName string
}

// WebAnswer is what came back: Value is decoded JSON or else text.
type WebAnswer struct {
	Status int
	Value  any
}

// SendWeb makes the request, once. A status is no error, whatever it is. Errors
// are of kind Invalid when the request cannot be made or the answer is not the
// JSON that it says it is, and else those of the client.
func SendWeb(ctx context.Context, doer core.Doer, r WebRequest) (*WebAnswer, error) {
	u, err := ParseURL(r.URL)
	if err != nil {
		return nil, err
	}
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), nil)
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "the URL cannot be read")
	}
	if err := r.addHeaders(req.Header); err != nil {
		return nil, err
	}
	body.addTo(req)
	res, data, err := Once(doer, req, webTimeout, MaxWebAnswer) //nolint:bodyclose // Once closes it
	if err != nil {
		return nil, webError(ctx, u, err)
	}
	value, err := webValue(res, data)
	return &WebAnswer{Status: res.StatusCode, Value: value}, err
}

// webTimeout bounds a request from its first byte to the last of the answer.
const webTimeout = DefaultTimeout

// webError tells the end of the time from the end of the run.
func webError(ctx context.Context, u *url.URL, err error) error {
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return core.WithCause(core.Timeout, err, u.Hostname()+" did not answer within "+webTimeout.String())
	}
	return err
}

// Headers that say how a body travels are refused: a wrong one breaks the request.
// Those of the connection, which people copy from browsers, are left out.
var (
	refusedHeaders = map[string]bool{"Content-Length": true, "Host": true, "Transfer-Encoding": true}
	droppedHeaders = []string{"Accept-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Upgrade"}
)

// addHeaders adds the credential's headers, and then the user's over them.
func (r *WebRequest) addHeaders(h http.Header) error {
	for name, value := range r.Secret {
		if err := checkHeader(name, value.Reveal()); err != nil {
			return err
		}
		h.Set(name, value.Reveal())
	}
	for _, name := range core.SortedKeys(r.Header) {
		if err := checkHeader(name, r.Header[name]); err != nil {
			return err
		}
		h.Set(name, r.Header[name])
	}
	for _, name := range droppedHeaders {
		h.Del(name)
	}
	return nil
}

func checkHeader(name, value string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return core.Errorf(core.Invalid, "the header name %q is not valid", name)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return core.Errorf(core.Invalid, "the value of the header %s has characters that are not allowed", name)
	}
	if refusedHeaders[http.CanonicalHeaderKey(name)] {
		return core.Errorf(core.Invalid, "the header %s cannot be set", http.CanonicalHeaderKey(name))
	}
	return nil
}
