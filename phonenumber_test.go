package twilioacct_test

import (
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// tenant is a subaccount with a handle on it.
func tenant(t testing.TB) (*twiliotest.Server, *twilioacct.Provider, *twilioacct.Handle) {
	t.Helper()
	fake, p := setup(t, nil)
	sid := fake.AddSubaccount("acme").SID
	handle := p.Subaccount(sid)
	return fake, p, handle
}

// allOf is all of a list that must not fail.
func allOf[T any](t testing.TB, list iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for item, err := range list {
		require.NoError(t, err)
		all = append(all, item)
	}
	return all
}

func TestEverySettingOfANumberIsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	voiceApp, smsApp := fake.AddApplication(acme.SID()), fake.AddApplication(acme.SID())
	first := twilioacct.PhoneNumberSettings{
		FriendlyName: new("acme v1.25 + söns 🦉"),
		VoiceURL:     new("https://acme.example/voice?a=1&b=x%20y"), VoiceMethod: new("GET"),
		VoiceFallbackURL: new("https://acme.example/voice/fallback"), VoiceFallbackMethod: new("GET"),
		VoiceApplicationSID: new(voiceApp),
		SMSURL:              new("https://acme.example/sms"), SMSMethod: new("GET"),
		SMSFallbackURL: new("https://acme.example/sms/fallback"), SMSFallbackMethod: new("GET"),
		SMSApplicationSID: new(smsApp),
		StatusCallback:    new("https://acme.example/status"), StatusCallbackMethod: new("GET"),
		AddressSID: new("AD" + unknownSID[2:]),
		BundleSID:  new("BU" + unknownSID[2:]),
	}
	trunk := twilioacct.PhoneNumberSettings{TrunkSID: new("TK" + unknownSID[2:])}
	empty := twilioacct.PhoneNumberSettings{
		VoiceURL: new(""), VoiceFallbackURL: new(""), VoiceApplicationSID: new(""), TrunkSID: new(""),
		SMSURL: new(""), SMSFallbackURL: new(""), SMSApplicationSID: new(""), StatusCallback: new(""),
		AddressSID: new(""), BundleSID: new(""),
	}
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	covered := map[string]bool{}
	for _, settings := range []twilioacct.PhoneNumberSettings{first, trunk, empty} {
		set, err := acme.ConfigureNumber(t.Context(), number.SID, settings)
		require.NoError(t, err)
		fetched, err := acme.PhoneNumber(t.Context(), number.SID)
		require.NoError(t, err)
		readBack(t, settings, set, covered)
		readBack(t, settings, fetched, covered)
	}
	assert.Len(t, covered, reflect.TypeFor[twilioacct.PhoneNumberSettings]().NumField())

	bought, err := acme.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415, Settings: first})
	require.NoError(t, err)
	readBack(t, first, bought, covered)
	trunk.FriendlyName = new("trunked")
	bought, err = acme.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415, Settings: trunk})
	require.NoError(t, err)
	readBack(t, trunk, bought, covered)
}

// readBack holds every setting that is not nil against the field of the same name.
func readBack(t *testing.T, settings, is any, covered map[string]bool) {
	t.Helper()
	want, got := reflect.ValueOf(settings), reflect.ValueOf(is)
	for i := range want.NumField() {
		name := want.Type().Field(i).Name
		if want.Field(i).Kind() != reflect.Pointer || want.Field(i).IsNil() {
			continue
		}
		covered[name] = true
		assert.Equal(t, want.Field(i).Elem().Interface(), got.FieldByName(name).Interface(), name)
	}
}

func TestSettingANumberLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{VoiceURL: "https://acme.example/voice", SMSURL: "https://acme.example/sms"})
	_, err := acme.ConfigureNumber(t.Context(), number.SID, twilioacct.PhoneNumberSettings{SMSURL: new("")})
	require.NoError(t, err)
	now, _ := fake.PhoneNumber(number.SID)
	assert.Equal(t, "https://acme.example/voice", now.VoiceURL)
	assert.Empty(t, now.SMSURL)
	assert.Equal(t, "SmsUrl=", fake.Requests()[len(fake.Requests())-1].Form.Encode())
}

