package twiliotest_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func messagesOf(a twiliotest.Account) string { return base + "/" + a.SID + "/Messages" }

const someone = "+12065550199"

func TestASentMessageHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
		got := as(t, s, a).post(messagesOf(a)+".json", "To", someone, "From", n.PhoneNumber, "Body", "Hello! 👍")
		if got.status != 201 {
			t.Fatalf("got %d %s", got.status, got.raw)
		}
		m := s.Messages(a.SID)[0]
		uri := "/2010-04-01/Accounts/" + a.SID + "/Messages/" + m.SID
		wantMembers(t, got, map[string]any{
			"account_sid": a.SID, "api_version": "2010-04-01", "body": "Hello! 👍", "date_created": "Sat, 01 Jan 2000 00:00:00 +0000",
			"date_sent": nil, "date_updated": "Sat, 01 Jan 2000 00:00:00 +0000", "direction": "outbound-api", "error_code": nil,
			"error_message": nil, "from": n.PhoneNumber, "messaging_service_sid": nil, "num_media": "0", "num_segments": "1",
			"price": nil, "price_unit": "USD", "sid": m.SID, "status": "queued", "to": someone, "uri": uri + ".json",
			"subresource_uris": map[string]any{"media": uri + "/Media.json"},
		})
		if again := as(t, s, a).get(messagesOf(a) + "/" + m.SID + ".json"); again.raw != got.raw || !strings.HasPrefix(m.SID, "SM") {
			t.Errorf("fetch differs: %s", again.raw)
		}
	})
}

func TestThroughAServiceAMessageIsAcceptedAndGetsItsSenderLater(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	voice := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	n := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{})
	m := s.AddMessagingService(parent.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{voice.SID, n.SID}})
	for _, param := range []string{"MessagingServiceSid", "From"} {
		got := asParent(t, s).post(messagesOf(parent)+".json", "To", someone, param, m.SID, "Body", "Hello")
		if got.status != 201 || got.body["status"] != "accepted" || got.body["from"] != nil || got.body["num_segments"] != "0" ||
			got.body["messaging_service_sid"] != m.SID {
			t.Errorf("got %d %s", got.status, got.raw)
		}
		sid := got.member("sid")
		s.SetMessageStatus(sid, "sent", 0)
		if is, _ := s.Message(sid); is.From != n.PhoneNumber || is.NumSegments != 1 || is.DateSent.IsZero() {
			t.Errorf("sent: %+v", is)
		}
		s.SetMessageStatus(sid, "undelivered", 30007)
		got = asParent(t, s).get(messagesOf(parent) + "/" + sid + ".json")
		if got.body["error_code"] != 30007.0 || got.body["error_message"] != "Carrier violation" || got.body["status"] != "undelivered" {
			t.Errorf("got %s", got.raw)
		}
	}
	got := asParent(t, s).post(messagesOf(parent)+".json", "To", someone, "From", n.PhoneNumber, "MessagingServiceSid", m.SID, "Body", "x")
	if got.body["status"] != "accepted" || got.body["from"] != n.PhoneNumber {
		t.Errorf("got %s", got.raw)
	}
	wantPanic(t, func() { s.SetMessageStatus("SM0", "sent", 0) })
}

func TestAMessageKeepsTheDateOnWhichItWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		n := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{})
		got := asParent(t, s).post(messagesOf(s.Parent())+".json", "To", someone, "From", n.PhoneNumber, "Body", "x")
		s.SetMessageStatus(got.member("sid"), "sending", 0)
		if m, _ := s.Message(got.member("sid")); !m.DateSent.IsZero() {
			t.Errorf("sent at %s", m.DateSent)
		}
		s.SetMessageStatus(got.member("sid"), "sent", 0)
		was := time.Now()
		time.Sleep(time.Minute)
		s.SetMessageStatus(got.member("sid"), "delivered", 0)
		if m, _ := s.Message(got.member("sid")); !m.DateSent.Equal(was) || !m.DateUpdated.Equal(was.Add(time.Minute)) {
			t.Errorf("sent at %s, updated at %s", m.DateSent, m.DateUpdated)
		}
	})
}

