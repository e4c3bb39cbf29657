package twiliotest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func callsOf(a twiliotest.Account) string { return base + "/" + a.SID + "/Calls" }

func TestACallHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{PhoneNumber: "+14158675308"})
		v := s.AddCall(a.SID, "in-progress")
		time.Sleep(15 * time.Second)
		got := as(t, s, a).post(callsOf(a)+"/"+v.SID+".json", "Status", "completed")
		wantOK(t, got)
		uri := "/2010-04-01/Accounts/" + a.SID + "/Calls/" + v.SID
		wantMembers(t, got, map[string]any{
			"account_sid": a.SID, "answered_by": nil, "api_version": "2010-04-01", "caller_name": nil,
			"date_created": "Sat, 01 Jan 2000 00:00:00 +0000", "date_updated": "Sat, 01 Jan 2000 00:00:15 +0000",
			"direction": "outbound-api", "duration": "15", "end_time": "Sat, 01 Jan 2000 00:00:15 +0000", "forwarded_from": nil,
			"from": n.PhoneNumber, "from_formatted": "(415) 867-5308", "group_sid": nil, "parent_call_sid": nil, "phone_number_sid": n.SID,
			"price": nil, "price_unit": "USD", "sid": v.SID, "start_time": "Sat, 01 Jan 2000 00:00:00 +0000", "status": "completed",
			"to": v.To, "to_formatted": "(415) 555-0199", "trunk_sid": nil, "uri": uri + ".json", "queue_time": "0",
			"subresource_uris": map[string]any{
				"notifications": uri + "/Notifications.json", "recordings": uri + "/Recordings.json", "payments": uri + "/Payments.json",
				"events": uri + "/Events.json", "siprec": uri + "/Siprec.json", "streams": uri + "/Streams.json",
				"transcriptions":                     uri + "/Transcriptions.json",
				"user_defined_message_subscriptions": uri + "/UserDefinedMessageSubscriptions.json",
				"user_defined_messages":              uri + "/UserDefinedMessages.json",
			},
		})
		if again := as(t, s, a).get(callsOf(a) + "/" + v.SID + ".json"); again.raw != got.raw {
			t.Errorf("fetch differs: %s", again.raw)
		}
	})
}

func TestACallEndsOnceAndIsCanceledOnlyBeforeSomebodyAnswers(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	for _, step := range []struct{ is, want, becomes string }{
		{"queued", "completed", "completed"},
		{"ringing", "completed", "completed"},
		{"in-progress", "completed", "completed"},
		{"queued", "canceled", "canceled"},
		{"ringing", "canceled", "canceled"},
		{"in-progress", "canceled", "in-progress"},
	} {
		v := s.AddCall(parent.SID, step.is)
		at := callsOf(parent) + "/" + v.SID + ".json"
		got := asParent(t, s).post(at, "Status", step.want)
		if is, _ := s.Call(v.SID); got.status != 200 || is.Status != step.becomes || is.EndTime.IsZero() != (step.becomes == "in-progress") {
			t.Errorf("%+v: got %+v", step, is)
		}
	}
	for _, ended := range []string{"completed", "busy", "failed", "no-answer", "canceled"} {
		v := s.AddCall(parent.SID, ended)
		wantRefusal(t, asParent(t, s).post(callsOf(parent)+"/"+v.SID+".json", "Status", "completed"), 400, 21220)
	}
	v := s.AddCall(parent.SID, "queued")
	at := callsOf(parent) + "/" + v.SID + ".json"
	wantRefusal(t, asParent(t, s).post(at, "Status", "busy"), 400, 20001)
	wantRefusal(t, asParent(t, s).post(at, "Url", "example.com"), 400, 21205)
	wantRefusal(t, asParent(t, s).post(at, "Url", "https://example.com", "Method", "PUT"), 400, 21209)
	wantRefusal(t, asParent(t, s).post(at, "TimeLimit", "long"), 400, 20001)
	wantOK(t, asParent(t, s).post(at, "Twiml", "<Response/>"))
	wantRefusal(t, asParent(t, s).get(callsOf(s.AddSubaccount(""))+"/"+v.SID+".json"), 404, 20404)
	if _, ok := s.Call("CA0"); ok || len(s.Calls(parent.SID)) != 12 {
		t.Errorf("%d calls", len(s.Calls(parent.SID)))
	}
	wantPanic(t, func() { s.AddCall(parent.SID, "busy-ish") })
	wantPanic(t, func() { s.AddCall("AC0", "queued") })
}

func TestTheParentMayEndTheCallsOfASuspendedAccount(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	v := s.AddCall(a.SID, "in-progress")
	s.SetStatus(a.SID, twiliotest.Suspended)
	wantColumn(t, asParent(t, s).get(callsOf(a)+".json?Status=in-progress"), "calls", "sid", v.SID)
	wantOK(t, asParent(t, s).post(callsOf(a)+"/"+v.SID+".json", "Status", "completed"))
	s.SetStatus(a.SID, twiliotest.Closed)
	wantRefusal(t, asParent(t, s).post(callsOf(a)+"/"+v.SID+".json", "Status", "completed"), 403, 20403)
	wantOK(t, asParent(t, s).get(callsOf(a)+"/"+v.SID+".json"))
}

func TestCallsAreFoundByPartyStatusAndDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		parent := s.Parent()
		names := map[string]string{}
		for i, status := range []string{"queued", "in-progress", "completed"} { // on the first, second and third of January
			names[s.AddCall(parent.SID, status).SID] = string(rune('1' + i))
			time.Sleep(24 * time.Hour)
		}
		for query, want := range map[string]string{
			"":                      "321",
			"Status=in-progress":    "2",
			"To=%2B14155550199":     "321",
			"To=%2B1415555":         "",
			"From=%2B14155550100":   "321",
			"From=%2B14155550199":   "",
			"StartTime=2000-01-02":  "2",
			"StartTime>=2000-01-02": "32",
			"StartTime<=2000-01-03": "2", // before this date
			"EndTime>=2000-01-01":   "3",
			"EndTime=2000-01-03":    "3",
			"EndTime<=2000-01-03":   "",
			"ParentCallSid=CA" + strings.Repeat("0", 32): "",
		} {
			query = strings.NewReplacer("<", "%3C", ">", "%3E").Replace(query)
			got := asParent(t, s).get(callsOf(parent) + ".json?" + query)
			is := strings.Join(got.column("calls", "sid"), "")
			for sid, name := range names {
				is = strings.ReplaceAll(is, sid, name)
			}
			if got.status != 200 || is != want {
				t.Errorf("%s: %s, want %s", query, is, want)
			}
		}
		for _, query := range []string{"Status=talking", "StartTime=now", "EndTime%3C=now"} {
			wantRefusal(t, asParent(t, s).get(callsOf(parent)+".json?"+query), 400, 20001)
		}
	})
}
