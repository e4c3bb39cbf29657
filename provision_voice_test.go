package twilioacct_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const aTrunk = "TK00000000000000000000000000000001"

// talking is a tenant that calls from browsers, and whose number is answered by the same application.
func talking(n *twilioacct.NumberSpec) twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: "Falcon Flights", Key: "customer 7", Number: n,
		Voice: &twilioacct.VoiceSpec{
			FriendlyName: "browser calls",
			Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://example.com/outgoing")},
			Incoming:     &twilioacct.IncomingCalls{},
			Token:        &twilioacct.TokenSpec{Identity: "alice", Lifetime: 10 * time.Minute, Voice: twilioacct.VoiceGrant{Incoming: true}},
		},
	}
}

func TestATenantIsSetUpForCallsInOneCall(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{Country: "US", AreaCode: 415}})

	has, err := p.Provision(t.Context(), spec)

	require.NoError(t, err)
	assert.Equal(t, []string{
		"ListAccount", "ListAvailablePhoneNumberLocal",
		"CreateAccount", "CreateIncomingPhoneNumber", "CreateNewKey", "ListKey", "CreateApplication", "UpdateIncomingPhoneNumber",
	}, operationsOf(fake))
	app, ok := fake.Application(has.Application.SID)
	require.True(t, ok)
	assert.Equal(t, "https://example.com/outgoing", app.VoiceURL)
	number, _ := fake.PhoneNumber(has.Caller.SID)
	assert.Equal(t, app.SID, number.VoiceApplicationSID)
	assert.Equal(t, has.Account.SID, number.AccountSID)
	assert.Len(t, fake.Keys(has.Account.SID), 1)

	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, has.Application, again.Application)
	for _, s := range again.Steps {
		t.Log(s)
	}
}

func operationsOf(fake *twiliotest.Server) []string {
	var operations []string
	for _, r := range fake.Requests() {
		operations = append(operations, r.Operation)
	}
	return operations
}

func TestTheFirstTokenIsTheTenants(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	has, err := p.Provision(t.Context(), talking(nil))
	require.NoError(t, err)
	token, err := fake.VerifyAccessToken(has.Token.Token.Reveal())
	require.NoError(t, err)
	assert.Equal(t, has.Account.SID, token.AccountSID)
	assert.Equal(t, has.APIKey.Key.SID, token.KeySID)
	assert.Equal(t, "alice", token.Identity)
	assert.Equal(t, has.Application.SID, token.Voice.OutgoingApplicationSID)
	assert.True(t, token.Voice.IncomingAllowed)
	assert.Empty(t, has.Caller, "an account without numbers is no failure")
	assert.Empty(t, has.Incoming)
	assert.Equal(t, []string{
		"subaccount made", "api_key made", "application made", "caller_number found", "incoming_calls found", "access_token made",
	}, stepsOf(has.Steps))
	assert.Zero(t, fake.Count("ListIncomingPhoneNumber"), "a new account has no numbers")
}

func TestTheCallerNumberIsTheTenantsOwn(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	voiceless := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	first := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	second := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	theirs := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	wanting := func(number string) twilioacct.Spec {
		spec := talking(nil)
		spec.FriendlyName, spec.AccountSID, spec.Voice.CallerNumber, spec.Voice.Incoming = "", account, number, nil
		return spec
	}
	requireUntouched(t, fake, p, wanting(theirs.PhoneNumber), twilioacct.ErrNotFound, twilioacct.StepCaller)
	requireUntouched(t, fake, p, wanting(voiceless.PhoneNumber), twilioacct.ErrConflict, twilioacct.StepCaller)
	unknown := talking(nil)
	unknown.Voice.CallerNumber = theirs.PhoneNumber
	requireUntouched(t, fake, p, unknown, twilioacct.ErrNotFound, twilioacct.StepCaller)

	has, err := p.Provision(t.Context(), wanting(first.PhoneNumber))
	require.NoError(t, err)
	assert.Equal(t, first.SID, has.Caller.SID)
	has, err = p.Provision(t.Context(), wanting(""))
	require.NoError(t, err)
	assert.Equal(t, second.SID, has.Caller.SID, "the first of the list that can call")
}

