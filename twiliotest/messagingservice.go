package twiliotest

import (
	"cmp"
	"time"
)

// MessagingService is the state of a messaging service.
type MessagingService struct {
	SID                       string
	AccountSID                string
	FriendlyName              string
	InboundRequestURL         string
	InboundMethod             string
	FallbackURL               string
	FallbackMethod            string
	StatusCallback            string
	UseInboundWebhookOnNumber bool
	StickySender              bool
	MMSConverter              bool
	SmartEncoding             bool
	FallbackToLongCode        bool
	AreaCodeGeomatch          bool
	SynchronousValidation     bool
	ScanMessageContent        string // inherit, enable or disable
	ValidityPeriod            int    // seconds
	Usecase                   string
	// USAppToPersonRegistered is whether it has a verified campaign: see
	// [Server.RegisterA2P].
	USAppToPersonRegistered bool
	// PhoneNumberSIDs are its senders, in the order in which they came.
	PhoneNumberSIDs []string
	DateCreated     time.Time
	DateUpdated     time.Time
}

// sender is a phone number in a messaging service. It is in one at most.
type sender struct {
	serviceSID string
	number     *PhoneNumber
	since      time.Time
}

func (s *Server) openService(m MessagingService, now time.Time) *MessagingService {
	m.SID = cmp.Or(m.SID, s.ids.sid("MG"))
	m.InboundMethod = cmp.Or(m.InboundMethod, "POST")
	m.FallbackMethod = cmp.Or(m.FallbackMethod, "POST")
	m.ScanMessageContent = cmp.Or(m.ScanMessageContent, "inherit")
	m.ValidityPeriod = cmp.Or(m.ValidityPeriod, maxValidityPeriod)
	m.Usecase = cmp.Or(m.Usecase, "undeclared")
	m.PhoneNumberSIDs = nil // the senders are kept by themselves
	m.DateCreated, m.DateUpdated = cmp.Or(m.DateCreated, now), now
	s.services.add(m.AccountSID, m.SID, &m)
	return &m
}

// closeService sets its numbers free.
func (s *Server) closeService(m *MessagingService) {
	for member := range s.senders.of(m.SID).each() {
		s.leaveService(member.number)
	}
	s.services.remove(m.AccountSID, m.SID)
}

func (s *Server) joinService(m *MessagingService, n *PhoneNumber, now time.Time) *sender {
	member := &sender{m.SID, n, now}
	s.senders.add(m.SID, n.SID, member)
	return member
}

// leaveService takes a number out of the service that it is in, if any.
func (s *Server) leaveService(n *PhoneNumber) {
	if member := s.senders.bySID[n.SID]; member != nil {
		s.senders.remove(member.serviceSID, n.SID)
	}
}

// withSenders is a service as tests see it.
func (s *Server) withSenders(m MessagingService) MessagingService {
	for member := range s.senders.of(m.SID).each() {
		m.PhoneNumberSIDs = append(m.PhoneNumberSIDs, member.number.SID)
	}
	return m
}

// AddMessagingService gives an account a messaging service and puts the numbers
// of m's PhoneNumberSIDs into it, out of any other that they are in, whatever
// Twilio would say. Texts and numbers that m leaves out get Twilio's default.
// It panics if there is no such account or number.
func (s *Server) AddMessagingService(accountSID string, m MessagingService) MessagingService {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.AccountSID = s.accounts.must(accountSID).SID
	m.FriendlyName = cmp.Or(m.FriendlyName, "Messaging Service")
	if s.services.bySID[m.SID] != nil {
		panic("twiliotest: there is a messaging service " + m.SID)
	}
	now := time.Now()
	service := s.openService(m, now)
	for _, sid := range m.PhoneNumberSIDs {
		n := s.mustOwn(sid)
		s.leaveService(n)
		s.joinService(service, n, now)
	}
	return s.withSenders(*service)
}

// MessagingService returns a messaging service as it is now, and false if there
// is none.
func (s *Server) MessagingService(sid string) (MessagingService, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.services.bySID[sid]
	if m == nil {
		return MessagingService{}, false
	}
	return s.withSenders(*m), true
}

// MessagingServices returns the messaging services of an account, oldest first.
func (s *Server) MessagingServices(accountSID string) []MessagingService {
	s.mu.Lock()
	defer s.mu.Unlock()
	services := s.services.of(accountSID).values()
	for i, m := range services {
		services[i] = s.withSenders(m)
	}
	return services
}

func (s *Server) mustServe(sid string) *MessagingService {
	m := s.services.bySID[sid]
	if m == nil {
		panic("twiliotest: no messaging service " + sid)
	}
	return m
}

func (s *Server) mustOwn(sid string) *PhoneNumber {
	n := s.numbers.bySID[sid]
	if n == nil {
		panic("twiliotest: no phone number " + sid)
	}
	return n
}
