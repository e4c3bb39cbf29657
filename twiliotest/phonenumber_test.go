package twiliotest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func numbersOf(a twiliotest.Account) string { return base + "/" + a.SID + "/IncomingPhoneNumbers" }

// inStock are numbers that every server begins with.
const (
	inStock   = "+14155552000"
	fromDE    = "+493023125000"
	fromFR    = "+33639980000"
	addressID = "AD00000000000000000000000000000001"
	bundleID  = "BU00000000000000000000000000000001"
)

func TestABoughtNumberHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		app := s.AddApplication(a.SID)
		got := as(t, s, a).post(numbersOf(a)+".json", "PhoneNumber", inStock, "SmsUrl", "https://example.com/sms", "SmsMethod", "GET",
			"VoiceApplicationSid", app)
		if got.status != 201 {
			t.Fatalf("got %d %s", got.status, got.raw)
		}
		n := s.PhoneNumbers(a.SID)[0]
		wantMembers(t, got, map[string]any{
			"account_sid": a.SID, "address_requirements": "none", "address_sid": nil, "api_version": "2010-04-01", "beta": false,
			"capabilities": map[string]any{"voice": true, "sms": true, "mms": true, "fax": false},
			"date_created": "Sat, 01 Jan 2000 00:00:00 +0000", "date_updated": "Sat, 01 Jan 2000 00:00:00 +0000",
			"emergency_status": "Inactive", "emergency_address_sid": nil, "emergency_address_status": "unregistered",
			"friendly_name": "(415) 555-2000", "identity_sid": nil, "origin": "twilio", "phone_number": inStock, "sid": n.SID,
			"sms_application_sid": nil, "sms_fallback_method": "POST", "sms_fallback_url": "", "sms_method": "GET",
			"sms_url": "https://example.com/sms", "status_callback": "", "status_callback_method": "POST", "trunk_sid": nil,
			"uri":                   "/2010-04-01/Accounts/" + a.SID + "/IncomingPhoneNumbers/" + n.SID + ".json",
			"voice_application_sid": app, "voice_caller_id_lookup": false, "voice_fallback_method": "POST", "voice_fallback_url": "",
			"voice_method": "POST", "voice_url": "", "voice_receive_mode": "voice", "status": "in-use", "bundle_sid": nil, "type": "local",
		})
		if again := as(t, s, a).get(numbersOf(a) + "/" + n.SID + ".json"); again.raw != got.raw {
			t.Errorf("fetch differs: %s", again.raw)
		}
	})
}

func TestABoughtNumberLeavesTheStock(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, b := s.AddSubaccount(""), s.AddSubaccount("")
	wantOK(t, as(t, s, a).post(numbersOf(a)+".json", "PhoneNumber", inStock))
	wantRefusal(t, as(t, s, b).post(numbersOf(b)+".json", "PhoneNumber", inStock), 400, 21422)
	s.TakeAvailable("+14155552001")
	wantRefusal(t, as(t, s, b).post(numbersOf(b)+".json", "PhoneNumber", "+14155552001"), 400, 21422)
	wantPanic(t, func() { s.TakeAvailable(inStock) })
	byArea := as(t, s, b).post(numbersOf(b)+".json", "AreaCode", "415")
	if byArea.member("phone_number") != "+14155552002" {
		t.Errorf("got %s", byArea.raw)
	}
}

func TestWhatCannotBeBoughtIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	foreignApp := s.AddApplication(s.Parent().SID)
	for _, try := range []struct {
		code int
		form []string
	}{
		{21421, nil},
		{21421, []string{"PhoneNumber", "4155552000"}},
		{21421, []string{"PhoneNumber", "+0155552000"}},
		{21421, []string{"PhoneNumber", "+1415555200x"}},
		{21422, []string{"PhoneNumber", "+14155559999"}},
		{21451, []string{"AreaCode", "41"}},
		{21451, []string{"AreaCode", "abc"}},
		{21451, []string{"AreaCode", "012"}},
		{21452, []string{"AreaCode", "999"}},
		{21452, []string{"AreaCode", "800"}}, // no place
		{21615, []string{"PhoneNumber", fromDE}},
		{21649, []string{"PhoneNumber", fromDE, "AddressSid", addressID}},
		{21631, []string{"PhoneNumber", fromFR}},
		{21402, []string{"PhoneNumber", inStock, "SmsUrl", "example.com"}},
		{21402, []string{"PhoneNumber", inStock, "VoiceUrl", "ftp://example.com"}},
		{21402, []string{"PhoneNumber", inStock, "StatusCallback", "https:///path"}},
		{21403, []string{"PhoneNumber", inStock, "VoiceMethod", "PUT"}},
		{20002, []string{"PhoneNumber", inStock, "FriendlyName", strings.Repeat("x", 65)}},
		{20001, []string{"PhoneNumber", inStock, "VoiceCallerIdLookup", "yes"}},
		{20001, []string{"PhoneNumber", inStock, "VoiceReceiveMode", "telex"}},
		{20001, []string{"PhoneNumber", inStock, "EmergencyStatus", "active"}},
		{20001, []string{"PhoneNumber", inStock, "AddressSid", "AD1"}},
		{21420, []string{"PhoneNumber", inStock, "SmsApplicationSid", foreignApp}},
		{21420, []string{"PhoneNumber", inStock, "VoiceApplicationSid", "AP" + strings.Repeat("0", 32)}},
	} {
		wantRefusal(t, as(t, s, a).post(numbersOf(a)+".json", try.form...), 400, try.code)
	}
	if n := len(s.PhoneNumbers(a.SID)); n != 0 {
		t.Errorf("%d numbers", n)
	}
	wantOK(t, as(t, s, a).post(numbersOf(a)+".json", "PhoneNumber", fromDE, "AddressSid", addressID, "BundleSid", bundleID))
	wantOK(t, as(t, s, a).post(numbersOf(a)+".json", "PhoneNumber", fromFR, "AddressSid", addressID))
}

func TestATrialAccountGetsOneNumber(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithTrialParent())
	parent := s.Parent()
	first := asParent(t, s).post(numbersOf(parent)+".json", "AreaCode", "212")
	wantOK(t, first)
	wantRefusal(t, asParent(t, s).post(numbersOf(parent)+".json", "AreaCode", "212"), 400, 21404)
	wantGone(t, asParent(t, s).delete(numbersOf(parent)+"/"+first.member("sid")+".json"))
	wantOK(t, asParent(t, s).post(numbersOf(parent)+".json", "AreaCode", "212"))
}

func TestAnUpdateOfANumberChangesWhatIsSentAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{SMSURL: "https://example.com/sms", VoiceURL: "https://example.com/voice"})
		time.Sleep(time.Minute)
		wantOK(t, as(t, s, a).post(numbersOf(a)+"/"+n.SID+".json", "FriendlyName", "Main", "SmsUrl", "", "VoiceCallerIdLookup", "true"))
		want := n
		want.FriendlyName, want.SMSURL, want.VoiceCallerIDLookup, want.DateUpdated = "Main", "", true, n.DateCreated.Add(time.Minute)
		if got, _ := s.PhoneNumber(n.SID); got != want {
			t.Errorf("got %+v", got)
		}
		wantRefusal(t, as(t, s, a).post(numbersOf(a)+"/"+n.SID+".json", "FriendlyName", "x", "SmsUrl", "nowhere"), 400, 21402)
		if got, _ := s.PhoneNumber(n.SID); got != want {
			t.Errorf("a refused update has changed it: %+v", got)
		}
	})
}

func TestATrunkAndAVoiceApplicationRemoveEachOther(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	app, trunk := s.AddApplication(a.SID), "TK"+strings.Repeat("a", 32)
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	for _, step := range []struct{ form, app, trunk string }{
		{"app", app, ""}, {"trunk", "", trunk}, {"app", app, ""}, {"both", "", trunk}, {"none", "", ""},
	} {
		form := map[string][]string{
			"app": {"VoiceApplicationSid", app}, "trunk": {"TrunkSid", trunk},
			"both": {"VoiceApplicationSid", app, "TrunkSid", trunk}, "none": {"TrunkSid", ""},
		}[step.form]
		wantOK(t, as(t, s, a).post(numbersOf(a)+"/"+n.SID+".json", form...))
		if got, _ := s.PhoneNumber(n.SID); got.VoiceApplicationSID != step.app || got.TrunkSID != step.trunk {
			t.Errorf("%s: application %q, trunk %q", step.form, got.VoiceApplicationSID, got.TrunkSID)
		}
	}
}