func TestMediaMakeAnMMSAndSeveralMayBeSent(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	c := asParent(t, s)
	got := c.do(c.request("POST", messagesOf(parent)+".json", url.Values{
		"To": {someone}, "From": {"Tenant 7"}, "MediaUrl": {"https://example.com/1.png", "https://example.com/2.png"}, "SendAsMms": {"true"},
	}))
	if got.status != 201 || !strings.HasPrefix(got.member("sid"), "MM") || got.body["num_media"] != "2" {
		t.Fatalf("got %d %s", got.status, got.raw)
	}
	wantOK(t, c.get(messagesOf(parent)+"/"+got.member("sid")+".json"))
	eleven := url.Values{"To": {someone}, "From": {"Tenant 7"}, "MediaUrl": slices.Repeat([]string{"https://example.com/1.png"}, 11)}
	wantRefusal(t, c.do(c.request("POST", messagesOf(parent)+".json", eleven)), 400, 21623)
	s.Messages(parent.SID)[0].MediaURLs[0] = "changed"
	if m, _ := s.Message(got.member("sid")); m.MediaURLs[0] != "https://example.com/1.png" {
		t.Error("a test can change the state by accident")
	}
}

func TestAMessageThatTwilioWouldNotSendIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other := s.AddSubaccount(""), s.AddSubaccount("")
	from := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}).PhoneNumber
	voice := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	theirs := s.AddPhoneNumber(other.SID, twiliotest.PhoneNumber{})
	none := s.AddMessagingService(a.SID, twiliotest.MessagingService{}).SID
	mute := s.AddMessagingService(a.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{voice.SID}}).SID
	foreign := s.AddMessagingService(other.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{theirs.SID}}).SID
	s.OptOut(a.SID, "+12065550100")
	for _, try := range []struct {
		status, code int
		form         []string
	}{
		{400, 21604, []string{"From", from, "Body", "x"}},
		{400, 21211, []string{"To", "+123", "From", from, "Body", "x"}},
		{400, 21211, []string{"To", "2065550199", "From", from, "Body", "x"}},
		{400, 21211, []string{"To", "somebody", "From", from, "Body", "x"}},
		{400, 21603, []string{"To", someone, "Body", "x"}},
		{400, 21266, []string{"To", from, "From", from, "Body", "x"}},
		{400, 21619, []string{"To", someone, "From", from}},
		{400, 21619, []string{"To", someone, "From", from, "Body", ""}},
		{400, 21617, []string{"To", someone, "From", from, "Body", strings.Repeat("é", 1601)}},
		{400, 21620, []string{"To", someone, "From", from, "MediaUrl", "file.png"}},
		{400, 21620, []string{"To", someone, "From", from, "MediaUrl", ""}},
		{400, 21609, []string{"To", someone, "From", from, "Body", "x", "StatusCallback", "example.com"}},
		{400, 21420, []string{"To", someone, "From", from, "Body", "x", "ApplicationSid", s.AddApplication(other.SID)}},
		{400, 21606, []string{"To", someone, "From", "+14155559999", "Body", "x"}},
		{400, 21606, []string{"To", someone, "From", "12345", "Body", "x"}},
		{400, 21660, []string{"To", someone, "From", theirs.PhoneNumber, "Body", "x"}},
		{400, 21661, []string{"To", someone, "From", voice.PhoneNumber, "Body", "x"}},
		{400, 21212, []string{"To", someone, "From", "Twelve chars", "Body", "x"}},
		{400, 21212, []string{"To", someone, "From", "+- &", "Body", "x"}},
		{400, 21705, []string{"To", someone, "MessagingServiceSid", "MG1", "Body", "x"}},
		{404, 21701, []string{"To", someone, "MessagingServiceSid", "MG" + strings.Repeat("0", 32), "Body", "x"}},
		{404, 21701, []string{"To", someone, "MessagingServiceSid", foreign, "Body", "x"}},
		{400, 21704, []string{"To", someone, "MessagingServiceSid", none, "Body", "x"}},
		{400, 21703, []string{"To", someone, "MessagingServiceSid", mute, "Body", "x"}},
		{400, 21610, []string{"To", "+12065550100", "From", from, "Body", "x"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "ValidityPeriod", "36001"}},
		{400, 20001, []string{"To", someone, "From", from, "ContentSid", "HX1"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "RiskCheck", "maybe"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "ShortenUrls", "1"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "Attempt", "first"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "ScheduleType", "fixed"}},
		{400, 20001, []string{"To", someone, "From", from, "Body", "x", "SendAt", "tomorrow"}},
	} {
		wantRefusal(t, as(t, s, a).post(messagesOf(a)+".json", try.form...), try.status, try.code)
	}
	if n := len(s.Messages(a.SID)); n != 0 {
		t.Errorf("%d messages", n)
	}
	s.OptIn(a.SID, "+12065550100")
	for _, good := range [][]string{
		{"To", "+12065550100", "From", from, "Body", strings.Repeat("é", 1600)},
		{"To", "whatsapp:" + someone, "From", "whatsapp:" + from, "ContentSid", "HX" + strings.Repeat("a", 32)},
		{"To", someone, "From", "Tenant 7", "Body", "x", "Attempt", "1", "MaxPrice", "0.5"},
	} {
		wantOK(t, as(t, s, a).post(messagesOf(a)+".json", good...))
	}
	wantPanic(t, func() { s.OptOut("AC0", someone) })
}

