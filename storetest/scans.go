package storetest

import (
	"context"
	"hash/maphash"
	"testing"

	"github.com/twilioacct/twilioacct"
)

// scans are the checks of [twilioacct.Scanner].
func (s suite) scans() cases {
	return cases{
		"Scan sees every record once, over many pages":  s.scanSeesAll,
		"Scan of nothing yields nothing":                s.scanOfNothing,
		"fingerprints are equal if the tokens are":      s.fingerprints,
		"a Scan can be left, and begun again":           s.scanLeft,
		"a Scan ends with an error if its context ends": s.scanCancelled,
		"a record can be saved while it is scanned":     s.saveDuringScan,
	}
}

// many is more than fits on a page of a thousand.
const many = 1021

func manyRecords() []twilioacct.Record {
	all := make([]twilioacct.Record, many)
	for i := range all {
		all[i] = twilioacct.Record{SID: sid(i), AuthToken: secret("token-" + sid(i%100)), Status: twilioacct.StatusActive, Rev: int64(i)}
	}
	return all
}

func (s suite) scanner(t *testing.T, seed ...twilioacct.Record) twilioacct.Scanner {
	t.Helper()
	return companion[twilioacct.Scanner](t, s.new(t, seed...))
}

func (s suite) scanSeesAll(t *testing.T) {
	seed := maphash.MakeSeed()
	want := map[string]twilioacct.Entry{}
	for _, r := range manyRecords() {
		fingerprint := twilioacct.Fingerprint(seed, r.AuthToken.Reveal())
		want[r.SID] = twilioacct.Entry{SID: r.SID, Status: r.Status, Rev: r.Rev, Fingerprint: fingerprint}
	}
	ids := map[string]bool{}
	for e, err := range s.scanner(t, manyRecords()...).Scan(t.Context(), seed) {
		if err != nil {
			t.Fatal(err)
		}
		if e.ID == "" || ids[e.ID] {
			t.Errorf("entry %+v has no ID of its own", e)
		}
		ids[e.ID] = true
		e.ID = ""
		if e != want[e.SID] {
			t.Errorf("entry %+v, want %+v", e, want[e.SID])
		}
		delete(want, e.SID)
	}
	if len(want) != 0 {
		t.Errorf("%d of %d records were not seen", len(want), many)
	}
}

func (s suite) scanOfNothing(t *testing.T) {
	for e, err := range s.scanner(t).Scan(t.Context(), maphash.MakeSeed()) {
		t.Errorf("it yielded %+v, %v", e, err)
	}
}

func (s suite) fingerprints(t *testing.T) {
	store := s.scanner(t,
		twilioacct.Record{SID: sid(1), AuthToken: secret("same")},
		twilioacct.Record{SID: sid(2), AuthToken: secret("same")},
		twilioacct.Record{SID: sid(3), AuthToken: secret("other")},
		twilioacct.Record{SID: sid(4)})
	prints := func(seed maphash.Seed) map[string]uint64 {
		all := map[string]uint64{}
		for e, err := range store.Scan(t.Context(), seed) {
			if err != nil {
				t.Fatal(err)
			}
			all[e.SID] = e.Fingerprint
		}
		return all
	}
	seed := maphash.MakeSeed()
	first := prints(seed)
	if first[sid(1)] != first[sid(2)] || first[sid(1)] == first[sid(3)] {
		t.Errorf("tokens 1 and 2 are the same, 3 is another: %v", first)
	}
	if first[sid(4)] != 0 || first[sid(1)] == 0 || first[sid(3)] == 0 {
		t.Errorf("only the record without a token has the fingerprint 0: %v", first)
	}
	if again := prints(seed); again[sid(1)] != first[sid(1)] {
		t.Error("the same seed gave another fingerprint")
	}
	if other := prints(maphash.MakeSeed()); other[sid(1)] == first[sid(1)] {
		t.Error("another seed gave the same fingerprint")
	}
}

func (s suite) scanLeft(t *testing.T) {
	store := s.scanner(t, manyRecords()...)
	for _, leaveAfter := range []int{1, 500, 1001} {
		seen := 0
		for _, err := range store.Scan(t.Context(), maphash.MakeSeed()) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == leaveAfter {
				break
			}
		}
		if seen != leaveAfter {
			t.Errorf("left after %d entries, want %d", seen, leaveAfter)
		}
	}
	again := store.Scan(t.Context(), maphash.MakeSeed())
	for range 2 {
		seen := 0
		for range again {
			seen++
		}
		if seen != many {
			t.Errorf("a whole scan saw %d of %d", seen, many)
		}
	}
}

func (s suite) scanCancelled(t *testing.T) {
	store := s.scanner(t, manyRecords()...)
	scanFails(t, store, cancelled(t), 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	var last error
	for _, err := range store.Scan(ctx, maphash.MakeSeed()) {
		if last = err; err != nil {
			break
		}
		if seen++; seen == 10 {
			cancel()
		}
	}
	wantError(t, "Scan", last, context.Canceled)
}

func scanFails(t *testing.T, store twilioacct.Scanner, ctx context.Context, most int) {
	t.Helper()
	seen := 0
	var last error
	for e, err := range store.Scan(ctx, maphash.MakeSeed()) {
		last = err
		if err == nil {
			seen++
		} else if e != (twilioacct.Entry{}) {
			t.Errorf("beside the error that ends it there is an entry: %+v", e)
		}
	}
	wantError(t, "Scan", last, context.Canceled)
	if seen > most {
		t.Errorf("it yielded %d entries first", seen)
	}
}

func (s suite) saveDuringScan(t *testing.T) {
	store := s.scanner(t, full())
	for e, err := range store.Scan(t.Context(), maphash.MakeSeed()) {
		if err != nil {
			t.Fatal(err)
		}
		save(t, store, twilioacct.Record{SID: e.SID, Rev: e.Rev, Status: twilioacct.StatusClosed})
	}
	if r := load(t, store, sid(1)); r.Status != twilioacct.StatusClosed {
		t.Errorf("the record is %s", describe(r))
	}
}
