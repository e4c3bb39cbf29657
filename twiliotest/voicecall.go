package twiliotest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	callsPath = "/2010-04-01/Accounts/{AccountSid:AC}/Calls.json"
	callPath  = "/2010-04-01/Accounts/{AccountSid:AC}/Calls/{Sid:CA}.json"
)

// Calls cannot be made through the API yet: tests add them.
var voiceCallRoutes = []route{
	{operation: "ListCall", method: http.MethodGet, host: apiHost, path: callsPath,
		params: paged("To", "From", "ParentCallSid", "Status", "StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>"),
		handle: reading(listCalls)},
	{operation: "FetchCall", method: http.MethodGet, host: apiHost, path: callPath, handle: reading(withCall(fetchCall))},
	{operation: "UpdateCall", method: http.MethodPost, host: apiHost, path: callPath,
		params: paramsOf(callSettings, "Status"), handle: changing(withCall(updateCall))},
}

// Call is the state of a phone call.
type Call struct {
	SID            string
	AccountSID     string
	ParentCallSID  string
	PhoneNumberSID string
	Direction      string
	From           string
	To             string
	Status         string
	DateCreated    time.Time
	DateUpdated    time.Time
	StartTime      time.Time // zero until somebody answers
	EndTime        time.Time // zero while it lasts
}

// The statuses of a call, in the order of its life.
var (
	beforeAnswer = []string{"queued", "ringing"}
	callsAtEnd   = []string{"completed", "busy", "failed", "no-answer", "canceled"}
	callStatuses = slices.Concat(beforeAnswer, []string{"in-progress"}, callsAtEnd)
)

// AddCall adds an outbound call of an account, which begins now: "queued",
// "ringing", "in-progress" or, if it is to have ended, "completed", "busy",
// "failed", "no-answer" or "canceled". It is from the account's first phone
// number, if that has one. It panics if there is no such account or status.
func (s *Server) AddCall(accountSID, status string) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(callStatuses, status) {
		panic("twiliotest: no status of a call: " + status)
	}
	now := time.Now()
	v := &Call{SID: s.ids.sid("CA"), AccountSID: s.accounts.must(accountSID).SID, Direction: "outbound-api",
		From: "+14155550100", To: "+14155550199", DateCreated: now}
	for n := range s.numbers.of(accountSID).each() {
		v.From, v.PhoneNumberSID = n.PhoneNumber, n.SID
		break
	}
	v.become(status, now)
	s.calls.add(v.AccountSID, v.SID, v)
	return *v
}

// SetCallStatus lets a call go on, or end: see [Server.AddCall] for the
// statuses. It panics if there is no such call or status.
func (s *Server) SetCallStatus(sid, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.calls.bySID[sid]
	if v == nil || !slices.Contains(callStatuses, status) {
		panic("twiliotest: no call " + sid + ", or no status of a call: " + status)
	}
	v.become(status, time.Now())
}

// Call returns a call as it is now, and false if there is none.
func (s *Server) Call(sid string) (Call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.calls.bySID[sid]
	if v == nil {
		return Call{}, false
	}
	return *v, true
}

// Calls returns the calls of an account, oldest first.
func (s *Server) Calls(accountSID string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.of(accountSID).values()
}

func (v *Call) become(status string, now time.Time) {
	v.Status, v.DateUpdated = status, now
	if v.StartTime.IsZero() && (status == "in-progress" || status == "completed") {
		v.StartTime = now
	}
	if v.hasEnded() {
		v.EndTime = now
	}
}

func (v *Call) hasEnded() bool { return slices.Contains(callsAtEnd, v.Status) }

