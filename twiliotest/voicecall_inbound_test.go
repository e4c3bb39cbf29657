package twiliotest_test

import (
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

var (
	aTrunk = "TK" + strings.Repeat("0", 32)
	aFlow  = "FW" + strings.Repeat("0", 32)
)

func flowURL(account, flow string) string {
	return "https://webhooks.twilio.com/v1/Accounts/" + account + "/Flows/" + flow
}

func TestACallReachesTheTrunkBeforeTheApplicationBeforeTheURL(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	app := s.AddApplicationWith(a.SID, twiliotest.Application{VoiceURL: "https://app.example", VoiceMethod: "GET"}).SID
	bare := s.AddApplication(a.SID)
	deleted := s.AddApplicationWith(a.SID, twiliotest.Application{VoiceURL: "https://app.example"}).SID
	s.DeleteApplication(deleted)
	theirs := s.AddApplicationWith(s.Parent().SID, twiliotest.Application{VoiceURL: "https://app.example"}).SID
	const own = "https://own.example"
	smsOnly := twiliotest.Capabilities{SMS: true}
	for what, try := range map[string]struct {
		number twiliotest.PhoneNumber
		want   twiliotest.Handler
	}{
		"all three": {twiliotest.PhoneNumber{TrunkSID: aTrunk, VoiceApplicationSID: app, VoiceURL: own}, twiliotest.Handler{TrunkSID: aTrunk}},
		"app and URL": {twiliotest.PhoneNumber{VoiceApplicationSID: app, VoiceURL: own},
			twiliotest.Handler{ApplicationSID: app, URL: "https://app.example", Method: "GET"}},
		"URL":     {twiliotest.PhoneNumber{VoiceURL: own}, twiliotest.Handler{URL: own, Method: "POST"}},
		"nothing": {twiliotest.PhoneNumber{SMSURL: own}, twiliotest.Handler{Nobody: true}},
		"an app without voice URL, over a URL": {twiliotest.PhoneNumber{VoiceApplicationSID: bare, VoiceURL: own},
			twiliotest.Handler{Nobody: true, ApplicationSID: bare}},
		"a deleted app": {twiliotest.PhoneNumber{VoiceApplicationSID: deleted, VoiceURL: own},
			twiliotest.Handler{Nobody: true, ApplicationSID: deleted}},
		"another's app": {twiliotest.PhoneNumber{VoiceApplicationSID: theirs}, twiliotest.Handler{Nobody: true, ApplicationSID: theirs}},
		"no voice": {twiliotest.PhoneNumber{VoiceURL: own, Capabilities: smsOnly},
			twiliotest.Handler{Nobody: true, URL: own, Method: "POST"}},
	} {
		n := s.AddPhoneNumber(a.SID, try.number)
		if got := s.AnsweredBy(n.PhoneNumber); got != try.want {
			t.Errorf("%s: got %+v, want %+v", what, got, try.want)
		}
	}
	wantPanic(t, func() { s.AnsweredBy("+14155559999") })
}

func TestTheLastHandlerThatIsSetIsNotAlwaysTheOneThatAnswers(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	app := s.AddApplicationWith(a.SID, twiliotest.Application{VoiceURL: "https://app.example"}).SID
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{VoiceURL: "https://own.example"})
	for _, step := range []struct {
		form []string
		want twiliotest.Handler
	}{
		{[]string{"VoiceApplicationSid", app}, twiliotest.Handler{ApplicationSID: app, URL: "https://app.example", Method: "POST"}},
		{[]string{"TrunkSid", aTrunk}, twiliotest.Handler{TrunkSID: aTrunk}},
		{[]string{"VoiceUrl", "https://new.example"}, twiliotest.Handler{TrunkSID: aTrunk}},
		{[]string{"VoiceApplicationSid", app}, twiliotest.Handler{ApplicationSID: app, URL: "https://app.example", Method: "POST"}},
		{[]string{"VoiceUrl", "https://new.example", "VoiceMethod", "GET", "VoiceApplicationSid", "", "TrunkSid", ""},
			twiliotest.Handler{URL: "https://new.example", Method: "GET"}},
	} {
		wantOK(t, as(t, s, a).post(numbersOf(a)+"/"+n.SID+".json", step.form...))
		if got := s.AnsweredBy(n.PhoneNumber); got != step.want {
			t.Errorf("%q: got %+v, want %+v", step.form, got, step.want)
		}
	}
	s.SetStatus(a.SID, twiliotest.Suspended)
	if got := s.AnsweredBy(n.PhoneNumber); !got.Nobody || got.URL != "https://new.example" {
		t.Errorf("suspended: got %+v", got)
	}
}

func TestAStudioFlowAnswersForItsOwnAccountOnly(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	good := flowURL(a.SID, aFlow)
	for address, want := range map[string]twiliotest.Handler{
		good:                                   {FlowSID: aFlow},
		good + "?Trigger=incomingCall":         {FlowSID: aFlow},
		flowURL(s.Parent().SID, aFlow):         {FlowSID: aFlow, Nobody: true},
		flowURL(a.SID, "x"):                    {Nobody: true},
		"http" + good[len("https"):]:           {Nobody: true},
		"https://webhooks.twilio.com/":         {Nobody: true},
		"https://own.example/v1/Accounts/x":    {},
		"https://own.example/" + good:          {},
		"https://webhooks.twilio.com.example/": {},
	} {
		want.URL, want.Method = address, "POST"
		n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{VoiceURL: address})
		if got := s.AnsweredBy(n.PhoneNumber); got != want {
			t.Errorf("%s: got %+v", address, got)
		}
		app := s.AddApplicationWith(a.SID, twiliotest.Application{VoiceURL: address}).SID
		n, want.ApplicationSID = s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{VoiceApplicationSID: app}), app
		if got := s.AnsweredBy(n.PhoneNumber); got != want {
			t.Errorf("%s in an application: got %+v", address, got)
		}
	}
}
