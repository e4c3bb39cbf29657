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
		"no application name":     func(s *twilioacct.Spec) { s.Voice.FriendlyName = "" },
		"two application names":   func(s *twilioacct.Spec) { s.Voice.Settings.FriendlyName = new("x") },
		"a bad setting":           func(s *twilioacct.Spec) { s.Voice.Settings.VoiceURL = new("x") },
		"a caller that is none":   func(s *twilioacct.Spec) { s.Voice.CallerNumber = "415" },
		"a purpose that is none":  func(s *twilioacct.Spec) { s.Voice.KeyPurpose = "Voice" },
		"a handler that is none":  func(s *twilioacct.Spec) { s.Voice.Incoming.Handler.URL = "x" },
		"a token for nobody":      func(s *twilioacct.Spec) { s.Voice.Token.Identity = "" },
		"a token that lives long": func(s *twilioacct.Spec) { s.Voice.Token.Lifetime = 25 * time.Hour },
		"two words for who answers": func(s *twilioacct.Spec) {
			s.Voice.Incoming.Handler.URL = answerURL
			s.Number = &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{}, Settings: settings{VoiceURL: new("https://acme.example")}}
		},
		"an application of the move's": func(s *twilioacct.Spec) {
			s.Number = &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: "+14155550100", VoiceApplicationSID: anApp}}
		},
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
