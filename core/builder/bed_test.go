package builder_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builder"
	"agentserver/core/builtin"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/library"
	"agentserver/core/llm"
)

const (
	alice = "alice"
	bob   = "bob"
)

// Ids of blocks that the tests name.
const (
	agentID  = "e189baac-8c20-45a1-94a7-55177ea42565"
	inputID  = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
	outputID = "363ae599-353e-4804-937e-b2ee3cef3da4"
	storeID  = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
	mailID   = "00000000-0000-4000-8000-000000000001"
	chatID   = "00000000-0000-4000-8000-000000000002"
	sheetID  = "00000000-0000-4000-8000-000000000003"
	goneID   = "00000000-0000-4000-8000-000000000004"
)

type mailInput struct {
	Credentials core.APIKey `json:"credentials" doc:"Key of Acme"`
	Other       core.APIKey `json:"other_credentials" doc:"Another key of Acme"`
	To          string      `json:"to" doc:"Whom the zebra greets"`
}

type chatInput struct {
	Credentials core.APIKey   `json:"credentials" doc:"Key of a vendor of models"`
	Model       llm.ModelName `json:"model" doc:"Which model" default:"gpt-4o"`
}

type sheetInput struct {
	Sheet core.Values `json:"sheet" doc:"Which sheet"`
}

type noOutput struct{}

// newRegistry holds the platform's blocks and some that are made up.
func newRegistry(tb testing.TB) *core.Registry {
	tb.Helper()
	sheet := block[sheetInput](core.BlockSpec{ID: sheetID, Name: "ReadSheetBlock", Description: "Reads a sheet.", Categories: []core.Category{core.CategoryData}})
	acme := &core.Provider{Name: "acme", Title: "Acme", Auth: []core.AuthMethod{core.APIKeyAuth{Help: "x"}}, Blocks: []core.Block{
		block[mailInput](core.BlockSpec{
			ID: mailID, Name: "AcmeSendMailBlock", Description: "Sends a letter.", Categories: []core.Category{core.CategorySocial, core.CategoryDeveloper},
		}),
		block[chatInput](core.BlockSpec{
			ID: chatID, Name: "AcmeChatBlock", Description: "Answers.", Categories: []core.Category{core.CategoryAI},
			Credentials: map[string]core.CredentialsField{"credentials": {Providers: []string{"acme", "other"}, Discriminator: "model", Mapping: map[string]string{"gpt-4o": "other"}}},
		}),
		sheet,
		block[sheetInput](core.BlockSpec{ID: goneID, Name: "AcmeGoneBlock", Description: "Is gone.", Disabled: "it is gone", Categories: []core.Category{core.CategoryHardware}}),
	}}
	r := &core.Registry{}
	for _, p := range []*core.Provider{builtin.Provider(), acme} {
		require.NoError(tb, r.Add(p))
	}
	field, _ := sheet.Spec().Field("sheet")
	field.Schema.Set("auto_credentials", core.NewObject("provider", "google", "type", "oauth2"))
	return r
}

func block[In any](spec core.BlockSpec) core.Block {
	return core.NewBlock(spec, func(context.Context, *core.Run, *In, *noOutput) error { return nil })
}

// bed is the room with what it stands on.
type bed struct {
	*builder.Service
	t        *testing.T
	db       *db.DB
	registry *core.Registry
	// used is how often blocks were used.
	used map[string]int
}

// each runs fn on every engine.
func each(t *testing.T, fn func(b *bed)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(newBed(t, d)) })
}

func newBed(t *testing.T, d *db.DB) *bed {
	t.Helper()
	b := &bed{t: t, db: d, registry: newRegistry(t), used: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	b.Service = builder.New(builder.Deps{
		DB: d, Registry: b.registry, Library: library.New(d), Log: slog.New(slog.DiscardHandler), Background: ctx,
		Use: func(context.Context, time.Time) (map[string]int, error) { return b.used, nil },
	})
	t.Cleanup(func() { cancel(); b.Close() })
	return b
}

func newSQLiteBed(t *testing.T) *bed { return newBed(t, dbtest.SQLite(t)) }

// shelve puts an agent into a user's library; each is older than the one before.
func (b *bed) shelve(userID, id, name, description string) {
	b.t.Helper()
	var n int64
	require.NoError(b.t, b.db.Read.Table("library_agents").Count(&n).Error)
	at := db.At(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(n) * time.Hour))
	require.NoError(b.t, b.db.Write.Exec(`INSERT INTO graphs (id, version, user_id, is_active, name, description, nodes, links, created_at)
		VALUES (?, 1, ?, true, ?, ?, '[]', '[]', ?)`, "graph-"+id, userID, name, description, at).Error)
	require.NoError(b.t, b.db.Write.Exec(`INSERT INTO library_agents (id, user_id, graph_id, graph_version, is_created_by_user,
		use_graph_is_active_version, is_archived, is_deleted, created_at, updated_at) VALUES (?, ?, ?, 1, true, true, false, false, ?, ?)`,
		id, userID, "graph-"+id, at, at).Error)
}

// search searches as a user, and names what was found.
func (b *bed) search(userID string, q builder.Query) (*builder.Results, []string) {
	b.t.Helper()
	if q.Page == 0 {
		q.Page, q.Size = 1, builder.MaxPageSize
	}
	results, err := b.Search(b.t.Context(), userID, q)
	require.NoError(b.t, err)
	names := []string{}
	for _, item := range results.Items {
		names = append(names, nameOf(b.t, item))
	}
	return results, names
}

func nameOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	var named struct {
		Name      string `json:"name"`
		AgentName string `json:"agent_name"`
	}
	require.NoError(t, json.Unmarshal(data, &named))
	return named.Name + named.AgentName
}

// bazaar is a marketplace.
type bazaar struct {
	agents   []builder.StoreAgent
	more     int // that a search does not give
	creators []string
	query    string
	broken   bool
}

func (s *bazaar) Find(_ context.Context, query string, creators []string, limit int) ([]builder.StoreAgent, int, error) {
	if s.broken {
		return nil, 0, errors.New("the bazaar is closed")
	}
	s.query, s.creators = query, creators
	return s.agents[:min(len(s.agents), limit)], len(s.agents) + s.more, nil
}

func (s *bazaar) Count(context.Context) (int, error) {
	if s.broken {
		return 0, errors.New("the bazaar is closed")
	}
	return len(s.agents) + s.more, nil
}

func numbered(n int, name string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%s %03d", name, i))
	}
	return list
}

// copied is a block under another name.
type copied struct {
	core.Block
	spec core.BlockSpec
}

func (c copied) Spec() *core.BlockSpec { return &c.spec }

// manyBlocks holds n blocks that say as much of themselves as real ones.
func manyBlocks(tb testing.TB, n int) *core.Registry {
	tb.Helper()
	p := &core.Provider{Name: "many", Title: "Many"}
	some := newRegistry(tb).Blocks()
	for i := range n {
		c := copied{some[i%len(some)], *some[i%len(some)].Spec()}
		c.spec.ID = fmt.Sprintf("00000000-0000-4000-9000-%012d", i)
		c.spec.Name = fmt.Sprintf("Copy%d%s", i, c.spec.Name)
		p.Blocks = append(p.Blocks, c)
	}
	r := &core.Registry{}
	require.NoError(tb, r.Add(p))
	return r
}
