package twilioacct

import (
	"context"
	"iter"
	"strconv"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
	"github.com/twilioacct/twilioacct/internal/rest"
)

// PhoneNumber is a number that an account owns.
//
// Of what handles a call, a trunk counts before an application, and that before the voice URL; of what handles a message, an
// application before the SMS URL, and a messaging service that the number is in before both.
//
// https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
type PhoneNumber struct {
	SID          string // PN…; it stays when the number moves to another account
	AccountSID   string
	PhoneNumber  string // E.164: + and up to 15 digits
	FriendlyName string
	Capabilities Capabilities

	VoiceURL, VoiceMethod                 string
	VoiceFallbackURL, VoiceFallbackMethod string
	VoiceApplicationSID                   string // AP…
	TrunkSID                              string // TK…

	SMSURL, SMSMethod                 string
	SMSFallbackURL, SMSFallbackMethod string
	SMSApplicationSID                 string // AP…

	StatusCallback, StatusCallbackMethod string

	AddressRequirements string // none, any, local or foreign
	AddressSID          string // AD…
	BundleSID           string // BU…
	IdentitySID         string // RI…
	EmergencyAddressSID string // AD…

	Origin      string // twilio or hosted
	DateCreated time.Time
	DateUpdated time.Time
}

// Capabilities are what a number can do.
type Capabilities struct{ Voice, SMS, MMS bool }

// PhoneNumberSettings are what of a number can be set. What is nil stays as it is (at Twilio's default for a new number); a pointer to
// "" empties it, but for the name and the methods. In Go 1.26 new("https://…") is such a pointer.
type PhoneNumberSettings struct {
	FriendlyName *string // up to 64 characters

	VoiceURL, VoiceMethod                 *string // methods are GET and POST
	VoiceFallbackURL, VoiceFallbackMethod *string
	VoiceApplicationSID                   *string // counts before VoiceURL; setting it takes the number off its trunk
	TrunkSID                              *string // counts before both; setting it takes the application away

	SMSURL, SMSMethod                 *string
	SMSFallbackURL, SMSFallbackMethod *string
	SMSApplicationSID                 *string // counts before SMSURL

	StatusCallback, StatusCallbackMethod *string

	AddressSID *string // what the number's country asks for
	BundleSID  *string
}

// PhoneNumberFilter chooses among an account's numbers; the zero value of a field is all of them.
type PhoneNumberFilter struct {
	// PhoneNumber is a part of the number: digits, and * for any one. Twilio finds it anywhere in a number: see [Handle.FindNumber]
	// for a whole one.
	PhoneNumber  string
	FriendlyName string // all of it, exactly
}

// PhoneNumber fetches one of the account's numbers. One of another account is [ErrNotFound].
func (h *Handle) PhoneNumber(ctx context.Context, sid string) (PhoneNumber, error) {
	if err := h.check(ctx, checkSID("PN", sid)); err != nil {
		return PhoneNumber{}, err
	}
	call := h.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).FetchIncomingPhoneNumber(sid, nil)
	return answered(call, h.sid, sid, raw, err, newPhoneNumber)
}

// PhoneNumbers iterates over the account's numbers, as [Provider.Accounts] does over accounts. nil is all of them.
func (h *Handle) PhoneNumbers(ctx context.Context, filter *PhoneNumberFilter) iter.Seq2[PhoneNumber, error] {
	if err := h.check(ctx); err != nil {
		return failed[PhoneNumber](err)
	}
	var f PhoneNumberFilter
	if filter != nil {
		f = *filter
	}
	return listNumbers(ctx, h.call(ctx), h.sid, f)
}

func listNumbers(ctx context.Context, call *rest.Call, account string, f PhoneNumberFilter) iter.Seq2[PhoneNumber, error] {
	params := new(api.ListIncomingPhoneNumberParams).SetPathAccountSid(account).SetPageSize(largestPage)
	if f.PhoneNumber != "" {
		params.SetPhoneNumber(f.PhoneNumber)
	}
	if f.FriendlyName != "" {
		params.SetFriendlyName(f.FriendlyName)
	}
	service := api.NewApiService(call.Lean().Handler())
	return listed(call, account, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010IncomingPhoneNumber, *string, error) {
		raw, err := service.PageIncomingPhoneNumber(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.IncomingPhoneNumbers, raw.NextPageUri, nil
	}, newPhoneNumber))
}

