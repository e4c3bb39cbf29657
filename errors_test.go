package twilioacct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"

	"github.com/twilioacct/twilioacct/internal/rest"
)

var kinds = []error{
	ErrNotFound, ErrUnauthenticated, ErrForbidden, ErrRateLimited, ErrSuspended, ErrClosed,
	ErrConflict, ErrInvalid, ErrUnavailable, ErrAmbiguous,
}

// isOnly checks that the error is of that kind, and of no other.
func isOnly(t *testing.T, err, want error) {
	t.Helper()
	for _, kind := range kinds {
		assert.Equal(t, kind == want, errors.Is(err, kind), "%v: %v", err, kind)
	}
}

func TestEveryCodeOfTheTableIsOfOneKind(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for kind, of := range codes {
		for _, code := range of {
			assert.False(t, seen[code], "code %d stands twice", code)
			seen[code] = true
			// The code decides, whatever the status says.
			for _, status := range []int{400, 401, 403, 404, 409, 429, 500} {
				isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: status, Code: code}), kind)
			}
		}
	}
	for code, kind := range map[int]error{
		20404: ErrNotFound, 20003: ErrUnauthenticated, 20403: ErrForbidden, 20429: ErrRateLimited, 20005: ErrSuspended,
		10001: ErrSuspended, 21479: ErrClosed, 20409: ErrConflict, 20001: ErrInvalid, 20500: ErrUnavailable,
	} {
		isOnly(t, newError(&rest.Failure{Code: code}), kind)
	}
}

func TestWithoutAKnownCodeTheStatusDecides(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]error{
		200: ErrUnavailable, 204: ErrUnavailable, 301: ErrUnavailable, 408: ErrUnavailable, 400: ErrInvalid, 401: ErrUnauthenticated, 403: ErrForbidden, 404: ErrNotFound, 405: ErrInvalid, 409: ErrConflict,
		410: ErrNotFound, 412: ErrConflict, 415: ErrInvalid, 422: ErrInvalid, 429: ErrRateLimited,
		500: ErrUnavailable, 502: ErrUnavailable, 503: ErrUnavailable, 504: ErrUnavailable, 599: ErrUnavailable,
	} {
		isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: status}), kind)
		isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: status, Code: 1234567}), kind)
	}
}

func TestAnAnswerThatNeverCameIsUnavailableUnlessTheCallerLeft(t *testing.T) {
	t.Parallel()
	isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Err: io.ErrUnexpectedEOF}), ErrUnavailable)
	for _, left := range []error{context.Canceled, context.DeadlineExceeded} {
		err := newError(&rest.Failure{Method: http.MethodGet, Err: left})
		isOnly(t, err, nil)
		require.ErrorIs(t, err, left)
	}
	isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Err: rest.ErrInvalidRequest}), ErrInvalid)
	isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: 200, Err: io.ErrUnexpectedEOF}), ErrUnavailable)
	isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: 200, Err: context.Canceled}), nil)
	isOnly(t, newError(&rest.Failure{Method: http.MethodGet, Status: 503, Err: context.Canceled}), ErrUnavailable)
}

func TestAnUnknownOutcomeIsSaidBesideTheKind(t *testing.T) {
	t.Parallel()
	err := newError(&rest.Failure{Method: http.MethodPost, Status: 503, OutcomeUnknown: true})
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	isOnly(t, err, ErrUnavailable)
	require.NotErrorIs(t, newError(&rest.Failure{Method: http.MethodPost, Status: 503}), ErrOutcomeUnknown)
}

func TestTwilioGosErrorIsFoundWhereTwilioAnswered(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("wrapped: %w", newError(&rest.Failure{Status: 404, Code: 20404, Message: "m", MoreInfo: "i"}))
	var theirs *client.TwilioRestError
	require.ErrorAs(t, err, &theirs)
	assert.Equal(t, &client.TwilioRestError{Status: 404, Code: 20404, Message: "m", MoreInfo: "i"}, theirs)

	assert.NotErrorAs(t, newError(&rest.Failure{Err: io.EOF}), &theirs)
	var other *client.RestErrorV1
	assert.NotErrorAs(t, err, &other)
}

func TestAnErrorsTextHasTheFacts(t *testing.T) {
	t.Parallel()
	for text, err := range map[string]error{
		"twilioacct: GET /x: HTTP 404: code 20404: not here (request RQ1)": newError(&rest.Failure{
			Method: "GET", Path: "/x", Status: 404, Code: 20404, Message: "not here", RequestID: "RQ1", RetryAfter: time.Second,
		}),
		"twilioacct: POST /x: unexpected EOF: it is not known whether Twilio acted": newError(&rest.Failure{
			Method: "POST", Path: "/x", Err: io.ErrUnexpectedEOF, OutcomeUnknown: true,
		}),
		"twilioacct: a SID is missing":                invalid("a SID is %s", "missing"),
		"twilioacct: store: Save AC1: unexpected EOF": &StoreError{Op: "Save", SID: "AC1", Err: io.ErrUnexpectedEOF},
		"twilioacct: GET /x: HTTP 401: code 20003: the account is suspended": judged(
			newError(&rest.Failure{Method: "GET", Path: "/x", Status: 401, Code: 20003}), ErrSuspended, "the account is suspended"),
	} {
		assert.EqualError(t, err, text)
	}
}

func TestAVerdictReplacesTheKindAndLeavesTheRefusalAlone(t *testing.T) {
	t.Parallel()
	refusal := newError(&rest.Failure{Status: 401, Code: 20003})
	isOnly(t, judged(refusal, ErrClosed, ""), ErrClosed)
	isOnly(t, refusal, ErrUnauthenticated)
	assert.Equal(t, io.EOF, judged(io.EOF, ErrClosed, ""), "what is no refusal cannot be judged")
}

func FuzzSIDsThatPassAreSafeInAPath(f *testing.F) {
	for _, s := range []string{"", "AC", "AC00000000000000000000000000000001", "ACffffffffffffffffffffffffffffffff", "AC1/../AC2", "AC1?x=1#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isSID("AC", s) {
			if err := checkCall(t.Context(), s); !errors.Is(err, ErrInvalid) {
				t.Fatalf("%q is not refused: %v", s, err)
			}
			return
		}
		req, err := http.NewRequest(http.MethodGet, "https://api.twilio.com"+accountPath(s)+"?x=1", http.NoBody)
		if err != nil || req.URL.Path != accountPath(s) || len(s) != 34 {
			t.Fatalf("%q changes the request: %v", s, err)
		}
	})
}
