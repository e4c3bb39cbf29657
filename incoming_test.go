package twilioacct_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const (
	answerURL = "https://acme.example/answer"
	aFlow     = "FW00000000000000000000000000000001"
)

func byURL(url string) twilioacct.IncomingCalls {
	return twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: url}}
}

func TestOneHandlerAnswersTheCallsToAllNumbers(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	app := fake.AddApplicationWith(acme.SID(), twiliotest.Application{VoiceURL: "https://acme.example/app"}).SID
	old := fake.AddApplication(acme.SID())
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old", VoiceMethod: "GET"})
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: answerURL, VoiceApplicationSID: old})
	for _, c := range []struct {
		handler twilioacct.CallHandler
		answers twiliotest.Handler
	}{
		{twilioacct.CallHandler{URL: answerURL}, twiliotest.Handler{URL: answerURL, Method: "POST"}},
		{twilioacct.CallHandler{ApplicationSID: app}, twiliotest.Handler{ApplicationSID: app, URL: "https://acme.example/app", Method: "POST"}},
		{twilioacct.CallHandler{StudioFlowSID: aFlow}, twiliotest.Handler{
			FlowSID: aFlow, URL: "https://webhooks.twilio.com/v1/Accounts/" + acme.SID() + "/Flows/" + aFlow, Method: "POST",
		}},
	} {
		want := twilioacct.IncomingCalls{Handler: c.handler}
		fake.ForgetRequests()
		plan, err := acme.PlanIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		for _, r := range fake.Requests() {
			assert.Equal(t, http.MethodGet, r.Method)
		}

		set, err := acme.SetIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		assert.Equal(t, plan, set, "what was planned is what was done")
		assert.Len(t, set, 3)
		for _, n := range set {
			assert.Equal(t, c.answers, fake.AnsweredBy(n.PhoneNumber))
			assert.Equal(t, c.handler, n.After)
			assert.NotEqual(t, c.handler, n.Before)
			assert.True(t, n.Changed)
			is, _ := fake.PhoneNumber(n.SID)
			assert.Equal(t, is.PhoneNumber, n.PhoneNumber)
			assert.Equal(t, acme.SID(), n.AccountSID)
		}

		fake.ForgetRequests()
		again, err := acme.SetIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		for _, operation := range operationsOf(fake) {
			assert.Contains(t, []string{"ListIncomingPhoneNumber", "ListApplication"}, operation, "there is nothing to be done any more")
		}
		for _, n := range again {
			assert.False(t, n.Changed)
			assert.Empty(t, n.Drift)
			assert.Equal(t, c.handler, n.Before)
		}
	}
}

