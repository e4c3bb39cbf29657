package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/rest"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// The parent is refused.

func TestAParentThatIsRefusedEndsTheRunWithOneEventAndOneError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refuse      func(*twiliotest.Server)
		want        error
		isSuspended bool
	}{
		"suspended":         {refuse: func(s *twiliotest.Server) { s.SetStatus(s.Parent().SID, twiliotest.Suspended) }, want: twilioacct.ErrSuspended, isSuspended: true},
		"a rotated token":   {refuse: func(s *twiliotest.Server) { s.RotateToken(s.Parent().SID) }, want: twilioacct.ErrUnauthenticated},
		"inactive (10001)":  {refuse: func(s *twiliotest.Server) { s.Inject(twiliotest.Fault{Code: 10001}) }, want: twilioacct.ErrSuspended, isSuspended: true},
		"forbidden (20403)": {refuse: func(s *twiliotest.Server) { s.Inject(twiliotest.Fault{Code: 20403}) }, want: twilioacct.ErrForbidden},
	} {
		for storeName, with := range stores() {
			t.Run(name+", "+storeName, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFleet(t, 10)
					f.outdate(f.sids...)
					f.store.add(twilioacct.Record{SID: unknownSID})
					before := f.store.contents()
					p := f.providerWith(t, with(f.store))
					test.refuse(f.fake)
					report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{MarkGone: true})
					require.ErrorIs(t, err, test.want)
					require.Len(t, told, 1)
					assert.Equal(t, twilioacct.EventParent, told[0].Kind)
					assert.Equal(t, f.fake.Parent().SID, told[0].SID)
					assert.Equal(t, err, told[0].Err)
					assert.Equal(t, test.isSuspended, report.ParentSuspended)
					assert.Equal(t, 1, report.Requests)
					assert.Equal(t, 1, f.fake.Count(""))
					assert.Zero(t, report.Changed+report.Unchanged+report.Failed+report.Gone+report.Missing)
					assert.False(t, report.Complete)
					assert.Equal(t, before, f.store.contents())
				})
			})
		}
	}
}

func TestAParentThatIsRefusedIsNotKeptWaitingForTheDocuments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		f.fake.SetStatus(f.fake.Parent().SID, twiliotest.Suspended)
		slow := hookedStore{f.store, func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}, nil}
		start := time.Now()
		_, told, err := f.sync(t.Context(), f.providerWith(t, slow), nil)
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
		require.NotErrorIs(t, err, context.Canceled)
		assert.Len(t, told, 1)
		assert.Zero(t, time.Since(start))
	})
}

func TestAParentThatIsRefusedOnALaterPageEndsTheRunThere(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 9)
		f.outdate(f.sids...)
		f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
		f.fake.Inject(twiliotest.Fault{Path: "Accounts.json", On: 4, Code: 20005, Times: twiliotest.Always}) // the third page
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{PageSize: 3})
		require.ErrorIs(t, err, twilioacct.ErrSuspended, name)
		assert.Len(t, told.of(twilioacct.EventParent), 1, name)
		assert.Empty(t, told.of(twilioacct.EventFailed), name)
		assert.True(t, report.ParentSuspended, name)
		for _, r := range f.store.contents() {
			if r.Rev > 0 {
				assert.Equal(t, f.asTwilioHas(r.SID).AuthToken, r.AuthToken, name)
			}
		}
	}
}

func TestAParentThatIsRefusedWhileAccountsAreFetchedEndsTheRunThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 5)
		f.outdate(f.sids...)
		for i := range 40 {
			f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032d", i), Status: "active"})
		}
		f.fake.Inject(twiliotest.Fault{Operation: "FetchAccount", On: 11, Code: 20005, Times: twiliotest.Always})
		report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{Concurrent: 4})
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
		assert.Len(t, told.of(twilioacct.EventParent), 1)
		assert.True(t, report.ParentSuspended)
		assert.Equal(t, 5, report.Changed)
		assert.Less(t, f.fake.Count("FetchAccount"), 35, "who is on his way, but not all others")
		assert.Equal(t, 10, report.Missing, "of the others nothing is known")
		for id, r := range f.store.contents() {
			if !slices.Contains(f.sids, r.SID) {
				require.Error(t, told.errors()[id])
			}
		}
	})
}

// Twilio's paging breaks.

func TestPagingThatBreaksAfterSomePagesEndsInSingleFetches(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 1000)
		f.store.keep(f.sids[:130]...) // the oldest: on the last pages
		closed, vanished, gone := f.sids[0], f.sids[1], f.sids[2]
		f.fake.SetStatus(closed, twiliotest.Closed)
		f.fake.DeleteAccount(vanished)
		for _, r := range f.store.all {
			if r.SID == gone {
				r.Status = "closed"
			}
		}
		f.fake.DeleteAccount(gone)
		f.outdate(f.sids[3:100]...)
		f.fake.SetStatus(f.sids[99], twiliotest.Suspended)
		f.fake.SetStatus(f.sids[110], twiliotest.Closed) // and not gone yet
		f.store.holding(f.sids[110])[0].Status = "closed"
		p := f.provider(t, withStore(with(f.store)), refusing(func(r *http.Request) int {
			if page, _ := strconv.Atoi(r.URL.Query().Get("Page")); page >= 2 {
				return 70002
			}
			return 0
		}))
		report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 440})
		assert.False(t, report.Complete, name)
		assert.Equal(t, 440, report.PageSize, "%s: of the last page that was shown", name)
		if report.OneByOne {
			require.ErrorIs(t, err, twilioacct.ErrInvalid, "what was not listed is not known")
			continue
		}
		require.NoError(t, err, "%s: nothing is lost", name)
		assert.Equal(t, 130, report.Documents, name)
		assert.Equal(t, 98, report.Changed, name)
		assert.Equal(t, 30, report.Unchanged, name)
		assert.Equal(t, 1, report.Failed, name)
		assert.Equal(t, 1, report.Gone, name)
		require.ErrorIs(t, told.errors()[f.store.idOf(vanished)], twilioacct.ErrNotFound, name)
		f.store.remove(f.store.idOf(vanished))
		f.store.remove(f.store.idOf(gone))
		f.isAsTwilioHasIt(t)
	}
}

