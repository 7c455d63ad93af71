package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// Receive takes a delivery. When it returns nil the delivery is stored, or was
// before, and its runs will start even if this process dies at once. Errors are
// [Refusal] when the sender shall come back, and of the kinds [core.NotFound]
// for unknown webhooks and forged deliveries alike, [core.TooLarge], or
// [core.Invalid] for what cannot be read.
func (s *Service) Receive(ctx context.Context, provider, id string, r *http.Request) error {
	label, err := s.receive(ctx, provider, id, r)
	if _, known := s.Registry.Provider(provider); !known {
		provider = "unknown"
	}
	s.metrics.received(provider, label)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		s.refusals.note(ctx, s.Log, refusal.Reason)
	}
	return err
}

func (s *Service) receive(ctx context.Context, provider, id string, r *http.Request) (label string, err error) {
	if refusal := s.limits.allow(id); refusal != nil {
		return refusal.Reason, refusal
	}
	if r.ContentLength > s.config.MaxBody {
		return "oversized", s.tooLarge()
	}
	body, leave, err := s.limits.read(r.Body)
	defer leave()
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason, refusal
	}
	if err != nil {
		return "broken", err
	}
	if int64(len(body)) > s.config.MaxBody {
		return "oversized", s.tooLarge()
	}
	hook, e, label, err := s.check(ctx, provider, id, core.Delivery{Header: r.Header, Query: r.URL.Query(), Body: body})
	if err != nil {
		return label, err
	}
	if refusal := s.limits.room(ctx); refusal != nil {
		return refusal.Reason, refusal
	}
	fresh, err := s.intake.put(newDelivery(hook, e, len(body)))
	var known *core.Error
	switch {
	case errors.As(err, &known):
		return "unavailable", busy("unavailable", known.Message)
	case err != nil:
		s.Log.ErrorContext(ctx, "a delivery could not be stored and is refused", "webhook", id, "provider", provider, "error", err)
		return "unavailable", busy("unavailable", "The delivery could not be stored; send it again")
	}
	s.announce(ctx, id, e.Type)
	if !fresh {
		return "duplicate", nil
	}
	return "accepted", nil
}

func (s *Service) tooLarge() error {
	return core.PlainErrorf(core.TooLarge, "The delivery is larger than %d bytes", s.config.MaxBody)
}

// unknown is the answer for webhooks that are not there and for forged
// deliveries, so that nobody learns which webhooks exist.
func unknown(id string) error { return core.PlainErrorf(core.NotFound, "Webhook #%s not found", id) }

// check finds the webhook and makes sure that the delivery is genuine.
func (s *Service) check(ctx context.Context, provider, id string, d core.Delivery) (hook *row, e core.WebhookEvent, label string, err error) {
	if uuid.Validate(id) != nil || s.key == "" {
		return nil, e, "unknown", unknown(id)
	}
	var rows []row
	err = s.DB.Read.WithContext(ctx).Where("id = ? AND state <> ?", id, retired).Limit(1).Find(&rows).Error
	if err != nil {
		s.Log.ErrorContext(ctx, "a delivery could not be checked and is refused", "webhook", id, "provider", provider, "error", err)
		return nil, e, "unavailable", busy("unavailable", "The delivery could not be stored; send it again")
	}
	manager, ok := s.manager(provider)
	if len(rows) == 0 || !ok || rows[0].Provider != provider {
		return nil, e, "unknown", unknown(id)
	}
	hook = &rows[0]
	e, err = manager.Receive(s.contract(hook), d)
	var known *core.Error
	switch {
	case err == nil:
		return hook, e, "", nil
	case errors.As(err, &known) && known.Kind == core.Forbidden:
		s.Log.WarnContext(ctx, "a delivery is not genuine and is refused", "webhook", id, "provider", provider, "reason", known.Message)
		return nil, e, "forged", unknown(id)
	case errors.As(err, &known):
		s.Log.InfoContext(ctx, "a delivery cannot be read and is refused", "webhook", id, "provider", provider, "reason", known.Message)
		return nil, e, "invalid", core.PlainErrorf(core.Invalid, "%s", known.Message)
	}
	return nil, e, "failed", fmt.Errorf("checking delivery: %w", err)
}

func newDelivery(hook *row, e core.WebhookEvent, size int) *deliveryRow {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // the time in it only helps the index
	}
	if e.Payload == nil {
		e.Payload = map[string]any{}
	}
	now := db.Now()
	return &deliveryRow{
		ID: id.String(), WebhookID: hook.ID, UserID: hook.UserID, Provider: hook.Provider, EventType: storable(e.Type),
		DeliveryID: textOrNil(storable(e.DeliveryID)), ReplayKey: textOrNil(storable(e.ReplayKey)), Payload: db.AsJSON(e.Payload), Size: int64(size),
		State: Pending, ReceivedAt: now, NextAt: now,
	}
}

// longestName bounds names that senders choose.
const longestName = 200

// storable makes a name that a sender chose fit for the database and its indexes;
// different names stay different.
func storable(name string) string {
	if clean := db.Clean(name); clean == name && len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// storeDeliveries commits deliveries together with the jobs that start their
// runs. It tells which are new.
func (s *Service) storeDeliveries(ctx context.Context, batch []*deliveryRow) (fresh map[string]bool, err error) {
	err = s.DB.Tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&batch).Error; err != nil {
			return err
		}
		ids := make([]string, len(batch))
		for i, d := range batch {
			ids[i] = d.ID
		}
		var stored []string
		if err := tx.Model(&deliveryRow{}).Where("id IN ?", ids).Order("id").Pluck("id", &stored).Error; err != nil {
			return err
		}
		fresh = make(map[string]bool, len(stored))
		for _, id := range stored {
			fresh[id] = true
		}
		return s.enqueueDeliveries(ctx, tx, stored, db.Time{})
	})
	return fresh, err
}

// enqueueDeliveries adds jobs that start runs, each for some deliveries.
func (s *Service) enqueueDeliveries(ctx context.Context, tx *gorm.DB, ids []string, at db.Time) error {
	var list []jobs.Job
	for len(ids) > 0 {
		n := min(len(ids), jobSize)
		list = append(list, jobs.Job{Args: deliveryArgs{ids[:n]}, Line: deliveryLine, At: at.Time})
		ids = ids[n:]
	}
	return s.enqueue(ctx, tx, list...)
}

func (s *Service) enqueue(ctx context.Context, tx *gorm.DB, list ...jobs.Job) error {
	sqlTx, err := db.SQLTx(tx)
	if err != nil {
		return err
	}
	return s.Queue.Insert(ctx, sqlTx, list...)
}

// RetryAfter is the value of the header of that name.
func (r *Refusal) RetryAfter() string {
	return strconv.Itoa(int(max(r.After.Seconds(), 1) + .999))
}
