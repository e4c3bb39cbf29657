package main

import (
	"context"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// tool is what each verb needs.
type tool struct {
	out      report.Output
	console  console
	asked    asked
	provider *twilioacct.Provider
	parent   string
}

// handle is that of the account whose numbers are meant.
func (t *tool) handle() *twilioacct.Handle { return t.handleOf(t.asked.account) }

func (t *tool) handleOf(account string) *twilioacct.Handle {
	if sid := t.sidOf(account); sid != t.parent {
		return t.provider.Subaccount(sid)
	}
	return t.provider.Parent()
}

// sidOf also knows the parent by that word.
func (t *tool) sidOf(account string) string {
	if account == "" || account == "parent" || strings.EqualFold(account, t.parent) {
		return t.parent
	}
	return account
}

// outcome is what became of a number. There may be an error beside it.
type outcome struct {
	number   twilioacct.PhoneNumber // without SID: none is known
	did      string
	plan     plan // nil: none was made, or nobody needs it any more
	transfer *twilioacct.Transferred
}

// The ways in which a verb ends.
const (
	didBuy       = "bought"
	didConfigure = "configured"
	didMove      = "moved"
	didRelease   = "released"
	didFind      = "found"
	didNothing   = "nothing"
	didFail      = "failed"
)

func failed(err error) (outcome, error) { return outcome{did: didFail}, err }

// list returns also of a list that broke off what came before.
func (t *tool) list(ctx context.Context) ([]twilioacct.PhoneNumber, error) {
	var numbers []twilioacct.PhoneNumber
	for n, err := range t.handle().PhoneNumbers(ctx, nil) {
		if err != nil {
			return numbers, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// find finds a number by its SID, or by all of it.
func find(ctx context.Context, h *twilioacct.Handle, number string) (twilioacct.PhoneNumber, error) {
	if !strings.HasPrefix(number, "+") {
		return h.PhoneNumber(ctx, number)
	}
	n, isThere, err := look(ctx, h, number)
	if err == nil && !isThere {
		err = notFound("the number is not in " + h.SID())
	}
	return n, err
}

// look looks for a number that the account need not have. Of an account that is not there it says so, which FindNumber does not.
func look(ctx context.Context, h *twilioacct.Handle, number string) (n twilioacct.PhoneNumber, isThere bool, err error) {
	for n, err := range h.PhoneNumbers(ctx, &twilioacct.PhoneNumberFilter{PhoneNumber: number}) {
		if err != nil || n.PhoneNumber == number {
			return n, err == nil, err
		}
	}
	return twilioacct.PhoneNumber{}, false, nil
}

// notFound is a number that is nowhere.
func notFound(text string) error { return refusal{text, twilioacct.ErrNotFound} }

// buy buys what it shows, and nothing that the account has already.
func (t *tool) buy(ctx context.Context, args []string) (outcome, error) {
	if len(args) == 0 {
		offered, err := t.handle().SearchNumbers(ctx, t.asked.search)
		if err != nil {
			return failed(err)
		}
		first := newOffer(offered[0])
		return t.buyAs(ctx, purchase{PhoneNumber: first.PhoneNumber, Offer: &first})
	}
	owned, isOwned, err := look(ctx, t.handle(), args[0])
	switch {
	case err != nil:
		return failed(err)
	case isOwned:
		return outcome{number: owned, did: didFind}, nil
	}
	return t.buyAs(ctx, purchase{PhoneNumber: args[0]})
}

func (t *tool) buyAs(ctx context.Context, p purchase) (outcome, error) {
	p.AccountSID, p.hasAddress = t.handle().SID(), t.asked.settings.AddressSID != nil
	if ok, err := t.mayGo(ctx, p); !ok {
		return outcome{did: didNothing, plan: p}, err
	}
	bought, err := t.handle().BuyNumber(ctx, twilioacct.NumberOrder{PhoneNumber: p.PhoneNumber, Settings: t.asked.settings})
	if err != nil {
		return outcome{number: bought, did: didFail}, err
	}
	return outcome{number: bought, did: didBuy}, nil
}

func (t *tool) configure(ctx context.Context, number string) (outcome, error) {
	sid := number
	if strings.HasPrefix(number, "+") {
		found, err := find(ctx, t.handle(), number)
		if err != nil {
			return failed(err)
		}
		sid = found.SID
	}
	configured, err := t.handle().ConfigureNumber(ctx, sid, t.asked.settings)
	if err != nil {
		return failed(err)
	}
	return outcome{number: configured, did: didConfigure}, nil
}

func (t *tool) release(ctx context.Context, number string) (outcome, error) {
	n, err := find(ctx, t.handle(), number)
	if err != nil {
		return failed(err)
	}
	p := farewell{Number: newNumber(n)}
	if ok, err := t.mayGo(ctx, p); !ok {
		return outcome{did: didNothing, plan: p}, err
	}
	if err := t.handle().ReleaseNumber(ctx, twilioacct.NumberRelease{SID: n.SID, PhoneNumber: n.PhoneNumber}); err != nil {
		return outcome{number: n, did: didFail}, err
	}
	return outcome{number: n, did: didRelease}, nil
}

func (t *tool) move(ctx context.Context, number string) (outcome, error) {
	move := t.transfer(number)
	planned, err := t.provider.PlanTransfer(ctx, move)
	if err != nil {
		return failed(err)
	}
	p := newRelocation(planned)
	if !p.AlreadyThere {
		if err := p.obstacle(t.asked.ignoreMembership); err != nil {
			return outcome{did: didNothing, plan: p}, err
		}
		if ok, err := t.mayGo(ctx, p); !ok {
			return outcome{did: didNothing, plan: p}, err
		}
	}
	done, err := t.provider.TransferNumber(ctx, move)
	o := outcome{number: done.Number, did: didMove, plan: p, transfer: &done}
	switch {
	case err != nil:
		o.did = didFail
	case done.Plan.AlreadyThere:
		o.did = didFind
	}
	return o, err
}

// transfer is the move as it is asked for, of a number that is given by its SID or by its digits.
func (t *tool) transfer(number string) twilioacct.NumberTransfer {
	set := t.asked.settings
	move := twilioacct.NumberTransfer{
		FromSID:             t.sidOf(t.asked.from),
		ToSID:               t.sidOf(t.asked.to),
		VoiceApplicationSID: text(set.VoiceApplicationSID),
		SMSApplicationSID:   text(set.SMSApplicationSID),
		AddressSID:          text(set.AddressSID),
		BundleSID:           text(set.BundleSID),
		IgnoreMembership:    t.asked.ignoreMembership,
	}
	if strings.HasPrefix(number, "+") {
		move.PhoneNumber = number
	} else {
		move.PhoneNumberSID = number
	}
	return move
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
