package mongotest

import (
	"sync"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// sessions holds the clients' sessions by their ids.
type sessions struct {
	mu   sync.Mutex
	byID map[string]*session
}

// session is what the server remembers for one client session: the newest
// transaction number, and what came of it. Its lock is held while a command
// with a transaction number runs, so that a retry waits for the first attempt.
type session struct {
	mu     sync.Mutex
	number int64
	reply  bson.D // of the retryable write with this number
	txn    *lungo.Transaction
	state  transactionState
}

// of returns the session which the command belongs to, making it if needed.
func (s *sessions) of(r *request) *session {
	return s.get(r.session())
}

func (s *sessions) get(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]*session{}
	}
	if s.byID[id] == nil {
		s.byID[id] = &session{number: -1}
	}
	return s.byID[id]
}

func (s *sessions) remove(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[id]
	delete(s.byID, id)
	return found
}

// sessionID is the id inside a session's document, or "" without one.
func sessionID(lsid any) string {
	d, _ := lsid.(bson.D)
	id, _ := field(d, "id").(primitive.Binary)
	return string(id.Data)
}

// once runs a retryable write, or, if it is the retry of one that succeeded,
// only repeats the reply.
func (s *Server) once(r *request, run func() (bson.D, error)) (bson.D, error) {
	session := s.sessions.of(r)
	session.mu.Lock()
	defer session.mu.Unlock()
	number := r.transactionNumber()
	if number == session.number && session.reply != nil {
		return session.reply, nil
	}
	if err := session.begin(number); err != nil {
		return nil, err
	}
	reply, err := run()
	if err == nil {
		session.reply = reply
	}
	return reply, err
}

// begin makes number the session's newest.
func (s *session) begin(number int64) error {
	if number < s.number {
		return fail(codeTransactionTooOld,
			"Cannot start transaction %d because a newer transaction %d has already started.", number, s.number)
	}
	s.number, s.reply, s.state = number, nil, noTransaction
	return nil
}

// endSessions forgets sessions, and aborts what they left open.
func (s *Server) endSessions(r *request) (bson.D, error) {
	for _, lsid := range asDocuments(r.body[0].Value) {
		if session := s.sessions.remove(sessionID(lsid)); session != nil {
			session.mu.Lock()
			s.abort(session)
			session.mu.Unlock()
		}
	}
	return bson.D{}, nil
}
