package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/twilioacct/twilioacct"
)

// batches are the checks of [twilioacct.BatchSaver].
func (s suite) batches() cases {
	return cases{
		"SaveBatch saves more than a thousand records":         s.batchOfMany,
		"SaveBatch reports each record that was not saved":     s.batchMixed,
		"SaveBatch merges and removes as Save does":            s.batchMerges,
		"SaveBatch of what is kept already changes nothing":    s.batchEqual,
		"SaveBatch of nothing does nothing":                    s.batchOfNothing,
		"SaveBatch saves one account's records in their order": s.batchInOrder,
		"SaveBatch again after all was saved is all stale":     s.batchAgain,
		"a cancelled context ends SaveBatch":                   s.batchCancelled,
		"two SaveBatch at once lose nothing":                   s.batchesAtOnce,
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
		if r.Status != twilioacct.StatusSuspended || r.Rev <= int64(i) || r.AuthToken != changed[i].AuthToken {
			t.Errorf("record %d is %s", i, describe(r))
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

func (s suite) batchEqual(t *testing.T) {
	store := s.batchSaver(t, full())
	if failures := saveBatch(t, store, full()); len(failures) != 0 {
		t.Error(failures)
	}
	wantRecord(t, "the record", load(t, store, sid(1)), full())
}

func (s suite) batchOfNothing(t *testing.T) {
	store := s.batchSaver(t, full())
	if failures := saveBatch(t, store); len(failures) != 0 {
		t.Error(failures)
	}
}

func (s suite) batchInOrder(t *testing.T) {
	store := s.batchSaver(t, full())
	failures := saveBatch(t, store,
		twilioacct.Record{SID: sid(1), Rev: 7, Status: "first"},
		twilioacct.Record{SID: sid(1), Rev: 7, Status: "second"})
	wantError(t, "the second record", failures[sid(1)], twilioacct.ErrStale)
	if r := load(t, store, sid(1)); r.Status != "first" {
		t.Errorf("the record is %s", describe(r))
	}
}

func (s suite) batchAgain(t *testing.T) {
	store := s.batchSaver(t, manyRecords()[:10]...)
	changed := manyRecords()[:10]
	for i := range changed {
		changed[i].Tenant = "new"
	}
	if failures := saveBatch(t, store, changed...); len(failures) != 0 {
		t.Fatal(failures)
	}
	failures := saveBatch(t, store, changed...)
	for i := range changed {
		wantError(t, "the second SaveBatch", failures[sid(i)], twilioacct.ErrStale)
	}
}

func (s suite) batchCancelled(t *testing.T) {
	store := s.batchSaver(t, full())
	_, err := store.SaveBatch(cancelled(t), []twilioacct.Record{{SID: sid(1), Rev: 7, Status: "x"}})
	wantError(t, "SaveBatch", err, context.Canceled)
	wantRecord(t, "the record", load(t, store, sid(1)), full())
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
