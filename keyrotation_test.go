package twilioacct_test

import (
	"fmt"
	"math"
	"net/http"
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

var rotateVoice = twilioacct.APIKeyRotation{Purpose: "voice"}

func keysOf(fake *twiliotest.Server, account string) (sids []string) {
	for _, key := range fake.Keys(account) {
		sids = append(sids, key.SID)
	}
	return sids
}

func TestAKeyIsReplacedAndTheOldOneGoesADayLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		first, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		time.Sleep(90 * 24 * time.Hour)
		start := time.Now().Truncate(time.Second)

		begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)

		require.NoError(t, err)
		assert.NotEqual(t, first.Key.SID, begun.Key.SID)
		assert.Equal(t, first.Key.SID, begun.OldSID)
		due := start.Add(25*time.Hour + 10*time.Minute)
		assert.Equal(t, due, begun.OldGoesAt.Local())
		assert.Equal(t, []string{first.Key.SID, begun.Key.SID}, keysOf(fake, acme.SID()))
		assert.Equal(t, 2, goodKeys(t, fake, store, acme.SID()), "the old one is kept, too")
		ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		assert.Equal(t, twilioacct.EnsuredAPIKey{Key: begun.Key, Did: twilioacct.DidFind}, ensured, "the old one is no stray")

		time.Sleep(time.Until(due) - time.Second)
		deleted, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.NoError(t, err)
		assert.Empty(t, deleted)
		waiting, err := acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		assert.Equal(t, begun, waiting, "nothing is done before the time has come")

		time.Sleep(time.Second)
		ended, err := acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.RotatedAPIKey{Key: begun.Key, OldSID: first.Key.SID, OldDeleted: true}, ended)
		assert.Equal(t, []string{begun.Key.SID}, keysOf(fake, acme.SID()))
		assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
		r, err := store.Load(t.Context(), acme.SID())
		require.NoError(t, err)
		assert.Len(t, r.APIKeys, 1)

		next, err := acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		assert.Equal(t, begun.Key.SID, next.OldSID, "another rotation")
	})
}

func TestForceDeletesTheOldKeyAtOnce(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	first, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	rotated, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	require.NoError(t, err)
	assert.Equal(t, first.APIKeySID, rotated.OldSID)
	assert.True(t, rotated.OldGoesAt.IsZero() && rotated.OldDeleted)
	assert.Equal(t, []string{rotated.Key.SID}, keysOf(fake, acme.SID()))
	assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
	_, err = fake.VerifyAccessToken(first.Token.Reveal())
	require.Error(t, err, "that is what it breaks")
	next, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Equal(t, rotated.Key.SID, next.APIKeySID)
}

var incomingOnly = twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}}

func TestForceAlsoEndsARotationThatIsUnderWay(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	ended, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	require.NoError(t, err)
	assert.Equal(t, begun.Key, ended.Key)
	assert.Equal(t, []string{begun.Key.SID}, keysOf(fake, acme.SID()))
}

func TestAnOverlapIsNotShorterThanTheTokensThatWereSigned(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	long := incomingOnly
	long.Lifetime = 12 * time.Hour
	_, err := acme.AccessToken(t.Context(), long)
	require.NoError(t, err)
	fake.ForgetRequests()
	for _, overlap := range []time.Duration{time.Second, 12*time.Hour - 1, -1, math.MaxInt64} {
		_, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: overlap})
		require.ErrorIs(t, err, twilioacct.ErrInvalid, overlap)
	}
	assert.Zero(t, fake.Count(""))
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Overlap: 12 * time.Hour})
	require.NoError(t, err)
}

func TestWhereThereIsNoKeyYetARotationMakesOne(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	assert.Equal(t, []string{rotated.Key.SID}, keysOf(fake, acme.SID()))
	assert.Equal(t, twilioacct.RotatedAPIKey{Key: rotated.Key}, rotated)
}

func TestANewKeyThatTwilioDoesNotTakeIsWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		first, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		refusing := providerOn(t, fake, func(o *twilioacct.Options) {
			o.Store = store
			through := o.HTTPClient.Transport
			o.HTTPClient.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
				if user, _, _ := r.BasicAuth(); strings.HasPrefix(user, "SK") && user != first.Key.SID {
					return answered(r, 401, `{"code":20003,"message":"Authenticate","status":401}`), nil
				}
				return through.RoundTrip(r)
			})
		})

		_, err = refusing.Subaccount(acme.SID()).RotateAPIKey(t.Context(), rotateVoice)

		require.ErrorIs(t, err, twilioacct.ErrConflict)
		require.ErrorContains(t, err, first.Key.SID+" is in use again")
		assert.Equal(t, []string{first.Key.SID}, keysOf(fake, acme.SID()))
		assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
		assert.Equal(t, first.Key.SID, storedKey(t, store, acme.SID(), "voice").SID)
		_, err = acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
	})
}