func TestWhatDriftedIsNamedAndRepaired(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	want := byURL(answerURL)
	want.Settings = twilioacct.PhoneNumberSettings{
		VoiceFallbackURL: new("https://acme.example/fallback"), SMSURL: new("https://acme.example/sms"),
	}
	want.TakeTrunks = true
	good := twiliotest.PhoneNumber{VoiceURL: answerURL, VoiceFallbackURL: "https://acme.example/fallback", SMSURL: "https://acme.example/sms"}
	drifts := map[string][]string{} // by number
	for _, c := range []struct {
		spoil func(*twiliotest.PhoneNumber)
		drift []string
	}{
		{func(*twiliotest.PhoneNumber) {}, nil},
		{func(n *twiliotest.PhoneNumber) { n.SMSURL = "" }, []string{"SMSURL"}},
		{func(n *twiliotest.PhoneNumber) { n.VoiceFallbackURL = "" }, []string{"VoiceFallbackURL"}},
		{func(n *twiliotest.PhoneNumber) { n.VoiceMethod = "GET" }, []string{"VoiceMethod"}},
		{func(n *twiliotest.PhoneNumber) { n.VoiceURL = "" }, []string{"VoiceURL"}},
		{func(n *twiliotest.PhoneNumber) { n.VoiceApplicationSID = fake.AddApplication(acme.SID()) }, []string{"VoiceApplicationSID"}},
		{func(n *twiliotest.PhoneNumber) { n.SMSApplicationSID = fake.AddApplication(acme.SID()) }, []string{"SMSApplicationSID"}},
		{func(n *twiliotest.PhoneNumber) { n.TrunkSID = aTrunk }, []string{"TrunkSID"}},
		{func(n *twiliotest.PhoneNumber) { n.VoiceURL, n.SMSURL = "", "" }, []string{"VoiceURL", "SMSURL"}},
	} {
		n := good
		c.spoil(&n)
		drifts[fake.AddPhoneNumber(acme.SID(), n).SID] = c.drift
	}
	for _, look := range []func() ([]twilioacct.IncomingNumber, error){
		func() ([]twilioacct.IncomingNumber, error) { return acme.PlanIncomingCalls(t.Context(), want) },
		func() ([]twilioacct.IncomingNumber, error) { return acme.SetIncomingCalls(t.Context(), want) },
	} {
		numbers, err := look()
		require.NoError(t, err)
		require.Len(t, numbers, len(drifts))
		for _, n := range numbers {
			assert.Equal(t, drifts[n.SID], n.Drift)
			assert.Equal(t, n.Drift != nil, n.Changed)
		}
	}
	for _, n := range fake.PhoneNumbers(acme.SID()) {
		assert.Equal(t, twiliotest.Handler{URL: answerURL, Method: "POST"}, fake.AnsweredBy(n.PhoneNumber))
		assert.Equal(t, good.SMSURL, n.SMSURL)
		assert.Equal(t, good.VoiceFallbackURL, n.VoiceFallbackURL)
		assert.Empty(t, n.SMSApplicationSID)
	}
}

func TestTrunksDeliberateNumbersAndThoseThatCannotCallAreLeft(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	trunk := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{TrunkSID: aTrunk})
	deliberate := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{FriendlyName: "fax line", VoiceURL: "https://fax.example"})
	voiceless := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}})
	other := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	want := byURL(answerURL)
	want.Deliberate = func(n twilioacct.PhoneNumber) bool { return n.FriendlyName == "fax line" }

	numbers, err := acme.SetIncomingCalls(t.Context(), want)

	require.NoError(t, err)
	left := map[string]twilioacct.WhyLeft{}
	for _, n := range numbers {
		left[n.SID] = n.Left
		assert.Equal(t, n.SID == other.SID, n.Changed)
		if n.Left != "" {
			assert.Equal(t, n.Before, n.After)
		}
	}
	assert.Equal(t, map[string]twilioacct.WhyLeft{
		trunk.SID: twilioacct.LeftOnTrunk, deliberate.SID: twilioacct.LeftDeliberate, voiceless.SID: twilioacct.LeftVoiceless, other.SID: "",
	}, left)
	assert.Equal(t, []string{"VoiceURL", "TrunkSID"}, numbers[3].Drift, "lists are newest first; what is left drifts all the same")
	for _, n := range []twiliotest.PhoneNumber{trunk, deliberate, voiceless} {
		now, _ := fake.PhoneNumber(n.SID)
		assert.Equal(t, n, now)
	}

	for _, take := range []func(){
		func() { want.TakeTrunks, want.TakeDeliberate = true, false }, func() { want.TakeTrunks, want.TakeDeliberate = false, true },
	} {
		take()
		plan, err := acme.PlanIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		for _, n := range plan {
			assert.Equal(t, n.SID == other.SID || n.SID == voiceless.SID || n.SID == trunk.SID && want.TakeTrunks ||
				n.SID == deliberate.SID && want.TakeDeliberate, n.Left == "" || n.Left == twilioacct.LeftVoiceless)
		}
	}
	want.TakeTrunks, want.TakeDeliberate = true, true
	want.Settings.SMSURL = new("https://acme.example/sms")
	numbers, err = acme.SetIncomingCalls(t.Context(), want)
	require.NoError(t, err)
	assert.Equal(t, []string{"SMSURL"}, numbers[1].Drift, "what cannot call is left altogether, and its drift is shown")
	for _, n := range []twiliotest.PhoneNumber{trunk, deliberate} {
		assert.Equal(t, twiliotest.Handler{URL: answerURL, Method: "POST"}, fake.AnsweredBy(n.PhoneNumber))
	}
	now, _ := fake.PhoneNumber(voiceless.SID)
	assert.Equal(t, voiceless, now)
}

