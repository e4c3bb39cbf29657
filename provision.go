package twilioacct

import (
	"cmp"
	"context"
	"fmt"
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
	Voice     *VoiceSpec     // nil: no calls

	// Observe is told of each step when it ends, in their order; of a plan's it is not. nil: nobody is.
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

// VoiceSpec says what a tenant is to have for calls: an API key, an application that answers the calls of browsers, a number to call from,
// and what answers the calls to its numbers. It needs a Store, for the key.
type VoiceSpec struct {
	KeyPurpose string // of the API key; "" is voice

	FriendlyName string // of the TwiML application, how it is found again
	Settings     TwiMLAppSettings

	// CallerNumber is one of the tenant's own numbers that can call, in E.164. "" is the Spec's number, else the first one that can call;
	// an account without any is no error.
	CallerNumber string

	// Incoming says what answers the calls to all numbers of the tenant; without a Handler it is the application. nil leaves them as they
	// are.
	Incoming *IncomingCalls

	// Token is what the first access token is to allow; without an application in its voice grant that is the tenant's. nil: none is made.
	Token *TokenSpec
}

// Provisioned is what a tenant has, as far as [Provider.Provision] came.
type Provisioned struct {
	Account  Account
	Number   PhoneNumber
	Service  MessagingService
	Transfer Transferred // what became of a number that was to be moved
	Ready    Readiness   // whether a message would go out

	APIKey      EnsuredAPIKey
	Application TwiMLApp
	Caller      PhoneNumber      // to call from; the zero value: the tenant has none that can
	Incoming    []IncomingNumber // what became of the calls to its numbers
	Token       AccessToken

	Steps []Step // that have ended, in their order
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

	StepAPIKey      StepName = "api_key"
	StepApplication StepName = "application"
	StepCaller      StepName = "caller_number"
	StepIncoming    StepName = "incoming_calls"
	StepToken       StepName = "access_token"
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
	Steps    []Step            // as they would end; an account or a service that would be made has no SID yet
	Transfer *TransferPlan     // nil: no number would be moved
	Buys     []AvailableNumber // the first would be bought, or another one if it is gone by then; empty: no number would be bought
	Incoming []IncomingNumber  // the tenant's numbers; After is empty where an application would answer that is not there yet
}

// Provision gives a tenant what the Spec says: a subaccount, its number, its messaging service with the number in it, an API key, a TwiML
// application, what answers its calls, and a first access token. It first looks for all of that: the subaccount by its friendly name, the
// number in the tenant's account or where it is to come from, service and application by their friendly names, the key in the Store. What
// shows then that the Spec cannot be met is an error before anything has changed. Then it makes what is not there, and sets what differs
// from the Spec's settings. What it makes itself it need not look into.
//
// A step that fails ends the run with a *[StepError]; what was made so far is returned beside it, with its SIDs. Calling it again with the
// same Spec goes on from there, also in another process after a crash, and makes nothing twice. Wait a moment before that: Twilio's lists
// may not show yet what was made. Two of what should be one, such as two subaccounts of that name, are [ErrAmbiguous].
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
	r.plan.Steps, r.plan.Incoming = r.has.Steps, r.has.Incoming
	return r.plan, err
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
		if err := s.Messaging.check(); err != nil {
			return err
		}
	}
	if s.Voice != nil {
		if err := s.Voice.check(); err != nil {
			return err
		}
		return s.checkWhoAnswers() // which takes the SIDs to be some
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

// ownSettings are those of the Spec's number, with its words for a move.
func (s Spec) ownSettings() PhoneNumberSettings {
	want := s.Number.Settings
	if m := s.Number.Move; m != nil {
		want.VoiceApplicationSID = cmp.Or(want.VoiceApplicationSID, given(m.VoiceApplicationSID))
		want.SMSApplicationSID = cmp.Or(want.SMSApplicationSID, given(m.SMSApplicationSID))
		want.AddressSID, want.BundleSID = cmp.Or(want.AddressSID, given(m.AddressSID)), cmp.Or(want.BundleSID, given(m.BundleSID))
	}
	return want
}
