package rest

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAQueryArrivesByteForByte(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"acme v1.25", "a.1@x.example", "10.0.0.1", "1+1=2 & more", "100% ünïcode 🦉", "a/b?c#d", "x.25.y", `"quoted"`, "",
	} {
		twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
		call := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer)
		_, err := send(call, "GET", url.Values{"FriendlyName": {name}})
		require.NoError(t, err)
		arrived, err := url.ParseQuery(twilio.requests()[0].URL.RawQuery)
		require.NoError(t, err)
		assert.Equal(t, []string{name}, arrived["FriendlyName"])
	}
}

func TestARequestIsBuiltAsTwilioGoMeansIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, url string
		data        url.Values
		headers     map[string]any
		body        []byte
		wantQuery   string
		wantBody    string
	}{
		"a form":               {method: "POST", url: accountURL, data: url.Values{"Status": {"closed"}}, headers: formHeader, wantBody: "Status=closed"},
		"a form with no value": {method: "POST", url: accountURL, headers: formHeader},
		"an empty parameter":   {method: "POST", url: accountURL, data: url.Values{"SmsUrl": {""}}, headers: formHeader, wantBody: "SmsUrl="},
		"a query":              {method: "GET", url: accountURL, data: url.Values{"PageSize": {"1000"}}, headers: formHeader, wantQuery: "PageSize=1000"},
		"a follow-up page":     {method: "GET", url: accountURL + "?PageToken=PA1.25", wantQuery: "PageToken=PA1.25"},
		"a query replaced":     {method: "GET", url: accountURL + "?Page=1", data: url.Values{"Page": {"2"}}, wantQuery: "Page=2"},
		"JSON":                 {method: "POST", url: accountURL, data: url.Values{"A": {"b"}}, headers: map[string]any{"Content-Type": "application/json"}, body: []byte(`{"x":1}`), wantQuery: "A=b", wantBody: `{"x":1}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body []byte
			twilio := &script{steps: []transportFunc{func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					body, _ = io.ReadAll(r.Body)
				}
				return answers(200, `{}`)(r)
			}}}
			call := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer)
			_, err := call.SendRequest(test.method, test.url, test.data, test.headers, test.body...)
			require.NoError(t, err)
			r := twilio.requests()[0]
			assert.Equal(t, test.wantQuery, r.URL.RawQuery)
			assert.Equal(t, test.wantBody, string(body))
			user, password, _ := r.BasicAuth()
			assert.Equal(t, accountSID+":verysecrettoken", user+":"+password)
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			assert.Contains(t, r.Header.Get("User-Agent"), "twilio-go/1.31.0")
		})
	}
}

func TestABaseURLIsDialledAndTheHostStays(t *testing.T) {
	t.Parallel()
	twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
	client := newClient(t, twilio, func(c *Config) { c.BaseURL = "http://127.0.0.1:4010/" })
	_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
	require.NoError(t, err)
	r := twilio.requests()[0]
	assert.Equal(t, "http://127.0.0.1:4010/2010-04-01/Accounts/"+accountSID+".json", r.URL.String())
	assert.Equal(t, "api.twilio.com", r.Host)
}

func TestCredentialsGoToTwiliosHostsAlone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://api.twilio.com/x", "https://twilio.com.evil.example/x", "https://evil.example/x", "https://eviltwilio.com/x",
		"https://api.twilio.com@evil.example/x", "ftp://api.twilio.com", "://", "",
	} {
		twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
		_, err := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer).SendRequest("GET", address, nil, nil)
		require.ErrorIs(t, err, ErrInvalidRequest, address)
		assert.Empty(t, twilio.requests())
	}
}

func TestAMissingContextIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	call := newClient(t, answers(200, `{}`), nil).Call(nil, accountSID, signer) //nolint:staticcheck // what is tested
	_, err := send(call, "GET", nil)
	require.ErrorIs(t, err, ErrInvalidRequest)
}

func TestARegionAlwaysHasAnEdge(t *testing.T) {
	t.Parallel()
	for in, want := range map[[2]string]string{
		{"", ""}:                 "api.twilio.com",
		{"", "sydney"}:           "api.sydney.us1.twilio.com",
		{"au1", ""}:              "api.sydney.au1.twilio.com",
		{"ie1", ""}:              "api.dublin.ie1.twilio.com",
		{"ie1", "frankfurt"}:     "api.frankfurt.ie1.twilio.com",
		{"xx9", "somewhere-new"}: "api.somewhere-new.xx9.twilio.com",
	} {
		twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
		client := newClient(t, twilio, func(c *Config) { c.Region, c.Edge = in[0], in[1] })
		_, err := client.Call(t.Context(), accountSID, signer).Handler().Get("https://api.twilio.com/x", nil, nil, "")
		require.NoError(t, err)
		assert.Equal(t, want, twilio.requests()[0].Host)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"a region without a known edge": {Region: "xx9"},
		"a region with a dot":           {Region: "ie1.evil"},
		"an edge with a slash":          {Region: "ie1", Edge: "dublin/x"},
		"an edge in capitals":           {Edge: "Dublin"},
		"a base URL without a scheme":   {BaseURL: "localhost:8080"},
		"a base URL of another scheme":  {BaseURL: "ftp://localhost"},
		"a base URL without a host":     {BaseURL: "http://"},
		"a base URL with only a port":   {BaseURL: "http://:80"},
		"a base URL with a path":        {BaseURL: "http://localhost/x"},
		"a base URL with a query":       {BaseURL: "http://localhost?x=1"},
		"a base URL with a user":        {BaseURL: "http://u:verysecret@localhost"},
		"a base URL that is none":       {BaseURL: "http://verysecret@%zz"},
		"a port that is none":           {BaseURL: "http://127.0.0.1:99999"},
		"port 0":                        {BaseURL: "http://127.0.0.1:0"},
		"a rate that is no number":      {RequestsPerSecond: math.NaN()},
		"a negative time-out":           {Timeout: -1},
		"negative concurrency":          {MaxConcurrent: -1},
		"a negative rate":               {RequestsPerSecond: -1},
	} {
		_, err := New(c)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "verysecret", name)
	}
}

func TestTheCallersClientIsNotChanged(t *testing.T) {
	t.Parallel()
	theirs := &http.Client{}
	_, err := New(Config{HTTP: theirs})
	require.NoError(t, err)
	assert.Equal(t, &http.Client{}, theirs)
}

func TestTheDefaultsAreAsDocumented(t *testing.T) {
	t.Parallel()
	c, err := New(Config{})
	require.NoError(t, err)
	assert.EqualValues(t, 50, c.budgets.concurrent)
	assert.Equal(t, 15*time.Second, c.timeout)
	assert.Equal(t, 30*time.Second, c.maxRetryWait)
	own, ok := c.http.Transport.(*http.Transport)
	require.True(t, ok)
	assert.Equal(t, 50, own.MaxIdleConnsPerHost, "as many as there may be requests")
}

func TestATransportThatChangesItsRequestSpoilsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		twilio := &script{steps: []transportFunc{
			func(r *http.Request) (*http.Response, error) {
				r.URL.Path = "/proxy" + r.URL.Path
				r.Header.Set("Accept", "text/html")
				return answers(503, ``)(r)
			},
			answers(404, `{"code":20404}`),
		}}
		_, err := send(newClient(t, twilio, nil).Call(t.Context(), accountSID, signer), "GET", nil)
		assert.Equal(t, "/2010-04-01/Accounts/"+accountSID+".json", failureFrom(t, err).Path)
		assert.Equal(t, "application/json", twilio.requests()[1].Header.Get("Accept"))
	})
}

func TestEveryChangeIsToldOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method string
		answer transportFunc
		told   bool
	}{
		"a change":                    {"POST", answers(200, `{}`), true},
		"a change that may have been": {"POST", answers(503, `{}`), true},
		"a delete":                    {"DELETE", answers(204, ``), true},
		"a look":                      {"GET", answers(200, `{}`), false},
	} {
		told := false
		client := newClient(t, test.answer, func(c *Config) {
			c.MaxRetryWait = -1
			c.Changed = func(path string) { told = strings.HasSuffix(path, accountSID+".json") }
		})
		_, _ = send(client.Call(t.Context(), accountSID, signer), test.method, nil)
		assert.Equal(t, test.told, told, name)
	}
}
