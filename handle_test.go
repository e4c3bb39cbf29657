package twilioacct_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// signed counts the requests that the account's credentials signed, right or wrong ones.
func signed(fake *twiliotest.Server, sid string) int {
	n := 0
	for _, r := range fake.Requests() {
		if r.User == sid {
			n++
		}
	}
	return n
}

func TestAHandleSignsAsItsAccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	for range 3 {
		a, err := p.Subaccount(acme.SID).Account(t.Context())
		require.NoError(t, err)
		assert.Equal(t, acme.SID, a.SID)
	}
	assert.Equal(t, 3, signed(fake, acme.SID))
	assert.Equal(t, 1, signed(fake, fake.Parent().SID), "its token was fetched once")

	a, err := p.Parent().Account(t.Context())
	require.NoError(t, err)
	assert.Equal(t, fake.Parent().SID, a.SID)
}

func TestAHandleTakesItsTokenFromTheStoreFirst(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
	p := providerOn(t, fake, withStore(store))
	_, err := p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
	assert.Zero(t, signed(fake, fake.Parent().SID))
}

func TestATokenThatTheStoreLacksIsFetchedAndSaved(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID})
	_, err := providerOn(t, fake, withStore(store)).Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.AuthToken, kept.AuthToken.Reveal())
}

func TestARotatedTokenIsFoundSavedAndTried(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
	handle := providerOn(t, fake, withStore(store)).Subaccount(acme.SID)
	for range 3 {
		newest := fake.RotateToken(acme.SID)
		_, err := handle.Account(t.Context())
		require.NoError(t, err)
		kept, err := store.Load(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, newest, kept.AuthToken.Reveal())
	}
}

func TestAThousandCallsWithADeadTokenMakeOneRequestAsTheParent(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]error{
		twiliotest.Suspended: twilioacct.ErrSuspended,
		twiliotest.Closed:    twilioacct.ErrClosed,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := twiliotest.NewServer(t)
				acme := fake.AddSubaccount("acme")
				store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
				p := providerOn(t, fake, withStore(store))
				fake.SetStatus(acme.SID, status)
				var all sync.WaitGroup
				for range 500 {
					all.Go(func() {
						for range 2 {
							_, err := p.Subaccount(acme.SID).Account(t.Context())
							assert.ErrorIs(t, err, want)
							assert.NotErrorIs(t, err, twilioacct.ErrUnauthenticated)
						}
					})
				}
				all.Wait()
				assert.Equal(t, 1, signed(fake, fake.Parent().SID))

				time.Sleep(time.Minute + time.Millisecond)
				fake.SetStatus(acme.SID, twiliotest.Active)
				_, err := p.Subaccount(acme.SID).Account(t.Context())
				require.NoError(t, err)
			})
		})
	}
}

func TestAThousandCallsOfAnAccountThatIsGoneMakeOneRequestAsTheParent(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*twiliotest.Server, string){
		"deleted": func(fake *twiliotest.Server, sid string) { fake.DeleteAccount(sid) },
		"somebody else's now": func(fake *twiliotest.Server, sid string) {
			fake.Inject(twiliotest.Fault{Path: sid, SignedBy: fake.Parent().SID, Status: 403, Code: 20403, Times: twiliotest.Always})
			fake.RotateToken(sid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := twiliotest.NewServer(t)
			acme := fake.AddSubaccount("acme")
			store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
			p := providerOn(t, fake, withStore(store))
			take(fake, acme.SID)
			for range 1000 {
				_, err := p.Subaccount(acme.SID).Account(t.Context())
				require.Error(t, err)
				require.NotErrorIs(t, err, twilioacct.ErrUnauthenticated)
			}
			assert.Equal(t, 1, signed(fake, fake.Parent().SID))
		})
	}
}

func TestATokenThatAnotherProcessHasStoredIsTried(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey) // tokens are hidden, so that only the Store can tell
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
	require.NoError(t, err)
	_, err = p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)

	r, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	r.AuthToken = twilioacct.NewSecret(fake.RotateToken(acme.SID))
	_, err = store.Save(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
}

