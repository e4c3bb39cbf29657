package twilioacct

import (
	"context"
	"errors"
	"fmt"
)

// single is an account that is looked at by itself.
type single struct {
	sid    string
	line   *line    // of one of its documents
	listed *Account // where no documents were read

	outdated []Status // of several documents, those that were not as Twilio has listed the account
}

// outcome is what became of it.
type outcome struct {
	isStored  bool // a document holds it …
	isChanged bool // … and was, or would be, written …
	isStatus  bool // … with another status
	isMade    bool // … for the first time
	isMissing bool // Twilio shows the parent no such account
	isGone    bool // Twilio has deleted it after it was closed; err says so where it was asked
	copies    int  // documents that hold it
	err       error
}

// look lets an account be looked at. Once the parent is refused, nothing is asked any more.
func (r *fleetRun) look(ctx context.Context, s single) {
	if r.refusal != nil {
		r.settle(ctx, s, outcome{err: r.refusal})
		return
	}
	handOver(ctx, r, r.singles, s)
}

func (r *fleetRun) lookAtSingles(ctx context.Context) {
	for s := range r.singles {
		o := r.outcome(ctx, s)
		r.call(ctx, func() {
			r.pending--
			r.settle(ctx, s, o)
		})
	}
}

// outcome syncs one account as Sync does.
func (r *fleetRun) outcome(ctx context.Context, s single) outcome {
	if s.listed != nil {
		if o, isKnown := r.compared(ctx, s); isKnown {
			return o
		}
	}
	var o outcome
	synced, err := r.provider.sync(ctx, s.sid, func(stored Record, found Account) bool {
		o = r.foreseen(ctx, s, stored, found)
		return !r.opts.DryRun
	})
	switch {
	case err == nil && r.opts.DryRun:
	case err == nil:
		o.isStored, o.isChanged = synced.Stored, synced.Changed
	case errors.Is(err, ErrNotFound) && !isStores(err):
		return r.deleted(ctx, s, err)
	default:
		return outcome{err: err, isMissing: errors.Is(err, ErrForbidden) && !isStores(err)}
	}
	o.copies = synced.Copies
	return o
}

// compared is the outcome for an account that was listed just now, if its document agrees, or if there is none.
func (r *fleetRun) compared(ctx context.Context, s single) (o outcome, isKnown bool) {
	stored, err := load(ctx, r.provider.store, s.sid)
	switch {
	case errors.Is(err, ErrNoRecord) && !r.mayMake(s.sid):
		return outcome{}, true
	case err == nil && stored.Copies <= 1 && !stored.differs(*s.listed):
		return outcome{isStored: true}, true
	}
	return outcome{}, false
}

// foreseen is the outcome that a save will have, which is told before it.
func (r *fleetRun) foreseen(ctx context.Context, s single, stored Record, found Account) outcome {
	isMade := stored.SID == "" && r.mayMake(s.sid)
	o := outcome{isStored: stored.SID != "" || isMade, isMade: isMade}
	if o.isStored && (stored.differs(found) || len(s.outdated) > 0) {
		stored.Status = s.before(stored.Status, found.Status)
		o.isChanged = true
		o.isStatus = found.Status != "" && stored.Status != found.Status
		r.tell(ctx, s, stored, found)
	}
	return o
}

// before is the status that will be replaced. The record has that of one document; another may be the one that differs.
func (s single) before(stored, found Status) Status {
	for _, other := range s.outdated {
		if stored == found {
			stored = other
		}
	}
	return stored
}

// mayMake is true where the Store would make a record. The parent gets none that it has not had.
func (r *fleetRun) mayMake(sid string) bool { return r.makes && sid != r.provider.parent.AccountSID }

// deleted is the outcome for an account that Twilio does not know any more.
func (r *fleetRun) deleted(ctx context.Context, s single, notFound error) outcome {
	stored, err := load(ctx, r.provider.store, s.sid)
	switch {
	case err != nil || codeOf(notFound) != codeNotFound:
		return outcome{isMissing: true, err: notFound}
	case stored.Status == StatusClosed:
		return outcome{isMissing: true, isGone: true, err: notFound}
	case !r.opts.MarkGone:
		return outcome{isMissing: true, err: notFound}
	}
	r.tell(ctx, s, stored, Account{Status: StatusClosed})
	if !r.opts.DryRun {
		_, err = save(ctx, r.provider.store, Record{SID: s.sid, Status: StatusClosed, Rev: stored.Rev})
	}
	if err != nil {
		notFound = fmt.Errorf("%w; its document could not be marked: %v", notFound, err) //nolint:errorlint // it is Twilio's
	}
	return outcome{isMissing: true, isStatus: err == nil, err: notFound}
}

