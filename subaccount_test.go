package twilioacct_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestANewSubaccountsTokenIsInTheStoreWhenCreateReturns(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	made, err := p.CreateSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
	assert.Equal(t, "FalconFlights", made.FriendlyName)
	assert.Equal(t, twilioacct.StatusActive, made.Status)
	there, ok := fake.Account(made.SID)
	require.True(t, ok)
	kept, err := store.Load(t.Context(), made.SID)
	require.NoError(t, err)
	assert.Equal(t, there.AuthToken, kept.AuthToken.Reveal())
	assert.Equal(t, twilioacct.StatusActive, kept.Status)

	_, err = p.Subaccount(made.SID).Account(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, fake.Count(""), "its handle knows the token")
}

func TestANewSubaccountIsReturnedThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(storeFuncs{save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
		return twilioacct.Record{}, errAway
	}}))
	made, err := p.CreateSubaccount(t.Context(), "FalconFlights")
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	require.ErrorIs(t, err, errAway)
	there, ok := fake.Account(made.SID)
	require.True(t, ok)
	assert.Equal(t, there.AuthToken, made.AuthToken.Reveal())
}

func TestANewSubaccountIsSavedThoughTheCallerHasLeft(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	kept := twilioacct.NewMemStore().Making()
	_, p := setup(t, withStore(storeFuncs{save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		leave()
		return kept.Save(ctx, r)
	}}))
	made, err := p.CreateSubaccount(ctx, "FalconFlights")
	require.NoError(t, err)
	_, err = kept.Load(t.Context(), made.SID)
	require.NoError(t, err)
}

func TestAStoreThatMakesNoRecordsIsNoFailureOfCreate(t *testing.T) {
	t.Parallel()
	_, p := setup(t, withStore(twilioacct.NewMemStore()))
	_, err := p.CreateSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
}

func TestACreateWhoseReplyIsLostIsNotRepeatedAndCanBeFound(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"a reset":       {Reset: true, AfterEffect: true},
		"503":           {Status: 503, AfterEffect: true},
		"HTML":          {Status: 502, HTML: true, AfterEffect: true},
		"half a reply":  {Truncate: 20, AfterEffect: true},
		"an odd answer": {Status: 201, Body: []byte(`{"sid":"AC1"}`), AfterEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, nil)
			fault.Operation = "CreateAccount"
			fake.Inject(fault)
			_, err := p.CreateSubaccount(t.Context(), "FalconFlights")
			require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
			assert.Equal(t, 1, fake.Count("CreateAccount"))
			found, err := p.FindSubaccount(t.Context(), "FalconFlights")
			require.NoError(t, err)
			assert.Equal(t, fake.Subaccounts()[0].SID, found.SID)
		})
	}
}

func TestANewSubaccountsOwnCredentialsMayTakeAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const moment = 3 * time.Second
		fake := twiliotest.NewServer(t, twiliotest.WithActivationDelay(moment))
		p := providerOn(t, fake, nil)
		made, err := p.CreateSubaccount(t.Context(), "FalconFlights")
		require.NoError(t, err)
		start := time.Now()
		_, err = p.Subaccount(made.SID).Account(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 2*moment)
		assert.Equal(t, 2, signed(fake, fake.Parent().SID), "the parent is asked once why")
	})
}

func TestANewSubaccountWhoseCredentialsStayRefusedIsUnauthenticatedInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t, twiliotest.WithActivationDelay(time.Hour))
		p := providerOn(t, fake, nil)
		made, err := p.CreateSubaccount(t.Context(), "FalconFlights")
		require.NoError(t, err)
		start := time.Now()
		_, err = p.Subaccount(made.SID).Account(t.Context())
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
		assert.Less(t, time.Since(start), 10*time.Second)

		impatient := providerOn(t, fake, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
		made, err = impatient.CreateSubaccount(t.Context(), "OwlPost")
		require.NoError(t, err)
		start = time.Now()
		_, err = impatient.Subaccount(made.SID).Account(t.Context())
		require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
		assert.Zero(t, time.Since(start))
	})
}

func TestTheFleetIsNeverListedToFindASubaccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.AddSubaccounts(300)
	wanted := fake.AddSubaccount("acme v1.25 + söns 🦉")
	found, err := p.FindSubaccount(t.Context(), wanted.FriendlyName)
	require.NoError(t, err)
	assert.Equal(t, wanted.SID, found.SID)
	assert.Equal(t, 1, fake.Count(""))
	assert.Contains(t, fake.Requests()[0].RawQuery, "FriendlyName=acme+v1.25+%2B+s%C3%B6ns+%F0%9F%A6%89")
}

