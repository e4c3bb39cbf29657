package twiliotest

import (
	"slices"
	"time"
)

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

	// What the call was told to do, as it was sent. The fake calls nothing.
	URL                  string
	Method               string
	FallbackURL          string
	FallbackMethod       string
	TwiML                string
	ApplicationSID       string
	StatusCallback       string
	StatusCallbackMethod string
	StatusCallbackEvents []string
	CallerID             string
	SendDigits           string
	MachineDetection     string
	Record               bool
	Timeout              int // seconds, 0 if none was sent
	TimeLimit            int // seconds, 0 if none was sent
}

// copied shares no memory with the call that is kept.
func (v Call) copied() Call {
	v.StatusCallbackEvents = slices.Clone(v.StatusCallbackEvents)
	return v
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
	v := Call{AccountSID: s.accounts.must(accountSID).SID, From: "+14155550100", To: "+14155550199"}
	for n := range s.numbers.of(accountSID).each() {
		v.From = n.PhoneNumber
		break
	}
	return *s.place(v, status, time.Now())
}

// place begins an outbound call.
func (s *Server) place(v Call, status string, now time.Time) *Call {
	v.SID, v.Direction, v.DateCreated = s.ids.sid("CA"), "outbound-api", now
	if n := s.numbers.byNumber[v.From]; n != nil && n.AccountSID == v.AccountSID {
		v.PhoneNumberSID = n.SID
	}
	v.become(status, now)
	s.calls.add(v.AccountSID, v.SID, &v)
	return &v
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
	return v.copied(), true
}

// Calls returns the calls of an account, oldest first.
func (s *Server) Calls(accountSID string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls.of(accountSID).values()
	for i, v := range calls {
		calls[i] = v.copied()
	}
	return calls
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
