package twiliotest

import (
	"encoding/json"
	"time"
)

// subresources are the members of subresource_uris, in the order of the
// example in Twilio's OpenAPI file. They are most of an account's JSON.
var subresources = [...][2]string{
	{"available_phone_numbers", "AvailablePhoneNumbers"},
	{"calls", "Calls"},
	{"conferences", "Conferences"},
	{"incoming_phone_numbers", "IncomingPhoneNumbers"},
	{"notifications", "Notifications"},
	{"outgoing_caller_ids", "OutgoingCallerIds"},
	{"recordings", "Recordings"},
	{"transcriptions", "Transcriptions"},
	{"addresses", "Addresses"},
	{"signing_keys", "SigningKeys"},
	{"connect_apps", "ConnectApps"},
	{"sip", "SIP"},
	{"authorized_connect_apps", "AuthorizedConnectApps"},
	{"usage", "Usage"},
	{"keys", "Keys"},
	{"applications", "Applications"},
	{"short_codes", "SMS/ShortCodes"},
	{"queues", "Queues"},
	{"messages", "Messages"},
	{"balance", "Balance"},
}

// auth_token comes first, so that JSON without it is another beginning and the
// same rest.
const tokenMember = `{"auth_token":"`

var hiddenTokenMembers = map[HiddenToken][]byte{
	TokenEmpty:  []byte(`{"auth_token":"",`),
	TokenNull:   []byte(`{"auth_token":null,`),
	TokenAbsent: []byte(`{`),
}

// appendJSON adds the JSON of an account, in parts, as the signer sees it.
func (all *accounts) appendJSON(parts [][]byte, a *account, by signer) [][]byte {
	whole := a.rendered()
	if by.mayReadTokens() {
		return append(parts, whole)
	}
	rest := whole[len(tokenMember)+len(a.AuthToken)+len(`",`):]
	return append(parts, hiddenTokenMembers[all.hideToken], rest)
}

func (a *account) rendered() []byte {
	if a.json == nil {
		a.json = a.render(make([]byte, 0, 2560))
	}
	return a.json
}

func (a *account) render(b []byte) []byte {
	b = append(b, tokenMember...)
	b = append(b, a.AuthToken...)
	b = append(b, `","date_created":`...)
	b = appendDate(b, a.DateCreated)
	b = append(b, `,"date_updated":`...)
	b = appendDate(b, a.DateUpdated)
	b = append(b, `,"friendly_name":`...)
	b = appendString(b, a.FriendlyName)
	b = append(b, `,"owner_account_sid":"`...)
	b = append(b, a.OwnerSID...)
	b = append(b, `","sid":"`...)
	b = append(b, a.SID...)
	b = append(b, `","status":`...)
	b = appendString(b, a.Status)
	b = append(b, `,"subresource_uris":{`...)
	for i, sub := range subresources {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, sub[0]...)
		b = append(b, `":"/2010-04-01/Accounts/`...)
		b = append(b, a.SID...)
		b = append(b, '/')
		b = append(b, sub[1]...)
		b = append(b, `.json"`...)
	}
	b = append(b, `},"type":`...)
	b = appendString(b, a.Type)
	b = append(b, `,"uri":"/2010-04-01/Accounts/`...)
	b = append(b, a.SID...)
	return append(b, `.json"}`...)
}

// appendDate writes the RFC 2822 dates of the 2010 API.
func appendDate(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC1123Z)
	return append(b, '"')
}

func appendString(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // strings always encode
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
