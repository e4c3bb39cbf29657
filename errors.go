package twilioacct

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// What went wrong, by kind; ask with errors.Is. The kinds follow from Twilio's code and, where a code is unknown or missing,
// from the HTTP status.
var (
	ErrNotFound        = errors.New("not found")                // 20404
	ErrUnauthenticated = errors.New("authentication failed")    // 20003
	ErrForbidden       = errors.New("forbidden")                // 20403; also an account of somebody else's
	ErrRateLimited     = errors.New("too many requests")        // 20429, HTTP 429
	ErrSuspended       = errors.New("account is suspended")     // 20005
	ErrClosed          = errors.New("account is closed")        // 21479
	ErrConflict        = errors.New("conflicts with the state") // 20409: already there, in use elsewhere, a limit reached
	ErrInvalid         = errors.New("invalid argument")         // 20001; also what is refused before any request
	ErrUnavailable     = errors.New("Twilio is unavailable")    // 20500, HTTP 5xx, no connection, an answer that is not Twilio's
	ErrAmbiguous       = errors.New("more than one matches")

	// ErrOutcomeUnknown says that a change may or may not have happened: look before it is tried again. Below a *StoreError it
	// speaks of the Store, and not of Twilio.
	ErrOutcomeUnknown = errors.New("the outcome is not known")
)

// Error is every failure of a call: what Twilio answered, what the network said instead, or what was wrong with the call
// before anything was sent (Method is "" then). Its text and its fields hold no secret.
//
// errors.Is tells the kind ([ErrNotFound] and the others), and what lies below, such as context.Canceled. errors.As also finds
// twilio-go's own *client.TwilioRestError in it, where Twilio answered.
//
// https://www.twilio.com/docs/api/errors
type Error struct {
	Code      int    // Twilio's code, 0 where there is none
	Status    int    // HTTP status, 0 where no answer came
	Method    string // GET, POST, DELETE
	Path      string // without query
	Message   string
	MoreInfo  string // a page of Twilio's
	RequestID string // what Twilio's support asks for: RQ…

	// SID is what the answer to a change names, where it could not be read otherwise: it may have been made, and cost money.
	SID string

	// RetryAfter is how long Twilio wants to be left alone, 0 where it did not say.
	RetryAfter time.Duration

	// Err is what lies below: a network, context or decoding error, or one of the kinds.
	Err error

	outcomeUnknown bool

	verdict error  // what a 401 turned out to mean, when the parent was asked
	note    string // how that is known, or what to do
}

// newError is where every failure of a request gets its type.
func newError(f *rest.Failure) error {
	e := &Error{
		Code:           f.Code,
		Status:         f.Status,
		Method:         f.Method,
		Path:           f.Path,
		Message:        f.Message,
		MoreInfo:       f.MoreInfo,
		RequestID:      f.RequestID,
		RetryAfter:     f.RetryAfter,
		SID:            f.SID,
		Err:            f.Err,
		outcomeUnknown: f.OutcomeUnknown,
		note:           advice[f.Code],
	}
	if errors.Is(f.Err, rest.ErrInvalidRequest) {
		e.Err = ErrInvalid
	}
	return e
}

// invalid is the error of a call that nothing was sent for.
func invalid(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), Err: ErrInvalid}
}

// told is the error of a call that Twilio answered, and well, but whose answer means that.
func told(kind error, format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), verdict: kind}
}

// judged is a refusal with what it turned out to mean.
func judged(refusal, verdict error, note string) error {
	var e *Error
	if !errors.As(refusal, &e) {
		return refusal
	}
	copied := *e
	copied.verdict, copied.note = verdict, note
	return &copied
}

