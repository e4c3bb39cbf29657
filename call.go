package twilioacct

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
	"github.com/twilioacct/twilioacct/internal/rest"
)

// Call is a phone call of an account.
//
// https://www.twilio.com/docs/voice/api/call-resource
type Call struct {
	SID        string // CA…
	AccountSID string
	ParentSID  string // CA…, the call that this one is a leg of
	From, To   string // numbers in E.164, client:… or sip:…
	Status     CallStatus
	Direction  string // inbound, outbound-api, outbound-dial, …

	PhoneNumberSID string // PN… that received it
	AnsweredBy     string // human, machine_start, …, if that was to be detected

	Duration  time.Duration // 0 until it has ended
	Price     string        // a decimal number, negative for a cost; "" until it is known
	PriceUnit string        // a currency, such as USD

	DateCreated time.Time
	DateUpdated time.Time
	StartTime   time.Time // zero until it is dialled
	EndTime     time.Time // zero while it lasts
}

// CallStatus is how far a call has come. Twilio may add others.
type CallStatus string

// The states of a call, the last five for ever.
const (
	CallQueued     CallStatus = "queued"
	CallRinging    CallStatus = "ringing"
	CallInProgress CallStatus = "in-progress"
	CallCompleted  CallStatus = "completed"
	CallBusy       CallStatus = "busy"
	CallFailed     CallStatus = "failed"
	CallNoAnswer   CallStatus = "no-answer"
	CallCanceled   CallStatus = "canceled"
)

// NewCall is a call to place: from somebody, to somebody, and what is said.
type NewCall struct {
	To   string // a number in E.164, client:… or sip:…
	From string // one of the account's own numbers, or one that was verified for it, in E.164; client:… for calls to clients

	URL            string // that answers with TwiML,
	TwiML          string // or the TwiML itself, up to 4000 characters,
	ApplicationSID string // or AP…, an application of the account

	Method                               string   // of URL; "" is POST
	FallbackURL, FallbackMethod          string   // where URL fails
	StatusCallback, StatusCallbackMethod string   // who is told what becomes of the call
	StatusEvents                         []string // which it is told of: initiated, ringing, answered, completed; none is completed

	RingTime  time.Duration // until nobody answers, up to 10 minutes; 0 is a minute
	TimeLimit time.Duration // until it is ended; 0 is Twilio's limit
	Record    bool
	Digits    string // that are dialled once somebody has answered: 0-9, A-D, #, * and w for half a second

	MachineDetection string // Enable or DetectMessageEnd; "" is none
}

// PlaceCall places a call, which costs money once somebody answers. It is queued at first: see Call.Status.
//
// It is never tried twice: somebody's phone would ring twice. Of a lost reply nobody knows whether it was placed, and the error is
// [ErrOutcomeUnknown]; [Handle.Calls] tells. A From that is not the account's is [ErrInvalid] (21210, 21212, 21213), and so is a To that
// is no number; a country that calls are not allowed to is [ErrForbidden] (21215), and so is a trial account's unverified To (21219).
func (h *Handle) PlaceCall(ctx context.Context, c NewCall) (Call, error) {
	if err := h.check(ctx, c.check()); err != nil {
		return Call{}, err
	}
	call := h.call(ctx).Single().Lean()
	raw, err := api.NewApiService(call.Handler()).CreateCall(c.params())
	return answered(call, h.sid, "", raw, err, newCall)
}

func (c NewCall) check() error {
	const longestTwiML = 4000
	switch n := utf8.RuneCountInString(c.TwiML); {
	case c.To == "":
		return invalid("a call needs To, whom to call")
	case c.From == "":
		return invalid("a call needs From, a number of the account's own")
	case countGiven(c.URL, c.TwiML, c.ApplicationSID) != 1:
		return invalid("a call needs one of URL, TwiML and ApplicationSID")
	case n > longestTwiML:
		return invalid("TwiML has %d characters: %d are the most", n, longestTwiML)
	case c.Method != "" && c.URL == "":
		return invalid("Method is that of URL, which is not given")
	case !isOf(digits+"ABCDabcd#*wW", c.Digits):
		return invalid("Digits %q has others than 0-9, A-D, #, * and w", c.Digits)
	}
	return firstOf(
		c.checkTimes(), c.checkEvents(),
		checkParty("To", c.To), checkParty("From", c.From),
		checkOptional("ApplicationSID", "AP", c.ApplicationSID),
		checkURL("URL", &c.URL), checkMethod("Method", given(c.Method)),
		checkURL("FallbackURL", &c.FallbackURL), checkMethod("FallbackMethod", given(c.FallbackMethod)),
		checkURL("StatusCallback", &c.StatusCallback), checkMethod("StatusCallbackMethod", given(c.StatusCallbackMethod)),
		checkOneOf("MachineDetection", given(c.MachineDetection), "Enable", "DetectMessageEnd"),
	)
}

