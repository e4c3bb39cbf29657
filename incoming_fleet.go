package twilioacct

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// IncomingReport is what becomes, or would become, of the numbers of a fleet: a few hundred bytes for each.
type IncomingReport struct {
	Numbers []IncomingNumber
	Skipped []SkippedAccount
}

// SkippedAccount is an account whose numbers are left, and why: [ErrSuspended], or what kept them from being looked at.
type SkippedAccount struct {
	SID          string
	FriendlyName string
	Err          error
}

// PlanIncomingCalls shows what [Provider.SetIncomingCalls] would do. It changes nothing.
func (p *Provider) PlanIncomingCalls(ctx context.Context, of func(Account) *IncomingCalls) (IncomingReport, error) {
	plan, skipped, err := p.planFleet(ctx, of)
	return IncomingReport{plan.shown(), skipped}, err
}

// SetIncomingCalls does for all subaccounts what [Handle.SetIncomingCalls] does for one, as the parent, with its auth token. The function
// says what is to answer the calls of an account; nil leaves it alone. It is asked about every active one, one after the other.
//
// All accounts are listed, then the numbers of those that are to be set, many accounts at once, and only then is anything changed. A
// suspended account is skipped, which is no error. Nor does an account that cannot be looked at, or a number that cannot be set, keep any
// other from being set; but the error says how many there are, and the report names them.
func (p *Provider) SetIncomingCalls(ctx context.Context, of func(Account) *IncomingCalls) (IncomingReport, error) {
	plan, skipped, err := p.planFleet(ctx, of)
	if len(plan) > 0 {
		err = errors.Join(err, p.setIncoming(ctx, plan))
	}
	return IncomingReport{plan.shown(), skipped}, err
}

// planFleet plans for all active subaccounts.
func (p *Provider) planFleet(ctx context.Context, of func(Account) *IncomingCalls) (incomingPlan, []SkippedAccount, error) {
	switch {
	case ctx == nil:
		return nil, nil, errNoContext
	case of == nil:
		return nil, nil, invalid("who is to answer the calls of an account? The function is nil")
	case p.parent.APIKeySID != "":
		return nil, nil, told(ErrForbidden, "Twilio lets no API key of the parent into a subaccount: use the parent's auth token")
	}
	accounts, skipped, err := p.incomingAccounts(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	failed := eachOf(ctx, accounts, p.concurrent, func(ctx context.Context, a *incomingAccount) error {
		a.plan, a.err = planIncoming(ctx, func() *rest.Call { return p.asParent(ctx) }, a.SID, a.want)
		return a.err
	})
	var all incomingPlan
	for _, a := range accounts {
		if a.err == nil {
			all = append(all, a.plan...)
			continue
		}
		skipped = append(skipped, SkippedAccount{a.SID, a.FriendlyName, a.err})
	}
	if len(failed) > 0 {
		err = fmt.Errorf("%d of %d accounts were not looked at, one of them because: %w", len(failed), len(accounts), failed[0])
	}
	return all, skipped, err
}

// incomingAccount is an account whose numbers are to be set.
type incomingAccount struct {
	Account

	want *IncomingCalls
	plan incomingPlan
	err  error
}

// incomingAccounts lists the accounts, and asks what is to answer the calls of those that are active.
func (p *Provider) incomingAccounts(ctx context.Context, of func(Account) *IncomingCalls) ([]*incomingAccount, []SkippedAccount, error) {
	var accounts []*incomingAccount
	var skipped []SkippedAccount
	var asking sync.Mutex
	for a, err := range p.Accounts(ctx, nil) {
		switch {
		case err != nil:
			return nil, nil, err
		case a.SID == p.parent.AccountSID || a.Status == StatusClosed:
			continue
		case a.Status != StatusActive:
			skipped = append(skipped, SkippedAccount{a.SID, a.FriendlyName, a.checkActive()})
			continue
		}
		want := of(a)
		if want == nil {
			continue
		}
		if err := want.check(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", a.SID, err)
		}
		accounts = append(accounts, &incomingAccount{Account: a, want: want.oneByOne(&asking)})
	}
	return accounts, skipped, nil
}

// oneByOne is the same, with a Deliberate that is called by one goroutine at a time.
func (w *IncomingCalls) oneByOne(asking *sync.Mutex) *IncomingCalls {
	same := *w
	if w.Deliberate != nil {
		same.Deliberate = func(n PhoneNumber) bool {
			asking.Lock()
			defer asking.Unlock()
			return w.Deliberate(n)
		}
	}
	return &same
}
