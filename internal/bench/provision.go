package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// provision: the one call makes the changes of Twilio's article on subaccounts (the account, the number that moves to it, the
// messaging service, the number in that), the looks that it needs, and no other request. A repeated call only looks. Nothing is timed:
// requests are counted, and must be as many as the documentation says.
func provision(ctx context.Context, r *report) error {
	for _, f := range flows {
		first, again, err := f.count(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		r.same(f.name, first.String(), f.first.String())
		r.same("  once more", again.String(), f.again.String())
	}
	return nil
}

// requests are those of a call, by what they do.
type requests struct{ changes, looks int }

func (r requests) String() string { return fmt.Sprintf("%d changes, %d looks", r.changes, r.looks) }

// flow is a way to set a tenant up, and how many requests that takes: the first time, and once more.
type flow struct {
	name         string
	of           func(*twiliotest.Server) twilioacct.Spec
	first, again requests
}

var flows = []flow{
	{"number moved", moving(nil), requests{4, 4}, requests{0, 6}},
	{"the same, named by its digits", moving(byDigits), requests{4, 4}, requests{0, 6}},
	{"past 20 services", moving(pastServices(20)), requests{4, 24}, requests{0, 6}},
	{"out of the parent's service", moving(outOfService), requests{5, 5}, requests{0, 6}},
	{"to a tenant new to the Store", moving(byTenant), requests{3, 6}, requests{0, 6}},
	{"number bought", buying(nil), requests{4, 2}, requests{0, 5}},
	{"the same, toll-free", buying(tollFree), requests{4, 3}, requests{0, 6}},
	{"by a tenant new to the Store", buying(byTenant), requests{3, 5}, requests{0, 5}},
	{"calls, and a number bought", buying(calling), requests{5, 3}, requests{0, 6}},
	{"by a tenant with ten numbers", buying(callingByTenant), requests{12, 5}, requests{0, 5}},
}

// moving is the flow of the article, but for a change: a number of the parent's becomes the tenant's.
func moving(change func(*twiliotest.Server, *twilioacct.Spec)) func(*twiliotest.Server) twilioacct.Spec {
	return func(fake *twiliotest.Server) twilioacct.Spec {
		number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{})
		return changed(fake, change, &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: number.SID}})
	}
}

// buying is the same with a number that is bought.
func buying(change func(*twiliotest.Server, *twilioacct.Spec)) func(*twiliotest.Server) twilioacct.Spec {
	return func(fake *twiliotest.Server) twilioacct.Spec {
		return changed(fake, change, &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
	}
}

func changed(
	fake *twiliotest.Server, change func(*twiliotest.Server, *twilioacct.Spec), number *twilioacct.NumberSpec,
) twilioacct.Spec {
	spec := twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Key:          "customer-7",
		Number:       number,
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	}
	if change != nil {
		change(fake, &spec)
	}
	return spec
}

func byDigits(fake *twiliotest.Server, spec *twilioacct.Spec) {
	number, _ := fake.PhoneNumber(spec.Number.Move.PhoneNumberSID)
	spec.Number.Move = &twilioacct.NumberTransfer{PhoneNumber: number.PhoneNumber}
}

// pastServices lets the parent have messaging services in which the number is not: each has to be looked into.
func pastServices(n int) func(*twiliotest.Server, *twilioacct.Spec) {
	return func(fake *twiliotest.Server, _ *twilioacct.Spec) {
		for range n {
			fake.AddMessagingService(fake.Parent().SID, twiliotest.MessagingService{})
		}
	}
}

func outOfService(fake *twiliotest.Server, spec *twilioacct.Spec) {
	service := twiliotest.MessagingService{PhoneNumberSIDs: []string{spec.Number.Move.PhoneNumberSID}}
	fake.AddMessagingService(fake.Parent().SID, service)
}

// byTenant is for a tenant that is there, and that the Store does not know yet.
func byTenant(fake *twiliotest.Server, spec *twilioacct.Spec) { fake.AddSubaccount(spec.FriendlyName) }

func tollFree(_ *twiliotest.Server, spec *twilioacct.Spec) {
	spec.Number.Buy = &twilioacct.NumberSearch{Type: twilioacct.NumberTollFree}
}

// calling is for a tenant that calls from browsers in the place of messages.
func calling(_ *twiliotest.Server, spec *twilioacct.Spec) {
	spec.Messaging = nil
	spec.Voice = &twilioacct.VoiceSpec{
		FriendlyName: "browser calls",
		Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://falcon.example/outgoing")},
		Incoming:     &twilioacct.IncomingCalls{},
		Token:        &twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}},
	}
}

// callingByTenant is for one that is there and has its numbers, and a token in the Store from its first request on.
func callingByTenant(fake *twiliotest.Server, spec *twilioacct.Spec) {
	calling(fake, spec)
	spec.Number = nil
	sid := fake.AddSubaccount(spec.FriendlyName).SID
	for range 10 {
		fake.AddPhoneNumber(sid, twiliotest.PhoneNumber{})
	}
}

// count sets the tenant up twice, the second time as another process would: nothing is remembered but in the Store.
func (f flow) count(ctx context.Context) (first, again requests, err error) {
	fake := twiliotest.Start()
	defer fake.Close()
	spec, store := f.of(fake), twilioacct.NewMemStore().Making()
	for _, made := range []*requests{&first, &again} {
		provider, err := on(fake, twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
		if err != nil {
			return first, again, err
		}
		fake.ForgetRequests()
		if _, err := provider.Provision(ctx, spec); err != nil {
			return first, again, err
		}
		*made = requestsOf(fake)
	}
	return first, again, nil
}

func requestsOf(fake *twiliotest.Server) (made requests) {
	for _, r := range fake.Requests() {
		if r.Method == http.MethodGet {
			made.looks++
		} else {
			made.changes++
		}
	}
	return made
}
