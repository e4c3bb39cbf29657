package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// chunkSize bounds what is unknown after a lost reply, and keeps a command small.
const chunkSize = 1000

// SaveBatch implements [twilioacct.BatchSaver], with one unordered bulk write for each 1000 records and without a read before it:
// what a record sets replaces whatever a document of its revision has there, also what cannot be read, and also in one of several
// documents that hold the SID. Only where fewer documents were written than should be, they are read, to see what became of each; a
// document that cannot be read then stays as it is, and is a *[DocumentError] if no other holds the SID. Without an index on the SID,
// where each write would search the whole collection, the documents of all 1000 are read first, in one search, and written by their
// _id. Records that remove something are saved one by one.
//
// A write that met another one (WriteConflict), or during which the server was interrupted, is tried again by the document's _id, and
// once more by itself.
//
// After its error, the records of one chunk may have been written, and those after it were not tried. Saving the same records
// again counts as saved what was written.
func (s *Store) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	b := batch{store: s}
	for chunk := range slices.Chunk(records, chunkSize) {
		if err := b.save(ctx, chunk); err != nil {
			return b.failures, err
		}
	}
	return b.failures, nil
}

// batch is a SaveBatch under way.
type batch struct {
	store    *Store
	missing  []twilioacct.Record // of this chunk: no document holds them, and the store makes them
	found    []unwritten         // of this chunk: a look showed the one document that they can be written to
	single   []twilioacct.Record // of this chunk: a look showed that they must be saved one by one
	failures []twilioacct.SaveFailure
}

func (b *batch) fail(r twilioacct.Record, err error) {
	b.failures = append(b.failures, twilioacct.SaveFailure{SID: r.SID, Err: err})
}

// save writes a chunk as it is, then what a look found to be writable, then makes what turned out to have no document, and saves
// last what needs a look of its own before its write.
func (b *batch) save(ctx context.Context, records []twilioacct.Record) error {
	blind, later := b.sort(records)
	b.missing, b.found, b.single = nil, nil, nil
	if err := b.update(ctx, blind); err != nil {
		return err
	}
	if err := b.updateFound(ctx); err != nil {
		return err
	}
	if err := b.makeMissing(ctx); err != nil {
		return err
	}
	return b.saveEach(ctx, slices.Concat(b.single, later))
}

// update writes the documents of the records, unseen where an index leads to each.
func (b *batch) update(ctx context.Context, records []twilioacct.Record) error {
	var left []unwritten
	var err error
	if len(records) > 0 && !b.store.isIndexed(ctx) {
		left, err = b.look(ctx, unwrittenYet(records))
	} else {
		left, err = b.write(ctx, records, b.store.blindUpdates(records))
	}
	for _, u := range left {
		b.notUpdated(u)
	}
	return err
}

// updateFound writes the documents that a look has found.
func (b *batch) updateFound(ctx context.Context) error {
	records, models := make([]twilioacct.Record, len(b.found)), make([]mongo.WriteModel, len(b.found))
	for i, u := range b.found {
		records[i], models[i] = u.record, b.store.updateOf(u)
	}
	left, err := b.write(ctx, records, models)
	for _, u := range left {
		b.single = append(b.single, u.record)
	}
	return err
}

// makeMissing makes the documents that are missing.
func (b *batch) makeMissing(ctx context.Context) error {
	left, err := b.write(ctx, b.missing, b.store.inserts(b.missing))
	for _, u := range left {
		b.notInserted(u)
	}
	return err
}

// sort refuses the malformed, and puts off what removes something or sets nothing, and a record whose SID came before: that depends
// on what becomes of the first.
func (b *batch) sort(records []twilioacct.Record) (blind, later []twilioacct.Record) {
	seen := make(map[string]bool, len(records))
	plain := 0 // at the beginning: what all are, as a rule, is not copied
	for i, r := range records {
		err := r.Check()
		isPlain := err == nil && !seen[r.SID] && len(r.Remove) == 0 && !setsNothing(r)
		seen[r.SID] = true
		switch {
		case isPlain && plain == i:
			plain++
		case isPlain:
			blind = append(blind, r)
		case err != nil:
			b.fail(r, err)
		default:
			later = append(later, r)
		}
	}
	if plain == len(records) {
		return records, nil
	}
	return slices.Concat(records[:plain], blind), later
}

func setsNothing(r twilioacct.Record) bool {
	return r.AuthToken.IsZero() && r.Status == "" && r.Tenant == "" && len(r.APIKeys) == 0
}

