package twilioacct_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// signedRequest is a request with whose credentials it came.
func signedRequest(fake *twiliotest.Server, r twiliotest.Request) string {
	who := "tenant"
	if r.User == fake.Parent().SID {
		who = "parent"
	}
	return who + " " + r.Operation
}

func signedRequests(fake *twiliotest.Server) (all []string) {
	for _, r := range fake.Requests() {
		all = append(all, signedRequest(fake, r))
	}
	return all
}

func TestANumberMovesInTheRightOrderSignedByTheRightAccounts(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	from, to := fake.AddSubaccount("from").SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(from, twiliotest.PhoneNumber{
		FriendlyName: "main", VoiceURL: "https://acme.example/voice", SMSURL: "https://acme.example/sms", SMSMethod: "GET",
		StatusCallback: "https://acme.example/status", VoiceApplicationSID: fake.AddApplication(from), SMSApplicationSID: fake.AddApplication(from),
	})
	service := fake.AddMessagingService(from, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	voiceApp := fake.AddApplication(to)
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: from, ToSID: to, VoiceApplicationSID: voiceApp}

	plan, err := p.PlanTransfer(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, service.SID, plan.LeavesService)
	assert.Equal(t, "https://acme.example/sms", plan.Number.SMSURL)
	assert.Equal(t, []twilioacct.Loss{
		{What: twilioacct.LossMessagingService, SID: service.SID},
		{What: twilioacct.LossVoiceApplication, SID: number.VoiceApplicationSID, By: voiceApp},
		{What: twilioacct.LossSMSApplication, SID: number.SMSApplicationSID},
		{What: twilioacct.LossOptOuts},
		{What: twilioacct.LossRegistrations},
	}, plan.Lost)
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method, "a plan changes nothing")
	}

	fake.ForgetRequests()
	done, err := p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"parent FetchIncomingPhoneNumber", "tenant ListService", "tenant FetchPhoneNumber", "parent FetchAccount", "parent ListApplication",
		"tenant DeletePhoneNumber", "parent UpdateIncomingPhoneNumber", "parent FetchIncomingPhoneNumber", "parent UpdateIncomingPhoneNumber",
	}, signedRequests(fake))
	assert.True(t, done.LeftService && done.Moved && done.Configured)
	assert.Equal(t, voiceApp, done.Number.VoiceApplicationSID)

	now, _ := fake.PhoneNumber(number.SID)
	want := number
	want.AccountSID, want.VoiceApplicationSID, want.SMSApplicationSID, want.DateUpdated = to, voiceApp, "", now.DateUpdated
	assert.Equal(t, want, now)
	left, _ := fake.MessagingService(service.SID)
	assert.Empty(t, left.PhoneNumberSIDs)
}

func TestANumberMovesInEveryDirection(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, one, other := fake.Parent().SID, fake.AddSubaccount("one").SID, fake.AddSubaccount("other").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/voice"})
	at := parent
	for _, to := range []string{one, other, parent, other, one, parent} {
		done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: at, ToSID: to})
		require.NoError(t, err)
		assert.Equal(t, to, done.Number.AccountSID)
		assert.Equal(t, "https://acme.example/voice", done.Number.VoiceURL)
		at = to
	}
}

func TestTheLosingAccountIsTheParentIfNobodySaysOtherwise(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	for _, already := range []bool{false, true} {
		done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: acme})
		require.NoError(t, err)
		assert.Equal(t, already, done.Plan.AlreadyThere)
		assert.Equal(t, !already, done.Moved)
		assert.Equal(t, acme, done.Number.AccountSID)
	}
	fake.AddSubaccounts(50)
	elsewhere := fake.AddPhoneNumber(fake.AddSubaccount("elsewhere").SID, twiliotest.PhoneNumber{})
	fake.ForgetRequests()
	_, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: elsewhere.SID, ToSID: acme})
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	assert.Equal(t, 2, fake.Count(""), "the fleet is not searched")
}

func TestATargetThatIsNotActiveFailsBeforeAnyChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target func(*twiliotest.Server) string
		want   error
	}{
		"suspended": {func(fake *twiliotest.Server) string {
			sid := fake.AddSubaccount("x").SID
			fake.SetStatus(sid, twiliotest.Suspended)
			return sid
		}, twilioacct.ErrSuspended},
		"closed": {func(fake *twiliotest.Server) string {
			sid := fake.AddSubaccount("x").SID
			fake.SetStatus(sid, twiliotest.Closed)
			return sid
		}, twilioacct.ErrClosed},
		"of a new status": {func(fake *twiliotest.Server) string {
			sid := fake.AddSubaccount("x").SID
			fake.SetStatus(sid, "paused")
			return sid
		}, twilioacct.ErrConflict},
		"of somebody else's":             {func(fake *twiliotest.Server) string { return fake.AddForeignAccount(20403).SID }, twilioacct.ErrForbidden},
		"of somebody else's, not found":  {func(fake *twiliotest.Server) string { return fake.AddForeignAccount(20404).SID }, twilioacct.ErrNotFound},
		"of somebody else's, by refusal": {func(fake *twiliotest.Server) string { return fake.AddForeignAccount(20003).SID }, twilioacct.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, nil)
			number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
			service := fake.AddMessagingService(fake.Parent().SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
			_, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: c.target(fake)})
			require.ErrorIs(t, err, c.want)
			unchanged(t, fake, number)
			still, _ := fake.MessagingService(service.SID)
			assert.Len(t, still.PhoneNumberSIDs, 1)
		})
	}
}

