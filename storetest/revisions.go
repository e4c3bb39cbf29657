package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twilioacct/twilioacct"
)

// revisions are the checks of optimistic concurrency, one writer after the other.
func (s suite) revisions() cases {
	return cases{
		"Save under an old revision is ErrStale and changes nothing": s.oldRevision,
		"Save under a future revision is ErrStale":                   s.futureRevision,
		"Save of what is kept already keeps the revision":            s.equalSave,
		"Save of what is kept already, but stale, is ErrStale":       s.equalButStale,
		"removing what is not there keeps the revision":              s.removeNothing,
		"the revision grows with each change":                        s.revisionGrows,
		"a Save whose reply was lost is ErrStale, and applied once":  s.lostReply,
	}
}

func (s suite) oldRevision(t *testing.T) {
	store := s.new(t, full())
	first := save(t, store, twilioacct.Record{SID: sid(1), Rev: 7, Status: twilioacct.StatusSuspended})
	for _, rev := range []int64{0, 1, 6, 7} {
		refuses(t, store, twilioacct.Record{SID: sid(1), Rev: rev, AuthToken: secret("older")}, twilioacct.ErrStale)
		refuses(t, store, twilioacct.Record{SID: sid(1), Rev: rev, Remove: fields(twilioacct.FieldTenant)}, twilioacct.ErrStale)
	}
	wantRecord(t, "the record", load(t, store, sid(1)), first)
}

func (s suite) futureRevision(t *testing.T) {
	refuses(t, s.new(t, full()), twilioacct.Record{SID: sid(1), Rev: 8, Status: "x"}, twilioacct.ErrStale)
	refuses(t, s.new(t, bare()), twilioacct.Record{SID: sid(1), Rev: 1, Status: "x"}, twilioacct.ErrStale)
}

func (s suite) equalSave(t *testing.T) {
	store := s.new(t, full())
	wantRecord(t, "what Save returned", save(t, store, full()), full())
	some := twilioacct.Record{SID: sid(1), Rev: 7, Status: twilioacct.StatusActive}
	wantRecord(t, "what Save returned", save(t, store, some), full())
	wantRecord(t, "what Load returned", load(t, store, sid(1)), full())
}

func (s suite) equalButStale(t *testing.T) {
	r := full()
	r.Rev--
	refuses(t, s.new(t, full()), r, twilioacct.ErrStale)
}

func (s suite) removeNothing(t *testing.T) {
	store := s.new(t, bare())
	r := bare()
	r.Remove = fields(twilioacct.FieldAuthToken, twilioacct.FieldStatus, twilioacct.FieldTenant, twilioacct.APIKeyField("voice"))
	wantRecord(t, "what Save returned", save(t, store, r), bare())
	wantRecord(t, "what Load returned", load(t, store, sid(1)), bare())
}

func (s suite) revisionGrows(t *testing.T) {
	store := s.new(t, bare())
	r := bare()
	for i := range 20 {
		before := r.Rev
		r.Status = twilioacct.Status("status-" + strconv.Itoa(i%2))
		r = save(t, store, r)
		if r.Rev <= before {
			t.Fatalf("the revision was %d and is %d", before, r.Rev)
		}
	}
}

func (s suite) lostReply(t *testing.T) {
	store := s.new(t, full())
	change := twilioacct.Record{SID: sid(1), Rev: 7, Tenant: "new"}
	saved := save(t, store, change)
	refuses(t, store, change, twilioacct.ErrStale)
	wantRecord(t, "the record", load(t, store, sid(1)), saved)
	change.Rev = saved.Rev
	wantRecord(t, "what a Save after a Load returned", save(t, store, change), saved)
}

// contexts are the checks that a Store gives up.
func (s suite) contexts() cases {
	return cases{
		"a cancelled context ends Load and Save":     s.cancelled,
		"a deadline that is past ends Load and Save": s.pastDeadline,
	}
}

func (s suite) cancelled(t *testing.T) { s.givesUp(t, cancelled(t), context.Canceled) }

func (s suite) pastDeadline(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	s.givesUp(t, ctx, context.DeadlineExceeded)
}

