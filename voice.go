package twilioacct

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
	"github.com/twilioacct/twilioacct/internal/rest"
)

// TwiMLApp is an application of an account: addresses that answer calls and messages, under one SID. A browser's calls begin with the
// application that its access token names; a number can be given to one, too.
//
// https://www.twilio.com/docs/usage/api/applications
type TwiMLApp struct {
	SID          string // AP…
	AccountSID   string
	FriendlyName string

	VoiceURL, VoiceMethod                 string // what calls are answered by
	VoiceFallbackURL, VoiceFallbackMethod string
	CallerIDLookup                        bool // of the caller's name, which costs money for each call

	StatusCallback, StatusCallbackMethod string // who is told that a call has ended

	SMSURL, SMSMethod                 string
	SMSFallbackURL, SMSFallbackMethod string
	MessageStatusCallback             string // who is told what becomes of a message

	PublicConnect bool // other accounts may dial it

	DateCreated time.Time
	DateUpdated time.Time
}

// TwiMLAppSettings are what of a TwiML application can be set, as [PhoneNumberSettings] are of a number.
type TwiMLAppSettings struct {
	FriendlyName *string // up to 64 characters

	VoiceURL, VoiceMethod                 *string // methods are GET and POST
	VoiceFallbackURL, VoiceFallbackMethod *string
	CallerIDLookup                        *bool

	StatusCallback, StatusCallbackMethod *string

	SMSURL, SMSMethod                 *string
	SMSFallbackURL, SMSFallbackMethod *string
	MessageStatusCallback             *string

	PublicConnect *bool
}

// CreateTwiMLApp creates an application of that friendly name: 1 to 64 characters. It costs nothing; an account has 1000 at most
// ([ErrConflict] beyond). It makes a new one each time: see [Handle.EnsureTwiMLApp]. Of a lost reply nobody knows whether it was made: the
// error is then [ErrOutcomeUnknown], nothing is repeated, and [Handle.FindTwiMLApp] tells, after a moment.
func (h *Handle) CreateTwiMLApp(ctx context.Context, friendlyName string, settings TwiMLAppSettings) (TwiMLApp, error) {
	if err := h.check(ctx, checkNamed(friendlyName, settings.FriendlyName), settings.check()); err != nil {
		return TwiMLApp{}, err
	}
	settings.FriendlyName = &friendlyName
	call := h.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).CreateApplication(settings.creating())
	return answered(call, h.sid, "", raw, err, newTwiMLApp)
}

// EnsureTwiMLApp finds the application of that friendly name, and makes it where there is none; then it sets what of settings differs.
// Repeating it changes nothing. Several of that name are [ErrAmbiguous].
//
// Two who ensure the same name at the same moment can each make one.
func (h *Handle) EnsureTwiMLApp(ctx context.Context, friendlyName string, settings TwiMLAppSettings) (TwiMLApp, error) {
	if err := h.check(ctx, checkNamed(friendlyName, settings.FriendlyName), settings.check()); err != nil {
		return TwiMLApp{}, err
	}
	app, err := h.FindTwiMLApp(ctx, friendlyName)
	if isNone(err) {
		return h.CreateTwiMLApp(ctx, friendlyName, settings)
	}
	change := settings.butFor(app)
	if err != nil || change == (TwiMLAppSettings{}) {
		return app, err
	}
	return h.ConfigureTwiMLApp(ctx, app.SID, change)
}

// TwiMLApp fetches one of the account's applications. One of another account is [ErrNotFound].
func (h *Handle) TwiMLApp(ctx context.Context, sid string) (TwiMLApp, error) {
	if err := h.check(ctx, checkSID("AP", sid)); err != nil {
		return TwiMLApp{}, err
	}
	call := h.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).FetchApplication(sid, nil)
	return answered(call, h.sid, sid, raw, err, newTwiMLApp)
}

// applicationsOf refuses what numbers and tokens of the account cannot be given: Twilio would refuse it, too, but only when the rest is
// done. It reads the list until it has seen them all; "" is none.
func applicationsOf(ctx context.Context, call *rest.Call, account string, sids ...string) (found []TwiMLApp, err error) {
	var sought []string
	for _, sid := range sids {
		if sid != "" && !slices.Contains(sought, asWritten(sid)) {
			sought = append(sought, asWritten(sid))
		}
	}
	if len(sought) == 0 {
		return nil, nil
	}
	for app, err := range listTwiMLApps(ctx, call, account, new(api.ListApplicationParams)) {
		if err != nil {
			return nil, ofList(err)
		}
		if i := slices.Index(sought, app.SID); i >= 0 {
			found, sought = append(found, app), slices.Delete(sought, i, i+1)
		}
		if len(sought) == 0 {
			return found, nil
		}
	}
	return nil, told(ErrNotFound, "%s has no application %s (any more): EnsureTwiMLApp makes one", account, strings.Join(sought, ", "))
}

