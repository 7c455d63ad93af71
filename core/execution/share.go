package execution

import (
	"context"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"agentserver/core"
	"agentserver/core/db"
)

var shareToken = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Share makes a link under which anyone can read a run's outputs. Each call
// makes a new one; the one before ends.
func (s *Service) Share(ctx context.Context, userID, graphID, id string) (*ShareLink, error) {
	token := uuid.NewString()
	if err := s.setShare(ctx, userID, graphID, id, &token, db.Now()); err != nil {
		return nil, err
	}
	return &ShareLink{ShareURL: s.shareBase + "/share/" + token, ShareToken: token}, nil
}

// Unshare ends the link of a run.
func (s *Service) Unshare(ctx context.Context, userID, graphID, id string) error {
	return s.setShare(ctx, userID, graphID, id, nil, db.Time{})
}

func (s *Service) setShare(ctx context.Context, userID, graphID, id string, token *string, at db.Time) error {
	res := s.db.Write.WithContext(ctx).Model(&runRow{}).
		Where("id = ? AND user_id = ? AND graph_id = ? AND is_deleted = ?", id, userID, graphID, false).
		Updates(map[string]any{"is_shared": token != nil, "share_token": token, "shared_at": at})
	if res.Error != nil {
		return fmt.Errorf("sharing run: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return core.PlainErrorf(core.NotFound, "Execution not found")
	}
	return nil
}

// Shared gives what a share link shows. Outputs appear once the run is at its
// end.
func (s *Service) Shared(ctx context.Context, token string) (*Shared, error) {
	missing := core.PlainErrorf(core.NotFound, "Shared execution not found")
	if !shareToken.MatchString(token) {
		return nil, missing
	}
	row, err := one(s.db.Read.WithContext(ctx).Where("share_token = ? AND is_shared = ? AND is_deleted = ?", token, true, false))
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, missing
	}
	shared := &Shared{
		ID: row.ID, GraphName: "Untitled Agent", Status: row.Status, CreatedAt: row.CreatedAt.Time, Outputs: map[string][]any{},
	}
	g, err := s.graphs.Load(ctx, row.GraphID, row.GraphVersion)
	if err != nil {
		return nil, err
	}
	if g != nil {
		if g.Name != "" {
			shared.GraphName = g.Name
		}
		shared.GraphDescription = &g.Description
	}
	if row.Status.Final() {
		shared.Outputs, err = s.runOutputs(ctx, row.ID)
	}
	return shared, err
}
