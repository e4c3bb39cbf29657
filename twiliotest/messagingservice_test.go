package twiliotest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

const services = "https://messaging.twilio.com/v1/Services"

func TestACreatedServiceHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		a := s.AddSubaccount("")
		got := as(t, s, a).post(services, "FriendlyName", "Tenant 7", "InboundRequestUrl", "https://example.com/in", "SmartEncoding", "false",
			"Usecase", "notifications", "ValidityPeriod", "600")
		if got.status != 201 {
			t.Fatalf("got %d %s", got.status, got.raw)
		}
		m := s.MessagingServices(a.SID)[0]
		url := services + "/" + m.SID
		wantMembers(t, got, map[string]any{
			"account_sid": a.SID, "sid": m.SID, "date_created": "2000-01-01T00:00:00Z", "date_updated": "2000-01-01T00:00:00Z",
			"friendly_name": "Tenant 7", "inbound_request_url": "https://example.com/in", "inbound_method": "POST",
			"fallback_url": nil, "fallback_method": "POST", "status_callback": nil, "sticky_sender": true, "smart_encoding": false,
			"mms_converter": true, "fallback_to_long_code": true, "scan_message_content": "inherit", "area_code_geomatch": true,
			"validity_period": 600.0, "synchronous_validation": false, "usecase": "notifications", "us_app_to_person_registered": false,
			"use_inbound_webhook_on_number": false, "url": url, "links": map[string]any{
				"phone_numbers": url + "/PhoneNumbers", "short_codes": url + "/ShortCodes", "alpha_senders": url + "/AlphaSenders",
				"messages": url + "/Messages", "us_app_to_person": url + "/Compliance/Usa2p",
				"us_app_to_person_usecases": url + "/Compliance/Usa2p/Usecases", "channel_senders": url + "/ChannelSenders",
				"destination_alpha_senders": url + "/DestinationAlphaSenders",
			},
		})
		if again := as(t, s, a).get(url); again.raw != got.raw {
			t.Errorf("fetch differs: %s", again.raw)
		}
	})
}

func TestAServiceBelongsToWhoeverSigns(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	mine := asParent(t, s).post(services, "FriendlyName", "of the parent").member("sid")
	key := asKey(t, s, s.AddKey(a.SID, twiliotest.StandardKey))
	its := key.post(services, "FriendlyName", "of the subaccount").member("sid")
	wantColumn(t, asParent(t, s).get(services), "services", "sid", mine)
	wantColumn(t, as(t, s, a).get(services), "services", "sid", its)
	wantRefusal(t, asParent(t, s).get(services+"/"+its), 404, 20404)
	wantRefusal(t, asParent(t, s).post(services+"/"+its, "FriendlyName", "x"), 404, 20404)
	wantRefusal(t, asParent(t, s).delete(services+"/"+its), 404, 20404)
	wantRefusal(t, asParent(t, s).get(services+"/"+its+"/PhoneNumbers"), 404, 21701)
	wantRefusal(t, asParent(t, s).post(services+"/"+its+"/PhoneNumbers", "PhoneNumberSid", "PN1"), 404, 21701)
	if m, _ := s.MessagingService(its); m.AccountSID != a.SID || len(s.MessagingServices(s.Parent().SID)) != 1 {
		t.Errorf("state is %+v", m)
	}
	s.SetStatus(a.SID, twiliotest.Suspended)
	wantRefusal(t, as(t, s, a).get(services), 401, 20003)
}

func TestABadServiceIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithServiceLimit(1))
	c := asParent(t, s)
	name := []string{"FriendlyName", "x"}
	for _, try := range []struct {
		code int
		form []string
	}{
		{20001, nil},
		{20001, []string{"FriendlyName", ""}},
		{20002, []string{"FriendlyName", strings.Repeat("x", 65)}},
		{21713, append(name, "Usecase", "fun")},
		{20001, append(name, "ValidityPeriod", "0")},
		{20001, append(name, "ValidityPeriod", "36001")},
		{20001, append(name, "ValidityPeriod", "long")},
		{20001, append(name, "StickySender", "yes")},
		{20001, append(name, "ScanMessageContent", "maybe")},
		{21402, append(name, "InboundRequestUrl", "example.com")},
		{21403, append(name, "InboundMethod", "PUT")},
	} {
		wantRefusal(t, c.post(services, try.form...), 400, try.code)
	}
	wantOK(t, c.post(services, name...))
	wantRefusal(t, c.post(services, name...), 400, 30995)
}