// TwiMLApps iterates over the account's applications, as [Provider.Accounts] does over accounts.
func (h *Handle) TwiMLApps(ctx context.Context) iter.Seq2[TwiMLApp, error] {
	return h.listTwiMLApps(ctx, new(api.ListApplicationParams))
}

// FindTwiMLApp finds the account's application of exactly that friendly name. None is [ErrNotFound]; several are [ErrAmbiguous].
func (h *Handle) FindTwiMLApp(ctx context.Context, friendlyName string) (TwiMLApp, error) {
	if err := checkSought(friendlyName); err != nil {
		return TwiMLApp{}, err
	}
	named := h.listTwiMLApps(ctx, new(api.ListApplicationParams).SetFriendlyName(friendlyName))
	return findAmong(named, "TwiML application", friendlyName, func(a TwiMLApp) bool { return a.FriendlyName == friendlyName })
}

func (h *Handle) listTwiMLApps(ctx context.Context, params *api.ListApplicationParams) iter.Seq2[TwiMLApp, error] {
	if err := h.check(ctx); err != nil {
		return failed[TwiMLApp](err)
	}
	return listTwiMLApps(ctx, h.call(ctx), h.sid, params)
}

func listTwiMLApps(
	ctx context.Context, call *rest.Call, account string, params *api.ListApplicationParams,
) iter.Seq2[TwiMLApp, error] {
	params.SetPathAccountSid(account).SetPageSize(largestPage)
	service := api.NewApiService(call.Handler())
	return listed(call, account, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Application, *string, error) {
		raw, err := service.PageApplication(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Applications, raw.NextPageUri, nil
	}, newTwiMLApp))
}

// ConfigureTwiMLApp sets what of settings is not nil. Setting the same again is no error.
func (h *Handle) ConfigureTwiMLApp(ctx context.Context, sid string, settings TwiMLAppSettings) (TwiMLApp, error) {
	if err := h.check(ctx, checkSID("AP", sid), settings.check()); err != nil {
		return TwiMLApp{}, err
	}
	if settings == (TwiMLAppSettings{}) {
		return TwiMLApp{}, errNothingSet
	}
	call := h.call(ctx).Repeatable().Single()
	service := api.NewApiService(call.Handler())
	raw, err := service.UpdateApplication(sid, settings.updating())
	if codeOf(err) == codeNothingChanged {
		raw, err = service.FetchApplication(sid, nil)
	}
	return answered(call, h.sid, sid, raw, err, newTwiMLApp)
}

// DeleteTwiMLApp deletes an application, which cannot be undone: numbers that it answers, and tokens that name it, reach nothing. It is
// fetched first: one that is not there is [ErrNotFound].
func (h *Handle) DeleteTwiMLApp(ctx context.Context, sid string) error {
	if _, err := h.TwiMLApp(ctx, sid); err != nil {
		return err
	}
	call := h.call(ctx).Single()
	return deleted(call.Typed(api.NewApiService(call.Handler()).DeleteApplication(sid, nil)))
}

func (s TwiMLAppSettings) check() error {
	if s.FriendlyName != nil {
		if err := checkName("friendly name", *s.FriendlyName); err != nil {
			return err
		}
	}
	return firstOf(
		checkURL("VoiceURL", s.VoiceURL), checkMethod("VoiceMethod", s.VoiceMethod),
		checkURL("VoiceFallbackURL", s.VoiceFallbackURL), checkMethod("VoiceFallbackMethod", s.VoiceFallbackMethod),
		checkURL("StatusCallback", s.StatusCallback), checkMethod("StatusCallbackMethod", s.StatusCallbackMethod),
		checkURL("SMSURL", s.SMSURL), checkMethod("SMSMethod", s.SMSMethod),
		checkURL("SMSFallbackURL", s.SMSFallbackURL), checkMethod("SMSFallbackMethod", s.SMSFallbackMethod),
		checkURL("MessageStatusCallback", s.MessageStatusCallback),
	)
}

