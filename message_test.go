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
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const recipient = "+12083186206"

// sending is a tenant with a number in a messaging service.
func sending(t testing.TB) (*twiliotest.Server, *twilioacct.Handle, twiliotest.PhoneNumber, twiliotest.MessagingService) {
	t.Helper()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{
		UseInboundWebhookOnNumber: true, PhoneNumberSIDs: []string{number.SID},
	})
	return fake, acme, number, service
}

func lastForm(fake *twiliotest.Server) url.Values {
	all := fake.Requests()
	return all[len(all)-1].Form
}

func TestAMessageFromAServiceIsAcceptedWithoutASender(t *testing.T) {
	t.Parallel()
	fake, acme, _, service := sending(t)
	for _, m := range []twilioacct.NewMessage{
		{To: recipient, ServiceSID: service.SID, Body: "Hi there"},
		{To: recipient, From: service.SID, Body: "Hi there"}, // as the article has it
	} {
		sent, err := acme.Send(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.MessageAccepted, sent.Status)
		assert.Empty(t, sent.From)
		assert.Zero(t, sent.Segments)
		assert.Equal(t, service.SID, sent.ServiceSID)
		assert.Equal(t, url.Values{"To": {recipient}, "MessagingServiceSid": {service.SID}, "Body": {"Hi there"}}, lastForm(fake))
	}
}

func TestAMessageFromANumberIsQueued(t *testing.T) {
	t.Parallel()
	_, acme, number, _ := sending(t)
	sent, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "Hi 🦉 + v1.25"})
	require.NoError(t, err)
	assert.Equal(t, twilioacct.MessageQueued, sent.Status)
	assert.Equal(t, number.PhoneNumber, sent.From)
	assert.Equal(t, 1, sent.Segments)
	fetched, err := acme.Message(t.Context(), sent.SID)
	require.NoError(t, err)
	assert.Equal(t, sent, fetched)
	assert.Equal(t, "Hi 🦉 + v1.25", fetched.Body)
}

func TestEverythingOfAMessageIsSentAsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, acme, _, service := sending(t)
		when := time.Now().Add(24 * time.Hour).In(time.FixedZone("", 3600))
		sent, err := acme.Send(t.Context(), twilioacct.NewMessage{
			To: recipient, ServiceSID: service.SID, Body: "Hi & bye",
			MediaURLs:  []string{"https://acme.example/a.png?x=1", "https://acme.example/b.png"},
			ContentSID: "HX" + unknownSID[2:], ContentVariables: map[string]string{"1": "söns", "2": `"x"`},
			StatusCallback: "https://acme.example/status", Validity: time.Minute, SendAt: when,
		})
		require.NoError(t, err)
		assert.Equal(t, twilioacct.MessageScheduled, sent.Status)
		assert.True(t, strings.HasPrefix(sent.SID, "MM"))
		assert.Equal(t, 2, sent.Media)
		assert.Equal(t, url.Values{
			"To": {recipient}, "MessagingServiceSid": {service.SID}, "Body": {"Hi & bye"},
			"MediaUrl":   {"https://acme.example/a.png?x=1", "https://acme.example/b.png"},
			"ContentSid": {"HX" + unknownSID[2:]}, "ContentVariables": {`{"1":"söns","2":"\"x\""}`},
			"StatusCallback": {"https://acme.example/status"}, "ValidityPeriod": {"60"},
			"ScheduleType": {"fixed"}, "SendAt": {when.UTC().Format(time.RFC3339)},
		}, lastForm(fake))

		canceled, err := acme.CancelMessage(t.Context(), sent.SID)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.MessageCanceled, canceled.Status)
		again, err := acme.CancelMessage(t.Context(), sent.SID)
		require.NoError(t, err, "it is canceled already")
		assert.Equal(t, twilioacct.MessageCanceled, again.Status)
	})
}

func TestAMessageThatWasSentCannotBeCanceled(t *testing.T) {
	t.Parallel()
	_, acme, number, _ := sending(t)
	sent, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"})
	require.NoError(t, err)
	_, err = acme.CancelMessage(t.Context(), sent.SID)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
}