func TestPagesThatAreRefusedForTheirSizeAreAskedForInASmallerOne(t *testing.T) {
	t.Parallel()
	for _, code := range []int{20007, 20001, 70002} {
		for most, want := range map[int]twilioacct.SyncReport{
			250: {PageSize: 250, Requests: 1 + 3, Complete: true},
			100: {PageSize: 62, Requests: 2 + 10, Complete: true},
			0:   {PageSize: 50, Requests: 4 + 600, Complete: false},
		} {
			f := newFleet(t, 600)
			p := f.provider(t, refusing(func(r *http.Request) int {
				if size, _ := strconv.Atoi(r.URL.Query().Get("PageSize")); size > most {
					return code
				}
				return 0
			}))
			report, _, err := f.sync(t.Context(), p, nil)
			require.NoError(t, err)
			assert.Equal(t, 600, report.Unchanged, most)
			assert.Zero(t, report.Failed, most)
			assert.Equal(t, want.Complete, report.Complete, most)
			assert.Equal(t, want.Requests, report.Requests, most)
			if want.Complete {
				assert.Equal(t, want.PageSize, report.PageSize, most)
				assert.Equal(t, 601, report.Listed, most)
			}
		}
	}
}

func TestPagesThatComeInPiecesAreAskedForInASmallerSize(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"half of it": `{"accounts":[{"sid":"AC`, "HTML": "<html></html>", "null": "null", "no list": `{"accounts":null}`, "another form": `{"accounts":[1]}`,
	} {
		f := newFleet(t, 300)
		f.outdate(f.sids...)
		p := f.provider(t, func(o *twilioacct.Options) {
			twilio := o.HTTPClient.Transport
			o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				if r.URL.Query().Get("PageSize") == "1000" {
					return answered(r, http.StatusOK, body), nil
				}
				return twilio.RoundTrip(r)
			})}
		})
		report, _, err := f.sync(t.Context(), p, nil)
		require.NoError(t, err, name)
		assert.True(t, report.Complete, name)
		assert.Equal(t, 250, report.PageSize, name)
		assert.Equal(t, 300, report.Changed, name)
		f.isAsTwilioHasIt(t)
	}
}

func TestSmallerPagesLoseNothingWherePagesAreOnlyCounted(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1500)
	f.store.add(f.asTwilioHas(f.fake.Parent().SID))
	f.outdate(append(f.sids, f.fake.Parent().SID)...)
	newestFirst := append(slices.Clone(f.sids), "")
	copy(newestFirst[1:], f.sids)
	newestFirst[0] = f.fake.Parent().SID
	slices.Reverse(newestFirst)
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
			size, _ := strconv.Atoi(r.URL.Query().Get("PageSize"))
			if page == 1 && size > 250 {
				return answered(r, http.StatusBadRequest, `{"code":20007,"message":"too large"}`), nil
			}
			return f.countedPage(r, newestFirst, page, size), nil
		})}
	})
	report, _, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Equal(t, 1501, report.Listed)
	assert.Equal(t, 1501, report.Changed)
	assert.True(t, report.Complete)
	f.isAsTwilioHasIt(t)
}

// A page's address is looked for before the page is read. What is found so may be wrong, and may never be answered.
func TestAPageThatWasAskedForInVainIsLetGo(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 40)
	var inVain atomic.Int64
	p := f.provider(t, func(o *twilioacct.Options) {
		twice := rewriting(o.HTTPClient.Transport, func(_, body string) string {
			return strings.Replace(body, `"next_page_uri":`, `"next_page_uri":"?Page=77","next_page_uri":`, 1)
		})
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("Page") == "77" {
				inVain.Add(1)
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return twice.Transport.RoundTrip(r)
		})}
	})
	for inVain.Load() == 0 { // it may be let go before it was sent
		f.outdate(f.sids...)
		report, _, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err)
		assert.True(t, report.Complete)
		assert.Equal(t, 40, report.Changed)
		assert.Equal(t, 10, report.PageSize)
		f.isAsTwilioHasIt(t)
	}
}

// countedPage is a page of a list that has no tokens.
func (f *fleet) countedPage(r *http.Request, sids []string, page, size int) *http.Response {
	var accounts []string
	for _, sid := range sids[min(page*size, len(sids)):min((page+1)*size, len(sids))] {
		a, _ := f.fake.Account(sid)
		accounts = append(accounts, fmt.Sprintf(`{"sid":%q,"auth_token":%q,"status":%q}`, sid, a.AuthToken, a.Status))
	}
	next := "null"
	if (page+1)*size < len(sids) {
		next = fmt.Sprintf(`"/2010-04-01/Accounts.json?Page=%d&PageSize=%d"`, page+1, size)
	}
	return answered(r, http.StatusOK, fmt.Sprintf(`{"accounts":[%s],"next_page_uri":%s}`, strings.Join(accounts, ","), next))
}

func TestAPageThatFailsForGoodLeavesWhatItWouldHaveShownFailedAndNotMissing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"503":                 {Status: 503},
		"502 in HTML":         {Status: 502, HTML: true},
		"429":                 {Status: 429},
		"404 of a proxy":      {Status: 404, HTML: true},
		"a reset":             {Reset: true},
		"a hang":              {Hang: true},
		"HTML for an answer":  {Status: 200, HTML: true},
		"an empty answer":     {Status: 200, Body: []byte{}},
		"half a page":         {Truncate: 3000},
		"no page":             {Status: 200, Body: []byte(`{"accounts":null}`)},
		"another form":        {Status: 200, Body: []byte(`{"accounts":[1]}`)},
		"more than a page is": {Status: 200, Size: 100 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 30)
				f.outdate(f.sids[:20]...) // all but the first page, which so is not read twice
				closed := f.store.add(twilioacct.Record{SID: unknownSID, Status: "closed"})
				fault.Operation, fault.On, fault.Times = "ListAccount", 3, twiliotest.Always
				f.fake.Inject(fault)
				report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{PageSize: 10, MarkGone: true})
				var typed *twilioacct.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, listPath, typed.Path)
				assert.Equal(t, 10, report.Changed)
				assert.Equal(t, 10, report.Unchanged)
				assert.Equal(t, 11, report.Failed)
				assert.Zero(t, report.Gone)
				assert.Zero(t, report.Missing)
				assert.False(t, report.Complete)
				assert.Zero(t, f.fake.Count("FetchAccount"))
				failures := told.errors()
				assert.Equal(t, err, failures[closed])
				for _, sid := range f.sids[:10] {
					require.Error(t, failures[f.store.idOf(sid)])
					assert.Zero(t, f.store.of(sid)[0].Rev)
				}

				f.fake.ClearFaults()
				f.store.remove(closed)
				_, _, err = f.sync(t.Context(), f.provider(t), nil)
				require.NoError(t, err)
				f.isAsTwilioHasIt(t)
			})
		})
	}
}