func TestOnlyOpenSubaccountsOfExactlyThatNameAreFound(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.Rename(fake.Parent().SID, "acme")
	fake.SetStatus(fake.AddSubaccount("acme").SID, twiliotest.Closed)
	_, err := p.FindSubaccount(t.Context(), "acme")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	require.NotErrorIs(t, err, twilioacct.ErrUnavailable)

	one := fake.AddSubaccount("acme")
	fake.SetStatus(one.SID, twiliotest.Suspended)
	found, err := p.FindSubaccount(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, one.SID, found.SID)

	other := fake.AddSubaccount("acme")
	_, err = p.FindSubaccount(t.Context(), "acme")
	require.ErrorIs(t, err, twilioacct.ErrAmbiguous)
	assert.Contains(t, err.Error(), one.SID)
	assert.Contains(t, err.Error(), other.SID)
}

func TestAFilterThatFindsTooMuchFindsNoStranger(t *testing.T) {
	t.Parallel()
	_, p := setup(t, func(o *twilioacct.Options) {
		o.HTTPClient = transportAnswering(200, `{"accounts":[{"sid":"`+unknownSID+`","friendly_name":"ACME","status":"active"}]}`)
	})
	_, err := p.FindSubaccount(t.Context(), "acme")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
}

func TestSuspendAndReactivateAlwaysAskTwilioAndWriteTheStore(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	// The store is wrong, and must not be believed.
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, Status: twilioacct.StatusSuspended})
	p := providerOn(t, fake, withStore(store))
	for _, change := range []struct {
		do   func(context.Context, string) (twilioacct.Account, error)
		want twilioacct.Status
	}{
		{p.SuspendSubaccount, twilioacct.StatusSuspended},
		{p.SuspendSubaccount, twilioacct.StatusSuspended},
		{p.ReactivateSubaccount, twilioacct.StatusActive},
		{p.ReactivateSubaccount, twilioacct.StatusActive},
	} {
		fake.ForgetRequests()
		a, err := change.do(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, change.want, a.Status)
		assert.Equal(t, 1, fake.Count("UpdateAccount"))
		kept, err := store.Load(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, change.want, kept.Status)
		remembered, err := p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, change.want, remembered.Status, "nothing older is remembered")
	}
}