// unchanged asserts that nothing but looks was sent.
func unchanged(t *testing.T, fake *twiliotest.Server, number twiliotest.PhoneNumber) {
	t.Helper()
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method, r.Operation)
	}
	now, _ := fake.PhoneNumber(number.SID)
	assert.Equal(t, number, now)
}

func TestASuspendedLosingAccountCannotSayInWhichServiceTheNumberIs(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	from, to := fake.AddSubaccount("from").SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(from, twiliotest.PhoneNumber{})
	fake.SetStatus(from, twiliotest.Suspended)
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: from, ToSID: to}
	plan, err := p.PlanTransfer(t.Context(), transfer)
	require.NoError(t, err)
	assert.True(t, plan.MembershipUnknown)
	_, err = p.TransferNumber(t.Context(), transfer)
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	assert.Contains(t, err.Error(), "IgnoreMembership")
	unchanged(t, fake, number)

	transfer.IgnoreMembership = true
	done, err := p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, to, done.Number.AccountSID)
}

func TestANumberThatNeedsPapersIsNotMovedWithoutThem(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{
		PhoneNumber: "+493012345678", AddressRequirements: "local", AddressSID: "AD" + parent[2:], NeedsBundle: true, BundleSID: "BU" + parent[2:],
	})
	service := fake.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to}
	plan, err := p.PlanTransfer(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, []string{"AddressSID", "BundleSID"}, plan.Need)
	done, err := p.TransferNumber(t.Context(), transfer)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Contains(t, err.Error(), "BundleSID")
	assert.Equal(t, plan, done.Plan)
	unchanged(t, fake, number)
	still, _ := fake.MessagingService(service.SID)
	assert.Len(t, still.PhoneNumberSIDs, 1)

	transfer.AddressSID, transfer.BundleSID = "AD"+to[2:], "BU"+to[2:]
	done, err = p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.Equal(t, transfer.AddressSID, done.Number.AddressSID)
	assert.Equal(t, transfer.BundleSID, done.Number.BundleSID)
	assert.False(t, done.Configured, "both went along with the move")
}

func TestWhatTwilioLosesInAMoveIsSetAgain(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{
		FriendlyName: "main", VoiceURL: "https://acme.example/voice", VoiceMethod: "GET", SMSFallbackURL: "https://acme.example/fallback",
	})
	// Twilio answers the move well, but the number arrives with nothing set, and with an application of the other account's.
	dangling := fake.AddApplication(parent)
	fake.Inject(twiliotest.Fault{
		Operation: "FetchIncomingPhoneNumber", Path: to, Status: 200,
		Body: []byte(`{"sid":"` + number.SID + `","account_sid":"` + to + `","voice_application_sid":"` + dangling + `"}`),
	})
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.NoError(t, err)
	assert.True(t, done.Configured)
	form := fake.Requests()[len(fake.Requests())-1].Form
	assert.Equal(t, "https://acme.example/voice", form.Get("VoiceUrl"))
	assert.Equal(t, "GET", form.Get("VoiceMethod"))
	assert.Equal(t, "main", form.Get("FriendlyName"))
	assert.Equal(t, "https://acme.example/fallback", form.Get("SmsFallbackUrl"))
	assert.True(t, form.Has("VoiceApplicationSid"))
	assert.Empty(t, form.Get("VoiceApplicationSid"))
	assert.False(t, form.Has("SmsUrl"), "what was not set is not set now")
}

func TestAMoveWhoseReplyIsLostIsLookedIntoAndNotRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"a reset after":   {Reset: true, AfterEffect: true},
		"503 after":       {Status: 503, AfterEffect: true},
		"HTML after":      {Status: 502, HTML: true, AfterEffect: true},
		"half a reply":    {Truncate: 10},
		"a strange reply": {Status: 200, Body: []byte(`{}`), AfterEffect: true},
		"a hang after":    {Hang: true, AfterEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, p := setup(t, nil)
				to := fake.AddSubaccount("to").SID
				number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
				fault.Operation = "UpdateIncomingPhoneNumber"
				fake.Inject(fault)
				done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
				require.NoError(t, err)
				assert.True(t, done.Moved)
				assert.Equal(t, 1, fake.Count("UpdateIncomingPhoneNumber"))
			})
		})
	}
	fake, p := setup(t, nil)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Status: 503})
	_, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown, "it has not arrived, yet")
}

