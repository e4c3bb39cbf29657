package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// projection is a parsed list of fields to show or to hide.
type projection struct {
	include bool
	tree    branch
	id      bool // whether _id is shown
}

// branch is one level of the paths in a projection; a nil child is a leaf.
type branch map[string]branch

// project returns the documents with only the fields asked for. The originals
// are left alone, and their order of fields is kept, as in MongoDB.
func project(list bsonkit.List, spec bsonkit.Doc) (bsonkit.List, error) {
	if spec == nil || len(*spec) == 0 {
		return list, nil
	}
	if needsEngine(*spec) {
		// The engine may write through parts it shares with the original.
		return mongokit.ProjectList(bsonkit.CloneList(list), spec)
	}
	p, err := parseProjection(*spec)
	if err != nil {
		return nil, err
	}
	out := make(bsonkit.List, 0, len(list))
	for _, d := range list {
		one := p.apply(*d)
		out = append(out, &one)
	}
	return out, nil
}

// needsEngine tells projections with $slice or $elemMatch from plain ones.
func needsEngine(spec bson.D) bool {
	for _, e := range spec {
		if d, ok := e.Value.(bson.D); ok && len(d) == 1 && mongokit.ProjectionExpressionOperators[d[0].Key] != nil {
			return true
		}
	}
	return false
}

func parseProjection(spec bson.D) (projection, error) {
	p := projection{tree: branch{}, id: true}
	decided := false
	for _, e := range spec {
		if !aFlag.admits(e.Value) {
			return p, fail(codeNotImplemented, "the embedded server does not implement the projection of '%s'", e.Key)
		}
		show := truthy(e.Value)
		if e.Key == "_id" {
			p.id = show
			continue
		}
		if decided && show != p.include {
			return p, mixed(e.Key, show)
		}
		p.include, decided = show, true
		if err := p.tree.grow(path(e.Key), e.Key); err != nil {
			return p, err
		}
	}
	if !decided { // only _id is named: show it alone, or hide it alone
		p.include = p.id
	}
	return p, nil
}

func mixed(name string, show bool) error {
	if show {
		return fail(codeMixedInclusion, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	return fail(codeMixedExclusion, "Cannot do exclusion on field %s in inclusion projection", name)
}

func (b branch) grow(parts []string, whole string) error {
	child, taken := b[parts[0]]
	if taken && (child == nil || len(parts) == 1) {
		return fail(codePathCollision, "Path collision at %s", whole)
	}
	if len(parts) == 1 {
		b[parts[0]] = nil
		return nil
	}
	if !taken {
		child = branch{}
		b[parts[0]] = child
	}
	return child.grow(parts[1:], whole)
}

func (p projection) apply(d bson.D) bson.D {
	out := bson.D{}
	for _, e := range d {
		if e.Key == "_id" {
			if p.id {
				out = append(out, e)
			}
			continue
		}
		if v, shown := p.value(p.tree, e); shown {
			out = append(out, bson.E{Key: e.Key, Value: v})
		}
	}
	return out
}

// value returns what is shown of one field, if anything.
func (p projection) value(b branch, e bson.E) (any, bool) {
	child, named := b[e.Key]
	switch {
	case !named:
		return e.Value, !p.include
	case child == nil:
		return e.Value, p.include
	}
	return p.inside(child, e.Value)
}

// inside goes on with the rest of a path in a document, or in each element of
// an array. A scalar in its way is shown only by an exclusion.
func (p projection) inside(b branch, v any) (any, bool) {
	switch v := v.(type) {
	case bson.D:
		out := bson.D{}
		for _, e := range v {
			if inner, shown := p.value(b, e); shown {
				out = append(out, bson.E{Key: e.Key, Value: inner})
			}
		}
		return out, true
	case bson.A:
		out := bson.A{}
		for _, item := range v {
			if inner, shown := p.inside(b, item); shown {
				out = append(out, inner)
			}
		}
		return out, true
	}
	return v, !p.include
}
