package twilioacct

import (
	"context"
	"encoding/json"
	"hash/maphash"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
)

// page compares a page of accounts with the documents. The first one was asked for before the documents were read, so a document that
// differs may be newer than it, by somebody who has changed the account and the document meanwhile. Then the page is read again.
func (r *fleetRun) page(ctx context.Context, p *listedPage) {
	defer r.listing.reuse(p)
	if refusesParent(r.unread) {
		return
	}
	r.report.PageSize = p.size
	if !p.isEarly || r.agrees(p.List) {
		r.findParent(p.List)
		r.accounts(ctx, p.List, isFresh)
		return
	}
	again, err := r.listing.again(ctx, p.size)
	switch {
	case err == nil:
		r.findParent(again.List)
		r.accounts(ctx, again.List, isFresh)
		r.listing.reuse(again)
		r.accounts(ctx, p.List, isRepeated)
	case refusesParent(err):
		r.unread = err // and nothing of what it has shown before counts
		r.listing.stop()
	default:
		if !refusesPaging(err) && !isNoPage(err) {
			r.unread = err // Twilio is down, and would be held down by single requests
		}
		r.findParent(p.List)
		r.accounts(ctx, p.List, isOld)
	}
}

// age says what a page is worth.
type age int

const (
	isFresh    age = iota // asked for after the documents were read
	isOld                 // a document may be newer than it, so what differs is looked at one by one
	isRepeated            // old, and read again: only what is not on it any more is new
)

// agrees is true where no document differs from the page.
func (r *fleetRun) agrees(accounts []page.Listed) bool {
	for i := range accounts {
		a := &accounts[i]
		if s, ok := newSID(a.SID); ok && !r.documents.agree(s, a) {
			return false
		}
	}
	return true
}

// accounts takes up the accounts of a page that it has not seen before, and writes what has changed.
func (r *fleetRun) accounts(ctx context.Context, accounts []page.Listed, age age) {
	var changes bulk
	known := r.documents.findAll(accounts)
	for i := range accounts {
		if change, x := r.account(ctx, &accounts[i], known[i], age); x != nil {
			changes.add(change, x, len(accounts)-i)
		}
	}
	r.write(ctx, changes)
}

// account settles an account whose document agrees, and returns the change of one whose document does not, with its line.
func (r *fleetRun) account(ctx context.Context, a *page.Listed, x *line, age age) (Record, *line) {
	s, ok := newSID(a.SID)
	if !ok {
		r.malformed(a, age)
		return Record{}, nil
	}
	if x == nil {
		x = r.documents.find(s) // the page itself may have shown it before
	}
	if x != nil && x.has(isSeen) {
		return Record{}, nil
	}
	if a.IsOdd {
		r.odd(ctx, s, a, age)
		return Record{}, nil
	}
	r.report.Listed++
	r.report.TokensHidden = r.report.TokensHidden || len(a.AuthToken) == 0 && r.provider.parent.APIKeySID != ""
	if x == nil {
		return r.newcomer(ctx, s, a)
	}
	if x.has(isCopied) {
		r.copies(s, a)
		return Record{}, nil
	}
	x.set(isSeen)
	switch {
	case x.has(isSettled):
	case !x.has(isStrange) && !r.documents.differs(x, a):
		x.set(isSettled)
		r.report.Unchanged++
	case age == isFresh && !x.has(isStrange):
		return r.planned(ctx, x, a)
	}
	return Record{}, nil // what is not settled is looked at by itself
}

// copies settles several documents of one account if all of them agree, and leaves them open else.
func (r *fleetRun) copies(s sid, a *page.Listed) {
	agree := r.documents.agree(s, a)
	for x := range r.documents.all(s) {
		x.set(isSeen)
		switch {
		case x.has(isSettled):
		case agree:
			x.set(isSettled)
			r.report.Unchanged++
		}
	}
}

// malformed tells of an account that no document can hold.
func (r *fleetRun) malformed(a *page.Listed, age age) {
	if age != isRepeated {
		r.fail(SyncEvent{Name: string(a.FriendlyName), Err: listError("the list shows an account whose SID is " + quote(string(a.SID)))})
	}
}

