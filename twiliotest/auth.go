package twiliotest

import "net/http"

// signer is whose credentials a request carries.
type signer struct {
	user    string   // as sent
	account *account // nil if the credentials are wrong
	key     *Key     // nil if the account's own token was used
	refused int      // Twilio's code if nothing may be done with them, else 0
}

func (s *Server) authenticate(r *http.Request) signer {
	user, password, _ := r.BasicAuth()
	who := signer{user: user, refused: 20003}
	if password == "" {
		return who
	}
	if key := s.keys.bySID[user]; key != nil && key.Secret == password {
		who.key, who.account = key, s.accounts.bySID[key.AccountSID]
	} else if a := s.accounts.bySID[user]; a != nil && !a.deleted && a.AuthToken == password {
		who.account = a
	}
	if who.account != nil {
		who.refused = s.accounts.refusal(who.account)
	}
	return who
}

// refusal is the code that an account's own credentials get, 0 if they are
// good. Only a parent is told that it is suspended; a subaccount hears no more
// than that its credentials are refused.
func (all *accounts) refusal(a *account) int {
	switch {
	case a.OwnerSID == a.SID && a.Status != Active:
		return 20005
	case !all.isActive(a) || !all.isActivated(a):
		return 20003
	}
	return 0
}

// isActive tells whether an account is, and its parent, too.
func (all *accounts) isActive(a *account) bool {
	parent := all.bySID[a.OwnerSID]
	return !a.deleted && a.Status == Active && (parent == nil || parent.Status == Active)
}

func (w signer) sid() string {
	if w.account == nil {
		return ""
	}
	return w.account.SID
}

// is tells whether the credentials are valid ones of an account or of a key.
func (w signer) is(sid string) bool {
	return w.account != nil && (w.account.SID == sid || w.user == sid)
}

// isStandardKey tells of keys that may do nothing to accounts and keys.
func (w signer) isStandardKey() bool { return w.key != nil && w.key.Kind == StandardKey }

// mayReadTokens is what a Main key lacks.
func (w signer) mayReadTokens() bool { return w.key == nil }

// enter counts the request among those the account has under way, and returns
// how many there are.
func (w signer) enter() int {
	if w.account == nil {
		return 1
	}
	w.account.underWay++
	return w.account.underWay
}

func (w signer) leave() {
	if w.account != nil {
		w.account.underWay--
	}
}
