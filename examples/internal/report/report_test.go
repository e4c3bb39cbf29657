package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const sid = "AC0123456789abcdef0123456789abcdef"

func TestEveryErrorHasOneKind(t *testing.T) {
	t.Parallel()
	for kind, err := range map[string]error{
		"not_found":       twilioacct.ErrNotFound,
		"unauthenticated": twilioacct.ErrUnauthenticated,
		"forbidden":       &twilioacct.Error{Status: 403},
		"rate_limited":    fmt.Errorf("wrapped: %w", twilioacct.ErrRateLimited),
		"suspended":       &twilioacct.Error{Code: 20005, Status: 403},
		"closed":          twilioacct.ErrClosed,
		"conflict":        twilioacct.ErrConflict,
		"ambiguous":       twilioacct.ErrAmbiguous,
		"invalid":         twilioacct.ErrInvalid,
		"unavailable":     &twilioacct.Error{Method: "GET", Err: errors.New("no route to host")},
		"outcome_unknown": errors.Join(twilioacct.ErrUnavailable, twilioacct.ErrOutcomeUnknown),
		"store":           &twilioacct.StoreError{Op: "Save", SID: sid, Err: twilioacct.ErrConflict},
		"other":           errors.New("something else"),
	} {
		assert.Equal(t, kind, report.NewError(err).Kind)
	}
	assert.Equal(t, "store", report.NewError(fmt.Errorf("%w: away", setup.ErrStore)).Kind)
	assert.Equal(t, "other", report.NewError(context.Canceled).Kind)
	assert.Nil(t, report.NewError(nil))
}

func TestTheJSONOfAnErrorAlwaysHasAllItsMembers(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(report.NewError(errors.New("broken")))
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"other","code":0,"status":0,"message":"broken","request_id":"","more_info":""}`, string(got))

	got, err = json.Marshal(report.NewError(&twilioacct.Error{
		Code: 20404, Status: 404, Message: "gone", RequestID: "RQ1", MoreInfo: "https://there",
	}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"not_found","code":20404,"status":404,"message":"gone","request_id":"RQ1","more_info":"https://there"}`,
		string(got))
}

func TestALineIsOneLine(t *testing.T) {
	t.Parallel()
	err := &twilioacct.Error{Method: "GET", Path: "/", Err: errors.Join(context.Canceled, errors.New("interrupt signal received"))}
	assert.Equal(t, sid+": other: context canceled interrupt signal received. It was interrupted: run it again.", report.Line(sid, err))
}

func TestAStoreThatWasInterruptedIsNotBlamed(t *testing.T) {
	t.Parallel()
	err := &twilioacct.StoreError{Op: "Scan", Err: context.Canceled}
	assert.Equal(t, "store: Scan: context canceled. It was interrupted: run it again.", report.Sentence(err))
	err.Err = errors.New("no primary")
	assert.Equal(t, "store: Scan: no primary. Check the database, then run it again.", report.Sentence(err))
}

func TestASentenceEndsAsItDid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"broken": "other: broken.", "broken.": "other: broken.", "is it broken?": "other: is it broken?", "broken!": "other: broken!", "": "other.",
	} {
		assert.Equal(t, want, report.Sentence(errors.New(text)))
	}
	assert.Equal(t, "store: the store cannot be reached: is one running? Check the database, then run it again.",
		report.Sentence(fmt.Errorf("%w: is one running?", setup.ErrStore)))
}

func TestOnAPageNobodyRunsAnything(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		twilioacct.ErrUnavailable, twilioacct.ErrRateLimited, context.Canceled, setup.ErrStore, &twilioacct.StoreError{Err: context.Canceled},
	} {
		assert.Contains(t, report.Sentence(err), "run it again.")
		assert.Contains(t, report.PageSentence(err), "try again in a minute.")
		assert.NotContains(t, report.PageSentence(err), "run it again")
	}
	said := errors.New("{again}")
	assert.Equal(t, "other: {again}.", report.Sentence(said))
}

func TestTheLibrarysExplanationIsShownAndTheRequestIsNot(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret("mistaken")},
		&twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)

	_, err = provider.Account(t.Context(), fake.Parent().SID)

	e := report.NewError(err)
	assert.Equal(t, "Authenticate: the parent's credentials are wrong or may not do this, or the parent is suspended or closed", e.Message)
	assert.Equal(t, "unauthenticated (code 20003, request "+e.RequestID+"): "+e.Message+". Check TWILIO_ACCOUNT_SID and its token or API key.",
		report.Sentence(err))

	wrapped := report.NewError(fmt.Errorf("%w; and then some", err))
	assert.Equal(t, e.Message+"; and then some", wrapped.Message)
	assert.Equal(t, e.RequestID, wrapped.RequestID)
}

