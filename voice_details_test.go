package twilioacct_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// answering is a Provider whose requests a function may answer itself, with a status other than 0.
func answering(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, answer func(*http.Request) (status int, body string)) *twilioacct.Provider {
	t.Helper()
	return providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store = store
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if status, body := answer(r); status != 0 {
				return answered(r, status, body), nil
			}
			return through.RoundTrip(r)
		})}
	})
}

// signedByAnother is true for a request that a key has signed, and not that one.
func signedByAnother(r *http.Request, key string) bool {
	user, _, _ := r.BasicAuth()
	return strings.HasPrefix(user, "SK") && user != key
}

const (
	authenticate = `{"code":20003,"message":"Authenticate","status":401}`
	notNow       = `{"code":20503,"message":"Service unavailable","status":503}`
)

// savingFirst is a Store in which somebody else does something, once, before so many keys are saved.
func savingFirst(kept *twilioacct.MemStore, keys int, do func(r twilioacct.Record)) twilioacct.Store {
	var once sync.Once
	return storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		if len(r.APIKeys) == keys {
			once.Do(func() { do(r) })
		}
		return kept.Save(ctx, r)
	}}
}

// loadingBut is a Store of which the loads fail that the function says, counted from 1.
func loadingBut(kept *twilioacct.MemStore, fails func(load int) bool) twilioacct.Store {
	loads := 0
	return storeFuncs{func(ctx context.Context, sid string) (twilioacct.Record, error) {
		if loads++; fails(loads) {
			return twilioacct.Record{}, errAway
		}
		return kept.Load(ctx, sid)
	}, kept.Save}
}

func TestAShortTokenMakesNoRoomForAnOverlapThatEndsALongOne(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	for _, lifetime := range []time.Duration{12 * time.Hour, time.Minute} {
		spec := incomingOnly
		spec.Lifetime = lifetime
		_, err := acme.AccessToken(t.Context(), spec)
		require.NoError(t, err)
	}
	_, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: time.Hour})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: -1, Force: true})
	require.ErrorIs(t, err, twilioacct.ErrInvalid, "there is no negative one")
	rotated, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: time.Hour, Force: true})
	require.NoError(t, err, "Force asks nobody")
	assert.True(t, rotated.OldDeleted)
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: 365 * 24 * time.Hour})
	require.NoError(t, err, "a year is the most")
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: 365*24*time.Hour + 1})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
}

func TestWhatIsWrongWithATokensSpecIsSaidInShort(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	refusal := func(spec twilioacct.TokenSpec) string {
		_, err := acme.AccessToken(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
		return err.Error()
	}
	named := func(identity string) twilioacct.TokenSpec {
		return twilioacct.TokenSpec{Identity: identity, Voice: twilioacct.VoiceGrant{Incoming: true}}
	}
	assert.Contains(t, refusal(named("alice@example.com")), `"alice@example.com"`)
	require.Equal(t, 121, twilioacct.LongestIdentity)
	longest := strings.Repeat("a", twilioacct.LongestIdentity-1) + "@"
	assert.Contains(t, refusal(named(longest)), `"`+longest+`"`, "as many as there may be are shown")
	assert.Contains(t, refusal(named(longest+"b")), `"`+longest+`…"`, "and no more")
	params := twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Params: map[string]string{"a": "b"}}}
	assert.Contains(t, refusal(params), "Voice.Params need Voice.ApplicationSID")

	full := named("alice")
	full.ExtraGrants = map[string]any{"x": strings.Repeat("x", 16<<10-len(`{"x":""}`))}
	_, err := acme.AccessToken(t.Context(), full)
	require.NoError(t, err, "16 KB are none too many")
}

func TestAPurposeMayHaveDigitsAndDashes(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	made, err := acme.EnsureAPIKey(t.Context(), "sip_2-b")
	require.NoError(t, err)
	assert.Equal(t, "sip_2-b@default", made.Key.FriendlyName)
}

func TestAKeyThatCannotBeMadeIsNoKey(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	for name, do := range map[string]func() error{
		"create": func() error { return second(acme.CreateAPIKey(t.Context(), "voice")) },
		"ensure": func() error { return second(acme.EnsureAPIKey(t.Context(), "voice")) },
		"rotate": func() error { return second(acme.RotateAPIKey(t.Context(), rotateVoice)) },
		"token":  func() error { return second(acme.AccessToken(t.Context(), incomingOnly)) },
	} {
		fake.ClearFaults()
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 403, Code: 20403})
		require.ErrorIs(t, do(), twilioacct.ErrForbidden, name)
	}
	fake.SetStatus(acme.SID(), twiliotest.Suspended)
	_, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	r, err := store.Load(t.Context(), acme.SID())
	require.NoError(t, err)
	assert.Empty(t, r.APIKeys)
	assert.Empty(t, fake.Keys(acme.SID()))
}

func TestTheCallerGetsTheKeyThatNoStoreKeeps(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	key, err := acme.CreateAPIKey(t.Context(), "rest")
	require.NoError(t, err)
	made, ok := fake.Key(key.SID)
	require.True(t, ok)
	assert.Equal(t, made.Secret, key.Secret.Reveal())
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 403, Code: 20403})
	_, err = acme.CreateAPIKey(t.Context(), "rest")
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
}

func TestOfTwoWhoSaveAKeyTheFirstOneHasIt(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	fake := twiliotest.NewServer(t)
	account := fake.AddSubaccount("acme").SID
	var theirs twilioacct.EnsuredAPIKey
	store := savingFirst(kept, 1, func(twilioacct.Record) {
		var err error
		theirs, err = providerOn(t, fake, withStore(kept)).Subaccount(account).EnsureAPIKey(t.Context(), "voice")
		assert.NoError(t, err)
	})
	acme := providerOn(t, fake, withStore(store)).Subaccount(account)
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, theirs.Key.SID, ensured.Key.SID)
	assert.Equal(t, twilioacct.DidFind, ensured.Did)
	assert.Equal(t, []string{theirs.Key.SID}, keysOf(fake, account), "one's own is deleted again")
	token, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Equal(t, theirs.Key.SID, token.APIKeySID)
}

func TestOfTwoWhoCreateAKeyTheSecondIsToldThatTheStoreHasAnother(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	store := savingFirst(kept, 1, func(r twilioacct.Record) {
		overwrite(t, kept, r.SID, twilioacct.APIKey{SID: unknownKey, Secret: twilioacct.NewSecret("theirs")})
	})
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.Account(t.Context())
	require.NoError(t, err)
	_, err = acme.CreateAPIKey(t.Context(), "voice")
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	assert.Equal(t, "Save", storeErr.Op)
	assert.Equal(t, acme.SID(), storeErr.SID)
}

func TestAKeyIsKeptThoughTheRecordIsChangedMeanwhile(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	other := twilioacct.APIKey{SID: unknownKey, Secret: twilioacct.NewSecret("of another purpose")}
	store := savingFirst(kept, 2, func(r twilioacct.Record) {
		is, err := kept.Load(t.Context(), r.SID)
		assert.NoError(t, err)
		_, err = kept.Save(t.Context(), twilioacct.Record{SID: r.SID, Rev: is.Rev, APIKeys: map[string]twilioacct.APIKey{"rest": other}})
		assert.NoError(t, err)
	})
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	assert.Equal(t, first.Key.SID, rotated.OldSID)
	assert.NotEqual(t, first.Key.SID, rotated.Key.SID)
	assert.Equal(t, rotated.Key.SID, storedKey(t, kept, acme.SID(), "voice").SID)
	assert.True(t, other.Equal(storedKey(t, kept, acme.SID(), "rest")))
}

