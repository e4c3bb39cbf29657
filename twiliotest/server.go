package twiliotest

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Server is a fake of Twilio with one parent account. It is safe for
// concurrent use. Make one with [NewServer] in a test, with [Start] in a
// program.
type Server struct {
	config config
	tb     testing.TB // nil in the standalone form

	requestIDs idSource
	closed     atomic.Bool
	network    network

	// One mutex for all state: what one request does to several resources
	// (a closed account loses its numbers) is then one step for all others.
	mu         sync.Mutex
	ids        idSource
	faults     []*armedFault
	journal    journal
	violations []string
	resources
}

// NewServer makes a fake that lives as long as the test. What no program may
// send to Twilio (an unknown path or parameter, a body that is not form
// encoded, …) fails the test through t.Errorf; a test that does such things on
// purpose uses [Start].
//
// Nothing listens until [Server.URL] or [Server.SocketClient] is called first,
// so a server whose [Server.HTTPClient] alone is used can live inside a
// testing/synctest bubble.
func NewServer(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s := newServer(opts)
	s.tb = t
	t.Cleanup(s.Close)
	return s
}

// Start makes a fake for programs without a test. What no program may send is
// answered 404/20404, 400/20001 or 405/20004 and kept for [Server.Violations].
// Close it when done.
func Start(opts ...Option) *Server {
	return newServer(opts)
}

func newServer(opts []Option) *Server {
	s := &Server{config: defaults()}
	for _, opt := range opts {
		opt(&s.config)
	}
	s.ids.seed = s.config.seed
	s.requestIDs.seed = s.config.seed + 1
	s.journal.limit = s.config.recordLimit
	s.stock.empty = s.config.emptyStock
	s.accounts.open(s)
	return s
}

// Close stops the server: requests that hang over a socket are cut off, later
// ones fail. State can still be read. A second Close does nothing.
func (s *Server) Close() {
	s.closed.Store(true)
	s.network.close()
}

// Violations returns what has arrived that no program may send, oldest first.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

func (s *Server) scold(violations []string) {
	if len(violations) == 0 {
		return
	}
	s.mu.Lock()
	s.violations = append(s.violations, violations...)
	s.mu.Unlock()
	if s.tb == nil || s.closed.Load() {
		return // a test that has ended must not be failed any more
	}
	for _, v := range violations {
		s.tb.Errorf("twiliotest: %s", v)
	}
}
