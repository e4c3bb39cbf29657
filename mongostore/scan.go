package mongostore

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// scanBatch is how many documents a scan gets at once: some 400 kB.
const scanBatch = 2000

// largestBatch is the memory in bytes that a batch may take without a look at more than its first document.
const largestBatch = 1 << 20

// Scan implements [twilioacct.Scanner]. Each document is an entry, so several that hold one SID are several entries. It holds two
// batches in memory, one that the loop goes through and one that comes meanwhile; [Options.Timeout] bounds each batch, ctx the whole.
// The server forgets a scan whose loop rests for long: ten minutes in MongoDB 4.4, thirty in later versions.
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
		reading, stop := context.WithCancel(ctx)
		batches := make(chan scanned)
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() { s.readAll(reading, cursor, batches) })
		for b := range batches {
			for _, raw := range b.documents {
				if err := ctx.Err(); err != nil {
					yield(twilioacct.Entry{}, err)
					return
				}
				if !yield(s.paths.entry(raw, seed)) {
					return
				}
			}
			if b.err != nil {
				yield(twilioacct.Entry{}, b.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(twilioacct.Entry{}, err)
		}
	}
}

// scanned is a batch of a scan, and what ended the scan after it.
type scanned struct {
	documents []bson.Raw
	text      []byte // that the documents are parts of
	err       error
}

// readAll sends batch after batch, until the end or until nobody takes them any more.
func (s *Store) readAll(ctx context.Context, cursor *mongo.Cursor, batches chan<- scanned) {
	defer close(batches)
	var b, before scanned // whoever takes one is done with the one before, whose memory is used again
	for isMore := true; isMore; {
		b, before = before, b
		isMore = s.read(ctx, cursor, &b)
		if !send(ctx, batches, b) {
			return
		}
	}
}

func send(ctx context.Context, batches chan<- scanned, b scanned) bool {
	select {
	case batches <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// read copies the documents that are here, into one piece of memory; the driver may use theirs again.
func (s *Store) read(ctx context.Context, cursor *mongo.Cursor, b *scanned) (isMore bool) {
	b.documents, b.text = b.documents[:0], b.text[:0]
	for s.next(ctx, cursor) {
		left := cursor.RemainingBatchLength()
		if len(b.documents) == 0 {
			b.documents = slices.Grow(b.documents, left+1)
			b.text = slices.Grow(b.text, min(len(cursor.Current)*(left+2), largestBatch)) // one more, for not all are of the same length
		}
		start := len(b.text)
		b.text = append(b.text, cursor.Current...)
		b.documents = append(b.documents, bson.Raw(b.text[start:]))
		if left == 0 {
			return true
		}
	}
	if err := cursor.Err(); err != nil {
		b.err = readFailure("getMore", err)
	}
	return false
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
