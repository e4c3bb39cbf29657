package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

// Error is an error in the JSON of any example. All members are always there; those of an answer are 0 and "" where Twilio did
// not answer.
type Error struct {
	Kind      string `json:"kind"`
	Code      int    `json:"code"`
	Status    int    `json:"status"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
	MoreInfo  string `json:"more_info"`
}

// NewError returns nil for nil.
func NewError(err error) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: kindOf(err).name, Message: oneLine(err)}
	var storeErr *twilioacct.StoreError
	var theirs *twilioacct.Error
	switch {
	case errors.As(err, &storeErr):
		e.Message = strings.TrimPrefix(oneLine(storeErr), "twilioacct: store: ") // the kind says it
	case errors.As(err, &theirs):
		e.Code, e.Status, e.RequestID, e.MoreInfo = theirs.Code, theirs.Status, theirs.RequestID, theirs.MoreInfo
		e.Message = said(theirs)
	}
	return e
}

// said is what Twilio said, or else the network.
func said(e *twilioacct.Error) string {
	var words []string
	if e.Message != "" {
		words = append(words, e.Message)
	}
	if e.Err != nil && !errors.Is(e.Err, twilioacct.ErrInvalid) {
		words = append(words, e.Err.Error())
	}
	return Plain(strings.Join(words, ": "))
}

// Line says in one line what went wrong with an account.
func Line(sid string, err error) string { return SID(sid) + ": " + Sentence(err) }

// Sentence names the kind of an error, what Twilio's support would ask for, what was said, and what to do.
func Sentence(err error) string {
	e := NewError(err)
	var facts []string
	if e.Code != 0 {
		facts = append(facts, fmt.Sprintf("code %d", e.Code))
	}
	if e.RequestID != "" {
		facts = append(facts, "request "+e.RequestID)
	}
	name := e.Kind
	if len(facts) > 0 {
		name += " (" + strings.Join(facts, ", ") + ")"
	}
	return name + ": " + strings.TrimRight(e.Message, ".?") + ". " + kindOf(err).advice
}

// kind is how a program branches on an error, and what a person does about it.
type kind struct {
	of     error
	name   string
	advice string
}

// kinds are in the order of asking: that an outcome is not known matters more than why.
var kinds = []kind{
	{twilioacct.ErrOutcomeUnknown, "outcome_unknown", "Look at Twilio before you try again: it may have been done."},
	{twilioacct.ErrNotFound, "not_found", "Check the SID: Twilio shows this parent no such account."},
	{twilioacct.ErrUnauthenticated, "unauthenticated", "Check TWILIO_ACCOUNT_SID and its token, or use a main API key."},
	{twilioacct.ErrForbidden, "forbidden", "Use the credentials of the parent that owns the account."},
	{twilioacct.ErrRateLimited, "rate_limited", "Wait a while, then run it again."},
	{twilioacct.ErrSuspended, "suspended", "Reactivate the account, or ask Twilio why it was suspended."},
	{twilioacct.ErrClosed, "closed", "A closed account never comes back: take it off your list."},
	{twilioacct.ErrConflict, "conflict", "Look at what is there now."},
	{twilioacct.ErrAmbiguous, "ambiguous", "Say which one is meant, by its SID."},
	{twilioacct.ErrInvalid, "invalid", "Mend it: as it is, it can never work."},
	{twilioacct.ErrUnavailable, "unavailable", "Check the network and https://status.twilio.com, then run it again."},
	{context.Canceled, "other", "It was interrupted: run it again."},
}

var (
	storeKind        = kind{nil, "store", "Check the database, then run it again."}
	interruptedStore = kind{nil, "store", "It was interrupted: run it again."}
	otherKind        = kind{nil, "other", "If it stays so, that is all there is to go by."}
)

func kindOf(err error) kind {
	// Whatever lies below a failure of the store, such as a conflict, is the store's and not Twilio's.
	var storeErr *twilioacct.StoreError
	switch {
	case errors.As(err, &storeErr) && errors.Is(storeErr, context.Canceled):
		return interruptedStore
	case storeErr != nil, errors.Is(err, setup.ErrStore):
		return storeKind
	}
	for _, k := range kinds {
		if errors.Is(err, k.of) {
			return k
		}
	}
	return otherKind
}

// oneLine is the error's text without the line ends that joined errors have.
func oneLine(err error) string { return Plain(err.Error()) }

// Plain is a text of somebody else's as one line of a terminal shows it: without line ends, tabs and control characters.
func Plain(s string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(visible), " ")
}

var (
	aSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	// Twilio's auth tokens have 32 hex digits; somebody may have put one in the place of a SID, or behind it.
	aToken = regexp.MustCompile(`[0-9a-fA-F]{32}`)
)

// SID is how an argument is shown: as it is, unless there may be an auth token in it.
func SID(arg string) string {
	if !aSID.MatchString(arg) && aToken.MatchString(arg) {
		return arg[:4] + "…"
	}
	return arg
}
