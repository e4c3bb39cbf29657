package twilioacct_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// belongings are what a tenant has.
type belongings struct {
	account, number, service, message, app, key, call string
	phoneNumber                                       string
}

func furnished(t testing.TB, fake *twiliotest.Server, account string) belongings {
	t.Helper()
	number := fake.AddPhoneNumber(account, twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(account, twiliotest.MessagingService{
		FriendlyName: "notifications", UseInboundWebhookOnNumber: true, PhoneNumberSIDs: []string{number.SID},
	})
	return belongings{
		account: account, number: number.SID, phoneNumber: number.PhoneNumber, service: service.SID,
		message: fake.Receive(number.PhoneNumber, recipient, "Hi").Message.SID, app: fake.AddApplicationWith(account, twiliotest.Application{VoiceURL: "https://acme.example/app"}).SID,
		key: fake.AddKey(account, twiliotest.StandardKey).SID, call: fake.AddCall(account, "in-progress").SID,
	}
}

// insideOperations are all that a handle does, about what somebody has.
func insideOperations(h *twilioacct.Handle) map[string]func(context.Context, belongings) error {
	type settings = twilioacct.PhoneNumberSettings
	return map[string]func(context.Context, belongings) error{
		"PhoneNumber": func(ctx context.Context, b belongings) error { return second(h.PhoneNumber(ctx, b.number)) },
		"FindNumber":  func(ctx context.Context, b belongings) error { return second(h.FindNumber(ctx, b.phoneNumber)) },
		"ConfigureNumber": func(ctx context.Context, b belongings) error {
			return second(h.ConfigureNumber(ctx, b.number, settings{VoiceURL: new("https://evil.example")}))
		},
		"ReleaseNumber": func(ctx context.Context, b belongings) error {
			return h.ReleaseNumber(ctx, twilioacct.NumberRelease{SID: b.number, PhoneNumber: b.phoneNumber})
		},
		"BuyNumber": func(ctx context.Context, b belongings) error {
			return second(h.BuyNumber(ctx, twilioacct.NumberOrder{PhoneNumber: b.phoneNumber}))
		},
		"BuyNumber with an application": func(ctx context.Context, b belongings) error {
			return second(h.BuyNumber(ctx, twilioacct.NumberOrder{AreaCode: 415, Settings: settings{SMSApplicationSID: &b.app}}))
		},
		"MessagingService": func(ctx context.Context, b belongings) error { return second(h.MessagingService(ctx, b.service)) },
		"ConfigureMessagingService": func(ctx context.Context, b belongings) error {
			set := twilioacct.MessagingServiceSettings{InboundURL: new("https://evil.example")}
			return second(h.ConfigureMessagingService(ctx, b.service, set))
		},
		"DeleteMessagingService": func(ctx context.Context, b belongings) error { return h.DeleteMessagingService(ctx, b.service) },
		"Sender":                 func(ctx context.Context, b belongings) error { return second(h.Sender(ctx, b.sender())) },
		"AddSender":              func(ctx context.Context, b belongings) error { return second(h.AddSender(ctx, b.sender())) },
		"RemoveSender":           func(ctx context.Context, b belongings) error { return h.RemoveSender(ctx, b.sender()) },
		"Senders": func(ctx context.Context, b belongings) error {
			for _, err := range h.Senders(ctx, b.service) {
				return err
			}
			return nil
		},
		"Send from a service": func(ctx context.Context, b belongings) error {
			return second(h.Send(ctx, twilioacct.NewMessage{To: recipient, ServiceSID: b.service, Body: "x"}))
		},
		"Send from a number": func(ctx context.Context, b belongings) error {
			return second(h.Send(ctx, twilioacct.NewMessage{To: recipient, From: b.phoneNumber, Body: "x"}))
		},
		"Message":       func(ctx context.Context, b belongings) error { return second(h.Message(ctx, b.message)) },
		"CancelMessage": func(ctx context.Context, b belongings) error { return second(h.CancelMessage(ctx, b.message)) },
		"RedactMessage": func(ctx context.Context, b belongings) error { return second(h.RedactMessage(ctx, b.message)) },
		"APIKey":        func(ctx context.Context, b belongings) error { return second(h.APIKey(ctx, b.key)) },
		"RenameAPIKey":  func(ctx context.Context, b belongings) error { return second(h.RenameAPIKey(ctx, b.key, "evil")) },
		"DeleteAPIKey":  func(ctx context.Context, b belongings) error { return h.DeleteAPIKey(ctx, b.key) },
		"TwiMLApp":      func(ctx context.Context, b belongings) error { return second(h.TwiMLApp(ctx, b.app)) },
		"ConfigureTwiMLApp": func(ctx context.Context, b belongings) error {
			return second(h.ConfigureTwiMLApp(ctx, b.app, twilioacct.TwiMLAppSettings{VoiceURL: new("https://evil.example")}))
		},
		"DeleteTwiMLApp": func(ctx context.Context, b belongings) error { return h.DeleteTwiMLApp(ctx, b.app) },
		"Call":           func(ctx context.Context, b belongings) error { return second(h.Call(ctx, b.call)) },
		"HangUp":         func(ctx context.Context, b belongings) error { return second(h.HangUp(ctx, b.call)) },
		"PlaceCall": func(ctx context.Context, b belongings) error {
			return second(h.PlaceCall(ctx, twilioacct.NewCall{To: recipient, From: b.phoneNumber, URL: "https://acme.example"}))
		},
		"PlaceCall with an application": func(ctx context.Context, b belongings) error {
			return second(h.PlaceCall(ctx, twilioacct.NewCall{To: "client:bob", From: "client:alice", ApplicationSID: b.app}))
		},
		"SetIncomingCalls": func(ctx context.Context, b belongings) error {
			return second(h.SetIncomingCalls(ctx, twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{ApplicationSID: b.app}}))
		},
		"Ready": func(ctx context.Context, b belongings) error { return h.Ready(ctx, b.service).Reasons[0].Err },
	}
}

