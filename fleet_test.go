package twilioacct_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAFleetIsSyncedWithOneRequestForAThousandAccounts(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2500)
	f.store.keep(f.sids[:2400]...)
	f.outdate(f.sids[:2400]...)

	report, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.SyncReport{
		Documents: 2400, Listed: 2501, Changed: 2400, Unknown: 100,
		Requests: 4, PageSize: 1000, Complete: true, // the first page was asked for before the documents were read, and so twice
	}, report)
	assert.Equal(t, 2400, report.Synced())
	assert.Equal(t, 4, f.fake.Count(""))
	f.isAsTwilioHasIt(t)

	f.fake.ForgetRequests()
	report, _, err = f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.SyncReport{
		Documents: 2400, Listed: 2501, Unchanged: 2400, Unknown: 100, Requests: 3, PageSize: 1000, Complete: true,
	}, report)
	assert.Equal(t, 3, f.fake.Count(""))
}

func TestWhereNothingDiffersNothingIsWritten(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 30)
		before := f.store.contents()
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(hookedStore{f.store, func(_ context.Context, op string) error {
			assert.NotContains(t, op, "Save", name)
			return nil
		}, nil})), nil)
		require.NoError(t, err)
		assert.Equal(t, 30, report.Unchanged, name)
		assert.Empty(t, told, name)
		assert.Equal(t, before, f.store.contents(), name)
	}
}

func TestTheRevisionOfADocumentGrowsOnlyWhereSomethingDiffers(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30)
	stale := f.sids[17]
	f.outdate(stale)
	for range 3 {
		_, _, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
	}
	for _, sid := range f.sids {
		want := int64(0)
		if sid == stale {
			want = 1
		}
		assert.Equal(t, want, f.store.of(sid)[0].Rev)
	}
}

func TestOnlyTokenAndStatusAreWritten(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 0)
		acme := f.fake.AddSubaccount("acme")
		keys := map[string]twilioacct.APIKey{"voice": {SID: unknownKey, Secret: twilioacct.NewSecret("voice")}}
		f.store.add(twilioacct.Record{SID: acme.SID, Status: "suspended", Tenant: "acme inc", APIKeys: keys, Rev: 7})
		_, _, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err)
		want := f.asTwilioHas(acme.SID)
		want.Tenant, want.APIKeys, want.Rev, want.Copies = "acme inc", keys, 8, 1
		assert.Equal(t, want, f.store.of(acme.SID)[0], name)
	}
}

// A fleet in which there is one of everything that can be found.
func TestEverythingThatARunFindsIsCountedAndTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 5)
		stale, suspended, closed, twice := f.sids[1], f.sids[2], f.sids[3], f.sids[4]
		f.outdate(stale)
		f.fake.Rename(stale, "stale")
		f.fake.SetStatus(suspended, twiliotest.Suspended)
		f.fake.Rename(suspended, "suspended")
		f.fake.SetStatus(closed, twiliotest.Closed)
		f.outdate(closed)
		f.fake.Rename(closed, "closed")
		second := f.store.add(f.asTwilioHas(twice))
		unknown := f.fake.AddSubaccount("unknown")
		vanished := f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
		foreign := f.fake.AddForeignAccount(20403)
		theirs := f.store.add(twilioacct.Record{SID: foreign.SID, Status: "active"})
		goneSID := "AC" + strings.Repeat("0", 32)
		gone := f.store.add(twilioacct.Record{SID: goneSID, Status: "closed"})
		broken := f.store.add(twilioacct.Record{SID: "AC" + strings.Repeat("1", 32)})
		f.store.breakDocument(broken, errAway)
		time.Sleep(time.Hour)

		report, told, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.SyncReport{
			Documents: 10, Listed: 7, Changed: 3, Unchanged: 3, Failed: 3, Gone: 1,
			Missing: 3, Unknown: 1, Duplicates: 1, StatusChanges: 2, Requests: 4, PageSize: 1000, Complete: true,
		}, report)
		now := time.Now()
		event := func(e twilioacct.SyncEvent) twilioacct.SyncEvent {
			e.At = now
			return e
		}
		assert.ElementsMatch(t, []twilioacct.SyncEvent{
			event(twilioacct.SyncEvent{
				Kind: twilioacct.EventChanged, ID: stale + ":0:active", SID: stale, DocumentID: f.store.idOf(stale), Name: "stale",
				Before: "active", After: "active", TokenChanged: true,
			}),
			event(twilioacct.SyncEvent{
				Kind: twilioacct.EventChanged, ID: suspended + ":0:suspended", SID: suspended, DocumentID: f.store.idOf(suspended), Name: "suspended",
				Before: "active", After: "suspended",
			}),
			event(twilioacct.SyncEvent{
				Kind: twilioacct.EventChanged, ID: closed + ":0:closed", SID: closed, DocumentID: f.store.idOf(closed), Name: "closed",
				Before: "active", After: "closed", TokenChanged: true,
			}),
			event(twilioacct.SyncEvent{Kind: twilioacct.EventDuplicate, SID: twice, DocumentID: f.store.idOf(twice)}),
			event(twilioacct.SyncEvent{Kind: twilioacct.EventDuplicate, SID: twice, DocumentID: second}),
			event(twilioacct.SyncEvent{Kind: twilioacct.EventUnknown, SID: unknown.SID, Name: "unknown"}),
			event(twilioacct.SyncEvent{Kind: twilioacct.EventGone, SID: goneSID, DocumentID: gone, Before: "closed", After: "closed"}),
		}, told.without(twilioacct.EventFailed))
		failures := told.errors()
		require.Len(t, failures, 3)
		require.ErrorIs(t, failures[vanished], twilioacct.ErrNotFound)
		require.ErrorIs(t, failures[theirs], twilioacct.ErrForbidden)
		require.ErrorIs(t, failures[broken], errAway)
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, failures[broken], &storeErr)
		assert.Equal(t, "Scan", storeErr.Op)
		assert.Equal(t, "AC"+strings.Repeat("1", 32), storeErr.SID)
	})
}

func TestNilOptionsAreAllDefaults(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.outdate(f.sids...)
	report, err := f.provider(t).SyncAll(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Changed)
	f.isAsTwilioHasIt(t)
}

func TestAnEmptyFleetIsSynced(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 0)
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err, name)
		report.OneByOne = false
		assert.Equal(t, twilioacct.SyncReport{Listed: 1, Requests: 1, PageSize: 1000, Complete: true}, report, name)
		assert.Empty(t, told, name)
	}
}

func TestTheParentsOwnDocumentIsSyncedToo(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 1)
		parent := f.fake.Parent().SID
		f.store.add(twilioacct.Record{SID: parent})
		report, _, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err)
		assert.Equal(t, 2, report.Documents, name)
		assert.Equal(t, f.fake.Parent().AuthToken, f.store.of(parent)[0].AuthToken.Reveal(), name)
	}
}

func TestAStatusOfTheFutureIsSynced(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.fake.SetStatus(f.sids[0], "frozen")
	report, told, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.StatusChanges)
	assert.Equal(t, twilioacct.Status("frozen"), told.of(twilioacct.EventChanged)[0].After)
	f.isAsTwilioHasIt(t)
}

func TestWhatTwilioLeavesOutOfTheListErasesNothing(t *testing.T) {
	t.Parallel()
	for name, member := range map[string]string{"left out": "", "null": `"status":null,`, "empty": `"status":"",`} {
		f := newFleet(t, 3)
		before := f.store.contents()
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
				return strings.ReplaceAll(body, `"status":"active",`, member)
			})
		})
		report, told, err := f.sync(t.Context(), p, nil)
		require.NoError(t, err, name)
		assert.Equal(t, 3, report.Unchanged, name)
		assert.Empty(t, told, name)

		f.outdate(f.sids[0])
		report, told, err = f.sync(t.Context(), p, nil)
		require.NoError(t, err, name)
		assert.Equal(t, 1, report.Changed, name)
		assert.Zero(t, report.StatusChanges, name)
		assert.Equal(t, twilioacct.StatusActive, told[0].After, name)
		for id, r := range f.store.contents() {
			assert.Equal(t, before[id].Status, r.Status, name)
			assert.Equal(t, before[id].AuthToken, r.AuthToken, name)
		}
	}
}

func TestAMainKeySyncsStatusesAndKeepsTokens(t *testing.T) {
	t.Parallel()
	for _, form := range []twiliotest.HiddenToken{twiliotest.TokenEmpty, twiliotest.TokenNull, twiliotest.TokenAbsent} {
		for name, with := range stores() {
			f := newFleet(t, 3, twiliotest.WithHiddenToken(form))
			f.outdate(f.sids[0])
			f.fake.SetStatus(f.sids[1], twiliotest.Suspended)
			tokens := f.store.tokens()
			p := providerWithKey(t, f.fake, twiliotest.MainKey, with(f.store))
			report, told, err := f.sync(t.Context(), p, nil)
			require.NoError(t, err)
			assert.True(t, report.TokensHidden, name)
			assert.Equal(t, 1, report.Changed, name)
			assert.Equal(t, 2, report.Unchanged, name)
			assert.Equal(t, tokens, f.store.tokens(), name)
			assert.Equal(t, twilioacct.StatusSuspended, f.store.of(f.sids[1])[0].Status, name)
			require.Len(t, told, 1, name)
			assert.False(t, told[0].TokenChanged, name)
		}
	}
}

