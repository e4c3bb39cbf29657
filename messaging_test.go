package twilioacct_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestEverySettingOfAMessagingServiceIsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	settings := twilioacct.MessagingServiceSettings{
		FriendlyName: new("acme v1.25 + söns 🦉"),
		InboundURL:   new("https://acme.example/in?a=1&b=x%20y"), InboundMethod: new("GET"),
		FallbackURL: new("https://acme.example/fallback"), FallbackMethod: new("GET"),
		UseNumberWebhook: new(true),
		StatusCallback:   new("https://acme.example/status"),
		StickySender:     new(false),
		MMSConverter:     new(false),
		SmartEncoding:    new(false),
		AreaCodeMatch:    new(false),
		ScanContent:      new("disable"),
		Validity:         new(90 * time.Second),
		UseCase:          new("marketing"),
	}
	opposite := twilioacct.MessagingServiceSettings{
		InboundURL: new(""), InboundMethod: new("POST"), FallbackURL: new(""), FallbackMethod: new("POST"), UseNumberWebhook: new(false),
		StatusCallback: new(""), StickySender: new(true), MMSConverter: new(true), SmartEncoding: new(true), AreaCodeMatch: new(true),
		ScanContent: new("inherit"), Validity: new(10 * time.Hour), UseCase: new("notifications"), LoseInbound: true,
	}
	made, err := acme.CreateMessagingService(t.Context(), "plain", twilioacct.MessagingServiceSettings{})
	require.NoError(t, err)
	covered := map[string]bool{}
	for _, s := range []twilioacct.MessagingServiceSettings{settings, opposite} {
		set, err := acme.ConfigureMessagingService(t.Context(), made.SID, s)
		require.NoError(t, err)
		fetched, err := acme.MessagingService(t.Context(), made.SID)
		require.NoError(t, err)
		readBack(t, s, set, covered)
		readBack(t, s, fetched, covered)
	}
	assert.Len(t, covered, reflect.TypeFor[twilioacct.MessagingServiceSettings]().NumField()-1, "all but LoseInbound, which is none of Twilio's")

	for _, s := range []twilioacct.MessagingServiceSettings{settings, opposite} {
		s.FriendlyName = nil
		made, err := acme.CreateMessagingService(t.Context(), "new", s)
		require.NoError(t, err)
		readBack(t, s, made, covered)
	}
}

func TestANewServiceLosesNoInboundMessageUnlessTold(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	const url = "https://acme.example/in"
	for name, c := range map[string]struct {
		settings  twilioacct.MessagingServiceSettings
		url       string
		isNumbers bool
	}{
		"nothing said":           {twilioacct.MessagingServiceSettings{}, "", true},
		"an empty URL":           {twilioacct.MessagingServiceSettings{InboundURL: new("")}, "", true},
		"a URL":                  {twilioacct.MessagingServiceSettings{InboundURL: new(url)}, url, false},
		"the number's own":       {twilioacct.MessagingServiceSettings{UseNumberWebhook: new(true)}, "", true},
		"both":                   {twilioacct.MessagingServiceSettings{InboundURL: new(url), UseNumberWebhook: new(true)}, url, true},
		"neither, and on demand": {twilioacct.MessagingServiceSettings{UseNumberWebhook: new(false), LoseInbound: true}, "", false},
	} {
		made, err := acme.CreateMessagingService(t.Context(), "new", c.settings)
		require.NoError(t, err, name)
		assert.Equal(t, c.url, made.InboundURL, name)
		assert.Equal(t, c.isNumbers, made.UseNumberWebhook, name)
		assert.Equal(t, name == "neither, and on demand", made.LosesInbound(), name)
	}
}

func TestANumberIsNotAddedWhereItsInboundMessagesWouldBeLost(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{SMSURL: "https://acme.example/sms"})
	losing := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{FriendlyName: "losing"})
	s := twilioacct.Sender{ServiceSID: losing.SID, PhoneNumberSID: number.SID}
	_, err := acme.AddSender(t.Context(), s)
	require.ErrorIs(t, err, twilioacct.ErrInboundLost)
	assert.Contains(t, err.Error(), "UseNumberWebhook")
	assert.Zero(t, fake.Count("CreatePhoneNumber"))

	s.LoseInbound = true
	added, err := acme.AddSender(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, number.PhoneNumber, added.PhoneNumber)
	s.LoseInbound = false
	_, err = acme.AddSender(t.Context(), s)
	require.NoError(t, err, "it is there already")
	assert.Equal(t, 1, fake.Count("CreatePhoneNumber"))
	assert.Equal(t, twilioacct.Capabilities{Voice: true, SMS: true, MMS: true}, added.Capabilities)
	assert.Equal(t, "US", added.Country)
}