func TestWhatIsSaidOfAccountsIsNotSaidOfWhatIsInThem(t *testing.T) {
	t.Parallel()
	const (
		account  = "/2010-04-01/Accounts/" + sid + ".json"
		number   = "/2010-04-01/Accounts/" + sid + "/IncomingPhoneNumbers/PN0123456789abcdef0123456789abcdef.json"
		notThere = "Check the SID: Twilio shows this parent no such account."
		page     = "https://www.twilio.com/docs/errors/21606"
	)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"an account":                   {&twilioacct.Error{Method: "GET", Path: account, Code: 20404, Status: 404}, notThere},
		"the list of accounts":         {&twilioacct.Error{Method: "GET", Path: "/2010-04-01/Accounts.json", Status: 404}, notThere},
		"an answer to who knows what":  {&twilioacct.Error{Code: 20404, Status: 404}, notThere},
		"a number":                     {&twilioacct.Error{Method: "GET", Path: number, Status: 404}, "Check the SID, and which account it belongs to."},
		"a refusal":                    {&twilioacct.Error{Method: "POST", Path: number, Code: 21606, MoreInfo: page}, "See " + page + "."},
		"a refusal without a page":     {&twilioacct.Error{Method: "POST", Path: number, Status: 403}, "forbidden."},
		"a conflict":                   {&twilioacct.Error{Method: "POST", Path: number, Code: 21422, MoreInfo: page}, "See " + page + "."},
		"what nobody at Twilio said":   {fmt.Errorf("the number is nowhere: %w", twilioacct.ErrNotFound), "not_found: the number is nowhere: not found."},
		"a service that loses inbound": {twilioacct.ErrInboundLost, "Give the service an inbound URL, or let it use its numbers' own webhooks."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Regexp(t, regexp.QuoteMeta(c.want)+"$", report.Sentence(c.err))
		})
	}
}

func TestAListThatIsNotThereIsNoMatterOfTheNetwork(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)

	fake.Inject(twiliotest.Fault{Operation: "ListIncomingPhoneNumber", Code: 20404})
	_, err = provider.Parent().FindNumber(t.Context(), "+14158740103")

	assert.Equal(t, "unavailable", report.NewError(err).Kind)
	assert.Regexp(t, `Check the account's SID, and TWILIO_BASE_URL if it is set\.$`, report.Sentence(err))
}

func TestWhatTheLibraryConcludesIsExplainedByItsOwnWords(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)

	_, err = provider.Parent().SearchNumbers(t.Context(), twilioacct.NumberSearch{})

	assert.Equal(t, "not_found: no number is to be had that is as searched for: search for less, or elsewhere.", report.Sentence(err))
}

func TestWhatHasNoSIDIsNotNamedByOne(t *testing.T) {
	t.Parallel()
	err := errors.New("broken")
	assert.Equal(t, "other: broken.", report.Line("", err))
	assert.Equal(t, "document odd8: other: broken.", report.DocumentLine("odd8", "", err))
	assert.Equal(t, sid+": other: broken.", report.DocumentLine("", sid, err))
	assert.Equal(t, sid+": other: broken.", report.DocumentLine(sid, sid, err))
	assert.Equal(t, "document 65f0: "+sid+": other: broken.", report.DocumentLine("65f0", sid, err))
}

func TestANumberIsReadAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"$numberLong":"7"}`: "7", `{"$numberInt":"-8"}`: "-8", `{"$numberDouble":"1.5"}`: "1.5", `{"$numberDecimal":"2E+3"}`: "2E+3",
		`document {"$numberInt":"1"} and {"$numberInt":"2"}`: "document 1 and 2",
		"65f0": "65f0", "": "", `{"$oid":"65f0"}`: `{"$oid":"65f0"}`, `{"$number":"7"}`: `{"$number":"7"}`,
	} {
		assert.Equal(t, want, report.Readable(text))
	}
	err := &twilioacct.StoreError{Op: "Scan", Err: errors.New(`document {"$numberLong":"7"} is odd`)}
	assert.Contains(t, report.Sentence(err), "document 7 is odd")
	assert.Contains(t, report.NewError(err).Message, `{"$numberLong":"7"}`, "a program reads what the library says")
}

func TestATextOfSomebodyElsesStaysOnItsLine(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a b c [31mred", report.Plain("a\tb\nc \x1b[31mred"))
	assert.Equal(t, "gnp.exe", report.Plain("\u202egnp\u2066.\u200bexe\ufeff"), "nothing turns the rest of the line round")
	for _, name := range []string{"می\u200cخواهم", "👩\u200d🌾", "مخبز الياسمين", "❤️"} {
		assert.Equal(t, name, report.Plain(name))
	}
	line := report.Line(sid, &twilioacct.Error{Status: 503, Message: "down\nand \x1bout"})
	assert.NotContains(t, line, "\n")
	assert.NotContains(t, line, "\x1b")
}

func TestATokenInThePlaceOfASIDIsCut(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{sid + ":0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef ", "AC123:0123456789abcdef0123456789abcdef"} {
		assert.NotContains(t, report.SID(arg), "0123456789abcdef0123456789abcdef")
	}
	assert.Equal(t, "0123…", report.SID("0123456789abcdef0123456789ABCDEF"))
	for _, arg := range []string{sid, "", "AC123", "nonsense", "0123456789abcdef0123456789abcdeg"} {
		assert.Equal(t, arg, report.SID(arg))
	}
}

func TestWhatTwilioDidNotAcceptIsNoBadUsage(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	out := report.Output{Stdout: &stdout, Stderr: &stderr}
	assert.Equal(t, report.Usage, out.Fail(&twilioacct.Error{Message: "refused before any request", Err: twilioacct.ErrInvalid}))
	assert.Equal(t, report.Failed, out.Fail(&twilioacct.Error{Code: 20001, Status: 400}))
	assert.Equal(t, report.Failed, out.Fail(&twilioacct.StoreError{Err: twilioacct.ErrInvalid}))
	assert.Empty(t, stdout.String())
	assert.False(t, report.IsUsage(nil))
}

func TestInJSONAFailureToBeginIsTheWholeDocument(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	out := report.Output{Stdout: &stdout, Stderr: &stderr, JSON: true}
	assert.Equal(t, report.Failed, out.Fail(errors.New("broken")))
	assert.JSONEq(t, `{"error":{"kind":"other","code":0,"status":0,"message":"broken","request_id":"","more_info":""}}`, stdout.String())
	assert.Contains(t, stderr.String(), "broken")
}