func TestAMovedNumberKeepsItsSIDNameAndWebhooksAndLosesWhatIsTheOldAccounts(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	from, to := s.AddSubaccount("from"), s.AddSubaccount("to")
	n := s.AddPhoneNumber(from.SID, twiliotest.PhoneNumber{FriendlyName: "Main", SMSURL: "https://example.com", SMSMethod: "GET",
		StatusCallback: "https://example.com/status", SMSApplicationSID: s.AddApplication(from.SID), TrunkSID: "TK" + strings.Repeat("a", 32),
		VoiceApplicationSID: s.AddApplication(from.SID), IdentitySID: "RI" + strings.Repeat("a", 32), AddressSID: addressID,
		BundleSID: bundleID, EmergencyAddressSID: addressID, EmergencyStatus: "Active"})
	got := asParent(t, s).post(numbersOf(from)+"/"+n.SID+".json", "AccountSid", to.SID, "VoiceApplicationSid", s.AddApplication(to.SID))
	wantOK(t, got)
	want := n
	want.AccountSID, want.SMSApplicationSID, want.TrunkSID, want.IdentitySID, want.AddressSID = to.SID, "", "", "", ""
	want.BundleSID, want.EmergencyAddressSID, want.EmergencyStatus = "", "", "Inactive"
	is, _ := s.PhoneNumber(n.SID)
	want.VoiceApplicationSID, want.DateUpdated = is.VoiceApplicationSID, is.DateUpdated
	if is != want || is.VoiceApplicationSID == n.VoiceApplicationSID || got.member("account_sid") != to.SID {
		t.Errorf("moved: %+v", is)
	}
	wantRefusal(t, asParent(t, s).get(numbersOf(from)+"/"+n.SID+".json"), 404, 20404)
	wantOK(t, as(t, s, to).get(numbersOf(to)+"/"+n.SID+".json"))
	wantColumn(t, asParent(t, s).get(numbersOf(from)+".json"), "incoming_phone_numbers", "sid")
	wantColumn(t, asParent(t, s).get(numbersOf(to)+".json"), "incoming_phone_numbers", "sid", n.SID)
}

func TestAMoveThatIsNotAllowedIsRefusedAndMovesNothing(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	from, to, shut := s.AddSubaccount("from"), s.AddSubaccount("to"), s.AddSubaccount("suspended")
	s.SetStatus(shut.SID, twiliotest.Suspended)
	foreign := s.AddForeignAccount(20404)
	plain := s.AddPhoneNumber(from.SID, twiliotest.PhoneNumber{})
	french := s.AddPhoneNumber(from.SID, twiliotest.PhoneNumber{PhoneNumber: fromFR, AddressRequirements: "any", AddressSID: addressID})
	german := s.AddPhoneNumber(from.SID, twiliotest.PhoneNumber{PhoneNumber: fromDE, NeedsBundle: true, BundleSID: bundleID})
	key, gone := s.AddKey(s.Parent().SID, twiliotest.MainKey), s.AddSubaccount("deleted")
	s.DeleteAccount(gone.SID)
	move := func(c caller, n twiliotest.PhoneNumber, target string, form ...string) reply {
		return c.post(numbersOf(from)+"/"+n.SID+".json", append(form, "AccountSid", target)...)
	}
	parent := asParent(t, s)
	wantRefusal(t, move(as(t, s, from), plain, to.SID), 400, 21474)
	wantRefusal(t, move(asKey(t, s, key), plain, to.SID), 401, 20003)
	wantRefusal(t, move(parent, plain, "AC1"), 400, 21470)
	wantRefusal(t, move(parent, plain, ""), 400, 21470)
	wantRefusal(t, move(parent, plain, "AC"+strings.Repeat("0", 32)), 400, 21471)
	wantRefusal(t, move(parent, plain, gone.SID), 400, 21471)
	wantRefusal(t, move(parent, plain, foreign.SID), 400, 21473)
	wantRefusal(t, move(parent, plain, shut.SID), 400, 21472)
	wantRefusal(t, move(parent, french, to.SID), 400, 21631)
	wantRefusal(t, move(parent, german, to.SID), 400, 21649)
	wantRefusal(t, move(parent, plain, to.SID, "VoiceApplicationSid", s.AddApplication(from.SID)), 400, 21420)
	if n := len(s.PhoneNumbers(from.SID)); n != 3 {
		t.Errorf("%d numbers", n)
	}
	wantOK(t, move(as(t, s, from), plain, from.SID)) // that is no move
	wantOK(t, move(parent, french, to.SID, "AddressSid", addressID))
	wantOK(t, move(parent, german, to.SID, "BundleSid", bundleID))
	wantOK(t, move(parent, plain, s.Parent().SID))
	wantRefusal(t, asKey(t, s, key).post(numbersOf(s.Parent())+"/"+plain.SID+".json", "AccountSid", to.SID), 400, 21474)
}