func TestOfTwoWhoRotateTheSecondGoesOnWithTheFirstOnesKey(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	fake := twiliotest.NewServer(t)
	account := fake.AddSubaccount("acme").SID
	theirs := twilioacct.RotatedAPIKey{}
	store := savingFirst(kept, 2, func(twilioacct.Record) {
		var err error
		theirs, err = providerOn(t, fake, withStore(kept)).Subaccount(account).RotateAPIKey(t.Context(), rotateVoice)
		assert.NoError(t, err)
	})
	acme := providerOn(t, fake, withStore(store)).Subaccount(account)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	assert.Equal(t, theirs, rotated)
	assert.Equal(t, []string{first.Key.SID, theirs.Key.SID}, keysOf(fake, account), "one's own is deleted again")
}

func TestAStoreIsAskedOnceForWhatItRefuses(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{"away": errAway, "no record": twilioacct.ErrNoRecord} {
		kept, saves, isAway := twilioacct.NewMemStore().Making(), 0, false
		fake, p := setup(t, withStore(storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if isAway {
				saves++
				return twilioacct.Record{}, refusal
			}
			return kept.Save(ctx, r)
		}}))
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		key, err := acme.EnsureAPIKey(t.Context(), "rest")
		require.NoError(t, err)
		isAway = true
		_, err = acme.EnsureAPIKey(t.Context(), "voice")
		require.ErrorIs(t, err, refusal, name)
		assert.Equal(t, 1, saves, name)
		assert.Equal(t, []string{key.Key.SID}, keysOf(fake, acme.SID()), name)
		require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), key.Key.SID), refusal, name)
		assert.Equal(t, 2, saves, name)
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, acme.DeleteAPIKey(t.Context(), key.Key.SID), &storeErr, "%s: it is gone, and the Store has it still", name)
	}
}

func TestAStoreThatIsAlwaysStaleIsGivenUp(t *testing.T) {
	t.Parallel()
	kept, isStale, saves := twilioacct.NewMemStore().Making(), false, 0
	fake, p := setup(t, withStore(storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		if isStale {
			saves++
			return twilioacct.Record{}, twilioacct.ErrStale
		}
		return kept.Save(ctx, r)
	}}))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	key, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	isStale = true
	require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), key.Key.SID), twilioacct.ErrStale)
	assert.Equal(t, 10, saves)
}

func TestAStoreThatCannotBeReadIsToldWhereverItIsRead(t *testing.T) {
	t.Parallel()
	type run = func(ctx context.Context, h *twilioacct.Handle, key string) error
	for name, c := range map[string]struct {
		load int
		do   run
	}{
		"ensure": {1, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.EnsureAPIKey(ctx, "voice"))
		}},
		"what else there is": {2, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.EnsureAPIKey(ctx, "voice"))
		}},
		"create": {1, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.CreateAPIKey(ctx, "rest"))
		}},
		"strays": {1, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.DeleteStrayAPIKeys(ctx, "voice"))
		}},
		"rotate": {1, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.RotateAPIKey(ctx, rotateVoice))
		}},
		"what was rotated": {2, func(ctx context.Context, h *twilioacct.Handle, _ string) error {
			return second(h.RotateAPIKey(ctx, rotateVoice))
		}},
		"forget":              {1, func(ctx context.Context, h *twilioacct.Handle, key string) error { return h.DeleteAPIKey(ctx, key) }},
		"forget what is gone": {1, func(ctx context.Context, h *twilioacct.Handle, key string) error { return h.DeleteAPIKey(ctx, key) }},
	} {
		kept := twilioacct.NewMemStore().Making()
		fake := twiliotest.NewServer(t)
		account := fake.AddSubaccount("acme").SID
		first, err := providerOn(t, fake, withStore(kept)).Subaccount(account).EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		if name == "forget what is gone" {
			fake.DeleteKey(first.Key.SID)
		}
		since := 1 << 30 // the account itself is loaded first
		loads := 0
		p := providerOn(t, fake, withStore(loadingBut(kept, func(load int) bool { loads = load; return load == since })))
		acme := p.Subaccount(account)
		_, err = acme.Account(t.Context())
		require.NoError(t, err)
		_ = endOf(acme.PhoneNumbers(t.Context(), nil))
		since = loads + c.load
		err = c.do(t.Context(), acme, first.Key.SID)
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr, name)
		require.ErrorIs(t, err, errAway, name)
	}
}

func TestOfAKeyWhoseNeighboursAreNotKnownNoStraysAreNamed(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	fake := twiliotest.NewServer(t)
	account := fake.AddSubaccount("acme").SID
	first := providerOn(t, fake, withStore(kept)).Subaccount(account)
	made, err := first.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	begun, err := first.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	loads, since := 0, 1<<30
	acme := providerOn(t, fake, withStore(loadingBut(kept, func(load int) bool { loads = load; return load >= since }))).Subaccount(account)
	_ = endOf(acme.PhoneNumbers(t.Context(), nil))
	since = loads + 2
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, errAway)
	assert.Equal(t, begun.Key.SID, ensured.Key.SID)
	assert.Equal(t, account, ensured.Key.AccountSID)
	assert.Equal(t, twilioacct.DidFind, ensured.Did)
	assert.NotContains(t, sidsOf(ensured.Strays), made.Key.SID, "which is kept, as the old one")
}

func TestAKeyThatHasAnotherNameIsReturnedThoughItCannotBeFetched(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	_, err = acme.RenameAPIKey(t.Context(), made.Key.SID, "another name")
	require.NoError(t, err)
	fake.Inject(twiliotest.Fault{Operation: "FetchKey", Status: 403, Code: 20403})
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, made.Key.SID, ensured.Key.SID)
	assert.Equal(t, acme.SID(), ensured.Key.AccountSID)
}

func TestStraysThatCannotBeListedTriedOrDeletedAreToldAsTheyAre(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	for range 3 {
		fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-48 * time.Hour)})
	}
	for operation, on := range map[string]int{"ListApplication": 1, "ListKey": 1, "DeleteKey": 2} {
		fake.ClearFaults()
		fake.Inject(twiliotest.Fault{Operation: operation, On: on, Status: 403, Code: 20403})
		deleted, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.ErrorIs(t, err, twilioacct.ErrForbidden, operation)
		require.NotErrorIs(t, err, twilioacct.ErrConflict, operation)
		assert.Len(t, deleted, on-1, operation)
	}
	assert.Len(t, fake.Keys(acme.SID()), 3, "one of them was deleted")
}

func TestAStrayStaysForAWholeDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		_, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-24 * time.Hour)})
		deleted, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.NoError(t, err)
		assert.Empty(t, deleted)
		time.Sleep(time.Second)
		deleted, err = acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.NoError(t, err)
		assert.Len(t, deleted, 1)
	})
}

func TestAKeyWhoseSecondTryDoesNotEndWellIsNotReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", Status: 401, Code: 20003})
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", On: 2, Status: 403, Code: 20403})
		_, err = acme.EnsureAPIKey(t.Context(), "voice")
		require.ErrorIs(t, err, twilioacct.ErrForbidden)
		assert.Equal(t, []string{made.Key.SID}, keysOf(fake, acme.SID()))
	})
}

