// Package telegramtest is Telegram for tests: an [http.Handler] that speaks the
// parts of the Bot API that agents use, keeps bots, chats and files in memory,
// and answers as the vendor documents, refusals included.
//
// It delivers updates to the webhook that a bot has set, with its secret in the
// header, as Telegram does: [Server.Deliver]. Tests make calls fail with
// [Server.Fail].
package telegramtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// object is a JSON object.
type object = map[string]any

// Server is one Telegram. It is safe for concurrent use.
type Server struct {
	client *http.Client

	mu       sync.Mutex
	bots     map[string]*bot // by token
	messages map[messageKey]object
	files    map[string]file // by id
	calls    []Call
	faults   []*Fault
	lastID   int // of messages and updates
}

// bot is an account that a token speaks for.
type bot struct {
	id      int
	webhook Webhook
}

type messageKey struct{ chat, message int }

type file struct {
	path    string
	content []byte
}

// Webhook is what a bot has set. The zero value is none.
type Webhook struct {
	URL            string
	Secret         string
	AllowedUpdates []string
}

// Call is a call that reached the server. Params has the members of the body, or
// of a form; Files the names of the files of a form by member.
type Call struct {
	Token  string
	Method string
	Params map[string]any
	Files  map[string]string
}

// Fault is an answer that a call gets instead of the right one.
type Fault struct {
	// Method is that of the call, any when it is "".
	Method string
	// Times is how many calls fail: 0 is one, -1 is all.
	Times int
	// After lets the call take effect first.
	After bool
	// Status and Description are the answer's. Without a status the connection is
	// closed without an answer.
	Status      int
	Description string
	// RetryAfter is how many seconds the answer asks to wait, if any.
	RetryAfter int
}

// New makes a server with one bot for each token.
func New(tokens ...string) *Server {
	s := &Server{
		client: &http.Client{Timeout: time.Minute},
		bots:   map[string]*bot{}, messages: map[messageKey]object{}, files: map[string]file{},
	}
	for i, token := range tokens {
		s.bots[token] = &bot{id: i + 1}
	}
	return s
}

// Revoke makes a token useless, and with it the webhook of its bot.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bots, token)
}

// Webhook gives what the bot has set.
func (s *Server) Webhook(token string) Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bots[token]; b != nil {
		return b.webhook
	}
	return Webhook{}
}

// SetWebhook sets a webhook as another owner of the bot would.
func (s *Server) SetWebhook(token string, w Webhook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bots[token]; b != nil {
		b.webhook = w
	}
}

// AddFile puts a file on the server, for getFile to find.
func (s *Server) AddFile(id, path string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = file{path: path, content: content}
}

// Fail adds faults. The first that matches a call takes it.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &f)
	}
}

// Calls gives the calls so far, in order: those of one method, or all when it is
// "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

// Message gives a message as it is now, nil when there is none.
func (s *Server) Message(chat, message int) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.messages[messageKey{chat, message}])
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
		s.download(w, rest)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, found := strings.Cut(rest, "/")
	if !ok || !found {
		refuse(http.StatusNotFound, "Not Found").write(w)
		return
	}
	c, err := readCall(r, token, method)
	if err != nil {
		refuse(http.StatusBadRequest, "Bad Request: "+err.Error()).write(w)
		return
	}
	s.answer(c).write(w)
}

// answer finds the answer to a call, or the fault that takes its place.
func (s *Server) answer(c Call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	f := s.takeFault(c.Method)
	if f == nil {
		return s.handle(c)
	}
	if f.After {
		s.handle(c)
	}
	if f.Status == 0 {
		return reply{}
	}
	a := refuse(f.Status, f.Description)
	if f.RetryAfter > 0 {
		a.body["parameters"] = object{"retry_after": f.RetryAfter}
	}
	return a
}

func (s *Server) takeFault(method string) *Fault {
	for i, f := range s.faults {
		if f.Method != "" && f.Method != method {
			continue
		}
		switch {
		case f.Times < 0:
		case f.Times <= 1:
			s.faults = slices.Delete(s.faults, i, i+1)
		default:
			f.Times--
		}
		return f
	}
	return nil
}

// download serves a file by the token and the path that follow /file/bot.
func (s *Server) download(w http.ResponseWriter, rest string) {
	token, filePath, _ := strings.Cut(rest, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bots[token] == nil {
		refuse(http.StatusUnauthorized, "Unauthorized").write(w)
		return
	}
	for _, f := range s.files {
		if f.path == path.Clean(filePath) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(f.content) // a test that went away reads no answer
			return
		}
	}
	refuse(http.StatusNotFound, "Not Found").write(w)
}

// reply is an answer. The zero value is none: the connection is closed.
type reply struct {
	status int
	body   object
}

func ok(result any) reply { return reply{http.StatusOK, object{"ok": true, "result": result}} }

func refuse(status int, description string) reply {
	return reply{status, object{"ok": false, "error_code": status, "description": description}}
}

func (a reply) write(w http.ResponseWriter) {
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a test that went away reads no answer
}

// maxBody bounds what is read of a call, in bytes.
const maxBody = 64 << 20

// readCall reads a call, whose members stand in JSON, in a form, or in a
// multipart form.
func readCall(r *http.Request, token, method string) (Call, error) {
	c := Call{Token: token, Method: method, Params: object{}, Files: map[string]string{}}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return c, err
		}
		if err := json.Unmarshal(data, &c.Params); err != nil {
			return c, fmt.Errorf("can't parse JSON object: %w", err)
		}
		return c, nil
	}
	err := r.ParseMultipartForm(maxBody) //nolint:gosec // the reader above bounds it
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return c, err
	}
	for name, values := range r.Form {
		c.Params[name] = values[0]
	}
	if r.MultipartForm != nil {
		for name, files := range r.MultipartForm.File {
			c.Files[name] = files[0].Filename
		}
	}
	return c, nil
}
