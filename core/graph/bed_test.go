package graph_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builtin"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/graph"
	"agentserver/core/library"
)

// Ids of the blocks that tests use.
const (
	inputID    = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
	dropdownID = "655d6fdf-a334-421c-b733-520549c07cd1"
	tableID    = "5603b273-f41e-4020-af7d-fbc9c6a8d928"
	toggleID   = "cbf36ab5-df4a-43b6-8a7f-f7ed8652116e"
	outputID   = "363ae599-353e-4804-937e-b2ee3cef3da4"
	storeID    = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
	reverseID  = "422cb708-3109-4277-bfe3-bc2ae5812777"
	fillID     = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"
	aiTextID   = "1f292d4a-41a4-4977-9684-7c8d560b9f91"
)

const (
	alice = "alice"
	bob   = "bob"
)

// bed is the room with what it needs around it.
type bed struct {
	*graph.Service
	t        testing.TB
	library  *library.Service
	db       *db.DB
	registry *core.Registry
	owned    ownedCredentials
}

// ownedCredentials are the ids of credentials that everyone has.
type ownedCredentials map[string]bool

func (o ownedCredentials) Find(_ context.Context, _, id string) (*core.CredentialRef, error) {
	if !o[id] {
		return nil, nil
	}
	return &core.CredentialRef{ID: id, Provider: "acme", Type: core.TypeAPIKey}, nil
}

func newBed(t testing.TB, d *db.DB) *bed {
	t.Helper()
	r := &core.Registry{}
	require.NoError(t, r.Add(builtin.Provider()))
	require.NoError(t, r.Add(acme()))
	b := &bed{t: t, db: d, registry: r, library: library.New(d), owned: ownedCredentials{}}
	b.Service = graph.New(d, r, b.library, b.owned)
	return b
}

func sqliteBed(t testing.TB) *bed {
	t.Helper()
	return newBed(t, dbtest.SQLite(t))
}

// node makes a node; defaults are name, value, name, value.
func node(id, block string, defaults ...any) graph.Node {
	n := graph.Node{ID: id, BlockID: block, InputDefault: core.Values{}, Metadata: core.Values{}}
	for i := 0; i+1 < len(defaults); i += 2 {
		n.InputDefault[defaults[i].(string)] = defaults[i+1]
	}
	return n
}

// optional marks a node whose credentials may be left out.
func optional(n graph.Node) graph.Node {
	n.Metadata = core.Values{"credentials_optional": true}
	return n
}

// link joins two pins: "a.output", "b.input".
func link(source, sink string) graph.Link {
	from, sourcePin, _ := strings.Cut(source, ".")
	to, sinkPin, _ := strings.Cut(sink, ".")
	return graph.Link{SourceID: from, SourceName: sourcePin, SinkID: to, SinkName: sinkPin}
}

// base makes an agent; parts are nodes and links.
func base(name string, parts ...any) graph.BaseGraph {
	g := graph.BaseGraph{Header: graph.Header{ID: name, Name: name, Version: 1, IsActive: true}}
	for _, p := range parts {
		switch p := p.(type) {
		case graph.Node:
			g.Nodes = append(g.Nodes, p)
		case graph.Link:
			g.Links = append(g.Links, p)
		}
	}
	return g
}

func agent(name string, parts ...any) graph.Graph {
	return graph.Graph{BaseGraph: base(name, parts...)}
}

// create saves an agent of alice's.
func (b *bed) create(g graph.Graph) *graph.Model {
	b.t.Helper()
	m, err := b.Create(b.t.Context(), alice, g)
	require.NoError(b.t, err)
	return m
}

// load gives a saved version as the engine sees it.
func (b *bed) load(m *graph.Model) *graph.Loaded {
	b.t.Helper()
	l, err := b.Load(b.t.Context(), m.ID, m.Version)
	require.NoError(b.t, err)
	require.NotNil(b.t, l)
	return l
}

func object(t testing.TB, data json.RawMessage) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}
