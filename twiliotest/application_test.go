package twiliotest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func appsOf(a twiliotest.Account) string { return base + "/" + a.SID + "/Applications" }

func TestAnApplicationHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		bare := as(t, s, a).post(appsOf(a) + ".json")
		wantOK(t, bare)
		sid := bare.member("sid")
		at := appsOf(a) + "/" + sid + ".json"
		is := map[string]any{
			"account_sid": a.SID, "api_version": "2010-04-01", "date_created": "Sat, 01 Jan 2000 00:00:00 +0000",
			"date_updated": "Sat, 01 Jan 2000 00:00:00 +0000", "friendly_name": "", "message_status_callback": nil, "sid": sid,
			"sms_fallback_method": "POST", "sms_fallback_url": nil, "sms_method": "POST", "sms_status_callback": nil, "sms_url": nil,
			"status_callback": nil, "status_callback_method": "POST",
			"uri":                    "/2010-04-01/Accounts/" + a.SID + "/Applications/" + sid + ".json",
			"voice_caller_id_lookup": false, "voice_fallback_method": "POST", "voice_fallback_url": nil, "voice_method": "POST",
			"voice_url": nil, "public_application_connect_enabled": false,
		}
		wantMembers(t, bare, is)

		time.Sleep(time.Minute)
		change := map[string]string{
			"friendly_name": "Dialer", "message_status_callback": "https://a.example/1", "sms_fallback_method": "GET",
			"sms_fallback_url": "https://a.example/2", "sms_method": "GET", "sms_status_callback": "https://a.example/3",
			"sms_url": "https://a.example/4", "status_callback": "https://a.example/5", "status_callback_method": "GET",
			"voice_caller_id_lookup": "true", "voice_fallback_method": "GET", "voice_fallback_url": "https://a.example/6",
			"voice_method": "GET", "voice_url": "https://a.example/7", "public_application_connect_enabled": "true",
			"api_version": "2008-08-01",
		}
		var form []string
		for member, value := range change {
			form = append(form, camel(member), value)
			is[member] = value
		}
		is["voice_caller_id_lookup"], is["public_application_connect_enabled"] = true, true
		is["date_updated"] = "Sat, 01 Jan 2000 00:01:00 +0000"
		wantMembers(t, as(t, s, a).post(at, form...), is)
		wantMembers(t, as(t, s, a).get(at), is)
		is["voice_url"] = nil
		wantMembers(t, as(t, s, a).post(at, "VoiceUrl", "", "FriendlyName", ""), is) // a name is not emptied
		created, _ := s.Application(as(t, s, a).post(appsOf(a)+".json", form...).member("sid"))
		if created.VoiceURL != "https://a.example/7" || !created.VoiceCallerIDLookup || created.SMSStatusCallback != "https://a.example/3" {
			t.Errorf("got %+v", created)
		}
	})
}

