package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"strings"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// NumberTransfer is a phone number's move between two accounts of this parent: to a subaccount, back to the parent, or from one
// subaccount to another.
type NumberTransfer struct {
	PhoneNumberSID string // PN…; it stays the same
	PhoneNumber    string // in E.164, where the SID is not at hand
	FromSID        string // the account that loses the number; "" is the parent
	ToSID          string // the account that gets it

	// What takes the place of what is the losing account's own, and does not move. All of it belongs to the account that gets the number.
	VoiceApplicationSID, SMSApplicationSID string // AP…
	AddressSID                             string // AD…, where Twilio requires one for the number
	BundleSID                              string // BU…, where it has one

	// IgnoreMembership moves the number though its account is suspended and so cannot be asked which messaging service it is in.
	IgnoreMembership bool
}

// TransferPlan is what [Provider.TransferNumber] would do.
type TransferPlan struct {
	Number       PhoneNumber // as it is now. Its voice, SMS and status URLs and methods move with it
	FromSID      string
	ToSID        string
	AlreadyThere bool // nothing is to be moved

	LeavesService     string // the messaging service (MG…) that it is taken out of first; "" is none
	MembershipUnknown bool   // the losing account is suspended and cannot be asked: IgnoreMembership goes on

	Lost []Loss
	Need []string // the fields of NumberTransfer without which the number cannot be moved: AddressSID, BundleSID
}

// Loss is something that does not move with a number.
type Loss struct {
	What LossKind
	SID  string // of what is lost, "" where it has none
	By   string // the SID that takes its place, "" where there is none
}

// LossKind is what does not move.
type LossKind string

// What does not move with a number.
const (
	LossMessagingService LossKind = "messaging_service"
	LossVoiceApplication LossKind = "voice_application" // without another one, the voice URL counts
	LossSMSApplication   LossKind = "sms_application"   // without another one, the SMS URL counts
	LossTrunk            LossKind = "trunk"
	LossAddress          LossKind = "address"
	LossBundle           LossKind = "bundle"
	LossIdentity         LossKind = "identity"
	LossEmergencyAddress LossKind = "emergency_address"

	// LossOptOuts: who has replied STOP can be sent to again, as Twilio keeps that for each account. Keep a list of your own.
	LossOptOuts LossKind = "opt_outs"
	// LossRegistrations: A2P 10DLC, toll-free verification, and whatever else the number was registered for.
	LossRegistrations LossKind = "registrations"
)

// Transferred is what [Provider.TransferNumber] has done, also where it then failed.
type Transferred struct {
	Plan   TransferPlan
	Number PhoneNumber // as it is now, where that is known

	LeftService bool // it is out of Plan.LeavesService
	Moved       bool
	Configured  bool // what did not move with it was set again
}

// PlanTransfer says what [Provider.TransferNumber] would do, and changes nothing. A number that is in neither account is
// [ErrNotFound]; a target that is not active is [ErrSuspended] or [ErrClosed], one of somebody else's [ErrForbidden] or ErrNotFound.
func (p *Provider) PlanTransfer(ctx context.Context, t NumberTransfer) (TransferPlan, error) {
	t, err := p.checkedTransfer(ctx, t)
	if err != nil {
		return TransferPlan{}, err
	}
	plan, err := p.planTransfer(ctx, t)
	if err != nil || plan.AlreadyThere {
		return plan, err
	}
	if err := p.checkTarget(ctx, t.ToSID); err != nil {
		return plan, err
	}
	return plan, p.checkApplications(ctx, t)
}

// TransferNumber moves a phone number, signed by the parent: it reads the number's settings, takes it out of the losing account's
// messaging service (signed by that account), moves it, looks whether it has arrived, and sets what did not come along and can be
// set. [Provider.PlanTransfer] shows all of it beforehand. Nothing is changed if the plan has a need that t does not meet
// ([ErrInvalid]), or does not know the membership and t does not ignore that ([ErrSuspended]).
//
// A number that is in the target already is no error, so an interrupted move is repeated as it was; only of the settings that Twilio
// loses in a move nobody knows any more then. What was done up to a failure is returned beside the error. A lost reply is looked into;
// only if that fails as well, the error is [ErrOutcomeUnknown]. The fleet is never searched: who has the number is an input.
//
// https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource#transfer-a-phone-number
func (p *Provider) TransferNumber(ctx context.Context, t NumberTransfer) (Transferred, error) {
	plan, err := p.PlanTransfer(ctx, t)
	if err != nil {
		return Transferred{}, err
	}
	return p.transfer(ctx, t, plan)
}

