package twiliotest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

const base = "https://api.twilio.com/2010-04-01/Accounts"

// caller sends requests as an account or a key, in one of the two forms.
type caller struct {
	t              *testing.T
	http           *http.Client
	user, password string
}

func as(t *testing.T, s *twiliotest.Server, a twiliotest.Account) caller {
	return caller{t, s.HTTPClient(), a.SID, a.AuthToken}
}

func asParent(t *testing.T, s *twiliotest.Server) caller { return as(t, s, s.Parent()) }

func asKey(t *testing.T, s *twiliotest.Server, k twiliotest.Key) caller {
	return caller{t, s.HTTPClient(), k.SID, k.Secret}
}

// reply is what came back; body is nil if it is not a JSON object.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (r reply) code() int {
	code, _ := r.body["code"].(float64)
	return int(code)
}

func (c caller) request(method, url string, form url.Values) *http.Request {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	return r
}

func (c caller) try(r *http.Request) (reply, error) {
	response, err := c.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	got := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &got.body) // a fault may have made it no JSON
	return got, err
}

func (c caller) do(r *http.Request) reply {
	c.t.Helper()
	got, err := c.try(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func (c caller) fetch(sid string) reply {
	c.t.Helper()
	return c.do(c.request("GET", base+"/"+sid+".json", nil))
}

func (c caller) list(query string) reply {
	c.t.Helper()
	return c.do(c.request("GET", base+".json"+query, nil))
}

func (c caller) create(form ...string) reply {
	c.t.Helper()
	return c.do(c.request("POST", base+".json", pairs(form)))
}

func (c caller) update(sid string, form ...string) reply {
	c.t.Helper()
	return c.do(c.request("POST", base+"/"+sid+".json", pairs(form)))
}

func pairs(form []string) url.Values {
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return values
}

// sids are the accounts of a page.
func (r reply) sids() []string {
	var sids []string
	accounts, _ := r.body["accounts"].([]any)
	for _, a := range accounts {
		sids = append(sids, a.(map[string]any)["sid"].(string))
	}
	return sids
}

func wantRefusal(t *testing.T, got reply, status, code int) {
	t.Helper()
	if got.status != status || got.code() != code {
		t.Errorf("got %d/%d, want %d/%d: %.200s", got.status, got.code(), status, code, got.raw)
	}
}

func wantOK(t *testing.T, got reply) {
	t.Helper()
	if got.status != 200 && got.status != 201 {
		t.Fatalf("got %d: %.200s", got.status, got.raw)
	}
}

// inBothForms runs a test over the socket and without one.
func inBothForms(t *testing.T, test func(t *testing.T, s *twiliotest.Server, c caller)) {
	for name, client := range map[string]func(*twiliotest.Server) *http.Client{
		"socket":    (*twiliotest.Server).SocketClient,
		"no socket": (*twiliotest.Server).HTTPClient,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twiliotest.NewServer(t)
			c := asParent(t, s)
			c.http = client(s)
			test(t, s, c)
		})
	}
}

func (c caller) get(url string) reply {
	c.t.Helper()
	return c.do(c.request("GET", url, nil))
}

func (c caller) post(url string, form ...string) reply {
	c.t.Helper()
	return c.do(c.request("POST", url, pairs(form)))
}

func (c caller) delete(url string) reply {
	c.t.Helper()
	return c.do(c.request("DELETE", url, nil))
}

// member is a text in the body, and what is not one as it is printed.
func (r reply) member(name string) string { return fmt.Sprint(r.body[name]) }

// column is one member of all items of a list.
func (r reply) column(list, member string) []string {
	var values []string
	items, _ := r.body[list].([]any)
	for _, item := range items {
		values = append(values, fmt.Sprint(item.(map[string]any)[member]))
	}
	return values
}

// wantMembers compares the whole body.
func wantMembers(t *testing.T, got reply, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if !reflect.DeepEqual(got.body[name], value) {
			t.Errorf("%s is %#v, want %#v", name, got.body[name], value)
		}
	}
	for name := range got.body {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is %v, and not wanted", name, got.body[name])
		}
	}
}

func wantColumn(t *testing.T, got reply, list, member string, want ...string) {
	t.Helper()
	if column := got.column(list, member); !slices.Equal(column, want) {
		t.Errorf("%s are %v, want %v: %.200s", member, column, want, got.raw)
	}
}

func wantGone(t *testing.T, got reply) {
	t.Helper()
	if got.status != 204 || got.raw != "" {
		t.Errorf("got %d %s", got.status, got.raw)
	}
}