func (c NewCall) checkTimes() error {
	const longestRing = 10 * time.Minute
	if c.RingTime < 0 || c.RingTime > longestRing || c.RingTime%time.Second != 0 {
		return invalid("RingTime %v is not up to 10 minutes, in whole seconds", c.RingTime)
	}
	if c.TimeLimit < 0 || c.TimeLimit%time.Second != 0 {
		return invalid("TimeLimit %v is not in whole seconds", c.TimeLimit)
	}
	return nil
}

func (c NewCall) checkEvents() error {
	for _, event := range c.StatusEvents {
		if err := checkOneOf("StatusEvents", &event, "initiated", "ringing", "answered", "completed"); err != nil {
			return err
		}
	}
	if len(c.StatusEvents) > 0 && c.StatusCallback == "" {
		return invalid("StatusEvents are told to StatusCallback, which is not given")
	}
	return nil
}

// checkParty is checkAddress, but for numbers without their plus sign: whoever calls is no short code.
func checkParty(what, s string) error {
	if isOf(digits+" ().-", s) {
		return checkE164(what, s)
	}
	return checkAddress(what, s)
}

func (c NewCall) params() *api.CreateCallParams {
	params := new(api.CreateCallParams).SetTo(c.To).SetFrom(c.From)
	params.Url, params.Twiml, params.ApplicationSid = given(c.URL), given(c.TwiML), given(c.ApplicationSID)
	params.Method = given(c.Method)
	params.FallbackUrl, params.FallbackMethod = given(c.FallbackURL), given(c.FallbackMethod)
	params.StatusCallback, params.StatusCallbackMethod = given(c.StatusCallback), given(c.StatusCallbackMethod)
	params.SendDigits, params.MachineDetection = given(c.Digits), given(c.MachineDetection)
	if len(c.StatusEvents) > 0 {
		params.SetStatusCallbackEvent(c.StatusEvents)
	}
	if c.RingTime > 0 {
		params.SetTimeout(int(c.RingTime.Seconds()))
	}
	if c.TimeLimit > 0 {
		params.SetTimeLimit(int(c.TimeLimit.Seconds()))
	}
	if c.Record {
		params.SetRecord(true)
	}
	return params
}

// Call fetches one of the account's calls.
func (h *Handle) Call(ctx context.Context, sid string) (Call, error) {
	if err := h.check(ctx, checkSID("CA", sid)); err != nil {
		return Call{}, err
	}
	call := h.call(ctx).Single().Lean()
	raw, err := api.NewApiService(call.Handler()).FetchCall(sid, nil)
	return answered(call, h.sid, sid, raw, err, newCall)
}

// CallFilter chooses among an account's calls; the zero value of a field is all of them.
type CallFilter struct {
	To, From      string
	Status        CallStatus
	ParentSID     string    // CA…, whose legs they are
	StartedAfter  time.Time // from that day on, in UTC
	StartedBefore time.Time // before that day, in UTC
}

// Calls iterates over the account's calls, newest first, as [Provider.Accounts] does over accounts. nil is all of them.
func (h *Handle) Calls(ctx context.Context, filter *CallFilter) iter.Seq2[Call, error] {
	var f CallFilter
	if filter != nil {
		f = *filter
	}
	if err := h.check(ctx, f.check()); err != nil {
		return failed[Call](err)
	}
	return listCalls(ctx, h.call(ctx), h.sid, f)
}

func (f CallFilter) check() error {
	return firstOf(checkAddress("To", f.To), checkAddress("From", f.From), checkOptional("ParentSID", "CA", f.ParentSID))
}