func TestAListThatIsNotToBeFollowedEndsInSingleFetches(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]string{
		"a circle":             "/2010-04-01/Accounts.json?PageSize=10&Page=1&PageToken=PA",
		"the first page again": "/2010-04-01/Accounts.json?Page=1",
		"no cursor":            "/2010-04-01/Accounts.json",
		"no address":           "http://[::1",
	} {
		f := newFleet(t, 40)
		f.outdate(f.sids...)
		next = strings.Replace(next, "PageToken=PA", "PageToken=PA"+f.sids[30], 1)
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
				head, tail, isPage := strings.Cut(body, `"next_page_uri":`)
				if !isPage {
					return body
				}
				_, tail, _ = strings.Cut(tail, `,"page"`)
				return head + `"next_page_uri":` + strconv.Quote(next) + `,"page"` + tail
			})
		})
		report, _, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err, name)
		assert.False(t, report.Complete, name)
		assert.Equal(t, 40, report.Changed, name)
		assert.Less(t, f.fake.Count("ListAccount"), 10, name)
		assert.GreaterOrEqual(t, f.fake.Count("FetchAccount"), 20, name)
		f.isAsTwilioHasIt(t)
	}
}

func TestAnEmptyPageInTheMiddleOfAListEndsNothing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30)
	f.outdate(f.sids...)
	pages := 0
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
			if path != listPath {
				return body
			}
			if pages++; pages != 3 { // the second page
				return body
			}
			_, tail, _ := strings.Cut(body, `],"uri"`)
			return `{"accounts":[],"uri"` + tail
		})
	})
	report, _, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 10})
	require.NoError(t, err)
	assert.Equal(t, 30, report.Changed)
	assert.Equal(t, 10, f.fake.Count("FetchAccount"), "what it did not show was fetched")
	f.isAsTwilioHasIt(t)
}

// Everything fails, everywhere.

// motley is a fleet for whose sync every kind of request and every operation of a Store is needed. It returns a check of the end,
// which spares those that the function says have failed.
func motley(t testing.TB) (f *fleet, isDone func(t testing.TB, hasFailed func(id string) bool)) {
	t.Helper()
	f = newFleet(t, 24)
	f.outdate(f.sids[0], f.sids[9], f.sids[13], f.sids[22], f.sids[23])
	f.fake.SetStatus(f.sids[1], twiliotest.Suspended)
	f.fake.SetStatus(f.sids[21], twiliotest.Suspended)
	f.fake.SetStatus(f.sids[12], twiliotest.Closed)
	f.store.add(twilioacct.Record{SID: f.sids[20], Status: "suspended"})
	f.outdate(f.sids[20])
	f.store.add(twilioacct.Record{SID: f.fake.Parent().SID})
	vanished := f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
	foreign := f.store.add(twilioacct.Record{SID: f.fake.AddForeignAccount(20003).SID, Status: "active"})
	f.fake.AddSubaccount("unknown")
	return f, func(t testing.TB, hasFailed func(id string) bool) {
		t.Helper()
		for id, kept := range f.store.contents() {
			want := f.asTwilioHas(kept.SID)
			if id == vanished || id == foreign {
				want = twilioacct.Record{Status: "active"}
			}
			if !hasFailed(id) && (!kept.AuthToken.Equal(want.AuthToken) || kept.Status != want.Status) {
				assert.Fail(t, "not as Twilio has it", "document %s of %s is %s, Twilio's is %s", id, kept.SID, described(kept), described(want))
			}
		}
	}
}

func nobody(string) bool { return false }

// inSmallSteps reads the motley fleet in several pages and fetches few accounts at once.
func inSmallSteps() *twilioacct.SyncAllOptions {
	return &twilioacct.SyncAllOptions{PageSize: 9, Concurrent: 3}
}

func TestEveryFaultAtEveryRequestLeavesEachDocumentSyncedOrFailed(t *testing.T) {
	t.Parallel()
	clean, isDone := motley(t)
	want, _, err := clean.sync(t.Context(), clean.provider(t), inSmallSteps())
	require.NoError(t, err)
	isDone(t, nobody)
	require.Equal(t, 2, want.Failed)
	require.Greater(t, want.Requests, 8)
	for _, fault := range allFaults() {
		for _, times := range []int{1, twiliotest.Always} {
			t.Run(fmt.Sprintf("%s, %d times", fault.name, times), func(t *testing.T) {
				t.Parallel()
				for on := range want.Requests {
					synctest.Test(t, func(t *testing.T) {
						f, isDone := motley(t)
						p := f.provider(t)
						strike := fault.Fault
						strike.On, strike.Times = on+1, times
						f.fake.Inject(strike)
						report, told, err := f.sync(t.Context(), p, inSmallSteps())
						failures := told.errors()
						isDone(t, func(id string) bool { return err != nil || failures[id] != nil })
						if fault.passes && times == 1 {
							require.NoError(t, err, "request %d", on+1)
							assert.Equal(t, want.Failed, report.Failed, "request %d", on+1)
							assert.Equal(t, want.Synced(), report.Synced(), "request %d", on+1)
							assert.GreaterOrEqual(t, report.Requests, want.Requests, "request %d", on+1)
						}
						assert.Equal(t, f.fake.Count(""), report.Requests)

						f.fake.ClearFaults()
						report, _, err = f.sync(t.Context(), f.provider(t), inSmallSteps())
						require.NoError(t, err)
						assert.Equal(t, want.Failed, report.Failed)
						assert.Equal(t, want.Synced(), report.Synced())
						isDone(t, nobody)
					})
				}
			})
		}
	}
}

// steps are a run's requests and its operations of the Store, before and after each. A function can come between.
type steps struct {
	mu   sync.Mutex
	n    int
	take func(n int) error // what it returns takes the place of the step
}

func (s *steps) next() error {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	return s.take(n)
}

// of lets all steps of a Provider be counted.
func (s *steps) of(f *fleet, with func(fullStore) twilioacct.Store) func(*twilioacct.Options) {
	step := func(context.Context, string) error { return s.next() }
	return func(o *twilioacct.Options) {
		o.Store = with(hookedStore{f.store, step, step})
		twilio := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if err := s.next(); err != nil {
				return nil, err
			}
			response, err := twilio.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			if err := s.next(); err != nil {
				return nil, err
			}
			return response, nil
		})}
	}
}

// atEveryStep runs a test for each step of a run over the motley fleet.
func atEveryStep(t *testing.T, test func(t *testing.T, step int, with func(fullStore) twilioacct.Store)) {
	t.Helper()
	for name, with := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count steps
			count.take = func(int) error { return nil }
			f, _ := motley(t)
			_, _, err := f.sync(t.Context(), f.provider(t, count.of(f, with)), inSmallSteps())
			require.NoError(t, err)
			require.Greater(t, count.n, 20)
			for step := range count.n {
				synctest.Test(t, func(t *testing.T) { test(t, step+1, with) })
			}
		})
	}
}