func TestAMoveThatTwilioHasAcceptedIsToldThoughTheLookFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		to := fake.AddSubaccount("to").SID
		number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
		fake.Inject(twiliotest.Fault{Operation: "FetchIncomingPhoneNumber", Path: to, Status: 500, Times: twiliotest.Always})
		done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		assert.True(t, done.Moved)
		assert.Equal(t, to, done.Number.AccountSID)

		fake.ClearFaults()
		other := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
		fake.Inject(twiliotest.Fault{Operation: "FetchIncomingPhoneNumber", Path: to, Code: 20404, Times: 3}) // it takes a moment
		done, err = p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: other.SID, ToSID: to})
		require.NoError(t, err)
		assert.True(t, done.Moved)
	})
}

func TestWhoeverMovesANumberSecondFindsItThere(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	overtaken := providerOn(t, fake, func(o *twilioacct.Options) {
		o.HTTPClient = before(o.HTTPClient, "POST", func() {
			_, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
			assert.NoError(t, err)
		})
	})
	done, err := overtaken.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.NoError(t, err)
	assert.Equal(t, to, done.Number.AccountSID)
}

func TestAMoveInterruptedBeforeItsSettingsLeavesNoApplicationOfTheOtherAccounts(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{VoiceApplicationSID: fake.AddApplication(parent), SMSURL: "https://x.example"})
	fake.Inject(twiliotest.Fault{Operation: "FetchIncomingPhoneNumber", Path: to, Status: 500})
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to}
	_, err := p.TransferNumber(t.Context(), transfer)
	require.Error(t, err)
	for _, r := range fake.Requests() {
		if r.Operation == "UpdateIncomingPhoneNumber" {
			assert.Equal(t, url.Values{"AccountSid": {to}, "VoiceApplicationSid": {""}}, r.Form, "what is the parent's own is left with the move")
		}
	}
	done, err := p.TransferNumber(t.Context(), transfer)
	require.NoError(t, err)
	assert.Empty(t, done.Number.VoiceApplicationSID)
}

func TestANumberThatIsThereAlreadyIsSuccessInASuspendedTarget(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(to, twiliotest.PhoneNumber{})
	fake.SetStatus(to, twiliotest.Suspended)
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumber: number.PhoneNumber, ToSID: to})
	require.NoError(t, err)
	assert.True(t, done.Plan.AlreadyThere)
}

func TestANumberOfASuspendedAccountIsFoundByItsDigits(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	from := fake.AddSubaccount("from").SID
	number := fake.AddPhoneNumber(from, twiliotest.PhoneNumber{})
	fake.SetStatus(from, twiliotest.Suspended)
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{
		PhoneNumber: number.PhoneNumber, FromSID: from, ToSID: fake.Parent().SID, IgnoreMembership: true,
	})
	require.NoError(t, err)
	assert.Equal(t, number.SID, done.Number.SID)
}

func TestANumberWhoseCapabilitiesAreNotToldIsLookedForInServices(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent := fake.Parent().SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	fake.Inject(twiliotest.Fault{Operation: "FetchIncomingPhoneNumber", Body: []byte(`{"sid":"` + number.SID + `","account_sid":"` + parent + `"}`)})
	plan, err := p.PlanTransfer(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: fake.AddSubaccount("to").SID})
	require.NoError(t, err)
	assert.Equal(t, service.SID, plan.LeavesService)

	voice := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	fake.ForgetRequests()
	plan, err = p.PlanTransfer(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: voice.SID, ToSID: fake.AddSubaccount("to").SID})
	require.NoError(t, err)
	assert.Empty(t, plan.Lost)
	assert.Zero(t, fake.Count("ListService"), "it can be in none")
}

func TestEverythingThatDoesNotMoveIsTold(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	own := func(kind string) string { return kind + parent[2:] }
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{
		Capabilities: twiliotest.Capabilities{Voice: true}, TrunkSID: own("TK"), AddressSID: own("AD"), BundleSID: own("BU"), IdentitySID: own("RI"),
		EmergencyAddressSID: own("AD"),
	})
	plan, err := p.PlanTransfer(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to, BundleSID: "BU" + to[2:]})
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.Loss{
		{What: twilioacct.LossTrunk, SID: own("TK")},
		{What: twilioacct.LossAddress, SID: own("AD")},
		{What: twilioacct.LossBundle, SID: own("BU"), By: "BU" + to[2:]},
		{What: twilioacct.LossIdentity, SID: own("RI")},
		{What: twilioacct.LossEmergencyAddress, SID: own("AD")},
	}, plan.Lost)
	assert.Empty(t, plan.Need, "an address that is not required is only lost")
}