// blindUpdates write the document of each record, if its revision is still the record's: null is equal to what is missing. A list
// of SIDs would be equal to each SID in it, so there must be no first element.
func (s *Store) blindUpdates(records []twilioacct.Record) []mongo.WriteModel {
	updates, models := make([]mongo.UpdateOneModel, len(records)), make([]mongo.WriteModel, len(records))
	e := s.paths.encoder(len(records))
	for i, r := range records {
		models[i] = updates[i].SetFilter(e.guard(r.SID, r.Rev)).SetUpdate(e.update(s.paths.assigned(r).set, r.Rev+1))
	}
	return models
}

// updateOf writes the document that was found, if it is still as it was. What it has already is not left out: somebody may want to
// count on the new revision.
func (s *Store) updateOf(u unwritten) mongo.WriteModel {
	d := u.documents[0]
	return mongo.NewUpdateOneModel().SetFilter(s.guard(d)).SetUpdate(s.paths.update(s.paths.assigned(u.record), d.record.Rev+1))
}

// inserts make the document of each record.
func (s *Store) inserts(records []twilioacct.Record) []mongo.WriteModel {
	models := make([]mongo.WriteModel, len(records))
	for i, r := range records {
		filter, update := s.insertion(first(r))
		models[i] = mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update).SetUpsert(true)
	}
	return models
}

// unwritten is a record that a bulk did not write, as far as one can tell, and what lies in its place.
type unwritten struct {
	record    twilioacct.Record
	refusal   error      // the server's, if it said so
	documents []document // that hold the SID and can be read, the newest first
	odd       error      // what is wrong with another one, which cannot be read
}

func (u unwritten) isThere() bool { return len(u.documents) > 0 || u.odd != nil }

// isRefused is true where the document would be refused again. Of several documents nobody knows which one the server refused.
func (u unwritten) isRefused() bool {
	isAlone := len(u.documents) == 1 && u.odd == nil
	return isAlone && u.refusal != nil && !needsID(u.refusal) && !mayPass(u.refusal)
}

func unwrittenYet(records []twilioacct.Record) []unwritten {
	all := make([]unwritten, len(records))
	for i, r := range records {
		all[i].record = r
	}
	return all
}

// write sends the write of each record, and returns those that were not applied.
func (b *batch) write(ctx context.Context, records []twilioacct.Record, models []mongo.WriteModel) ([]unwritten, error) {
	if len(records) == 0 {
		return nil, nil
	}
	doubtful, err := b.store.send(ctx, records, models)
	if err != nil || len(doubtful) == 0 {
		return nil, err
	}
	left, err := b.look(ctx, doubtful)
	if err != nil {
		return nil, unread(err)
	}
	return left, nil
}

// look finds out what lies in the place of the records, and returns those that are not there as they should be.
func (b *batch) look(ctx context.Context, doubtful []unwritten) ([]unwritten, error) {
	isClear, err := b.store.lookUp(ctx, doubtful)
	if err != nil {
		return nil, err
	}
	if !isClear {
		for _, u := range doubtful {
			b.single = append(b.single, u.record)
		}
		return nil, nil
	}
	return slices.DeleteFunc(doubtful, b.store.isWritten), nil
}

