package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	// vendorTimeout bounds one request for a registration.
	vendorTimeout = 30 * time.Second
	// setUpLock is how long the lock of a set-up outlives its process.
	setUpLock = time.Minute
)

// Available reports whether webhooks can be set up here: vendors must know where
// to send deliveries.
func (s *Service) Available() error {
	if s.config.PublicURL == "" {
		return core.Errorf(core.Unavailable, "PLATFORM_BASE_URL must be set to use Webhook functionality")
	}
	return nil
}

// SetUp gives the webhook that a trigger block with these inputs needs: one that
// is there already, or a new one, which is registered at the vendor unless its
// users do that themselves. current is the webhook that the trigger has now, or
// "": the address of a manual one stays the same. The webhook must be linked
// to its trigger with [Service.Link] soon, else it is pruned.
//
// The error is [Feedback] when inputs are missing.
func (s *Service) SetUp(ctx context.Context, userID string, spec *core.BlockSpec, inputs core.Values, current string) (*Webhook, error) {
	if spec.Webhook == nil {
		return nil, core.Errorf(core.Invalid, "The block %s is not started by webhooks", spec.Name)
	}
	manager, ok := s.manager(spec.Webhook.Provider)
	if !ok {
		return nil, core.Errorf(core.Unavailable, "Webhooks of the provider '%s' are turned off here", spec.Webhook.Provider)
	}
	if err := s.Available(); err != nil {
		return nil, err
	}
	w, err := read(spec, inputs)
	if err != nil {
		return nil, err
	}
	if w.Manual {
		return s.setUpManual(ctx, userID, w, current)
	}
	registrar, ok := manager.(core.WebhookRegistrar)
	if !ok {
		return nil, core.Errorf(core.Unavailable, "The provider '%s' cannot register webhooks", w.Provider)
	}
	var c core.Credential
	if db.Clean(w.credentials.ID) == w.credentials.ID {
		if c, err = s.Credentials.Get(ctx, userID, w.credentials.ID); err != nil {
			return nil, err
		}
	}
	if c == nil || c.Base().Provider != w.Provider {
		return nil, core.Errorf(core.Invalid, "Invalid credentials #%s for the provider '%s'", w.credentials.ID, w.Provider)
	}
	r, err := s.setUpAuto(ctx, userID, w, registrar, c)
	if err != nil {
		return nil, err
	}
	return s.shown(r), nil
}

// setUpManual keeps the webhook that the trigger has, or adds one.
func (s *Service) setUpManual(ctx context.Context, userID string, w wanted, current string) (*Webhook, error) {
	if current != "" {
		r, err := s.find(ctx, userID, current)
		if err != nil {
			return nil, err
		}
		if r != nil && r.State == active && r.manual() && r.Provider == w.Provider && r.WebhookType == w.Type {
			if err := s.change(ctx, r, map[string]any{"events": db.AsJSON(w.events)}); err != nil {
				return nil, err
			}
			r.Events.V = w.events
			return s.shown(r), nil
		}
	}
	r := w.newRow(userID, active)
	if err := s.DB.Write.WithContext(ctx).Create(r).Error; err != nil {
		return nil, fmt.Errorf("storing webhook: %w", err)
	}
	return s.shown(r), nil
}

func (w *wanted) newRow(userID, state string) *row {
	now := db.Now()
	return &row{
		ID: uuid.NewString(), UserID: userID, Provider: w.Provider, CredentialsID: w.credentials.ID, WebhookType: w.Type,
		Resource: w.resource, Events: db.AsJSON(w.events), Config: db.AsJSON(map[string]any{}), State: state,
		CreatedAt: now, UpdatedAt: now,
	}
}

