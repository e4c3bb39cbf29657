package main

import (
	"cmp"
	"flag"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

// wanted is what the arguments ask for.
type wanted struct {
	subaccount string // AC…, in the place of a name
	name       string
	outgoing   string // a URL; "": the application stays as it is
	incoming   string // a URL; "": the outgoing one
	flow       string // FW…, in the place of an incoming URL
	identity   string
	lifetime   time.Duration
	showsToken bool
	address    string // to serve the page at; "": it is not served
	callee     string // "": nobody is called
}

// application is the friendly name of the one that answers the calls from browsers, by which it is found again.
const application = "browser calls"

const usage = `voice [-json] -subaccount AC…|-name NAME [-outgoing-url URL] [-incoming-url URL | -studio-flow FW…]
             [-identity alice] [-ttl 10m] [-print-token] [-http 127.0.0.1:8081] [-call +1…]`

const about = `
Sets a subaccount up for calls from a browser: an API key, a TwiML application, a number to call from, what answers the calls to its
numbers, and an access token. What is there already is found; run again, it makes nothing new but the token. It needs
the parent's auth token: Twilio hides those of subaccounts from an API key. Offline, the name is FalconFlights unless it is said.

Examples:
  go run ./examples/voice -name FalconFlights -outgoing-url https://example.com/voice
  go run ./examples/voice -json -subaccount AC… -outgoing-url https://example.com/voice -studio-flow FW…
  go run ./examples/voice -name FalconFlights -http 127.0.0.1:8081
The first answers calls from browsers, and calls to all numbers, by one URL; the second has a Studio flow for the numbers; the third
serves a page whose token is renewed before it expires.`

func parse(out *report.Output, args []string) (w wanted, err error) {
	flags := setup.FlagsAbout(usage, about, out.Stderr)
	flags.BoolVar(&out.JSON, "json", false, "print one JSON document instead of a table")
	flags.StringVar(&w.subaccount, "subaccount", "", "the `SID` of the subaccount (AC…)")
	flags.StringVar(&w.name, "name", "", "the subaccount's friendly `name`, by which it is found; it is made if there is none")
	flags.StringVar(&w.outgoing, "outgoing-url", "", "the `URL` that answers calls from browsers, with TwiML: it goes to the application")
	flags.StringVar(&w.incoming, "incoming-url", "", "the `URL` that answers calls to the numbers (the outgoing one, unless it is said)")
	flags.StringVar(&w.flow, "studio-flow", "", "the Studio `flow` of the subaccount (FW…) that answers calls to the numbers")
	flags.StringVar(&w.identity, "identity", "alice", "`who` the access token is for: 1 to 121 of A-Z, a-z, 0-9 and _")
	flags.DurationVar(&w.lifetime, "ttl", 10*time.Minute, "how long the access token is good: whole seconds, 1s to 24h")
	flags.BoolVar(&w.showsToken, "print-token", false, "print the access token; whoever reads it can call on the account's cost")
	flags.StringVar(&w.callee, "call", "", "call this `number`, such as +14155550100, which costs money; without it, nobody is called")
	flags.Func("http", "serve a page at this `address`, which nobody but this machine can reach, until interrupted",
		func(text string) (err error) {
			w.address, err = setup.LocalAddress(text)
			return err
		})
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
	if w.name == "" && w.subaccount == "" {
		w.name = setup.DemoTenant
	}
	if w.outgoing == "" && !w.setsIncoming() {
		w.outgoing = "https://example.com/voice"
	}
}

var (
	subaccountForm = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	flowForm       = regexp.MustCompile(`^FW[0-9a-fA-F]{32}$`)
	identityForm   = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9_]{1,%d}$`, twilioacct.LongestIdentity))
)

// check says by their flags what Provision would refuse by other names, or only when it is too late.
func (w *wanted) check(flags *flag.FlagSet) error {
	is := func(form *regexp.Regexp, text string) bool { return text == "" || form.MatchString(text) }
	const longestLife = 24 * time.Hour
	for _, c := range []struct {
		isWrong bool
		text    string
	}{
		{(w.name == "") == (w.subaccount == ""), "Say which subaccount: either -name FalconFlights or -subaccount AC…."},
		{!is(subaccountForm, w.subaccount), "-subaccount is no SID of an account: AC and 32 hex digits."},
		{w.incoming != "" && w.flow != "", "-incoming-url and -studio-flow are for the same calls: say one of them."},
		{!isURL(w.outgoing), "-outgoing-url is no URL of http or https that Twilio could call."},
		{!isURL(w.incoming), "-incoming-url is no URL of http or https that Twilio could call."},
		{!is(flowForm, w.flow), "-studio-flow is no SID of a flow: FW and 32 hex digits."},
		{!identityForm.MatchString(w.identity), fmt.Sprintf("-identity is not 1 to %d of A-Z, a-z, 0-9, _.", twilioacct.LongestIdentity)},
		{w.lifetime < time.Second || w.lifetime > longestLife || w.lifetime%time.Second != 0, "-ttl is not 1s to 24h in whole seconds."},
		{w.callee != "" && !setup.IsPhoneNumber(w.callee), "-call is no number in E.164, such as +14155550100."},
	} {
		if c.isWrong {
			return setup.Misuse(flags, "%s", c.text)
		}
	}
	return nil
}

// isURL is true for what Twilio could call, and for "". What is refused is not shown: it may have a password in it.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// setsIncoming is true if something is to answer the calls to the numbers.
func (w *wanted) setsIncoming() bool { return cmp.Or(w.incoming, w.outgoing, w.flow) != "" }

func (w *wanted) spec() twilioacct.Spec {
	voice := &twilioacct.VoiceSpec{FriendlyName: application, Token: w.token("")}
	if w.outgoing != "" {
		voice.Settings.VoiceURL = &w.outgoing
	}
	if w.setsIncoming() {
		voice.Incoming = &twilioacct.IncomingCalls{Handler: w.handler()}
	}
	return twilioacct.Spec{AccountSID: w.subaccount, FriendlyName: w.name, Voice: voice}
}

// handler is what answers the calls to the numbers.
func (w *wanted) handler() twilioacct.CallHandler {
	if w.flow != "" {
		return twilioacct.CallHandler{StudioFlowSID: w.flow}
	}
	return twilioacct.CallHandler{URL: cmp.Or(w.incoming, w.outgoing)}
}

// token is what an access token is to allow: calls by way of the application, and to be called. "" is the application of the Spec.
func (w *wanted) token(applicationSID string) *twilioacct.TokenSpec {
	return &twilioacct.TokenSpec{
		Identity: w.identity,
		Lifetime: w.lifetime,
		Voice:    twilioacct.VoiceGrant{ApplicationSID: applicationSID, Incoming: true},
	}
}