func TestAnOldKeyWhoseSecretIsWrongIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		for range 2 {
			time.Sleep(time.Hour)
			overwrite(t, store, acme.SID(), twilioacct.APIKey{SID: made.Key.SID, Secret: twilioacct.NewSecret("wrong")})
			fake.ForgetRequests()
			_, err = acme.EnsureAPIKey(t.Context(), "voice")
			require.NoError(t, err)
			assert.Equal(t, 1, fake.Count("ListApplication"))
			fake.Inject(twiliotest.Fault{ // and so if Twilio does not say how old it is
				Operation: "FetchKey", Body: []byte(`{"sid":"` + made.Key.SID + `","friendly_name":"voice@default"}`),
			})
		}
	})
}

func TestNoKeyIsMadeForACallerWhoHasLeft(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	ctx, cancel := context.WithCancel(t.Context())
	isLeaving := false
	fake, p := setup(t, withStore(storeFuncs{func(ctx context.Context, sid string) (twilioacct.Record, error) {
		r, err := kept.Load(ctx, sid)
		if isLeaving {
			cancel()
		}
		return r, err
	}, kept.Save}))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_ = endOf(acme.PhoneNumbers(t.Context(), nil)) // its token is known then
	isLeaving = true
	_, err := acme.EnsureAPIKey(ctx, "voice")
	require.ErrorIs(t, err, context.Canceled)
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
	assert.Zero(t, fake.Count("CreateNewKey"))
}

func TestAKeyThatWasDeletedAgainIsNotLoggedAsLeft(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	fake := twiliotest.NewServer(t)
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store = failingSaves(twilioacct.NewMemStore().Making())["it fails"]
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, errAway)
	assert.NotContains(t, log.String(), "is left")
}

func TestAKeyIsDeletedAgainThoughTheCallerHasLeft(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	kept := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		if len(r.APIKeys) > 0 {
			cancel()
			return twilioacct.Record{}, errAway
		}
		return kept.Save(ctx, r)
	}}))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.EnsureAPIKey(ctx, "voice")
	require.ErrorIs(t, err, errAway)
	assert.Equal(t, 1, fake.Count("CreateNewKey"))
	assert.Empty(t, fake.Keys(acme.SID()))
}

func TestAKeyThatWasFoundSignsWhileItCannotBeTriedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		var log bytes.Buffer
		p := providerOn(t, fake, func(o *twilioacct.Options) {
			o.Store, o.Logger = store, slog.New(slog.NewTextHandler(&log, nil))
		})
		another := p.Subaccount(acme.SID()) // a process that only finds it
		_, err = another.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Status: 503, HTML: true, Times: twiliotest.Always})
		time.Sleep(5*time.Minute + time.Second)
		token, err := another.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, made.Key.SID, token.APIKeySID)
		assert.Contains(t, log.String(), "used as before")
		assert.Contains(t, log.String(), made.Key.SID)

		fake.ClearFaults()
		_, err = p.SuspendSubaccount(t.Context(), acme.SID())
		require.NoError(t, err)
		_, err = another.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrSuspended, "what was found is forgotten, too")
	})
}

func TestAKeyThatThisProviderHasDeletedSignsNothingThoughNobodyCanSayWhichIsGood(t *testing.T) {
	t.Parallel()
	isAway := false
	kept := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(loadingBut(kept, func(int) bool { return isAway })))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	first, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	require.NoError(t, acme.DeleteAPIKey(t.Context(), first.APIKeySID))
	isAway = true
	_, err = acme.AccessToken(t.Context(), incomingOnly)
	require.ErrorIs(t, err, errAway)
	var typed *twilioacct.Error
	require.NotErrorAs(t, err, &typed, "it is the Store's")
}

func TestTheKeysOfAllPurposesAreForgotten(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	spec := incomingOnly
	for i := range 8 {
		spec.Purpose = "voice" + strconv.Itoa(i)
		_, err := acme.AccessToken(t.Context(), spec)
		require.NoError(t, err)
	}
	_, err := p.SuspendSubaccount(t.Context(), acme.SID())
	require.NoError(t, err)
	for i := range 8 {
		spec.Purpose = "voice" + strconv.Itoa(i)
		_, err := acme.AccessToken(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
	}
}

func TestAFirstLookTakesAsLongAsTheCallerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", Delay: 8 * time.Second})
		token, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, made.Key.SID, token.APIKeySID)
	})
}

func TestAfterARotationThisProviderSignsWithTheNewKey(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	_, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	token, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Equal(t, begun.Key.SID, token.APIKeySID)
}

func TestARotationThatDoesNotEndTellsWhichKeyIsOld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   twiliotest.Fault
		hasKey  bool // what is returned names the new key
		isTimed bool // and says when the old one may go
	}{
		"the new key cannot be tried":    {fault: twiliotest.Fault{Operation: "ListApplication", Status: 403, Code: 20403}},
		"the new key cannot be fetched":  {fault: twiliotest.Fault{Operation: "FetchKey", Status: 403, Code: 20403}, hasKey: true},
		"the old one cannot be deleted":  {fault: twiliotest.Fault{Operation: "DeleteKey", Status: 403, Code: 20403}, hasKey: true, isTimed: true},
		"the new one is not taken (any)": {fault: twiliotest.Fault{Operation: "ListApplication", Status: 401, Code: 20003, Times: twiliotest.Always}},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake, _, acme := tenantWithStore(t)
			first, err := acme.EnsureAPIKey(t.Context(), "voice")
			require.NoError(t, err)
			begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			fake.Inject(c.fault)
			rotated, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
			kind := twilioacct.ErrForbidden
			if c.fault.Status == 401 {
				kind = twilioacct.ErrConflict
			}
			require.ErrorIs(t, err, kind, name)
			assert.Equal(t, kind == twilioacct.ErrForbidden, !errors.Is(err, twilioacct.ErrConflict), name)
			assert.Equal(t, first.Key.SID, rotated.OldSID, name)
			assert.False(t, rotated.OldDeleted, name)
			assert.Equal(t, c.isTimed, !rotated.OldGoesAt.IsZero(), name)
			if c.hasKey {
				assert.Equal(t, begun.Key.SID, rotated.Key.SID, name)
				assert.Equal(t, acme.SID(), rotated.Key.AccountSID, name)
			}
			assert.Len(t, fake.Keys(acme.SID()), 2, name)
		})
	}
}

func TestANewKeyThatCannotBeTriedIsNotWithdrawn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ofNew, ofOld int // what Twilio says to a request that the key has signed; 0 is as always
		kind         error
		text         string
	}{
		"the new one cannot be tried":              {503, 0, twilioacct.ErrUnavailable, ""},
		"it is not taken, and the old one not now": {401, 503, twilioacct.ErrUnavailable, ""},
		"none of them is taken":                    {401, 401, twilioacct.ErrConflict, "takes neither the new key"},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake, store, acme := tenantWithStore(t)
			first, err := acme.EnsureAPIKey(t.Context(), "voice")
			require.NoError(t, err)
			time.Sleep(time.Hour)
			p := answering(t, fake, store, func(r *http.Request) (int, string) {
				status := 0
				switch user, _, _ := r.BasicAuth(); {
				case signedByAnother(r, first.Key.SID):
					status = c.ofNew
				case user == first.Key.SID:
					status = c.ofOld
				}
				if status == 401 {
					return status, authenticate
				}
				return status, notNow
			})
			rotated, err := p.Subaccount(acme.SID()).RotateAPIKey(t.Context(), rotateVoice)
			require.ErrorIs(t, err, c.kind, name)
			require.ErrorContains(t, err, c.text, name)
			assert.Equal(t, first.Key.SID, rotated.OldSID, name)
			assert.Len(t, fake.Keys(acme.SID()), 2, name)
			assert.NotEqual(t, first.Key.SID, storedKey(t, store, acme.SID(), "voice").SID, name)
		})
	}
}

