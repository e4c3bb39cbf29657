package mongotest

import (
	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

func (s *Server) find(r *request) (bson.D, error) {
	limit, single := intOr(r.get("limit"), 0), truthy(r.get("singleBatch"))
	if limit < 0 { // the old way to say both
		limit, single = -limit, true
	}
	list, err := s.lookUp(r, "filter", asDocument(r.get("sort")), limit)
	if err != nil {
		return nil, err
	}
	if list, err = project(list, asDocument(r.get("projection"))); err != nil {
		return nil, err
	}
	return s.cursors.open(s, r.namespace(), contents(list), batchSize(r.get("batchSize")), single), nil
}

// lookUp finds the documents for the filter in the named field.
func (s *Server) lookUp(r *request, filterField string, sort bsonkit.Doc, limit int) (found bsonkit.List, err error) {
	filter := asFilter(r.get(filterField))
	if err := checkFilter(*filter); err != nil {
		return nil, err
	}
	err = s.read(r, func(txn *lungo.Transaction) error {
		if err := checkHint(txn, r.handle, r.get("hint")); err != nil {
			return err
		}
		res, err := txn.Find(r.handle, filter, sort, intOr(r.get("skip"), 0), limit)
		if err == nil {
			found = res.Matched
		}
		return err
	})
	return found, err
}

func (s *Server) count(r *request) (bson.D, error) {
	found, err := s.lookUp(r, "query", nil, max(intOr(r.get("limit"), 0), 0))
	if err != nil {
		return nil, err
	}
	return document("n", int32(len(found))), nil
}

func (s *Server) distinct(r *request) (bson.D, error) {
	found, err := s.lookUp(r, "query", nil, 0)
	if err != nil {
		return nil, err
	}
	return document("values", mongokit.Distinct(found, asString(r.get("key")))), nil
}
