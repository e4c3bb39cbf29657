package twilioacct

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Spec says what a tenant is to have. [Provider.Provision] makes what of it is not there yet, [Provider.Plan] says what that would be.
type Spec struct {
	// FriendlyName is the subaccount's, and how it is found again. See [Provider.CreateSubaccount] for the rules.
	FriendlyName string
	// AccountSID is a subaccount that exists already, in the place of a FriendlyName.
	AccountSID string

	// Key marks what is bought for this Spec, as its friendly name, so that a repeated run finds it: 1 to 64 characters. It must stay
	// the same for as long as the tenant is this customer, and differ between the Specs of one account: your own key of the customer,
	// for example. Only what is bought needs one.
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

	// Buy finds a number that is bought, which costs money, at once and each month. With a messaging service only numbers that can send
	// are looked for, and without Settings.AddressSID only those that need no address are bought.
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
	Account  Account
	Number   PhoneNumber
	Service  MessagingService
	Transfer Transferred // what became of a number that was to be moved
	Ready    Readiness   // whether a message would go out
	Steps    []Step      // that have ended, in their order
}

// Step is a part of a run.
type Step struct {
	Name       StepName
	Did        Did
	SID        string // of what was made or found; "" where that is not known
	Configured bool   // settings of what was there already were set, as they differed from the Spec's
	Err        error  // why it failed
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
	Steps    []Step            // as they would end; what would be made has no SID yet
	Transfer *TransferPlan     // nil: no number would be moved
	Buys     []AvailableNumber // the first would be bought, or another one if it is gone by then; empty: no number would be bought
}

// Provision gives a tenant what the Spec says: a subaccount, its number, its messaging service with the number in it. It first looks for
// all of that: the subaccount by its friendly name, the number in the tenant's account or where it is to come from, the service by its
// friendly name, and the number in the service. What shows then that the Spec cannot be met is an error before anything has changed.
// Then it makes what is not there, and sets what differs from the Spec's settings. What it makes itself it need not look into.
//
// A step that fails ends the run with a *[StepError]; what was made so far is returned beside it, with its SIDs. Calling it again with the
// same Spec goes on from there, also in another process after a crash, and makes nothing twice. Wait a moment before that: Twilio's
// lists may not show yet what was made. Two of what should be one, such as two subaccounts of that name, are [ErrAmbiguous].
//
// Two runs of one Spec at the same time can make things twice: each may look before the other makes. Let only one run at a time.
func (p *Provider) Provision(ctx context.Context, spec Spec) (Provisioned, error) {
	r := provisioning{provider: p, spec: spec}
	err := r.run(ctx)
	return r.has, err
}

// Plan says what [Provider.Provision] would do with the Spec, and changes nothing at Twilio.
func (p *Provider) Plan(ctx context.Context, spec Spec) (Plan, error) {
	r := provisioning{provider: p, spec: spec, isPlan: true}
	err := r.run(ctx)
	r.plan.Steps = r.has.Steps
	return r.plan, err
}

// provisioning is a run: all looks come first, then what changes something.
type provisioning struct {
	provider *Provider
	spec     Spec
	isPlan   bool

	has  Provisioned
	plan Plan

	isNew  struct{ account, service bool } // made by this run, so that nothing is in it yet
	move   NumberTransfer
	sender ServiceNumber
}

// task is a step as it is taken: what a look finds, and what then is to be done, nil for nothing.
type task struct {
	name StepName
	look func(context.Context) (Did, error)
	do   func(context.Context) error
	sid  func() string

	found      Did
	configures bool
}

func (r *provisioning) tasks() []*task {
	all := []*task{{name: StepSubaccount, look: r.findAccount, do: r.makeAccount, sid: func() string { return r.has.Account.SID }}}
	if n := r.spec.Number; n != nil && n.Buy != nil {
		all = append(all, &task{name: StepNumber, look: r.findBought, do: r.buy, sid: r.numberSID})
	} else if n != nil {
		all = append(all, &task{name: StepNumber, look: r.findMoved, do: r.moveNumber, sid: r.numberSID})
	}
	if r.spec.Messaging != nil {
		all = append(all, &task{name: StepService, look: r.findService, do: r.makeService, sid: func() string { return r.has.Service.SID }})
	}
	if r.spec.Number != nil && r.spec.Messaging != nil {
		all = append(all, &task{name: StepSender, look: r.findSender, do: r.addSender, sid: r.numberSID})
	}
	return all
}

