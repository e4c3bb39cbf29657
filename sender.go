package twilioacct

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	msg "github.com/twilio/twilio-go/rest/messaging/v1"

	"github.com/twilioacct/twilioacct/internal/page"
)

// Sender names a phone number in, or for, a messaging service.
type Sender struct {
	ServiceSID     string // MG…
	PhoneNumberSID string // PN…

	// LoseInbound says that what is sent to the number may be lost: see [ErrInboundLost].
	LoseInbound bool
}

// ServiceNumber is a phone number in a messaging service.
//
// https://www.twilio.com/docs/messaging/api/phonenumber-resource
type ServiceNumber struct {
	SID          string // PN…, the number's own
	AccountSID   string
	ServiceSID   string // MG…
	PhoneNumber  string // in E.164
	Country      string // ISO 3166-1
	Capabilities Capabilities
	DateCreated  time.Time
	DateUpdated  time.Time
}

// ErrInboundLost is what is answered where messages to a number would be lost, silently: its messaging service has, or would have, neither
// an inbound URL nor leaves them to the number's own webhook. Give the service one of both, or set LoseInbound. It is an [ErrConflict],
// too.
var ErrInboundLost = errors.New("inbound messages would be lost")

// InOtherServiceError says that a number cannot be added to a messaging service as it is in another one. It is an [ErrConflict].
// [Handle.RemoveSender] takes it out of there.
type InOtherServiceError struct {
	Sender     Sender // what was to be added
	ServiceSID string // where the number is; "" if that could not be found out
	Err        error  // what Twilio answered
}

// Error names the number and the service that it is in.
func (e *InOtherServiceError) Error() string {
	where := e.ServiceSID
	if where == "" {
		where = "another service, and none of this account's own that could be found"
	}
	return fmt.Sprintf("%v: %s is in %s", e.Err, e.Sender.PhoneNumberSID, where)
}

// Unwrap returns what Twilio answered.
func (e *InOtherServiceError) Unwrap() error { return e.Err }

// AddSender adds one of the account's phone numbers to one of its messaging services. One that is in that service already is no error;
// in another one it is an *[InOtherServiceError]. From then on the service decides what becomes of messages to the number: the service
// is fetched first, and if it would lose them, nothing is added, and the error is [ErrInboundLost].
//
// Until Twilio has set the number up, and until a US long code is registered, sending may fail all the same: see [Handle.Ready].
func (h *Handle) AddSender(ctx context.Context, s Sender) (ServiceNumber, error) {
	if err := h.check(ctx, s.check()); err != nil {
		return ServiceNumber{}, err
	}
	if !s.LoseInbound {
		service, err := h.MessagingService(ctx, s.ServiceSID)
		if err != nil {
			return ServiceNumber{}, err
		}
		if service.LosesInbound() {
			return h.addedBefore(ctx, s)
		}
	}
	return h.addSender(ctx, s)
}

// addedBefore is the number that is in a service which loses inbound messages: it is there already, or it is not added.
func (h *Handle) addedBefore(ctx context.Context, s Sender) (ServiceNumber, error) {
	n, err := h.Sender(ctx, s)
	if isGone(err) {
		err = s.inboundLost()
	}
	return n, err
}

func (s Sender) inboundLost() error {
	const text = "%s has neither InboundURL nor UseNumberWebhook, and is to get %s"
	return &Error{Message: fmt.Sprintf(text, s.ServiceSID, s.PhoneNumberSID), Err: ErrInboundLost, verdict: ErrConflict}
}

func (h *Handle) addSender(ctx context.Context, s Sender) (ServiceNumber, error) {
	call := h.call(ctx).Repeatable().Single() // the second time it is there already, which is as good
	params := new(msg.CreatePhoneNumberParams).SetPhoneNumberSid(s.PhoneNumberSID)
	raw, err := msg.NewApiService(call.Handler()).CreatePhoneNumber(s.ServiceSID, params)
	switch codeOf(err) {
	case codeAlreadyInService:
		return h.Sender(ctx, s)
	case codeInAnotherService:
		other, _ := h.serviceOf(ctx, s.PhoneNumberSID) // without it the conflict is still one
		return ServiceNumber{}, &InOtherServiceError{Sender: s, ServiceSID: other, Err: err}
	}
	return answered(call, h.sid, s.PhoneNumberSID, raw, err, newServiceNumber)
}