// FindNumber finds the account's number by all of its digits, in E.164 such as +14155550100. None is [ErrNotFound].
func (h *Handle) FindNumber(ctx context.Context, phoneNumber string) (PhoneNumber, error) {
	if err := h.check(ctx, checkE164("phone number", phoneNumber)); err != nil {
		return PhoneNumber{}, err
	}
	return findNumber(ctx, h.call(ctx), h.sid, phoneNumber)
}

// findNumber reads all that Twilio's filter finds, which is more than the number itself.
func findNumber(ctx context.Context, call *rest.Call, account, phoneNumber string) (PhoneNumber, error) {
	return findAmong(listNumbers(ctx, call, account, PhoneNumberFilter{PhoneNumber: phoneNumber}), "phone number", phoneNumber,
		func(n PhoneNumber) bool { return n.PhoneNumber == phoneNumber })
}

// NumberOrder is a number to buy: a certain one, or any of an area.
type NumberOrder struct {
	PhoneNumber string // in E.164, as [Handle.SearchNumbers] finds it
	AreaCode    int    // of the US or Canada; Twilio chooses
	Settings    PhoneNumberSettings
}

// BuyNumber buys a number for the account. It costs money, at once and each month until the number is released.
//
// It is never tried twice: of a lost reply nobody knows whether the number was bought, and the error is [ErrOutcomeUnknown]. Then look,
// after a moment, with [Handle.FindNumber], or with [Handle.PhoneNumbers] for the friendly name, before buying again: by area code, give
// it a name of its own. If Twilio's answer is odd, what of it names the number is returned beside the error.
//
// A number that is gone is [ErrConflict]: search again. One that needs an address or a bundle is [ErrInvalid]: pass their SIDs in
// Settings.
func (h *Handle) BuyNumber(ctx context.Context, order NumberOrder) (PhoneNumber, error) {
	if err := h.check(ctx, order.check()); err != nil {
		return PhoneNumber{}, err
	}
	call := h.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).CreateIncomingPhoneNumber(order.params())
	n, err := answered(call, h.sid, "", raw, err, newPhoneNumber)
	if err == nil && order.PhoneNumber != "" && n.PhoneNumber != order.PhoneNumber {
		return n, call.Unexpected("the number bought is " + n.PhoneNumber + ", not " + order.PhoneNumber)
	}
	return n, err
}

func (o NumberOrder) check() error {
	switch {
	case (o.PhoneNumber == "") == (o.AreaCode == 0):
		return invalid("an order needs either PhoneNumber or AreaCode")
	case o.PhoneNumber != "":
		return firstOf(checkE164("PhoneNumber", o.PhoneNumber), o.Settings.check())
	}
	return firstOf(checkAreaCode(o.AreaCode), o.Settings.check())
}

func (o NumberOrder) params() *api.CreateIncomingPhoneNumberParams {
	s := o.Settings
	params := &api.CreateIncomingPhoneNumberParams{
		FriendlyName: s.FriendlyName,
		VoiceUrl:     s.VoiceURL, VoiceMethod: s.VoiceMethod,
		VoiceFallbackUrl: s.VoiceFallbackURL, VoiceFallbackMethod: s.VoiceFallbackMethod,
		VoiceApplicationSid: s.VoiceApplicationSID,
		TrunkSid:            s.TrunkSID,
		SmsUrl:              s.SMSURL, SmsMethod: s.SMSMethod,
		SmsFallbackUrl: s.SMSFallbackURL, SmsFallbackMethod: s.SMSFallbackMethod,
		SmsApplicationSid: s.SMSApplicationSID,
		StatusCallback:    s.StatusCallback, StatusCallbackMethod: s.StatusCallbackMethod,
		AddressSid: s.AddressSID,
		BundleSid:  s.BundleSID,
	}
	if o.PhoneNumber != "" {
		return params.SetPhoneNumber(o.PhoneNumber)
	}
	return params.SetAreaCode(strconv.Itoa(o.AreaCode))
}

// ConfigureNumber sets what of settings is not nil. Setting the same again is no error.
func (h *Handle) ConfigureNumber(ctx context.Context, sid string, settings PhoneNumberSettings) (PhoneNumber, error) {
	if err := h.check(ctx, checkSID("PN", sid), settings.check()); err != nil {
		return PhoneNumber{}, err
	}
	if settings == (PhoneNumberSettings{}) {
		return PhoneNumber{}, errNothingSet
	}
	return configureNumber(h.call(ctx), h.sid, sid, settings.params())
}

