package mongotest

import (
	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

var updateFields = fields{
	"q": aDocument, "u": anything, "upsert": aFlag, "multi": aFlag, "arrayFilters": documents, "hint": anything,
	"collation": refused, "c": refused,
}

// change is one update or replacement, checked before it meets any document.
type change struct {
	filter, sort bsonkit.Doc
	update       bsonkit.Doc // with operators, or the replacement
	replace      bool
	upsert       bool
	limit        int
	arrayFilters bsonkit.List
	hint         any
}

func (s *Server) update(r *request) (bson.D, error) {
	var operations []operation
	for _, spec := range r.documents("updates") {
		if err := updateFields.check("update.updates", spec); err != nil {
			return nil, err
		}
		operations = append(operations, func(txn *lungo.Transaction) (outcome, error) {
			c, err := newChange(spec)
			if err != nil {
				return outcome{}, err
			}
			effect, err := c.apply(txn, r.handle)
			return effect.outcome(), err
		})
	}
	return s.batch(r, operations)
}

// newChange reads one element of an update command.
func newChange(spec bson.D) (change, error) {
	c := change{filter: asFilter(field(spec, "q")), upsert: truthy(field(spec, "upsert")), limit: 1, hint: field(spec, "hint")}
	if truthy(field(spec, "multi")) {
		c.limit = 0
	}
	for _, f := range asDocuments(field(spec, "arrayFilters")) {
		c.arrayFilters = append(c.arrayFilters, &f)
	}
	switch u := field(spec, "u").(type) {
	case bson.D:
		c.update, c.replace = &u, !hasOperators(u)
	case bson.A:
		return c, fail(codeNotImplemented, "the embedded server does not implement updates with a pipeline")
	default:
		return c, fail(codeFailedToParse, "Update argument must be either an object or an array")
	}
	if err := checkFilter(*c.filter); err != nil {
		return c, err
	}
	if !c.replace {
		return c, checkUpdate(*c.update)
	}
	if c.limit == 0 {
		return c, fail(codeFailedToParse, "multi update is not supported for replacement-style update")
	}
	return c, checkReplacement(*c.update)
}

// effect is what a change did: the documents before and after it, or the one
// it inserted.
type effect struct {
	before, after bsonkit.List
	modified      int
	inserted      bsonkit.Doc
}

func (e effect) outcome() outcome {
	if e.inserted != nil {
		return outcome{inserted: true, upserted: bsonkit.Get(e.inserted, "_id")}
	}
	return outcome{matched: len(e.before), modified: e.modified}
}

// apply finds the documents first, so that each error can be told as MongoDB
// tells it. Nothing comes between, for a writing transaction excludes all
// others.
func (c change) apply(txn *lungo.Transaction, h lungo.Handle) (effect, error) {
	if err := checkHint(txn, h, c.hint); err != nil {
		return effect{}, err
	}
	found, err := txn.Find(h, c.filter, c.sort, 0, c.limit)
	if err != nil {
		return effect{}, err
	}
	if len(found.Matched) > 0 {
		return c.modify(txn, h, found.Matched)
	}
	if !c.upsert {
		return effect{}, nil
	}
	return c.insert(txn, h)
}

// modify changes the matched documents, all or none.
func (c change) modify(txn *lungo.Transaction, h lungo.Handle, matched bsonkit.List) (effect, error) {
	after, err := candidates(matched, c.transform)
	if err != nil {
		return effect{}, err
	}
	for i, d := range after {
		if !sameID(bsonkit.Get(d, "_id"), bsonkit.Get(matched[i], "_id")) {
			return effect{}, fail(codeImmutableField,
				"Performing an update on the path '_id' would modify the immutable field '_id'")
		}
	}
	e := effect{before: matched, after: matched}
	written, err := c.write(txn, h, matched, after)
	if err != nil {
		return effect{}, explain(err, txn, h, refusedBy(txn.Catalog().Namespaces[h], matched, after))
	}
	if e.modified = len(written); e.modified > 0 {
		e.after = written
	}
	return e, nil
}

// transform applies the change to one document in place.
func (c change) transform(d bsonkit.Doc) error {
	if c.replace {
		id := bsonkit.Get(d, "_id")
		replacement, err := withFirstID(*bsonkit.Clone(c.update))
		if err != nil {
			return err
		}
		if field(replacement, "_id") == nil {
			replacement = append(document("_id", id), replacement...)
		}
		*d = replacement
		return nil
	}
	_, err := mongokit.Apply(d, c.filter, c.update, false, c.arrayFilters)
	return err
}

// write lets the engine do what transform has tried out. The engine compares
// ids with ==, which panics for documents and binaries (UUIDs); replacing by a
// document without an _id avoids that.
func (c change) write(txn *lungo.Transaction, h lungo.Handle, matched, after bsonkit.List) (bsonkit.List, error) {
	if !c.replace && idsComparable(matched) {
		res, err := txn.Update(h, byID(matched...), nil, c.update, 0, 0, false, c.arrayFilters)
		if err != nil {
			return nil, err
		}
		return res.Modified, nil
	}
	var written bsonkit.List
	for i, d := range after {
		body := withoutID(*d)
		res, err := txn.Replace(h, byID(matched[i]), nil, &body, false)
		if err != nil {
			return nil, err
		}
		written = append(written, res.Modified...)
	}
	return written, nil
}

// insert is the other half of an upsert: the filter's equalities and the
// update make a document.
func (c change) insert(txn *lungo.Transaction, h lungo.Handle) (effect, error) {
	d, err := mongokit.Extract(c.filter)
	if err != nil {
		return effect{}, err
	}
	id := bsonkit.Get(d, "_id")
	if c.replace {
		d, err = c.replacementFor(id)
	} else {
		_, err = mongokit.Apply(d, c.filter, c.update, true, c.arrayFilters)
	}
	if err != nil {
		return effect{}, err
	}
	if id != bsonkit.Missing && !sameID(id, bsonkit.Get(d, "_id")) {
		return effect{}, fail(codeImmutableField, "The _id field cannot be changed from its value in the query")
	}
	if bsonkit.Get(d, "_id") == bsonkit.Missing {
		*d = append(document("_id", primitive.NewObjectID()), *d...)
	}
	if _, err = add(txn, h, *d); err != nil {
		return effect{}, err
	}
	return effect{inserted: d}, nil
}

func (c change) replacementFor(id any) (bsonkit.Doc, error) {
	d := bsonkit.Clone(c.update)
	if id != bsonkit.Missing && bsonkit.Get(d, "_id") == bsonkit.Missing {
		*d = append(document("_id", id), *d...)
	}
	ordered, err := withFirstID(*d)
	return &ordered, err
}

// idsComparable reports whether Go can compare the documents' ids with ==.
func idsComparable(docs bsonkit.List) bool {
	for _, d := range docs {
		switch bsonkit.Get(d, "_id").(type) {
		case bson.D, bson.A, primitive.Binary:
			return false
		}
	}
	return true
}

// byID is a filter for exactly these documents.
func byID(docs ...bsonkit.Doc) bsonkit.Doc {
	if len(docs) == 1 {
		d := document("_id", document("$eq", bsonkit.Get(docs[0], "_id")))
		return &d
	}
	ids := bson.A{}
	for _, d := range docs {
		ids = append(ids, bsonkit.Get(d, "_id"))
	}
	d := document("_id", document("$in", ids))
	return &d
}

func withoutID(d bson.D) bson.D {
	rest := make(bson.D, 0, len(d))
	for _, e := range d {
		if e.Key != "_id" {
			rest = append(rest, e)
		}
	}
	return rest
}

// sameID compares ids as MongoDB does when it decides whether an update
// changes one.
func sameID(a, b any) bool { return bsonkit.Compare(a, b) == 0 }
