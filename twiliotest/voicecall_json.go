package twiliotest

import "strconv"

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