func TestANumberIsFoundByAllOfItsDigits(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	long := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+491415555010"})
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+4914155550100"}) // Twilio's filter finds it, too
	found, err := acme.FindNumber(t.Context(), "+491415555010")
	require.NoError(t, err)
	assert.Equal(t, long.SID, found.SID)
	_, err = acme.FindNumber(t.Context(), "+49141555501")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	for _, r := range fake.Requests() {
		if r.Operation == "ListIncomingPhoneNumber" {
			assert.Contains(t, r.RawQuery, "PhoneNumber=%2B49")
		}
	}
}

func TestANumberOnAnotherPageIsFound(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	wanted := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+12065550100"})
	for i := range 1100 { // newer ones come first, and all of them have the digits
		fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: fmt.Sprintf("+12065550100%04d", i)})
	}
	found, err := acme.FindNumber(t.Context(), wanted.PhoneNumber)
	require.NoError(t, err)
	assert.Equal(t, wanted.SID, found.SID)
	assert.Equal(t, 2, fake.Count("ListIncomingPhoneNumber"))
}

func TestNumbersAreListedByName(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{FriendlyName: "v1.25"})
	named := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{FriendlyName: "v1.25 + 🦉"})
	assert.Len(t, allOf(t, acme.PhoneNumbers(t.Context(), nil)), 2)
	numbers := allOf(t, acme.PhoneNumbers(t.Context(), &twilioacct.PhoneNumberFilter{FriendlyName: "v1.25 + 🦉"}))
	require.Len(t, numbers, 1)
	assert.Equal(t, named.SID, numbers[0].SID)
}

func TestACertainNumberIsBoughtAndTellsWhatItCan(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	offered, err := acme.SearchNumbers(t.Context(), twilioacct.NumberSearch{AreaCode: 415, Limit: 3})
	require.NoError(t, err)
	require.Len(t, offered, 3)
	bought, err := acme.BuyNumber(t.Context(), twilioacct.NumberOrder{PhoneNumber: offered[1].PhoneNumber})
	require.NoError(t, err)
	assert.Equal(t, offered[1].PhoneNumber, bought.PhoneNumber)
	assert.Equal(t, offered[1].Capabilities, bought.Capabilities)
	assert.Len(t, fake.PhoneNumbers(acme.SID()), 1)

	_, err = acme.BuyNumber(t.Context(), twilioacct.NumberOrder{PhoneNumber: offered[1].PhoneNumber})
	require.ErrorIs(t, err, twilioacct.ErrConflict, "it is gone")
}

func TestBuyingAndReleasingAreNeverRepeatedBlindly(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"a reset":      {Reset: true, AfterEffect: true},
		"503":          {Status: 503, AfterEffect: true},
		"half a reply": {Truncate: -1, AfterEffect: true},
		"HTML":         {HTML: true, Status: 200, AfterEffect: true},
		"a hang":       {Hang: true, AfterEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, _, acme := tenant(t)
				fault.Operation = "CreateIncomingPhoneNumber"
				fake.Inject(fault)
				_, err := acme.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415, Settings: twilioacct.PhoneNumberSettings{FriendlyName: new("acme")}})
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				assert.Equal(t, 1, fake.Count("CreateIncomingPhoneNumber"))
				found := allOf(t, acme.PhoneNumbers(t.Context(), &twilioacct.PhoneNumberFilter{FriendlyName: "acme"}))
				require.Len(t, found, 1, "it is found by its name")

				fault.Operation = "DeleteIncomingPhoneNumber"
				fake.Inject(fault)
				release := twilioacct.NumberRelease{SID: found[0].SID, PhoneNumber: found[0].PhoneNumber}
				err = acme.ReleaseNumber(t.Context(), release)
				if fault.Truncate != 0 { // a 204 has nothing that could be cut
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				}
				assert.Equal(t, 1, fake.Count("DeleteIncomingPhoneNumber"))
				require.ErrorIs(t, acme.ReleaseNumber(t.Context(), release), twilioacct.ErrNotFound)
			})
		})
	}
}

