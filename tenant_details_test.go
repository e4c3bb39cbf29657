package twilioacct_test

import (
	"context"
	"net/http"
	"net/url"
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

// formOf is what the only request of that operation has sent.
func formOf(t *testing.T, fake *twiliotest.Server, operation string) (form url.Values) {
	t.Helper()
	require.Equal(t, 1, fake.Count(operation), operation)
	for _, r := range fake.Requests() {
		if r.Operation == operation {
			form = r.Form
		}
	}
	return form
}

// queriesOf are those of all requests of that operation.
func queriesOf(t *testing.T, fake *twiliotest.Server, operation string) (all []url.Values) {
	t.Helper()
	for _, r := range fake.Requests() {
		if r.Operation == operation {
			query, err := url.ParseQuery(r.RawQuery)
			require.NoError(t, err)
			all = append(all, query)
		}
	}
	return all
}

func configuredSteps(all []twilioacct.Step) (names []twilioacct.StepName) {
	for _, s := range all {
		if s.Configured {
			names = append(names, s.Name)
		}
	}
	return names
}

func TestOnlyWhatWasThereAndDifferedIsToldAsConfigured(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	for range 2 { // what is new is made as it is to be, and what is as it is to be needs nothing
		has, err := p.Provision(t.Context(), buying())
		require.NoError(t, err)
		assert.Empty(t, configuredSteps(has.Steps))
	}
	drifted := buying()
	drifted.Number.Settings.SMSURL = new("https://falcon.example/new")
	fake.Inject(twiliotest.Fault{Operation: "ListService", Code: 20403})
	has, err := p.Provision(t.Context(), drifted)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, []string{"subaccount found", "number found", "messaging_service failed"}, stepsOf(has.Steps))
	assert.Empty(t, configuredSteps(has.Steps), "a later look failed, so nothing was set")

	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Code: 20403})
	has, err = p.Provision(t.Context(), drifted)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Empty(t, configuredSteps(has.Steps), "it was refused")
}

func TestARefusalInAnyStepEndsTheRunThere(t *testing.T) {
	t.Parallel()
	drifted := buying()
	drifted.Number.Settings.SMSURL = new("https://falcon.example/new")
	unsticky := buying()
	unsticky.Messaging.Settings.StickySender = new(true)
	for name, c := range map[string]struct {
		isThere   bool
		spec      twilioacct.Spec
		operation string
		step      twilioacct.StepName
	}{
		"a number that is not sold":      {false, buying(), "CreateIncomingPhoneNumber", twilioacct.StepNumber},
		"a service that is not made":     {false, buying(), "CreateService", twilioacct.StepService},
		"a sender that is not added":     {false, buying(), "CreatePhoneNumber", twilioacct.StepSender},
		"a number that cannot be set":    {true, drifted, "UpdateIncomingPhoneNumber", twilioacct.StepNumber},
		"a service that cannot be set":   {true, unsticky, "UpdateService", twilioacct.StepService},
		"a sender that cannot be looked": {true, buying(), "FetchPhoneNumber", twilioacct.StepSender},
	} {
		fake, p := setup(t, nil)
		var before twilioacct.Provisioned
		if c.isThere {
			var err error
			before, err = p.Provision(t.Context(), buying())
			require.NoError(t, err, name)
		}
		fake.Inject(twiliotest.Fault{Operation: c.operation, Code: 20403})
		has, err := p.Provision(t.Context(), c.spec)
		require.ErrorIs(t, err, twilioacct.ErrForbidden, name)
		var failed *twilioacct.StepError
		require.ErrorAs(t, err, &failed, name)
		assert.Equal(t, c.step, failed.Step, name)
		if c.isThere {
			assert.Equal(t, before.Number, has.Number, "%s: what is not known to have changed is as it was", name)
		}
		assert.Zero(t, has.Ready, name)
	}
}

func TestAMovedNumberIsSetAsTheSpecSays(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	spec := article(fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{AddressRequirements: "any"}))
	spec.Number.Settings = twilioacct.PhoneNumberSettings{
		VoiceURL: new("https://falcon.example/voice"), AddressSID: new("AD" + unknownSID[2:]), BundleSID: new("BU" + unknownSID[2:]),
	}
	spec.Number.Move.SMSApplicationSID = fake.AddApplication(acme)
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	now, _ := fake.PhoneNumber(has.Number.SID)
	assert.Equal(t, acme, now.AccountSID)
	assert.Equal(t, "https://falcon.example/voice", now.VoiceURL)
	assert.Equal(t, "AD"+unknownSID[2:], now.AddressSID)
	assert.Equal(t, "BU"+unknownSID[2:], now.BundleSID)
	assert.Equal(t, spec.Number.Move.SMSApplicationSID, now.SMSApplicationSID)
	assert.Equal(t, now.VoiceURL, has.Number.VoiceURL)
	for _, r := range fake.Requests() {
		if r.Operation == "UpdateIncomingPhoneNumber" && r.Form.Has("AccountSid") {
			assert.Equal(t, "AD"+unknownSID[2:], r.Form.Get("AddressSid"), "the move itself needs it")
			assert.Equal(t, "BU"+unknownSID[2:], r.Form.Get("BundleSid"))
		}
	}
}

