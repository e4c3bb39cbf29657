package mongotest

import (
	"slices"
	"sync"

	bsonv1 "go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// record keeps what the server was sent.
type record struct {
	mu   sync.Mutex
	list []seen
}

type seen struct {
	name string
	raw  bson.Raw
}

// add keeps a copy of the command, because executing it may change its
// documents.
func (r *record) add(req *request) bson.Raw {
	raw, err := bsonv1.Marshal(req.body)
	if err != nil {
		raw = nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, seen{req.name, raw})
	return raw
}

// Seen counts the commands of this name since the start or ForgetCommands,
// those which met a fault included.
func (s *Server) Seen(command string) int { return len(s.Commands(command)) }

// Commands returns the commands of these names, or all without a name, in the
// order of arrival and as sent, with document sequences ("documents",
// "updates", "deletes") as arrays. Without names that includes the driver's
// own, as hello and endSessions.
func (s *Server) Commands(names ...string) []bson.Raw {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	var found []bson.Raw
	for _, c := range s.record.list {
		if len(names) == 0 || slices.Contains(names, c.name) {
			found = append(found, c.raw)
		}
	}
	return found
}

// ForgetCommands empties the record.
func (s *Server) ForgetCommands() {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.record.list = nil
}
