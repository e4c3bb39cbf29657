package twiliotest_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestACallIsPlacedAndBeginsInTheQueue(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	for name, c := range map[string]caller{
		"as the account":      as(t, s, a),
		"as the parent":       asParent(t, s),
		"with a Standard key": asKey(t, s, s.AddKey(a.SID, twiliotest.StandardKey)),
	} {
		got := c.post(callsOf(a)+".json", "To", someone, "From", n.PhoneNumber, "Url", "https://a.example/voice")
		v, _ := s.Call(got.member("sid"))
		if got.status != 201 || got.body["status"] != "queued" || got.body["start_time"] != nil || got.body["direction"] != "outbound-api" ||
			v.PhoneNumberSID != n.SID || v.AccountSID != a.SID || v.To != someone || v.URL != "https://a.example/voice" {
			t.Errorf("%s: got %s, state is %+v", name, got.raw, v)
		}
	}
	theirs := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{}).PhoneNumber
	s.VerifyCallerID(a.SID, theirs)
	verified := as(t, s, a).post(callsOf(a)+".json", "To", "client:alice", "From", theirs, "Twiml", "<Response/>")
	if verified.status != 201 || verified.body["phone_number_sid"] != nil {
		t.Errorf("from a verified number: got %s", verified.raw)
	}
	queued := as(t, s, a).get(callsOf(a) + ".json?Status=queued&To=" + url.QueryEscape(someone))
	wantColumn(t, queued, "calls", "from", n.PhoneNumber, n.PhoneNumber, n.PhoneNumber)
}

func TestACallIsPlacedWithAllThatTwilioDocuments(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	from, app := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{}).PhoneNumber, s.AddApplication(parent.SID)
	form := pairs([]string{
		"To", someone, "From", from, "Url", "https://a.example/1", "Method", "GET", "FallbackUrl", "https://a.example/2", "FallbackMethod", "GET",
		"StatusCallback", "https://a.example/3", "StatusCallbackMethod", "GET", "SendDigits", "W1234#", "Timeout", "600", "Record", "true",
		"RecordingChannels", "dual", "RecordingStatusCallback", "https://a.example/4", "RecordingStatusCallbackMethod", "GET",
		"SipAuthUsername", "u", "SipAuthPassword", "p", "MachineDetection", "DetectMessageEnd", "MachineDetectionTimeout", "30",
		"RecordingStatusCallbackEvent", "in-progress completed", "Trim", "trim-silence", "CallerId", from,
		"MachineDetectionSpeechThreshold", "2400", "MachineDetectionSpeechEndThreshold", "1200", "MachineDetectionSilenceTimeout", "5000",
		"AsyncAmd", "true", "AsyncAmdStatusCallback", "https://a.example/5", "AsyncAmdStatusCallbackMethod", "GET",
		"Byoc", "BY" + strings.Repeat("0", 32), "CallReason", "r", "CallToken", "t", "RecordingTrack", "inbound", "TimeLimit", "3600",
		"ClientNotificationUrl", "https://a.example/6", "Twiml", "<Response/>", "ApplicationSid", app,
	})
	form["StatusCallbackEvent"] = []string{"initiated", "answered"}
	c := asParent(t, s)
	got := c.do(c.request("POST", callsOf(parent)+".json", form))
	wantOK(t, got)
	want := twiliotest.Call{
		To: someone, From: from, URL: "https://a.example/1", Method: "GET", FallbackURL: "https://a.example/2", FallbackMethod: "GET",
		TwiML: "<Response/>", ApplicationSID: app, StatusCallback: "https://a.example/3", StatusCallbackMethod: "GET",
		CallerID: from, SendDigits: "W1234#", MachineDetection: "DetectMessageEnd", Record: true, Timeout: 600, TimeLimit: 3600,
	}
	is, _ := s.Call(got.member("sid"))
	if !slices.Equal(is.StatusCallbackEvents, form["StatusCallbackEvent"]) {
		t.Errorf("events are %q", is.StatusCallbackEvents)
	}
	is.StatusCallbackEvents[0] = "mine"
	if now := s.Calls(parent.SID)[0]; now.StatusCallbackEvents[0] != "initiated" {
		t.Error("a copy shares memory with the state")
	}
	want.SID, want.AccountSID, want.PhoneNumberSID, want.Direction = is.SID, is.AccountSID, is.PhoneNumberSID, is.Direction
	want.Status, want.DateCreated, want.DateUpdated = is.Status, is.DateCreated, is.DateUpdated
	is.StatusCallbackEvents = nil
	if !reflect.DeepEqual(is, want) {
		t.Errorf("got %+v, want %+v", is, want)
	}

	wantOK(t, c.post(callsOf(parent)+"/"+is.SID+".json", "Twiml", "<Response><Hangup/></Response>"))
	if now, _ := s.Call(is.SID); now.TwiML != "<Response><Hangup/></Response>" || now.URL != "" || now.ApplicationSID != "" {
		t.Errorf("new instructions leave %+v", now)
	}
}

func TestACallThatMayNotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	from := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{}).PhoneNumber
	mute := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{SMS: true}}).PhoneNumber
	theirs := s.AddPhoneNumber(s.AddSubaccount("").SID, twiliotest.PhoneNumber{}).PhoneNumber
	verified := "+12065550123"
	s.VerifyCallerID(parent.SID, verified)
	deleted := s.AddApplication(parent.SID)
	s.DeleteApplication(deleted)
	place := func(change ...string) reply {
		form := pairs([]string{"To", someone, "From", from, "Url", "https://a.example/voice"})
		maps.Copy(form, pairs(change))
		c := asParent(t, s)
		return c.do(c.request("POST", callsOf(parent)+".json", form))
	}
	for _, try := range []struct {
		code   int
		change []string
	}{
		{21201, []string{"To", ""}},
		{21211, []string{"To", "4155550199"}},
		{21211, []string{"To", "alice"}},
		{21211, []string{"To", "client:"}},
		{21213, []string{"From", ""}},
		{21212, []string{"From", "555"}},
		{21212, []string{"From", "client:alice"}}, // a phone is called from a number
		{21212, []string{"From", "bob", "To", "client:alice"}},
		{21210, []string{"From", "+14155550188"}},
		{21210, []string{"From", theirs}},
		{21210, []string{"From", mute}},
		{21205, []string{"Url", ""}},
		{21205, []string{"Url", "a.example/voice"}},
		{21205, []string{"FallbackUrl", "x"}},
		{21205, []string{"StatusCallback", "x"}},
		{21205, []string{"RecordingStatusCallback", "x"}},
		{21209, []string{"Method", "PUT"}},
		{21209, []string{"StatusCallbackMethod", "x"}},
		{21218, []string{"ApplicationSid", deleted}},
		{21218, []string{"ApplicationSid", s.AddApplication(s.AddSubaccount("").SID)}},
		{21218, []string{"ApplicationSid", "x"}},
		{20001, []string{"Url", "", "Twiml", strings.Repeat("ä", 4001)}},
		{21206, []string{"SendDigits", "abc"}},
		{21206, []string{"SendDigits", strings.Repeat("1", 33)}},
		{21208, []string{"Timeout", "601"}},
		{21208, []string{"Timeout", "soon"}},
		{20001, []string{"TimeLimit", "0"}},
		{20001, []string{"Record", "yes"}},
		{20001, []string{"MachineDetection", "x"}},
		{20001, []string{"MachineDetectionSilenceTimeout", "1999"}},
		{20001, []string{"StatusCallbackEvent", "hung-up"}},
		{20001, []string{"RecordingStatusCallbackEvent", "completed x"}},
		{20001, []string{"Byoc", "x"}},
	} {
		if got := place(try.change...); got.status != 400 || got.code() != try.code {
			t.Errorf("%q: got %d/%d, want 400/%d", try.change, got.status, got.code(), try.code)
		}
	}
	for _, change := range [][]string{
		{"From", verified},
		{"To", "client:alice", "From", "client:bob"},
		{"To", "sip:alice@a.example"},
		{"To", "sip:alice@a.example", "From", "sip:bob@a.example"},
		{"Url", "", "Twiml", strings.Repeat("ä", 4000)},
		{"Url", "", "ApplicationSid", s.AddApplication(parent.SID)},
	} {
		if got := place(change...); got.status != 201 {
			t.Errorf("%q: got %s", change, got.raw)
		}
	}
	if n := len(s.Calls(parent.SID)); n != 6 {
		t.Errorf("%d calls", n)
	}
}

func TestATrialAccountCallsVerifiedNumbersOnly(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithTrialParent())
	parent := s.Parent()
	from := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{}).PhoneNumber
	form := []string{"To", someone, "From", from, "Twiml", "<Response/>"}
	s.VerifyCallerID(s.AddSubaccount("").SID, someone) // by somebody else
	wantRefusal(t, asParent(t, s).post(callsOf(parent)+".json", form...), 400, 21219)
	wantOK(t, asParent(t, s).post(callsOf(parent)+".json", "To", "client:alice", "From", from, "Twiml", "<Response/>"))
	s.VerifyCallerID(parent.SID, someone)
	wantOK(t, asParent(t, s).post(callsOf(parent)+".json", form...))
	wantPanic(t, func() { s.VerifyCallerID("AC0", someone) })
}

func TestASuspendedOrClosedAccountPlacesNoCalls(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	form := []string{"To", someone, "From", s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}).PhoneNumber, "Twiml", "<Response/>"}
	s.SetStatus(a.SID, twiliotest.Suspended)
	wantRefusal(t, as(t, s, a).post(callsOf(a)+".json", form...), 401, 20003)
	wantRefusal(t, asParent(t, s).post(callsOf(a)+".json", form...), 403, 20005)
	s.SetStatus(a.SID, twiliotest.Closed)
	wantRefusal(t, asParent(t, s).post(callsOf(a)+".json", form...), 403, 20403)
}

func TestACallGoesOnAsTheTestSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		from := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}).PhoneNumber
		sid := as(t, s, a).post(callsOf(a)+".json", "To", someone, "From", from, "Twiml", "<Response/>").member("sid")
		for _, status := range []string{"ringing", "in-progress", "completed"} {
			time.Sleep(time.Second)
			s.SetCallStatus(sid, status)
		}
		got := as(t, s, a).get(callsOf(a) + "/" + sid + ".json")
		if got.member("status") != "completed" || got.member("duration") != "1" {
			t.Errorf("got %s", got.raw)
		}
		wantPanic(t, func() { s.SetCallStatus(sid, "talking") })
		wantPanic(t, func() { s.SetCallStatus("CA0", "ringing") })
	})
}