func TestTheMovesOwnWordsAreSetOnANumberThatIsThereAlready(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
	words := twilioacct.NumberTransfer{
		PhoneNumberSID: number.SID, VoiceApplicationSID: fake.AddApplication(acme), SMSApplicationSID: fake.AddApplication(acme),
		AddressSID: "AD" + unknownSID[2:], BundleSID: "BU" + unknownSID[2:],
	}
	moves := map[string]func() (twilioacct.PhoneNumber, error){
		"Provision": func() (twilioacct.PhoneNumber, error) {
			spec := article(number)
			spec.Number.Move = &words
			has, err := p.Provision(t.Context(), spec)
			return has.Number, err
		},
		"TransferNumber": func() (twilioacct.PhoneNumber, error) {
			transfer := words
			transfer.ToSID = acme
			done, err := p.TransferNumber(t.Context(), transfer)
			return done.Number, err
		},
	}
	for name, move := range moves {
		empty := twilioacct.PhoneNumberSettings{VoiceApplicationSID: new(""), SMSApplicationSID: new(""), AddressSID: new(""), BundleSID: new("")}
		_, err := p.Subaccount(acme).ConfigureNumber(t.Context(), number.SID, empty)
		require.NoError(t, err)
		got, err := move()
		require.NoError(t, err, name)
		assert.Equal(t, words.VoiceApplicationSID, got.VoiceApplicationSID, name)
		assert.Equal(t, words.SMSApplicationSID, got.SMSApplicationSID, name)
		assert.Equal(t, words.AddressSID, got.AddressSID, name)
		assert.Equal(t, words.BundleSID, got.BundleSID, name)
	}
}

func TestARepeatedMoveTakesNothingOffTheNumber(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{
		VoiceApplicationSID: fake.AddApplication(acme), SMSApplicationSID: fake.AddApplication(acme),
	})
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: acme})
	require.NoError(t, err)
	assert.False(t, done.Configured)
	now, _ := fake.PhoneNumber(number.SID)
	assert.Equal(t, number, now)
}

func TestAnAPIKeyMakesAnEmptySubaccountAndNoService(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	p := providerWithKey(t, fake, twiliotest.MainKey, nil)
	messaging := twilioacct.Spec{FriendlyName: "FalconFlights", Messaging: &twilioacct.MessagingSpec{FriendlyName: "x"}}
	requireUntouched(t, fake, p, messaging, twilioacct.ErrForbidden, twilioacct.StepSubaccount)
	bought := buying()
	bought.Messaging = nil
	requireUntouched(t, fake, p, bought, twilioacct.ErrForbidden, twilioacct.StepSubaccount)
	_, err := p.Provision(t.Context(), twilioacct.Spec{FriendlyName: "FalconFlights"})
	require.NoError(t, err)
	assert.Len(t, fake.Subaccounts(), 1)
}

func TestAPlanWritesNothingToTheStoreAndARunDoes(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	acme := fake.AddSubaccount("FalconFlights")
	spec := twilioacct.Spec{FriendlyName: "FalconFlights"}
	_, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	_, err = store.Load(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrNoRecord)
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.AuthToken, kept.AuthToken.Reveal())
}

func TestARunTakesTheTokenThatTheListShows(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights")
	fake.AddMessagingService(acme.SID, twiliotest.MessagingService{FriendlyName: "x", UseInboundWebhookOnNumber: true})
	plan, err := p.Plan(t.Context(), twilioacct.Spec{FriendlyName: "FalconFlights", Messaging: &twilioacct.MessagingSpec{FriendlyName: "x"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"subaccount found", "messaging_service found"}, stepsOf(plan.Steps))
	assert.Equal(t, []string{"parent ListAccount", "tenant ListService"}, signedRequests(fake), "and a plan looks for no readiness")
}

func TestAVoiceNumberIsRefusedWhereItIsToSendAndWelcomeElsewhere(t *testing.T) {
	t.Parallel()
	voice := twiliotest.Capabilities{Voice: true}
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{FriendlyName: "customer-7 v1.25", Capabilities: voice})
	for _, spec := range []twilioacct.Spec{buying(), article(number)} {
		spec.Number.Settings = twilioacct.PhoneNumberSettings{}
		requireUntouched(t, fake, p, spec, twilioacct.ErrConflict, twilioacct.StepNumber)
		spec.Messaging = nil
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, number.SID, has.Number.SID)
	}
}