func TestAServiceSendsFromItsOwnNumbersOnly(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithMoveKeepsMembership())
	a := s.AddSubaccount("")
	n, outside := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}), s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	m := s.AddMessagingService(a.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{n.SID}})
	at, form := messagesOf(a)+".json", []string{"To", someone, "MessagingServiceSid", m.SID, "Body", "x"}
	wantRefusal(t, as(t, s, a).post(at, append(form, "From", outside.PhoneNumber)...), 400, 21606)
	wantOK(t, as(t, s, a).post(at, form...))
	wantOK(t, asParent(t, s).post(numbersOf(a)+"/"+n.SID+".json", "AccountSid", s.Parent().SID))
	wantRefusal(t, as(t, s, a).post(at, form...), 400, 21703) // the one that is left is somebody else's
}

func TestATrialAccountSendsToVerifiedNumbersAndSaysSo(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithTrialParent())
	parent := s.Parent()
	form := []string{"To", someone, "From", s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{}).PhoneNumber, "Body", "Hello"}
	wantRefusal(t, asParent(t, s).post(messagesOf(parent)+".json", form...), 400, 21608)
	s.VerifyCallerID(parent.SID, someone)
	got := asParent(t, s).post(messagesOf(parent)+".json", form...)
	if got.member("body") != "Sent from your Twilio trial account - Hello" {
		t.Errorf("got %s", got.raw)
	}
}

func TestAScheduledMessageNeedsAServiceAndATimeAndCanBeCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		parent := s.Parent()
		n := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{})
		m := s.AddMessagingService(parent.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{n.SID}})
		send := func(in time.Duration, sender, sid string) reply {
			return asParent(t, s).post(messagesOf(parent)+".json", "To", someone, sender, sid, "Body", "x", "ScheduleType", "fixed",
				"SendAt", time.Now().Add(in).Format(time.RFC3339))
		}
		wantRefusal(t, send(time.Hour, "From", n.PhoneNumber), 400, 35118)
		wantRefusal(t, send(14*time.Minute, "MessagingServiceSid", m.SID), 400, 35114)
		wantRefusal(t, send(36*24*time.Hour, "MessagingServiceSid", m.SID), 400, 35114)
		got := send(time.Hour, "MessagingServiceSid", m.SID)
		at := messagesOf(parent) + "/" + got.member("sid") + ".json"
		if got.body["status"] != "scheduled" || got.body["from"] != nil || s.Messages(parent.SID)[0].SendAt.IsZero() {
			t.Errorf("got %s", got.raw)
		}
		wantRefusal(t, asParent(t, s).post(at, "Status", "sent"), 400, 20001)
		canceled := asParent(t, s).post(at, "Status", "canceled")
		if canceled.status != 200 || canceled.body["status"] != "canceled" {
			t.Errorf("got %s", canceled.raw)
		}
		wantRefusal(t, asParent(t, s).post(at, "Status", "canceled"), 400, 30409)
	})
}

