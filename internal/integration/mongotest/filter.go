package mongotest

import (
	"strings"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// notHere are query operators which MongoDB has and the engine has not.
var notHere = map[string]bool{
	"$expr": true, "$where": true, "$text": true, "$comment": true, "$regex": true, "$options": true,
	"$geoWithin": true, "$geoIntersects": true, "$near": true, "$nearSphere": true, "$sampleRate": true, "$rand": true,
}

// checkFilter refuses operators which the engine doesn't have. The engine
// itself would notice only when it meets a document.
func checkFilter(filter bson.D) error {
	for _, e := range filter {
		var err error
		if strings.HasPrefix(e.Key, "$") {
			err = checkTopLevel(e)
		} else {
			err = checkCondition(e.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkTopLevel(e bson.E) error {
	if mongokit.TopLevelQueryOperators[e.Key] == nil {
		return unknownOperator("top level operator", e.Key)
	}
	for _, clause := range asDocuments(e.Value) {
		if err := checkFilter(clause); err != nil {
			return err
		}
	}
	return nil
}

// checkCondition checks what stands for one field: a value, or operators.
func checkCondition(v any) error {
	if _, isRegex := v.(primitive.Regex); isRegex {
		return unknownOperator("operator", "$regex")
	}
	operators, ok := v.(bson.D)
	if !ok || !hasOperators(operators) {
		return nil
	}
	for _, e := range operators {
		if mongokit.ExpressionQueryOperators[e.Key] == nil {
			return unknownOperator("operator", e.Key)
		}
		if err := checkOperand(e); err != nil {
			return err
		}
	}
	return nil
}

func checkOperand(e bson.E) error {
	inner, isDocument := e.Value.(bson.D)
	switch {
	case e.Key == "$not":
		return checkCondition(e.Value)
	case e.Key == "$elemMatch" && isDocument && !hasOperators(inner):
		return checkFilter(inner)
	case e.Key == "$elemMatch":
		return checkCondition(e.Value)
	case e.Key == "$in" || e.Key == "$nin" || e.Key == "$all":
		return checkOperandList(e)
	}
	return nil
}

func checkOperandList(e bson.E) error {
	list, ok := e.Value.(bson.A)
	if !ok {
		return fail(codeBadValue, "%s needs an array", e.Key)
	}
	for _, item := range list {
		if _, isRegex := item.(primitive.Regex); isRegex {
			return unknownOperator("operator", "$regex")
		}
	}
	return nil
}

func unknownOperator(what, name string) error {
	if notHere[name] {
		return fail(codeNotImplemented, "the embedded server does not implement %s", name)
	}
	return fail(codeBadValue, "unknown %s: %s", what, name)
}

// match reports whether the document satisfies the filter.
func match(d, filter bsonkit.Doc) (bool, error) { return mongokit.Match(d, filter) }
