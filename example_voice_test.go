package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// exampleCaller is a subaccount on a fake Twilio with a number, and a Store for its API key.
func exampleCaller() (*twiliotest.Server, *twilioacct.Provider, twiliotest.PhoneNumber) {
	fake := twiliotest.Start()
	number := fake.AddPhoneNumber(fake.AddSubaccount("Falcon Flights").SID, twiliotest.PhoneNumber{})
	return fake, exampleProvider(fake, twilioacct.NewMemStore().Making()), number
}

func ExampleProvider_Provision_voice() {
	fake, provider, number := exampleCaller()
	defer fake.Close()

	tenant, err := provider.Provision(context.Background(), twilioacct.Spec{
		AccountSID: number.AccountSID,
		Voice: &twilioacct.VoiceSpec{
			FriendlyName: "browser calls",
			Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://falcon.example/outgoing")},
			Incoming:     &twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: "https://falcon.example/incoming"}},
			Token:        &twilioacct.TokenSpec{Identity: "alice", Lifetime: 10 * time.Minute, Voice: twilioacct.VoiceGrant{Incoming: true}},
		},
	})
	check(err)
	for _, step := range tenant.Steps {
		fmt.Println(step.Name, step.Did)
	}
	fmt.Println("calls from", tenant.Caller.PhoneNumber, "and answers at", tenant.Incoming[0].After)
	// Output:
	// subaccount found
	// api_key made
	// application made
	// caller_number found
	// incoming_calls made
	// access_token made
	// calls from +14155550101 and answers at https://falcon.example/incoming
}

func ExampleHandle_AccessToken() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()

	app, err := falcon.EnsureTwiMLApp(ctx, "browser calls", twilioacct.TwiMLAppSettings{VoiceURL: new("https://falcon.example/outgoing")})
	check(err)
	token, err := falcon.AccessToken(ctx, twilioacct.TokenSpec{
		Identity: "alice",
		Lifetime: 10 * time.Minute,
		Voice:    twilioacct.VoiceGrant{ApplicationSID: app.SID, Incoming: true},
	})
	check(err)
	verified, err := fake.VerifyAccessToken(token.Token.Reveal())
	check(err)
	fmt.Println(verified.Identity, "of", fake.Subaccounts()[0].FriendlyName, "for", verified.ExpiresAt.Sub(verified.IssuedAt))
	fmt.Println("printed:", token.Token)
	// Output:
	// alice of Falcon Flights for 10m0s
	// printed: [redacted]
}

func ExampleProvider_TokenHandler() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	tenants := map[string]string{"alice": number.AccountSID} // by user

	handler := provider.TokenHandler(func(r *http.Request) (twilioacct.TokenRequest, error) {
		user, password, _ := r.BasicAuth() // or your session
		tenant, ok := tenants[user]
		if !ok || password != "correct horse" {
			return twilioacct.TokenRequest{}, errors.New("who is that?")
		}
		return twilioacct.TokenRequest{AccountSID: tenant, TokenSpec: twilioacct.TokenSpec{
			Identity: user, Voice: twilioacct.VoiceGrant{Incoming: true},
		}}, nil
	})
	for _, user := range []string{"alice", "mallory"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/token", nil)
		r.SetBasicAuth(user, "correct horse")
		handler.ServeHTTP(w, r)
		fmt.Println(user, w.Code, w.Header().Get("Cache-Control"))
	}
	// Output:
	// alice 200 no-store
	// mallory 401 no-store
}

func ExampleHandle_EnsureAPIKey() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()

	for range 2 {
		key, err := falcon.EnsureAPIKey(ctx, "voice")
		check(err)
		fmt.Println(key.Key.FriendlyName, key.Did, "strays:", len(key.Strays))
	}
	// Output:
	// voice@default made strays: 0
	// voice@default found strays: 0
}

func ExampleHandle_CreateAPIKey() {
	fake, provider, number := exampleCaller()
	defer fake.Close()

	key, err := provider.Subaccount(number.AccountSID).CreateAPIKey(context.Background(), "warehouse")
	var storeErr *twilioacct.StoreError
	if errors.As(err, &storeErr) {
		fmt.Println("keep the secret elsewhere:", key.SID)
	}
	fmt.Println(key.SID != "", key.Secret, err)
	// Output: true [redacted] <nil>
}

func ExampleHandle_DeleteStrayAPIKeys() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()
	fake.AddKeyWith(falcon.SID(), twiliotest.Key{FriendlyName: "voice@default", DateCreated: time.Now().Add(-48 * time.Hour)})

	ensured, err := falcon.EnsureAPIKey(ctx, "voice")
	check(err)
	deleted, err := falcon.DeleteStrayAPIKeys(ctx, "voice")
	check(err)
	fmt.Println(len(ensured.Strays), "stray,", len(deleted), "deleted")
	// Output: 1 stray, 1 deleted
}

