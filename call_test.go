package twilioacct_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestASuspensionLeavesCallsRunningAndEndCallsEndsThem(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme, other := fake.AddSubaccount("acme").SID, fake.AddSubaccount("other").SID
	for range 1200 {
		fake.AddCall(acme, "in-progress")
	}
	live := []twiliotest.Call{fake.AddCall(acme, "queued"), fake.AddCall(acme, "ringing")}
	fake.AddCall(acme, "completed")
	theirs := fake.AddCall(other, "in-progress")
	_, err := p.SuspendSubaccount(t.Context(), acme)
	require.NoError(t, err)
	for _, c := range live {
		now, _ := fake.Call(c.SID)
		assert.Equal(t, c.Status, now.Status)
	}

	ended, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	assert.Equal(t, 1202, ended)
	for _, c := range fake.Calls(acme) {
		assert.Equal(t, "completed", c.Status)
	}
	still, _ := fake.Call(theirs.SID)
	assert.Equal(t, "in-progress", still.Status)
	for _, r := range fake.Requests() {
		assert.Equal(t, fake.Parent().SID, r.User)
	}
	ended, err = p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	assert.Zero(t, ended)
}

func TestACallThatIsAnsweredWhileTheCallsAreReadIsEnded(t *testing.T) {
	t.Parallel()
	fake, _ := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	call := fake.AddCall(acme, "ringing")
	n := 0
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if n++; n == 2 { // it was not among the first, and is answered before the second are read
				fake.SetCallStatus(call.SID, "in-progress")
			}
			return through.RoundTrip(r)
		})}
	})
	_, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	now, _ := fake.Call(call.SID)
	assert.Equal(t, "completed", now.Status)
}

func TestCallsThatWereFoundAreEndedThoughNotAllCouldBeRead(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
	acme := fake.AddSubaccount("acme").SID
	fake.AddCall(acme, "in-progress")
	fake.Inject(twiliotest.Fault{Operation: "ListCall", Status: 500})
	ended, err := p.EndCalls(t.Context(), acme)
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	assert.Equal(t, 1, ended)
}

func TestACallThatEndsByItselfMeanwhileIsNoError(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	fake.AddCall(acme, "in-progress")
	fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Code: 21220})
	_, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
}

func TestACallThatCannotBeEndedKeepsNoOtherFromIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme").SID
		bad := fake.AddCall(acme, "in-progress")
		for range 20 {
			fake.AddCall(acme, "in-progress")
		}
		fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Path: bad.SID, Status: 500, Times: twiliotest.Always})
		fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Reset: true, AfterEffect: true, On: 3})
		ended, err := p.EndCalls(t.Context(), acme)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		assert.Equal(t, 20, ended)
	})
}

func TestACallIsPlacedFetchedListedAndHungUp(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})

	placed, err := acme.PlaceCall(t.Context(), twilioacct.NewCall{To: recipient, From: number.PhoneNumber, URL: "https://acme.example/say"})

	require.NoError(t, err)
	assert.Equal(t, twilioacct.CallQueued, placed.Status)
	assert.Equal(t, number.PhoneNumber, placed.From)
	assert.Equal(t, recipient, placed.To)
	assert.Equal(t, acme.SID(), placed.AccountSID)
	assert.Equal(t, "outbound-api", placed.Direction)
	assert.True(t, placed.StartTime.IsZero() && placed.EndTime.IsZero() && !placed.DateCreated.IsZero())
	fetched, err := acme.Call(t.Context(), placed.SID)
	require.NoError(t, err)
	assert.Equal(t, placed, fetched)
	fake.SetCallStatus(placed.SID, "in-progress")
	assert.Equal(t, []string{placed.SID}, callSIDs(allOf(t, acme.Calls(t.Context(), &twilioacct.CallFilter{Status: twilioacct.CallInProgress}))))
	assert.Empty(t, allOf(t, acme.Calls(t.Context(), &twilioacct.CallFilter{Status: twilioacct.CallQueued})))

	ended, err := acme.HangUp(t.Context(), placed.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.CallCompleted, ended.Status)
	assert.False(t, ended.EndTime.IsZero())
	again, err := acme.HangUp(t.Context(), placed.SID)
	require.NoError(t, err, "it has ended already")
	assert.Equal(t, ended, again)
}

