package mongotest

import (
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func (s *Server) create(r *request) (bson.D, error) {
	return bson.D{}, s.write(r, func(txn *lungo.Transaction) error {
		if txn.Catalog().Namespaces[r.handle] != nil {
			return fail(codeNamespaceExists, "Collection %s already exists.", r.namespace())
		}
		return txn.Create(r.handle)
	})
}

// drop succeeds for a missing collection too, as MongoDB 7 does.
func (s *Server) drop(r *request) (bson.D, error) {
	return bson.D{}, s.write(r, func(txn *lungo.Transaction) error { return txn.Drop(r.handle) })
}

func (s *Server) dropDatabase(r *request) (bson.D, error) {
	name := r.handle[0]
	return document("dropped", name), s.write(r, func(txn *lungo.Transaction) error {
		return txn.Drop(lungo.Handle{name, ""})
	})
}

// namespaces are the collections by database, without the engine's own.
func namespaces(txn *lungo.Transaction) map[string][]string {
	byDatabase := map[string][]string{}
	for h := range txn.Catalog().Namespaces {
		if h[0] != lungo.Local {
			byDatabase[h[0]] = append(byDatabase[h[0]], h[1])
		}
	}
	return byDatabase
}

func (s *Server) listCollections(r *request) (bson.D, error) {
	var found []bson.D
	err := s.read(r, func(txn *lungo.Transaction) (err error) {
		names := namespaces(txn)[r.handle[0]]
		slices.Sort(names)
		found, err = s.matching(r, names, func(name string) bson.D {
			return describeCollection(r.handle[0]+"."+name, name, truthy(r.get("nameOnly")))
		})
		return err
	})
	return s.cursors.open(s, r.handle[0]+".$cmd.listCollections", found, -1, true), err
}

// describeCollection has a made-up id which stays the same for the same name.
func describeCollection(namespace, name string, nameOnly bool) bson.D {
	d := document("name", name, "type", "collection")
	if nameOnly {
		return d
	}
	sum := sha256.Sum256([]byte(namespace))
	id := primitive.Binary{Subtype: 4, Data: sum[:16]}
	return append(d, document("options", bson.D{}, "info", document("readOnly", false, "uuid", id),
		"idIndex", document("v", int32(2), "key", document("_id", int32(1)), "name", idIndex))...)
}

func (s *Server) listDatabases(r *request) (bson.D, error) {
	var found []bson.D
	err := s.read(r, func(txn *lungo.Transaction) (err error) {
		names := slices.Sorted(maps.Keys(namespaces(txn)))
		found, err = s.matching(r, names, func(name string) bson.D {
			if truthy(r.get("nameOnly")) {
				return document("name", name)
			}
			return document("name", name, "sizeOnDisk", int64(0), "empty", false)
		})
		return err
	})
	return document("databases", array(found), "totalSize", int64(0)), err
}

// matching describes each name, and keeps what the command's filter matches.
func (s *Server) matching(r *request, names []string, describe func(string) bson.D) ([]bson.D, error) {
	filter := asFilter(r.get("filter"))
	if err := checkFilter(*filter); err != nil {
		return nil, err
	}
	var found []bson.D
	for _, name := range names {
		d := describe(name)
		ok, err := match(&d, filter)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, d)
		}
	}
	return found, nil
}
