package llm_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/llm"
)

// reply is one scripted answer of a vendor.
type reply struct {
	status int // 200 unless set
	header map[string]string
	body   string
	// hang keeps the connection open without an answer until the client leaves.
	hang bool
}

// vendor is a scripted server. After the last reply it repeats it.
type vendor struct {
	*httptest.Server
	mu       sync.Mutex
	replies  []reply
	requests []*http.Request
	bodies   []map[string]any
	// arrived gets a value for every request that hangs.
	arrived chan struct{}
}

func newVendor(t *testing.T, replies ...reply) *vendor {
	t.Helper()
	v := &vendor{replies: replies, arrived: make(chan struct{}, 10)}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(data, &body)
	v.mu.Lock()
	v.requests = append(v.requests, r)
	v.bodies = append(v.bodies, body)
	next := v.replies[min(len(v.requests), len(v.replies))-1]
	v.mu.Unlock()
	if next.hang {
		v.arrived <- struct{}{}
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range next.header {
		w.Header().Set(name, value)
	}
	if next.status != 0 {
		w.WriteHeader(next.status)
	}
	_, _ = io.WriteString(w, next.body)
}

func (v *vendor) calls() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.requests)
}

// endpoint is a provider's offer in a test.
type endpoint core.ModelEndpoint

func (e endpoint) Endpoint() core.ModelEndpoint { return core.ModelEndpoint(e) }

const systemID = "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a"

// clientOf gives a client of one provider whose models the vendor serves.
func clientOf(t *testing.T, provider string, v *vendor) core.ModelClient {
	t.Helper()
	return clientWith(t, provider, core.ModelEndpoint{
		Protocol: core.ProtocolChatCompletions, BaseURL: v.URL + "/v1",
		Headers: map[string]string{"X-Title": "agentserver"}, Timeout: time.Minute,
	})
}

func clientWith(t *testing.T, provider string, e core.ModelEndpoint) core.ModelClient {
	t.Helper()
	registry := &core.Registry{}
	p := &core.Provider{Name: provider, Title: provider, Models: endpoint(e)}
	if provider == "openai" {
		p.System = []core.SystemCredential{{ID: systemID, Title: "Use Credits for OpenAI", Load: func() core.Credential { return nil }}}
	}
	require.NoError(t, registry.Add(p))
	return llm.New(registry, &http.Client{})
}

const testKey = "sk-test-0123456789"

func keyFor(provider string) core.Credential {
	return core.APIKey{CredentialBase: core.CredentialBase{ID: "own", Provider: provider}, Key: testKey}
}

// ask is a short request to a model of a provider.
func ask(provider, model string) core.ModelRequest {
	return core.ModelRequest{
		Model: model, Credential: keyFor(provider),
		Messages: []core.ModelMessage{{Role: "user", Content: "Hello!"}},
	}
}
