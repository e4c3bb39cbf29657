package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// single is an account that is looked at by itself.
type single struct {
	sid    string
	line   *line    // of one of its documents
	listed *Account // where no documents were read
	copies []copied // the documents that hold it, if the scan has shown several
}

// copied is one of several documents that hold an account.
type copied struct {
	documentID  string
	rev         int64
	status      Status
	fingerprint uint64 // of the token
}

// outcome is what became of it.
type outcome struct {
	isStored  bool // a document holds it …
	isChanged bool // … and was, or would be, written
	isMade    bool // … for the first time
	statuses  int  // documents that got, or would get, another status
	isMissing bool // Twilio shows the parent no such account
	isDeleted bool // for good: what is closed is gone
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
		r.call(func() {
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
	isTold := true
	synced, err := r.provider.sync(ctx, s.sid, func(stored Record, found Account) bool {
		o, isTold = r.foreseen(ctx, s, stored, found)
		return isTold && !r.opts.DryRun
	})
	switch {
	case !isTold:
		return outcome{err: ctx.Err()}
	case err == nil && r.opts.DryRun:
	case err == nil:
		o.isStored, o.isChanged = synced.Stored, synced.Changed
	case errors.Is(err, ErrNotFound) && !isStores(err):
		return r.deleted(ctx, s, err)
	default:
		return outcome{err: err, isMissing: errors.Is(err, ErrForbidden) && !isStores(err)}
	}
	if !o.isChanged {
		o.statuses = 0
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

// foreseen is the outcome that a save will have. What it changes is told before it; isTold is false where the run has ended instead.
func (r *fleetRun) foreseen(ctx context.Context, s single, stored Record, found Account) (o outcome, isTold bool) {
	o.isMade = stored.SID == "" && r.mayMake(s.sid)
	o.isStored = stored.SID != "" || o.isMade
	if !o.isStored {
		return o, true
	}
	differences := r.differences(s, stored, found)
	for _, d := range differences {
		if d.isStatus() {
			o.statuses++
		}
	}
	o.isChanged = len(differences) > 0
	return o, r.tell(ctx, s, differences)
}

// difference is how one document is not as Twilio has the account.
type difference struct {
	copied

	name    string // the account's
	after   Status // "": Twilio does not say
	isToken bool
}

func (d difference) isStatus() bool { return d.after != "" && d.after != d.status }

// differences are those of each document, as far as several are known; else of the record.
func (r *fleetRun) differences(s single, stored Record, found Account) (all []difference) {
	seed := r.provider.seed
	now := Fingerprint(seed, found.AuthToken.Reveal())
	of := func(c copied) difference {
		return difference{c, found.FriendlyName, found.Status, !found.AuthToken.IsZero() && c.fingerprint != now}
	}
	for _, c := range s.copies {
		if d := of(c); d.isStatus() || d.isToken {
			all = append(all, d)
		}
	}
	if len(all) == 0 && stored.differs(found) {
		all = append(all, of(copied{"", stored.Rev, stored.Status, Fingerprint(seed, stored.AuthToken.Reveal())}))
	}
	return all
}

// mayMake is true where the Store would make a record. The parent gets none that it has not had.
func (r *fleetRun) mayMake(sid string) bool { return r.makes && sid != r.provider.parent.AccountSID }

// deleted is the outcome for an account that Twilio does not know any more. That is final, whoever writes meanwhile.
func (r *fleetRun) deleted(ctx context.Context, s single, notFound error) outcome {
	o := outcome{isMissing: true, isDeleted: codeOf(notFound) == codeNotFound, err: notFound}
	if !o.isDeleted || !r.opts.MarkGone {
		return o
	}
	stored, err := load(ctx, r.provider.store, s.sid)
	if err != nil {
		return o
	}
	marks := r.differences(s, stored, Account{Status: StatusClosed})
	if len(marks) == 0 {
		return o
	}
	if !r.tell(ctx, s, marks) {
		return outcome{err: ctx.Err()}
	}
	if !r.opts.DryRun {
		_, err = save(ctx, r.provider.store, Record{SID: s.sid, Status: StatusClosed, Rev: stored.Rev})
	}
	if err != nil {
		o.err = fmt.Errorf("%w; its document could not be marked: %v", notFound, err) //nolint:errorlint // it is Twilio's
		return o
	}
	o.statuses = len(marks)
	return o
}

// tell has changes told before they are written. It is false where the run ends instead, be it because Observe panics.
func (r *fleetRun) tell(ctx context.Context, s single, differences []difference) (isTold bool) {
	if r.opts.Observe == nil || len(differences) == 0 {
		return true
	}
	told := make(chan struct{})
	r.call(func() {
		for _, d := range differences {
			r.change(ctx, SyncEvent{
				SID: s.sid, DocumentID: cmp.Or(d.documentID, r.documentID(s.line)), Name: d.name,
				Before: d.status, After: d.after, TokenChanged: d.isToken,
			}, d.rev, len(s.copies) > 0)
		}
		close(told) // not deferred: what panics was not told
	})
	select {
	case <-told:
		return true
	case <-ctx.Done():
		return false
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
	case o.err != nil || o.isDeleted:
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
	if o.isDeleted && e.Status == StatusClosed {
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
	r.report.StatusChanges += o.statuses
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
