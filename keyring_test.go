package twilioacct_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// tenantWithStore is a tenant whose Store makes records.
func tenantWithStore(t *testing.T) (*twiliotest.Server, *twilioacct.MemStore, *twilioacct.Handle) {
	t.Helper()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	return fake, store, p.Subaccount(fake.AddSubaccount("acme").SID)
}

func storedKey(t *testing.T, store twilioacct.Store, account, purpose string) twilioacct.APIKey {
	t.Helper()
	r, err := store.Load(t.Context(), account)
	require.NoError(t, err)
	return r.APIKeys[purpose]
}

func sidsOf(keys []twilioacct.APIKeyInfo) (sids []string) {
	for _, k := range keys {
		sids = append(sids, k.SID)
	}
	return sids
}

func TestAKeyIsMadeOnceAndFoundFromThenOn(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)

	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, twilioacct.DidMake, made.Did)
	assert.Equal(t, "voice@default", made.Key.FriendlyName)
	assert.Empty(t, made.Strays)
	key, ok := fake.Key(made.Key.SID)
	require.True(t, ok)
	assert.Equal(t, twilioacct.APIKey{SID: key.SID, Secret: twilioacct.NewSecret(key.Secret)}, storedKey(t, store, acme.SID(), "voice"))

	fake.ForgetRequests()
	found, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, twilioacct.EnsuredAPIKey{Key: made.Key, Did: twilioacct.DidFind}, found)
	assert.Equal(t, []string{key.SID + " ListApplication", acme.SID() + " ListKey"}, usersOf(fake), "it was tried, and is no stray")
}

// usersOf are the requests with who signed them.
func usersOf(fake *twiliotest.Server) (all []string) {
	for _, r := range fake.Requests() {
		all = append(all, r.User+" "+r.Operation)
	}
	return all
}

func TestAKeyThatIsOfNoUseIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, key twilioacct.APIKey, account string){
		"it was deleted": func(_ *testing.T, fake *twiliotest.Server, _ twilioacct.Store, key twilioacct.APIKey, _ string) {
			fake.DeleteKey(key.SID)
		},
		"it is another account's": func(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, _ twilioacct.APIKey, account string) {
			theirs := fake.AddKey(fake.AddSubaccount("theirs").SID, twiliotest.StandardKey)
			overwrite(t, store, account, twilioacct.APIKey{SID: theirs.SID, Secret: twilioacct.NewSecret(theirs.Secret)})
		},
		"its secret is wrong": func(t *testing.T, _ *twiliotest.Server, store twilioacct.Store, key twilioacct.APIKey, account string) {
			overwrite(t, store, account, twilioacct.APIKey{SID: key.SID, Secret: twilioacct.NewSecret("wrong")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, store, acme := tenantWithStore(t)
				first, err := acme.EnsureAPIKey(t.Context(), "voice")
				require.NoError(t, err)
				time.Sleep(time.Hour)
				spoil(t, fake, store, storedKey(t, store, acme.SID(), "voice"), acme.SID())

				again, err := acme.EnsureAPIKey(t.Context(), "voice")

				require.NoError(t, err)
				assert.Equal(t, twilioacct.DidMake, again.Did)
				assert.NotEqual(t, first.Key.SID, again.Key.SID)
				assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
				for _, key := range fake.Keys(acme.SID()) {
					assert.True(t, key.SID == again.Key.SID || key.SID == again.Strays[0].SID, "what is left is named")
				}
			})
		})
	}
}

// overwrite puts a key into the Store as a person would.
func overwrite(t *testing.T, store twilioacct.Store, account string, key twilioacct.APIKey) {
	t.Helper()
	r, err := store.Load(t.Context(), account)
	require.NoError(t, err)
	_, err = store.Save(t.Context(), twilioacct.Record{SID: account, Rev: r.Rev, APIKeys: map[string]twilioacct.APIKey{"voice": key}})
	require.NoError(t, err)
}

func TestAKeyThatTwilioDoesNotKnowYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{SignedBy: made.Key.SID, Status: 401, Code: 20003, Times: 3})

		found, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).EnsureAPIKey(t.Context(), "voice")

		require.NoError(t, err)
		assert.Equal(t, made.Key, found.Key)
		assert.Len(t, fake.Keys(acme.SID()), 1)
	})
}

