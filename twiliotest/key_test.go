package twiliotest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func keysOf(a twiliotest.Account) string { return base + "/" + a.SID + "/Keys" }

func TestAKeysSecretIsToldOnceToWhoeverCreatesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		got := as(t, s, a).post(keysOf(a)+".json", "FriendlyName", "voice@prod")
		wantOK(t, got)
		k := s.Keys(a.SID)[0]
		is := map[string]any{"sid": k.SID, "friendly_name": "voice@prod",
			"date_created": "Sat, 01 Jan 2000 00:00:00 +0000", "date_updated": "Sat, 01 Jan 2000 00:00:00 +0000"}
		at := keysOf(a) + "/" + k.SID + ".json"
		wantMembers(t, as(t, s, a).get(at), is)
		is["secret"] = k.Secret
		wantMembers(t, got, is)
		if got.status != 201 || len(k.Secret) != 32 || k.Kind != twiliotest.StandardKey || k.AccountSID != a.SID {
			t.Errorf("got %d, key is %+v", got.status, k)
		}
		if list := as(t, s, a).get(keysOf(a) + ".json"); strings.Contains(list.raw, k.Secret) || strings.Contains(list.raw, a.SID+`"`) {
			t.Errorf("the list tells too much: %s", list.raw)
		}

		time.Sleep(time.Hour)
		wantOK(t, as(t, s, a).post(at, "FriendlyName", "voice@test"))
		wantOK(t, as(t, s, a).post(at, "FriendlyName", "")) // as if it were not sent
		k.FriendlyName, k.DateUpdated = "voice@test", k.DateCreated.Add(time.Hour)
		if now, _ := s.Key(k.SID); now != k {
			t.Errorf("got %+v, want %+v", now, k)
		}
	})
}

func TestAKeyWorksUntilItIsDeleted(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	made := as(t, s, a).post(keysOf(a) + ".json")
	key := twiliotest.Key{SID: made.member("sid"), Secret: made.member("secret")}
	wantOK(t, asKey(t, s, key).get(numbersOf(a)+".json"))
	wantOK(t, asKey(t, s, key).get(services)) // other hosts know it, too
	at := keysOf(a) + "/" + key.SID + ".json"
	wantGone(t, as(t, s, a).delete(at))
	wantRefusal(t, asKey(t, s, key).get(numbersOf(a)+".json"), 401, 20003)
	wantRefusal(t, asKey(t, s, key).get(services), 401, 20003)
	wantRefusal(t, as(t, s, a).get(at), 404, 20404)
	wantRefusal(t, as(t, s, a).post(at, "FriendlyName", "x"), 404, 20404)
	wantRefusal(t, as(t, s, a).delete(at), 404, 20404)
	if _, there := s.Key(key.SID); there || len(s.Keys(a.SID)) != 0 {
		t.Errorf("there are still %v", s.Keys(a.SID))
	}
	s.DeleteKey(key.SID) // does nothing
}

func TestAStandardKeyMayNotTouchKeysAndAMainKeyMay(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent()
	standard, main := s.AddKey(parent.SID, twiliotest.StandardKey), s.AddKey(parent.SID, twiliotest.MainKey)
	all, one := keysOf(parent)+".json", keysOf(parent)+"/"+standard.SID+".json"
	c := asKey(t, s, standard)
	for _, got := range []reply{c.get(all), c.post(all), c.get(one), c.post(one), c.delete(one)} {
		wantRefusal(t, got, 401, 20003)
	}
	c = asKey(t, s, main)
	made := c.post(all, "FriendlyName", "made")
	wantOK(t, made)
	wantColumn(t, c.get(all), "keys", "sid", made.member("sid"), main.SID, standard.SID) // of either kind, newest first
	wantOK(t, c.get(one))
	wantOK(t, c.post(one, "FriendlyName", "x"))
	wantGone(t, c.delete(one))
}

func TestOfAllCredentialsOfTheParentOnlyItsTokenReachesASubaccountsKeys(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other := s.AddSubaccount(""), s.AddSubaccount("")
	key := s.AddKey(a.SID, twiliotest.StandardKey)
	at := keysOf(a) + "/" + key.SID + ".json"
	wantOK(t, asParent(t, s).get(at))
	wantRefusal(t, asKey(t, s, s.AddKey(s.Parent().SID, twiliotest.MainKey)).get(at), 401, 20003)
	wantRefusal(t, as(t, s, other).get(at), 401, 20003)
	wantRefusal(t, as(t, s, other).get(keysOf(other)+"/"+key.SID+".json"), 404, 20404)
	s.SetStatus(a.SID, twiliotest.Suspended)
	wantOK(t, asParent(t, s).post(keysOf(a)+".json"))
	s.SetStatus(a.SID, twiliotest.Closed)
	wantRefusal(t, asParent(t, s).post(keysOf(a)+".json"), 403, 20403)
	wantOK(t, asParent(t, s).get(at))
}

func TestABadKeyOrOneTooManyIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithKeyLimit(2))
	parent := s.Parent()
	first := s.AddKey(parent.SID, twiliotest.StandardKey)
	long := strings.Repeat("ä", 65)
	wantRefusal(t, asParent(t, s).post(keysOf(parent)+".json", "FriendlyName", long), 400, 20002)
	wantRefusal(t, asParent(t, s).post(keysOf(parent)+"/"+first.SID+".json", "FriendlyName", long), 400, 20002)
	wantOK(t, asParent(t, s).post(keysOf(parent)+".json", "FriendlyName", long[:128]))
	wantRefusal(t, asParent(t, s).post(keysOf(parent)+".json"), 400, 70151)
	wantOK(t, asParent(t, s).post(keysOf(s.AddSubaccount(""))+".json"))
	s.DeleteKey(first.SID)
	wantOK(t, asParent(t, s).post(keysOf(parent)+".json"))
}

func TestATestMakesKeysOfAnyNameAndAge(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	since := time.Now().Add(-25 * time.Hour)
	k := s.AddKeyWith(a.SID, twiliotest.Key{FriendlyName: "voice@prod", DateCreated: since})
	if k.Kind != twiliotest.StandardKey || k.DateUpdated != since || len(k.Secret) != 32 {
		t.Errorf("got %+v", k)
	}
	got := as(t, s, a).get(keysOf(a) + ".json")
	wantColumn(t, got, "keys", "date_created", since.UTC().Format(time.RFC1123Z))
	wantColumn(t, got, "keys", "friendly_name", "voice@prod")
	wantOK(t, asKey(t, s, k).get(numbersOf(a)+".json"))
	wantPanic(t, func() { s.AddKeyWith(a.SID, k) })
	wantPanic(t, func() { s.AddKeyWith("AC0", twiliotest.Key{}) })
}
