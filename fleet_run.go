package twilioacct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// fleetRun is a SyncAll under way. All of it belongs to the goroutine that called SyncAll, which also calls the caller's
// functions. Those beside it (one lists, one writes bulks, some look at single accounts) hand over what is to be done with what they
// find, as calls.
type fleetRun struct {
	provider *Provider
	opts     SyncAllOptions
	makes    bool // the Store makes records that are missing

	documents ledger

	listing *listing
	bulks   chan bulk
	singles chan single
	calls   chan func()   // to be made by the run's goroutine
	left    chan struct{} // closed when nobody makes them any more
	pending int           // bulks and singles that no call has come from yet

	report   SyncReport
	requests atomic.Int64
	looked   int    // at how many accounts by themselves
	parent   Status // "": not known yet
	isAsked  bool   // for the parent's status
	refusal  error  // nil while Twilio takes the parent's requests
	unread   error  // why the first page, which may be too old, could not be read again

	background sync.WaitGroup
}

func (p *Provider) newFleetRun(o SyncAllOptions) *fleetRun {
	maker, ok := StoreAs[Maker](p.store)
	return &fleetRun{
		provider:  p,
		opts:      o,
		makes:     ok && maker.Makes(),
		documents: newLedger(p.seed),
		listing:   p.newListing(o.PageSize),
		bulks:     make(chan bulk, 1),
		singles:   make(chan single),
		calls:     make(chan func()),
		left:      make(chan struct{}),
	}
}

func (r *fleetRun) run(ctx context.Context) error {
	if err := r.readDocuments(ctx); err != nil {
		if ctx.Err() != nil {
			err = r.stopped(ctx)
		}
		return err
	}
	defer close(r.bulks)
	defer close(r.singles)
	r.background.Go(func() { r.writeBulks(ctx) })
	for range r.opts.Concurrent {
		r.background.Go(func() { r.lookAtSingles(ctx) })
	}
	r.readPages(ctx)
	r.await()
	return r.finish(ctx)
}

// readDocuments takes up all documents while the first page is on its way. It ends early where Twilio refuses the parent
// meanwhile.
func (r *fleetRun) readDocuments(ctx context.Context) error {
	scanCtx, endScan := context.WithCancel(ctx)
	defer endScan()
	listCtx, stopListing := context.WithCancel(ctx)
	r.listing.stop = stopListing
	r.background.Go(func() {
		defer stopListing()
		r.listing.run(listCtx)
		if refusesParent(r.listing.err) {
			endScan()
		}
	})
	if err := r.scan(scanCtx); err != nil && (ctx.Err() != nil || scanCtx.Err() == nil) {
		return err
	}
	close(r.listing.scanned)
	r.progress()
	return nil
}

func (r *fleetRun) scan(ctx context.Context) error {
	canScan, err := r.provider.scan(ctx, func(e Entry, err error) { r.document(e, err) })
	r.report.OneByOne = !canScan
	return err
}

// scan hands over every document of the Store, and what is wrong with it, if it can scan.
func (p *Provider) scan(ctx context.Context, take func(Entry, error)) (canScan bool, err error) {
	scanner, ok := StoreAs[Scanner](p.store)
	if !ok {
		return false, nil
	}
	for e, err := range scanner.Scan(ctx, p.seed) {
		switch {
		case err == nil || e != (Entry{}):
			take(e, err)
		case errors.Is(err, errors.ErrUnsupported):
			return false, nil
		default:
			return true, &StoreError{Op: "Scan", Err: err}
		}
	}
	return true, nil
}

func (r *fleetRun) document(e Entry, err error) {
	x, before, isAgain := r.documents.add(e)
	if isAgain {
		if unreadable(e, err) != nil {
			x.set(isStrange | isBlurred) // it was readable before, and may be again
		}
		return
	}
	r.report.Documents++
	if err = unreadable(e, err); err != nil {
		r.fail(SyncEvent{SID: shown(e.SID), DocumentID: e.ID, Err: err})
		if x != nil {
			x.set(isSettled)
		}
	}
	if before != nil {
		r.duplicate(before, x)
	}
}

// unreadable is what is wrong with a document, or nil.
func unreadable(e Entry, err error) error {
	if err != nil {
		return &StoreError{Op: "Scan", SID: shown(e.SID), Err: err}
	}
	if _, ok := newSID(e.SID); !ok {
		return &StoreError{Op: "Scan", Err: invalid("the document's SID %s is not AC and 32 small hex digits", quote(e.SID))}
	}
	return nil
}

// duplicate tells of a document whose SID another one had before, and of that one, too, if it was the only one so far.
func (r *fleetRun) duplicate(before, x *line) {
	if !before.has(isCopied) {
		r.report.Duplicates++
		r.observe(SyncEvent{Kind: EventDuplicate, SID: before.sid.String(), DocumentID: r.documents.id(before)})
	}
	before.set(isCopied)
	x.set(isCopied)
	r.observe(SyncEvent{Kind: EventDuplicate, SID: x.sid.String(), DocumentID: r.documents.id(x)})
}

