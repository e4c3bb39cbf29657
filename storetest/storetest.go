// Package storetest checks whether a [twilioacct.Store] does what the interface's comments promise. It needs nothing but the
// standard library, so that it can stand in the tests of any module:
//
//	func TestMyStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store {
//			return newMyStore(t, seed)
//		})
//	}
//
// The optional interfaces are checked where [twilioacct.StoreAs] finds them. A test of one that answers errors.ErrUnsupported is
// skipped.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/twilioacct/twilioacct"
)

// Run checks a Store that makes no records. newStore returns a new Store that holds the records of seed, with their revisions,
// and no others; it ends what it started with t.Cleanup. It is called from several goroutines at once.
func Run(t *testing.T, newStore func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store) {
	t.Helper()
	s := suite{new: newStore}
	run(t, s.records())
	run(t, s.revisions())
	run(t, s.contexts())
	run(t, s.concurrency())
	run(t, s.scans())
	run(t, s.batches())
	run(t, s.tenants())
	run(t, s.claims())
}

// RunMaking checks a Store whose Save makes the records that are missing: only that, for all else see [Run].
func RunMaking(t *testing.T, newStore func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store) {
	t.Helper()
	s := suite{new: newStore}
	run(t, s.making())
}

type suite struct {
	new func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store
}

// cases are tests by what they show.
type cases map[string]func(*testing.T)

func run(t *testing.T, all cases) {
	t.Helper()
	for name, test := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// sid is the n-th SID of the tests.
func sid(n int) string { return fmt.Sprintf("AC%032x", n) }

// keySID is the n-th SID of an API key.
func keySID(n int) string { return fmt.Sprintf("SK%032x", n) }

func secret(s string) twilioacct.Secret { return twilioacct.NewSecret(s) }

// fields are what a record's Remove names.
func fields(names ...twilioacct.Field) []twilioacct.Field { return names }

// full is a record with everything in it.
func full() twilioacct.Record {
	return twilioacct.Record{
		SID:       sid(1),
		AuthToken: secret("token-1"),
		Status:    twilioacct.StatusActive,
		Tenant:    "acme",
		APIKeys: map[string]twilioacct.APIKey{
			"voice": {SID: keySID(1), Secret: secret("secret-1")},
			"chat":  {SID: keySID(2), Secret: secret("secret-2")},
		},
		Rev: 7,
	}
}

// bare is a record with nothing in it but its SID, as an application has put it there.
func bare() twilioacct.Record { return twilioacct.Record{SID: sid(1)} }

func load(t testing.TB, s twilioacct.Store, sid string) twilioacct.Record {
	t.Helper()
	r, err := s.Load(t.Context(), sid)
	if err != nil {
		t.Fatalf("Load(%s): %v", sid, err)
	}
	return r
}

func save(t testing.TB, s twilioacct.Store, r twilioacct.Record) twilioacct.Record {
	t.Helper()
	saved, err := s.Save(t.Context(), r)
	if err != nil {
		t.Fatalf("Save(%s): %v", describe(r), err)
	}
	return saved
}

// refuses checks that a Save fails so, and that the kept record is the same after it.
func refuses(t testing.TB, s twilioacct.Store, r twilioacct.Record, reason error) {
	t.Helper()
	before, missing := s.Load(t.Context(), r.SID)
	_, err := s.Save(t.Context(), r)
	wantError(t, "Save", err, reason)
	after, stillMissing := s.Load(t.Context(), r.SID)
	if !same(before, after) || errors.Is(missing, twilioacct.ErrNoRecord) != errors.Is(stillMissing, twilioacct.ErrNoRecord) {
		t.Errorf("a Save that was refused changed the record: it was %s, and is %s", describe(before), describe(after))
	}
}

func wantError(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: the error is %v, want %v", call, err, want)
	}
}

func wantRecord(t testing.TB, what string, got, want twilioacct.Record) {
	t.Helper()
	if !same(got, want) {
		t.Errorf("%s is %s, want %s", what, describe(got), describe(want))
	}
}

// same compares what is kept: not Remove, and not Copies, which a Store with one place for each record sets to 1.
func same(a, b twilioacct.Record) bool {
	return sameFields(a, b) && a.Rev == b.Rev
}

func sameFields(a, b twilioacct.Record) bool {
	return a.SID == b.SID && a.AuthToken.Equal(b.AuthToken) && a.Status == b.Status && a.Tenant == b.Tenant &&
		maps.EqualFunc(a.APIKeys, b.APIKeys, twilioacct.APIKey.Equal)
}

// describe shows a record with its secrets: those of these tests are none.
func describe(r twilioacct.Record) string {
	keys := map[string]string{}
	for purpose, key := range r.APIKeys {
		keys[purpose] = key.SID + " " + short(key.Secret.Reveal())
	}
	return fmt.Sprintf("{%s token:%s status:%s tenant:%s keys:%v remove:%v rev:%d}",
		r.SID, short(r.AuthToken.Reveal()), short(string(r.Status)), short(r.Tenant), keys, r.Remove, r.Rev)
}

func short(s string) string {
	const longest = 60
	if len(s) > longest {
		return fmt.Sprintf("%q… (%d bytes)", s[:longest], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// atOnce runs f n times, as much at the same time as it goes.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

// companion finds an optional interface, or skips.
func companion[T twilioacct.Store](t testing.TB, s twilioacct.Store) T {
	t.Helper()
	found, ok := twilioacct.StoreAs[T](s)
	if !ok {
		t.Skipf("the Store is no %T", *new(T))
	}
	return found
}

func skipUnsupported(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
}

// cancelled is a context that has ended.
func cancelled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
