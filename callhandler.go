package twilioacct

import (
	"net/url"
	"strings"
)

// CallHandler is what answers the calls to a number: one of these, or nothing. A number can have several; then a trunk counts before an
// application, and that before a URL.
type CallHandler struct {
	URL            string // https://…, which answers with TwiML
	ApplicationSID string // AP…, an application of the number's account
	StudioFlowSID  string // FW…, a flow of the number's account
	TrunkSID       string // TK…
}

// CallHandler is what answers the number's calls. Twilio reaches a Studio flow by a URL of its own, which is recognised.
func (n PhoneNumber) CallHandler() CallHandler {
	switch {
	case n.TrunkSID != "":
		return CallHandler{TrunkSID: n.TrunkSID}
	case n.VoiceApplicationSID != "":
		return CallHandler{ApplicationSID: n.VoiceApplicationSID}
	}
	if flow, isFlow := strings.CutPrefix(n.VoiceURL, studioFlows(n.AccountSID)); isFlow && isSID("FW", flow) {
		return CallHandler{StudioFlowSID: flow}
	}
	return CallHandler{URL: n.VoiceURL}
}

// String says what it is, for people: a URL without its password, or a kind and its SID.
func (c CallHandler) String() string {
	switch {
	case c.TrunkSID != "":
		return "trunk " + c.TrunkSID
	case c.ApplicationSID != "":
		return "application " + c.ApplicationSID
	case c.StudioFlowSID != "":
		return "Studio flow " + c.StudioFlowSID
	}
	u, err := url.Parse(c.URL)
	switch {
	case err == nil && u.User != nil:
		return u.Redacted()
	case err != nil && strings.Contains(c.URL, "@"):
		return "a URL that cannot be read" // there may be a password in it
	}
	return c.URL
}

// studioFlows is where the account's flows are called, each by its SID. A flow of another account does not answer.
func studioFlows(account string) string {
	return "https://webhooks.twilio.com/v1/Accounts/" + account + "/Flows/"
}

// check takes what numbers can be set to here.
func (c CallHandler) check() error {
	if countGiven(c.URL, c.ApplicationSID, c.StudioFlowSID) != 1 || c.TrunkSID != "" {
		return invalid("what answers calls is one of URL, ApplicationSID and StudioFlowSID")
	}
	return firstOf(
		checkURL("URL", &c.URL), checkOptional("ApplicationSID", "AP", c.ApplicationSID),
		checkOptional("StudioFlowSID", "FW", c.StudioFlowSID))
}

// settings make it what answers the calls of the account's numbers: a URL only counts once application and trunk are gone. An application
// takes a number off its trunk by itself; to say both would be to say which comes first.
func (c CallHandler) settings(account string) PhoneNumberSettings {
	if c.ApplicationSID != "" {
		return PhoneNumberSettings{VoiceApplicationSID: new(asWritten(c.ApplicationSID))}
	}
	address := c.URL
	if c.StudioFlowSID != "" {
		address = studioFlows(account) + asWritten(c.StudioFlowSID)
	}
	return PhoneNumberSettings{VoiceURL: &address, VoiceApplicationSID: new(""), TrunkSID: new("")}
}