func (r *provisioning) run(ctx context.Context) (err error) {
	if err := r.spec.check(ctx); err != nil {
		return err
	}
	tasks := r.tasks()
	for i, t := range tasks {
		if t.found, err = t.look(ctx); err != nil {
			r.reportFound(tasks[:i])
			return r.report(t, err)
		}
		t.configures = t.found == DidFind && r.differs(t.name)
	}
	for _, t := range tasks {
		if !r.isPlan {
			err = r.take(ctx, t)
		}
		if err = r.report(t, err); err != nil {
			return err
		}
	}
	if !r.isPlan {
		r.has.Ready = r.readiness(ctx)
	}
	return nil
}

// take does what a task leaves to be done.
func (r *provisioning) take(ctx context.Context, t *task) error {
	if t.found != DidFind {
		if err := t.do(ctx); err != nil {
			return err
		}
	}
	switch t.name {
	case StepNumber:
		return r.configureNumber(ctx)
	case StepService:
		return r.configureService(ctx)
	case StepSubaccount, StepSender:
	}
	return nil
}

// report tells how a task ended, and returns its error with the step's name.
func (r *provisioning) report(t *task, err error) error {
	s := Step{Name: t.name, Did: t.found, SID: t.sid(), Configured: t.configures && err == nil}
	if err != nil {
		err = &StepError{Step: t.name, Err: err}
		s.Did, s.Err = DidFail, err
	}
	r.has.Steps = append(r.has.Steps, s)
	if r.spec.Observe != nil {
		r.spec.Observe(s)
	}
	return err
}

