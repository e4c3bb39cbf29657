package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Failure is all that is known of a call that failed.
type Failure struct {
	Method, Path string // the path has no query: names and numbers of customers stand there
	Status       int    // HTTP status; 0: no answer came
	Code         int    // Twilio's; 0: none
	Message      string // Twilio's, or what was wrong with the answer
	MoreInfo     string
	RequestID    string
	RetryAfter   time.Duration
	Err          error // what lies below: a network, context or decoding error

	// OutcomeUnknown says that the call may have changed something at Twilio all the same.
	OutcomeUnknown bool

	SID string // that an odd answer to a change names

	body []byte // of an answer to a change that nothing is wrong with so far
}

var sidMember = regexp.MustCompile(`"sid"\s*:\s*"([A-Z]{2}[0-9a-fA-F]{32})"`)

// sid is the first SID in the answer to a change that names what it is about, whatever else is wrong with it.
func (f *Failure) sid() string {
	found := sidMember.FindSubmatch(f.body)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// failureOf reads Twilio's error body. Whatever else stands there, HTML from a proxy or nothing, leaves the HTTP facts.
func failureOf(method, path string, answer *answer) *Failure {
	f := &Failure{
		Method:     method,
		Path:       path,
		Status:     answer.status,
		RequestID:  answer.header.Get("Twilio-Request-Id"),
		RetryAfter: retryAfter(answer.header.Get("Retry-After"), time.Now()),
		Err:        answer.err,
	}
	f.readBody(answer.body)
	if f.Message == "" {
		f.Message = "no error of Twilio's in the answer" + kindOf(answer.header)
	}
	return f
}

// redact takes the secret out that whoever answers may have repeated.
func (f *Failure) redact(secret string) {
	f.Message = strings.ReplaceAll(f.Message, secret, "[redacted]")
	f.MoreInfo = strings.ReplaceAll(f.MoreInfo, secret, "[redacted]")
}

// readBody takes each field by itself: a code of a strange type must not cost the message.
func (f *Failure) readBody(body []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return
	}
	f.Code = number(fields["code"])
	f.Message = text(fields["message"])
	f.MoreInfo = text(fields["more_info"])
	if detail := text(fields["detail"]); detail != "" && f.Message == "" {
		f.Message = detail
	}
}

// number reads 20404 and "20404".
func number(raw json.RawMessage) int {
	n, err := strconv.Atoi(string(bytes.Trim(raw, `"`)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// longestText bounds what an error message can grow to when the body is not Twilio's.
const longestText = 1000

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	if len(s) > longestText {
		s = strings.ToValidUTF8(s[:longestText], "") + "…"
	}
	return s
}

func kindOf(h http.Header) string {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if kind == "" || strings.HasSuffix(kind, "json") || len(kind) > 50 {
		return ""
	}
	return " but " + kind
}

// longestRetryAfter keeps a nonsensical header from overflowing a duration.
const longestRetryAfter = 24 * time.Hour

// retryAfter reads both forms of the header, seconds and a date; 0 is what cannot be read, or lies in the past.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(longestRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestRetryAfter)
}
