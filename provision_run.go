package twilioacct

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
)

// provisioning is a run: all looks come first, then what changes something.
type provisioning struct {
	provider *Provider
	spec     Spec
	isPlan   bool

	has  Provisioned
	plan Plan

	isAccountNew bool
	isServiceNew bool // made by this run, so that no other number is in it
	voice        voiceRun
	move         NumberTransfer
	sender       ServiceNumber
}

// task is a step as it is taken.
type task struct {
	name    StepName
	look    func(context.Context) (Did, error) // says what is left to be done
	do      func(context.Context) error        // does it, where something was not found
	differs func() bool                        // what was found is not set as the Spec says; nil: there is nothing to set
	settle  func(context.Context) error        // sets it
	sid     func() string
	isFound func() bool // though something was left to be done, nothing was made; nil: something was

	found      Did
	configures bool
}

func (r *provisioning) tasks() []*task {
	all := []*task{{name: StepSubaccount, look: r.findAccount, do: r.makeAccount, sid: func() string { return r.has.Account.SID }}}
	if n := r.spec.Number; n != nil {
		number := &task{name: StepNumber, differs: r.numberDiffers, settle: r.configureNumber, sid: r.numberSID}
		if number.look, number.do = r.findMoved, r.moveNumber; n.Buy != nil {
			number.look, number.do = r.findBought, r.buy
		}
		all = append(all, number)
	}
	if r.spec.Messaging != nil {
		all = append(all, &task{
			name: StepService, look: r.findService, do: r.makeService, differs: r.serviceDiffers, settle: r.configureService,
			sid: func() string { return r.has.Service.SID },
		})
	}
	if r.spec.Number != nil && r.spec.Messaging != nil {
		all = append(all, &task{name: StepSender, look: r.findSender, do: r.addSender, sid: r.numberSID})
	}
	if r.spec.Voice != nil {
		all = append(all, r.voiceTasks()...)
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
		t.configures = t.found == DidFind && t.differs != nil && t.differs()
	}
	for _, t := range tasks {
		if !r.isPlan {
			err = t.take(ctx)
		}
		if err := r.report(t, err); err != nil {
			return err
		}
	}
	if !r.isPlan {
		r.has.Ready = r.readiness(ctx)
	}
	return nil
}

// take does what the look has left to be done. What was made or moved is settled as well: it may have come out otherwise.
func (t *task) take(ctx context.Context) error {
	if t.found != DidFind {
		if err := t.do(ctx); err != nil {
			return err
		}
	}
	if t.differs != nil && t.differs() {
		return t.settle(ctx)
	}
	return nil
}

// report tells how a task ended, and returns its error with the step's name.
func (r *provisioning) report(t *task, err error) error {
	s := Step{Name: t.name, Did: t.outcome(), SID: t.sid(), Configured: t.configures && err == nil}
	if err != nil {
		err = &StepError{Step: t.name, Err: err}
		s.Did, s.Err = DidFail, err
	}
	r.has.Steps = append(r.has.Steps, s)
	if r.spec.Observe != nil && !r.isPlan {
		r.spec.Observe(s)
	}
	return err
}

func (t *task) outcome() Did {
	if t.isFound != nil && t.isFound() {
		return DidFind
	}
	return t.found
}

// reportFound tells of what was there, where a later look has failed and nothing is made.
func (r *provisioning) reportFound(tasks []*task) {
	for _, t := range tasks {
		if t.found == DidFind {
			t.configures = false
			_ = r.report(t, nil)
		}
	}
}

// findAccount also writes what it finds to the Store: a crash may have come between the making and the writing.
func (r *provisioning) findAccount(ctx context.Context) (did Did, err error) {
	r.has.Account, err = r.lookForAccount(ctx)
	switch {
	case err == nil:
		return DidFind, firstOf(r.has.Account.checkActive(), r.keepAccount(ctx))
	case !isNone(err):
		return "", err
	case r.provider.parent.APIKeySID != "" && (r.spec.Number != nil || r.spec.Messaging != nil || r.spec.Voice != nil):
		const text = "Twilio hides a new auth token from an API key, so nothing could be made in the account: use the parent's auth token"
		return "", told(ErrForbidden, text)
	}
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
	return a, nil
}

