package twiliotest

import "time"

// Delivery is what becomes of an inbound message.
type Delivery struct {
	// Message is the message as it is recorded, and the zero Message if it is
	// lost.
	Message Message
	// Lost is whether Twilio drops the message and records nothing: in a
	// messaging service that has no webhook of its own and does not use the
	// number's, with a number that cannot receive messages, and with an
	// account that is not active.
	Lost bool

	// URL is the webhook that Twilio would call, and Method how: "" if there
	// is none. The fake calls nothing.
	URL    string
	Method string
	// ApplicationSID is the application whose webhook Twilio would call
	// instead.
	ApplicationSID string
}

// Receive is an inbound message to one of the fake's phone numbers. It panics
// if nobody owns the number.
func (s *Server) Receive(to, from, body string) Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers.byNumber[to]
	if n == nil {
		panic("twiliotest: nobody owns " + to)
	}
	d, serviceSID := s.deliver(n)
	if d.Lost {
		return d
	}
	now := time.Now()
	d.Message = *s.keepMessage(Message{AccountSID: n.AccountSID, Direction: "inbound", MessagingServiceSID: serviceSID, From: from,
		To: to, Body: body, NumSegments: segments(body), Status: "received", DateSent: now}, now)
	return d
}

// deliver says where a message to a number goes, and through which service.
func (s *Server) deliver(n *PhoneNumber) (d Delivery, serviceSID string) {
	if member := s.senders.bySID[n.SID]; member != nil {
		serviceSID = member.serviceSID
	}
	service := s.services.bySID[serviceSID]
	switch {
	case !s.accounts.isActive(s.accounts.bySID[n.AccountSID]) || !n.Capabilities.SMS:
		d.Lost = true
	case service == nil || service.UseInboundWebhookOnNumber:
		d = n.webhook()
	case service.InboundRequestURL == "":
		d.Lost = true
	default:
		d.URL, d.Method = service.InboundRequestURL, service.InboundMethod
	}
	return d, serviceSID
}

// webhook is the number's own, of which an application comes first.
func (n *PhoneNumber) webhook() Delivery {
	switch {
	case n.SMSApplicationSID != "":
		return Delivery{ApplicationSID: n.SMSApplicationSID}
	case n.SMSURL != "":
		return Delivery{URL: n.SMSURL, Method: n.SMSMethod}
	}
	return Delivery{}
}