func TestAnUpdateOfAServiceChangesWhatIsSentAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		n := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{})
		want := s.AddMessagingService(s.Parent().SID, twiliotest.MessagingService{StickySender: true, PhoneNumberSIDs: []string{n.SID}})
		time.Sleep(time.Minute)
		wantOK(t, asParent(t, s).post(services+"/"+want.SID, "StickySender", "false", "StatusCallback", "https://example.com"))
		got, _ := s.MessagingService(want.SID)
		if got.StickySender || got.StatusCallback != "https://example.com" || got.FriendlyName != want.FriendlyName ||
			got.ValidityPeriod != 36000 || !slices.Equal(got.PhoneNumberSIDs, want.PhoneNumberSIDs) ||
			!got.DateUpdated.Equal(want.DateCreated.Add(time.Minute)) {
			t.Errorf("got %+v", got)
		}
		wantRefusal(t, asParent(t, s).post(services+"/"+want.SID, "FriendlyName", ""), 400, 20001)
	})
}

func TestANumberInAServiceHasAllMembersOfTwiliosExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		parent := s.Parent().SID
		m := s.AddMessagingService(parent, twiliotest.MessagingService{})
		n := s.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
		got := asParent(t, s).post(services+"/"+m.SID+"/PhoneNumbers", "PhoneNumberSid", n.SID)
		if got.status != 201 {
			t.Fatalf("got %d %s", got.status, got.raw)
		}
		wantMembers(t, got, map[string]any{
			"sid": n.SID, "account_sid": parent, "service_sid": m.SID, "date_created": "2000-01-01T00:00:00Z",
			"date_updated": "2000-01-01T00:00:00Z", "phone_number": "+14155550101", "country_code": "US",
			"capabilities": []any{"MMS", "SMS", "Voice"}, "url": services + "/" + m.SID + "/PhoneNumbers/" + n.SID,
		})
		if again := asParent(t, s).get(services + "/" + m.SID + "/PhoneNumbers/" + n.SID); again.raw != got.raw {
			t.Errorf("fetch differs: %s", again.raw)
		}
		if is, _ := s.MessagingService(m.SID); !slices.Equal(is.PhoneNumberSIDs, []string{n.SID}) {
			t.Errorf("state is %+v", is)
		}
	})
}

func TestANumberIsInOneServiceAtMost(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	parent := s.Parent().SID
	n := s.AddPhoneNumber(parent, twiliotest.PhoneNumber{})
	first := s.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{n.SID}})
	second := s.AddMessagingService(parent, twiliotest.MessagingService{})
	c, inFirst, inSecond := asParent(t, s), services+"/"+first.SID+"/PhoneNumbers", services+"/"+second.SID+"/PhoneNumbers"
	wantRefusal(t, c.post(inFirst, "PhoneNumberSid", n.SID), 409, 21710)
	wantRefusal(t, c.post(inSecond, "PhoneNumberSid", n.SID), 409, 21712)
	wantRefusal(t, c.get(inSecond+"/"+n.SID), 404, 20404)
	wantGone(t, c.delete(inFirst+"/"+n.SID))
	wantRefusal(t, c.delete(inFirst+"/"+n.SID), 404, 20404)
	wantOK(t, c.post(inSecond, "PhoneNumberSid", n.SID))
	wantGone(t, c.delete(services+"/"+second.SID)) // sets it free
	wantRefusal(t, c.get(services+"/"+second.SID), 404, 20404)
	wantOK(t, c.post(inFirst, "PhoneNumberSid", n.SID))
	third := s.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{n.SID}})
	wantColumn(t, c.get(services+"/"+third.SID+"/PhoneNumbers"), "phone_numbers", "sid", n.SID)
	wantColumn(t, c.get(inFirst), "phone_numbers", "sid")
}

