package mongotest

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

const (
	firstBatch = 101 // documents in a first batch for which no size was asked

	// awaitData is how long a getMore on a change stream waits for an event
	// if the client doesn't say; MongoDB's default too.
	awaitData = time.Second
)

// cursors are the open cursors by number.
type cursors struct {
	mu   sync.Mutex
	byID map[int64]*cursor
}

// cursor is either the rest of a result or a change stream.
type cursor struct {
	namespace string
	rest      []bson.D
	stream    *changeStream
}

// batchSize reads the client's wish; absent means the default, 0 means none.
func batchSize(v any) int {
	return intOr(v, firstBatch)
}

// open answers with the first batch, and keeps the rest for getMore unless the
// client wants a single batch.
func (c *cursors) open(s *Server, namespace string, docs []bson.D, size int, single bool) bson.D {
	if size < 0 {
		size = len(docs)
	}
	size = min(size, len(docs))
	var id int64
	if size < len(docs) && !single {
		id = c.keep(s, &cursor{namespace: namespace, rest: docs[size:]})
	}
	return cursorReply(id, namespace, "firstBatch", docs[:size])
}

func (c *cursors) keep(s *Server, one *cursor) int64 {
	id := s.nextID()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[int64]*cursor{}
	}
	c.byID[id] = one
	return id
}

func (c *cursors) get(id int64) *cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

// next takes a batch from the rest; 0 takes all. It returns the number under
// which there is more, or 0 when that was the end.
func (c *cursors) next(id int64, size int) (more int64, batch []bson.D) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.byID[id]
	if one == nil {
		return 0, nil
	}
	if size <= 0 || size > len(one.rest) {
		size = len(one.rest)
	}
	batch, one.rest = one.rest[:size], one.rest[size:]
	if len(one.rest) == 0 {
		delete(c.byID, id)
		return 0, batch
	}
	return id, batch
}

func (c *cursors) kill(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := c.byID[id]
	delete(c.byID, id)
	return found
}

func cursorReply(id int64, namespace, name string, docs []bson.D) bson.D {
	return document("cursor", document("id", id, "ns", namespace, name, array(docs)))
}

func (s *Server) getMore(r *request) (bson.D, error) {
	id, _ := asInt(r.body[0].Value)
	one := s.cursors.get(id)
	if one == nil {
		return nil, fail(codeCursorNotFound, "cursor id %d not found", id)
	}
	if one.stream != nil {
		return s.getMoreEvents(r, id, one)
	}
	more, batch := s.cursors.next(id, intOr(r.get("batchSize"), 0))
	return cursorReply(more, one.namespace, "nextBatch", batch), nil
}

// getMoreEvents waits until there is an event, the client's patience ends, or
// the server closes.
func (s *Server) getMoreEvents(r *request, id int64, one *cursor) (bson.D, error) {
	wait := awaitData
	if ms, ok := asInt(r.get("maxTimeMS")); ok && ms > 0 {
		wait = time.Duration(ms) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	events, err := one.stream.await(ctx, s)
	if err != nil {
		s.cursors.kill(id)
		return nil, err
	}
	if one.stream.ended() {
		s.cursors.kill(id)
		id = 0
	}
	return one.stream.reply(id, one.namespace, "nextBatch", events), nil
}

func (s *Server) killCursors(r *request) (bson.D, error) {
	killed, unknown := bson.A{}, bson.A{}
	ids, _ := r.get("cursors").(bson.A)
	for _, v := range ids {
		if id, _ := asInt(v); s.cursors.kill(id) {
			killed = append(killed, id)
		} else {
			unknown = append(unknown, v)
		}
	}
	return document("cursorsKilled", killed, "cursorsNotFound", unknown,
		"cursorsAlive", bson.A{}, "cursorsUnknown", bson.A{}), nil
}
