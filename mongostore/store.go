package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

var (
	_ twilioacct.Store        = (*Store)(nil)
	_ twilioacct.Scanner      = (*Store)(nil)
	_ twilioacct.Maker        = (*Store)(nil)
	_ twilioacct.BatchSaver   = (*Store)(nil)
	_ twilioacct.TenantLoader = (*Store)(nil)
	_ twilioacct.Claimer      = (*Store)(nil)
)

// Makes implements [twilioacct.Maker]: it is what [Options.Upsert] was set to.
func (s *Store) Makes() bool { return s.upsert }

// Load implements [twilioacct.Store]. If several documents hold the SID, the record is that of the highest revision, and among
// those of the lowest _id as text. A document that cannot be read is passed over, but counted in Copies; if none can be read, the
// error is a *[DocumentError].
func (s *Store) Load(ctx context.Context, sid string) (twilioacct.Record, error) {
	if ctx == nil {
		return twilioacct.Record{}, errNoContext
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.find(ctx, sid)
	if err != nil {
		return twilioacct.Record{}, err
	}
	if len(found) == 0 {
		return twilioacct.Record{}, twilioacct.ErrNoRecord
	}
	return found[0].record, nil
}

// LoadTenant implements [twilioacct.TenantLoader]. A document without a SID is nobody's record, whatever its tenant. If the tenant is
// that of an account of which no document can be read, or of a document whose SID cannot be read, the error is a *[DocumentError]:
// nobody can tell whether the tenant has several accounts.
func (s *Store) LoadTenant(ctx context.Context, tenant string) (twilioacct.Record, error) {
	if ctx == nil {
		return twilioacct.Record{}, errNoContext
	}
	if tenant == "" {
		return twilioacct.Record{}, twilioacct.ErrNoRecord
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	raws, err := s.findRaw(ctx, bson.D{{Key: s.paths.tenant.dotted, Value: tenant}, hasText(s.paths.sid)}, maxCopies+1)
	if err != nil {
		return twilioacct.Record{}, err
	}
	records := map[string]twilioacct.Record{}
	for _, raw := range raws {
		r, err := s.loadHeld(ctx, raw)
		if err != nil {
			return twilioacct.Record{}, err
		}
		if r.Tenant == tenant { // else what we found is an old copy of it
			records[r.SID] = r
		}
		if len(records) > 1 {
			return twilioacct.Record{}, fmt.Errorf("mongostore: tenant %q: %w: several accounts have it", tenant, twilioacct.ErrAmbiguous)
		}
	}
	for _, r := range records {
		return r, nil
	}
	return twilioacct.Record{}, twilioacct.ErrNoRecord
}

// loadHeld loads the record of the account that a document holds, whether or not the rest of this document can be read.
func (s *Store) loadHeld(ctx context.Context, raw bson.Raw) (twilioacct.Record, error) {
	d, odd := s.paths.read(raw)
	if !isSID(d.record.SID) {
		return twilioacct.Record{}, odd
	}
	return s.Load(ctx, d.record.SID)
}

// Save implements [twilioacct.Store]. Each document is written by its _id, under its own revision, in one update that is applied
// as a whole or not at all; a key that is removed takes along what else was put into its document.
//
// If several documents hold the SID, all of them are written but those that cannot be read. These stay as they are and are no
// failure; Copies counts them. If none can be read, nothing is written and the error is a *[DocumentError].
//
// After a timeout, a cancelled context or a lost connection the error is twilioacct.ErrOutcomeUnknown, and a second Save of the
// same record may find the first one applied: ErrStale, from one's own write. Load tells.
//
// A field that cannot be written, for something else is in its way, is a *[DocumentError]. If a unique index of the
// application's refuses the write, the error is an *[Error] that names the index's fields.
func (s *Store) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if ctx == nil {
		return twilioacct.Record{}, errNoContext
	}
	if err := r.Check(); err != nil {
		return twilioacct.Record{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.find(ctx, r.SID)
	if err != nil {
		return twilioacct.Record{}, err
	}
	if len(found) == 0 {
		return s.saveNew(ctx, r)
	}
	newest := together(found)
	if newest.Rev != r.Rev {
		return twilioacct.Record{}, twilioacct.ErrStale
	}
	if !s.differs(found, newest, r) {
		return newest, nil
	}
	saved := newest.Merged(r)
	saved.Rev++
	if err := s.write(ctx, found[0], saved); err != nil {
		return twilioacct.Record{}, err
	}
	return saved, s.followAll(ctx, found[1:], newest, r, saved.Rev)
}

// together is what the documents of the highest revision hold: each of them may have something that the others lack.
func together(found []document) twilioacct.Record {
	newest := found[0].record
	for _, d := range found[1:] {
		if d.record.Rev == newest.Rev {
			newest = d.record.Merged(newest)
		}
	}
	return newest
}

// differs reports whether a save of r changes any of the documents.
func (s *Store) differs(found []document, newest, r twilioacct.Record) bool {
	return slices.ContainsFunc(found, func(d document) bool {
		return !s.paths.changes(d.record, wanted(d.record, newest, r)).isNone()
	})
}

// wanted is what a document shall hold after r is saved.
func wanted(own, newest, r twilioacct.Record) twilioacct.Record {
	switch own.Rev {
	case newest.Rev:
		own = newest.Merged(own)
	case 0: // we have never written it, so nobody has removed what it alone has
		own = own.Merged(newest)
	default: // it has missed a write of ours, and what it alone has was removed by that
		own = newest
	}
	return own.Merged(r)
}

// followAll writes the further copies, each of them, and returns the first failure.
func (s *Store) followAll(ctx context.Context, copies []document, newest, r twilioacct.Record, rev int64) error {
	var failure error
	for _, d := range copies {
		if err := s.follow(ctx, d, wanted(d.record, newest, r), rev); err != nil {
			failure = cmp.Or(failure, err)
		}
	}
	return failure
}

// follow writes a further copy of a record whose newest document was written already. That one decided who may write, so a copy
// that somebody else writes meanwhile is no failure: it is read again, until it is as new as ours.
func (s *Store) follow(ctx context.Context, d document, target twilioacct.Record, rev int64) error {
	target.Rev = rev
	for range copyTries {
		err := s.write(ctx, d, target)
		if !errors.Is(err, twilioacct.ErrStale) {
			return unfollowed(err)
		}
		again, isThere, err := s.findAgain(ctx, d)
		if err != nil {
			return unfollowed(err)
		}
		if !isThere || again.record.Rev >= rev {
			return nil
		}
		d = again
	}
	return &Error{Op: "update", reason: "a copy of the document is written by somebody else all the time", outcomeUnknown: true}
}

const copyTries = 8

// unfollowed is the failure of a copy: the record itself was written.
func unfollowed(err error) error {
	if err == nil || errors.Is(err, twilioacct.ErrOutcomeUnknown) {
		return err
	}
	return fmt.Errorf("mongostore: the record is written, but not each of its copies: %w: %w", err, twilioacct.ErrOutcomeUnknown)
}

// write makes one document equal to target, if its revision is still the one that was read.
func (s *Store) write(ctx context.Context, d document, target twilioacct.Record) error {
	c := s.paths.changes(d.record, target)
	if err := ctx.Err(); err != nil {
		return readFailure("update", err) // not sent, so its outcome is known
	}
	result, err := s.accounts.UpdateOne(ctx, s.guard(d), s.paths.update(c, target.Rev))
	switch {
	case err != nil:
		return s.refusal(d, s.paths.written(c), writeFailure("update", err))
	case result.MatchedCount == 0:
		return twilioacct.ErrStale
	}
	return nil
}

// guard finds the document if nobody has written it since it was read. Plain equality, so that any server can use its index;
// null is equal to a missing revision.
func (s *Store) guard(d document) bson.D {
	var rev any
	if !d.rev.IsZero() {
		rev = d.rev
	}
	return bson.D{
		{Key: "_id", Value: d.id},
		{Key: s.paths.sid.dotted, Value: d.record.SID},
		{Key: s.paths.rev.dotted, Value: rev},
	}
}

// refusal names what could not be written, where something else than a document is above it. The server finds that, for what we read
// of a document leaves it out.
func (s *Store) refusal(d document, written string, failure error) error {
	var e *Error
	if errors.As(failure, &e) && e.Code == pathNotViable {
		problem := "cannot be written: above it is null, or something else than a document"
		return &DocumentError{ID: idText(d.id), Path: written, Problem: problem}
	}
	return failure
}

// saveNew makes the document, unless somebody else just did.
func (s *Store) saveNew(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	made, err := s.made(r)
	if err != nil {
		return twilioacct.Record{}, err
	}
	if err := ctx.Err(); err != nil {
		return twilioacct.Record{}, readFailure("update", err)
	}
	filter, update := s.insertion(made)
	result, err := s.accounts.UpdateOne(ctx, filter, update, options.UpdateOne().SetUpsert(true))
	switch {
	case err != nil:
		return twilioacct.Record{}, s.refusedNew(writeFailure("update", err), func() bool {
			found, err := s.find(ctx, r.SID)
			return err == nil && len(found) > 0
		})
	case result.UpsertedCount == 0:
		return twilioacct.Record{}, twilioacct.ErrStale
	}
	return made, nil
}

// made is the first record of an account, if we may make one.
func (s *Store) made(r twilioacct.Record) (twilioacct.Record, error) {
	switch {
	case !s.upsert:
		return twilioacct.Record{}, twilioacct.ErrNoRecord
	case r.Rev != 0:
		return twilioacct.Record{}, twilioacct.ErrStale // it was deleted
	}
	return first(r), nil
}

// first is the record that is made where there is none.
func first(r twilioacct.Record) twilioacct.Record {
	made := twilioacct.Record{SID: r.SID}.Merged(r)
	made.Rev, made.Copies = 1, 1
	return made
}

// insertion is an upsert that changes nothing where a document is there already.
func (s *Store) insertion(r twilioacct.Record) (filter, update bson.D) {
	filter = bson.D{{Key: s.paths.sid.dotted, Value: r.SID}}
	fields := s.paths.assigned(r).set.fields()
	return filter, bson.D{{Key: "$setOnInsert", Value: append(fields, bson.E{Key: s.paths.rev.dotted, Value: r.Rev})}}
}

// refusedNew tells a document that somebody else made first, which is ErrStale, from one that another unique index refuses.
// Where the server does not name the index, isThere looks for the document.
func (s *Store) refusedNew(failure error, isThere func() bool) error {
	var e *Error
	if !errors.As(failure, &e) || e.Code != duplicateKey {
		return failure
	}
	if slices.Equal(e.UniqueIndex, []string{s.paths.sid.dotted}) || len(e.UniqueIndex) == 0 && isThere() {
		return twilioacct.ErrStale
	}
	return failure
}
