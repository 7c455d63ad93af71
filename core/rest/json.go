package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"agentserver/core"
)

// maxErrorBody bounds the part of a body that an error repeats, in bytes.
const maxErrorBody = 8 << 10

// StatusError is an answer with a status outside 2xx.
type StatusError struct {
	Status int
	// Body is the text of the answer, cut after 8 KiB.
	Body string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP %d Error: %s, Body: %s", e.Status, http.StatusText(e.Status), e.Body)
}

// Request is a request to an API.
type Request struct {
	Method string
	URL    string
	// Auth is the value of the Authorization header; "" sends none.
	Auth   string
	Header map[string]string
	// JSON is sent as the body unless it is nil.
	JSON any
}

// Send makes a request and gives the body of the answer. A status outside 2xx
// is a [*StatusError].
func Send(ctx context.Context, doer core.Doer, r Request) ([]byte, error) {
	var body io.Reader
	if r.JSON != nil {
		data, err := core.JSON(r.JSON)
		if err != nil {
			return nil, core.Errorf(core.Invalid, "encoding the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		// Its text repeats the URL, which may hold a key.
		return nil, core.WithCause(core.Invalid, err, "the URL cannot be read")
	}
	if r.JSON != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Auth != "" {
		req.Header.Set("Authorization", r.Auth)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	res, err := doer.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Hostname(), err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, &StatusError{Status: res.StatusCode, Body: cut(data)}
	}
	return data, nil
}

func cut(data []byte) string {
	if len(data) > maxErrorBody {
		return strings.ToValidUTF8(string(data[:maxErrorBody]), "") + "…"
	}
	return string(data)
}

// JSON makes a request to a JSON API: in is the body, unless it is nil, and the
// answer is decoded into out, unless that is nil. Auth is the value of the
// Authorization header, "" for none. A status outside 2xx is a [*StatusError].
//
// Into a *any, numbers are decoded as [core.DecodeJSON] does.
func JSON(ctx context.Context, doer core.Doer, method, url, auth string, in, out any) error {
	data, err := Send(ctx, doer, Request{
		Method: method, URL: url, Auth: auth, JSON: in, Header: map[string]string{"Accept": "application/json"},
	})
	if err != nil || out == nil {
		return err
	}
	return Decode(data, out)
}

// Decode reads the JSON body of an answer into out.
func Decode(data []byte, out any) error {
	var err error
	if value, ok := out.(*any); ok {
		*value, err = core.DecodeJSON(data)
	} else {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		return core.Errorf(core.Unavailable, "the answer is not the JSON that was expected: %w", err)
	}
	return nil
}
