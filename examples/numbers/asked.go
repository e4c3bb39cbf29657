package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

// asked is what the flags ask for.
type asked struct {
	yes     bool
	account string // "" is the parent

	search   twilioacct.NumberSearch
	settings twilioacct.PhoneNumberSettings // those that were given

	from, to         string // accounts
	ignoreMembership bool
}

const usage = "numbers [-json] [-yes] [-account SID] search|list|buy|configure|move|release …"

const narrowing = "-country -type -area-code -contains -near -with"

var verbs = []setup.Verb{
	{Name: "search", Does: "shows numbers that can be bought", Flags: "-account -limit " + narrowing},
	{Name: "list", Does: "shows the account's numbers", Flags: "-account"},
	{
		Name: "buy", Args: "[NUMBER]", Does: "buys that number, or the first that a search finds",
		Flags: "-account -name -address -bundle " + narrowing,
	},
	{
		Name: "configure", Args: "NUMBER", Does: "sets what is given of a number; \"\" empties it",
		Flags: "-account -name -voice-url -voice-app -sms-url -sms-app -status-callback",
	},
	{
		Name: "move", Args: "NUMBER", Does: "moves a number to another account of this parent",
		Flags: "-from -to -voice-app -sms-app -address -bundle -ignore-membership",
	},
	{Name: "release", Args: "NUMBER", Does: "gives a number back to Twilio, for ever", Flags: "-account"},
}

const about = `
NUMBER is all of a number (+1…) or its SID (PN…). What costs money or cannot be undone shows its plan, and asks, or needs -yes.

Examples:
  go run ./examples/numbers search -area-code 415 -with sms,mms
  go run ./examples/numbers buy -area-code 415 -account AC…
  go run ./examples/numbers configure +14158740103 -voice-url https://example.com/voice
  go run ./examples/numbers move +14158740103 -to AC… -yes`

// parse also finds what is missing, before anything is opened.
func (t *tool) parse(args []string) (verb string, rest []string, err error) {
	flags := setup.VerbFlags(usage, verbs, about, t.out.Stderr)
	t.addFlags(flags)
	verb, rest, err = setup.ParseVerb(flags, verbs, args)
	if err == nil {
		err = t.asked.check(flags, verb, rest)
	}
	return verb, rest, err
}

func (t *tool) addFlags(flags *flag.FlagSet) {
	a := &t.asked
	flags.BoolVar(&t.out.JSON, "json", false, "print one JSON document instead of a table")
	flags.BoolVar(&a.yes, "yes", false, "do it without asking")
	flags.StringVar(&a.account, "account", "", "the `SID` of the account that is meant (default the parent)")

	flags.StringVar(&a.search.Country, "country", "US", "two `letters`, such as GB")
	flags.StringVar((*string)(&a.search.Type), "type", "local", "local, mobile or toll-free `numbers`")
	setup.AreaCodeFlag(flags, &a.search.AreaCode, "an area `code` of the US or Canada")
	flags.StringVar(&a.search.Contains, "contains", "", "a `pattern` of 2 to 16 digits and letters, in which * is any one")
	flags.Func("near", "a `place` in the US or Canada: a number, or latitude and longitude such as 37.78,-122.42", a.setNear)
	flags.Func("with", "what the number must be able to do: `list` of voice,sms,mms", a.setWith)
	flags.IntVar(&a.search.Limit, "limit", 20, "how `many` at most")

	setting(flags, &a.settings.FriendlyName, "name", "the number's friendly `name`")
	setting(flags, &a.settings.VoiceURL, "voice-url", "`address` that Twilio asks about a call")
	setting(flags, &a.settings.SMSURL, "sms-url", "`address` that Twilio tells of a message")
	setting(flags, &a.settings.StatusCallback, "status-callback", "`address` that Twilio tells how a call went")
	setting(flags, &a.settings.VoiceApplicationSID, "voice-app", "`SID` of the application (AP…) that counts before the voice URL")
	setting(flags, &a.settings.SMSApplicationSID, "sms-app", "`SID` of the application (AP…) that counts before the SMS URL")
	setting(flags, &a.settings.AddressSID, "address", "`SID` of the address (AD…) that the number's country asks for")
	setting(flags, &a.settings.BundleSID, "bundle", "`SID` of the bundle (BU…) that the number's country asks for")

	flags.StringVar(&a.from, "from", "parent", "the `SID` of the account that has the number")
	flags.StringVar(&a.to, "to", "", "the `SID` of the account that gets the number, or parent")
	flags.BoolVar(&a.ignoreMembership, "ignore-membership", false,
		"move it though its account is suspended and cannot say which messaging service it is in")
}

// setting adds a flag for a setting, which stays nil where the flag is not given.
func setting(flags *flag.FlagSet, field **string, name, help string) {
	flags.Func(name, help, func(text string) error {
		*field = &text
		return nil
	})
}

func (a *asked) setNear(text string) error {
	if strings.HasPrefix(text, "+") {
		a.search.Near.PhoneNumber = text
		return nil
	}
	latitude, longitude, _ := strings.Cut(text, ",")
	var errs [2]error
	a.search.Near.Latitude, errs[0] = strconv.ParseFloat(strings.TrimSpace(latitude), 64)
	a.search.Near.Longitude, errs[1] = strconv.ParseFloat(strings.TrimSpace(longitude), 64)
	if errors.Join(errs[:]...) != nil {
		return errors.New("neither a number, such as +14155550100, nor latitude and longitude, such as 37.78,-122.42")
	}
	return nil
}

func (a *asked) setWith(text string) error {
	for what := range strings.SplitSeq(text, ",") {
		switch strings.ToLower(strings.TrimSpace(what)) {
		case "voice":
			a.search.With.Voice = true
		case "sms":
			a.search.With.SMS = true
		case "mms":
			a.search.With.MMS = true
		default:
			return fmt.Errorf("%q is none of voice, sms, mms", what)
		}
	}
	return nil
}

func (a *asked) check(flags *flag.FlagSet, verb string, args []string) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	isNamed := len(args) > 0
	switch {
	case isNamed && verb == "buy" && !setup.IsPhoneNumber(args[0]):
		return setup.Misuse(flags, "What is to be bought is no number in E.164, such as +14155550100.")
	case isNamed && !setup.IsPhoneNumber(args[0]) && !setup.IsPhoneNumberSID(args[0]):
		return setup.Misuse(flags, "NUMBER is neither a SID (PN and 32 hex digits) nor a number in E.164, such as +14158740103.")
	case verb == "buy" && isNamed == isSearch(given):
		return setup.Misuse(flags, "Say either the number to buy, or how to search for one, such as -area-code 415.")
	case verb == "configure" && a.settings == twilioacct.PhoneNumberSettings{}:
		return setup.Misuse(flags, "Nothing is to be set: say what, such as -voice-url https://example.com/voice.")
	case verb == "move" && a.to == "":
		return setup.Misuse(flags, "Say where the number is to go: -to AC…, or -to parent.")
	}
	return nil
}

func isSearch(given map[string]bool) bool {
	for name := range strings.FieldsSeq(narrowing) {
		if given[strings.TrimPrefix(name, "-")] {
			return true
		}
	}
	return false
}