func TestANumberIsSearchedForWhatItIsToDo(t *testing.T) {
	t.Parallel()
	type can = twilioacct.Capabilities
	for name, c := range map[string]struct {
		with      can
		messaging bool
		sms, mms  string
	}{
		"nothing":                        {can{}, false, "", ""},
		"messages":                       {can{}, true, "true", ""},
		"MMS in a messaging service":     {can{MMS: true}, true, "", "true"},
		"SMS without a service":          {can{SMS: true}, false, "true", ""},
		"both, in a messaging service":   {can{SMS: true, MMS: true}, true, "true", "true"},
		"calls, in no messaging service": {can{Voice: true}, false, "", ""},
	} {
		fake, p := setup(t, nil)
		spec := buying()
		spec.Number.Buy.With = c.with
		if !c.messaging {
			spec.Messaging = nil
		}
		_, err := p.Plan(t.Context(), spec)
		require.NoError(t, err, name)
		searches := queriesOf(t, fake, "ListAvailablePhoneNumberLocal")
		require.Len(t, searches, 1, name)
		assert.Equal(t, c.sms, searches[0].Get("SmsEnabled"), name)
		assert.Equal(t, c.mms, searches[0].Get("MmsEnabled"), name)
	}
}

func TestANumberThatNeedsAnAddressIsBoughtWithTheSpecs(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+19175550100", AddressRequirements: twiliotest.AnyAddress})
	fake.AddSubaccount("FalconFlights")
	spec := buying()
	spec.Number.Buy = &twilioacct.NumberSearch{AreaCode: 917}
	spec.Number.Settings.AddressSID = new("AD" + unknownSID[2:])
	has, err := providerOn(t, fake, nil).Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "+19175550100", has.Number.PhoneNumber)
	assert.Equal(t, "AD"+unknownSID[2:], has.Number.AddressSID)
}

func TestABoughtNumberComesWithItsSettingsAndIsSetNoMore(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	_, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	form := formOf(t, fake, "CreateIncomingPhoneNumber")
	assert.Equal(t, "customer-7 v1.25", form.Get("FriendlyName"))
	assert.Equal(t, "https://falcon.example/sms", form.Get("SmsUrl"))
	assert.Equal(t, "GET", form.Get("SmsMethod"))
	assert.Zero(t, fake.Count("UpdateIncomingPhoneNumber"))
	fake.ForgetRequests()
	_, err = p.Provision(t.Context(), buying())
	require.NoError(t, err)
	for _, query := range queriesOf(t, fake, "ListIncomingPhoneNumber") {
		assert.Equal(t, "customer-7 v1.25", query.Get("FriendlyName"), "Twilio filters")
	}
}

func TestASearchThatFailsAfterANumberIsGoneIsTheRunsFailure(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.Inject(twiliotest.Fault{Operation: "CreateIncomingPhoneNumber", Code: 21422, Times: twiliotest.Always})
	fake.Inject(twiliotest.Fault{Operation: "ListAvailablePhoneNumberLocal", On: 2, Code: 20403})
	_, err := p.Provision(t.Context(), buying())
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, 1, fake.Count("CreateIncomingPhoneNumber"))
}

func TestANumberOfTheTenantsJoinsNoServiceThatWouldLoseItsMessages(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	fake.AddMessagingService(acme, twiliotest.MessagingService{FriendlyName: "falconFlightNotifications"})
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
	requireUntouched(t, fake, p, article(number), twilioacct.ErrInboundLost, twilioacct.StepSender)
}

func TestANumberOfTheTenantsInNoServiceYetIsAdded(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	fake.AddMessagingService(acme, twiliotest.MessagingService{FriendlyName: "falconFlightNotifications", UseInboundWebhookOnNumber: true})
	has, err := p.Provision(t.Context(), article(fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})))
	require.NoError(t, err)
	assert.Equal(t, []string{"subaccount found", "number found", "messaging_service found", "sender made"}, stepsOf(has.Steps))
}

func TestANumberInAnotherServiceIsNamedWithIt(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
	other := fake.AddMessagingService(acme, twiliotest.MessagingService{FriendlyName: "other", PhoneNumberSIDs: []string{number.SID}})
	wanted := fake.AddMessagingService(acme, twiliotest.MessagingService{
		FriendlyName: "falconFlightNotifications", UseInboundWebhookOnNumber: true,
	})
	_, err := p.Provision(t.Context(), article(number))
	var in *twilioacct.InOtherServiceError
	require.ErrorAs(t, err, &in)
	assert.Equal(t, other.SID, in.ServiceSID)
	assert.Equal(t, twilioacct.Sender{ServiceSID: wanted.SID, PhoneNumberSID: number.SID}, in.Sender)
}

func TestANewServicesReadinessIsWhatALookWouldShow(t *testing.T) {
	t.Parallel()
	withoutNumber := buying()
	withoutNumber.Number = nil
	for name, spec := range map[string]twilioacct.Spec{"with a number": buying(), "without one": withoutNumber} {
		_, p := setup(t, nil)
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err, name)
		assert.Equal(t, p.Subaccount(has.Account.SID).Ready(t.Context(), has.Service.SID), has.Ready, name)
	}
}

