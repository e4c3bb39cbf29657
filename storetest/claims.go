package storetest

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twilioacct/twilioacct"
)

// claims are the checks of [twilioacct.Claimer].
func (s suite) claims() cases {
	return cases{
		"of 16 who claim one key one wins":               s.oneClaims,
		"a claim keeps others out until it is released":  s.claimKeepsOut,
		"a claim whose time is up is another's to take":  s.claimExpires,
		"who has a claim gets it again":                  s.claimAgain,
		"Renew prolongs a claim":                         s.claimRenewed,
		"Renew of a lost claim is ErrStale":              s.claimLost,
		"Release of a lost claim changes nothing":        s.releaseLost,
		"the fence grows over owners, time and releases": s.fenceGrows,
		"keys do not touch each other":                   s.keysAreApart,
		"a claim needs a key, an owner and a time":       s.claimRefused,
		"a cancelled context ends Claim":                 s.claimCancelled,
		"odd strings can be claimed":                     s.claimOdd,
	}
}

// claimer skips where there is none.
func (s suite) claimer(t *testing.T) twilioacct.Claimer {
	t.Helper()
	store := companion[twilioacct.Claimer](t, s.new(t))
	_, err := store.Claim(t.Context(), "probe", "probe", time.Minute)
	skipUnsupported(t, err)
	return store
}

// brief is a claim's time that is soon up, and long one that is not in a test.
const (
	brief = time.Millisecond
	long  = time.Hour
)

func claim(t testing.TB, store twilioacct.Claimer, key, owner string, d time.Duration) twilioacct.Claim {
	t.Helper()
	before := time.Now()
	c, err := store.Claim(t.Context(), key, owner, d)
	if err != nil {
		t.Fatalf("Claim(%q, %q): %v", key, owner, err)
	}
	if c.Key != key || c.Owner != owner || c.Fence <= 0 {
		t.Errorf("Claim(%q, %q) returned %+v", key, owner, c)
	}
	wantUntil(t, c, before, d)
	return c
}

// wantUntil allows for a store that keeps milliseconds.
func wantUntil(t testing.TB, c twilioacct.Claim, before time.Time, d time.Duration) {
	t.Helper()
	const precision = time.Millisecond
	if c.Until.Before(before.Add(d-precision)) || c.Until.After(time.Now().Add(d+precision)) {
		t.Errorf("a claim for %v is until %v", d, c.Until)
	}
}

// claimExpired takes over from somebody whose time is about to be up.
func claimExpired(t testing.TB, store twilioacct.Claimer, key, owner string) twilioacct.Claim {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		c, err := store.Claim(t.Context(), key, owner, long)
		if err == nil {
			return c
		}
		if !errors.Is(err, twilioacct.ErrClaimed) || time.Now().After(deadline) {
			t.Fatalf("Claim(%q, %q), whose time should be up: %v", key, owner, err)
		}
	}
}

func (s suite) oneClaims(t *testing.T) {
	store := s.claimer(t)
	for round := range 5 {
		var mu sync.Mutex
		var won []twilioacct.Claim
		atOnce(16, func(i int) {
			c, err := store.Claim(t.Context(), "key", "owner-"+strconv.Itoa(i), long)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, c)
			} else if !errors.Is(err, twilioacct.ErrClaimed) {
				t.Errorf("Claim: %v", err)
			}
		})
		if len(won) != 1 {
			t.Fatalf("in round %d there were %d winners: %+v", round, len(won), won)
		}
		if err := store.Release(t.Context(), won[0]); err != nil {
			t.Fatal(err)
		}
	}
}

func (s suite) claimKeepsOut(t *testing.T) {
	store := s.claimer(t)
	c := claim(t, store, "key", "a", long)
	_, err := store.Claim(t.Context(), "key", "b", long)
	wantError(t, "Claim by another", err, twilioacct.ErrClaimed)
	if err := store.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	claim(t, store, "key", "b", long)
	_, err = store.Claim(t.Context(), "key", "a", long)
	wantError(t, "Claim by who released it", err, twilioacct.ErrClaimed)
}

func (s suite) claimExpires(t *testing.T) {
	store := s.claimer(t)
	first := claim(t, store, "key", "a", brief)
	second := claimExpired(t, store, "key", "b")
	if second.Fence <= first.Fence {
		t.Errorf("the fence was %d and is %d", first.Fence, second.Fence)
	}
}