// seconds is how long the parties have talked.
func (v *Call) seconds() int {
	if v.StartTime.IsZero() {
		return 0
	}
	return int(v.EndTime.Sub(v.StartTime) / time.Second)
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

// callSettings are new instructions for a call, which the fake does not follow.
var callSettings = []setting[Call]{
	ignored[Call]("Url", webURL(21205)),
	ignored[Call]("Method", oneOf(21209, "GET", "POST")),
	ignored[Call]("FallbackUrl", webURL(21205)),
	ignored[Call]("FallbackMethod", oneOf(21209, "GET", "POST")),
	ignored[Call]("StatusCallback", webURL(21205)),
	ignored[Call]("StatusCallbackMethod", oneOf(21209, "GET", "POST")),
	ignored[Call]("Twiml", anything),
	ignored[Call]("TimeLimit", aNumber),
}

func updateCall(c *call, v *Call) answer {
	status, sent := c.param("Status")
	_, code := settled(c, callSettings, *v)
	switch {
	case code != 0:
		return c.refuse(code)
	case sent && status != "completed" && status != "canceled":
		return c.refuse(20001)
	case v.hasEnded():
		return c.refuse(21220)
	}
	// Canceling leaves a call alone that somebody has answered.
	if status == "completed" || status == "canceled" && slices.Contains(beforeAnswer, v.Status) {
		v.become(status, time.Now())
	}
	return jsonAnswer(http.StatusOK, v.json())
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

var callSubresources = [...][2]string{
	{"notifications", "Notifications"},
	{"recordings", "Recordings"},
	{"payments", "Payments"},
	{"events", "Events"},
	{"siprec", "Siprec"},
	{"streams", "Streams"},
	{"transcriptions", "Transcriptions"},
	{"user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"},
	{"user_defined_messages", "UserDefinedMessages"},
}

// json is a call as Twilio shows it, numbers in quotes.
func (v *Call) json() []byte {
	uri := "/2010-04-01/Accounts/" + v.AccountSID + "/Calls/" + v.SID
	links := map[string]string{}
	for _, sub := range callSubresources {
		links[sub[0]] = uri + "/" + sub[1] + ".json"
	}
	var duration *string
	if v.hasEnded() {
		seconds := strconv.Itoa(v.seconds())
		duration = &seconds
	}
	return mustJSON(callJSON{
		AccountSID:      v.AccountSID,
		APIVersion:      "2010-04-01",
		DateCreated:     rfc2822{v.DateCreated},
		DateUpdated:     rfc2822{v.DateUpdated},
		Direction:       v.Direction,
		Duration:        duration,
		EndTime:         rfc2822{v.EndTime},
		From:            v.From,
		FromFormatted:   formatted(v.From),
		ParentCallSID:   orNull(v.ParentCallSID),
		PhoneNumberSID:  orNull(v.PhoneNumberSID),
		PriceUnit:       "USD",
		QueueTime:       "0",
		SID:             v.SID,
		StartTime:       rfc2822{v.StartTime},
		Status:          v.Status,
		SubresourceURIs: links,
		To:              v.To,
		ToFormatted:     formatted(v.To),
		URI:             uri + ".json",
	})
}

// callJSON has all members of Twilio's OpenAPI file, of which the fake knows
// nothing to say about some.
type callJSON struct {
	AccountSID      string            `json:"account_sid"`
	AnsweredBy      *string           `json:"answered_by"`
	APIVersion      string            `json:"api_version"`
	CallerName      *string           `json:"caller_name"`
	DateCreated     rfc2822           `json:"date_created"`
	DateUpdated     rfc2822           `json:"date_updated"`
	Direction       string            `json:"direction"`
	Duration        *string           `json:"duration"`
	EndTime         rfc2822           `json:"end_time"`
	ForwardedFrom   *string           `json:"forwarded_from"`
	From            string            `json:"from"`
	FromFormatted   string            `json:"from_formatted"`
	GroupSID        *string           `json:"group_sid"`
	ParentCallSID   *string           `json:"parent_call_sid"`
	PhoneNumberSID  *string           `json:"phone_number_sid"`
	Price           *string           `json:"price"`
	PriceUnit       string            `json:"price_unit"`
	SID             string            `json:"sid"`
	StartTime       rfc2822           `json:"start_time"`
	Status          string            `json:"status"`
	SubresourceURIs map[string]string `json:"subresource_uris"`
	To              string            `json:"to"`
	ToFormatted     string            `json:"to_formatted"`
	TrunkSID        *string           `json:"trunk_sid"`
	URI             string            `json:"uri"`
	QueueTime       string            `json:"queue_time"`
}