func TestAReleasedNumberIsGoneAndNotForSale(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	c := as(t, s, a)
	sid := c.post(numbersOf(a)+".json", "PhoneNumber", inStock).member("sid")
	wantGone(t, c.delete(numbersOf(a)+"/"+sid+".json"))
	wantRefusal(t, c.get(numbersOf(a)+"/"+sid+".json"), 404, 20404)
	wantRefusal(t, c.delete(numbersOf(a)+"/"+sid+".json"), 404, 20404)
	wantRefusal(t, c.post(numbersOf(a)+".json", "PhoneNumber", inStock), 400, 21422)
	s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: inStock})
	wantOK(t, c.post(numbersOf(a)+".json", "PhoneNumber", inStock))
}

func TestADeleteIsAnsweredWithoutABodyOverTheSocketToo(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		n := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{})
		got := c.delete(numbersOf(s.Parent()) + "/" + n.SID + ".json")
		wantGone(t, got)
		if got.header.Get("Twilio-Request-Id") == "" {
			t.Error("without Twilio's headers")
		}
	})
}

func TestAClosedOrDeletedAccountLosesItsNumbers(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	for _, end := range []func(sid string){
		func(sid string) { wantOK(t, asParent(t, s).update(sid, "Status", "closed")) },
		func(sid string) { s.SetStatus(sid, twiliotest.Closed) },
		s.DeleteAccount,
	} {
		a := s.AddSubaccount("")
		n, _ := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}), s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
		end(a.SID)
		if _, ok := s.PhoneNumber(n.SID); ok || len(s.PhoneNumbers(a.SID)) != 0 {
			t.Error("it still has numbers")
		}
	}
}

func TestNumbersAreFoundByAPartOfThemByNameOriginAndBeta(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	for _, n := range []twiliotest.PhoneNumber{
		{PhoneNumber: "+14155550100", FriendlyName: "Main"},
		{PhoneNumber: "+14155550199", Origin: "hosted"},
		{PhoneNumber: "+4914155550100", Beta: true}, // contains the first one
	} {
		s.AddPhoneNumber(a.SID, n)
	}
	const first, second, third = "+14155550100", "+14155550199", "+4914155550100"
	for query, want := range map[string][]string{
		"":                            {third, second, first},
		"?PhoneNumber=%2B1415555":     {third, second, first},
		"?PhoneNumber=%2B14155550100": {third, first},
		"?PhoneNumber=5550*99":        {second},
		"?PhoneNumber=%2B1415555x":    nil,
		"?PhoneNumber=0100&Beta=true": {third, first},
		"?Beta=false":                 {second, first},
		"?FriendlyName=Main":          {first},
		"?FriendlyName=main":          nil,
		"?Origin=hosted":              {second},
		"?Origin=twilio":              {third, first},
	} {
		got := as(t, s, a).get(numbersOf(a) + ".json" + query)
		wantColumn(t, got, "incoming_phone_numbers", "phone_number", want...)
	}
	wantRefusal(t, as(t, s, a).get(numbersOf(a)+".json?Origin=other"), 400, 20001)
	wantRefusal(t, as(t, s, a).get(numbersOf(a)+".json?Beta=1"), 400, 20001)
}

func TestNoNumberAppearsTwiceOrVanishesWhileAListIsRead(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	for range 7 {
		s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	}
	all := s.PhoneNumbers(a.SID)
	c := as(t, s, a)
	first := c.get(numbersOf(a) + ".json?PageSize=3&PhoneNumber=%2B1415")
	wantColumn(t, first, "incoming_phone_numbers", "sid", all[6].SID, all[5].SID, all[4].SID)
	wantGone(t, c.delete(numbersOf(a)+"/"+all[4].SID+".json"))
	s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	second := c.get("https://api.twilio.com" + first.member("next_page_uri"))
	wantColumn(t, second, "incoming_phone_numbers", "sid", all[3].SID, all[2].SID, all[1].SID)
	if !strings.Contains(second.member("next_page_uri"), "PhoneNumber=%2B1415&PageSize=3&Page=2&PageToken=PA"+all[1].SID) {
		t.Errorf("next is %s", second.member("next_page_uri"))
	}
}