func callSIDs(calls []twilioacct.Call) (sids []string) {
	for _, c := range calls {
		sids = append(sids, c.SID)
	}
	return sids
}

func TestEverythingThatACallIsToldArrives(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	number, app := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{}).PhoneNumber, fake.AddApplication(acme.SID())
	for want, c := range map[string]twilioacct.NewCall{
		"From=%2B14155550101&To=" + url.QueryEscape(recipient) + "&Url=https%3A%2F%2Facme.example%2F" +
			"&Method=GET&FallbackUrl=https%3A%2F%2Facme.example%2Ff&FallbackMethod=GET&StatusCallback=https%3A%2F%2Facme.example%2Fs" +
			"&StatusCallbackMethod=GET&StatusCallbackEvent=initiated&StatusCallbackEvent=completed&Timeout=20&TimeLimit=3600&Record=true" +
			"&SendDigits=ww12%23&MachineDetection=Enable": {
			URL: "https://acme.example/", Method: "GET", FallbackURL: "https://acme.example/f", FallbackMethod: "GET",
			StatusCallback: "https://acme.example/s", StatusCallbackMethod: "GET", StatusEvents: []string{"initiated", "completed"},
			RingTime: 20 * time.Second, TimeLimit: time.Hour, Record: true, Digits: "ww12#", MachineDetection: "Enable",
		},
		"From=%2B14155550101&To=" + url.QueryEscape(recipient) + "&Twiml=%3CResponse%2F%3E": {TwiML: "<Response/>"},
		"From=%2B14155550101&To=" + url.QueryEscape(recipient) + "&ApplicationSid=" + app:   {ApplicationSID: app},
	} {
		c.To, c.From = recipient, number
		fake.ForgetRequests()
		_, err := acme.PlaceCall(t.Context(), c)
		require.NoError(t, err)
		values, err := url.ParseQuery(want)
		require.NoError(t, err)
		assert.Equal(t, values, formOf(t, fake, "CreateCall"))
	}
}

func TestACallerNumberThatTwilioRefusesSaysWhatToDo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	theirs := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{}).PhoneNumber
	voiceless := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}}).PhoneNumber
	place := func(from string) error {
		return second(acme.PlaceCall(t.Context(), twilioacct.NewCall{To: recipient, From: from, TwiML: "<Response/>"}))
	}
	for _, from := range []string{theirs, voiceless, "+14155559999"} {
		err := place(from)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, from)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		assert.Equal(t, 21210, typed.Code)
		require.ErrorContains(t, err, "the account's own")
	}
	own := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{}).PhoneNumber
	for _, code := range []int{21212, 21213} {
		fake.Inject(twiliotest.Fault{Operation: "CreateCall", Code: code})
		err := place(own)
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
		require.ErrorContains(t, err, "the account's own")
	}
	fake.VerifyCallerID(acme.SID(), "+14155559999")
	require.NoError(t, place("+14155559999"), "it was verified for the account")
	assert.Len(t, fake.Calls(acme.SID()), 1)
}

func TestABadCallIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	good := twilioacct.NewCall{To: recipient, From: "+14155550100", URL: "https://acme.example"}
	for name, spoil := range map[string]func(*twilioacct.NewCall){
		"To":                   func(c *twilioacct.NewCall) { c.To = "" },
		"To ":                  func(c *twilioacct.NewCall) { c.To = "+1" },
		"From":                 func(c *twilioacct.NewCall) { c.From = "" },
		"From ":                func(c *twilioacct.NewCall) { c.From = "+0415" },
		"URL":                  func(c *twilioacct.NewCall) { c.URL = "acme.example" },
		"URL ":                 func(c *twilioacct.NewCall) { c.URL = "https://:443/x" },
		"one of URL":           func(c *twilioacct.NewCall) { c.URL = "" },
		"one of URL, TwiML":    func(c *twilioacct.NewCall) { c.TwiML = "<Response/>" },
		"ApplicationSID":       func(c *twilioacct.NewCall) { c.URL, c.ApplicationSID = "", "AP1" },
		"4001 characters":      func(c *twilioacct.NewCall) { c.URL, c.TwiML = "", strings.Repeat("x", 4001) },
		"Method":               func(c *twilioacct.NewCall) { c.Method = "PUT" },
		"FallbackURL":          func(c *twilioacct.NewCall) { c.FallbackURL = "x" },
		"FallbackMethod":       func(c *twilioacct.NewCall) { c.FallbackMethod = "x" },
		"StatusCallback":       func(c *twilioacct.NewCall) { c.StatusCallback = "x" },
		"StatusCallbackMethod": func(c *twilioacct.NewCall) { c.StatusCallbackMethod = "x" },
		"StatusEvents ":        func(c *twilioacct.NewCall) { c.StatusEvents = []string{"ringing"} },
		"Digits":               func(c *twilioacct.NewCall) { c.Digits = "12x" },
		"Method ":              func(c *twilioacct.NewCall) { c.URL, c.TwiML, c.Method = "", "<Response/>", "GET" },
		"From  ":               func(c *twilioacct.NewCall) { c.From = "4155550101" },
		"To  ":                 func(c *twilioacct.NewCall) { c.To = "(415) 555-0101" },
		"StatusEvents": func(c *twilioacct.NewCall) {
			c.StatusCallback, c.StatusEvents = "https://acme.example", []string{"ended"}
		},
		"RingTime":         func(c *twilioacct.NewCall) { c.RingTime = 11 * time.Minute },
		"RingTime ":        func(c *twilioacct.NewCall) { c.RingTime = time.Millisecond },
		"TimeLimit":        func(c *twilioacct.NewCall) { c.TimeLimit = -time.Second },
		"MachineDetection": func(c *twilioacct.NewCall) { c.MachineDetection = "yes" },
	} {
		c := good
		spoil(&c)
		_, err := acme.PlaceCall(t.Context(), c)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		require.ErrorContains(t, err, strings.TrimSpace(name))
	}
	for name, err := range map[string]error{
		"a fetch": second(acme.Call(t.Context(), "CA1")), "an end": second(acme.HangUp(t.Context(), "SM"+unknownKey[2:])),
		"a list": endOf(acme.Calls(t.Context(), &twilioacct.CallFilter{To: "+"})), "legs": endOf(acme.Calls(t.Context(), &twilioacct.CallFilter{ParentSID: "x"})),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestACallIsNeverPlacedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		from := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{}).PhoneNumber
		fake.Inject(twiliotest.Fault{Operation: "CreateCall", Reset: true, AfterEffect: true})
		_, err := acme.PlaceCall(t.Context(), twilioacct.NewCall{To: recipient, From: from, TwiML: "<Response/>"})
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		assert.Len(t, fake.Calls(acme.SID()), 1)
	})
}

func TestCallsAreAskedForByAllThatTheFilterSays(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	day := time.Date(2026, 11, 22, 23, 0, 0, 0, time.FixedZone("", -2*60*60))
	allOf(t, acme.Calls(t.Context(), &twilioacct.CallFilter{
		To: "client:alice.1+2", From: recipient, Status: twilioacct.CallCompleted, ParentSID: "CA" + unknownKey[2:],
		StartedAfter: day, StartedBefore: day.AddDate(0, 0, 7),
	}))
	assert.Equal(t, []url.Values{{
		"To": {"client:alice.1+2"}, "From": {recipient}, "Status": {"completed"}, "ParentCallSid": {"CA" + unknownKey[2:]},
		"StartTime>": {"2026-11-23T01:00:00Z"}, "StartTime<": {"2026-11-30T01:00:00Z"}, "PageSize": {"1000"},
	}}, queriesOf(t, fake, "ListCall"))
}
