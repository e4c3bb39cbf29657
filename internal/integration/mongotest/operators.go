package mongotest

import (
	"slices"
	"strings"

	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// hasOperators tells an update from a replacement.
func hasOperators(d bson.D) bool {
	return len(d) > 0 && strings.HasPrefix(d[0].Key, "$")
}

// checkReplacement refuses operators among the fields of a replacement.
func checkReplacement(d bson.D) error {
	for _, e := range d {
		if strings.HasPrefix(e.Key, "$") {
			return fail(codeDollarPrefixed,
				"The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document.",
				e.Key, e.Key)
		}
	}
	return nil
}

// checkUpdate refuses unknown operators, impossible paths, and paths which are
// in each other's way. MongoDB does so before it looks for documents.
func checkUpdate(update bson.D) error {
	var paths []string
	for _, operator := range update {
		targets, err := operatorPaths(operator)
		if err != nil {
			return err
		}
		for _, p := range targets {
			if err := checkPath(p); err != nil {
				return err
			}
			if i := slices.IndexFunc(paths, func(other string) bool { return overlap(p, other) }); i >= 0 {
				return fail(codeConflictingOperators, "Updating the path '%s' would create a conflict at '%s'",
					p, shorter(p, paths[i]))
			}
			paths = append(paths, p)
		}
	}
	return nil
}

// operatorPaths are the paths which one operator, as $set, changes.
func operatorPaths(operator bson.E) ([]string, error) {
	if mongokit.FieldUpdateOperators[operator.Key] == nil {
		return nil, fail(codeFailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style "+
			"update specified as an array", operator.Key)
	}
	operands, ok := operator.Value.(bson.D)
	if !ok {
		return nil, fail(codeFailedToParse, "Modifiers operate on fields but we found type %s instead.",
			typeName(operator.Value))
	}
	var paths []string
	for _, e := range operands {
		paths = append(paths, e.Key)
		if operator.Key == "$rename" {
			paths = append(paths, asString(e.Value))
		}
	}
	return paths, nil
}

func checkPath(p string) error {
	for i, part := range path(p) {
		switch {
		case part == "":
			return fail(codeEmptyFieldName,
				"The update path '%s' contains an empty field name, which is not allowed.", p)
		case i == 0 && strings.HasPrefix(part, "$"):
			return fail(codeDollarPrefixed,
				"The dollar ($) prefixed field '%s' in '%s' is not valid for storage.", part, p)
		}
	}
	return nil
}

// overlap reports whether one path is the other or leads to it.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

func shorter(a, b string) string {
	if len(a) < len(b) {
		return a
	}
	return b
}
