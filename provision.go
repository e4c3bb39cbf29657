package twilioacct

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
)

// Spec says what a tenant is to have. [Provider.Provision] makes what of it is not there yet, [Provider.Plan] says what that would be.
type Spec struct {
	// FriendlyName is the subaccount's, and how it is found again. See [Provider.CreateSubaccount] for the rules.
	FriendlyName string
	// AccountSID is a subaccount that exists already, in the place of a FriendlyName.
	AccountSID string

	// Key marks what is bought for this Spec, as its friendly name, so that a repeated run finds it: 1 to 64 characters, different for
	// each Spec of an account. "" is FriendlyName, or AccountSID.
	Key string

	Number    *NumberSpec    // nil: no number
	Messaging *MessagingSpec // nil: no messaging service

	// Observe is told of each step when it ends, in their order. nil: nobody is.
	Observe func(Step)
}

// NumberSpec says which number a tenant is to have: an existing one, which is moved, or one that is bought.
type NumberSpec struct {
	// Move names a number that exists, and the account that has it. ToSID is left out: it is the tenant.
	Move *NumberTransfer

	// Buy finds a number that is bought, which costs money, at once and each month.
	Buy *NumberSearch

	// Settings are what the number is to be set to, whether it is new or not. A bought number's friendly name is the Spec's Key.
	Settings PhoneNumberSettings
}

// MessagingSpec says which messaging service a tenant is to have, with its number in it.
type MessagingSpec struct {
	FriendlyName string // how it is found again
	Settings     MessagingServiceSettings
}

// Provisioned is what a tenant has, as far as [Provider.Provision] came.
type Provisioned struct {
	Account Account
	Number  PhoneNumber
	Service MessagingService
	Ready   Readiness // whether a message would go out
	Steps   []Step    // that were begun, in their order
}

// Step is a part of a run.
type Step struct {
	Name StepName
	Did  Did
	SID  string // of what was made or found; "" where that is not known
	Err  error  // why it failed
}

// StepName says what a step is about.
type StepName string

// The steps, in their order.
const (
	StepSubaccount StepName = "subaccount"
	StepNumber     StepName = "number"
	StepService    StepName = "messaging_service"
	StepSender     StepName = "sender" // the number in the service
)

// Did is how a step ended.
type Did string

// The ways in which a step ends.
const (
	DidMake Did = "made"
	DidFind Did = "found" // it was there already
	DidMove Did = "moved"
	DidFail Did = "failed"
)

// StepError says in which step a run failed. What lies below tells why.
type StepError struct {
	Step StepName
	Err  error
}

// Error names the step.
func (e *StepError) Error() string { return fmt.Sprintf("%v (in the step %s)", e.Err, e.Step) }

// Unwrap returns why the step failed.
func (e *StepError) Unwrap() error { return e.Err }

// Plan is what a run would do.
type Plan struct {
	Steps    []Step
	Transfer *TransferPlan     // nil: no number would be moved
	Buys     []AvailableNumber // the first would be bought, or another one if it is gone by then; empty: no number would be bought
}

// Provision gives a tenant what the Spec says: a subaccount, its number, its messaging service with the number in it. It makes what is
// not there and leaves alone what is: it looks for the subaccount by its friendly name, for the number in the tenant's account, for the
// service by its friendly name, and for the number in the service. What it makes itself it need not look into.
//
// A step that fails ends the run with a *[StepError]; what was made so far is returned beside it, with its SIDs. Calling it again with the
// same Spec goes on from there, also in another process after a crash, and makes nothing twice. After [ErrOutcomeUnknown] wait a moment
// before that: Twilio's lists may not show yet what was made. Two of what should be one, such as two subaccounts of that name, are
// [ErrAmbiguous].
//
// Two runs of one Spec at the same time can make things twice: each may look before the other makes. Let only one run at a time.
func (p *Provider) Provision(ctx context.Context, spec Spec) (Provisioned, error) {
	r := provisioning{provider: p, spec: spec}
	err := r.run(ctx)
	return r.has, err
}

// Plan says what [Provider.Provision] would do with the Spec, and changes nothing. What would be made has no SID yet.
func (p *Provider) Plan(ctx context.Context, spec Spec) (Plan, error) {
	r := provisioning{provider: p, spec: spec, isPlan: true}
	err := r.run(ctx)
	r.plan.Steps = r.has.Steps
	return r.plan, err
}

// provisioning is a run. Each of its steps looks, and makes what is not there.
type provisioning struct {
	provider *Provider
	spec     Spec
	isPlan   bool

	has   Provisioned
	plan  Plan
	isNew struct{ account, service bool } // made by this run, so that nothing is in it yet
}

