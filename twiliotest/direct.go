package twiliotest

import "time"

// What tests do to accounts behind the API's back. All of it panics on an
// account that does not exist, and none of it asks whether Twilio would do it.

// Parent returns the parent account, whose SID and auth token a program is
// configured with.
func (s *Server) Parent() Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts.parent.Account
}

// Account returns an account as it is now, and false if there is none or it
// has been deleted.
func (s *Server) Account(sid string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts.bySID[sid]
	if a == nil || a.deleted {
		return Account{}, false
	}
	return a.Account, true
}

// Subaccounts returns all subaccounts, oldest first, closed ones too.
func (s *Server) Subaccounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Account
	for _, a := range s.accounts.all {
		if a != s.accounts.parent && !a.deleted {
			list = append(list, a.Account)
		}
	}
	return list
}

// AddSubaccount adds an active subaccount; an empty name is numbered.
func (s *Server) AddSubaccount(name string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		return s.accounts.addNumbered(time.Now()).Account
	}
	return s.accounts.addSubaccount(name, time.Now()).Account
}

// AddSubaccounts adds n active subaccounts and returns their SIDs. 100,000
// take a tenth of a second; an account's JSON, 2.3 KB, is made when it is first
// asked for, and kept.
func (s *Server) AddSubaccounts(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	sids := make([]string, n)
	for i := range sids {
		sids[i] = s.accounts.addNumbered(now).SID
	}
	return sids
}

// AddForeignAccount adds an account of somebody else. Requests about it are
// answered with code: 20404 as an account that does not exist, 20403 or 20003.
// It is in no list.
func (s *Server) AddForeignAccount(code int) Account {
	if code != 20404 && code != 20403 && code != 20003 {
		panic("twiliotest: a foreign account answers 20404, 20403 or 20003")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts.make("Foreign", time.Now())
	a.OwnerSID, a.foreignAnswer = a.SID, code
	return a.Account
}

// SetStatus sets an account's status. A parent that is not [Active] gets
// 403/20005 for every request, its subaccounts 401/20003.
func (s *Server) SetStatus(sid, status string) {
	s.change(sid, func(a *account) { a.Status, a.suspendedByTwilio = status, false })
}

// SuspendByTwilio suspends an account in the way that the API cannot undo:
// 21478.
func (s *Server) SuspendByTwilio(sid string) {
	s.change(sid, func(a *account) { a.Status, a.suspendedByTwilio = Suspended, true })
}

// Rename sets an account's FriendlyName.
func (s *Server) Rename(sid, name string) {
	s.change(sid, func(a *account) { a.FriendlyName = name })
}

// SetType sets an account's type, "Full" or "Trial".
func (s *Server) SetType(sid, kind string) {
	s.change(sid, func(a *account) { a.Type = kind })
}

// RotateToken gives an account a new auth token and returns it. The old one is
// refused from then on.
func (s *Server) RotateToken(sid string) string {
	var token string
	s.change(sid, func(a *account) {
		token = s.ids.secret()
		a.AuthToken = token
	})
	return token
}

// DeleteAccount removes an account as Twilio does 30 days after it was closed:
// it is in no list and not found. It panics on the parent.
func (s *Server) DeleteAccount(sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts.must(sid)
	if a == s.accounts.parent {
		panic("twiliotest: the parent cannot be deleted")
	}
	s.accounts.delete(a)
}

func (s *Server) change(sid string, alter func(*account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts.must(sid)
	s.accounts.change(a, time.Now(), func(*Account) { alter(a) })
}
