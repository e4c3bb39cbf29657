package twiliotest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// newCallSettings are what only a call that begins can be told, and the rest.
var newCallSettings = append([]setting[Call]{
	text("To", anything, func(v *Call) *string { return &v.To }),
	text("From", anything, func(v *Call) *string { return &v.From }),
	text("ApplicationSid", anything, func(v *Call) *string { return &v.ApplicationSID }),
	text("CallerId", anything, func(v *Call) *string { return &v.CallerID }),
	text("SendDigits", someKeys, func(v *Call) *string { return &v.SendDigits }),
	text("MachineDetection", oneOf(20001, "Enable", "DetectMessageEnd"), func(v *Call) *string { return &v.MachineDetection }),
	flag("Record", func(v *Call) *bool { return &v.Record }),
	count("Timeout", between(21208, 1, 600), func(v *Call) *int { return &v.Timeout }),
	ignored[Call]("RecordingChannels", oneOf(20001, "mono", "dual")),
	ignored[Call]("RecordingStatusCallback", callURL),
	ignored[Call]("RecordingStatusCallbackMethod", callMethod),
	ignored[Call]("RecordingTrack", oneOf(20001, "inbound", "outbound", "both")),
	ignored[Call]("Trim", oneOf(20001, "trim-silence", "do-not-trim")),
	ignored[Call]("MachineDetectionTimeout", aNumber),
	ignored[Call]("MachineDetectionSpeechThreshold", between(20001, 1000, 6000)),
	ignored[Call]("MachineDetectionSpeechEndThreshold", between(20001, 500, 5000)),
	ignored[Call]("MachineDetectionSilenceTimeout", between(20001, 2000, 10_000)),
	ignored[Call]("AsyncAmd", aBool),
	ignored[Call]("AsyncAmdStatusCallback", callURL),
	ignored[Call]("AsyncAmdStatusCallbackMethod", callMethod),
	ignored[Call]("ClientNotificationUrl", callURL),
	ignored[Call]("Byoc", sidOf("BY")),
	ignored[Call]("SipAuthUsername", anything),
	ignored[Call]("SipAuthPassword", anything),
	ignored[Call]("CallReason", anything),
	ignored[Call]("CallToken", anything),
}, callSettings...)

var keysOfAPhone = regexp.MustCompile(`^[0-9A-D#*wW]{0,32}$`)

func someKeys(value string) int {
	if !keysOfAPhone.MatchString(value) {
		return 21206
	}
	return 0
}

func placeCall(c *call, owner *account) answer {
	v, code := settled(c, newCallSettings, Call{AccountSID: owner.SID, StatusCallbackEvents: slices.Clone(c.form["StatusCallbackEvent"])})
	if code == 0 {
		code = c.callRefusal(owner, &v)
	}
	if code != 0 {
		return c.refuse(code)
	}
	return jsonAnswer(http.StatusCreated, c.server.place(v, "queued", time.Now()).json())
}

// callRefusal is the code for a call that may not be made, 0 if it may.
func (c *call) callRefusal(owner *account, v *Call) int {
	for _, code := range []int{
		partiesRefusal(v),
		c.server.instructionsRefusal(v),
		eventsRefusal(v.StatusCallbackEvents, "initiated", "ringing", "answered", "completed"),
		eventsRefusal(c.form["RecordingStatusCallbackEvent"], "in-progress", "completed", "absent"),
		c.server.callerRefusal(v),
		c.server.trialRefusal(owner, v),
	} {
		if code != 0 {
			return code
		}
	}
	return 0
}

// partiesRefusal is about who calls whom. A phone is called from a number.
func partiesRefusal(v *Call) int {
	switch {
	case v.To == "":
		return 21201
	case !isE164(v.To) && !isEndpoint(v.To):
		return 21211
	case v.From == "":
		return 21213
	case isE164(v.From):
		return 0
	case isE164(v.To) || !isEndpoint(v.From):
		return 21212
	}
	return 0
}

// isEndpoint tells of what can call and be called without a phone number:
// client:alice, sip:alice@example.com.
func isEndpoint(address string) bool {
	kind, name, _ := strings.Cut(address, ":")
	return name != "" && slices.Contains([]string{"client", "sip", "sips", "sim"}, kind)
}

func (s *Server) instructionsRefusal(v *Call) int {
	switch {
	case v.ApplicationSID != "" && !s.hasApplication(v.AccountSID, v.ApplicationSID):
		return 21218
	case v.URL == "" && v.TwiML == "" && v.ApplicationSID == "":
		return 21205
	}
	return 0
}

func eventsRefusal(sent []string, known ...string) int {
	for event := range strings.FieldsSeq(strings.Join(sent, " ")) {
		if !slices.Contains(known, event) {
			return 20001
		}
	}
	return 0
}

// callerRefusal is about the number that is shown: one of the account's that
// can call, or one that it has verified.
func (s *Server) callerRefusal(v *Call) int {
	n := s.numbers.byNumber[v.From]
	owned := n != nil && n.AccountSID == v.AccountSID && n.Capabilities.Voice
	if isE164(v.From) && !owned && !s.hasVerified(v.AccountSID, v.From) {
		return 21210
	}
	return 0
}

func (s *Server) trialRefusal(owner *account, v *Call) int {
	if owner.Type == "Trial" && isE164(v.To) && !s.hasVerified(owner.SID, v.To) {
		return 21219
	}
	return 0
}
