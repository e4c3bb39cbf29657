package mongotest

import (
	"strings"

	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

// group is one result of $group while it grows.
type group struct {
	id   any
	sums []any
}

// groupStage knows the accumulators $sum and $count, and as expressions
// "$path", constants, and documents of those.
func groupStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	d, err := stageDocument("$group", spec)
	if err != nil {
		return nil, err
	}
	if err := checkGroup(*d); err != nil {
		return nil, err
	}
	by, sums := field(*d, "_id"), accumulators(*d)
	var groups []*group
	for _, doc := range list {
		g := groupOf(&groups, evaluate(by, doc), len(sums))
		for i, accumulator := range sums {
			g.sums[i] = addTo(g.sums[i], accumulator, doc)
		}
	}
	return groupDocuments(groups, sums), nil
}

func checkGroup(spec bson.D) error {
	hasID := false
	for _, e := range spec {
		if e.Key == "_id" {
			hasID = true
			if d, ok := e.Value.(bson.D); ok && hasOperators(d) {
				return fail(codeNotImplemented, "the embedded server does not implement expressions, as %s", d[0].Key)
			}
			continue
		}
		accumulator, ok := e.Value.(bson.D)
		if !ok || len(accumulator) != 1 {
			return fail(40234, "The field '%s' must be an accumulator object", e.Key)
		}
		if name := accumulator[0].Key; name != "$sum" && name != "$count" {
			return fail(codeNotImplemented, "the embedded server does not implement the accumulator %s", name)
		}
		if _, isDocument := accumulator[0].Value.(bson.D); isDocument && accumulator[0].Key == "$sum" {
			return fail(codeNotImplemented, "the embedded server does not implement expressions in $sum")
		}
	}
	if !hasID {
		return fail(15955, "a group specification must include an _id")
	}
	return nil
}

func accumulators(spec bson.D) bson.D { return withoutID(spec) }

// groupOf finds the group by comparing, because 1 and 1.0 are the same group.
func groupOf(groups *[]*group, id any, sums int) *group {
	for _, g := range *groups {
		if bsonkit.Compare(g.id, id) == 0 {
			return g
		}
	}
	g := &group{id: id, sums: make([]any, sums)}
	for i := range g.sums {
		g.sums[i] = int32(0)
	}
	*groups = append(*groups, g)
	return g
}

// addTo adds one document's part to a sum; what is no number counts nothing.
func addTo(sum any, accumulator bson.E, doc bsonkit.Doc) any {
	operator := accumulator.Value.(bson.D)[0]
	part := any(int32(1))
	if operator.Key == "$sum" {
		part = evaluate(operator.Value, doc)
	}
	if total := bsonkit.Add(sum, part); total != bsonkit.Missing {
		return total
	}
	return sum
}

// evaluate knows "$path", constants, and documents of those.
func evaluate(expression any, doc bsonkit.Doc) any {
	switch e := expression.(type) {
	case string:
		dotted, isPath := strings.CutPrefix(e, "$")
		if !isPath {
			return e
		}
		if v := bsonkit.Get(doc, dotted); v != bsonkit.Missing {
			return v
		}
		return nil
	case bson.D:
		d := make(bson.D, 0, len(e))
		for _, inner := range e {
			d = append(d, bson.E{Key: inner.Key, Value: evaluate(inner.Value, doc)})
		}
		return d
	}
	return expression
}

func groupDocuments(groups []*group, sums bson.D) bsonkit.List {
	list := make(bsonkit.List, 0, len(groups))
	for _, g := range groups {
		d := document("_id", g.id)
		for i, accumulator := range sums {
			d = append(d, bson.E{Key: accumulator.Key, Value: g.sums[i]})
		}
		list = append(list, &d)
	}
	return list
}