// Error names the request, Twilio's code and message, and the request id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("twilioacct")
	if e.Method != "" {
		fmt.Fprintf(&b, ": %s %s", e.Method, e.Path)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ": code %d", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil && !errors.Is(e.Err, ErrInvalid) {
		b.WriteString(": " + e.Err.Error())
	}
	if e.note != "" {
		b.WriteString(": " + e.note)
	}
	if e.outcomeUnknown {
		b.WriteString(": it is not known whether Twilio acted")
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap returns what lies below.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the failure is of the kind target.
func (e *Error) Is(target error) bool {
	if target == ErrOutcomeUnknown {
		return e.outcomeUnknown
	}
	kind := e.kind()
	return kind != nil && target == kind
}

// As finds twilio-go's error where Twilio answered with one.
func (e *Error) As(target any) bool {
	theirs, ok := target.(**client.TwilioRestError)
	if !ok || e.Status == 0 {
		return false
	}
	*theirs = &client.TwilioRestError{Code: e.Code, Status: e.Status, Message: e.Message, MoreInfo: e.MoreInfo}
	return true
}

func (e *Error) kind() error {
	if e.verdict != nil {
		return e.verdict
	}
	if kind := kindOfCode(e.Code); kind != nil {
		return kind
	}
	if errors.Is(e.Err, ErrInvalid) {
		return ErrInvalid
	}
	if isContext(e.Err) && e.Status < 400 {
		return nil
	}
	if e.Status == 0 && e.Err != nil {
		return ErrUnavailable
	}
	return kindOfStatus(e.Status)
}

// The codes that are asked for one by one.
const (
	codeNotFound         = 20404
	codeNothingChanged   = 20020 // what was to be set is so already
	codeCallHasEnded     = 21220
	codeNumberGone       = 21422 // somebody else has bought it
	codeAlreadyInService = 21710
	codeNotInService     = 21711
	codeInAnotherService = 21712
)

// advice is what to do about a code whose message does not say it.
var advice = map[int]string{
	21210: ownSender,
	21212: ownSender,
	21213: ownSender,
	21218: ownApplication,
	21420: ownApplication,
}

const (
	ownSender      = "From is to be a number of the account's own that can do this; to call, one that was verified for it will do, too"
	ownApplication = "the application is none of this account's: EnsureTwiMLApp makes one"
)

// codeOf is Twilio's code in the error, 0 where there is none.
func codeOf(err error) int {
	var e *Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code
}

// codes is the table of Twilio's codes. A code that is not here goes by its HTTP status.
var codes = map[error][]int{
	ErrNotFound: {
		20404, 20410,
		21471, // a number is moved to an account that is unknown
		21452, // no number is left in the area
		21701, // no such messaging service
		21711, // the number is not in the service
		30005, // a message to a number that nobody has
	},
	ErrUnauthenticated: {
		20003,
		20101, 20102, 20103, 20104, 20105, 20106, 20107, // access tokens
		20151, 20152, 20153, 20154, 20155, 20156, 20157, 20158, 20159, 20160,
		57012, // a webhook's signature does not match
	},
	ErrForbidden: {
		20403, 20006, 20010,
		10002,        // not for trial accounts
		20008,        // not with test credentials
		21101,        // a subaccount cannot have subaccounts
		21215, 21408, // geographic permissions
		21219, 21264, 21608, // a trial account and a number that is not verified
		21218, 21420, // an application of another account
		21473, 21474, // a number is moved to a stranger, or by somebody who is not the parent
		21477,        // the parent itself cannot be suspended or closed
		21606, 21660, // not the account's own sender
		21717,        // the campaign may not do this
		22300,        // barred from buying numbers
		30004, 30007, // a message was blocked or filtered
		30032, 30034, 30037, // a number, a campaign or an account that may not send yet
		30038, // one-time passwords are filtered
		70051, // the key lacks the permission
	},
	ErrRateLimited: {
		20429,
		21611, 30001, // a sender's queue is full
	},
	ErrSuspended: {
		10001, 20005,
		21476, // the parent is suspended
		21478, // Twilio suspended it, and nobody else can lift that
		30002,
	},
	ErrClosed: {21479},
	ErrConflict: {
		20009, 20020, 20162, 20409, 20412,
		21220,                                           // the call has ended already
		30409,                                           // the message is no longer scheduled
		21102, 21301, 21404, 21480, 21714, 30995, 70151, // a limit is reached
		21422,               // the number is gone
		21449, 21450, 21453, // the caller id is verified already
		21472,        // a number is moved to an account that is not active
		21610,        // the recipient has opted out
		21703, 21704, // the messaging service has no sender, or none that fits
		21710, 21712, // the number is in a service already
		30035, // the number is still being set up
	},
	ErrInvalid: {
		20001, 20002, 20004, 20007, 20011, 20012, 20413, 20422, 20423, 20426,
		21201, 21205, 21206, 21208, 21209, 21210, 21211, 21212, 21213, 21214, 21217,
		21401, 21402, 21403, 21405, 21406, 21421,
		21451, 21457, 21458, 21470, 21475, 21481,
		21266, // from a number to itself
		21601, 21602, 21603, 21604, 21612, 21614, 21615, 21617, 21619, 21631, 21635,
		21649, 21650, 21651, 21661, 21702, 21705, 21713, 21715,
		30006, 30044, 30646, 30647,
		35114, 35118, // a schedule that is too early or too late, or without a messaging service
	},
	ErrUnavailable: {
		20500, 20503, 20504,
		30003, 30008, // a handset that cannot be reached, or a reason that nobody knows
	},
}

func kindOfCode(code int) error {
	if code == 0 {
		return nil
	}
	for kind, of := range codes {
		if slices.Contains(of, code) {
			return kind
		}
	}
	return nil
}

func kindOfStatus(status int) error {
	switch status {
	case http.StatusUnauthorized:
		return ErrUnauthenticated
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusNotFound, http.StatusGone:
		return ErrNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return ErrConflict
	case http.StatusTooManyRequests:
		return ErrRateLimited
	case http.StatusRequestTimeout:
		return ErrUnavailable
	}
	switch {
	case status >= 500:
		return ErrUnavailable
	case status >= 400:
		return ErrInvalid
	case status > 0:
		return ErrUnavailable // neither an error nor what was asked for: it is not Twilio's API that answered
	}
	return nil
}

// StoreError is a failure of the [Store]. Where Twilio's side had succeeded by then, the call returns its value as well: an
// account or a number that exists and costs money is never lost because a database was away.
type StoreError struct {
	Op  string // Load, Save, SaveBatch, Scan
	SID string // "" where it is about no single account
	Err error
}

// Error names the operation and the account.
func (e *StoreError) Error() string {
	return fmt.Sprintf("twilioacct: store: %s: %v", strings.TrimSpace(e.Op+" "+e.SID), e.Err)
}

// Unwrap returns the store's own error.
func (e *StoreError) Unwrap() error { return e.Err }

// isStores is true for a failure of the Store, whatever lies below it.
func isStores(err error) bool {
	var theirs *StoreError
	return errors.As(err, &theirs)
}

// ofList is an error that ended a list. That the list itself was not found must not be taken for an item that is not in it; but that
// its account is not there may be said.
func ofList(err error) error {
	var e *Error
	if errors.As(err, &e) && errors.Is(err, ErrNotFound) && e.Path != accountPath(accountIn(e.Path)) {
		return judged(err, ErrUnavailable, "the list itself was not found, which says nothing of what is in it")
	}
	return err
}

// isNone is true if a list was read to its end, and what was looked for is not in it. Only then may it be made.
func isNone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.verdict == ErrNotFound && e.Method == "" //nolint:errorlint // it is the very one
}

// isGone is true if what was asked for is not there, and it was Twilio that said so, or we who saw it: a 404 without a code may be a
// proxy's, and nothing is made, left or forgotten because of that.
func isGone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Is(ErrNotFound) && (e.Code != 0 || e.Status == 0) && !isStores(err)
}