func TestTokensAreNotSaidToBeHiddenWhereTheyAreShown(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	report, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.False(t, report.TokensHidden)

	key := f.fake.AddKey(f.fake.Parent().SID, twiliotest.MainKey)
	p, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: f.fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret)},
		&twilioacct.Options{Store: f.store, HTTPClient: rewriting(f.fake.HTTPClient().Transport, func(_, body string) string {
			return strings.ReplaceAll(body, `"auth_token":""`, `"auth_token":"`+goodToken+`"`)
		})},
	)
	require.NoError(t, err)
	report, _, err = f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.False(t, report.TokensHidden, "a key of the future")
	assert.Equal(t, 1, report.Changed)
}

func TestAStandardKeyIsRefusedOnceByName(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 3)
		f.outdate(f.sids...)
		before := f.store.contents()
		p := providerWithKey(t, f.fake, twiliotest.StandardKey, with(f.store))
		report, told, err := f.sync(t.Context(), p, nil)
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated, name)
		assert.Contains(t, err.Error(), f.fake.Requests()[0].User, name)
		assert.Contains(t, err.Error(), "standard key", name)
		assert.Equal(t, 1, f.fake.Count(""), name)
		assert.Equal(t, 1, report.Requests, name)
		assert.Zero(t, report.Failed, name)
		require.Len(t, told, 1, name)
		assert.Equal(t, twilioacct.EventParent, told[0].Kind, name)
		assert.Equal(t, f.fake.Parent().SID, told[0].SID, name)
		assert.Equal(t, err, told[0].Err, name)
		assert.Equal(t, before, f.store.contents(), name)
	}
}

func TestADocumentWhoseAccountIsNotListedEndsAsTwilioAnswers(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{20404: twilioacct.ErrNotFound, 20403: twilioacct.ErrForbidden, 20003: twilioacct.ErrForbidden} {
		f := newFleet(t, 2)
		foreign := f.fake.AddForeignAccount(code)
		id := f.store.add(twilioacct.Record{SID: foreign.SID, Status: "active"})
		before := f.store.contents()
		report, told, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Failed)
		assert.Equal(t, 1, report.Missing)
		assert.Equal(t, 2, report.Unchanged)
		require.ErrorIs(t, told.errors()[id], want)
		var typed *twilioacct.Error
		require.ErrorAs(t, told.errors()[id], &typed)
		assert.Equal(t, code, typed.Code)
		assert.Equal(t, before, f.store.contents())
	}
}

func TestAnAccountThatIsMissingInTheListButIsThereIsSynced(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.outdate(f.sids...)
	twilio := f.fake.HTTPClient().Transport
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(twilio, func(path, body string) string {
			if path == listPath {
				body = strings.ReplaceAll(body, f.sids[0], unknownSID)
			}
			return body
		})
	})
	report, _, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Equal(t, 2, report.Changed)
	assert.Zero(t, report.Missing)
	assert.Equal(t, 1, f.fake.Count("FetchAccount"))
	f.isAsTwilioHasIt(t)
}

func TestAClosedAccountThatTwilioHasDeletedIsGoneWithoutARequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.fake.SetStatus(f.sids[0], twiliotest.Closed)
	_, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	f.fake.DeleteAccount(f.sids[0])
	before := f.store.contents()
	for range 2 {
		report, told, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Gone)
		assert.Equal(t, 1, report.Missing)
		assert.Zero(t, report.Failed)
		require.Len(t, told, 1)
		assert.Equal(t, twilioacct.EventGone, told[0].Kind)
		assert.Equal(t, f.sids[0], told[0].SID)
	}
	assert.Zero(t, f.fake.Count("FetchAccount"))
	assert.Equal(t, before, f.store.contents())
}

func TestAVanishedAccountIsAFailureEachTimeUnlessItIsToBeMarked(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	sid := f.sids[0]
	f.store.all[0].Rev = 7
	f.fake.DeleteAccount(sid)
	for range 2 {
		report, told, err := f.sync(t.Context(), f.provider(t), nil)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Failed)
		assert.Zero(t, report.StatusChanges)
		require.ErrorIs(t, told.errors()[f.store.idOf(sid)], twilioacct.ErrNotFound)
	}

	dry := &twilioacct.SyncAllOptions{MarkGone: true, DryRun: true}
	would, _, err := f.sync(t.Context(), f.provider(t), dry)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusActive, f.store.of(sid)[0].Status)
	token := f.store.of(sid)[0].AuthToken

	report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{MarkGone: true})
	require.NoError(t, err)
	assert.Equal(t, would, report)
	assert.Equal(t, 1, report.Failed, "this time it is a failure still")
	assert.Equal(t, 1, report.StatusChanges)
	changed := told.of(twilioacct.EventChanged)
	require.Len(t, changed, 1)
	assert.Equal(t, twilioacct.StatusActive, changed[0].Before)
	assert.Equal(t, twilioacct.StatusClosed, changed[0].After)
	assert.Equal(t, twilioacct.StatusClosed, f.store.of(sid)[0].Status)
	assert.Equal(t, token, f.store.of(sid)[0].AuthToken)

	f.fake.ForgetRequests()
	report, _, err = f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Gone)
	assert.Zero(t, report.Failed)
	assert.Zero(t, f.fake.Count("FetchAccount"))
}

func TestOnlyTwiliosOwnWordMarksAnAccountAsGone(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"a proxy's 404":      {Status: 404, HTML: true},
		"a 404 of no code":   {Status: 404, Code: twiliotest.NoCode},
		"another code's 404": {Status: 404, Code: 20410},
		"somebody else's":    {Status: 403, Code: 20403},
	} {
		f := newFleet(t, 3)
		f.fake.DeleteAccount(f.sids[0])
		fault.Operation, fault.Times = "FetchAccount", twiliotest.Always
		f.fake.Inject(fault)
		before := f.store.contents()
		report, _, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{MarkGone: true})
		require.NoError(t, err)
		assert.Equal(t, 1, report.Failed, name)
		assert.Zero(t, report.StatusChanges, name)
		assert.Equal(t, before, f.store.contents(), name)
	}
}

func TestAccountsWithoutADocumentAreUnknownButTheParentIsNot(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 4)
		f.store.keep(f.sids[:2]...)
		before := f.store.contents()
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err)
		assert.Equal(t, 2, report.Unknown, name)
		assert.Equal(t, 2, report.Documents, name)
		assert.ElementsMatch(t, f.sids[2:], told.sids(twilioacct.EventUnknown), name)
		assert.Equal(t, before, f.store.contents(), name)
	}
}

func TestAdoptGivesAccountsTheirDocuments(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 4)
		f.store.keep(f.sids[0])
		refused, adopted, ignored := f.sids[1], f.sids[2], f.sids[3]
		f.fake.Rename(adopted, "acme")
		var asked []string
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{
			Adopt: func(_ context.Context, a twilioacct.Account) (bool, error) {
				asked = append(asked, a.SID)
				switch a.SID {
				case refused:
					return false, errAway
				case adopted:
					want, err := f.provider(t).Account(t.Context(), adopted)
					assert.NoError(t, err)
					assert.Equal(t, want, a, "it is the whole account")
					f.store.add(twilioacct.Record{SID: a.SID, AuthToken: a.AuthToken, Status: a.Status, Rev: 1})
					return true, nil
				}
				return false, nil
			},
		})
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{refused, adopted, ignored}, asked, "%s: but the parent is not asked about", name)
		assert.Equal(t, 2, report.Documents, name)
		assert.Equal(t, 1, report.Made, name)
		assert.Equal(t, 1, report.Changed, name)
		assert.Equal(t, 1, report.Unchanged, name)
		assert.Equal(t, 1, report.Unknown, name)
		assert.Equal(t, 1, report.Failed, name)
		assert.Zero(t, report.Missing, name)
		assert.Equal(t, []string{ignored}, told.sids(twilioacct.EventUnknown), name)
		failures := told.of(twilioacct.EventFailed)
		require.Len(t, failures, 1, name)
		assert.Equal(t, refused, failures[0].SID, name)
		require.ErrorIs(t, failures[0].Err, errAway)
		f.isAsTwilioHasIt(t)
	}
}

func TestAnAdopterThatFindsNothingHasNotFoundTheAccountMissing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.store.keep()
	report, _, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{
		Adopt: func(context.Context, twilioacct.Account) (bool, error) {
			return false, fmt.Errorf("a template: %w", twilioacct.ErrNotFound)
		},
	})
	require.NoError(t, err)
	assert.Equal(t, 1, report.Failed)
	assert.Zero(t, report.Missing, "it is there")
}

func TestAStoreThatMakesRecordsGetsOneForEachAccountButNotForTheParent(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 4)
		f.store.keep(f.sids[0])
		f.store.makes = true
		would, _, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{DryRun: true})
		require.NoError(t, err)
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err)
		assert.Equal(t, 4, report.Documents, name)
		assert.Equal(t, 3, report.Changed, name)
		assert.Equal(t, 3, report.Made, name)
		assert.Equal(t, 3, report.StatusChanges, name)
		assert.Zero(t, report.Unknown, name)
		assert.ElementsMatch(t, f.sids[1:], told.sids(twilioacct.EventChanged), name)
		assert.Empty(t, f.store.of(f.fake.Parent().SID), name)
		would.Requests, report.Requests = 0, 0
		assert.Equal(t, would, report, name)
		assert.Len(t, f.store.contents(), 4, name)
		f.isAsTwilioHasIt(t)
	}
}