func TestANumberIsReleasedOnlyUnderBothOfItsNames(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	one := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	other := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
	err := acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: one.SID, PhoneNumber: other.PhoneNumber})
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Len(t, fake.PhoneNumbers(acme.SID()), 2)
	require.NoError(t, acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: one.SID, PhoneNumber: one.PhoneNumber}))
	assert.Len(t, fake.PhoneNumbers(acme.SID()), 1)
}

func TestTheParentHasNumbersOfItsOwn(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
	found, err := p.Parent().FindNumber(t.Context(), number.PhoneNumber)
	require.NoError(t, err)
	assert.Equal(t, number.SID, found.SID)
}

func TestNumbersThatNeedPapersSaySo(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	offered, err := acme.SearchNumbers(t.Context(), twilioacct.NumberSearch{Country: "DE"})
	require.NoError(t, err)
	assert.True(t, offered[0].NeedsAddress())
	_, err = acme.BuyNumber(t.Context(), twilioacct.NumberOrder{PhoneNumber: offered[0].PhoneNumber})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = acme.SearchNumbers(t.Context(), twilioacct.NumberSearch{Country: "DE", WithoutAddress: true})
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
}

func TestBadArgumentsOfNumbersAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	pn := "PN" + unknownSID[2:]
	configure := func(s twilioacct.PhoneNumberSettings) error {
		_, err := acme.ConfigureNumber(t.Context(), pn, s)
		return err
	}
	buy := func(o twilioacct.NumberOrder) error {
		_, err := acme.BuyNumber(t.Context(), o)
		return err
	}
	for name, err := range map[string]error{
		"a messaging service for a number": second(acme.PhoneNumber(t.Context(), "MG"+unknownSID[2:])),
		"no SID":                           second(acme.PhoneNumber(t.Context(), "")),
		"a path":                           second(acme.PhoneNumber(t.Context(), "PN/../"+unknownSID)),
		"no E.164":                         second(acme.FindNumber(t.Context(), "4155550100")),
		"a number with spaces":             second(acme.FindNumber(t.Context(), "+1 415 555 0100")),
		"too many digits":                  second(acme.FindNumber(t.Context(), "+1234567890123456")),
		"nothing to set":                   configure(twilioacct.PhoneNumberSettings{}),
		"no URL":                           configure(twilioacct.PhoneNumberSettings{VoiceURL: new("acme.example/voice")}),
		"a URL of another scheme":          configure(twilioacct.PhoneNumberSettings{SMSURL: new("ftp://acme.example")}),
		"a method":                         configure(twilioacct.PhoneNumberSettings{SMSMethod: new("PUT")}),
		"a phone number for an app":        configure(twilioacct.PhoneNumberSettings{VoiceApplicationSID: new(pn)}),
		"an empty name":                    configure(twilioacct.PhoneNumberSettings{FriendlyName: new("")}),
		"a long name":                      configure(twilioacct.PhoneNumberSettings{FriendlyName: new(strings.Repeat("x", 65))}),
		"an empty order":                   buy(twilioacct.NumberOrder{}),
		"an order of both":                 buy(twilioacct.NumberOrder{PhoneNumber: "+14155550100", AreaCode: 415}),
		"a bad area code":                  buy(twilioacct.NumberOrder{AreaCode: 15}),
		"a bad number":                     buy(twilioacct.NumberOrder{PhoneNumber: "415"}),
		"half a release":                   acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: pn}),
		"a release of somebody's account":  acme.ReleaseNumber(t.Context(), twilioacct.NumberRelease{SID: acme.SID(), PhoneNumber: "+14155550100"}),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	for _, search := range badSearches {
		_, err := acme.SearchNumbers(t.Context(), search)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, "%+v", search)
	}
	assert.Zero(t, fake.Count(""))
}