// Sender fetches the number as the service has it: [ErrNotFound] if it is not in there.
func (h *Handle) Sender(ctx context.Context, s Sender) (ServiceNumber, error) {
	if err := h.check(ctx, s.check()); err != nil {
		return ServiceNumber{}, err
	}
	call := h.call(ctx).Single()
	raw, err := msg.NewApiService(call.Handler()).FetchPhoneNumber(s.ServiceSID, s.PhoneNumberSID)
	return answered(call, h.sid, s.PhoneNumberSID, raw, err, newServiceNumber)
}

// Senders iterates over the phone numbers of a messaging service, as [Provider.Accounts] does over accounts. Short codes and other
// senders are twilio-go's, through [Handle.Services].
func (h *Handle) Senders(ctx context.Context, serviceSID string) iter.Seq2[ServiceNumber, error] {
	if err := h.check(ctx, checkSID("MG", serviceSID)); err != nil {
		return failed[ServiceNumber](err)
	}
	call := h.call(ctx)
	service := msg.NewApiService(call.Handler())
	params := new(msg.ListPhoneNumberParams).SetPageSize(largestPage)
	return listed(call, h.sid, page.All(ctx, call, func(at page.Cursor) ([]msg.MessagingV1PhoneNumber, *string, error) {
		raw, err := service.PagePhoneNumber(serviceSID, params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.PhoneNumbers, raw.Meta.NextPageUrl, nil
	}, newServiceNumber))
}

// RemoveSender takes a phone number out of a messaging service; it stays the account's. One that is not in there is no error.
func (h *Handle) RemoveSender(ctx context.Context, s Sender) error {
	if err := h.check(ctx, s.check()); err != nil {
		return err
	}
	call := h.call(ctx).Single()
	err := call.Typed(msg.NewApiService(call.Handler()).DeletePhoneNumber(s.ServiceSID, s.PhoneNumberSID))
	if isGone(err) { // the number is not in the service, or there is no such service
		_, err = h.MessagingService(ctx, s.ServiceSID)
	}
	return err
}

func (s Sender) check() error {
	return firstOf(checkSID("MG", s.ServiceSID), checkSID("PN", s.PhoneNumberSID))
}

// serviceOf finds the messaging service that the number is in; "" is none. Twilio cannot be asked for that, so each of the account's
// services is: a request for each, some at once, until one has it.
func (h *Handle) serviceOf(ctx context.Context, phoneNumberSID string) (string, error) {
	var services []string
	for s, err := range h.MessagingServices(ctx) {
		if err != nil {
			return "", ofList(err)
		}
		services = append(services, s.SID)
	}
	searching, stop := context.WithCancel(ctx)
	defer stop()
	var (
		mu    sync.Mutex
		found string
	)
	const atOnce = 8
	errs := eachOf(searching, services, atOnce, func(ctx context.Context, service string) error {
		if ctx.Err() != nil {
			return nil // it was found, or its caller has left
		}
		_, err := h.Sender(ctx, Sender{ServiceSID: service, PhoneNumberSID: phoneNumberSID})
		if err != nil {
			if isGone(err) {
				return nil // it, or by now the whole service
			}
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		found = service
		stop()
		return nil
	})
	if found != "" {
		return found, nil
	}
	return "", firstOf(firstOf(errs...), h.call(ctx).Typed(ctx.Err()))
}

func (n ServiceNumber) identity() (sid, kind, account string) { return n.SID, "PN", n.AccountSID }

func newServiceNumber(raw *msg.MessagingV1PhoneNumber) ServiceNumber {
	n := ServiceNumber{
		SID:         value(raw.Sid),
		AccountSID:  value(raw.AccountSid),
		ServiceSID:  value(raw.ServiceSid),
		PhoneNumber: value(raw.PhoneNumber),
		Country:     value(raw.CountryCode),
		DateCreated: value(raw.DateCreated),
		DateUpdated: value(raw.DateUpdated),
	}
	for _, can := range value(raw.Capabilities) {
		switch strings.ToLower(can) {
		case "voice":
			n.Capabilities.Voice = true
		case "sms":
			n.Capabilities.SMS = true
		case "mms":
			n.Capabilities.MMS = true
		}
	}
	return n
}