func TestMemStoreMakesRecordsForAFleet(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	sids := fake.AddSubaccounts(1200)
	report, err := p.SyncAll(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 1200, report.Made)
	for _, sid := range sids {
		holdsTwiliosToken(t, fake, store, sid)
	}
}

func TestADryRunWritesNothingAndCountsAsTheRealRunThatFollows(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 12)
		f.outdate(f.sids[:3]...)
		f.fake.SetStatus(f.sids[3], twiliotest.Suspended)
		f.fake.SetStatus(f.sids[4], twiliotest.Closed)
		if _, canScan := twilioacct.StoreAs[twilioacct.Scanner](with(f.store)); canScan { // else it cannot know what a second document holds
			f.store.add(twilioacct.Record{SID: f.sids[5], Status: "suspended"})
		}
		f.store.add(f.asTwilioHas(f.sids[6]))
		f.fake.DeleteAccount(f.sids[7])
		f.store.add(twilioacct.Record{SID: f.fake.AddForeignAccount(20403).SID, Status: "active"})
		f.fake.AddSubaccounts(2)
		before := f.store.contents()
		dry := &twilioacct.SyncAllOptions{DryRun: true, MarkGone: true, Adopt: func(context.Context, twilioacct.Account) (bool, error) {
			assert.Fail(t, "a dry run adopts nothing")
			return true, nil
		}}
		would, wouldTell, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), dry)
		require.NoError(t, err)
		assert.Equal(t, before, f.store.contents(), name)

		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{MarkGone: true})
		require.NoError(t, err)
		assert.Equal(t, would, report, name)
		assert.ElementsMatch(t, wouldTell.timeless(), told.timeless(), name)
		assert.NotEqual(t, before, f.store.contents(), name)
	}
}

func TestAChangeIsToldBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 30)
		f.outdate(f.sids[:10]...)
		for _, sid := range f.sids[10:20] {
			f.fake.SetStatus(sid, twiliotest.Suspended)
		}
		var told sync.Map
		f.store.willWrite = func(_, change twilioacct.Record) {
			_, ok := told.Load(change.SID)
			assert.True(t, ok, "%s: %s", name, change.SID)
		}
		_, _, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{
			PageSize: 7, Observe: func(e twilioacct.SyncEvent) { told.Store(e.SID, true) },
		})
		require.NoError(t, err)
		f.isAsTwilioHasIt(t)
	}
}

func TestTheSameChangeHasTheSameIDHoweverOftenItIsTold(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 1)
		sid := f.sids[0]
		var ids []string
		run := func(o twilioacct.SyncAllOptions) {
			_, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &o)
			require.NoError(t, err)
			require.Len(t, told, 1, name)
			ids = append(ids, told[0].ID)
		}
		f.fake.SetStatus(sid, twiliotest.Suspended)
		run(twilioacct.SyncAllOptions{DryRun: true})
		run(twilioacct.SyncAllOptions{DryRun: true})
		run(twilioacct.SyncAllOptions{})
		assert.Equal(t, ids[0], ids[1], name)
		assert.Equal(t, ids[0], ids[2], name)
		assert.NotEmpty(t, ids[0], name)

		f.fake.SetStatus(sid, twiliotest.Active)
		run(twilioacct.SyncAllOptions{})
		f.fake.SetStatus(sid, twiliotest.Suspended)
		run(twilioacct.SyncAllOptions{})
		assert.NotEqual(t, ids[0], ids[3], name)
		assert.NotEqual(t, ids[0], ids[4], "%s: it was suspended a second time", name)
		assert.NotEqual(t, ids[3], ids[4], name)
	}
}

func TestASuspensionFollowsFromTheParentsWhereTwilioListsThatAsSuspended(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 6)
		f.store.add(f.asTwilioHas(f.fake.Parent().SID))
		for _, sid := range f.sids[:3] {
			f.fake.SetStatus(sid, twiliotest.Suspended)
		}
		f.fake.SetStatus(f.sids[3], twiliotest.Closed)
		f.outdate(f.sids[4])
		parent := f.fake.Parent().SID
		p := f.provider(t, withStore(with(f.store)), func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
				return strings.ReplaceAll(body, `"`+parent+`","status":"active"`, `"`+parent+`","status":"suspended"`)
			})
		})
		report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 2})
		require.NoError(t, err)
		assert.True(t, report.ParentSuspended, name)
		assert.Equal(t, 5, report.StatusChanges, name)
		follows := map[string]bool{}
		for _, e := range told.of(twilioacct.EventChanged) {
			follows[e.SID] = e.FollowsParent
		}
		assert.Equal(t, map[string]bool{
			f.sids[0]: true, f.sids[1]: true, f.sids[2]: true, f.sids[3]: false, f.sids[4]: false, parent: false,
		}, follows, name)
	}
}

func TestASuspensionFollowsFromNothingWhereTheParentIsActiveOrCannotBeSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault    twiliotest.Fault
		requests int
	}{
		"active": {requests: 1},
		"unseen": {fault: twiliotest.Fault{Operation: "FetchAccount", Status: 400, Times: twiliotest.Always}, requests: 1},
	} {
		f := newFleet(t, 6)
		for _, sid := range f.sids {
			f.fake.SetStatus(sid, twiliotest.Suspended)
		}
		if test.fault.Status != 0 {
			f.fake.Inject(test.fault)
		}
		report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{PageSize: 2})
		require.NoError(t, err, name)
		assert.Equal(t, 6, report.StatusChanges, name)
		assert.False(t, report.ParentSuspended, name)
		for _, e := range told {
			assert.False(t, e.FollowsParent, name)
		}
		assert.Equal(t, test.requests, f.fake.Count("FetchAccount"), "%s: it is asked for once", name)
	}
}

func TestAllDocumentsThatHoldASIDAreWrittenAndReported(t *testing.T) {
	t.Parallel()
	for _, dryRun := range []bool{true, false} {
		f := newFleet(t, 4)
		three, two, agreeing := f.sids[0], f.sids[1], f.sids[2]
		before := map[string]twilioacct.Status{
			f.store.add(twilioacct.Record{SID: three, Status: "suspended", Rev: 3}): "suspended",
			f.store.add(twilioacct.Record{SID: three, Rev: 3}):                      "",
			f.store.add(twilioacct.Record{SID: two}):                                "",
		}
		tokenAlone := f.asTwilioHas(two)
		tokenAlone.AuthToken = twilioacct.NewSecret("an old token")
		before[f.store.add(tokenAlone)] = tokenAlone.Status
		f.store.add(f.asTwilioHas(agreeing))
		report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{DryRun: dryRun})
		require.NoError(t, err)
		assert.Equal(t, 9, report.Documents)
		assert.Equal(t, 3, report.Duplicates)
		assert.Equal(t, 6, report.Changed, "all are written where one differs")
		assert.Equal(t, 3, report.Unchanged)
		var ids []string
		for _, e := range told.of(twilioacct.EventDuplicate) {
			ids = append(ids, e.DocumentID)
		}
		assert.ElementsMatch(t, slices.Concat(f.store.idsOf(three), f.store.idsOf(two), f.store.idsOf(agreeing)), ids)
		told = told.of(twilioacct.EventChanged)
		require.Len(t, told, len(before), "one of each document that differs")
		eventIDs := map[string]bool{}
		for _, e := range told {
			eventIDs[e.ID] = true
			require.Contains(t, before, e.DocumentID)
			assert.Equal(t, before[e.DocumentID], e.Before)
			assert.Equal(t, twilioacct.StatusActive, e.After)
			assert.True(t, e.TokenChanged)
		}
		assert.Len(t, eventIDs, len(before))
		assert.Equal(t, 3, report.StatusChanges)
		if !dryRun {
			f.isAsTwilioHasIt(t)
		}
	}
}

func TestADocumentThatTheScanShowsTwiceIsNoDuplicate(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.outdate(f.sids...)
	twice := yielding(f.store, func(e twilioacct.Entry) []twilioacct.Entry {
		old := e
		old.Rev, old.Status = 0, "suspended" // it was written between the two sights
		return []twilioacct.Entry{old, e}
	})
	_, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	report, told, err := f.sync(t.Context(), f.providerWith(t, twice), nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Documents)
	assert.Equal(t, 3, report.Unchanged, "what was seen later counts")
	assert.Zero(t, report.Duplicates)
	assert.Empty(t, told)
}

func TestOfTheCopiesOfAVanishedAccountOnlyTheClosedOnesAreGone(t *testing.T) {
	t.Parallel()
	for _, order := range [][]twilioacct.Status{{"closed", "active"}, {"active", "closed"}} {
		for _, markGone := range []bool{false, true} {
			f := newFleet(t, 2)
			ids := map[twilioacct.Status]string{}
			for i, status := range order {
				ids[status] = f.store.add(twilioacct.Record{SID: unknownSID, Status: status, Rev: int64(i)})
			}
			for _, dryRun := range []bool{true, false} {
				report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{MarkGone: markGone, DryRun: dryRun})
				require.NoError(t, err)
				assert.Equal(t, []string{ids["closed"]}, told.ids(twilioacct.EventGone), "%v", order)
				assert.Equal(t, []string{ids["active"]}, told.ids(twilioacct.EventFailed), "%v", order)
				assert.Equal(t, 1, report.Gone)
				assert.Equal(t, 1, report.Failed)
				assert.Equal(t, 2, report.Missing)
				if markGone {
					assert.Equal(t, 1, report.StatusChanges)
					assert.Equal(t, []string{ids["active"]}, told.ids(twilioacct.EventChanged))
				}
			}
			again, _, err := f.sync(t.Context(), f.provider(t), nil)
			require.NoError(t, err)
			assert.Equal(t, markGone, again.Gone == 2, "%v", order)
		}
	}
}

