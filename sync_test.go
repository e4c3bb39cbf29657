package twilioacct_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestSyncWritesTokenAndStatusThrough(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore(twilioacct.Record{SID: unknownSID})
	fake := twiliotest.NewServer(t)
	p := providerOn(t, fake, withStore(store.Making()))
	acme := fake.AddSubaccount("acme")

	first, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.True(t, first.Stored)
	assert.True(t, first.Changed)
	assert.Equal(t, "acme", first.FriendlyName)
	assert.Equal(t, 1, first.Copies)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.AuthToken, kept.AuthToken.Reveal())
	assert.Equal(t, twilioacct.StatusActive, kept.Status)

	again, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.True(t, again.Stored)
	assert.False(t, again.Changed, "nothing differs, so nothing is written")
}

func TestAnAccountThatNoDocumentHoldsIsNoFailure(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore()))
	acme := fake.AddSubaccount("acme")
	got, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.SID, got.SID)
	assert.False(t, got.Stored)
}

func TestAHiddenTokenErasesNoStoredOne(t *testing.T) {
	t.Parallel()
	for _, form := range []twiliotest.HiddenToken{twiliotest.TokenEmpty, twiliotest.TokenNull, twiliotest.TokenAbsent} {
		fake := twiliotest.NewServer(t, twiliotest.WithHiddenToken(form))
		acme := fake.AddSubaccount("acme")
		fake.SetStatus(acme.SID, twiliotest.Suspended)
		key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
		good := twilioacct.NewSecret(acme.AuthToken)
		store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: good, Status: twilioacct.StatusActive})
		p, err := twilioacct.New(twilioacct.Credentials{
			AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
		}, &twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
		require.NoError(t, err)

		got, err := p.Sync(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.True(t, got.AuthToken.IsZero(), "the caller can tell")
		assert.True(t, got.Changed)
		kept, err := store.Load(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, good, kept.AuthToken)
		assert.Equal(t, twilioacct.StatusSuspended, kept.Status, "the status is written all the same")
	}
}

func TestAStandardKeyIsRefused(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	key := fake.AddKey(fake.Parent().SID, twiliotest.StandardKey)
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)
	_, err = p.Account(t.Context(), fake.AddSubaccount("acme").SID)
	require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
}

func TestARotationBetweenOurReadAndOurSaveWins(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret("stale")})
	rotate := sync.OnceFunc(func() { rotateAndStore(t, fake, store, acme.SID) })
	p := providerOn(t, fake, withStore(storeFuncs{
		load: store.Load,
		save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			rotate() // after we have read the old token from Twilio
			return store.Save(ctx, r)
		},
	}))
	got, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	holdsTwiliosToken(t, fake, store, acme.SID)
	assert.Equal(t, "new", got.FriendlyName, "what is returned is the newest, too")
	assert.Equal(t, 2, fake.Count("FetchAccount"), "it looked again")
}

// rotateAndStore is what another process does meanwhile.
func rotateAndStore(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, sid string) {
	t.Helper()
	fake.Rename(sid, "new")
	newest := twilioacct.NewSecret(fake.RotateToken(sid))
	r, err := store.Load(t.Context(), sid)
	assert.NoError(t, err)
	r.AuthToken = newest
	_, err = store.Save(t.Context(), r)
	assert.NoError(t, err)
}

func holdsTwiliosToken(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, sid string) {
	t.Helper()
	kept, err := store.Load(t.Context(), sid)
	require.NoError(t, err)
	now, _ := fake.Account(sid)
	assert.Equal(t, now.AuthToken, kept.AuthToken.Reveal())
	assert.NotEqual(t, "stale", kept.AuthToken.Reveal())
}

func TestARotationBetweenTheStoresAnswerAndTwiliosWinsToo(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret("stale")})
	rotate := sync.OnceFunc(func() { rotateAndStore(t, fake, store, acme.SID) })
	twilio := fake.HTTPClient().Transport
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store = store
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			response, err := twilio.RoundTrip(r) // the old token is on its way
			rotate()
			return response, err
		})}
	})
	_, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	holdsTwiliosToken(t, fake, store, acme.SID)
}

