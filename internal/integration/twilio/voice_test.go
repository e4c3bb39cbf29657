package twilio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// talk does all that a tenant does with calls, keys and applications. It leaves no call under way.
func talk(t *testing.T, fake *twiliotest.Server, p *twilioacct.Provider, tenant *twilioacct.Handle) {
	t.Helper()
	ctx := t.Context()
	has := must[twilioacct.Provisioned](t)(p.Provision(ctx, twilioacct.Spec{AccountSID: tenant.SID(), Voice: &twilioacct.VoiceSpec{
		FriendlyName: "browser calls v1.25 & söns 🦉",
		Settings: twilioacct.TwiMLAppSettings{
			VoiceURL: new("https://falcon.example/voice"), VoiceMethod: new("GET"), VoiceFallbackURL: new("https://falcon.example/f"),
			VoiceFallbackMethod: new("GET"), CallerIDLookup: new(true), StatusCallback: new("https://falcon.example/s"),
			StatusCallbackMethod: new("GET"), SMSURL: new("https://falcon.example/m"), SMSMethod: new("GET"),
			SMSFallbackURL: new("https://falcon.example/mf"), SMSFallbackMethod: new("GET"),
			MessageStatusCallback: new("https://falcon.example/ms"), PublicConnect: new(true),
		},
		Incoming: &twilioacct.IncomingCalls{TakeTrunks: true},
		Token:    &twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}},
	}}))
	_, err := fake.VerifyAccessToken(has.Token.Token.Reveal())
	require.NoError(t, err)

	app := must[twilioacct.TwiMLApp](t)
	app(tenant.ConfigureTwiMLApp(ctx, has.Application.SID, twilioacct.TwiMLAppSettings{VoiceFallbackURL: new(""), SMSURL: new("")}))
	app(tenant.TwiMLApp(ctx, has.Application.SID))
	other := app(tenant.EnsureTwiMLApp(ctx, "other", twilioacct.TwiMLAppSettings{}))
	require.NoError(t, tenant.DeleteTwiMLApp(ctx, other.SID))

	key := must[twilioacct.APIKey](t)(tenant.CreateAPIKey(ctx, "warehouse"))
	must[twilioacct.APIKeyInfo](t)(tenant.RenameAPIKey(ctx, key.SID, "of the warehouse"))
	must[twilioacct.RotatedAPIKey](t)(tenant.RotateAPIKey(ctx, twilioacct.APIKeyRotation{Purpose: "voice", Force: true}))
	assert.Len(t, all(t, tenant.APIKeys(ctx)), 2)
	require.NoError(t, tenant.DeleteAPIKey(ctx, key.SID))

	for _, handler := range []twilioacct.CallHandler{
		{URL: "https://falcon.example/in"}, {StudioFlowSID: "FW" + tenant.SID()[2:]}, {ApplicationSID: has.Application.SID},
	} {
		must[[]twilioacct.IncomingNumber](t)(tenant.SetIncomingCalls(ctx, twilioacct.IncomingCalls{Handler: handler}))
	}
	must[twilioacct.IncomingReport](t)(p.SetIncomingCalls(ctx, func(twilioacct.Account) *twilioacct.IncomingCalls {
		return &twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: "https://falcon.example/in"}, Settings: twilioacct.PhoneNumberSettings{
			VoiceFallbackURL: new("https://falcon.example/sorry"), SMSURL: new("https://falcon.example/sms"),
		}}
	}))

	call := must[twilioacct.Call](t)
	for _, c := range []twilioacct.NewCall{
		{TwiML: "<Response/>"},
		{ApplicationSID: has.Application.SID},
		{
			URL: "https://falcon.example/", Method: "GET", FallbackURL: "https://falcon.example/f", FallbackMethod: "GET",
			StatusCallback: "https://falcon.example/s", StatusCallbackMethod: "GET", StatusEvents: []string{"initiated", "answered"},
			RingTime: 20 * time.Second, TimeLimit: time.Hour, Record: true, Digits: "ww12#", MachineDetection: "DetectMessageEnd",
		},
	} {
		c.From, c.To = has.Caller.PhoneNumber, "+12083186206"
		placed := call(tenant.PlaceCall(ctx, c))
		call(tenant.Call(ctx, placed.SID))
		call(tenant.HangUp(ctx, placed.SID))
	}
	yesterday := time.Now().AddDate(0, 0, -1)
	all(t, tenant.Calls(ctx, &twilioacct.CallFilter{
		To: "+12083186206", From: has.Caller.PhoneNumber, Status: twilioacct.CallCompleted, StartedAfter: yesterday, StartedBefore: time.Now(),
	}))
}