func (s suite) givesUp(t *testing.T, ctx context.Context, want error) {
	t.Helper()
	store := s.new(t, full())
	_, err := store.Load(ctx, sid(1))
	wantError(t, "Load", err, want)
	_, err = store.Save(ctx, twilioacct.Record{SID: sid(1), Rev: 7, Status: twilioacct.StatusClosed})
	wantError(t, "Save", err, want)
	wantRecord(t, "the record", load(t, store, sid(1)), full())
}

// concurrency are the checks of many writers at once.
func (s suite) concurrency() cases {
	return cases{
		"of 32 writers of one revision one wins":              s.oneWins,
		"no update of 32 concurrent writers is lost":          s.noLostUpdate,
		"writers of other accounts do not disturb each other": s.apartAtOnce,
		"a reader never sees half of a Save, nor goes back":   s.noHalfSave,
	}
}

const writers = 32

func (s suite) oneWins(t *testing.T) {
	store := s.new(t, full())
	var won atomic.Int32
	atOnce(writers, func(i int) {
		_, err := store.Save(t.Context(), twilioacct.Record{SID: sid(1), Rev: 7, Tenant: "tenant-" + strconv.Itoa(i)})
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, twilioacct.ErrStale):
			t.Errorf("Save: %v", err)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d writers won, want 1", won.Load())
	}
}

// noLostUpdate keeps a number in the tenant, which each writer increases: the number and the revision tell if one was lost.
func (s suite) noLostUpdate(t *testing.T) {
	const each = 3
	store := s.new(t, bare())
	atOnce(writers, func(int) {
		for range each {
			if err := increase(t.Context(), store); err != nil {
				t.Errorf("increase: %v", err)
				return
			}
		}
	})
	if r := load(t, store, sid(1)); r.Tenant != strconv.Itoa(writers*each) {
		t.Errorf("after %d increases the number is %q", writers*each, r.Tenant)
	}
}

func increase(ctx context.Context, store twilioacct.Store) error {
	for {
		r, err := store.Load(ctx, sid(1))
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(r.Tenant) // empty at first, which is 0
		_, err = store.Save(ctx, twilioacct.Record{SID: sid(1), Rev: r.Rev, Tenant: strconv.Itoa(n + 1)})
		if !errors.Is(err, twilioacct.ErrStale) {
			return err
		}
	}
}

func (s suite) apartAtOnce(t *testing.T) {
	var seed []twilioacct.Record
	for i := range writers {
		seed = append(seed, twilioacct.Record{SID: sid(i)})
	}
	store := s.new(t, seed...)
	atOnce(writers, func(i int) {
		r := seed[i]
		for n := range 4 {
			r.Tenant = strconv.Itoa(i) + "-" + strconv.Itoa(n)
			var err error
			if r, err = store.Save(t.Context(), r); err != nil {
				t.Errorf("Save: %v", err)
				return
			}
		}
	})
	for i := range writers {
		if r := load(t, store, sid(i)); r.Tenant != strconv.Itoa(i)+"-3" {
			t.Errorf("record %d is %s", i, describe(r))
		}
	}
}

// noHalfSave writes the same text into two fields, and reads meanwhile.
func (s suite) noHalfSave(t *testing.T) {
	store := s.new(t, bare())
	done := make(chan struct{})
	atOnce(3, func(i int) {
		if i == 0 {
			defer close(done)
			r := bare()
			for n := range 50 {
				text := strconv.Itoa(n)
				var err error
				r, err = store.Save(t.Context(), twilioacct.Record{SID: sid(1), Rev: r.Rev, Tenant: text, AuthToken: secret(text)})
				if err != nil {
					t.Errorf("Save: %v", err)
					return
				}
			}
			return
		}
		var last int64
		for {
			select {
			case <-done:
				return
			default:
			}
			r, err := store.Load(t.Context(), sid(1))
			if err != nil || r.Tenant != r.AuthToken.Reveal() || r.Rev < last {
				t.Errorf("after revision %d Load returned %s, %v", last, describe(r), err)
				return
			}
			last = r.Rev
		}
	})
}
