package core

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run tells a block who it runs for and where, and gives it the platform's
// services. A service that the caller does not offer is a null object: its
// methods answer with an error of kind [Unavailable].
type Run struct {
	UserID       string
	GraphID      string
	GraphVersion int
	GraphExecID  string
	NodeID       string
	NodeExecID   string
	// RootExecID and ParentExecID link nested runs; "" at the top.
	RootExecID   string
	ParentExecID string
	// Timezone is the user's, UTC when not set.
	Timezone *time.Location
	DryRun   bool
	// ReviewSafeMode and SensitiveSafeMode ask for human review, see spec of
	// the review and of sensitive blocks.
	ReviewSafeMode    bool
	SensitiveSafeMode bool

	Log    *slog.Logger
	HTTP   Doer
	Dial   Dialer
	Store  KeyValueStore
	Models ModelClient
	Agents SubAgents
	Review Reviewer
	Files  Files
	// Stats collects what the block used.
	Stats *Stats
}

// Doer sends HTTP requests. The platform's is guarded: it does not reach
// private networks.
type Doer interface {
	Do(req *http.Request) (*http.Response, error)
}

// Dialer connects to other hosts, for protocols other than HTTP. The platform's
// is guarded as its [Doer] is: it connects to checked addresses only.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// KeyValueStore keeps a user's values between runs.
type KeyValueStore interface {
	// Load gives a stored value and whether it is there.
	Load(ctx context.Context, userID, key string) (any, bool, error)
	// Save stores a value; the last writer wins.
	Save(ctx context.Context, userID, key, nodeExecID string, value any) error
}

// SubAgents runs another agent from inside a node.
type SubAgents interface {
	// RunAgent starts the agent, waits for its end and passes each of its
	// outputs to emit, exactly once.
	RunAgent(ctx context.Context, run *Run, call AgentCall, emit func(name string, value any) error) error
}

// AgentCall is a request to run an agent as part of another.
type AgentCall struct {
	GraphID      string
	GraphVersion int
	Inputs       Values
	Masks        map[string]Values
}

// Reviewer asks a person before a run goes on.
type Reviewer interface {
	// Ask gives the decision, or [ErrAwaitingReview] when there is none yet:
	// the block returns that error and the node waits.
	Ask(ctx context.Context, run *Run, payload any, title string, editable bool) (*Decision, error)
}

// Decision is a person's answer to a review.
type Decision struct {
	Approved bool `json:"approved"`
	// Payload is what was asked about, as the person left it.
	Payload any    `json:"payload"`
	Message string `json:"message"`
}

// ErrAwaitingReview pauses a node until a person decides.
var ErrAwaitingReview = Errorf(PreconditionFailed, "waiting for a review")

// Files stores and opens the files that blocks exchange by reference. A
// reference is a data URI, an http(s) URL, or a file of the user's workspace
// (workspace://<id> or workspace:///<path>).
//
// Errors are of kind [Invalid] for what is no reference, [NotFound] for what is
// not there, [TooLarge] beyond the server's limits and [Unavailable] for what
// cannot be reached. They do not repeat references, which may hold secrets.
type Files interface {
	// Open gives the content of a file, its media type, and its name, "" when it
	// has none. The content is in memory: for what may be large, see Local.
	Open(ctx context.Context, run *Run, ref string) (data []byte, mime, name string, err error)
	// Put stores content and gives a reference to it: of the workspace in a run
	// of an agent, else a data URI.
	Put(ctx context.Context, run *Run, data []byte, mime, name string) (ref string, err error)
	// Local copies a file to a folder of the node run's own, and gives its place
	// there. The folder is removed when the block ends.
	Local(ctx context.Context, run *Run, ref string) (*LocalFile, error)
	// Create gives the place of a file, not yet there, for content that the block
	// is about to make, in the folder that Local uses. The name tells the type.
	Create(ctx context.Context, run *Run, name string) (*LocalFile, error)
	// Store is Put for a file that Local or Create has given.
	Store(ctx context.Context, run *Run, file *LocalFile) (ref string, err error)
}

// LocalFile is a file on this machine's disk, for the time of one block.
type LocalFile struct {
	// Path is absolute. It ends in a random name with the file's extension.
	Path string
	// MIME is the media type, Name the file's own name, "" when it has none.
	MIME, Name string
	// Size in bytes, 0 for a file that is not made yet.
	Size int64
}

// Stats is what one node run used. Its methods may be called from several
// goroutines.
type Stats struct {
	mu   sync.Mutex
	data StatsData
}

// StatsData are the figures of a node run, as stored.
type StatsData struct {
	InputTokens  int     `json:"input_token_count"`
	OutputTokens int     `json:"output_token_count"`
	ModelCalls   int     `json:"llm_call_count"`
	ModelRetries int     `json:"llm_retry_count"`
	ExtraCost    int     `json:"extra_cost"`
	ExtraSteps   int     `json:"extra_steps"`
	WallTime     float64 `json:"walltime"` // seconds
	InputSize    int     `json:"input_size"`
	OutputSize   int     `json:"output_size"`
	Error        string  `json:"error,omitempty"`
}

// Add adds figures; the error of the last call with one stays.
func (s *Stats) Add(d StatsData) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data.InputTokens += d.InputTokens
	s.data.OutputTokens += d.OutputTokens
	s.data.ModelCalls += d.ModelCalls
	s.data.ModelRetries += d.ModelRetries
	s.data.ExtraCost += d.ExtraCost
	s.data.ExtraSteps += d.ExtraSteps
	s.data.WallTime += d.WallTime
	s.data.InputSize += d.InputSize
	s.data.OutputSize += d.OutputSize
	if d.Error != "" {
		s.data.Error = d.Error
	}
}

// Data gives a copy of the figures.
func (s *Stats) Data() StatsData {
	if s == nil {
		return StatsData{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}
