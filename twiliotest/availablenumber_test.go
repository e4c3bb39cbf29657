package twiliotest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func searchOf(a twiliotest.Account, kind string) string {
	return base + "/" + a.SID + "/AvailablePhoneNumbers/" + kind + ".json"
}

func TestASearchLooksLikeTwiliosExample(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		got := c.get(searchOf(s.Parent(), "US/Local") + "?PageSize=1")
		want := `{"available_phone_numbers":[{"address_requirements":"none","beta":false,` +
			`"capabilities":{"voice":true,"sms":true,"mms":true,"fax":false},"friendly_name":"(415) 555-2000","iso_country":"US","lata":"722",` +
			`"latitude":37.79,"locality":"San Francisco","longitude":-122.4,"phone_number":"+14155552000","postal_code":"94105",` +
			`"rate_center":"SNFC CNTRL","region":"CA"}],"uri":"/2010-04-01/Accounts/` + s.Parent().SID + `/AvailablePhoneNumbers/US/Local.json"}`
		if got.status != 200 || got.raw != want {
			t.Errorf("got %d %s", got.status, got.raw)
		}
	})
}

func TestTheStockIsTheSameInEveryServerAndHasManyNumbers(t *testing.T) {
	t.Parallel()
	s, other := twiliotest.NewServer(t), twiliotest.NewServer(t)
	for search, least := range map[string]int{
		"US/Local?AreaCode=415": 60, "US/Local?AreaCode=212": 60, "US/Local?AreaCode=206": 60, "US/Local?AreaCode=512": 60,
		"US/TollFree?AreaCode=800": 20, "US/TollFree?AreaCode=888": 20, "US/TollFree?AreaCode=844": 20, "CA/Local?AreaCode=416": 20,
		"GB/Local": 20, "GB/Mobile": 20, "DE/Local": 20, "FR/Mobile": 20, "US/Mobile": 0, "DE/Local?AreaCode=302": 0,
	} {
		path, query, _ := strings.Cut(search, "?")
		query += "&PageSize=1000"
		got := asParent(t, s).get(searchOf(s.Parent(), path) + "?" + strings.TrimPrefix(query, "&"))
		numbers := got.column("available_phone_numbers", "phone_number")
		if len(numbers) < least || least == 0 && len(numbers) > 0 {
			t.Errorf("%s: %d numbers", search, len(numbers))
		}
		again := asParent(t, other).get(searchOf(other.Parent(), path) + "?" + strings.TrimPrefix(query, "&"))
		if !slices.Equal(numbers, again.column("available_phone_numbers", "phone_number")) {
			t.Errorf("%s: others in another server", search)
		}
	}
	wantRefusal(t, asParent(t, s).get(searchOf(s.Parent(), "ZZ/Local")), 404, 20404)
}

func TestAddedNumbersComeFirstAndAreAllThereIsInAnEmptyStock(t *testing.T) {
	t.Parallel()
	full, empty := twiliotest.NewServer(t), twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	for _, s := range []*twiliotest.Server{full, empty} {
		s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+12065550100"}, twiliotest.AvailableNumber{PhoneNumber: "+46701234567"})
		got := asParent(t, s).get(searchOf(s.Parent(), "US/Local") + "?AreaCode=206&PageSize=2")
		if s == empty {
			wantColumn(t, got, "available_phone_numbers", "phone_number", "+12065550100")
		} else {
			wantColumn(t, got, "available_phone_numbers", "phone_number", "+12065550100", "+12065552000")
		}
		wantColumn(t, asParent(t, s).get(searchOf(s.Parent(), "SE/Local")), "available_phone_numbers", "phone_number", "+46701234567")
	}
	wantRefusal(t, asParent(t, empty).post(numbersOf(empty.Parent())+".json", "PhoneNumber", inStock), 400, 21422)
	wantPanic(t, func() { full.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "4155550100"}) })
	owned := full.AddPhoneNumber(full.Parent().SID, twiliotest.PhoneNumber{})
	wantPanic(t, func() { full.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: owned.PhoneNumber}) })
}