func TestAStoreThatIsBehindIsNotTriedWhereTwilioTells(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	behind := func(_ context.Context, sid string) (twilioacct.Record, error) {
		return twilioacct.Record{SID: sid, AuthToken: twilioacct.NewSecret("ancient")}, nil
	}
	p := providerOn(t, fake, withStore(storeFuncs{
		load: behind,
		save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, errAway
		},
	}))
	for range 3 {
		_, err := p.Subaccount(acme.SID).Account(t.Context())
		require.NoError(t, err)
		fake.RotateToken(acme.SID)
	}
	fake.SetStatus(acme.SID, twiliotest.Suspended)
	_, err := p.Subaccount(acme.SID).Account(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
}

func TestAStoreThatFailsDoesNotStopAHandleWithANewToken(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	var log bytes.Buffer
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		o.Store = storeFuncs{
			load: func(_ context.Context, sid string) (twilioacct.Record, error) {
				return twilioacct.Record{SID: sid}, nil
			},
			save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
				return twilioacct.Record{}, errAway
			},
		}
	})
	_, err := p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
	assert.Contains(t, log.String(), errAway.Error())
	assert.NotContains(t, log.String(), acme.AuthToken)
}

func TestAVerdictIsAskedForAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t)
		acme := fake.AddSubaccount("acme")
		store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
		p := providerOn(t, fake, withStore(store))
		fake.SetStatus(acme.SID, twiliotest.Suspended)
		for range 3 {
			_, err := p.Subaccount(acme.SID).Account(t.Context())
			require.ErrorIs(t, err, twilioacct.ErrSuspended)
			time.Sleep(time.Minute + time.Second)
		}
		assert.Equal(t, 3, signed(fake, fake.Parent().SID))
	})
}

func TestCancelWhileTheTokenIsLookedForIsATypedError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Hang: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errAway) })
		_, err := api.NewApiService(p.Subaccount(acme.SID).Services(ctx)).FetchAccount(acme.SID)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errAway)
	})
}

func TestATokenThatIsRefusedThoughItIsTheNewestIsUnauthenticated(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	p := providerOn(t, fake, nil)
	fake.Inject(twiliotest.Fault{SignedBy: acme.SID, Status: 401, Code: 20003, Times: twiliotest.Always})
	for range 10 {
		_, err := p.Subaccount(acme.SID).Account(t.Context())
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
	}
	assert.Equal(t, 2, signed(fake, fake.Parent().SID), "once for the token, once for the verdict")
}

func TestAHandleOfTheParentsSIDIsRefused(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent := fake.Parent().SID
	for _, sid := range []string{parent, "AC" + strings.ToUpper(parent[2:])} {
		_, err := p.Subaccount(sid).Account(t.Context())
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
	assert.Zero(t, fake.Count(""))
}

func TestAHandleOfAForeignAccountNeverSigns(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	foreign := fake.AddForeignAccount(20404)
	_, err := p.Subaccount(foreign.SID).Account(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	assert.Zero(t, signed(fake, foreign.SID))
}

func TestAHandleUnderAnAPIKeySaysThatTokensAreHidden(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)
	_, err = p.Subaccount(acme.SID).Account(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Contains(t, err.Error(), "hides tokens")
}

func TestAStoreThatFailsIsSaidWhenTheTokenIsLookedFor(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(storeFuncs{load: func(context.Context, string) (twilioacct.Record, error) {
		return twilioacct.Record{}, errAway
	}}))
	_, err := p.Subaccount(fake.AddSubaccount("acme").SID).Account(t.Context())
	require.ErrorIs(t, err, errAway)
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
}

func TestAnyTwilioServiceWorksAsTheTenant(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	page, err := api.NewApiService(p.Subaccount(acme.SID).Services(t.Context())).PageAccount(nil, "", "")
	require.NoError(t, err)
	require.Len(t, page.Accounts, 1, "a subaccount sees itself alone")
	assert.Equal(t, acme.SID, *page.Accounts[0].Sid)
	assert.NotEmpty(t, *page.Accounts[0].SubresourceUris, "here nothing is left out")

	_, err = api.NewApiService(p.Subaccount(acme.SID).Services(t.Context())).FetchAccount(unknownSID)
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
}

func TestManyTenantsAtOnceEachSignWithTheirOwn(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	sids := fake.AddSubaccounts(200)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range sids {
				sid := sids[(i+worker*13)%len(sids)]
				a, err := p.Subaccount(sid).Account(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, sid, a.SID)
			}
		})
	}
	all.Wait()
	for _, r := range fake.Requests() {
		assert.True(t, r.User == fake.Parent().SID || strings.Contains(r.Path, r.User), "%s asked for %s", r.User, r.Path)
	}
}