func (r *provisioning) keepAccount(ctx context.Context) error {
	if r.isPlan {
		return nil
	}
	return r.provider.keepFound(ctx, r.has.Account)
}

func (r *provisioning) makeAccount(ctx context.Context) (err error) {
	r.isAccountNew = true
	r.has.Account, err = r.provider.CreateSubaccount(ctx, r.spec.FriendlyName)
	return err
}

// hasAccount is true, while things are looked for, if there is an account that they could be in.
func (r *provisioning) hasAccount() bool { return r.has.Account.SID != "" }

func (r *provisioning) handle() *Handle { return r.provider.Subaccount(r.has.Account.SID) }

// numberSID is that of the number that the tenant has, or is to get.
func (r *provisioning) numberSID() string {
	return cmp.Or(r.has.Number.SID, r.has.Transfer.Plan.Number.SID)
}

// findBought looks for the number that carries the Spec's key, and else for some that can be bought.
func (r *provisioning) findBought(ctx context.Context) (Did, error) {
	searcher := r.provider.Parent() // what is for sale is the same for all
	if r.hasAccount() {
		searcher = r.handle()
		key := r.spec.Key
		numbers := searcher.PhoneNumbers(ctx, &PhoneNumberFilter{FriendlyName: key})
		n, err := findAmong(numbers, "phone number", key, func(n PhoneNumber) bool { return n.FriendlyName == key })
		if !isNone(err) {
			r.has.Number = n
			return DidFind, firstOf(err, r.checkCapable(n))
		}
	}
	if err := r.checkOwn(r.spec.Number.Settings); err != nil {
		return "", err
	}
	var err error
	r.plan.Buys, err = r.offers(ctx, searcher)
	return DidMake, err
}

// offers are numbers that would do.
func (r *provisioning) offers(ctx context.Context, searcher *Handle) ([]AvailableNumber, error) {
	search := *r.spec.Number.Buy
	search.With.SMS = search.With.SMS || r.spec.Messaging != nil && !search.With.MMS
	search.With.Voice = search.With.Voice || r.mustCall()
	offered, err := searcher.SearchNumbers(ctx, search)
	if err != nil || value(r.spec.Number.Settings.AddressSID) != "" {
		return offered, err
	}
	offered = slices.DeleteFunc(offered, AvailableNumber.NeedsAddress)
	if len(offered) > 0 {
		return offered, nil
	}
	search.WithoutAddress = true // there may be some behind those
	offered, err = searcher.SearchNumbers(ctx, search)
	if isNone(err) {
		err = invalid("all numbers that were found need an address: set Number.Settings.AddressSID, or search elsewhere")
	}
	return offered, err
}

// checkOwn refuses for a new subaccount what only one that exists can have.
func (r *provisioning) checkOwn(s PhoneNumberSettings) error {
	for name, sid := range map[string]*string{
		"VoiceApplicationSID": s.VoiceApplicationSID, "SMSApplicationSID": s.SMSApplicationSID, "TrunkSID": s.TrunkSID,
		"AddressSID": s.AddressSID, "BundleSID": s.BundleSID,
	} {
		if !r.hasAccount() && value(sid) != "" {
			return invalid("%s %s cannot be the new subaccount's own: create it first, and what it needs in it", name, *sid)
		}
	}
	return nil
}

// mustCall is true if the Spec's number is the one to call from.
func (r *provisioning) mustCall() bool { return r.spec.Voice != nil && r.spec.Voice.CallerNumber == "" }