func TestAnApplicationTakesANumberOffItsTrunkInOneRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	app := fake.AddApplicationWith(acme.SID(), twiliotest.Application{VoiceURL: answerURL}).SID
	n := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{TrunkSID: aTrunk})
	want := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: app}, TakeTrunks: true}
	_, err := acme.SetIncomingCalls(t.Context(), want)
	require.NoError(t, err)
	now, _ := fake.PhoneNumber(n.SID)
	assert.Equal(t, app, now.VoiceApplicationSID)
	assert.Empty(t, now.TrunkSID)
	assert.Equal(t, 1, fake.Count("UpdateIncomingPhoneNumber"))
}

func TestAnApplicationThatIsNotThereIsToldBeforeAnythingIsChanged(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	theirs, deleted := fake.AddApplication(fake.Parent().SID), fake.AddApplication(acme.SID())
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceApplicationSID: deleted})
	fake.DeleteApplication(deleted)
	for app, want := range map[string]twilioacct.IncomingCalls{
		theirs:  {Handler: twilioacct.CallHandler{ApplicationSID: theirs}},
		deleted: {Handler: twilioacct.CallHandler{ApplicationSID: deleted}},
		anApp: {
			Handler: twilioacct.CallHandler{URL: answerURL}, Settings: twilioacct.PhoneNumberSettings{SMSApplicationSID: new(anApp)},
		},
	} {
		numbers, err := acme.SetIncomingCalls(t.Context(), want)
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
		require.ErrorContains(t, err, app)
		assert.Empty(t, numbers, "none was changed")
		report, err := p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return &want })
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
		require.ErrorIs(t, report.Skipped[0].Err, twilioacct.ErrNotFound)
	}
	assert.Zero(t, fake.Count("UpdateIncomingPhoneNumber"))
}

func TestWhatCannotAnswerIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	type settings = twilioacct.PhoneNumberSettings
	for name, want := range map[string]twilioacct.IncomingCalls{
		"nothing":           {},
		"a URL of none":     byURL("acme.example/answer"),
		"two":               {Handler: twilioacct.CallHandler{URL: answerURL, StudioFlowSID: aFlow}},
		"a trunk":           {Handler: twilioacct.CallHandler{TrunkSID: aTrunk}},
		"a flow of none":    {Handler: twilioacct.CallHandler{StudioFlowSID: "FW1"}},
		"an application":    {Handler: twilioacct.CallHandler{ApplicationSID: aFlow}},
		"a second URL":      {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{VoiceURL: new(answerURL)}},
		"a second trunk":    {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{TrunkSID: new("")}},
		"a second app":      {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{VoiceApplicationSID: new("")}},
		"one name for all":  {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{FriendlyName: new("all")}},
		"an address":        {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{AddressSID: new("")}},
		"a bundle":          {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{BundleSID: new("")}},
		"a method of none":  {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{VoiceMethod: new("PUT")}},
		"a fallback's form": {Handler: twilioacct.CallHandler{URL: answerURL}, Settings: settings{VoiceFallbackURL: new("x")}},
	} {
		require.ErrorIs(t, second(acme.SetIncomingCalls(t.Context(), want)), twilioacct.ErrInvalid, name)
		require.ErrorIs(t, second(acme.PlanIncomingCalls(t.Context(), want)), twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
	_, err := p.SetIncomingCalls(t.Context(), nil)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = p.SetIncomingCalls(nil, nil) //nolint:staticcheck // that is what is tested
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return new(byURL("x")) })
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	require.ErrorContains(t, err, acme.SID())
}