func TestOnlyTheParentsTokenReachesIntoASubaccount(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a, other, parent := s.AddSubaccount(""), s.AddSubaccount(""), s.Parent()
	foreign := s.AddForeignAccount(20404)
	n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	at := numbersOf(a) + "/" + n.SID + ".json"
	wantOK(t, asParent(t, s).get(at))
	wantOK(t, as(t, s, a).get(at))
	wantOK(t, asKey(t, s, s.AddKey(a.SID, twiliotest.StandardKey)).get(at))
	wantRefusal(t, as(t, s, other).get(at), 401, 20003)
	for _, kind := range []twiliotest.KeyKind{twiliotest.MainKey, twiliotest.StandardKey} {
		key := asKey(t, s, s.AddKey(parent.SID, kind))
		wantRefusal(t, key.get(at), 401, 20003)
		wantOK(t, key.get(numbersOf(parent)+".json"))
	}
	wantRefusal(t, asParent(t, s).get(numbersOf(parent)+"/"+n.SID+".json"), 404, 20404)
	wantRefusal(t, asParent(t, s).get(numbersOf(foreign)+".json"), 404, 20404)
	wantRefusal(t, asParent(t, s).get(base+"/AC"+strings.Repeat("0", 32)+"/IncomingPhoneNumbers.json"), 404, 20404)
}

func TestTheParentMayReadMoveAndReleaseUnderASuspendedAccountButNotBuy(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	first, second := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}), s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
	s.SetStatus(a.SID, twiliotest.Suspended)
	c := asParent(t, s)
	wantOK(t, c.get(numbersOf(a)+".json"))
	wantOK(t, c.post(numbersOf(a)+"/"+first.SID+".json", "AccountSid", s.Parent().SID))
	wantGone(t, c.delete(numbersOf(a)+"/"+second.SID+".json"))
	wantRefusal(t, c.post(numbersOf(a)+".json", "PhoneNumber", inStock), 403, 20005)
	s.SetStatus(a.SID, twiliotest.Closed)
	wantRefusal(t, c.post(numbersOf(a)+".json", "PhoneNumber", inStock), 403, 20403)
	wantRefusal(t, c.delete(numbersOf(a)+"/"+second.SID+".json"), 403, 20403)
	wantOK(t, c.get(numbersOf(a)+".json"))
}

func TestAddedNumbersCountUpwardsAndPassThoseThatAreTaken(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent().SID
	s.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "+14155550102"})
	s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+14155550103"})
	for _, want := range []string{"+14155550101", "+14155550104"} {
		n := s.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
		if n.PhoneNumber != want || n.FriendlyName != "(415) 555-"+want[8:] || !n.Capabilities.SMS {
			t.Errorf("got %+v", n)
		}
	}
	wantPanic(t, func() { s.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "+14155550102"}) })
	wantPanic(t, func() { s.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "4155550105"}) })
	wantPanic(t, func() { s.AddPhoneNumber("AC0", twiliotest.PhoneNumber{}) })
	wantPanic(t, func() { s.AddApplication("AC0") })
	british := s.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "+447700900123",
		Capabilities: twiliotest.Capabilities{SMS: true}})
	if british.Country != "GB" || british.Type != twiliotest.Mobile || british.FriendlyName != british.PhoneNumber ||
		british.Capabilities.Voice {
		t.Errorf("got %+v", british)
	}
	if _, ok := s.PhoneNumber("PN0"); ok {
		t.Error("found a number that never was")
	}
}

func TestANewAccountsOwnCredentialsWorkAfterTheActivationDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t, twiliotest.WithActivationDelay(time.Second))
		a, _ := s.Account(asParent(t, s).create().member("sid"))
		key := s.AddKey(a.SID, twiliotest.StandardKey)
		wantRefusal(t, as(t, s, a).get(numbersOf(a)+".json"), 401, 20003)
		wantRefusal(t, asKey(t, s, key).get(numbersOf(a)+".json"), 401, 20003)
		wantOK(t, asParent(t, s).get(numbersOf(a)+".json"))
		time.Sleep(time.Second)
		wantOK(t, as(t, s, a).get(numbersOf(a)+".json"))
		direct := s.AddSubaccount("")
		wantOK(t, as(t, s, direct).get(numbersOf(direct)+".json"))
	})
}
