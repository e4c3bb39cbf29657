package twilioacct_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAnAccountComesWithPlainTypedFields(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	want := fake.AddSubaccount("acme v1.25")

	got, err := p.Account(t.Context(), want.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Account{
		SID:             want.SID,
		FriendlyName:    "acme v1.25",
		Status:          twilioacct.StatusActive,
		Type:            twilioacct.TypeFull,
		AuthToken:       twilioacct.NewSecret(want.AuthToken),
		OwnerAccountSID: fake.Parent().SID,
		DateCreated:     want.DateCreated.UTC().Truncate(time.Second),
		DateUpdated:     want.DateUpdated.UTC().Truncate(time.Second),
		URI:             "/2010-04-01/Accounts/" + want.SID + ".json",
	}, got)
}

func TestTheParentIsAnAccountToo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	got, err := p.Account(t.Context(), fake.Parent().SID)
	require.NoError(t, err)
	assert.Equal(t, got.SID, got.OwnerAccountSID)
}

func TestAFetchedAccountIsRememberedForAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		for range 3 {
			_, err := p.Account(t.Context(), acme.SID)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, fake.Count("FetchAccount"))

		time.Sleep(time.Minute + time.Millisecond)
		_, err := p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, 2, fake.Count("FetchAccount"))
	})
}

func TestTheCacheCanBeSetAndSwitchedOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for cacheTime, wantRequests := range map[time.Duration]int{-1: 3, time.Second: 3, 10 * time.Second: 1} {
			fake, p := setup(t, func(o *twilioacct.Options) { o.CacheTime = cacheTime })
			acme := fake.AddSubaccount("acme")
			for range 3 {
				_, err := p.Account(t.Context(), acme.SID)
				require.NoError(t, err)
				time.Sleep(2 * time.Second)
			}
			assert.Equal(t, wantRequests, fake.Count("FetchAccount"), cacheTime)
		}
	})
}

func TestSyncAndHealthNeverReadTheCache(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore()
	fake, p := setup(t, withStore(store))
	acme := fake.AddSubaccount("acme")
	_, err := p.Account(t.Context(), acme.SID)
	require.NoError(t, err)

	fake.SetStatus(acme.SID, twiliotest.Suspended)
	h, err := p.Health(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, h.Status)
	s, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, s.Status)

	a, err := p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, a.Status, "what Sync fetched is what is remembered")
	assert.Equal(t, 3, fake.Count("FetchAccount"))
}

func TestAnAccountThatIsGoneIsNotRememberedAnyMore(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	_, err := p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
	fake.DeleteAccount(acme.SID)
	_, err = p.Health(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	_, err = p.Account(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
}

func TestAThousandCallersMakeOneRequestAndLeaveWhenTheyWill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Delay: 10 * time.Second})

		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		var all sync.WaitGroup
		var left, served atomic.Int64
		for i := range 1000 {
			all.Go(func() {
				if i%2 == 0 {
					_, err := p.Account(impatient, acme.SID)
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					var typed *twilioacct.Error
					assert.ErrorAs(t, err, &typed)
					assert.Equal(t, time.Second, time.Since(start))
					left.Add(1)
					return
				}
				a, err := p.Account(t.Context(), acme.SID)
				assert.NoError(t, err)
				assert.Equal(t, acme.SID, a.SID)
				served.Add(1)
			})
		}
		all.Wait()
		assert.EqualValues(t, 500, left.Load())
		assert.EqualValues(t, 500, served.Load())
		assert.Equal(t, 1, fake.Count("FetchAccount"))
	})
}

func TestAThousandRealCallersMakeOneRequestHoweverFastItIs(t *testing.T) {
	t.Parallel()
	for range 20 {
		var requests atomic.Int64
		p := scripted(t, func(*http.Request) (int, string) {
			requests.Add(1)
			return 200, `{"sid":"` + unknownSID + `","status":"active"}`
		})
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 1000 {
			all.Go(func() {
				<-start
				_, err := p.Account(t.Context(), unknownSID)
				assert.NoError(t, err)
			})
		}
		close(start)
		all.Wait()
		assert.EqualValues(t, 1, requests.Load())
	}
}