func TestANumberThatIsMovedIsTheCallerAndIsAnswered(t *testing.T) {
	t.Parallel()
	for _, wanted := range []bool{false, true} {
		fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
		number := owlie(fake)
		spec := talking(&twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: number.SID}})
		if wanted {
			spec.Voice.CallerNumber = number.PhoneNumber
		}
		plan, err := p.Plan(t.Context(), spec)
		require.NoError(t, err)
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, stepsOf(plan.Steps), stepsOf(has.Steps))
		assert.Equal(t, number.SID, has.Caller.SID)
		assert.Equal(t, has.Caller, has.Number)
		assert.Equal(t, has.Application.SID, has.Caller.VoiceApplicationSID)
		assert.Equal(t, has.Application.SID, fake.AnsweredBy(number.PhoneNumber).ApplicationSID)
	}
}

func TestANumberThatCannotCallIsNotBoughtNorMovedForCalls(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	voiceless := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	spec := talking(&twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: voiceless.SID}})
	requireUntouched(t, fake, p, spec, twilioacct.ErrConflict, twilioacct.StepNumber)

	_, err := p.Provision(t.Context(), talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}}))
	require.NoError(t, err)
	assert.Equal(t, "true", queriesOf(t, fake, "ListAvailablePhoneNumberLocal")[0].Get("VoiceEnabled"))
}

func TestAHandlerOfItsOwnAnswersTheTenantsCalls(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	number := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
	spec := talking(nil)
	spec.FriendlyName, spec.AccountSID = "", account
	spec.Voice.Incoming.Handler.StudioFlowSID = aFlow

	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	has, err := p.Provision(t.Context(), spec)

	require.NoError(t, err)
	assert.Equal(t, plan.Incoming, has.Incoming)
	assert.Equal(t, "https://acme.example/old", has.Incoming[0].Before.URL)
	assert.Equal(t, aFlow, has.Incoming[0].After.StudioFlowSID)
	assert.Equal(t, aFlow, fake.AnsweredBy(number.PhoneNumber).FlowSID)

	spec.Voice.Incoming = &twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: fake.AddApplication(fake.Parent().SID)}}
	requireUntouched(t, fake, p, spec, twilioacct.ErrNotFound, twilioacct.StepIncoming)
}

func TestASpecForCallsThatCannotBeIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	type settings = twilioacct.PhoneNumberSettings
	for name, spoil := range map[string]func(*twilioacct.Spec){
		"no application name":    func(s *twilioacct.Spec) { s.Voice.FriendlyName = "" },
		"two application names":  func(s *twilioacct.Spec) { s.Voice.Settings.FriendlyName = new("x") },
		"a bad setting":          func(s *twilioacct.Spec) { s.Voice.Settings.VoiceURL = new("x") },
		"a caller that is none":  func(s *twilioacct.Spec) { s.Voice.CallerNumber = "415" },
		"a purpose that is none": func(s *twilioacct.Spec) { s.Voice.KeyPurpose = "Voice" },
		"a handler that is none": func(s *twilioacct.Spec) { s.Voice.Incoming.Handler.URL = "x" },
		"no application's SID, beside a number": func(s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.ApplicationSID = "A"
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{}}
		},
		"a token for nobody":      func(s *twilioacct.Spec) { s.Voice.Token.Identity = "" },
		"a token that lives long": func(s *twilioacct.Spec) { s.Voice.Token.Lifetime = 25 * time.Hour },
		"two words for who answers": func(s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.URL = answerURL
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{}, Settings: settings{VoiceURL: new("https://acme.example")}}
		},
		"an application of the move's": func(s *twilioacct.Spec) {
			s.Number = &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: "+14155550100", VoiceApplicationSID: anApp}}
		},
		"a trunk and an application": func(s *twilioacct.Spec) {
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{}, Settings: settings{TrunkSID: new(aTrunk)}}
		},
		"two purposes": func(s *twilioacct.Spec) { s.Voice.Token.Purpose = "mobile" },
		"two words for messages": func(s *twilioacct.Spec) {
			s.Voice.Incoming.Settings.SMSURL = new("https://acme.example/1")
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{}, Settings: settings{SMSURL: new("https://acme.example/2")}}
		},
	} {
		spec := talking(nil)
		spoil(&spec)
		_, err := p.Provision(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		_, err = p.Plan(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestWithoutAPlaceForTheKeyNothingIsMade(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]twilioacct.Store{"no store": nil, "a store that makes no documents": twilioacct.NewMemStore()} {
		fake, p := setup(t, withStore(store))
		_, err := p.Provision(t.Context(), talking(nil))
		var failed *twilioacct.StepError
		require.ErrorAs(t, err, &failed, name)
		assert.Equal(t, twilioacct.StepAPIKey, failed.Step, name)
		assert.Empty(t, fake.Subaccounts(), name)
	}
}

func TestAnApplicationThatWasDeletedBehindOurBackIsMadeAgainAndAnswers(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	first, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	fake.DeleteApplication(first.Application.SID)
	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.NotEqual(t, first.Application.SID, again.Application.SID)
	assert.Equal(t, again.Application.SID, fake.AnsweredBy(again.Number.PhoneNumber).ApplicationSID)
	token, err := fake.VerifyAccessToken(again.Token.Token.Reveal())
	require.NoError(t, err)
	assert.Equal(t, again.Application.SID, token.Voice.OutgoingApplicationSID)
}

func TestWhatCannotAnswerOrCallIsRefusedBeforeANumberIsBoughtOrMoved(t *testing.T) {
	t.Parallel()
	type change = func(*twiliotest.Server, *twilioacct.Spec)
	buy := func(s *twilioacct.Spec) {
		s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}}
	}
	move := func(fake *twiliotest.Server, s *twilioacct.Spec, n twiliotest.PhoneNumber) twiliotest.PhoneNumber {
		n = fake.AddPhoneNumber(fake.Parent().SID, n)
		s.Number = &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: n.SID}}
		return n
	}
	existing := func(fake *twiliotest.Server, s *twilioacct.Spec) {
		s.FriendlyName, s.AccountSID = "", fake.AddSubaccount("acme").SID
	}
	for name, c := range map[string]struct {
		spoil change
		kind  error
		step  twilioacct.StepName
	}{
		"a caller that nobody has, moved": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			move(f, s, twiliotest.PhoneNumber{})
			s.Voice.CallerNumber = "+14155559999"
		}, twilioacct.ErrNotFound, twilioacct.StepCaller},
		"a caller that nobody has, moved to an account that exists": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			existing(f, s)
			move(f, s, twiliotest.PhoneNumber{})
			s.Voice.CallerNumber = "+14155559999"
		}, twilioacct.ErrNotFound, twilioacct.StepCaller},
		"a caller without voice, moved": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.CallerNumber = move(f, s, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}}).PhoneNumber
		}, twilioacct.ErrConflict, twilioacct.StepCaller},
		"a caller that nobody has, bought": {func(_ *twiliotest.Server, s *twilioacct.Spec) {
			buy(s)
			s.Voice.CallerNumber = "+14155559999"
		}, twilioacct.ErrNotFound, twilioacct.StepCaller},
		"a caller that is for sale and cannot call": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			const sold = "+12025550177"
			f.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: sold, Capabilities: twiliotest.Capabilities{SMS: true}})
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 202, Contains: sold}}
			s.Voice.CallerNumber = sold
		}, twilioacct.ErrConflict, twilioacct.StepCaller},
		"its own application by its SID, which is to answer nothing": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			existing(f, s)
			s.Voice.Incoming.Handler.ApplicationSID = f.AddApplicationWith(s.AccountSID, twiliotest.Application{
				FriendlyName: s.Voice.FriendlyName, VoiceURL: answerURL,
			}).SID
			s.Voice.Settings.VoiceURL = new("")
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"another account's application, bought": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			existing(f, s)
			buy(s)
			s.Voice.Incoming.Handler.ApplicationSID = f.AddApplication(f.Parent().SID)
		}, twilioacct.ErrNotFound, twilioacct.StepIncoming},
		"an application of a new account": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.ApplicationSID = f.AddApplication(f.Parent().SID)
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"a flow of a new account": {func(_ *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.StudioFlowSID = aFlow
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"an application for messages of a new account": {func(_ *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.Incoming.Settings.SMSApplicationSID = new(anApp)
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"an application that answers nothing": {func(_ *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.Settings.VoiceURL = nil
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"an application that is to answer nothing any more": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			existing(f, s)
			f.AddApplicationWith(s.AccountSID, twiliotest.Application{FriendlyName: s.Voice.FriendlyName, VoiceURL: answerURL})
			s.Voice.Settings.VoiceURL = new("")
		}, twilioacct.ErrInvalid, twilioacct.StepIncoming},
		"a token's application of a new account": {func(_ *twiliotest.Server, s *twilioacct.Spec) {
			s.Voice.Token.Voice.ApplicationSID = anApp
		}, twilioacct.ErrInvalid, twilioacct.StepToken},
		"a token's application of another account": {func(f *twiliotest.Server, s *twilioacct.Spec) {
			existing(f, s)
			s.Voice.Token.Voice.ApplicationSID = f.AddApplication(f.Parent().SID)
		}, twilioacct.ErrNotFound, twilioacct.StepToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
			spec := talking(nil)
			c.spoil(fake, &spec)
			requireUntouched(t, fake, p, spec, c.kind, c.step)
		})
	}
}

func TestACallerNumberOfTheTenantsIsKeptWhereAnotherOneIsBought(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	old := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	spec := talking(&twilioacct.NumberSpec{
		Buy: &twilioacct.NumberSearch{AreaCode: 415}, Settings: twilioacct.PhoneNumberSettings{SMSURL: new("https://acme.example/sms")},
	})
	spec.FriendlyName, spec.AccountSID, spec.Voice.CallerNumber = "", account, old.PhoneNumber
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, old.SID, has.Caller.SID)
	assert.Equal(t, has.Application.SID, has.Caller.VoiceApplicationSID)
	assert.Empty(t, queriesOf(t, fake, "ListAvailablePhoneNumberLocal")[0].Get("VoiceEnabled"), "another number is to call")
	assert.Len(t, has.Incoming, 2)
}

