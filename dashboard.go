package twilioacct

import (
	"context"
	"errors"
	"sync"

	"github.com/twilioacct/twilioacct/internal/page"
)

// Dashboard is the state of a fleet at one moment, for people: how many accounts there are of each kind, and which. As JSON it
// has no failures but their number.
type Dashboard struct {
	Total int `json:"total"` // documents with a SID

	Active    int `json:"active"`
	Suspended int `json:"suspended"`
	Closed    int `json:"closed"`
	Trial     int `json:"trial"`
	Full      int `json:"full"`
	Unknown   int `json:"unknown"` // of a status or a type that is not listed here
	Failed    int `json:"failed"`  // documents whose account Twilio does not show, or that cannot be read

	Accounts []DashboardRow `json:"accounts"` // one for each document whose account Twilio showed

	Failures []DashboardFailure `json:"-"`
}

// DashboardRow is one document and what Twilio says of its account.
type DashboardRow struct {
	ID     string      `json:"id"` // the application's own key of the document, as text
	SID    string      `json:"sid"`
	Name   string      `json:"name"`
	Status Status      `json:"status"`
	Type   AccountType `json:"type"`
}

// DashboardFailure is a document that has no row.
type DashboardFailure struct {
	ID  string
	SID string
	Err error
}

// Dashboard compares the documents of the Store, which must be a [Scanner], with one listing of the parent's accounts. It writes
// nothing, asks for no account by itself, and takes some 250 bytes for each document. A SID that several documents hold is counted, and
// has a row, for each of them.
//
// A document that cannot be read, or whose account the listing does not show, is a failure in the Dashboard and no error. If the
// listing breaks off, the error says why, and so do the failures of all documents that it had not shown by then.
func (p *Provider) Dashboard(ctx context.Context) (Dashboard, error) {
	none := Dashboard{Accounts: []DashboardRow{}} // in JSON a list is a list
	if err := checkCall(ctx, p.parent.AccountSID); err != nil {
		return none, err
	}
	if p.store == nil {
		return none, invalid("Dashboard needs a store: set Options.Store")
	}
	ctx, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	l := p.newListing(largestPage)
	background.Go(func() { l.run(ctx) })
	d := drawing{documents: newLedger(p.seed)}
	canScan, err := p.scan(ctx, d.document)
	switch {
	case err != nil:
		return none, err
	case !canScan:
		return none, &StoreError{Op: "Scan", Err: errors.ErrUnsupported}
	}
	close(l.scanned)
	d.Accounts = make([]DashboardRow, 0, d.documents.size)
	for found := range l.pages {
		d.page(found)
		l.reuse(found)
	}
	d.finish(l.err)
	return d.Dashboard, l.err
}

// drawing is a Dashboard under way.
type drawing struct {
	Dashboard

	documents ledger
}

func (d *drawing) document(e Entry, err error) {
	x, _, isAgain := d.documents.add(e)
	if isAgain {
		return
	}
	d.Total++
	if err = unreadable(e, err); err != nil {
		d.fail(e, err)
		if x != nil {
			x.set(isSettled)
		}
	}
}

func (d *drawing) fail(e Entry, err error) {
	d.Failed++
	d.Failures = append(d.Failures, DashboardFailure{ID: e.ID, SID: shown(e.SID), Err: err})
}

func (d *drawing) page(p *listedPage) {
	for i := range p.List {
		a := &p.List[i]
		s, ok := newSID(a.SID)
		if !ok {
			continue
		}
		for x := range d.documents.all(s) {
			if !x.has(isSettled) {
				x.set(isSettled)
				d.row(d.documents.id(x), a)
			}
		}
	}
}

func (d *drawing) row(id string, a *page.Listed) {
	row := DashboardRow{
		ID:     id,
		SID:    string(a.SID),
		Name:   string(a.FriendlyName),
		Status: known(a.Status, StatusActive, StatusSuspended, StatusClosed),
		Type:   known(a.Type, TypeFull, TypeTrial),
	}
	d.Accounts = append(d.Accounts, row)
	isUnknown := false
	switch row.Status {
	case StatusActive:
		d.Active++
	case StatusSuspended:
		d.Suspended++
	case StatusClosed:
		d.Closed++
	default:
		isUnknown = true
	}
	switch row.Type {
	case TypeTrial:
		d.Trial++
	case TypeFull:
		d.Full++
	default:
		isUnknown = true
	}
	if isUnknown {
		d.Unknown++
	}
}

// known is one of the values, or the text: so that each row does not have a copy of its own.
func known[T ~string](text []byte, values ...T) T {
	for _, v := range values {
		if string(v) == string(text) {
			return v
		}
	}
	return T(text)
}

// finish counts the documents whose account was not shown.
func (d *drawing) finish(broken error) {
	if broken == nil {
		unlisted := listError("Twilio does not list the account")
		unlisted.verdict = ErrNotFound
		broken = unlisted
	}
	for x := range d.documents.lines {
		if !x.has(isSettled) {
			d.fail(Entry{ID: d.documents.id(x), SID: x.sid.String()}, broken)
		}
	}
}