func TestAnUnreadableCopyBesideAGoodOneCostsNoRequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	broken := f.store.add(twilioacct.Record{SID: f.sids[0], Status: "frozen"})
	f.store.breakDocument(broken, errAway)
	report, told, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, report.Unchanged)
	assert.Equal(t, []string{broken}, told.ids(twilioacct.EventFailed))
	assert.Zero(t, f.fake.Count("FetchAccount"))

	f.outdate(f.sids[0])
	good := f.store.idOf(f.sids[0])
	report, told, err = f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Changed)
	assert.Equal(t, []string{good}, told.ids(twilioacct.EventChanged))
	assert.Equal(t, []string{broken}, told.ids(twilioacct.EventFailed))
	assert.Equal(t, twilioacct.Status("frozen"), f.store.byID(broken).Status)
}

func TestCopiesThatSomebodyHasMendedMeanwhileAreUnchanged(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	copied := f.store.add(twilioacct.Record{SID: f.sids[0], Status: "suspended"})
	store := hookedStore{f.store, func(_ context.Context, op string) error {
		if op == "Load" {
			f.store.mu.Lock()
			defer f.store.mu.Unlock()
			for _, d := range f.store.all {
				d.Record = f.asTwilioHas(d.SID)
			}
		}
		return nil
	}, nil}
	report, told, err := f.sync(t.Context(), f.providerWith(t, store), nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Unchanged)
	assert.Zero(t, report.Changed)
	assert.Zero(t, report.StatusChanges)
	assert.Equal(t, []string{copied}, told.ids(twilioacct.EventChanged), "before it was known")
}

// A scan may see a document again that is written meanwhile.
func TestADocumentThatCannotBeReadAtItsSecondSightIsLookedAtByItself(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.outdate(f.sids...)
	again := twiceThenBroken{f.store, f.sids[0]}
	report, _, err := f.sync(t.Context(), f.providerWith(t, again), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, report.Documents)
	assert.Equal(t, 2, report.Changed)
	assert.Equal(t, 1, f.fake.Count("FetchAccount"))
	f.isAsTwilioHasIt(t)
}

// twiceThenBroken shows one document twice, the second time with an error.
type twiceThenBroken struct {
	fullStore
	sid string
}

func (s twiceThenBroken) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		for e, err := range s.fullStore.Scan(ctx, seed) {
			if !yield(e, err) || e.SID == s.sid && !yield(twilioacct.Entry{SID: e.SID, ID: e.ID}, errAway) {
				return
			}
		}
	}
}

func TestAParentWhoseSIDIsWrittenInCapitalsIsTheParent(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.store.makes = true
	capitals := "AC" + strings.ToUpper(f.fake.Parent().SID[2:])
	p, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: capitals, AuthToken: twilioacct.NewSecret(f.fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: f.fake.HTTPClient(), Store: f.store},
	)
	require.NoError(t, err)
	report, told, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Zero(t, report.Made)
	assert.Empty(t, told)
	assert.Len(t, f.store.contents(), 2)
}

// The first page is read again where a document differs, so it is the second reading that says how the parent is.
func TestTheParentIsAsThePageThatWasReadAgainShowsIt(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.outdate(f.sids[0])
	f.fake.SetStatus(f.sids[1], twiliotest.Suspended)
	var pages atomic.Int64
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
			if path != listPath || pages.Add(1) == 1 {
				return body
			}
			before, parent, _ := strings.Cut(body, `"sid":"`+f.fake.Parent().SID)
			return before + `"sid":"` + f.fake.Parent().SID + strings.Replace(parent, `"status":"active"`, `"status":"suspended"`, 1)
		})
	})
	report, told, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.True(t, report.ParentSuspended)
	for _, e := range told.of(twilioacct.EventChanged) {
		assert.Equal(t, e.SID == f.sids[1], e.FollowsParent)
	}
}

func TestAnAccountOfAnotherFormFailsAloneAndTheOthersAreSynced(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{`"sid":5`, `"status":[]`, `"auth_token":{}`, `"friendly_name":12345`} {
		f := newFleet(t, 20)
		f.outdate(f.sids...)
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
				if path != listPath {
					return body
				}
				at := strings.Index(body, `"sid":"`+f.sids[7])
				begin := strings.LastIndex(body[:max(at, 0)], `{"auth_token"`)
				if at < 0 || begin < 0 {
					return body
				}
				return body[:begin] + "{" + odd + "," + body[begin+1:]
			})
		})
		for _, closed := range []bool{false, true} {
			if closed {
				f.fake.SetStatus(f.sids[7], twiliotest.Closed)
				f.store.all[7].Status = "closed"
			}
			report, told, err := f.sync(t.Context(), p, nil)
			require.NoError(t, err, odd)
			assert.True(t, report.Complete)
			assert.Equal(t, 21, report.Synced()+report.Failed+1, odd)
			assert.Zero(t, report.Gone, "it is listed, though in an odd form")
			if !strings.Contains(odd, "sid") {
				assert.Zero(t, report.Failed, "%s: %v", odd, told.errors())
			}
			f.isAsTwilioHasIt(t)
		}
	}
}

func TestAnAccountOfAnotherFormIsFetchedWhereTheStoreCannotScan(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.outdate(f.sids...)
	f.store.add(f.asTwilioHas(f.fake.Parent().SID))
	p := f.provider(t, withStore(onlyLoadAndSave(f.store)), func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
			if path != listPath {
				return body
			}
			return strings.ReplaceAll(body, `{"auth_token"`, `{"status":7,"auth_token"`)
		})
	})
	report, _, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Changed)
	assert.Zero(t, report.Failed)
	f.isAsTwilioHasIt(t)
}

func TestTheParentInAnotherFormIsNoFailure(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
			if path != listPath {
				return body
			}
			return strings.ReplaceAll(body, `{"auth_token"`, `{"status":7,"auth_token"`)
		})
	})
	report, told, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Unchanged)
	assert.Empty(t, told)
}

func TestCopiesOfWhichTheLastSightIsBlurredAreLookedAtAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, dryRun := range []bool{true, false} {
		f := newFleet(t, 2)
		f.store.add(f.asTwilioHas(f.sids[0]))
		report, told, err := f.sync(t.Context(), f.providerWith(t, twiceThenBroken{f.store, f.sids[0]}), &twilioacct.SyncAllOptions{DryRun: dryRun})
		require.NoError(t, err)
		assert.Equal(t, 3, report.Unchanged, dryRun)
		assert.Zero(t, report.StatusChanges)
		assert.Empty(t, told.of(twilioacct.EventChanged))
	}
}

func TestAnOddAccountWithoutADocumentFailsByItsSID(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.store.makes = true
	f.store.remove(f.store.idOf(f.sids[0]))
	p := f.provider(t, func(o *twilioacct.Options) {
		o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
			return strings.Replace(body, `"status":"active","subresource`, `"status":7,"subresource`, 3)
		})
	})
	report, told, err := f.sync(t.Context(), p, nil)
	require.NoError(t, err)
	assert.Zero(t, report.Made)
	assert.Contains(t, told.sids(twilioacct.EventFailed), f.sids[0])
}

func TestADocumentThatCannotBeReadIsAFailureOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4)
	f.outdate(f.sids...)
	id := f.store.idOf(f.sids[1])
	f.store.breakDocument(id, errAway)
	nameless := f.store.add(twilioacct.Record{})
	f.store.breakDocument(nameless, errAway)
	report, told, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Changed)
	assert.Equal(t, 2, report.Failed)
	assert.Equal(t, 5, report.Documents)
	assert.Zero(t, report.Missing)
	require.ErrorIs(t, told.errors()[id], errAway)
	require.ErrorIs(t, told.errors()[nameless], errAway)
	assert.Zero(t, f.fake.Count("FetchAccount"))
	f.store.breakDocument(id, nil)
	f.store.remove(nameless)
	report, _, err = f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Changed)
	f.isAsTwilioHasIt(t)
}

func TestAnAccountWhoseDocumentCannotBeReadIsNotUnknown(t *testing.T) {
	t.Parallel()
	for _, rev := range []int64{0, 1 << 40} { // the ledger cannot keep the second
		f := newFleet(t, 2)
		f.store.all[0].Rev = rev
		f.store.breakDocument(f.store.idOf(f.sids[0]), errAway)
		report, told, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{
			Adopt: func(_ context.Context, a twilioacct.Account) (bool, error) {
				assert.Fail(t, "it has a document")
				return true, nil
			},
		})
		require.NoError(t, err)
		assert.Equal(t, 1, report.Failed)
		assert.Zero(t, report.Unknown)
		assert.Len(t, told, 1)
		assert.Equal(t, 2, report.Documents)
	}
}