func TestARunCancelledAtAnyStepSaysSoAndIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	atEveryStep(t, func(t *testing.T, step int, with func(fullStore) twilioacct.Store) {
		f, isDone := motley(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var s steps
		s.take = func(n int) error {
			if n == step {
				cancel()
			}
			return nil
		}
		start := time.Now()
		report, told, err := f.sync(ctx, f.provider(t, s.of(f, with)), inSmallSteps())
		assert.Zero(t, time.Since(start))
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "step %d", step)
			var typed *twilioacct.Error
			require.ErrorAs(t, err, &typed, "step %d", step)
			assert.Contains(t, err.Error(), fmt.Sprintf("of %d documents", report.Documents), "step %d", step)
		}
		for _, e := range told.of(twilioacct.EventFailed) {
			require.NotErrorIs(t, e.Err, context.Canceled, "step %d: nothing is known of it", step)
		}
		assert.LessOrEqual(t, report.Synced()+report.Failed+report.Gone, report.Documents, "step %d", step)
		changes := told.of(twilioacct.EventChanged)
		assert.LessOrEqual(t, written(f.store), len(changes)+1, "step %d: two documents of one account are one change", step)

		_, _, err = f.sync(t.Context(), f.providerWith(t, with(f.store)), inSmallSteps())
		require.NoError(t, err)
		isDone(t, nobody)
	})
}

// written is how many documents have been.
func written(s *documents) int {
	n := 0
	for _, r := range s.contents() {
		if r.Rev > 0 {
			n++
		}
	}
	return n
}

func TestNoDocumentHasFailedBecauseTheRunWasCancelled(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		for range 30 { // the end of the context and what came of it race
			f := newFleet(t, 4)
			f.outdate(f.sids...)
			ctx, cancel := context.WithCancel(t.Context())
			store := hookedStore{f.store, func(_ context.Context, op string) error {
				if strings.HasPrefix(op, "Save") {
					cancel()
				}
				return nil
			}, nil}
			report, told, err := f.sync(ctx, f.providerWith(t, with(store)), nil)
			require.ErrorIs(t, err, context.Canceled, name)
			require.Empty(t, told.of(twilioacct.EventFailed), name)
			require.Zero(t, report.Failed, name)
		}
	}
}

func TestCancelEndsARunWithinMilliseconds(t *testing.T) {
	t.Parallel()
	hang := func(where string) func(context.Context, string) error {
		return func(ctx context.Context, op string) error {
			if op == where {
				<-ctx.Done()
			}
			return nil
		}
	}
	for name, where := range map[string]struct {
		fault twiliotest.Fault
		op    string
	}{
		"the first page hangs":       {fault: twiliotest.Fault{Operation: "ListAccount", Hang: true}},
		"a later page hangs":         {fault: twiliotest.Fault{Operation: "ListAccount", On: 3, Hang: true}},
		"a later page is repeated":   {fault: twiliotest.Fault{Operation: "ListAccount", On: 3, Status: 503}},
		"the first page, again":      {fault: twiliotest.Fault{Operation: "ListAccount", On: 2, Hang: true}},
		"single fetches hang":        {fault: twiliotest.Fault{Operation: "FetchAccount", Hang: true}},
		"single fetches are delayed": {fault: twiliotest.Fault{Operation: "FetchAccount", Delay: time.Hour}},
		"single fetches are limited": {fault: twiliotest.Fault{Operation: "FetchAccount", Status: 429, RetryAfter: "20"}},
		"Scan hangs":                 {op: "Scan"},
		"Load hangs":                 {op: "Load"},
		"Save hangs":                 {op: "Save"},
		"SaveBatch hangs":            {op: "SaveBatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, isDone := motley(t)
				if where.op == "" {
					where.fault.Times = twiliotest.Always
					f.fake.Inject(where.fault)
				}
				ctx, cancel := context.WithCancel(t.Context())
				const patience = 77 * time.Millisecond
				time.AfterFunc(patience, cancel)
				start := time.Now()
				p := f.providerWith(t, hookedStore{f.store, hang(where.op), nil})
				_, _, err := f.sync(ctx, p, inSmallSteps())
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, patience, time.Since(start))

				f.fake.ClearFaults()
				_, _, err = f.sync(t.Context(), f.provider(t), nil)
				require.NoError(t, err)
				isDone(t, nobody)
			})
		})
	}
}

func TestNothingIsUnderWayAnyMoreWhenARunReturns(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for patience := range 12 { // in seconds
				synctest.Test(t, func(t *testing.T) {
					f, _ := motley(t)
					var work gauge
					dawdle := func() { // takes no notice of its context
						work.add(1)
						defer work.add(-1)
						time.Sleep(time.Second)
					}
					store := hookedStore{f.store, func(context.Context, string) error { dawdle(); return nil }, nil}
					p := f.provider(t, withStore(with(store)), func(o *twilioacct.Options) {
						twilio := o.HTTPClient.Transport
						o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
							if r.URL.Path == listPath {
								dawdle()
							}
							return twilio.RoundTrip(r)
						})}
					})
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(patience)*time.Second+time.Millisecond)
					defer cancel()
					_, _, _ = f.sync(ctx, p, inSmallSteps())
					assert.Zero(t, work.now, "after %d seconds", patience)
				})
			}
		})
	}
}

func TestARunWhoseContextHasEndedDoesNothing(t *testing.T) {
	t.Parallel()
	f, _ := motley(t)
	before := f.store.contents()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errAway)
	_, told, err := f.sync(ctx, f.provider(t), nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, errAway, "the cause is told, too")
	assert.Empty(t, told)
	assert.Zero(t, f.fake.Count(""))
	assert.Equal(t, before, f.store.contents())
}

func TestADeadlineEndsARunAsACancelDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, isDone := motley(t)
		f.fake.Inject(twiliotest.Fault{Delay: time.Second, Times: twiliotest.Always})
		finished := 0
		for finished == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
			_, _, err := f.sync(ctx, f.provider(t), inSmallSteps())
			if err == nil {
				finished++
			} else {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				f.fake.ClearFaults()
				f.fake.Inject(twiliotest.Fault{Delay: time.Millisecond, Times: twiliotest.Always})
			}
			cancel()
		}
		isDone(t, nobody)
	})
}

var errDead = errors.New("the machine is off")

// A killed run is one that from some step on does nothing at all any more: no request arrives, nothing is written, nothing is told.
func TestARunThatIsKilledAgainAndAgainEndsAsTheCleanOneAndLosesNoEvent(t *testing.T) {
	t.Parallel()
	for storeName, with := range stores() {
		t.Run(storeName, func(t *testing.T) {
			t.Parallel()
			clean, _ := motley(t)
			_, wanted, err := clean.sync(t.Context(), clean.providerWith(t, with(clean.store)), inSmallSteps())
			require.NoError(t, err)
			for seed := range uint64(40) {
				synctest.Test(t, func(t *testing.T) {
					f, isDone := motley(t)
					random := rand.New(rand.NewPCG(seed, 0))
					ids := map[string]bool{}
					lifetime := 50
					for f.killed(t, with, 1+random.IntN(lifetime), ids) {
						lifetime += 10
					}
					isDone(t, nobody)
					assert.Subset(t, ids, idsOf(wanted), "seed %d: each change was told at least once", seed)
					assert.Subset(t, idsOf(wanted), ids, "seed %d: and with no other ID", seed)
				})
			}
		})
	}
}

