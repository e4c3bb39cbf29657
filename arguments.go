package twilioacct

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What arguments of several resources have in common; SIDs are in sid.go.

// checkSought takes any name that somebody may have given.
func checkSought(name string) error {
	if name == "" || !utf8.ValidString(name) {
		return invalid("the friendly name %q cannot be anybody's", name)
	}
	return nil
}

// checkName refuses what Twilio would not take for a friendly name, or would take and change, so that it is not found again.
func checkName(what, name string) error {
	const longest = 64
	switch n := utf8.RuneCountInString(name); {
	case strings.TrimSpace(name) == "":
		return invalid("the %s is empty", what)
	case n > longest:
		return invalid("the %s has %d characters: %d are the most", what, n, longest)
	case !utf8.ValidString(name):
		return invalid("the %s is not UTF-8", what)
	case strings.TrimSpace(name) != name:
		return invalid("the %s %q begins or ends with space", what, name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalid("the %s %q has a control character in it", what, name)
	}
	return nil
}

const (
	capitals     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smallLetters = "abcdefghijklmnopqrstuvwxyz"
	digits       = "0123456789"
)

// isOf is true if s has no other characters than these.
func isOf(characters, s string) bool { return strings.Trim(s, characters) == "" }

// checkNamed is checkName for what is named by an argument, and not by its settings.
func checkNamed(name string, inSettings *string) error {
	if inSettings != nil {
		return invalid("the friendly name is an argument of its own: leave it out of the settings")
	}
	return checkName("friendly name", name)
}

// isE164 takes + and 2 to 15 digits, of which the first is not 0. Every message passes here, which a regular expression would notice.
func isE164(s string) bool {
	return len(s) >= 3 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && isOf(digits, s[1:])
}

// checkE164 takes a whole number as Twilio writes it.
func checkE164(what, s string) error {
	if !isE164(s) {
		return invalid("%s %q is not in E.164: + and country code and number, 2 to 15 digits, such as +14155550100", what, s)
	}
	return nil
}

// checkAreaCode takes what may be one in the US and Canada.
func checkAreaCode(code int) error {
	if code < 200 || code > 999 {
		return invalid("area code %d is none of the US or Canada: those are 200 to 999", code)
	}
	return nil
}

// checkURL takes what Twilio could call, and what empties the setting.
func checkURL(what string, address *string) error {
	if address == nil || *address == "" {
		return nil
	}
	u, err := url.Parse(*address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return invalid("%s is no URL of http or https that Twilio could call", what) // it is not shown: it may have a password in it
	}
	return nil
}

func checkMethod(what string, method *string) error {
	if method == nil || *method == "GET" || *method == "POST" {
		return nil
	}
	return invalid("%s %q is neither GET nor POST", what, *method)
}

func checkOneOf(what string, s *string, allowed ...string) error {
	if s == nil || slices.Contains(allowed, *s) {
		return nil
	}
	return invalid("%s %q is none of %s", what, *s, strings.Join(allowed, ", "))
}

// checkValidity takes what Twilio does: whole seconds, up to 10 hours.
func checkValidity(d time.Duration) error {
	const longest = 10 * time.Hour
	if d < time.Second || d > longest || d%time.Second != 0 {
		return invalid("Validity %v is not 1 second to 10 hours, in whole seconds", d)
	}
	return nil
}

// checkAddress knows numbers only. Other channels, short codes and alphanumeric senders are Twilio's to judge.
func checkAddress(what, s string) error {
	if strings.HasPrefix(s, "+") {
		return checkE164(what, s)
	}
	return nil
}

// countGiven is how many of them are given.
func countGiven(all ...string) int {
	n := 0
	for _, s := range all {
		if s != "" {
			n++
		}
	}
	return n
}

// given is a pointer to what is given, and nil where nothing is.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// dropIfSo makes a setting nil that would change nothing.
func dropIfSo[T comparable](setting **T, is T) {
	if *setting != nil && **setting == is {
		*setting = nil
	}
}

var errNothingSet = invalid("nothing is to be set: all of the settings are nil")
