package twiliotest

import (
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// search tells which numbers are looked for.
type search func(AvailableNumber) bool

// searchFilter is a parameter of a search. It makes nil of a bad value.
type searchFilter struct {
	param string
	by    func(c *call, value string) search
}

var searchFilters = []searchFilter{
	{"AreaCode", byAreaCode},
	{"Contains", byPattern},
	{"SmsEnabled", byFlag(func(n AvailableNumber, want bool) bool { return n.Capabilities.SMS == want })},
	{"MmsEnabled", byFlag(func(n AvailableNumber, want bool) bool { return n.Capabilities.MMS == want })},
	{"VoiceEnabled", byFlag(func(n AvailableNumber, want bool) bool { return n.Capabilities.Voice == want })},
	{"FaxEnabled", byFlag(func(n AvailableNumber, want bool) bool { return n.Capabilities.Fax == want })},
	{"ExcludeAllAddressRequired", excluding(AnyAddress, LocalAddress, ForeignAddress)},
	{"ExcludeLocalAddressRequired", excluding(LocalAddress)},
	{"ExcludeForeignAddressRequired", excluding(ForeignAddress)},
	{"Beta", byFlag(func(n AvailableNumber, withBeta bool) bool { return withBeta || !n.Beta })},
	{"NearNumber", nearNumber},
	{"NearLatLong", nearLatLong},
	{"Distance", anyDistance},
	{"InPostalCode", in(func(n AvailableNumber) string { return n.PostalCode })},
	{"InRegion", in(func(n AvailableNumber) string { return n.Region })},
	{"InRateCenter", inRateCenter},
	{"InLata", in(func(n AvailableNumber) string { return n.LATA })},
	{"InLocality", in(func(n AvailableNumber) string { return n.Locality })},
}

func searchParams() []string {
	var names []string
	for _, f := range searchFilters {
		names = append(names, f.param)
	}
	return paged(names...)
}

// searching answers with one page and no links to others.
func searching(kind string) func(*call, *account) answer {
	return func(c *call, _ *account) answer {
		country := c.pathVar("CountryCode")
		if !c.server.stock.knowsCountry(country) {
			return c.refuse(20404)
		}
		p, code := c.page(listing{position: func(string) int { return -1 }})
		searches, ok := c.searches()
		if !ok {
			code = 20001
		}
		if code != 0 {
			return c.refuse(code)
		}
		found := []availableNumberJSON{}
		for n := range c.server.stock.all() {
			if len(found) < p.size && n.Country == country && n.Type == kind && n.is(searches) {
				found = append(found, n.json())
			}
		}
		return jsonAnswer(http.StatusOK, mustJSON(searchJSON{found, c.path}))
	}
}

func (s *stock) knowsCountry(country string) bool {
	return slices.Contains(usualCountries, country) ||
		slices.ContainsFunc(s.added, func(n AvailableNumber) bool { return n.Country == country })
}

func (n AvailableNumber) is(searches []search) bool {
	return !slices.ContainsFunc(searches, func(s search) bool { return !s(n) })
}

// searches are what was asked for; false if some of it is not understood.
func (c *call) searches() (searches []search, ok bool) {
	for _, f := range searchFilters {
		value, _ := c.param(f.param)
		if value == "" {
			continue
		}
		s := f.by(c, value)
		if s == nil {
			return nil, false
		}
		searches = append(searches, s)
	}
	return searches, true
}

func byFlag(is func(n AvailableNumber, want bool) bool) func(*call, string) search {
	return func(_ *call, value string) search {
		want, ok := parseBool(value)
		if !ok {
			return nil
		}
		return func(n AvailableNumber) bool { return is(n, want) }
	}
}

func excluding(requirements ...string) func(*call, string) search {
	return byFlag(func(n AvailableNumber, exclude bool) bool {
		return !exclude || !slices.Contains(requirements, n.AddressRequirements)
	})
}

func byAreaCode(_ *call, code string) search {
	if !isDigits(code) {
		return nil
	}
	return func(n AvailableNumber) bool { return areaCode(n.PhoneNumber) == code }
}

// pattern is Twilio's language for Contains: digits and letters, before them +
// for the beginning of the number, * for any digit or % for any digits, after
// them $ for the end of it, * or %.
var pattern = regexp.MustCompile(`^([+*%]?)([0-9A-Za-z]+)([$*%]?)$`)

var metaInDigits = map[string]string{"": "", "+": "^", "*": "[0-9]", "%": "", "$": "$"}

func byPattern(_ *call, contains string) search {
	parts := pattern.FindStringSubmatch(contains)
	if len(contains) < 2 || len(contains) > 16 || parts == nil || strings.ContainsAny(contains, "*%") && len(parts[2]) < 2 {
		return nil
	}
	matches := regexp.MustCompile(metaInDigits[parts[1]] + strings.Map(onKeypad, parts[2]) + metaInDigits[parts[3]])
	return func(n AvailableNumber) bool { return matches.MatchString(n.PhoneNumber[1:]) }
}

// onKeypad is the key on which a letter stands.
func onKeypad(r rune) rune {
	const keys = "22233344455566677778889999"
	switch {
	case 'a' <= r && r <= 'z':
		return rune(keys[r-'a'])
	case 'A' <= r && r <= 'Z':
		return rune(keys[r-'A'])
	}
	return r
}

// in looks for numbers at a place, or at the place of a number that is given
// instead.
func in(place func(AvailableNumber) string) func(*call, string) search {
	return func(c *call, value string) search {
		if strings.HasPrefix(value, "+") {
			n, _ := c.server.stock.neighbour(value)
			value = place(n)
		}
		return func(n AvailableNumber) bool { return value != "" && strings.EqualFold(place(n), value) }
	}
}

func inRateCenter(c *call, value string) search {
	if lata, _ := c.param("InLata"); lata == "" {
		return nil
	}
	return in(func(n AvailableNumber) string { return n.RateCenter })(c, value)
}

// neighbour is a number of which the stock knows where it is: the number
// itself, sold or not, or another one with its area code.
func (s *stock) neighbour(number string) (AvailableNumber, bool) {
	if n, ok := s.known(number); ok {
		return n, true
	}
	for n := range s.ever() {
		if code := areaCode(n.PhoneNumber); code != "" && code == areaCode(number) {
			return n, true
		}
	}
	return AvailableNumber{}, false
}

func nearNumber(c *call, number string) search {
	if !isE164(number) {
		return nil
	}
	n, known := c.server.stock.neighbour(number)
	if !known || !n.isLocated() {
		return func(AvailableNumber) bool { return false }
	}
	return c.near(n.Latitude, n.Longitude)
}

func nearLatLong(c *call, pair string) search {
	first, second, _ := strings.Cut(pair, ",")
	latitude, err := strconv.ParseFloat(first, 64)
	if err != nil || math.Abs(latitude) > 90 {
		return nil
	}
	longitude, err := strconv.ParseFloat(second, 64)
	if err != nil || math.Abs(longitude) > 180 {
		return nil
	}
	return c.near(latitude, longitude)
}

func (c *call) near(latitude, longitude float64) search {
	most, _ := c.distance()
	return func(n AvailableNumber) bool {
		return n.isLocated() && miles(latitude, longitude, n.Latitude, n.Longitude) <= most
	}
}

// anyDistance looks at Distance alone; without something to be near it has no
// effect.
func anyDistance(c *call, _ string) search {
	if _, ok := c.distance(); !ok {
		return nil
	}
	return func(AvailableNumber) bool { return true }
}

func (c *call) distance() (miles float64, ok bool) {
	n, ok := c.number("Distance", 25, 1)
	return float64(n), ok && n <= 500
}

func (n AvailableNumber) isLocated() bool { return n.Latitude != 0 || n.Longitude != 0 }

// miles is the distance between two places on the globe.
func miles(latitude1, longitude1, latitude2, longitude2 float64) float64 {
	const radius, degree = 3958.8, math.Pi / 180
	up := math.Sin((latitude2 - latitude1) * degree / 2)
	along := math.Sin((longitude2 - longitude1) * degree / 2)
	h := up*up + math.Cos(latitude1*degree)*math.Cos(latitude2*degree)*along*along
	return 2 * radius * math.Asin(math.Sqrt(h))
}

type searchJSON struct {
	AvailablePhoneNumbers []availableNumberJSON `json:"available_phone_numbers"`
	URI                   string                `json:"uri"`
}

type availableNumberJSON struct {
	AddressRequirements string           `json:"address_requirements"`
	Beta                bool             `json:"beta"`
	Capabilities        capabilitiesJSON `json:"capabilities"`
	FriendlyName        string           `json:"friendly_name"`
	ISOCountry          *string          `json:"iso_country"`
	LATA                *string          `json:"lata"`
	Latitude            *float64         `json:"latitude"`
	Locality            *string          `json:"locality"`
	Longitude           *float64         `json:"longitude"`
	PhoneNumber         string           `json:"phone_number"`
	PostalCode          *string          `json:"postal_code"`
	RateCenter          *string          `json:"rate_center"`
	Region              *string          `json:"region"`
}

// json is a number as a search shows it.
func (n AvailableNumber) json() availableNumberJSON {
	return availableNumberJSON{
		AddressRequirements: n.AddressRequirements,
		Beta:                n.Beta,
		Capabilities:        capabilitiesJSON(n.Capabilities),
		FriendlyName:        n.FriendlyName,
		ISOCountry:          orNull(n.Country),
		LATA:                orNull(n.LATA),
		Latitude:            orNull(n.Latitude),
		Locality:            orNull(n.Locality),
		Longitude:           orNull(n.Longitude),
		PhoneNumber:         n.PhoneNumber,
		PostalCode:          orNull(n.PostalCode),
		RateCenter:          orNull(n.RateCenter),
		Region:              orNull(n.Region),
	}
}