// send writes in bulk. It returns the records that were refused and, unless all others were written for certain, those as well.
func (s *Store) send(ctx context.Context, records []twilioacct.Record, models []mongo.WriteModel) ([]unwritten, error) {
	if err := ctx.Err(); err != nil {
		return nil, readFailure("update", err) // not sent, so its outcome is known
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	result, err := s.accounts.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	var bulk mongo.BulkWriteException
	if err != nil && !(errors.As(err, &bulk) && tellsOfEach(bulk)) {
		return nil, writeFailure("update", err)
	}
	refusals := map[int]error{}
	for _, e := range bulk.WriteErrors {
		refusals[e.Index] = writeFailure("update", mongo.WriteException{WriteErrors: mongo.WriteErrors{e.WriteError}})
	}
	// Not what was matched is counted: an upsert also matches a document that it leaves as it is.
	areOthersWritten := int(result.ModifiedCount+result.UpsertedCount)+len(refusals) == len(records)
	var doubtful []unwritten
	for i, r := range records {
		if refusals[i] != nil || !areOthersWritten {
			doubtful = append(doubtful, unwritten{record: r, refusal: refusals[i]})
		}
	}
	return doubtful, nil
}

// tellsOfEach is true where the server refused some writes and stands by the others.
func tellsOfEach(bulk mongo.BulkWriteException) bool {
	return len(bulk.WriteErrors) > 0 && bulk.WriteConcernError == nil
}

// lookUp reads what lies in the place of the records. It is not clear if one of the documents cannot be told to belong to SIDs, or if
// there are so many copies that not all were read.
func (s *Store) lookUp(ctx context.Context, doubtful []unwritten) (isClear bool, err error) {
	sids := make(bson.A, len(doubtful))
	bySID := make(map[string]*unwritten, len(doubtful))
	for i := range doubtful {
		sids[i] = doubtful[i].record.SID
		bySID[doubtful[i].record.SID] = &doubtful[i]
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	most := 2*len(sids) + maxCopies
	raws, err := s.findRaw(ctx, bson.D{{Key: s.paths.sid.dotted, Value: bson.D{{Key: "$in", Value: sids}}}}, most)
	if err != nil || len(raws) == most {
		return false, err
	}
	for _, raw := range raws {
		d, odd := s.paths.read(raw)
		if u := bySID[d.record.SID]; u != nil && odd == nil {
			u.documents = append(u.documents, d)
			continue
		}
		held := s.paths.held(raw)
		if len(held) == 0 {
			return false, nil
		}
		for _, sid := range held {
			if u := bySID[sid]; u != nil {
				u.odd = cmp.Or(u.odd, odd)
			}
		}
	}
	for _, u := range doubtful {
		slices.SortFunc(u.documents, document.compare)
	}
	return true, nil
}

// unread is the failure of a look after a bulk.
func unread(err error) error {
	return fmt.Errorf("mongostore: the records may be written, and it cannot be read which are: %w: %w", err, twilioacct.ErrOutcomeUnknown)
}

// isWritten is true where the record is what a save makes of it: by us, or by somebody who wanted the same.
func (s *Store) isWritten(u unwritten) bool {
	return len(u.documents) > 0 && s.holds(u.documents[0].record, u.record)
}

func (s *Store) holds(kept, r twilioacct.Record) bool {
	return kept.Rev == r.Rev+1 && s.paths.changes(kept, kept.Merged(r)).isNone()
}

// notUpdated tells what hindered the update of a document.
func (b *batch) notUpdated(u unwritten) {
	switch {
	case !u.isThere():
		b.noDocument(u.record)
	case len(u.documents) == 0:
		b.fail(u.record, u.odd)
	case u.isRefused():
		b.fail(u.record, b.store.refusal(u.documents[0], b.store.paths.written(b.store.paths.assigned(u.record)), u.refusal))
	case u.documents[0].record.Rev != u.record.Rev:
		b.fail(u.record, twilioacct.ErrStale)
	case len(u.documents) == 1:
		b.found = append(b.found, u)
	default:
		b.single = append(b.single, u.record)
	}
}

func (b *batch) noDocument(r twilioacct.Record) {
	if _, err := b.store.made(r); err != nil {
		b.fail(r, err)
		return
	}
	b.missing = append(b.missing, r)
}

// notInserted tells what hindered the making of a document.
func (b *batch) notInserted(u unwritten) {
	switch {
	case u.refusal == nil:
		b.fail(u.record, twilioacct.ErrStale) // somebody else made it first
	case mayPass(u.refusal):
		b.single = append(b.single, u.record)
	default:
		b.fail(u.record, b.store.refusedNew(u.refusal, u.isThere))
	}
}

func (b *batch) saveEach(ctx context.Context, records []twilioacct.Record) error {
	for _, r := range records {
		err := b.store.saveOne(ctx, r)
		if saysNothing(err) {
			return err
		}
		if err != nil {
			b.fail(r, err)
		}
	}
	return nil
}

// saveOne saves a record that an earlier SaveBatch may have saved already, without hearing of it.
func (s *Store) saveOne(ctx context.Context, r twilioacct.Record) error {
	_, err := s.Save(ctx, r)
	if !errors.Is(err, twilioacct.ErrStale) {
		return err
	}
	kept, lookErr := s.Load(ctx, r.SID)
	switch {
	case errors.Is(lookErr, twilioacct.ErrNoRecord):
		return err
	case lookErr != nil:
		return lookErr
	case s.holds(kept, r):
		return nil
	}
	return err
}

// saysNothing is true for an error that is not about a record, but about the way to the server.
func saysNothing(err error) bool {
	var e *Error
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &e) && (e.outcomeUnknown || e.Op == "find")
}