// setUpAuto finds a webhook that serves, or registers one. Of several processes
// one does it at a time, so that none is registered twice.
func (s *Service) setUpAuto(ctx context.Context, userID string, w wanted, registrar core.WebhookRegistrar, c core.Credential) (*row, error) {
	key := fmt.Sprintf("webhook-setup:%s:%s:%s:%s", userID, w.credentials.ID, w.Type, w.resource)
	waiting, cancel := context.WithTimeout(ctx, vendorTimeout)
	unlock, err := s.Bus.Lock(waiting, key, setUpLock)
	cancel()
	if err != nil {
		return nil, core.Errorf(core.Unavailable, "Another trigger of the same resource is being set up; try again")
	}
	defer func() { _ = unlock() }() // a lock that was lost is no fault of the caller's
	updater, canUpdate := registrar.(core.WebhookUpdater)
	var rows []row
	err = s.DB.Write.WithContext(ctx).Where(
		"user_id = ? AND provider = ? AND credentials_id = ? AND webhook_type = ? AND resource = ? AND state = ?",
		userID, w.Provider, w.credentials.ID, w.Type, w.resource, active).Order("created_at, id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("finding webhooks: %w", err)
	}
	for i := range rows {
		if covers(rows[i].Events.V, w.events) && (!s.moved(&rows[i]) || !canUpdate) {
			return &rows[i], nil
		}
	}
	if canUpdate && len(rows) > 0 {
		return &rows[0], s.extend(ctx, &rows[0], w.events, registrar, updater, c)
	}
	return s.register(ctx, w.newRow(userID, registering), registrar, c)
}

// moved reports whether a webhook was registered with another address than this
// server has now, as far as the vendor told its own.
func (s *Service) moved(r *row) bool {
	registered := r.registeredURL()
	return registered != "" && registered != s.ingressURL(r)
}

// registeredURL is the address that the vendor has, or "" when it did not say.
func (r *row) registeredURL() string {
	url, _ := r.Config.V["url"].(string)
	return url
}

// confirmed reports whether the vendor has answered the registration.
func (r *row) confirmed() bool { return r.ProviderWebhookID != "" || len(r.Config.V) > 0 }

// covers reports whether a webhook with some events serves a trigger that wants
// others. None means every one.
func covers(have, want []string) bool {
	if len(have) == 0 || len(want) == 0 {
		return len(have) == 0
	}
	return !slices.ContainsFunc(want, func(e string) bool { return !slices.Contains(have, e) })
}

// register makes the vendor send deliveries. The row is stored before, so that
// what a lost answer leaves at the vendor is found and taken back.
func (s *Service) register(ctx context.Context, r *row, registrar core.WebhookRegistrar, c core.Credential) (*row, error) {
	if err := s.DB.Write.WithContext(ctx).Create(r).Error; err != nil {
		return nil, fmt.Errorf("storing webhook: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, vendorTimeout)
	done, err := registrar.Register(limited, s.HTTP(r.Provider), s.contract(r), c)
	cancel()
	if err == nil {
		r.ProviderWebhookID, r.Config.V = done.ProviderID, done.Config
		var still bool
		still, err = s.changeIf(ctx, r, registering, map[string]any{
			"state": active, "provider_webhook_id": done.ProviderID, "config": db.AsJSON(done.Config),
		})
		if err == nil && !still {
			return nil, s.undo(ctx, r, registrar, c)
		}
		r.State = active
	}
	if err != nil {
		s.Log.WarnContext(ctx, "a webhook could not be registered", "webhook", r.ID, "user", r.UserID, "provider", r.Provider, "error", err)
		if retireErr := s.retire(context.WithoutCancel(ctx), r.ID); retireErr != nil {
			s.Log.ErrorContext(ctx, "a webhook that was not registered is left for the clean-up", "webhook", r.ID, "error", retireErr)
		}
		return nil, refused(r.Provider, err)
	}
	s.Log.InfoContext(ctx, "webhook registered", "webhook", r.ID, "user", r.UserID, "provider", r.Provider, "resource", r.Resource)
	return r, nil
}

// extend adds events to a registered webhook.
func (s *Service) extend(ctx context.Context, r *row, events []string, registrar core.WebhookRegistrar, updater core.WebhookUpdater, c core.Credential) error {
	var united []string
	if len(events) > 0 && len(r.Events.V) > 0 { // none means every one
		united = append(slices.Clone(r.Events.V), events...)
		slices.Sort(united)
		united = slices.Compact(united)
	}
	hook := s.contract(r)
	hook.Events = united
	limited, cancel := context.WithTimeout(ctx, vendorTimeout)
	defer cancel()
	done, err := updater.Update(limited, s.HTTP(r.Provider), hook, c)
	if err != nil {
		return refused(r.Provider, err)
	}
	r.Events.V, r.ProviderWebhookID, r.Config.V = united, done.ProviderID, done.Config
	still, err := s.changeIf(ctx, r, active, map[string]any{
		"events": db.AsJSON(united), "provider_webhook_id": done.ProviderID, "config": db.AsJSON(done.Config),
	})
	if err == nil && !still {
		return s.undo(ctx, r, registrar, c)
	}
	return err
}

// undo takes back at the vendor what was registered while the webhook was being
// removed here: nobody else knows of it. The kind of its error is
// [core.Conflict].
func (s *Service) undo(ctx context.Context, r *row, registrar core.WebhookRegistrar, c core.Credential) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), deregisterTimeout)
	defer cancel()
	if err := registrar.Deregister(limited, s.HTTP(r.Provider), s.contract(r), c); err != nil {
		s.Log.ErrorContext(ctx, "a webhook stays behind at its vendor: it was removed while it was registered, and could not be deregistered",
			"webhook", r.ID, "user", r.UserID, "provider", r.Provider, "resource", r.Resource, "error", err)
	}
	return core.Errorf(core.Conflict, "Webhook #%s was removed while it was set up; try again", r.ID)
}

