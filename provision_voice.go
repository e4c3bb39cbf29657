package twilioacct

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// voiceRun is what a run knows of a tenant's calls beside what the tenant has.
type voiceRun struct {
	numbers   []PhoneNumber // of the tenant, if isRead
	isRead    bool
	plan      incomingPlan // if isPlanned
	isPlanned bool
	mu        sync.Mutex // for numbers that are set at once
}

func (r *provisioning) voiceTasks() []*task {
	key := &task{name: StepAPIKey, look: r.findKey, do: r.makeKey, sid: func() string { return r.has.APIKey.Key.SID }}
	application := &task{
		name: StepApplication, look: r.findApplication, do: r.makeApplication,
		differs: r.applicationDiffers, settle: r.configureApplication,
		sid: func() string { return r.has.Application.SID },
	}
	caller := &task{
		name: StepCaller, look: r.findCaller, do: r.chooseCaller, sid: func() string { return r.has.Caller.SID },
		isFound: func() bool { return true }, // whoever it is, it was not this step that made it
	}
	tasks := []*task{key, application, caller}
	if r.spec.Voice.Incoming != nil {
		tasks = append(tasks, &task{name: StepIncoming, look: r.findIncoming, do: r.setIncoming, isFound: r.isAnswered, sid: none})
	}
	if r.spec.Voice.Token != nil {
		tasks = append(tasks, &task{name: StepToken, look: r.findToken, do: r.makeToken, sid: none})
	}
	return tasks
}

func none() string { return "" }

func (v VoiceSpec) check() error {
	if v.Settings.FriendlyName != nil {
		return invalid("Voice.Settings: leave FriendlyName out, the VoiceSpec has it")
	}
	if v.CallerNumber != "" {
		if err := checkE164("Voice.CallerNumber", v.CallerNumber); err != nil {
			return err
		}
	}
	if v.Incoming != nil {
		want := v.incoming(anyApplication)
		if err := want.check(); err != nil {
			return err
		}
	}
	if v.Token != nil && v.Token.Purpose != "" {
		return invalid("Voice.Token: leave Purpose out, the VoiceSpec has KeyPurpose")
	}
	if v.Token != nil {
		if err := v.token(anyApplication).check(); err != nil {
			return err
		}
	}
	return firstOf(checkName("Voice.FriendlyName", v.FriendlyName), v.Settings.check(), checkPurpose(v.purpose()))
}

// anyApplication stands for the tenant's, while that is not known.
const anyApplication = "AP00000000000000000000000000000000"

func (v VoiceSpec) purpose() string { return cmp.Or(v.KeyPurpose, usualPurpose) }

// incoming is what answers the calls, by that application where the Spec names nothing.
func (v VoiceSpec) incoming(application string) IncomingCalls {
	want := *v.Incoming
	if want.Handler == (CallHandler{}) {
		want.Handler.ApplicationSID = application
	}
	return want
}

func (v VoiceSpec) token(application string) TokenSpec {
	spec := *v.Token
	spec.Purpose = v.purpose()
	spec.Voice.ApplicationSID = cmp.Or(spec.Voice.ApplicationSID, application)
	return spec.withDefaults()
}

// checkWhoAnswers refuses to set a number to one thing and then to another, in each run anew.
func (s Spec) checkWhoAnswers() error {
	if s.Voice.Incoming == nil || s.Number == nil {
		return nil
	}
	want, own := s.Voice.incoming(anyApplication), s.ownSettings()
	if value(own.TrunkSID) != "" && want.Handler.ApplicationSID != "" {
		return invalid("Number's trunk and the application of Voice.Incoming take each other away")
	}
	ofAll := want.settings("").names()
	for _, name := range own.names() {
		if slices.Contains(ofAll, name) {
			return invalid("Number and Voice.Incoming both set %s: say it in one of them", name)
		}
	}
	return nil
}

func (r *provisioning) keyring(ctx context.Context) (keyring, error) {
	return r.handle().keyring(ctx, r.spec.Voice.purpose())
}

func (r *provisioning) findKey(ctx context.Context) (Did, error) {
	if r.provider.store == nil {
		return "", errNoKeyStore
	}
	if !r.hasAccount() {
		if maker, ok := StoreAs[Maker](r.provider.store); ok && !maker.Makes() {
			return "", &StoreError{Op: "Save", Err: ErrNoRecord} // where the new key would have gone
		}
		return DidMake, nil
	}
	ring, err := r.keyring(ctx)
	if err != nil {
		return "", err
	}
	kept, isGood, err := ring.find(ctx)
	if err != nil || !isGood {
		return DidMake, err
	}
	r.has.APIKey, err = ring.described(ctx, kept.APIKeys[ring.purpose], DidFind)
	return DidFind, err
}

func (r *provisioning) makeKey(ctx context.Context) (err error) {
	r.has.APIKey, err = r.handle().EnsureAPIKey(ctx, r.spec.Voice.purpose())
	return err
}

