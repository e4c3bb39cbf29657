package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodyFrom answers 200 with a body that does what a bytes.Reader cannot.
func bodyFrom(body io.Reader) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1, Request: r}, nil
	}
}

func brokenOff(r *http.Request) (*http.Response, error) {
	return bodyFrom(io.MultiReader(strings.NewReader(`{"sid":`), errReader{io.ErrUnexpectedEOF}))(r)
}

func slowBody(r *http.Request) (*http.Response, error) {
	return bodyFrom(untilDone{r.Context()})(r)
}

func slowError(r *http.Request) (*http.Response, error) {
	resp, err := slowBody(r)
	resp.StatusCode = http.StatusServiceUnavailable
	return resp, err
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// answersWithout says nothing, n bytes long.
func answersWithout(status int, n int64) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{}, Request: r, ContentLength: -1,
			Body: &countingBody{left: n},
		}, nil
	}
}

// countingBody is spaces, and knows how they were used.
type countingBody struct {
	left, read int64
	closed     bool
}

func (b *countingBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, bytes.Repeat([]byte(" "), int(min(int64(len(p)), b.left))))
	b.left -= int64(n)
	b.read += int64(n)
	return n, nil
}

func (b *countingBody) Close() error {
	b.closed = true
	return nil
}

func TestEveryBodyOfAnErrorKeepsTheTrueStatus(t *testing.T) {
	t.Parallel()
	twilios := `{"code":20404,"message":"The requested resource was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`
	tests := map[string]struct {
		body    string
		code    int
		message string
	}{
		"Twilio's own":             {twilios, 20404, "The requested resource was not found"},
		"with a code as text":      {`{"code":"20404","message":"m"}`, 20404, "m"},
		"with a code of odd type":  {`{"code":{"a":1},"message":"m"}`, 0, "m"},
		"with a negative code":     {`{"code":-5,"message":"m"}`, 0, "m"},
		"with details":             {`{"code":20404,"message":"m","details":"not an object"}`, 20404, "m"},
		"of the newer APIs":        {`{"code":20404,"message":"m","httpStatusCode":404,"params":{},"userError":true}`, 20404, "m"},
		"with a detail alone":      {`{"detail":"d"}`, 0, "d"},
		"with a status that lies":  {`{"code":20404,"message":"m","status":200}`, 20404, "m"},
		"HTML":                     {`<html><body>Not Found</body></html>`, 0, "no error of Twilio's in the answer but text/html"},
		"empty":                    {``, 0, "no error of Twilio's in the answer but text/html"},
		"null":                     {`null`, 0, "no error of Twilio's in the answer but text/html"},
		"a list":                   {`[1]`, 0, "no error of Twilio's in the answer but text/html"},
		"truncated":                {twilios[:40], 0, "no error of Twilio's in the answer but text/html"},
		"a message without an end": {`{"message":"` + strings.Repeat("x", 3*longestText) + `"}`, 0, strings.Repeat("x", longestText) + "…"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twilio := answers(404, test.body, "Content-Type", "text/html; charset=utf-8")
			_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
			f := failureFrom(t, err)
			assert.Equal(t, 404, f.Status)
			assert.Equal(t, test.code, f.Code)
			assert.Equal(t, test.message, f.Message)
			assert.Equal(t, "RQ1", f.RequestID)
			assert.Equal(t, "GET", f.Method)
			assert.Equal(t, "/2010-04-01/Accounts/"+accountSID+".json", f.Path)
		})
	}
}

func TestAnAnswerThatIsNotOneIsAFailure(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method string
		answer transportFunc
	}{
		"an empty one":                      {"GET", answers(200, ``)},
		"null":                              {"GET", answers(200, ` null `)},
		"HTML":                              {"GET", answers(200, `<html></html>`)},
		"half of it":                        {"GET", answers(200, `{"sid":"AC`)},
		"no content":                        {"GET", answers(204, ``)},
		"a redirect":                        {"GET", answers(307, `{}`)},
		"not modified":                      {"GET", answers(304, ``)},
		"too much":                          {"GET", answersWithout(200, 100<<20)},
		"a delete that did not say 204":     {"DELETE", answers(200, `{}`)},
		"a delete answered by a page":       {"DELETE", answers(200, `<html></html>`)},
		"a delete that was only redirected": {"DELETE", answers(304, ``)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := send(newClient(t, test.answer, nil).Call(t.Context(), accountSID, signer), test.method, nil)
			f := failureFrom(t, err)
			assert.NotZero(t, f.Status)
			assert.Zero(t, f.Code)
		})
	}
}