func TestACancellationThatTwilioDoesNotCarryOutIsAConflict(t *testing.T) {
	t.Parallel()
	fake, acme, number, _ := sending(t)
	sent, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"})
	require.NoError(t, err)
	answer := `{"sid":"` + sent.SID + `","account_sid":"` + acme.SID() + `","status":"sent"}`
	fake.Inject(twiliotest.Fault{Operation: "UpdateMessage", Body: []byte(answer)})
	_, err = acme.CancelMessage(t.Context(), sent.SID)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
}

func TestACancellationWhoseReplyIsLostIsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, acme, _, service := sending(t)
		sent, err := acme.Send(t.Context(), twilioacct.NewMessage{
			To: recipient, ServiceSID: service.SID, Body: "x", SendAt: time.Now().Add(time.Hour),
		})
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Operation: "UpdateMessage", Reset: true, AfterEffect: true})
		canceled, err := acme.CancelMessage(t.Context(), sent.SID)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.MessageCanceled, canceled.Status)
	})
}

func TestARedactedMessageHasNoBody(t *testing.T) {
	t.Parallel()
	fake, acme, number, _ := sending(t)
	sent, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "private"})
	require.NoError(t, err)
	fake.SetMessageStatus(sent.SID, "delivered", 0)
	for range 2 {
		redacted, err := acme.RedactMessage(t.Context(), sent.SID)
		require.NoError(t, err)
		assert.Empty(t, redacted.Body)
		assert.Equal(t, twilioacct.MessageDelivered, redacted.Status)
	}
	assert.Equal(t, url.Values{"Body": {""}}, lastForm(fake))
}

func TestASendIsNeverRepeatedBlindly(t *testing.T) {
	t.Parallel()
	for name, fault := range requestFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, acme, number, _ := sending(t)
				fault.Operation, fault.Times = "CreateMessage", 1
				fake.Inject(fault)
				_, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"})
				messages := allOf(t, acme.Messages(t.Context(), nil))
				switch {
				case err == nil:
					assert.Len(t, messages, 1)
				case fault.AfterEffect || fault.Truncate != 0:
					require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
					assert.Len(t, messages, 1, "a look shows it")
					assert.Equal(t, 1, fake.Count("CreateMessage"))
				default:
					assert.Empty(t, messages)
				}
			})
		})
	}
}

func TestRefusalsOfASendAreTyped(t *testing.T) {
	t.Parallel()
	fake, acme, number, service := sending(t)
	empty := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{})
	voiceOnly := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	others := fake.AddPhoneNumber(fake.AddSubaccount("other").SID, twiliotest.PhoneNumber{})
	fake.OptOut(acme.SID(), "+12065550123")
	for name, c := range map[string]struct {
		message twilioacct.NewMessage
		code    int
		want    error
	}{
		"opted out":                {twilioacct.NewMessage{To: "+12065550123", ServiceSID: service.SID}, 21610, twilioacct.ErrConflict},
		"a sender of nobody":       {twilioacct.NewMessage{To: recipient, From: "+12065550199"}, 21606, twilioacct.ErrForbidden},
		"another account's sender": {twilioacct.NewMessage{To: recipient, From: others.PhoneNumber}, 21660, twilioacct.ErrForbidden},
		"no SMS":                   {twilioacct.NewMessage{To: recipient, From: voiceOnly.PhoneNumber}, 21661, twilioacct.ErrInvalid},
		"a service without sender": {twilioacct.NewMessage{To: recipient, ServiceSID: empty.SID}, 21704, twilioacct.ErrConflict},
		"no such service":          {twilioacct.NewMessage{To: recipient, ServiceSID: "MG" + unknownSID[2:]}, 21701, twilioacct.ErrNotFound},
		"to itself":                {twilioacct.NewMessage{To: number.PhoneNumber, From: number.PhoneNumber}, 21266, twilioacct.ErrInvalid},
	} {
		c.message.Body = "x"
		_, err := acme.Send(t.Context(), c.message)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed, name)
		assert.Equal(t, c.code, typed.Code, name)
		require.ErrorIs(t, err, c.want, name)
		require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
	}

	trial := twiliotest.NewServer(t, twiliotest.WithTrialParent())
	sub := trial.AddSubaccount("acme").SID
	from := trial.AddPhoneNumber(sub, twiliotest.PhoneNumber{})
	_, err := providerOn(t, trial, nil).Subaccount(sub).Send(t.Context(), twilioacct.NewMessage{To: recipient, From: from.PhoneNumber, Body: "x"})
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
	assert.Equal(t, 21608, typed.Code)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
}

func TestOtherChannelsPassUnchanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ to, from string }{
		{"whatsapp:+14155550100", "whatsapp:+14155238886"},
		{"messenger:1234", "messenger:page"},
		{"+14155550100", "12345"},
		{"+14155550100", "Falcon"},
		{"+14155550100", "rcs:agent"},
	} {
		var form url.Values
		p := scripted(t, func(r *http.Request) (int, string) {
			_ = r.ParseForm()
			form = r.PostForm
			return 201, `{"sid":"SM` + unknownSID[2:] + `","account_sid":"` + scriptedParent + `","status":"queued"}`
		})
		_, err := p.Parent().Send(t.Context(), twilioacct.NewMessage{To: c.to, From: c.from, Body: "x"})
		require.NoError(t, err)
		assert.Equal(t, c.to, form.Get("To"))
		assert.Equal(t, c.from, form.Get("From"))
	}
}

func TestMessagesAreFilteredAndListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, acme, number, _ := sending(t)
		for range 3 {
			_, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"})
			require.NoError(t, err)
		}
		fake.Receive(number.PhoneNumber, recipient, "STOP")
		assert.Len(t, allOf(t, acme.Messages(t.Context(), nil)), 4)
		assert.Len(t, allOf(t, acme.Messages(t.Context(), &twilioacct.MessageFilter{From: recipient, To: number.PhoneNumber})), 1)
		later := time.Now().Add(time.Hour).In(time.FixedZone("", -7*3600))
		assert.Empty(t, allOf(t, acme.Messages(t.Context(), &twilioacct.MessageFilter{SentAfter: later})))
		all := fake.Requests()
		query, err := url.ParseQuery(all[len(all)-1].RawQuery)
		require.NoError(t, err)
		assert.Equal(t, later.UTC().Format(time.RFC3339), query.Get("DateSent>"))
		assert.Len(t, allOf(t, acme.Messages(t.Context(), &twilioacct.MessageFilter{SentBefore: later, From: recipient})), 1)
	})
}

func TestAFailedMessageSaysWhy(t *testing.T) {
	t.Parallel()
	fake, acme, number, _ := sending(t)
	sent, err := acme.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"})
	require.NoError(t, err)
	fake.SetMessageStatus(sent.SID, "undelivered", 30034)
	is, err := acme.Message(t.Context(), sent.SID)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.MessageUndelivered, is.Status)
	assert.Equal(t, 30034, is.ErrorCode)
}

func TestBadMessagesAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, acme, number, service := sending(t)
	good := twilioacct.NewMessage{To: recipient, From: number.PhoneNumber, Body: "x"}
	for name, change := range map[string]func(*twilioacct.NewMessage){
		"no recipient":               func(m *twilioacct.NewMessage) { m.To = "" },
		"a bad recipient":            func(m *twilioacct.NewMessage) { m.To = "+1 208 318 6206" },
		"no sender":                  func(m *twilioacct.NewMessage) { m.From = "" },
		"two senders":                func(m *twilioacct.NewMessage) { m.ServiceSID = service.SID },
		"a bad sender":               func(m *twilioacct.NewMessage) { m.From = "+0" },
		"a number's SID for service": func(m *twilioacct.NewMessage) { m.From, m.ServiceSID = "", number.SID },
		"nothing to say":             func(m *twilioacct.NewMessage) { m.Body = "" },
		"too much to say":            func(m *twilioacct.NewMessage) { m.Body = strings.Repeat("ü", 1601) },
		"a bad media URL":            func(m *twilioacct.NewMessage) { m.MediaURLs = []string{"a.png"} },
		"an empty media URL":         func(m *twilioacct.NewMessage) { m.MediaURLs = []string{""} },
		"11 files": func(m *twilioacct.NewMessage) {
			m.MediaURLs = strings.Split(strings.Repeat("https://x.example ", 11), " ")[:11]
		},
		"a bad template":           func(m *twilioacct.NewMessage) { m.ContentSID = service.SID },
		"variables of no template": func(m *twilioacct.NewMessage) { m.ContentVariables = map[string]string{"1": "x"} },
		"a schedule from a number": func(m *twilioacct.NewMessage) { m.SendAt = time.Now().Add(time.Hour) },
		"a schedule in the past": func(m *twilioacct.NewMessage) {
			m.From, m.ServiceSID, m.SendAt = "", service.SID, time.Now().Add(-time.Minute)
		},
		"a validity of a day": func(m *twilioacct.NewMessage) { m.Validity = 24 * time.Hour },
		"a negative validity": func(m *twilioacct.NewMessage) { m.Validity = -time.Second },
		"a bad callback":      func(m *twilioacct.NewMessage) { m.StatusCallback = "acme" },
	} {
		m := good
		change(&m)
		_, err := acme.Send(t.Context(), m)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	for _, err := range []error{
		second(acme.Message(t.Context(), number.SID)), second(acme.CancelMessage(t.Context(), "")), second(acme.RedactMessage(t.Context(), "SM")),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
	for _, err := range acme.Messages(t.Context(), &twilioacct.MessageFilter{To: "+1 208"}) {
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
	assert.Zero(t, fake.Count(""))
}

func TestTheArticlesFlowRequestByRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	parent := fake.Parent()
	number := fake.AddPhoneNumber(parent.SID, twiliotest.PhoneNumber{
		PhoneNumber: "+14158740103", VoiceURL: "https://demo.twilio.com/welcome/voice/", SMSURL: "https://demo.twilio.com/welcome/sms/reply",
	})
	falcon, err := p.CreateSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
	moved, err := p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: falcon.SID})
	require.NoError(t, err)
	assert.Equal(t, number.VoiceURL, moved.Number.VoiceURL)
	assert.Equal(t, number.SMSURL, moved.Number.SMSURL)
	tenant := p.Subaccount(falcon.SID)
	service, err := tenant.CreateMessagingService(t.Context(), "falconFlightNotifications", twilioacct.MessagingServiceSettings{})
	require.NoError(t, err)
	_, err = tenant.AddSender(t.Context(), twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID})
	require.NoError(t, err)
	sent, err := tenant.Send(t.Context(), twilioacct.NewMessage{To: recipient, From: service.SID, Body: "Hi there"})
	require.NoError(t, err)
	assert.Equal(t, twilioacct.MessageAccepted, sent.Status)

	type request struct{ user, host, path, form string }
	var changes []request
	for _, r := range fake.Requests() {
		if r.Method == "POST" {
			changes = append(changes, request{r.User, r.Host, r.Path, r.Form.Encode()})
		}
		assert.Equal(t, r.User, r.Account, "whoever is named has signed")
	}
	const v2010 = "/2010-04-01/Accounts"
	assert.Equal(t, []request{
		{parent.SID, "api.twilio.com", v2010 + ".json", "FriendlyName=FalconFlights"},
		{parent.SID, "api.twilio.com", v2010 + "/" + parent.SID + "/IncomingPhoneNumbers/" + number.SID + ".json", "AccountSid=" + falcon.SID},
		{falcon.SID, "messaging.twilio.com", "/v1/Services", "FriendlyName=falconFlightNotifications&UseInboundWebhookOnNumber=true"},
		{falcon.SID, "messaging.twilio.com", "/v1/Services/" + service.SID + "/PhoneNumbers", "PhoneNumberSid=" + number.SID},
		{falcon.SID, "api.twilio.com", v2010 + "/" + falcon.SID + "/Messages.json",
			"Body=Hi+there&MessagingServiceSid=" + service.SID + "&To=%2B12083186206"},
	}, changes)

	d := fake.Receive(number.PhoneNumber, recipient, "STOP")
	assert.Equal(t, number.SMSURL, d.URL, "an answer goes where it went before")

	// The article's own parameter works, too, through the escape hatch.
	raw, err := api.NewApiService(tenant.Services(t.Context())).CreateMessage(
		new(api.CreateMessageParams).SetTo(recipient).SetFrom(service.SID).SetBody("Hi there"))
	require.NoError(t, err)
	assert.Equal(t, service.SID, *raw.MessagingServiceSid)
}
