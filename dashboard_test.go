package twilioacct_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheDashboardCountsEachDocumentByStatusAndByType(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 12)
	for i, sid := range f.sids {
		f.fake.Rename(sid, fmt.Sprintf("tenant %d", i))
	}
	f.fake.SetStatus(f.sids[0], twiliotest.Suspended)
	f.fake.SetStatus(f.sids[1], twiliotest.Suspended)
	f.fake.SetStatus(f.sids[2], twiliotest.Closed)
	f.fake.SetStatus(f.sids[3], "frozen")
	f.fake.SetType(f.sids[4], "Trial")
	f.fake.SetType(f.sids[5], "Trial")
	f.fake.SetType(f.sids[6], "Gold")
	f.fake.SetStatus(f.sids[7], "molten")
	f.fake.SetType(f.sids[7], "Silver")
	f.fake.AddSubaccount("has no document")
	f.fake.DeleteAccount(f.sids[8])
	broken := f.store.idOf(f.sids[9])
	f.store.breakDocument(broken, errAway)
	before := f.store.contents()

	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 12, d.Total)
	assert.Equal(t, 5, d.Active)
	assert.Equal(t, 2, d.Suspended)
	assert.Equal(t, 1, d.Closed)
	assert.Equal(t, 2, d.Trial)
	assert.Equal(t, 6, d.Full)
	assert.Equal(t, 3, d.Unknown, "a status or a type of the future, and once where it is both")
	assert.Equal(t, 2, d.Failed)
	var want []twilioacct.DashboardRow
	for _, sid := range f.sids {
		if a, exists := f.fake.Account(sid); exists && sid != f.sids[9] {
			want = append(want, twilioacct.DashboardRow{
				ID: f.store.idOf(sid), SID: sid, Name: a.FriendlyName,
				Status: twilioacct.Status(a.Status), Type: twilioacct.AccountType(a.Type),
			})
		}
	}
	assert.ElementsMatch(t, want, d.Accounts)
	failures := failuresOf(d)
	require.Len(t, failures, 2)
	require.ErrorIs(t, failures[f.store.idOf(f.sids[8])], twilioacct.ErrNotFound)
	require.ErrorIs(t, failures[broken], errAway)
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, failures[broken], &storeErr)
	assert.Equal(t, f.sids[9], storeErr.SID)

	assert.Equal(t, 1, f.fake.Count(""), "one listing, and no account by itself")
	assert.Equal(t, before, f.store.contents())
}

func failuresOf(d twilioacct.Dashboard) map[string]error {
	failures := map[string]error{}
	for _, failure := range d.Failures {
		failures[failure.ID] = failure.Err
	}
	return failures
}

func TestTheDashboardReadsAllPages(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2100)
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2100, d.Total)
	assert.Equal(t, 2100, d.Active)
	assert.Len(t, d.Accounts, 2100)
	assert.Equal(t, 3, f.fake.Count(""))
	assert.Zero(t, d.Failed)
}

func TestTheDashboardAsJSONHasTheKeysThatPagesExpect(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0)
	acme := f.fake.AddSubaccount("acme")
	id := f.store.add(f.asTwilioHas(acme.SID))
	f.store.add(twilioacct.Record{SID: unknownSID})
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	got, err := json.Marshal(d)
	require.NoError(t, err)
	assert.Equal(t, `{"total":2,"active":1,"suspended":0,"closed":0,"trial":0,"full":1,"unknown":0,"failed":1,"accounts":[`+
		`{"id":"`+id+`","sid":"`+acme.SID+`","name":"acme","status":"active","type":"Full"}]}`, string(got))
}

func TestTheDashboardOfAnEmptyFleetHasAnEmptyList(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0)
	f.fake.AddSubaccount("has no document")
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Zero(t, d.Total)
	got, err := json.Marshal(d)
	require.NoError(t, err)
	assert.Contains(t, string(got), `"accounts":[]`)
}

