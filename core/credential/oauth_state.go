package credential

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	// stateTTL is how long a user has to agree at the vendor.
	stateTTL = 10 * time.Minute
	// maxStates is how many sign-ins of a user may be open; the oldest give way.
	maxStates = 50

	tokenSize    = 32
	verifierSize = 96 // 128 characters, the most that PKCE allows
)

// stateRow is a line of the table oauth_states: a sign-in that has begun. The
// token itself is not stored.
//
// It is not sealed anew when the key changes. Without its key it does not open,
// which is like having expired, and it lives for ten minutes only.
type stateRow struct {
	TokenHash string `gorm:"primaryKey"`
	UserID    string
	Provider  string
	CreatedAt db.Time
	ExpiresAt db.Time
	Sealed    string
}

func (stateRow) TableName() string { return "oauth_states" }

func (r *stateRow) sealContext() []string {
	return []string{"oauth_states", r.TokenHash, r.UserID, r.Provider}
}

// state is the secret part of a sign-in.
type state struct {
	Verifier string   `json:"verifier"`
	Scopes   []string `json:"scopes"`
}

// begin notes a sign-in and gives its token and its PKCE verifier.
func (s *Service) begin(ctx context.Context, userID, provider string, scopes []string) (token, verifier string, err error) {
	token, verifier = randomText(tokenSize), randomText(verifierSize)
	now := s.now()
	r := &stateRow{TokenHash: hashToken(token), UserID: userID, Provider: provider, CreatedAt: db.At(now), ExpiresAt: db.At(now.Add(stateTTL))}
	plain, err := json.Marshal(state{Verifier: verifier, Scopes: scopes})
	if err != nil {
		return "", "", fmt.Errorf("encoding a sign-in: %w", err)
	}
	if r.Sealed, err = s.ring.Seal(plain, r.sealContext()...); err != nil {
		return "", "", err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		// What has expired belongs to nobody any more, whoever began it.
		if err := tx.Where("expires_at <= ?", db.At(now)).Delete(&stateRow{}).Error; err != nil {
			return err
		}
		newest := tx.Model(&stateRow{}).Where("user_id = ?", userID).Order("created_at DESC, token_hash").Limit(maxStates - 1).Select("token_hash")
		if err := tx.Where("user_id = ? AND token_hash NOT IN (?)", userID, newest).Delete(&stateRow{}).Error; err != nil {
			return err
		}
		return tx.Create(r).Error
	})
	if err != nil {
		return "", "", fmt.Errorf("storing a sign-in: %w", err)
	}
	return token, verifier, nil
}

// consume takes a sign-in out of the table, so that of two callers with one
// token only one gets it.
func (s *Service) consume(ctx context.Context, userID, provider, token string) (state, error) {
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != tokenSize {
		return state{}, errState()
	}
	r := stateRow{TokenHash: hashToken(token), UserID: userID, Provider: provider}
	done := s.db.Write.WithContext(ctx).Raw(
		"DELETE FROM oauth_states WHERE token_hash = ? AND user_id = ? AND provider = ? AND expires_at > ? RETURNING sealed",
		r.TokenHash, userID, provider, db.At(s.now())).Scan(&r.Sealed)
	if done.Error != nil {
		return state{}, fmt.Errorf("reading a sign-in: %w", done.Error)
	}
	if r.Sealed == "" {
		return state{}, errState()
	}
	plain, err := s.ring.Open(r.Sealed, r.sealContext()...)
	if errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrDamaged) {
		return state{}, errState()
	}
	var opened state
	if err == nil {
		err = json.Unmarshal(plain, &opened)
	}
	if err != nil {
		// The cause may quote what was sealed.
		return state{}, errors.New("reading a sign-in: its content is not known to this version")
	}
	return opened, nil
}

func errState() *core.Error {
	return core.PlainErrorf(core.Invalid, "Invalid or expired state token")
}

// hashToken is how a token stands in the table. Its 256 random bits need no salt.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func randomText(size int) string {
	raw := make([]byte, size)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}