func ExampleHandle_RotateAPIKey() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()
	_, err := falcon.EnsureAPIKey(ctx, "voice")
	check(err)

	rotated, err := falcon.RotateAPIKey(ctx, twilioacct.APIKeyRotation{Purpose: "voice"})
	check(err)
	wait := time.Until(rotated.OldGoesAt).Round(time.Minute)
	fmt.Println("call again in", wait, "to delete the old key; there are", len(fake.Keys(falcon.SID())))
	// Output: call again in 25h10m0s to delete the old key; there are 2
}

func ExampleHandle_APIKeys() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	fake.AddKeyWith(number.AccountSID, twiliotest.Key{FriendlyName: "warehouse", DateCreated: time.Now().Add(-100 * 24 * time.Hour)})

	for key, err := range provider.Subaccount(number.AccountSID).APIKeys(context.Background()) {
		check(err)
		fmt.Println(key.FriendlyName, "is", int(key.Age().Hours()/24), "days old")
	}
	// Output: warehouse is 100 days old
}

func ExampleHandle_EnsureTwiMLApp() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()

	for _, url := range []string{"https://falcon.example/1", "https://falcon.example/2"} {
		app, err := falcon.EnsureTwiMLApp(ctx, "browser calls", twilioacct.TwiMLAppSettings{VoiceURL: &url})
		check(err)
		fmt.Println(app.FriendlyName, app.VoiceURL, "of", len(fake.Applications(falcon.SID())))
	}
	// Output:
	// browser calls https://falcon.example/1 of 1
	// browser calls https://falcon.example/2 of 1
}

func ExampleHandle_PlaceCall() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()

	call, err := falcon.PlaceCall(ctx, twilioacct.NewCall{
		To: "+14155550199", From: number.PhoneNumber, TwiML: "<Response><Say>Your flight is late.</Say></Response>",
	})
	check(err)
	fmt.Println(call.Status)
	call, err = falcon.HangUp(ctx, call.SID)
	check(err)
	fmt.Println(call.Status)

	_, err = falcon.PlaceCall(ctx, twilioacct.NewCall{To: "+14155550199", From: "+14155550177", URL: "https://falcon.example/say"})
	fmt.Println("somebody else's number:", errors.Is(err, twilioacct.ErrInvalid))
	// Output:
	// queued
	// completed
	// somebody else's number: true
}

func ExampleHandle_SetIncomingCalls() {
	fake, provider, number := exampleCaller()
	defer fake.Close()
	falcon, ctx := provider.Subaccount(number.AccountSID), context.Background()
	fake.AddPhoneNumber(falcon.SID(), twiliotest.PhoneNumber{TrunkSID: "TK00000000000000000000000000000001"})
	want := twilioacct.IncomingCalls{
		Handler:  twilioacct.CallHandler{URL: "https://falcon.example/incoming"},
		Settings: twilioacct.PhoneNumberSettings{VoiceFallbackURL: new("https://falcon.example/sorry")},
	}

	plan, err := falcon.PlanIncomingCalls(ctx, want)
	check(err)
	for _, n := range plan {
		fmt.Println(n.PhoneNumber, "changes:", n.Changed, n.Left, n.Drift)
	}
	_, err = falcon.SetIncomingCalls(ctx, want)
	check(err)
	fmt.Println("answered at", fake.AnsweredBy(number.PhoneNumber).URL)
	// Output:
	// +14155550102 changes: false on a trunk [VoiceURL VoiceFallbackURL TrunkSID]
	// +14155550101 changes: true  [VoiceURL VoiceFallbackURL]
	// answered at https://falcon.example/incoming
}

func ExampleProvider_SetIncomingCalls() {
	fake, provider, _ := exampleCaller()
	defer fake.Close()
	fake.SetStatus(fake.AddSubaccount("Heron Hotels").SID, twiliotest.Suspended)

	report, err := provider.SetIncomingCalls(context.Background(), func(a twilioacct.Account) *twilioacct.IncomingCalls {
		return &twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: "https://platform.example/calls/" + a.SID}}
	})
	check(err)
	fmt.Println(len(report.Numbers), "number")
	for _, skipped := range report.Skipped {
		fmt.Println(skipped.FriendlyName, "is suspended:", errors.Is(skipped.Err, twilioacct.ErrSuspended))
	}
	// Output:
	// 1 number
	// Heron Hotels is suspended: true
}
