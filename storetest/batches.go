package storetest

import (
	"context"
	"errors"
	"hash/maphash"
	"testing"
	"time"

	"github.com/twilioacct/twilioacct"
)

// batches are the checks of [twilioacct.BatchSaver].
func (s suite) batches() cases {
	return cases{
		"SaveBatch saves more than a thousand records":           s.batchOfMany,
		"SaveBatch saves under the revisions that Scan showed":   s.batchAfterScan,
		"SaveBatch saves what had no revision yet":               s.batchOfOld,
		"SaveBatch reports each record that was not saved":       s.batchMixed,
		"SaveBatch merges and removes as Save does":              s.batchMerges,
		"SaveBatch keeps what a record does not set":             s.batchKeeps,
		"SaveBatch of what is kept already changes no field":     s.batchEqual,
		"SaveBatch of what sets nothing is as Save":              s.batchOfEmpty,
		"SaveBatch takes odd strings as they are":                s.batchOdd,
		"SaveBatch of nothing does nothing":                      s.batchOfNothing,
		"SaveBatch saves one account's records in their order":   s.batchInOrder,
		"SaveBatch again after all was saved changes nothing":    s.batchAgain,
		"SaveBatch again after some were saved saves the others": s.batchAgainAfterSome,
		"a context that has ended ends SaveBatch":                s.batchCancelled,
		"two SaveBatch at once lose nothing":                     s.batchesAtOnce,
	}
}

func (s suite) batchSaver(t *testing.T, seed ...twilioacct.Record) twilioacct.BatchSaver {
	t.Helper()
	return companion[twilioacct.BatchSaver](t, s.new(t, seed...))
}

// saveBatch returns the failures by SID.
func saveBatch(t testing.TB, store twilioacct.BatchSaver, records ...twilioacct.Record) map[string]error {
	t.Helper()
	failures, err := store.SaveBatch(t.Context(), records)
	if err != nil {
		t.Fatalf("SaveBatch: %v", err)
	}
	all := map[string]error{}
	for _, f := range failures {
		all[f.SID] = errors.Join(all[f.SID], f.Err)
	}
	return all
}

func (s suite) batchOfMany(t *testing.T) {
	store := s.batchSaver(t, manyRecords()...)
	changed := manyRecords()
	for i := range changed {
		changed[i].Status = twilioacct.StatusSuspended
	}
	if failures := saveBatch(t, store, changed...); len(failures) != 0 {
		t.Fatalf("%d records were not saved: %v", len(failures), failures)
	}
	for _, i := range []int{0, 1, 499, 500, 501, 999, 1000, 1001, many - 1} {
		r := load(t, store, sid(i))
		if r.Status != twilioacct.StatusSuspended || r.Rev <= int64(i) || !r.AuthToken.Equal(changed[i].AuthToken) {
			t.Errorf("record %d is %s", i, describe(r))
		}
	}
}

// batchAfterScan does what a sync does: it scans, and saves what differs without a look in between.
func (s suite) batchAfterScan(t *testing.T) {
	store := s.batchSaver(t, manyRecords()...)
	scanner := companion[twilioacct.Scanner](t, store)
	seed := maphash.MakeSeed()
	for _, token := range []string{"first", "second"} {
		var changed []twilioacct.Record
		for e, err := range scanner.Scan(t.Context(), seed) {
			if err != nil {
				t.Fatal(err)
			}
			changed = append(changed, twilioacct.Record{SID: e.SID, Rev: e.Rev, AuthToken: secret(token + e.SID)})
		}
		if failures := saveBatch(t, store, changed...); len(failures) != 0 {
			t.Fatalf("%d records were not saved: %v", len(failures), failures)
		}
		for e, err := range scanner.Scan(t.Context(), seed) {
			if err != nil || e.Fingerprint != twilioacct.Fingerprint(seed, token+e.SID) || e.Status != twilioacct.StatusActive {
				t.Fatalf("the scan shows %+v, %v", e, err)
			}
		}
	}
}

func (s suite) batchOfOld(t *testing.T) {
	store := s.batchSaver(t, bare(), twilioacct.Record{SID: sid(2), Status: twilioacct.StatusActive})
	failures := saveBatch(t, store,
		twilioacct.Record{SID: sid(1), AuthToken: secret("one")},
		twilioacct.Record{SID: sid(2), AuthToken: secret("two")})
	if len(failures) != 0 {
		t.Fatal(failures)
	}
	for i, want := range []twilioacct.Record{
		{SID: sid(1), AuthToken: secret("one")},
		{SID: sid(2), AuthToken: secret("two"), Status: twilioacct.StatusActive},
	} {
		r := load(t, store, want.SID)
		want.Rev = r.Rev
		wantRecord(t, "the record", r, want)
		if r.Rev <= 0 {
			t.Errorf("the revision of record %d is %d", i, r.Rev)
		}
	}
}

