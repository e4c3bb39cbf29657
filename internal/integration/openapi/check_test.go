package openapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	accountSID  = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	accountsURL = "https://api.twilio.com/2010-04-01/Accounts.json"
	accountURL  = "https://api.twilio.com/2010-04-01/Accounts/" + accountSID + ".json"
	account     = `{
		"sid": "` + accountSID + `",
		"owner_account_sid": "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"friendly_name": "Tenant 7",
		"status": "active",
		"type": "Full",
		"auth_token": "0123456789abcdef0123456789abcdef",
		"date_created": "Wed, 17 Feb 2021 15:12:01 +0000",
		"date_updated": "Sun, 07 Mar 2021 15:12:01 +0000",
		"uri": "/2010-04-01/Accounts/` + accountSID + `.json",
		"subresource_uris": {"balance": "/2010-04-01/Accounts/` + accountSID + `/Balance.json"}
	}`
	page = `{
		"accounts": [` + account + `],
		"first_page_uri": "/2010-04-01/Accounts.json?PageSize=50&Page=0",
		"next_page_uri": null,
		"previous_page_uri": null,
		"uri": "/2010-04-01/Accounts.json?PageSize=50&Page=0",
		"page": 0, "page_size": 50, "start": 0, "end": 0
	}`
	notFound = `{"code": 20404, "message": "The requested resource was not found",
		"more_info": "https://www.twilio.com/docs/errors/20404", "status": 404}`
)

func TestCorrectAccountAnswersPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request *http.Request
		next    answer
	}{
		"fetch":                    {get(accountURL), answer{200, account}},
		"create":                   {post(accountsURL, "FriendlyName=Tenant+7"), answer{201, account}},
		"create without a name":    {post(accountsURL, ""), answer{201, account}},
		"update":                   {post(accountURL, "Status=suspended&FriendlyName="), answer{200, account}},
		"list":                     {get(accountsURL + "?Status=closed&PageSize=1000&Page=1&PageToken=PAAC1"), answer{200, page}},
		"an unknown account":       {get(accountURL), answer{404, notFound}},
		"null where it is allowed": {get(accountURL), answer{200, edited(`"Tenant 7"`, `null`)}},
		"a key without auth token": {get(accountURL), answer{200, edited(`"auth_token": "0123456789abcdef0123456789abcdef",`, ``)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, reported(t, c.request, c.next))
		})
	}
}

func TestWrongAnswersAreReported(t *testing.T) {
	t.Parallel()
	const where = "GET /2010-04-01/Accounts/" + accountSID + ".json: the answer: "
	for name, c := range map[string]struct {
		next answer
		want string
	}{
		"a field of the wrong type": {
			answer{200, edited(`"Tenant 7"`, `7`)},
			`friendly_name: value must be a string`,
		},
		"a field that is not documented": {
			answer{200, edited(`"type"`, `"colour": "red", "type"`)},
			`property "colour" is unsupported: it is not documented`,
		},
		"a field that is left out": {
			answer{200, edited(`"type": "Full",`, ``)},
			`type: property "type" is missing`,
		},
		"a value that is not in the enum": {
			answer{200, edited(`"active"`, `"Active"`)},
			`status: "Active": value is not one of the allowed values ["active","suspended","closed"]`,
		},
		"null in an enum": {
			answer{200, edited(`"active"`, `null`)},
			`status: <nil>: value is not one of the allowed values ["active","suspended","closed"]`,
		},
		"a value that does not match the pattern": {
			answer{200, edited(`"ACbbbb`, `"PNbbbb`)},
			`owner_account_sid: "PNbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb": string doesn't match the regular expression "^AC[0-9a-fA-F]{32}$"`,
		},
		"an ISO date": {
			answer{200, edited("Wed, 17 Feb 2021 15:12:01 +0000", "2021-02-17T15:12:01Z")},
			`date_created: string doesn't match the format "date-time-rfc-2822" ` +
				`("2021-02-17T15:12:01Z" is not like "Mon, 02 Jan 2006 15:04:05 -0700")`,
		},
		"a date with the wrong day of the week": {
			answer{200, edited("Wed, 17 Feb", "Thu, 17 Feb")},
			`date_created: string doesn't match the format "date-time-rfc-2822" ` +
				`("Thu, 17 Feb 2021 15:12:01 +0000" would be written "Wed, 17 Feb 2021 15:12:01 +0000")`,
		},
		"a resource address that is no text": {
			answer{200, edited(`"/2010-04-01/Accounts/`+accountSID+`/Balance.json"`, `{}`)},
			`subresource_uris.balance: value must be a string`,
		},
		"a status that is not documented": {
			answer{202, account},
			`status 202 is not documented, only 200`,
		},
		"a body that ends too late": {
			answer{200, account + "{}"},
			`the body is not one JSON document`,
		},
		"an error in HTML": {
			answer{502, "<html>Bad Gateway</html>"},
			`error 502 is not JSON: invalid character '<' looking for beginning of value`,
		},
		"an error without a code": {
			answer{404, `{"message": "gone", "more_info": "", "status": 404}`},
			`code: property "code" is missing`,
		},
		"an error whose code is text": {
			answer{404, `{"code": "20404", "message": "gone", "more_info": "", "status": 404}`},
			`code: value must be an integer`,
		},
		"an error of another status": {
			answer{429, notFound},
			`error 429 says that its status is 404`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, []string{where + c.want}, reported(t, get(accountURL), c.next))
		})
	}
}

