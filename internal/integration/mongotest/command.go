package mongotest

import (
	"maps"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
)

// target says what the value of a command's first field names.
type target int

const (
	onServer     target = iota // nothing
	onCollection               // a collection of $db
	onEither                   // a collection, or a number for the whole database
)

// command is what the server knows about one command.
type command struct {
	on     target
	fields fields
	run    func(*Server, *request) (bson.D, error)
}

// request is one command on its way through the server.
type request struct {
	name   string
	body   bson.D
	handle lungo.Handle       // database and collection
	txn    *lungo.Transaction // the client's open transaction, if it belongs to one
	fault  Fault              // for the faults which hit single operations
}

func (r *request) get(name string) any            { return field(r.body, name) }
func (r *request) namespace() string              { return r.handle.String() }
func (r *request) session() string                { return sessionID(r.get("lsid")) }
func (r *request) inTransaction() bool            { return r.get("autocommit") != nil }
func (r *request) transactionNumber() (n int64)   { n, _ = asInt(r.get("txnNumber")); return n }
func (r *request) documents(name string) []bson.D { return asDocuments(r.get(name)) }

// newRequest reads the parts which every command has. It never fails: what is
// wrong with a command is told by check.
func newRequest(body bson.D) *request {
	r := &request{name: body[0].Key, body: body}
	r.handle = lungo.Handle{asString(field(body, "$db")), asString(body[0].Value)}
	return r
}

// check refuses a command with unknown or wrong fields.
func (r *request) check(c command) error {
	if c.fields != nil {
		if err := c.all().check(r.name, r.body[1:]); err != nil {
			return err
		}
	}
	if err := checkTypes(r.body); err != nil {
		return err
	}
	if (r.inTransaction() || r.get("txnNumber") != nil) && r.session() == "" {
		return fail(codeInvalidOptions, "Transaction number requires a session ID to be specified")
	}
	_, isNumber := asInt(r.body[0].Value)
	switch {
	case c.on == onServer, c.on == onEither && isNumber:
		return nil
	case r.handle[0] == "" || r.handle[1] == "":
		return fail(codeInvalidNamespace, "Invalid namespace specified '%s'", r.namespace())
	}
	return nil
}

// all are the command's own fields and those of every command.
func (c command) all() fields {
	all := maps.Clone(everywhere)
	maps.Copy(all, c.fields)
	return all
}

// answer executes one command with its faults. It reports false if the
// connection is to be dropped instead of sending the reply.
func (s *Server) answer(body bson.D) (reply bson.D, ok bool) {
	r := newRequest(body)
	raw := s.record.add(r)
	r.fault = s.faults.take(r.name, raw)
	if !s.pause(r.fault.Delay) || r.fault.CloseBefore {
		return nil, false
	}
	if r.fault.insteadOfExecuting() {
		return r.fault.error(r).reply(), true
	}
	reply = s.execute(r)
	switch {
	case r.fault.CloseAfter:
		return nil, false
	case r.fault.afterExecuting():
		return r.fault.error(r).reply(), true
	case r.fault.WriteConcern:
		return r.fault.asWriteConcernError(r, reply), true
	}
	return reply, true
}

// execute runs the command and turns its outcome, whatever it is, into a
// reply.
func (s *Server) execute(r *request) bson.D {
	reply, err := s.dispatch(r)
	if err != nil {
		return translate(err).reply()
	}
	if concern := unsatisfiable(r.get("writeConcern")); concern != nil && field(reply, "writeConcernError") == nil {
		reply = with(reply, "writeConcernError", concern)
	}
	return with(reply, "ok", 1.0)
}

func (s *Server) dispatch(r *request) (bson.D, error) {
	c, known := commands[r.name]
	if !known {
		return nil, fail(codeCommandNotFound, "no such command: '%s'", r.name)
	}
	if err := r.check(c); err != nil {
		return nil, err
	}
	run := func() (bson.D, error) { return safely(func() (bson.D, error) { return c.run(s, r) }) }
	switch {
	case r.name == "commitTransaction" || r.name == "abortTransaction":
		return run()
	case r.inTransaction():
		return s.withinTransaction(r, run)
	case r.get("txnNumber") != nil:
		return s.once(r, run)
	}
	return run()
}

// safely turns a panic into an error. The engine panics on what it cannot
// handle; that must fail one command, not the test binary.
func safely(run func() (bson.D, error)) (reply bson.D, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fail(codeUnknownError, "the engine failed: %v", p)
		}
	}()
	return run()
}

// unsatisfiable returns the error for a write concern which one server cannot
// satisfy. As in MongoDB, the write itself has happened.
func unsatisfiable(concern any) bson.D {
	d, _ := concern.(bson.D)
	w := field(d, "w")
	if n, ok := asInt(w); ok && n > 1 {
		return writeConcernError(fail(codeWriteConcernTooMuch, "Not enough data-bearing nodes"))
	}
	if tag, ok := w.(string); ok && tag != "majority" {
		return writeConcernError(fail(codeUnknownWriteConcern, "No write concern mode named '%s' found", tag))
	}
	return nil
}

func writeConcernError(e *commandError) bson.D {
	return document("code", e.code, "codeName", e.codeName(), "errmsg", e.message)
}