func (r *provisioning) run(ctx context.Context) error {
	if err := r.spec.check(ctx); err != nil {
		return err
	}
	steps := []struct {
		name     StepName
		isWanted bool
		take     func(context.Context) (Did, string, error)
	}{
		{StepSubaccount, true, r.subaccount},
		{StepNumber, r.spec.Number != nil, r.number},
		{StepService, r.spec.Messaging != nil, r.service},
		{StepSender, r.spec.Messaging != nil && r.spec.Number != nil, r.sender},
	}
	for _, step := range steps {
		if !step.isWanted {
			continue
		}
		did, sid, err := step.take(ctx)
		if err != nil {
			err = &StepError{Step: step.name, Err: err}
			did = DidFail
		}
		r.report(Step{Name: step.name, Did: did, SID: sid, Err: err})
		if err != nil {
			return err
		}
	}
	if !r.isPlan {
		r.has.Ready = r.readiness(ctx)
	}
	return nil
}

func (r *provisioning) report(s Step) {
	r.has.Steps = append(r.has.Steps, s)
	if r.spec.Observe != nil {
		r.spec.Observe(s)
	}
}

func (s Spec) check(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	switch {
	case (s.FriendlyName == "") == (s.AccountSID == ""):
		return invalid("a Spec needs either FriendlyName or AccountSID")
	case s.FriendlyName != "":
		if err := checkName("FriendlyName", s.FriendlyName); err != nil {
			return err
		}
	}
	if err := firstOf(checkOptional("AccountSID", "AC", s.AccountSID), checkName("Key", s.key())); err != nil {
		return err
	}
	if s.Number != nil {
		if err := s.Number.check(); err != nil {
			return err
		}
	}
	if s.Messaging != nil {
		return s.Messaging.check()
	}
	return nil
}

func (m MessagingSpec) check() error {
	if m.Settings.FriendlyName != nil {
		return invalid("Messaging.Settings: leave FriendlyName out, the MessagingSpec has it")
	}
	return firstOf(checkName("Messaging.FriendlyName", m.FriendlyName), m.Settings.check())
}

func (s Spec) key() string { return cmp.Or(s.Key, s.FriendlyName, s.AccountSID) }

func (n NumberSpec) check() error {
	switch {
	case (n.Move == nil) == (n.Buy == nil):
		return invalid("Number needs either Move or Buy")
	case n.Buy != nil && n.Settings.FriendlyName != nil:
		return invalid("Number.Settings: leave FriendlyName out, a bought number's is the Spec's Key")
	case n.Buy != nil:
		return firstOf(n.Buy.check(), n.Settings.check())
	case n.Move.ToSID != "":
		return invalid("Number.Move: leave ToSID out, the number is moved to the tenant")
	}
	return firstOf(checkOptional("Number.Move.FromSID", "AC", n.Move.FromSID), n.Move.check(), n.Settings.check())
}

func (r *provisioning) subaccount(ctx context.Context) (did Did, sid string, err error) {
	p := r.provider
	r.has.Account, err = r.findAccount(ctx)
	switch {
	case err == nil:
		a := r.has.Account
		return DidFind, a.SID, a.checkActive()
	case !isGone(err) || r.spec.AccountSID != "":
		return "", r.has.Account.SID, err
	}
	r.isNew.account = true
	if r.isPlan {
		return DidMake, "", nil
	}
	r.has.Account, err = p.CreateSubaccount(ctx, r.spec.FriendlyName)
	return DidMake, r.has.Account.SID, err
}

// findAccount also writes what it finds to the Store: a crash may have come between the making and the writing.
func (r *provisioning) findAccount(ctx context.Context) (Account, error) {
	p := r.provider
	if sid := r.spec.AccountSID; sid != "" {
		sid, err := p.subaccountSID(ctx, sid)
		if err != nil {
			return Account{}, err
		}
		if p.store == nil || r.isPlan {
			return p.look(ctx, sid)
		}
		synced, err := p.Sync(ctx, sid)
		return synced.Account, err
	}
	since := p.tokens.now()
	a, err := p.FindSubaccount(ctx, r.spec.FriendlyName)
	if err != nil || r.isPlan {
		return a, err
	}
	if !a.AuthToken.IsZero() {
		p.tokens.put(a.SID, a.AuthToken, since)
	}
	return a, p.keepFound(ctx, a)
}

func (r *provisioning) handle() *Handle { return r.provider.Subaccount(r.has.Account.SID) }

func (r *provisioning) number(ctx context.Context) (did Did, sid string, err error) {
	if r.spec.Number.Buy != nil {
		did, err = r.boughtNumber(ctx)
	} else {
		did, err = r.movedNumber(ctx)
	}
	n := r.has.Number
	if err != nil || r.isPlan {
		return did, n.SID, err
	}
	if change := r.spec.Number.Settings.butFor(n); change != (PhoneNumberSettings{}) {
		configured, err := r.handle().ConfigureNumber(ctx, n.SID, change)
		if err != nil {
			return did, n.SID, err
		}
		r.has.Number = configured
	}
	return did, n.SID, nil
}

