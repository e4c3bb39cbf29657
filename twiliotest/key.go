package twiliotest

import (
	"cmp"
	"time"
)

// Key is an API key.
type Key struct {
	SID          string
	Secret       string // the API tells it once, to whoever creates the key
	AccountSID   string
	Kind         KeyKind
	FriendlyName string
	DateCreated  time.Time
	DateUpdated  time.Time
}

// KeyKind is what an API key may do.
type KeyKind string

const (
	// StandardKey may do what its account may, but nothing to accounts and
	// keys: there it is answered 401/20003. Keys that are created through the
	// API are of this kind.
	StandardKey KeyKind = "standard"
	// MainKey may list, fetch, create and update accounts, but sees no auth
	// tokens (see [WithHiddenToken]), and may do anything to the keys of its
	// own account.
	MainKey KeyKind = "main"
)

// openKey makes a key and fills in what Twilio fills in.
func (s *Server) openKey(k Key, now time.Time) *Key {
	sid, secret := s.ids.sidAndSecret("SK")
	k.SID, k.Secret = cmp.Or(k.SID, sid), cmp.Or(k.Secret, secret)
	k.Kind = cmp.Or(k.Kind, StandardKey)
	k.DateCreated = cmp.Or(k.DateCreated, now)
	k.DateUpdated = cmp.Or(k.DateUpdated, k.DateCreated)
	s.keys.add(k.AccountSID, k.SID, &k)
	return &k
}

// AddKey gives an account a new API key. It panics if there is no such
// account.
func (s *Server) AddKey(accountSID string, kind KeyKind) Key {
	return s.AddKeyWith(accountSID, Key{Kind: kind})
}

// AddKeyWith is [Server.AddKey] for a key with a name or an age:
//
//	fake.AddKeyWith(tenant.SID, twiliotest.Key{FriendlyName: "old", DateCreated: time.Now().Add(-25 * time.Hour)})
//
// What k leaves out gets Twilio's default: a new SID and secret, the kind
// [StandardKey], the present time. It panics if there is such a key already.
func (s *Server) AddKeyWith(accountSID string, k Key) Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.AccountSID = s.accounts.must(accountSID).SID
	if s.keys.bySID[k.SID] != nil {
		panic("twiliotest: there is a key " + k.SID)
	}
	return *s.openKey(k, time.Now())
}

// Key returns an API key as it is now, and false if there is none.
func (s *Server) Key(sid string) (Key, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys.bySID[sid]
	if k == nil {
		return Key{}, false
	}
	return *k, true
}

// Keys returns the API keys of an account in the order in which they were
// made, whether by the API or by [Server.AddKey].
func (s *Server) Keys(accountSID string) []Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.of(accountSID).values()
}

// DeleteKey takes an API key away; it and the access tokens that it has signed
// are refused from then on. It does nothing if there is no such key.
func (s *Server) DeleteKey(sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys.bySID[sid]; k != nil {
		s.keys.remove(k.AccountSID, k.SID)
	}
}