func TestSIDsInCapitalsAreTheSameSIDs(t *testing.T) {
	t.Parallel()
	capitals := func(sid string) string { return sid[:2] + strings.ToUpper(sid[2:]) }
	fake, p := setup(t, nil)
	parent, acme := fake.Parent().SID, fake.AddSubaccount("acme").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: capitals(number.SID), FromSID: capitals(parent), ToSID: capitals(acme)}
	done, err := p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, acme, done.Number.AccountSID)
	_, err = p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: acme, ToSID: capitals(acme)})
	require.ErrorIs(t, err, twilioacct.ErrInvalid, "it is one account")
	spec := article(number)
	spec.FriendlyName, spec.AccountSID, spec.Number.Move.PhoneNumberSID = "", capitals(acme), capitals(number.SID)
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	for _, r := range fake.Requests() {
		assert.NotContains(t, r.Path, strings.ToUpper(number.SID[2:]))
		assert.NotContains(t, r.Path, strings.ToUpper(acme[2:]))
	}
}

func TestAMoveThatIsRefusedHalfwayTellsHowFarItCame(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string]twilioacct.Transferred{
		"DeletePhoneNumber":         {},
		"UpdateIncomingPhoneNumber": {LeftService: true},
	} {
		fake, p := setup(t, nil)
		number := owlie(fake)
		fake.Inject(twiliotest.Fault{Operation: operation, Code: 20403})
		done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: fake.AddSubaccount("acme").SID})
		require.ErrorIs(t, err, twilioacct.ErrForbidden, operation)
		assert.Equal(t, want.LeftService, done.LeftService, operation)
		assert.False(t, done.Moved, operation)
		assert.Equal(t, number.SID, done.Plan.Number.SID, operation)
		now, _ := fake.PhoneNumber(number.SID)
		assert.Equal(t, fake.Parent().SID, now.AccountSID, operation)
	}
}

func TestAMovedNumberThatCannotBeSetIsToldAsMoved(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	from, to := fake.AddSubaccount("from").SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(from, twiliotest.PhoneNumber{SMSApplicationSID: fake.AddApplication(from)})
	app := fake.AddApplication(to)
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", On: 2, Code: 20403})
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: from, ToSID: to, SMSApplicationSID: app}
	done, err := p.TransferNumber(t.Context(), transfer)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.True(t, done.Moved)
	assert.False(t, done.Configured)
	assert.Equal(t, to, done.Number.AccountSID)

	done, err = p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.True(t, done.Configured)
	assert.Equal(t, app, done.Number.SMSApplicationSID)
}

func TestWithoutAContextNothingIsDone(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	var none context.Context
	acme := fake.AddSubaccount("acme").SID
	for name, err := range map[string]error{
		"PlanTransfer":      second(p.PlanTransfer(none, twilioacct.NumberTransfer{PhoneNumber: "+14155550100", ToSID: acme})),
		"TransferNumber":    second(p.TransferNumber(none, twilioacct.NumberTransfer{PhoneNumber: "+14155550100", ToSID: acme})),
		"CreateSubaccount":  second(p.CreateSubaccount(none, "x")),
		"RenameSubaccount":  second(p.RenameSubaccount(none, acme, "x")),
		"SuspendSubaccount": second(p.SuspendSubaccount(none, acme)),
		"MessagingServices": endOf(p.Subaccount(acme).MessagingServices(none)),
		"PhoneNumbers":      endOf(p.Subaccount(acme).PhoneNumbers(none, nil)),
		"Messages":          endOf(p.Subaccount(acme).Messages(none, nil)),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestAChangeOfWhatIsNoSubaccountOrToABadNameIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	for name, err := range map[string]error{
		"a bad name":             second(p.RenameSubaccount(t.Context(), acme, "acme ")),
		"no SID to suspend":      second(p.SuspendSubaccount(t.Context(), "")),
		"a number to reactivate": second(p.ReactivateSubaccount(t.Context(), "PN"+unknownSID[2:])),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestASuspensionThatTheStoreDoesNotTakeIsToldWithTheAccount(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(storeFuncs{
		load: store.Load,
		save: func(context.Context, twilioacct.Record) (twilioacct.Record, error) {
			return twilioacct.Record{}, errAway
		},
	}))
	acme := fake.AddSubaccount("acme").SID
	a, err := p.SuspendSubaccount(t.Context(), acme)
	require.ErrorIs(t, err, errAway)
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	assert.Equal(t, acme, storeErr.SID)
	assert.Equal(t, twilioacct.StatusSuspended, a.Status)

	fake.Inject(twiliotest.Fault{Operation: "UpdateAccount", Status: 400, Code: 20020})
	a, err = p.ReactivateSubaccount(t.Context(), acme)
	require.ErrorIs(t, err, twilioacct.ErrConflict, "that Twilio has not made the change counts before the Store")
	assert.Equal(t, twilioacct.StatusSuspended, a.Status)
}

// What the other process wants is in the Store already, so it writes nothing, and the earlier one overwrites it under the same revision.
func TestTheLaterOfTwoChangesIsHeldAlsoWhereItWroteNothing(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	fake.SetStatus(acme.SID, twiliotest.Suspended)
	store := twilioacct.NewMemStore(twilioacct.Record{
		SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken), Status: twilioacct.StatusSuspended,
	})
	other := providerOn(t, fake, withStore(store))
	slow := providerOn(t, fake, withStore(storeFuncs{
		load: store.Load,
		save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if r.Status == twilioacct.StatusActive {
				_, err := other.SuspendSubaccount(ctx, acme.SID)
				assert.NoError(t, err)
			}
			return store.Save(ctx, r)
		},
	}))
	_, err := slow.ReactivateSubaccount(t.Context(), acme.SID)
	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusSuspended, kept.Status, "as Twilio has it")
}

func TestEveryBadSettingIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	bad, sid := new("acme"), "PN"+unknownSID[2:]
	for name, settings := range map[string]twilioacct.PhoneNumberSettings{
		"VoiceURL": {VoiceURL: bad}, "VoiceMethod": {VoiceMethod: bad},
		"VoiceFallbackURL": {VoiceFallbackURL: bad}, "VoiceFallbackMethod": {VoiceFallbackMethod: bad},
		"SMSURL": {SMSURL: bad}, "SMSMethod": {SMSMethod: bad},
		"SMSFallbackURL": {SMSFallbackURL: bad}, "SMSFallbackMethod": {SMSFallbackMethod: bad},
		"StatusCallback": {StatusCallback: bad}, "StatusCallbackMethod": {StatusCallbackMethod: bad},
		"VoiceApplicationSID": {VoiceApplicationSID: bad}, "SMSApplicationSID": {SMSApplicationSID: bad},
		"TrunkSID": {TrunkSID: bad}, "AddressSID": {AddressSID: bad}, "BundleSID": {BundleSID: bad},
		"an application and a trunk": {VoiceApplicationSID: new("AP" + unknownSID[2:]), TrunkSID: new("TK" + unknownSID[2:])},
		"a URL of no host":           {SMSURL: new("https:///sms")},
	} {
		for _, err := range []error{
			second(acme.ConfigureNumber(t.Context(), sid, settings)),
			second(acme.BuyNumber(t.Context(), twilioacct.NumberOrder{PhoneNumber: "+14155550100", Settings: settings})),
			second(acme.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415, Settings: settings})),
		} {
			require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		}
	}
	for name, settings := range map[string]twilioacct.MessagingServiceSettings{
		"FriendlyName": {FriendlyName: new("acme ")}, "Validity": {Validity: new(time.Millisecond)},
		"InboundURL": {InboundURL: bad}, "InboundMethod": {InboundMethod: bad},
		"FallbackURL": {FallbackURL: bad}, "FallbackMethod": {FallbackMethod: bad},
		"StatusCallback": {StatusCallback: bad}, "ScanContent": {ScanContent: bad}, "UseCase": {UseCase: bad},
		"nothing": {LoseInbound: true},
	} {
		err := second(acme.ConfigureMessagingService(t.Context(), "MG"+unknownSID[2:], settings))
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	area := second(acme.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 1000}))
	require.ErrorIs(t, area, twilioacct.ErrInvalid)
	for _, number := range []string{"+01555550100", "+1415555010:"} {
		require.ErrorIs(t, second(acme.FindNumber(t.Context(), number)), twilioacct.ErrInvalid, number)
	}
	assert.Zero(t, fake.Count(""))
}

func TestASIDOfAnotherKindIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	account, set := acme.SID(), new("https://acme.example")
	for name, err := range map[string]error{
		"ConfigureNumber": second(acme.ConfigureNumber(t.Context(), account, twilioacct.PhoneNumberSettings{SMSURL: set})),
		"ReleaseNumber":   acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: account, PhoneNumber: "+14155550100"}),
		"ConfigureMessagingService": second(acme.ConfigureMessagingService(t.Context(), account,
			twilioacct.MessagingServiceSettings{InboundURL: set})),
		"DeleteMessagingService": acme.DeleteMessagingService(t.Context(), account),
		"RemoveSender": acme.RemoveSender(t.Context(),
			twilioacct.Sender{ServiceSID: account, PhoneNumberSID: "PN" + unknownSID[2:]}),
		"Messages": endOf(acme.Messages(t.Context(), &twilioacct.MessageFilter{From: "+1 208"})),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestARepeatedRunSetsNothingOfAServiceThatHasItAll(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	spec := twilioacct.Spec{FriendlyName: "FalconFlights", Messaging: &twilioacct.MessagingSpec{
		FriendlyName: "x",
		Settings: twilioacct.MessagingServiceSettings{
			InboundURL: new("https://acme.example/in"), InboundMethod: new("GET"),
			FallbackURL: new("https://acme.example/fallback"), FallbackMethod: new("GET"),
			UseNumberWebhook: new(true), StatusCallback: new("https://acme.example/status"),
			StickySender: new(false), MMSConverter: new(false), SmartEncoding: new(false), AreaCodeMatch: new(false),
			ScanContent: new("disable"), Validity: new(time.Minute), UseCase: new("marketing"),
		},
	}}
	for range 2 {
		_, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, fake.Count("CreateService"))
	assert.Zero(t, fake.Count("UpdateService"))
}

