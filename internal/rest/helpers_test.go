package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// transport answers requests in the test's own goroutine, so that the tests of time run in a synctest bubble.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// script answers with one step after the other, the last one for ever, and counts.
type script struct {
	steps []transportFunc

	mu   sync.Mutex
	seen []*http.Request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	step := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	return step(r)
}

func (s *script) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func answers(status int, body string, headers ...string) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{
			StatusCode:    status,
			Header:        http.Header{"Content-Type": {"application/json"}, "Twilio-Request-Id": {"RQ1"}},
			Body:          io.NopCloser(strings.NewReader(body)),
			ContentLength: int64(len(body)),
			Request:       r,
		}
		for i := 0; i+1 < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

func fails(err error) transportFunc {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// failed is how these tests see a Failure.
type failed struct{ *Failure }

func (f failed) Error() string { return f.Message }
func (f failed) Unwrap() error { return f.Err }

type fixedSigner struct{ auth Auth }

func (s fixedSigner) Auth(context.Context) (Auth, error) { return s.auth, nil }
func (s fixedSigner) Refused(_ context.Context, a Auth, refusal error, _ int) (Auth, error) {
	return a, refusal
}

const accountSID = "AC00000000000000000000000000000001"

var signer = fixedSigner{Auth{Account: accountSID, User: accountSID, Password: "verysecrettoken"}}

func newClient(t testing.TB, transport http.RoundTripper, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		HTTP: &http.Client{Transport: transport},
		Fail: func(f *Failure) error { return failed{f} },
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	require.NoError(t, err)
	return c
}

const accountURL = "https://api.twilio.com/2010-04-01/Accounts/" + accountSID + ".json"

var formHeader = map[string]any{"Content-Type": "application/x-www-form-urlencoded"}

func send(call *Call, method string, data url.Values) (*http.Response, error) {
	return call.SendRequest(method, accountURL, data, formHeader)
}

func failureFrom(t testing.TB, err error) *Failure {
	t.Helper()
	var f failed
	require.ErrorAs(t, err, &f)
	return f.Failure
}

var errReset = errors.New("connection reset by peer")
