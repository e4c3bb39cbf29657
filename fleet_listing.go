package twilioacct

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/twilioacct/twilioacct/internal/page"
	"github.com/twilioacct/twilioacct/internal/rest"
)

// listing reads the list of the parent's accounts ahead of who looks at it: the next page is on its way while one is worked on.
type listing struct {
	provider *Provider
	size     int // of a page

	pages   chan *listedPage
	spare   chan *listedPage // whose memory can be used again
	scanned chan struct{}    // closed when the documents were read; only the first page is asked for before

	// Why the list is not complete, and whether it is only the paging that broke. To be read when pages is closed.
	err      error
	isPaging bool
}

// listedPage is a page of accounts.
type listedPage struct {
	page.Accounts
	size    int  // that was asked for
	isEarly bool // asked for before the documents were read, so a document may be newer
}

func (p *Provider) newListing(size int) *listing {
	const atOnce = 3 // one is worked on, one is ready, one is on its way
	return &listing{
		provider: p,
		size:     size,
		pages:    make(chan *listedPage, 1),
		spare:    make(chan *listedPage, atOnce),
		scanned:  make(chan struct{}),
	}
}

// run sends all pages. Where Twilio shows no more, err says why.
func (l *listing) run(ctx context.Context) {
	defer close(l.pages)
	l.err = l.read(ctx)
}

func (l *listing) read(ctx context.Context) error {
	call := l.provider.asParent(ctx)
	var walk page.Walk
	var lost error // the way on
	for more, isEarly := true, true; more; isEarly = false {
		found, err := l.page(call, walk.At)
		if err != nil {
			l.isPaging = refusesPaging(err)
			return err
		}
		more, err = walk.Follow(call, found.Next)
		l.isPaging = err != nil
		lost = err
		found.isEarly = isEarly
		select {
		case l.pages <- found:
		case <-ctx.Done():
			return call.Typed(ctx.Err())
		}
		select {
		case <-l.scanned:
		case <-ctx.Done():
			return call.Typed(ctx.Err())
		}
	}
	return lost
}

// smallestPage is as few accounts as are asked for at once where larger pages break.
const smallestPage = 50

// page reads a page. Where Twilio's paging breaks, it tries again with smaller ones, and goes on with these.
func (l *listing) page(call *rest.Call, at page.Cursor) (*listedPage, error) {
	for {
		found, err := l.pageOf(call, at, l.size)
		mayBeSize := refusesPaging(err) || isNoPage(err)
		if !mayBeSize || l.size <= smallestPage {
			return found, err
		}
		l.size = max(smallestPage, l.size/4)
	}
}

// pageOf reads a page of that size, into spare memory if there is some.
func (l *listing) pageOf(call *rest.Call, at page.Cursor, size int) (*listedPage, error) {
	query := url.Values{"PageSize": {strconv.Itoa(size)}}
	if at.Token != "" {
		query.Set("PageToken", at.Token)
	}
	if at.Number != "" {
		query.Set("Page", at.Number)
	}
	var found *listedPage
	select {
	case found = <-l.spare:
	default:
		found = new(listedPage)
	}
	found.size = size
	body, err := call.Get(accountsPath, query, found.Body)
	if err != nil {
		return nil, err
	}
	found.Body = body
	if err := found.Read(call); err != nil {
		return nil, err
	}
	return found, nil
}

// reuse takes back a page that nobody looks at any more.
func (l *listing) reuse(p *listedPage) {
	select {
	case l.spare <- p:
	default:
	}
}

const accountsPath = "/2010-04-01/Accounts.json"

// listError is what is wrong with a list that Twilio has answered with.
func listError(message string) *Error {
	return &Error{Method: http.MethodGet, Path: accountsPath, Status: http.StatusOK, Message: message}
}

// refusesPaging is Twilio's word against a page size or a cursor: 20007, 21481, and 70002, which it gives after some pages of a long
// list.
func refusesPaging(err error) bool {
	var e *Error
	return errors.Is(err, ErrInvalid) && errors.As(err, &e) && e.Status != 0
}

// isNoPage is true for an answer that broke off or was none of Twilio's.
func isNoPage(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusOK
}

// refusesParent is true where Twilio refuses to show the parent its accounts.
func refusesParent(err error) bool {
	return errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrSuspended) || errors.Is(err, ErrClosed) || errors.Is(err, ErrForbidden)
}
