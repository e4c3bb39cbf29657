package twiliotest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheNthRequestOfAnOperationIsHit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault twiliotest.Fault
		want  []int
	}{
		"the next":             {twiliotest.Fault{}, []int{503, 200, 200, 200, 200}},
		"the third":            {twiliotest.Fault{On: 3}, []int{200, 200, 503, 200, 200}},
		"two from the second":  {twiliotest.Fault{On: 2, Times: 2}, []int{200, 503, 503, 200, 200}},
		"all":                  {twiliotest.Fault{Times: twiliotest.Always}, []int{503, 503, 503, 503, 503}},
		"all from the fourth":  {twiliotest.Fault{On: 4, Times: twiliotest.Always}, []int{200, 200, 200, 503, 503}},
		"of another operation": {twiliotest.Fault{Operation: "CreateAccount"}, []int{200, 200, 200, 200, 200}},
		"of another path":      {twiliotest.Fault{Path: "/Accounts/AC"}, []int{200, 200, 200, 200, 200}},
		"of any operation":     {twiliotest.Fault{Operation: "", On: 2}, []int{200, 503, 200, 200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twiliotest.NewServer(t)
			c := asParent(t, s)
			c.list("") // before the injection, so it does not count
			test.fault.Status = 503
			s.Inject(test.fault)
			var got []int
			for range test.want {
				got = append(got, c.list("").status)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAFaultCanFollowAnAccount(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, b := s.AddSubaccount(""), s.AddSubaccount("")
	s.Inject(twiliotest.Fault{Path: a.SID, Status: 500})
	s.Inject(twiliotest.Fault{SignedBy: b.SID, Code: 20003})
	key := s.AddKey(a.SID, twiliotest.MainKey)
	s.Inject(twiliotest.Fault{SignedBy: key.SID, Status: 504})
	wantOK(t, asParent(t, s).fetch(b.SID))
	wantRefusal(t, asParent(t, s).fetch(a.SID), 500, 20500)
	wantOK(t, as(t, s, a).fetch(a.SID))
	wantRefusal(t, as(t, s, b).fetch(b.SID), 401, 20003)
	wantOK(t, as(t, s, b).fetch(b.SID))
	wantRefusal(t, asKey(t, s, key).fetch(a.SID), 504, 20504)
}

func TestTheFirstInjectedOfTwoFaultsStrikes(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.Inject(twiliotest.Fault{Status: 503})
	s.Inject(twiliotest.Fault{Status: 500, Times: 2})
	for _, want := range []int{503, 500, 200} {
		if got := asParent(t, s).list("").status; got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestClearedFaultsAreGone(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.Inject(twiliotest.Fault{Status: 503, Times: twiliotest.Always})
	s.ClearFaults()
	wantOK(t, asParent(t, s).list(""))
}

func TestAnAnswerIsAsDeclared(t *testing.T) {
	t.Parallel()
	const info = `,"more_info":"https://www.twilio.com/docs/errors/`
	for name, test := range map[string]struct {
		fault  twiliotest.Fault
		status int
		body   string
		header map[string]string
	}{
		"429": {twiliotest.Fault{Status: 429, RetryAfter: "7"}, 429,
			`{"code":20429,"message":"Too Many Requests"` + info + `20429","status":429}`,
			map[string]string{"Retry-After": "7", "Content-Type": "application/json"}},
		"429 with a date": {twiliotest.Fault{Status: 429, RetryAfter: "Sat, 01 Jan 2000 00:00:07 GMT"}, 429,
			`{"code":20429,"message":"Too Many Requests"` + info + `20429","status":429}`,
			map[string]string{"Retry-After": "Sat, 01 Jan 2000 00:00:07 GMT"}},
		"429 without a code": {twiliotest.Fault{Status: 429, Code: twiliotest.NoCode}, 429,
			`{"message":"Too Many Requests","status":429}`, map[string]string{"Retry-After": ""}},
		"429 of another code": {twiliotest.Fault{Status: 429, Code: 60203, Message: "Max send attempts reached"}, 429,
			`{"code":60203,"message":"Max send attempts reached"` + info + `60203","status":429}`, nil},
		"a code alone": {twiliotest.Fault{Code: 21476}, 400,
			`{"code":21476,"message":"Account status cannot be updated: the parent account is suspended"` + info + `21476","status":400}`, nil},
		"an unknown code": {twiliotest.Fault{Code: 99999}, 400,
			`{"code":99999,"message":"Bad Request"` + info + `99999","status":400}`, nil},
		"503": {twiliotest.Fault{Status: 503}, 503,
			`{"code":20503,"message":"Service unavailable"` + info + `20503","status":503}`, nil},
		"HTML": {twiliotest.Fault{Status: 502, HTML: true}, 502,
			"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n",
			map[string]string{"Content-Type": "text/html", "Twilio-Request-Id": ""}},
		"empty":          {twiliotest.Fault{Status: 500, Body: []byte{}}, 500, "", nil},
		"null":           {twiliotest.Fault{Body: []byte("null")}, 200, "null", nil},
		"truncated JSON": {twiliotest.Fault{Body: []byte(`{"sid":"AC`)}, 200, `{"sid":"AC`, nil},
		"own headers": {twiliotest.Fault{Status: 307, Header: http.Header{"X-A": {"b"}, "content-type": {"text/plain"}}}, 307, "",
			map[string]string{"X-A": "b", "Content-Type": "text/plain"}},
		"no content": {twiliotest.Fault{Status: 204}, 204, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
				s.Inject(test.fault)
				got := c.create()
				if got.status != test.status || got.raw != test.body {
					t.Errorf("got %d %s", got.status, got.raw)
				}
				for name, value := range test.header {
					if got.header.Get(name) != value {
						t.Errorf("%s: %q", name, got.header.Get(name))
					}
				}
				if len(s.Subaccounts()) != 0 {
					t.Error("it had an effect")
				}
				if s.Requests()[0].Status != test.status {
					t.Errorf("recorded %+v", s.Requests()[0])
				}
			})
		})
	}
}

func TestA100MBBodyIsStreamed(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		const size = 100 << 20
		s.Inject(twiliotest.Fault{Size: size})
		response, err := c.http.Do(c.request("GET", base+".json", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		n, err := io.Copy(io.Discard, response.Body)
		if n != size || err != nil || response.ContentLength != size {
			t.Errorf("%d bytes of %d, %v", n, response.ContentLength, err)
		}
	})
}

func TestALongBodyIsOneJSONString(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		for _, size := range []int{1, 20, 21, 70_000, 200_000} {
			s.Inject(twiliotest.Fault{Size: int64(size)})
			got := c.list("")
			if len(got.raw) != size || size >= 20 && got.body["friendly_name"] == nil {
				t.Errorf("%d bytes, want %d: %.40s", len(got.raw), size, got.raw)
			}
		}
	})
}

func TestAConnectionIsResetBeforeOrAfterTheEffect(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		for _, after := range []bool{false, true} {
			s.Inject(twiliotest.Fault{Reset: true, AfterEffect: after})
			_, err := c.try(c.request("POST", base+".json", nil))
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after the effect %t: %v", after, err)
			}
			if done := len(s.Subaccounts()) == 1; done != after {
				t.Errorf("after the effect %t: done %t", after, done)
			}
		}
		if got := s.Requests(); len(got) != 2 || got[1].Status != 0 {
			t.Errorf("recorded %+v", got)
		}
		wantOK(t, c.list(""))
	})
}