// odd leaves an account that was listed in another form than Twilio documents to be looked at by itself, or tells of it where no
// document holds it.
func (r *fleetRun) odd(ctx context.Context, s sid, a *page.Listed, age age) {
	r.report.Listed++
	if r.report.OneByOne {
		x, _, _ := r.documents.add(Entry{SID: s.String(), ID: s.String()})
		x.set(isSeen | isNew)
		r.look(ctx, single{sid: s.String(), line: x})
		return
	}
	isHeld := r.isParent(s)
	for x := range r.documents.all(s) {
		isHeld = true
		x.set(isSeen)
	}
	if !isHeld && age != isRepeated {
		err := listError("the list shows the account in another form than documented")
		r.fail(SyncEvent{SID: s.String(), Name: string(a.FriendlyName), Err: err})
	}
}

// newcomer is an account that the scan has shown no document of.
func (r *fleetRun) newcomer(ctx context.Context, s sid, a *page.Listed) (Record, *line) {
	x, _, _ := r.documents.add(Entry{SID: s.String(), ID: s.String()}) // so that it is known if Twilio lists it again
	x.set(isSeen | isNew)
	if r.report.OneByOne {
		r.look(ctx, single{sid: s.String(), line: x, listed: fullAccount(a)})
		return Record{}, nil
	}
	x.set(isSettled)
	switch {
	case r.isParent(s) || r.opts.Adopt != nil && r.adopted(ctx, *fullAccount(a)):
	case r.makes:
		return r.planned(ctx, x, a)
	default:
		r.unknown(s.String(), string(a.FriendlyName))
	}
	return Record{}, nil
}

func (r *fleetRun) unknown(sid, name string) {
	r.report.Unknown++
	r.observe(SyncEvent{Kind: EventUnknown, SID: sid, Name: name})
}

// adopted is true where nothing is left to do for an account without a document.
func (r *fleetRun) adopted(ctx context.Context, a Account) bool {
	if r.opts.Adopt == nil || r.opts.DryRun {
		return false
	}
	adopted, err := r.opts.Adopt(ctx, a)
	switch {
	case err != nil:
		r.fail(SyncEvent{SID: a.SID, Name: a.FriendlyName, Err: err})
	case adopted:
		r.made()
	}
	return adopted || err != nil
}

// made counts a document that there is now.
func (r *fleetRun) made() {
	r.report.Documents++
	r.report.Made++
	r.report.Changed++
}

// planned is how a document becomes what Twilio shows. The change is told before it is written.
func (r *fleetRun) planned(ctx context.Context, x *line, a *page.Listed) (Record, *line) {
	change := Record{SID: string(a.SID), Rev: int64(x.rev)}
	if r.documents.statusDiffers(x, a) {
		change.Status = r.documents.asStatus(a.Status)
	}
	isToken := r.documents.tokenDiffers(x, a)
	if isToken {
		change.AuthToken = NewSecret(string(a.AuthToken))
	}
	if r.opts.Observe != nil {
		r.change(ctx, SyncEvent{
			SID: change.SID, DocumentID: r.documentID(x), Name: string(a.FriendlyName),
			Before: r.documents.status(x), After: change.Status, TokenChanged: isToken,
		}, change.Rev, false)
	}
	return change, x
}

// documentID is "" for a document that is yet to be made.
func (r *fleetRun) documentID(x *line) string {
	if x.has(isNew) {
		return ""
	}
	return r.documents.id(x)
}

// agree is true where all documents that hold the SID, but for those that cannot be read, are as Twilio has the account.
func (l *ledger) agree(s sid, a *page.Listed) bool {
	for x := range l.all(s) {
		if !x.has(isSettled) && (x.has(isStrange) || l.differs(x, a)) {
			return false
		}
	}
	return true
}

func (l *ledger) differs(x *line, a *page.Listed) bool {
	return l.statusDiffers(x, a) || l.tokenDiffers(x, a)
}

func (l *ledger) statusDiffers(x *line, a *page.Listed) bool {
	return len(a.Status) > 0 && string(l.status(x)) != string(a.Status)
}

// tokenDiffers is false for a token that Twilio hides.
func (l *ledger) tokenDiffers(x *line, a *page.Listed) bool {
	return len(a.AuthToken) > 0 && x.fingerprint != fingerprint(l.seed, a.AuthToken)
}

func fingerprint(seed maphash.Seed, token []byte) uint64 { return max(1, maphash.Bytes(seed, token)) }

// fullAccount is all that Twilio shows of an account. The page was found to be good JSON before.
func fullAccount(a *page.Listed) *Account {
	var raw api.ApiV2010Account
	_ = json.Unmarshal(a.Object, &raw) // what has another form than documented is left out
	account := newAccount(&raw)
	return &account
}
