package storetest

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/twilioacct/twilioacct"
)

// tenants are the checks of [twilioacct.TenantLoader].
func (s suite) tenants() cases {
	return cases{
		"LoadTenant finds the tenant's record":           s.tenantFound,
		"LoadTenant of an unknown tenant is ErrNoRecord": s.tenantMissing,
		"LoadTenant of two accounts is ErrAmbiguous":     s.tenantAmbiguous,
		"LoadTenant follows what Save changes":           s.tenantChanges,
		"LoadTenant takes odd strings as they are":       s.tenantOdd,
		"a cancelled context ends LoadTenant":            s.tenantCancelled,
	}
}

func (s suite) tenantLoader(t *testing.T, seed ...twilioacct.Record) twilioacct.TenantLoader {
	t.Helper()
	return companion[twilioacct.TenantLoader](t, s.new(t, seed...))
}

func (s suite) tenantFound(t *testing.T) {
	other := twilioacct.Record{SID: sid(2), Tenant: "other"}
	store := s.tenantLoader(t, other, full())
	r, err := store.LoadTenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	wantRecord(t, "the record", r, full())
}

func (s suite) tenantMissing(t *testing.T) {
	store := s.tenantLoader(t, full(), twilioacct.Record{SID: sid(2)}, twilioacct.Record{SID: sid(3)})
	for _, tenant := range []string{"nobody", "ACME", "", "acm", "acme "} {
		_, err := store.LoadTenant(t.Context(), tenant)
		wantError(t, "LoadTenant("+strconv.Quote(tenant)+")", err, twilioacct.ErrNoRecord)
	}
}

func (s suite) tenantAmbiguous(t *testing.T) {
	other := twilioacct.Record{SID: sid(2), Tenant: "acme"}
	_, err := s.tenantLoader(t, full(), other).LoadTenant(t.Context(), "acme")
	wantError(t, "LoadTenant", err, twilioacct.ErrAmbiguous)
}

func (s suite) tenantChanges(t *testing.T) {
	store := s.tenantLoader(t, full())
	r := save(t, store, twilioacct.Record{SID: sid(1), Rev: 7, Tenant: "new"})
	_, err := store.LoadTenant(t.Context(), "acme")
	wantError(t, "LoadTenant of the old tenant", err, twilioacct.ErrNoRecord)
	if found, err := store.LoadTenant(t.Context(), "new"); err != nil || !same(found, r) {
		t.Errorf("LoadTenant of the new tenant: %s, %v", describe(found), err)
	}
	save(t, store, twilioacct.Record{SID: sid(1), Rev: r.Rev, Remove: fields(twilioacct.FieldTenant)})
	_, err = store.LoadTenant(t.Context(), "new")
	wantError(t, "LoadTenant of a removed tenant", err, twilioacct.ErrNoRecord)
}

func (s suite) tenantOdd(t *testing.T) {
	var seed []twilioacct.Record
	for i, text := range odd() {
		seed = append(seed, twilioacct.Record{SID: sid(i), Tenant: text})
	}
	store := s.tenantLoader(t, seed...)
	for _, want := range seed {
		if r, err := store.LoadTenant(t.Context(), want.Tenant); err != nil || !same(r, want) {
			t.Errorf("LoadTenant(%s): %s, %v", short(want.Tenant), describe(r), err)
		}
	}
}

func (s suite) tenantCancelled(t *testing.T) {
	ctx := cancelled(t)
	_, err := s.tenantLoader(t, full()).LoadTenant(ctx, "acme")
	wantError(t, "LoadTenant", err, ctx.Err())
}

// making are the checks of a Store that makes records.
func (s suite) making() cases {
	return cases{
		"Save makes the record that is missing":                 s.makes,
		"Save makes a record with nothing in it":                s.makesBare,
		"Save of a missing record under a revision is ErrStale": s.makesNoneAgain,
		"of 16 that make one record one wins":                   s.makesOnce,
		"SaveBatch makes the records that are missing":          s.batchMakes,
		"SaveBatch makes a record once":                         s.batchMakesOnce,
		"Makes tells whether Save makes records":                s.makesTruly,
		"an existing record is saved as ever":                   s.savesAsEver,
	}
}