func TestATenantWorksAtOnceWhenItIsReactivated(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	_, err := p.SuspendSubaccount(t.Context(), acme.SID)
	require.NoError(t, err)
	_, err = p.Subaccount(acme.SID).Account(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	_, err = p.ReactivateSubaccount(t.Context(), acme.SID)
	require.NoError(t, err)
	_, err = p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
}

func TestA404ThatIsNotTwiliosMakesNoSecondAccount(t *testing.T) {
	t.Parallel()
	for name, fault := range notTwilios {
		fake, p := setup(t, nil)
		fake.AddSubaccount("acme")
		fault.Operation = "ListAccount"
		fake.Inject(fault)
		_, err := p.FindSubaccount(t.Context(), "acme")
		require.ErrorIs(t, err, twilioacct.ErrUnavailable, name)
		require.NotErrorIs(t, err, twilioacct.ErrNotFound, name)
		fake.Inject(fault)
		_, err = p.Provision(t.Context(), twilioacct.Spec{FriendlyName: "acme"})
		require.Error(t, err, name)
		assert.Len(t, fake.Subaccounts(), 1, name)
	}
}

// notTwilios are 404s of whoever stands between.
var notTwilios = map[string]twiliotest.Fault{
	"in HTML":        {Status: 404, HTML: true},
	"without a body": {Status: 404, Body: []byte{}},
	"without a code": {Status: 404, Code: twiliotest.NoCode},
}

func TestA404ThatIsNotTwiliosIsNoVerdictOnATenant(t *testing.T) {
	t.Parallel()
	for name, fault := range notTwilios {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		_, err := p.Subaccount(acme.SID).Account(t.Context())
		require.NoError(t, err)
		fake.RotateToken(acme.SID)
		fault.SignedBy = fake.Parent().SID
		fake.Inject(fault)
		_, err = p.Subaccount(acme.SID).Account(t.Context())
		require.ErrorIs(t, err, twilioacct.ErrUnavailable, name)
		_, err = p.Subaccount(acme.SID).Account(t.Context())
		require.NoError(t, err, name)
	}
}

func TestAnAccountThatIsListedTwiceIsOne(t *testing.T) {
	t.Parallel()
	const acme = `{"sid":"` + unknownSID + `","friendly_name":"acme","status":"active","owner_account_sid":"` + scriptedParent + `"}`
	p := scripted(t, func(*http.Request) (int, string) { return 200, `{"accounts":[` + acme + `,` + acme + `]}` })
	found, err := p.FindSubaccount(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, unknownSID, found.SID)
}

func TestAnAccountOfAnotherParentIsNotFound(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{
		`{"sid":"` + unknownSID + `","friendly_name":"acme","status":"active","owner_account_sid":"` + unknownSID + `"}`,
		`{"friendly_name":"acme","status":"active","owner_account_sid":"` + scriptedParent + `"}`,
	} {
		p := scripted(t, func(*http.Request) (int, string) { return 200, `{"accounts":[` + odd + `]}` })
		_, err := p.FindSubaccount(t.Context(), "acme")
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		require.NotErrorIs(t, err, twilioacct.ErrNotFound)
	}
}

func TestASIDInCapitalsIsTheSame(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	loud := "AC" + strings.ToUpper(acme[2:])
	a, err := p.SuspendSubaccount(t.Context(), loud)
	require.NoError(t, err)
	assert.Equal(t, acme, a.SID)
	_, err = p.EndCalls(t.Context(), loud)
	require.NoError(t, err)
	_, err = p.Provision(t.Context(), twilioacct.Spec{AccountSID: loud})
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
}

func TestAnAccountThatIsNotNewIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		sid := fake.AddSubaccount("acme").SID
		refuse := func() {
			t.Helper()
			fake.Inject(twiliotest.Fault{SignedBy: sid, Code: 20003, Times: twiliotest.Always})
			defer fake.ClearFaults()
			start := time.Now()
			_, err := p.Subaccount(sid).Account(t.Context())
			require.ErrorIs(t, err, twilioacct.ErrUnauthenticated)
			assert.Zero(t, time.Since(start))
		}
		refuse() // nobody here has created or found it
		time.Sleep(time.Minute)
		_, err := p.FindSubaccount(t.Context(), "acme")
		require.NoError(t, err)
		refuse() // it was created a minute ago
	})
}

func TestANewSubaccountIsWaitedForAlsoByWhoFindsItOrRenamesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t, twiliotest.WithActivationDelay(3*time.Second))
		p := providerOn(t, fake, nil)
		made, err := p.CreateSubaccount(t.Context(), "Falcon")
		require.NoError(t, err)
		_, err = p.RenameSubaccount(t.Context(), made.SID, "FalconFlights")
		require.NoError(t, err)
		_, err = p.Subaccount(made.SID).Account(t.Context())
		require.NoError(t, err)

		fake.Inject(twiliotest.Fault{Operation: "CreateAccount", Reset: true, AfterEffect: true})
		_, err = p.CreateSubaccount(t.Context(), "OwlPost")
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		found, err := providerOn(t, fake, nil).FindSubaccount(t.Context(), "OwlPost")
		require.NoError(t, err)
		_, err = p.FindSubaccount(t.Context(), "OwlPost")
		require.NoError(t, err)
		_, err = p.Subaccount(found.SID).Account(t.Context())
		require.NoError(t, err)

		spec := twilioacct.Spec{FriendlyName: "HeronHotels", Messaging: &twilioacct.MessagingSpec{FriendlyName: "x"}}
		fake.Inject(twiliotest.Fault{Operation: "CreateService", Status: 400})
		_, err = p.Provision(t.Context(), spec)
		require.Error(t, err)
		_, err = providerOn(t, fake, nil).Provision(t.Context(), spec) // another process
		require.NoError(t, err)
	})
}

func TestAStoreThatHangsDoesNotHoldUpASuspension(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		fake, p := setup(t, withStore(storeFuncs{
			load: func(ctx context.Context, _ string) (twilioacct.Record, error) { return twilioacct.Record{}, hangs(ctx) },
		}))
		acme := fake.AddSubaccount("acme").SID
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		a, err := p.SuspendSubaccount(ctx, acme)
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr)
		assert.Equal(t, twilioacct.StatusSuspended, a.Status)
		assert.Less(t, time.Since(start), 2*time.Second)
		now, _ := fake.Account(acme)
		assert.Equal(t, twiliotest.Suspended, now.Status)
	})
}

func TestTheLaterOfTwoChangesIsWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme").SID
	fake.SetStatus(acme, twiliotest.Suspended)
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme, Status: twilioacct.StatusSuspended})
	other := providerOn(t, fake, withStore(store))
	slow := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Store = storeFuncs{load: store.Load, save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if r.Status == twilioacct.StatusActive { // between its answer and its save, another process suspends again
				_, err := other.SuspendSubaccount(ctx, acme)
				assert.NoError(t, err)
			}
			return store.Save(ctx, r)
		}}
	})
	_, err := slow.ReactivateSubaccount(t.Context(), acme)
	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, kept.Status, "as Twilio has it")
}

func TestThatNothingWouldChangeIsSuccess(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore()
	fake, p := setup(t, withStore(store))
	acme := fake.AddSubaccount("acme")
	_, err := store.Making().Save(t.Context(), twilioacct.Record{SID: acme.SID, Status: twilioacct.StatusActive})
	require.NoError(t, err)
	fake.SetStatus(acme.SID, twiliotest.Suspended)
	fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Status: 400, Code: 20020})
	a, err := p.SuspendSubaccount(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, a.Status)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, kept.Status)

	fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Status: 400, Code: 20020})
	_, err = p.ReactivateSubaccount(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrConflict, "it is not active, whatever the answer says")
	fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Status: 400, Code: 20020})
	_, err = p.RenameSubaccount(t.Context(), acme.SID, "other")
	require.ErrorIs(t, err, twilioacct.ErrConflict)
}

func TestRefusalsOfAStatusAreTyped(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		21475: twilioacct.ErrInvalid,
		21476: twilioacct.ErrSuspended,
		21477: twilioacct.ErrForbidden,
		21478: twilioacct.ErrSuspended,
		21479: twilioacct.ErrClosed,
	} {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Code: code})
		_, err := p.SuspendSubaccount(t.Context(), acme.SID)
		require.ErrorIs(t, err, want, code)
	}
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	fake.SetStatus(acme.SID, twiliotest.Closed)
	_, err := p.ReactivateSubaccount(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrClosed)
}

func TestAStatusThatIsSentTwiceIsSentOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme")
		fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Reset: true, AfterEffect: true})
		a, err := p.SuspendSubaccount(t.Context(), acme.SID)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.StatusSuspended, a.Status)
		assert.Equal(t, 2, fake.Count("UpdateAccount"))
	})
}

func TestASuspensionIsNotHeldUpByTheStore(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(storeFuncs{load: func(context.Context, string) (twilioacct.Record, error) {
		return twilioacct.Record{}, errAway
	}}))
	acme := fake.AddSubaccount("acme")
	a, err := p.SuspendSubaccount(t.Context(), acme.SID)
	require.ErrorIs(t, err, errAway)
	assert.Equal(t, twilioacct.StatusSuspended, a.Status)
	now, _ := fake.Account(acme.SID)
	assert.Equal(t, twiliotest.Suspended, now.Status)
}

func TestAnAnswerThatIsNoNewSubaccountIsAFailureThatNamesIt(t *testing.T) {
	t.Parallel()
	for name, odd := range map[string]string{
		"the parent":         `{"sid":"` + scriptedParent + `","owner_account_sid":"` + scriptedParent + `"}`,
		"somebody else's":    `{"sid":"` + unknownSID + `","owner_account_sid":"` + unknownSID + `"}`,
		"of nobody":          `{"sid":"` + unknownSID + `"}`,
		"no account at all":  `{"sid":"PN` + unknownSID[2:] + `","owner_account_sid":"` + scriptedParent + `"}`,
		"nothing of a thing": `{}`,
	} {
		p := scripted(t, func(*http.Request) (int, string) { return 201, odd })
		_, err := p.CreateSubaccount(t.Context(), "acme")
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
	}
}

