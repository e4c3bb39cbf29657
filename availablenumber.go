package twilioacct

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// NumberSearch says which numbers to look for. A field with its zero value does not narrow the search.
//
// https://www.twilio.com/docs/phone-numbers/api/availablephonenumber-resource
type NumberSearch struct {
	Country string     // ISO 3166-1, two capital letters such as GB; "" is US
	Type    NumberType // "" is local

	AreaCode int          // of the US or Canada
	Contains string       // 2 to 16 letters, digits and wildcards: * is any one, a + stands for the start and a $ for the end
	With     Capabilities // what the number must be able to do

	Near     Near   // a place in the US or Canada
	Region   string // such as CA, in the US and Canada
	Locality string // such as San Francisco

	PostalCode string

	WithoutAddress bool // leave out what can be bought only with an address

	Limit int // how many at most, up to 1000: 20 if 0
}

// NumberType is what kind of number it is.
type NumberType string

// The types of numbers.
const (
	NumberLocal    NumberType = "local"
	NumberMobile   NumberType = "mobile"
	NumberTollFree NumberType = "toll-free"
)

// Near is around a number or around a point.
type Near struct {
	PhoneNumber         string  // in E.164
	Latitude, Longitude float64 // degrees; both 0 is no place
	Miles               int     // up to 500: 25 if 0
}

// AvailableNumber is a number that can be bought. It is reserved for nobody: it may be gone at any moment.
type AvailableNumber struct {
	PhoneNumber         string // in E.164
	FriendlyName        string // as people write it
	Capabilities        Capabilities
	Country             string
	Region              string // these are known in the US and Canada only
	Locality            string
	PostalCode          string
	AddressRequirements string // none, any, local or foreign
}

// NeedsAddress is true if the number is sold only with the SID of an address.
func (n AvailableNumber) NeedsAddress() bool { return needsAddress(n.AddressRequirements) }

func needsAddress(requirements string) bool { return requirements != "" && requirements != "none" }

// SearchNumbers looks for numbers that the account could buy, in Twilio's order. It buys nothing and reserves nothing. That there are
// none is [ErrNotFound], and so is a country where Twilio sells none of that type.
func (h *Handle) SearchNumbers(ctx context.Context, search NumberSearch) ([]AvailableNumber, error) {
	if err := h.check(ctx, search.check()); err != nil {
		return nil, err
	}
	call := h.call(ctx)
	body, err := call.Get(search.path(h.sid), search.query(), nil)
	if isGone(err) {
		const note = "Twilio sells no %s numbers in Country %s"
		return nil, judged(err, ErrNotFound, fmt.Sprintf(note, cmp.Or(search.Type, NumberLocal), search.country()))
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Numbers []api.ApiV2010AvailablePhoneNumberLocal `json:"available_phone_numbers"` // the other types are the same
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, call.Undecodable(err)
	}
	if answer.Numbers == nil {
		return nil, call.Unexpected("the answer has no list")
	}
	if len(answer.Numbers) == 0 {
		return nil, told(ErrNotFound, "no number is to be had that is as searched for: search for less, or elsewhere")
	}
	numbers := make([]AvailableNumber, 0, len(answer.Numbers))
	for i := range answer.Numbers {
		numbers = append(numbers, newAvailableNumber(&answer.Numbers[i]))
	}
	return numbers[:min(len(numbers), search.limit())], nil
}

func (s NumberSearch) limit() int { return cmp.Or(s.Limit, 20) }

var countryForm = regexp.MustCompile(`^[A-Z]{2}$`)

// containsForm leaves the finer rules of patterns to Twilio.
var containsForm = regexp.MustCompile(`^[0-9A-Za-z*%+$]{2,16}$`)