func TestANewKeyThatIsNotTakenStaysWhereTheStoreCannotGoBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept, isAway := twilioacct.NewMemStore().Making(), false
		fake := twiliotest.NewServer(t)
		account := fake.AddSubaccount("acme").SID
		first, err := providerOn(t, fake, withStore(kept)).Subaccount(account).EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		p := answering(t, fake, savingUnless(&isAway, kept), func(r *http.Request) (int, string) {
			if signedByAnother(r, first.Key.SID) {
				isAway = true
				return 401, authenticate
			}
			return 0, ""
		})
		rotated, err := p.Subaccount(account).RotateAPIKey(t.Context(), rotateVoice)
		require.ErrorIs(t, err, errAway)
		require.NotErrorIs(t, err, twilioacct.ErrConflict)
		assert.Equal(t, first.Key.SID, rotated.OldSID)
		assert.Len(t, fake.Keys(account), 2)
	})
}

func TestManyKeysAndApplicationsAreListedToTheEnd(t *testing.T) {
	t.Parallel()
	const many = 2100
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	for range many {
		fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "many"})
		fake.AddApplication(acme.SID())
	}
	assert.Len(t, allOf(t, acme.APIKeys(t.Context())), many)
	assert.Len(t, allOf(t, acme.TwiMLApps(t.Context())), many)
	for _, err := range []error{endOf(p.Subaccount("AC1").APIKeys(t.Context())), endOf(p.Subaccount("AC1").TwiMLApps(t.Context()))} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
}

func TestARenamedKeyIsFetchedOnlyIfNothingChanged(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	key := fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "old"})
	fake.Inject(twiliotest.Fault{Operation: "UpdateKey", Status: 403, Code: 20403})
	_, err := acme.RenameAPIKey(t.Context(), key.SID, "new")
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	fake.Inject(twiliotest.Fault{Operation: "UpdateKey", Reset: true, AfterEffect: true})
	renamed, err := acme.RenameAPIKey(t.Context(), key.SID, "new")
	require.NoError(t, err, "a rename may be repeated")
	assert.Equal(t, "new", renamed.FriendlyName)
	assert.False(t, renamed.DateUpdated.IsZero())
	assert.Zero(t, fake.Count("FetchKey"))
	fake.ForgetRequests()
	_, err = acme.RenameAPIKey(t.Context(), "SK1", "new")
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Zero(t, fake.Count(""))
}

func TestAKeyThatCannotBeDeletedStaysInTheStore(t *testing.T) {
	t.Parallel()
	kept, saves := twilioacct.NewMemStore().Making(), 0
	fake, p := setup(t, withStore(storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		saves++
		return kept.Save(ctx, r)
	}}))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	fake.Inject(twiliotest.Fault{Operation: "DeleteKey", Status: 403, Code: 20403})
	require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), made.Key.SID), twilioacct.ErrForbidden)
	assert.Equal(t, made.Key.SID, storedKey(t, kept, acme.SID(), "voice").SID)
	before := saves
	require.NoError(t, acme.DeleteAPIKey(t.Context(), fake.AddKey(acme.SID(), twiliotest.StandardKey).SID))
	assert.Equal(t, before, saves, "of a key that it does not have the Store is told nothing")

	bare := providerOn(t, fake, withStore(twilioacct.NewMemStore())).Subaccount(acme.SID())
	require.NoError(t, bare.DeleteAPIKey(t.Context(), made.Key.SID), "nor where it has no document")
}

func TestADeletedKeyIsForgottenThoughTheCallerHasLeft(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	fake := twiliotest.NewServer(t)
	account := fake.AddSubaccount("acme").SID
	made, err := providerOn(t, fake, withStore(kept)).Subaccount(account).EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	store := storeFuncs{func(ctx context.Context, sid string) (twilioacct.Record, error) {
		if _, isThere := fake.Key(made.Key.SID); !isThere {
			cancel()
		}
		if err := ctx.Err(); err != nil {
			return twilioacct.Record{}, err
		}
		return kept.Load(ctx, sid)
	}, kept.Save}
	require.NoError(t, providerOn(t, fake, withStore(store)).Subaccount(account).DeleteAPIKey(ctx, made.Key.SID))
	assert.Empty(t, storedKey(t, kept, account, "voice"))
}

func TestATokenHandlerKeepsWhatItPromises(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.Store, o.MaxRetryWait = twilioacct.NewMemStore().Making(), -1 })
	account := fake.AddSubaccount("acme").SID
	h := p.TokenHandler(bySession(map[string]string{"alice": account}))
	ask := func(target string) *http.Response {
		r := httptest.NewRequest(http.MethodPost, target, nil)
		r.Header.Set("Session", "alice")
		return answerTo(h, r)
	}
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 403, Code: 20403})
	assert.Equal(t, http.StatusForbidden, ask("/token").StatusCode)
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Reset: true, AfterEffect: true})
	resp := ask("/token")
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, "nobody knows whether a key was made: the next one is")
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 429})
	assert.Equal(t, http.StatusServiceUnavailable, ask("/token").StatusCode)

	const longest = 8 << 10
	resp = ask("/token?" + strings.Repeat("x", longest-len("/token?")))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Regexp(t, `"expires_at":"[-0-9]+T[:0-9]+Z","refresh_at":"[-0-9]+T[:0-9]+Z"`, string(body), "wherever the server is")
	assert.Equal(t, http.StatusRequestURITooLong, ask("/token?"+strings.Repeat("x", longest+1-len("/token?"))).StatusCode)

	bodiless := httptest.NewRequest(http.MethodPost, "/token", nil)
	bodiless.Body = nil // as a server of another kind may leave it
	bodiless.Header.Set("Session", "alice")
	assert.Equal(t, http.StatusOK, answerTo(h, bodiless).StatusCode)

	fake.SetStatus(account, twiliotest.Closed)
	other := providerOn(t, fake, withStore(twilioacct.NewMemStore().Making()))
	h = other.TokenHandler(bySession(map[string]string{"alice": account}))
	assert.Equal(t, http.StatusForbidden, ask("/token").StatusCode, "a closed account's")
}

