// Package githubtest is the webhook side of GitHub for tests: an [http.Handler]
// that keeps the webhooks of repositories in memory, answers as GitHub
// documents, refusals included, and delivers signed events to the webhooks'
// addresses over HTTP.
//
// Tests can make it fail or break connections, before or after a request took
// effect, with [Server.Inject].
package githubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is one GitHub with one account. It is safe for concurrent use.
type Server struct {
	mux    *http.ServeMux
	client *http.Client
	token  string

	mu         sync.Mutex
	lastID     int64
	repos      map[string]*repository
	faults     []*Fault
	requests   []string
	deliveries []Delivery
	closed     bool
	// sending counts the deliveries under way that no caller waits for.
	sending sync.WaitGroup
}

// repository is a repository that the account administers.
type repository struct {
	name  string
	hooks []*hook
}

// deliveryTimeout is what GitHub gives a receiver to answer.
const deliveryTimeout = 10 * time.Second

// New makes a server with one account, which the token is for, and which
// administers the repositories, each named owner/repo.
func New(token string, repositories ...string) *Server {
	s := &Server{
		mux: http.NewServeMux(), client: &http.Client{Timeout: deliveryTimeout}, token: token,
		repos: map[string]*repository{},
	}
	for _, name := range repositories {
		s.repos[strings.ToLower(name)] = &repository{name: name}
	}
	s.routeHooks()
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound.write(w) })
	return s
}

// Close ends deliveries that no caller waits for: it lets those under way end,
// and starts no more.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.sending.Wait()
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Requests gives the requests so far as "METHOD /path", in order.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// object is a JSON object.
type object = map[string]any

// reply is an answer.
type reply struct {
	status int
	body   any // nil sends none
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body) // a test that went away reads no answer
	}
}

const documentation = "https://docs.github.com/rest"

func refusal(status int, message string, reasons ...string) reply {
	body := object{"message": message, "documentation_url": documentation}
	var errors []object
	for _, reason := range reasons {
		errors = append(errors, object{"resource": "Hook", "code": "custom", "message": reason})
	}
	if errors != nil {
		body["errors"] = errors
	}
	return reply{status, body}
}

var (
	notFound  = refusal(http.StatusNotFound, "Not Found")
	noContent = reply{status: http.StatusNoContent}
)

func invalid(reason string) reply {
	return refusal(http.StatusUnprocessableEntity, "Validation Failed", reason)
}

// call is a request that passed the door.
type call struct {
	*http.Request
	repo *repository
	body object
}

// handle adds a route below a repository. Handlers run one at a time.
func (s *Server) handle(method, path string, fn func(c *call) reply) {
	s.mux.HandleFunc(method+" /repos/{owner}/{repo}"+path, func(w http.ResponseWriter, r *http.Request) {
		s.withFaults(w, r, func() reply {
			c := &call{Request: r}
			if refused, in := s.admit(c); !in {
				return refused
			}
			return fn(c)
		})
	})
}

// admit checks the token, finds the repository and reads the body.
func (s *Server) admit(c *call) (reply, bool) {
	switch {
	case c.UserAgent() == "":
		return refusal(http.StatusForbidden, "Request forbidden by administrative rules."), false
	case c.Header.Get("Authorization") == "":
		return notFound, false
	case c.Header.Get("Authorization") != "Bearer "+s.token:
		return refusal(http.StatusUnauthorized, "Bad credentials"), false
	}
	c.repo = s.repos[strings.ToLower(c.PathValue("owner")+"/"+c.PathValue("repo"))]
	if c.repo == nil {
		return notFound, false
	}
	data, err := io.ReadAll(io.LimitReader(c.Body, 1<<20))
	if err != nil || len(data) > 0 && json.Unmarshal(data, &c.body) != nil {
		return refusal(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return reply{}, true
}
