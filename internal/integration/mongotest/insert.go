package mongotest

import (
	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

func (s *Server) insert(r *request) (bson.D, error) {
	var operations []operation
	for _, d := range r.documents("documents") {
		operations = append(operations, func(txn *lungo.Transaction) (outcome, error) {
			return add(txn, r.handle, d)
		})
	}
	return s.batch(r, operations)
}

var deleteFields = fields{"q": aDocument, "limit": aNumber, "hint": anything, "collation": refused}

func (s *Server) delete(r *request) (bson.D, error) {
	var operations []operation
	for _, spec := range r.documents("deletes") {
		if err := deleteFields.check("delete.deletes", spec); err != nil {
			return nil, err
		}
		operations = append(operations, func(txn *lungo.Transaction) (outcome, error) {
			if err := checkHint(txn, r.handle, field(spec, "hint")); err != nil {
				return outcome{}, err
			}
			removed, err := remove(txn, r.handle, asFilter(field(spec, "q")), nil, intOr(field(spec, "limit"), 0))
			return outcome{matched: len(removed)}, err
		})
	}
	return s.batch(r, operations)
}

// remove deletes up to limit documents, or all for 0, and returns them.
func remove(txn *lungo.Transaction, h lungo.Handle, filter, sort bsonkit.Doc, limit int) (bsonkit.List, error) {
	if err := checkFilter(*filter); err != nil {
		return nil, err
	}
	res, err := txn.Delete(h, filter, sort, 0, limit)
	if err != nil {
		return nil, err
	}
	return res.Matched, nil
}
