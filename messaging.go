package twilioacct

import (
	"context"
	"iter"
	"time"

	msg "github.com/twilio/twilio-go/rest/messaging/v1"

	"github.com/twilioacct/twilioacct/internal/page"
)

// MessagingService is a pool of senders with settings in common.
//
// https://www.twilio.com/docs/messaging/api/service-resource
type MessagingService struct {
	SID          string // MG…
	AccountSID   string
	FriendlyName string

	InboundURL, InboundMethod   string // who is told of a message to one of the senders
	FallbackURL, FallbackMethod string
	UseNumberWebhook            bool // each sender's own SMS URL instead of these

	StatusCallback string
	StickySender   bool
	MMSConverter   bool
	SmartEncoding  bool
	AreaCodeMatch  bool
	ScanContent    string        // inherit, enable or disable
	Validity       time.Duration // how long a message may wait to be sent
	UseCase        string

	A2PRegistered bool // its US long codes may send to the US

	DateCreated time.Time
	DateUpdated time.Time
}

// LosesInbound is true for a service that loses what is sent to its senders: neither it nor the numbers' own webhooks are told, and
// Twilio keeps no trace of it.
func (s MessagingService) LosesInbound() bool { return s.InboundURL == "" && !s.UseNumberWebhook }

// MessagingServiceSettings are what of a messaging service can be set. What is nil stays as it is (at Twilio's default for a new
// service); a pointer to "" empties it, but for the name and the methods. FallbackToLongCode is obsolete and SynchronousValidation
// reserved, so they are not here.
type MessagingServiceSettings struct {
	FriendlyName *string // up to 64 characters

	// A new service is told of inbound messages at InboundURL. Without one, each number's own webhook is: UseNumberWebhook is true
	// then, unless it is set. What would leave the service with neither is ErrInboundLost.
	InboundURL, InboundMethod   *string
	FallbackURL, FallbackMethod *string
	UseNumberWebhook            *bool
	LoseInbound                 bool // allows what is [ErrInboundLost] without it

	StatusCallback *string
	StickySender   *bool
	MMSConverter   *bool
	SmartEncoding  *bool
	AreaCodeMatch  *bool
	ScanContent    *string        // inherit, enable or disable
	Validity       *time.Duration // 1 second to 10 hours, in whole seconds
	UseCase        *string        // notifications, marketing, verification, discussion, poll, undeclared
}

// CreateMessagingService creates a messaging service in the account. Friendly names need not be unique: look with
// [Handle.FindMessagingService] first. It costs nothing. Nothing is tried twice: after a lost reply the error is [ErrOutcomeUnknown],
// and FindMessagingService tells.
func (h *Handle) CreateMessagingService(
	ctx context.Context, friendlyName string, settings MessagingServiceSettings,
) (MessagingService, error) {
	if err := h.check(ctx, checkNamed(friendlyName, settings.FriendlyName), settings.check()); err != nil {
		return MessagingService{}, err
	}
	settings = settings.forNew()
	settings.FriendlyName = &friendlyName
	if err := settings.checkInbound(MessagingService{}); err != nil {
		return MessagingService{}, err
	}
	call := h.call(ctx).Single()
	raw, err := msg.NewApiService(call.Handler()).CreateService(settings.creating())
	return answered(call, h.sid, "", raw, err, newMessagingService)
}

// MessagingService fetches one of the account's messaging services.
func (h *Handle) MessagingService(ctx context.Context, sid string) (MessagingService, error) {
	if err := h.check(ctx, checkSID("MG", sid)); err != nil {
		return MessagingService{}, err
	}
	call := h.call(ctx).Single()
	raw, err := msg.NewApiService(call.Handler()).FetchService(sid)
	return answered(call, h.sid, sid, raw, err, newMessagingService)
}

