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

// accumulator is a field of the results, and what is added up in it.
type accumulator struct {
	field    string
	operator string // $sum or $count
	operand  any
}

// groupStage knows the accumulators $sum and $count, and as expressions
// "$path", constants, and documents of those.
func groupStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	d, err := stageDocument("$group", spec)
	if err != nil {
		return nil, err
	}
	sums, err := accumulators(withoutID(*d))
	if err != nil {
		return nil, err
	}
	by, err := groupedBy(*d)
	if err != nil {
		return nil, err
	}
	var groups []*group
	for _, doc := range list {
		g := groupOf(&groups, evaluate(by, doc), len(sums))
		for i, one := range sums {
			g.sums[i] = one.addTo(g.sums[i], doc)
		}
	}
	return groupDocuments(groups, sums), nil
}

// groupedBy is the expression which tells one group from another.
func groupedBy(spec bson.D) (any, error) {
	for _, e := range spec {
		if e.Key != "_id" {
			continue
		}
		if d, ok := e.Value.(bson.D); ok && hasOperators(d) {
			return nil, fail(codeNotImplemented, "the embedded server does not implement expressions, as %s", d[0].Key)
		}
		return e.Value, nil
	}
	return nil, fail(15955, "a group specification must include an _id")
}

func accumulators(spec bson.D) ([]accumulator, error) {
	sums := make([]accumulator, 0, len(spec))
	for _, e := range spec {
		one, err := parseAccumulator(e)
		if err != nil {
			return nil, err
		}
		sums = append(sums, one)
	}
	return sums, nil
}

// parseAccumulator reads {field: {operator: operand}}.
func parseAccumulator(e bson.E) (accumulator, error) {
	d, ok := e.Value.(bson.D)
	if !ok || len(d) != 1 {
		return accumulator{}, fail(40234, "The field '%s' must be an accumulator object", e.Key)
	}
	one := accumulator{field: e.Key, operator: d[0].Key, operand: d[0].Value}
	if one.operator != "$sum" && one.operator != "$count" {
		return accumulator{}, fail(codeNotImplemented, "the embedded server does not implement the accumulator %s", one.operator)
	}
	if _, isDocument := one.operand.(bson.D); isDocument && one.operator == "$sum" {
		return accumulator{}, fail(codeNotImplemented, "the embedded server does not implement expressions in $sum")
	}
	return one, nil
}

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
func (a accumulator) addTo(sum any, doc bsonkit.Doc) any {
	part := any(int32(1))
	if a.operator == "$sum" {
		part = evaluate(a.operand, doc)
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

func groupDocuments(groups []*group, sums []accumulator) bsonkit.List {
	list := make(bsonkit.List, 0, len(groups))
	for _, g := range groups {
		d := document("_id", g.id)
		for i, one := range sums {
			d = append(d, bson.E{Key: one.field, Value: g.sums[i]})
		}
		list = append(list, &d)
	}
	return list
}
