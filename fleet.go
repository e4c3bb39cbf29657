package twilioacct

import (
	"cmp"
	"context"
	"time"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// SyncAllOptions are the choices of [Provider.SyncAll]; the zero value of each is a good one.
//
// The functions are called one at a time, on the goroutine that called SyncAll. One that takes its time holds up the run, and one
// that panics ends it, with nothing left running.
type SyncAllOptions struct {
	// DryRun finds out what a run would do, counts and observes as one, and writes nothing. Adopt is not called. A Store that cannot
	// scan shows it only one of several documents of a SID.
	DryRun bool

	// MarkGone writes the status closed to a document whose account Twilio does not know any more (20404). The document is a
	// failure this time, and gone from then on.
	MarkGone bool

	// Adopt is called for each account that no document holds, but not for the parent. It may give the account a document, by a name
	// that both have, say (mongostore.Store.Adopt does so), and reports whether it did. Its error is a failure of that account alone.
	// A Store that makes records makes those that Adopt declines; one that makes records and cannot scan makes them all.
	Adopt func(ctx context.Context, a Account) (adopted bool, err error)

	// Observe is called with all that is worth telling, as it is found: nothing of it is kept for the end.
	Observe func(SyncEvent)

	// Progress is called with the counts so far: after the documents were read, after each page, and now and then while
	// accounts are fetched one by one.
	Progress func(SyncReport)

	// PageSize is how many accounts are listed with one request: 1000, Twilio's largest, if 0.
	PageSize int

	// Concurrent is how many accounts are fetched at once, where they must be fetched one by one: Options.MaxConcurrent if 0,
	// and never more.
	Concurrent int
}

// EventKind tells what a [SyncEvent] is about.
type EventKind string

// What a run can tell.
const (
	// EventChanged: the document differs from Twilio, and is about to be written (in a dry run: would be). It is told before the
	// write, and so at least once, whatever crashes; a repeat has the same ID. Without a scan, of several documents that hold one SID
	// the Store shows one, and the others are changed without being told.
	EventChanged EventKind = "changed"

	// EventFailed: the document could not be synced, or an account could not be made sense of; Err says why.
	EventFailed EventKind = "failed"

	// EventGone: the document's status is closed, and Twilio has deleted the account since, as it does 30 days after closing.
	EventGone EventKind = "gone"

	// EventUnknown: no document holds the account. The parent is never told.
	EventUnknown EventKind = "unknown"

	// EventDuplicate: the document is one of several that hold the SID. All of them are written; somebody should mend that.
	EventDuplicate EventKind = "duplicate"

	// EventParent: the run ends, because Twilio says that the parent is suspended or closed, or refuses its credentials, or to show
	// them the accounts; Err says which. Where Twilio says so at once, as it does, no document was changed. What the run had not
	// come to is counted nowhere.
	EventParent EventKind = "parent"
)

// SyncEvent is one thing that a run found.
type SyncEvent struct {
	Kind EventKind
	At   time.Time

	// ID is the same each time that this very change is told, so that an alert can be raised once. Other events have none.
	ID string

	SID        string // the account's
	DocumentID string // the application's own key of the document, as text; "" for an account that has none
	Name       string // the account's friendly name, where Twilio showed it

	// Before is the stored status, After the one at Twilio. They are the same where only the token differs.
	Before, After Status
	TokenChanged  bool

	// FollowsParent: the account was suspended because the parent is.
	FollowsParent bool

	Err error
}

// SyncReport is how far a run came, and what came of it. Each document that was read is counted in exactly one of Changed,
// Unchanged, Failed and Gone, once the run is complete.
type SyncReport struct {
	Documents int // with a SID; what a run makes or adopts is added
	Listed    int // accounts that Twilio listed, the parent among them

	Changed   int // documents that were written (in a dry run: would be); of several of one SID all, if one differs
	Unchanged int // documents that were as they should be
	Failed    int // documents, and accounts without one: such a failure has no DocumentID
	Gone      int // documents of accounts that were closed and are deleted by now

	Missing    int // documents without an account: the gone ones, and those that failed because Twilio shows the parent no such account
	Unknown    int // accounts without a document, the parent apart, and those whose adoption failed
	Made       int // documents that were made, by Adopt or by a Store that makes them; they count as changed
	Duplicates int // SIDs that several documents hold

	StatusChanges int // documents whose status changed, those that were marked as gone among them: they are not in Changed

	Requests int  // that Twilio was sent, with those that had to be repeated
	PageSize int  // of the last page
	Complete bool // Twilio listed all accounts

	OneByOne        bool // the Store cannot scan, so it was asked for each account by itself
	TokensHidden    bool // Twilio hides tokens from the parent's API key: statuses were synced, tokens were kept
	ParentSuspended bool
}

// Synced is the number of documents that are as Twilio has them.
func (r SyncReport) Synced() int { return r.Changed + r.Unchanged }

// SyncAll brings every document that holds an account up to what Twilio says of the accounts: it reads the Store once, lists the
// parent's accounts 1000 a request, and writes each page's changes in one bulk while the next page is on its way. Token and status
// are written where they differ, and nothing else. It is meant for fleets of any size: it keeps less than 64 bytes for each account,
// where the documents' ids are ObjectIDs, UUIDs, the SIDs, or texts of up to 14 bytes; for longer ones their length more.
//
// A write of somebody else's since the documents were read wins: that account is fetched and compared by itself, so an older listing
// undoes nothing. Documents whose accounts a complete listing does not show are fetched one by one, and end as synced, as failed
// ([ErrNotFound], [ErrForbidden]), or, if their status is closed already, as gone. One account, document or bulk that fails never
// stops the others. Where Twilio's paging breaks, smaller pages are tried, then single accounts. Of an account that the list shows
// twice, because it moved meanwhile, the first sight counts.
//
// A Store that fails is waited for: a bulk is tried six times, with eight seconds of pauses, before its documents fail, but those after
// it once each, until one is taken. A Store that does not answer has 30 seconds at first, then two. Documents that are written one by
// one are tried once.
//
// The report says how far the run came, also beside an error. An error is: the Store cannot be read, Twilio refuses the parent, the
// listing broke off (what it did not show has failed with the same error), or ctx has ended. Documents that failed are no error of
// the run: look at SyncReport.Failed. A run can be repeated at any time, and several may run at once.
//
// A Store that cannot scan is asked for each account by itself, and documents without an account are not found then; one that
// cannot save in batches is written to record by record. nil options are all defaults.
func (p *Provider) SyncAll(ctx context.Context, opts *SyncAllOptions) (SyncReport, error) {
	if err := checkCall(ctx, p.parent.AccountSID); err != nil {
		return SyncReport{}, err
	}
	if p.store == nil {
		return SyncReport{}, invalid("SyncAll needs a store: set Options.Store")
	}
	o, err := opts.checked(p.concurrent)
	if err != nil {
		return SyncReport{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	r := p.newFleetRun(o)
	defer r.background.Wait()
	defer close(r.left)
	defer stop()
	err = r.run(rest.Counting(ctx, &r.requests))
	return r.soFar(), err
}

// checked copies the options and puts the defaults in.
func (o *SyncAllOptions) checked(concurrent int) (SyncAllOptions, error) {
	var copied SyncAllOptions
	if o != nil {
		copied = *o
	}
	switch {
	case copied.PageSize < 0 || copied.PageSize > largestPage:
		return copied, invalid("SyncAll: PageSize %d is not from 1 to %d", copied.PageSize, largestPage)
	case copied.Concurrent < 0:
		return copied, invalid("SyncAll: Concurrent %d is negative", copied.Concurrent)
	}
	copied.PageSize = cmp.Or(copied.PageSize, largestPage)
	copied.Concurrent = min(cmp.Or(copied.Concurrent, concurrent), concurrent)
	return copied, nil
}