func TestAFleetIsSetUpAsTheParentAndSuspendedAccountsAreSkipped(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme, brook := fake.AddSubaccount("acme").SID, fake.AddSubaccount("brook").SID
	suspended, closed, left := fake.AddSubaccount("suspended").SID, fake.AddSubaccount("closed").SID, fake.AddSubaccount("left").SID
	for _, account := range []string{acme, brook, brook, suspended, left, fake.Parent().SID} {
		fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	}
	fake.SetStatus(suspended, twiliotest.Suspended)
	fake.SetStatus(closed, twiliotest.Closed)
	asked := map[string]int{}
	of := func(a twilioacct.Account) *twilioacct.IncomingCalls {
		asked[a.SID]++
		if a.SID == left {
			return nil
		}
		return new(byURL("https://platform.example/" + a.FriendlyName))
	}

	plan, err := p.PlanIncomingCalls(t.Context(), of)
	require.NoError(t, err)
	report, err := p.SetIncomingCalls(t.Context(), of)

	require.NoError(t, err)
	assert.Equal(t, plan, report)
	assert.Equal(t, map[string]int{acme: 2, brook: 2, left: 2}, asked)
	require.Len(t, report.Skipped, 1)
	assert.Equal(t, "suspended", report.Skipped[0].FriendlyName)
	require.ErrorIs(t, report.Skipped[0].Err, twilioacct.ErrSuspended)
	require.Len(t, report.Numbers, 3)
	for _, n := range report.Numbers {
		a, _ := fake.Account(n.AccountSID)
		assert.Equal(t, "https://platform.example/"+a.FriendlyName, fake.AnsweredBy(n.PhoneNumber).URL)
	}
	for _, account := range []string{suspended, left, fake.Parent().SID} {
		assert.True(t, fake.AnsweredBy(fake.PhoneNumbers(account)[0].PhoneNumber).Nobody)
	}
	for _, r := range fake.Requests() {
		assert.Equal(t, fake.Parent().SID, r.Account)
	}
}

func TestAnAccountWhoseNumbersCannotBeListedKeepsNoOtherFromBeingSet(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme, brook := fake.AddSubaccount("acme").SID, fake.AddSubaccount("brook").SID
	for _, account := range []string{acme, brook} {
		fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	}
	fake.Inject(twiliotest.Fault{Operation: "ListIncomingPhoneNumber", Path: acme, Status: 403, Code: 20403})
	report, err := p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return new(byURL(answerURL)) })
	require.ErrorContains(t, err, "1 of 2 accounts were not looked at")
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, acme, report.Skipped[0].SID)
	require.ErrorIs(t, report.Skipped[0].Err, twilioacct.ErrForbidden)
	assert.Equal(t, brook, report.Numbers[0].AccountSID)
	assert.Equal(t, answerURL, fake.AnsweredBy(fake.PhoneNumbers(brook)[0].PhoneNumber).URL)
}

func TestAParentsAPIKeySetsUpNoFleet(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)
	_, err = p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return new(byURL(answerURL)) })
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Zero(t, fake.Count(""))
}

func TestANumberThatCannotBeSetKeepsNoOtherFromBeingSetAndIsReported(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"refused":               {Status: 403, Code: 20403},
		"not taken":             {Status: 200, Body: []byte(`{}`)},
		"without an outcome":    {Reset: true, Times: twiliotest.Always},
		"another account's now": {Status: 404, Code: 20404},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake, p := setup(t, nil)
			acme := p.Subaccount(fake.AddSubaccount("acme").SID)
			bad := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
			for range 9 {
				fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
			}
			fault.Operation, fault.Path = "UpdateIncomingPhoneNumber", bad.SID
			fake.Inject(fault)
			want := byURL(answerURL)
			var observed []twilioacct.IncomingNumber
			want.Observe = func(n twilioacct.IncomingNumber) { observed = append(observed, n) }

			numbers, err := acme.SetIncomingCalls(t.Context(), want)

			require.ErrorContains(t, err, "1 of 10 numbers were not set", name)
			var typed *twilioacct.Error
			require.ErrorAs(t, err, &typed, name)
			assert.ElementsMatch(t, numbers, observed, name)
			for _, n := range numbers {
				assert.Equal(t, n.SID == bad.SID, n.Err != nil, name)
				if n.Err != nil && !errors.Is(n.Err, twilioacct.ErrOutcomeUnknown) {
					assert.False(t, n.Changed, name)
					assert.Equal(t, n.Before, n.After, name)
				}
			}
		})
	}
}