func TestTheCallerIsReturnedAsTheRunHasSetIt(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	spec.Number.Settings.SMSURL = new("https://acme.example/sms")
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, has.Number, has.Caller)
	assert.Equal(t, "https://acme.example/sms", has.Caller.SMSURL)
	assert.Len(t, fake.PhoneNumbers(has.Account.SID), 1)
}

func TestWhereAllNumbersAreLeftNothingIsToldAsMade(t *testing.T) {
	t.Parallel()
	_, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	spec.Voice.Incoming.Deliberate = func(twilioacct.PhoneNumber) bool { return true }
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Contains(t, stepsOf(has.Steps), "incoming_calls found")
	assert.Equal(t, twilioacct.LeftDeliberate, has.Incoming[0].Left)
}

func TestAKeyOfAnotherPurposeSignsTheFirstToken(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(nil)
	spec.Voice.KeyPurpose = "mobile"
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "mobile@default", has.APIKey.Key.FriendlyName)
	token, err := fake.VerifyAccessToken(has.Token.Token.Reveal())
	require.NoError(t, err)
	assert.Equal(t, has.APIKey.Key.SID, token.KeySID)
	assert.Len(t, fake.Keys(has.Account.SID), 1)
}

func TestAKeyThatCannotBeLookedAtEndsTheRunBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	for _, fault := range []twiliotest.Fault{
		{Operation: "ListKey", Status: 403, Code: 20403}, {Operation: "ListApplication", Status: 403, Code: 20403},
	} {
		fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
		spec := talking(nil)
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
		fake.DeleteApplication(has.Application.SID)
		fake.ForgetRequests()
		fake.Inject(fault)
		_, err = p.Provision(t.Context(), spec)
		var failed *twilioacct.StepError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, twilioacct.StepAPIKey, failed.Step)
		assert.Zero(t, fake.Count("CreateApplication"))
	}
}

