package mongotest

import (
	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

// findAndModify changes or removes one document and returns it, as it was or
// as it became.
func (s *Server) findAndModify(r *request) (reply bson.D, err error) {
	err = s.write(r, func(txn *lungo.Transaction) error {
		if truthy(r.get("remove")) {
			reply, err = r.findAndRemove(txn)
		} else {
			reply, err = r.findAndUpdate(txn)
		}
		return err
	})
	return reply, err
}

func (r *request) findAndRemove(txn *lungo.Transaction) (bson.D, error) {
	removed, err := remove(txn, r.handle, asFilter(r.get("query")), asDocument(r.get("sort")), 1)
	if err != nil {
		return nil, err
	}
	status := document("n", int32(len(removed)))
	return r.modified(status, first(removed))
}

func (r *request) findAndUpdate(txn *lungo.Transaction) (bson.D, error) {
	c, err := newChange(document("q", r.get("query"), "u", r.get("update"),
		"upsert", r.get("upsert"), "arrayFilters", r.get("arrayFilters"), "hint", r.get("hint")))
	if err != nil {
		return nil, err
	}
	c.sort = asDocument(r.get("sort"))
	effect, err := c.apply(txn, r.handle)
	if err != nil {
		return nil, err
	}
	wantsNew := truthy(r.get("new"))
	switch {
	case effect.inserted != nil:
		status := document("n", int32(1), "updatedExisting", false, "upserted", bsonkit.Get(effect.inserted, "_id"))
		if wantsNew {
			return r.modified(status, effect.inserted)
		}
		return r.modified(status, nil)
	case wantsNew:
		return r.modified(existing(effect), first(effect.after))
	}
	return r.modified(existing(effect), first(effect.before))
}

func existing(e effect) bson.D {
	return document("n", int32(len(e.before)), "updatedExisting", len(e.before) > 0)
}

// modified is the reply: what happened, and the document, projected.
func (r *request) modified(status bson.D, d bsonkit.Doc) (bson.D, error) {
	var value any
	if d != nil {
		projected, err := project(bsonkit.List{d}, asDocument(r.get("fields")))
		if err != nil {
			return nil, err
		}
		value = *projected[0]
	}
	return document("lastErrorObject", status, "value", value), nil
}

func first(list bsonkit.List) bsonkit.Doc {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
