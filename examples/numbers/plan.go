package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// plan is what somebody has to agree to. In JSON it is its facts.
type plan interface {
	lines() []string // what happens, what it costs or loses, and what cannot be undone
}

// mayGo shows the plan, and tells whether it may be carried out.
func (t *tool) mayGo(ctx context.Context, p plan) (bool, error) {
	for _, line := range p.lines() {
		fmt.Fprintln(t.out.Stderr, line)
	}
	switch {
	case t.asked.yes:
		return true, nil
	case t.console.isTerminal:
		return t.console.agrees(ctx, t.out.Stderr)
	}
	return false, nil
}

// purchase is the plan of buy.
type purchase struct {
	AccountSID  string `json:"account_sid"`
	PhoneNumber string `json:"phone_number"`
	Offer       *offer `json:"offer"` // null: it was not searched for

	hasAddress bool
}

func (p purchase) lines() []string {
	lines := []string{
		fmt.Sprintf("Buys %s%s for %s.", p.PhoneNumber, p.place(), p.AccountSID),
		"It costs money, at once and each month until it is released. A purchase cannot be undone.",
	}
	if p.Offer != nil && p.Offer.needsAddress() && !p.hasAddress {
		lines = append(lines, "It is sold only with an address: say -address, and -bundle if its country asks for one.")
	}
	return lines
}

func (p purchase) place() string {
	if p.Offer == nil || p.Offer.Locality == "" {
		return ""
	}
	return " (" + report.Plain(p.Offer.Locality+", "+p.Offer.Region) + ")"
}

// farewell is the plan of release.
type farewell struct {
	Number number `json:"number"`
}

func (p farewell) lines() []string {
	return []string{
		fmt.Sprintf("Releases %s (%s) of %s.", p.Number.named(), p.Number.SID, p.Number.AccountSID),
		"It cannot be undone: Twilio may sell the number to anybody. To keep it in another account, move it.",
	}
}

// relocation is the plan of move.
type relocation struct {
	Number            number   `json:"number"`
	FromAccountSID    string   `json:"from_account_sid"`
	ToAccountSID      string   `json:"to_account_sid"`
	AlreadyThere      bool     `json:"already_there"`
	LeavesService     string   `json:"leaves_service"` // "" is none
	MembershipUnknown bool     `json:"membership_unknown"`
	Lost              []loss   `json:"lost"`
	Need              []string `json:"need"` // flags
}

type loss struct {
	What twilioacct.LossKind `json:"what"`
	SID  string              `json:"sid"`
	By   string              `json:"by"` // what takes its place
}

func newRelocation(p twilioacct.TransferPlan) relocation {
	r := relocation{
		Number:            newNumber(p.Number),
		FromAccountSID:    p.FromSID,
		ToAccountSID:      p.ToSID,
		AlreadyThere:      p.AlreadyThere,
		LeavesService:     p.LeavesService,
		MembershipUnknown: p.MembershipUnknown,
		Lost:              []loss{},
		Need:              []string{},
	}
	for _, l := range p.Lost {
		r.Lost = append(r.Lost, loss{What: l.What, SID: l.SID, By: l.By})
	}
	for _, field := range p.Need {
		r.Need = append(r.Need, "-"+strings.ToLower(strings.TrimSuffix(field, "SID")))
	}
	return r
}

func (p relocation) lines() []string {
	lines := []string{
		fmt.Sprintf("Moves %s (%s) from %s to %s.", p.Number.named(), p.Number.SID, p.FromAccountSID, p.ToAccountSID),
		"Its name, its URLs and their methods move with it. It can be moved back, but what it loses stays lost:",
	}
	for _, l := range p.Lost {
		lines = append(lines, "  - "+l.text())
	}
	if len(p.Lost) == 0 {
		lines[1] = "Its name, its URLs and their methods move with it, and nothing is lost. It can be moved back."
	}
	if p.MembershipUnknown {
		lines = append(lines, fmt.Sprintf("Nobody can tell which messaging service it is in: %s is suspended.", p.FromAccountSID))
	}
	return lines
}

// lost says what is lost, by its kind.
var lost = map[twilioacct.LossKind]string{
	twilioacct.LossMessagingService: "its place in the messaging service",
	twilioacct.LossVoiceApplication: "its voice application",
	twilioacct.LossSMSApplication:   "its SMS application",
	twilioacct.LossTrunk:            "its trunk",
	twilioacct.LossAddress:          "its address",
	twilioacct.LossBundle:           "its bundle",
	twilioacct.LossIdentity:         "its identity",
	twilioacct.LossEmergencyAddress: "its emergency address",
	twilioacct.LossOptOuts:          "its opt-outs: who has replied STOP can be sent to again",
	twilioacct.LossRegistrations:    "its registrations, such as A2P 10DLC or a toll-free verification",
}

func (l loss) text() string {
	text, known := lost[l.What]
	if !known {
		text = report.Plain(string(l.What))
	}
	if l.SID != "" {
		text += " " + l.SID
	}
	if l.By != "" {
		text += "; " + l.By + " takes its place"
	}
	return text
}

// obstacle is why the move cannot be made as it is asked for.
func (p relocation) obstacle(ignoreMembership bool) error {
	switch {
	case len(p.Need) > 0:
		return refusal{fmt.Sprintf("%s needs what the account that gets it must have: say %s",
			p.Number.named(), strings.Join(p.Need, " and ")), twilioacct.ErrInvalid}
	case p.MembershipUnknown && !ignoreMembership:
		return refusal{p.FromAccountSID + " is suspended, so nobody can tell which messaging service the number is in: " +
			"-ignore-membership moves it all the same", twilioacct.ErrSuspended}
	}
	return nil
}

// refusal is what this program finds out by itself, and its kind.
type refusal struct {
	text string
	kind error
}

func (e refusal) Error() string { return e.text }
func (e refusal) Unwrap() error { return e.kind }