// boughtNumber is the one that carries the Spec's key, or one that is bought now.
func (r *provisioning) boughtNumber(ctx context.Context) (Did, error) {
	if !r.isNew.account {
		key := r.spec.key()
		numbers := r.handle().PhoneNumbers(ctx, &PhoneNumberFilter{FriendlyName: key})
		n, err := findAmong(numbers, "phone number", key, func(n PhoneNumber) bool { return n.FriendlyName == key })
		if !isGone(err) {
			r.has.Number = n
			return DidFind, err
		}
	}
	// In a plan the account may not be there yet, and what is for sale is the same for all.
	searcher := r.provider.Parent()
	if !r.isPlan {
		searcher = r.handle()
	}
	offered, err := searcher.SearchNumbers(ctx, *r.spec.Number.Buy)
	if err != nil || r.isPlan {
		r.plan.Buys = offered
		return DidMake, err
	}
	r.has.Number, err = r.buy(ctx, offered)
	return DidMake, err
}

// buy buys the first of the numbers. If somebody else has bought that meanwhile, it searches again and takes any: many who search for the
// same at once are offered the same, in the same order.
func (r *provisioning) buy(ctx context.Context, offered []AvailableNumber) (n PhoneNumber, err error) {
	order := NumberOrder{PhoneNumber: offered[0].PhoneNumber, Settings: r.spec.Number.Settings}
	order.Settings.FriendlyName = new(r.spec.key())
	const most = 10
	for range most {
		n, err = r.handle().BuyNumber(ctx, order)
		if codeOf(err) != codeNumberGone {
			return n, err
		}
		offered, searchErr := r.handle().SearchNumbers(ctx, *r.spec.Number.Buy)
		if searchErr != nil {
			return n, searchErr
		}
		order.PhoneNumber = offered[rand.IntN(len(offered))].PhoneNumber //nolint:gosec // nobody is to be kept from guessing it
	}
	return n, err
}

// movedNumber is the existing one, which is moved if it is not the tenant's yet.
func (r *provisioning) movedNumber(ctx context.Context) (Did, error) {
	p := r.provider
	t := r.transfer()
	plan, err := p.planTransfer(ctx, t)
	r.has.Number = plan.Number
	if err != nil {
		return "", err
	}
	did := DidMove
	if plan.AlreadyThere {
		did = DidFind
	}
	if r.isPlan {
		r.plan.Transfer = &plan
		return did, plan.check(t)
	}
	done, err := p.transfer(ctx, t, plan)
	r.has.Number = done.Number
	return did, err
}

// transfer is the Spec's, with its ids. In a plan there may be no account yet that the number could be moved to.
func (r *provisioning) transfer() NumberTransfer {
	t := *r.spec.Number.Move
	t.FromSID = asWritten(cmp.Or(t.FromSID, r.provider.parent.AccountSID))
	t.ToSID, t.isToNew = r.has.Account.SID, r.isNew.account
	return t
}

func (r *provisioning) service(ctx context.Context) (did Did, sid string, err error) {
	want := r.spec.Messaging
	if !r.isNew.account {
		r.has.Service, err = r.handle().FindMessagingService(ctx, want.FriendlyName)
		if !isGone(err) {
			return r.foundService(ctx, err)
		}
	}
	r.isNew.service = true
	if r.isPlan {
		return DidMake, "", nil
	}
	r.has.Service, err = r.handle().CreateMessagingService(ctx, want.FriendlyName, want.Settings)
	return DidMake, r.has.Service.SID, err
}

// foundService sets what the Spec says, and leaves the rest as it is.
func (r *provisioning) foundService(ctx context.Context, err error) (Did, string, error) {
	s := r.has.Service
	change := r.spec.Messaging.Settings.butFor(s)
	if err != nil || r.isPlan || change.isEmpty() {
		return DidFind, s.SID, err
	}
	configured, err := r.handle().ConfigureMessagingService(ctx, s.SID, change)
	if err == nil {
		r.has.Service = configured
	}
	return DidFind, s.SID, err
}

func (r *provisioning) sender(ctx context.Context) (Did, string, error) {
	s := Sender{ServiceSID: r.has.Service.SID, PhoneNumberSID: r.has.Number.SID, LoseInbound: r.spec.Messaging.Settings.LoseInbound}
	if !r.isNew.service && s.PhoneNumberSID != "" {
		_, err := r.handle().Sender(ctx, s)
		if !isGone(err) {
			return DidFind, s.PhoneNumberSID, err
		}
	}
	if r.isPlan {
		return DidMake, s.PhoneNumberSID, nil
	}
	if r.has.Service.LosesInbound() && !s.LoseInbound {
		return DidMake, s.PhoneNumberSID, s.inboundLost()
	}
	_, err := r.handle().addSender(ctx, s)
	return DidMake, s.PhoneNumberSID, err
}

// readiness looks at what the run has made or found, which it knows already.
func (r *provisioning) readiness(ctx context.Context) Readiness {
	switch h := r.handle(); {
	case r.spec.Number != nil:
		n := r.has.Number
		return h.readiness(ctx, r.has.Service, []ServiceNumber{{SID: n.SID, PhoneNumber: n.PhoneNumber, Capabilities: n.Capabilities}})
	case r.spec.Messaging != nil:
		return h.Ready(ctx, r.has.Service.SID)
	}
	return Readiness{Reasons: []Reason{{Kind: ReasonNoSender}}}
}