func (r *provisioning) findApplication(ctx context.Context) (Did, error) {
	if r.hasAccount() {
		app, err := r.handle().FindTwiMLApp(ctx, r.spec.Voice.FriendlyName)
		if !isNone(err) {
			r.has.Application = app
			return DidFind, err
		}
	}
	return DidMake, nil
}

func (r *provisioning) makeApplication(ctx context.Context) (err error) {
	r.has.Application, err = r.handle().CreateTwiMLApp(ctx, r.spec.Voice.FriendlyName, r.spec.Voice.Settings)
	return err
}

// applicationChange is what of the Spec's settings the application does not have; the rest is left as it is.
func (r *provisioning) applicationChange() TwiMLAppSettings {
	return r.spec.Voice.Settings.butFor(r.has.Application)
}

func (r *provisioning) applicationDiffers() bool { return r.applicationChange() != TwiMLAppSettings{} }

func (r *provisioning) configureApplication(ctx context.Context) error {
	app, err := r.handle().ConfigureTwiMLApp(ctx, r.has.Application.SID, r.applicationChange())
	if err == nil {
		r.has.Application = app
	}
	return err
}

// awaitsNumber is true, while things are looked for, if the tenant's numbers will be others when they are made.
func (r *provisioning) awaitsNumber() bool { return r.spec.Number != nil && r.has.Number.SID == "" }

