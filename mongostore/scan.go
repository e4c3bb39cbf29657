package mongostore

import (
	"context"
	"hash/maphash"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// scanBatch is how many documents a scan gets at once: some 400 kB.
const scanBatch = 2000

// Scan implements [twilioacct.Scanner]. Each document is an entry, so several that hold one SID are several entries. It holds one
// batch in memory; [Options.Timeout] bounds each batch, ctx the whole. The server forgets a scan whose loop rests for ten minutes.
func (s *Store) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return func(yield func(twilioacct.Entry, error) bool) {
		if ctx == nil {
			yield(twilioacct.Entry{}, errNoContext)
			return
		}
		cursor, err := s.openScan(ctx)
		if err != nil {
			yield(twilioacct.Entry{}, readFailure("find", err))
			return
		}
		defer s.closeCursor(ctx, cursor)
		for s.next(ctx, cursor) {
			if err := ctx.Err(); err != nil {
				yield(twilioacct.Entry{}, err)
				return
			}
			if !yield(s.paths.entry(cursor.Current, seed)) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(twilioacct.Entry{}, readFailure("getMore", err))
		}
	}
}

func (s *Store) openScan(ctx context.Context) (*mongo.Cursor, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.accounts.Find(ctx, bson.D{hasText(s.paths.sid)},
		options.Find().SetProjection(s.paths.summaryProjection()).SetBatchSize(scanBatch))
}

// next bounds a batch in time; a document of a batch that is here needs none.
func (s *Store) next(ctx context.Context, cursor *mongo.Cursor) bool {
	if cursor.RemainingBatchLength() == 0 {
		bounded, cancel := s.bounded(ctx)
		defer cancel()
		ctx = bounded
	}
	return cursor.Next(ctx)
}
