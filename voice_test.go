package twilioacct_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// everyAppSetting sets everything that there is to set.
var everyAppSetting = twilioacct.TwiMLAppSettings{
	VoiceURL: new("https://acme.example/voice"), VoiceMethod: new("GET"),
	VoiceFallbackURL: new("https://acme.example/voice/fallback"), VoiceFallbackMethod: new("GET"),
	CallerIDLookup: new(true),
	StatusCallback: new("https://acme.example/status"), StatusCallbackMethod: new("GET"),
	SMSURL: new("https://acme.example/sms"), SMSMethod: new("GET"),
	SMSFallbackURL: new("https://acme.example/sms/fallback"), SMSFallbackMethod: new("GET"),
	MessageStatusCallback: new("https://acme.example/message"),
	PublicConnect:         new(true),
}

func TestEverySettingOfAnApplicationIsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)

	made, err := acme.CreateTwiMLApp(t.Context(), "browser calls", everyAppSetting)

	require.NoError(t, err)
	want := twilioacct.TwiMLApp{
		SID: made.SID, AccountSID: acme.SID(), FriendlyName: "browser calls",
		VoiceURL: "https://acme.example/voice", VoiceMethod: "GET",
		VoiceFallbackURL: "https://acme.example/voice/fallback", VoiceFallbackMethod: "GET",
		CallerIDLookup: true,
		StatusCallback: "https://acme.example/status", StatusCallbackMethod: "GET",
		SMSURL: "https://acme.example/sms", SMSMethod: "GET",
		SMSFallbackURL: "https://acme.example/sms/fallback", SMSFallbackMethod: "GET",
		MessageStatusCallback: "https://acme.example/message",
		PublicConnect:         true,
		DateCreated:           made.DateCreated, DateUpdated: made.DateUpdated,
	}
	assert.Equal(t, want, made)
	assert.False(t, made.DateCreated.IsZero() || made.DateUpdated.IsZero())
	fetched, err := acme.TwiMLApp(t.Context(), made.SID)
	require.NoError(t, err)
	assert.Equal(t, want, fetched)
	at, _ := fake.Application(made.SID)
	assert.True(t, at.PublicApplicationConnectEnabled && at.VoiceCallerIDLookup)

	bare, err := acme.CreateTwiMLApp(t.Context(), "bare", twilioacct.TwiMLAppSettings{})
	require.NoError(t, err)
	all := everyAppSetting
	all.FriendlyName = new("browser calls")
	configured, err := acme.ConfigureTwiMLApp(t.Context(), bare.SID, all)
	require.NoError(t, err)
	want.SID, want.DateCreated, want.DateUpdated = bare.SID, configured.DateCreated, configured.DateUpdated
	assert.Equal(t, want, configured, "to configure sets what to create sets")
	assert.Len(t, allOf(t, acme.TwiMLApps(t.Context())), 2)

	fake.Inject(twiliotest.Fault{Operation: "UpdateApplication", Status: 400, Code: 20020})
	again, err := acme.ConfigureTwiMLApp(t.Context(), bare.SID, all)
	require.NoError(t, err)
	assert.Equal(t, configured, again)
}

func TestAnApplicationIsEnsuredByItsName(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	const odd = "acme v1.25 + söns & co. 🦉"
	fake.AddApplicationWith(acme.SID(), twiliotest.Application{FriendlyName: "another"})
	set := twilioacct.TwiMLAppSettings{VoiceURL: new("https://acme.example/voice")}

	made, err := acme.EnsureTwiMLApp(t.Context(), odd, set)
	require.NoError(t, err)
	fake.ForgetRequests()
	found, err := acme.EnsureTwiMLApp(t.Context(), odd, set)
	require.NoError(t, err)
	assert.Equal(t, made, found)
	assert.Equal(t, []string{"ListApplication"}, operationsOf(fake))

	set.VoiceMethod = new("GET")
	changed, err := acme.EnsureTwiMLApp(t.Context(), odd, set)
	require.NoError(t, err)
	assert.Equal(t, made.SID, changed.SID)
	assert.Equal(t, "GET", changed.VoiceMethod)
	assert.Equal(t, "VoiceMethod=GET", formOf(t, fake, "UpdateApplication").Encode(), "what is so already is not sent")

	fake.AddApplicationWith(acme.SID(), twiliotest.Application{FriendlyName: odd})
	_, err = acme.EnsureTwiMLApp(t.Context(), odd, set)
	require.ErrorIs(t, err, twilioacct.ErrAmbiguous)
	require.ErrorContains(t, err, made.SID)
	assert.Len(t, fake.Applications(acme.SID()), 3)
}