func TestWhereTwilioTakesNeitherKeyNothingIsDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		first, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		time.Sleep(time.Hour)
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", Status: 401, Code: 20003, Times: twiliotest.Always})
		_, err = acme.RotateAPIKey(t.Context(), rotateVoice)
		require.ErrorIs(t, err, twilioacct.ErrConflict)
		require.ErrorContains(t, err, "EnsureAPIKey")
		time.Sleep(time.Hour)
		_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
		require.ErrorIs(t, err, twilioacct.ErrConflict, "nor is anything deleted by force")
		assert.Len(t, fake.Keys(acme.SID()), 2)
		assert.Equal(t, 2, goodKeys(t, fake, store, acme.SID()))
		fake.ClearFaults()
		rotated, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
		require.NoError(t, err)
		assert.Equal(t, first.Key.SID, rotated.OldSID)
	})
}

func TestARotationWhoseNewKeyIsGoneStillEndsTheOldOne(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	require.NoError(t, acme.DeleteAPIKey(t.Context(), begun.Key.SID))
	rotated, err := acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	require.NoError(t, err)
	assert.Equal(t, first.Key.SID, rotated.OldSID)
	assert.True(t, rotated.OldDeleted)
	assert.Equal(t, []string{rotated.Key.SID}, keysOf(fake, acme.SID()))
	assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
}

func TestNobodySignsWithAKeyThatThisProviderHasDeleted(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	first, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	other := providerOn(t, fake, withStore(store)).Subaccount(acme.SID())
	begun, err := other.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	same, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Equal(t, first.APIKeySID, same.APIKeySID, "from memory: the old key is good still")
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	require.NoError(t, err)
	next, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.Equal(t, begun.Key.SID, next.APIKeySID)
}

func TestWhateverFailsARotationIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const requests = 6
	for name, fault := range requestFaults {
		for on := 1; on <= requests; on++ {
			t.Run(fmt.Sprintf("%s, request %d", name, on), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fake, store, acme := tenantWithStore(t)
					_, err := acme.EnsureAPIKey(t.Context(), "voice")
					require.NoError(t, err)
					time.Sleep(time.Hour)
					nth := fault
					nth.On = on
					fake.Inject(nth)
					force := twilioacct.APIKeyRotation{Purpose: "voice", Force: true}
					_, _ = acme.RotateAPIKey(t.Context(), force)
					assert.NotZero(t, goodKeys(t, fake, store, acme.SID()), "there is a key at any time")
					fake.ClearFaults()
					other := providerOn(t, fake, withStore(store)).Subaccount(acme.SID())
					rotated, err := other.RotateAPIKey(t.Context(), force)
					require.NoError(t, err)
					assert.True(t, rotated.OldDeleted)
					ensured, err := other.EnsureAPIKey(t.Context(), "voice")
					require.NoError(t, err)
					assert.Equal(t, rotated.Key.SID, ensured.Key.SID)
					assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
					assert.ElementsMatch(t, keysOf(fake, acme.SID()), append(sidsOf(ensured.Strays), ensured.Key.SID))
				})
			})
		}
	}
}

func TestAStoreThatFailsInARotationLosesNoKey(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	isAway := false
	store := savingUnless(&isAway, kept)
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	isAway = true
	_, err = acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	assert.Equal(t, []string{first.Key.SID}, keysOf(fake, acme.SID()))
	assert.Equal(t, 1, goodKeys(t, fake, kept, acme.SID()))
}

func TestOfManyWhoRotateAtOnceOneDoes(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	first, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	const many = 12
	for range many {
		all.Go(func() {
			one := providerOn(t, fake, withStore(store)).Subaccount(acme.SID())
			rotated, err := one.RotateAPIKey(t.Context(), rotateVoice)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			got[rotated.Key.SID]++
			assert.Equal(t, first.Key.SID, rotated.OldSID)
		})
	}
	all.Wait()
	assert.Equal(t, map[string]int{storedKey(t, store, acme.SID(), "voice").SID: many}, got)
	assert.Len(t, fake.Keys(acme.SID()), 2)
}

func TestAfterARotationTheNewKeyIsUsedThoughTwilioGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		_, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Status: 503, HTML: true, Times: twiliotest.Always})
		token, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, rotated.Key.SID, token.APIKeySID)
	})
}

func TestARotationOfAKeyWithoutADateWaits(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	begun, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	fake.Inject(twiliotest.Fault{Operation: "FetchKey", Body: []byte(`{"sid":"` + begun.Key.SID + `","friendly_name":"voice@default"}`)})
	waiting, err := acme.RotateAPIKey(t.Context(), rotateVoice)
	require.NoError(t, err)
	assert.True(t, waiting.OldGoesAt.IsZero())
	assert.False(t, waiting.OldDeleted)
	assert.Len(t, fake.Keys(acme.SID()), 2)
}