func TestWrongItemInAListIsReported(t *testing.T) {
	t.Parallel()
	one := strings.Replace(page, `"Full"`, `"Half"`, 1)
	assert.Equal(t, []string{
		`GET /2010-04-01/Accounts.json: the answer: accounts.0.type: "Half": value is not one of the allowed values ["Trial","Full"]`,
	}, reported(t, get(accountsURL), answer{200, one}))
}

func TestAnswerThatDoesNotCallItselfJSONIsReported(t *testing.T) {
	t.Parallel()
	const where = "GET /2010-04-01/Accounts/" + accountSID + ".json: the answer: "
	for _, c := range []struct {
		next answer
		want string
	}{
		{answer{200, account}, `response header Content-Type has unexpected value: "text/html"`},
		{answer{404, notFound}, `error 404 has Content-Type "text/html"`},
	} {
		html := roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := c.next.RoundTrip(request)
			response.Header.Set("Content-Type", "text/html")
			return response, err
		})
		assert.Equal(t, []string{where + c.want}, reported(t, get(accountURL), html))
	}
}

func TestWrongRequestsAreReported(t *testing.T) {
	t.Parallel()
	const unknown = `no operation in testdata/operations.txt is called like this at `
	for name, c := range map[string]struct {
		request *http.Request
		next    answer
		want    string
	}{
		"a path that is not documented": {
			get("https://api.twilio.com/2010-04-01/Accounts"), answer{200, page},
			unknown + `api.twilio.com: no matching operation was found`,
		},
		"a method that is not documented": {
			with(get(accountURL), func(r *http.Request) { r.Method = "DELETE" }), answer{204, ""},
			unknown + `api.twilio.com: method not allowed`,
		},
		"a host of another product": {
			get("https://messaging.twilio.com/2010-04-01/Accounts.json"), answer{200, page},
			unknown + `messaging.twilio.com: no matching operation was found`,
		},
		"a SID of another kind": {
			get(strings.Replace(accountURL, "ACaaa", "PNaaa", 1)), answer{200, account},
			`parameter "Sid" in path has an error: "PN` + accountSID[2:] + `": string doesn't match the regular expression "^AC[0-9a-fA-F]{32}$"`,
		},
		"a query parameter that is not documented": {
			get(accountsURL + "?Owner=me"), answer{200, page},
			`query parameter "Owner": is not documented`,
		},
		"a query parameter of a form": {
			post(accountsURL+"?FriendlyName=x", ""), answer{201, account},
			`query parameter "FriendlyName": is not documented`,
		},
		"a query parameter of the wrong type": {
			get(accountsURL + "?PageSize=0x10"), answer{200, page},
			`query parameter "PageSize": "0x10" is not an integer`,
		},
		"a query parameter out of bounds": {
			get(accountsURL + "?PageSize=1001"), answer{200, page},
			`query parameter "PageSize": number must be at most 1000`,
		},
		"a query parameter given twice": {
			get(accountsURL + "?Status=active&Status=closed"), answer{200, page},
			`query parameter "Status": is no list, but given 2 times`,
		},
		"a form parameter that is not documented": {
			post(accountsURL, "Status=active"), answer{201, account},
			`form parameter "Status": is not documented`,
		},
		"a form parameter that is not in the enum": {
			post(accountURL, "Status=Closed"), answer{200, account},
			`form parameter "Status": "Closed": value is not one of the allowed values ["active","suspended","closed"]`,
		},
		"a form in JSON": {
			with(post(accountURL, `{"Status":"closed"}`), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
			answer{200, account},
			`Content-Type is "application/json", not application/x-www-form-urlencoded`,
		},
		"a form that cannot be read": {
			post(accountURL, "Status=%zz"), answer{200, account},
			`the form cannot be read: invalid URL escape "%zz"`,
		},
		"a body of a GET": {
			with(post(accountURL, "Status=closed"), func(r *http.Request) { r.Method = "GET" }), answer{200, account},
			`a body is sent where none is documented`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := fmt.Sprintf("%s %s: the request: ", c.request.Method, c.request.URL.Path)
			assert.Equal(t, []string{where + c.want}, reported(t, c.request, c.next))
		})
	}
}