func (s suite) batchMixed(t *testing.T) {
	seed := manyRecords()[:20]
	store := s.batchSaver(t, seed...)
	changed := append([]twilioacct.Record(nil), seed...)
	for i := range changed {
		changed[i].Status = twilioacct.StatusClosed
	}
	changed[3].Rev += 5 // not the record's
	changed[19].Rev--
	changed[7].APIKeys = map[string]twilioacct.APIKey{"Bad": {}}
	changed[11].SID = sid(5000) // unknown
	failures := saveBatch(t, store, changed...)
	wantError(t, "a future revision", failures[sid(3)], twilioacct.ErrStale)
	wantError(t, "an old revision", failures[sid(19)], twilioacct.ErrStale)
	wantError(t, "a malformed record", failures[sid(7)], twilioacct.ErrInvalid)
	wantError(t, "an unknown record", failures[sid(5000)], twilioacct.ErrNoRecord)
	if len(failures) != 4 {
		t.Errorf("there are %d failures, want 4: %v", len(failures), failures)
	}
	for i, before := range seed {
		r := load(t, store, sid(i))
		switch i {
		case 3, 7, 11, 19:
			wantRecord(t, "a record that was not saved", r, before)
		default:
			if r.Status != twilioacct.StatusClosed || r.Rev <= before.Rev {
				t.Errorf("record %d was not saved: %s", i, describe(r))
			}
		}
	}
}

func (s suite) batchMerges(t *testing.T) {
	other := full()
	other.SID = sid(2)
	store := s.batchSaver(t, full(), other)
	key := twilioacct.APIKey{SID: keySID(3), Secret: secret("secret-3")}
	failures := saveBatch(t, store,
		twilioacct.Record{SID: sid(1), Rev: 7, APIKeys: map[string]twilioacct.APIKey{"sync": key}},
		twilioacct.Record{SID: sid(2), Rev: 7, Tenant: "other", Remove: fields(twilioacct.FieldAuthToken, twilioacct.APIKeyField("chat"))})
	if len(failures) != 0 {
		t.Fatal(failures)
	}
	want, r := full(), load(t, store, sid(1))
	want.APIKeys["sync"], want.Rev = key, r.Rev
	wantRecord(t, "the first record", r, want)
	want, r = other, load(t, store, sid(2))
	want.AuthToken, want.Tenant, want.Rev = twilioacct.Secret{}, "other", r.Rev
	delete(want.APIKeys, "chat")
	wantRecord(t, "the second record", r, want)
}

// A token that is hidden must not erase the one that is kept.
func (s suite) batchKeeps(t *testing.T) {
	store := s.batchSaver(t, full())
	failures := saveBatch(t, store, twilioacct.Record{SID: sid(1), Rev: 7, Status: twilioacct.StatusSuspended})
	if len(failures) != 0 {
		t.Fatal(failures)
	}
	want, r := full(), load(t, store, sid(1))
	want.Status, want.Rev = twilioacct.StatusSuspended, r.Rev
	wantRecord(t, "the record", r, want)
	if r.Rev <= full().Rev {
		t.Errorf("the revision was %d and is %d: it did not grow", full().Rev, r.Rev)
	}
}

func (s suite) batchEqual(t *testing.T) {
	store := s.batchSaver(t, full())
	if failures := saveBatch(t, store, full()); len(failures) != 0 {
		t.Error(failures)
	}
	r := load(t, store, sid(1))
	if !sameFields(r, full()) || r.Rev < full().Rev {
		t.Errorf("the record is %s, want %s", describe(r), describe(full()))
	}
}

func (s suite) batchOfEmpty(t *testing.T) {
	store := s.batchSaver(t, full())
	failures := saveBatch(t, store, twilioacct.Record{SID: sid(1), Rev: 7}, twilioacct.Record{SID: sid(2)})
	wantError(t, "an unknown record", failures[sid(2)], twilioacct.ErrNoRecord)
	failures = saveBatch(t, store, twilioacct.Record{SID: sid(1), Rev: 5})
	wantError(t, "an old revision", failures[sid(1)], twilioacct.ErrStale)
	if r := load(t, store, sid(1)); !sameFields(r, full()) {
		t.Errorf("the record is %s, want %s", describe(r), describe(full()))
	}
}