func TestEverythingThatTwilioTellsOfACallIsThere(t *testing.T) {
	t.Parallel()
	const (
		sid, parent, number = "CA00000000000000000000000000000001", "CA00000000000000000000000000000002", "PN00000000000000000000000000000003"
		day                 = "Sun, 22 Nov 2026 20:00:0"
	)
	p := scripted(t, func(r *http.Request) (int, string) {
		if strings.Contains(r.URL.Path, "Calls") {
			return 200, `{"sid":"` + sid + `","account_sid":"` + unknownSID + `","parent_call_sid":"` + parent + `","from":"+14155550100",` +
				`"to":"client:alice","status":"completed","direction":"outbound-dial","phone_number_sid":"` + number + `",` +
				`"answered_by":"human","duration":"61","price":"-0.0200","price_unit":"USD","date_created":"` + day + `1 +0000",` +
				`"date_updated":"` + day + `2 +0000","start_time":"` + day + `3 +0000","end_time":"` + day + `4 +0000"}`
		}
		return 200, accountJSON(unknownSID)
	})
	call, err := p.Subaccount(unknownSID).Call(t.Context(), sid)
	require.NoError(t, err)
	at := func(second int) time.Time { return time.Date(2026, 11, 22, 20, 0, second, 0, time.UTC) }
	for _, d := range []*time.Time{&call.DateCreated, &call.DateUpdated, &call.StartTime, &call.EndTime} {
		*d = d.UTC()
	}
	assert.Equal(t, twilioacct.Call{
		SID: sid, AccountSID: unknownSID, ParentSID: parent, From: "+14155550100", To: "client:alice", Status: twilioacct.CallCompleted,
		Direction: "outbound-dial", PhoneNumberSID: number, AnsweredBy: "human", Duration: 61 * time.Second, Price: "-0.0200", PriceUnit: "USD",
		DateCreated: at(1), DateUpdated: at(2), StartTime: at(3), EndTime: at(4),
	}, call)
}

func TestCallsAreListedWithoutAFilterAndNotWithABadOne(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	call := fake.AddCall(acme.SID(), "completed")
	assert.Equal(t, []string{call.SID}, callSIDs(allOf(t, acme.Calls(t.Context(), nil))))
	allOf(t, acme.Calls(t.Context(), &twilioacct.CallFilter{StartedBefore: time.Now()}))
	assert.NotContains(t, queriesOf(t, fake, "ListCall")[1], "StartTime>")
	require.ErrorIs(t, endOf(acme.Calls(t.Context(), &twilioacct.CallFilter{From: "+"})), twilioacct.ErrInvalid)
}

func TestACallOfTheUtmostIsPlacedAndNotHungUpTwice(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	from := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{}).PhoneNumber
	placed, err := acme.PlaceCall(t.Context(), twilioacct.NewCall{
		To: recipient, From: from, TwiML: "<Response>" + strings.Repeat("ü", 4000-len("<Response></Response>")) + "</Response>", RingTime: 10 * time.Minute,
	})
	require.NoError(t, err)
	for want, c := range map[string]twilioacct.NewCall{
		"a call needs To":   {From: from, TwiML: "<Response/>"},
		"a call needs From": {To: recipient, TwiML: "<Response/>"},
		"TimeLimit 1.5s":    {To: recipient, From: from, TwiML: "<Response/>", TimeLimit: 3 * time.Second / 2},
	} {
		_, err := acme.PlaceCall(t.Context(), c)
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Status: 403, Code: 20403})
	_, err = acme.HangUp(t.Context(), placed.SID)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	_, err = acme.HangUp(t.Context(), placed.SID)
	require.NoError(t, err)
	assert.Zero(t, fake.Count("FetchCall"), "only one that has ended by itself is fetched")
}

func TestAHandlersURLIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"HTTPS://Acme.Example", "https://acme.example/%zz"} {
		assert.Equal(t, address, twilioacct.CallHandler{URL: address}.String())
	}
}

func TestWhatNumbersHaveForMessagesStays(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	sms, given := fake.AddApplication(acme.SID()), fake.AddApplication(acme.SID())
	n := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{SMSApplicationSID: sms})
	numbers, err := acme.SetIncomingCalls(t.Context(), byURL(answerURL))
	require.NoError(t, err)
	assert.NotContains(t, numbers[0].Drift, "SMSApplicationSID")
	now, _ := fake.PhoneNumber(n.SID)
	assert.Equal(t, sms, now.SMSApplicationSID)

	want := byURL(answerURL)
	want.Settings = twilioacct.PhoneNumberSettings{
		VoiceMethod: new("GET"), SMSURL: new("https://acme.example/sms"), SMSApplicationSID: &given,
	}
	_, err = acme.SetIncomingCalls(t.Context(), want)
	require.NoError(t, err)
	now, _ = fake.PhoneNumber(n.SID)
	assert.Equal(t, given, now.SMSApplicationSID, "what is given is set, and not taken away")
	assert.Equal(t, "GET", now.VoiceMethod)
	form := url.Values{}
	for _, r := range fake.Requests() {
		if r.Operation == "UpdateIncomingPhoneNumber" {
			form = r.Form
		}
	}
	assert.NotContains(t, form, "VoiceUrl", "who answers is so already, and not said again")
}

func TestOfAnAccountWithoutNumbersNoApplicationIsLookedFor(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	numbers, err := acme.SetIncomingCalls(t.Context(), twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: anApp}})
	require.NoError(t, err)
	assert.Empty(t, numbers)
	assert.Zero(t, fake.Count("ListApplication"))
}

func TestAHandlerIsNoTrunkBesideAURL(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	want := byURL(answerURL)
	want.Handler.TrunkSID = aTrunk
	_, err := acme.SetIncomingCalls(t.Context(), want)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Zero(t, fake.Count(""))
}

func TestAChangeIsToldAsTwilioHasMadeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t)
		account := fake.AddSubaccount("acme").SID
		fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
		p := providerOn(t, fake, func(o *twilioacct.Options) {
			through := o.HTTPClient.Transport
			o.MaxRetryWait = -1
			o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost { // as if nothing had been sent
					r = r.Clone(r.Context())
					r.Body, r.ContentLength = http.NoBody, 0
				}
				return through.RoundTrip(r)
			})}
		})
		old := twilioacct.CallHandler{URL: "https://acme.example/old"}
		numbers, err := p.Subaccount(account).SetIncomingCalls(t.Context(), byURL(answerURL))
		require.ErrorIs(t, err, twilioacct.ErrConflict)
		assert.Equal(t, old, numbers[0].After)

		fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Reset: true, Times: twiliotest.Always})
		numbers, err = p.Subaccount(account).SetIncomingCalls(t.Context(), byURL(answerURL))
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		assert.True(t, numbers[0].Changed, "it may have been")
		assert.Equal(t, answerURL, numbers[0].After.URL)
	})
}

func TestAnAccountThatIsSkippedIsNamed(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme, brook := fake.AddSubaccount("acme").SID, fake.AddSubaccount("brook").SID
	fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
	fake.SetStatus(brook, twiliotest.Suspended)
	fake.Inject(twiliotest.Fault{Operation: "ListIncomingPhoneNumber", Path: acme, Status: 403, Code: 20403})
	report, err := p.PlanIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return new(byURL(answerURL)) })
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	named := map[string]string{}
	for _, s := range report.Skipped {
		named[s.SID] = s.FriendlyName
	}
	assert.Equal(t, map[string]string{acme: "acme", brook: "brook"}, named)
	_, err = p.PlanIncomingCalls(t.Context(), nil)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
}

