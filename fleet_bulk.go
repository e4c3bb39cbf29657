package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// change is what a page changes in one document.
type change struct {
	record   Record
	line     *line
	isStatus bool // the status changes, and not only the token
}

// bulk is what one page changes.
type bulk []change

func (b bulk) records() []Record {
	records := make([]Record, len(b))
	for i, c := range b {
		records[i] = c.record
	}
	return records
}

// writeBulks writes one bulk after the other.
func (r *fleetRun) writeBulks(ctx context.Context) {
	w := bulkWriter{store: r.provider.store, width: r.opts.Concurrent}
	for b := range r.bulks {
		failures, err := w.save(ctx, b.records())
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

// patience bounds a bulk. A Store that never answers must not hold up each bulk of a large fleet; but one that has become slow must
// not lose all of them, so that every few bulks one has as much time as ever.
func (w *bulkWriter) patience() time.Duration {
	const few = 5
	if w.isMute && w.inVain%few != 0 {
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
	case len(b) == 0:
	case r.opts.DryRun:
		for _, c := range b {
			r.saved(c)
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
	for _, c := range b {
		reason := cmp.Or(err, reasons[c.record.SID])
		switch {
		case reason == nil:
			r.saved(c)
		case ctx.Err() != nil: // the run is over, and nothing is known of it
		case errors.Is(reason, ErrStale), errors.Is(reason, ErrNoRecord):
			c.line.clear(isSettled)
		default:
			c.line.set(isSettled)
			r.fail(SyncEvent{SID: c.record.SID, DocumentID: r.documentID(c.line), Err: storeError(c.record.SID, reason)})
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
func (r *fleetRun) saved(c change) {
	if c.isStatus {
		r.report.StatusChanges++
	}
	if c.line.has(isNew) {
		r.made()
		return
	}
	c.line.set(isSettled)
	r.report.Changed++
	if !r.opts.DryRun {
		r.provider.drop(c.record.SID)
	}
}