func (s suite) batchOdd(t *testing.T) {
	var seed, changed []twilioacct.Record
	for i, text := range odd() {
		r := twilioacct.Record{SID: sid(i)}
		seed = append(seed, r)
		r.AuthToken, r.Status, r.Tenant = secret(text), twilioacct.Status(text), text
		r.APIKeys = map[string]twilioacct.APIKey{"voice": {SID: keySID(1), Secret: secret(text)}}
		changed = append(changed, r)
	}
	store := s.batchSaver(t, seed...)
	if failures := saveBatch(t, store, changed...); len(failures) != 0 {
		t.Fatal(failures)
	}
	for _, want := range changed {
		r := load(t, store, want.SID)
		want.Rev = r.Rev
		wantRecord(t, "the record", r, want)
	}
}

func (s suite) batchOfNothing(t *testing.T) {
	store := s.batchSaver(t, full())
	if failures := saveBatch(t, store); len(failures) != 0 {
		t.Error(failures)
	}
}

// batchInOrder has the second record of an account near the first, and far from it.
func (s suite) batchInOrder(t *testing.T) {
	for _, between := range []int{0, many - 1} {
		seed := manyRecords()
		store := s.batchSaver(t, seed...)
		first, second := seed[0], seed[0]
		first.Status, second.Status = "first", "second"
		batch := append([]twilioacct.Record{first}, seed[1:between+1]...)
		failures := saveBatch(t, store, append(batch, second)...)
		wantError(t, "the second record", failures[sid(0)], twilioacct.ErrStale)
		if r := load(t, store, sid(0)); r.Status != "first" || len(failures) != 1 {
			t.Errorf("the record is %s, and there are %d failures", describe(r), len(failures))
		}
	}
}

// batchAgain is what is done after an error that says nothing of single records, when all of them had been written.
func (s suite) batchAgain(t *testing.T) {
	store := s.batchSaver(t, manyRecords()[:10]...)
	changed := manyRecords()[:10]
	for i := range changed {
		changed[i].Status = twilioacct.StatusClosed
	}
	if failures := saveBatch(t, store, changed...); len(failures) != 0 {
		t.Fatal(failures)
	}
	var before []twilioacct.Record
	for i := range changed {
		before = append(before, load(t, store, sid(i)))
	}
	failures := saveBatch(t, store, changed...)
	for i := range changed {
		if err := failures[sid(i)]; err != nil {
			wantError(t, "the second SaveBatch", err, twilioacct.ErrStale)
		}
		wantRecord(t, "the record", load(t, store, sid(i)), before[i])
	}
}

func (s suite) batchAgainAfterSome(t *testing.T) {
	const n, saved = 20, 9
	store := s.batchSaver(t, manyRecords()[:n]...)
	changed := manyRecords()[:n]
	for i := range changed {
		changed[i].AuthToken, changed[i].Status = secret("new"), twilioacct.StatusClosed
	}
	if failures := saveBatch(t, store, changed[:saved]...); len(failures) != 0 {
		t.Fatal(failures)
	}
	failures := saveBatch(t, store, changed...)
	for i, want := range changed {
		switch err := failures[want.SID]; {
		case err == nil:
		case i < saved:
			wantError(t, "a record that was saved before", err, twilioacct.ErrStale)
		default:
			t.Errorf("record %d was not saved: %v", i, err)
		}
		if r := load(t, store, want.SID); !sameFields(r, want) {
			t.Errorf("record %d is %s, want %s", i, describe(r), describe(want))
		}
	}
}

func (s suite) batchCancelled(t *testing.T) {
	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled(t), past} {
		store := s.batchSaver(t, full())
		_, err := store.SaveBatch(ctx, []twilioacct.Record{{SID: sid(1), Rev: 7, Status: "x"}})
		wantError(t, "SaveBatch", err, ctx.Err())
		wantRecord(t, "the record", load(t, store, sid(1)), full())
	}
}

func (s suite) batchesAtOnce(t *testing.T) {
	const n = 50
	store := s.batchSaver(t, manyRecords()[:n]...)
	var saved [8][]string
	atOnce(len(saved), func(i int) {
		changed := manyRecords()[:n]
		for j := range changed {
			changed[j].Tenant = sid(i)
		}
		failures := saveBatch(t, store, changed...)
		for _, r := range changed {
			switch err := failures[r.SID]; {
			case err == nil:
				saved[i] = append(saved[i], r.SID)
			case !errors.Is(err, twilioacct.ErrStale):
				t.Errorf("SaveBatch: %s: %v", r.SID, err)
			}
		}
	})
	winner := map[string]string{}
	for i, sids := range saved {
		for _, one := range sids {
			if before, twice := winner[one]; twice {
				t.Errorf("both %s and %s saved %s under one revision", before, sid(i), one)
			}
			winner[one] = sid(i)
		}
	}
	for i := range n {
		if r := load(t, store, sid(i)); winner[sid(i)] == "" || r.Tenant != winner[sid(i)] {
			t.Errorf("record %d is of %q, but %q won", i, r.Tenant, winner[sid(i)])
		}
	}
}
