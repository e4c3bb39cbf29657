package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// scene is what an operation finds: a tenant with a number in a messaging service, a scheduled message and a call, and a parent with a
// number in a service of its own.
type scene struct {
	fake      *twiliotest.Server
	store     twilioacct.Store
	provider  *twilioacct.Provider
	tenant    *twilioacct.Handle
	has       belongings
	parents   belongings
	scheduled string // a message's SID
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{fake: twiliotest.NewServer(t), store: twilioacct.NewMemStore().Making()}
	s.provider = providerOn(t, s.fake, withStore(s.store))
	s.has = furnished(t, s.fake, s.fake.AddSubaccount("acme").SID)
	s.parents = furnished(t, s.fake, s.fake.Parent().SID)
	s.fake.AddCall(s.has.account, "in-progress")
	s.fake.AddCall(s.has.account, "queued")
	s.tenant = s.provider.Subaccount(s.has.account)
	m, err := s.tenant.Send(t.Context(), twilioacct.NewMessage{
		To: recipient, ServiceSID: s.has.service, Body: "later", SendAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	s.scheduled = m.SID
	s.fake.ForgetRequests()
	return s
}

// unless does it if the look does not find it done.
func unless(look, do func() error) error {
	if err := look(); !errors.Is(err, twilioacct.ErrNotFound) {
		return err
	}
	return do()
}

// repeatable is an operation as it is repeated after a failure: the same call, or after the look that its documentation names.
type repeatable struct {
	do    func(context.Context, *scene) error
	again func(context.Context, *scene) error // nil: do
}

// changes are all operations that change something.
func changes() map[string]repeatable {
	type (
		numberSettings  = twilioacct.PhoneNumberSettings
		serviceSettings = twilioacct.MessagingServiceSettings
	)
	create := func(ctx context.Context, s *scene) error { return second(s.provider.CreateSubaccount(ctx, "new")) }
	buy := func(ctx context.Context, s *scene) error {
		return second(s.tenant.BuyNumber(ctx, twilioacct.NumberOrder{AreaCode: 415, Settings: numberSettings{FriendlyName: new("new")}}))
	}
	serve := func(ctx context.Context, s *scene) error {
		return second(s.tenant.CreateMessagingService(ctx, "new", serviceSettings{}))
	}
	send := func(ctx context.Context, s *scene) error {
		return second(s.tenant.Send(ctx, twilioacct.NewMessage{To: "+12065550142", ServiceSID: s.has.service, Body: "new"}))
	}
	remove := func(ctx context.Context, s *scene) error { return s.tenant.DeleteMessagingService(ctx, s.has.service) }
	release := func(ctx context.Context, s *scene) error {
		return s.tenant.ReleaseNumber(ctx, twilioacct.NumberRelease{SID: s.has.number, PhoneNumber: s.has.phoneNumber})
	}
	place := func(ctx context.Context, s *scene) error {
		return second(s.tenant.PlaceCall(ctx, twilioacct.NewCall{To: "+12065550142", From: s.has.phoneNumber, TwiML: "<Response/>"}))
	}
	removeApp := func(ctx context.Context, s *scene) error { return s.tenant.DeleteTwiMLApp(ctx, s.has.app) }
	removeKey := func(ctx context.Context, s *scene) error { return s.tenant.DeleteAPIKey(ctx, s.has.key) }
	answer := twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: "https://acme.example/answer"}}
	gone := func(do func(context.Context, *scene) error) func(context.Context, *scene) error {
		return func(ctx context.Context, s *scene) error {
			if err := do(ctx, s); !errors.Is(err, twilioacct.ErrNotFound) {
				return err
			}
			return nil
		}
	}
	return map[string]repeatable{
		"CreateSubaccount": {create, func(ctx context.Context, s *scene) error {
			return unless(func() error {
				found, err := s.provider.FindSubaccount(ctx, "new")
				if err != nil {
					return err
				}
				return second(s.provider.Sync(ctx, found.SID)) // its token was not saved
			}, func() error { return create(ctx, s) })
		}},
		"RenameSubaccount": {do: func(ctx context.Context, s *scene) error {
			return second(s.provider.RenameSubaccount(ctx, s.has.account, "renamed"))
		}},
		"SuspendSubaccount": {do: func(ctx context.Context, s *scene) error {
			return second(s.provider.SuspendSubaccount(ctx, s.has.account))
		}},
		"EndCalls": {do: func(ctx context.Context, s *scene) error { return second(s.provider.EndCalls(ctx, s.has.account)) }},
		"TransferNumber to the tenant": {do: func(ctx context.Context, s *scene) error {
			return second(s.provider.TransferNumber(ctx, twilioacct.NumberTransfer{PhoneNumberSID: s.parents.number, ToSID: s.has.account}))
		}},
		"TransferNumber from the tenant": {do: func(ctx context.Context, s *scene) error {
			return second(s.provider.TransferNumber(ctx, twilioacct.NumberTransfer{
				PhoneNumber: s.has.phoneNumber, FromSID: s.has.account, ToSID: s.parents.account,
			}))
		}},
		"BuyNumber": {buy, func(ctx context.Context, s *scene) error {
			for _, err := range s.tenant.PhoneNumbers(ctx, &twilioacct.PhoneNumberFilter{FriendlyName: "new"}) {
				return err
			}
			return buy(ctx, s)
		}},
		"ConfigureNumber": {do: func(ctx context.Context, s *scene) error {
			return second(s.tenant.ConfigureNumber(ctx, s.has.number, numberSettings{VoiceURL: new("https://acme.example/new")}))
		}},
		"ReleaseNumber": {release, gone(release)},
		"CreateMessagingService": {serve, func(ctx context.Context, s *scene) error {
			return unless(func() error { return second(s.tenant.FindMessagingService(ctx, "new")) }, func() error { return serve(ctx, s) })
		}},
		"ConfigureMessagingService": {do: func(ctx context.Context, s *scene) error {
			set := serviceSettings{UseNumberWebhook: new(false), InboundURL: new("https://acme.example/in")}
			return second(s.tenant.ConfigureMessagingService(ctx, s.has.service, set))
		}},
		"DeleteMessagingService": {remove, gone(remove)},
		"AddSender": {do: func(ctx context.Context, s *scene) error {
			number := s.fake.PhoneNumbers(s.has.account)[0].SID
			return second(s.tenant.AddSender(ctx, twilioacct.Sender{ServiceSID: s.has.service, PhoneNumberSID: number}))
		}},
		"RemoveSender": {do: func(ctx context.Context, s *scene) error { return s.tenant.RemoveSender(ctx, s.has.sender()) }},
		"Send": {send, func(ctx context.Context, s *scene) error {
			for _, err := range s.tenant.Messages(ctx, &twilioacct.MessageFilter{To: "+12065550142"}) {
				return err
			}
			return send(ctx, s)
		}},
		"RenameAPIKey": {do: func(ctx context.Context, s *scene) error {
			return second(s.tenant.RenameAPIKey(ctx, s.has.key, "renamed"))
		}},
		"DeleteAPIKey": {removeKey, gone(removeKey)},
		"EnsureTwiMLApp": {do: func(ctx context.Context, s *scene) error {
			return second(s.tenant.EnsureTwiMLApp(ctx, "new", twilioacct.TwiMLAppSettings{VoiceURL: new("https://acme.example/new")}))
		}},
		"ConfigureTwiMLApp": {do: func(ctx context.Context, s *scene) error {
			return second(s.tenant.ConfigureTwiMLApp(ctx, s.has.app, twilioacct.TwiMLAppSettings{SMSURL: new("https://acme.example/new")}))
		}},
		"DeleteTwiMLApp": {removeApp, gone(removeApp)},
		"PlaceCall": {place, func(ctx context.Context, s *scene) error {
			for _, err := range s.tenant.Calls(ctx, &twilioacct.CallFilter{To: "+12065550142"}) {
				return err
			}
			return place(ctx, s)
		}},
		"HangUp": {do: func(ctx context.Context, s *scene) error { return second(s.tenant.HangUp(ctx, s.has.call)) }},
		"SetIncomingCalls": {do: func(ctx context.Context, s *scene) error {
			return second(s.tenant.SetIncomingCalls(ctx, answer))
		}},
		"SetIncomingCalls of the fleet": {do: func(ctx context.Context, s *scene) error {
			report, err := s.provider.SetIncomingCalls(ctx, func(twilioacct.Account) *twilioacct.IncomingCalls { return &answer })
			for _, skipped := range report.Skipped {
				err = errors.Join(err, skipped.Err)
			}
			return err
		}},
		"CancelMessage": {do: func(ctx context.Context, s *scene) error { return second(s.tenant.CancelMessage(ctx, s.scheduled)) }},
		"RedactMessage": {do: func(ctx context.Context, s *scene) error { return second(s.tenant.RedactMessage(ctx, s.has.message)) }},
	}
}

