package twiliotest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	messagesPath = "/2010-04-01/Accounts/{AccountSid:AC}/Messages.json"
	messagePath  = "/2010-04-01/Accounts/{AccountSid:AC}/Messages/{Sid:SM|MM}.json"
)

var messageRoutes = []route{
	{operation: "CreateMessage", method: http.MethodPost, host: apiHost, path: messagesPath,
		params: paramsOf(messageSettings, "MediaUrl*", "PersistentAction*"), handle: adding(sendMessage)},
	{operation: "ListMessage", method: http.MethodGet, host: apiHost, path: messagesPath,
		params: paged("To", "From", "DateSent", "DateSent<", "DateSent>"), handle: reading(listMessages)},
	{operation: "FetchMessage", method: http.MethodGet, host: apiHost, path: messagePath,
		handle: reading(withMessage(fetchMessage))},
	{operation: "UpdateMessage", method: http.MethodPost, host: apiHost, path: messagePath,
		params: []string{"Body", "Status"}, handle: changing(withMessage(updateMessage))},
	{operation: "DeleteMessage", method: http.MethodDelete, host: apiHost, path: messagePath,
		handle: changing(withMessage(deleteMessage))},
}

var messageSettings = []setting[Message]{
	text("To", anything, func(m *Message) *string { return &m.To }),
	text("From", anything, func(m *Message) *string { return &m.From }),
	text("MessagingServiceSid", anything, func(m *Message) *string { return &m.MessagingServiceSID }),
	text("Body", anything, func(m *Message) *string { return &m.Body }),
	text("ContentSid", sidOf("HX"), func(m *Message) *string { return &m.ContentSID }),
	text("ContentVariables", anything, func(m *Message) *string { return &m.ContentVariables }),
	text("StatusCallback", webURL(21609), func(m *Message) *string { return &m.StatusCallback }),
	text("ApplicationSid", sidOf("AP"), func(m *Message) *string { return &m.ApplicationSID }),
	count("ValidityPeriod", between(20001, 1, maxValidityPeriod), func(m *Message) *int { return &m.ValidityPeriod }),
	{"SendAt", func(m *Message, value string) (code int) {
		var err error
		if m.SendAt, err = time.Parse(time.RFC3339, value); err != nil {
			return 20001
		}
		return 0
	}},
	ignored[Message]("ScheduleType", oneOf(20001, "fixed")),
	ignored[Message]("ContentRetention", oneOf(20001, "retain", "discard")),
	ignored[Message]("AddressRetention", oneOf(20001, "retain", "obfuscate")),
	ignored[Message]("TrafficType", oneOf(20001, "free")),
	ignored[Message]("RiskCheck", oneOf(20001, "enable", "disable")),
	ignored[Message]("ProvideFeedback", aBool),
	ignored[Message]("ForceDelivery", aBool),
	ignored[Message]("SmartEncoded", aBool),
	ignored[Message]("ShortenUrls", aBool),
	ignored[Message]("SendAsMms", aBool),
	ignored[Message]("MaxPrice", aNumber),
	ignored[Message]("Attempt", aNumber),
	ignored[Message]("FallbackFrom", anything),
}

func aNumber(value string) int {
	if _, err := strconv.ParseFloat(value, 64); err != nil {
		return 20001
	}
	return 0
}

func withMessage(handle func(*call, *Message) answer) func(*call, *account) answer {
	return func(c *call, owner *account) answer {
		m := c.server.messages.of(owner.SID).get(c.pathVar("Sid"))
		if m == nil {
			return c.refuse(20404)
		}
		return handle(c, m)
	}
}

const trialPrefix = "Sent from your Twilio trial account - "

func sendMessage(c *call, owner *account) answer {
	m, code := settled(c, messageSettings, Message{AccountSID: owner.SID, Direction: "outbound-api"})
	if code != 0 {
		return c.refuse(code)
	}
	m.MediaURLs = slices.Clone(c.form["MediaUrl"])
	if isSID(m.From, "MG") && m.MessagingServiceSID == "" {
		m.From, m.MessagingServiceSID = "", m.From
	}
	now := time.Now()
	if code := c.messageRefusal(owner, &m, now); code != 0 {
		return c.refuse(code)
	}
	if owner.Type == "Trial" {
		m.Body = trialPrefix + m.Body
	}
	switch {
	case !m.SendAt.IsZero():
		m.Status = "scheduled"
	case m.MessagingServiceSID != "":
		m.Status = "accepted"
	default:
		m.Status, m.NumSegments = "queued", segments(m.Body)
	}
	return jsonAnswer(http.StatusCreated, c.server.keepMessage(m, now).json())
}

func fetchMessage(_ *call, m *Message) answer {
	return jsonAnswer(http.StatusOK, m.json())
}

// updateMessage redacts a message or cancels a scheduled one.
func updateMessage(c *call, m *Message) answer {
	body, redacts := c.param("Body")
	status, cancels := c.param("Status")
	switch {
	case body != "" || cancels && status != "canceled":
		return c.refuse(20001)
	case cancels && m.Status != "scheduled":
		return c.refuse(30409)
	}
	if redacts {
		m.Body = ""
	}
	if cancels {
		m.Status = status
	}
	m.DateUpdated = time.Now()
	return jsonAnswer(http.StatusOK, m.json())
}

func deleteMessage(c *call, m *Message) answer {
	c.server.messages.remove(m.AccountSID, m.SID)
	return noContent()
}

func listMessages(c *call, owner *account) answer {
	to, byTo := c.param("To")
	from, byFrom := c.param("From")
	isDated, ok := c.dateFilter("DateSent", 24*time.Hour)
	if !ok {
		return c.refuse(20001)
	}
	shows := func(m *Message) bool {
		return (!byTo || m.To == to) && (!byFrom || m.From == from) && isDated(m.DateSent)
	}
	return listSeries(c, "messages", c.server.messages.of(owner.SID), shows, (*Message).json)
}
