package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// Imported says what came of the credentials of one user.
type Imported struct {
	// Added counts those that were stored.
	Added int
	// Present counts those whose id the user has already.
	Present int
	// Skipped are those that are not to be stored.
	Skipped []ImportNote
	// Failed are those that cannot be stored.
	Failed []ImportNote
}

// ImportNote says why a credential was not stored. It holds nothing of its
// content.
type ImportNote struct {
	ID     string
	Reason string
}

// Import stores credentials that a user had elsewhere, in their order, with
// their ids, titles, metadata and who manages them. What is there already stays
// as it is, so a second import changes nothing. Ids of system credentials are
// skipped, and so is a managed credential of a provider for which one is stored.
//
// All of it is one transaction. A credential that cannot be stored does not stop
// the others. With dry, nothing is stored and the result is what it would be.
func (s *Service) Import(ctx context.Context, userID string, list []core.Credential, dry bool) (Imported, error) {
	if userID == "" || len(userID) > maxID || userID != db.Clean(userID) {
		return Imported{}, errors.New("importing credentials: the id of the user is empty, too long or has control characters")
	}
	var result Imported
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		var stored []row
		if err := tx.Select("id, provider, is_managed").Where("user_id = ?", userID).Find(&stored).Error; err != nil {
			return err
		}
		result = Imported{}
		// Lists are in order of time, and nothing may come after what is stored next.
		start := time.Now().Add(-time.Duration(len(list)) * time.Millisecond)
		for i, c := range list {
			note, failed := s.refusal(c, stored)
			switch {
			case failed:
				result.Failed = append(result.Failed, note)
				continue
			case note.Reason != "":
				result.Skipped = append(result.Skipped, note)
				continue
			case slices.ContainsFunc(stored, func(r row) bool { return r.ID == c.Base().ID }):
				result.Present++
				continue
			}
			at := db.At(start.Add(time.Duration(i) * time.Millisecond))
			r, added, err := s.importOne(tx, userID, c, at, dry)
			if err != nil {
				return err
			}
			if !added {
				result.Present++
				continue
			}
			result.Added++
			stored = append(stored, *r)
		}
		return nil
	})
	if err != nil {
		return Imported{}, fmt.Errorf("importing credentials: %w", err)
	}
	return result, nil
}

// refusal says why a credential is not stored beside the ones that are, and
// whether that is a failure. The reason is "" when it can be.
func (s *Service) refusal(c core.Credential, stored []row) (note ImportNote, failed bool) {
	base := c.Base()
	note.ID = base.ID
	if base.ID == "" || base.Provider == "" {
		note.Reason = "it lacks its id or its provider"
		return note, true
	}
	if _, reserved := s.system(base.ID); reserved {
		note.Reason = "it is the operator's, which comes from the settings here"
		return note, false
	}
	known := slices.ContainsFunc(stored, func(r row) bool { return r.ID == base.ID })
	switch {
	case known:
	case base.Managed && slices.ContainsFunc(stored, func(r row) bool { return r.IsManaged && r.Provider == base.Provider }):
		note.Reason = "a managed credential of " + base.Provider + " is stored already"
	case len(stored) >= maxPerUser:
		note.Reason = fmt.Sprintf("at most %d credentials can be stored", maxPerUser)
		return note, true
	}
	return note, false
}

// importOne stores a credential unless another process was faster.
func (s *Service) importOne(tx *gorm.DB, userID string, c core.Credential, at db.Time, dry bool) (r *row, added bool, err error) {
	r, err = newRow(s.ring, userID, textOrNil(c.Base().Title), c)
	if err != nil || dry {
		return r, err == nil, err
	}
	r.CreatedAt, r.UpdatedAt = at, at
	done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(r)
	return r, done.RowsAffected > 0, done.Error
}