func TestALosingAccountThatCannotBeReadDoesNotHideThatTheNumberIsThere(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(to, twiliotest.PhoneNumber{})
	from := fake.AddForeignAccount(20403).SID
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, FromSID: from, ToSID: to})
	require.NoError(t, err)
	assert.True(t, done.Plan.AlreadyThere)
	elsewhere := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	_, err = p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: elsewhere.SID, FromSID: from, ToSID: to})
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
}

func TestAServiceThatIsDeletedMeanwhileHoldsNoNumberBack(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	late := providerOn(t, fake, func(o *twilioacct.Options) {
		o.HTTPClient = before(o.HTTPClient, "DELETE", func() { assert.NoError(t, p.Parent().DeleteMessagingService(t.Context(), service.SID)) })
	})
	done, err := late.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.NoError(t, err)
	assert.True(t, done.Moved)
}

func TestARefusedMoveTellsWhatWasDoneBefore(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent, to := fake.Parent().SID, fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Code: 21473})
	done, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.True(t, done.LeftService)
	assert.Equal(t, service.SID, done.Plan.LeavesService)
	assert.False(t, done.Moved)
	assert.Equal(t, 1, fake.Count("UpdateIncomingPhoneNumber"))
}

func TestBadArgumentsOfAMoveAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	pn, ac := "PN"+unknownSID[2:], unknownSID
	for name, transfer := range map[string]twilioacct.NumberTransfer{
		"nothing":                     {},
		"no target":                   {PhoneNumberSID: pn},
		"an account for the number":   {PhoneNumberSID: ac, ToSID: ac},
		"a number for the account":    {PhoneNumberSID: pn, ToSID: pn},
		"to where it is":              {PhoneNumberSID: pn, ToSID: fake.Parent().SID},
		"from where it goes":          {PhoneNumberSID: pn, FromSID: ac, ToSID: ac},
		"a bad losing account":        {PhoneNumberSID: pn, FromSID: "AC", ToSID: ac},
		"a bad voice application":     {PhoneNumberSID: pn, ToSID: ac, VoiceApplicationSID: pn},
		"a bad SMS application":       {PhoneNumberSID: pn, ToSID: ac, SMSApplicationSID: "AP"},
		"a bad address":               {PhoneNumberSID: pn, ToSID: ac, AddressSID: "here"},
		"a SID and digits":            {PhoneNumberSID: pn, PhoneNumber: "+14155550100", ToSID: ac},
		"bad digits":                  {PhoneNumber: "415", ToSID: ac},
		"a bundle for an address":     {PhoneNumberSID: pn, ToSID: ac, AddressSID: "BU" + ac[2:]},
		"an address for a bundle SID": {PhoneNumberSID: pn, ToSID: ac, BundleSID: "AD" + ac[2:]},
	} {
		_, err := p.TransferNumber(t.Context(), transfer)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		_, err = p.PlanTransfer(t.Context(), transfer)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestANumberIsThereAlreadyHoweverItIsNamedAndWhateverBecameOfTheLosingAccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	to := fake.AddSubaccount("to").SID
	number := fake.AddPhoneNumber(to, twiliotest.PhoneNumber{})
	for _, from := range []string{unknownSID, fake.AddForeignAccount(20404).SID, fake.AddForeignAccount(20403).SID} {
		for _, transfer := range []twilioacct.NumberTransfer{
			{PhoneNumber: number.PhoneNumber, FromSID: from, ToSID: to}, {PhoneNumberSID: number.SID, FromSID: from, ToSID: to},
		} {
			plan, err := p.PlanTransfer(t.Context(), transfer)
			require.NoError(t, err)
			assert.True(t, plan.AlreadyThere)
		}
		_, err := p.PlanTransfer(t.Context(), twilioacct.NumberTransfer{PhoneNumber: "+12065550100", FromSID: from, ToSID: to})
		require.Error(t, err)
		require.NotErrorIs(t, err, twilioacct.ErrUnavailable)
	}
}

func TestASearchForTheServiceFailsAsEverythingElse(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	for range 30 {
		fake.AddMessagingService(fake.Parent().SID, twiliotest.MessagingService{})
	}
	transfer := twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: fake.AddSubaccount("to").SID}
	fake.Inject(twiliotest.Fault{Operation: "ListService", Status: 404, HTML: true})
	_, err := p.PlanTransfer(t.Context(), transfer)
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)

	ctx, cancel := context.WithCancel(t.Context())
	leaving := providerOn(t, fake, func(o *twilioacct.Options) {
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/PhoneNumbers/") {
				cancel()
			}
			return through.RoundTrip(r)
		})}
	})
	_, err = leaving.PlanTransfer(ctx, transfer)
	require.ErrorIs(t, err, context.Canceled)
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
}