func (s suite) makes(t *testing.T) {
	store := s.new(t)
	want := full()
	want.Rev = 0
	saved := save(t, store, want)
	if saved.Rev <= 0 || saved.Copies != 1 {
		t.Errorf("the new record has revision %d and %d copies", saved.Rev, saved.Copies)
	}
	want.Rev = saved.Rev
	wantRecord(t, "what Save returned", saved, want)
	wantRecord(t, "what Load returned", load(t, store, sid(1)), want)
	refuses(t, store, twilioacct.Record{SID: sid(1), Status: "again"}, twilioacct.ErrStale)
	_, err := store.Load(t.Context(), sid(2))
	wantError(t, "Load of another", err, twilioacct.ErrNoRecord)
}

func (s suite) makesBare(t *testing.T) {
	store := s.new(t)
	saved := save(t, store, twilioacct.Record{SID: sid(1), Remove: fields(twilioacct.FieldStatus)})
	wantRecord(t, "the record", load(t, store, sid(1)), saved)
	if saved.Rev <= 0 || saved.Status != "" {
		t.Errorf("the record is %s", describe(saved))
	}
}

func (s suite) makesNoneAgain(t *testing.T) {
	refuses(t, s.new(t), twilioacct.Record{SID: sid(1), Rev: 3, Status: "x"}, twilioacct.ErrStale)
}

func (s suite) makesOnce(t *testing.T) {
	store := s.new(t)
	var won atomic.Int32
	atOnce(16, func(i int) {
		_, err := store.Save(t.Context(), twilioacct.Record{SID: sid(1), Tenant: strconv.Itoa(i)})
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, twilioacct.ErrStale):
			t.Errorf("Save: %v", err)
		}
	})
	if r := load(t, store, sid(1)); won.Load() != 1 || r.Copies != 1 {
		t.Errorf("%d made the record, and there are %d copies of it", won.Load(), r.Copies)
	}
}

func (s suite) batchMakes(t *testing.T) {
	store := companion[twilioacct.BatchSaver](t, s.new(t, full()))
	failures := saveBatch(t, store,
		twilioacct.Record{SID: sid(1), Rev: 7, Status: "kept"},
		twilioacct.Record{SID: sid(2), Status: "made"},
		twilioacct.Record{SID: sid(3), Rev: 1, Status: "stale"})
	wantError(t, "a missing record under a revision", failures[sid(3)], twilioacct.ErrStale)
	if len(failures) != 1 {
		t.Errorf("there are %d failures, want 1: %v", len(failures), failures)
	}
	if r := load(t, store, sid(2)); r.Status != "made" || r.Rev <= 0 {
		t.Errorf("the new record is %s", describe(r))
	}
	if r := load(t, store, sid(1)); r.Status != "kept" {
		t.Errorf("the old record is %s", describe(r))
	}
}

func (s suite) batchMakesOnce(t *testing.T) {
	store := companion[twilioacct.BatchSaver](t, s.new(t))
	r := twilioacct.Record{SID: sid(1), AuthToken: secret("token"), Status: "made"}
	other := twilioacct.Record{SID: sid(1), Status: "again"}
	wantError(t, "the second record", saveBatch(t, store, r, other)[sid(1)], twilioacct.ErrStale)
	made := load(t, store, sid(1))
	if err := saveBatch(t, store, r)[sid(1)]; err != nil {
		wantError(t, "the second SaveBatch", err, twilioacct.ErrStale)
	}
	wantRecord(t, "the record", load(t, store, sid(1)), made)
	if made.Copies != 1 || made.Status != "made" || !made.AuthToken.Equal(r.AuthToken) {
		t.Errorf("the record is %s, in %d copies", describe(made), made.Copies)
	}
}

// makesTruly holds for every Store, whether it makes records or not.
func (s suite) makesTruly(t *testing.T) {
	store := s.new(t)
	maker := companion[twilioacct.Maker](t, store)
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid(1), Status: twilioacct.StatusActive})
	if made := err == nil; maker.Makes() != made {
		t.Errorf("Makes is %t, but Save of an account without a record: %v", maker.Makes(), err)
	}
}

func (s suite) savesAsEver(t *testing.T) {
	store := s.new(t, full())
	refuses(t, store, twilioacct.Record{SID: sid(1), Rev: 6, Status: "x"}, twilioacct.ErrStale)
	wantRecord(t, "what Save returned", save(t, store, full()), full())
}
