package mongostore

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// maxCopies bounds how many documents of one SID are read and written. More is no longer a mistake in the data, but a wrong path.
const maxCopies = 100

var errNoContext = invalid("the context is nil: pass context.Background() where there is no other")

// bounded gives a context our time, where it has not less.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// find returns the documents that hold the SID and can be read, that of the record first. Their records know how many hold it in all.
// It is an error that some hold it and none can be read.
func (s *Store) find(ctx context.Context, sid string) ([]document, error) {
	if !isSID(sid) {
		return nil, nil // no record is of what is no SID
	}
	raws, err := s.findRaw(ctx, bson.D{{Key: s.paths.sid.dotted, Value: sid}}, maxCopies+1)
	if err != nil {
		return nil, err
	}
	if len(raws) > maxCopies {
		return nil, fmt.Errorf("mongostore: more than %d documents hold the SID %s: is %s its path?", maxCopies, sid, s.paths.sid)
	}
	found, odd := s.paths.readable(raws)
	if len(found) == 0 {
		return nil, odd
	}
	slices.SortFunc(found, document.compare)
	for i := range found {
		found[i].record.Copies = len(raws)
	}
	return found, nil
}

// findAgain reads a document once more. It is false where the document is gone, or is nothing that we write to any more.
func (s *Store) findAgain(ctx context.Context, d document) (again document, isThere bool, err error) {
	raws, err := s.findRaw(ctx, bson.D{{Key: "_id", Value: d.id}, {Key: s.paths.sid.dotted, Value: d.record.SID}}, 1)
	if err != nil {
		return document{}, false, err
	}
	found, _ := s.paths.readable(raws)
	if len(found) == 0 {
		return document{}, false, nil
	}
	return found[0], true, nil
}

// findRaw reads only our fields, in one batch.
func (s *Store) findRaw(ctx context.Context, filter bson.D, limit int) ([]bson.Raw, error) {
	batch := int32(limit + 1) //nolint:gosec // a thousand or so
	o := options.Find().SetProjection(s.paths.projection()).SetLimit(int64(limit)).SetBatchSize(batch)
	cursor, err := s.accounts.Find(ctx, filter, o)
	if err != nil {
		return nil, readFailure("find", err)
	}
	var raws []bson.Raw
	if err := cursor.All(ctx, &raws); err != nil {
		return nil, readFailure("find", err)
	}
	return raws, nil
}

func (p paths) projection() bson.D {
	return append(p.summaryProjection(), include(p.tenant), include(p.keys))
}

func (p paths) summaryProjection() bson.D {
	return bson.D{include(p.sid), include(p.token), include(p.status), include(p.rev)}
}

func include(at *path) bson.E { return bson.E{Key: at.dotted, Value: 1} }

// hasText is what MongoDB can use a partial index for, unlike {$type: "string"}: the field is a string and not empty.
func hasText(at *path) bson.E {
	return bson.E{Key: at.dotted, Value: bson.D{{Key: "$gt", Value: ""}}}
}
