package db

import (
	"context"

	"gorm.io/gorm"
)

type fenceKey struct{}

// WithFence gives a context with which [DB.Erase] removes things only as long
// as fence returns nil. Fence runs inside each transaction and should lock what
// it looks at, so that whoever changes that waits for the transaction.
func WithFence(ctx context.Context, fence func(tx *gorm.DB) error) context.Context {
	return context.WithValue(ctx, fenceKey{}, fence)
}

// CheckFence asks the fence of a context, if it has one, inside a transaction.
func CheckFence(ctx context.Context, tx *gorm.DB) error {
	if fence, ok := ctx.Value(fenceKey{}).(func(tx *gorm.DB) error); ok {
		return fence(tx)
	}
	return nil
}

// Erase removes rows without keeping other writers waiting for long: it calls
// batch, each time in a transaction of its own, until batch reports that it has
// found nothing more. Batch removes at most some hundred rows and says how many
// things that were; Erase gives their sum, also when it ends with an error. What
// was removed before an error stays so.
func (d *DB) Erase(ctx context.Context, batch func(tx *gorm.DB) (things int, more bool, err error)) (int, error) {
	for total := 0; ; {
		var things int
		var more bool
		err := d.Tx(ctx, func(tx *gorm.DB) error {
			if err := CheckFence(ctx, tx); err != nil {
				return err
			}
			var err error
			things, more, err = batch(tx)
			return err
		})
		if err != nil {
			return total, err
		}
		if total += things; !more {
			return total, nil
		}
	}
}
