package main

import (
	"context"
	"errors"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/platform"
)

// credentialStore is the stored credentials without a server around them.
type credentialStore struct {
	*credential.Service
	db   *db.DB
	keys []string // names of the configured keys; the first one seals
}

// openCredentials opens the configured database, brings it up to date and checks
// the keys, as a server does at its start.
func openCredentials(ctx context.Context, f *flags) (_ *credentialStore, err error) {
	c, err := f.load()
	if err != nil {
		return nil, err
	}
	d, err := platform.OpenDatabase(ctx, c, newLog(c))
	if err != nil {
		return nil, friendly(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	ring, err := platform.KeyRing(c)
	if err != nil {
		return nil, err
	}
	// Ids of system credentials are taken whether or not their provider is on.
	s, err := credential.Open(ctx, d, ring, core.Default, credential.Options{})
	if err != nil {
		return nil, err
	}
	return &credentialStore{Service: s, db: d, keys: ring.Names()}, nil
}

// Close closes the database.
func (s *credentialStore) Close() error {
	s.Service.Close()
	return s.db.Close()
}
