package core

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// fill puts a null object in place of every service that the caller left out.
func (r *Run) fill() {
	if r.Timezone == nil {
		r.Timezone = time.UTC
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.HTTP == nil {
		r.HTTP = absent{}
	}
	if r.Dial == nil {
		r.Dial = absent{}
	}
	if r.Store == nil {
		r.Store = absent{}
	}
	if r.Models == nil {
		r.Models = absent{}
	}
	if r.Agents == nil {
		r.Agents = absent{}
	}
	if r.Review == nil {
		r.Review = absent{}
	}
	if r.Files == nil {
		r.Files = absent{}
	}
	if r.Stats == nil {
		r.Stats = &Stats{}
	}
}

// absent stands in for services that the caller does not offer.
type absent struct{}

func unavailable(what string) error {
	return Errorf(Unavailable, "%s not available here", what)
}

func (absent) Do(*http.Request) (*http.Response, error) {
	return nil, unavailable("outbound HTTP is")
}

func (absent) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, unavailable("outbound connections are")
}

func (absent) Load(context.Context, string, string) (any, bool, error) {
	return nil, false, unavailable("stored values are")
}

func (absent) Save(context.Context, string, string, string, any) error {
	return unavailable("stored values are")
}

func (absent) Generate(context.Context, ModelRequest) (*ModelResponse, error) {
	return nil, unavailable("language models are")
}

func (absent) RunAgent(context.Context, *Run, AgentCall, func(string, any) error) error {
	return unavailable("running other agents is")
}

func (absent) Ask(context.Context, *Run, any, string, bool) (*Decision, error) {
	return nil, unavailable("reviews are")
}

func (absent) Open(context.Context, *Run, string) ([]byte, string, string, error) {
	return nil, "", "", unavailable("files are")
}

func (absent) Put(context.Context, *Run, []byte, string, string) (string, error) {
	return "", unavailable("files are")
}

func (absent) Local(context.Context, *Run, string) (*LocalFile, error) {
	return nil, unavailable("files are")
}

func (absent) Create(context.Context, *Run, string) (*LocalFile, error) {
	return nil, unavailable("files are")
}

func (absent) Store(context.Context, *Run, *LocalFile) (string, error) {
	return "", unavailable("files are")
}