var badSearches = []twilioacct.NumberSearch{
	{Country: "usa"},
	{Country: "us"},
	{Country: "../"},
	{Type: "landline"},
	{AreaCode: 1},
	{AreaCode: 415, Country: "GB"},
	{Contains: "4"},
	{Contains: "4155550100415555010"},
	{Contains: "41 5"},
	{Limit: -1},
	{Limit: 1001},
	{Near: twilioacct.Near{PhoneNumber: "415"}},
	{Near: twilioacct.Near{Latitude: 91, Longitude: 1}},
	{Near: twilioacct.Near{Latitude: 37, Longitude: -122, PhoneNumber: "+14155550100"}},
	{Near: twilioacct.Near{Miles: 5}},
	{Near: twilioacct.Near{Latitude: 37, Longitude: -122, Miles: 501}},
}

// second is the error of a call that returns two values.
func second[T any](_ T, err error) error { return err }

func TestASearchIsSentAsItWasMeant(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	offered, err := acme.SearchNumbers(t.Context(), twilioacct.NumberSearch{
		Near: twilioacct.Near{Latitude: 37.774900, Longitude: -122.419400, Miles: 50},
		With: twilioacct.Capabilities{Voice: true, SMS: true, MMS: true}, Limit: 2,
	})
	require.NoError(t, err)
	require.Len(t, offered, 2)
	last := fake.Requests()[len(fake.Requests())-1]
	assert.Equal(t, "Distance=50&MmsEnabled=true&NearLatLong=37.7749%2C-122.4194&PageSize=2&SmsEnabled=true&VoiceEnabled=true", last.RawQuery)
	assert.Equal(t, "US", offered[0].Country)
	assert.NotEmpty(t, offered[0].Region)
	assert.NotEmpty(t, offered[0].Locality)
	assert.NotEmpty(t, offered[0].PostalCode)
	assert.NotEmpty(t, offered[0].FriendlyName)
}

func TestNumbersOfEveryTypeAreFound(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	for _, search := range []twilioacct.NumberSearch{
		{}, {Type: twilioacct.NumberLocal, Region: "CA"}, {Type: twilioacct.NumberTollFree, Contains: "+1800*"}, {Country: "GB", Type: twilioacct.NumberMobile},
		{Country: "CA", AreaCode: 416}, {Near: twilioacct.Near{PhoneNumber: "+14155550100"}}, {Contains: "+1415"},
	} {
		offered, err := acme.SearchNumbers(t.Context(), search)
		require.NoError(t, err, "%+v", search)
		assert.NotEmpty(t, offered)
		for _, n := range offered {
			assert.Regexp(t, `^\+[1-9]\d+$`, n.PhoneNumber)
		}
	}
}

func TestASearchWithoutResultsIsNotFound(t *testing.T) {
	t.Parallel()
	_, _, acme := tenant(t)
	for _, search := range []twilioacct.NumberSearch{{AreaCode: 999}, {Country: "XX"}, {Locality: "Nowhere"}} {
		_, err := acme.SearchNumbers(t.Context(), search)
		require.ErrorIs(t, err, twilioacct.ErrNotFound, "%+v", search)
		require.NotErrorIs(t, err, twilioacct.ErrUnavailable)
	}
}