// readPages works on each page while the next one is on its way and the changes of the one before are being written.
func (r *fleetRun) readPages(ctx context.Context) {
	for pages := r.listing.pages; pages != nil; {
		select {
		case p, more := <-pages:
			if !more {
				pages = nil
				continue
			}
			r.page(ctx, p)
			r.progress()
		case call := <-r.calls:
			call()
		}
	}
	r.report.Complete = cmp.Or(r.unread, r.listing.err) == nil
}

// handOver gives a piece of work to whoever is free, and makes the calls that come meanwhile.
func handOver[T any](ctx context.Context, r *fleetRun, to chan<- T, work T) {
	for {
		select {
		case to <- work:
			r.pending++
			return
		case call := <-r.calls:
			call()
		case <-ctx.Done():
			return
		}
	}
}

// await makes the calls that are still to come, also where the run was cancelled: what is done by then counts.
func (r *fleetRun) await() {
	for r.pending > 0 {
		call := <-r.calls
		call()
	}
}

// call lets the run's goroutine make a call; it is for all others. It does not wait until the call is made, and does not make one for
// a run that was left, because a function of the caller's has panicked.
func (r *fleetRun) call(f func()) {
	select {
	case r.calls <- f:
	case <-r.left:
	}
}

// finish looks at what the listing has left open. What a listing that broke off has not shown is not taken for missing: where
// Twilio's paging is what broke, the accounts are fetched one by one, else they fail for the same reason.
func (r *fleetRun) finish(ctx context.Context) error {
	unlisted := cmp.Or(r.unread, r.listing.err)
	switch {
	case ctx.Err() != nil:
		return r.stopped(ctx)
	case unlisted != nil && refusesParent(unlisted):
		return r.refused(unlisted)
	case r.listing.isPaging && !r.report.OneByOne:
		unlisted = nil
	}
	for x := range r.documents.lines {
		if ctx.Err() == nil && r.isOpen(x) {
			r.lookAgain(ctx, x, unlisted)
		}
	}
	r.await()
	switch {
	case ctx.Err() != nil:
		return r.stopped(ctx)
	case r.refusal != nil:
		return r.refused(r.refusal)
	}
	return unlisted
}

// isOpen is true for the first line of a SID of which not every document is settled.
func (r *fleetRun) isOpen(x *line) bool {
	if !x.has(isCopied) {
		return !x.has(isSettled)
	}
	first, open := x, false
	for y := range r.documents.all(x.sid) {
		first, open = y, open || !y.has(isSettled) // a chain ends with its oldest line
	}
	return first == x && open
}

func (r *fleetRun) lookAgain(ctx context.Context, x *line, unlisted error) {
	isListed := x.has(isSeen)
	s := single{sid: x.sid.String(), line: x, copies: r.openCopies(x)}
	switch {
	case unlisted != nil && (!isListed || r.unread != nil):
		r.settle(ctx, s, outcome{err: unlisted})
	case r.report.Complete && !isListed && r.isClosed(x):
		r.settle(ctx, s, outcome{isMissing: true, isDeleted: true})
	default:
		r.look(ctx, s)
	}
}

// openCopies are the documents that hold the SID and are not settled yet, if there are several, as far as the scan has read them.
func (r *fleetRun) openCopies(x *line) (all []copied) {
	for y := range r.documents.all(x.sid) {
		if y.has(isCopied) && !y.has(isSettled|isBlurred) {
			all = append(all, copied{r.documents.id(y), int64(y.rev), r.documents.status(y), y.fingerprint})
		}
	}
	return all
}

// isClosed is true where all documents that hold the SID say so.
func (r *fleetRun) isClosed(x *line) bool {
	for y := range r.documents.all(x.sid) {
		if r.documents.status(y) != StatusClosed {
			return false
		}
	}
	return true
}

// stopped is the error of a run whose context has ended.
func (r *fleetRun) stopped(ctx context.Context) error {
	done := r.report.Synced() + r.report.Failed + r.report.Gone
	return &Error{
		Message: fmt.Sprintf("SyncAll stopped after %d of %d documents", done, r.report.Documents),
		Err:     rest.Cause(ctx, ctx.Err()),
	}
}

// refused is the error of a run that ends because Twilio does not take the parent's requests any more.
func (r *fleetRun) refused(refusal error) error {
	e := SyncEvent{Kind: EventParent, SID: r.provider.parent.AccountSID, Err: refusal}
	if errors.Is(refusal, ErrSuspended) {
		e.After, r.report.ParentSuspended = StatusSuspended, true
	}
	r.observe(e)
	return refusal
}
