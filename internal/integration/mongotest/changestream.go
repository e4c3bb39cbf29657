package mongotest

import (
	"context"
	"slices"
	"sync"

	"github.com/256dpi/lungo"
	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

var changeStreamFields = fields{
	"resumeAfter": aDocument, "startAfter": aDocument, "startAtOperationTime": anything, "fullDocument": aString,
	"fullDocumentBeforeChange": aString, "allChangesForCluster": aFlag, "showExpandedEvents": refused,
}

// streamStages are the stages which may follow $changeStream here.
var streamStages = []string{"$match", "$project"}

// changeStream follows the engine's log of committed changes.
type changeStream struct {
	handle   lungo.Handle // an empty part matches all
	pipeline []bson.D
	lookup   bool // whether updates carry the full document

	mu      sync.Mutex
	after   primitive.Timestamp // the last change seen; also the resume token
	invalid bool                // an invalidate event was delivered
}

// openChangeStream starts at the client's token or time, or else now.
func (s *Server) openChangeStream(r *request, pipeline []bson.D) (bson.D, error) {
	spec, _ := pipeline[0][0].Value.(bson.D)
	if err := changeStreamFields.check("$changeStream", spec); err != nil {
		return nil, err
	}
	for _, one := range pipeline[1:] {
		if len(one) != 1 || !slices.Contains(streamStages, one[0].Key) {
			return nil, fail(codeNotImplemented, "the embedded server allows only %v in a change stream", streamStages)
		}
	}
	stream := &changeStream{handle: r.handle, pipeline: pipeline[1:], after: s.latest()}
	if truthy(field(spec, "allChangesForCluster")) {
		stream.handle = lungo.Handle{}
	}
	mode := asString(field(spec, "fullDocument"))
	stream.lookup = mode != "" && mode != "default"
	if start, given := startOf(spec); given {
		stream.after = start
	}
	events, err := stream.changes(s)
	if err != nil {
		return nil, err
	}
	var id int64
	if !stream.ended() {
		id = s.cursors.keep(s, &cursor{namespace: r.namespace(), stream: stream})
	}
	return stream.reply(id, r.namespace(), "firstBatch", events), nil
}

// log is what was changed and committed, oldest first.
func (s *Server) log() bsonkit.List {
	return s.engine.Catalog().Namespaces[lungo.Oplog].Documents.List
}

// latest is the time of the newest committed change. The clock would not do: a
// transaction dates its changes when it makes them, not when it commits.
func (s *Server) latest() (at primitive.Timestamp) {
	if log := s.log(); len(log) > 0 {
		at = timeOf(log[len(log)-1])
	}
	return at
}

func timeOf(change bsonkit.Doc) primitive.Timestamp {
	at, _ := bsonkit.Get(change, "clusterTime").(primitive.Timestamp)
	return at
}

// startOf returns the time after which the client wants changes.
func startOf(spec bson.D) (primitive.Timestamp, bool) {
	for _, name := range []string{"resumeAfter", "startAfter"} {
		if token, ok := field(spec, name).(bson.D); ok {
			ts, ok := field(token, "ts").(primitive.Timestamp)
			return ts, ok
		}
	}
	at, ok := field(spec, "startAtOperationTime").(primitive.Timestamp)
	if ok && at.I > 0 {
		at.I-- // this one includes its own time
	}
	return at, ok
}

// await returns the next events, or none when the context ends first.
func (c *changeStream) await(ctx context.Context, s *Server) ([]bson.D, error) {
	for {
		bell := s.commits.wait()
		events, err := c.changes(s)
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return nil, nil
		case <-s.done:
			return nil, fail(codeShutdownInProgress, "the server is closing")
		}
	}
}

// changes returns what was committed since the last call and concerns the
// stream.
func (c *changeStream) changes(s *Server) ([]bson.D, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := s.log()
	if s.oplog.lost(log, c.after) {
		return nil, fail(codeHistoryLost, "the change stream's position is no longer in the log").
			labelled(labelNonResumable)
	}
	var events []bson.D
	for _, change := range log {
		at := timeOf(change)
		if c.invalid || !at.After(c.after) {
			continue
		}
		c.after = at
		found, err := c.events(change)
		if err != nil {
			return nil, err
		}
		events = append(events, found...)
	}
	return events, nil
}

// events are what one change means to this stream: nothing, its event, or
// after the end of what is watched also an invalidate.
func (c *changeStream) events(change bsonkit.Doc) ([]bson.D, error) {
	kind := bsonkit.Get(change, "operationType")
	if !c.concerns(change, kind) {
		return nil, nil
	}
	list := bsonkit.List{c.shape(change, kind)}
	if kind == "drop" && c.handle[1] != "" || kind == "dropDatabase" && c.handle[0] != "" {
		c.invalid = true
		list = append(list, invalidate(change))
	}
	list, err := through(c.pipeline, list)
	return contents(list), err
}

func (c *changeStream) concerns(change bsonkit.Doc, kind any) bool {
	if c.handle[0] != "" && c.handle[0] != bsonkit.Get(change, "ns.db") {
		return false
	}
	return c.handle[1] == "" || c.handle[1] == bsonkit.Get(change, "ns.coll") || kind == "dropDatabase"
}

// shape leaves out an update's document unless the client asked for it.
func (c *changeStream) shape(change bsonkit.Doc, kind any) bsonkit.Doc {
	if kind != "update" || c.lookup {
		return change
	}
	d := slices.DeleteFunc(slices.Clone(*change), func(e bson.E) bool { return e.Key == "fullDocument" })
	return &d
}

func invalidate(change bsonkit.Doc) bsonkit.Doc {
	d := document("_id", bsonkit.Get(change, "_id"), "operationType", "invalidate",
		"clusterTime", bsonkit.Get(change, "clusterTime"))
	return &d
}

func (c *changeStream) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.invalid
}

// reply tells the position besides the events, so that a client can resume
// even before the first event.
func (c *changeStream) reply(id int64, namespace, name string, events []bson.D) bson.D {
	c.mu.Lock()
	token := document("ts", c.after)
	c.mu.Unlock()
	return document("cursor", document("id", id, "ns", namespace, name, array(events), "postBatchResumeToken", token))
}

// oplogStart remembers the first change there ever was, to tell a log which
// was cut from a short one.
type oplogStart struct {
	mu    sync.Mutex
	first *primitive.Timestamp
}

// lost reports whether changes after the position have been cut from the log.
func (o *oplogStart) lost(log bsonkit.List, after primitive.Timestamp) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(log) == 0 {
		return false
	}
	oldest := timeOf(log[0])
	if o.first == nil {
		o.first = &oldest
	}
	return !oldest.Equal(*o.first) && after.Before(oldest)
}

// observe must see the log after every commit, or first could be a later one.
func (o *oplogStart) observe(log bsonkit.List) { o.lost(log, primitive.Timestamp{}) }
