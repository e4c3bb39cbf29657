package twiliotest_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheRecordTellsWhatArrived(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		r := c.request("POST", base+".json", url.Values{"FriendlyName": {"a&b"}})
		r.Header.Set("User-Agent", "tester/1")
		wantOK(t, c.do(r))
		if r.Header.Get("Authorization") == "" {
			t.Error("the caller's own request was changed")
		}
		wantOK(t, c.list("?PageSize=1"))
		got := s.Requests()
		if len(got) != 2 {
			t.Fatalf("%d requests", len(got))
		}
		if got[0].Header.Get("User-Agent") != "tester/1" || got[0].Header.Get("Authorization") != "" {
			t.Errorf("header %v", got[0].Header)
		}
		got[0].Header, got[1].Header = nil, nil
		parent := s.Parent().SID
		for i, want := range []twiliotest.Request{
			{Operation: "CreateAccount", Method: "POST", Host: "api.twilio.com", Path: "/2010-04-01/Accounts.json",
				Form: url.Values{"FriendlyName": {"a&b"}}, User: parent, Account: parent, Status: 201},
			{Operation: "ListAccount", Method: "GET", Host: "api.twilio.com", Path: "/2010-04-01/Accounts.json",
				RawQuery: "PageSize=1", User: parent, Account: parent, Status: 200},
		} {
			if !reflect.DeepEqual(got[i], want) {
				t.Errorf("got %+v", got[i])
			}
		}
	})
}

func TestARequestKnowsWhoSignedIt(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other := s.AddSubaccount(""), s.AddSubaccount("")
	key := s.AddKey(a.SID, twiliotest.StandardKey)
	asKey(t, s, key).list("")
	as(t, s, a).list("")
	forged := as(t, s, a)
	forged.password = other.AuthToken
	forged.list("")
	s.SetStatus(a.SID, twiliotest.Suspended)
	as(t, s, a).list("")

	got := s.Requests()
	for i, signed := range []bool{true, true, false, true} {
		if got[i].SignedBy(a.SID) != signed {
			t.Errorf("request %d: %+v", i, got[i])
		}
		if got[i].SignedBy(other.SID) || got[i].SignedBy("") {
			t.Errorf("request %d is not the other's", i)
		}
	}
	if !got[0].SignedBy(key.SID) || got[1].SignedBy(key.SID) || got[2].User != a.SID {
		t.Errorf("got %+v", got)
	}
	for _, r := range got {
		for _, values := range r.Header {
			if strings.Contains(strings.Join(values, ""), "Basic") {
				t.Error("the record holds a password")
			}
		}
	}
}

func TestRequestsAreCountedByOperation(t *testing.T) {
	t.Parallel()
	s := twiliotest.Start(twiliotest.WithRecordLimit(2))
	c := asParent(t, s)
	for range 3 {
		c.list("")
	}
	c.fetch(s.Parent().SID)
	c.do(c.request(http.MethodGet, "https://api.twilio.com/nowhere", nil))
	if s.Count("ListAccount") != 3 || s.Count("FetchAccount") != 1 || s.Count("UpdateAccount") != 0 || s.Count("") != 5 {
		t.Error("wrong counts")
	}
	if got := s.Requests(); len(got) != 2 || got[0].Operation != "FetchAccount" || got[1].Operation != "" || got[1].Status != 404 {
		t.Errorf("kept %+v", got)
	}
	s.ForgetRequests()
	if s.Count("") != 0 || s.Count("ListAccount") != 0 || len(s.Requests()) != 0 {
		t.Error("not forgotten")
	}
	wantPanic(t, func() { s.Count("FetchAcount") })
}

func TestTheRecordCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithRecordLimit(0))
	asParent(t, s).list("")
	if len(s.Requests()) != 0 || s.Count("ListAccount") != 1 {
		t.Errorf("kept %v", s.Requests())
	}
}

func wantPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}
