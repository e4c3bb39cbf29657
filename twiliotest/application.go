package twiliotest

import (
	"cmp"
	"time"
)

// Application is the state of a TwiML application.
type Application struct {
	SID          string
	AccountSID   string
	FriendlyName string
	APIVersion   string

	VoiceURL            string
	VoiceMethod         string
	VoiceFallbackURL    string
	VoiceFallbackMethod string
	VoiceCallerIDLookup bool

	StatusCallback       string
	StatusCallbackMethod string

	SMSURL            string
	SMSMethod         string
	SMSFallbackURL    string
	SMSFallbackMethod string

	MessageStatusCallback string
	SMSStatusCallback     string // deprecated by Twilio

	PublicApplicationConnectEnabled bool

	DateCreated time.Time
	DateUpdated time.Time
}

// openApplication makes an application and fills in what Twilio fills in.
func (s *Server) openApplication(a Application, now time.Time) *Application {
	const post = "POST"
	a.SID = cmp.Or(a.SID, s.ids.sid("AP"))
	a.APIVersion = cmp.Or(a.APIVersion, "2010-04-01")
	a.VoiceMethod = cmp.Or(a.VoiceMethod, post)
	a.VoiceFallbackMethod = cmp.Or(a.VoiceFallbackMethod, post)
	a.StatusCallbackMethod = cmp.Or(a.StatusCallbackMethod, post)
	a.SMSMethod = cmp.Or(a.SMSMethod, post)
	a.SMSFallbackMethod = cmp.Or(a.SMSFallbackMethod, post)
	a.DateCreated = cmp.Or(a.DateCreated, now)
	a.DateUpdated = cmp.Or(a.DateUpdated, a.DateCreated)
	s.applications.add(a.AccountSID, a.SID, &a)
	return &a
}

// hasApplication tells whether an application is there and the account's.
func (s *Server) hasApplication(accountSID, sid string) bool {
	return s.applications.of(accountSID).get(sid) != nil
}

// AddApplication gives an account a TwiML application without any settings and
// returns its SID. It panics if there is no such account.
func (s *Server) AddApplication(accountSID string) string {
	return s.AddApplicationWith(accountSID, Application{}).SID
}

// AddApplicationWith is [Server.AddApplication] for one with settings. What a
// leaves out gets Twilio's default. It panics if there is such an application
// already.
func (s *Server) AddApplicationWith(accountSID string, a Application) Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.AccountSID = s.accounts.must(accountSID).SID
	if s.applications.bySID[a.SID] != nil {
		panic("twiliotest: there is an application " + a.SID)
	}
	return *s.openApplication(a, time.Now())
}

// DeleteApplication takes an application away. Phone numbers that point to it
// go on doing so, to nothing; it does nothing if there is no such application.
func (s *Server) DeleteApplication(sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.applications.bySID[sid]; a != nil {
		s.applications.remove(a.AccountSID, a.SID)
	}
}

// Application returns an application as it is now, and false if there is none.
func (s *Server) Application(sid string) (Application, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.applications.bySID[sid]
	if a == nil {
		return Application{}, false
	}
	return *a, true
}

// Applications returns the applications of an account, oldest first.
func (s *Server) Applications(accountSID string) []Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applications.of(accountSID).values()
}