func idsOf(told events) map[string]bool {
	ids := map[string]bool{}
	for _, e := range told.of(twilioacct.EventChanged) {
		ids[e.ID] = true
	}
	return ids
}

// killed runs a sync that dies at that step, and notes the events that were told before. It is false if the run ended before.
func (f *fleet) killed(t *testing.T, with func(fullStore) twilioacct.Store, step int, ids map[string]bool) (isDead bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var dead sync.Once
	var s steps
	died := make(chan struct{})
	s.take = func(n int) error {
		if n >= step {
			dead.Do(func() {
				close(died)
				cancel()
			})
			return errDead
		}
		return nil
	}
	o := inSmallSteps()
	o.Observe = func(e twilioacct.SyncEvent) {
		select {
		case <-died:
		default:
			if e.Kind == twilioacct.EventChanged {
				ids[e.ID] = true
			}
		}
	}
	_, _, err := f.sync(ctx, f.provider(t, s.of(f, with)), o)
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	select {
	case <-died:
		return true
	default:
		return err != nil
	}
}

// Somebody else changes things meanwhile.

func TestARotationAtAnyStepOfARunWins(t *testing.T) {
	t.Parallel()
	atEveryStep(t, func(t *testing.T, step int, with func(fullStore) twilioacct.Store) {
		f, isDone := motley(t)
		var newest sync.Map // of tokens
		f.store.willWrite = func(kept, change twilioacct.Record) {
			_, isNewest := newest.Load(kept.AuthToken.Reveal())
			assert.False(t, isNewest && !change.AuthToken.Equal(kept.AuthToken), "step %d: an older token undoes a newer one", step)
		}
		other := f.provider(t)
		var s steps
		s.take = func(n int) error {
			if n != step {
				return nil
			}
			for _, sid := range f.sids {
				newest.Store(f.fake.RotateToken(sid), true)
			}
			for _, sid := range f.sids[:6] {
				f.fake.SetStatus(sid, twiliotest.Suspended)
			}
			for _, sid := range f.sids {
				_, err := other.Sync(t.Context(), sid)
				assert.NoError(t, err)
			}
			return nil
		}
		report, _, err := f.sync(t.Context(), f.provider(t, s.of(f, with)), inSmallSteps())
		require.NoError(t, err)
		assert.LessOrEqual(t, report.Failed, 2, "step %d", step)
		isDone(t, nobody)
	})
}

func TestARotationBetweenTheFirstPageAndTheScanCostsOneMoreRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 25)
		other := f.provider(t)
		late := hookedStore{f.store, func(_ context.Context, op string) error {
			if op == "Scan" {
				synctest.Wait() // the first page is here
				assert.Equal(t, 1, f.fake.Count("ListAccount"))
				for _, sid := range f.sids[20:] {
					f.fake.RotateToken(sid)
					_, err := other.Sync(t.Context(), sid)
					assert.NoError(t, err)
				}
				f.fake.ForgetRequests()
			}
			return nil
		}, nil}
		report, told, err := f.sync(t.Context(), f.providerWith(t, late), &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err)
		assert.Equal(t, 25, report.Unchanged)
		assert.Empty(t, told, "no alert about what somebody else did and stored")
		assert.Equal(t, 3, f.fake.Count(""), "the first page again, and the two others")
		f.isAsTwilioHasIt(t)
	})
}

func TestWhereTwilioIsDownWhenTheFirstPageIsReadAgainWhatDiffersFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 20)
		f.outdate(f.sids[:7]...)
		f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Status: 503, Times: twiliotest.Always})
		report, told, err := f.sync(t.Context(), f.provider(t), nil)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		assert.False(t, report.Complete)
		assert.Equal(t, 13, report.Unchanged)
		assert.Equal(t, 7, report.Failed)
		for _, failure := range told.errors() {
			assert.Equal(t, err, failure)
		}
		assert.Zero(t, report.Missing)
		assert.Zero(t, f.fake.Count("FetchAccount"), "it would be held down")
	})
}

func TestWhereTwilioRefusesToShowTheFirstPageAgainWhatDiffersIsFetchedByItself(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 20)
	f.outdate(f.sids[:7]...)
	f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Status: 400, Code: 70002, Times: twiliotest.Always})
	report, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.True(t, report.Complete)
	assert.Equal(t, 7, report.Changed)
	assert.Equal(t, 13, report.Unchanged)
	assert.Equal(t, 7, f.fake.Count("FetchAccount"))
	f.isAsTwilioHasIt(t)
}

func TestAFirstPageWhoseSecondReadingBreaksOffIsReadOnceMore(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 2} {
		f := newFleet(t, 20)
		f.outdate(f.sids[:7]...)
		half := []byte(`{"accounts":[{"sid":"AC`)
		f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Status: http.StatusOK, Body: half, Times: times})
		report, _, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
		assert.True(t, report.Complete)
		assert.Equal(t, 7, report.Changed)
		assert.Equal(t, map[int]int{1: 0, 2: 7}[times], f.fake.Count("FetchAccount"))
		f.isAsTwilioHasIt(t)
	}
}

func TestAParentThatIsRefusedWhenTheFirstPageIsReadAgainChangesNoDocument(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 100)
	f.outdate(f.sids...)
	f.fake.AddSubaccounts(5)
	before := f.store.contents()
	first := 0
	p := f.provider(t, func(o *twilioacct.Options) {
		twilio := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == listPath && r.URL.Query().Get("PageToken") == "" {
				if first++; first == 2 {
					return answered(r, http.StatusForbidden, `{"code":20005}`), nil
				}
			}
			return twilio.RoundTrip(r)
		})}
	})
	f.store.makes = true
	report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{
		PageSize: 10,
		Adopt: func(context.Context, twilioacct.Account) (bool, error) {
			assert.Fail(t, "nothing is adopted")
			return false, nil
		},
	})
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	assert.True(t, report.ParentSuspended)
	assert.Zero(t, report.Changed+report.Made+report.Failed)
	assert.Equal(t, before, f.store.contents())
	require.Len(t, told, 1)
	assert.Equal(t, twilioacct.EventParent, told[0].Kind)
	assert.LessOrEqual(t, f.fake.Count("ListAccount"), 4, "nobody asks on")
}