func (p *Provider) checkedTransfer(ctx context.Context, t NumberTransfer) (NumberTransfer, error) {
	if ctx == nil {
		return t, errNoContext
	}
	t.FromSID = cmp.Or(t.FromSID, p.parent.AccountSID)
	if err := firstOf(checkField("FromSID", "AC", t.FromSID), checkField("ToSID", "AC", t.ToSID), t.check()); err != nil {
		return t, err
	}
	t = t.asWritten()
	if t.FromSID == t.ToSID {
		return t, invalid("a number is moved from one account to another: FromSID and ToSID are both %s", t.ToSID)
	}
	return t, nil
}

// asWritten is the transfer with its SIDs as Twilio writes them.
func (t NumberTransfer) asWritten() NumberTransfer {
	for _, sid := range []*string{&t.FromSID, &t.ToSID, &t.PhoneNumberSID} {
		if *sid != "" {
			*sid = asWritten(*sid)
		}
	}
	return t
}

// check looks at all but the accounts.
func (t NumberTransfer) check() error {
	if (t.PhoneNumberSID == "") == (t.PhoneNumber == "") {
		return invalid("a transfer needs either PhoneNumberSID or PhoneNumber")
	}
	if t.PhoneNumber != "" {
		if err := checkE164("PhoneNumber", t.PhoneNumber); err != nil {
			return err
		}
	}
	return firstOf(
		checkOptional("PhoneNumberSID", "PN", t.PhoneNumberSID),
		checkOptional("VoiceApplicationSID", "AP", t.VoiceApplicationSID), checkOptional("SMSApplicationSID", "AP", t.SMSApplicationSID),
		checkOptional("AddressSID", "AD", t.AddressSID), checkOptional("BundleSID", "BU", t.BundleSID),
	)
}

// checkTarget asks Twilio, never memory. The parent need not be asked: what it signs shows how it is.
func (p *Provider) checkTarget(ctx context.Context, sid string) error {
	if sid == p.parent.AccountSID {
		return nil
	}
	a, err := p.look(ctx, sid)
	if err != nil {
		return err
	}
	return a.checkActive()
}

// checkApplications looks for the target's applications before the number has left its account. An API key may not look into the target,
// nor move a number.
func (p *Provider) checkApplications(ctx context.Context, t NumberTransfer) error {
	if p.parent.APIKeySID != "" {
		return nil
	}
	_, err := applicationsOf(ctx, p.asParent(ctx), t.ToSID, t.VoiceApplicationSID, t.SMSApplicationSID)
	return err
}

// planTransfer finds the number in the losing account or in the target. There may be no target yet: then ToSID is "".
func (p *Provider) planTransfer(ctx context.Context, t NumberTransfer) (TransferPlan, error) {
	plan := TransferPlan{FromSID: t.FromSID, ToSID: t.ToSID, AlreadyThere: t.FromSID == t.ToSID}
	number, err := p.findIn(ctx, t.FromSID, t)
	// A losing account that may not be read any more matters only if the number is not in the target.
	if missed := err; isMissed(err) && !plan.AlreadyThere && t.ToSID != "" {
		plan.AlreadyThere = true
		number, err = p.findIn(ctx, t.ToSID, t)
		switch {
		case isMissed(err) && errors.Is(missed, ErrForbidden):
			err = missed
		case isMissed(err):
			err = told(ErrNotFound, "the phone number is neither in %s nor in %s", t.FromSID, t.ToSID)
		}
	}
	plan.Number = number
	if err != nil || plan.AlreadyThere {
		return plan, err
	}
	if number.mayMessage() { // else it can be in no messaging service
		if plan.LeavesService, err = p.handleOf(t.FromSID).serviceOf(ctx, number.SID); errors.Is(err, ErrSuspended) {
			plan.MembershipUnknown, err = true, nil
		}
	}
	plan.Lost, plan.Need = t.losses(plan), t.needs(number)
	return plan, err
}

