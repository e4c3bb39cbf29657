package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// IncomingCalls says what is to answer the calls to all numbers of an account.
type IncomingCalls struct {
	Handler CallHandler // a URL, an application or a Studio flow

	// Settings are what else all numbers are to be set to: methods, fallback, status callback, what answers messages. What is nil stays as
	// it is, but for the method of a URL, which becomes POST.
	Settings PhoneNumberSettings

	// Deliberate claims a number whose handler was chosen on purpose, which is left as it is. It is called by one goroutine at a time.
	// nil: none is.
	Deliberate func(PhoneNumber) bool

	TakeTrunks     bool // numbers on a SIP trunk are taken off it, and not left
	TakeDeliberate bool // numbers that Deliberate claims are not left either

	// Observe is told of each number when it is done, by one goroutine at a time, in no particular order. nil: nobody is.
	Observe func(IncomingNumber)
}

// IncomingNumber is what becomes, or would become, of a number.
type IncomingNumber struct {
	AccountSID  string
	SID         string // PN…
	PhoneNumber string // in E.164

	Before, After CallHandler // that count

	Drift   []string // the settings that are not as they should be, such as VoiceMethod; of numbers that are left, too
	Changed bool     // in part at least; or would be, in a plan
	Left    WhyLeft  // "" if it was not left as it is
	Err     error    // why it could not be changed
}

// WhyLeft says why a number is left as it is.
type WhyLeft string

// The reasons to leave a number.
const (
	LeftOnTrunk    WhyLeft = "on a trunk"
	LeftDeliberate WhyLeft = "deliberate"
	LeftVoiceless  WhyLeft = "cannot call" // it has no voice capability
)

// PlanIncomingCalls shows what [Handle.SetIncomingCalls] would do, and so what has drifted since it was done. It changes nothing.
func (h *Handle) PlanIncomingCalls(ctx context.Context, want IncomingCalls) ([]IncomingNumber, error) {
	plan, err := h.planIncoming(ctx, want)
	return plan.shown(), err
}

// SetIncomingCalls lets one handler answer the calls to all of the account's numbers. It lists the numbers, and then sets what is not as it
// should be, many at once and each in one request: a URL takes application and trunk away, which would count before it. What is so already
// is not touched: a repeated run only lists. Numbers on a trunk, deliberate ones and those that cannot call are left altogether.
//
// A number that cannot be set keeps no other from being set: it has its Err, and the error says how many there are. An application that is
// not the account's, or no more, is [ErrNotFound] before anything is changed, also if all numbers name it already, and one that has no
// VoiceURL is [ErrConflict]: a second list tells.
func (h *Handle) SetIncomingCalls(ctx context.Context, want IncomingCalls) ([]IncomingNumber, error) {
	plan, err := h.planIncoming(ctx, want)
	if err == nil {
		err = h.provider.setIncoming(ctx, plan)
	}
	return plan.shown(), err
}

func (h *Handle) planIncoming(ctx context.Context, want IncomingCalls) (incomingPlan, error) {
	if err := h.check(ctx, want.check()); err != nil {
		return nil, err
	}
	return planIncoming(ctx, func() *rest.Call { return h.call(ctx) }, h.sid, &want)
}

// incomingPlan is what is to be done, in the order in which the numbers are listed.
type incomingPlan []*incomingTask

// incomingTask is a number that is to be set, or left.
type incomingTask struct {
	IncomingNumber

	change PhoneNumberSettings
	call   func() *rest.Call // of the account that the number is in, by whoever is to sign
	want   *IncomingCalls
	took   func(PhoneNumber) // is told what the number has become; nil: nobody is
}

func (plan incomingPlan) shown() []IncomingNumber {
	shown := make([]IncomingNumber, len(plan))
	for i, t := range plan {
		shown[i] = t.IncomingNumber
	}
	return shown
}

// planIncoming lists the account's numbers, and looks for the applications that they are to have.
func planIncoming(ctx context.Context, call func() *rest.Call, account string, want *IncomingCalls) (incomingPlan, error) {
	if err := want.checkFlow(account); err != nil {
		return nil, err
	}
	plan, err := want.planFor(listNumbers(ctx, call(), account, PhoneNumberFilter{}), call)
	if err != nil || len(plan) == 0 {
		return nil, err
	}
	if err := want.checkApplications(ctx, call(), account); err != nil {
		return nil, err
	}
	return plan, nil
}

func (w *IncomingCalls) planFor(numbers iter.Seq2[PhoneNumber, error], call func() *rest.Call) (plan incomingPlan, err error) {
	for n, err := range numbers {
		if err != nil {
			return nil, err
		}
		t := w.taskFor(n)
		t.call = call
		plan = append(plan, t)
	}
	return plan, nil
}

// changes is true if there is anything to be done.
func (plan incomingPlan) changes() bool {
	return slices.ContainsFunc(plan, func(t *incomingTask) bool { return t.Changed })
}

// taskFor says what is to be done with a number.
func (w *IncomingCalls) taskFor(n PhoneNumber) *incomingTask {
	t := &incomingTask{want: w, IncomingNumber: IncomingNumber{
		AccountSID: n.AccountSID, SID: n.SID, PhoneNumber: n.PhoneNumber,
		Before: n.CallHandler(), After: n.CallHandler(), Left: w.reasonToLeave(n),
	}}
	t.Drift = w.settings(n.AccountSID).butFor(n).names()
	if t.Left == LeftVoiceless {
		t.Drift = slices.DeleteFunc(t.Drift, func(name string) bool { return !strings.HasPrefix(name, "SMS") })
		return t
	}
	if w.Handler.ApplicationSID != "" && n.TrunkSID != "" {
		t.Drift = append(t.Drift, "TrunkSID") // which counts before the application
	}
	if t.Left == "" && t.Drift != nil {
		t.change, t.Changed, t.After = w.change(n), true, w.handlerOf(n)
	}
	return t
}