func TestTheListOfADashboardIsNeverNull(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	for name, store := range map[string]twilioacct.Store{
		"a scan that fails":      brokenScan{f.store, 1},
		"a store without a scan": onlyLoadAndSave(f.store),
	} {
		d, err := f.provider(t, withStore(store)).Dashboard(t.Context())
		require.Error(t, err, name)
		got, err := json.Marshal(d)
		require.NoError(t, err)
		assert.Contains(t, string(got), `"accounts":[]`, name)
	}
}

func TestTheDashboardShowsNamesAsTheyAre(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0)
	names := []string{`<script>alert("1")</script>`, "שלום עולם", "\u202eevil", "a\\b\"c", "Тест 🦉", " "}
	for _, name := range names {
		f.store.add(twilioacct.Record{SID: f.fake.AddSubaccount(name).SID})
	}
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	var shown []string
	for _, row := range d.Accounts {
		shown = append(shown, row.Name)
	}
	assert.ElementsMatch(t, names, shown)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "<script>", "encoding/json escapes what HTML could mistake")
}

func TestNoTokenIsInADashboard(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.store.add(twilioacct.Record{SID: unknownSID, AuthToken: twilioacct.NewSecret(goodToken)})
	f.outdate(f.sids[0])
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	text := fmt.Sprintf("%+v %#v", d, d)
	assert.NotContains(t, text, "stale")
	assert.NotContains(t, text, goodToken)
	for _, a := range f.fake.Subaccounts() {
		assert.NotContains(t, text, a.AuthToken)
	}
}

func TestTheParentsDocumentHasARowToo(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0, twiliotest.WithTrialParent())
	f.store.add(twilioacct.Record{SID: f.fake.Parent().SID})
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, d.Trial)
	assert.Len(t, d.Accounts, 1)
}

func TestEachOfSeveralDocumentsOfASIDHasARow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.store.add(twilioacct.Record{SID: f.sids[0]})
	f.store.add(twilioacct.Record{SID: f.sids[0], Rev: 1 << 50}) // a ledger cannot keep that
	f.store.add(twilioacct.Record{SID: unknownSID})
	f.store.add(twilioacct.Record{SID: unknownSID})
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 6, d.Total)
	assert.Equal(t, 4, d.Active)
	assert.Equal(t, 2, d.Failed)
	var ids []string
	for _, row := range d.Accounts {
		ids = append(ids, row.ID)
	}
	assert.ElementsMatch(t, append(f.store.idsOf(f.sids[0]), f.store.idsOf(f.sids[1])...), ids)
}

func TestADocumentThatTheScanShowsTwiceHasOneRow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	twice := yielding(f.store, func(e twilioacct.Entry) []twilioacct.Entry { return []twilioacct.Entry{e, e} })
	d, err := f.provider(t, withStore(twice)).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, d.Total)
	assert.Len(t, d.Accounts, 3)
}

func TestAnAccountThatIsListedTwiceHasOneRow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.store.all[2].Status = twilioacct.Status(strings.Repeat("s", 100)) // a ledger cannot keep that
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
			head, list, _ := strings.Cut(body, `"accounts":[`)
			list, tail, _ := strings.Cut(list, `],"uri"`)
			return head + `"accounts":[{"sid":"acme"},` + list + "," + list + `],"uri"` + tail
		})
	})
	d, err := p.Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, d.Total)
	assert.Equal(t, 3, d.Active)
	assert.Len(t, d.Accounts, 3)
}

func TestADocumentWithWhatIsNoSIDIsAFailureOnTheDashboard(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	ids := []string{f.store.add(twilioacct.Record{SID: "acme"}), f.store.add(twilioacct.Record{SID: strings.ToUpper(f.sids[0])})}
	nameless := f.store.add(twilioacct.Record{})
	f.store.breakDocument(nameless, errAway)
	d, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, d.Total)
	assert.Equal(t, 3, d.Failed)
	failures := failuresOf(d)
	for _, id := range append(ids, nameless) {
		require.Error(t, failures[id])
	}
}

