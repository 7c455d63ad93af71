// Package agentmailtest is AgentMail for tests: an [http.Handler] that keeps
// pods, keys, inboxes, messages, threads, drafts and lists in memory and
// answers as the vendor documents, refusals included. It sends no mail; what
// goes to one of its own inboxes arrives there.
//
// Tests can make it slow, failing or silent, before or after a request took
// effect, with [Server.Inject] or, from another process, over HTTP below
// /_admin.
package agentmailtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// OrganizationID is the id of the only organisation, and of its default pod.
const OrganizationID = "00000000-0000-4000-8000-000000000000"

// Server is one AgentMail with one organisation. It is safe for concurrent use.
type Server struct {
	mux *http.ServeMux

	mu       sync.Mutex
	lastID   int
	pods     []*pod
	keys     []*key
	inboxes  []*inbox
	parts    []*part
	entries  []object
	messages []*message
	drafts   []*draft
	files    map[string][]byte
	sends    map[string]*send
	sent     int
	faults   []*Fault
	requests []string
}

// New makes a server whose organisation has the given key.
func New(organizationKey string) *Server {
	s := &Server{
		mux: http.NewServeMux(), files: map[string][]byte{}, sends: map[string]*send{},
		keys: []*key{{id: newID(0), secret: organizationKey, name: "organization"}},
	}
	s.pods = []*pod{{id: OrganizationID, name: "Default Pod", created: time.Now()}}
	s.mux.HandleFunc("/_admin/", s.admin)
	s.mux.HandleFunc("GET /_files/{file}", s.download)
	s.routePods()
	s.routeInboxes()
	s.routeMessages()
	s.routeThreads()
	s.routeDrafts()
	s.routeLists()
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		failure(http.StatusNotFound, "not_found", "Route not found").write(w)
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	switch {
	case strings.Contains(path, "//"):
		reply{http.StatusForbidden, object{"message": "Forbidden"}}.write(w)
	case strings.ContainsAny(path, "@<>"):
		failure(http.StatusBadRequest, "validation_error", "Path segments must be encoded").write(w)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// object is a JSON object.
type object = map[string]any

// reply is an answer.
type reply struct {
	status int
	body   any // nil sends none
}

func ok(body any) reply { return reply{http.StatusOK, body} }

var noContent = reply{status: http.StatusNoContent}

func failure(status int, code, message string) reply {
	name := strings.ReplaceAll(http.StatusText(status), " ", "") + "Error"
	return reply{status, object{"name": name, "code": code, "message": message}}
}

func notFound(what string) reply {
	return failure(http.StatusNotFound, "not_found", what+" not found")
}

func invalid(path, message string) reply {
	r := failure(http.StatusBadRequest, "validation_error", "Validation failed")
	r.body.(object)["errors"] = []object{{"path": []string{path}, "message": message, "code": "custom"}}
	return r
}

func (a reply) write(w http.ResponseWriter) {
	if a.body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body) // a test that went away reads no answer
	}
}

// call is a request that passed the door.
type call struct {
	*http.Request
	s    *Server
	key  *key
	body object
}

// text gives a member of the body.
func (c *call) text(name string) string {
	t, _ := c.body[name].(string)
	return t
}

// texts gives a list of the body; one text counts as a list of one.
func (c *call) texts(name string) []string {
	switch v := c.body[name].(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if t, ok := x.(string); ok {
				out = append(out, t)
			}
		}
		return out
	}
	return nil
}

// handle adds a route below /v0. Handlers run one at a time.
func (s *Server) handle(pattern string, fn func(c *call) reply) {
	method, path, _ := strings.Cut(pattern, " ")
	s.mux.HandleFunc(method+" /v0"+path, func(w http.ResponseWriter, r *http.Request) {
		s.withFaults(w, r, func() reply {
			c := &call{Request: r, s: s}
			if refusal, in := s.admit(c); !in {
				return refusal
			}
			return fn(c)
		})
	})
}

// admit checks the key and reads the body.
func (s *Server) admit(c *call) (reply, bool) {
	authorization := c.Header.Get("Authorization")
	secret, bearer := strings.CutPrefix(authorization, "Bearer ")
	switch {
	case authorization == "":
		return failure(http.StatusUnauthorized, "missing_authorization", "Missing authorization"), false
	case !bearer:
		return failure(http.StatusUnauthorized, "invalid_token_type", "Invalid token type"), false
	}
	for _, k := range s.keys {
		if k.secret == secret {
			c.key = k
		}
	}
	if c.key == nil {
		return failure(http.StatusUnauthorized, "unknown_api_key", "Unknown API key"), false
	}
	data, err := io.ReadAll(io.LimitReader(c.Body, 32<<20))
	if err != nil {
		return failure(http.StatusBadRequest, "validation_error", "The body cannot be read"), false
	}
	if len(data) > 0 && json.Unmarshal(data, &c.body) != nil {
		return failure(http.StatusBadRequest, "validation_error", "The body is not a JSON object"), false
	}
	return reply{}, true
}

func newID(n int) string { return fmt.Sprintf("00000000-0000-4000-9000-%012d", n) }

// nextID gives a new id.
func (s *Server) nextID() string {
	s.lastID++
	return newID(s.lastID)
}

func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// validClientID reports whether a text is one of the vendor's client ids and
// idempotency keys.
func validClientID(id string) bool {
	if id == "" || len(id) > 256 {
		return false
	}
	for _, c := range id {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("-._~", c) {
			return false
		}
	}
	return true
}