func TestAMessageCanBeRedactedAndDeleted(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	n := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{})
	m := s.Receive(n.PhoneNumber, someone, "secret").Message
	c, at := asParent(t, s), messagesOf(parent)+"/"+m.SID+".json"
	wantRefusal(t, c.post(at, "Body", "other"), 400, 20001)
	wantOK(t, c.post(at, "Body", ""))
	if is, _ := s.Message(m.SID); is.Body != "" {
		t.Errorf("the body is %q", is.Body)
	}
	wantGone(t, c.delete(at))
	wantRefusal(t, c.delete(at), 404, 20404)
	if _, ok := s.Message(m.SID); ok || len(s.Messages(parent.SID)) != 0 {
		t.Error("it is still there")
	}
}

func TestMessagesAreFoundByRecipientSenderAndDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		parent := s.Parent()
		n := s.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{}).PhoneNumber
		for _, body := range []string{"1", "2", "3"} { // at noon of the first, second and third of January
			time.Sleep(12 * time.Hour)
			s.Receive(n, someone, body)
			time.Sleep(12 * time.Hour)
		}
		c := asParent(t, s)
		wantOK(t, c.post(messagesOf(parent)+".json", "To", someone, "From", n, "Body", "4")) // not yet sent
		for query, want := range map[string]string{
			"":                                      "4321",
			"To=%2B14155550101":                     "321",
			"From=%2B14155550101":                   "4",
			"From=%2B1415555":                       "",
			"DateSent=2000-01-02":                   "2",
			"DateSent<=2000-01-02":                  "21",
			"DateSent>=2000-01-02":                  "32",
			"DateSent>=2000-01-02T12:00:00Z":        "32",
			"DateSent>=2000-01-02T13:00:00Z":        "3",
			"DateSent>=2000-01-02T13:00:00%2B01:00": "32",
			"DateSent<=2000-01-02T12:00:00Z":        "1",
			"DateSent=2000-01-02T18:00:00-05:00":    "2", "DateSent=2000-01-02T20:00:00-05:00": "3", // the day in UTC
			"DateSent>=2000-01-02&DateSent<=2000-01-02": "2",
			"DateSent<=1999-12-31":                      "",
		} {
			query = strings.NewReplacer("<", "%3C", ">", "%3E").Replace(query)
			got := c.get(messagesOf(parent) + ".json?" + query)
			if bodies := strings.Join(got.column("messages", "body"), ""); got.status != 200 || bodies != want {
				t.Errorf("%s: %s, want %s", query, bodies, want)
			}
		}
		wantRefusal(t, c.get(messagesOf(parent)+".json?DateSent=January"), 400, 20001)
	})
}

func TestUnderASuspendedAccountTheParentReadsMessagesButSendsNone(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	form := []string{"To", someone, "From", n.PhoneNumber, "Body", "x"}
	wantOK(t, asParent(t, s).post(messagesOf(a)+".json", form...))
	s.SetStatus(a.SID, twiliotest.Suspended)
	wantRefusal(t, asParent(t, s).post(messagesOf(a)+".json", form...), 403, 20005)
	wantColumn(t, asParent(t, s).get(messagesOf(a)+".json"), "messages", "to", someone)
	wantRefusal(t, asParent(t, s).get(messagesOf(s.Parent())+"/"+s.Messages(a.SID)[0].SID+".json"), 404, 20404)
}