func TestOfASettingThatIsSoAlreadyNothingIsSent(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	made, err := acme.EnsureTwiMLApp(t.Context(), "browser calls", everyAppSetting)
	require.NoError(t, err)
	again, err := acme.EnsureTwiMLApp(t.Context(), "browser calls", everyAppSetting)
	require.NoError(t, err)
	assert.Equal(t, made, again)
	assert.Zero(t, fake.Count("UpdateApplication"))
	_, err = acme.EnsureTwiMLApp(t.Context(), "browser calls", twilioacct.TwiMLAppSettings{FriendlyName: new("browser calls")})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)

	fake.Inject(twiliotest.Fault{Operation: "UpdateApplication", Status: 403, Code: 20403})
	_, err = acme.ConfigureTwiMLApp(t.Context(), made.SID, twilioacct.TwiMLAppSettings{FriendlyName: new("calls")})
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	fake.Inject(twiliotest.Fault{Operation: "UpdateApplication", Reset: true, AfterEffect: true})
	configured, err := acme.ConfigureTwiMLApp(t.Context(), made.SID, twilioacct.TwiMLAppSettings{FriendlyName: new("calls")})
	require.NoError(t, err, "what is set may be set again")
	assert.Equal(t, "calls", configured.FriendlyName)
	assert.Zero(t, fake.Count("FetchApplication"))
	fake.ForgetRequests()
	_, err = acme.ConfigureTwiMLApp(t.Context(), made.SID, twilioacct.TwiMLAppSettings{FriendlyName: new("x"), VoiceURL: new("x")})
	require.ErrorIs(t, err, twilioacct.ErrInvalid, "a good name makes no URL good")
	assert.Zero(t, fake.Count(""))
}

func TestAnApplicationIsNotTakenForMissingIfTheListWasNotRead(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	app := fake.AddApplicationWith(acme.SID(), twiliotest.Application{VoiceURL: answerURL}).SID
	want := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: app}}
	for name, fault := range notTwilios {
		fault.Operation = "ListApplication"
		fake.Inject(fault)
		_, err := acme.SetIncomingCalls(t.Context(), want)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable, name)
		require.NotErrorIs(t, err, twilioacct.ErrNotFound, name)
	}
}

// existing is a tenant that calls and whose account is there already.
func existing(account string, n *twilioacct.NumberSpec) twilioacct.Spec {
	spec := talking(n)
	spec.FriendlyName, spec.AccountSID = "", account
	return spec
}

func TestTheApplicationOfATenantIsSetToWhatTheSpecSaysByNow(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(nil)
	first, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	spec.Voice.Settings.VoiceURL = new("https://example.com/another")
	fake.Inject(twiliotest.Fault{Operation: "UpdateApplication", Status: 403, Code: 20403})
	failed, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, first.Application, failed.Application, "it is as it was")
	fake.ForgetRequests()
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, first.Application.SID, has.Application.SID)
	assert.Equal(t, "https://example.com/another", has.Application.VoiceURL)
	assert.Equal(t, []twilioacct.StepName{twilioacct.StepApplication}, configuredSteps(has.Steps))
	assert.Equal(t, url.Values{"VoiceUrl": {"https://example.com/another"}}, formOf(t, fake, "UpdateApplication"))
}

func TestTheStepsOfATenantThatCallsSayWhatWasDone(t *testing.T) {
	t.Parallel()
	_, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	made := []string{
		"subaccount made", "number made", "api_key made", "application made", "caller_number found", "incoming_calls made", "access_token made",
	}
	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	assert.ElementsMatch(t, made, stepsOf(plan.Steps))
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.ElementsMatch(t, made, stepsOf(has.Steps))
	found := []string{
		"subaccount found", "number found", "api_key found", "application found", "caller_number found", "incoming_calls found",
		"access_token made",
	}
	plan, err = p.Plan(t.Context(), spec)
	require.NoError(t, err)
	assert.ElementsMatch(t, found, stepsOf(plan.Steps))
	require.Len(t, plan.Incoming, 1)
	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.ElementsMatch(t, found, stepsOf(again.Steps))
	assert.Equal(t, plan.Incoming, again.Incoming)
}

func TestATokenNamesTheApplicationThatItsSpecDoes(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	other := fake.AddApplication(account)
	spec := existing(account, nil)
	spec.Voice.Token.Voice.ApplicationSID = other
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	token, err := fake.VerifyAccessToken(has.Token.Token.Reveal())
	require.NoError(t, err)
	assert.Equal(t, other, token.Voice.OutgoingApplicationSID)
	assert.NotEqual(t, other, has.Application.SID)
}

func TestAStoreThatDoesNotSayWhetherItMakesDocumentsIsTried(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	_, p := setup(t, withStore(storeFuncs{kept.Load, kept.Save}))
	has, err := p.Provision(t.Context(), talking(nil))
	require.NoError(t, err)
	assert.Equal(t, has.APIKey.Key.SID, storedKey(t, kept, has.Account.SID, "voice").SID)

	_, p = setup(t, withStore(twilioacct.NewMemStore()))
	_, err = p.Provision(t.Context(), talking(nil))
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	assert.Equal(t, "Save", storeErr.Op)
	require.ErrorIs(t, err, twilioacct.ErrNoRecord)
}

func TestWhatCannotBeReadEndsTheRunInItsStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		on        int
		change    func(*twilioacct.Spec)
		step      twilioacct.StepName
	}{
		"the applications":    {"ListApplication", 1, nil, twilioacct.StepApplication},
		"the numbers to call": {"ListIncomingPhoneNumber", 1, nil, twilioacct.StepCaller},
		"a caller of its own": {"ListIncomingPhoneNumber", 2, func(s *twilioacct.Spec) {
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}}
			s.Voice.CallerNumber = "+14155550199"
		}, twilioacct.StepCaller},
		"the handler's applications": {"ListApplication", 2, func(s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.ApplicationSID = anApp
		}, twilioacct.StepIncoming},
		"the token's applications": {"ListApplication", 2, func(s *twilioacct.Spec) {
			s.Voice.Token.Voice.ApplicationSID, s.Voice.Incoming = anApp, nil
		}, twilioacct.StepToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
			account := fake.AddSubaccount("acme").SID
			fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
			spec := existing(account, nil)
			if c.change != nil {
				c.change(&spec)
			}
			before := holdings(fake)
			for _, run := range []func(context.Context, twilioacct.Spec) error{
				func(ctx context.Context, s twilioacct.Spec) error { return second(p.Plan(ctx, s)) },
				func(ctx context.Context, s twilioacct.Spec) error { return second(p.Provision(ctx, s)) },
			} {
				fake.ClearFaults()
				fake.Inject(twiliotest.Fault{Operation: c.operation, On: c.on, Status: 403, Code: 20403})
				err := run(t.Context(), spec)
				require.ErrorIs(t, err, twilioacct.ErrForbidden)
				var failed *twilioacct.StepError
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, c.step, failed.Step)
				assert.Equal(t, before, holdings(fake))
			}
		})
	}
}

func TestTheNumberThatIsBoughtIsTheCallerThatWasWanted(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	require.NotEmpty(t, plan.Buys)
	spec.Voice.CallerNumber = plan.Buys[0].PhoneNumber
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, spec.Voice.CallerNumber, has.Caller.PhoneNumber)
	assert.Equal(t, has.Number, has.Caller)
	fake.ForgetRequests()
	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, has.Caller, again.Caller)
}

