package twiliotest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

type twilioError struct {
	status  int
	message string
}

// twilioErrors are the errors this fake knows by themselves. The statuses of
// 20003, 20404, 20403, 20429, 20500 and 21479 are documented or recorded, the
// others convention.
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
	21475: {400, "Invalid account status"},
	21476: {400, "Account status cannot be updated: the parent account is suspended"},
	21477: {400, "Account status cannot be updated: it is a parent account"},
	21478: {400, "Account status cannot be updated: it was suspended by Twilio"},
	21479: {400, "Account status cannot be updated: the account is closed"},
	21480: {400, "Subaccount limit reached"},
	21481: {400, "Invalid PageToken"},
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
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return b
}