func TestAnInboundMessageGoesToTheServiceOrTheNumberOrIsLost(t *testing.T) {
	t.Parallel()
	const ofNumber, ofService = "https://example.com/number", "https://example.com/service"
	webhook := twiliotest.PhoneNumber{SMSURL: ofNumber, SMSMethod: "GET"}
	for name, test := range map[string]struct {
		number  twiliotest.PhoneNumber
		service *twiliotest.MessagingService
		status  string
		want    twiliotest.Delivery
	}{
		"number":         {number: webhook, want: twiliotest.Delivery{URL: ofNumber, Method: "GET"}},
		"number without": {want: twiliotest.Delivery{}},
		"service": {number: webhook, service: &twiliotest.MessagingService{InboundRequestURL: ofService},
			want: twiliotest.Delivery{URL: ofService, Method: "POST"}},
		"service with none": {number: webhook, service: &twiliotest.MessagingService{}, want: twiliotest.Delivery{Lost: true}},
		"service that uses the number's": {number: webhook,
			service: &twiliotest.MessagingService{InboundRequestURL: ofService, UseInboundWebhookOnNumber: true},
			want:    twiliotest.Delivery{URL: ofNumber, Method: "GET"}},
		"voice only": {number: twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}},
			want: twiliotest.Delivery{Lost: true}},
		"suspended": {number: webhook, status: twiliotest.Suspended, want: twiliotest.Delivery{Lost: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twiliotest.NewServer(t)
			a := s.AddSubaccount("")
			n := s.AddPhoneNumber(a.SID, test.number)
			service := ""
			if test.service != nil {
				test.service.PhoneNumberSIDs = []string{n.SID}
				service = s.AddMessagingService(a.SID, *test.service).SID
			}
			if test.status != "" {
				s.SetStatus(a.SID, test.status)
			}
			want := test.want
			if !want.Lost {
				want.Message = twiliotest.Message{AccountSID: a.SID, Direction: "inbound", MessagingServiceSID: service, From: someone,
					To: n.PhoneNumber, Body: "STOP", NumSegments: 1, Status: "received"}
			}
			wantDelivery(t, s, s.Receive(n.PhoneNumber, someone, "STOP"), want)
		})
	}
}

// wantDelivery does not compare the message's SID and dates.
func wantDelivery(t *testing.T, s *twiliotest.Server, got, want twiliotest.Delivery) {
	t.Helper()
	m := &got.Message
	if kept, ok := s.Message(m.SID); ok == want.Lost || !reflect.DeepEqual(kept, *m) {
		t.Errorf("kept %+v", kept)
	}
	m.SID, m.DateCreated, m.DateUpdated, m.DateSent = "", time.Time{}, time.Time{}, time.Time{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAnApplicationGetsTheInboundMessagesOfANumberThatHasOne(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	app := s.AddApplication(s.Parent().SID)
	n := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{SMSURL: "https://example.com", SMSApplicationSID: app})
	if got := s.Receive(n.PhoneNumber, someone, "Hello"); got.ApplicationSID != app || got.URL != "" {
		t.Errorf("got %+v", got)
	}
	wantPanic(t, func() { s.Receive(someone, n.PhoneNumber, "Hello") })
}

func TestSegmentsAreCountedAsNetworksDo(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	n := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{}).PhoneNumber
	for body, want := range map[string]int{
		"":                       1,
		strings.Repeat("é", 160): 1,
		strings.Repeat("é", 161): 2,
		strings.Repeat("x", 306): 2,
		strings.Repeat("x", 307): 3,
		strings.Repeat("€", 80):  1,
		strings.Repeat("€", 81):  2,
		strings.Repeat("ж", 70):  1,
		strings.Repeat("ж", 71):  2,
		strings.Repeat("👍", 35):  1,
		strings.Repeat("👍", 36):  2,
	} {
		if got := s.Receive(n, someone, body).Message.NumSegments; got != want {
			t.Errorf("%d bytes: %d segments, want %d", len(body), got, want)
		}
	}
}
