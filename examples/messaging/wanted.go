package main

import (
	"flag"
	"strings"
	"unicode/utf8"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

// wanted is what the arguments ask for.
type wanted struct {
	name     string
	number   string // PN… or +…; "": none is moved
	areaCode int    // 0: no number is bought
	service  string
	to       string // "": nobody is sent anything
	body     string
}

const usage = `messaging [-json] -name NAME [-number PN…|+1…] [-area-code 415] [-service NAME] [-to +1…] [-body TEXT]`

const about = `
Takes a tenant from nothing to its first message, in five steps: a subaccount, its phone number, its messaging service, the number in
the service, and a message. What is there already is found; run again, it makes nothing new but the message.

Examples:
  go run ./examples/messaging -name FalconFlights -number +14158740103 -to +14155550100
  go run ./examples/messaging -json -name FalconFlights -area-code 415
The first moves one of your own numbers to the subaccount, and sends. The second buys a number, which costs money, and sends nothing.`

func parse(out *report.Output, args []string) (w wanted, err error) {
	flags := setup.FlagsAbout(usage, about, out.Stderr)
	flags.BoolVar(&out.JSON, "json", false, "print one JSON document instead of a table")
	flags.StringVar(&w.name, "name", "", "the subaccount's friendly `name`, by which it is found again")
	flags.StringVar(&w.number, "number", "", "move this `number` of the parent's to the subaccount: its SID (PN…), or all of it (+1…)")
	setup.AreaCodeFlag(flags, &w.areaCode, "buy a number of this area `code` of the US or Canada, unless that was done already")
	flags.StringVar(&w.service, "service", "falconFlightNotifications", "the messaging service's friendly `name`, by which it is found")
	flags.StringVar(&w.to, "to", "", "send a message to this `number`, such as +14155550100; without it, none is sent")
	flags.StringVar(&w.body, "body", "Hi there", "the `text` of the message")
	if err := setup.ParseNone(flags, args); err != nil {
		return w, err
	}
	if setup.IsOffline() {
		w.fillIn()
	}
	err = w.check(flags)
	return w, err
}

// fillIn asks for what the fake has, where nothing was asked for.
func (w *wanted) fillIn() {
	if w.name == "" {
		w.name = "FalconFlights"
	}
	if w.number == "" && w.areaCode == 0 {
		w.number = setup.DemoNumber
	}
}

// longest is how much text Twilio takes, in characters.
const longest = 1600

// check finds what would fail only in the last step, after all the others, and what Provision does not know of.
func (w *wanted) check(flags *flag.FlagSet) error {
	switch {
	case w.name == "":
		return setup.Misuse(flags, "Say who it is for: -name FalconFlights.")
	case w.number != "" && w.areaCode != 0:
		return setup.Misuse(flags, "-number moves a number and -area-code buys one: say one of them.")
	case w.number != "" && !setup.IsPhoneNumber(w.number) && !setup.IsPhoneNumberSID(w.number):
		return setup.Misuse(flags, "-number is neither a SID (PN and 32 hex digits) nor a number in E.164, such as +14158740103.")
	case w.to != "" && !setup.IsPhoneNumber(w.to):
		return setup.Misuse(flags, "-to is no number in E.164, such as +14155550100.")
	case strings.TrimSpace(w.body) == "":
		return setup.Misuse(flags, "-body is empty.")
	case utf8.RuneCountInString(w.body) > longest:
		return setup.Misuse(flags, "-body is longer than %d characters.", longest)
	}
	return nil
}

func (w *wanted) spec() twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: w.name,
		Key:          w.name, // the account has but one number that this program bought
		Number:       w.numberSpec(),
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: w.service},
	}
}

// numberSpec is nil where no number is asked for.
func (w *wanted) numberSpec() *twilioacct.NumberSpec {
	switch {
	case w.areaCode != 0:
		return &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: w.areaCode}}
	case strings.HasPrefix(w.number, "+"):
		return &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: w.number}}
	case w.number != "":
		return &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: w.number}}
	}
	return nil
}
