package twilioacct_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestACreatedKeySignsForItsAccountAndIsInTheStore(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)

	key, err := acme.CreateAPIKey(t.Context(), "rest")

	require.NoError(t, err)
	made, ok := fake.Key(key.SID)
	require.True(t, ok)
	assert.Equal(t, "rest@default", made.FriendlyName)
	assert.Equal(t, acme.SID(), made.AccountSID)
	assert.Equal(t, made.Secret, key.Secret.Reveal())
	assert.True(t, key.Equal(storedKey(t, store, acme.SID(), "rest")))
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", key, key, key), made.Secret)
	for _, r := range fake.Requests() {
		if r.Operation != "FetchAccount" {
			assert.Equal(t, acme.SID(), r.Account)
		}
	}

	_, err = acme.CreateAPIKey(t.Context(), "rest")
	require.ErrorIs(t, err, twilioacct.ErrConflict, "a secret that is kept is not replaced")
	assert.Len(t, fake.Keys(acme.SID()), 1)
	_, err = acme.CreateAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, 2, goodKeys(t, fake, store, acme.SID()))
}

func TestWithoutAStoreTheCallerKeepsTheSecret(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	key, err := p.Subaccount(fake.AddSubaccount("acme").SID).CreateAPIKey(t.Context(), "rest")
	require.NoError(t, err)
	made, ok := fake.Key(key.SID)
	require.True(t, ok)
	assert.Equal(t, made.Secret, key.Secret.Reveal())
}

func TestAKeyThatSomebodyElseHasSavedMeanwhileIsNotReplaced(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	theirs := twilioacct.APIKey{SID: unknownKey, Secret: twilioacct.NewSecret("theirs")}
	isFirst := true
	store := storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		if len(r.APIKeys) > 0 && isFirst {
			isFirst = false
			overwrite(t, kept, r.SID, theirs)
		}
		return kept.Save(ctx, r)
	}}
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := p.Sync(t.Context(), acme.SID())
	require.NoError(t, err)

	key, err := acme.CreateAPIKey(t.Context(), "voice")

	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	require.ErrorIs(t, err, twilioacct.ErrStale)
	assert.Equal(t, theirs, storedKey(t, kept, acme.SID(), "voice"))
	made, ok := fake.Key(key.SID)
	require.True(t, ok, "its secret is in the caller's hands")
	assert.Equal(t, made.Secret, key.Secret.Reveal())
}

func TestAnAnswerWithoutASecretIsNoKey(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no secret": `{"sid":"` + unknownKey + `","friendly_name":"voice@default"}`,
		"no SID":    `{"secret":"s3cr3tThatNobodyKnows"}`,
		"nothing":   `{}`,
	} {
		fake, store, acme := tenantWithStore(t)
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 201, Body: []byte(body), AfterEffect: true})
		_, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
		assert.NotContains(t, err.Error(), "s3cr3t", name)
		assert.Zero(t, goodKeys(t, fake, store, acme.SID()), name)
	}
}

func TestKeysAreListedFetchedRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	var want []string
	for range 3 {
		want = append(want, fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "old"}).SID)
	}
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.ElementsMatch(t, append(want, ensured.Key.SID), sidsOf(allOf(t, acme.APIKeys(t.Context()))))

	renamed, err := acme.RenameAPIKey(t.Context(), want[0], "of the warehouse")
	require.NoError(t, err)
	assert.Equal(t, "of the warehouse", renamed.FriendlyName)
	fetched, err := acme.APIKey(t.Context(), want[0])
	require.NoError(t, err)
	assert.Equal(t, renamed, fetched)
	assert.Equal(t, acme.SID(), fetched.AccountSID)
	assert.False(t, fetched.DateCreated.IsZero())
	fake.Inject(twiliotest.Fault{Operation: "UpdateKey", Status: 400, Code: 20020})
	again, err := acme.RenameAPIKey(t.Context(), want[0], "of the warehouse")
	require.NoError(t, err)
	assert.Equal(t, renamed, again)
	_, err = acme.RenameAPIKey(t.Context(), want[0], " x")
	require.ErrorIs(t, err, twilioacct.ErrInvalid)

	require.NoError(t, acme.DeleteAPIKey(t.Context(), want[0]))
	require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), want[0]), twilioacct.ErrNotFound)
	require.NoError(t, acme.DeleteAPIKey(t.Context(), ensured.Key.SID))
	assert.Empty(t, storedKey(t, store, acme.SID(), "voice"), "the store forgets it, too")
	assert.Len(t, fake.Keys(acme.SID()), 2)
	require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), "SK0"), twilioacct.ErrInvalid)
	_, err = acme.APIKey(t.Context(), "PN"+unknownKey[2:])
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
}

func TestADeletedKeyIsDeletedThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	isAway := false
	store := savingUnless(&isAway, kept)
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	isAway = true
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, acme.DeleteAPIKey(t.Context(), ensured.Key.SID), &storeErr)
	assert.Empty(t, fake.Keys(acme.SID()))
	isAway = false
	again, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, twilioacct.DidMake, again.Did)
}

func TestTheNextTokenAfterADeletionIsSignedByAnotherKey(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	spec := twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}}
	first, err := acme.AccessToken(t.Context(), spec)
	require.NoError(t, err)
	require.NoError(t, acme.DeleteAPIKey(t.Context(), first.APIKeySID))
	next, err := acme.AccessToken(t.Context(), spec)
	require.NoError(t, err)
	assert.NotEqual(t, first.APIKeySID, next.APIKeySID)
}

func TestTheParentHasKeysOfItsOwn(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	ensured, err := p.Parent().EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, fake.Parent().SID, fake.Keys(fake.Parent().SID)[0].AccountSID)
	assert.Equal(t, ensured.Key.SID, storedKey(t, store, fake.Parent().SID, "voice").SID)
}
