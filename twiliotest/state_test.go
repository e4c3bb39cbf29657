package twiliotest_test

import (
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestSIDsAreValidNeverRepeatAndAreTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	first, second, other := twiliotest.Start(), twiliotest.Start(), twiliotest.Start(twiliotest.WithSeed(1))
	sids := first.AddSubaccounts(10_000)
	if !slices.Equal(sids, second.AddSubaccounts(10_000)) || first.Parent().AuthToken != second.Parent().AuthToken {
		t.Error("not the same with the same seed")
	}
	if slices.Equal(sids, other.AddSubaccounts(10_000)) || first.Parent().SID == other.Parent().SID {
		t.Error("the same with another seed")
	}
	sid, token := regexp.MustCompile("^AC[0-9a-f]{32}$"), regexp.MustCompile("^[0-9a-f]{32}$")
	seen := map[string]bool{}
	for _, a := range append(first.Subaccounts(), first.Parent()) {
		if !sid.MatchString(a.SID) || !token.MatchString(a.AuthToken) || seen[a.SID] || seen[a.AuthToken] {
			t.Fatalf("bad or repeated: %+v", a)
		}
		seen[a.SID], seen[a.AuthToken] = true, true
	}
	key := first.AddKey(first.Parent().SID, twiliotest.MainKey)
	if !regexp.MustCompile("^SK[0-9a-f]{32}$").MatchString(key.SID) || len(key.Secret) != 32 {
		t.Errorf("key %+v", key)
	}
}

func TestWhatATestDoesBehindTheAPIIsSeenThroughIt(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	a := s.AddSubaccount("before")
	for _, step := range []struct {
		do           func()
		member, want string
	}{
		{func() {}, "friendly_name", "before"},
		{func() { s.Rename(a.SID, "after") }, "friendly_name", "after"},
		{func() { s.SetStatus(a.SID, "frozen") }, "status", "frozen"},
		{func() { s.SetType(a.SID, "Trial") }, "type", "Trial"},
		{func() { a.AuthToken = s.RotateToken(a.SID) }, "auth_token", ""},
		{func() { s.SuspendByTwilio(a.SID) }, "status", "suspended"},
		{func() { s.SetStatus(a.SID, twiliotest.Active) }, "status", "active"},
	} {
		step.do()
		want := step.want
		if step.member == "auth_token" {
			want = a.AuthToken
		}
		if got := c.fetch(a.SID); got.body[step.member] != want {
			t.Errorf("%s is %v, want %s", step.member, got.body[step.member], want)
		}
	}
	wantOK(t, c.update(a.SID, "Status", "suspended"))
	wantOK(t, c.update(a.SID, "Status", "active"))
}

func TestATrialParentsSubaccountsAreTrial(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithTrialParent())
	if got := asParent(t, s).create(); got.body["type"] != "Trial" || s.Parent().Type != "Trial" {
		t.Errorf("got %s", got.raw)
	}
}

func TestHelpersPanicOnAnAccountThatDoesNotExist(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	for _, helper := range []func(){
		func() { s.SetStatus("AC0", twiliotest.Closed) },
		func() { s.Rename("AC0", "") },
		func() { s.RotateToken("AC0") },
		func() { s.DeleteAccount("AC0") },
		func() { s.DeleteAccount(s.Parent().SID) },
		func() { s.AddKey("AC0", twiliotest.MainKey) },
		func() { s.AddForeignAccount(20005) },
	} {
		wantPanic(t, helper)
	}
}

func Test100000AccountsAreAddedAndListedQuickly(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithRecordLimit(0))
	s.AddSubaccounts(100_000)
	if n := len(s.Subaccounts()); n != 100_000 {
		t.Errorf("%d subaccounts", n)
	}
	if got := asParent(t, s).list("?PageSize=1"); len(got.sids()) != 1 {
		t.Errorf("got %s", got.raw)
	}
}

func TestEverythingMayBeDoneAtTheSameTime(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		s.AddSubaccounts(20)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				sid := c.create().body["sid"].(string)
				c.update(sid, "Status", "suspended")
				c.list("?PageSize=7")
				s.Inject(twiliotest.Fault{Operation: "FetchAccount", On: 3, Code: 20500})
				c.fetch(sid)
				s.RotateToken(sid)
				s.Rename(sid, "renamed")
				s.AddKey(sid, twiliotest.StandardKey)
				s.DeleteAccount(sid)
				s.Requests()
				s.Subaccounts()
				s.ClearFaults()
			})
		}
		all.Wait()
		if n := len(s.Subaccounts()); n != 20 {
			t.Errorf("%d subaccounts", n)
		}
	})
}

func TestNumbersServicesMessagesAndCallsMayBeUsedAtTheSameTime(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		parent := s.Parent()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				a := s.AddSubaccount("")
				n := c.post(numbersOf(a)+".json", "AreaCode", "415").member("sid")
				c.get(searchOf(a, "US/Local") + "?NearNumber=%2B14155550100")
				c.post(numbersOf(a)+"/"+n+".json", "AccountSid", parent.SID)
				m := c.post(services, "FriendlyName", "x").member("sid")
				c.post(services+"/"+m+"/PhoneNumbers", "PhoneNumberSid", n)
				c.post(messagesOf(parent)+".json", "To", someone, "MessagingServiceSid", m, "Body", "x")
				c.get(messagesOf(parent) + ".json?PageSize=2")
				c.post(callsOf(a)+"/"+s.AddCall(a.SID, "queued").SID+".json", "Status", "canceled")
				is, _ := s.PhoneNumber(n)
				s.Receive(is.PhoneNumber, someone, "x")
				s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+1206" + is.PhoneNumber[5:]})
				s.MessagingServices(parent.SID)
				s.RegisterA2P(m)
			})
		}
		all.Wait()
		if n, m := len(s.PhoneNumbers(parent.SID)), len(s.Messages(parent.SID)); n != 8 || m != 8 {
			t.Errorf("%d numbers, %d messages", n, m)
		}
	})
}