func TestANumberThatIsInTheServiceAlreadyIsAdded(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{UseInboundWebhookOnNumber: true})
	s := twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID}
	first, err := acme.AddSender(t.Context(), s)
	require.NoError(t, err)
	again, err := acme.AddSender(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.Len(t, allOf(t, acme.Senders(t.Context(), service.SID)), 1)
}

func TestANumberInAnotherServiceIsAConflictThatNamesIt(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	for range 20 {
		fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{FriendlyName: "x"})
	}
	holder := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	wanted := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{UseInboundWebhookOnNumber: true})
	_, err := acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: wanted.SID, PhoneNumberSID: number.SID})
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	var held *twilioacct.InOtherServiceError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, holder.SID, held.ServiceSID)
	assert.Contains(t, err.Error(), holder.SID)

	fake.Inject(twiliotest.Fault{Operation: "ListService", Code: 20500, Times: twiliotest.Always})
	synctest.Test(t, func(t *testing.T) {
		_, err = acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: wanted.SID, PhoneNumberSID: number.SID})
	})
	require.ErrorIs(t, err, twilioacct.ErrConflict, "also where nobody can tell which service it is")
	assert.Contains(t, err.Error(), "another service")
}

func TestRemovingANumberThatIsNotInTheServiceIsSuccess(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	s := twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID}
	for range 2 {
		require.NoError(t, acme.RemoveSender(t.Context(), s))
	}
	_, err := acme.Sender(t.Context(), s)
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	assert.Len(t, fake.PhoneNumbers(acme.SID()), 1, "it is still the account's")

	s.ServiceSID = "MG" + unknownSID[2:]
	require.ErrorIs(t, acme.RemoveSender(t.Context(), s), twilioacct.ErrNotFound, "there is no such service")
}

func TestA404ThatIsNotTwiliosIsNotTakenForDone(t *testing.T) {
	t.Parallel()
	for name, fault := range notTwilios {
		fake, p, acme := tenant(t)
		number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
		service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
		for operation, do := range map[string]func() error{
			"DeletePhoneNumber": func() error {
				return acme.RemoveSender(t.Context(), twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID})
			},
			"DeleteService": func() error { return acme.DeleteMessagingService(t.Context(), service.SID) },
			"FetchPhoneNumber": func() error {
				return second(p.TransferNumber(t.Context(), twilioacct.NumberTransfer{
					PhoneNumberSID: number.SID, FromSID: acme.SID(), ToSID: fake.Parent().SID,
				}))
			},
		} {
			fault.Operation = operation
			fake.Inject(fault)
			require.Error(t, do(), "%s, %s", name, operation)
			now, _ := fake.MessagingService(service.SID)
			assert.Len(t, now.PhoneNumberSIDs, 1, "%s, %s", name, operation)
		}
	}
}

func TestNothingTakesTheLastWebhookAwayUnlessTold(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	type settings = twilioacct.MessagingServiceSettings
	_, err := acme.CreateMessagingService(t.Context(), "x", settings{UseNumberWebhook: new(false)})
	require.ErrorIs(t, err, twilioacct.ErrInboundLost)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Zero(t, fake.Count(""))

	made, err := acme.CreateMessagingService(t.Context(), "x", settings{InboundURL: new("https://acme.example/in")})
	require.NoError(t, err)
	_, err = acme.ConfigureMessagingService(t.Context(), made.SID, settings{InboundURL: new("")})
	require.ErrorIs(t, err, twilioacct.ErrInboundLost)
	assert.Zero(t, fake.Count("UpdateService"))
	_, err = acme.ConfigureMessagingService(t.Context(), made.SID, settings{UseNumberWebhook: new(true)})
	require.NoError(t, err)
	now, err := acme.ConfigureMessagingService(t.Context(), made.SID, settings{InboundURL: new("")})
	require.NoError(t, err, "the numbers' own webhooks are left")
	assert.False(t, now.LosesInbound())
	_, err = acme.ConfigureMessagingService(t.Context(), made.SID, settings{UseNumberWebhook: new(false)})
	require.ErrorIs(t, err, twilioacct.ErrInboundLost)
	now, err = acme.ConfigureMessagingService(t.Context(), made.SID, settings{UseNumberWebhook: new(false), LoseInbound: true})
	require.NoError(t, err)
	assert.True(t, now.LosesInbound())
}

func TestThatNothingWouldChangeIsSuccessForServicesAndNumbers(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: "https://acme.example"})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{StickySender: true})
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Code: 20020})
	n, err := acme.ConfigureNumber(t.Context(), number.SID, twilioacct.PhoneNumberSettings{VoiceURL: new("https://acme.example")})
	require.NoError(t, err)
	assert.Equal(t, "https://acme.example", n.VoiceURL)
	fake.Inject(twiliotest.Fault{Operation: "UpdateService", Code: 20020})
	s, err := acme.ConfigureMessagingService(t.Context(), service.SID, twilioacct.MessagingServiceSettings{StickySender: new(true)})
	require.NoError(t, err)
	assert.True(t, s.StickySender)
}

