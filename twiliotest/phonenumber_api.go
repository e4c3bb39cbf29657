package twiliotest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	numbersPath = "/2010-04-01/Accounts/{AccountSid:AC}/IncomingPhoneNumbers.json"
	numberPath  = "/2010-04-01/Accounts/{AccountSid:AC}/IncomingPhoneNumbers/{Sid:PN}.json"
)

var phoneNumberRoutes = []route{
	{operation: "CreateIncomingPhoneNumber", method: http.MethodPost, host: apiHost, path: numbersPath,
		params: paramsOf(numberSettings, "PhoneNumber", "AreaCode"), handle: adding(buyNumber)},
	{operation: "ListIncomingPhoneNumber", method: http.MethodGet, host: apiHost, path: numbersPath,
		params: paged("FriendlyName", "Beta", "PhoneNumber", "Origin"), handle: reading(listNumbers)},
	{operation: "FetchIncomingPhoneNumber", method: http.MethodGet, host: apiHost, path: numberPath,
		handle: reading(withNumber(fetchNumber))},
	{operation: "UpdateIncomingPhoneNumber", method: http.MethodPost, host: apiHost, path: numberPath,
		params: paramsOf(numberSettings, "AccountSid"), handle: changing(withNumber(updateNumber))},
	{operation: "DeleteIncomingPhoneNumber", method: http.MethodDelete, host: apiHost, path: numberPath,
		handle: changing(withNumber(releaseNumber))},
}

// numberSettings are what buying and updating have in common.
var numberSettings = []setting[PhoneNumber]{
	text("ApiVersion", anything, func(n *PhoneNumber) *string { return &n.APIVersion }),
	text("FriendlyName", aName, func(n *PhoneNumber) *string { return &n.FriendlyName }),
	text("SmsApplicationSid", sidOf("AP"), func(n *PhoneNumber) *string { return &n.SMSApplicationSID }),
	text("SmsFallbackMethod", anyMethod, func(n *PhoneNumber) *string { return &n.SMSFallbackMethod }),
	text("SmsFallbackUrl", anyURL, func(n *PhoneNumber) *string { return &n.SMSFallbackURL }),
	text("SmsMethod", anyMethod, func(n *PhoneNumber) *string { return &n.SMSMethod }),
	text("SmsUrl", anyURL, func(n *PhoneNumber) *string { return &n.SMSURL }),
	text("StatusCallback", anyURL, func(n *PhoneNumber) *string { return &n.StatusCallback }),
	text("StatusCallbackMethod", anyMethod, func(n *PhoneNumber) *string { return &n.StatusCallbackMethod }),
	text("VoiceApplicationSid", sidOf("AP"), func(n *PhoneNumber) *string { return &n.VoiceApplicationSID }),
	flag("VoiceCallerIdLookup", func(n *PhoneNumber) *bool { return &n.VoiceCallerIDLookup }),
	text("VoiceFallbackMethod", anyMethod, func(n *PhoneNumber) *string { return &n.VoiceFallbackMethod }),
	text("VoiceFallbackUrl", anyURL, func(n *PhoneNumber) *string { return &n.VoiceFallbackURL }),
	text("VoiceMethod", anyMethod, func(n *PhoneNumber) *string { return &n.VoiceMethod }),
	text("VoiceUrl", anyURL, func(n *PhoneNumber) *string { return &n.VoiceURL }),
	text("EmergencyStatus", oneOf(20001, "Active", "Inactive"), func(n *PhoneNumber) *string { return &n.EmergencyStatus }),
	text("EmergencyAddressSid", sidOf("AD"), func(n *PhoneNumber) *string { return &n.EmergencyAddressSID }),
	text("TrunkSid", sidOf("TK"), func(n *PhoneNumber) *string { return &n.TrunkSID }),
	text("VoiceReceiveMode", oneOf(20001, "voice", "fax"), func(n *PhoneNumber) *string { return &n.VoiceReceiveMode }),
	text("IdentitySid", sidOf("RI"), func(n *PhoneNumber) *string { return &n.IdentitySID }),
	text("AddressSid", sidOf("AD"), func(n *PhoneNumber) *string { return &n.AddressSID }),
	text("BundleSid", sidOf("BU"), func(n *PhoneNumber) *string { return &n.BundleSID }),
}

// aName refuses what [isName] does.
func aName(value string) int {
	if !isName(value) {
		return 20002
	}
	return 0
}

func withNumber(handle func(*call, *account, *PhoneNumber) answer) func(*call, *account) answer {
	return func(c *call, owner *account) answer {
		n := c.server.numbers.of(owner.SID).get(c.pathVar("Sid"))
		if n == nil {
			return c.refuse(20404)
		}
		return handle(c, owner, n)
	}
}

func buyNumber(c *call, owner *account) answer {
	if owner.Type == "Trial" && c.server.numbers.of(owner.SID).count() > 0 {
		return c.refuse(21404)
	}
	wanted, code := c.wantedNumber()
	if code != 0 {
		return c.refuse(code)
	}
	n, code := c.settledNumber(wanted.ownedBy(owner.SID))
	if code == 0 {
		code = n.documentsRefusal()
	}
	if code != 0 {
		return c.refuse(code)
	}
	return c.numberAnswer(http.StatusCreated, c.server.own(n, time.Now()))
}