// checkCapable refuses a number that can be in no messaging service, or that cannot call.
func (r *provisioning) checkCapable(n PhoneNumber) error {
	switch {
	case n.SID == "":
		return nil
	case r.spec.Messaging != nil && !n.mayMessage():
		return told(ErrConflict, "%s can call, but neither send nor receive messages", n.SID)
	case r.mustCall() && !n.Capabilities.Voice:
		return told(ErrConflict, "%s cannot call", n.SID)
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
	t, own := *r.spec.Number.Move, r.spec.ownSettings()
	t.FromSID, t.ToSID = cmp.Or(t.FromSID, r.provider.parent.AccountSID), r.has.Account.SID
	t.VoiceApplicationSID, t.SMSApplicationSID = value(own.VoiceApplicationSID), value(own.SMSApplicationSID)
	t.AddressSID, t.BundleSID = value(own.AddressSID), value(own.BundleSID)
	t = t.asWritten()
	r.move = t
	plan, err := r.provider.planTransfer(ctx, t)
	r.has.Transfer.Plan = plan
	if err != nil {
		return "", err
	}
	if !plan.AlreadyThere {
		r.plan.Transfer = &r.has.Transfer.Plan
		if err := firstOf(r.checkOwn(own), r.checkCapable(plan.Number), r.provider.checkTransfer(t, plan)); err != nil {
			return DidMove, err
		}
		return DidMove, r.provider.checkApplications(ctx, t) // if it is to have some, there is an account that they are in
	}
	r.has.Number = plan.Number
	return DidFind, r.checkCapable(plan.Number)
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

// numberChange is what of the Spec's settings, and of its words for a move, the number does not have.
func (r *provisioning) numberChange() PhoneNumberSettings {
	return r.spec.ownSettings().butFor(r.has.Number)
}

func (r *provisioning) numberDiffers() bool { return r.numberChange() != PhoneNumberSettings{} }

func (r *provisioning) configureNumber(ctx context.Context) error {
	n, err := r.handle().ConfigureNumber(ctx, r.has.Number.SID, r.numberChange())
	if err == nil {
		r.took(n)
	}
	return err
}

func (r *provisioning) findService(ctx context.Context) (Did, error) {
	want := r.spec.Messaging
	if r.hasAccount() {
		s, err := r.handle().FindMessagingService(ctx, want.FriendlyName)
		if !isNone(err) {
			r.has.Service = s
			return DidFind, firstOf(err, want.Settings.butFor(s).checkTaking(s))
		}
	}
	r.isServiceNew = true
	return DidMake, want.Settings.forNew().checkInbound(MessagingService{})
}

func (r *provisioning) makeService(ctx context.Context) (err error) {
	r.has.Service, err = r.handle().CreateMessagingService(ctx, r.spec.Messaging.FriendlyName, r.spec.Messaging.Settings)
	return err
}

// serviceChange is what of the Spec's settings the service does not have; the rest is left as it is.
func (r *provisioning) serviceChange() MessagingServiceSettings {
	return r.spec.Messaging.Settings.butFor(r.has.Service)
}

func (r *provisioning) serviceDiffers() bool { return !r.serviceChange().isEmpty() }

func (r *provisioning) configureService(ctx context.Context) error {
	s, err := r.handle().ConfigureMessagingService(ctx, r.has.Service.SID, r.serviceChange())
	if err == nil {
		r.has.Service = s
	}
	return err
}

func (r *provisioning) asSender() Sender {
	return Sender{ServiceSID: r.has.Service.SID, PhoneNumberSID: r.numberSID(), LoseInbound: r.spec.Messaging.Settings.LoseInbound}
}

// findSender looks for a number that the tenant has already: in the service, or in another one.
func (r *provisioning) findSender(ctx context.Context) (did Did, err error) {
	s, isOwned := r.asSender(), r.has.Number.SID != ""
	if isOwned && !r.isServiceNew {
		r.sender, err = r.handle().Sender(ctx, s)
		if !isGone(err) {
			return DidFind, err
		}
	}
	var lost error
	if !r.isServiceNew { // a new one was checked as such
		lost = r.spec.Messaging.Settings.checkInbound(r.has.Service)
	}
	if lost != nil || !isOwned {
		return DidMake, lost
	}
	other, err := r.handle().serviceOf(ctx, s.PhoneNumberSID)
	if other != "" {
		err = &InOtherServiceError{Sender: s, ServiceSID: other, Err: told(ErrConflict, "a number can be in one messaging service")}
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
	case r.isServiceNew && r.sender.SID == "":
		return r.handle().readiness(ctx, r.has.Service, nil)
	case r.isServiceNew:
		return r.handle().readiness(ctx, r.has.Service, []ServiceNumber{r.sender})
	}
	return r.handle().readinessOf(ctx, r.has.Service)
}
