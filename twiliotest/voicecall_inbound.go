package twiliotest

import "net/url"

// Handler is what answers calls to a phone number.
type Handler struct {
	// Nobody is whether a caller hears no more than an error: the number has
	// no voice, or nothing is set in it; its application has been deleted or
	// has no voice URL; the URL is that of a Studio flow under another
	// account; the account is not active. The rest tells what is set.
	Nobody bool

	TrunkSID       string // comes first
	ApplicationSID string // comes before the number's own URL
	// URL is what Twilio would call, and Method how: the application's if
	// there is one, else the number's.
	URL    string
	Method string
	// FlowSID is the Studio flow of whose webhook that is the URL.
	FlowSID string
}

// AnsweredBy returns what a call to one of the fake's phone numbers would reach
// now: its trunk, else its application, else its voice URL. The fake calls
// nothing, and believes in every trunk and every flow of the right form. It
// panics if nobody owns the number.
func (s *Server) AnsweredBy(number string) Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers.byNumber[number]
	if n == nil {
		panic("twiliotest: nobody owns " + number)
	}
	h := s.voiceHandler(n)
	h.Nobody = h.Nobody || !n.Capabilities.Voice || !s.accounts.isActive(s.accounts.bySID[n.AccountSID])
	return h
}

func (s *Server) voiceHandler(n *PhoneNumber) Handler {
	if n.TrunkSID != "" {
		return Handler{TrunkSID: n.TrunkSID}
	}
	h := Handler{ApplicationSID: n.VoiceApplicationSID, URL: n.VoiceURL, Method: n.VoiceMethod}
	if h.ApplicationSID != "" {
		h.URL, h.Method = s.voiceURLOf(n.AccountSID, h.ApplicationSID)
	}
	if h.URL == "" {
		h.Nobody, h.Method = true, ""
		return h
	}
	account, flow, isFlow := studioFlow(h.URL)
	h.FlowSID, h.Nobody = flow, isFlow && account != n.AccountSID
	return h
}

// voiceURLOf is an application's, "" if there is no such application.
func (s *Server) voiceURLOf(accountSID, app string) (address, method string) {
	a := s.applications.of(accountSID).get(app)
	if a == nil {
		return "", ""
	}
	return a.VoiceURL, a.VoiceMethod
}

const studioHost = "webhooks.twilio.com"

var studioPath = parsePattern("/v1/Accounts/{AccountSid:AC}/Flows/{Sid:FW}")

// studioFlow tells what account and flow the URL of a webhook is about: any of
// Twilio's own host is one of Studio, but one of another form has neither.
func studioFlow(address string) (account, flow string, isFlow bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host != studioHost {
		return "", "", false
	}
	vars, ok := match(studioPath, u.EscapedPath())
	if !ok || u.Scheme != "https" {
		return "", "", true
	}
	return vars[0].value, vars[1].value, true
}