// tenantsNumbers are read once, and only if somebody asks for them.
func (r *provisioning) tenantsNumbers(ctx context.Context) iter.Seq2[PhoneNumber, error] {
	return func(yield func(PhoneNumber, error) bool) {
		if err := r.readNumbers(ctx); err != nil {
			yield(PhoneNumber{}, err)
			return
		}
		for _, n := range r.voice.numbers {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// readNumbers adds the number that came in this run: it may not be listed yet. A new account has no other.
func (r *provisioning) readNumbers(ctx context.Context) error {
	v, own := &r.voice, r.has.Number
	if v.isRead {
		return nil
	}
	var numbers []PhoneNumber
	if !r.isAccountNew {
		for n, err := range r.handle().PhoneNumbers(ctx, nil) {
			switch {
			case err != nil:
				return err
			case n.SID != own.SID:
				numbers = append(numbers, n)
			}
		}
	}
	if own.SID != "" {
		numbers = append(numbers, own)
	}
	v.numbers, v.isRead = numbers, true
	return nil
}

// findCaller looks for the number to call from, unless it is one that comes in this run.
func (r *provisioning) findCaller(ctx context.Context) (Did, error) {
	switch {
	case r.awaitsNumber():
		return DidMake, r.checkCaller(ctx)
	case !r.hasAccount() && r.spec.Voice.CallerNumber != "":
		return "", errNotOwn(r.spec.Voice.CallerNumber)
	case !r.hasAccount():
		return DidFind, nil
	}
	return DidFind, r.chooseCaller(ctx)
}

// checkCaller refuses, before a number is bought or moved, to call from one that is neither that nor the tenant's own.
func (r *provisioning) checkCaller(ctx context.Context) error {
	wanted, moved := r.spec.Voice.CallerNumber, r.has.Transfer.Plan.Number
	switch {
	case wanted == "": // it is the number to come, which was looked at
		return nil
	case wanted == moved.PhoneNumber:
		return checkCalls(moved.PhoneNumber, moved.Capabilities) // it is not the tenant's yet
	case len(r.plan.Buys) > 0 && wanted == r.plan.Buys[0].PhoneNumber:
		return checkCalls(wanted, r.plan.Buys[0].Capabilities)
	case !r.hasAccount():
		return errNotOwn(wanted)
	}
	n, err := r.handle().FindNumber(ctx, wanted)
	if isNone(err) {
		return errNotOwn(wanted)
	}
	return firstOf(err, r.call(n))
}

func (r *provisioning) chooseCaller(ctx context.Context) error {
	wanted := r.spec.Voice.CallerNumber
	if r.has.Caller.SID != "" {
		return nil // it was the tenant's own from the beginning
	}
	if wanted == "" && r.has.Number.SID != "" {
		r.has.Caller = r.has.Number // which can call, as was looked at
		return nil
	}
	if wanted == r.has.Number.PhoneNumber && wanted != "" {
		return r.call(r.has.Number)
	}
	for n, err := range r.tenantsNumbers(ctx) {
		switch {
		case err != nil:
			return err
		case n.PhoneNumber == wanted, wanted == "" && n.Capabilities.Voice:
			return r.call(n)
		}
	}
	if wanted != "" {
		return errNotOwn(wanted)
	}
	return nil
}

// call makes it the number to call from.
func (r *provisioning) call(from PhoneNumber) error {
	if err := checkCalls(from.PhoneNumber, from.Capabilities); err != nil {
		return err
	}
	r.has.Caller = from
	return nil
}

func checkCalls(number string, can Capabilities) error {
	if !can.Voice {
		return told(ErrConflict, "%s cannot call", number)
	}
	return nil
}

func errNotOwn(number string) error {
	return told(ErrNotFound, "the caller number %s is none of the account's own", number)
}

// findIncoming plans, if the numbers and what is to answer them are known already.
func (r *provisioning) findIncoming(ctx context.Context) (Did, error) {
	if err := r.checkHandler(ctx); err != nil {
		return "", err
	}
	switch {
	case !r.hasAccount() && r.spec.Number == nil:
		return DidFind, nil // a new account has no numbers
	case r.awaitsNumber():
		return DidMake, nil
	case r.spec.Voice.Incoming.Handler == (CallHandler{}) && r.has.Application.SID == "":
		return DidMake, r.foreseeIncoming(ctx)
	}
	err := r.planIncoming(ctx)
	if err != nil || r.voice.plan.changes() {
		return DidMake, err
	}
	return DidFind, nil
}

// checkHandler refuses what cannot answer, before anything is bought or moved.
func (r *provisioning) checkHandler(ctx context.Context) error {
	want := *r.spec.Voice.Incoming
	app, sms, flow := want.Handler.ApplicationSID, value(want.Settings.SMSApplicationSID), want.Handler.StudioFlowSID
	isOwn := want.Handler == (CallHandler{}) || r.isOwnApplication(app)
	if isOwn && r.voiceURL() == "" {
		return invalid("the application is to answer the calls, and has no VoiceURL that could")
	}
	if err := want.checkFlow(r.has.Account.SID); err != nil { // a new account has none
		return err
	}
	if !r.hasAccount() {
		return errNotNews(cmp.Or(app, sms, flow))
	}
	if isOwn { // which was looked at, and is not set yet
		want.Handler.ApplicationSID = ""
	}
	return want.checkApplications(ctx, r.handle().call(ctx), r.has.Account.SID)
}

// voiceURL is what the application answers with when the run has ended.
func (r *provisioning) voiceURL() string {
	if set := r.spec.Voice.Settings.VoiceURL; set != nil {
		return *set
	}
	return r.has.Application.VoiceURL
}

// isOwnApplication is true for the one that this run has found by its name.
func (r *provisioning) isOwnApplication(sid string) bool {
	return sid != "" && strings.EqualFold(sid, r.has.Application.SID)
}

// errNotNews is for what only an account that exists can have; "" is nothing.
func errNotNews(sid string) error {
	if sid == "" {
		return nil
	}
	return invalid("%s cannot be the new subaccount's own: create it first, and what it needs in it", sid)
}

// isAnswered is true if the numbers were seen, and none of them was set.
func (r *provisioning) isAnswered() bool {
	return r.voice.isPlanned && !slices.ContainsFunc(r.has.Incoming, func(n IncomingNumber) bool { return n.Changed || n.Err != nil })
}

func (r *provisioning) planIncoming(ctx context.Context) (err error) {
	want := r.spec.Voice.incoming(r.has.Application.SID)
	if err := want.checkFlow(r.has.Account.SID); err != nil {
		return err
	}
	call := func() *rest.Call { return r.handle().call(ctx) }
	if r.voice.plan, err = want.planFor(r.tenantsNumbers(ctx), call); err != nil {
		return err
	}
	for _, t := range r.voice.plan {
		t.took = r.took
	}
	r.voice.isPlanned = true
	if r.isPlan || !r.voice.plan.changes() { // else it is told when it is done
		r.has.Incoming = r.voice.plan.shown()
	}
	return nil
}

// foreseeIncoming shows in a plan whose handlers would go, though the application that would come is not there yet.
func (r *provisioning) foreseeIncoming(ctx context.Context) error {
	if !r.isPlan {
		return nil
	}
	want := r.spec.Voice.incoming(anyApplication)
	plan, err := want.planFor(r.tenantsNumbers(ctx), nil)
	for _, t := range plan {
		if t.Changed {
			t.After = CallHandler{}
		}
	}
	r.has.Incoming, r.voice.isPlanned = plan.shown(), true
	return err
}

func (r *provisioning) setIncoming(ctx context.Context) error {
	if !r.voice.isPlanned {
		if err := r.planIncoming(ctx); err != nil {
			return err
		}
	}
	err := r.provider.setIncoming(ctx, r.voice.plan)
	r.has.Incoming = r.voice.plan.shown()
	return err
}

// took replaces what the run knows of a number by what it has become.
func (r *provisioning) took(n PhoneNumber) {
	r.voice.mu.Lock()
	defer r.voice.mu.Unlock()
	for _, known := range []*PhoneNumber{&r.has.Number, &r.has.Caller} {
		if known.SID == n.SID {
			*known = n
		}
	}
}

// findToken looks for an application that the token names though it is not this run's.
func (r *provisioning) findToken(ctx context.Context) (Did, error) {
	app := r.spec.Voice.Token.Voice.ApplicationSID
	if !r.hasAccount() {
		return DidMake, errNotNews(app)
	}
	if r.isOwnApplication(app) {
		return DidMake, nil
	}
	_, err := applicationsOf(ctx, r.handle().call(ctx), r.has.Account.SID, app)
	return DidMake, err
}

func (r *provisioning) makeToken(ctx context.Context) (err error) {
	r.has.Token, err = r.handle().AccessToken(ctx, r.spec.Voice.token(r.has.Application.SID))
	return err
}