func TestADocumentWithWhatIsNoSIDFailsWithoutARequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.outdate(f.sids...)
	odd := []string{"acme", "AC123", "../" + f.sids[0], "AC" + strings.Repeat("x", 32), goodToken, "", strings.Repeat("A", 5000)}
	for _, sid := range odd {
		f.store.add(twilioacct.Record{SID: sid})
	}
	report, told, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, report.Changed)
	assert.Equal(t, len(odd), report.Failed)
	assert.Zero(t, report.Missing)
	assert.Zero(t, f.fake.Count("FetchAccount"))
	for id, err := range told.errors() {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, id)
		assert.NotContains(t, err.Error(), goodToken, "it may be a token that stands in the wrong place")
	}
}

func TestWhatTheLedgerCannotKeepIsSyncedAllTheSame(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 300)
	f.outdate(f.sids...)
	for i, r := range f.store.all {
		switch {
		case i < 3:
			r.Rev = 1 << (40 + i)
		case i < 5:
			r.Status = twilioacct.Status(strings.Repeat("s", 1000+i))
		default:
			r.Status = twilioacct.Status(fmt.Sprintf("status %d", i))
		}
	}
	for range 2 {
		report, _, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{PageSize: 70})
		require.NoError(t, err)
		assert.Equal(t, 300, report.Documents)
		assert.Equal(t, 300, report.Synced())
		assert.Equal(t, 301, report.Listed)
		assert.Zero(t, report.Unknown)
		f.isAsTwilioHasIt(t)
	}
}

func TestSIDsThatDifferInOneDigitAreTwoAccounts(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	sid := f.sids[0]
	last := byte('0')
	if sid[33] == last {
		last = '1'
	}
	other := sid[:33] + string(last)
	f.store.add(twilioacct.Record{SID: other, Status: "closed"})
	report, _, err := f.sync(t.Context(), f.provider(t), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Unchanged)
	assert.Equal(t, 1, report.Gone)
	assert.Zero(t, report.Duplicates)
}

func TestAMalformedSIDInTheListIsAFailureAndNothingElseIsLost(t *testing.T) {
	t.Parallel()
	for name, sid := range map[string]string{"odd": "acme", "empty": "", "a token": goodToken, "in capitals": strings.ToUpper(unknownSID)} {
		f := newFleet(t, 4)
		f.outdate(f.sids...)
		odd := f.fake.AddSubaccount("odd one")
		p := f.provider(t, func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(_, body string) string {
				return strings.ReplaceAll(body, `"sid":"`+odd.SID, `"sid":"`+sid)
			})
		})
		report, told, err := f.sync(t.Context(), p, nil)
		require.NoError(t, err, name)
		assert.Equal(t, 4, report.Changed, name)
		assert.Equal(t, 1, report.Failed, "%s: once, though the first page was read twice", name)
		assert.Zero(t, report.Missing, name)
		failures := told.of(twilioacct.EventFailed)
		require.NotEmpty(t, failures, name)
		assert.Equal(t, "odd one", failures[0].Name, name)
		assert.Empty(t, failures[0].DocumentID, name)
		require.ErrorIs(t, failures[0].Err, twilioacct.ErrUnavailable, name)
		assert.NotContains(t, failures[0].Err.Error(), goodToken, name)
		f.isAsTwilioHasIt(t)
	}
}

func TestAnAccountThatIsListedTwiceIsCountedOnce(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 6)
		f.outdate(f.sids[:3]...)
		f.store.keep(f.sids[:5]...)
		p := f.provider(t, withStore(with(f.store)), func(o *twilioacct.Options) {
			o.HTTPClient = rewriting(o.HTTPClient.Transport, func(path, body string) string {
				if head, list, ok := strings.Cut(body, `"accounts":[`); ok && path == listPath {
					list, tail, _ := strings.Cut(list, `],"uri"`)
					body = head + `"accounts":[` + list + "," + list + `],"uri"` + tail
				}
				return body
			})
		})
		report, told, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{PageSize: 2})
		require.NoError(t, err, name)
		assert.Equal(t, 7, report.Listed, name)
		assert.Equal(t, 3, report.Changed, name)
		assert.Equal(t, 2, report.Unchanged, name)
		assert.Equal(t, 1, report.Unknown, name)
		assert.Zero(t, report.Duplicates, name)
		assert.Len(t, told, 4, name)
		f.isAsTwilioHasIt(t)
	}
}

func TestOptionsOfARunThatCannotWorkAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	for name, o := range map[string]twilioacct.SyncAllOptions{
		"PageSize -1":    {PageSize: -1},
		"PageSize 1001":  {PageSize: 1001},
		"Concurrent -1":  {Concurrent: -1},
		"Concurrent -99": {Concurrent: -99, DryRun: true},
	} {
		report, told, err := f.sync(t.Context(), f.provider(t), &o)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		assert.Contains(t, err.Error(), strings.Fields(name)[0], name)
		assert.Contains(t, err.Error(), strings.Fields(name)[1], name)
		assert.Zero(t, report, name)
		assert.Empty(t, told, name)
	}
	_, err := f.provider(t).SyncAll(nil, nil) //nolint:staticcheck // that is what is tested
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = providerOn(t, f.fake, nil).SyncAll(t.Context(), nil)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Contains(t, err.Error(), "Options.Store")
	assert.Zero(t, f.fake.Count(""))
}

func TestThePageSizeIsTheCallersChoice(t *testing.T) {
	t.Parallel()
	for size, requests := range map[int]int{1: 10, 3: 4, 10: 1, 1000: 1} {
		f := newFleet(t, 9)
		report, _, err := f.sync(t.Context(), f.provider(t), &twilioacct.SyncAllOptions{PageSize: size})
		require.NoError(t, err)
		assert.Equal(t, size, report.PageSize)
		assert.Equal(t, requests, report.Requests)
		assert.Equal(t, 9, report.Unchanged)
	}
}

func TestOptionsOfARunAreCopied(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 5)
	f.outdate(f.sids...)
	o := &twilioacct.SyncAllOptions{PageSize: 2, DryRun: true}
	before := f.store.contents()
	o.Progress = func(twilioacct.SyncReport) { *o = twilioacct.SyncAllOptions{} }
	report, err := f.provider(t).SyncAll(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, 2, report.PageSize)
	assert.Equal(t, before, f.store.contents())
}

func TestAccountsAreFetchedNoMoreAtOnceThanIsAllowed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ run, provider, want int }{
		"the run's own number":        {run: 3, want: 3},
		"the Provider's":              {provider: 5, want: 5},
		"never more than Provider's":  {run: 1000, provider: 4, want: 4},
		"fifty, if nobody says":       {want: 50},
		"one after the other is fine": {run: 1, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 2, twiliotest.WithConcurrencyLimit(test.want))
				for i := range 120 {
					f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032d", i), Status: "active"})
				}
				f.fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Delay: time.Second, Times: twiliotest.Always})
				var most gauge
				p := f.provider(t, func(o *twilioacct.Options) {
					o.MaxConcurrent = test.provider
					o.HTTPClient = most.around(o.HTTPClient.Transport)
				})
				start := time.Now()
				report, _, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{Concurrent: test.run})
				require.NoError(t, err)
				assert.Equal(t, 120, report.Failed)
				assert.Equal(t, 120, report.Missing)
				assert.Equal(t, test.want, most.highest)
				assert.Equal(t, 121, report.Requests, "none was refused for being one too many")
				assert.Equal(t, time.Duration((119+test.want)/test.want)*time.Second, time.Since(start))
			})
		})
	}
}

func TestARunKeepsToTheAccountsRequestsPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		for i := range 99 {
			f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032d", i), Status: "active"})
		}
		start := time.Now()
		report, _, err := f.sync(t.Context(), f.provider(t, func(o *twilioacct.Options) { o.RequestsPerSecond = 10 }), nil)
		require.NoError(t, err)
		assert.Equal(t, 100, report.Requests)
		assert.InDelta(t, 9.9, time.Since(start).Seconds(), 0.11)
	})
}

func TestRecordsAreSavedNoMoreAtOnceThanIsAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ run, provider int }{{8, 50}, {1000, 8}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, 40)
			f.outdate(f.sids...)
			var saves gauge
			store := hookedStore{f.store, func(_ context.Context, op string) error {
				if op == "Save" {
					saves.add(1)
					defer saves.add(-1)
					time.Sleep(time.Second)
				}
				return nil
			}, nil}
			start := time.Now()
			p := f.provider(t, withStore(scannerAndMaker{store, store}), func(o *twilioacct.Options) { o.MaxConcurrent = test.provider })
			report, _, err := f.sync(t.Context(), p, &twilioacct.SyncAllOptions{Concurrent: test.run})
			require.NoError(t, err)
			assert.Equal(t, 40, report.Changed)
			assert.Equal(t, 8, saves.highest)
			assert.Equal(t, 5*time.Second, time.Since(start))
		})
	}
}

func TestPagesAreWrittenWhileTheNextOneIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 99)
		f.outdate(f.sids...)
		f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", Delay: time.Second, Times: twiliotest.Always})
		slow := hookedStore{f.store, func(context.Context, string) error {
			time.Sleep(time.Second)
			return nil
		}, nil}
		start := time.Now()
		report, _, err := f.sync(t.Context(), f.providerWith(t, slow), &twilioacct.SyncAllOptions{PageSize: 10})
		require.NoError(t, err)
		assert.Equal(t, 99, report.Changed)
		assert.LessOrEqual(t, time.Since(start), 14*time.Second, "a scan, ten pages, the first again, a bulk of each")
	})
}