func TestARunThatFailsBeforeTheNumbersTellsNothingOfThem(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"CreateNewKey", "CreateApplication", "UpdateIncomingPhoneNumber"} {
		fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
		account := fake.AddSubaccount("acme").SID
		fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
		spec := talking(nil)
		spec.FriendlyName, spec.AccountSID = "", account
		spec.Voice.Incoming.Handler.URL = answerURL
		fake.Inject(twiliotest.Fault{Operation: operation, Status: 403, Code: 20403})
		has, err := p.Provision(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrForbidden, operation)
		for _, n := range has.Incoming {
			assert.False(t, n.Changed, operation)
			assert.Equal(t, n.Before, n.After, operation)
		}
		assert.Equal(t, operation == "UpdateIncomingPhoneNumber", has.Incoming != nil, operation)
	}
}

func TestAPlanShowsWhichHandlersWouldGoThoughTheApplicationIsNotThereYet(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
	spec := talking(nil)
	spec.FriendlyName, spec.AccountSID = "", account
	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	require.Len(t, plan.Incoming, 1)
	assert.True(t, plan.Incoming[0].Changed)
	assert.Equal(t, "https://acme.example/old", plan.Incoming[0].Before.URL)
	assert.Equal(t, twilioacct.CallHandler{}, plan.Incoming[0].After)
	assert.Equal(t, []string{"VoiceApplicationSID"}, plan.Incoming[0].Drift)
}

func TestTheTenantsOwnApplicationAnswersWithTheURLThatTheRunSets(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	number := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	app := fake.AddApplicationWith(account, twiliotest.Application{FriendlyName: "browser calls"}).SID
	spec := talking(nil)
	spec.FriendlyName, spec.AccountSID = "", account
	spec.Voice.Incoming.Handler.ApplicationSID, spec.Voice.Token.Voice.ApplicationSID = app, app
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/outgoing", fake.AnsweredBy(number.PhoneNumber).URL)
	for _, q := range queriesOf(t, fake, "ListApplication") {
		assert.Equal(t, "browser calls", q.Get("FriendlyName"), "it was found by its name, and is not looked for again")
	}
}

func TestANumberThatIsNotTheTenantsYetIsNotItsCaller(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	spec := talking(&twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: number.SID}})
	spec.Voice.CallerNumber = number.PhoneNumber
	fake.Inject(twiliotest.Fault{Operation: "CreateAccount", Status: 403, Code: 20403})
	has, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Empty(t, has.Caller)
	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	for _, s := range plan.Steps {
		assert.True(t, s.Name != twilioacct.StepCaller || s.SID == "")
	}
}

func TestAPlanOfATenantWhoseNumbersCannotCallIsWhatTheRunDoes(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	spec := talking(nil)
	spec.FriendlyName, spec.AccountSID = "", account
	plan, err := p.Plan(t.Context(), spec)
	require.NoError(t, err)
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, stepsOf(has.Steps), stepsOf(plan.Steps))
}

func TestTheTenantsOwnCallerIsLookedForOnce(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	old := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	spec.FriendlyName, spec.AccountSID, spec.Voice.CallerNumber, spec.Voice.Incoming = "", account, old.PhoneNumber, nil
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, old.SID, has.Caller.SID)
	assert.Equal(t, 2, fake.Count("ListIncomingPhoneNumber"), "for the key, and for the caller")
}