// refused words a vendor's refusal as the caller's fault or the vendor's.
func refused(provider string, err error) error {
	var known *core.Error
	switch {
	case errors.As(err, &known) && temporary(known):
		return core.Errorf(core.Unavailable, "The webhook could not be registered at %s: %s", provider, known.Message)
	case errors.As(err, &known):
		return core.Errorf(core.Invalid, "The webhook could not be registered at %s: %s", provider, known.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return core.Errorf(core.Unavailable, "The webhook could not be registered: %s did not answer in time", provider)
	}
	return fmt.Errorf("registering webhook: %w", err)
}

// Link makes sure, inside the transaction that links a trigger to a webhook,
// that neither the webhook nor its credential is being removed. The kind of the
// error is [core.Conflict] when one is: SetUp has to be called again.
func (s *Service) Link(tx *gorm.DB, userID, id string) error {
	var credentials []string
	if err := tx.Model(&row{}).Where("id = ? AND user_id = ?", id, userID).Pluck("credentials_id", &credentials).Error; err != nil {
		return fmt.Errorf("linking webhook: %w", err)
	}
	if len(credentials) == 1 && credentials[0] != "" {
		there, err := s.Credentials.Hold(tx, userID, credentials[0])
		if err != nil {
			return fmt.Errorf("linking webhook: %w", err)
		}
		if !there {
			return core.Errorf(core.Conflict, "The credentials #%s are being removed", credentials[0])
		}
	}
	done := tx.Model(&row{}).Where("id = ? AND user_id = ? AND state = ?", id, userID, active).Update("updated_at", db.Now())
	if done.Error != nil {
		return fmt.Errorf("linking webhook: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return core.Errorf(core.Conflict, "Webhook #%s is being removed", id)
	}
	return nil
}

// Get gives the webhooks of a user by id; ids of none of theirs are left out.
func (s *Service) Get(ctx context.Context, userID string, ids ...string) (map[string]*Webhook, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []row
	err := s.DB.Read.WithContext(ctx).Where("user_id = ? AND id IN ? AND state = ?", userID, ids, active).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading webhooks: %w", err)
	}
	found := make(map[string]*Webhook, len(rows))
	for i := range rows {
		found[rows[i].ID] = s.shown(&rows[i])
	}
	return found, nil
}

// Find gives a webhook of a user inside a transaction, or nil.
func (s *Service) Find(tx *gorm.DB, userID, id string) (*Webhook, error) {
	var rows []row
	if err := tx.Where("id = ? AND user_id = ? AND state = ?", id, userID, active).Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("finding webhook: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return s.shown(&rows[0]), nil
}

// find gives a webhook of a user, or nil.
func (s *Service) find(ctx context.Context, userID, id string) (*row, error) {
	var rows []row
	err := s.DB.Read.WithContext(ctx).Where("id = ? AND user_id = ?", id, userID).Limit(1).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("finding webhook: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

func (s *Service) change(ctx context.Context, r *row, columns map[string]any) error {
	_, err := s.changeIf(ctx, r, r.State, columns)
	return err
}

// changeIf changes a webhook that is in a state, and reports whether it was.
func (s *Service) changeIf(ctx context.Context, r *row, state string, columns map[string]any) (bool, error) {
	columns["updated_at"] = db.Now()
	done := s.DB.Write.WithContext(ctx).Model(&row{}).Where("id = ? AND state = ?", r.ID, state).Updates(columns)
	if done.Error != nil {
		return false, fmt.Errorf("storing webhook: %w", done.Error)
	}
	return done.RowsAffected > 0, nil
}