func TestAStoreThatCannotScanIsAskedForEachAccount(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]func(fullStore) twilioacct.Store{
		"only Load and Save": onlyLoadAndSave,
		"Scan is unsupported": func(s fullStore) twilioacct.Store {
			return hookedStore{s, func(_ context.Context, op string) error {
				if op == "Scan" {
					return errors.ErrUnsupported
				}
				return nil
			}, nil}
		},
	} {
		f := newFleet(t, 30)
		f.outdate(f.sids[:5]...)
		f.fake.SetStatus(f.sids[5], twiliotest.Suspended)
		f.store.add(twilioacct.Record{SID: f.sids[6]})
		f.store.remove(f.store.idOf(f.sids[7]))
		f.store.add(twilioacct.Record{SID: unknownSID}) // nobody finds it
		report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), nil)
		require.NoError(t, err)
		requests := report.Requests
		report.Requests = 0
		assert.Equal(t, twilioacct.SyncReport{
			Documents: 29, Listed: 31, Changed: 7, Unchanged: 22, Unknown: 1, Duplicates: 1, StatusChanges: 1,
			PageSize: 1000, Complete: true, OneByOne: true,
		}, report, name)
		assert.Equal(t, requests, f.fake.Count(""), name)
		assert.Equal(t, []string{f.sids[7]}, told.sids(twilioacct.EventUnknown), name)
		assert.Equal(t, []string{f.sids[6]}, told.sids(twilioacct.EventDuplicate), name)
		f.store.remove(f.store.idOf(unknownSID))
		f.isAsTwilioHasIt(t)
	}
}

func TestAScanThatFailsEndsTheRunBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 7} {
		f := newFleet(t, 20)
		f.outdate(f.sids...)
		before := f.store.contents()
		report, told, err := f.sync(t.Context(), f.providerWith(t, brokenScan{f.store, after}), nil)
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr)
		assert.Equal(t, "Scan", storeErr.Op)
		require.ErrorIs(t, err, errAway)
		assert.Equal(t, after, report.Documents, "it says how far it came")
		assert.False(t, report.Complete)
		assert.Empty(t, told)
		assert.Equal(t, before, f.store.contents())
	}
}

func TestProgressGrowsAndEndsWithTheReport(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 25)
		f.outdate(f.sids[:20]...)
		for i := range 250 {
			f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032d", i), Status: "active"})
		}
		var seen []twilioacct.SyncReport
		report, _, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{
			PageSize: 5, Progress: func(r twilioacct.SyncReport) { seen = append(seen, r) },
		})
		require.NoError(t, err)
		pages := 6
		require.GreaterOrEqual(t, len(seen), 1+pages, name)
		if !report.OneByOne {
			assert.Equal(t, 275, seen[0].Documents, "%s: first when the documents were read", name)
			assert.Zero(t, seen[0].Listed, name)
			assert.Len(t, seen, 1+pages+2, "%s: and after each hundred that were looked at", name)
		}
		for i, r := range append(seen, report)[1:] {
			for j, n := range counts(r) {
				assert.GreaterOrEqual(t, n, counts(seen[i])[j], "%s: count %d of %v", name, j, r)
			}
		}
		last := seen[len(seen)-1]
		assert.Equal(t, report.Listed, last.Listed, name)
		if !report.OneByOne {
			assert.Equal(t, report.Documents, last.Documents, name)
		}
	}
}

func TestWhatARunChangesIsNotRememberedAnyMore(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 2)
		p := f.providerWith(t, with(f.store))
		sid := f.sids[0]
		_, err := p.Account(t.Context(), sid)
		require.NoError(t, err)
		_, err = p.Subaccount(sid).Account(t.Context())
		require.NoError(t, err)

		f.fake.RotateToken(sid)
		f.fake.Rename(sid, "renamed")
		_, _, err = f.sync(t.Context(), p, nil)
		require.NoError(t, err)
		f.fake.ForgetRequests()
		_, err = p.Subaccount(sid).Account(t.Context())
		require.NoError(t, err)
		assert.Zero(t, signed(f.fake, f.fake.Parent().SID), "%s: the handle has the new token", name)
		a, err := p.Account(t.Context(), sid)
		require.NoError(t, err)
		assert.Equal(t, "renamed", a.FriendlyName, name)
	}
}

func TestAPanicOfACallbackReachesTheCallerAndLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	always := func() { panic("the caller's own") }
	for name, panicking := range map[string]twilioacct.SyncAllOptions{
		"Observe":  {Observe: func(twilioacct.SyncEvent) { always() }},
		"Progress": {Progress: func(twilioacct.SyncReport) { always() }},
		"Adopt":    {Adopt: func(context.Context, twilioacct.Account) (bool, error) { always(); return false, nil }},
		"Observe of a failure": {Observe: func(e twilioacct.SyncEvent) {
			if e.Kind == twilioacct.EventFailed {
				always()
			}
		}},
		"Progress after some pages": {Progress: func(r twilioacct.SyncReport) {
			if r.Listed > 6 {
				always()
			}
		}},
	} {
		for storeName, with := range stores() {
			t.Run(name+", "+storeName, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { // it ends only when no goroutine is left
					f := newFleet(t, 20)
					f.outdate(f.sids...)
					f.fake.AddSubaccounts(3)
					f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
					f.fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Path: f.sids[0], Status: 400, Times: twiliotest.Always})
					p := f.providerWith(t, with(f.store))
					o := panicking
					o.PageSize = 4
					assert.PanicsWithValue(t, "the caller's own", func() { _, _ = p.SyncAll(t.Context(), &o) })
					f.fake.ClearFaults()
					_, _, err := f.sync(t.Context(), p, nil)
					require.NoError(t, err)
					f.store.remove(f.store.idOf(unknownSID))
					f.isAsTwilioHasIt(t)
				})
			})
		}
	}
}

func TestACallbackThatTakesAnHourLosesNothing(t *testing.T) {
	t.Parallel()
	for storeName, with := range stores() {
		t.Run(storeName, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 20)
				f.outdate(f.sids...)
				f.fake.AddSubaccounts(3)
				f.store.add(twilioacct.Record{SID: unknownSID, Status: "active"})
				slow := func() { time.Sleep(time.Hour) }
				report, told, err := f.sync(t.Context(), f.providerWith(t, with(f.store)), &twilioacct.SyncAllOptions{
					PageSize: 4,
					Observe:  func(twilioacct.SyncEvent) { slow() },
					Progress: func(twilioacct.SyncReport) { slow() },
					Adopt:    func(context.Context, twilioacct.Account) (bool, error) { slow(); return false, nil },
				})
				require.NoError(t, err)
				assert.Equal(t, 20, report.Changed)
				assert.Equal(t, 3, report.Unknown)
				assert.Len(t, told.of(twilioacct.EventChanged), 20)
				f.store.remove(f.store.idOf(unknownSID))
				f.isAsTwilioHasIt(t)
			})
		})
	}
}

func TestCallbacksAreCalledOneAtATimeOnTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	for name, with := range stores() {
		f := newFleet(t, 200)
		f.outdate(f.sids[:100]...)
		f.store.keep(f.sids[:150]...)
		for i := range 100 {
			f.store.add(twilioacct.Record{SID: fmt.Sprintf("AC%032d", i), Status: "active"})
		}
		caller := goroutine()
		calls := 0 // without a lock: the race detector would see it
		check := func() {
			calls++
			assert.Equal(t, caller, goroutine(), name)
		}
		_, err := f.providerWith(t, with(f.store)).SyncAll(t.Context(), &twilioacct.SyncAllOptions{
			PageSize: 10,
			Observe:  func(twilioacct.SyncEvent) { check() },
			Progress: func(twilioacct.SyncReport) { check() },
			Adopt:    func(context.Context, twilioacct.Account) (bool, error) { check(); return false, nil },
		})
		require.NoError(t, err)
		assert.Greater(t, calls, 200, name)
	}
}

// Not in parallel with others: it measures the memory of all.
func TestARunKeepsNoMoreThan64BytesOfADocument(t *testing.T) { //nolint:paralleltest // see above
	const few, many = 10_000, 60_000
	small, large := fleetMemory(t, few), fleetMemory(t, many)
	for when, bytes := range large {
		growth := (bytes - small[when]) / (many - few)
		t.Logf("%s: %.1f bytes for each document", when, growth)
		assert.LessOrEqual(t, growth, 64.0, when)
		assert.Greater(t, growth, 30.0, "%s: it must know something of each", when)
	}
}

