package mongostore

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// chunkSize bounds what is unknown after a lost reply, and keeps a command small.
const chunkSize = 500

// SaveBatch implements [twilioacct.BatchSaver], with one read and one unordered bulk write for each 500 records. After its error,
// the records of one chunk may have been written, and those after it were not tried.
func (s *Store) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	b := batch{store: s}
	for len(records) > 0 {
		n := min(len(records), chunkSize)
		if err := b.save(ctx, records[:n]); err != nil {
			return b.failures, err
		}
		records = records[n:]
	}
	return b.failures, nil
}

// batch is a SaveBatch under way.
type batch struct {
	store    *Store
	failures []twilioacct.SaveFailure
}

func (b *batch) fail(sid string, err error) {
	b.failures = append(b.failures, twilioacct.SaveFailure{SID: sid, Err: err})
}

// save saves a chunk: what can be written in bulk first, then one by one what cannot.
func (b *batch) save(ctx context.Context, records []twilioacct.Record) error {
	wanted, later := b.sort(records)
	found, isClear, err := b.store.findMany(ctx, wanted)
	if err != nil {
		return err
	}
	if !isClear {
		return b.saveEach(ctx, append(wanted, later...))
	}
	var writes []bulkWrite
	for _, r := range wanted {
		switch f := found[r.SID]; {
		case f.err != nil:
			b.fail(r.SID, f.err)
		case len(f.documents) > 1:
			later = append(later, r)
		default:
			w, err := b.store.planned(r, f.documents)
			if err != nil {
				b.fail(r.SID, err)
			} else if w.model != nil {
				writes = append(writes, w)
			}
		}
	}
	if err := b.write(ctx, writes); err != nil {
		return err
	}
	return b.saveEach(ctx, later)
}

// sort refuses the malformed, and puts off a record whose SID came before: it depends on what becomes of that.
func (b *batch) sort(records []twilioacct.Record) (now, later []twilioacct.Record) {
	seen := map[string]bool{}
	for _, r := range records {
		switch err := r.Check(); {
		case err != nil:
			b.fail(r.SID, err)
		case seen[r.SID]:
			later = append(later, r)
		default:
			seen[r.SID] = true
			now = append(now, r)
		}
	}
	return now, later
}

func (b *batch) saveEach(ctx context.Context, records []twilioacct.Record) error {
	for _, r := range records {
		_, err := b.store.Save(ctx, r)
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, twilioacct.ErrOutcomeUnknown):
			return err
		case err != nil:
			b.fail(r.SID, err)
		}
	}
	return nil
}

// bulkWrite is one record's part of a bulk write.
type bulkWrite struct {
	record   twilioacct.Record
	document document // zero: a new one
	change   change
	model    mongo.WriteModel // nil: nothing differs
}

// planned is how to write r, where it has at most one document.
func (s *Store) planned(r twilioacct.Record, found []document) (bulkWrite, error) {
	if len(found) == 0 {
		return s.plannedNew(r)
	}
	d := found[0]
	if d.record.Rev != r.Rev {
		return bulkWrite{}, twilioacct.ErrStale
	}
	c := s.paths.changes(d.record, d.record.Merged(r))
	if c.isNone() {
		return bulkWrite{}, nil
	}
	model := mongo.NewUpdateOneModel().SetFilter(s.guard(d)).SetUpdate(s.paths.update(c, r.Rev+1))
	return bulkWrite{record: r, document: d, change: c, model: model}, nil
}

func (s *Store) plannedNew(r twilioacct.Record) (bulkWrite, error) {
	made, err := s.made(r)
	if err != nil {
		return bulkWrite{}, err
	}
	filter, update := s.insertion(made)
	model := mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update).SetUpsert(true)
	return bulkWrite{record: r, model: model}, nil
}