func (s NumberSearch) check() error {
	switch _, isType := typePaths[s.Type]; {
	case s.Country != "" && !countryForm.MatchString(s.Country):
		return invalid("Country %q is not two capital letters of ISO 3166-1, such as US or GB", s.Country)
	case !isType:
		return invalid("Type %q is none of local, mobile, toll-free", s.Type)
	case s.AreaCode != 0 && checkAreaCode(s.AreaCode) != nil:
		return checkAreaCode(s.AreaCode)
	case s.AreaCode != 0 && s.country() != "US" && s.country() != "CA":
		return invalid("AreaCode works in the US and Canada, not in %s", s.Country)
	case s.Contains != "" && !containsForm.MatchString(s.Contains):
		return invalid("Contains %q is not 2 to 16 letters, digits, and the wildcards * %% + $", s.Contains)
	case s.Limit < 0 || s.Limit > largestPage:
		return invalid("Limit %d is not 0 to %d", s.Limit, largestPage)
	}
	return s.Near.check()
}

func (n Near) check() error {
	const farthest = 500
	switch {
	case n == (Near{}):
		return nil
	case (n.PhoneNumber == "") == n.isPoint():
	default:
		return invalid("Near needs either PhoneNumber or Latitude and Longitude")
	}
	switch {
	case n.PhoneNumber != "" && !isE164(n.PhoneNumber):
		return checkE164("Near.PhoneNumber", n.PhoneNumber)
	case !(n.Latitude >= -90 && n.Latitude <= 90 && n.Longitude >= -180 && n.Longitude <= 180): // NaN is not
		return invalid("Near: %v, %v is no point of the earth: latitude -90 to 90, longitude -180 to 180", n.Latitude, n.Longitude)
	case n.Miles < 0 || n.Miles > farthest:
		return invalid("Near.Miles %d is not 0 to %d", n.Miles, farthest)
	}
	return nil
}

func (n Near) isPoint() bool { return n.Latitude != 0 || n.Longitude != 0 }

var typePaths = map[NumberType]string{
	"":             "Local",
	NumberLocal:    "Local",
	NumberMobile:   "Mobile",
	NumberTollFree: "TollFree",
}

func (s NumberSearch) country() string { return cmp.Or(s.Country, "US") }

// path is the one of three resources that are alike; twilio-go has a type of its own for each.
func (s NumberSearch) path(account string) string {
	return "/2010-04-01/Accounts/" + account + "/AvailablePhoneNumbers/" + s.country() + "/" + typePaths[s.Type] + ".json"
}

func (s NumberSearch) query() url.Values {
	query := url.Values{"PageSize": {strconv.Itoa(s.limit())}}
	for name, text := range map[string]string{
		"Contains":     s.Contains,
		"NearNumber":   s.Near.PhoneNumber,
		"InRegion":     s.Region,
		"InLocality":   s.Locality,
		"InPostalCode": s.PostalCode,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, n := range map[string]int{"AreaCode": s.AreaCode, "Distance": s.Near.Miles} {
		if n != 0 {
			query.Set(name, strconv.Itoa(n))
		}
	}
	for name, must := range map[string]bool{
		"VoiceEnabled": s.With.Voice, "SmsEnabled": s.With.SMS, "MmsEnabled": s.With.MMS, "ExcludeAllAddressRequired": s.WithoutAddress,
	} {
		if must {
			query.Set(name, "true")
		}
	}
	if s.Near.isPoint() {
		query.Set("NearLatLong", decimal(s.Near.Latitude)+","+decimal(s.Near.Longitude))
	}
	return query
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func newAvailableNumber(raw *api.ApiV2010AvailablePhoneNumberLocal) AvailableNumber {
	can := value(raw.Capabilities)
	return AvailableNumber{
		PhoneNumber:         value(raw.PhoneNumber),
		FriendlyName:        value(raw.FriendlyName),
		Capabilities:        Capabilities{Voice: can.Voice, SMS: can.Sms, MMS: can.Mms},
		Country:             value(raw.IsoCountry),
		Region:              value(raw.Region),
		Locality:            value(raw.Locality),
		PostalCode:          value(raw.PostalCode),
		AddressRequirements: value(raw.AddressRequirements),
	}
}
