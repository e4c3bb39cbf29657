package mongotest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
)

// MongoDB's numbers for the errors which this server reports by itself.
const (
	codeBadValue             = 2
	codeUnknownError         = 8
	codeFailedToParse        = 9
	codeTypeMismatch         = 14
	codeLockTimeout          = 24
	codeNamespaceNotFound    = 26
	codeIndexNotFound        = 27
	codePathNotViable        = 28
	codeConflictingOperators = 40
	codeCursorNotFound       = 43
	codeNamespaceExists      = 48
	codeDollarPrefixed       = 52
	codeInvalidIDField       = 53
	codeEmptyFieldName       = 56
	codeCommandNotFound      = 59
	codeImmutableField       = 66
	codeCannotCreateIndex    = 67
	codeInvalidOptions       = 72
	codeInvalidNamespace     = 73
	codeUnknownWriteConcern  = 79
	codeIndexOptionsConflict = 85
	codeIndexKeyConflict     = 86
	codeShutdownInProgress   = 91
	codeWriteConcernTooMuch  = 100
	codeWriteConflict        = 112
	codeInvalidIndexOption   = 197
	codeTransactionTooOld    = 225
	codeNotImplemented       = 238
	codeNoSuchTransaction    = 251
	codeHistoryLost          = 286
	codeDuplicateKey         = 11000
	codeMixedInclusion       = 31253
	codeMixedExclusion       = 31254
	codePathCollision        = 31249
	codeUnknownStage         = 40324
	codeUnknownField         = 40415
)

// codeNames are MongoDB's names for codes, ours and those worth injecting.
// Every other code is named after its number, as MongoDB does.
var codeNames = map[int32]string{
	6: "HostUnreachable", 7: "HostNotFound", 11: "UserNotFound", 13: "Unauthorized", 18: "AuthenticationFailed",
	50: "MaxTimeMSExpired", 64: "WriteConcernFailed", 89: "NetworkTimeout", 134: "ReadConcernMajorityNotAvailableYet",
	189: "PrimarySteppedDown", 262: "ExceededTimeLimit", 9001: "SocketException", 10107: "NotWritablePrimary",
	10334: "BSONObjectTooLarge", 11600: "InterruptedAtShutdown", 11602: "InterruptedDueToReplStateChange",
	13435: "NotPrimaryNoSecondaryOk", 13436: "NotPrimaryOrSecondary",

	codeBadValue: "BadValue", codeUnknownError: "UnknownError", codeFailedToParse: "FailedToParse",
	codeTypeMismatch: "TypeMismatch", codeLockTimeout: "LockTimeout", codeNamespaceNotFound: "NamespaceNotFound",
	codeIndexNotFound: "IndexNotFound", codePathNotViable: "PathNotViable",
	codeConflictingOperators: "ConflictingUpdateOperators", codeCursorNotFound: "CursorNotFound",
	codeNamespaceExists: "NamespaceExists", codeDollarPrefixed: "DollarPrefixedFieldName",
	codeInvalidIDField: "InvalidIdField", codeEmptyFieldName: "EmptyFieldName", codeCommandNotFound: "CommandNotFound",
	codeImmutableField: "ImmutableField", codeCannotCreateIndex: "CannotCreateIndex",
	codeInvalidOptions: "InvalidOptions", codeInvalidNamespace: "InvalidNamespace",
	codeUnknownWriteConcern: "UnknownReplWriteConcern", codeIndexOptionsConflict: "IndexOptionsConflict",
	codeIndexKeyConflict: "IndexKeySpecsConflict", codeShutdownInProgress: "ShutdownInProgress",
	codeWriteConcernTooMuch: "UnsatisfiableWriteConcern", codeWriteConflict: "WriteConflict",
	codeInvalidIndexOption: "InvalidIndexSpecificationOption", codeTransactionTooOld: "TransactionTooOld",
	codeNotImplemented: "NotImplemented", codeNoSuchTransaction: "NoSuchTransaction",
	codeHistoryLost: "ChangeStreamHistoryLost", codeDuplicateKey: "DuplicateKey",
}

// The labels by which drivers decide what to retry.
const (
	labelRetryableWrite = "RetryableWriteError"
	labelTransient      = "TransientTransactionError"
	labelNonResumable   = "NonResumableChangeStreamError"
)

// retryableCodes are the errors which MongoDB labels RetryableWriteError when
// the command carried a transaction number.
var retryableCodes = []int32{6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}

// commandError is an error as MongoDB reports it.
type commandError struct {
	code    int32
	name    string // codeNames has it if empty
	message string
	labels  []string
	details bson.D // more fields of the reply, as keyPattern and keyValue
}

func (e *commandError) Error() string { return e.message }

func fail(code int32, format string, args ...any) *commandError {
	return &commandError{code: code, message: fmt.Sprintf(format, args...)}
}

func (e *commandError) labelled(labels ...string) *commandError {
	e.labels = append(e.labels, labels...)
	return e
}

func (e *commandError) codeName() string {
	if e.name != "" {
		return e.name
	}
	if name, ok := codeNames[e.code]; ok {
		return name
	}
	return fmt.Sprintf("Location%d", e.code)
}

// reply is the error as a command's answer.
func (e *commandError) reply() bson.D {
	d := document("ok", 0.0, "errmsg", e.message, "code", e.code, "codeName", e.codeName())
	d = append(d, e.details...)
	return withLabels(d, e.labels)
}

// writeError is the error as one entry of a batch's writeErrors.
func (e *commandError) writeError(index int) bson.D {
	d := document("index", int32(index), "code", e.code, "errmsg", e.message)
	return append(d, e.details...)
}

func withLabels(reply bson.D, labels []string) bson.D {
	if len(labels) == 0 {
		return reply
	}
	a := bson.A{}
	for _, label := range slices.Compact(labels) {
		a = append(a, label)
	}
	return with(reply, "errorLabels", a)
}

// engineErrors tell which code MongoDB has for an error that the engine has
// only a text for.
var engineErrors = []struct {
	text string
	code int32
}{
	{"cannot put value at", codePathNotViable},
	{"conflicting key", codeConflictingOperators},
	{"_id is immutable", codeImmutableField},
	{"_id must match", codeImmutableField},
	{"is not a number", codeTypeMismatch},
	{"positional operator", codeNotImplemented},
	{"no array filter found", codeBadValue},
	{"token acquisition timeout", codeLockTimeout},
}

// translate returns err as MongoDB would report it.
func translate(err error) *commandError {
	var e *commandError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, lungo.ErrEngineClosed), errors.Is(err, context.Canceled):
		return fail(codeShutdownInProgress, "the server is closing")
	case errors.Is(err, context.DeadlineExceeded):
		return fail(codeLockTimeout, "timed out waiting for another transaction")
	}
	for _, known := range engineErrors {
		if strings.Contains(err.Error(), known.text) {
			return fail(known.code, "%s", err)
		}
	}
	return fail(codeBadValue, "%s", err)
}