func (b belongings) sender() twilioacct.Sender {
	return twilioacct.Sender{ServiceSID: b.service, PhoneNumberSID: b.number}
}

func TestWhatBelongsToOthersIsRefusedAndNoRequestReachesTheirAccount(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	mine := furnished(t, fake, fake.AddSubaccount("mine").SID)
	parents := furnished(t, fake, fake.Parent().SID)
	others := map[string]belongings{
		"another tenant": furnished(t, fake, fake.AddSubaccount("theirs").SID),
		"the parent":     parents,
	}
	me := p.Subaccount(mine.account)
	_, err := me.Account(t.Context()) // its token is known from here on
	require.NoError(t, err)
	for whose, theirs := range others {
		for name, do := range insideOperations(me) {
			before := holdings(fake)
			fake.ForgetRequests()
			err := do(t.Context(), theirs)
			require.Error(t, err, "%s of %s", name, whose)
			require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, "%s of %s", name, whose)
			assert.Equal(t, before, holdings(fake), "%s of %s", name, whose)
			assert.NotZero(t, fake.Count(""), "%s of %s", name, whose)
			for _, r := range fake.Requests() {
				assert.Equal(t, mine.account, r.Account, "%s of %s", name, whose)
				assert.NotContains(t, r.Path, theirs.account, "%s of %s", name, whose)
			}
		}
	}
	// A sender half of which is somebody else's.
	for _, s := range []twilioacct.Sender{
		{ServiceSID: mine.service, PhoneNumberSID: parents.number}, {ServiceSID: parents.service, PhoneNumberSID: mine.number},
	} {
		_, err := me.AddSender(t.Context(), s)
		require.Error(t, err)
	}
}

func TestTheParentMovesAndChangesNothingOfWhomItWasNotTold(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	mine := furnished(t, fake, fake.AddSubaccount("mine").SID)
	third := furnished(t, fake, fake.AddSubaccount("third").SID)
	strangers := fake.AddForeignAccount(20404).SID
	before := holdings(fake)
	move := func(number string) *twilioacct.NumberTransfer {
		return &twilioacct.NumberTransfer{PhoneNumberSID: number}
	}
	for name, err := range map[string]error{
		"a third tenant's number": second(p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: third.number, ToSID: mine.account})),
		"a third tenant's number, said to be mine": second(p.TransferNumber(t.Context(), twilioacct.NumberTransfer{
			PhoneNumberSID: third.number, FromSID: mine.account, ToSID: fake.Parent().SID,
		})),
		"a third tenant's number, to be mine": second(p.Provision(t.Context(), twilioacct.Spec{
			AccountSID: mine.account, Number: &twilioacct.NumberSpec{Move: move(third.number)},
		})),
		"a stranger's account to move to": second(p.TransferNumber(t.Context(), twilioacct.NumberTransfer{
			PhoneNumberSID: mine.number, FromSID: mine.account, ToSID: strangers,
		})),
		"a stranger's account to be suspended":  second(p.SuspendSubaccount(t.Context(), strangers)),
		"a stranger's account to be renamed":    second(p.RenameSubaccount(t.Context(), strangers, "mine")),
		"a stranger's calls":                    second(p.EndCalls(t.Context(), strangers)),
		"a stranger's account to be set up":     second(p.Provision(t.Context(), twilioacct.Spec{AccountSID: strangers})),
		"a stranger's account to be planned":    second(p.Plan(t.Context(), twilioacct.Spec{AccountSID: strangers})),
		"a stranger's number, where it is none": second(p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: mine.number, FromSID: strangers, ToSID: third.account})),
	} {
		require.ErrorIs(t, err, twilioacct.ErrNotFound, name)
	}
	assert.Equal(t, before, holdings(fake))
}