func TestANumberThatMayNotComeIntoAServiceIsRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithSenderLimit(1))
	parent := s.Parent().SID
	m := s.AddMessagingService(parent, twiliotest.MessagingService{})
	foreign := s.AddPhoneNumber(s.AddSubaccount("").SID, twiliotest.PhoneNumber{})
	voice := s.AddPhoneNumber(parent, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	c, at := asParent(t, s), services+"/"+m.SID+"/PhoneNumbers"
	wantRefusal(t, c.post(at), 400, 21421)
	wantRefusal(t, c.post(at, "PhoneNumberSid", "PN1"), 400, 21421)
	wantRefusal(t, c.post(at, "PhoneNumberSid", foreign.SID), 400, 21421)
	wantRefusal(t, c.post(at, "PhoneNumberSid", voice.SID), 400, 21715)
	wantOK(t, c.post(at, "PhoneNumberSid", s.AddPhoneNumber(parent, twiliotest.PhoneNumber{}).SID))
	wantRefusal(t, c.post(at, "PhoneNumberSid", s.AddPhoneNumber(parent, twiliotest.PhoneNumber{}).SID), 400, 21714)
	wantPanic(t, func() { s.AddMessagingService(parent, twiliotest.MessagingService{PhoneNumberSIDs: []string{"PN0"}}) })
	wantPanic(t, func() { s.AddMessagingService(parent, twiliotest.MessagingService{SID: m.SID}) })
}

func TestANumberThatIsReleasedOrMovedLeavesItsService(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end   func(s *twiliotest.Server, n twiliotest.PhoneNumber, c caller, at string)
		opts  []twiliotest.Option
		stays bool
	}{
		"released": {end: func(s *twiliotest.Server, n twiliotest.PhoneNumber, c caller, at string) { wantGone(c.t, c.delete(at)) }},
		"closed": {end: func(s *twiliotest.Server, n twiliotest.PhoneNumber, c caller, at string) {
			s.SetStatus(n.AccountSID, twiliotest.Closed)
		}},
		"moved":                             {end: move},
		"moved, if it keeps its membership": {end: move, opts: []twiliotest.Option{twiliotest.WithMoveKeepsMembership()}, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := twiliotest.NewServer(t, test.opts...)
			a := s.AddSubaccount("")
			n := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{})
			m := s.AddMessagingService(a.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{n.SID}})
			test.end(s, n, asParent(t, s), numbersOf(a)+"/"+n.SID+".json")
			m, _ = s.MessagingService(m.SID)
			if stays := len(m.PhoneNumberSIDs) == 1; stays != test.stays {
				t.Errorf("the service has %v", m.PhoneNumberSIDs)
			}
			if is, ok := s.PhoneNumber(n.SID); ok && test.stays {
				other := s.AddMessagingService(is.AccountSID, twiliotest.MessagingService{})
				wantRefusal(t, asParent(t, s).post(services+"/"+other.SID+"/PhoneNumbers", "PhoneNumberSid", n.SID), 409, 21712)
			}
		})
	}
}

func move(s *twiliotest.Server, _ twiliotest.PhoneNumber, c caller, at string) {
	wantOK(c.t, c.post(at, "AccountSid", s.Parent().SID))
}

func TestPagesOfTheMessagingAPILinkToEachOtherByAbsoluteURLs(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	var sids []string
	for range 5 {
		sids = append(sids, s.AddMessagingService(s.Parent().SID, twiliotest.MessagingService{}).SID)
	}
	slices.Reverse(sids)
	c := asParent(t, s)
	first := c.get(services + "?PageSize=2")
	wantColumn(t, first, "services", "sid", sids[:2]...)
	next := first.body["meta"].(map[string]any)["next_page_url"].(string)
	second := c.get(next)
	wantColumn(t, second, "services", "sid", sids[2:4]...)
	got := reply{body: second.body["meta"].(map[string]any)}
	wantMembers(t, got, map[string]any{
		"page": 1.0, "page_size": 2.0, "key": "services", "url": next,
		"first_page_url":    services + "?PageSize=2&Page=0",
		"previous_page_url": services + "?PageSize=2&Page=0&PageToken=PB" + sids[2],
		"next_page_url":     services + "?PageSize=2&Page=2&PageToken=PA" + sids[3],
	})
	wantColumn(t, c.get(got.member("previous_page_url")), "services", "sid", sids[:2]...)
	last := c.get(got.member("next_page_url"))
	wantColumn(t, last, "services", "sid", sids[4])
	if last.body["meta"].(map[string]any)["next_page_url"] != nil {
		t.Error("the last page has a next one")
	}
	empty := as(t, s, s.AddSubaccount("")).get(services)
	want := `{"meta":{"page":0,"page_size":50,"first_page_url":"` + services + `?PageSize=50&Page=0","previous_page_url":null,` +
		`"next_page_url":null,"key":"services","url":"` + services + `?PageSize=50&Page=0"},"services":[]}`
	if empty.raw != want {
		t.Errorf("got %s", empty.raw)
	}
	wantRefusal(t, c.get(services+"?PageToken=PAMG1"), 400, 21481)
}

