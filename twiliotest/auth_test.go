package twiliotest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAFetchedAccountHidesItsTokenFromAMainKey(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]struct {
		hidden twiliotest.HiddenToken
		begin  string
	}{
		"empty":  {twiliotest.TokenEmpty, `{"auth_token":"","date_created":"`},
		"null":   {twiliotest.TokenNull, `{"auth_token":null,"date_created":"`},
		"absent": {twiliotest.TokenAbsent, `{"date_created":"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twiliotest.NewServer(t, twiliotest.WithHiddenToken(form.hidden))
			a := s.AddSubaccount("hidden")
			got := asKey(t, s, s.AddKey(s.Parent().SID, twiliotest.MainKey)).fetch(a.SID)
			wantOK(t, got)
			if !strings.HasPrefix(got.raw, form.begin) || got.body["sid"] != a.SID {
				t.Errorf("got %.120s", got.raw)
			}
		})
	}
}

func TestAMainKeyListsCreatesAndUpdatesAccountsWithoutTheirTokens(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	c := asKey(t, s, s.AddKey(s.Parent().SID, twiliotest.MainKey))
	list, created, updated := c.list(""), c.create(), c.update(a.SID, "Status", "suspended")
	if len(list.sids()) != 2 || created.status != 201 || updated.body["status"] != "suspended" {
		t.Errorf("got %s, %s, %s", list.raw, created.raw, updated.raw)
	}
	for _, account := range append(s.Subaccounts(), s.Parent()) {
		if strings.Contains(list.raw+created.raw+updated.raw, account.AuthToken) {
			t.Error("a token is visible to a Main key")
		}
	}
}

func TestAStandardKeyIsRefusedOnAccounts(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asKey(t, s, s.AddKey(s.Parent().SID, twiliotest.StandardKey))
	for _, got := range []reply{c.fetch(s.Parent().SID), c.list(""), c.create(), c.update(s.Parent().SID)} {
		wantRefusal(t, got, 401, 20003)
	}
}

func TestWrongMissingAndOldCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		parent := s.Parent()
		key := s.AddKey(parent.SID, twiliotest.MainKey)
		s.DeleteKey(key.SID)
		other := s.AddSubaccount("")
		old := s.AddSubaccount("")
		if renewed := s.RotateToken(old.SID); renewed == old.AuthToken || len(renewed) != 32 {
			t.Errorf("new token %q", renewed)
		}
		for _, pair := range [][2]string{
			{"", ""}, {parent.SID, ""}, {parent.SID, "wrong"}, {"", parent.AuthToken}, {parent.SID, other.AuthToken},
			{key.SID, key.Secret}, {old.SID, old.AuthToken},
		} {
			c.user, c.password = pair[0], pair[1]
			got := c.fetch(parent.SID)
			wantRefusal(t, got, 401, 20003)
			if got.body["message"] != "Authenticate" || got.header.Get("Www-Authenticate") == "" {
				t.Errorf("got %s %v", got.raw, got.header)
			}
		}
	})
}

func TestANewTokenWorks(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	s.RotateToken(a.SID)
	a, _ = s.Account(a.SID)
	got := as(t, s, a).fetch(a.SID)
	if got.body["auth_token"] != a.AuthToken {
		t.Errorf("got %s", got.raw)
	}
}

func TestASuspendedClosedOrDeletedSubaccountsOwnCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	for name, end := range map[string]func(sid string){
		"suspended": func(sid string) { s.SetStatus(sid, twiliotest.Suspended) },
		"closed":    func(sid string) { s.SetStatus(sid, twiliotest.Closed) },
		"deleted":   s.DeleteAccount,
	} {
		a := s.AddSubaccount(name)
		key := s.AddKey(a.SID, twiliotest.MainKey)
		end(a.SID)
		wantRefusal(t, as(t, s, a).fetch(a.SID), 401, 20003)
		wantRefusal(t, asKey(t, s, key).fetch(a.SID), 401, 20003)
	}
}

func TestASubaccountSeesOnlyItself(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other := s.AddSubaccount("a"), s.AddSubaccount("b")
	c := as(t, s, a)
	if got := c.list("").sids(); !slices.Equal(got, []string{a.SID}) {
		t.Errorf("list shows %v", got)
	}
	wantOK(t, c.fetch(a.SID))
	wantRefusal(t, c.fetch(other.SID), 401, 20003)
	wantRefusal(t, c.fetch(s.Parent().SID), 401, 20003)
	wantRefusal(t, c.create(), 400, 21101)
	wantRefusal(t, c.update(a.SID, "Status", "suspended"), 401, 20003)
	wantRefusal(t, c.update(other.SID, "FriendlyName", "mine"), 401, 20003)
}

func TestASuspendedParentIsToldSoAndItsSubaccountsAreRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	key := s.AddKey(s.Parent().SID, twiliotest.MainKey)
	s.SetStatus(s.Parent().SID, twiliotest.Suspended)
	wantRefusal(t, asParent(t, s).fetch(a.SID), 403, 20005)
	wantRefusal(t, asParent(t, s).list(""), 403, 20005)
	wantRefusal(t, asKey(t, s, key).list(""), 403, 20005)
	wantRefusal(t, as(t, s, a).fetch(a.SID), 401, 20003)
	s.SetStatus(s.Parent().SID, twiliotest.Active)
	wantOK(t, asParent(t, s).fetch(a.SID))
}

func TestAForeignAccountAnswersAsToldAndIsInNoList(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	for code, status := range map[int]int{20404: 404, 20403: 403, 20003: 401} {
		foreign := s.AddForeignAccount(code)
		wantRefusal(t, c.fetch(foreign.SID), status, code)
		wantRefusal(t, c.update(foreign.SID, "Status", "closed"), status, code)
		wantOK(t, as(t, s, foreign).fetch(foreign.SID))
	}
	if got := c.list("").sids(); len(got) != 1 {
		t.Errorf("list shows %v", got)
	}
}