// fleetMemory is what is alive of a run over n documents, all of which are changed: after they were read, and in the second half of the
// pages, where it is the least of some: what a page needs for a moment is not what is kept.
func fleetMemory(t *testing.T, n int) map[string]float64 {
	t.Helper()
	twilio := &countedPages{accounts: n}
	p, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: scriptedParent, AuthToken: twilioacct.NewSecret(goodToken)},
		&twilioacct.Options{HTTPClient: &http.Client{Transport: twilio}, Store: countedDocuments(n)},
	)
	require.NoError(t, err)
	live := map[string]float64{}
	before := liveHeap()
	report, err := p.SyncAll(t.Context(), &twilioacct.SyncAllOptions{Progress: func(r twilioacct.SyncReport) {
		switch {
		case r.Listed == 0:
			live["after the scan"] = liveHeap() - before
		case r.Listed > n/2:
			const last = "after pages"
			now := liveHeap() - before
			live[last] = min(cmp.Or(live[last], now), now)
		}
	}})
	require.NoError(t, err)
	require.Equal(t, n, report.Changed)
	return live
}

func liveHeap() float64 {
	for range 6 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// countedDocuments is a Store of so many documents, made when they are looked at: it keeps nothing.
type countedDocuments int

func (n countedDocuments) Load(context.Context, string) (twilioacct.Record, error) {
	return twilioacct.Record{}, errAway
}

func (n countedDocuments) Save(context.Context, twilioacct.Record) (twilioacct.Record, error) {
	return twilioacct.Record{}, errAway
}

func (n countedDocuments) Scan(_ context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		for i := range int(n) {
			e := twilioacct.Entry{
				ID: fmt.Sprintf("%024x", i), SID: countedSID(i), Status: "active", Fingerprint: twilioacct.Fingerprint(seed, "old"),
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (n countedDocuments) SaveBatch(context.Context, []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	return nil, nil
}

func countedSID(i int) string { return fmt.Sprintf("AC%032x", i) }

// countedPages lists so many accounts, a thousand on a page, and keeps none.
type countedPages struct{ accounts int }

func (p *countedPages) RoundTrip(r *http.Request) (*http.Response, error) {
	var from int
	_, _ = fmt.Sscan(r.URL.Query().Get("Page"), &from)
	from *= 1000
	to := min(from+1000, p.accounts)
	var page strings.Builder
	page.WriteString(`{"accounts":[`)
	for i := from; i < to; i++ {
		if i > from {
			page.WriteByte(',')
		}
		fmt.Fprintf(&page, `{"sid":"%s","auth_token":"%032x","status":"suspended","friendly_name":"customer number %d","type":"Full"}`, countedSID(i), i, i)
	}
	page.WriteString(`]`)
	if to < p.accounts {
		fmt.Fprintf(&page, `,"next_page_uri":"/2010-04-01/Accounts.json?Page=%d"`, to/1000)
	}
	page.WriteString(`}`)
	return answered(r, http.StatusOK, page.String()), nil
}

// goroutine names the one that calls it.
func goroutine() string {
	var stack [64]byte
	name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack[:], false)]), " [")
	return name
}

// counts are the numbers of a report that only grow.
func counts(r twilioacct.SyncReport) []int {
	return []int{
		r.Documents, r.Listed, r.Changed, r.Unchanged, r.Failed, r.Gone, r.Missing, r.Unknown, r.Made, r.Duplicates, r.StatusChanges, r.Requests,
	}
}

// fleet is what a run works on: accounts at Twilio, and the application's documents.
type fleet struct {
	fake  *twiliotest.Server
	sids  []string
	store *documents
}

// newFleet has n subaccounts, and for each of them a document that is as Twilio has the account.
func newFleet(t testing.TB, n int, opts ...twiliotest.Option) *fleet {
	t.Helper()
	fake := twiliotest.NewServer(t, opts...)
	f := &fleet{fake: fake, sids: fake.AddSubaccounts(n), store: new(documents)}
	for _, sid := range f.sids {
		f.store.add(f.asTwilioHas(sid))
	}
	return f
}

func (f *fleet) asTwilioHas(sid string) twilioacct.Record {
	a, _ := f.fake.Account(sid)
	return twilioacct.Record{SID: sid, AuthToken: twilioacct.NewSecret(a.AuthToken), Status: twilioacct.Status(a.Status)}
}

// outdate puts a token into the documents that is none any more.
func (f *fleet) outdate(sids ...string) {
	for _, r := range f.store.all {
		if slices.Contains(sids, r.SID) {
			r.AuthToken = twilioacct.NewSecret("stale" + r.SID)
		}
	}
}

func (f *fleet) provider(t testing.TB, changes ...func(*twilioacct.Options)) *twilioacct.Provider {
	t.Helper()
	return providerOn(t, f.fake, func(o *twilioacct.Options) {
		o.Store = f.store
		for _, change := range changes {
			change(o)
		}
	})
}

func (f *fleet) providerWith(t testing.TB, s twilioacct.Store) *twilioacct.Provider {
	t.Helper()
	return f.provider(t, withStore(s))
}

func providerWithKey(t testing.TB, fake *twiliotest.Server, kind twiliotest.KeyKind, s twilioacct.Store) *twilioacct.Provider {
	t.Helper()
	parent := fake.Parent().SID
	key := fake.AddKey(parent, kind)
	p, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: parent, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: s},
	)
	require.NoError(t, err)
	return p
}

// sync runs SyncAll to its end, and returns what it told as well.
func (f *fleet) sync(
	ctx context.Context, p *twilioacct.Provider, opts *twilioacct.SyncAllOptions,
) (report twilioacct.SyncReport, told events, err error) {
	var o twilioacct.SyncAllOptions
	if opts != nil {
		o = *opts
	}
	observe := o.Observe
	o.Observe = func(e twilioacct.SyncEvent) {
		told = append(told, e)
		if observe != nil {
			observe(e)
		}
	}
	report, err = p.SyncAll(ctx, &o)
	return report, told, err
}

// isAsTwilioHasIt fails unless every document is.
func (f *fleet) isAsTwilioHasIt(t testing.TB) {
	t.Helper()
	for id, kept := range f.store.contents() {
		want := f.asTwilioHas(kept.SID)
		if !kept.AuthToken.Equal(want.AuthToken) || kept.Status != want.Status {
			assert.Fail(t, "not as Twilio has it", "document %s of %s is %s, Twilio's is %s", id, kept.SID, described(kept), described(want))
		}
	}
}

// described shows the token, too: it is the fake's.
func described(r twilioacct.Record) string {
	return fmt.Sprintf("%s, token %s, revision %d", r.Status, r.AuthToken.Reveal(), r.Rev)
}

type events []twilioacct.SyncEvent

func (told events) of(kind twilioacct.EventKind) events {
	var of events
	for _, e := range told {
		if e.Kind == kind {
			of = append(of, e)
		}
	}
	return of
}

func (told events) without(kind twilioacct.EventKind) []twilioacct.SyncEvent {
	return slices.DeleteFunc(slices.Clone(told), func(e twilioacct.SyncEvent) bool { return e.Kind == kind })
}

func (told events) ids(kind twilioacct.EventKind) []string {
	var ids []string
	for _, e := range told.of(kind) {
		ids = append(ids, e.DocumentID)
	}
	return ids
}

func (told events) sids(kind twilioacct.EventKind) []string {
	var sids []string
	for _, e := range told.of(kind) {
		sids = append(sids, e.SID)
	}
	return sids
}

// errors are the failures by the document's id.
func (told events) errors() map[string]error {
	all := map[string]error{}
	for _, e := range told.of(twilioacct.EventFailed) {
		all[e.DocumentID] = e.Err
	}
	return all
}

// timeless leaves out what differs from run to run.
func (told events) timeless() []string {
	var all []string
	for _, e := range told {
		e.At = time.Time{}
		text := fmt.Sprintf("%+v", e)
		if e.Err != nil {
			text, _, _ = strings.Cut(text, " (request ")
		}
		all = append(all, text)
	}
	return all
}

// stores are the ways in which a Store can be less than all.
func stores() map[string]func(fullStore) twilioacct.Store {
	return map[string]func(fullStore) twilioacct.Store{
		"a store that can do all":      func(s fullStore) twilioacct.Store { return s },
		"a store that takes no bulks":  func(s fullStore) twilioacct.Store { return scannerAndMaker{s, s} },
		"a store that cannot scan":     onlyLoadAndSave,
		"a store that unwraps to them": func(s fullStore) twilioacct.Store { return wrapper{s} },
		"a store whose bulks are refused": func(s fullStore) twilioacct.Store {
			return hookedStore{s, func(_ context.Context, op string) error {
				if op == "SaveBatch" {
					return errors.ErrUnsupported
				}
				return nil
			}, nil}
		},
	}
}

type scannerAndMaker struct {
	twilioacct.Scanner
	maker twilioacct.Maker
}

func (s scannerAndMaker) Makes() bool { return s.maker.Makes() }

// onlyLoadAndSave is a Store that tells whether it makes records, and can do nothing else.
func onlyLoadAndSave(s fullStore) twilioacct.Store { return struct{ twilioacct.Maker }{s} }

// fullStore is what a run can use of a Store.
type fullStore interface {
	twilioacct.Scanner
	twilioacct.BatchSaver
	twilioacct.Maker
}

// hookedStore calls a function before and after each of a Store's operations. An error takes the place of the operation, or of what
// came of it.
type hookedStore struct {
	fullStore
	before, after func(ctx context.Context, op string) error
}

func (s hookedStore) around(ctx context.Context, op string, do func() error) error {
	if s.before != nil {
		if err := s.before(ctx, op); err != nil {
			return err
		}
	}
	err := do()
	if s.after != nil {
		err = cmp.Or(s.after(ctx, op), err)
	}
	return err
}