func TestACampaignIsListedAndVerifiedOnesRegisterTheService(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	m := s.AddMessagingService(s.Parent().SID, twiliotest.MessagingService{})
	at := services + "/" + m.SID + "/Compliance/Usa2p"
	c := asParent(t, s)
	wantColumn(t, c.get(at), "compliance", "campaign_status")
	s.RegisterA2P(m.SID)
	wantColumn(t, c.get(at), "compliance", "campaign_status", "VERIFIED")
	if got := c.get(services + "/" + m.SID); got.body["us_app_to_person_registered"] != true {
		t.Errorf("got %s", got.raw)
	}
	s.SetCampaignStatus(m.SID, "FAILED")
	got := c.get(at)
	wantColumn(t, got, "compliance", "campaign_status", "FAILED")
	wantColumn(t, got, "compliance", "messaging_service_sid", m.SID)
	if m, _ := s.MessagingService(m.SID); m.USAppToPersonRegistered {
		t.Error("it is still registered")
	}
	if n := len(got.body["compliance"].([]any)[0].(map[string]any)); n != 28 {
		t.Errorf("%d members, Twilio documents 28", n)
	}
	wantRefusal(t, as(t, s, s.AddSubaccount("")).get(at), 404, 20404)
	wantPanic(t, func() { s.RegisterA2P("MG0") })
}

func TestTollFreeVerificationsAreListedByNumberStatusAndAccount(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	mine := s.AddPhoneNumber(s.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: "+18005550101"})
	its := s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{PhoneNumber: "+18005550102"})
	s.VerifyTollFree(mine.SID, "IN_REVIEW")
	s.VerifyTollFree(its.SID, "IN_REVIEW")
	s.VerifyTollFree(its.SID, "TWILIO_APPROVED")
	const at = "https://messaging.twilio.com/v1/Tollfree/Verifications"
	product := asParent(t, s).get(at).column("verifications", "trust_product_sid")[0]
	for query, want := range map[string][]string{
		"":                         {mine.SID},
		"?IncludeSubAccounts=true": {its.SID, mine.SID},
		"?IncludeSubAccounts=true&Status=TWILIO_APPROVED":       {its.SID},
		"?Status=PENDING_REVIEW":                                nil,
		"?TollfreePhoneNumberSid=" + mine.SID:                   {mine.SID},
		"?TollfreePhoneNumberSid=" + its.SID:                    nil,
		"?ExternalReferenceId=x":                                nil,
		"?IncludeSubAccounts=true&TrustProductSid=" + product:   {mine.SID},
		"?TrustProductSid=BU1&TrustProductSid=" + product:       {mine.SID},
		"?IncludeSubAccounts=false&TrustProductSid=" + bundleID: nil,
	} {
		wantColumn(t, asParent(t, s).get(at+query), "verifications", "tollfree_phone_number_sid", want...)
	}
	got := as(t, s, a).get(at + "?IncludeSubAccounts=true")
	wantColumn(t, got, "verifications", "tollfree_phone_number", its.PhoneNumber)
	if n := len(got.body["verifications"].([]any)[0].(map[string]any)); n != 53 {
		t.Errorf("%d members, Twilio documents 53", n)
	}
	const filter = "?IncludeSubAccounts=true&TrustProductSid=BU1&TrustProductSid=BU2&PageSize=50&Page=0"
	if meta := asParent(t, s).get(at + filter).body["meta"].(map[string]any); meta["url"] != at+filter {
		t.Errorf("the link is %s", meta["url"])
	}
	for _, query := range []string{"?Status=APPROVED", "?IncludeSubAccounts=1", "?TollfreePhoneNumberSid=PN1"} {
		wantRefusal(t, asParent(t, s).get(at+query), 400, 20001)
	}
	wantOK(t, asParent(t, s).post(numbersOf(a)+"/"+its.SID+".json", "AccountSid", s.Parent().SID))
	wantColumn(t, as(t, s, a).get(at), "verifications", "account_sid", a.SID) // it does not move
	wantPanic(t, func() { s.VerifyTollFree(s.AddPhoneNumber(a.SID, twiliotest.PhoneNumber{}).SID, "IN_REVIEW") })
}
