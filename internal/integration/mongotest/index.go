package mongotest

import (
	"slices"
	"time"

	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

const idIndex = "_id_"

var indexFields = fields{
	"key": aDocument, "name": aString, "unique": aFlag, "partialFilterExpression": aDocument,
	"expireAfterSeconds": aNumber, "v": aNumber, "background": aFlag, "ns": aString,
	// An index with one of these would accept what MongoDB refuses.
	"sparse": refused, "collation": refused, "hidden": refused, "weights": refused, "default_language": refused,
	"language_override": refused, "textIndexVersion": refused, "2dsphereIndexVersion": refused, "bits": refused,
	"min": refused, "max": refused, "wildcardProjection": refused, "storageEngine": refused, "prepareUnique": refused,
	"clustered": refused,
}

func (s *Server) createIndexes(r *request) (bson.D, error) {
	var before, after int
	err := s.write(r, func(txn *lungo.Transaction) error {
		before = len(indexes(txn, r.handle))
		for _, spec := range r.documents("indexes") {
			if err := createIndex(txn, r.handle, spec); err != nil {
				return err
			}
		}
		after = len(indexes(txn, r.handle))
		return nil
	})
	created := before == 0
	before = max(before, 1) // a new collection begins with the index on _id
	return document("numIndexesBefore", int32(before), "numIndexesAfter", int32(after),
		"createdCollectionAutomatically", created), err
}

// indexes are those of the collection, or none if it doesn't exist.
func indexes(txn *lungo.Transaction, h lungo.Handle) map[string]*mongokit.Index {
	if namespace := txn.Catalog().Namespaces[h]; namespace != nil {
		return namespace.Indexes
	}
	return nil
}

func createIndex(txn *lungo.Transaction, h lungo.Handle, spec bson.D) error {
	name, config, err := parseIndex(spec)
	if err != nil {
		return err
	}
	if key := *config.Key; len(key) == 1 && key[0].Key == "_id" {
		return txn.Create(h) // the index on _id comes with the collection
	}
	exists, err := conflict(name, config, indexes(txn, h))
	if err != nil || exists {
		return err
	}
	_, err = txn.CreateIndex(h, name, config)
	if lungo.IsUniquenessError(err) {
		return duplicateAmong(txn, h, name, config)
	}
	return err
}

func parseIndex(spec bson.D) (name string, config mongokit.IndexConfig, err error) {
	for _, e := range spec {
		if _, known := indexFields[e.Key]; !known {
			return "", config, fail(codeInvalidIndexOption,
				"The field '%s' is not valid for an index specification. Specification: %s", e.Key, shell(spec))
		}
	}
	if err := indexFields.check("createIndexes.indexes", spec); err != nil {
		return "", config, err
	}
	if err := needs("createIndexes.indexes", spec, "key", "name"); err != nil {
		return "", config, err
	}
	config = mongokit.IndexConfig{
		Key:     asDocument(field(spec, "key")),
		Unique:  truthy(field(spec, "unique")),
		Partial: asDocument(field(spec, "partialFilterExpression")),
		Expiry:  expiry(field(spec, "expireAfterSeconds")),
	}
	if err := checkKey(*config.Key); err != nil {
		return "", config, err
	}
	if config.Partial != nil {
		err = checkPartial(*config.Partial)
	}
	return asString(field(spec, "name")), config, err
}

// expiry returns the age at which documents expire. The engine takes zero for
// "never", which is the shortest age in MongoDB.
func expiry(v any) time.Duration {
	seconds, ok := asInt(v)
	switch {
	case !ok:
		return 0
	case seconds <= 0:
		return time.Nanosecond
	}
	return time.Duration(seconds) * time.Second
}

func checkKey(key bson.D) error {
	if len(key) == 0 {
		return fail(codeCannotCreateIndex, "Index keys cannot be an empty object")
	}
	for _, e := range key {
		direction, isNumber := asInt(e.Value)
		switch {
		case !isNumber || slices.Contains(path(e.Key), "$**"):
			return fail(codeNotImplemented, "the embedded server implements only ascending and descending indexes")
		case direction != 1 && direction != -1:
			return fail(codeCannotCreateIndex, "the embedded server takes only 1 and -1 in an index key")
		case slices.Contains(path(e.Key), ""):
			return fail(codeCannotCreateIndex, "Index keys cannot contain an empty field name")
		}
	}
	return nil
}

// partialOperators are those which MongoDB allows in a partial index.
var partialOperators = []string{"$eq", "$gt", "$gte", "$lt", "$lte", "$type", "$exists", "$in"}

func checkPartial(filter bson.D) error {
	if err := checkFilter(filter); err != nil {
		return err
	}
	for _, e := range filter {
		if e.Key == "$and" || e.Key == "$or" {
			for _, clause := range asDocuments(e.Value) {
				if err := checkPartial(clause); err != nil {
					return err
				}
			}
			continue
		}
		operators, _ := e.Value.(bson.D)
		if e.Key[0] != '$' && !hasOperators(operators) {
			continue
		}
		for _, o := range operators {
			if !slices.Contains(partialOperators, o.Key) || o.Key == "$exists" && !truthy(o.Value) {
				return fail(codeCannotCreateIndex, "unsupported expression in partial index: %s", o.Key)
			}
		}
	}
	return nil
}

// conflict compares a wanted index with those which exist. It reports whether
// the same one exists already, and refuses what MongoDB refuses.
func conflict(name string, wanted mongokit.IndexConfig, existing map[string]*mongokit.Index) (exists bool, err error) {
	if same := existing[name]; same != nil {
		switch config := same.Config(); {
		case wanted.Equal(config):
			return true, nil
		case signature(wanted) == signature(config):
			return false, fail(codeIndexOptionsConflict,
				"An equivalent index already exists with the same name but different options. Requested index: %s", name)
		}
		return false, fail(codeIndexKeyConflict, "An existing index has the same name as the requested index. "+
			"When index names are not specified, they are auto generated and can cause conflicts. Requested index: %s", name)
	}
	for other, index := range existing {
		if bsonkit.Compare(*index.Config().Key, *wanted.Key) == 0 {
			return false, fail(codeIndexOptionsConflict, "Index already exists with a different name: %s", other)
		}
	}
	return false, nil
}

// signature is what makes an index another one, rather than the same one with
// other options.
func signature(c mongokit.IndexConfig) string {
	d := document("key", *c.Key, "unique", c.Unique)
	if c.Partial != nil {
		d = with(d, "partial", *c.Partial)
	}
	return shell(d)
}

// duplicateAmong finds the document which prevents a unique index.
func duplicateAmong(txn *lungo.Transaction, h lungo.Handle, name string, config mongokit.IndexConfig) error {
	index, err := mongokit.CreateIndex(config)
	if err != nil {
		return err
	}
	for _, d := range txn.Catalog().Namespaces[h].Documents.List {
		if ok, err := index.Add(d); err != nil || !ok {
			return duplicate(h, name, *config.Key, d)
		}
	}
	return fail(codeDuplicateKey, "E11000 duplicate key error collection: %s index: %s", h, name)
}

func (s *Server) listIndexes(r *request) (bson.D, error) {
	var specs []bson.D
	err := s.read(r, func(txn *lungo.Transaction) error {
		if indexes(txn, r.handle) == nil {
			return fail(codeNamespaceNotFound, "ns does not exist: %s", r.namespace())
		}
		list, err := txn.ListIndexes(r.handle)
		specs = contents(list)
		return err
	})
	// MongoDB lists the index on _id first.
	slices.SortStableFunc(specs, func(a, b bson.D) int {
		return rank(field(a, "name")) - rank(field(b, "name"))
	})
	return s.cursors.open(s, r.namespace(), specs, -1, true), err
}

func rank(name any) int {
	if name == idIndex {
		return 0
	}
	return 1
}

func (s *Server) dropIndexes(r *request) (bson.D, error) {
	var before int
	err := s.write(r, func(txn *lungo.Transaction) error {
		existing := indexes(txn, r.handle)
		if existing == nil {
			return fail(codeNamespaceNotFound, "ns not found %s", r.namespace())
		}
		before = len(existing)
		return dropIndexes(txn, r.handle, r.get("index"))
	})
	return document("nIndexesWas", int32(before)), err
}

// dropIndexes drops by name, names, key, or "*" for all but that on _id.
func dropIndexes(txn *lungo.Transaction, h lungo.Handle, which any) error {
	switch which := which.(type) {
	case bson.A:
		for _, one := range which {
			if err := dropIndexes(txn, h, asString(one)); err != nil {
				return err
			}
		}
		return nil
	case bson.D:
		for name, index := range indexes(txn, h) {
			if bsonkit.Compare(*index.Config().Key, which) == 0 {
				return dropIndexes(txn, h, name)
			}
		}
		return fail(codeIndexNotFound, "can't find index with key: %s", shell(which))
	}
	name := asString(which)
	switch {
	case name == "*":
		return txn.DropIndex(h, "")
	case name == idIndex:
		return fail(codeInvalidOptions, "cannot drop _id index")
	case indexes(txn, h)[name] == nil:
		return fail(codeIndexNotFound, "index not found with name [%s]", name)
	}
	return txn.DropIndex(h, name)
}

// checkHint refuses a hint which names no index, as MongoDB does; a known one
// changes nothing, because the engine always scans.
func checkHint(txn *lungo.Transaction, h lungo.Handle, hint any) error {
	key, byKey := hint.(bson.D)
	if hint == nil || byKey && len(key) == 1 && key[0].Key == "$natural" {
		return nil
	}
	for name, index := range indexes(txn, h) {
		if name == asString(hint) || byKey && bsonkit.Compare(*index.Config().Key, key) == 0 {
			return nil
		}
	}
	return fail(codeBadValue, "hint provided does not correspond to an existing index")
}