func TestOddAnswersToASearchAreFailures(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"available_phone_numbers":null}`, `{"available_phone_numbers":7}`, `{"available_phone_numbers":[`} {
		p := scripted(t, func(*http.Request) (int, string) { return 200, body })
		_, err := p.Parent().SearchNumbers(t.Context(), twilioacct.NumberSearch{})
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed, body)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable, body)
	}
}

func TestAnAnswerAboutAnotherAccountIsRefused(t *testing.T) {
	t.Parallel()
	pn := "PN" + unknownSID[2:]
	theirs := `{"sid":"` + pn + `","account_sid":"` + unknownSID + `","phone_number":"+14155550100"}`
	p := scripted(t, func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/IncomingPhoneNumbers.json") && r.Method == "GET" {
			return 200, `{"incoming_phone_numbers":[` + theirs + `]}`
		}
		return 200, theirs
	})
	parent := p.Parent()
	for name, err := range map[string]error{
		"fetch":     second(parent.PhoneNumber(t.Context(), pn)),
		"find":      second(parent.FindNumber(t.Context(), "+14155550100")),
		"configure": second(parent.ConfigureNumber(t.Context(), pn, twilioacct.PhoneNumberSettings{VoiceURL: new("")})),
		"buy":       second(parent.BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415})),
	} {
		require.ErrorIs(t, err, twilioacct.ErrUnavailable, name)
		assert.Contains(t, err.Error(), unknownSID, name)
	}
}

func TestWhatWasBoughtIsNamedThoughTheAnswerIsOdd(t *testing.T) {
	t.Parallel()
	pn := "PN" + unknownSID[2:]
	for name, odd := range map[string]string{
		"no account":       `{"sid":"` + pn + `","account_sid":null,"phone_number":"+14155550100"}`,
		"a flag of text":   `{"sid":"` + pn + `","account_sid":"` + scriptedParent + `","beta":"false"}`,
		"another's number": `{"sid":"` + pn + `","account_sid":"` + unknownSID + `","phone_number":"+14155550100"}`,
	} {
		p := scripted(t, func(*http.Request) (int, string) { return 201, odd })
		n, err := p.Parent().BuyNumber(t.Context(), twilioacct.NumberOrder{AreaCode: 415})
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
		assert.Contains(t, err.Error(), pn, name)
		var typed *twilioacct.Error
		require.ErrorAs(t, err, &typed, name)
		assert.Equal(t, pn, typed.SID, name)
		if name != "a flag of text" { // of which nothing can be decoded
			assert.Equal(t, pn, n.SID, name)
		}
	}
}

func TestWhatOneAttemptMayHaveSetIsNotDeniedByALaterRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenant(t)
		number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{})
		_, err := acme.Account(t.Context())
		require.NoError(t, err)
		fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Reset: true, AfterEffect: true})
		fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Status: 401, On: 2})
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Status: 500, Times: twiliotest.Always})
		_, err = acme.ConfigureNumber(t.Context(), number.SID, twilioacct.PhoneNumberSettings{VoiceURL: new("https://acme.example")})
		require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
		now, _ := fake.PhoneNumber(number.SID)
		assert.Equal(t, "https://acme.example", now.VoiceURL)
	})
}

func FuzzOnlyE164IsLookedFor(f *testing.F) {
	for _, s := range []string{"+14155550100", "+1", "+", "", "415", "+0", "+1234567890123456", "+1415\n", "+１４", "+49x", "AC"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fake, _, acme := tenant(t)
		_, err := acme.FindNumber(t.Context(), s)
		require.Error(t, err)
		if fake.Count("") == 0 {
			require.ErrorIs(t, err, twilioacct.ErrInvalid)
			return
		}
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
		require.True(t, len(s) >= 3 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && strings.Trim(s[1:], "0123456789") == "", "%q", s)
	})
}

func FuzzOnlySIDsOfTheRightKindEnterAPath(f *testing.F) {
	for _, s := range []string{"PN" + unknownSID[2:], "MG" + unknownSID[2:], "", "PN", "PN/../x", "PN0123456789abcdef0123456789abcdeg", "PN?x#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sid string) {
		fake, _, acme := tenant(t)
		_, err := acme.PhoneNumber(t.Context(), sid)
		require.Error(t, err)
		if fake.Count("") > 0 {
			require.ErrorIs(t, err, twilioacct.ErrNotFound)
			require.Regexp(t, `^PN[0-9a-fA-F]{32}$`, sid)
			return
		}
		require.ErrorIs(t, err, twilioacct.ErrInvalid)
	})
}

func TestANumberOfAnAccountThatIsNoneIsNotFound(t *testing.T) {
	t.Parallel()
	_, p := setup(t, nil)
	_, err := p.Subaccount(unknownSID).FindNumber(t.Context(), "+14155550100")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	_, err = p.Subaccount(unknownSID).FindMessagingService(t.Context(), "x")
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
}