func TestRequestIsMatchedByHostHeaderWithoutEdgeAndRegion(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"api.twilio.com":            0,
		"api.sydney.au1.twilio.com": 0,
		"api.twilio.com.evil.org":   1,
		"127.0.0.1:8080":            1,
		"":                          1, // the URL's own
	} {
		request := with(get("http://127.0.0.1:8080/2010-04-01/Accounts.json"), func(r *http.Request) { r.Host = host })
		assert.Len(t, reported(t, request, answer{200, page}), want, host)
	}
}

func TestInjectedFaultIsNotLookedAt(t *testing.T) {
	t.Parallel()
	badGateway := func(response *http.Response) bool { return response.StatusCode == http.StatusBadGateway }
	assert.Empty(t, reported(t, get(accountURL), answer{502, "<html>"}, badGateway))
	assert.Len(t, reported(t, get(accountURL), answer{503, "<html>"}, badGateway), 1)
}

func TestCallPassesUnchanged(t *testing.T) {
	t.Parallel()
	sent := post(accountsURL, "FriendlyName=x")
	next := roundTripper(func(request *http.Request) (*http.Response, error) {
		assert.NotSame(t, sent, request)
		assert.Equal(t, sent.URL, request.URL)
		assert.Equal(t, sent.Header, request.Header)
		assert.Equal(t, sent.ContentLength, request.ContentLength)
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		assert.Equal(t, "FriendlyName=x", string(body))
		return answer{201, account}.RoundTrip(request)
	})
	response, err := Check(t, next).RoundTrip(sent)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, account, string(body))
	assert.NoError(t, response.Body.Close())
}

func TestBodyThatBreaksOffIsReportedAndBreaksOffForTheCaller(t *testing.T) {
	t.Parallel()
	next := roundTripper(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(account[:100]), failing{io.ErrUnexpectedEOF})
		return &http.Response{StatusCode: 200, Body: io.NopCloser(body)}, nil
	})
	recorder := &recorder{TB: t}
	response, err := Check(recorder, next).RoundTrip(get(accountURL))
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, account[:100], string(body))
	assert.Equal(t, []string{
		"GET /2010-04-01/Accounts/" + accountSID + ".json: the answer: the body cannot be read: unexpected EOF",
	}, recorder.reports)
}

func TestCallWithoutAnAnswerIsNotReported(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	recorder := &recorder{TB: t}
	_, err := Check(recorder, roundTripper(func(*http.Request) (*http.Response, error) { return nil, broken })).
		RoundTrip(get(accountURL))
	assert.ErrorIs(t, err, broken)
	assert.Empty(t, recorder.reports)
}

func TestCallsAreCheckedAtTheSameTime(t *testing.T) {
	t.Parallel()
	recorder := &recorder{TB: t}
	checked := Check(recorder, answer{202, account})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := checked.RoundTrip(post(accountURL, "Status=closed"))
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Len(t, recorder.reports, 20)
}

// reported sends the request through Check to an answer and gives what is reported.
func reported(t *testing.T, request *http.Request, next http.RoundTripper, injected ...func(*http.Response) bool) []string {
	t.Helper()
	recorder := &recorder{TB: t}
	_, err := Check(recorder, next, injected...).RoundTrip(request)
	require.NoError(t, err)
	return recorder.reports
}

// A recorder is a test that fails without anybody noticing but us.
type recorder struct {
	testing.TB
	lock    sync.Mutex
	reports []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

// An answer is what Twilio says, whatever it is asked.
type answer struct {
	status int
	body   string
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json; charset=utf-8")
	recorder.WriteHeader(a.status)
	if a.body == "" {
		return recorder.Result(), nil
	}
	_, err := recorder.WriteString(a.body)
	return recorder.Result(), err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func get(address string) *http.Request { return httptest.NewRequest(http.MethodGet, address, nil) }

func post(address, body string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, address, strings.NewReader(body))
	request.Header.Set("Content-Type", form)
	return request
}

func with(request *http.Request, change func(*http.Request)) *http.Request {
	change(request)
	return request
}

// edited is the account with one thing different.
func edited(from, to string) string {
	changed := strings.Replace(account, from, to, 1)
	if changed == account {
		panic("nothing to edit: " + url.QueryEscape(from))
	}
	return changed
}
