package twilio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/openapi"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// must is the value of a call that must succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func all[T any](t *testing.T, list func(func(T, error) bool)) (items []T) {
	t.Helper()
	for item, err := range list {
		require.NoError(t, err)
		items = append(items, item)
	}
	return items
}

func TestWhatATenantsLifeSendsAndTheFakeAnswersIsWhatTwilioDocuments(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	ctx := t.Context()
	p := provider(t, fake, &twilioacct.Options{HTTPClient: checked(t, fake), Store: twilioacct.NewMemStore().Making()})
	parent := fake.Parent().SID
	old := fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{VoiceURL: "https://owlie.example/voice", VoiceApplicationSID: fake.AddApplication(parent)})
	fake.AddMessagingService(parent, twiliotest.MessagingService{FriendlyName: "owlie", PhoneNumberSIDs: []string{old.SID}})
	for range 60 { // more than a page of Twilio's default size
		fake.AddMessagingService(parent, twiliotest.MessagingService{})
	}

	has := must[twilioacct.Provisioned](t)(p.Provision(ctx, twilioacct.Spec{
		FriendlyName: "FalconFlights v1.25 & söns 🦉",
		Number:       &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: old.PhoneNumber}, Settings: twilioacct.PhoneNumberSettings{SMSURL: new("https://falcon.example/sms")}},
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	}))
	falcon := p.Subaccount(has.Account.SID)
	sid := has.Account.SID

	number := must[twilioacct.PhoneNumber](t)
	for _, search := range []twilioacct.NumberSearch{
		{AreaCode: 415, Contains: "+1415*", With: twilioacct.Capabilities{Voice: true, SMS: true}, Near: twilioacct.Near{Latitude: 37.7749, Longitude: -122.4194, Miles: 30}},
		{Country: "GB", Type: twilioacct.NumberMobile}, {Type: twilioacct.NumberTollFree}, {Country: "DE"}, {Country: "FR", Type: twilioacct.NumberMobile},
	} {
		must[[]twilioacct.AvailableNumber](t)(falcon.SearchNumbers(ctx, search))
	}
	bought := number(falcon.BuyNumber(ctx, twilioacct.NumberOrder{AreaCode: 415, Settings: twilioacct.PhoneNumberSettings{
		FriendlyName: new("new"), VoiceURL: new("https://falcon.example/voice"), VoiceMethod: new("GET"), SMSApplicationSID: new(fake.AddApplication(sid)),
	}}))
	number(falcon.ConfigureNumber(ctx, bought.SID, twilioacct.PhoneNumberSettings{
		VoiceURL: new(""), TrunkSID: new("TK" + sid[2:]), AddressSID: new("AD" + sid[2:]), BundleSID: new("BU" + sid[2:]),
		StatusCallback: new("https://falcon.example/status"), StatusCallbackMethod: new("GET"), SMSFallbackURL: new("https://falcon.example/fallback"),
	}))
	number(falcon.PhoneNumber(ctx, bought.SID))
	number(falcon.FindNumber(ctx, bought.PhoneNumber))
	assert.Len(t, all(t, falcon.PhoneNumbers(ctx, &twilioacct.PhoneNumberFilter{PhoneNumber: "1", FriendlyName: "new"})), 1)

	service := must[twilioacct.MessagingService](t)
	other := service(falcon.CreateMessagingService(ctx, "other", twilioacct.MessagingServiceSettings{
		InboundURL: new("https://falcon.example/in"), InboundMethod: new("GET"), FallbackURL: new("https://falcon.example/fallback"),
		StatusCallback: new("https://falcon.example/status"), StickySender: new(false), MMSConverter: new(false), SmartEncoding: new(false),
		AreaCodeMatch: new(false), ScanContent: new("disable"), Validity: new(time.Minute), UseCase: new("marketing"),
	}))
	service(falcon.ConfigureMessagingService(ctx, other.SID, twilioacct.MessagingServiceSettings{InboundURL: new(""), UseNumberWebhook: new(true)}))
	service(falcon.FindMessagingService(ctx, "other"))
	must[twilioacct.ServiceNumber](t)(falcon.AddSender(ctx, twilioacct.Sender{ServiceSID: other.SID, PhoneNumberSID: bought.SID}))
	_, err := falcon.AddSender(ctx, twilioacct.Sender{ServiceSID: has.Service.SID, PhoneNumberSID: bought.SID})
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Len(t, all(t, falcon.Senders(ctx, other.SID)), 1)
	free := must[[]twilioacct.AvailableNumber](t)(falcon.SearchNumbers(ctx, twilioacct.NumberSearch{Type: twilioacct.NumberTollFree, Limit: 1}))
	tollFree := number(falcon.BuyNumber(ctx, twilioacct.NumberOrder{PhoneNumber: free[0].PhoneNumber}))
	must[twilioacct.ServiceNumber](t)(falcon.AddSender(ctx, twilioacct.Sender{ServiceSID: other.SID, PhoneNumberSID: tollFree.SID}))
	assert.False(t, falcon.Ready(ctx, other.SID).OK)
	fake.VerifyTollFree(tollFree.SID, "TWILIO_APPROVED")
	assert.True(t, falcon.Ready(ctx, other.SID).OK)

	message := must[twilioacct.Message](t)
	for _, m := range []twilioacct.NewMessage{
		{ServiceSID: other.SID, Body: "Hi there"},
		{From: bought.PhoneNumber, Body: "Hi", MediaURLs: []string{"https://falcon.example/a.png"}, StatusCallback: "https://falcon.example/status"},
		{ServiceSID: other.SID, ContentSID: "HX" + sid[2:], ContentVariables: map[string]string{"1": "x"}, Validity: time.Minute},
	} {
		m.To = "+12083186206"
		sent := message(falcon.Send(ctx, m))
		message(falcon.Message(ctx, sent.SID))
		message(falcon.RedactMessage(ctx, sent.SID))
	}
	scheduled := message(falcon.Send(ctx, twilioacct.NewMessage{To: "+12083186206", ServiceSID: other.SID, Body: "x", SendAt: time.Now().Add(time.Hour)}))
	message(falcon.CancelMessage(ctx, scheduled.SID))
	filter := &twilioacct.MessageFilter{To: "+12083186206", SentAfter: time.Now().Add(-time.Hour), SentBefore: time.Now().Add(time.Hour)}
	all(t, falcon.Messages(ctx, filter))

	talk(t, fake, p, falcon)

	require.NoError(t, falcon.RemoveSender(ctx, twilioacct.Sender{ServiceSID: other.SID, PhoneNumberSID: bought.SID}))
	require.NoError(t, falcon.DeleteMessagingService(ctx, other.SID))
	require.NoError(t, falcon.ReleaseNumber(ctx, twilioacct.NumberRelease{SID: bought.SID, PhoneNumber: bought.PhoneNumber}))
	must[twilioacct.Account](t)(p.RenameSubaccount(ctx, sid, "Falcon"))
	fake.AddCall(sid, "in-progress")
	fake.AddCall(sid, "ringing")
	must[twilioacct.Account](t)(p.SuspendSubaccount(ctx, sid))
	assert.Equal(t, 2, must[int](t)(p.EndCalls(ctx, sid)))
	must[twilioacct.Transferred](t)(p.TransferNumber(ctx, twilioacct.NumberTransfer{
		PhoneNumberSID: old.SID, FromSID: sid, ToSID: parent, IgnoreMembership: true,
	}))
	must[twilioacct.Account](t)(p.ReactivateSubaccount(ctx, sid))

	// Nothing that is documented for these operations was left out of this test.
	for _, operation := range must[[]string](t)(openapi.Operations()) {
		if !unused[operation] {
			assert.NotZero(t, fake.Count(operation), operation)
		}
	}
}

// unused are the operations that the library does not use, and that are there for the fake's own tests or for later.
var unused = map[string]bool{"DeleteMessage": true, "ListUsAppToPerson": true}
