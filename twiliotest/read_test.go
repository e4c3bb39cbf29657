package twiliotest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// witness is a test that only notes how it was failed.
type witness struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (w *witness) Helper()          {}
func (w *witness) Cleanup(f func()) { w.cleanups = append(w.cleanups, f) }
func (w *witness) Errorf(format string, args ...any) {
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

const form = "application/x-www-form-urlencoded"

var badRequests = []struct {
	name, method, url, contentType, body string
	status, code                         int
	says                                 string
}{
	{"host", "GET", "https://api.example.com/2010-04-01/Accounts.json", "", "", 404, 20404, "host"},
	{"region without edge", "GET", "https://api.au1.twilio.com/2010-04-01/Accounts.json", "", "", 404, 20404, "host"},
	{"path", "GET", "https://api.twilio.com/2010-04-01/Accounts/", "", "", 404, 20404, "path"},
	{"XML", "GET", "https://api.twilio.com/2010-04-01/Accounts", "", "", 404, 20404, "path"},
	{"no SID", "GET", base + "/.json", "", "", 404, 20404, "path"},
	{"bad SID", "GET", base + "/AC123.json", "", "", 404, 20404, "path"},
	{"wrong prefix", "GET", base + "/SK" + strings.Repeat("a", 32) + ".json", "", "", 404, 20404, "path"},
	{"escaped SID", "GET", base + "/%41C" + strings.Repeat("a", 32) + ".json", "", "", 404, 20404, "path"},
	{"method", "PUT", base + ".json", "", "", 405, 20004, "method"},
	{"DELETE", "DELETE", base + "/AC" + strings.Repeat("a", 32) + ".json", "", "", 405, 20004, "method"},
	{"query parameter", "GET", base + ".json?Size=1", "", "", 400, 20001, `"Size"`},
	{"query of a fetch", "GET", base + "/AC" + strings.Repeat("a", 32) + ".json?PageSize=1", "", "", 400, 20001, `"PageSize"`},
	{"query of a POST", "POST", base + ".json?FriendlyName=x", "", "", 400, 20001, `"FriendlyName"`},
	{"form parameter", "POST", base + ".json", form, "Name=x", 400, 20001, `"Name"`},
	{"wrong case", "POST", base + ".json", form, "friendlyName=x", 400, 20001, `"friendlyName"`},
	{"repeated", "GET", base + ".json?Status=active&Status=closed", "", "", 400, 20001, `repeats "Status"`},
	{"repeated in form", "POST", base + ".json", form, "FriendlyName=x&FriendlyName=y", 400, 20001, `repeats "FriendlyName"`},
	{"bare percent", "GET", base + ".json?FriendlyName=100%", "", "", 400, 20001, "query"},
	{"bad escape", "POST", base + ".json", form, "FriendlyName=100%zz", 400, 20001, "body"},
	{"bare semicolon", "GET", base + ".json?FriendlyName=a;b", "", "", 400, 20001, "semicolon"},
	{"bare umlaut", "GET", base + ".json?FriendlyName=S\u00f6hne", "", "", 400, 20001, "not escaped"},
	{"bare space", "POST", base + ".json", form, "FriendlyName=a b", 400, 20001, "not escaped"},
	{"not UTF-8", "GET", base + ".json?FriendlyName=%ff", "", "", 400, 20001, "UTF-8"},
	{"body of a GET", "GET", base + ".json", form, "PageSize=1", 400, 20001, "a GET has none"},
	{"JSON", "POST", base + ".json", "application/json", `{"FriendlyName":"x"}`, 400, 20001, "Content-Type"},
	{"no content type", "POST", base + ".json", "", "FriendlyName=x", 400, 20001, "Content-Type"},
	{"endless form", "POST", base + ".json", form, "FriendlyName=" + strings.Repeat("x", 1<<20), 400, 20001, "1 MiB"},
}

func TestWhatNoProgramMaySendFailsTheTest(t *testing.T) {
	t.Parallel()
	for form, client := range map[string]func(*twiliotest.Server) *http.Client{
		"socket":    (*twiliotest.Server).SocketClient,
		"no socket": (*twiliotest.Server).HTTPClient,
	} {
		for _, bad := range badRequests {
			t.Run(form+"/"+bad.name, func(t *testing.T) {
				t.Parallel()
				w := &witness{}
				s := twiliotest.NewServer(w)
				defer s.Close()
				got := send(t, asParent(t, s), client(s), bad.method, bad.url, bad.contentType, bad.body)
				wantRefusal(t, got, bad.status, bad.code)
				if len(w.failures) != 1 || !strings.Contains(w.failures[0], bad.says) {
					t.Errorf("failures: %q", w.failures)
				}
				if v := s.Violations(); len(v) != 1 || w.failures[0] != "twiliotest: "+v[0] {
					t.Errorf("violations: %q", v)
				}
				if len(s.Subaccounts()) != 0 {
					t.Error("it had an effect")
				}
				if len(w.cleanups) != 1 {
					t.Error("the server is not closed with the test")
				}
			})
		}
	}
}

func send(t *testing.T, c caller, client *http.Client, method, url, contentType, body string) reply {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.SetBasicAuth(c.user, c.password)
	c.http = client
	return c.do(r)
}

func TestAStandaloneServerKeepsViolationsForReading(t *testing.T) {
	t.Parallel()
	s := twiliotest.Start()
	defer s.Close()
	c := asParent(t, s)
	wantRefusal(t, c.do(c.request("GET", "https://api.twilio.com/nowhere", nil)), 404, 20404)
	if v := s.Violations(); len(v) != 1 || !strings.HasPrefix(v[0], "GET api.twilio.com/nowhere has a path") {
		t.Errorf("violations: %q", v)
	}
}

func TestUnencryptedRequestsAreViolations(t *testing.T) {
	t.Parallel()
	s := twiliotest.Start()
	defer s.Close()
	c := asParent(t, s)
	url := "http://api.twilio.com/2010-04-01/Accounts.json"
	wantRefusal(t, c.do(c.request("GET", url, nil)), 404, 20404)
	c.http = s.SocketClient()
	if _, err := c.try(c.request("GET", url, nil)); err == nil {
		t.Error("no error over the socket")
	}
	if v := s.Violations(); len(v) != 2 || !strings.Contains(v[0], "https") || !strings.Contains(v[1], "https") {
		t.Errorf("violations: %q", v)
	}
}

func TestEdgeAndRegionInTheHostAreUnderstood(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		for _, host := range []string{"api.sydney.au1.twilio.com", "API.Twilio.com", "api.twilio.com:443"} {
			wantOK(t, c.do(c.request("GET", "https://"+host+"/2010-04-01/Accounts.json", nil)))
		}
	})
}

func TestAnEmptyFormNeedsNoContentType(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		wantOK(t, c.do(c.request("POST", base+".json", nil)))
	})
}