func TestWhatAMoveHasChangedIsSetAgain(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		VoiceURL: "https://acme.example/voice", VoiceMethod: "GET",
		VoiceFallbackURL: "https://acme.example/voice/fallback", VoiceFallbackMethod: "GET",
		SMSURL: "https://acme.example/sms", SMSMethod: "GET",
		SMSFallbackURL: "https://acme.example/sms/fallback", SMSFallbackMethod: "GET",
		StatusCallback: "https://acme.example/status", StatusCallbackMethod: "GET", FriendlyName: "main",
	})
	tenants := providerOn(t, fake, nil).Subaccount(to)
	var once sync.Once
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		twilio := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if now, _ := fake.PhoneNumber(number.SID); now.AccountSID == to {
				once.Do(func() { // as Twilio could, in the move
					_, err := tenants.ConfigureNumber(t.Context(), number.SID, twilioacct.PhoneNumberSettings{
						FriendlyName: new("moved"), VoiceURL: new(""), VoiceMethod: new("POST"),
						VoiceFallbackURL: new(""), VoiceFallbackMethod: new("POST"), SMSURL: new(""), SMSMethod: new("POST"),
						SMSFallbackURL: new(""), SMSFallbackMethod: new("POST"), StatusCallback: new(""), StatusCallbackMethod: new("POST"),
					})
					assert.NoError(t, err)
				})
			}
			return twilio.RoundTrip(r)
		})}
	})
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.NoError(t, err)
	assert.True(t, done.Configured)
	want := number
	now, _ := fake.PhoneNumber(number.SID)
	want.AccountSID, want.DateUpdated = to, now.DateUpdated
	assert.Equal(t, want, now)
}

func TestATrunkOfTheLosingAccountIsLeftInTheMoveItself(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{TrunkSID: "TK" + unknownSID[2:]})
	_, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: fake.AddSubaccount("acme").SID})
	require.NoError(t, err)
	form := formOf(t, fake, "UpdateIncomingPhoneNumber")
	assert.True(t, form.Has("TrunkSid"))
	assert.Empty(t, form.Get("TrunkSid"))
}

func TestAllOfAMessageIsReturned(t *testing.T) {
	t.Parallel()
	const date = "Mon, 05 Oct 2026 10:00:0"
	p := scripted(t, func(*http.Request) (int, string) {
		return 200, `{"sid":"SM` + unknownSID[2:] + `","account_sid":"` + scriptedParent + `","to":"` + recipient + `","from":"+14155550100",
			"body":"Hi","status":"undelivered","direction":"outbound-api","num_segments":"2","num_media":"3","error_code":30034,
			"error_message":"blocked","price":"-0.0075","price_unit":"USD","messaging_service_sid":"MG` + unknownSID[2:] + `",
			"date_created":"` + date + `1 +0000","date_updated":"` + date + `2 +0000","date_sent":"` + date + `3 +0000"}`
	})
	got, err := p.Parent().Message(t.Context(), "SM"+unknownSID[2:])
	require.NoError(t, err)
	at := func(second int) time.Time { return time.Date(2026, time.October, 5, 10, 0, second, 0, time.UTC) }
	for _, date := range []*time.Time{&got.DateCreated, &got.DateUpdated, &got.DateSent} {
		*date = date.UTC()
	}
	assert.Equal(t, twilioacct.Message{
		SID: "SM" + unknownSID[2:], AccountSID: scriptedParent, ServiceSID: "MG" + unknownSID[2:], To: recipient, From: "+14155550100",
		Body: "Hi", Status: twilioacct.MessageUndelivered, Direction: "outbound-api", Segments: 2, Media: 3,
		ErrorCode: 30034, ErrorMessage: "blocked", Price: "-0.0075", PriceUnit: "USD",
		DateCreated: at(1), DateUpdated: at(2), DateSent: at(3),
	}, got)
}

func TestARedactionThatTwilioDoesNotCarryOutIsAConflict(t *testing.T) {
	t.Parallel()
	sid := "SM" + unknownSID[2:]
	p := scripted(t, func(*http.Request) (int, string) {
		return 200, `{"sid":"` + sid + `","account_sid":"` + scriptedParent + `","body":"private"}`
	})
	got, err := p.Parent().RedactMessage(t.Context(), sid)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Equal(t, "private", got.Body)
}