func TestADateThatIsNoneIsAFailureOfTheUsualType(t *testing.T) {
	t.Parallel()
	for _, date := range []string{`1700000000`, `"yesterday"`, `{}`} {
		p := scripted(t, func(r *http.Request) (int, string) {
			return 201, `{"sid":"MG` + unknownSID[2:] + `","account_sid":"` + scriptedParent + `","date_created":` + date + `}`
		})
		_, err := p.Parent().CreateMessagingService(t.Context(), "x", twilioacct.MessagingServiceSettings{})
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed, date)
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown, date)
		assert.Contains(t, err.Error(), "MG"+unknownSID[2:], "what may have been made is named")
	}
}

func TestAServiceIsFoundByNameAmongAll(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	wanted := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{FriendlyName: "falcon v1.25"})
	for range 1000 {
		fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{FriendlyName: "falcon v1"})
	}
	found, err := acme.FindMessagingService(t.Context(), "falcon v1.25")
	require.NoError(t, err)
	assert.Equal(t, wanted.SID, found.SID)
	assert.Equal(t, 2, fake.Count("ListService"))
	_, err = acme.FindMessagingService(t.Context(), "falcon")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	_, err = acme.FindMessagingService(t.Context(), "falcon v1")
	require.ErrorIs(t, err, twilioacct.ErrAmbiguous)
}

func TestADeletedServiceLeavesItsNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenant(t)
		number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
		service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
		fake.Inject(twiliotest.Fault{Operation: "DeleteService", Reset: true, AfterEffect: true})
		require.NoError(t, acme.DeleteMessagingService(t.Context(), service.SID), "the reply was lost, and then it was gone")
		assert.Equal(t, 2, fake.Count("DeleteService"))
		assert.Len(t, fake.PhoneNumbers(acme.SID()), 1)
		require.ErrorIs(t, acme.DeleteMessagingService(t.Context(), service.SID), twilioacct.ErrNotFound)
	})
}

func TestACreatedServiceWhoseReplyIsLostIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	for _, fault := range []twiliotest.Fault{
		{Reset: true, AfterEffect: true},
		{Status: 503, AfterEffect: true},
		{Status: 201, Body: []byte(`{"sid":"MG` + unknownSID[2:] + `","account_sid":"` + unknownSID + `","date_created":"yesterday"}`)},
	} {
		fault.Operation = "CreateService"
		fake.ForgetRequests()
		fake.Inject(fault)
		_, err := acme.CreateMessagingService(t.Context(), "falcon", twilioacct.MessagingServiceSettings{})
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed)
		assert.Equal(t, 1, fake.Count("CreateService"))
	}
}

func TestBadArgumentsOfMessagingServicesAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	pn, mg := "PN"+unknownSID[2:], "MG"+unknownSID[2:]
	type settings = twilioacct.MessagingServiceSettings
	create := func(name string, s settings) error {
		_, err := acme.CreateMessagingService(t.Context(), name, s)
		return err
	}
	for name, err := range map[string]error{
		"a phone number for a service":  second(acme.MessagingService(t.Context(), pn)),
		"a service for a phone number":  acme.RemoveSender(t.Context(), twilioacct.Sender{ServiceSID: mg, PhoneNumberSID: mg}),
		"ids in the wrong order":        second(acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: pn, PhoneNumberSID: mg})),
		"no ids":                        second(acme.Sender(t.Context(), twilioacct.Sender{})),
		"an empty name":                 create("", settings{}),
		"a long name":                   create(strings.Repeat("x", 65), settings{}),
		"two names":                     create("x", settings{FriendlyName: new("y")}),
		"no URL":                        create("x", settings{InboundURL: new("acme.example")}),
		"a method":                      create("x", settings{InboundMethod: new("get")}),
		"an unknown use case":           create("x", settings{UseCase: new("fun")}),
		"an unknown scan":               create("x", settings{ScanContent: new("yes")}),
		"a validity of nothing":         create("x", settings{Validity: new(time.Duration(0))}),
		"a validity of half a second":   create("x", settings{Validity: new(1500 * time.Millisecond)}),
		"a validity of a day":           create("x", settings{Validity: new(24 * time.Hour)}),
		"nothing to set":                second(acme.ConfigureMessagingService(t.Context(), mg, settings{})),
		"deleting a phone number":       acme.DeleteMessagingService(t.Context(), pn),
		"an empty name to be found":     second(acme.FindMessagingService(t.Context(), "")),
		"a phone number to be deleted":  acme.DeleteMessagingService(t.Context(), pn),
		"an account for a phone number": second(acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: mg, PhoneNumberSID: acme.SID()})),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	for _, err := range acme.Senders(t.Context(), pn) {
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	}
	assert.Zero(t, fake.Count(""))
}