// codeNotFound is Twilio's own word that there is no such account; a proxy may answer 404, too.
const codeNotFound = 20404

// tell has the change told before it is written.
func (r *fleetRun) tell(ctx context.Context, s single, stored Record, a Account) {
	if r.opts.Observe == nil {
		return
	}
	told := make(chan struct{})
	r.call(ctx, func() {
		defer close(told)
		r.change(ctx, SyncEvent{
			SID: s.sid, DocumentID: r.documentID(s.line), Name: a.FriendlyName, Before: stored.Status, After: a.Status,
			TokenChanged: !a.AuthToken.IsZero() && (!a.AuthToken.Equal(stored.AuthToken) || len(s.outdated) > 0),
		}, stored.Rev)
	})
	select {
	case <-told:
	case <-ctx.Done():
	}
}

// settle counts what became of the documents that hold the account.
func (r *fleetRun) settle(ctx context.Context, s single, o outcome) {
	if o.err != nil && ctx.Err() != nil {
		return // the run is over, and nothing is known of it
	}
	r.note(s, o)
	open := r.open(s)
	if s.isFound(o) {
		r.report.Documents += len(open)
	}
	switch {
	case o.isMade && o.isStored:
		r.made()
	case o.err != nil || o.isGone:
		for _, e := range open {
			r.lost(s, e, o)
		}
	case !o.isStored:
		r.notStored(ctx, s, open)
	case o.isChanged:
		r.report.Changed += len(open)
	default:
		r.report.Unchanged += len(open)
	}
}

// isFound is true where there is a document that the scan has not shown.
func (s single) isFound(o outcome) bool {
	return s.line.has(isNew) && o.isStored && !o.isMade
}

// lost tells of a document whose account was not fetched, or not stored.
func (r *fleetRun) lost(s single, e Entry, o outcome) {
	if o.isGone && e.Status == StatusClosed {
		r.gone(SyncEvent{SID: s.sid, DocumentID: e.ID, Before: StatusClosed})
		return
	}
	if o.isMissing {
		r.report.Missing++
	}
	r.fail(SyncEvent{SID: s.sid, DocumentID: e.ID, Err: o.err})
}

// note takes down what an outcome says beyond the account's documents.
func (r *fleetRun) note(s single, o outcome) {
	if o.err != nil && r.refusal == nil && isParents(o.err) {
		r.refusal = o.err
	}
	if o.isStatus {
		r.report.StatusChanges++
	}
	if s.listed != nil && o.copies > 1 {
		r.report.Duplicates++
		r.observe(SyncEvent{Kind: EventDuplicate, SID: s.sid})
	}
	if r.looked++; r.looked%100 == 0 {
		r.progress()
	}
}

// isParents is true for a refusal of the parent itself, which would meet every other request, too.
func isParents(err error) bool {
	return !isStores(err) && (errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrSuspended))
}

// open returns the account's documents that are not settled, and settles them.
func (r *fleetRun) open(s single) (open []Entry) {
	for x := range r.documents.all(s.line.sid) {
		if !x.has(isSettled) {
			x.set(isSettled)
			open = append(open, Entry{ID: r.documentID(x), Status: r.documents.status(x)})
		}
	}
	return open
}

// notStored is what becomes of an account that no document holds, or none any more.
func (r *fleetRun) notStored(ctx context.Context, s single, open []Entry) {
	if s.listed != nil {
		if !r.isParent(s.line.sid) && !r.adopted(ctx, *s.listed) {
			r.unknown(s.sid, s.listed.FriendlyName)
		}
		return
	}
	for _, e := range open {
		r.fail(SyncEvent{SID: s.sid, DocumentID: e.ID, Err: &StoreError{Op: "Save", SID: s.sid, Err: ErrNoRecord}})
	}
}