func TestAListThatWasNotReadMakesNoApplication(t *testing.T) {
	t.Parallel()
	for name, fault := range notTwilios {
		fake, p := setup(t, nil)
		acme := p.Subaccount(fake.AddSubaccount("acme").SID)
		fault.Operation = "ListApplication"
		fake.Inject(fault)
		_, err := acme.EnsureTwiMLApp(t.Context(), "browser calls", twilioacct.TwiMLAppSettings{})
		require.Error(t, err, name)
		assert.Empty(t, fake.Applications(acme.SID()), name)
	}
}

func TestAnApplicationIsDeletedOnce(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	app := fake.AddApplication(acme.SID())
	fake.Inject(twiliotest.Fault{Operation: "DeleteApplication", Reset: true, AfterEffect: true})
	require.NoError(t, acme.DeleteTwiMLApp(t.Context(), app), "the reply was lost, and it is gone")
	require.ErrorIs(t, acme.DeleteTwiMLApp(t.Context(), app), twilioacct.ErrNotFound)
	assert.Empty(t, fake.Applications(acme.SID()))
}

func TestTooManyApplicationsAreAConflict(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t, twiliotest.WithApplicationLimit(1))
	acme := providerOn(t, fake, nil).Subaccount(fake.AddSubaccount("acme").SID)
	_, err := acme.CreateTwiMLApp(t.Context(), "one", twilioacct.TwiMLAppSettings{})
	require.NoError(t, err)
	_, err = acme.CreateTwiMLApp(t.Context(), "two", twilioacct.TwiMLAppSettings{})
	require.ErrorIs(t, err, twilioacct.ErrConflict)
}

func TestABadApplicationIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := p.Subaccount(fake.AddSubaccount("acme").SID)
	type settings = twilioacct.TwiMLAppSettings
	for name, s := range map[string]settings{
		"VoiceURL":              {VoiceURL: new("acme.example")},
		"VoiceMethod":           {VoiceMethod: new("PUT")},
		"VoiceFallbackURL":      {VoiceFallbackURL: new("ftp://acme.example")},
		"VoiceFallbackMethod":   {VoiceFallbackMethod: new("")},
		"StatusCallback":        {StatusCallback: new("/status")},
		"StatusCallbackMethod":  {StatusCallbackMethod: new("post")},
		"SMSURL":                {SMSURL: new("sms")},
		"SMSMethod":             {SMSMethod: new("x")},
		"SMSFallbackURL":        {SMSFallbackURL: new("://")},
		"SMSFallbackMethod":     {SMSFallbackMethod: new("x")},
		"MessageStatusCallback": {MessageStatusCallback: new("x")},
		"friendly name":         {FriendlyName: new(" x")},
	} {
		for _, err := range []error{
			second(acme.CreateTwiMLApp(t.Context(), "app", s)), second(acme.EnsureTwiMLApp(t.Context(), "app", s)),
			second(acme.ConfigureTwiMLApp(t.Context(), anApp, s)),
		} {
			require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
			require.ErrorContains(t, err, name)
		}
	}
	for name, err := range map[string]error{
		"no name":       second(acme.CreateTwiMLApp(t.Context(), "", settings{})),
		"a name twice":  second(acme.CreateTwiMLApp(t.Context(), "app", settings{FriendlyName: new("app")})),
		"nothing set":   second(acme.ConfigureTwiMLApp(t.Context(), anApp, settings{})),
		"another kind":  second(acme.ConfigureTwiMLApp(t.Context(), aFlow, everyAppSetting)),
		"to be fetched": second(acme.TwiMLApp(t.Context(), "AP1")),
		"to be deleted": acme.DeleteTwiMLApp(t.Context(), unknownKey),
		"to be found":   second(acme.FindTwiMLApp(t.Context(), "")),
		"no account":    second(p.Subaccount("AC1").FindTwiMLApp(t.Context(), "app")),
	} {
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}
