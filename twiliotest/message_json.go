package twiliotest

import "strconv"

// json is a message as Twilio shows it: numbers in quotes, but for the code of
// an error.
func (m *Message) json() []byte {
	uri := "/2010-04-01/Accounts/" + m.AccountSID + "/Messages/" + m.SID
	return mustJSON(messageJSON{
		AccountSID:          m.AccountSID,
		APIVersion:          "2010-04-01",
		Body:                m.Body,
		DateCreated:         rfc2822{m.DateCreated},
		DateSent:            rfc2822{m.DateSent},
		DateUpdated:         rfc2822{m.DateUpdated},
		Direction:           m.Direction,
		ErrorCode:           orNull(m.ErrorCode),
		ErrorMessage:        orNull(m.ErrorMessage),
		From:                orNull(m.From),
		MessagingServiceSID: orNull(m.MessagingServiceSID),
		NumMedia:            strconv.Itoa(len(m.MediaURLs)),
		NumSegments:         strconv.Itoa(m.NumSegments),
		PriceUnit:           "USD",
		SID:                 m.SID,
		Status:              m.Status,
		SubresourceURIs:     map[string]string{"media": uri + "/Media.json"},
		To:                  m.To,
		URI:                 uri + ".json",
	})
}

type messageJSON struct {
	AccountSID          string            `json:"account_sid"`
	APIVersion          string            `json:"api_version"`
	Body                string            `json:"body"`
	DateCreated         rfc2822           `json:"date_created"`
	DateSent            rfc2822           `json:"date_sent"`
	DateUpdated         rfc2822           `json:"date_updated"`
	Direction           string            `json:"direction"`
	ErrorCode           *int              `json:"error_code"`
	ErrorMessage        *string           `json:"error_message"`
	From                *string           `json:"from"`
	MessagingServiceSID *string           `json:"messaging_service_sid"`
	NumMedia            string            `json:"num_media"`
	NumSegments         string            `json:"num_segments"`
	Price               *string           `json:"price"`
	PriceUnit           string            `json:"price_unit"`
	SID                 string            `json:"sid"`
	Status              string            `json:"status"`
	SubresourceURIs     map[string]string `json:"subresource_uris"`
	To                  string            `json:"to"`
	URI                 string            `json:"uri"`
}