// isMissed is true if the number is not in the account, or if there is no such account, or none that may be read.
func isMissed(err error) bool {
	return isGone(err) || codeOf(err) == codeNotFound || errors.Is(err, ErrForbidden)
}

// findIn finds the number that is to be moved in one of the accounts, as the parent.
func (p *Provider) findIn(ctx context.Context, account string, t NumberTransfer) (PhoneNumber, error) {
	if t.PhoneNumber != "" {
		return findNumber(ctx, p.asParent(ctx), account, t.PhoneNumber)
	}
	return p.numberOf(ctx, account, t.PhoneNumberSID)
}

// numberOf fetches a number as the parent, which may also look into an account that is suspended.
func (p *Provider) numberOf(ctx context.Context, account, sid string) (PhoneNumber, error) {
	call := p.asParent(ctx).Single()
	params := new(api.FetchIncomingPhoneNumberParams).SetPathAccountSid(account)
	raw, err := api.NewApiService(call.Handler()).FetchIncomingPhoneNumber(sid, params)
	return answered(call, account, sid, raw, err, newPhoneNumber)
}

func (p *Provider) handleOf(account string) *Handle {
	if account == p.parent.AccountSID {
		return p.Parent()
	}
	return p.Subaccount(account)
}

func (t NumberTransfer) losses(plan TransferPlan) []Loss {
	n := plan.Number
	var lost []Loss
	for _, l := range []Loss{
		{LossMessagingService, plan.LeavesService, ""}, // it is up to the caller which one of the target's the number joins
		{LossVoiceApplication, n.VoiceApplicationSID, t.VoiceApplicationSID},
		{LossSMSApplication, n.SMSApplicationSID, t.SMSApplicationSID},
		{LossTrunk, n.TrunkSID, ""},
		{LossAddress, n.AddressSID, t.AddressSID},
		{LossBundle, n.BundleSID, t.BundleSID},
		{LossIdentity, n.IdentitySID, ""},
		{LossEmergencyAddress, n.EmergencyAddressSID, ""},
	} {
		if l.SID != "" {
			lost = append(lost, l)
		}
	}
	if n.mayMessage() {
		lost = append(lost, Loss{What: LossOptOuts}, Loss{What: LossRegistrations})
	}
	return lost
}

func (t NumberTransfer) needs(n PhoneNumber) []string {
	var need []string
	if t.AddressSID == "" && needsAddress(n.AddressRequirements) {
		need = append(need, "AddressSID")
	}
	if t.BundleSID == "" && n.BundleSID != "" {
		need = append(need, "BundleSID")
	}
	return need
}

// checkTransfer refuses a move that Twilio would refuse halfway, or that would lose more than its caller knows of.
func (p *Provider) checkTransfer(t NumberTransfer, plan TransferPlan) error {
	switch {
	case plan.AlreadyThere:
		return nil
	case p.parent.APIKeySID != "":
		return told(ErrForbidden, "Twilio moves numbers for the parent's auth token, not for an API key")
	case len(plan.Need) > 0:
		const text = "%s can be moved only with %s of the account that it is moved to"
		return invalid(text, plan.Number.SID, strings.Join(plan.Need, " and "))
	case plan.MembershipUnknown && !t.IgnoreMembership:
		const text = "%s is suspended, so nobody can tell which messaging service %s is in: reactivate it, or set IgnoreMembership"
		return told(ErrSuspended, text, plan.FromSID, plan.Number.SID)
	}
	return nil
}

func (p *Provider) transfer(ctx context.Context, t NumberTransfer, plan TransferPlan) (Transferred, error) {
	done := Transferred{Plan: plan, Number: plan.Number}
	if err := p.checkTransfer(t, plan); err != nil {
		return done, err
	}
	if plan.LeavesService != "" {
		left := Sender{ServiceSID: plan.LeavesService, PhoneNumberSID: plan.Number.SID}
		if err := p.handleOf(plan.FromSID).RemoveSender(ctx, left); err != nil && !isGone(err) { // gone is the whole service
			return done, err
		}
		done.LeftService = true
	}
	if !plan.AlreadyThere {
		n, isMoved, err := p.moveNumber(ctx, t, plan)
		if isMoved {
			done.Number, done.Moved = n, true
		}
		if err != nil {
			return done, err
		}
	}
	want := t.wanted(plan).butFor(done.Number)
	if want == (PhoneNumberSettings{}) {
		return done, nil
	}
	n, err := configureNumber(p.asParent(ctx), plan.ToSID, plan.Number.SID, want.params())
	if err != nil {
		return done, err
	}
	done.Number, done.Configured = n, true
	return done, nil
}