func TestABodyIsTruncated(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		s.AddSubaccounts(200)
		whole := c.list("").raw
		for _, n := range []int64{-1, 1, 100, 100_000} {
			s.Inject(twiliotest.Fault{Truncate: n})
			got, err := c.try(c.request("GET", base+".json", nil))
			if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != 200 {
				t.Errorf("%d bytes: %d, %v", n, got.status, err)
			}
			if got.raw != whole[:max(n, 0)] || got.header.Get("Twilio-Request-Id") == "" {
				t.Errorf("%d bytes: got %d", n, len(got.raw))
			}
		}
		s.Inject(twiliotest.Fault{Truncate: 5, Operation: "CreateAccount", AfterEffect: true})
		if _, err := c.try(c.request("POST", base+".json", nil)); err == nil || len(s.Subaccounts()) != 201 {
			t.Errorf("%v, and %d subaccounts", err, len(s.Subaccounts()))
		}
		s.Inject(twiliotest.Fault{Truncate: 1 << 20})
		if got := c.fetch(s.Parent().SID); got.body["sid"] != s.Parent().SID {
			t.Errorf("a body shorter than Truncate is whole, got %s", got.raw)
		}
	})
}

func TestAnErrorCanComeAfterTheEffect(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		s.Inject(twiliotest.Fault{AfterEffect: true, Status: 502, HTML: true})
		if got := c.create("FriendlyName", "made"); got.status != 502 {
			t.Errorf("got %d", got.status)
		}
		if made := s.Subaccounts(); len(made) != 1 || made[0].FriendlyName != "made" {
			t.Errorf("subaccounts: %+v", made)
		}
	})
}

