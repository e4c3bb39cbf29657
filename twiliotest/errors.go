package twiliotest

import (
	"net/http"
	"strconv"
)

type twilioError struct {
	status  int
	message string
}

// twilioErrors are the errors this fake knows by themselves. The statuses of
// 20003, 20404, 20403, 20429, 20500, 21479, 21701, 21710 and 21712 are
// documented or recorded, the others convention.
var twilioErrors = map[int]twilioError{
	10001: {403, "Account is not active"},
	20001: {400, "Unknown parameters"},
	20002: {400, "Invalid FriendlyName"},
	20003: {401, "Authenticate"},
	20004: {405, "Method not allowed"},
	20005: {403, "Account not active"},
	20006: {403, "Access Denied"},
	20007: {400, "Page size too large"},
	20008: {403, "Resource not accessible with Test Account Credentials"},
	20010: {403, "Action not allowed for this account"},
	20403: {403, "Forbidden"},
	20404: {404, "The requested resource was not found"},
	20409: {409, "Conflict"},
	20429: {429, "Too Many Requests"},
	20500: {500, "An internal server error has occurred"},
	20503: {503, "Service unavailable"},
	20504: {504, "Gateway timeout"},
	21101: {400, "Subaccounts cannot contain subaccounts"},
	21201: {400, "No 'To' number is specified"},
	21205: {400, "Url is not a valid URL"},
	21206: {400, "Invalid SendDigits"},
	21208: {400, "Invalid Timeout"},
	21209: {400, "Invalid Method"},
	21210: {400, "'From' phone number not verified"},
	21211: {400, "Invalid 'To' Phone Number"},
	21212: {400, "Invalid 'From' Phone Number"},
	21213: {400, "'From' phone number is required"},
	21218: {400, "Invalid ApplicationSid"},
	21219: {400, "'To' phone number not verified"},
	21220: {400, "Invalid call state"},
	21266: {400, "'To' and 'From' cannot be the same"},
	21301: {400, "TwiML application limit reached"},
	21402: {400, "Invalid Url"},
	21403: {400, "Invalid Method"},
	21404: {400, "Trial accounts cannot have another phone number"},
	21420: {400, "Application SID is not accessible"},
	21421: {400, "PhoneNumber is invalid"},
	21422: {400, "PhoneNumber is not available"},
	21451: {400, "Invalid area code"},
	21452: {400, "No phone numbers found in area code"},
	21470: {400, "Invalid AccountSid"},
	21471: {400, "Account does not exist"},
	21472: {400, "Account is not active"},
	21473: {400, "Phone numbers can be transferred between accounts of the same parent only"},
	21474: {400, "Phone numbers can be transferred by the parent account only"},
	21475: {400, "Invalid account status"},
	21476: {400, "Account status cannot be updated: the parent account is suspended"},
	21477: {400, "Account status cannot be updated: it is a parent account"},
	21478: {400, "Account status cannot be updated: it was suspended by Twilio"},
	21479: {400, "Account status cannot be updated: the account is closed"},
	21480: {400, "Subaccount limit reached"},
	21481: {400, "Invalid PageToken"},
	21603: {400, "A 'From' or 'MessagingServiceSid' is required"},
	21604: {400, "A 'To' phone number is required"},
	21606: {400, "The 'From' phone number is not a message-capable number of your account"},
	21608: {400, "The number is unverified: trial accounts cannot send messages to unverified numbers"},
	21609: {400, "Invalid 'StatusCallback' URL"},
	21610: {400, "Attempt to send to unsubscribed recipient"},
	21615: {400, "Phone number requires a local address"},
	21617: {400, "The message body is longer than 1600 characters"},
	21619: {400, "A text message body, media or a content SID is required"},
	21620: {400, "Invalid media URL"},
	21623: {400, "Too many media files"},
	21631: {400, "Phone number requires an address"},
	21649: {400, "Phone number requires a bundle"},
	21660: {400, "The 'From' phone number belongs to another account"},
	21661: {400, "The 'From' phone number cannot send SMS"},
	21701: {404, "The Messaging Service does not exist"},
	21703: {400, "The Messaging Service has no sender that can reach the recipient"},
	21704: {400, "The Messaging Service has no senders"},
	21705: {400, "Invalid Messaging Service SID"},
	21710: {409, "Phone Number is already in the Messaging Service"},
	21712: {409, "Phone Number is in another Messaging Service"},
	21713: {400, "Invalid Usecase"},
	21714: {400, "The Messaging Service has as many senders as it can have"},
	21715: {400, "Phone Number cannot send messages"},
	30409: {400, "The message cannot be canceled: it is not scheduled"},
	30995: {400, "The account has as many Messaging Services as it can have"},
	35114: {400, "SendAt is not between 15 minutes and 35 days from now"},
	35118: {400, "Scheduling a message needs a MessagingServiceSid"},
	70151: {400, "Maximum number of API keys exceeded"},
}

// statusOf is the HTTP status of a code; unknown codes are 400.
func statusOf(code int) int {
	if e, ok := twilioErrors[code]; ok {
		return e.status
	}
	return http.StatusBadRequest
}

// codeOf is the code Twilio uses for nothing but a status.
func codeOf(status int) int {
	switch status {
	case 400:
		return 20001
	case 401:
		return 20003
	case 405:
		return 20004
	}
	return 20000 + status
}

// refuse answers with an error of the table.
func (c *call) refuse(code int) answer {
	message := twilioErrors[code].message
	if code == 20404 {
		message = "The requested resource " + c.path + " was not found"
	}
	a := jsonAnswer(statusOf(code), errorJSON(statusOf(code), code, message))
	if code == 20003 {
		a.header["Www-Authenticate"] = []string{`Basic realm="Twilio API"`}
	}
	return a
}

// errorJSON is the body of Twilio's errors; a code of [NoCode] is left out.
func errorJSON(status, code int, message string) []byte {
	body := struct {
		Code     int    `json:"code,omitempty"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info,omitempty"`
		Status   int    `json:"status"`
	}{Message: message, Status: status}
	if code != NoCode {
		body.Code = code
		body.MoreInfo = "https://www.twilio.com/docs/errors/" + strconv.Itoa(code)
	}
	return mustJSON(body)
}