// configureNumber makes a change that, made twice, leaves what it leaves once.
func configureNumber(call *rest.Call, account, sid string, change *api.UpdateIncomingPhoneNumberParams) (PhoneNumber, error) {
	call.Repeatable().Single()
	service := api.NewApiService(call.Handler())
	raw, err := service.UpdateIncomingPhoneNumber(sid, change.SetPathAccountSid(account))
	if codeOf(err) == codeNothingChanged {
		raw, err = service.FetchIncomingPhoneNumber(sid, new(api.FetchIncomingPhoneNumberParams).SetPathAccountSid(account))
	}
	return answered(call, account, sid, raw, err, newPhoneNumber)
}

// NumberRelease names the number twice, so that no slip releases another.
type NumberRelease struct {
	SID         string // PN…
	PhoneNumber string // in E.164
}

// ReleaseNumber gives the number back to Twilio. It cannot be undone: Twilio may sell the number to anybody. [Provider.TransferNumber]
// keeps a number that one account does not need.
//
// The number is fetched first, and it is [ErrConflict] if SID and PhoneNumber do not belong together. One that is not there (any
// more) is [ErrNotFound]. The release is never tried twice: after a lost reply the error is [ErrOutcomeUnknown], and [Handle.PhoneNumber]
// tells.
func (h *Handle) ReleaseNumber(ctx context.Context, release NumberRelease) error {
	if err := h.check(ctx, checkSID("PN", release.SID), checkE164("PhoneNumber", release.PhoneNumber)); err != nil {
		return err
	}
	n, err := h.PhoneNumber(ctx, release.SID)
	if err != nil {
		return err
	}
	if n.PhoneNumber != release.PhoneNumber {
		return told(ErrConflict, "%s is %s, not %s: nothing was released", release.SID, n.PhoneNumber, release.PhoneNumber)
	}
	call := h.call(ctx).Once().Single()
	return call.Typed(api.NewApiService(call.Handler()).DeleteIncomingPhoneNumber(release.SID, nil))
}

func (s PhoneNumberSettings) check() error {
	if s.FriendlyName != nil {
		if err := checkName("friendly name", *s.FriendlyName); err != nil {
			return err
		}
	}
	if value(s.VoiceApplicationSID) != "" && value(s.TrunkSID) != "" {
		return invalid("VoiceApplicationSID and TrunkSID exclude each other: Twilio would take away the one that is set first")
	}
	return firstOf(
		checkURL("VoiceURL", s.VoiceURL), checkMethod("VoiceMethod", s.VoiceMethod),
		checkURL("VoiceFallbackURL", s.VoiceFallbackURL), checkMethod("VoiceFallbackMethod", s.VoiceFallbackMethod),
		checkURL("SMSURL", s.SMSURL), checkMethod("SMSMethod", s.SMSMethod),
		checkURL("SMSFallbackURL", s.SMSFallbackURL), checkMethod("SMSFallbackMethod", s.SMSFallbackMethod),
		checkURL("StatusCallback", s.StatusCallback), checkMethod("StatusCallbackMethod", s.StatusCallbackMethod),
		checkOptional("VoiceApplicationSID", "AP", value(s.VoiceApplicationSID)),
		checkOptional("SMSApplicationSID", "AP", value(s.SMSApplicationSID)),
		checkOptional("TrunkSID", "TK", value(s.TrunkSID)),
		checkOptional("AddressSID", "AD", value(s.AddressSID)), checkOptional("BundleSID", "BU", value(s.BundleSID)),
	)
}

func (s PhoneNumberSettings) params() *api.UpdateIncomingPhoneNumberParams {
	return &api.UpdateIncomingPhoneNumberParams{
		FriendlyName: s.FriendlyName,
		VoiceUrl:     s.VoiceURL, VoiceMethod: s.VoiceMethod,
		VoiceFallbackUrl: s.VoiceFallbackURL, VoiceFallbackMethod: s.VoiceFallbackMethod,
		VoiceApplicationSid: s.VoiceApplicationSID,
		TrunkSid:            s.TrunkSID,
		SmsUrl:              s.SMSURL, SmsMethod: s.SMSMethod,
		SmsFallbackUrl: s.SMSFallbackURL, SmsFallbackMethod: s.SMSFallbackMethod,
		SmsApplicationSid: s.SMSApplicationSID,
		StatusCallback:    s.StatusCallback, StatusCallbackMethod: s.StatusCallbackMethod,
		AddressSid: s.AddressSID,
		BundleSid:  s.BundleSID,
	}
}