func TestAnOlderFindingDoesNotReplaceANewerOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := scripted(t, func(*http.Request) (int, string) {
			if asked.Add(1) == 1 {
				time.Sleep(10 * time.Second) // of the bubble
				return 200, `{"sid":"` + unknownSID + `","status":"active"}`
			}
			return 200, `{"sid":"` + unknownSID + `","status":"suspended"}`
		})
		go func() { _, _ = p.Account(t.Context(), unknownSID) }()
		time.Sleep(time.Second)
		_, err := p.Health(t.Context(), unknownSID)
		require.NoError(t, err)
		time.Sleep(20 * time.Second)
		a, err := p.Account(t.Context(), unknownSID)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.StatusSuspended, a.Status)
	})
}

func TestAContextThatHasEndedMakesNoRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 500 {
		p := scripted(t, func(*http.Request) (int, string) {
			t.Error("a request was made")
			return 200, `{}`
		})
		_, err := p.Account(ctx, unknownSID)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestAChangeThroughTheProviderDropsWhatIsRemembered(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	_, err := p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
	suspended := new(api.UpdateAccountParams).SetStatus("suspended")
	_, err = api.NewApiService(p.Parent().Services(t.Context())).UpdateAccount(acme.SID, suspended)
	require.NoError(t, err)
	a, err := p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, a.Status)
}

func TestALookThatBeganBeforeAChangeIsNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", AfterEffect: true, Delay: 10 * time.Second})
		seen := make(chan twilioacct.Status, 1)
		go func() {
			h, _ := p.Health(t.Context(), acme.SID)
			seen <- h.Status
		}()
		time.Sleep(time.Second)
		suspended := new(api.UpdateAccountParams).SetStatus("suspended")
		_, err := api.NewApiService(p.Parent().Services(t.Context())).UpdateAccount(acme.SID, suspended)
		require.NoError(t, err)
		require.Equal(t, twilioacct.StatusActive, <-seen, "its answer was on the way")
		a, err := p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.StatusSuspended, a.Status)
	})
}

func TestWhenTheLastCallerHasLeftTheRequestEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.Account(ctx, acme.SID)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait() // the bubble would not end with a request left in it

		_, err = p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
	})
}

func TestACallerWhoLeavesIsGivenItsOwnCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Hang: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errAway) })
		_, err := p.Account(ctx, acme.SID)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errAway)
	})
}

func TestAFailureIsNotRemembered(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	fake.Inject(twiliotest.Fault{Status: 404, Code: 20404})
	_, err := p.Account(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	_, err = p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
}

func TestMalformedSIDsAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore()))
	for _, sid := range []string{
		"", "AC", "AC1", unknownKey, strings.ToLower(unknownSID), unknownSID + "0", unknownSID[:33] + "g",
		"AC1/../AC2", unknownSID[:33] + "/", unknownSID[:33] + "?", "../../x", "AC" + strings.Repeat("é", 16), fake.Parent().AuthToken,
	} {
		calls := map[string]func() error{
			"Account": func() error { _, err := p.Account(t.Context(), sid); return err },
			"Sync":    func() error { _, err := p.Sync(t.Context(), sid); return err },
			"Health":  func() error { _, err := p.Health(t.Context(), sid); return err },
			"handle":  func() error { _, err := p.Subaccount(sid).Account(t.Context()); return err },
		}
		for name, call := range calls {
			err := call()
			require.ErrorIs(t, err, twilioacct.ErrInvalid, "%s(%q)", name, sid)
			assert.NotContains(t, err.Error(), fake.Parent().AuthToken)
		}
	}
	assert.Zero(t, fake.Count(""))
}

func TestANilContextIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore()))
	sid := fake.AddSubaccount("acme").SID
	var none context.Context
	_, err := p.Account(none, sid)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = p.Sync(none, sid)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = p.Health(none, sid)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = p.Subaccount(sid).Account(none)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	for _, err := range p.Accounts(none, nil) {
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
}

func TestAnAnswerForAnotherAccountIsNotTaken(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	for _, body := range []string{`{"sid":"` + unknownSID + `","status":"active"}`, `{}`, `{"sid":null}`, `{"sid":5}`, `{"sid":[]}`, `[]`, `"x"`, `5`} {
		fake.Inject(twiliotest.Fault{Status: 200, Body: []byte(body)})
		_, err := p.Account(t.Context(), acme.SID)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed, body)
		assert.Equal(t, 200, typed.Status, body)
	}
}

