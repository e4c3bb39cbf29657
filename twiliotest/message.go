package twiliotest

import (
	"slices"
	"time"
)

// Message is the state of a message, sent or received.
type Message struct {
	SID                 string // SM…, or MM… with media
	AccountSID          string
	Direction           string // outbound-api or inbound
	MessagingServiceSID string
	From                string // "" until a messaging service has chosen a sender
	To                  string
	Body                string
	MediaURLs           []string
	ContentSID          string
	ContentVariables    string
	StatusCallback      string
	ApplicationSID      string
	ValidityPeriod      int // seconds
	NumSegments         int
	Status              string
	ErrorCode           int // 0 is none
	ErrorMessage        string
	SendAt              time.Time // of a scheduled message
	DateSent            time.Time // zero until it is sent
	DateCreated         time.Time
	DateUpdated         time.Time
}

// messages is the state of all messages and of who may get some.
type messages struct {
	collection[Message]
	optOuts map[optOut]bool
}

type optOut struct{ accountSID, recipient string }

func (s *Server) keepMessage(m Message, now time.Time) *Message {
	prefix := "SM"
	if len(m.MediaURLs) > 0 {
		prefix = "MM"
	}
	m.SID = s.ids.sid(prefix)
	m.DateCreated, m.DateUpdated = now, now
	s.messages.add(m.AccountSID, m.SID, &m)
	return &m
}

// senderOf returns a number that a service can send from, nil if it has none.
func (s *Server) senderOf(m *MessagingService) *PhoneNumber {
	for member := range s.senders.of(m.SID).each() {
		if n := member.number; n.Capabilities.SMS && n.AccountSID == m.AccountSID {
			return n
		}
	}
	return nil
}

// copied shares no memory with the message that is kept.
func (m Message) copied() Message {
	m.MediaURLs = slices.Clone(m.MediaURLs)
	return m
}

// Messages returns the messages of an account, sent and received, oldest first.
func (s *Server) Messages(accountSID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages := s.messages.of(accountSID).values()
	for i, m := range messages {
		messages[i] = m.copied()
	}
	return messages
}

// Message returns a message as it is now, and false if there is none or it has
// been deleted.
func (s *Server) Message(sid string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages.bySID[sid]
	if m == nil {
		return Message{}, false
	}
	return m.copied(), true
}

// OptOut refuses all messages of an account to a recipient, with 21610, as if
// the recipient had answered STOP. It panics if there is no such account.
func (s *Server) OptOut(accountSID, recipient string) { s.setOptOut(accountSID, recipient, true) }

// OptIn takes [Server.OptOut] back.
func (s *Server) OptIn(accountSID, recipient string) { s.setOptOut(accountSID, recipient, false) }

func (s *Server) setOptOut(accountSID, recipient string, out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.messages.optOuts == nil {
		s.messages.optOuts = map[optOut]bool{}
	}
	s.messages.optOuts[optOut{s.accounts.must(accountSID).SID, recipient}] = out
}

var (
	statusesWithoutSender = []string{"accepted", "scheduled", "canceled"}
	statusesWithDate      = []string{"sent", "delivered", "undelivered", "failed", "read", "partially_delivered"}
)

// SetMessageStatus brings a message forward: to "sent", "delivered", "failed"
// or whatever may come, with an error code such as 30007, or 0. What is more
// than accepted by a messaging service gets one of its senders; what is sent
// gets its date. It panics if there is no such message.
func (s *Server) SetMessageStatus(sid, status string, errorCode int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages.bySID[sid]
	if m == nil {
		panic("twiliotest: no message " + sid)
	}
	now := time.Now()
	m.Status, m.ErrorCode, m.ErrorMessage, m.DateUpdated = status, errorCode, deliveryErrors[errorCode], now
	if !slices.Contains(statusesWithoutSender, status) {
		s.chooseSender(m)
	}
	if m.DateSent.IsZero() && slices.Contains(statusesWithDate, status) {
		m.DateSent = now
	}
}

func (s *Server) chooseSender(m *Message) {
	if service := s.services.bySID[m.MessagingServiceSID]; m.From == "" && service != nil {
		if n := s.senderOf(service); n != nil {
			m.From = n.PhoneNumber
		}
	}
	m.NumSegments = segments(m.Body)
}

var deliveryErrors = map[int]string{
	30001: "Queue overflow",
	30002: "Account suspended",
	30003: "Unreachable destination handset",
	30004: "Message blocked",
	30005: "Unknown destination handset",
	30006: "Landline or unreachable carrier",
	30007: "Carrier violation",
	30008: "Unknown error",
	30032: "Toll-Free number has not been verified",
	30034: "Message from an unregistered number",
}