// camel is the parameter for a member.
func camel(member string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(member, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func TestApplicationsAreFoundByTheirExactName(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	first := s.AddApplicationWith(a.SID, twiliotest.Application{FriendlyName: "Dialer"}).SID
	s.AddApplicationWith(a.SID, twiliotest.Application{FriendlyName: "Dialer 2"})
	third := s.AddApplicationWith(a.SID, twiliotest.Application{FriendlyName: "Dialer"}).SID
	s.AddApplicationWith(s.Parent().SID, twiliotest.Application{FriendlyName: "Dialer"})
	wantColumn(t, as(t, s, a).get(appsOf(a)+".json?FriendlyName=Dialer"), "applications", "sid", third, first)
	wantColumn(t, as(t, s, a).get(appsOf(a)+".json?FriendlyName=dialer"), "applications", "sid")
	page := as(t, s, a).get(appsOf(a) + ".json?FriendlyName=Dialer&PageSize=1")
	next := as(t, s, a).get("https://api.twilio.com" + page.member("next_page_uri"))
	wantColumn(t, next, "applications", "sid", first)
	if got := s.Applications(a.SID); len(got) != 3 || got[0].SID != first {
		t.Errorf("got %+v", got)
	}
}

func TestADeletedApplicationIsRefusedEverywhereButStaysInItsNumbers(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	app := s.AddApplication(a.SID)
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{VoiceApplicationSID: app})
	other := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	at := appsOf(a) + "/" + app + ".json"
	wantGone(t, as(t, s, a).delete(at))
	for _, got := range []reply{as(t, s, a).get(at), as(t, s, a).post(at), as(t, s, a).delete(at)} {
		wantRefusal(t, got, 404, 20404)
	}
	if now, _ := s.PhoneNumber(n.SID); now.VoiceApplicationSID != app {
		t.Errorf("the number has %q", now.VoiceApplicationSID)
	}
	wantOK(t, as(t, s, a).post(numbersOf(a)+"/"+n.SID+".json", "FriendlyName", "x")) // what is not sent is not checked
	wantRefusal(t, as(t, s, a).post(numbersOf(a)+"/"+other.SID+".json", "VoiceApplicationSid", app), 400, 21420)
	message := []string{"To", someone, "From", n.PhoneNumber, "Body", "x", "ApplicationSid", app}
	wantRefusal(t, as(t, s, a).post(messagesOf(a)+".json", message...), 400, 21420)
	if _, there := s.Application(app); there || len(s.Applications(a.SID)) != 0 {
		t.Error("it is still there")
	}
	s.DeleteApplication(app) // does nothing
	another := s.AddApplication(a.SID)
	s.DeleteApplication(another)
	wantRefusal(t, as(t, s, a).get(appsOf(a)+"/"+another+".json"), 404, 20404)
}

func TestApplicationsBelongToOneAccountAndWorkWithAnyOfItsKeys(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other := s.AddSubaccount(""), s.AddSubaccount("")
	app := s.AddApplication(a.SID)
	wantOK(t, asKey(t, s, s.AddKey(a.SID, twiliotest.StandardKey)).get(appsOf(a)+"/"+app+".json"))
	wantOK(t, asParent(t, s).get(appsOf(a)+"/"+app+".json"))
	wantRefusal(t, as(t, s, other).get(appsOf(a)+"/"+app+".json"), 401, 20003)
	wantRefusal(t, as(t, s, other).get(appsOf(other)+"/"+app+".json"), 404, 20404)
	wantPanic(t, func() { s.AddApplicationWith(other.SID, twiliotest.Application{SID: app}) })
	wantPanic(t, func() { s.AddApplication("AC0") })
}

func TestABadApplicationOrOneTooManyIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithApplicationLimit(2))
	parent := s.Parent()
	app := s.AddApplication(parent.SID)
	for _, try := range []struct {
		code        int
		name, value string
	}{
		{20002, "FriendlyName", strings.Repeat("x", 65)},
		{21402, "VoiceUrl", "example.com"},
		{21402, "VoiceFallbackUrl", "ftp://example.com"},
		{21402, "StatusCallback", "/x"},
		{21402, "SmsUrl", "https://"},
		{21402, "SmsFallbackUrl", "x"},
		{21402, "MessageStatusCallback", "x"},
		{21402, "SmsStatusCallback", "x"},
		{21403, "VoiceMethod", "PUT"},
		{21403, "VoiceFallbackMethod", "get"},
		{21403, "StatusCallbackMethod", ""},
		{21403, "SmsMethod", "HEAD"},
		{21403, "SmsFallbackMethod", "x"},
		{20001, "VoiceCallerIdLookup", "yes"},
		{20001, "PublicApplicationConnectEnabled", "1"},
	} {
		wantRefusal(t, asParent(t, s).post(appsOf(parent)+".json", try.name, try.value), 400, try.code)
		wantRefusal(t, asParent(t, s).post(appsOf(parent)+"/"+app+".json", try.name, try.value), 400, try.code)
	}
	wantOK(t, asParent(t, s).post(appsOf(parent)+".json"))
	wantRefusal(t, asParent(t, s).post(appsOf(parent)+".json"), 400, 21301)
	wantOK(t, asParent(t, s).post(appsOf(s.AddSubaccount(""))+".json"))
}
