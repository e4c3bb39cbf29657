package twiliotest

import "strings"

// The types of a phone number.
const (
	Local    = "local"
	Mobile   = "mobile"
	TollFree = "toll-free"
)

// What address a phone number needs before it may be owned. [PhoneNumber] and
// [AvailableNumber] take "" for NoAddress.
const (
	NoAddress      = "none"
	AnyAddress     = "any"
	LocalAddress   = "local"
	ForeignAddress = "foreign"
)

// Capabilities are what a phone number can do. The zero value stands for voice,
// SMS and MMS wherever a test hands it over.
type Capabilities struct {
	Voice, SMS, MMS, Fax bool
}

func (c Capabilities) orUsual() Capabilities {
	if c == (Capabilities{}) {
		return Capabilities{Voice: true, SMS: true, MMS: true}
	}
	return c
}

// isE164 tells whether s is a plus sign and 7 to 15 digits, of which the first
// is not 0.
func isE164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && isDigits(digits)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isNorthAmerican tells of numbers with an area code of three digits.
func isNorthAmerican(number string) bool { return len(number) == 12 && strings.HasPrefix(number, "+1") }

func areaCode(number string) string {
	if !isNorthAmerican(number) {
		return ""
	}
	return number[2:5]
}

// formatted is the name that Twilio gives to a number: (415) 555-0100.
func formatted(number string) string {
	if !isNorthAmerican(number) {
		return number
	}
	return "(" + number[2:5] + ") " + number[5:8] + "-" + number[8:]
}

const (
	tollFreeCodes = " 800 833 844 855 866 877 888 "
	canadianCodes = " 204 226 236 249 250 289 306 343 365 403 416 418 431 437 438 450 506 514 519 548 579 581 587 604 613 639 647 " +
		"672 705 709 778 780 782 807 819 825 867 873 902 905 "
)

var countries = map[string]string{
	"+31": "NL", "+32": "BE", "+33": "FR", "+34": "ES", "+351": "PT", "+353": "IE", "+39": "IT", "+41": "CH", "+420": "CZ",
	"+43": "AT", "+44": "GB", "+45": "DK", "+46": "SE", "+47": "NO", "+48": "PL", "+49": "DE", "+52": "MX", "+55": "BR",
	"+61": "AU", "+81": "JP", "+91": "IN", "+972": "IL",
}

// countryOf returns the ISO code of a number's country, "" for one that the
// fake has never heard of.
func countryOf(number string) string {
	if code := areaCode(number); code != "" {
		if strings.Contains(canadianCodes, " "+code+" ") {
			return "CA"
		}
		return "US"
	}
	for length := 3; length <= min(4, len(number)); length++ {
		if country := countries[number[:length]]; country != "" {
			return country
		}
	}
	return ""
}

var mobilePrefixes = []string{"+447", "+336", "+337", "+4915", "+4916", "+4917"}

func typeOf(number string) string {
	if code := areaCode(number); code != "" && strings.Contains(tollFreeCodes, " "+code+" ") {
		return TollFree
	}
	for _, prefix := range mobilePrefixes {
		if strings.HasPrefix(number, prefix) {
			return Mobile
		}
	}
	return Local
}