func TestASearchFiltersByAllThatTwilioDocuments(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	near := twiliotest.AvailableNumber{PhoneNumber: "+14155550101", Locality: "San Francisco", Region: "CA", PostalCode: "94105",
		RateCenter: "SNFC CNTRL", LATA: "722", Latitude: 37.79, Longitude: -122.4}
	rafael := near // 14 miles away
	rafael.PhoneNumber, rafael.Locality, rafael.PostalCode, rafael.RateCenter = "+14155550202", "San Rafael", "94901", "SAN RAFAEL"
	rafael.Latitude, rafael.Longitude = 37.97, -122.53
	s.AddAvailable(near, rafael,
		twiliotest.AvailableNumber{PhoneNumber: "+12125550303", Region: "NY", Latitude: 40.75, Longitude: -73.99, Beta: true},
		twiliotest.AvailableNumber{PhoneNumber: "+12065550404", Capabilities: twiliotest.Capabilities{Voice: true, Fax: true}},
		twiliotest.AvailableNumber{PhoneNumber: "+12065550505", AddressRequirements: "any"},
		twiliotest.AvailableNumber{PhoneNumber: "+12065550606", AddressRequirements: "local"},
		twiliotest.AvailableNumber{PhoneNumber: "+12065550707", AddressRequirements: "foreign"},
	)
	for query, want := range map[string]string{
		"AreaCode=415":                       "01 02",
		"Contains=50202":                     "02",
		"Contains=%2B1415":                   "01 02",
		"Contains=%2B415":                    "",
		"Contains=0303$":                     "03",
		"Contains=1212555$":                  "",
		"Contains=55503*":                    "03",
		"Contains=*0303*":                    "",
		"Contains=%250303":                   "03",
		"Contains=jjja":                      "", // 5552
		"Contains=5550JOJ":                   "", // 5550565
		"Contains=jJ5010":                    "01",
		"SmsEnabled=true":                    "01 02 03 05 06 07",
		"SmsEnabled=false":                   "04",
		"MmsEnabled=false&VoiceEnabled=true": "04",
		"FaxEnabled=true":                    "04",
		"VoiceEnabled=false":                 "",
		"ExcludeAllAddressRequired=true&AreaCode=206":     "04",
		"ExcludeLocalAddressRequired=true&AreaCode=206":   "04 05 07",
		"ExcludeForeignAddressRequired=true&AreaCode=206": "04 05 06",
		"ExcludeAllAddressRequired=false&AreaCode=206":    "04 05 06 07",
		"Beta=false&AreaCode=212":                         "",
		"Beta=true&AreaCode=212":                          "03",
		"NearNumber=%2B14155550101":                       "01 02",
		"NearNumber=%2B14155559999&Distance=10":           "01", // a neighbour's place is known
		"NearNumber=%2B14155550101&Distance=15":           "01 02",
		"NearNumber=%2B14155550101&Distance=14":           "01",
		"NearNumber=%2B493012345678":                      "",
		"NearLatLong=40.7,-74.0&Distance=5":               "03",
		"NearLatLong=40.7,-74.0&Distance=3":               "",
		"NearLatLong=37.79,-121.4&Distance=55":            "01", // a degree, which is 69 miles at the equator
		"Distance=1&AreaCode=212":                         "03",
		"InPostalCode=94901":                              "02",
		"InPostalCode=%2B14155550202":                     "02",
		"InRegion=CA":                                     "01 02",
		"InRegion=%2B12125550303":                         "03",
		"InRegion=%2B12065550404":                         "",
		"InLata=722":                                      "01 02",
		"InLata=722&InRateCenter=SAN%20RAFAEL":            "02",
		"InLocality=san%20rafael":                         "02",
	} {
		got := asParent(t, s).get(searchOf(s.Parent(), "US/Local") + "?" + query)
		var ends []string
		for _, number := range got.column("available_phone_numbers", "phone_number") {
			ends = append(ends, number[10:])
		}
		if is := strings.Join(ends, " "); got.status != 200 || is != want {
			t.Errorf("%s: %q, want %q: %.100s", query, is, want, got.raw)
		}
	}
	for _, query := range []string{
		"AreaCode=x", "Contains=1", "Contains=12345678901234567", "Contains=1*2", "Contains=*1", "Contains=**11", "Contains=%2B*11",
		"Contains=4-5", "SmsEnabled=yes", "Beta=1", "NearNumber=415", "NearLatLong=1", "NearLatLong=91,0", "NearLatLong=1,181",
		"NearLatLong=1,2&Distance=501", "Distance=0", "Distance=x", "InRateCenter=AUSTIN", "PageSize=0", "Page=-1",
	} {
		wantRefusal(t, asParent(t, s).get(searchOf(s.Parent(), "US/Local")+"?"+query), 400, 20001)
	}
	one := asParent(t, s).get(searchOf(s.Parent(), "US/Local") + "?PageSize=1")
	wantColumn(t, one, "available_phone_numbers", "phone_number", near.PhoneNumber)
	wantRefusal(t, asParent(t, s).get(searchOf(s.Parent(), "US/Local")+"?PageSize=1001"), 400, 20007)
	wantRefusal(t, asParent(t, s).get(searchOf(s.Parent(), "US/Local")+"?PageToken=PA1"), 400, 21481)
}

func TestANumberThatIsAddedAgainIsForSaleOnceAndAsItWasAddedLast(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: inStock, Locality: "Oakland"})
	s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: inStock, Locality: "Berkeley"})
	got := asParent(t, s).get(searchOf(s.Parent(), "US/Local") + "?Contains=" + inStock[1:])
	wantColumn(t, got, "available_phone_numbers", "locality", "Berkeley")
}

func TestLettersAreTheKeysOnWhichTheyStand(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+222333444555666", Country: "US"},
		twiliotest.AvailableNumber{PhoneNumber: "+77778889999", Country: "US"})
	for contains, want := range map[string]string{"ABCDEFGHIJKLMNO": "+222333444555666", "pqrstuvwxyz": "+77778889999"} {
		got := asParent(t, s).get(searchOf(s.Parent(), "US/Local") + "?Contains=" + contains)
		wantColumn(t, got, "available_phone_numbers", "phone_number", want)
	}
}
