package credential

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// row is a line of the table credentials. Every query names the user.
type row struct {
	UserID    string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	Provider  string
	Type      core.CredentialType
	Title     *string
	IsManaged bool
	Public    db.JSON[public]
	CreatedAt db.Time
	UpdatedAt db.Time
	// RevokedAt is set when the platform has begun to revoke it: nobody can use
	// it, and lists do not show it.
	RevokedAt db.Time
	// ReconnectAt is when the vendor refused the refresh token for good, zero
	// while it has not.
	ReconnectAt db.Time
	// KeyName is the key in Sealed, for rotation.
	KeyName string
	Sealed  string
}

func (row) TableName() string { return "credentials" }

// newRow seals a credential for its owner.
func newRow(ring *Ring, userID string, title *string, c core.Credential) (*row, error) {
	base, now := c.Base(), db.Now()
	if title != nil {
		text := db.Clean(*title)
		title = &text
	}
	r := &row{
		UserID: userID, ID: base.ID, Provider: base.Provider, Type: c.Type(), Title: title, IsManaged: base.Managed,
		Public: db.AsJSON(publicOf(c)), CreatedAt: now, UpdatedAt: now,
	}
	return r, r.seal(ring, c)
}

func (r *row) seal(ring *Ring, c core.Credential) error {
	plain, err := encode(c)
	if err != nil {
		return err
	}
	r.KeyName = ring.first
	r.Sealed, err = ring.Seal(plain, r.sealContext()...)
	return err
}

func (r *row) sealContext() []string {
	return []string{"credentials", r.UserID, r.ID, r.Provider}
}

func (r *row) open(ring *Ring) (core.Credential, error) {
	plain, err := ring.Open(r.Sealed, r.sealContext()...)
	if err != nil {
		return nil, fmt.Errorf("opening credential %s: %w", r.ID, err)
	}
	c, err := decode(plain, r.base())
	if err != nil {
		return nil, fmt.Errorf("opening credential %s: %w", r.ID, err)
	}
	if c.Type() != r.Type {
		return nil, fmt.Errorf("opening credential %s: its type was changed: %w", r.ID, ErrDamaged)
	}
	return c, nil
}

func (r *row) base() core.CredentialBase {
	base := core.CredentialBase{ID: r.ID, Provider: r.Provider, Managed: r.IsManaged}
	if r.Title != nil {
		base.Title = *r.Title
	}
	return base
}

func (r *row) meta() Meta {
	return newMeta(r.base(), r.Type, r.Title, r.Public.V, !r.ReconnectAt.IsZero())
}

// shown are the columns that lists need.
const shown = "id, provider, type, title, is_managed, public, reconnect_at"

// list gives the public parts of a user's credentials, of one provider unless
// it is "", oldest first. It reads the columns by hand because this is what every
// page of the web client asks for first.
func list(ctx context.Context, handle *gorm.DB, userID, provider string) (_ []Meta, err error) {
	query, args := "SELECT "+shown+" FROM credentials WHERE user_id = ? AND revoked_at IS NULL", []any{userID}
	if provider != "" {
		query, args = query+" AND provider = ?", append(args, provider)
	}
	rows, err := handle.WithContext(ctx).Raw(query+" ORDER BY created_at, id", args...).Rows()
	if err != nil {
		return nil, fmt.Errorf("listing credentials: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	metas := []Meta{}
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.Provider, &r.Type, &r.Title, &r.IsManaged, &r.Public, &r.ReconnectAt); err != nil {
			return nil, fmt.Errorf("listing credentials: %w", err)
		}
		metas = append(metas, r.meta())
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing credentials: %w", err)
	}
	return metas, nil
}

// find reads one credential of a user that can be used, whole or the shown
// columns; it is nil when there is none.
func find(ctx context.Context, handle *gorm.DB, userID, id, columns string) (*row, error) {
	return take(handle.WithContext(ctx).Select(columns).Where("user_id = ? AND id = ? AND revoked_at IS NULL", userID, id))
}

// findManaged reads the managed credential of a user at a provider, even if it
// is being revoked, or nil.
func findManaged(ctx context.Context, handle *gorm.DB, userID, provider string) (*row, error) {
	return take(handle.WithContext(ctx).Where("user_id = ? AND provider = ? AND is_managed", userID, provider))
}

func take(query *gorm.DB) (*row, error) {
	var r row
	err := query.Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading credential: %w", err)
	}
	return &r, nil
}

// lockRow reads one credential of a user, whole, and keeps others from changing
// it until the transaction ends; it is nil when there is none. On SQLite the
// transaction itself keeps them.
func lockRow(tx *gorm.DB, userID, id string) (*row, error) {
	return take(forUpdate(tx).Where("user_id = ? AND id = ?", userID, id))
}

// forUpdate keeps others from changing the rows that a query reads until the
// transaction ends.
func forUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// replaceSealed stores what was sealed anew, unless the row changed or went
// since it was read, which one that was locked does not.
func replaceSealed(tx *gorm.DB, r *row, before string, columns map[string]any) error {
	columns["key_name"], columns["sealed"] = r.KeyName, r.Sealed
	err := tx.Model(&row{}).Where("user_id = ? AND id = ? AND sealed = ?", r.UserID, r.ID, before).UpdateColumns(columns).Error
	if err != nil {
		return fmt.Errorf("storing credential: %w", err)
	}
	return nil
}
