package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const pingEvent = "ping"

// Delivery is an event that was sent to a webhook.
type Delivery struct {
	// ID is the value of X-GitHub-Delivery. A redelivery has that of the first.
	ID    string
	Event string
	Hook  Hook
	Body  []byte
	// Status and Answer are what the receiver said; Status is 0 when there was no
	// answer, and Err says why.
	Status int
	Answer string
	Err    error
}

// Sign gives the value of X-Hub-Signature-256.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // a hash never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Deliver sends an event to every webhook of a repository that wants it, one
// after the other, and gives what became of it. The repository and the sender
// are added to the payload where it has none.
func (s *Server) Deliver(ctx context.Context, repository, event string, payload map[string]any) ([]Delivery, error) {
	s.mu.Lock()
	r := s.repos[strings.ToLower(repository)]
	if r == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("there is no repository %s", repository)
	}
	body, err := json.Marshal(complete(r.name, payload))
	var out []Delivery
	for _, h := range r.hooks {
		if h.wants(event) {
			out = append(out, Delivery{ID: s.nextDelivery(), Event: event, Hook: h.copy(), Body: body})
		}
	}
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("encoding a payload: %w", err)
	}
	for i := range out {
		out[i] = s.send(ctx, out[i])
	}
	return out, nil
}

// Redeliver sends a delivery again, with the same id, as its owner may do on
// the web site.
func (s *Server) Redeliver(ctx context.Context, d Delivery) Delivery { return s.send(ctx, d) }

// Deliveries gives everything that was delivered so far, pings included, in the
// order in which receivers answered.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

func complete(repository string, payload map[string]any) map[string]any {
	owner, name, _ := strings.Cut(repository, "/")
	full := map[string]any{
		"repository": object{
			"id": 1296269, "name": name, "full_name": repository, "owner": object{"login": owner},
			"html_url": "https://github.com/" + repository, "stargazers_count": 0, "private": false,
		},
		"sender": object{"login": owner, "id": 1, "type": "User"},
	}
	for k, v := range payload {
		full[k] = v
	}
	return full
}

// nextDelivery gives a new id, in the form of a UUID.
func (s *Server) nextDelivery() string {
	s.lastID++
	return fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", s.lastID)
}

// ping sends a test delivery while the request that asked for it is answered.
func (s *Server) ping(h *hook) {
	if s.closed {
		return
	}
	body, _ := json.Marshal(complete(h.repo, object{"zen": "Keep it logically awesome.", "hook_id": h.ID, "hook": h.wire()})) // always has a JSON form
	d := Delivery{ID: s.nextDelivery(), Event: pingEvent, Hook: h.copy(), Body: body}
	s.sending.Go(func() { s.send(context.Background(), d) })
}

// maxReceived bounds what is read of a receiver's answer, in bytes.
const maxReceived = 64 << 10

// send makes the request of a delivery and notes what became of it.
func (s *Server) send(ctx context.Context, d Delivery) Delivery {
	d.Status, d.Answer, d.Err = 0, "", nil
	res, err := s.post(ctx, d)
	if err == nil {
		var answer []byte
		answer, err = io.ReadAll(io.LimitReader(res.Body, maxReceived))
		_ = res.Body.Close()
		d.Status, d.Answer = res.StatusCode, string(answer)
	}
	d.Err = err
	s.mu.Lock()
	s.deliveries = append(s.deliveries, d)
	s.mu.Unlock()
	return d
}

func (s *Server) post(ctx context.Context, d Delivery) (*http.Response, error) {
	body, kind := d.Body, "application/json"
	if d.Hook.ContentType != "json" {
		body, kind = []byte(url.Values{"payload": {string(d.Body)}}.Encode()), "application/x-www-form-urlencoded"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Hook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Content-Type": kind, "Accept": "*/*", "User-Agent": "GitHub-Hookshot/044aadd",
		"X-GitHub-Event": d.Event, "X-GitHub-Delivery": d.ID, "X-GitHub-Hook-ID": strconv.FormatInt(d.Hook.ID, 10),
		"X-GitHub-Hook-Installation-Target-Type": "repository", "X-GitHub-Hook-Installation-Target-ID": "1296269",
	} {
		r.Header.Set(name, value)
	}
	if d.Hook.Secret != "" {
		r.Header.Set("X-Hub-Signature-256", Sign(d.Hook.Secret, body))
	}
	return s.client.Do(r)
}
