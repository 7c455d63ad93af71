package rest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"agentserver/core"
)

// Defaults of [Options].
const (
	DefaultTimeout   = 300 * time.Second
	DefaultUserAgent = "agentserver"
	DefaultMaxBody   = 100 << 20
)

// MaxRedirects is how many redirects of one request are followed.
const MaxRedirects = 10

// Options are the settings of a [Client]. The zero value is usable.
type Options struct {
	// Trusted lists hosts that may be reached wherever they are: "host" for
	// every port, or "host:port". A scheme in front is ignored.
	Trusted []string
	// Timeout bounds a call from the first byte sent to the last byte read.
	Timeout time.Duration
	// UserAgent is sent when a request has none.
	UserAgent string
	// MaxBody bounds the bytes read of an answer, after decompression.
	MaxBody int64
}

// Client is the guarded HTTP client. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	guard *guard
}

var (
	_ core.Doer   = (*Client)(nil)
	_ core.Dialer = (*Client)(nil)
)

// NewClient makes a client. Options left out take their defaults.
func NewClient(o Options) *Client {
	return newClient(o, newGuard(o.Trusted))
}

func newClient(o Options, g *guard) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	return &Client{
		guard: g,
		http: &http.Client{
			Transport:     &transport{guard: g, next: newTransport(g, o.Timeout), userAgent: o.UserAgent, maxBody: o.MaxBody},
			CheckRedirect: checkRedirect,
			Timeout:       o.Timeout,
		},
	}
}

// DialContext connects to a host for protocols other than HTTP, with the same
// guard. Errors are as those of Do.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.guard.connect(ctx, network, address)
}

// HTTP gives the client in the form that vendor SDKs take. It has every guard,
// but its errors repeat the URL, which may hold a key.
func (c *Client) HTTP() *http.Client { return c.http }

// Do sends a request. Credentials in the URL are dropped. Errors never hold the
// URL; they are of kind Invalid when the address is refused, TooLarge when the
// answer is, and Unavailable when the host cannot be reached. The context's
// error is returned as it is.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	if r.URL.User != nil {
		r = r.Clone(r.Context())
		r.URL.User = nil
	}
	res, err := c.http.Do(r)
	if err == nil {
		return res, nil
	}
	if ctxErr := r.Context().Err(); ctxErr != nil {
		return nil, ctxErr
	}
	var kinded *core.Error
	if errors.As(err, &kinded) {
		return nil, kinded
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return nil, core.WithCause(core.Unavailable, err, r.URL.Hostname()+" did not answer in time")
		}
		err = wrapped.Err
	}
	return nil, core.Errorf(core.Unavailable, "calling %s: %w", r.URL.Hostname(), err)
}
