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

// listing reads the list of the parent's accounts ahead of who looks at it: the next page is on its way while one is taken apart, and
// while one is worked on.
type listing struct {
	provider *Provider
	size     int // of a page

	pages   chan *listedPage
	spare   chan *listedPage // whose memory can be used again
	scanned chan struct{}    // closed when the documents were read; only the first page is asked for before
	ahead   *pageAhead       // nil if there is none
	stop    context.CancelFunc

	// Why the list is not complete, and whether it is only the paging that broke. To be read when pages is closed.
	err      error
	isPaging bool
}

// listedPage is a page of accounts.
type listedPage struct {
	page.Accounts
	call    *rest.Call // that brought it
	size    int        // that was asked for
	isEarly bool       // asked for before the documents were read, so a document may be newer
}

// understood takes the answer apart.
func (p *listedPage) understood() (*listedPage, error) {
	err := p.Read(p.call)
	return p, err
}

// pageAhead is a page that was asked for before it was certain that the list goes on there.
type pageAhead struct {
	at      page.Cursor
	size    int
	stop    context.CancelFunc
	arrived chan struct{} // closed when page and err are there
	page    *listedPage
	err     error
}

func (p *Provider) newListing(size int) *listing {
	const atOnce = 3 // one is worked on, one is ready, one is on its way
	return &listing{
		provider: p,
		size:     size,
		pages:    make(chan *listedPage),
		spare:    make(chan *listedPage, atOnce),
		scanned:  make(chan struct{}),
	}
}

// run sends all pages. Where Twilio shows no more, err says why.
func (l *listing) run(ctx context.Context) {
	defer close(l.pages)
	defer l.drop()
	l.err = l.read(ctx)
	if typed := (*Error)(nil); l.err != nil && !errors.As(l.err, &typed) {
		l.err = l.provider.asParent(ctx).Typed(l.err)
	}
}

func (l *listing) read(ctx context.Context) error {
	var walk page.Walk
	var lost error // the way on
	for more, isEarly := true, true; more; isEarly = false {
		found, err := l.page(ctx, walk.At)
		if err != nil {
			l.isPaging = refusesPaging(err)
			return err
		}
		more, err = walk.Follow(found.call, found.Next)
		l.isPaging = err != nil
		lost = err
		found.isEarly = isEarly
		select {
		case l.pages <- found:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.awaitScan(ctx); err != nil {
			return err
		}
	}
	return lost
}

func (l *listing) awaitScan(ctx context.Context) error {
	select {
	case <-l.scanned:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// smallestPage is as few accounts as are asked for at once where larger pages break.
const smallestPage = 50

// page reads a page. Where Twilio's paging breaks, it tries again with smaller ones, and goes on with these.
func (l *listing) page(ctx context.Context, at page.Cursor) (*listedPage, error) {
	for {
		found, err := l.next(ctx, at)
		mayBeSize := refusesPaging(err) || isNoPage(err)
		if !mayBeSize || l.size <= smallestPage {
			return found, err
		}
		l.size = max(smallestPage, l.size/4)
	}
}

// next reads the page that is on its way, if it is the right one, and else asks for it. Before it takes the answer apart it asks for the
// page after that.
func (l *listing) next(ctx context.Context, at page.Cursor) (*listedPage, error) {
	found, err := l.arrived(ctx, at)
	if err != nil {
		return nil, err
	}
	if ahead, ok := found.Ahead(); ok {
		l.ask(ctx, ahead)
	}
	return found.understood()
}

func (l *listing) arrived(ctx context.Context, at page.Cursor) (*listedPage, error) {
	if a := l.ahead; a != nil && a.at == at && a.size == l.size {
		<-a.arrived
		a.stop()
		l.ahead = nil
		return a.page, a.err
	}
	l.drop()
	return l.fetch(ctx, at, l.size)
}

// ask lets a page come.
func (l *listing) ask(ctx context.Context, at page.Cursor) {
	ctx, stop := context.WithCancel(ctx)
	a := &pageAhead{at: at, size: l.size, stop: stop, arrived: make(chan struct{})}
	l.ahead = a
	go func() {
		defer close(a.arrived)
		if a.err = l.awaitScan(ctx); a.err == nil {
			a.page, a.err = l.fetch(ctx, a.at, a.size)
		}
	}()
}

// drop lets go of a page that is not wanted any more.
func (l *listing) drop() {
	if l.ahead != nil {
		l.ahead.stop()
		<-l.ahead.arrived
		l.ahead = nil
	}
}

// again reads the first page once more, and twice where the answer breaks off.
func (l *listing) again(ctx context.Context, size int) (*listedPage, error) {
	found, err := l.first(ctx, size)
	if isNoPage(err) {
		return l.first(ctx, size)
	}
	return found, err
}

func (l *listing) first(ctx context.Context, size int) (*listedPage, error) {
	found, err := l.fetch(ctx, page.Cursor{}, size)
	if err != nil {
		return nil, err
	}
	return found.understood()
}

// fetch asks for a page, which is still to be read, and puts it into spare memory if there is some.
func (l *listing) fetch(ctx context.Context, at page.Cursor, size int) (*listedPage, error) {
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
	found.call, found.size = l.provider.asParent(ctx), size
	var err error
	found.Body, err = found.call.Get(accountsPath, query, found.Body)
	return found, err
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
func refusesPaging(err error) bool { return errors.Is(err, ErrInvalid) }

// isNoPage is true for an answer that broke off or was none of Twilio's.
func isNoPage(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusOK
}

// refusesParent is true where Twilio refuses to show the parent its accounts.
func refusesParent(err error) bool {
	return errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrSuspended) || errors.Is(err, ErrClosed) || errors.Is(err, ErrForbidden)
}