func (s suite) claimAgain(t *testing.T) {
	store := s.claimer(t)
	first := claim(t, store, "key", "a", long)
	second := claim(t, store, "key", "a", long)
	if second.Fence <= first.Fence {
		t.Errorf("the fence was %d and is %d", first.Fence, second.Fence)
	}
	_, err := store.Renew(t.Context(), first, long)
	wantError(t, "Renew under the older fence", err, twilioacct.ErrStale)
}

func (s suite) claimRenewed(t *testing.T) {
	store := s.claimer(t)
	c := claim(t, store, "key", "a", brief)
	before := time.Now()
	renewed, err := store.Renew(t.Context(), c, long)
	if err != nil {
		t.Fatal(err)
	}
	if renewed.Key != c.Key || renewed.Owner != c.Owner || renewed.Fence != c.Fence {
		t.Errorf("%+v was renewed to %+v", c, renewed)
	}
	wantUntil(t, renewed, before, long)
	_, err = store.Claim(t.Context(), "key", "b", long)
	wantError(t, "Claim by another", err, twilioacct.ErrClaimed)
}

func (s suite) claimLost(t *testing.T) {
	store := s.claimer(t)
	c := claim(t, store, "key", "a", brief)
	claimExpired(t, store, "key", "b")
	_, err := store.Renew(t.Context(), c, long)
	wantError(t, "Renew of what another has", err, twilioacct.ErrStale)

	c = claim(t, store, "other", "a", long)
	if err := store.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, err = store.Renew(t.Context(), c, long)
	wantError(t, "Renew of what was released", err, twilioacct.ErrStale)
	_, err = store.Renew(t.Context(), twilioacct.Claim{Key: "never", Owner: "a", Fence: 1}, long)
	wantError(t, "Renew of what never was", err, twilioacct.ErrStale)
}

func (s suite) releaseLost(t *testing.T) {
	store := s.claimer(t)
	lost := claim(t, store, "key", "a", brief)
	claimExpired(t, store, "key", "b")
	never := twilioacct.Claim{Key: "never", Owner: "a", Fence: 1}
	for _, c := range []twilioacct.Claim{lost, never} {
		if err := store.Release(t.Context(), c); err != nil {
			t.Errorf("Release: %v", err)
		}
	}
	_, err := store.Claim(t.Context(), "key", "c", long)
	wantError(t, "Claim after another's Release", err, twilioacct.ErrClaimed)
}

func (s suite) fenceGrows(t *testing.T) {
	store := s.claimer(t)
	var last int64
	for i := range 12 {
		c := claimExpired(t, store, "key", "owner-"+strconv.Itoa(i))
		if c.Fence <= last {
			t.Fatalf("the fence was %d and is %d", last, c.Fence)
		}
		last = c.Fence
		var err error
		if i%2 == 0 {
			err = store.Release(t.Context(), c)
		} else {
			_, err = store.Renew(t.Context(), c, brief) // and it expires
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (s suite) keysAreApart(t *testing.T) {
	store := s.claimer(t)
	a := claim(t, store, "key-a", "a", long)
	claim(t, store, "key-b", "b", long)
	if err := store.Release(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	_, err := store.Claim(t.Context(), "key-b", "c", long)
	wantError(t, "Claim", err, twilioacct.ErrClaimed)
}

func (s suite) claimRefused(t *testing.T) {
	store := s.claimer(t)
	for _, c := range []struct {
		key, owner string
		d          time.Duration
	}{{"", "a", long}, {"key", "", long}, {"key", "a", 0}, {"key", "a", -1}} {
		_, err := store.Claim(t.Context(), c.key, c.owner, c.d)
		wantError(t, "Claim", err, twilioacct.ErrInvalid)
	}
	_, err := store.Renew(t.Context(), claim(t, store, "key", "a", long), 0)
	wantError(t, "Renew", err, twilioacct.ErrInvalid)
}

func (s suite) claimCancelled(t *testing.T) {
	store := s.claimer(t)
	c := claim(t, store, "key", "a", long)
	ctx := cancelled(t)
	_, err := store.Claim(ctx, "other", "a", long)
	wantError(t, "Claim", err, ctx.Err())
	_, err = store.Renew(ctx, c, long)
	wantError(t, "Renew", err, ctx.Err())
	wantError(t, "Release", store.Release(ctx, c), ctx.Err())
}

func (s suite) claimOdd(t *testing.T) {
	store := s.claimer(t)
	for i, text := range odd() {
		c := claim(t, store, text, text, long)
		_, err := store.Claim(t.Context(), text, "owner-"+strconv.Itoa(i), long)
		wantError(t, "Claim of "+short(text), err, twilioacct.ErrClaimed)
		if err := store.Release(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
}