func TestACallerOfTheTenantsThatCannotCallIsRefusedBeforeAnotherIsBought(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	voiceless := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	spec := existing(account, &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	spec.Voice.CallerNumber = voiceless.PhoneNumber
	spec.Number.Settings.SMSURL = new("https://acme.example/sms")
	_, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	require.ErrorContains(t, err, "cannot call")
	assert.Len(t, fake.PhoneNumbers(account), 1)
}

func TestATenantWithoutANumberThatCanCallHasNoCaller(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	can := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	has, err := p.Provision(t.Context(), existing(account, nil))
	require.NoError(t, err)
	assert.Equal(t, can.SID, has.Caller.SID, "the first of the list cannot")
	assert.Equal(t, 1, fake.Count("ListIncomingPhoneNumber"), "the numbers are read once")
}

func TestAnApplicationThatHasAVoiceURLAnswersThoughTheSpecNamesNone(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	n := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	app := fake.AddApplicationWith(account, twiliotest.Application{FriendlyName: "browser calls", VoiceURL: answerURL}).SID
	spec := existing(account, nil)
	spec.Voice.Settings = twilioacct.TwiMLAppSettings{}
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, app, has.Application.SID)
	assert.Equal(t, app, fake.AnsweredBy(n.PhoneNumber).ApplicationSID)
}

func TestAHandlerOfItsOwnNeedsNoVoiceURLOfTheApplications(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	n := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	spec := existing(account, nil)
	spec.Voice.Settings = twilioacct.TwiMLAppSettings{}
	spec.Voice.Incoming.Handler.URL = answerURL
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, answerURL, fake.AnsweredBy(n.PhoneNumber).URL)

	spec.Voice.Incoming.Handler.URL = otherAccountsFlow
	spec.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}}
	requireUntouched(t, fake, p, spec, twilioacct.ErrInvalid, twilioacct.StepIncoming)
}

func TestAPlanShowsNumbersThatAreLeftAsTheyAreThoughTheApplicationIsNotThereYet(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{TrunkSID: aTrunk})
	plan, err := p.Plan(t.Context(), existing(account, nil))
	require.NoError(t, err)
	require.Len(t, plan.Incoming, 1)
	assert.Equal(t, twilioacct.LeftOnTrunk, plan.Incoming[0].Left)
	assert.Equal(t, aTrunk, plan.Incoming[0].After.TrunkSID)
	assert.Contains(t, stepsOf(plan.Steps), "incoming_calls found", "none of them would be set")
}

func TestASpecThatHasOneGoodThingIsCheckedToTheEnd(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(nil)
	spec.Voice.CallerNumber, spec.Voice.FriendlyName = "+14155550100", " "
	_, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	spec = talking(nil)
	spec.Voice.CallerNumber, spec.Voice.Incoming.Handler.URL = "+14155550100", "x"
	_, err = p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Zero(t, fake.Count(""))

	spec = talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}, Settings: twilioacct.PhoneNumberSettings{VoiceURL: new(answerURL)}})
	spec.Voice.Incoming = nil
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err, "without Incoming the number's own settings say who answers")
}

func TestALookThatItsCallerHasLeftIsNoLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		first, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		time.Sleep(5*time.Minute + time.Second)
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = acme.AccessToken(ctx, incomingOnly)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		fake.DeleteKey(first.APIKeySID)
		token, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.NotEqual(t, first.APIKeySID, token.APIKeySID)
	})
}

func TestWhoLeavesWhileAKeyIsWaitedForMakesNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		fake.DeleteKey(made.Key.SID)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		fake.ForgetRequests()
		_, err = acme.EnsureAPIKey(ctx, "voice")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		assert.Zero(t, fake.Count("CreateNewKey"))
	})
}

func TestAnAnswerWithoutASecretStillSaysWhichKeyIsLeft(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 201, Body: []byte(`{"sid":"` + unknownKey + `"}`)})
	key, err := acme.CreateAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Equal(t, unknownKey, key.SID)
}

func TestAKeyIsDeletedAgainThoughTheStoreCannotEvenBeRead(t *testing.T) {
	t.Parallel()
	for _, refusal := range []error{errAway, twilioacct.ErrStale} {
		kept, saves := twilioacct.NewMemStore().Making(), 0
		store := storeFuncs{func(ctx context.Context, sid string) (twilioacct.Record, error) {
			if saves > 0 {
				return twilioacct.Record{}, errors.New("the connection is gone")
			}
			return kept.Load(ctx, sid)
		}, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if len(r.APIKeys) > 0 {
				saves++
				return twilioacct.Record{}, refusal
			}
			return kept.Save(ctx, r)
		}}
		fake, p := setup(t, withStore(store))
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		_, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.ErrorIs(t, err, refusal, "why it was not saved")
		assert.Equal(t, 1, saves)
		assert.Equal(t, 1, fake.Count("CreateNewKey"))
		assert.Empty(t, fake.Keys(acme.SID()))
	}
}

func TestARotationWithoutANewKeyIsNone(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 403, Code: 20403})
	_, err = acme.RotateAPIKey(t.Context(), rotateVoice)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, first.Key.SID, storedKey(t, store, acme.SID(), "voice").SID)

	fake.Inject(twiliotest.Fault{Operation: "ListApplication", Status: 403, Code: 20403})
	rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.ErrorIs(t, err, twilioacct.ErrForbidden, "the new key's first request")
	assert.Equal(t, first.Key.SID, rotated.OldSID)
	assert.Len(t, fake.Keys(acme.SID()), 2)
}

func TestANumberThatTwilioLeavesOnItsTrunkIsAConflict(t *testing.T) {
	t.Parallel()
	const number = `{"sid":"PN00000000000000000000000000000001","account_sid":"` + unknownSID + `","phone_number":"+14155550100",` +
		`"capabilities":{"voice":true},"voice_application_sid":"` + anApp + `","trunk_sid":"` + aTrunk + `"}`
	p := scripted(t, func(r *http.Request) (int, string) {
		switch {
		case strings.Contains(r.URL.Path, "Applications"):
			const app = `{"sid":"` + anApp + `","account_sid":"` + unknownSID + `","voice_url":"https://acme.example"}`
			return 200, `{"applications":[` + app + `],"next_page_uri":null}`
		case r.Method == http.MethodPost:
			return 200, number
		case strings.Contains(r.URL.Path, "IncomingPhoneNumbers"):
			return 200, `{"incoming_phone_numbers":[` + number + `],"next_page_uri":null}`
		}
		return 200, accountJSON(unknownSID)
	})
	want := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: anApp}, TakeTrunks: true}
	numbers, err := p.Subaccount(unknownSID).SetIncomingCalls(t.Context(), want)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	require.Len(t, numbers, 1)
	require.ErrorContains(t, numbers[0].Err, "trunk "+aTrunk)
	assert.Equal(t, aTrunk, numbers[0].After.TrunkSID)
}

func TestTheCallerIsTheSpecsNumberAmongOthers(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	first, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	newer := fake.AddPhoneNumber(first.Account.SID, twiliotest.PhoneNumber{FriendlyName: "of somebody else"})
	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, first.Number.SID, again.Number.SID)
	assert.Equal(t, first.Number.SID, again.Caller.SID, "and not the first of the list")
	assert.Equal(t, first.Application.SID, fake.AnsweredBy(newer.PhoneNumber).ApplicationSID, "which is answered all the same")

	for _, spoil := range []func(*twilioacct.Spec){
		func(*twilioacct.Spec) {},
		func(s *twilioacct.Spec) { s.Voice.FriendlyName = "an application that is not there" },
	} {
		spoiled := talking(spec.Number)
		spoil(&spoiled)
		for on := 1; on <= 2; on++ { // for the number, and for all of them
			fake.ClearFaults()
			fake.Inject(twiliotest.Fault{Operation: "ListIncomingPhoneNumber", On: on, Status: 403, Code: 20403})
			_, err = p.Plan(t.Context(), spoiled)
			require.ErrorIs(t, err, twilioacct.ErrForbidden, "request %d", on)
		}
	}
}