func TestAKeyIsNotTakenForGoneByWhatIsNotTwiliosWord(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]twiliotest.Fault{
		"the try does not end well":        {{Operation: "ListApplication", Status: 503, Times: twiliotest.Always}},
		"a proxy's 404 on the try":         {{Operation: "ListApplication", Status: 404, Code: twiliotest.NoCode}},
		"a page on the try":                {{Operation: "ListApplication", Status: 200, HTML: true}},
		"a 403 on the try":                 {{Operation: "ListApplication", Status: 403, Code: 20403}},
		"a proxy's 404 on the look":        {{Operation: "ListApplication", Status: 401, Code: 20003}, {Operation: "FetchKey", Status: 404, Code: twiliotest.NoCode}},
		"a look that does not end well":    {{Operation: "ListApplication", Status: 401, Code: 20003}, {Operation: "FetchKey", Status: 500, Times: twiliotest.Always}},
		"a look in HTML":                   {{Operation: "ListApplication", Status: 401, Code: 20003}, {Operation: "FetchKey", Status: 404, HTML: true}},
		"a look at something that is none": {{Operation: "ListApplication", Status: 401, Code: 20003}, {Operation: "FetchKey", Status: 200, Body: []byte("{}")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, store, acme := tenantWithStore(t)
				_, err := acme.EnsureAPIKey(t.Context(), "voice")
				require.NoError(t, err)
				for _, fault := range faults {
					fake.Inject(fault)
				}
				_, err = acme.EnsureAPIKey(t.Context(), "voice")
				require.Error(t, err)
				assert.Len(t, fake.Keys(acme.SID()), 1)
				assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
			})
		})
	}
}

func TestOfManyWhoEnsureAKeyAtOnceAllGetTheSame(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	const many = 24
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for range many {
		all.Go(func() {
			one := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()) // a process of its own
			ensured, err := one.EnsureAPIKey(t.Context(), "voice")
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			got[ensured.Key.SID]++
		})
	}
	all.Wait()
	assert.Equal(t, map[string]int{storedKey(t, store, acme.SID(), "voice").SID: many}, got)
	assert.Len(t, fake.Keys(acme.SID()), 1, "the others' have been deleted again")
}

func TestTwoDeploymentsNeverTouchEachOthersKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t)
		account := fake.AddSubaccount("acme").SID
		deployed := func(name string) *twilioacct.Handle {
			return providerOn(t, fake, func(o *twilioacct.Options) {
				o.Store, o.Deployment = twilioacct.NewMemStore().Making(), name
			}).Subaccount(account)
		}
		production, staging := deployed("production"), deployed("staging")
		first, err := production.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		second, err := staging.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		assert.Equal(t, "voice@production", first.Key.FriendlyName)
		assert.Equal(t, "voice@staging", second.Key.FriendlyName)
		assert.Empty(t, second.Strays)

		time.Sleep(48 * time.Hour)
		for _, h := range []*twilioacct.Handle{production, staging} {
			deleted, err := h.DeleteStrayAPIKeys(t.Context(), "voice")
			require.NoError(t, err)
			assert.Empty(t, deleted)
			_, err = h.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
			require.NoError(t, err)
		}
		var names []string
		for _, k := range fake.Keys(account) {
			names = append(names, k.FriendlyName)
		}
		assert.Equal(t, []string{"voice@production", "voice@staging"}, names)
		_, isOld := fake.Key(first.Key.SID)
		assert.False(t, isOld)
	})
}

func TestADeploymentIsNamedSoThatAKeyCanBe(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "ä", strings.Repeat("a", 32), "a@b"} {
		_, err := twilioacct.New(parentOf(twiliotest.NewServer(t)), &twilioacct.Options{Deployment: name})
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	fake := twiliotest.NewServer(t)
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store, o.Deployment = twilioacct.NewMemStore().Making(), strings.Repeat("d", 31)
	})
	_, err := p.Subaccount(fake.AddSubaccount("acme").SID).EnsureAPIKey(t.Context(), strings.Repeat("p", 28))
	require.NoError(t, err, "the longest names still fit")
}

func TestAnImpossiblePurposeIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	for _, purpose := range []string{"", "Voice", "vo ice", strings.Repeat("p", 29), "voice-old", "a.b", "$a"} {
		for name, err := range map[string]error{
			"create": second(acme.CreateAPIKey(t.Context(), purpose)),
			"ensure": second(acme.EnsureAPIKey(t.Context(), purpose)),
			"strays": second(acme.DeleteStrayAPIKeys(t.Context(), purpose)),
			"rotate": second(acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: purpose})),
		} {
			require.ErrorIs(t, err, twilioacct.ErrInvalid, "%s %q", name, purpose)
		}
	}
	assert.Zero(t, fake.Count(""))
}

func TestWithoutAStoreNoKeyIsEnsured(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	require.ErrorContains(t, err, "Options.Store")
	_, err = acme.AccessToken(t.Context(), twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Zero(t, fake.Count(""))
}

func TestAStoreThatHasNoDocumentForTheAccountIsToldBeforeAKeyIsMade(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore()))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	for name, err := range map[string]error{
		"ensure": second(acme.EnsureAPIKey(t.Context(), "voice")), "create": second(acme.CreateAPIKey(t.Context(), "voice")),
		"rotate": second(acme.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice"})),
	} {
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr, name)
		require.ErrorIs(t, err, twilioacct.ErrNoRecord, name)
	}
	assert.Empty(t, fake.Keys(acme.SID()))
	assert.Zero(t, fake.Count("CreateNewKey"))
}

// failingSaves are Stores that do not keep a key, each in a way of its own. What they do keep is in the MemStore.
func failingSaves(kept *twilioacct.MemStore) map[string]twilioacct.Store {
	return map[string]twilioacct.Store{
		"it fails": storeFuncs{kept.Load, func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, errAway
		}},
		"it hangs": storeFuncs{kept.Load, func(ctx context.Context, _ twilioacct.Record) (twilioacct.Record, error) {
			<-ctx.Done()
			return twilioacct.Record{}, ctx.Err()
		}},
		"it is always stale": storeFuncs{kept.Load, func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, twilioacct.ErrStale
		}},
		"it answers for another account": storeFuncs{kept.Load, func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{SID: unknownSID}, nil
		}},
	}
}

func TestAKeyWhoseSecretNobodyKeepsIsDeletedAgain(t *testing.T) {
	t.Parallel()
	for name := range failingSaves(twilioacct.NewMemStore()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				kept := twilioacct.NewMemStore().Making()
				fake := twiliotest.NewServer(t)
				acme := providerOn(t, fake, withStore(failingSaves(kept)[name])).Subaccount(fake.AddSubaccount("acme").SID)

				_, err := acme.EnsureAPIKey(t.Context(), "voice")

				var storeErr *twilioacct.StoreError
				require.ErrorAs(t, err, &storeErr)
				assert.Equal(t, 1, fake.Count("CreateNewKey"))
				assert.Empty(t, fake.Keys(acme.SID()))

				healed := providerOn(t, fake, withStore(kept)).Subaccount(acme.SID())
				_, err = healed.EnsureAPIKey(t.Context(), "voice")
				require.NoError(t, err)
				assert.Len(t, fake.Keys(acme.SID()), 1)
				assert.Equal(t, 1, goodKeys(t, fake, kept, acme.SID()))
			})
		})
	}
}

func TestACreatedKeyStaysWhereTheStoreFails(t *testing.T) {
	t.Parallel()
	for name := range failingSaves(twilioacct.NewMemStore()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := twiliotest.NewServer(t)
				store := failingSaves(twilioacct.NewMemStore().Making())[name]
				acme := providerOn(t, fake, withStore(store)).Subaccount(fake.AddSubaccount("acme").SID)

				key, err := acme.CreateAPIKey(t.Context(), "voice")

				var storeErr *twilioacct.StoreError
				require.ErrorAs(t, err, &storeErr)
				made, ok := fake.Key(key.SID)
				require.True(t, ok)
				assert.Equal(t, made.Secret, key.Secret.Reveal())
			})
		})
	}
}

