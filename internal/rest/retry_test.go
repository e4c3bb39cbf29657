package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyWhatIsSafeToRepeatIsRepeated(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: errReset}
	tests := map[string]struct {
		method     string
		repeatable bool
		once       bool
		first      transportFunc
		again      bool
		unknown    bool // of the failure, where there is no second attempt
	}{
		"a GET after a 503":                        {method: "GET", first: answers(503, `{"code":20503}`), again: true},
		"a GET after an HTML 502":                  {method: "GET", first: answers(502, "<html>", "Content-Type", "text/html"), again: true},
		"a GET after a reset":                      {method: "GET", first: fails(errReset), again: true},
		"a GET whose answer broke off":             {method: "GET", first: brokenOff, again: true},
		"a GET after a 404":                        {method: "GET", first: answers(404, `{"code":20404}`)},
		"a GET after a 408":                        {method: "GET", first: answers(408, ``), again: true},
		"a POST to a host that does not exist":     {method: "POST", first: fails(&net.DNSError{IsNotFound: true})},
		"a GET after a 501":                        {method: "GET", first: answers(501, `{}`)},
		"a GET after a redirect":                   {method: "GET", first: answers(302, ``, "Location", "https://elsewhere.example")},
		"a GET to a host with a wrong certificate": {method: "GET", first: fails(&tls.CertificateVerificationError{Err: errReset})},
		"a GET to a host that does not exist":      {method: "GET", first: fails(&net.DNSError{IsNotFound: true})},
		"a GET answered by too much":               {method: "GET", first: answersWithout(200, largestBody+1)},
		"a DELETE after a 500":                     {method: "DELETE", first: answers(500, `{}`), again: true},
		"a DELETE of something dear after a 500":   {method: "DELETE", once: true, first: answers(500, `{}`), unknown: true},
		"a DELETE of something dear after a reset": {method: "DELETE", once: true, first: fails(errReset), unknown: true},
		"a DELETE of something dear after a 429":   {method: "DELETE", once: true, first: answers(429, ``), again: true},
		"a POST after a 503":                       {method: "POST", first: answers(503, `{}`), unknown: true},
		"a POST after a reset":                     {method: "POST", first: fails(errReset), unknown: true},
		"a POST whose answer broke off":            {method: "POST", first: brokenOff, unknown: true},
		"a POST that never left":                   {method: "POST", first: fails(dial)},
		"a POST after a 400":                       {method: "POST", first: answers(400, `{"code":20001}`)},
		"a POST answered by HTML":                  {method: "POST", first: answers(200, `<html>`), unknown: true},
		"a POST that may be repeated after a 503":  {method: "POST", repeatable: true, first: answers(503, `{}`), again: true},
		"a POST after too many at once":            {method: "POST", first: answers(429, `{"code":20429}`), again: true},
		"a POST after a 429 without a code":        {method: "POST", first: answers(429, ``), again: true},
		"a POST after a limit of another kind":     {method: "POST", first: answers(429, `{"code":60203}`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				status, body := 200, `{"sid":"x"}`
				if test.method == "DELETE" {
					status, body = 204, ""
				}
				twilio := &script{steps: []transportFunc{test.first, answers(status, body)}}
				call := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer)
				if test.repeatable {
					call.Repeatable()
				}
				if test.once {
					call.Once()
				}
				_, err := send(call, test.method, url.Values{"Status": {"active"}})
				if test.again {
					require.NoError(t, err)
					assert.Len(t, twilio.requests(), 2)
					return
				}
				assert.Len(t, twilio.requests(), 1)
				assert.Equal(t, test.unknown, failureFrom(t, err).OutcomeUnknown)
			})
		})
	}
}

func TestWhatOneAttemptMayHaveDoneNoLaterOneTakesBack(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]transportFunc{
		"never sent":          fails(&net.OpError{Op: "dial", Err: errReset}),
		"a host that is gone": fails(&net.DNSError{IsNotFound: true}),
		"another limit":       answers(429, `{"code":60203}`),
		"refused":             answers(400, `{"code":20001}`),
		"not authenticated":   answers(401, `{"code":20003}`),
	} {
		for _, method := range []string{"DELETE", "POST"} {
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					twilio := &script{steps: []transportFunc{fails(errReset), second}}
					call := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer).Repeatable()
					_, err := send(call, method, nil)
					assert.True(t, failureFrom(t, err).OutcomeUnknown)
				})
			})
		}
	}
}