// reportFound tells of what was there before a look failed.
func (r *provisioning) reportFound(tasks []*task) {
	for _, t := range tasks {
		if t.found == DidFind {
			t.configures = false
			_ = r.report(t, nil)
		}
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
	if err := checkOptional("AccountSID", "AC", s.AccountSID); err != nil {
		return err
	}
	if s.Number != nil {
		if err := s.Number.check(s.Key); err != nil {
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

func (n NumberSpec) check(key string) error {
	switch {
	case (n.Move == nil) == (n.Buy == nil):
		return invalid("Number needs either Move or Buy")
	case n.Buy != nil && n.Settings.FriendlyName != nil:
		return invalid("Number.Settings: leave FriendlyName out, a bought number's is the Spec's Key")
	case n.Buy != nil:
		return firstOf(checkName("Key, by which a bought number is found again,", key), n.Buy.check(), n.Settings.check())
	case n.Move.ToSID != "":
		return invalid("Number.Move: leave ToSID out, the number is moved to the tenant")
	case n.Move.VoiceApplicationSID != "" && (n.Settings.VoiceApplicationSID != nil || n.Settings.TrunkSID != nil),
		n.Move.SMSApplicationSID != "" && n.Settings.SMSApplicationSID != nil,
		n.Move.AddressSID != "" && n.Settings.AddressSID != nil, n.Move.BundleSID != "" && n.Settings.BundleSID != nil:
		return invalid("Number.Move and Number.Settings set the same: say it in one of them")
	}
	return firstOf(checkOptional("Number.Move.FromSID", "AC", n.Move.FromSID), n.Move.check(), n.Settings.check())
}

// differs is true where what was found is not as the Spec says.
func (r *provisioning) differs(name StepName) bool {
	switch name {
	case StepNumber:
		return r.spec.Number.Settings.butFor(r.has.Number) != (PhoneNumberSettings{})
	case StepService:
		return !r.spec.Messaging.Settings.butFor(r.has.Service).isEmpty()
	case StepSubaccount, StepSender:
	}
	return false
}

// findAccount also writes what it finds to the Store: a crash may have come between the making and the writing.
func (r *provisioning) findAccount(ctx context.Context) (did Did, err error) {
	r.has.Account, err = r.lookForAccount(ctx)
	switch {
	case err == nil:
		return DidFind, r.has.Account.checkActive()
	case !isGone(err) || r.spec.AccountSID != "":
		return "", err
	case r.provider.parent.APIKeySID != "" && (r.spec.Number != nil || r.spec.Messaging != nil):
		return "", told(ErrForbidden, "Twilio hides a new subaccount's auth token from the parent's API key, so nothing could be made in it: "+
			"use the parent's auth token")
	}
	r.isNew.account = true
	return DidMake, nil
}

func (r *provisioning) lookForAccount(ctx context.Context) (a Account, err error) {
	p := r.provider
	since := p.tokens.now()
	if r.spec.AccountSID == "" {
		a, err = p.FindSubaccount(ctx, r.spec.FriendlyName)
	} else {
		var sid string
		if sid, err = p.subaccountSID(ctx, r.spec.AccountSID); err == nil {
			a, err = p.look(ctx, sid)
			p.markIfNew(a)
		}
	}
	if err != nil {
		return a, err
	}
	if !a.AuthToken.IsZero() {
		p.tokens.put(a.SID, a.AuthToken, since)
	}
	if r.isPlan {
		return a, nil
	}
	return a, p.keepFound(ctx, a)
}

func (r *provisioning) makeAccount(ctx context.Context) (err error) {
	r.has.Account, err = r.provider.CreateSubaccount(ctx, r.spec.FriendlyName)
	return err
}

func (r *provisioning) handle() *Handle { return r.provider.Subaccount(r.has.Account.SID) }

// numberSID is that of the number that the tenant has, or is to get.
func (r *provisioning) numberSID() string {
	return cmp.Or(r.has.Number.SID, r.has.Transfer.Plan.Number.SID)
}

// findBought looks for the number that carries the Spec's key, and else for some that can be bought.
func (r *provisioning) findBought(ctx context.Context) (Did, error) {
	searcher := r.provider.Parent() // what is for sale is the same for all
	if !r.isNew.account {
		searcher = r.handle()
		key := r.spec.Key
		numbers := searcher.PhoneNumbers(ctx, &PhoneNumberFilter{FriendlyName: key})
		n, err := findAmong(numbers, "phone number", key, func(n PhoneNumber) bool { return n.FriendlyName == key })
		if !isGone(err) {
			r.has.Number = n
			return DidFind, firstOf(err, r.checkCapable(n))
		}
	}
	var err error
	r.plan.Buys, err = r.offers(ctx, searcher)
	return DidMake, err
}

// offers are numbers that would do.
func (r *provisioning) offers(ctx context.Context, searcher *Handle) ([]AvailableNumber, error) {
	search := *r.spec.Number.Buy
	search.With.SMS = search.With.SMS || r.spec.Messaging != nil && !search.With.MMS
	offered, err := searcher.SearchNumbers(ctx, search)
	if err != nil || value(r.spec.Number.Settings.AddressSID) != "" {
		return offered, err
	}
	offered = slices.DeleteFunc(offered, AvailableNumber.NeedsAddress)
	if len(offered) == 0 {
		return nil, invalid("all numbers that were found need an address: set Number.Settings.AddressSID, or search elsewhere")
	}
	return offered, nil
}

// checkCapable refuses a number that can be in no messaging service.
func (r *provisioning) checkCapable(n PhoneNumber) error {
	if r.spec.Messaging != nil && n.SID != "" && !n.mayMessage() {
		return told(ErrConflict, "%s can call, but neither send nor receive messages", n.SID)
	}
	return nil
}

// buy buys the first of the numbers. If somebody else has bought that meanwhile, it searches again and takes any: many who search for the
// same at once are offered the same, in the same order.
func (r *provisioning) buy(ctx context.Context) (err error) {
	h := r.handle()
	order := NumberOrder{PhoneNumber: r.plan.Buys[0].PhoneNumber, Settings: r.spec.Number.Settings}
	order.Settings.FriendlyName = &r.spec.Key
	const most = 10
	for range most {
		r.has.Number, err = h.BuyNumber(ctx, order)
		if codeOf(err) != codeNumberGone {
			return err
		}
		offered, searchErr := r.offers(ctx, h)
		if searchErr != nil {
			return searchErr
		}
		order.PhoneNumber = offered[rand.IntN(len(offered))].PhoneNumber //nolint:gosec // nobody is to be kept from guessing it
	}
	return err
}

// findMoved looks for the existing number, in the tenant's account and where it is to come from.
func (r *provisioning) findMoved(ctx context.Context) (Did, error) {
	t := *r.spec.Number.Move
	t.FromSID = asWritten(cmp.Or(t.FromSID, r.provider.parent.AccountSID))
	t.ToSID, t.isToNew = r.has.Account.SID, r.isNew.account
	plan, err := r.provider.planTransfer(ctx, t)
	r.has.Transfer.Plan = plan
	if err != nil {
		return "", err
	}
	if err := firstOf(r.checkCapable(plan.Number), r.provider.checkTransfer(t, plan)); err != nil {
		return "", err
	}
	r.move = t
	if plan.AlreadyThere {
		r.has.Number = plan.Number
		return DidFind, nil
	}
	r.plan.Transfer = &r.has.Transfer.Plan
	return DidMove, nil
}

func (r *provisioning) moveNumber(ctx context.Context) error {
	plan := r.has.Transfer.Plan
	plan.ToSID = r.has.Account.SID
	done, err := r.provider.transfer(ctx, r.move, plan)
	r.has.Transfer = done
	if done.Moved {
		r.has.Number = done.Number
	}
	return err
}

// configureNumber sets what differs from the Spec, of a number that was moved also what of the move's own words is not so yet.
func (r *provisioning) configureNumber(ctx context.Context) error {
	n := r.has.Number
	want := r.spec.Number.Settings
	if m := r.move; m.ToSID != "" {
		want.VoiceApplicationSID = cmp.Or(want.VoiceApplicationSID, given(m.VoiceApplicationSID))
		want.SMSApplicationSID = cmp.Or(want.SMSApplicationSID, given(m.SMSApplicationSID))
		want.AddressSID, want.BundleSID = cmp.Or(want.AddressSID, given(m.AddressSID)), cmp.Or(want.BundleSID, given(m.BundleSID))
	}
	change := want.butFor(n)
	if change == (PhoneNumberSettings{}) {
		return nil
	}
	configured, err := r.handle().ConfigureNumber(ctx, n.SID, change)
	if err == nil {
		r.has.Number = configured
	}
	return err
}

func (r *provisioning) findService(ctx context.Context) (Did, error) {
	want := r.spec.Messaging
	if !r.isNew.account {
		s, err := r.handle().FindMessagingService(ctx, want.FriendlyName)
		if !isGone(err) {
			r.has.Service = s
			return DidFind, err
		}
	}
	r.isNew.service = true
	return DidMake, want.Settings.forNew().checkInbound(MessagingService{})
}

func (r *provisioning) makeService(ctx context.Context) (err error) {
	r.has.Service, err = r.handle().CreateMessagingService(ctx, r.spec.Messaging.FriendlyName, r.spec.Messaging.Settings)
	return err
}

// configureService sets what the Spec says, and leaves the rest as it is.
func (r *provisioning) configureService(ctx context.Context) error {
	s := r.has.Service
	change := r.spec.Messaging.Settings.butFor(s)
	if change.isEmpty() {
		return nil
	}
	configured, err := r.handle().ConfigureMessagingService(ctx, s.SID, change)
	if err == nil {
		r.has.Service = configured
	}
	return err
}

func (r *provisioning) asSender() Sender {
	return Sender{ServiceSID: r.has.Service.SID, PhoneNumberSID: r.numberSID(), LoseInbound: r.spec.Messaging.Settings.LoseInbound}
}

// findSender looks for a number that the tenant has already: in the service, or in another one.
func (r *provisioning) findSender(ctx context.Context) (did Did, err error) {
	s, isOwned := r.asSender(), r.has.Number.SID != ""
	if isOwned && !r.isNew.service {
		r.sender, err = r.handle().Sender(ctx, s)
		if !isGone(err) {
			return DidFind, err
		}
	}
	var lost error
	if !r.isNew.service { // a new one was checked as such
		lost = r.spec.Messaging.Settings.checkInbound(r.has.Service)
	}
	if lost != nil || !isOwned {
		return DidMake, lost
	}
	other, err := r.handle().serviceOf(ctx, s.PhoneNumberSID)
	if other != "" {
		const text = "%s is in the messaging service %s of the tenant's: take it out of there first"
		err = &InOtherServiceError{Sender: s, ServiceSID: other, Err: told(ErrConflict, text, s.PhoneNumberSID, other)}
	}
	return DidMake, err
}

func (r *provisioning) addSender(ctx context.Context) (err error) {
	r.sender, err = r.handle().addSender(ctx, r.asSender())
	return err
}

// readiness looks at what the run has made or found, which it knows already, and at the service's other numbers, where it has any.
func (r *provisioning) readiness(ctx context.Context) Readiness {
	switch {
	case r.spec.Messaging == nil:
		return Readiness{Reasons: []Reason{{Kind: ReasonNoService}}}
	case r.isNew.service && r.sender.SID == "":
		return r.handle().readiness(ctx, r.has.Service, nil)
	case r.isNew.service:
		return r.handle().readiness(ctx, r.has.Service, []ServiceNumber{r.sender})
	}
	return r.handle().readinessOf(ctx, r.has.Service)
}