func TestASaveThatWasDoneThoughItsReplyWasLostIsASave(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	store := storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		_, _ = kept.Save(ctx, r)
		return twilioacct.Record{}, errAway
	}}
	fake, p := setup(t, withStore(store))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.Account(t.Context()) // its token is saved
	require.NoError(t, err)
	_, err = acme.CreateAPIKey(t.Context(), "rest")
	require.NoError(t, err)
	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, twilioacct.DidMake, made.Did)
	assert.Equal(t, 2, goodKeys(t, fake, kept, acme.SID()))
	assert.Len(t, fake.Keys(acme.SID()), 2)
}

func TestASecretIsSavedThoughTheCallerHasLeft(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, *twilioacct.Handle) error{
		"ensure": func(ctx context.Context, h *twilioacct.Handle) error { return second(h.EnsureAPIKey(ctx, "voice")) },
		"create": func(ctx context.Context, h *twilioacct.Handle) error { return second(h.CreateAPIKey(ctx, "voice")) },
	} {
		kept := twilioacct.NewMemStore().Making()
		ctx, cancel := context.WithCancel(t.Context())
		store := storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if len(r.APIKeys) > 0 {
				cancel()
			}
			if err := ctx.Err(); err != nil {
				return twilioacct.Record{}, err
			}
			return kept.Save(ctx, r)
		}}
		fake, p := setup(t, withStore(store))
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		_ = do(ctx, acme)
		assert.Equal(t, 1, goodKeys(t, fake, kept, acme.SID()), name)
		assert.Len(t, fake.Keys(acme.SID()), 1, name)
	}
}

func TestAProcessThatDiesBetweenMakingAKeyAndSavingItLeavesAStrayThatIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := twilioacct.NewMemStore().Making()
		fake := twiliotest.NewServer(t)
		account := fake.AddSubaccount("acme").SID
		var lost []string
		for range 3 { // processes that die: nothing that they do from then on has any effect
			isDead := false
			p := providerOn(t, fake, func(o *twilioacct.Options) {
				o.MaxRetryWait = -1
				through := o.HTTPClient.Transport
				o.HTTPClient.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
					if isDead {
						return nil, errKilled
					}
					return through.RoundTrip(r)
				})
				o.Store = storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
					if len(r.APIKeys) > 0 {
						isDead = true
						return twilioacct.Record{}, errKilled
					}
					return kept.Save(ctx, r)
				}}
			})
			_, err := p.Subaccount(account).EnsureAPIKey(t.Context(), "voice")
			require.Error(t, err)
			lost = nil
			for _, key := range fake.Keys(account) {
				lost = append(lost, key.SID)
			}
		}
		require.Len(t, lost, 3)

		acme := providerOn(t, fake, withStore(kept)).Subaccount(account)
		ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		assert.Equal(t, 1, goodKeys(t, fake, kept, account))
		assert.ElementsMatch(t, lost, sidsOf(ensured.Strays))
		for _, stray := range ensured.Strays {
			assert.Zero(t, stray.Age())
		}

		deleted, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.NoError(t, err)
		assert.Empty(t, deleted, "they may be somebody's who is about to save them")
		time.Sleep(24*time.Hour + time.Second)
		other := fake.AddKeyWith(account, twiliotest.Key{FriendlyName: "voice@other", DateCreated: time.Now().Add(-48 * time.Hour)})
		young := fake.AddKeyWith(account, twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-23 * time.Hour)})
		deleted, err = acme.DeleteStrayAPIKeys(t.Context(), "voice")
		require.NoError(t, err)
		assert.ElementsMatch(t, lost, sidsOf(deleted))
		var left []string
		for _, key := range fake.Keys(account) {
			left = append(left, key.SID)
		}
		assert.ElementsMatch(t, []string{ensured.Key.SID, other.SID, young.SID}, left)
	})
}

