package credential

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
)

// installation owns the secrets of the installation itself. No user has this id,
// since those of tokens are not empty.
const installation = ""

// InstallationKey gives a secret that belongs to the installation and to no
// user: 64 hexadecimal digits, made at first use. It is stored like the
// credentials of users, so that a rotation of keys reaches it too.
func (s *Service) InstallationKey(ctx context.Context, name string) (core.Secret, error) {
	for range 2 {
		r, err := take(s.db.Write.WithContext(ctx).Where("user_id = ? AND id = ?", installation, name))
		if err != nil {
			return "", fmt.Errorf("reading the key of %s: %w", name, err)
		}
		if r != nil {
			c, err := r.open(s.ring)
			if err != nil {
				return "", fmt.Errorf("reading the key of %s: %w", name, err)
			}
			if key, ok := c.(core.APIKey); ok {
				return key.Key, nil
			}
			return "", fmt.Errorf("reading the key of %s: it is a credential of type %s", name, c.Type())
		}
		random := make([]byte, 32)
		if _, err := rand.Read(random); err != nil {
			return "", fmt.Errorf("making the key of %s: %w", name, err)
		}
		fresh := core.APIKey{
			CredentialBase: core.CredentialBase{ID: name, Provider: core.CoreProvider, Title: name},
			Key:            core.Secret(hex.EncodeToString(random)),
		}
		if r, err = newRow(s.ring, installation, nil, fresh); err != nil {
			return "", err
		}
		err = s.db.Write.WithContext(ctx).Create(r).Error
		if err == nil {
			return fresh.Key, nil
		}
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			return "", fmt.Errorf("storing the key of %s: %w", name, err)
		}
		// Another process was faster: its key counts.
	}
	return "", fmt.Errorf("storing the key of %s: it comes and goes", name)
}