// moveNumber looks into the target whatever the answer was, unless Twilio has refused: who finds the number gone may have been overtaken
// by somebody who moved it as well. If Twilio has said yes, the number is moved, whatever the look says.
func (p *Provider) moveNumber(ctx context.Context, t NumberTransfer, plan TransferPlan) (n PhoneNumber, isMoved bool, err error) {
	call := p.asParent(ctx).Single()
	move := new(api.UpdateIncomingPhoneNumberParams).SetPathAccountSid(plan.FromSID).SetAccountSid(plan.ToSID)
	if t.AddressSID != "" {
		move.SetAddressSid(t.AddressSID)
	}
	if t.BundleSID != "" {
		move.SetBundleSid(t.BundleSID)
	}
	leave := NumberTransfer{}.wanted(plan).butFor(plan.Number) // so that no crash can leave what is the losing account's own
	move.VoiceApplicationSid, move.SmsApplicationSid, move.TrunkSid = leave.VoiceApplicationSID, leave.SMSApplicationSID, leave.TrunkSID
	raw, err := api.NewApiService(call.Handler()).UpdateIncomingPhoneNumber(plan.Number.SID, move)
	n, err = answered(call, plan.ToSID, plan.Number.SID, raw, err, newPhoneNumber)
	isMoved = err == nil
	if !isMoved && !errors.Is(err, ErrOutcomeUnknown) && !isGone(err) {
		return n, false, err
	}
	arrived, lookErr := p.arrived(ctx, plan, isMoved)
	switch {
	case lookErr == nil:
		return arrived, true, nil
	case isMoved:
		return n, true, lookErr
	}
	return n, false, err // what is not known is the move
}

// arrived fetches the number in the target. Where Twilio has said that it is there, it may take a moment to be seen.
func (p *Provider) arrived(ctx context.Context, plan TransferPlan, isMoved bool) (n PhoneNumber, err error) {
	for nth := 1; ; nth++ {
		n, err = p.numberOf(ctx, plan.ToSID, plan.Number.SID)
		if !isMoved || !isGone(err) || !p.outlast(ctx, nth) {
			return n, err
		}
	}
}

// wanted is how the number should be in the target: as it was, but for what it cannot bring along.
func (t NumberTransfer) wanted(plan TransferPlan) PhoneNumberSettings {
	want := PhoneNumberSettings{
		VoiceApplicationSID: given(t.VoiceApplicationSID), SMSApplicationSID: given(t.SMSApplicationSID),
		AddressSID: given(t.AddressSID), BundleSID: given(t.BundleSID),
	}
	if plan.AlreadyThere {
		return want // how it was before, nobody knows
	}
	n := plan.Number
	want.VoiceApplicationSID, want.SMSApplicationSID = &t.VoiceApplicationSID, &t.SMSApplicationSID
	if t.VoiceApplicationSID == "" {
		want.TrunkSID = new("") // one of the losing account's would count before the URL
	}
	want.FriendlyName = given(n.FriendlyName)
	want.VoiceURL, want.VoiceMethod = given(n.VoiceURL), given(n.VoiceMethod)
	want.VoiceFallbackURL, want.VoiceFallbackMethod = given(n.VoiceFallbackURL), given(n.VoiceFallbackMethod)
	want.SMSURL, want.SMSMethod = given(n.SMSURL), given(n.SMSMethod)
	want.SMSFallbackURL, want.SMSFallbackMethod = given(n.SMSFallbackURL), given(n.SMSFallbackMethod)
	want.StatusCallback, want.StatusCallbackMethod = given(n.StatusCallback), given(n.StatusCallbackMethod)
	return want
}
