package twiliotest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAnAccountWithoutANameIsNamedAfterItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		time.Sleep(13*time.Hour + 5*time.Minute) // of the bubble's clock, which starts at midnight
		got := asParent(t, s).create()
		if got.body["friendly_name"] != "SubAccount Created at 2000-01-01 01:05 PM" {
			t.Errorf("got %v", got.body["friendly_name"])
		}
		if got.body["date_created"] != "Sat, 01 Jan 2000 13:05:00 +0000" {
			t.Errorf("created %v", got.body["date_created"])
		}
	})
}

func TestAnUpdateChangesWhatIsSentAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("before")
		c := asParent(t, s)
		wantOK(t, c.fetch(a.SID)) // so that its JSON is kept, and must be renewed
		time.Sleep(time.Minute)

		wantOK(t, c.update(a.SID, "FriendlyName", "after"))
		want := a
		want.FriendlyName, want.DateUpdated = "after", a.DateUpdated.Add(time.Minute)
		if got, _ := s.Account(a.SID); got != want {
			t.Errorf("renamed: %+v", got)
		}
		wantOK(t, c.update(a.SID, "Status", "suspended"))
		want.Status = "suspended"
		if got, _ := s.Account(a.SID); got != want {
			t.Errorf("suspended: %+v", got)
		}
		if got := c.fetch(a.SID); got.body["status"] != "suspended" || got.body["friendly_name"] != "after" ||
			got.body["date_updated"] != "Sat, 01 Jan 2000 00:01:00 +0000" {
			t.Errorf("fetched: %s", got.raw)
		}
		wantOK(t, c.update(a.SID, "Status", "active"))
		wantOK(t, c.update(a.SID))
	})
}

func TestAnUpdateThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	open, closed, barred := s.AddSubaccount(""), s.AddSubaccount(""), s.AddSubaccount("")
	s.SetStatus(closed.SID, twiliotest.Closed)
	s.SuspendByTwilio(barred.SID)
	for _, try := range []struct {
		sid, status, name string
		http, code        int
	}{
		{open.SID, "frozen", "x", 400, 21475},
		{open.SID, "", "x", 400, 21475},
		{open.SID, "suspended", strings.Repeat("é", 65), 400, 20002},
		{s.Parent().SID, "suspended", "x", 400, 21477},
		{barred.SID, "active", "x", 400, 21478},
		{closed.SID, "active", "x", 400, 21479},
		{closed.SID, "closed", "x", 400, 21479},
		{"AC" + strings.Repeat("0", 32), "closed", "x", 404, 20404},
	} {
		before, _ := s.Account(try.sid)
		wantRefusal(t, c.update(try.sid, "Status", try.status, "FriendlyName", try.name), try.http, try.code)
		if after, _ := s.Account(try.sid); after != before {
			t.Errorf("%d: changed to %+v", try.code, after)
		}
	}
	wantOK(t, c.update(s.Parent().SID, "FriendlyName", strings.Repeat("é", 64)))
}

func TestOnlySubaccountsThatAreNotClosedCountAgainstTheLimit(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithSubaccountLimit(2))
	c := asParent(t, s)
	s.AddForeignAccount(20404)
	first := c.create().body["sid"].(string)
	second := c.create().body["sid"].(string)
	wantRefusal(t, c.create(), 400, 21480)
	wantOK(t, c.update(first, "Status", "suspended"))
	wantRefusal(t, c.create(), 400, 21480)
	wantOK(t, c.update(first, "Status", "closed"))
	wantOK(t, c.create())
	wantRefusal(t, c.create(), 400, 21480)
	s.DeleteAccount(first) // closed, so it has been freed already
	wantRefusal(t, c.create(), 400, 21480)
	s.DeleteAccount(second)
	wantOK(t, c.create())
	wantRefusal(t, c.create(), 400, 21480)
	wantRefusal(t, c.create("FriendlyName", strings.Repeat("x", 65)), 400, 20002)
}

func TestADeletedAccountIsNotFoundAndInNoList(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	a := s.AddSubaccount("")
	s.SetStatus(a.SID, twiliotest.Closed)
	if got := c.list("").sids(); len(got) != 2 {
		t.Errorf("a closed account is still listed, got %v", got)
	}
	s.DeleteAccount(a.SID)
	wantRefusal(t, c.fetch(a.SID), 404, 20404)
	if got := c.list("").sids(); len(got) != 1 {
		t.Errorf("list shows %v", got)
	}
	if _, ok := s.Account(a.SID); ok || len(s.Subaccounts()) != 0 {
		t.Error("the state still shows it")
	}
}

func TestErrorsLookLikeTwilios(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		sid := "AC" + strings.Repeat("a", 32)
		got := c.fetch(sid)
		want := `{"code":20404,"message":"The requested resource /2010-04-01/Accounts/` + sid +
			`.json was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`
		if got.status != 404 || got.raw != want {
			t.Errorf("got %d %s", got.status, got.raw)
		}
	})
}

func TestAnswersCarryTwiliosHeaders(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		ids := map[string]bool{}
		for _, got := range []reply{c.fetch(s.Parent().SID), c.fetch("AC" + strings.Repeat("a", 32)), c.list("")} {
			for name, pattern := range map[string]string{
				"Content-Type":               "^application/json$",
				"Twilio-Request-Id":          "^RQ[0-9a-f]{32}$",
				"Twilio-Concurrent-Requests": "^1$",
				"Twilio-Request-Duration":    `^\d+\.\d{3}$`,
			} {
				if value := got.header.Get(name); !regexp.MustCompile(pattern).MatchString(value) {
					t.Errorf("%s: %q", name, value)
				}
			}
			ids[got.header.Get("Twilio-Request-Id")] = true
		}
		if len(ids) != 3 {
			t.Errorf("request ids repeat: %v", ids)
		}
	})
}

func TestRequestsBeyondTheConcurrencyLimitAreRefusedPerAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t, twiliotest.WithConcurrencyLimit(1))
		a := s.AddSubaccount("")
		s.Inject(twiliotest.Fault{Delay: time.Minute})
		slow := make(chan reply)
		go func() { slow <- asParent(t, s).list("") }()
		synctest.Wait()
		refused := asParent(t, s).create()
		wantRefusal(t, refused, http.StatusTooManyRequests, 20429)
		if n := refused.header.Get("Twilio-Concurrent-Requests"); n != "2" {
			t.Errorf("%s concurrent requests", n)
		}
		wantOK(t, as(t, s, a).fetch(a.SID))
		wantOK(t, <-slow)
		wantOK(t, asParent(t, s).create())
		if n := len(s.Subaccounts()); n != 2 {
			t.Errorf("%d subaccounts", n)
		}
	})
}
