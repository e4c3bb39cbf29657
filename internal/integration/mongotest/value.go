package mongotest

import (
	"fmt"
	"strings"

	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// document builds a document from alternating names and values. Its callers
// write the names: what a client sent becomes a name only if it is a string.
func document(pairs ...any) bson.D {
	d := make(bson.D, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name := pairs[i].(string) //nolint:forcetypeassert // anything else is a mistake in this package
		d = append(d, bson.E{Key: name, Value: pairs[i+1]})
	}
	return d
}

// with returns d with one more field; it never changes d's backing array.
func with(d bson.D, name string, value any) bson.D {
	return append(d[:len(d):len(d)], bson.E{Key: name, Value: value})
}

// field returns the value of the first field called name, or nil.
func field(d bson.D, name string) any {
	for _, e := range d {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

// asDocument returns v as the engine's kind of document, or nil if it is
// none. An empty document is a document.
func asDocument(v any) bsonkit.Doc {
	if d, ok := v.(bson.D); ok {
		return &d
	}
	return nil
}

// asFilter is asDocument for filters, where absent means everything.
func asFilter(v any) bsonkit.Doc {
	if d := asDocument(v); d != nil {
		return d
	}
	return &bson.D{}
}

// asDocuments returns the documents of an array; other elements are skipped,
// because checkFields has refused them before.
func asDocuments(v any) []bson.D {
	array, _ := v.(bson.A)
	docs := make([]bson.D, 0, len(array))
	for _, item := range array {
		if d, ok := item.(bson.D); ok {
			docs = append(docs, d)
		}
	}
	return docs
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}

// asInt returns a BSON number as int64, and whether v is a number at all.
func asInt(v any) (int64, bool) {
	switch n := v.(type) {
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		return int64(n), true
	case primitive.Decimal128:
		return 0, true
	}
	return 0, false
}

// intOr returns a BSON number as int, or the default for anything else.
func intOr(v any, otherwise int) int {
	if n, ok := asInt(v); ok {
		return int(n)
	}
	return otherwise
}

// truthy is MongoDB's idea of a flag: a boolean, or any number but zero.
func truthy(v any) bool {
	if b, ok := v.(bool); ok {
		return b
	}
	n, ok := asInt(v)
	return ok && n != 0
}

// array turns documents into a BSON array.
func array(docs []bson.D) bson.A {
	a := make(bson.A, 0, len(docs))
	for _, d := range docs {
		a = append(a, d)
	}
	return a
}

// contents returns the documents behind the engine's pointers. They are
// shared with the engine and must not be changed.
func contents(list bsonkit.List) []bson.D {
	docs := make([]bson.D, 0, len(list))
	for _, d := range list {
		docs = append(docs, *d)
	}
	return docs
}

// holdable reports whether the engine can hold a value of v's type.
func holdable(v any) bool {
	switch v.(type) {
	case nil, bool, string, int32, int64, float64, primitive.ObjectID, primitive.DateTime,
		primitive.Timestamp, primitive.Binary, primitive.Decimal128, primitive.Regex:
		return true
	}
	return false
}

// typeName is the Go name of a BSON type without its package.
func typeName(v any) string {
	name := fmt.Sprintf("%T", v)
	return name[strings.LastIndexByte(name, '.')+1:]
}