func TestStraysStayWhereTheStoreMayBeTheWrongOne(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	used := fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-48 * time.Hour)})
	_, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrConflict, "the store has no key at all")
	_, err = acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	fake.DeleteKey(storedKey(t, store, acme.SID(), "voice").SID)
	_, err = acme.DeleteStrayAPIKeys(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrConflict, "the store's key is not good")
	_, ok := fake.Key(used.SID)
	assert.True(t, ok)
}

func TestAStrayWhoseAgeIsNotKnownIsLeft(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	stray := fake.AddKeyWith(acme.SID(), twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-48 * time.Hour)})
	undated := `{"keys":[{"sid":"` + stray.SID + `","friendly_name":"voice@default"}],"next_page_uri":null}`
	fake.Inject(twiliotest.Fault{Operation: "ListKey", Body: []byte(undated)})
	deleted, err := acme.DeleteStrayAPIKeys(t.Context(), "voice")
	require.NoError(t, err)
	assert.Empty(t, deleted)
	deleted, err = acme.DeleteStrayAPIKeys(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, []string{stray.SID}, sidsOf(deleted))
	assert.InDelta(t, 48*time.Hour, deleted[0].Age(), float64(time.Minute))
}

func TestAKeyThatCannotBeDeletedAgainIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	kept := twilioacct.NewMemStore().Making()
	fake := twiliotest.NewServer(t)
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store, o.Logger = failingSaves(kept)["it fails"], slog.New(slog.NewTextHandler(&log, nil))
	})
	fake.Inject(twiliotest.Fault{Operation: "DeleteKey", Status: 403, Code: 20403})
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, errAway)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	left := fake.Keys(acme.SID())
	require.Len(t, left, 1)
	assert.Contains(t, log.String(), left[0].SID)
	for _, text := range []string{log.String(), err.Error(), fmt.Sprintf("%+v", err)} {
		assert.NotContains(t, text, left[0].Secret)
	}
}

func TestWhateverFailsAKeyIsThereOnceTheRestIsNamed(t *testing.T) {
	t.Parallel()
	for name, fault := range requestFaults {
		for on := 1; on <= 4; on++ {
			t.Run(fmt.Sprintf("%s, request %d", name, on), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fake, store, acme := tenantWithStore(t)
					nth := fault
					nth.On = on
					fake.Inject(nth)
					if _, err := acme.EnsureAPIKey(t.Context(), "voice"); err != nil {
						var typed *twilioacct.Error
						require.ErrorAs(t, err, &typed)
					}
					fake.ClearFaults()
					other := providerOn(t, fake, withStore(store)).Subaccount(acme.SID())
					ensured, err := other.EnsureAPIKey(t.Context(), "voice")
					require.NoError(t, err)
					assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
					var left []string
					for _, key := range fake.Keys(acme.SID()) {
						left = append(left, key.SID)
					}
					assert.ElementsMatch(t, left, append(sidsOf(ensured.Strays), ensured.Key.SID))
					assert.LessOrEqual(t, len(left), 2)
				})
			})
		}
	}
}

func TestAKeyIsReturnedThoughItsStraysCannotBeListed(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	fake.Inject(twiliotest.Fault{Operation: "ListKey", Status: 404, Code: twiliotest.NoCode})
	ensured, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	assert.Equal(t, fake.Keys(acme.SID())[0].SID, ensured.Key.SID)
	assert.Equal(t, "voice@default", ensured.Key.FriendlyName)
}

func TestTooManyKeysAreAConflict(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t, twiliotest.WithKeyLimit(1))
	p := providerOn(t, fake, withStore(twilioacct.NewMemStore().Making()))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.CreateAPIKey(t.Context(), "rest")
	require.NoError(t, err)
	_, err = acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	var typed *twilioacct.Error
	require.True(t, errors.As(err, &typed) && typed.Code == 70151)
}

func TestASuspendedAccountsKeyIsNotTakenForLost(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	fake.SetStatus(acme.SID(), twiliotest.Suspended)
	_, err = acme.EnsureAPIKey(t.Context(), "voice")
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	assert.Len(t, fake.Keys(acme.SID()), 1)
}