func TestAChangeThatTwilioDoesNotMakeIsAConflict(t *testing.T) {
	t.Parallel()
	fake, _ := setup(t, nil)
	account := fake.AddSubaccount("acme").SID
	n := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost { // as if nothing had been sent
				r = r.Clone(r.Context())
				r.Body, r.ContentLength = http.NoBody, 0
			}
			return through.RoundTrip(r)
		})}
	})
	numbers, err := p.Subaccount(account).SetIncomingCalls(t.Context(), byURL(answerURL))
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.False(t, numbers[0].Changed, "nothing was")
	require.ErrorContains(t, numbers[0].Err, n.SID)
	require.ErrorContains(t, numbers[0].Err, "VoiceURL")
}

// numbersOf gives an account so many numbers of all kinds that are to be changed.
func numbersOf(fake *twiliotest.Server, account string, many int) {
	app := fake.AddApplication(account)
	kinds := []twiliotest.PhoneNumber{{}, {VoiceURL: "https://acme.example/old"}, {VoiceApplicationSID: app}, {VoiceURL: answerURL, VoiceMethod: "GET"}}
	for i := range many {
		fake.AddPhoneNumber(account, kinds[i%len(kinds)])
	}
}

func requireAllAnswered(t *testing.T, fake *twiliotest.Server, account string) {
	t.Helper()
	for _, n := range fake.PhoneNumbers(account) {
		require.Equal(t, twiliotest.Handler{URL: answerURL, Method: "POST"}, fake.AnsweredBy(n.PhoneNumber))
	}
}

func TestOfFiveHundredNumbersEachRequestFailsInEachWayAndARepeatedRunSetsTheRest(t *testing.T) {
	t.Parallel()
	const many = 500
	for name, fault := range requestFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, share := range []int{1, 7} { // each request, and each of a seventh of them
				synctest.Test(t, func(t *testing.T) {
					fake := twiliotest.NewServer(t)
					p := providerOn(t, fake, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
					acme := p.Subaccount(fake.AddSubaccount("acme").SID)
					numbersOf(fake, acme.SID(), many)
					_, err := acme.Account(t.Context())
					require.NoError(t, err)
					for i := range many / share {
						nth := fault
						nth.Operation, nth.On = "UpdateIncomingPhoneNumber", 1+i*share
						fake.Inject(nth)
					}
					numbers, err := acme.SetIncomingCalls(t.Context(), byURL(answerURL))
					require.Error(t, err)
					require.Len(t, numbers, many)
					fake.ClearFaults()
					before := fake.Count("UpdateIncomingPhoneNumber")
					left := 0
					for _, n := range fake.PhoneNumbers(acme.SID()) {
						if (fake.AnsweredBy(n.PhoneNumber) != twiliotest.Handler{URL: answerURL, Method: "POST"}) {
							left++
						}
					}
					_, err = acme.SetIncomingCalls(t.Context(), byURL(answerURL))
					require.NoError(t, err)
					requireAllAnswered(t, fake, acme.SID())
					assert.Equal(t, left, fake.Count("UpdateIncomingPhoneNumber")-before, "nothing is set twice")
				})
			}
		})
	}
}

func TestAListOfNumbersThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range requestFaults {
		synctest.Test(t, func(t *testing.T) {
			fake := twiliotest.NewServer(t)
			p := providerOn(t, fake, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
			acme := p.Subaccount(fake.AddSubaccount("acme").SID)
			numbersOf(fake, acme.SID(), 1500)
			_, err := acme.Account(t.Context())
			require.NoError(t, err)
			for _, on := range []int{1, 2} { // a page each
				nth := fault
				nth.Operation, nth.On = "ListIncomingPhoneNumber", on
				fake.ClearFaults()
				fake.Inject(nth)
				ctx, cancel := context.WithTimeout(t.Context(), 1e12)
				_, err := acme.SetIncomingCalls(ctx, byURL(answerURL))
				cancel()
				require.Error(t, err, name)
				require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
				assert.Zero(t, fake.Count("UpdateIncomingPhoneNumber"), name)
			}
		})
	}
}

func TestACallerWhoLeavesSetsNoMoreNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		numbersOf(fake, acme.SID(), 500)
		ctx, cancel := context.WithCancel(t.Context())
		want := byURL(answerURL)
		seen := 0
		want.Observe = func(twilioacct.IncomingNumber) {
			if seen++; seen == 100 {
				cancel()
			}
		}
		numbers, err := acme.SetIncomingCalls(ctx, want)
		require.ErrorIs(t, err, context.Canceled)
		assert.Len(t, numbers, 500)
		assert.Equal(t, 500, seen, "each is reported")
		assert.Less(t, fake.Count("UpdateIncomingPhoneNumber"), 160)
		_, err = acme.SetIncomingCalls(t.Context(), byURL(answerURL))
		require.NoError(t, err)
		requireAllAnswered(t, fake, acme.SID())
	})
}

func TestSixteenFleetsAreSetUpAtOnce(t *testing.T) {
	t.Parallel()
	const fleets, tenants, numbers = 16, 20, 5
	var all sync.WaitGroup
	for range fleets {
		all.Go(func() {
			fake, p := setup(t, nil)
			accounts := fake.AddSubaccounts(tenants)
			for _, account := range accounts {
				numbersOf(fake, account, numbers)
			}
			var mu sync.Mutex
			seen := 0
			of := func(twilioacct.Account) *twilioacct.IncomingCalls {
				want := byURL(answerURL)
				want.Observe = func(twilioacct.IncomingNumber) { seen++ } // one goroutine at a time
				return &want
			}
			report, err := p.SetIncomingCalls(t.Context(), of)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			assert.Len(t, report.Numbers, tenants*numbers)
			assert.Equal(t, tenants*numbers, seen)
			for _, account := range accounts {
				for _, n := range fake.PhoneNumbers(account) {
					assert.Equal(t, answerURL, fake.AnsweredBy(n.PhoneNumber).URL)
				}
			}
			_, err = p.SetIncomingCalls(t.Context(), of)
			assert.NoError(t, err)
			assert.Equal(t, tenants*numbers, fake.Count("UpdateIncomingPhoneNumber"))
		})
	}
	all.Wait()
}

func TestAHandlerSaysWhatItIs(t *testing.T) {
	t.Parallel()
	const account = "AC00000000000000000000000000000001"
	flows := "https://webhooks.twilio.com/v1/Accounts/" + account + "/Flows/"
	for want, n := range map[string]twilioacct.PhoneNumber{
		"":                                     {},
		answerURL:                              {VoiceURL: answerURL},
		"Studio flow " + aFlow:                 {VoiceURL: flows + aFlow},
		flows + "FW1":                          {VoiceURL: flows + "FW1"},
		"https://me:xxxxx@acme.example/?a=%zz": {VoiceURL: "https://me:secret@acme.example/?a=%zz"},
		"a URL that cannot be read":            {VoiceURL: "https://me:hunter^2@acme.example"},
		"application " + anApp:                 {VoiceURL: answerURL, VoiceApplicationSID: anApp},
		"trunk " + aTrunk:                      {VoiceURL: answerURL, VoiceApplicationSID: anApp, TrunkSID: aTrunk},
		otherAccountsFlow:                      {VoiceURL: otherAccountsFlow},
	} {
		n.AccountSID = account
		assert.Equal(t, want, n.CallHandler().String())
	}
}

