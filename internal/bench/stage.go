package main

import (
	"context"
	"fmt"

	"github.com/twilioacct/twilioacct"
)

// stage is a fleet at Twilio and the documents of it. All sides sync the same documents in turns, each with clients of its own.
type stage struct {
	twilio   *twilio
	database *database
}

func newStage(ctx context.Context, accounts int) (*stage, error) {
	uri, err := mongoURI()
	if err != nil {
		return nil, err
	}
	t, err := startTwilio(ctx, accounts)
	if err != nil {
		return nil, err
	}
	d, err := newDatabase(ctx, uri, t)
	if err != nil {
		t.Close()
		return nil, err
	}
	return &stage{t, d}, nil
}

func (s *stage) close(ctx context.Context) {
	s.database.drop(ctx)
	s.twilio.Close()
}

// ours syncs the fleet with the library, and does not take another number of changes for good.
func (s *stage) ours(ctx context.Context) (func(changed int) error, error) {
	provider, err := syncing(s.twilio, s.database)
	if err != nil {
		return nil, err
	}
	return func(changed int) error {
		report, err := provider.SyncAll(ctx, nil)
		if err != nil {
			return err
		}
		return judge(report, s.twilio.Accounts, changed)
	}, nil
}

// syncing is the library with the documents as its store.
func syncing(t *twilio, d *database) (*twilioacct.Provider, error) {
	store, err := d.store()
	if err != nil {
		return nil, err
	}
	return ours(t, twilioacct.Options{Store: store})
}

func judge(r twilioacct.SyncReport, accounts, changed int) error {
	if !r.Complete || r.Failed > 0 || r.Synced() != accounts || r.Changed != changed {
		return fmt.Errorf("%d accounts, of which %d changed, were synced as %+v", accounts, changed, r)
	}
	return nil
}

func (s *stage) limit(ctx context.Context, what scan) (func(changed int) error, error) {
	accounts, err := s.database.accounts()
	if err != nil {
		return nil, err
	}
	l := &limit{newPager(s.twilio), &plainDocuments{collection: accounts, scanned: what}}
	return func(changed int) error {
		written, err := l.sync(ctx)
		if err == nil && written != changed {
			err = fmt.Errorf("%d accounts changed, %d were written", changed, written)
		}
		return err
	}, nil
}

// changes are what happens at Twilio between two syncs.
type changes struct {
	text  string
	every int // account gets another token; 0: none
}

var allChanged = changes{"all", 1}

func (c changes) happen(ctx context.Context, t *twilio) error {
	if c.every == 0 {
		return nil
	}
	return t.changeTokens(ctx, c.every)
}

// of is how many accounts of a fleet change.
func (c changes) of(accounts int) int {
	if c.every == 0 {
		return 0
	}
	return accounts / c.every
}