func TestAStaleSaveWhoseSyncFailsIsTheStoresFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := twilioacct.NewMemStore().Making()
		fake, p := setup(t, withStore(storeFuncs{load: store.Load, save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, twilioacct.ErrStale
		}}))
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Hang: true, Times: twiliotest.Always})
		start := time.Now()
		made, err := p.CreateSubaccount(t.Context(), "acme")
		var storeErr *twilioacct.StoreError
		require.ErrorAs(t, err, &storeErr)
		assert.NotEmpty(t, made.SID)
		assert.LessOrEqual(t, time.Since(start), 10*time.Second)
	})
}

func TestWhoWritesTheRecordDuringAChangeIsNotUndone(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	mem := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
	var newest string
	p := providerOn(t, fake, withStore(storeFuncs{
		load: func(ctx context.Context, sid string) (twilioacct.Record, error) {
			r, err := mem.Load(ctx, sid)
			if newest == "" { // somebody rotates and saves between our load and our save
				newest = fake.RotateToken(sid)
				_, saveErr := mem.Save(ctx, twilioacct.Record{SID: sid, AuthToken: twilioacct.NewSecret(newest), Rev: r.Rev})
				err = errors.Join(err, saveErr)
			}
			return r, err
		},
		save: mem.Save,
	}))
	_, err := p.SuspendSubaccount(t.Context(), acme.SID)
	require.NoError(t, err)
	kept, err := mem.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, newest, kept.AuthToken.Reveal())
	assert.Equal(t, twilioacct.StatusSuspended, kept.Status)
}

func TestASubaccountIsRenamed(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme")
	a, err := p.RenameSubaccount(t.Context(), acme.SID, "acme & söns v1.25")
	require.NoError(t, err)
	assert.Equal(t, "acme & söns v1.25", a.FriendlyName)
	now, _ := fake.Account(acme.SID)
	assert.Equal(t, "acme & söns v1.25", now.FriendlyName)
}

func TestTheParentIsNoSubaccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent := fake.Parent().SID
	for name, do := range map[string]func() error{
		"suspend": func() error { _, err := p.SuspendSubaccount(t.Context(), parent); return err },
		"reactivate": func() error {
			_, err := p.ReactivateSubaccount(t.Context(), "AC"+strings.ToUpper(parent[2:]))
			return err
		},
		"rename":    func() error { _, err := p.RenameSubaccount(t.Context(), parent, "x"); return err },
		"end calls": func() error { _, err := p.EndCalls(t.Context(), parent); return err },
	} {
		require.ErrorIs(t, do(), twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestNamesThatWouldNotBeFoundAgainAreRefused(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	for name, friendly := range map[string]string{
		"empty":               "",
		"space":               "  ",
		"a line end":          "FalconFlights\n",
		"space before":        " FalconFlights",
		"a control character": "Falcon\x00Flights",
		"no UTF-8":            "Falcon\xff",
		"65 characters":       strings.Repeat("ü", 65),
	} {
		_, err := p.CreateSubaccount(t.Context(), friendly)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		assert.Zero(t, fake.Count(""))
	}
	for _, nobodys := range []string{"", "Falcon\xff"} {
		_, err := p.FindSubaccount(t.Context(), nobodys)
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
	assert.Zero(t, fake.Count(""))
	trailing := fake.AddSubaccount("FalconFlights ") // somebody else has made it
	found, err := p.FindSubaccount(t.Context(), "FalconFlights ")
	require.NoError(t, err)
	assert.Equal(t, trailing.SID, found.SID)
	_, err = p.CreateSubaccount(t.Context(), strings.Repeat("ü", 64))
	require.NoError(t, err)
}

func FuzzFriendlyNamesAreFoundAsTheyWereGivenOrRefused(f *testing.F) {
	for _, name := range []string{"FalconFlights", "acme v1.25", "a+b@c.1", "🦉", " x", "", "x\n", "\u202e", "%", "a&b=c;d"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		fake, p := setup(t, nil)
		made, err := p.CreateSubaccount(t.Context(), name)
		if errors.Is(err, twilioacct.ErrInvalid) {
			odd := strings.TrimSpace(name) != name || name == "" || !utf8.ValidString(name) ||
				utf8.RuneCountInString(name) > 64 || strings.ContainsFunc(name, unicode.IsControl)
			require.True(t, odd, "%q is a good name", name)
			require.Zero(t, fake.Count(""))
			return
		}
		require.NoError(t, err)
		found, err := p.FindSubaccount(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, made.SID, found.SID)
		require.Equal(t, name, found.FriendlyName)
	})
}