func TestAnAttemptThatFoundNoTimeLeavesTheFailureBeforeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		client := newClient(t, answers(503, `{"code":20503}`), func(c *Config) { c.RequestsPerSecond = 0.1 })
		_, err := send(client.Call(ctx, accountSID, signer), "DELETE", nil)
		f := failureFrom(t, err)
		assert.Equal(t, 503, f.Status)
		assert.True(t, f.OutcomeUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestASignerIsAskedAfterEachRefusalUntilItHasNoMoreCredentials(t *testing.T) {
	t.Parallel()
	asked := 0
	twilio := &script{steps: []transportFunc{answers(401, `{"code":20003}`)}}
	_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, renewing{signer, &asked}), "POST", nil)
	assert.Equal(t, 401, failureFrom(t, err).Status)
	assert.Equal(t, 3, asked)
	assert.Len(t, twilio.requests(), 3, "what was refused was not processed, so that a change is tried again, too")
}

// renewing has other credentials twice.
type renewing struct {
	fixedSigner

	asked *int
}

func (s renewing) Refused(_ context.Context, a Auth, refusal error, nth int) (Auth, error) {
	*s.asked++
	if nth != *s.asked {
		return a, errors.New("refusals are counted wrongly")
	}
	if nth == 3 {
		return a, refusal
	}
	return a, nil
}

func TestTheTimeLimitsOfTheCallersClientAreNotTheCallersContext(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]error{
		"http.Client.Timeout": &url.Error{Op: "Get", URL: "https://api.twilio.com/?FriendlyName=private", Err: context.DeadlineExceeded},
		"a transport's":       context.Canceled,
	} {
		client := newClient(t, fails(theirs), func(c *Config) { c.MaxRetryWait = -1 })
		_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
		require.ErrorIs(t, err, errTimeout, name)
		require.NotErrorIs(t, err, context.DeadlineExceeded, name)
		require.NotErrorIs(t, err, context.Canceled, name)
	}
}

func TestAnErrorsTextHasNoQuery(t *testing.T) {
	t.Parallel()
	private := &url.Error{Op: "Get", URL: "https://api.twilio.com/?FriendlyName=private", Err: errReset}
	nested := &url.Error{Op: "Get", URL: "https://proxy.example/?FriendlyName=private", Err: private}
	for _, theirs := range []error{private, nested} {
		client := newClient(t, fails(theirs), func(c *Config) { c.MaxRetryWait = -1 })
		_, err := send(client.Call(t.Context(), accountSID, signer), "GET", url.Values{"FriendlyName": {"private"}})
		f := failureFrom(t, err)
		require.ErrorIs(t, f.Err, errReset)
		assert.NotContains(t, f.Err.Error(), "private")
	}
}

func TestTheWaitAfterA503IsWhatTwilioAsksForToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		twilio := &script{steps: []transportFunc{answers(503, ``, "Retry-After", "7"), answers(200, `{}`)}}
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
		require.NoError(t, err)
		assert.Equal(t, 7*time.Second, time.Since(start))
	})
}

func TestTheWaitIsWhatTwilioAsksFor(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]func() string{
		"in seconds": func() string { return "7" },
		"as a date":  func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				twilio := &script{steps: []transportFunc{answers(429, ``, "Retry-After", header()), answers(200, `{}`)}}
				_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
				require.NoError(t, err)
				assert.Equal(t, 7*time.Second, time.Since(start))
			})
		})
	}
}

func TestAWaitThatIsTooLongIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		twilio := &script{steps: []transportFunc{answers(429, ``, "Retry-After", "31")}}
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
		assert.Equal(t, 31*time.Second, failureFrom(t, err).RetryAfter)
		assert.Zero(t, time.Since(start))
		assert.Len(t, twilio.requests(), 1)
	})
}

func TestAllWaitsTogetherStayWithinTheLongestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		twilio := &script{steps: []transportFunc{answers(503, ``)}}
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
		assert.Equal(t, 503, failureFrom(t, err).Status)
		assert.LessOrEqual(t, time.Since(start), 30*time.Second)
		assert.Greater(t, len(twilio.requests()), 3)
	})
}