func TestAWriteOfSomebodyElsesBetweenPageAndBulkIsLookedAtByItself(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 25)
	f.outdate(f.sids...)
	other := f.provider(t)
	once := sync.OnceFunc(func() {
		for _, sid := range f.sids[:20] {
			f.fake.RotateToken(sid)
			_, err := other.Sync(t.Context(), sid)
			assert.NoError(t, err)
		}
		f.fake.ForgetRequests()
	})
	store := hookedStore{f.store, func(_ context.Context, op string) error {
		if op == "SaveBatch" {
			once()
		}
		return nil
	}, nil}
	report, _, err := f.sync(t.Context(), f.providerWith(t, store), nil)
	require.NoError(t, err)
	assert.Equal(t, 5, report.Changed)
	assert.Equal(t, 20, report.Unchanged)
	assert.Equal(t, 20, f.fake.Count("FetchAccount"))
	f.isAsTwilioHasIt(t)
}

func TestAccountsThatComeAndGoWhileTheListIsReadAreNoMistakes(t *testing.T) {
	t.Parallel()
	for page := 1; page <= 5; page++ {
		f := newFleet(t, 40)
		pages := 0
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
				if path != listPath {
					return body
				}
				if pages++; pages == page {
					f.fake.AddSubaccounts(15)
					f.store.add(f.asTwilioHas(f.fake.AddSubaccount("new, with its document").SID))
					f.fake.SetStatus(f.sids[3], twiliotest.Closed)
					f.fake.SetStatus(f.sids[33], twiliotest.Suspended)
					f.fake.DeleteAccount(f.sids[5])
					f.fake.DeleteAccount(f.sids[35])
				}
				return body
			})
		})
		report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err, page)
		assert.True(t, report.Complete, page)
		for _, e := range told.of(twilioacct.EventFailed) {
			assert.Contains(t, []string{f.sids[5], f.sids[35]}, e.SID, page)
			require.ErrorIs(t, e.Err, twilioacct.ErrNotFound, page)
		}
		report, _, err = f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err, page)
		assert.Equal(t, 2, report.Failed, page)
		assert.Equal(t, 15, report.Unknown, page)
		f.store.remove(f.store.idOf(f.sids[5]))
		f.store.remove(f.store.idOf(f.sids[35]))
		f.isAsTwilioHasIt(t)
	}
}

func TestAnAccountThatIsNewerThanTheFirstPageIsFetchedByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		store := hookedStore{f.store, func(_ context.Context, op string) error {
			if op == "Scan" {
				synctest.Wait()
				f.store.add(twilioacct.Record{SID: f.fake.AddSubaccount("new").SID})
			}
			return nil
		}, nil}
		report, _, err := f.sync(t.Context(), f.providerWith(t, store), nil)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Changed)
		assert.Equal(t, 3, report.Unchanged)
		f.isAsTwilioHasIt(t)
	})
}

func TestAnAccountThatNewOnesPushOffTheFirstPageIsNotOverlooked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 30)
		f.store.keep(f.sids[25:]...)
		f.outdate(f.sids[29]) // so that the first page is read again
		store := hookedStore{f.store, func(_ context.Context, op string) error {
			if op == "Scan" {
				synctest.Wait() // the first page is here
				f.fake.AddSubaccounts(7)
			}
			return nil
		}, nil}
		report, _, err := f.sync(t.Context(), f.providerWith(t, store), &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err)
		assert.Equal(t, 38, report.Listed)
		assert.Equal(t, 25+7, report.Unknown)
		assert.Zero(t, f.fake.Count("FetchAccount"))
	})
}

func TestADocumentThatIsDeletedMeanwhileIsAFailureOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 5)
	f.outdate(f.sids...)
	id := f.store.idOf(f.sids[2])
	once := sync.OnceFunc(func() { f.store.remove(id) })
	store := hookedStore{f.store, func(_ context.Context, op string) error {
		if op == "SaveBatch" {
			once()
		}
		return nil
	}, nil}
	report, told, err := f.sync(t.Context(), f.providerWith(t, store), nil)
	require.NoError(t, err)
	assert.Equal(t, 4, report.Changed)
	assert.Equal(t, 1, report.Failed)
	assert.Zero(t, report.Missing)
	require.ErrorIs(t, told.errors()[id], twilioacct.ErrNoRecord)
	assert.Len(t, f.store.contents(), 4, "it was not made again")
}

func TestManyRunsAtOnceDoNoHarm(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, isDone := motley(t)
			var runs sync.WaitGroup
			for range 8 {
				p := f.providerWith(t, with(f.store))
				runs.Go(func() {
					report, _, err := f.sync(t.Context(), p, inSmallSteps())
					assert.NoError(t, err)
					assert.LessOrEqual(t, report.Failed, 2)
				})
			}
			runs.Wait()
			isDone(t, nobody)
			for _, r := range f.store.contents() {
				assert.LessOrEqual(t, r.Rev, int64(1), "%s: nobody wrote what was written", r.SID)
			}
		})
	}
}

func TestRunsOfOneProviderAtOnceDoNoHarm(t *testing.T) {
	t.Parallel()
	f, isDone := motley(t)
	p := f.provider(t)
	var runs sync.WaitGroup
	for range 8 {
		runs.Go(func() {
			report, _, err := f.sync(t.Context(), p, inSmallSteps())
			assert.NoError(t, err)
			assert.Equal(t, 2, report.Failed)
		})
	}
	runs.Wait()
	isDone(t, nobody)
}

// The Store fails.

func TestABulkThatFailsOnceIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]func(s fullStore, records []twilioacct.Record) error{
		"before it was written": func(fullStore, []twilioacct.Record) error { return errAway },
		"after it was written": func(s fullStore, records []twilioacct.Record) error {
			_, _ = s.SaveBatch(context.Background(), records)
			return errAway
		},
		"in its middle": func(s fullStore, records []twilioacct.Record) error {
			_, _ = s.SaveBatch(context.Background(), records[len(records)/2:])
			return errAway
		},
	} {
		for _, blind := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, blind: %t", name, blind), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFleet(t, 40)
					f.outdate(f.sids...)
					f.fake.SetStatus(f.sids[1], twiliotest.Suspended)
					var inner fullStore = f.store
					if !blind {
						inner = lookingBatches{f.store}
					}
					store := &failingBatches{fullStore: inner, failing: failing, times: 2}
					report, told, err := f.sync(t.Context(), f.providerWith(t, store), &twilioacct.SyncAllOptions{PageSize: 10})
					require.NoError(t, err)
					assert.Equal(t, 40, report.Synced())
					assert.Zero(t, report.Failed)
					assert.Len(t, told.of(twilioacct.EventChanged), 40)
					if blind {
						assert.Equal(t, 40, report.Changed)
						assert.Equal(t, 1, report.StatusChanges)
					}
					f.isAsTwilioHasIt(t)
					for _, r := range f.store.contents() {
						assert.Equal(t, int64(1), r.Rev)
					}
				})
			})
		}
	}
}