func (s TwiMLAppSettings) creating() *api.CreateApplicationParams {
	return &api.CreateApplicationParams{
		FriendlyName: s.FriendlyName,
		VoiceUrl:     s.VoiceURL, VoiceMethod: s.VoiceMethod,
		VoiceFallbackUrl: s.VoiceFallbackURL, VoiceFallbackMethod: s.VoiceFallbackMethod,
		VoiceCallerIdLookup: s.CallerIDLookup,
		StatusCallback:      s.StatusCallback, StatusCallbackMethod: s.StatusCallbackMethod,
		SmsUrl: s.SMSURL, SmsMethod: s.SMSMethod,
		SmsFallbackUrl: s.SMSFallbackURL, SmsFallbackMethod: s.SMSFallbackMethod,
		MessageStatusCallback:           s.MessageStatusCallback,
		PublicApplicationConnectEnabled: s.PublicConnect,
	}
}

func (s TwiMLAppSettings) updating() *api.UpdateApplicationParams {
	c := s.creating()
	return &api.UpdateApplicationParams{
		FriendlyName: c.FriendlyName,
		VoiceUrl:     c.VoiceUrl, VoiceMethod: c.VoiceMethod,
		VoiceFallbackUrl: c.VoiceFallbackUrl, VoiceFallbackMethod: c.VoiceFallbackMethod,
		VoiceCallerIdLookup: c.VoiceCallerIdLookup,
		StatusCallback:      c.StatusCallback, StatusCallbackMethod: c.StatusCallbackMethod,
		SmsUrl: c.SmsUrl, SmsMethod: c.SmsMethod,
		SmsFallbackUrl: c.SmsFallbackUrl, SmsFallbackMethod: c.SmsFallbackMethod,
		MessageStatusCallback:           c.MessageStatusCallback,
		PublicApplicationConnectEnabled: c.PublicApplicationConnectEnabled,
	}
}

// butFor leaves of the settings what is not so already.
func (s TwiMLAppSettings) butFor(is TwiMLApp) TwiMLAppSettings {
	dropIfSo(&s.FriendlyName, is.FriendlyName)
	dropIfSo(&s.VoiceURL, is.VoiceURL)
	dropIfSo(&s.VoiceMethod, is.VoiceMethod)
	dropIfSo(&s.VoiceFallbackURL, is.VoiceFallbackURL)
	dropIfSo(&s.VoiceFallbackMethod, is.VoiceFallbackMethod)
	dropIfSo(&s.CallerIDLookup, is.CallerIDLookup)
	dropIfSo(&s.StatusCallback, is.StatusCallback)
	dropIfSo(&s.StatusCallbackMethod, is.StatusCallbackMethod)
	dropIfSo(&s.SMSURL, is.SMSURL)
	dropIfSo(&s.SMSMethod, is.SMSMethod)
	dropIfSo(&s.SMSFallbackURL, is.SMSFallbackURL)
	dropIfSo(&s.SMSFallbackMethod, is.SMSFallbackMethod)
	dropIfSo(&s.MessageStatusCallback, is.MessageStatusCallback)
	dropIfSo(&s.PublicConnect, is.PublicConnect)
	return s
}

func (a TwiMLApp) identity() (sid, kind, account string) { return a.SID, "AP", a.AccountSID }

func newTwiMLApp(raw *api.ApiV2010Application) TwiMLApp {
	return TwiMLApp{
		SID:          value(raw.Sid),
		AccountSID:   value(raw.AccountSid),
		FriendlyName: value(raw.FriendlyName),

		VoiceURL: value(raw.VoiceUrl), VoiceMethod: value(raw.VoiceMethod),
		VoiceFallbackURL: value(raw.VoiceFallbackUrl), VoiceFallbackMethod: value(raw.VoiceFallbackMethod),
		CallerIDLookup: value(raw.VoiceCallerIdLookup),

		StatusCallback: value(raw.StatusCallback), StatusCallbackMethod: value(raw.StatusCallbackMethod),

		SMSURL: value(raw.SmsUrl), SMSMethod: value(raw.SmsMethod),
		SMSFallbackURL: value(raw.SmsFallbackUrl), SMSFallbackMethod: value(raw.SmsFallbackMethod),
		MessageStatusCallback: value(raw.MessageStatusCallback),

		PublicConnect: value(raw.PublicApplicationConnectEnabled),

		DateCreated: parseDate(value(raw.DateCreated)),
		DateUpdated: parseDate(value(raw.DateUpdated)),
	}
}