func TestNumbersThatCannotBeReadAfterOneWasBoughtAreTold(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	spec := existing(account, &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	_, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	planned := fake.Count("ListIncomingPhoneNumber")
	fake.Inject(twiliotest.Fault{Operation: "ListIncomingPhoneNumber", On: planned + 1, Status: 403, Code: 20403})
	has, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	var failed *twilioacct.StepError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, twilioacct.StepIncoming, failed.Step)
	assert.NotEmpty(t, has.Number.SID)
	assert.Empty(t, has.Incoming)
}

func TestARunWithoutItsApplicationTellsNothingOfTheNumbers(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	fake.Inject(twiliotest.Fault{Operation: "CreateApplication", Status: 403, Code: 20403})
	has, err := p.Provision(t.Context(), existing(account, nil))
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Empty(t, has.Incoming)
}

func TestAnotherAccountsFlowAnswersNoNewAccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	spec.Voice.Incoming.Handler.URL = otherAccountsFlow
	requireUntouched(t, fake, p, spec, twilioacct.ErrInvalid, twilioacct.StepIncoming)
}

func TestACallerThatNobodyHasIsSaidToBeNoneOfTheAccountsOwn(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	for _, n := range []*twilioacct.NumberSpec{nil, {Buy: &twilioacct.NumberSearch{AreaCode: 415}}} {
		spec := existing(account, n)
		spec.Voice.CallerNumber = "+14155559999"
		_, err := p.Plan(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
		require.ErrorContains(t, err, "the caller number +14155559999 is none of the account's own")
	}
}

func TestATenantsOwnNumberThatCannotCallIsNoCallerThoughItIsTheSpecs(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	n := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	spec := existing(account, &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: n.SID}})
	spec.Voice.CallerNumber = n.PhoneNumber
	_, err := p.Plan(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	require.ErrorContains(t, err, "cannot call")
}

func TestAKeyThatAnotherProcessHasMadeAMomentAgoIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		start := time.Now()
		p := answering(t, fake, store, func(r *http.Request) (int, string) {
			user, _, _ := r.BasicAuth()
			switch isEverywhere := time.Since(start) > 900*time.Millisecond; {
			case !isEverywhere && user == made.Key.SID:
				return 401, authenticate
			case !isEverywhere && strings.Contains(r.URL.Path, made.Key.SID):
				return 404, `{"code":20404,"message":"The requested resource was not found","status":404}`
			}
			return 0, ""
		})
		found, err := p.Subaccount(acme.SID()).EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		assert.Equal(t, made.Key.SID, found.Key.SID)
		assert.Equal(t, []string{made.Key.SID}, keysOf(fake, acme.SID()))
	})
}

func TestTheKeysOfManyTenantsAreRemembered(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	accounts := fake.AddSubaccounts(100)
	for range 2 {
		fake.ForgetRequests()
		for _, account := range accounts {
			_, err := p.Subaccount(account).AccessToken(t.Context(), incomingOnly)
			require.NoError(t, err)
		}
	}
	assert.Zero(t, fake.Count(""))
}

func TestAnAccountWhoseTokenIsNotFoundIsLookedForOnce(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	_, err := p.Subaccount(unknownSID).EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	assert.Equal(t, []string{"FetchAccount"}, operationsOf(fake))
}

func TestTheStatesOfACallAreTwilios(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []twilioacct.CallStatus{"queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"},
		[]twilioacct.CallStatus{
			twilioacct.CallQueued, twilioacct.CallRinging, twilioacct.CallInProgress, twilioacct.CallCompleted,
			twilioacct.CallBusy, twilioacct.CallFailed, twilioacct.CallNoAnswer, twilioacct.CallCanceled,
		})
}

// counted counts what is read of it.
type counted struct {
	io.Reader

	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestOfALargeBodyNoMoreIsReadThanThereMayBe(t *testing.T) {
	t.Parallel()
	_, p := setup(t, nil)
	body := &counted{Reader: strings.NewReader(strings.Repeat("x", 1<<20))}
	r := httptest.NewRequest(http.MethodPost, "/token", body)
	assert.Equal(t, http.StatusRequestEntityTooLarge, answerTo(p.TokenHandler(bySession(nil)), r).StatusCode)
	assert.LessOrEqual(t, body.n, 16<<10+1)
}

func TestARequestThatAKeyHasSignedIsLoggedAsItsAccounts(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	var log bytes.Buffer
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store, o.Logger = store, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err = p.Subaccount(acme.SID()).AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Regexp(t, "Applications.json account="+acme.SID(), log.String())
}

func TestSIDsInCapitalsAreWrittenAsTwilioDoes(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	n := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	const letters = "abcdefabcdefabcdefabcdefabcdefab"
	want := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{StudioFlowSID: "FW" + strings.ToUpper(letters)}}
	_, err := acme.SetIncomingCalls(t.Context(), want)
	require.NoError(t, err)
	now, _ := fake.PhoneNumber(n.SID)
	assert.True(t, strings.HasSuffix(now.VoiceURL, "FW"+letters), now.VoiceURL)

	tolerant := answering(t, fake, store, func(r *http.Request) (int, string) { // as Twilio is
		if at := strings.LastIndex(r.URL.Path, "/SK"); at >= 0 {
			r.URL.Path = r.URL.Path[:at+3] + strings.ToLower(r.URL.Path[at+3:])
		}
		return 0, ""
	}).Subaccount(acme.SID())
	for _, isGone := range []bool{false, true} {
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		if isGone {
			fake.DeleteKey(made.Key.SID)
		}
		err = tolerant.DeleteAPIKey(t.Context(), "SK"+strings.ToUpper(made.Key.SID[2:]))
		assert.Equal(t, isGone, errors.Is(err, twilioacct.ErrNotFound))
		assert.Empty(t, fake.Keys(acme.SID()))
		assert.Empty(t, storedKey(t, store, acme.SID(), "voice"), "the Store forgets it all the same")
	}
}

func TestOneApplicationMayAnswerCallsAndMessages(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	n := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	app := fake.AddApplicationWith(acme.SID(), twiliotest.Application{VoiceURL: answerURL}).SID
	_, err := acme.SetIncomingCalls(t.Context(), twilioacct.IncomingCalls{
		Handler: twilioacct.CallHandler{ApplicationSID: app}, Settings: twilioacct.PhoneNumberSettings{SMSApplicationSID: &app},
	})
	require.NoError(t, err)
	now, _ := fake.PhoneNumber(n.SID)
	assert.Equal(t, app, now.VoiceApplicationSID)
	assert.Equal(t, app, now.SMSApplicationSID)

	mute := fake.AddApplication(acme.SID())
	_, err = acme.SetIncomingCalls(t.Context(), twilioacct.IncomingCalls{
		Handler: twilioacct.CallHandler{ApplicationSID: "AP" + strings.ToUpper(mute[2:])},
	})
	require.ErrorIs(t, err, twilioacct.ErrConflict, "one without a VoiceURL, in capitals")
}
