package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct"
)

// Error is a failure of MongoDB's. The driver's own errors are not wrapped: they can hold the command, with the token in it,
// and the server's messages show values.
//
// errors.Is finds context.Canceled and context.DeadlineExceeded, twilioacct.ErrOutcomeUnknown where a write may have been
// applied all the same, and twilioacct.ErrConflict where a unique index refused it. mongo.IsTimeout and mongo.IsNetworkError
// work on it.
type Error struct {
	Op     string   // find, update, …
	Code   int      // the server's, 0 where no answer came
	Name   string   // of the code, where the server gave it
	Labels []string // the driver's and the server's

	// UniqueIndex are the fields of the unique index that refused a write (code 11000), where the server names them.
	UniqueIndex []string

	reason         string // what the driver said of the connection; never the server's words
	outcomeUnknown bool
	cause          error // a context's error, or nil
}

// Error says what failed, without any value.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mongostore: %s", e.Op)
	switch {
	case e.Code == duplicateKey && len(e.UniqueIndex) > 0:
		fmt.Fprintf(&b, ": refused by the unique index on %s", strings.Join(e.UniqueIndex, ", "))
	case e.Code == duplicateKey:
		b.WriteString(": refused by a unique index")
	case e.Name != "":
		fmt.Fprintf(&b, ": the server answered %s", e.Name)
	case e.Code != 0:
		b.WriteString(": the server refused")
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, " (code %d)", e.Code)
	}
	if e.reason != "" {
		b.WriteString(": " + e.reason)
	}
	if e.cause != nil && !strings.Contains(e.reason, e.cause.Error()) {
		b.WriteString(": " + e.cause.Error())
	}
	if e.outcomeUnknown {
		b.WriteString(": it may have been written all the same: load it to see")
	}
	return b.String()
}

// Unwrap returns the context's error, if that is what ended the operation.
func (e *Error) Unwrap() error { return e.cause }

// Is knows twilioacct.ErrOutcomeUnknown and twilioacct.ErrConflict.
func (e *Error) Is(target error) bool {
	switch target {
	case twilioacct.ErrOutcomeUnknown:
		return e.outcomeUnknown
	case twilioacct.ErrConflict:
		return e.Code == duplicateKey
	}
	return false
}

// HasErrorLabel makes it a mongo.LabeledError.
func (e *Error) HasErrorLabel(label string) bool { return slices.Contains(e.Labels, label) }

// The server's codes that mean something to us.
const (
	pathNotViable        = 28
	shardKeyNotFound     = 61
	invalidOptions       = 72
	indexOptionsConflict = 85
	indexKeyConflict     = 86
	writeConflict        = 112
	duplicateKey         = 11000
)

// interruptions are the codes of a server that was stopped while it worked, or that did not hear from another one: what it was
// asked for may be done, or half of it. A mongos reports them for single writes.
var interruptions = []int{
	6, 7, 24, 46, 50, 89, 91, 189, 237, 262, 290, 9001, 10107, 11600, 11601, 11602, 13435, 13436,
}

// readFailure is the error of a read. It changed nothing.
func readFailure(op string, err error) error {
	if err == nil {
		return nil
	}
	return newError(op, err)
}

// writeFailure is the error of a write. Only an answer that the server refused it says that it was not applied; no answer says
// nothing, and neither does an answer that the driver repeats a write on.
func writeFailure(op string, err error) error {
	if err == nil {
		return nil
	}
	e := newError(op, err)
	e.outcomeUnknown = !refused(err)
	return e
}

func refused(err error) bool {
	if write := (mongo.WriteException{}); errors.As(err, &write) {
		return write.WriteConcernError == nil && len(write.WriteErrors) > 0 &&
			!slices.ContainsFunc(write.WriteErrors, func(e mongo.WriteError) bool { return slices.Contains(interruptions, e.Code) })
	}
	var server mongo.CommandError
	if !errors.As(err, &server) || server.Code == 0 {
		return errors.As(err, new(mongo.MarshalError)) || errors.Is(err, mongo.ErrClientDisconnected)
	}
	return !server.HasErrorLabel("RetryableWriteError") && !server.HasErrorLabel("NetworkError") &&
		!slices.Contains(interruptions, int(server.Code))
}

// mayPass is true for the failure of a write that says nothing of what was to be written: another write came in between, or the
// server was interrupted. The next attempt may succeed.
func mayPass(failure error) bool {
	var e *Error
	return errors.As(failure, &e) && (e.outcomeUnknown || e.Code == writeConflict)
}

// needsID is true for a refusal of a sharded collection: an update that does not say in which shard its document is must know its _id.
func needsID(refusal error) bool {
	var e *Error
	return errors.As(refusal, &e) && (e.Code == shardKeyNotFound || e.Code == invalidOptions)
}

// newError takes from the driver's error what is safe to show.
func newError(op string, err error) *Error {
	e := &Error{Op: op, cause: contextCause(err)}
	var command mongo.CommandError
	var write mongo.WriteException
	var bulk mongo.BulkWriteException
	switch {
	case errors.As(err, &write):
		e.Labels = slices.Clone(write.Labels)
		e.take(write.WriteConcernError, write.WriteErrors)
	case errors.As(err, &bulk):
		e.Labels = slices.Clone(bulk.Labels)
		e.take(bulk.WriteConcernError, nil)
	case errors.As(err, &command) && command.Code != 0:
		e.Code, e.Name, e.Labels = int(command.Code), command.Name, slices.Clone(command.Labels)
		e.UniqueIndex = keyPattern(command.Raw)
	case errors.As(err, &command) && len(command.Raw) > 0:
		e.reason = "the server answered with an error that has no code"
	case errors.As(err, &command): // the connection's, in the driver's own words
		e.Labels, e.reason = slices.Clone(command.Labels), command.Error()
	default:
		e.reason = err.Error()
	}
	return e
}

func (e *Error) take(concern *mongo.WriteConcernError, writes mongo.WriteErrors) {
	if concern != nil {
		e.Code, e.Name, e.reason = concern.Code, concern.Name, "it is written, but may not be durable"
	}
	if len(writes) > 0 {
		e.Code, e.UniqueIndex = writes[0].Code, keyPattern(writes[0].Raw)
	}
}

// contextCause is the context's error that is in err, or stands for it: the driver has timeouts of its own.
func contextCause(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case mongo.IsTimeout(err):
		return context.DeadlineExceeded
	}
	return nil
}

// keyPattern are the fields of the index in a duplicate key error, where the server names them.
func keyPattern(raw bson.Raw) []string {
	pattern, ok := raw.Lookup("keyPattern").DocumentOK()
	if !ok {
		return nil
	}
	elements, err := pattern.Elements()
	if err != nil {
		return nil
	}
	var fields []string
	for _, e := range elements {
		fields = append(fields, e.Key())
	}
	return fields
}
