package preset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/execution"
	"agentserver/core/graph"
	"agentserver/core/webhook"
)

const (
	// maxSize is the most presets of a page, maxPage the last page that can be asked
	// for.
	maxSize = 100
	maxPage = 1 << 24
	// linkTries is how often a webhook is set up when others keep removing it.
	linkTries = 3
)

// Deps are what the service works with.
type Deps struct {
	DB         *db.DB
	Registry   *core.Registry
	Graphs     *graph.Service
	Executions *execution.Service
	Webhooks   *webhook.Service
	Accounts   *account.Service
	Log        *slog.Logger
}

// Service is the room's front door. It is safe for concurrent use.
type Service struct{ Deps }

// Open makes the service.
func Open(d Deps) *Service { return &Service{d} }

func notFound(id string) error { return core.PlainErrorf(core.NotFound, "Preset #%s not found", id) }

// List gives a page of a user's presets, newest first: of one graph, or of all
// if graphID is "".
func (s *Service) List(ctx context.Context, userID, graphID string, page, size int) (*Page, error) {
	size, page = min(size, maxSize), min(page, maxPage)
	query := func() *gorm.DB {
		q := live(s.DB.Read.WithContext(ctx), userID)
		if graphID != "" {
			q = q.Where("graph_id = ?", graphID)
		}
		return q
	}
	var total int64
	if err := query().Count(&total).Error; err != nil {
		return nil, fmt.Errorf("counting presets: %w", err)
	}
	var rows []row
	if err := query().Order("created_at DESC, id").Limit(size).Offset((page - 1) * size).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing presets: %w", err)
	}
	list, err := s.withWebhooks(ctx, userID, rows)
	if err != nil {
		return nil, err
	}
	return &Page{list, execution.Pagination{
		TotalItems: int(total), TotalPages: (int(total) + size - 1) / size, CurrentPage: page, PageSize: size,
	}}, nil
}

// withWebhooks makes presets of rows.
func (s *Service) withWebhooks(ctx context.Context, userID string, rows []row) ([]Preset, error) {
	var ids []string
	for i := range rows {
		if id := rows[i].WebhookID; id != nil {
			ids = append(ids, *id)
		}
	}
	hooks, err := s.Webhooks.Get(ctx, userID, ids...)
	if err != nil {
		return nil, err
	}
	list := make([]Preset, len(rows))
	for i := range rows {
		list[i] = rows[i].shown()
		if id := rows[i].WebhookID; id != nil {
			list[i].Webhook = hooks[*id]
		}
	}
	return list, nil
}

func (s *Service) shown(ctx context.Context, r *row) (*Preset, error) {
	list, err := s.withWebhooks(ctx, r.UserID, []row{*r})
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// Get gives a preset of a user.
func (s *Service) Get(ctx context.Context, userID, id string) (*Preset, error) {
	r, err := find(ctx, s.DB.Read, userID, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFound(id)
	}
	return s.shown(ctx, r)
}

// Create saves a preset.
func (s *Service) Create(ctx context.Context, userID string, n New) (*Preset, error) {
	if n.ExecutionID != "" {
		run, err := s.Executions.Find(ctx, userID, n.ExecutionID)
		if err != nil {
			return nil, err
		}
		if run == nil {
			return nil, core.PlainErrorf(core.NotFound, "Graph execution #%s not found", n.ExecutionID)
		}
		n.GraphID, n.GraphVersion, n.Inputs, n.Credentials, n.WebhookID = run.GraphID, run.GraphVersion, run.Inputs, run.CredentialInputs, nil
	}
	g, err := s.Graphs.Readable(ctx, userID, n.GraphID, n.GraphVersion)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, core.PlainErrorf(core.NotFound, "Graph #%s not found or accessible", n.GraphID)
	}
	r := newRow(userID, g, n)
	if r.WebhookID, err = s.linkable(ctx, g, n.WebhookID, userID); err != nil {
		return nil, err
	}
	if err := s.insert(ctx, r); err != nil {
		return nil, err
	}
	return s.shown(ctx, r)
}

// linkable checks the webhook that a client wants to link.
func (s *Service) linkable(ctx context.Context, g *graph.Loaded, id *string, userID string) (*string, error) {
	if id == nil || *id == "" {
		return nil, nil
	}
	hooks, err := s.Webhooks.Get(ctx, userID, *id)
	if err != nil {
		return nil, err
	}
	hook := hooks[*id]
	if hook == nil {
		return nil, core.PlainErrorf(core.NotFound, "Webhook #%s not found", *id)
	}
	if _, spec := s.trigger(g.Version); spec == nil || spec.Webhook.Provider != hook.Provider || spec.Webhook.Type != hook.WebhookType {
		return nil, core.PlainErrorf(core.Invalid, "Webhook #%s does not fit graph #%s", *id, g.ID)
	}
	return id, nil
}

