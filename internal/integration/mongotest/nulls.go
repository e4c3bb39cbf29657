package mongotest

import (
	"errors"
	"slices"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// The engine's equality with null drops array elements which lack the field,
// where MongoDB takes them for null: {"a.b": null} matches {a: [{c: 1}]}. And
// its $type takes a missing field for a null. Its tables of operators are
// meant to be changed, but global, so this happens once and for all servers.
func init() { //nolint:gochecknoinits // before any goroutine reads the tables, which have no lock
	for _, name := range []string{"", "$eq"} {
		mongokit.ExpressionQueryOperators[name] = nullsInArrays(mongokit.ExpressionQueryOperators[name], isNull)
	}
	mongokit.ExpressionQueryOperators["$in"] = nullsInArrays(mongokit.ExpressionQueryOperators["$in"], hasNull)
	mongokit.ExpressionQueryOperators["$ne"] = negated(mongokit.ExpressionQueryOperators["$eq"])
	mongokit.ExpressionQueryOperators["$nin"] = negated(mongokit.ExpressionQueryOperators["$in"])
	mongokit.ExpressionQueryOperators["$type"] = onlyPresent(mongokit.ExpressionQueryOperators["$type"])
}

// onlyPresent keeps an operator from taking a missing field for a null.
func onlyPresent(operator mongokit.Operator) mongokit.Operator {
	return func(ctx mongokit.Context, d bsonkit.Doc, op, dotted string, v any) error {
		if value, _ := bsonkit.All(d, dotted, true, true); value == any(bsonkit.Missing) {
			return mongokit.ErrNotMatched
		}
		return operator(ctx, d, op, dotted, v)
	}
}

// nullsInArrays tries the engine's operator first, and adds the missing matches.
func nullsInArrays(operator mongokit.Operator, wantsNull func(any) bool) mongokit.Operator {
	return func(ctx mongokit.Context, d bsonkit.Doc, op, dotted string, v any) error {
		err := operator(ctx, d, op, dotted, v)
		if errors.Is(err, mongokit.ErrNotMatched) && wantsNull(v) && lacks(*d, path(dotted)) {
			return nil
		}
		return err
	}
}

func negated(operator mongokit.Operator) mongokit.Operator {
	return func(ctx mongokit.Context, d bsonkit.Doc, op, dotted string, v any) error {
		if op == "$ne" {
			op = "$eq"
		}
		switch err := operator(ctx, d, op, dotted, v); {
		case err == nil:
			return mongokit.ErrNotMatched
		case errors.Is(err, mongokit.ErrNotMatched):
			return nil
		default:
			return err
		}
	}
}

func isNull(v any) bool {
	class, _ := bsonkit.Inspect(v)
	return class == bsonkit.Null
}

func hasNull(v any) bool {
	list, _ := v.(bson.A)
	return slices.ContainsFunc(list, isNull)
}

// lacks reports whether the path ends at a document without the field, in an
// array somewhere on the way.
func lacks(v any, parts []string) bool {
	if len(parts) == 0 {
		return false
	}
	switch v := v.(type) {
	case bson.D:
		for _, e := range v {
			if e.Key == parts[0] {
				return lacks(e.Value, parts[1:])
			}
		}
		return true
	case bson.A:
		for _, item := range v {
			if d, ok := item.(bson.D); ok && lacks(d, parts) {
				return true
			}
		}
	}
	return false
}
