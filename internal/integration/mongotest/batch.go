package mongotest

import (
	"strings"

	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// outcome is what one operation of a batch did.
type outcome struct {
	matched, modified int
	upserted          any // the _id, if inserted is set
	inserted          bool
}

// operation is one insert, update or delete of a batch.
type operation func(*lungo.Transaction) (outcome, error)

// batch runs the operations one by one. An ordered batch ends at its first
// error, an unordered one goes on; either way, what succeeded stays.
func (s *Server) batch(r *request, operations []operation) (bson.D, error) {
	var result batchResult
	ordered := r.get("ordered") == nil || truthy(r.get("ordered"))
	err := s.write(r, func(txn *lungo.Transaction) error {
		for i, op := range operations {
			done, err := r.run(txn, i, op)
			if err == nil {
				result.add(i, done)
				continue
			}
			failure := translate(err)
			result.errors = append(result.errors, failure.writeError(i))
			if failure.code == codeShutdownInProgress {
				return failure
			}
			if ordered {
				break
			}
		}
		return nil
	})
	return result.reply(r.name == "update"), err
}

// run executes one operation unless a fault hits it. A panic of the engine
// fails only this operation.
func (r *request) run(txn *lungo.Transaction, index int, op operation) (done outcome, err error) {
	if r.fault.hits(index) {
		return outcome{}, r.fault.error(r)
	}
	_, err = safely(func() (bson.D, error) {
		done, err = op(txn)
		return nil, err
	})
	return done, err
}

// batchResult adds up the outcomes for the reply.
type batchResult struct {
	n, modified      int
	upserted, errors []bson.D
}

func (b *batchResult) add(index int, o outcome) {
	b.n += o.matched
	b.modified += o.modified
	if o.inserted {
		b.n++
		b.upserted = append(b.upserted, document("index", int32(index), "_id", o.upserted))
	}
}

func (b *batchResult) reply(ofUpdate bool) bson.D {
	d := document("n", int32(b.n))
	if ofUpdate {
		d = with(d, "nModified", int32(b.modified))
	}
	if len(b.upserted) > 0 {
		d = with(d, "upserted", array(b.upserted))
	}
	if len(b.errors) > 0 {
		d = with(d, "writeErrors", array(b.errors))
	}
	return d
}

// add inserts one document.
func add(txn *lungo.Transaction, h lungo.Handle, d bson.D) (outcome, error) {
	d, err := withFirstID(d)
	if err != nil {
		return outcome{}, err
	}
	res, err := txn.Insert(h, bsonkit.List{&d}, true)
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return outcome{}, explain(err, txn, h, &d)
	}
	return outcome{matched: 1, upserted: bsonkit.Get(res.Modified[0], "_id")}, nil
}

// withFirstID moves _id to the front, as MongoDB stores it, and refuses what
// cannot be one.
func withFirstID(d bson.D) (bson.D, error) {
	for i, e := range d {
		if e.Key != "_id" {
			continue
		}
		if _, isArray := e.Value.(bson.A); isArray {
			return nil, fail(codeInvalidIDField, "The '_id' value cannot be of type array")
		}
		if i == 0 {
			return d, nil
		}
		front := append(bson.D{e}, d[:i]...)
		return append(front, d[i+1:]...), nil
	}
	return d, nil
}

// explain turns the engine's bare duplicate error into MongoDB's, which names
// the key; other errors it returns unchanged. The document is the one refused.
func explain(err error, txn *lungo.Transaction, h lungo.Handle, d bsonkit.Doc) error {
	if !lungo.IsUniquenessError(err) {
		return err
	}
	_, quoted, _ := strings.Cut(err.Error(), "index ")
	name := strings.Trim(quoted, `"`)
	namespace := txn.Catalog().Namespaces[h]
	if namespace == nil || namespace.Indexes[name] == nil {
		return duplicate(h, name, bson.D{{Key: "_id", Value: int32(1)}}, d)
	}
	return duplicate(h, name, *namespace.Indexes[name].Config().Key, d)
}

// duplicate is MongoDB's error for a document which a unique index refuses.
func duplicate(h lungo.Handle, index string, key bson.D, d bsonkit.Doc) error {
	value := bson.D{}
	for _, part := range key {
		v := bsonkit.Get(d, part.Key)
		if v == bsonkit.Missing {
			v = nil
		}
		value = append(value, bson.E{Key: part.Key, Value: v})
	}
	e := fail(codeDuplicateKey, "E11000 duplicate key error collection: %s index: %s dup key: %s", h, index, shell(value))
	e.details = document("keyPattern", key, "keyValue", value)
	return e
}

// shell writes a document roughly as MongoDB's messages do.
func shell(d bson.D) string {
	parts := make([]string, 0, len(d))
	for _, e := range d {
		text, err := bson.MarshalExtJSON(bson.D{e}, false, false)
		if err != nil {
			continue
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(string(text), "{"), "}")
		_, value, _ := strings.Cut(inner, `":`)
		parts = append(parts, e.Key+": "+value)
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// candidates are the documents which an update would make of the matched ones.
func candidates(matched bsonkit.List, change func(bsonkit.Doc) error) (bsonkit.List, error) {
	after := bsonkit.CloneList(matched)
	for _, d := range after {
		if err := change(d); err != nil {
			return nil, err
		}
	}
	return after, nil
}

// refusedBy returns the candidate which collides in a unique index, for the
// error's keyValue; the first one if none can be told.
func refusedBy(namespace *mongokit.Collection, before, after bsonkit.List) bsonkit.Doc {
	for i, d := range after {
		others := namespace.Clone()
		for _, index := range others.Indexes {
			_, _ = index.Remove(before[i])
			if has, err := index.Has(d); err == nil && has && index.Config().Unique {
				return d
			}
		}
	}
	return after[0]
}