// change is what of the settings the number does not have. What answers calls is said as a whole: somebody may give the number an
// application or a trunk meanwhile, which would count before a URL.
func (w *IncomingCalls) change(n PhoneNumber) PhoneNumberSettings {
	want := w.settings(n.AccountSID)
	change := want.butFor(n)
	if change.VoiceURL != nil || change.VoiceApplicationSID != nil || change.TrunkSID != nil || n.CallHandler() != w.handlerOf(n) {
		change.VoiceURL, change.VoiceApplicationSID, change.TrunkSID = want.VoiceURL, want.VoiceApplicationSID, want.TrunkSID
	}
	return change
}

// handlerOf is the handler as a number shows it that has it: a Studio flow may be given as its URL.
func (w *IncomingCalls) handlerOf(n PhoneNumber) CallHandler {
	s := w.Handler.settings(n.AccountSID)
	n.VoiceURL, n.VoiceApplicationSID, n.TrunkSID = value(s.VoiceURL), value(s.VoiceApplicationSID), ""
	return n.CallHandler()
}

func (w *IncomingCalls) reasonToLeave(n PhoneNumber) WhyLeft {
	switch {
	case !n.Capabilities.Voice:
		return LeftVoiceless
	case n.TrunkSID != "" && !w.TakeTrunks:
		return LeftOnTrunk
	case w.Deliberate != nil && !w.TakeDeliberate && w.Deliberate(n):
		return LeftDeliberate
	}
	return ""
}

// settings are what numbers of the account are to be set to.
func (w *IncomingCalls) settings(account string) PhoneNumberSettings {
	s, handler := w.Settings, w.Handler.settings(account)
	s.VoiceURL, s.VoiceApplicationSID, s.TrunkSID = handler.VoiceURL, handler.VoiceApplicationSID, handler.TrunkSID
	if s.VoiceURL != nil && s.VoiceMethod == nil {
		s.VoiceMethod = new("POST")
	}
	if app := value(s.SMSApplicationSID); app != "" {
		s.SMSApplicationSID = new(asWritten(app))
	}
	if value(s.SMSURL) != "" && s.SMSApplicationSID == nil {
		s.SMSApplicationSID = new("") // which would count before it
	}
	return s
}

func (w *IncomingCalls) check() error {
	s := w.Settings
	if s.VoiceURL != nil || s.VoiceApplicationSID != nil || s.TrunkSID != nil {
		return invalid("Settings: leave VoiceURL, VoiceApplicationSID and TrunkSID out, Handler has what answers calls")
	}
	if s.FriendlyName != nil || s.AddressSID != nil || s.BundleSID != nil {
		return invalid("Settings: FriendlyName, AddressSID and BundleSID are not the same for all numbers")
	}
	return firstOf(w.Handler.check(), s.check())
}

// checkApplications refuses applications that are not the account's, or that answer nothing.
func (w *IncomingCalls) checkApplications(ctx context.Context, call *rest.Call, account string) error {
	apps, err := applicationsOf(ctx, call, account, w.Handler.ApplicationSID, value(w.Settings.SMSApplicationSID))
	if err != nil {
		return err
	}
	for _, app := range apps {
		if strings.EqualFold(app.SID, w.Handler.ApplicationSID) && app.VoiceURL == "" {
			return told(ErrConflict, "application %s has no VoiceURL, so nobody would answer: ConfigureTwiMLApp sets one", app.SID)
		}
	}
	return nil
}

// checkFlow refuses the address of another account's Studio flow, which does not answer.
func (w *IncomingCalls) checkFlow(account string) error {
	const all = "https://webhooks.twilio.com/v1/Accounts/"
	if strings.HasPrefix(w.Handler.URL, all) && !strings.HasPrefix(w.Handler.URL, studioFlows(account)) {
		return invalid("%s is no Studio flow of %s", w.Handler.URL, cmp.Or(account, "the new subaccount"))
	}
	return nil
}

// setIncoming does what is planned.
func (p *Provider) setIncoming(ctx context.Context, plan incomingPlan) error {
	var observed sync.Mutex
	failed := eachOf(ctx, plan, p.concurrent, func(_ context.Context, t *incomingTask) error {
		t.Err = t.set()
		if t.want.Observe != nil {
			observed.Lock()
			defer observed.Unlock()
			t.want.Observe(t.IncomingNumber)
		}
		return t.Err
	})
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d numbers were not set, one of them because: %w", len(failed), len(plan), failed[0])
}

// set makes the change, and looks whether Twilio has made it.
func (t *incomingTask) set() error {
	if !t.Changed {
		return nil
	}
	n, err := configureNumber(t.call(), t.AccountSID, t.SID, t.change.params())
	if err != nil {
		if !errors.Is(err, ErrOutcomeUnknown) {
			t.Changed, t.After = false, t.Before
		}
		return err
	}
	if t.took != nil {
		t.took(n)
	}
	missing := t.change.butFor(n).names()
	isTaken := func(name string) bool { return !slices.Contains(missing, name) }
	t.After = n.CallHandler()
	t.Changed = t.After != t.Before || slices.ContainsFunc(t.Drift, isTaken)
	if t.After != t.want.handlerOf(n) || missing != nil {
		return told(ErrConflict, "%s was set, and is answered by %q, and has not taken %v", t.SID, t.After, missing)
	}
	return nil
}
