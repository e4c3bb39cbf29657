package mongotest

import (
	"context"
	"time"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
)

type transactionState int

const (
	noTransaction transactionState = iota
	inProgress
	committed
	aborted
)

// conflictWait is how long a transaction waits for the engine's only write
// lock before it gives up with a WriteConflict. MongoDB would notice a real
// conflict at once.
const conflictWait = 100 * time.Millisecond

// read runs f on the client's transaction, or on a snapshot.
func (s *Server) read(r *request, f func(*lungo.Transaction) error) error {
	if r.txn != nil {
		return f(r.txn)
	}
	txn, err := s.engine.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	return f(txn)
}

// write runs f on the client's transaction, or in one of its own which is
// committed unless f fails.
func (s *Server) write(r *request, f func(*lungo.Transaction) error) error {
	if r.txn != nil {
		return f(r.txn)
	}
	txn, err := s.engine.Begin(context.Background(), true)
	if err != nil {
		return err
	}
	defer s.engine.Abort(txn) // no effect after Commit
	if err := f(txn); err != nil {
		return err
	}
	return s.commit(txn)
}

// commit makes the changes visible, and wakes those who wait for changes.
func (s *Server) commit(txn *lungo.Transaction) error {
	if err := s.engine.Commit(txn); err != nil {
		return err
	}
	s.oplog.observe(s.log())
	s.commits.ring()
	return nil
}

// withinTransaction runs one command of a client's transaction. As in
// MongoDB, any error of it ends the transaction.
func (s *Server) withinTransaction(r *request, run func() (bson.D, error)) (bson.D, error) {
	session := s.sessions.of(r)
	session.mu.Lock()
	defer session.mu.Unlock()
	if truthy(r.get("startTransaction")) {
		if err := s.start(session, r); err != nil {
			return nil, err
		}
	}
	if err := session.isIn(r, inProgress); err != nil {
		return nil, err
	}
	r.txn = session.txn
	reply, err := run()
	if err != nil || field(reply, "writeErrors") != nil {
		s.abort(session)
	}
	return reply, err
}

// start begins a transaction, which takes the engine's write lock.
func (s *Server) start(session *session, r *request) error {
	if number := r.transactionNumber(); number == session.number && session.state != noTransaction {
		return noSuchTransaction(number)
	}
	s.abort(session) // an unfinished one gives way to the next
	if err := session.begin(r.transactionNumber()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), conflictWait)
	defer cancel()
	txn, err := s.engine.Begin(ctx, true)
	if err != nil {
		session.state = aborted
		return fail(codeWriteConflict, "another transaction is writing").labelled(labelTransient)
	}
	session.txn, session.state = txn, inProgress
	return nil
}

// abort rolls back what is open; it needs the session's lock.
func (s *Server) abort(session *session) {
	if session.txn != nil {
		s.engine.Abort(session.txn)
		session.txn, session.state = nil, aborted
	}
}

// isIn refuses a command unless it belongs to the session's newest transaction
// and that one is in the state.
func (s *session) isIn(r *request, state transactionState) error {
	if r.transactionNumber() != s.number || s.state != state {
		return noSuchTransaction(r.transactionNumber())
	}
	return nil
}

func noSuchTransaction(number int64) error {
	return fail(codeNoSuchTransaction,
		"Given transaction number %d does not match any in-progress transactions.", number).labelled(labelTransient)
}

// commitTransaction may be repeated, for a client which lost the first reply.
func (s *Server) commitTransaction(r *request) (bson.D, error) {
	session := s.sessions.of(r)
	session.mu.Lock()
	defer session.mu.Unlock()
	if session.isIn(r, committed) == nil {
		return bson.D{}, nil
	}
	if err := session.isIn(r, inProgress); err != nil {
		return nil, err
	}
	err := s.commit(session.txn)
	session.txn, session.state = nil, committed
	if err != nil {
		session.state = aborted
	}
	return bson.D{}, err
}

func (s *Server) abortTransaction(r *request) (bson.D, error) {
	session := s.sessions.of(r)
	session.mu.Lock()
	defer session.mu.Unlock()
	if err := session.isIn(r, inProgress); err != nil {
		return nil, err
	}
	s.abort(session)
	return bson.D{}, nil
}

// Expire removes the documents which a TTL index has made too old, without
// waiting for the server to do so by itself.
func (s *Server) Expire() error {
	txn, err := s.engine.Begin(context.Background(), true)
	if err != nil {
		return err
	}
	defer s.engine.Abort(txn)
	if err := txn.Expire(); err != nil {
		return err
	}
	return s.commit(txn)
}