func TestMessagesSentBeforeATimeAreAskedForByIt(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	noon := time.Date(2026, time.October, 5, 12, 0, 0, 0, time.FixedZone("", 3600))
	assert.Empty(t, allOf(t, acme.Messages(t.Context(), &twilioacct.MessageFilter{SentBefore: noon})))
	query := queriesOf(t, fake, "ListMessage")[0]
	assert.Equal(t, "2026-10-05T11:00:00Z", query.Get("DateSent<"))
	assert.False(t, query.Has("DateSent>"))
}

func TestAnotherNumberThanTheOrderedOneIsReturnedBesideTheError(t *testing.T) {
	t.Parallel()
	p := scripted(t, func(*http.Request) (int, string) {
		return 201, `{"sid":"PN` + unknownSID[2:] + `","account_sid":"` + scriptedParent + `","phone_number":"+14155550199"}`
	})
	bought, err := p.Parent().BuyNumber(t.Context(), twilioacct.NumberOrder{PhoneNumber: "+14155550100"})
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Equal(t, "+14155550199", bought.PhoneNumber)
	assert.Equal(t, "PN"+unknownSID[2:], bought.SID)
}

func TestAllOfASenderIsReturned(t *testing.T) {
	t.Parallel()
	number, service := "PN"+unknownSID[2:], "MG"+unknownSID[2:]
	p := scripted(t, func(*http.Request) (int, string) {
		return 200, `{"sid":"` + number + `","account_sid":"` + scriptedParent + `","service_sid":"` + service + `",
			"phone_number":"+14155550100","country_code":"US","capabilities":["Voice","SMS","MMS"],
			"date_created":"2026-10-05T10:00:01Z","date_updated":"2026-10-05T10:00:02Z"}`
	})
	got, err := p.Parent().Sender(t.Context(), twilioacct.Sender{ServiceSID: service, PhoneNumberSID: number})
	require.NoError(t, err)
	assert.Equal(t, twilioacct.ServiceNumber{
		SID: number, AccountSID: scriptedParent, ServiceSID: service, PhoneNumber: "+14155550100", Country: "US",
		Capabilities: twilioacct.Capabilities{Voice: true, SMS: true, MMS: true},
		DateCreated:  time.Date(2026, time.October, 5, 10, 0, 1, 0, time.UTC),
		DateUpdated:  time.Date(2026, time.October, 5, 10, 0, 2, 0, time.UTC),
	}, got)
}

func TestAnAnswerAboutAnotherThanTheOneAskedForIsNone(t *testing.T) {
	t.Parallel()
	asked := unknownSID[2:]
	for name, other := range map[string]string{"another one": strings.Repeat("e", 32), "no SID": "x"} {
		body := func(kind string) string {
			return `{"sid":"` + kind + other + `","account_sid":"` + scriptedParent + `"}`
		}
		acting := func(kind string) *twilioacct.Handle {
			return scripted(t, func(*http.Request) (int, string) { return 200, body(kind) }).Parent()
		}
		number, err := acting("PN").PhoneNumber(t.Context(), "PN"+asked)
		require.Error(t, err, name)
		assert.Zero(t, number, name)
		service, err := acting("MG").MessagingService(t.Context(), "MG"+asked)
		require.Error(t, err, name)
		assert.Zero(t, service, name)
		message, err := acting("SM").Message(t.Context(), "SM"+asked)
		require.Error(t, err, name)
		assert.Zero(t, message, name)
	}
	odd := scripted(t, func(*http.Request) (int, string) { return 201, `{"sid":"PN","account_sid":"` + scriptedParent + `"}` })
	require.ErrorIs(t, second(odd.Parent().BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415})), twilioacct.ErrOutcomeUnknown)
}

func TestAListEndsWhereItsReaderStopsAndAtTheFirstOfAnotherAccount(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	for range 3 {
		fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	}
	for n, err := range acme.PhoneNumbers(t.Context(), nil) {
		require.NoError(t, err)
		assert.NotEmpty(t, n.SID)
		break
	}
	p := scripted(t, func(*http.Request) (int, string) {
		const others = `{"sid":"PN` + "ffffffffffffffffffffffffffffffff" + `","account_sid":"` + unknownSID + `"}`
		return 200, `{"incoming_phone_numbers":[` + others + `,` + others + `]}`
	})
	failures := 0
	for n, err := range p.Parent().PhoneNumbers(t.Context(), nil) {
		require.Error(t, err)
		assert.Zero(t, n)
		failures++
	}
	assert.Equal(t, 1, failures)
}