const (
	anApp             = "AP00000000000000000000000000000001"
	otherAccountsFlow = "https://webhooks.twilio.com/v1/Accounts/" + unknownSID + "/Flows/" + aFlow
)

func TestAnApplicationThatWasDeletedIsToldThoughAllNumbersNameIt(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	app := fake.AddApplication(acme.SID())
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceApplicationSID: app})
	fake.DeleteApplication(app)
	_, err := acme.PlanIncomingCalls(t.Context(), twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: app}})
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	require.ErrorContains(t, err, app)
}

func TestWhatAnswersIsSetAsAWhole(t *testing.T) {
	t.Parallel()
	fake, _ := setup(t, nil)
	account := fake.AddSubaccount("acme").SID
	app := fake.AddApplication(account)
	n := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old"})
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.HTTPClient = before(o.HTTPClient, http.MethodPost, func() { // somebody gives it an application after the list was read
			_, err := providerOn(t, fake, nil).Subaccount(account).ConfigureNumber(t.Context(), n.SID,
				twilioacct.PhoneNumberSettings{VoiceApplicationSID: &app})
			assert.NoError(t, err)
		})
	})
	numbers, err := p.Subaccount(account).SetIncomingCalls(t.Context(), byURL(answerURL))
	require.NoError(t, err)
	assert.Equal(t, answerURL, numbers[0].After.URL)
	assert.Equal(t, twiliotest.Handler{URL: answerURL, Method: "POST"}, fake.AnsweredBy(n.PhoneNumber))
}

func TestANumberThatHasTheApplicationUnderATrunkIsTakenOffIt(t *testing.T) {
	t.Parallel()
	const number = `{"sid":"PN00000000000000000000000000000001","account_sid":"` + unknownSID + `","phone_number":"+14155550100",` +
		`"capabilities":{"voice":true},"voice_application_sid":"` + anApp + `","trunk_sid":`
	var sent url.Values
	p := scripted(t, func(r *http.Request) (int, string) {
		switch {
		case strings.Contains(r.URL.Path, "Applications"):
			const app = `{"sid":"` + anApp + `","account_sid":"` + unknownSID + `","voice_url":"https://acme.example"}`
			return 200, `{"applications":[` + app + `],"next_page_uri":null}`
		case r.Method == http.MethodPost:
			sent = readForm(t, r)
			return 200, number + `null}`
		case strings.Contains(r.URL.Path, "IncomingPhoneNumbers"):
			return 200, `{"incoming_phone_numbers":[` + number + `"` + aTrunk + `"}],"next_page_uri":null}`
		}
		return 200, accountJSON(unknownSID)
	})
	want := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: anApp}, TakeTrunks: true}
	numbers, err := p.Subaccount(unknownSID).SetIncomingCalls(t.Context(), want)
	require.NoError(t, err)
	assert.True(t, numbers[0].Changed)
	assert.Equal(t, []string{"TrunkSID"}, numbers[0].Drift)
	assert.Equal(t, anApp, numbers[0].After.ApplicationSID)
	assert.Equal(t, url.Values{"VoiceApplicationSid": {anApp}}, sent)
}

func readForm(t *testing.T, r *http.Request) url.Values {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	form, err := url.ParseQuery(string(body))
	require.NoError(t, err)
	return form
}

// accountJSON is an active account of the scripted parent's.
func accountJSON(sid string) string {
	return `{"sid":"` + sid + `","owner_account_sid":"` + scriptedParent + `","status":"active","type":"Full","auth_token":"` + goodToken + `"}`
}