func TestAMainKeySeesTheSameDashboard(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 5)
	want, err := f.provider(t).Dashboard(t.Context())
	require.NoError(t, err)
	got, err := providerWithKey(t, f.fake, twiliotest.MainKey, f.store).Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAListingThatBreaksOffLeavesWhatItShowedAndSaysWhyTheRestHasFailed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault twiliotest.Fault
		want  error
	}{
		"503":                  {fault: twiliotest.Fault{Status: 503}, want: twilioacct.ErrUnavailable},
		"HTML":                 {fault: twiliotest.Fault{Status: 200, HTML: true}, want: twilioacct.ErrUnavailable},
		"refused paging":       {fault: twiliotest.Fault{Code: 70002}, want: twilioacct.ErrInvalid},
		"a suspended parent":   {fault: twiliotest.Fault{Code: 20005}, want: twilioacct.ErrSuspended},
		"refused credentials":  {fault: twiliotest.Fault{Code: 20003}, want: twilioacct.ErrUnauthenticated},
		"a 404 out of nowhere": {fault: twiliotest.Fault{Status: 404, HTML: true}, want: twilioacct.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 2100)
				f.store.add(twilioacct.Record{SID: unknownSID, Status: "closed"})
				fault := test.fault
				fault.On, fault.Times = 2, twiliotest.Always
				f.fake.Inject(fault)
				d, err := f.provider(t).Dashboard(t.Context())
				require.ErrorIs(t, err, test.want)
				assert.Equal(t, 2101, d.Total)
				assert.Len(t, d.Accounts, 1000)
				assert.Equal(t, 1000, d.Active)
				assert.Equal(t, 1101, d.Failed)
				require.Len(t, d.Failures, 1101)
				for _, failure := range d.Failures {
					assert.Equal(t, err, failure.Err)
				}
			})
		})
	}
}

func TestPagesThatAreTooLargeAreNoFailureOfADashboard(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 300)
	p := f.provider(t, refusing(func(r *http.Request) int {
		if size := r.URL.Query().Get("PageSize"); size == "1000" {
			return 20007
		}
		return 0
	}))
	d, err := p.Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 300, d.Active)
}

func TestADashboardNeedsAStoreThatCanScan(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	for name, with := range map[string]func(fullStore) twilioacct.Store{
		"only Load and Save": onlyLoadAndSave,
		"Scan is unsupported": func(s fullStore) twilioacct.Store {
			return hookedStore{s, func(context.Context, string) error { return errors.ErrUnsupported }, nil}
		},
	} {
		_, err := f.providerWith(t, with(f.store)).Dashboard(t.Context())
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr, name)
		assert.Equal(t, "Scan", storeErr.Op, name)
		require.ErrorIs(t, err, errors.ErrUnsupported, name)
	}
	_, err := f.providerWith(t, brokenScan{f.store, 2}).Dashboard(t.Context())
	require.ErrorIs(t, err, errAway)

	f.fake.ForgetRequests()
	_, err = providerOn(t, f.fake, nil).Dashboard(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Contains(t, err.Error(), "Options.Store")
	_, err = f.provider(t).Dashboard(nil) //nolint:staticcheck // that is what is tested
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Zero(t, f.fake.Count(""))
}

func TestCancelEndsADashboardWhereverItIs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*twiliotest.Fault{
		"the first page hangs": {Hang: true, Times: twiliotest.Always},
		"the second hangs":     {On: 2, Hang: true, Times: twiliotest.Always},
		"a page is repeated":   {On: 2, Status: 503, Times: twiliotest.Always},
		"the scan hangs":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 1500)
				p := f.provider(t)
				if fault != nil {
					f.fake.Inject(*fault)
				} else {
					p = f.providerWith(t, hookedStore{f.store, func(ctx context.Context, _ string) error {
						<-ctx.Done()
						return ctx.Err()
					}, nil})
				}
				ctx, cancel := context.WithCancel(t.Context())
				const patience = 77 * time.Millisecond
				time.AfterFunc(patience, cancel)
				start := time.Now()
				_, err := p.Dashboard(ctx)
				require.ErrorIs(t, err, context.Canceled)
				isTyped(t, err)
				assert.Equal(t, patience, time.Since(start))
			})
		})
	}
}