func (s hookedStore) Load(ctx context.Context, sid string) (r twilioacct.Record, err error) {
	err = s.around(ctx, "Load", func() (err error) {
		r, err = s.fullStore.Load(ctx, sid)
		return err
	})
	return r, err
}

func (s hookedStore) Save(ctx context.Context, change twilioacct.Record) (r twilioacct.Record, err error) {
	err = s.around(ctx, "Save", func() (err error) {
		r, err = s.fullStore.Save(ctx, change)
		return err
	})
	return r, err
}

func (s hookedStore) SaveBatch(ctx context.Context, records []twilioacct.Record) (failures []twilioacct.SaveFailure, err error) {
	err = s.around(ctx, "SaveBatch", func() (err error) {
		failures, err = s.fullStore.SaveBatch(ctx, records)
		return err
	})
	return failures, err
}

func (s hookedStore) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		isOver := false
		err := s.around(ctx, "Scan", func() error {
			for e, err := range s.fullStore.Scan(ctx, seed) {
				if isOver = !yield(e, err); isOver {
					break
				}
			}
			return nil
		})
		if err != nil && !isOver {
			yield(twilioacct.Entry{}, err)
		}
	}
}

// yielding shows other entries in the place of each.
func yielding(s fullStore, instead func(twilioacct.Entry) []twilioacct.Entry) twilioacct.Store {
	return otherEntries{s, instead}
}

type otherEntries struct {
	fullStore
	instead func(twilioacct.Entry) []twilioacct.Entry
}

func (s otherEntries) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		for e, err := range s.fullStore.Scan(ctx, seed) {
			for _, other := range s.instead(e) {
				if !yield(other, err) {
					return
				}
			}
		}
	}
}

// brokenScan ends after some entries.
type brokenScan struct {
	fullStore
	after int
}

func (s brokenScan) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		left := s.after
		for e, err := range s.fullStore.Scan(ctx, seed) {
			if left == 0 {
				yield(twilioacct.Entry{}, errAway)
				return
			}
			left--
			if !yield(e, err) {
				return
			}
		}
	}
}

// documents is a Store as an application has it: each document has an id of its own, any number may hold one SID, and some cannot be
// read. Its bulks are blind, as those of a database are.
type documents struct {
	makes     bool
	willWrite func(kept, change twilioacct.Record)

	mu  sync.Mutex
	all []*document
}

type document struct {
	twilioacct.Record
	id     string
	broken error
}

// add puts a document in, and returns its id.
func (s *documents) add(r twilioacct.Record) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insert(r).id
}

func (s *documents) insert(r twilioacct.Record) *document {
	d := &document{Record: r.Merged(twilioacct.Record{}), id: fmt.Sprintf("%024x", len(s.all)+1)}
	if len(s.all) > 0 {
		var last int
		_, _ = fmt.Sscanf(s.all[len(s.all)-1].id, "%x", &last)
		d.id = fmt.Sprintf("%024x", last+1)
	}
	s.all = append(s.all, d)
	return d
}

func (s *documents) keep(sids ...string) {
	s.all = slices.DeleteFunc(s.all, func(d *document) bool { return !slices.Contains(sids, d.SID) })
}

func (s *documents) remove(id string) {
	s.all = slices.DeleteFunc(s.all, func(d *document) bool { return d.id == id })
}

func (s *documents) breakDocument(id string, err error) {
	for _, d := range s.all {
		if d.id == id {
			d.broken = err
		}
	}
}

// contents are the documents by their ids.
func (s *documents) contents() map[string]twilioacct.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]twilioacct.Record{}
	for _, d := range s.all {
		all[d.id] = d.Merged(twilioacct.Record{})
	}
	return all
}

func (s *documents) byID(id string) twilioacct.Record { return s.contents()[id] }

func (s *documents) tokens() map[string]twilioacct.Secret {
	tokens := map[string]twilioacct.Secret{}
	for id, r := range s.contents() {
		tokens[id] = r.AuthToken
	}
	return tokens
}

func (s *documents) idsOf(sid string) []string {
	var ids []string
	for _, d := range s.holding(sid) {
		ids = append(ids, d.id)
	}
	return ids
}

// idOf is the id of the oldest document that holds the SID.
func (s *documents) idOf(sid string) string { return slices.Min(s.idsOf(sid)) }

func (s *documents) of(sid string) []twilioacct.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []twilioacct.Record
	for _, d := range s.holding(sid) {
		r := d.Merged(twilioacct.Record{})
		r.Copies = len(s.holding(sid))
		all = append(all, r)
	}
	return all
}

// holding returns the documents that hold the SID, that of the highest revision first.
func (s *documents) holding(sid string) []*document {
	var found []*document
	for _, d := range s.all {
		if d.SID == sid {
			found = append(found, d)
		}
	}
	slices.SortStableFunc(found, func(a, b *document) int { return cmp.Compare(b.Rev, a.Rev) })
	return found
}

func (s *documents) Makes() bool { return s.makes }

func (s *documents) Load(ctx context.Context, sid string) (twilioacct.Record, error) {
	if ctx.Err() != nil {
		return twilioacct.Record{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load(sid)
}

func (s *documents) load(sid string) (twilioacct.Record, error) {
	found, readable := s.holding(sid), s.readable(sid)
	switch {
	case len(found) == 0:
		return twilioacct.Record{}, twilioacct.ErrNoRecord
	case len(readable) == 0:
		return twilioacct.Record{}, found[0].broken
	}
	r := readable[0].Merged(twilioacct.Record{})
	r.Copies = len(found)
	return r, nil
}

func (s *documents) readable(sid string) []*document {
	return slices.DeleteFunc(s.holding(sid), func(d *document) bool { return d.broken != nil })
}

func (s *documents) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if ctx.Err() != nil {
		return twilioacct.Record{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.Check(); err != nil {
		return twilioacct.Record{}, err
	}
	kept, err := s.load(r.SID)
	switch {
	case errors.Is(err, twilioacct.ErrNoRecord) && s.makes && r.Rev == 0:
		s.write(s.insert(twilioacct.Record{SID: r.SID}), r)
	case err != nil:
		return twilioacct.Record{}, err
	case kept.Rev != r.Rev:
		return twilioacct.Record{}, twilioacct.ErrStale
	case s.differs(r):
		for _, d := range s.readable(r.SID) {
			d.Rev = r.Rev
			s.write(d, r)
		}
	}
	return s.load(r.SID)
}

func (s *documents) differs(r twilioacct.Record) bool {
	return slices.ContainsFunc(s.readable(r.SID), func(d *document) bool {
		after := d.Merged(r)
		return !after.AuthToken.Equal(d.AuthToken) || after.Status != d.Status
	})
}

func (s *documents) write(d *document, r twilioacct.Record) {
	if s.willWrite != nil {
		s.willWrite(d.Record, r)
	}
	rev := d.Rev + 1
	d.Record = d.Merged(r)
	d.Rev = rev
}

func (s *documents) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		s.mu.Lock()
		all := slices.Clone(s.all)
		s.mu.Unlock()
		for _, d := range all {
			if ctx.Err() != nil {
				yield(twilioacct.Entry{}, ctx.Err())
				return
			}
			s.mu.Lock()
			token := d.AuthToken.Reveal()
			e := twilioacct.Entry{ID: d.id, SID: d.SID, Status: d.Status, Rev: d.Rev, Fingerprint: twilioacct.Fingerprint(seed, token)}
			err := d.broken
			s.mu.Unlock()
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *documents) SaveBatch(ctx context.Context, records []twilioacct.Record) (failures []twilioacct.SaveFailure, err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if err := s.saveBlind(r); err != nil {
			failures = append(failures, twilioacct.SaveFailure{SID: r.SID, Err: err})
		}
	}
	return failures, nil
}

// saveBlind writes the first document of that revision, without a look at what it holds.
func (s *documents) saveBlind(r twilioacct.Record) error {
	kept, err := s.load(r.SID)
	switch {
	case r.Check() != nil:
		return r.Check()
	case errors.Is(err, twilioacct.ErrNoRecord) && s.makes && r.Rev == 0:
		s.write(s.insert(twilioacct.Record{SID: r.SID}), r)
		return nil
	case err != nil:
		return err
	}
	for _, d := range s.readable(r.SID) {
		if d.Rev == r.Rev {
			s.write(d, r)
			return nil
		}
	}
	if kept.Rev == r.Rev+1 && !s.differs(r) {
		return nil
	}
	return twilioacct.ErrStale
}

const listPath = "/2010-04-01/Accounts.json"

// rewriting is a Twilio whose answers are other ones.
func rewriting(twilio http.RoundTripper, rewrite func(path, body string) string) *http.Client {
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		response, err := twilio.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return answered(r, response.StatusCode, rewrite(r.URL.Path, bodyOf(response))), nil
	})}
}

// gauge measures how many requests there are at once.
type gauge struct {
	mu           sync.Mutex
	now, highest int
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.highest = max(g.highest, g.now)
}

func (g *gauge) around(twilio http.RoundTripper) *http.Client {
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path != listPath {
			g.add(1)
			defer g.add(-1)
		}
		return twilio.RoundTrip(r)
	})}
}

func answered(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// bodyOf is what can be read of a body.
func bodyOf(r *http.Response) string {
	body, _ := io.ReadAll(r.Body)
	return string(body)
}
