package twilioacct

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	msg "github.com/twilio/twilio-go/rest/messaging/v1"

	"github.com/twilioacct/twilioacct/internal/page"
)

// Readiness says whether a message would go out, as far as Twilio shows it.
type Readiness struct {
	OK      bool     // at least one sender has nothing against it
	Reasons []Reason // what keeps senders from sending, or from being judged
}

// Reason is why a message might not go out.
type Reason struct {
	Kind ReasonKind
	SID  string // of the number, or the service, that it is about
	Err  error  // why it could not be looked at
}

// ReasonKind is a kind of reason.
type ReasonKind string

// The reasons why a message might not go out.
const (
	ReasonNoService ReasonKind = "no_service"           // there is no messaging service that could be looked at
	ReasonNoSender  ReasonKind = "no_sender"            // there is no number to send from
	ReasonNoSMS     ReasonKind = "no_sms"               // the number cannot send messages
	ReasonA2P       ReasonKind = "a2p_unregistered"     // a US or Canadian long code without an A2P 10DLC campaign: blocked in the US
	ReasonTollFree  ReasonKind = "toll_free_unverified" // a toll-free number that is not verified: blocked in the US and Canada
	ReasonNotLooked ReasonKind = "unknown"              // Twilio refused to show it, or did not answer
)

// String says it to a person.
func (r Reason) String() string {
	switch r.Kind {
	case ReasonNoService:
		return "there is no messaging service to send from"
	case ReasonNoSender:
		return strings.TrimSpace("there is no number to send from " + r.SID)
	case ReasonNoSMS:
		return r.SID + " cannot send messages"
	case ReasonA2P:
		return r.SID + " is a long code that is not registered for A2P 10DLC: carriers in the US block it"
	case ReasonTollFree:
		return r.SID + " is a toll-free number that is not verified"
	}
	return fmt.Sprintf("it is not known whether %s may send: %v", r.SID, r.Err)
}

// Ready says whether a message from the service would go out: whether it has a number that can send, whether US long codes are
// registered (A2P 10DLC), and whether toll-free numbers are verified. A look that Twilio refuses or does not answer is itself a reason.
// Even then a message may be filtered on its way, or its recipient may have opted out.
//
// It costs two requests, and one for each toll-free number.
func (h *Handle) Ready(ctx context.Context, serviceSID string) Readiness {
	service, err := h.MessagingService(ctx, serviceSID)
	if err != nil {
		return notLooked(serviceSID, err)
	}
	return h.readinessOf(ctx, service)
}

func (h *Handle) readinessOf(ctx context.Context, service MessagingService) Readiness {
	var senders []ServiceNumber
	for n, err := range h.Senders(ctx, service.SID) {
		if err != nil {
			return notLooked(service.SID, err)
		}
		senders = append(senders, n)
	}
	return h.readiness(ctx, service, senders)
}

func notLooked(sid string, err error) Readiness {
	return Readiness{Reasons: []Reason{{Kind: ReasonNotLooked, SID: sid, Err: err}}}
}

func (h *Handle) readiness(ctx context.Context, service MessagingService, senders []ServiceNumber) Readiness {
	if len(senders) == 0 {
		return Readiness{Reasons: []Reason{{Kind: ReasonNoSender, SID: service.SID}}}
	}
	var ready Readiness
	for _, n := range senders {
		if reason := h.reasonAgainst(ctx, service, n); reason.Kind != "" {
			ready.Reasons = append(ready.Reasons, reason)
		} else {
			ready.OK = true
		}
	}
	return ready
}

// isLongCode is true for a number with ten digits of the US or Canada; of some islands the country code is +1, too.
func isLongCode(n ServiceNumber) bool {
	return strings.HasPrefix(n.PhoneNumber, "+1") && slices.Contains([]string{"", "US", "CA", "PR"}, n.Country)
}

// tollFree are the area codes of toll-free numbers in North America.
var tollFree = regexp.MustCompile(`^\+18(00|22|33|44|55|66|77|88)`)

func (h *Handle) reasonAgainst(ctx context.Context, service MessagingService, n ServiceNumber) Reason {
	switch {
	case !n.Capabilities.SMS && !n.Capabilities.MMS:
		return Reason{Kind: ReasonNoSMS, SID: n.SID}
	case tollFree.MatchString(n.PhoneNumber):
		return h.tollFreeReason(ctx, n.SID)
	case isLongCode(n) && !service.A2PRegistered:
		return Reason{Kind: ReasonA2P, SID: n.SID}
	}
	return Reason{}
}

const approvedTollFree = "TWILIO_APPROVED"

func (h *Handle) tollFreeReason(ctx context.Context, sid string) Reason {
	call := h.call(ctx)
	service := msg.NewApiService(call.Handler())
	params := new(msg.ListTollfreeVerificationParams).SetTollfreePhoneNumberSid(sid).SetPageSize(largestPage)
	verifications := page.All(ctx, call, func(at page.Cursor) ([]msg.MessagingV1TollfreeVerification, *string, error) {
		raw, err := service.PageTollfreeVerification(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Verifications, raw.Meta.NextPageUrl, nil
	}, func(raw *msg.MessagingV1TollfreeVerification) bool {
		return value(raw.TollfreePhoneNumberSid) == sid && value(raw.Status) == approvedTollFree
	})
	for isApproved, err := range verifications {
		if err != nil {
			return Reason{Kind: ReasonNotLooked, SID: sid, Err: err}
		}
		if isApproved {
			return Reason{}
		}
	}
	return Reason{Kind: ReasonTollFree, SID: sid}
}
