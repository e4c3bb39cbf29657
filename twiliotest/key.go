package twiliotest

// Key is an API key.
type Key struct {
	SID        string
	Secret     string
	AccountSID string
	Kind       KeyKind
}

// KeyKind is what an API key may do.
type KeyKind string

const (
	// StandardKey may do what its account may, but nothing to accounts and
	// keys: there it is answered 401/20003.
	StandardKey KeyKind = "standard"
	// MainKey may list, fetch, create and update accounts, but sees no auth
	// tokens (see [WithHiddenToken]).
	MainKey KeyKind = "main"
)

// AddKey gives an account a new API key. It panics if there is no such
// account.
func (s *Server) AddKey(accountSID string, kind KeyKind) Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := &Key{AccountSID: s.accounts.must(accountSID).SID, Kind: kind}
	key.SID, key.Secret = s.ids.sidAndSecret("SK")
	s.keys[key.SID] = key
	return *key
}

// DeleteKey takes an API key away; it is refused from then on.
func (s *Server) DeleteKey(sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, sid)
}