func TestANegativeLongestWaitMeansOneAttempt(t *testing.T) {
	t.Parallel()
	twilio := &script{steps: []transportFunc{answers(503, ``)}}
	client := newClient(t, twilio, func(c *Config) { c.MaxRetryWait = -1 })
	_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
	assert.Equal(t, 503, failureFrom(t, err).Status)
	assert.Len(t, twilio.requests(), 1)
}

func TestAWaitThatTheContextWillNotOutliveIsNotBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		twilio := &script{steps: []transportFunc{answers(429, ``, "Retry-After", "6")}}
		_, err := send(newClient(t, twilio, nil).Call(ctx, accountSID, signer), "GET", nil)
		assert.Equal(t, 429, failureFrom(t, err).Status)
		assert.Zero(t, time.Since(start))
	})
}

func TestCancelEndsACallWhereverItIs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method  string
		step    transportFunc
		unknown bool
	}{
		"in flight":                  {"GET", hangs, false},
		"in flight with a change":    {"POST", hangs, true},
		"in the body":                {"GET", slowBody, false},
		"in the body after a change": {"POST", slowBody, true},
		"in the body of an error":    {"GET", slowError, false},
		"in a wait":                  {"GET", answers(503, `{}`), false},
		"in a wait of a change":      {"POST", answers(429, ``, "Retry-After", "20"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				const patience = 100 * time.Millisecond
				time.AfterFunc(patience, cancel)
				start := time.Now()
				_, err := send(newClient(t, test.step, nil).Call(ctx, accountSID, signer), test.method, nil)
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, patience, time.Since(start))
				assert.Equal(t, test.unknown, failureFrom(t, err).OutcomeUnknown)
			})
		})
	}
}

func TestTheCallersOwnCauseIsFoundBesideCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errReset) })
		_, err := send(newClient(t, transportFunc(hangs), nil).Call(ctx, accountSID, signer), "GET", nil)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errReset)
	})
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
	_, err := send(newClient(t, twilio, nil).Call(ctx, accountSID, signer), "POST", nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, failureFrom(t, err).OutcomeUnknown)
	assert.Empty(t, twilio.requests())
}

func TestAnAttemptThatHangsIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		twilio := &script{steps: []transportFunc{hangs, answers(200, `{}`)}}
		client := newClient(t, twilio, func(c *Config) { c.Timeout = 3 * time.Second })
		start := time.Now()
		_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
		require.NoError(t, err)
		assert.InDelta(t, 3*time.Second, time.Since(start), float64(time.Second))
	})
}

func TestATwilioThatHangsForEverIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		twilio := &script{steps: []transportFunc{hangs}}
		start := time.Now()
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
		require.ErrorIs(t, err, errTimeout)
		assert.Less(t, time.Since(start), 32*time.Second, "a time-out is a wait, too")
		assert.Len(t, twilio.requests(), 2)
	})
}

func TestAChangeThatHangsHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		twilio := &script{steps: []transportFunc{hangs}}
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "POST", nil)
		require.ErrorIs(t, err, errTimeout)
		assert.True(t, failureFrom(t, err).OutcomeUnknown)
		assert.Len(t, twilio.requests(), 1)
	})
}

func TestRetryAfterNeverOverflows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                                      0,
		"3":                                     3 * time.Second,
		" 3 ":                                   3 * time.Second,
		"-3":                                    0,
		"1.5":                                   0,
		"99999999999999999999":                  0,
		"9999999999999999999":                   longestRetryAfter,
		"Sun, 22 Nov 2026 00:00:09 GMT":         9 * time.Second,
		"Sat, 21 Nov 2026 00:00:00 GMT":         0,
		"Mon, 22 Nov 2066 00:00:00 GMT":         longestRetryAfter,
		"Sunday, 22-Nov-26 00:00:09 GMT":        9 * time.Second,
		"Sun Nov 22 00:00:09 2026":              9 * time.Second,
		"Sun, 22 Nov 2026 00:00:09 Mars/Center": 0,
	} {
		assert.Equal(t, want, retryAfter(header, now), "%q", header)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "7", "-1", "9999999999999999999", "Sun, 22 Nov 2026 00:00:09 GMT", "0x10", "7\r\n"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, now); d < 0 || d > longestRetryAfter {
			t.Fatalf("%q waits %v", s, d)
		}
	})
}
