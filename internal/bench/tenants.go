package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// tenants: with Twilio 50 ms away, 200 tenants that are set up 16 at once, each with a number that is bought and a messaging service
// with the number in it, are set up at least 12 times as fast as one after another. Both budgets hold: one that 16 never reach, and one
// of 8 requests at once, for which they have to queue when the parent signs. One after another takes 60 s a round, so that side sets up
// 20 tenants and counts ten times.
func tenants(ctx context.Context, r *report) error {
	const all, few = 200, 20
	wide := &setUp{callers: 16, budget: 50}
	narrow := &setUp{callers: 16, budget: 8}
	single := &setUp{callers: 1, budget: 50}
	f, err := rounds(fewRounds,
		side{"16 at once", func() (time.Duration, error) { return wide.time(ctx, all) }},
		side{"16 at once", func() (time.Duration, error) { return narrow.time(ctx, all) }},
		side{"one by one", func() (time.Duration, error) {
			took, err := single.time(ctx, few)
			return took * all / few, err
		}})
	if err != nil {
		return err
	}
	for i, s := range []*setUp{wide, narrow} {
		label := fmt.Sprintf("%d tenants, budget %d", all, s.budget)
		r.faster(label, f[i], f[2], 12)
		r.atMost(label, "requests at once", s.most, s.budget)
	}
	return nil
}

// setUp is how tenants are set up.
type setUp struct {
	callers int // at once
	budget  int // requests at once of each account
	most    int // requests at once of any account that there were so far
}

// time sets up so many tenants at a new Twilio, 50 ms away, and returns how long that took.
func (s *setUp) time(ctx context.Context, tenants int) (time.Duration, error) {
	fake := twiliotest.Start()
	defer fake.Close()
	specs := newTenants(fake, tenants)
	fake.Inject(twiliotest.Fault{Delay: 50 * time.Millisecond, Times: twiliotest.Always})
	client := fake.HTTPClient()
	crowd := newCrowd(client.Transport)
	client.Transport = crowd
	provider, err := on(fake, twilioacct.Options{
		HTTPClient: client, Store: twilioacct.NewMemStore().Making(), MaxConcurrent: s.budget,
	})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := s.provision(ctx, provider, specs); err != nil {
		return 0, err
	}
	took := time.Since(start)
	s.most = max(s.most, crowd.most())
	return took, complete(fake, tenants)
}

func (s *setUp) provision(ctx context.Context, provider *twilioacct.Provider, specs []twilioacct.Spec) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.callers)
	for _, spec := range specs {
		group.Go(func() error {
			_, err := provider.Provision(ctx, spec)
			return err
		})
	}
	return group.Wait()
}

// newTenants are tenants who each look for another number, which is for sale: the fake offers everybody the same ones in the same order,
// and who is too late tries the next.
func newTenants(fake *twiliotest.Server, n int) []twilioacct.Spec {
	specs := make([]twilioacct.Spec, n)
	for i := range specs {
		number := fmt.Sprintf("+1628555%04d", i)
		fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: number})
		specs[i] = twilioacct.Spec{
			FriendlyName: fmt.Sprintf("tenant %d", i),
			Key:          fmt.Sprintf("customer-%d", i),
			Number:       &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{Contains: number[1:]}},
			Messaging:    &twilioacct.MessagingSpec{FriendlyName: "notifications"},
		}
	}
	return specs
}

// complete is nil if there are so many tenants, and each has its service with its number in it.
func complete(fake *twiliotest.Server, tenants int) error {
	n := 0
	for _, a := range fake.Subaccounts() {
		numbers, services := fake.PhoneNumbers(a.SID), fake.MessagingServices(a.SID)
		if len(numbers) == 1 && len(services) == 1 && slices.Equal(services[0].PhoneNumberSIDs, []string{numbers[0].SID}) {
			n++
		}
	}
	if n != tenants || len(fake.Subaccounts()) != tenants {
		return fmt.Errorf("of %d tenants %d have all of it", len(fake.Subaccounts()), n)
	}
	return nil
}
