package core

import (
	"context"
	"log/slog"
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
	Approved bool
	Payload  any
	Message  string
}

// ErrAwaitingReview pauses a node until a person decides.
var ErrAwaitingReview = Errorf(PreconditionFailed, "waiting for a review")

// Files stores and opens the files that blocks exchange by reference.
type Files interface {
	// Open gives the content of a reference: a data URI, an http(s) URL or a
	// stored file.
	Open(ctx context.Context, run *Run, ref string) (data []byte, mime, name string, err error)
	// Put stores content and gives a reference to it.
	Put(ctx context.Context, run *Run, data []byte, mime, name string) (ref string, err error)
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