// holdings are what all accounts have, as text.
func holdings(fake *twiliotest.Server) string {
	var b strings.Builder
	for _, a := range append(fake.Subaccounts(), fake.Parent()) {
		fmt.Fprintln(&b, a, fake.PhoneNumbers(a.SID), fake.MessagingServices(a.SID), fake.Messages(a.SID))
		fmt.Fprintln(&b, fake.Keys(a.SID), fake.Applications(a.SID), fake.Calls(a.SID))
	}
	return b.String()
}

func TestEverythingInsideAnAccountWorksOnlyWithItsOwn(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	for _, account := range []string{fake.Parent().SID, fake.AddSubaccount("acme").SID} {
		h := p.Parent()
		if account != fake.Parent().SID {
			h = p.Subaccount(account)
		}
		for name, do := range insideOperations(h) {
			if name == "BuyNumber" || name == "CancelMessage" || name == "Ready" {
				continue // the number is taken, the message came in, and nothing stands against the service: these are tested elsewhere
			}
			own := furnished(t, fake, account)
			fake.ForgetRequests()
			require.NoError(t, do(t.Context(), own), name)
			for _, r := range fake.Requests() {
				if r.Operation != "FetchAccount" { // for the token, as the parent
					assert.Equal(t, account, r.Account, name)
				}
			}
		}
	}
}

func TestAThousandTenantsAtOnceEachActAsThemselves(t *testing.T) {
	t.Parallel()
	const tenants, workers, calls = 1000, 64, 40
	fake := twiliotest.NewServer(t, twiliotest.WithRecordLimit(200_000))
	p := providerOn(t, fake, withStore(twilioacct.NewMemStore().Making()))
	sids := fake.AddSubaccounts(tenants)
	all := make([]belongings, tenants)
	for i, sid := range sids {
		all[i] = furnished(t, fake, sid)
	}
	var working sync.WaitGroup
	for worker := range workers {
		working.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			for range calls {
				own := all[random.IntN(tenants)]
				h := p.Subaccount(own.account)
				sent, err := h.Send(t.Context(), twilioacct.NewMessage{To: recipient, ServiceSID: own.service, Body: own.account})
				assert.NoError(t, err)
				assert.Equal(t, own.account, sent.AccountSID)
				n, err := h.PhoneNumber(t.Context(), own.number)
				assert.NoError(t, err)
				assert.Equal(t, own.phoneNumber, n.PhoneNumber)
				for s, err := range h.MessagingServices(t.Context()) {
					assert.NoError(t, err)
					assert.Equal(t, own.service, s.SID)
				}
			}
		})
	}
	working.Wait()
	for _, b := range all {
		for _, m := range fake.Messages(b.account) {
			assert.True(t, m.Body == b.account || m.Direction == "inbound")
		}
	}
	for _, r := range fake.Requests() {
		if r.Operation == "FetchAccount" {
			assert.Equal(t, fake.Parent().SID, r.Account, "a token is fetched by the parent")
			continue
		}
		assert.NotEqual(t, fake.Parent().SID, r.Account, r.Operation)
		if strings.Contains(r.Path, "/Accounts/") {
			assert.Contains(t, r.Path, r.Account)
		}
	}
}

func TestEveryQueryArrivesAsItWasWritten(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	const odd = "acme v1.25 + söns & co. 10.0.0.1 🦉 100%"
	acme := p.Subaccount(fake.AddSubaccount(odd).SID)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{FriendlyName: odd})
	account, err := p.FindSubaccount(t.Context(), odd)
	require.NoError(t, err)
	assert.Equal(t, acme.SID(), account.SID)
	numbers := allOf(t, acme.PhoneNumbers(t.Context(), &twilioacct.PhoneNumberFilter{FriendlyName: odd}))
	require.Len(t, numbers, 1)
	assert.Equal(t, number.SID, numbers[0].SID)
	_, err = acme.SearchNumbers(t.Context(), twilioacct.NumberSearch{Locality: odd, PostalCode: "9.4+1 0", Region: "C.1"})
	require.ErrorIs(t, err, twilioacct.ErrNotFound)
	allOf(t, acme.Messages(t.Context(), &twilioacct.MessageFilter{From: "whatsapp:+14155550100", To: odd}))
	arrived := map[string]bool{}
	for _, r := range fake.Requests() {
		values, err := url.ParseQuery(r.RawQuery)
		require.NoError(t, err)
		for name, want := range map[string]string{
			"FriendlyName": odd, "InLocality": odd, "InPostalCode": "9.4+1 0", "InRegion": "C.1", "From": "whatsapp:+14155550100", "To": odd,
		} {
			if values.Has(name) {
				assert.Equal(t, want, values.Get(name), r.Operation)
				arrived[name] = true
			}
		}
	}
	assert.Len(t, arrived, 6, "each of them was sent")
}