func listCalls(ctx context.Context, call *rest.Call, account string, f CallFilter) iter.Seq2[Call, error] {
	params := new(api.ListCallParams).SetPathAccountSid(account).SetPageSize(largestPage)
	params.To, params.From, params.ParentCallSid = given(f.To), given(f.From), given(f.ParentSID)
	params.Status = given(string(f.Status))
	if !f.StartedAfter.IsZero() {
		params.SetStartTimeAfter(f.StartedAfter.UTC())
	}
	if !f.StartedBefore.IsZero() {
		params.SetStartTimeBefore(f.StartedBefore.UTC())
	}
	service := api.NewApiService(call.Lean().Handler())
	return listed(call, account, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Call, *string, error) {
		raw, err := service.PageCall(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Calls, raw.NextPageUri, nil
	}, newCall))
}

// HangUp ends a call that is queued, ringing or under way, which cannot be undone. One that has ended already is no error.
func (h *Handle) HangUp(ctx context.Context, sid string) (Call, error) {
	if err := h.check(ctx, checkSID("CA", sid)); err != nil {
		return Call{}, err
	}
	c, err := endCall(h.call(ctx), h.sid, sid)
	if codeOf(err) == codeCallHasEnded {
		return h.Call(ctx, sid)
	}
	return c, err
}

// EndCalls ends the calls of the subaccount that are queued, ringing or under way, as the parent: a suspension leaves them running,
// and they cost on. It returns how many it has ended; one that ends by itself meanwhile counts, too. Repeating it is safe.
//
// It makes a request for each call, many at once, after three that look for them. What cannot be ended is in the error, and keeps no
// other from being ended.
//
// https://www.twilio.com/docs/voice/api/call-resource
func (p *Provider) EndCalls(ctx context.Context, sid string) (ended int, err error) {
	sid, err = p.subaccountSID(ctx, sid)
	if err != nil {
		return 0, err
	}
	var live []string
	var unread []error
	for _, status := range []CallStatus{CallQueued, CallRinging, CallInProgress} { // as a call goes on, so that none is passed by
		for c, err := range listCalls(ctx, p.asParent(ctx), sid, CallFilter{Status: status}) {
			if err != nil {
				unread = append(unread, err)
			} else if !slices.Contains(live, c.SID) {
				live = append(live, c.SID)
			}
		}
	}
	errs := eachOf(ctx, live, p.concurrent, func(ctx context.Context, call string) error {
		_, err := endCall(p.asParent(ctx), sid, call)
		if codeOf(err) == codeCallHasEnded {
			return nil
		}
		return err
	})
	return len(live) - len(errs), errors.Join(append(errs, unread...)...)
}

// endCall makes a change that, made twice, leaves what it leaves once.
func endCall(call *rest.Call, account, sid string) (Call, error) {
	call.Repeatable().Single().Lean()
	end := new(api.UpdateCallParams).SetPathAccountSid(account).SetStatus(string(CallCompleted))
	raw, err := api.NewApiService(call.Handler()).UpdateCall(sid, end)
	return answered(call, account, sid, raw, err, newCall)
}

func (c Call) identity() (sid, kind, account string) { return c.SID, "CA", c.AccountSID }

func newCall(raw *api.ApiV2010Call) Call {
	return Call{
		SID:            value(raw.Sid),
		AccountSID:     value(raw.AccountSid),
		ParentSID:      value(raw.ParentCallSid),
		From:           value(raw.From),
		To:             value(raw.To),
		Status:         CallStatus(value(raw.Status)),
		Direction:      value(raw.Direction),
		PhoneNumberSID: value(raw.PhoneNumberSid),
		AnsweredBy:     value(raw.AnsweredBy),
		Duration:       time.Duration(count(value(raw.Duration))) * time.Second,
		Price:          value(raw.Price),
		PriceUnit:      value(raw.PriceUnit),
		DateCreated:    parseDate(value(raw.DateCreated)),
		DateUpdated:    parseDate(value(raw.DateUpdated)),
		StartTime:      parseDate(value(raw.StartTime)),
		EndTime:        parseDate(value(raw.EndTime)),
	}
}