// wantedNumber finds what is to be bought in the stock.
func (c *call) wantedNumber() (wanted AvailableNumber, code int) {
	number, byNumber := c.param("PhoneNumber")
	area, byArea := c.param("AreaCode")
	var found bool
	switch {
	case byNumber && isE164(number):
		wanted, found = c.server.stock.find(number)
		code = 21422
	case byNumber || !byArea:
		return wanted, 21421
	case len(area) != 3 || !isDigits(area) || area[0] < '2':
		return wanted, 21451
	default:
		wanted, found = c.server.stock.inArea(area)
		code = 21452
	}
	if found {
		code = 0
	}
	return wanted, code
}

// documentsRefusal is the code for a number that lacks the address or the
// bundle that somebody who buys it must have.
func (n PhoneNumber) documentsRefusal() int {
	switch {
	case n.AddressRequirements == LocalAddress && n.AddressSID == "":
		return 21615
	default:
		return n.moveRefusal()
	}
}

// moveRefusal is the same for somebody to whom it is moved.
func (n PhoneNumber) moveRefusal() int {
	switch {
	case n.AddressRequirements != NoAddress && n.AddressSID == "":
		return 21631
	case n.NeedsBundle && n.BundleSID == "":
		return 21649
	}
	return 0
}

// settledNumber returns a number with the settings that were sent, or the code
// with which one of them is refused.
func (c *call) settledNumber(was PhoneNumber) (n PhoneNumber, code int) {
	n, code = settled(c, numberSettings, was)
	if code != 0 {
		return was, code
	}
	for _, param := range []string{"VoiceApplicationSid", "SmsApplicationSid"} {
		if app, _ := c.param(param); app != "" && !c.server.hasApplication(n.AccountSID, app) {
			return was, 21420
		}
	}
	// A call goes to a trunk or to an application. The one that is set removes
	// the other; of two that come together, the trunk wins.
	if trunk, _ := c.param("TrunkSid"); trunk != "" {
		n.VoiceApplicationSID = ""
	} else if app, _ := c.param("VoiceApplicationSid"); app != "" {
		n.TrunkSID = ""
	}
	return n, 0
}

func fetchNumber(c *call, _ *account, n *PhoneNumber) answer {
	return c.numberAnswer(http.StatusOK, n)
}

func updateNumber(c *call, owner *account, n *PhoneNumber) answer {
	target, code := c.newOwner(owner)
	if code != 0 {
		return c.refuse(code)
	}
	is := *n
	if target != owner {
		is = is.movedTo(target.SID)
	}
	is, code = c.settledNumber(is)
	if code == 0 && target != owner {
		code = is.moveRefusal()
	}
	if code != 0 {
		return c.refuse(code)
	}
	c.server.alter(n, is, time.Now())
	return c.numberAnswer(http.StatusOK, n)
}

// newOwner returns the account to which the number is to move, the present
// owner if it is to stay.
func (c *call) newOwner(owner *account) (target *account, code int) {
	all := &c.server.accounts
	sid, sent := c.param("AccountSid")
	target = all.bySID[sid]
	switch {
	case !sent || sid == owner.SID:
		return owner, 0
	case c.signer.account != all.parent || c.signer.key != nil:
		return nil, 21474
	case !isSID(sid, "AC"):
		return nil, 21470
	case target == nil || target.deleted:
		return nil, 21471
	case target.OwnerSID != all.parent.SID:
		return nil, 21473
	case target.Status != Active:
		return nil, 21472
	}
	return target, 0
}

func releaseNumber(c *call, _ *account, n *PhoneNumber) answer {
	c.server.giveUp(n)
	return noContent()
}

func listNumbers(c *call, owner *account) answer {
	name, byName := c.param("FriendlyName")
	origin, byOrigin := c.param("Origin")
	beta, betaSent := c.param("Beta")
	if byOrigin && origin != "twilio" && origin != "hosted" || betaSent && aBool(beta) != 0 {
		return c.refuse(20001)
	}
	part, _ := c.param("PhoneNumber")
	matches := partOf(part)
	shows := func(n *PhoneNumber) bool {
		return (!byName || n.FriendlyName == name) && (!byOrigin || n.Origin == origin) &&
			(beta != "false" || !n.Beta) && matches.MatchString(n.PhoneNumber)
	}
	return listSeries(c, "incoming_phone_numbers", c.server.numbers.of(owner.SID), shows, (*PhoneNumber).json)
}

var (
	noPartOfNumber = regexp.MustCompile(`[^0-9*]`)
	nothing        = regexp.MustCompile(`[^\s\S]`)
)

// partOf is the filter by PhoneNumber: digits that are anywhere in the number,
// * being any one digit. So even a whole number may be found inside a longer
// one.
func partOf(part string) *regexp.Regexp {
	part = strings.TrimPrefix(part, "+")
	if noPartOfNumber.MatchString(part) {
		return nothing
	}
	return regexp.MustCompile(strings.ReplaceAll(part, "*", "[0-9]"))
}

func (c *call) numberAnswer(status int, n *PhoneNumber) answer { return jsonAnswer(status, n.json()) }