func TestBodiesAreReadToABoundAndClosed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   int
		size     int64
		mostRead int64
	}{
		"a small error":  {404, 1000, 1000},
		"a large error":  {404, 100 << 20, largestError + longestDrain + 64<<10},
		"a large answer": {200, 100 << 20, largestBody + longestDrain + 64<<10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &countingBody{left: test.size}
			twilio := transportFunc(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: test.status, Header: http.Header{}, Body: body, ContentLength: -1, Request: r}, nil
			})
			_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
			require.Error(t, err)
			assert.True(t, body.closed)
			assert.LessOrEqual(t, body.read, test.mostRead)
		})
	}
}

func TestAnOutageDoesNotCostTheConnections(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<p>Service unavailable</p>", 8000) // 200 kB
	var conns int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, page)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns++
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, server.Client().Transport, func(c *Config) {
		c.BaseURL = server.URL
		c.MaxRetryWait = -1
	})
	for range 30 {
		_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
		require.Equal(t, 503, failureFrom(t, err).Status)
	}
	assert.Equal(t, 1, conns)
}

func TestASecretThatTheAnswerRepeatsIsTakenOut(t *testing.T) {
	t.Parallel()
	twilio := answers(401, `{"code":20003,"message":"no such token: verysecrettoken","more_info":"https://x/verysecrettoken"}`)
	_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
	f := failureFrom(t, err)
	assert.Equal(t, "no such token: [redacted]", f.Message)
	assert.Equal(t, "https://x/[redacted]", f.MoreInfo)
}

func TestARedirectDoesNotCarryTheCredentialsAway(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer elsewhere.Close()
	twilio := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer twilio.Close()
	client := newClient(t, http.DefaultTransport, func(c *Config) { c.BaseURL = twilio.URL })
	_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
	assert.Equal(t, 302, failureFrom(t, err).Status)
}

func TestTheLogHasOneLinePerRequestAndNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	client := newClient(t, answers(404, `{"code":20404}`), func(c *Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := send(client.Call(t.Context(), accountSID, signer), "GET", url.Values{"FriendlyName": {"private"}})
	require.Error(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), "one line: %s", log.String())
	assert.Equal(t, "DEBUG", line["level"])
	assert.Equal(t, "GET", line["method"])
	assert.Equal(t, "api.twilio.com", line["host"])
	assert.InDelta(t, 404, line["status"], 0)
	assert.InDelta(t, 20404, line["code"], 0)
	assert.Equal(t, "RQ1", line["request_id"])
	assert.Equal(t, accountSID, line["account"])
	assert.NotContains(t, log.String(), "verysecrettoken")
	assert.NotContains(t, log.String(), "private")
}

func FuzzFailureOf(f *testing.F) {
	for _, s := range []string{
		`{"code":20404,"message":"m","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`,
		`{"code":20003,"detail":"Your AccountSid or AuthToken was incorrect.","message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}`,
		`{"code":"20429"}`, `null`, ``, `<html>`, `{"code":1e3}`, `{"message":null}`, `[{}]`, "\xff",
	} {
		f.Add([]byte(s), "application/json")
	}
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		failure := failureOf("GET", "/", &answer{status: 500, header: http.Header{"Content-Type": {kind}}, body: body})
		if failure.Status != 500 || failure.Code < 0 || failure.Message == "" || len(failure.Message) > longestText+100 {
			t.Fatalf("%+v", failure)
		}
	})
}