func TestADateThatIsNoneIsTheZeroTime(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.CacheTime = -1 })
	acme := fake.AddSubaccount("acme")
	for date, want := range map[string]time.Time{
		`"Wed, 17 Feb 2021 15:12:01 +0000"`: time.Date(2021, 2, 17, 15, 12, 1, 0, time.UTC),
		`"Wed, 7 Feb 2021 15:12:01 +0100"`:  time.Date(2021, 2, 7, 14, 12, 1, 0, time.UTC),
		`"2021-02-17T15:12:01Z"`:            {},
		`null`:                              {},
		`""`:                                {},
	} {
		fake.Inject(twiliotest.Fault{Status: 200, Body: fmt.Appendf(nil, `{"sid":%q,"date_created":%s}`, acme.SID, date)})
		a, err := p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, want, a.DateCreated, date)
	}
}

func TestAccountsIteratesOverAllPages(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	sids := fake.AddSubaccounts(2500)
	seen := map[string]bool{}
	for a, err := range p.Accounts(t.Context(), nil) {
		require.NoError(t, err)
		assert.False(t, seen[a.SID])
		seen[a.SID] = true
		assert.False(t, a.AuthToken.IsZero())
	}
	assert.Len(t, seen, len(sids)+1, "the parent is listed too")
	assert.Equal(t, 3, fake.Count("ListAccount"))
}

func TestAccountsFiltersAtTwilioByStatusAndExactName(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.AddSubaccounts(20)
	names := []string{"acme v1.25", "a.1@x.example", "10.0.0.1", "1+1 & 2=3", "ünïcode 🦉"}
	for _, name := range names {
		want := fake.AddSubaccount(name)
		fake.SetStatus(want.SID, twiliotest.Suspended)
		filter := &twilioacct.AccountFilter{FriendlyName: name, Status: twilioacct.StatusSuspended}
		var got []string
		for a, err := range p.Accounts(t.Context(), filter) {
			require.NoError(t, err)
			got = append(got, a.SID)
		}
		assert.Equal(t, []string{want.SID}, got, name)
	}
}

func TestAnErrorOnPageSevenComesAfterTheSixGoodPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		fake.AddSubaccounts(7500)
		fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 7, Status: 403, Code: 20403})
		n := 0
		for a, err := range p.Accounts(t.Context(), nil) {
			if err != nil {
				require.ErrorIs(t, err, twilioacct.ErrForbidden)
				assert.Equal(t, twilioacct.Account{}, a)
				break
			}
			n++
		}
		assert.Equal(t, 6000, n)
	})
}

func TestAPageThatFailsForAMomentIsReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		fake.AddSubaccounts(2500)
		fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Status: 503, HTML: true})
		fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 4, Truncate: 100})
		n := 0
		for _, err := range p.Accounts(t.Context(), nil) {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 2501, n)
	})
}

func TestBreakingOutOfTheLoopLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a goroutine left behind would keep the bubble from ending
		fake, p := setup(t, nil)
		fake.AddSubaccounts(2500)
		for _, err := range p.Accounts(t.Context(), nil) {
			require.NoError(t, err)
			break
		}
		assert.Equal(t, 1, fake.Count("ListAccount"))
	})
}

func TestCancelEndsTheListWhereverItIs(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 999, 1000, 1001, 2500} {
		t.Run(fmt.Sprintf("after %d accounts", after), func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, nil)
			fake.AddSubaccounts(2600)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if after == 0 {
				cancel()
			}
			n := 0
			var last error
			for _, err := range p.Accounts(ctx, nil) {
				if last = err; err != nil {
					break
				}
				if n++; n == after {
					cancel()
				}
			}
			assert.Equal(t, after, n)
			require.ErrorIs(t, last, context.Canceled)
			var typed *twilioacct.Error
			require.ErrorAs(t, last, &typed)
		})
	}
}

