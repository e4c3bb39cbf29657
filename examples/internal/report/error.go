package report

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
		e.Message = Plain(strings.Replace(err.Error(), theirs.Error(), said(theirs), 1))
	}
	return e
}

// said is the error's text without the request, whose facts stand beside it: what Twilio said, or else the network, and how the
// library explains it.
func said(e *twilioacct.Error) string {
	request := &twilioacct.Error{Method: e.Method, Path: e.Path, Status: e.Status, Code: e.Code}
	text := strings.TrimPrefix(e.Error(), request.Error())
	text = strings.TrimSuffix(text, " (request "+e.RequestID+")")
	return strings.TrimPrefix(text, ": ")
}

// Line says in one line what went wrong with an account; "" stands for one whose SID nobody knows.
func Line(sid string, err error) string {
	if sid == "" {
		return Sentence(err)
	}
	return Plain(SID(sid)) + ": " + Sentence(err)
}

// DocumentLine is Line for an account's document, which is named where its key is not the SID.
func DocumentLine(id, sid string, err error) string { return OfDocument(id, sid, Line(sid, err)) }

// OfDocument begins a line with the document that it is about, where its key is not the SID.
func OfDocument(id, sid, line string) string {
	if id == "" || id == sid {
		return line
	}
	return "document " + Plain(Readable(id)) + ": " + line
}

// Sentence names the kind of an error, what Twilio's support would ask for, what was said, and what somebody at a terminal does.
func Sentence(err error) string { return sentence(err, "run it again") }

// PageSentence is Sentence for somebody who looks at a page, and runs nothing.
func PageSentence(err error) string { return sentence(err, "try again in a minute") }

func sentence(err error, again string) string {
	e := NewError(err)
	var facts []string
	if e.Code != 0 {
		facts = append(facts, fmt.Sprintf("code %d", e.Code))
	}
	if e.RequestID != "" {
		facts = append(facts, "request "+e.RequestID)
	}
	text := e.Kind
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	if e.Message != "" {
		text += ": " + Readable(e.Message)
	}
	return strings.TrimSpace(ended(text) + " " + strings.ReplaceAll(advice(err), toRepeat, again))
}

// ended has a full stop, unless it ends as a sentence does already.
func ended(text string) string {
	if strings.ContainsAny(text[len(text)-1:], ".?!") {
		return text
	}
	return text + "."
}

// advice is what a person does about the error. What nobody at Twilio has said is explained by its own words.
func advice(err error) string {
	k := kindOf(err)
	var theirs *twilioacct.Error
	isTwilios := errors.As(err, &theirs)
	switch {
	case isTwilios && isMissingList(theirs):
		return "Check the account's SID, and TWILIO_BASE_URL if it is set."
	case k.elsewhere == nil:
		return k.advice
	case !isTwilios || isOwnFinding(theirs):
		return ""
	case theirs.Path == "" || accountPath.MatchString(theirs.Path):
		return k.advice
	}
	return k.elsewhere(theirs)
}

// isOwnFinding is true for what the library has concluded, with no answer to blame.
func isOwnFinding(e *twilioacct.Error) bool { return e.Method == "" && e.Code == 0 && e.Status == 0 }

// isMissingList is true where Twilio has no list to look into: the network is fine, and trying again helps nobody.
func isMissingList(e *twilioacct.Error) bool {
	return e.Status == http.StatusNotFound && errors.Is(e, twilioacct.ErrUnavailable)
}

// accountPath is that of an account itself, or of all accounts.
var accountPath = regexp.MustCompile(`^/2010-04-01/Accounts(/AC[0-9a-fA-F]{32})?\.json$`)

// checkSID is what to do about a number, a service or a message that is not there.
func checkSID(*twilioacct.Error) string { return "Check the SID, and which account it belongs to." }

// readPage is what to do where Twilio's page on the code knows more than anybody here.
func readPage(e *twilioacct.Error) string {
	if e.MoreInfo == "" {
		return ""
	}
	return "See " + Plain(e.MoreInfo) + "."
}

// kind is how a program branches on an error, and what a person does about it.
type kind struct {
	of     error
	name   string
	advice string // "" where nobody can know

	// elsewhere is the advice where Twilio speaks of something else than an account; nil: it is always the same.
	elsewhere func(*twilioacct.Error) string
}

// toRepeat stands in an advice for what it is to try again, which is not the same everywhere.
const toRepeat = "{again}"

// kinds are in the order of asking: that an outcome is not known matters more than why.
var kinds = []kind{
	{twilioacct.ErrOutcomeUnknown, "outcome_unknown", "Look at Twilio before you try again: it may have been done.", nil},
	{twilioacct.ErrNotFound, "not_found", "Check the SID: Twilio shows this parent no such account.", checkSID},
	{twilioacct.ErrUnauthenticated, "unauthenticated", "Check TWILIO_ACCOUNT_SID and its token or API key.", nil},
	{twilioacct.ErrForbidden, "forbidden", "Use the credentials of the parent that owns the account.", readPage},
	{twilioacct.ErrRateLimited, "rate_limited", "Wait a while, then " + toRepeat + ".", nil},
	{twilioacct.ErrSuspended, "suspended", "Reactivate the account, or ask Twilio why it was suspended.", nil},
	{twilioacct.ErrClosed, "closed", "A closed account never comes back: take it off your list.", nil},
	{twilioacct.ErrInboundLost, "conflict", "Give the service an inbound URL, or let it use its numbers' own webhooks.", nil},
	{twilioacct.ErrConflict, "conflict", "Look at what is there now.", readPage},
	{twilioacct.ErrAmbiguous, "ambiguous", "Name the one that is meant by its SID, or rename the others.", nil},
	{twilioacct.ErrInvalid, "invalid", "Mend it: as it is, it can never work.", nil},
	{twilioacct.ErrUnavailable, "unavailable", "Check the network and https://status.twilio.com, then " + toRepeat + ".", nil},
	{context.Canceled, "other", "It was interrupted: " + toRepeat + ".", nil},
}

var (
	storeKind        = kind{name: "store", advice: "Check the database, then " + toRepeat + "."}
	interruptedStore = kind{name: "store", advice: "It was interrupted: " + toRepeat + "."}
	otherKind        = kind{name: "other"}
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

// Plain is a text of somebody else's as one line of a terminal shows it: without line ends, tabs, control characters, and those
// that are not seen but change how the rest of the line is: U+202E turns it round.
func Plain(s string) string {
	const notJoined, joined = '\u200c', '\u200d' // names in Persian need them, and so do some emoji
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != notJoined && r != joined:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(visible), " ")
}

// aNumber is a number as MongoDB's extended JSON has it.
var aNumber = regexp.MustCompile(`\{"\$number[A-Z][a-z0-9]+":"([^"]*)"\}`)

// Readable is a text of the store's, such as a document's key, with numbers as people write them: 7, and not {"$numberLong":"7"}.
func Readable(text string) string {
	if !strings.Contains(text, `{"$number`) {
		return text // as most are, of 100,000 documents
	}
	return aNumber.ReplaceAllString(text, "$1")
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
