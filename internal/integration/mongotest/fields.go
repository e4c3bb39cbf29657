package mongotest

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
)

// kind says which values a field of a command may have.
type kind string

const (
	anything  kind = ""
	aDocument kind = "object"
	anArray   kind = "array"
	documents kind = "array of objects"
	aNumber   kind = "number"
	aFlag     kind = "bool"
	aString   kind = "string"
	refused   kind = "not implemented" // MongoDB knows it, this server does not
)

// fields are all that a command, or a document inside one, may contain. What
// is not listed is refused: a server which ignores an option it doesn't know
// lets a test pass that fails in production.
type fields map[string]kind

// everywhere are the fields which any command may carry.
var everywhere = fields{
	"$db": aString, "lsid": aDocument, "txnNumber": aNumber, "startTransaction": aFlag, "autocommit": aFlag,
	"$clusterTime": aDocument, "$readPreference": aDocument, "readConcern": aDocument, "writeConcern": aDocument,
	"comment": anything, "maxTimeMS": aNumber, "apiVersion": aString, "apiStrict": aFlag, "apiDeprecationErrors": aFlag,
}

// check refuses what is not in the list, and values of the wrong kind. A null
// counts as absent.
func (f fields) check(where string, d bson.D) error {
	for _, e := range d {
		k, known := f[e.Key]
		switch {
		case !known:
			return fail(codeUnknownField, "BSON field '%s.%s' is an unknown field.", where, e.Key)
		case e.Value == nil:
		case k == refused:
			if !trivial(e.Value) {
				return fail(codeNotImplemented, "the embedded server does not implement '%s.%s'", where, e.Key)
			}
		case !k.admits(e.Value):
			return fail(codeTypeMismatch, "BSON field '%s.%s' is the wrong type, expected type '%s'", where, e.Key, k)
		}
	}
	return nil
}

// needs refuses a document which lacks one of the names.
func needs(where string, d bson.D, names ...string) error {
	for _, name := range names {
		if field(d, name) == nil {
			return fail(40414, "BSON field '%s.%s' is missing but a required field", where, name)
		}
	}
	return nil
}

func (k kind) admits(v any) bool {
	_, isNumber := asInt(v)
	switch k {
	case aDocument:
		return asDocument(v) != nil
	case anArray:
		_, ok := v.(bson.A)
		return ok
	case documents:
		a, ok := v.(bson.A)
		return ok && len(asDocuments(a)) == len(a)
	case aNumber:
		return isNumber
	case aFlag:
		_, ok := v.(bool)
		return ok || isNumber
	case aString:
		_, ok := v.(string)
		return ok
	}
	return true
}

// trivial values of an option mean the same as leaving the option out.
func trivial(v any) bool {
	switch v := v.(type) {
	case bool:
		return !v
	case string:
		return v == ""
	case bson.D:
		return len(v) == 0
	case bson.A:
		return len(v) == 0
	}
	return false
}

// checkTypes refuses values of the BSON types which the engine cannot hold.
func checkTypes(v any) error {
	switch v := v.(type) {
	case bson.D:
		for _, e := range v {
			if err := checkTypes(e.Value); err != nil {
				return err
			}
		}
	case bson.A:
		for _, item := range v {
			if err := checkTypes(item); err != nil {
				return err
			}
		}
	default:
		if !holdable(v) {
			return fail(codeNotImplemented, "the embedded server cannot hold BSON values of type %s", typeName(v))
		}
	}
	return nil
}

// path splits a dotted path.
func path(dotted string) []string { return strings.Split(dotted, ".") }