func TestAListThatIsNoneIsAnErrorAndNotAnEmptyFleet(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	for body, wantItems := range map[string]int{
		`{}`:                       0,
		`{"accounts":null}`:        0,
		`{"accounts":5}`:           0,
		`{"accounts":{}}`:          0,
		`{"accounts":[{"sid":1}]}`: 0,
		`{"accounts":[],"next_page_uri":"/2010-04-01/Accounts.json"}`:            0,
		`{"accounts":[],"next_page_uri":"::"}`:                                   0,
		`{"accounts":[{"sid":"` + unknownSID + `"}],"next_page_uri":"/x?Foo=1"}`: 1,
	} {
		fake.Inject(twiliotest.Fault{Status: 200, Body: []byte(body)})
		var last error
		n := 0
		for _, err := range p.Accounts(t.Context(), nil) {
			if last = err; err == nil {
				n++
			}
		}
		var typed *twilioacct.Error
		require.ErrorAs(t, last, &typed, body)
		assert.Equal(t, 200, typed.Status)
		assert.Equal(t, wantItems, n)
	}
}

func TestAListThatGoesInALargerCircleEndsToo(t *testing.T) {
	t.Parallel()
	for size := range 12 {
		n := 0
		p := scripted(t, func(r *http.Request) (int, string) {
			n++
			return 200, fmt.Sprintf(`{"accounts":[],"next_page_uri":"/x?Page=1&PageToken=%d"}`, n%(size+1))
		})
		var last error
		for _, err := range p.Accounts(t.Context(), nil) {
			last = err
		}
		require.Error(t, last)
		assert.Less(t, n, 50)
	}
}

func TestTheNextPageIsAskedForByTokenAndNumber(t *testing.T) {
	t.Parallel()
	var queries []string
	p := scripted(t, func(r *http.Request) (int, string) {
		queries = append(queries, r.URL.RawQuery)
		if len(queries) > 1 {
			return 200, `{"accounts":[]}`
		}
		return 200, `{"accounts":[],"next_page_uri":"/2010-04-01/Accounts.json?PageSize=50&Page=7&PageToken=PAAC1.25"}`
	})
	for _, err := range p.Accounts(t.Context(), nil) {
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"PageSize=1000", "Page=7&PageSize=1000&PageToken=PAAC1.25"}, queries)
}

func TestAListThatGoesInACircleEnds(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	again := `{"accounts":[{"sid":"` + unknownSID + `"}],"next_page_uri":"/2010-04-01/Accounts.json?Page=1&PageToken=PAAC1"}`
	fake.Inject(twiliotest.Fault{Status: 200, Body: []byte(again), Times: twiliotest.Always})
	var last error
	n := 0
	for _, err := range p.Accounts(t.Context(), nil) {
		if last = err; err == nil {
			n++
		}
	}
	require.Error(t, last)
	assert.Equal(t, 2, n)
}

func TestAForeignAccountIsToldFromWrongCredentials(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		20404: twilioacct.ErrNotFound,
		20403: twilioacct.ErrForbidden,
		20003: twilioacct.ErrForbidden,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, nil)
			foreign := fake.AddForeignAccount(code)
			for range 5 {
				_, err := p.Account(t.Context(), foreign.SID)
				require.ErrorIs(t, err, want)
				require.NotErrorIs(t, err, twilioacct.ErrUnauthenticated)
				var typed *twilioacct.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, code, typed.Code)
			}
			asked := 0
			for _, r := range fake.Requests() {
				if strings.Contains(r.Path, fake.Parent().SID) {
					asked++
				}
			}
			assert.LessOrEqual(t, asked, 1, "the parent is asked once")
		})
	}
}

func TestWrongCredentialsOfOurOwnAreUnauthenticated(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	wrong := parentOf(fake)
	wrong.AuthToken = twilioacct.NewSecret(strings.Repeat("0", 32))
	p, err := twilioacct.New(wrong, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)
	for range 3 {
		_, err = p.Account(t.Context(), acme.SID)
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
		require.NotErrorIs(t, err, twilioacct.ErrForbidden)
	}
	_, err = p.Account(t.Context(), fake.Parent().SID)
	require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
	assert.Contains(t, err.Error(), "credentials are wrong or may not do this, or the parent is suspended", "all causes are named")
	assert.Equal(t, 5, fake.Count("FetchAccount"), "three times acme, the parent once for them, and once for itself")
}

func TestACodeSaysMoreThanItsStatus(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]error{
		`{"code":70051}`: twilioacct.ErrForbidden,
		`{"code":20005}`: twilioacct.ErrSuspended,
		`{"code":10001}`: twilioacct.ErrSuspended,
	} {
		p := scripted(t, func(*http.Request) (int, string) { return 401, body })
		_, err := p.Account(t.Context(), unknownSID)
		require.ErrorIs(t, err, want, body)
		for _, err := range p.Accounts(t.Context(), nil) {
			require.ErrorIs(t, err, want, body)
		}
	}
}