func TestManySyncsAtOnceEndWithTwiliosTruth(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID})
	var all sync.WaitGroup
	for range 32 {
		p := providerOn(t, fake, withStore(store))
		all.Go(func() {
			for range 5 {
				_, err := p.Sync(t.Context(), acme.SID)
				assert.NoError(t, err)
			}
		})
	}
	all.Go(func() {
		for range 3 {
			fake.RotateToken(acme.SID)
		}
	})
	all.Wait()
	_, err := providerOn(t, fake, withStore(store)).Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	holdsTwiliosToken(t, fake, store, acme.SID)
}

func TestAStoreThatFailsHangsOrLiesLosesNothing(t *testing.T) {
	t.Parallel()
	good := func(_ context.Context, sid string) (twilioacct.Record, error) {
		return twilioacct.Record{SID: sid}, nil
	}
	hang := func(ctx context.Context, _ string) (twilioacct.Record, error) {
		<-ctx.Done()
		return twilioacct.Record{}, ctx.Err()
	}
	tests := map[string]struct {
		store storeFuncs
		want  error
	}{
		"Load fails": {store: storeFuncs{load: func(context.Context, string) (twilioacct.Record, error) {
			return twilioacct.Record{}, errAway
		}}, want: errAway},
		"Load hangs": {store: storeFuncs{load: hang}, want: context.DeadlineExceeded},
		"Load answers for another account": {store: storeFuncs{load: func(context.Context, string) (twilioacct.Record, error) {
			return twilioacct.Record{SID: unknownSID}, nil
		}}},
		"Save fails": {store: storeFuncs{load: good, save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, errAway
		}}, want: errAway},
		"Save hangs": {store: storeFuncs{load: good, save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			return hang(ctx, r.SID)
		}}, want: context.DeadlineExceeded},
		"Save answers for another account": {store: storeFuncs{load: good, save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{SID: unknownSID, Rev: 1}, nil
		}}},
		"Save answers with an older revision": {store: storeFuncs{
			load: func(_ context.Context, sid string) (twilioacct.Record, error) {
				return twilioacct.Record{SID: sid, Rev: 5}, nil
			},
			save: func(_ context.Context, r twilioacct.Record) (twilioacct.Record, error) {
				return twilioacct.Record{SID: r.SID, Rev: 4}, nil
			},
		}},
		"Save is stale for ever": {store: storeFuncs{load: good, save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, twilioacct.ErrStale
		}}, want: twilioacct.ErrStale},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, p := setup(t, withStore(test.store))
				acme := fake.AddSubaccount("acme")
				start := time.Now()
				got, err := p.Sync(t.Context(), acme.SID)
				var storeErr *twilioacct.StoreError
				require.ErrorAs(t, err, &storeErr)
				assert.Equal(t, acme.SID, storeErr.SID)
				if test.want != nil {
					require.ErrorIs(t, err, test.want)
				}
				assert.Equal(t, acme.SID, got.SID, "what Twilio said is returned all the same")
				assert.Equal(t, acme.AuthToken, got.AuthToken.Reveal())
				assert.False(t, got.Stored)
				assert.LessOrEqual(t, time.Since(start), time.Minute)
			})
		})
	}
}

func TestSyncWithoutAStoreSaysWhatToDo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	_, err := p.Sync(t.Context(), fake.AddSubaccount("acme").SID)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Contains(t, err.Error(), "Options.Store")
	assert.Zero(t, fake.Count(""))
}

func TestCancelEndsASyncWhereverItIs(t *testing.T) {
	t.Parallel()
	hangIn := func(o *twilioacct.Options, where string) {
		mem := twilioacct.NewMemStore().Making()
		o.Store = storeFuncs{
			load: func(ctx context.Context, sid string) (twilioacct.Record, error) {
				if where == "Load" {
					<-ctx.Done()
				}
				return mem.Load(ctx, sid)
			},
			save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
				if where == "Save" {
					<-ctx.Done()
				}
				return mem.Save(ctx, r)
			},
		}
	}
	for _, where := range []string{"Load", "Twilio", "Save"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, p := setup(t, func(o *twilioacct.Options) { hangIn(o, where) })
				acme := fake.AddSubaccount("acme")
				if where == "Twilio" {
					fake.Inject(twiliotest.Fault{Hang: true})
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				_, err := p.Sync(ctx, acme.SID)
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}
