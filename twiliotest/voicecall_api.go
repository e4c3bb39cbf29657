package twiliotest

import (
	"math"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	callsPath = "/2010-04-01/Accounts/{AccountSid:AC}/Calls.json"
	callPath  = "/2010-04-01/Accounts/{AccountSid:AC}/Calls/{Sid:CA}.json"
)

var voiceCallRoutes = []route{
	{operation: "CreateCall", method: http.MethodPost, host: apiHost, path: callsPath,
		params: paramsOf(newCallSettings, "StatusCallbackEvent*", "RecordingStatusCallbackEvent*"), handle: adding(placeCall)},
	{operation: "ListCall", method: http.MethodGet, host: apiHost, path: callsPath,
		params: paged("To", "From", "ParentCallSid", "Status", "StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>"),
		handle: reading(listCalls)},
	{operation: "FetchCall", method: http.MethodGet, host: apiHost, path: callPath, handle: reading(withCall(fetchCall))},
	{operation: "UpdateCall", method: http.MethodPost, host: apiHost, path: callPath,
		params: paramsOf(callSettings, "Status"), handle: changing(withCall(updateCall))},
}

func withCall(handle func(*call, *Call) answer) func(*call, *account) answer {
	return func(c *call, owner *account) answer {
		v := c.server.calls.of(owner.SID).get(c.pathVar("Sid"))
		if v == nil {
			return c.refuse(20404)
		}
		return handle(c, v)
	}
}

func fetchCall(_ *call, v *Call) answer { return jsonAnswer(http.StatusOK, v.json()) }

var (
	callURL    = webURL(21205)
	callMethod = oneOf(21209, "GET", "POST")
)

// callSettings are what a call can be told to do, when it begins and later. The
// fake keeps them and follows none.
var callSettings = []setting[Call]{
	text("Url", callURL, func(v *Call) *string { return &v.URL }),
	text("Method", callMethod, func(v *Call) *string { return &v.Method }),
	text("FallbackUrl", callURL, func(v *Call) *string { return &v.FallbackURL }),
	text("FallbackMethod", callMethod, func(v *Call) *string { return &v.FallbackMethod }),
	text("StatusCallback", callURL, func(v *Call) *string { return &v.StatusCallback }),
	text("StatusCallbackMethod", callMethod, func(v *Call) *string { return &v.StatusCallbackMethod }),
	text("Twiml", someTwiML, func(v *Call) *string { return &v.TwiML }),
	count("TimeLimit", between(20001, 1, math.MaxInt32), func(v *Call) *int { return &v.TimeLimit }),
}

const maxTwiML = 4000

func someTwiML(value string) int {
	if utf8.RuneCountInString(value) > maxTwiML {
		return 20001
	}
	return 0
}

func updateCall(c *call, v *Call) answer {
	status, sent := c.param("Status")
	is, code := settled(c, callSettings, c.withoutInstructions(*v))
	switch {
	case code != 0:
		return c.refuse(code)
	case sent && status != "completed" && status != "canceled":
		return c.refuse(20001)
	case v.hasEnded():
		return c.refuse(21220)
	}
	*v = is
	// Canceling leaves a call alone that somebody has answered.
	if status == "completed" || status == "canceled" && slices.Contains(beforeAnswer, v.Status) {
		v.become(status, time.Now())
	}
	return jsonAnswer(http.StatusOK, v.json())
}

// withoutInstructions is a call that forgets what it does if it is told
// something new.
func (c *call) withoutInstructions(v Call) Call {
	_, newURL := c.param("Url")
	_, newTwiML := c.param("Twiml")
	if newURL || newTwiML {
		v.URL, v.Method, v.TwiML, v.ApplicationSID = "", "", "", ""
	}
	return v
}

func listCalls(c *call, owner *account) answer {
	to, byTo := c.param("To")
	from, byFrom := c.param("From")
	parent, byParent := c.param("ParentCallSid")
	status, byStatus := c.param("Status")
	hasStarted, startOK := c.dateFilter("StartTime", 0)
	hasEnded, endOK := c.dateFilter("EndTime", 0)
	if !startOK || !endOK || byStatus && !slices.Contains(callStatuses, status) {
		return c.refuse(20001)
	}
	shows := func(v *Call) bool {
		return (!byTo || v.To == to) && (!byFrom || v.From == from) && (!byParent || v.ParentCallSID == parent) &&
			(!byStatus || v.Status == status) && hasStarted(v.StartTime) && hasEnded(v.EndTime)
	}
	return listSeries(c, "calls", c.server.calls.of(owner.SID), shows, (*Call).json)
}