func TestASuspendedParentIsSeenBehindARefusal(t *testing.T) {
	t.Parallel()
	p := scripted(t, func(r *http.Request) (int, string) {
		if strings.Contains(r.URL.Path, scriptedParent) {
			return 403, `{"code":20005}`
		}
		return 401, `{"code":20003}`
	})
	_, err := p.Account(t.Context(), unknownSID)
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
}

func TestWhereTheParentCannotBeAskedARefusalIsNotJudged(t *testing.T) {
	t.Parallel()
	parentAnswers := 503
	p := scripted(t, func(r *http.Request) (int, string) {
		if strings.Contains(r.URL.Path, scriptedParent) {
			return parentAnswers, `{"sid":"` + scriptedParent + `"}`
		}
		return 401, `{"code":20003}`
	})
	_, err := p.Account(t.Context(), unknownSID)
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	require.NotErrorIs(t, err, twilioacct.ErrUnauthenticated)
	require.ErrorContains(t, err, unknownSID)
	require.ErrorContains(t, err, "503")
	parentAnswers = 200
	_, err = p.Account(t.Context(), unknownSID)
	require.ErrorIs(t, err, twilioacct.ErrForbidden, "that it could not be asked is not remembered")
}

func TestAParentThatWasRotatedIsNotHeldToBeGoodForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		_, err := p.Account(t.Context(), fake.AddForeignAccount(20003).SID)
		require.ErrorIs(t, err, twilioacct.ErrForbidden)
		fake.RotateToken(fake.Parent().SID)
		time.Sleep(2 * time.Second)
		_, err = p.Account(t.Context(), acme.SID)
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
	})
}

func TestAForeignAccountIsToldFromWrongCredentialsThroughServicesToo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	_, err := api.NewApiService(p.Parent().Services(t.Context())).FetchAccount(fake.AddForeignAccount(20003).SID)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
}

func TestCancelEndsTheQuestionAboutTheParent(t *testing.T) {
	t.Parallel()
	for _, cacheTime := range []time.Duration{0, -1} {
		t.Run(cacheTime.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, p := setup(t, func(o *twilioacct.Options) { o.CacheTime = cacheTime })
				foreign := fake.AddForeignAccount(20003)
				fake.Inject(twiliotest.Fault{Path: fake.Parent().SID, Hang: true})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				_, err := p.Health(ctx, foreign.SID)
				require.ErrorIs(t, err, context.Canceled)
				var typed *twilioacct.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

func TestASuspendedParentSaysSo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.SetStatus(fake.Parent().SID, twiliotest.Suspended)
	_, err := p.Account(t.Context(), fake.Parent().SID)
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
}

func TestHealthIsAValueAndAFailureIsKeptApart(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	active, suspended, closed := fake.AddSubaccount("a"), fake.AddSubaccount("s"), fake.AddSubaccount("c")
	fake.SetStatus(suspended.SID, twiliotest.Suspended)
	fake.SetStatus(closed.SID, twiliotest.Closed)
	fake.SetType(active.SID, "Trial")
	before := time.Now()

	h, err := p.Health(t.Context(), active.SID)
	require.NoError(t, err)
	assert.WithinRange(t, h.LastChecked, before, time.Now())
	h.LastChecked = time.Time{}
	assert.Equal(t, twilioacct.Health{
		SID: active.SID, Name: "a", Status: twilioacct.StatusActive, Type: twilioacct.TypeTrial, IsActive: true, IsTrial: true,
	}, h)

	for _, a := range []twiliotest.Account{suspended, closed} {
		h, err = p.Health(t.Context(), a.SID)
		require.NoError(t, err)
		assert.False(t, h.IsActive)
	}

	h, err = p.Health(t.Context(), unknownSID)
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	assert.False(t, h.IsActive)
	assert.Equal(t, unknownSID, h.SID)
	assert.False(t, h.LastChecked.IsZero())
}

func TestAStatusOfTheFutureIsNotActive(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	fake.SetStatus(acme.SID, "hibernating")
	h, err := p.Health(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.False(t, h.IsActive)
	assert.Equal(t, twilioacct.Status("hibernating"), h.Status)
}