// MessagingServices iterates over the account's messaging services, as [Provider.Accounts] does over accounts.
func (h *Handle) MessagingServices(ctx context.Context) iter.Seq2[MessagingService, error] {
	if err := h.check(ctx); err != nil {
		return failed[MessagingService](err)
	}
	call := h.call(ctx)
	service := msg.NewApiService(call.Handler())
	params := new(msg.ListServiceParams).SetPageSize(largestPage)
	return listed(call, h.sid, page.All(ctx, call, func(at page.Cursor) ([]msg.MessagingV1Service, *string, error) {
		raw, err := service.PageService(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Services, raw.Meta.NextPageUrl, nil
	}, newMessagingService))
}

// FindMessagingService finds the account's messaging service of exactly that friendly name. Twilio has no filter for that: all of the
// account's services are read, 1000 a request. None is [ErrNotFound]; several are [ErrAmbiguous].
func (h *Handle) FindMessagingService(ctx context.Context, friendlyName string) (MessagingService, error) {
	if err := checkSought(friendlyName); err != nil {
		return MessagingService{}, err
	}
	return findAmong(h.MessagingServices(ctx), "messaging service", friendlyName,
		func(s MessagingService) bool { return s.FriendlyName == friendlyName })
}

// ConfigureMessagingService sets what of settings is not nil. Setting the same again is no error. Settings that take a webhook for
// inbound messages away are held against the other one first, which costs a request: see [ErrInboundLost].
func (h *Handle) ConfigureMessagingService(ctx context.Context, sid string, settings MessagingServiceSettings) (MessagingService, error) {
	if err := h.check(ctx, checkSID("MG", sid), settings.check()); err != nil {
		return MessagingService{}, err
	}
	if settings.isEmpty() {
		return MessagingService{}, errNothingSet
	}
	if settings.mayLoseInbound() {
		is, err := h.MessagingService(ctx, sid)
		if err != nil {
			return MessagingService{}, err
		}
		if err := settings.checkTaking(is); err != nil {
			return MessagingService{}, err
		}
	}
	call := h.call(ctx).Repeatable().Single()
	service := msg.NewApiService(call.Handler())
	raw, err := service.UpdateService(sid, settings.updating())
	if codeOf(err) == codeNothingChanged {
		raw, err = service.FetchService(sid)
	}
	return answered(call, h.sid, sid, raw, err, newMessagingService)
}

// DeleteMessagingService deletes a messaging service, which cannot be undone. Its numbers stay the account's, in no service. It is
// fetched first: one that is not there is [ErrNotFound].
func (h *Handle) DeleteMessagingService(ctx context.Context, sid string) error {
	if err := h.check(ctx, checkSID("MG", sid)); err != nil {
		return err
	}
	if _, err := h.MessagingService(ctx, sid); err != nil {
		return err
	}
	call := h.call(ctx).Single()
	return deleted(call.Typed(msg.NewApiService(call.Handler()).DeleteService(sid)))
}

func (s MessagingServiceSettings) check() error {
	if s.FriendlyName != nil {
		if err := checkName("friendly name", *s.FriendlyName); err != nil {
			return err
		}
	}
	if s.Validity != nil {
		if err := checkValidity(*s.Validity); err != nil {
			return err
		}
	}
	return firstOf(
		checkURL("InboundURL", s.InboundURL), checkMethod("InboundMethod", s.InboundMethod),
		checkURL("FallbackURL", s.FallbackURL), checkMethod("FallbackMethod", s.FallbackMethod),
		checkURL("StatusCallback", s.StatusCallback),
		checkOneOf("ScanContent", s.ScanContent, "inherit", "enable", "disable"),
		checkOneOf("UseCase", s.UseCase, "notifications", "marketing", "verification", "discussion", "poll", "undeclared"),
	)
}

// forNew makes the choice that keeps inbound messages, where none was made.
func (s MessagingServiceSettings) forNew() MessagingServiceSettings {
	if value(s.InboundURL) == "" && s.UseNumberWebhook == nil {
		s.UseNumberWebhook = new(true)
	}
	return s
}

func (s MessagingServiceSettings) isEmpty() bool {
	s.LoseInbound = false
	return s == MessagingServiceSettings{}
}

// mayLoseInbound is true for settings that take a webhook away.
func (s MessagingServiceSettings) mayLoseInbound() bool {
	return !s.LoseInbound && (s.InboundURL != nil && *s.InboundURL == "" || s.UseNumberWebhook != nil && !*s.UseNumberWebhook)
}

// checkTaking refuses settings that take the last webhook away; that there was none before is not their fault.
func (s MessagingServiceSettings) checkTaking(is MessagingService) error {
	if !s.mayLoseInbound() {
		return nil
	}
	return s.checkInbound(is)
}

// checkInbound refuses to leave a service without a webhook for inbound messages.
func (s MessagingServiceSettings) checkInbound(is MessagingService) error {
	if s.InboundURL != nil {
		is.InboundURL = *s.InboundURL
	}
	if s.UseNumberWebhook != nil {
		is.UseNumberWebhook = *s.UseNumberWebhook
	}
	if s.LoseInbound || !is.LosesInbound() {
		return nil
	}
	const text = "the service would have neither InboundURL nor UseNumberWebhook"
	return &Error{Message: text, Err: ErrInboundLost, verdict: ErrConflict}
}

func (s MessagingServiceSettings) seconds() *int {
	if s.Validity == nil {
		return nil
	}
	return new(int(s.Validity.Seconds()))
}

func (s MessagingServiceSettings) creating() *msg.CreateServiceParams {
	return &msg.CreateServiceParams{
		FriendlyName:      s.FriendlyName,
		InboundRequestUrl: s.InboundURL, InboundMethod: s.InboundMethod,
		FallbackUrl: s.FallbackURL, FallbackMethod: s.FallbackMethod,
		UseInboundWebhookOnNumber: s.UseNumberWebhook,
		StatusCallback:            s.StatusCallback,
		StickySender:              s.StickySender,
		MmsConverter:              s.MMSConverter,
		SmartEncoding:             s.SmartEncoding,
		AreaCodeGeomatch:          s.AreaCodeMatch,
		ScanMessageContent:        s.ScanContent,
		ValidityPeriod:            s.seconds(),
		Usecase:                   s.UseCase,
	}
}

func (s MessagingServiceSettings) updating() *msg.UpdateServiceParams {
	return (*msg.UpdateServiceParams)(s.creating())
}

// butFor leaves of the settings what is not so already.
func (s MessagingServiceSettings) butFor(is MessagingService) MessagingServiceSettings {
	dropIfSo(&s.FriendlyName, is.FriendlyName)
	dropIfSo(&s.InboundURL, is.InboundURL)
	dropIfSo(&s.InboundMethod, is.InboundMethod)
	dropIfSo(&s.FallbackURL, is.FallbackURL)
	dropIfSo(&s.FallbackMethod, is.FallbackMethod)
	dropIfSo(&s.UseNumberWebhook, is.UseNumberWebhook)
	dropIfSo(&s.StatusCallback, is.StatusCallback)
	dropIfSo(&s.StickySender, is.StickySender)
	dropIfSo(&s.MMSConverter, is.MMSConverter)
	dropIfSo(&s.SmartEncoding, is.SmartEncoding)
	dropIfSo(&s.AreaCodeMatch, is.AreaCodeMatch)
	dropIfSo(&s.ScanContent, is.ScanContent)
	dropIfSo(&s.Validity, is.Validity)
	dropIfSo(&s.UseCase, is.UseCase)
	return s
}

func (s MessagingService) identity() (sid, kind, account string) { return s.SID, "MG", s.AccountSID }

func newMessagingService(raw *msg.MessagingV1Service) MessagingService {
	return MessagingService{
		SID:          value(raw.Sid),
		AccountSID:   value(raw.AccountSid),
		FriendlyName: value(raw.FriendlyName),

		InboundURL: value(raw.InboundRequestUrl), InboundMethod: value(raw.InboundMethod),
		FallbackURL: value(raw.FallbackUrl), FallbackMethod: value(raw.FallbackMethod),
		UseNumberWebhook: value(raw.UseInboundWebhookOnNumber),

		StatusCallback: value(raw.StatusCallback),
		StickySender:   value(raw.StickySender),
		MMSConverter:   value(raw.MmsConverter),
		SmartEncoding:  value(raw.SmartEncoding),
		AreaCodeMatch:  value(raw.AreaCodeGeomatch),
		ScanContent:    value(raw.ScanMessageContent),
		Validity:       time.Duration(raw.ValidityPeriod) * time.Second,
		UseCase:        value(raw.Usecase),

		A2PRegistered: value(raw.UsAppToPersonRegistered),

		DateCreated: value(raw.DateCreated),
		DateUpdated: value(raw.DateUpdated),
	}
}