func newRow(userID string, g *graph.Loaded, n New) *row {
	now := db.Now()
	if n.Inputs == nil {
		n.Inputs = core.Values{}
	}
	if n.Credentials == nil {
		n.Credentials = map[string]core.CredentialRef{}
	}
	return &row{
		ID: uuid.NewString(), UserID: userID, GraphID: g.ID, GraphVersion: g.Header.Version, Name: db.Clean(n.Name),
		Description: db.Clean(n.Description), Inputs: db.AsJSON(n.Inputs), Credentials: db.AsJSON(n.Credentials), IsActive: n.IsActive,
		CreatedAt: now, UpdatedAt: now,
	}
}

// insert stores a preset together with the link to its webhook.
func (s *Service) insert(ctx context.Context, r *row) error {
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		alive, err := s.Accounts.Alive(ctx, tx, r.UserID)
		if err != nil {
			return err
		}
		if !alive {
			return core.PlainErrorf(core.Gone, "The account is being deleted")
		}
		there, err := s.Graphs.Hold(tx, r.GraphID, r.GraphVersion)
		if err != nil {
			return err
		}
		if !there {
			return gone(r.GraphID)
		}
		if r.WebhookID != nil {
			if err := s.Webhooks.Link(tx, r.UserID, *r.WebhookID); err != nil {
				return err
			}
		}
		return tx.Create(r).Error
	})
	var known *core.Error
	if err != nil && !errors.As(err, &known) {
		return fmt.Errorf("storing preset: %w", err)
	}
	return err
}

// Delete removes a preset; its webhook goes when no other preset needs it.
func (s *Service) Delete(ctx context.Context, userID, id string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		r, err := find(ctx, locked(tx), userID, id)
		if err != nil {
			return err
		}
		if r == nil {
			return core.PlainErrorf(core.NotFound, "Preset #%s not found for user #%s", id, userID)
		}
		return s.deleteIn(ctx, tx, *r)
	})
}

// deleteIn removes presets and prunes their webhooks.
func (s *Service) deleteIn(ctx context.Context, tx *gorm.DB, rows ...row) error {
	hooks := map[string]bool{}
	for i := range rows {
		done := tx.Model(&row{}).Where("id = ? AND NOT is_deleted", rows[i].ID).
			Updates(map[string]any{"is_deleted": true, "webhook_id": nil, "updated_at": db.Now()})
		if done.Error != nil {
			return fmt.Errorf("deleting preset: %w", done.Error)
		}
		if id := rows[i].WebhookID; id != nil {
			hooks[*id] = true
		}
	}
	for _, id := range core.SortedKeys(hooks) {
		if _, err := s.Webhooks.Prune(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// GraphGoes removes the presets that a user has of a graph, inside the transaction
// that deletes it.
func (s *Service) GraphGoes(ctx context.Context, tx *gorm.DB, userID, graphID string) error {
	var rows []row
	if err := live(locked(tx), userID).Where("graph_id = ?", graphID).Order("id").Find(&rows).Error; err != nil {
		return fmt.Errorf("finding presets: %w", err)
	}
	return s.deleteIn(ctx, tx, rows...)
}

// Execute runs the agent with the inputs of a preset; those given go before.
func (s *Service) Execute(ctx context.Context, userID, id string, inputs core.Values, credentials map[string]core.CredentialRef) (*execution.Meta, error) {
	r, err := find(ctx, s.DB.Read, userID, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFound(id)
	}
	zone, err := s.timezone(ctx, userID)
	if err != nil {
		return nil, err
	}
	return s.Executions.Start(ctx, execution.StartRequest{
		UserID: userID, GraphID: r.GraphID, GraphVersion: r.GraphVersion, PresetID: r.ID, Timezone: zone,
		Inputs: over(r.Inputs.V, inputs), Credentials: over(r.Credentials.V, credentials),
	})
}

// over lays a map over another one.
func over[V any](below, above map[string]V) map[string]V {
	all := make(map[string]V, len(below)+len(above))
	for _, m := range []map[string]V{below, above} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func (s *Service) timezone(ctx context.Context, userID string) (string, error) {
	u, err := s.Accounts.Get(ctx, userID)
	if err != nil {
		return "", err
	}
	return u.Timezone, nil
}

// trigger gives the node with which outside events start a graph, and its block;
// nil when there is none.
func (s *Service) trigger(g *graph.Version) (*graph.Node, *core.BlockSpec) {
	i := slices.IndexFunc(g.Nodes, func(n graph.Node) bool {
		b, known := s.Registry.Block(n.BlockID)
		return known && b.Spec().Webhook != nil
	})
	if i < 0 {
		return nil, nil
	}
	b, _ := s.Registry.Block(g.Nodes[i].BlockID)
	return &g.Nodes[i], b.Spec()
}