func TestAKeyThatWasRenamedIsShownAsItIs(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	renamed, err := acme.RenameAPIKey(t.Context(), made.Key.SID, "another name")
	require.NoError(t, err)
	again, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, renamed, again.Key)
	assert.Equal(t, twilioacct.DidFind, again.Did)
}

func TestASlowTwilioIsWaitedForAsLongAsTheCallerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Delay: 14 * time.Second})
		_, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
	})
}

func TestWhoLeavesWhileAKeyIsMadeLeavesNoStray(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Delay: 5 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = acme.AccessToken(ctx, incomingOnly)
		synctest.Wait()
		time.Sleep(time.Minute)
		assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
		assert.Len(t, fake.Keys(acme.SID()), 1)

		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Hang: true})
		start := time.Now()
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := acme.EnsureAPIKey(ctx, "mobile")
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		assert.LessOrEqual(t, time.Since(start), 15*time.Second, "it goes on for some seconds and no longer")
	})
}

func TestADeletionThatWasInterruptedIsEndedByARepeatedOne(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	made, err := acme.EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	fake.DeleteKey(made.Key.SID) // and the process died before the Store was told
	require.ErrorIs(t, acme.DeleteAPIKey(t.Context(), made.Key.SID), twilioacct.ErrNotFound)
	assert.Empty(t, storedKey(t, store, acme.SID(), "voice"))
}

func TestASaveWhoseReplyNeverComesIsASave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := twilioacct.NewMemStore().Making()
		isSlow := false
		store := storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			saved, err := kept.Save(ctx, r)
			if isSlow {
				<-ctx.Done()
				return twilioacct.Record{}, ctx.Err()
			}
			return saved, err
		}}
		fake, p := setup(t, withStore(store))
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		first, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		isSlow = true
		rotated, err := acme.RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		assert.Equal(t, first.Key.SID, rotated.OldSID)
		assert.Equal(t, 2, goodKeys(t, fake, kept, acme.SID()))
	})
}

func TestAKeyThatIsNewIsWaitedForAlsoWhereAnOlderOneIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		_, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		time.Sleep(6 * time.Minute)
		rotated, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).RotateAPIKey(t.Context(), rotateVoice)
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{SignedBy: rotated.Key.SID, Status: 401, Code: 20003, Times: 6})
		token, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, rotated.Key.SID, token.APIKeySID)
		assert.Len(t, fake.Keys(acme.SID()), 2, "none was made in its place")
	})
}

func TestAKeyThatWasSeenToBeBadIsNotUsedInAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		_, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		fake.SetStatus(acme.SID(), twiliotest.Suspended)
		time.Sleep(6 * time.Minute)
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
		fake.Inject(twiliotest.Fault{Status: 503, HTML: true, Times: twiliotest.Always})
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	})
}

func TestInAnOutageTheStoresKeyIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		_, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		force := twilioacct.APIKeyRotation{Purpose: "voice", Force: true}
		rotated, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID()).RotateAPIKey(t.Context(), force)
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Status: 503, HTML: true, Times: twiliotest.Always})
		time.Sleep(6 * time.Minute)
		token, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, rotated.Key.SID, token.APIKeySID)
		_, err = fake.VerifyAccessToken(token.Token.Reveal())
		require.NoError(t, err)
	})
}

func TestAKeyThatIsDeletedWhileItIsLookedForIsNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, store, acme := tenantWithStore(t)
		made, err := acme.EnsureAPIKey(t.Context(), "voice")
		require.NoError(t, err)
		other := providerOn(t, fake, withStore(store)).Subaccount(acme.SID())
		fake.Inject(twiliotest.Fault{Operation: "ListApplication", AfterEffect: true, Delay: time.Second}) // it was good when it was tried
		var first sync.WaitGroup
		first.Go(func() { _, _ = other.AccessToken(t.Context(), incomingOnly) })
		synctest.Wait()
		require.NoError(t, other.DeleteAPIKey(t.Context(), made.Key.SID))
		first.Wait()
		token, err := other.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.NotEqual(t, made.Key.SID, token.APIKeySID)
	})
}

func TestWhoLeavesWhileTheAccountsTokenIsLookedForGetsATypedError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := acme.EnsureAPIKey(ctx, "voice")
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