func TestAFaultComesBeforeAuthentication(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.Inject(twiliotest.Fault{Status: 503})
	c := asParent(t, s)
	c.password = "wrong"
	wantRefusal(t, c.list(""), 503, 20503)
	wantRefusal(t, c.list(""), 401, 20003)
}

func TestAFaultThatContradictsItselfPanics(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	for _, f := range []twiliotest.Fault{
		{Reset: true, Hang: true},
		{Reset: true, Status: 500},
		{Hang: true, Body: []byte{}},
		{Hang: true, Truncate: 1},
		{Reset: true, RetryAfter: "1"},
		{Body: []byte("x"), Size: 1},
		{Size: -1},
		{Operation: "FetchAcount"},
	} {
		wantPanic(t, func() { s.Inject(f) })
	}
}

func TestAnInjectedBodyIsACopy(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	body := []byte("null")
	s.Inject(twiliotest.Fault{Body: body, Header: http.Header{}})
	copy(body, "true")
	if got := asParent(t, s).list(""); strings.TrimSpace(got.raw) != "null" {
		t.Errorf("got %s", got.raw)
	}
}

func TestAFaultHitsKeysApplicationsAndCallsAsItHitsAllElse(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	from := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}).PhoneNumber
	key, app := s.AddKey(a.SID, twiliotest.StandardKey).SID, s.AddApplication(a.SID)
	c := as(t, s, a)
	for _, try := range []struct {
		operation, method, url string
		form                   []string
	}{
		{"CreateNewKey", "POST", keysOf(a) + ".json", nil},
		{"ListKey", "GET", keysOf(a) + ".json", nil},
		{"FetchKey", "GET", keysOf(a) + "/" + key + ".json", nil},
		{"UpdateKey", "POST", keysOf(a) + "/" + key + ".json", nil},
		{"DeleteKey", "DELETE", keysOf(a) + "/" + key + ".json", nil},
		{"CreateApplication", "POST", appsOf(a) + ".json", nil},
		{"ListApplication", "GET", appsOf(a) + ".json", nil},
		{"FetchApplication", "GET", appsOf(a) + "/" + app + ".json", nil},
		{"UpdateApplication", "POST", appsOf(a) + "/" + app + ".json", nil},
		{"DeleteApplication", "DELETE", appsOf(a) + "/" + app + ".json", nil},
		{"CreateCall", "POST", callsOf(a) + ".json", []string{"To", someone, "From", from, "Twiml", "<Response/>"}},
	} {
		s.Inject(twiliotest.Fault{Operation: try.operation, Status: 503})
		s.Inject(twiliotest.Fault{Operation: try.operation, On: 2, AfterEffect: true, Reset: true})
		var form url.Values
		if try.method == "POST" {
			form = pairs(try.form)
		}
		wantRefusal(t, c.do(c.request(try.method, try.url, form)), 503, 20503)
		if got, err := c.try(c.request(try.method, try.url, form)); err == nil {
			t.Errorf("%s: got %d", try.operation, got.status)
		}
		if n := s.Count(try.operation); n != 2 {
			t.Errorf("%s: counted %d", try.operation, n)
		}
	}
	if len(s.Keys(a.SID)) != 1 || len(s.Applications(a.SID)) != 1 || len(s.Calls(a.SID)) != 1 { // one made, one deleted
		t.Errorf("%d keys, %d applications, %d calls", len(s.Keys(a.SID)), len(s.Applications(a.SID)), len(s.Calls(a.SID)))
	}
}