// A Store that takes no notice of a cancelled context is no reason to lose the type of the error.
func TestACancelledDashboardHasATypedErrorThoughTheScanWentOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1500)
		ctx, cancel := context.WithCancel(t.Context())
		p := f.providerWith(t, hookedStore{f.store, nil, func(context.Context, string) error {
			synctest.Wait() // until the first page is here
			cancel()
			synctest.Wait() // until the listing knows
			return nil
		}})
		_, err := p.Dashboard(ctx)
		require.ErrorIs(t, err, context.Canceled)
		isTyped(t, err)
	})
}

// isTyped fails for an error that is neither Twilio's nor the Store's.
func isTyped(t *testing.T, err error) {
	t.Helper()
	var theirs *twilioacct.Error
	var ours *twilioacct.StoreError
	assert.True(t, errors.As(err, &theirs) || errors.As(err, &ours), "%T: %v", err, err)
}

func TestAScanThatPanicsLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		p := f.providerWith(t, hookedStore{f.store, func(context.Context, string) error { panic("the store's own") }, nil})
		assert.PanicsWithValue(t, "the store's own", func() { _, _ = p.Dashboard(t.Context()) })
		assert.PanicsWithValue(t, "the store's own", func() { _, _ = p.SyncAll(t.Context(), nil) })
	})
}

// Not in parallel with others: it measures the memory of all.
func TestADashboardTakesNoMoreThan300BytesForARow(t *testing.T) { //nolint:paralleltest // see above
	const few, many = 10_000, 60_000
	smallPeak, small := dashboardMemory(t, few)
	largePeak, large := dashboardMemory(t, many)
	peak, kept := (largePeak-smallPeak)/(many-few), (large-small)/(many-few)
	t.Logf("%.1f bytes for each row at the last page, %.1f in the end", peak, kept)
	assert.LessOrEqual(t, peak, 300.0)
	assert.LessOrEqual(t, kept, 300.0)
	assert.Greater(t, kept, 100.0, "a row has five strings")
}

// dashboardMemory is what is alive before the last page, and what is alive of the result.
func dashboardMemory(t *testing.T, n int) (atLastPage, inTheEnd float64) {
	t.Helper()
	pages := &countedPages{accounts: n}
	before := liveHeap()
	p, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: scriptedParent, AuthToken: twilioacct.NewSecret(goodToken)},
		&twilioacct.Options{Store: countedDocuments(n), HTTPClient: &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("Page") == fmt.Sprint(n/1000-1) {
				atLastPage = liveHeap() - before
			}
			return pages.RoundTrip(r)
		})}},
	)
	require.NoError(t, err)
	d, err := p.Dashboard(t.Context())
	require.NoError(t, err)
	require.Len(t, d.Accounts, n)
	inTheEnd = liveHeap() - before
	runtime.KeepAlive(d)
	assert.True(t, slices.IsSortedFunc(d.Accounts, func(a, b twilioacct.DashboardRow) int { return strings.Compare(a.SID, b.SID) }))
	return atLastPage, inTheEnd
}

func TestADashboardThatIsCancelledKeepsTheCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("the caller's own")
	f := newFleet(t, 2100)
	for range 20 {
		ctx, cancel := context.WithCancelCause(t.Context())
		var pages atomic.Int64
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
				if pages.Add(1) == 2 {
					cancel(cause)
				}
				return body
			})
		})
		_, err := p.Dashboard(ctx)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		require.ErrorIs(t, err, cause)
	}
}
