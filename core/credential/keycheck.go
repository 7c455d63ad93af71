package credential

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core/db"
)

// keyRow is a line of the table encryption_keys.
type keyRow struct {
	Name      string `gorm:"primaryKey"`
	Sealed    string
	CreatedAt db.Time
}

func (keyRow) TableName() string { return "encryption_keys" }

// checkText is what the check values hold.
const checkText = "agentserver"

// checkKeys makes sure that the ring fits the database, and notes the key that
// seals from now on. When it does not fit, nothing is written.
func checkKeys(ctx context.Context, d *db.DB, ring *Ring) error {
	err := d.Tx(ctx, func(tx *gorm.DB) error {
		// Servers that start together on an empty database, each with a key of
		// its own, must not all pass.
		if d.Engine == db.Postgres {
			if err := tx.Exec("LOCK TABLE encryption_keys IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
				return err
			}
		}
		var checks []keyRow
		if err := tx.Order("name").Find(&checks).Error; err != nil {
			return err
		}
		known := false
		for _, check := range checks {
			if err := verifyKey(ring, check); err != nil {
				return err
			}
			known = known || check.Name == ring.first
		}
		if err := verifyRows(tx, ring); err != nil || known {
			return err
		}
		sealed, err := ring.Seal([]byte(checkText), keyContext(ring.first)...)
		if err != nil {
			return err
		}
		return tx.Create(&keyRow{Name: ring.first, Sealed: sealed, CreatedAt: db.Now()}).Error
	})
	if err != nil {
		return fmt.Errorf("checking the encryption keys: %w", err)
	}
	return nil
}

func keyContext(name string) []string { return []string{"encryption_keys", name} }

func verifyKey(ring *Ring, check keyRow) error {
	_, err := ring.Open(check.Sealed, keyContext(check.Name)...)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return missingKey(check.Name)
	case err != nil:
		return fmt.Errorf("key %s is not the one of that name that sealed what is stored; put the right one back into encryption.keys: %w", check.Name, err)
	default:
		return nil
	}
}

// verifyRows finds rows of a key that is missing although its check value is
// gone: a server that still had the old keys wrote them during a rotation.
func verifyRows(tx *gorm.DB, ring *Ring) error {
	var names []string
	if err := tx.Model(&row{}).Distinct().Order("key_name").Pluck("key_name", &names).Error; err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := ring.keys[name]; !ok {
			return missingKey(name)
		}
	}
	return nil
}

func missingKey(name string) error {
	return fmt.Errorf("stored secrets are sealed with key %s; add it to encryption.keys, after the key to use from now on (a key that was made at the first start is in %s in the data folder of the server that was started first): %w", name, keyFile, ErrUnknownKey)
}
