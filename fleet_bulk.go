package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// bulk is what one page changes: records, and the lines of their documents.
type bulk struct {
	records []Record
	lines   []*line
}

// add has room for as many as may still come.
func (b *bulk) add(r Record, x *line, left int) {
	if b.records == nil {
		b.records, b.lines = make([]Record, 0, left), make([]*line, 0, left)
	}
	b.records, b.lines = append(b.records, r), append(b.lines, x)
}

// writeBulks writes one bulk after the other.
func (r *fleetRun) writeBulks(ctx context.Context) {
	w := bulkWriter{store: r.provider.store, width: r.opts.Concurrent}
	for b := range r.bulks {
		failures, err := w.save(ctx, b.records)
		r.call(func() { r.written(ctx, b, failures, err) })
	}
}

// bulkWriter knows how the Store is to be written to.
type bulkWriter struct {
	store  Store
	width  int  // of single writes, where the Store takes no bulks
	inVain int  // how many bulks in a row the Store was waited for in vain
	isMute bool // the last of them had no answer in time
}

// save is patient with a Store that is away for a moment: saving a bulk again is safe. Where that was in vain, the next bulks are tried
// once each, until one is taken.
func (w *bulkWriter) save(ctx context.Context, records []Record) (failures []SaveFailure, err error) {
	const longestPause = 4 * time.Second
	for pause := 250 * time.Millisecond; ; pause *= 2 {
		failures, err = w.saveOnce(ctx, records)
		if err == nil {
			w.inVain, w.isMute = 0, false
			return failures, nil
		}
		w.isMute = errors.Is(err, context.DeadlineExceeded)
		if w.inVain > 0 || pause > longestPause || !rest.Sleep(ctx, pause) {
			w.inVain++
			return failures, err
		}
	}
}

func (w *bulkWriter) saveOnce(ctx context.Context, records []Record) ([]SaveFailure, error) {
	batches, ok := StoreAs[BatchSaver](w.store)
	if !ok {
		return w.saveEach(ctx, records), nil
	}
	limited, cancel := context.WithTimeout(ctx, w.patience())
	defer cancel()
	failures, err := batches.SaveBatch(limited, records)
	if errors.Is(err, errors.ErrUnsupported) {
		return w.saveEach(ctx, records), nil
	}
	return failures, err
}

// patience bounds one try. A Store that never answers must not hold up each bulk of a large fleet; but one that has become slow must
// not lose all of them, so that every few bulks one has as much time as ever.
func (w *bulkWriter) patience() time.Duration {
	const few = 5
	if w.isMute && (w.inVain == 0 || w.inVain%few != 0) {
		return 2 * time.Second
	}
	return storeTime
}

// saveEach is how a Store is written to that takes no bulks.
func (w *bulkWriter) saveEach(ctx context.Context, records []Record) (failures []SaveFailure) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan Record)
	for range min(w.width, len(records)) {
		workers.Go(func() {
			for r := range next {
				if _, err := save(ctx, w.store, r); err != nil {
					mu.Lock()
					failures = append(failures, SaveFailure{SID: r.SID, Err: err})
					mu.Unlock()
				}
			}
		})
	}
	for _, r := range records {
		next <- r
	}
	close(next)
	workers.Wait()
	return failures
}

// write hands a bulk over to be written.
func (r *fleetRun) write(ctx context.Context, b bulk) {
	switch {
	case len(b.records) == 0:
	case r.opts.DryRun:
		for i, x := range b.lines {
			r.saved(b.records[i], x)
		}
	default:
		handOver(ctx, r, r.bulks, b)
	}
}

// written settles the documents of a bulk, but leaves those open that somebody else has written meanwhile. An err is all that is known
// of any of them.
func (r *fleetRun) written(ctx context.Context, b bulk, refused []SaveFailure, err error) {
	r.pending--
	reasons := make(map[string]error, len(refused))
	for _, f := range refused {
		reasons[f.SID] = f.Err
	}
	for i, x := range b.lines {
		sid := b.records[i].SID
		reason := cmp.Or(err, reasons[sid])
		switch {
		case reason == nil:
			r.saved(b.records[i], x)
		case ctx.Err() != nil: // the run is over, and nothing is known of it
		case errors.Is(reason, ErrStale), errors.Is(reason, ErrNoRecord):
			x.clear(isSettled)
		default:
			x.set(isSettled)
			r.fail(SyncEvent{SID: sid, DocumentID: r.documentID(x), Err: storeError(sid, reason)})
		}
	}
}

// storeError is the failure of a record in a bulk.
func storeError(sid string, err error) error {
	if isStores(err) {
		return err
	}
	return &StoreError{Op: "SaveBatch", SID: sid, Err: err}
}

// saved counts a document that is, or in a dry run would be, as Twilio has the account.
func (r *fleetRun) saved(change Record, x *line) {
	if change.Status != "" {
		r.report.StatusChanges++
	}
	if x.has(isNew) {
		r.made()
		return
	}
	x.set(isSettled)
	r.report.Changed++
	if !r.opts.DryRun {
		r.provider.drop(change.SID)
	}
}