func TestAChangeThatTwilioMakesInPartIsToldAsItIs(t *testing.T) {
	t.Parallel()
	fake, _ := setup(t, nil)
	account := fake.AddSubaccount("acme").SID
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{VoiceURL: "https://acme.example/old", VoiceMethod: "GET"})
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				form := readForm(t, r)
				form.Del("VoiceMethod")
				r = r.Clone(r.Context())
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form.Encode())), int64(len(form.Encode()))
			}
			return through.RoundTrip(r)
		})}
	})
	numbers, err := p.Subaccount(account).SetIncomingCalls(t.Context(), byURL(answerURL))
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.True(t, numbers[0].Changed)
	assert.Equal(t, answerURL, numbers[0].After.URL)
	require.ErrorContains(t, numbers[0].Err, "VoiceMethod")
}

func TestTheAddressOfAStudioFlowIsTheFlowAndAnotherAccountsIsRefused(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	own := byURL("https://webhooks.twilio.com/v1/Accounts/" + acme.SID() + "/Flows/" + aFlow)
	numbers, err := acme.SetIncomingCalls(t.Context(), own)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.CallHandler{StudioFlowSID: aFlow}, numbers[0].After)
	again, err := acme.SetIncomingCalls(t.Context(), own)
	require.NoError(t, err)
	assert.Equal(t, numbers[0].After, again[0].Before)
	assert.False(t, again[0].Changed)
	_, err = acme.SetIncomingCalls(t.Context(), byURL(otherAccountsFlow))
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	report, err := p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls { return new(byURL(otherAccountsFlow)) })
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Len(t, report.Skipped, 1)
}

func TestAFleetAsksOneByOneWhatIsDeliberate(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	for _, account := range fake.AddSubaccounts(40) {
		numbersOf(fake, account, 4)
	}
	asked := 0
	report, err := p.SetIncomingCalls(t.Context(), func(twilioacct.Account) *twilioacct.IncomingCalls {
		want := byURL(answerURL)
		want.Deliberate = func(twilioacct.PhoneNumber) bool { asked++; return true } // the race detector sees two at once
		return &want
	})
	require.NoError(t, err)
	assert.Equal(t, 160, asked)
	assert.Len(t, report.Numbers, 160)
	assert.Zero(t, fake.Count("UpdateIncomingPhoneNumber"))
}

func TestAnApplicationThatAnswersNothingIsGivenToNoNumber(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	n := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: "https://acme.example/works"})
	app := fake.AddApplication(acme.SID())
	_, err := acme.SetIncomingCalls(t.Context(), twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: app}})
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	require.ErrorContains(t, err, "VoiceURL")
	assert.Equal(t, "https://acme.example/works", fake.AnsweredBy(n.PhoneNumber).URL)

	set := byURL(answerURL)
	set.Settings.SMSApplicationSID = &app
	_, err = acme.SetIncomingCalls(t.Context(), set)
	require.NoError(t, err, "an application for messages needs none")
}

func TestSIDsInCapitalsAnswerCallsAsThoseInSmallLetters(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	app := fake.AddApplicationWith(acme.SID(), twiliotest.Application{VoiceURL: answerURL}).SID
	big := app[:2] + strings.ToUpper(app[2:])
	for _, handler := range []twilioacct.CallHandler{{ApplicationSID: big}, {StudioFlowSID: "FW" + strings.ToUpper(app[2:])}} {
		want := twilioacct.IncomingCalls{Handler: handler}
		_, err := acme.SetIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		again, err := acme.PlanIncomingCalls(t.Context(), want)
		require.NoError(t, err)
		assert.False(t, again[0].Changed)
	}
	both := twilioacct.IncomingCalls{
		Handler:  twilioacct.CallHandler{ApplicationSID: app},
		Settings: twilioacct.PhoneNumberSettings{SMSApplicationSID: &big},
	}
	_, err := acme.SetIncomingCalls(t.Context(), both)
	require.NoError(t, err)
	again, err := acme.PlanIncomingCalls(t.Context(), both)
	require.NoError(t, err)
	assert.Empty(t, again[0].Drift)
	token, err := acme.AccessToken(t.Context(), twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{ApplicationSID: big}})
	require.NoError(t, err)
	_, err = fake.VerifyAccessToken(token.Token.Reveal())
	require.NoError(t, err)
}
