package rest

import (
	"io"
	"net/http"
	"time"

	"agentserver/core"
)

const (
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader        = 256 << 10
	handshakeTimeout = 15 * time.Second
	idleTimeout      = 90 * time.Second
)

func newTransport(g *guard, timeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:            g.connect,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  timeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           200,
		MaxIdleConnsPerHost:    20,
		IdleConnTimeout:        idleTimeout,
	}
}

// transport checks each request, redirected ones too, and bounds its answer.
type transport struct {
	guard     *guard
	next      http.RoundTripper
	userAgent string
	maxBody   int64
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.guard.check(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // the contract of a RoundTripper
		}
		return nil, err
	}
	if r.Header.Get("User-Agent") == "" {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", t.userAgent)
	}
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := &boundedBody{ReadCloser: res.Body, left: t.maxBody, limit: t.maxBody}
	if res.ContentLength > t.maxBody && r.Method != http.MethodHead {
		_ = res.Body.Close()
		return nil, body.tooLarge()
	}
	res.Body = body
	return res, nil
}

// boundedBody fails instead of giving more than its limit.
type boundedBody struct {
	io.ReadCloser
	left, limit int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	// One byte more than is left tells a body of just the limit from a larger.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, b.tooLarge()
	}
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) tooLarge() error {
	return core.Errorf(core.TooLarge, "the answer is larger than %d bytes", b.limit)
}
