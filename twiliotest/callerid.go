package twiliotest

// callerID is a number that is not Twilio's, and that an account has proved to
// be its own.
type callerID struct{ accountSID, number string }

// VerifyCallerID makes a number a verified caller id of an account: the account
// may call from it, and if it is a trial account, call it and send to it. It
// panics if there is no such account.
func (s *Server) VerifyCallerID(accountSID, number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.callerIDs == nil {
		s.callerIDs = map[callerID]bool{}
	}
	s.callerIDs[callerID{s.accounts.must(accountSID).SID, number}] = true
}

func (s *Server) hasVerified(accountSID, number string) bool {
	return s.callerIDs[callerID{accountSID, number}]
}