func TestAReleaseIsNeverRepeatedAndASettingIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenant(t)
		number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
		service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{UseInboundWebhookOnNumber: true})
		for _, operation := range []string{"UpdateIncomingPhoneNumber", "UpdateService", "CreatePhoneNumber", "DeleteIncomingPhoneNumber"} {
			fake.Inject(twiliotest.Fault{Operation: operation, Reset: true})
		}
		_, err := acme.ConfigureNumber(t.Context(), number.SID, twilioacct.PhoneNumberSettings{SMSURL: new("https://acme.example")})
		require.NoError(t, err)
		_, err = acme.ConfigureMessagingService(t.Context(), service.SID, twilioacct.MessagingServiceSettings{StickySender: new(false)})
		require.NoError(t, err)
		_, err = acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID})
		require.NoError(t, err)
		err = acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: number.SID, PhoneNumber: number.PhoneNumber})
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		assert.Equal(t, 1, fake.Count("DeleteIncomingPhoneNumber"))
	})
}

func TestAFoundAccountIsHeldAgainstItsRecord(t *testing.T) {
	t.Parallel()
	spec := twilioacct.Spec{FriendlyName: "FalconFlights"}
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	acme := fake.AddSubaccount("FalconFlights")
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	fake.ForgetRequests()
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Zero(t, fake.Count("FetchAccount"), "nothing differs")
	newest := fake.RotateToken(acme.SID)
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, newest, kept.AuthToken.Reveal())

	away := providerOn(t, fake, withStore(storeFuncs{load: func(context.Context, string) (twilioacct.Record, error) {
		return twilioacct.Record{}, errAway
	}}))
	require.ErrorIs(t, second(away.Provision(t.Context(), spec)), errAway)
	fake.ForgetRequests()
	_, err = providerOn(t, fake, withStore(twilioacct.NewMemStore())).Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Zero(t, fake.Count("FetchAccount"), "a store that makes no records is to have none")
}

func TestAnotherNumbersTollFreeVerificationIsNone(t *testing.T) {
	t.Parallel()
	number, service := "PN"+unknownSID[2:], "MG"+unknownSID[2:]
	ids := `{"account_sid":"` + scriptedParent + `","sid":"`
	p := scripted(t, func(r *http.Request) (int, string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/PhoneNumbers"):
			return 200, `{"phone_numbers":[` + ids + number + `","phone_number":"+18885550100","capabilities":["SMS"]}],"meta":{}}`
		case strings.Contains(r.URL.Path, "Tollfree"):
			return 200, `{"verifications":[{"tollfree_phone_number_sid":"PN` + strings.Repeat("e", 32) + `","status":"TWILIO_APPROVED"}],"meta":{}}`
		}
		return 200, ids + service + `"}`
	})
	want := twilioacct.Readiness{Reasons: []twilioacct.Reason{{Kind: twilioacct.ReasonTollFree, SID: number}}}
	assert.Equal(t, want, p.Parent().Ready(t.Context(), service))
}

func TestDatesAndOriginAreReturned(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{})
	n, err := acme.PhoneNumber(t.Context(), number.SID)
	require.NoError(t, err)
	assert.Equal(t, number.Origin, n.Origin)
	assert.WithinDuration(t, number.DateCreated, n.DateCreated, time.Second)
	assert.WithinDuration(t, number.DateUpdated, n.DateUpdated, time.Second)
	s, err := acme.MessagingService(t.Context(), service.SID)
	require.NoError(t, err)
	assert.WithinDuration(t, service.DateCreated, s.DateCreated, time.Second)
	assert.WithinDuration(t, service.DateUpdated, s.DateUpdated, time.Second)
}

func TestMessagesAndSendersOnAnotherPageAreListed(t *testing.T) {
	t.Parallel()
	p := scripted(t, func(r *http.Request) (int, string) {
		sid, next := unknownSID[2:], "null"
		if r.URL.Query().Get("PageToken") == "" {
			sid, next = strings.Repeat("e", 32), `"`+r.URL.Path+`?Page=1&PageToken=x"`
		}
		entry := func(kind string) string {
			return `[{"sid":"` + kind + sid + `","account_sid":"` + scriptedParent + `"}]`
		}
		if strings.HasSuffix(r.URL.Path, "/PhoneNumbers") {
			next = strings.Replace(next, `"/`, `"https://messaging.twilio.com/`, 1)
			return 200, `{"phone_numbers":` + entry("PN") + `,"meta":{"next_page_url":` + next + `}}`
		}
		return 200, `{"messages":` + entry("SM") + `,"next_page_uri":` + next + `}`
	})
	assert.Len(t, allOf(t, p.Parent().Senders(t.Context(), "MG"+unknownSID[2:])), 2)
	assert.Len(t, allOf(t, p.Parent().Messages(t.Context(), nil)), 2)
}

func TestAServiceThatCannotBeLookedAtIsNamed(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	service := "MG" + unknownSID[2:]
	ready := acme.Ready(t.Context(), service)
	require.Len(t, ready.Reasons, 1)
	assert.Equal(t, service, ready.Reasons[0].SID)
	assert.Contains(t, ready.Reasons[0].String(), service)
	require.ErrorIs(t, ready.Reasons[0].Err, twilioacct.ErrNotFound)
}