// failingBatches does something else in the place of its first bulks.
type failingBatches struct {
	fullStore
	failing func(fullStore, []twilioacct.Record) error
	times   int
	asked   int
}

func (s *failingBatches) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	if s.asked++; s.times < 0 || s.asked <= s.times {
		return nil, s.failing(s.fullStore, records)
	}
	return s.fullStore.SaveBatch(ctx, records)
}

// lookingBatches saves one by one, so what it has written before is stale.
type lookingBatches struct{ fullStore }

func (s lookingBatches) SaveBatch(ctx context.Context, records []twilioacct.Record) (failures []twilioacct.SaveFailure, err error) {
	for _, r := range records {
		if _, err := s.Save(ctx, r); err != nil {
			failures = append(failures, twilioacct.SaveFailure{SID: r.SID, Err: err})
		}
	}
	return failures, nil
}

func TestADatabaseThatIsAwayForFiveSecondsIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 40)
		f.outdate(f.sids...)
		start := time.Now()
		store := hookedStore{f.store, func(_ context.Context, op string) error {
			if op != "Scan" && time.Since(start) < 5*time.Second {
				return errAway
			}
			return nil
		}, nil}
		report, _, err := f.sync(t.Context(), f.providerWith(t, store), &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err)
		assert.Equal(t, 40, report.Changed)
		assert.Less(t, time.Since(start), 15*time.Second)
		f.isAsTwilioHasIt(t)
	})
}

func TestADatabaseThatIsSlowAfterAnOutageIsWrittenToAllTheSame(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outage time.Duration
		during func(context.Context) error
		most   int // bulks that may fail
	}{
		"it was away": {15 * time.Second, func(ctx context.Context) error {
			rest.Sleep(ctx, time.Second)
			return errAway
		}, 3},
		"it was mute": {4 * time.Minute, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 60)
				f.outdate(f.sids...)
				start := time.Now()
				store := hookedStore{f.store, func(ctx context.Context, op string) error {
					switch {
					case op != "SaveBatch":
					case time.Since(start) < test.outage:
						return test.during(ctx)
					case !rest.Sleep(ctx, 3*time.Second):
						return ctx.Err()
					}
					return nil
				}, nil}
				report, _, err := f.sync(t.Context(), f.providerWith(t, store), &twilioacct.SyncAllOptions{PageSize: 1})
				require.NoError(t, err)
				assert.LessOrEqual(t, report.Failed, test.most)
				assert.Equal(t, 60, report.Changed+report.Failed)
			})
		})
	}
}

// A write is counted also where the run is cancelled before anybody hears of it.
func TestACancelledRunCountsAllThatItHasWritten(t *testing.T) {
	t.Parallel()
	for range 50 {
		f := newFleet(t, 40)
		f.outdate(f.sids...)
		ctx, cancel := context.WithCancel(t.Context())
		store := hookedStore{f.store, nil, func(_ context.Context, op string) error {
			if op == "SaveBatch" {
				cancel()
			}
			return nil
		}}
		report, _, err := f.sync(ctx, f.providerWith(t, store), &twilioacct.SyncAllOptions{PageSize: 10})
		require.ErrorIs(t, err, context.Canceled)
		written := 0
		for _, r := range f.store.contents() {
			written += int(r.Rev)
		}
		assert.Equal(t, written, report.Changed)
		assert.NotZero(t, written)
	}
}

// heedless goes on where its context has ended.
type heedless struct{ fullStore }

func (s heedless) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	return s.fullStore.Save(context.WithoutCancel(ctx), r)
}

func TestWhatWasNotToldIsNotWritten(t *testing.T) {
	t.Parallel()
	for range 200 {
		f := newFleet(t, 4)
		f.outdate(f.sids...)
		p := f.providerWith(t, onlyLoadAndSave(heedless{f.store}))
		told := map[string]bool{}
		assert.Panics(t, func() {
			_, _ = p.SyncAll(t.Context(), &twilioacct.SyncAllOptions{Observe: func(e twilioacct.SyncEvent) {
				if len(told) == 2 {
					panic("the alert could not be sent")
				}
				told[e.SID] = true
			}})
		})
		for _, sid := range f.sids {
			if !told[sid] {
				require.Zero(t, f.store.of(sid)[0].Rev, "else nobody ever hears of it")
			}
		}
	}
}

func TestAnAccountOfAnotherIsAFailureOfItsOwnWhereTheParentCannotBeAsked(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	foreign := f.store.add(twilioacct.Record{SID: f.fake.AddForeignAccount(20003).SID, Status: "active"})
	var vanished []string
	for i := range 5 {
		vanished = append(vanished, f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032x", i), Status: "active"}))
	}
	f.fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Path: f.fake.Parent().SID, Status: 503, Times: twiliotest.Always})
	p := f.provider(t, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
	report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{Concurrent: 1})
	require.NoError(t, err)
	assert.Equal(t, 6, report.Failed)
	require.ErrorIs(t, told.errors()[foreign], twilioacct.ErrUnavailable)
	for _, id := range vanished {
		require.ErrorIs(t, told.errors()[id], twilioacct.ErrNotFound)
	}
	assert.Empty(t, told.of(twilioacct.EventParent))
}

func TestAFailureOfTheStoreIsNoMissingAccountWhateverLiesBelow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	store := hookedStore{f.store, func(_ context.Context, op string) error {
		if op == "Load" {
			return fmt.Errorf("the vault says: %w", twilioacct.ErrForbidden)
		}
		return nil
	}, nil}
	report, _, err := f.sync(t.Context(), f.providerWith(t, onlyLoadAndSave(store)), nil)
	require.NoError(t, err)
	assert.Equal(t, 3+1, report.Failed, "the parent's, too")
	assert.Zero(t, report.Missing)
}

func TestADatabaseThatStaysAwayFailsEachDocumentAndEndsTheRunInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		away  func(ctx context.Context, op string) error
		atEnd time.Duration
	}{
		"it fails": {atEnd: 10 * time.Second, away: func(_ context.Context, op string) error {
			if op == "Scan" {
				return nil
			}
			return errAway
		}},
		"it hangs": {atEnd: 270 * time.Second, away: func(ctx context.Context, op string) error {
			if op == "Scan" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}},
	} {
		for storeName, with := range stores() {
			t.Run(name+", "+storeName, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFleet(t, 40)
					f.outdate(f.sids...)
					f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
					before := f.store.contents()
					start := time.Now()
					report, told, err := f.sync(t.Context(), f.providerWith(t, with(hookedStore{f.store, test.away, nil})), &twilioacct.SyncAllOptions{PageSize: 10})
					require.NoError(t, err)
					assert.Zero(t, report.Changed)
					assert.GreaterOrEqual(t, report.Failed, 40)
					assert.Equal(t, before, f.store.contents())
					for _, e := range told.of(twilioacct.EventFailed) {
						var storeErr *twilioacct.StoreError
						if e.SID != unknownSID {
							require.ErrorAs(t, e.Err, &storeErr)
							assert.Equal(t, e.SID, storeErr.SID)
						}
					}
					assert.Less(t, time.Since(start), test.atEnd, "only the first bulk is waited for patiently")
				})
			})
		}
	}
}