func FuzzWithoutSubresourcesMeansTheSameToEncodingJSON(f *testing.F) {
	for _, s := range []string{
		`{"sid":"AC1","subresource_uris":{"a":"/x","b":"/y"},"status":"active"}`,
		`{"accounts":[{"sid":"AC1","subresource_uris": { "a" : "/x" } },{"subresource_uris":{}}],"next_page_uri":null}`,
		`{"subresource_uris":{"a":{"b":"c"}}}`, `{"subresource_uris":{"a":"\u0041"}}`, `{"subresource_uris":{"a":"b",}}`,
		`{"x\"subresource_uris":{"a":"b"}}`, `["x","subresource_uris":{"a":"b"}]`, `{"subresource_uris":{"a":"b"}5}`,
		`"subresource_uris":{"a":"b"}`, `{"subresource_uris":{"a":"b"`, `{"friendly_name":"\"subresource_uris\":{}"}`,
		"{\"subresource_uris\":{\"a\":\"\x01\"}}", "{\"subresource_uris\":{\"a\":\"\xff\"}}", `{"subresource_uris":{:}}`,
		`{"sid":"subresource_uris":{"a":"b"}}`, `{"subresource_uris":null}`,
	} {
		f.Add([]byte(s))
	}
	type account struct {
		SID   *string `json:"sid"`
		Name  *string `json:"friendly_name"`
		Token *string `json:"auth_token"`
	}
	type page struct {
		account
		Accounts []account `json:"accounts"`
		Next     *string   `json:"next_page_uri"`
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want, got page
		wantErr := json.Unmarshal(body, &want)
		gotErr := json.Unmarshal(withoutSubresources(bytes.Clone(body)), &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("encoding/json says %v, and without subresources %v", wantErr, gotErr)
		}
		if wantErr == nil {
			assert.Equal(t, want, got)
		}
	})
}

func TestWithoutSubresourcesTakesThemOut(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":1}`: `{"a":1}`,
		`{"subresource_uris":{"a":"b","c":"d"},"x":1}`:              `{"subresource_uris":null,"x":1}`,
		"{\"subresource_uris\": {\n \"a\": \"b\" ,\t\"c\":\"d\" }}": `{"subresource_uris":null}`,
		`[{"subresource_uris":{}},{"subresource_uris":{"a":"b"}}]`:  `[{"subresource_uris":{}},{"subresource_uris":null}]`,
		`{"subresource_uris":{"a":1}}`:                              `{"subresource_uris":{"a":1}}`,
		`{"subresource_uris":{"a":"\n"}}`:                           `{"subresource_uris":{"a":"\n"}}`,
		`{"subresource_uris":{"a"`:                                  `{"subresource_uris":{"a"`,
	} {
		assert.Equal(t, want, string(withoutSubresources([]byte(body))))
	}
}

func TestWhatIsFoundWrongLaterHasTheAnswersFacts(t *testing.T) {
	t.Parallel()
	call := newClient(t, answers(200, `{"sid":5}`), nil).Call(t.Context(), accountSID, signer)
	_, err := send(call, "GET", nil)
	require.NoError(t, err)
	decoding := json.Unmarshal([]byte(`{"sid":5}`), new(struct{ SID string }))
	for _, err := range []error{call.Unexpected("odd"), call.Typed(decoding), call.Typed(io.EOF)} {
		f := failureFrom(t, err)
		assert.Equal(t, 200, f.Status)
		assert.Equal(t, "RQ1", f.RequestID)
		assert.NotEmpty(t, f.Message)
	}
	assert.ErrorIs(t, call.Typed(context.Canceled), context.Canceled)
	assert.Equal(t, 200, failureFrom(t, call.Typed(errors.New("what a decoder of twilio-go says"))).Status)

	call = newClient(t, answers(404, `{"code":20404}`), nil).Call(t.Context(), accountSID, signer)
	_, failed := send(call, "GET", nil)
	assert.Equal(t, failed, call.Typed(failed), "it has its type already")
	assert.NoError(t, call.Typed(nil))
}

func TestASingleResourceIsLookedAtFromOutsideOnly(t *testing.T) {
	t.Parallel()
	good := []string{`{"sid":"x"}`, ` {"sid":"x"} `, `{"sid":}`} // of the last one encoding/json will say so
	bad := []string{``, `null`, `[]`, `{`, `}`, `<html>`, `{"sid":"x"}<html>`, `{"sid":"x"`}
	for i, body := range slices.Concat(good, bad) {
		_, err := send(newClient(t, answers(200, body), nil).Call(t.Context(), accountSID, signer).Single(), "GET", nil)
		assert.Equal(t, i < len(good), err == nil, body)
	}
}