// all is what is there at the end, with messages and calls.
func (s *scene) all(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%+v\n", endingOf(t, s.fake, s.store))
	for _, a := range append(s.fake.Subaccounts(), s.fake.Parent()) {
		for _, m := range s.fake.Messages(a.SID) {
			fmt.Fprintln(&text, a.FriendlyName, m.Direction, m.To, m.Body, m.Status)
		}
		for _, c := range s.fake.Calls(a.SID) {
			fmt.Fprintln(&text, a.FriendlyName, c.To, c.Status)
		}
		for _, key := range s.fake.Keys(a.SID) {
			fmt.Fprintln(&text, a.FriendlyName, key.FriendlyName)
		}
		for _, app := range s.fake.Applications(a.SID) {
			fmt.Fprintln(&text, a.FriendlyName, app.FriendlyName, app.VoiceURL, app.SMSURL)
		}
		for _, service := range s.fake.MessagingServices(a.SID) {
			fmt.Fprintln(&text, a.FriendlyName, service.InboundRequestURL, service.UseInboundWebhookOnNumber)
		}
	}
	return text.String()
}

func TestWhateverFailsARepeatedOperationEndsAsACleanOne(t *testing.T) {
	t.Parallel()
	for name, op := range changes() {
		again := op.again
		if again == nil {
			again = op.do
		}
		var want string
		var requests int
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t)
			require.NoError(t, op.do(t.Context(), s), name)
			want, requests = s.all(t), s.fake.Count("")
		})
		for faultName, fault := range requestFaults {
			t.Run(name+", "+faultName, func(t *testing.T) {
				t.Parallel()
				for on := 1; on <= requests; on++ {
					synctest.Test(t, func(t *testing.T) {
						s := newScene(t)
						nth := fault
						nth.On = on
						s.fake.Inject(nth)
						if err := op.do(t.Context(), s); err != nil {
							var typed *twilioacct.Error
							require.ErrorAs(t, err, &typed)
						}
						s.fake.ClearFaults()
						require.NoError(t, again(t.Context(), s), "request %d", on)
						assert.Equal(t, want, s.all(t), "request %d", on)
					})
				}
			})
		}
	}
}

func TestEveryChangeEndsWhenItsCallerLeaves(t *testing.T) {
	t.Parallel()
	for name, op := range changes() {
		for _, fault := range []twiliotest.Fault{{Hang: true}, {Hang: true, AfterEffect: true}, {Status: 429}, {Delay: time.Minute}} {
			t.Run(fmt.Sprintf("%s, %+v", name, fault), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newScene(t)
					endless := fault
					endless.Times = twiliotest.Always
					s.fake.Inject(endless)
					ctx, cancel := context.WithCancel(t.Context())
					const patience = 77 * time.Millisecond
					time.AfterFunc(patience, cancel)
					start := time.Now()
					err := op.do(ctx, s)
					require.ErrorIs(t, err, context.Canceled)
					assert.Equal(t, patience, time.Since(start))
				})
			})
		}
	}
}