// write sends the bulk, and finds out what became of each of its writes unless all of them were applied.
func (b *batch) write(ctx context.Context, writes []bulkWrite) error {
	if len(writes) == 0 {
		return nil
	}
	models := make([]mongo.WriteModel, len(writes))
	for i, w := range writes {
		models[i] = w.model
	}
	if err := ctx.Err(); err != nil {
		return readFailure("update", err) // not sent, so its outcome is known
	}
	applied, err := b.send(ctx, models)
	var bulk mongo.BulkWriteException
	switch {
	case err == nil && applied == len(writes):
		return nil
	case err != nil && !(errors.As(err, &bulk) && refused(err)):
		return writeFailure("update", err)
	}
	refusals := map[int]error{}
	for _, e := range bulk.WriteErrors {
		refusals[e.Index] = writeFailure("update", mongo.WriteException{WriteErrors: mongo.WriteErrors{e.WriteError}})
	}
	return b.lookAgain(ctx, writes, refusals, applied+len(refusals) == len(writes))
}

// send returns how many writes were applied for certain. An upsert that finds a document counts as matched, but changes nothing.
func (b *batch) send(ctx context.Context, models []mongo.WriteModel) (applied int, err error) {
	ctx, cancel := b.store.bounded(ctx)
	defer cancel()
	result, err := b.store.accounts.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	if result == nil {
		return 0, err
	}
	return int(result.ModifiedCount + result.UpsertedCount), err
}

// lookAgain reads the records of a bulk that was not applied as a whole. One that is at its next revision, with what we wanted
// in it, was saved: by us, or by somebody who wanted the same. If all that was not refused was applied, nothing is left to judge
// but the refusals.
func (b *batch) lookAgain(ctx context.Context, writes []bulkWrite, refusals map[int]error, isRestApplied bool) error {
	records := make([]twilioacct.Record, len(writes))
	for i, w := range writes {
		records[i] = w.record
	}
	found, _, err := b.store.findMany(ctx, records)
	if err != nil {
		return unfollowed(err)
	}
	for i, r := range records {
		f := found[r.SID]
		switch failure := refusals[i]; {
		case failure != nil && writes[i].document.raw == nil:
			b.fail(r.SID, b.store.refusedNew(failure, func() bool { return len(f.documents) > 0 }))
		case failure != nil:
			b.fail(r.SID, b.store.refusal(writes[i].document, writes[i].change, failure))
		case isRestApplied:
		case f.err != nil:
			b.fail(r.SID, f.err)
		case len(f.documents) == 0:
			b.fail(r.SID, twilioacct.ErrNoRecord)
		case !b.store.holds(f.documents[0], r):
			b.fail(r.SID, twilioacct.ErrStale)
		}
	}
	return nil
}

// holds is true where the document is what a save of r makes of it.
func (s *Store) holds(d document, r twilioacct.Record) bool {
	return d.record.Rev == r.Rev+1 && s.paths.changes(d.record, d.record.Merged(r)).isNone()
}

// found is what was found of one SID.
type found struct {
	documents []document
	err       error // one of them cannot be read
}

// findMany finds the documents of many records at once. It is not clear if one of the documents cannot be told to belong to a SID,
// or if there are so many copies that not all were read.
func (s *Store) findMany(ctx context.Context, records []twilioacct.Record) (all map[string]found, isClear bool, err error) {
	all, isClear = map[string]found{}, true
	if len(records) == 0 {
		return all, isClear, nil
	}
	sids := make(bson.A, len(records))
	for i, r := range records {
		sids[i] = r.SID
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	most := 2*len(sids) + maxCopies
	raws, err := s.findRaw(ctx, bson.D{{Key: s.paths.sid.dotted, Value: bson.D{{Key: "$in", Value: sids}}}}, most)
	for _, raw := range raws {
		d, err := s.paths.read(raw)
		f := all[d.record.SID]
		f.documents = append(f.documents, d)
		f.err = errors.Join(f.err, err)
		all[d.record.SID] = f
	}
	_, isOdd := all[""]
	return all, !isOdd && len(raws) < most, err
}
