package twiliotest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAnAccountHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		a := s.AddSubaccount(`Café "é" \ <b>`)
		got := c.fetch(a.SID)
		wantOK(t, got)
		want := map[string]any{
			"sid": a.SID, "auth_token": a.AuthToken, "friendly_name": a.FriendlyName, "status": "active",
			"type": "Full", "owner_account_sid": s.Parent().SID, "uri": "/2010-04-01/Accounts/" + a.SID + ".json",
			"date_created": a.DateCreated.UTC().Format(time.RFC1123Z), "date_updated": a.DateUpdated.UTC().Format(time.RFC1123Z),
		}
		for name, value := range want {
			if got.body[name] != value {
				t.Errorf("%s is %v, want %v", name, got.body[name], value)
			}
		}
		uris, _ := got.body["subresource_uris"].(map[string]any)
		if len(uris) != 20 || uris["short_codes"] != "/2010-04-01/Accounts/"+a.SID+"/SMS/ShortCodes.json" {
			t.Errorf("subresource_uris: %v", uris)
		}
		if len(got.body) != len(want)+1 {
			t.Errorf("%d members, want %d", len(got.body), len(want)+1)
		}
		if n := len(got.raw); n < 2200 || n > 2500 {
			t.Errorf("%d bytes, and Twilio's are about 2,300", n)
		}
	})
}

func TestACreatedAccountIsThereAtOnce(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		got := c.create("FriendlyName", "Tenant 7 & Söhne + v1.2")
		if got.status != 201 {
			t.Fatalf("got %d: %s", got.status, got.raw)
		}
		a, ok := s.Account(got.body["sid"].(string))
		if !ok || a.FriendlyName != "Tenant 7 & Söhne + v1.2" || a.AuthToken != got.body["auth_token"] {
			t.Errorf("state is %+v", a)
		}
		if again := c.fetch(a.SID); again.raw != got.raw {
			t.Errorf("fetch differs: %s", again.raw)
		}
	})
}

func TestListsAreNewestFirstAndEndWithTheParent(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		sids := s.AddSubaccounts(3)
		slices.Reverse(sids)
		if got := c.list("").sids(); !slices.Equal(got, append(sids, s.Parent().SID)) {
			t.Errorf("got %v", got)
		}
	})
}

func TestA1000AccountPageIsValidJSONOfThePublishedSize(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		s.AddSubaccounts(1500)
		got := c.list("?PageSize=1000")
		if !json.Valid([]byte(got.raw)) || len(got.sids()) != 1000 || strings.Count(got.raw, "subresource_uris") != 1000 {
			t.Fatalf("%d accounts", len(got.sids()))
		}
		if n := len(got.raw); n < 2_150_000 || n > 2_500_000 {
			t.Errorf("%d bytes, and Twilio's page is about 2.3 MB", n)
		}
	})
}