// butFor leaves of the settings what is not so already.
func (s PhoneNumberSettings) butFor(n PhoneNumber) PhoneNumberSettings {
	for _, f := range s.fields(n) {
		dropIfSo(f.setting, f.is)
	}
	return s
}

// names are those of the settings that are not nil.
func (s PhoneNumberSettings) names() []string {
	var names []string
	for _, f := range s.fields(PhoneNumber{}) {
		if *f.setting != nil {
			names = append(names, f.name)
		}
	}
	return names
}

// numberField is a setting beside what the number has.
type numberField struct {
	name    string
	setting **string
	is      string
}

func (s *PhoneNumberSettings) fields(n PhoneNumber) []numberField {
	return []numberField{
		{"FriendlyName", &s.FriendlyName, n.FriendlyName},
		{"VoiceURL", &s.VoiceURL, n.VoiceURL},
		{"VoiceMethod", &s.VoiceMethod, n.VoiceMethod},
		{"VoiceFallbackURL", &s.VoiceFallbackURL, n.VoiceFallbackURL},
		{"VoiceFallbackMethod", &s.VoiceFallbackMethod, n.VoiceFallbackMethod},
		{"VoiceApplicationSID", &s.VoiceApplicationSID, n.VoiceApplicationSID},
		{"TrunkSID", &s.TrunkSID, n.TrunkSID},
		{"SMSURL", &s.SMSURL, n.SMSURL},
		{"SMSMethod", &s.SMSMethod, n.SMSMethod},
		{"SMSFallbackURL", &s.SMSFallbackURL, n.SMSFallbackURL},
		{"SMSFallbackMethod", &s.SMSFallbackMethod, n.SMSFallbackMethod},
		{"SMSApplicationSID", &s.SMSApplicationSID, n.SMSApplicationSID},
		{"StatusCallback", &s.StatusCallback, n.StatusCallback},
		{"StatusCallbackMethod", &s.StatusCallbackMethod, n.StatusCallbackMethod},
		{"AddressSID", &s.AddressSID, n.AddressSID},
		{"BundleSID", &s.BundleSID, n.BundleSID},
	}
}

// mayMessage is false for a number that surely cannot send or receive messages.
func (n PhoneNumber) mayMessage() bool { return n.Capabilities != Capabilities{Voice: true} }

func (n PhoneNumber) identity() (sid, kind, account string) { return n.SID, "PN", n.AccountSID }

func newPhoneNumber(raw *api.ApiV2010IncomingPhoneNumber) PhoneNumber {
	can := value(raw.Capabilities)
	return PhoneNumber{
		SID:          value(raw.Sid),
		AccountSID:   value(raw.AccountSid),
		PhoneNumber:  value(raw.PhoneNumber),
		FriendlyName: value(raw.FriendlyName),
		Capabilities: Capabilities{Voice: can.Voice, SMS: can.Sms, MMS: can.Mms},

		VoiceURL: value(raw.VoiceUrl), VoiceMethod: value(raw.VoiceMethod),
		VoiceFallbackURL: value(raw.VoiceFallbackUrl), VoiceFallbackMethod: value(raw.VoiceFallbackMethod),
		VoiceApplicationSID: value(raw.VoiceApplicationSid),
		TrunkSID:            value(raw.TrunkSid),

		SMSURL: value(raw.SmsUrl), SMSMethod: value(raw.SmsMethod),
		SMSFallbackURL: value(raw.SmsFallbackUrl), SMSFallbackMethod: value(raw.SmsFallbackMethod),
		SMSApplicationSID: value(raw.SmsApplicationSid),

		StatusCallback: value(raw.StatusCallback), StatusCallbackMethod: value(raw.StatusCallbackMethod),

		AddressRequirements: value(raw.AddressRequirements),
		AddressSID:          value(raw.AddressSid),
		BundleSID:           value(raw.BundleSid),
		IdentitySID:         value(raw.IdentitySid),
		EmergencyAddressSID: value(raw.EmergencyAddressSid),

		Origin:      value(raw.Origin),
		DateCreated: parseDate(value(raw.DateCreated)),
		DateUpdated: parseDate(value(raw.DateUpdated)),
	}
}