func TestARecordThatTheStoreRefusesIsAFailureOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"another error":      errAway,
		"stale for ever":     twilioacct.ErrStale,
		"no record for ever": twilioacct.ErrNoRecord,
		"malformed":          twilioacct.ErrInvalid,
		"not found":          twilioacct.ErrNotFound,
		"unauthenticated":    twilioacct.ErrUnauthenticated,
	} {
		for storeName, with := range stores() {
			f := newFleet(t, 20)
			f.outdate(f.sids...)
			bad := f.sids[7]
			store := &refusingOne{fullStore: f.store, sid: bad, err: refusal}
			report, told, err := f.sync(t.Context(), f.providerWith(t, with(store)), &twilioacct.SyncAllOptions{PageSize: 5})
			require.NoError(t, err, "%s, %s: it is the Store's word, not Twilio's", name, storeName)
			assert.Equal(t, 19, report.Changed, "%s, %s", name, storeName)
			assert.Zero(t, report.Missing, "%s, %s", name, storeName)
			if refusal == twilioacct.ErrNoRecord && report.OneByOne {
				assert.Equal(t, 1, report.Unknown, "%s: so there is none", storeName)
				continue
			}
			assert.Equal(t, 1, report.Failed, "%s, %s", name, storeName)
			failures := told.of(twilioacct.EventFailed)
			require.Len(t, failures, 1)
			assert.Equal(t, bad, failures[0].SID)
			require.ErrorIs(t, failures[0].Err, refusal)
			var storeErr *twilioacct.StoreError
			require.ErrorAs(t, failures[0].Err, &storeErr)
		}
	}
}

// refusingOne saves all records but one.
type refusingOne struct {
	fullStore
	sid string
	err error
}

func (s *refusingOne) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if r.SID == s.sid {
		return twilioacct.Record{}, s.err
	}
	return s.fullStore.Save(ctx, r)
}

func (s *refusingOne) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	var refused []twilioacct.SaveFailure
	records = slices.DeleteFunc(slices.Clone(records), func(r twilioacct.Record) bool {
		if r.SID == s.sid {
			refused = append(refused, twilioacct.SaveFailure{SID: r.SID, Err: s.err})
		}
		return r.SID == s.sid
	})
	failures, err := s.fullStore.SaveBatch(ctx, records)
	return append(failures, refused...), err
}

func TestAStoreThatLiesMakesFailuresAndNoSuccesses(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]storeFuncs{
		"Load answers for another account": {load: func(context.Context, string) (twilioacct.Record, error) {
			return twilioacct.Record{SID: unknownSID}, nil
		}},
		"Save answers for another account": {save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{SID: unknownSID, Rev: 9}, nil
		}},
		"Save answers with an older revision": {save: func(_ context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{SID: r.SID, Rev: r.Rev - 1}, nil
		}},
	} {
		f := newFleet(t, 6)
		f.outdate(f.sids...)
		if lie.load == nil {
			lie.load = f.store.Load
		}
		if lie.save == nil {
			lie.save = f.store.Save
		}
		before := f.store.contents()
		report, told, err := f.sync(t.Context(), f.providerWith(t, lie), nil)
		require.NoError(t, err, name)
		assert.Zero(t, report.Synced(), name)
		for _, e := range told.of(twilioacct.EventFailed) {
			var storeErr *twilioacct.StoreError
			require.ErrorAs(t, e.Err, &storeErr, name)
		}
		assert.ElementsMatch(t, append(slices.Clone(f.sids), told.sids(twilioacct.EventFailed)[:0]...), withoutParent(f, told), name)
		assert.Equal(t, before, f.store.contents(), name)
	}
}

func withoutParent(f *fleet, told events) []string {
	return slices.DeleteFunc(told.sids(twilioacct.EventFailed), func(sid string) bool { return sid == f.fake.Parent().SID })
}

func TestABulksWordOnRecordsThatWereNotSentIsIgnored(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 6)
	f.outdate(f.sids...)
	store := &refusingOne{fullStore: strangeFailures{f.store}}
	report, _, err := f.sync(t.Context(), f.providerWith(t, store), nil)
	require.NoError(t, err)
	assert.Equal(t, 6, report.Changed)
	assert.Zero(t, report.Failed)
}

type strangeFailures struct{ fullStore }

func (s strangeFailures) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	failures, err := s.fullStore.SaveBatch(ctx, records)
	return append(failures, twilioacct.SaveFailure{SID: unknownSID, Err: errAway}, twilioacct.SaveFailure{}), err
}

func TestNoSecretIsInWhatARunTells(t *testing.T) {
	t.Parallel()
	f, _ := motley(t)
	for _, sid := range f.sids[:3] {
		f.fake.Inject(twiliotest.Fault{Path: sid, Status: 400, Message: "no", Times: twiliotest.Always})
	}
	store := &refusingOne{fullStore: f.store, sid: f.sids[9], err: errAway}
	report, told, err := f.sync(t.Context(), f.providerWith(t, store), nil)
	require.NoError(t, err)
	said := []string{fmt.Sprintf("%+v %#v", report, told)}
	for _, e := range told {
		said = append(said, fmt.Sprintf("%+v %v", e, e.Err))
	}
	text := strings.Join(said, "\n")
	for _, r := range f.store.contents() {
		if !r.AuthToken.IsZero() {
			assert.NotContains(t, text, r.AuthToken.Reveal())
		}
	}
	assert.NotContains(t, text, "stale", "nor an old one")
	for _, a := range append(f.fake.Subaccounts(), f.fake.Parent()) {
		assert.NotContains(t, text, a.AuthToken)
	}
}

// refusing is a Twilio that answers some requests for a page with a code.
func refusing(code func(*http.Request) int) func(*twilioacct.Options) {
	return func(o *twilioacct.Options) {
		twilio := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if c := code(r); c != 0 && r.URL.Path == listPath {
				return answered(r, http.StatusBadRequest, fmt.Sprintf(`{"code":%d,"message":"no","status":400}`, c)), nil
			}
			return twilio.RoundTrip(r)
		})}
	}
}
