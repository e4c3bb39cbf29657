package mongotest

import (
	"slices"
	"sync"
	"time"

	bsonv1 "go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Fault is one thing going wrong with a command. Its zero parts do nothing, so
// a fault may combine a delay with an error, or with a lost reply.
//
// Without CloseAfter, AfterExecution, WriteConcern or Ops, a fault with a Code
// is answered instead of executing the command.
//
// As in MongoDB, an error gets the label RetryableWriteError by itself if its
// code is retryable and the command carried a transaction number, and code 112
// inside a transaction gets TransientTransactionError.
type Fault struct {
	// Command is the name of the command to hit, as "update" or "findAndModify"
	// (the driver's BulkWrite sends "update", "insert" and "delete").
	Command string
	// Match picks among the commands of this name; nil takes all. It must not
	// call the server.
	Match func(bson.Raw) bool
	// Nth is the first of the matching commands to hit, counted from 1 at
	// Inject. 0 means 1.
	Nth int
	// Times is how many commands to hit from there on. 0 means 1, a negative
	// number means all.
	Times int

	// Delay waits before anything else. The wait ends when the server closes,
	// but not when the client gives up: the command is executed afterwards, as
	// MongoDB often does.
	Delay time.Duration
	// CloseBefore drops the connection without executing the command.
	CloseBefore bool
	// CloseAfter executes the command, then drops the connection: a lost reply.
	CloseAfter bool

	// Code is MongoDB's error code; Name and Message have defaults.
	Code          int32
	Name, Message string
	Labels        []string
	// AfterExecution executes the command and then answers with the error.
	AfterExecution bool
	// WriteConcern executes the command and adds the error as its write
	// concern error.
	WriteConcern bool
	// Ops fails these operations of an insert, update or delete batch (counted
	// from 0 in the command as sent) and executes the others, up to the first
	// error if the batch is ordered.
	Ops []int
	// KeyPattern and KeyValue are added to the error, as MongoDB does with
	// 11000.
	KeyPattern, KeyValue bson.D
}

// LostReply executes one command and drops the connection before the answer.
func LostReply(command string) Fault { return Fault{Command: command, CloseAfter: true} }

// WriteConflict answers one command as MongoDB does when another transaction
// has changed the same document.
func WriteConflict(command string) Fault { return Fault{Command: command, Code: codeWriteConflict} }

// DuplicateKey answers one command, or the ops of one batch, as MongoDB does
// when a unique index over keyPattern refuses the document; for example when
// two upserts of the same document race.
func DuplicateKey(command string, keyPattern bson.D, ops ...int) Fault {
	return Fault{
		Command: command, Code: codeDuplicateKey, Ops: ops, KeyPattern: keyPattern,
		Message: "E11000 duplicate key error (injected)",
	}
}

// Inject arranges for something to go wrong. Faults for the same command are
// tried in the order of injection, and one command meets at most one of them.
func (s *Server) Inject(f Fault) { s.faults.add(f) }

// ClearFaults forgets every fault, so that what hasn't fired cannot poison the
// next case.
func (s *Server) ClearFaults() { s.faults.clear() }

type faults struct {
	mu   sync.Mutex
	list []*pending
}

// pending is a fault which may still fire.
type pending struct {
	Fault
	skip, left int
}

func (f *faults) add(fault Fault) {
	p := &pending{Fault: fault, skip: max(fault.Nth, 1) - 1, left: fault.Times}
	if p.left == 0 {
		p.left = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, p)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// take returns the fault for this command, or none, which is the zero Fault.
func (f *faults) take(command string, raw bson.Raw) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.list {
		if p.Command != command || p.left == 0 || p.Match != nil && !p.Match(raw) {
			continue
		}
		if p.skip > 0 {
			p.skip--
			continue
		}
		p.left--
		return p.Fault
	}
	return Fault{}
}

func (f Fault) insteadOfExecuting() bool {
	return f.Code != 0 && !f.CloseAfter && !f.AfterExecution && !f.WriteConcern && len(f.Ops) == 0
}

func (f Fault) afterExecuting() bool { return f.Code != 0 && f.AfterExecution }

// hits reports whether the fault fails the operation with this index.
func (f Fault) hits(index int) bool { return f.Code != 0 && slices.Contains(f.Ops, index) }

// error is the fault as the error of a command.
func (f Fault) error(r *request) *commandError {
	e := fail(f.Code, "injected fault")
	if f.Message != "" {
		e.message = f.Message
	}
	e.name = f.Name
	e.labels = slices.Concat(f.Labels, naturalLabels(f.Code, r))
	slices.Sort(e.labels)
	if f.KeyPattern != nil {
		e.details = with(e.details, "keyPattern", fromDriver(f.KeyPattern))
	}
	if f.KeyValue != nil {
		e.details = with(e.details, "keyValue", fromDriver(f.KeyValue))
	}
	return e
}

// naturalLabels are the labels which MongoDB would add by itself.
func naturalLabels(code int32, r *request) []string {
	switch {
	case r.inTransaction() && code == codeWriteConflict:
		return []string{labelTransient}
	case !r.inTransaction() && r.get("txnNumber") != nil && slices.Contains(retryableCodes, code):
		return []string{labelRetryableWrite}
	}
	return nil
}

func (f Fault) asWriteConcernError(r *request, reply bsonv1.D) bsonv1.D {
	e := f.error(r)
	return withLabels(with(reply, "writeConcernError", writeConcernError(e)), e.labels)
}

// fromDriver translates a document of driver v2 into the engine's types.
func fromDriver(d bson.D) bsonv1.D {
	raw, err := bson.Marshal(d)
	if err != nil {
		return nil
	}
	out := bsonv1.D{}
	if err := bsonv1.Unmarshal(raw, &out); err != nil {
		return nil
	}
	return out
}
