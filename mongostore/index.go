package mongostore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// The names of our indexes.
const (
	sidIndex    = "twilioacct_sid"
	tenantIndex = "twilioacct_tenant"
)

// Indexes are what [Store.EnsureIndexes] makes, for applications with migrations of their own: a unique one on the SID and one
// on the tenant. Both leave out the documents that have no such field: many documents have no account, and to MongoDB a missing
// field is null, of which a unique index takes only one.
func (s *Store) Indexes() []mongo.IndexModel {
	return []mongo.IndexModel{
		index(sidIndex, s.paths.sid, true),
		index(tenantIndex, s.paths.tenant, false),
	}
}

func index(name string, at *path, unique bool) mongo.IndexModel {
	o := options.Index().SetName(name).SetPartialFilterExpression(bson.D{hasText(at)})
	if unique {
		o.SetUnique(true)
	}
	return mongo.IndexModel{Keys: bson.D{{Key: at.dotted, Value: 1}}, Options: o}
}

// EnsureIndexes makes [Store.Indexes]; what is there already stays. Call it from a migration, with a deadline: it takes as long
// as the collection is large, and only ctx bounds it. If an index cannot be made, the error is an *[IndexError] that says what to
// do, and the other one is made all the same. From MongoDB 5.0 on, an index of your own on the same field is no conflict, and
// there are two then.
func (s *Store) EnsureIndexes(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	var failures []error
	for i, name := range []string{sidIndex, tenantIndex} {
		if _, err := s.accounts.Indexes().CreateOne(ctx, s.Indexes()[i]); err != nil {
			failures = append(failures, indexFailure(name, err))
		}
	}
	return errors.Join(failures...)
}

// isIndexed is true where an index leads to a document by its SID. A server that does not say counts as one without: what follows is
// slower then, and as good. Once true, it stays so: nobody drops such an index under a program that runs.
func (s *Store) isIndexed(ctx context.Context) bool {
	if s.indexed.Load() {
		return true
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	cursor, err := s.accounts.Indexes().List(ctx)
	if err != nil {
		return false
	}
	var all []bson.Raw
	if cursor.All(ctx, &all) == nil && slices.ContainsFunc(all, s.leadsToSID) {
		s.indexed.Store(true)
	}
	return s.indexed.Load()
}

// leadsToSID is true for an index on the SID that has all of them in it.
func (s *Store) leadsToSID(index bson.Raw) bool {
	keys, _ := index.Lookup("key").DocumentOK()
	first, err := keys.IndexErr(0)
	if err != nil || first.Key() != s.paths.sid.dotted {
		return false
	}
	if isHidden, _ := index.Lookup("hidden").BooleanOK(); isHidden || !index.Lookup("collation").IsZero() {
		return false
	}
	partial, isPartial := index.Lookup("partialFilterExpression").DocumentOK()
	ours, err := bson.Marshal(bson.D{hasText(s.paths.sid)})
	return !isPartial || err == nil && bytes.Equal(partial, ours)
}

// IndexError is an index that could not be made. errors.Is finds twilioacct.ErrConflict.
type IndexError struct {
	Index string // its name
	Code  int    // 85 or 86: another index is in its place; 11000: several documents hold one SID
}

// Error says what is in the way and how to mend it.
func (e *IndexError) Error() string {
	problem := "another index has this name: drop it, or rename it"
	switch e.Code {
	case indexOptionsConflict:
		problem = "the field has another index: drop it; or keep it, if it is unique, and do without EnsureIndexes"
	case duplicateKey:
		problem = "several documents hold the same SID: Store.Duplicates lists them; keep one of each"
	}
	return fmt.Sprintf("mongostore: index %s: %s (code %d)", e.Index, problem, e.Code)
}

// Is knows twilioacct.ErrConflict.
func (e *IndexError) Is(target error) bool { return target == twilioacct.ErrConflict }

func indexFailure(name string, err error) error {
	failure := newError("createIndexes", err)
	switch failure.Code {
	case indexOptionsConflict, indexKeyConflict, duplicateKey:
		return &IndexError{Index: name, Code: failure.Code}
	}
	return failure
}

// Duplicates yields each SID that several documents hold, in no particular order: what keeps EnsureIndexes from making the unique
// index. It reads the whole collection, and only ctx bounds it. SIDs inside an array are not found, though they count for a unique
// index. An error ends it.
func (s *Store) Duplicates(ctx context.Context) iter.Seq2[string, error] {
	const count = "n"
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{hasText(s.paths.sid)}}},
		{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: "$" + s.paths.sid.dotted},
			{Key: count, Value: bson.D{{Key: "$sum", Value: 1}}},
		}}},
		{{Key: "$match", Value: bson.D{{Key: count, Value: bson.D{{Key: "$gt", Value: 1}}}}}},
	}
	return func(yield func(string, error) bool) {
		if ctx == nil {
			yield("", errNoContext)
			return
		}
		cursor, err := s.accounts.Aggregate(ctx, pipeline)
		if err != nil {
			yield("", readFailure("aggregate", err))
			return
		}
		defer s.closeCursor(ctx, cursor)
		for cursor.Next(ctx) {
			sid, isText := cursor.Current.Lookup("_id").StringValueOK()
			if isText && !yield(sid, nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield("", readFailure("aggregate", err))
		}
	}
}

// closeCursor tells the server, even if the caller has left; then it has no time for a server that does not listen.
func (s *Store) closeCursor(ctx context.Context, cursor *mongo.Cursor) {
	patience := s.timeout
	if ctx.Err() != nil {
		patience = min(patience, 100*time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_ = cursor.Close(ctx) // one that cannot be told forgets the cursor by itself
}
