// Package page turns Twilio's paged lists into iterators.
package page

import (
	"context"
	"errors"
	"iter"
	"net/url"
)

// Cursor is where a page begins, in the words of twilio-go's Page methods; the zero value is the first page.
type Cursor struct{ Token, Number string }

// Call gives failures their type.
type Call interface {
	Typed(err error) error           // of one that ended the list
	Unexpected(mistake string) error // of an answer that is no page
}

// Fetch reads one page: its items, nil if the answer has no list, and where the next one is, nil on the last.
type Fetch[R any] func(at Cursor) (items []R, next *string, err error)

// All yields the items of all pages, converted one by one, with one page in memory at a time. An error ends it, and so does the
// end of the context, also within a page.
func All[R, T any](ctx context.Context, call Call, fetch Fetch[R], convert func(*R) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for items, err := range pages(call, fetch) {
			if err != nil {
				yield(none, err)
				return
			}
			for i := range items {
				if err := ctx.Err(); err != nil {
					yield(none, call.Typed(err))
					return
				}
				if !yield(convert(&items[i]), nil) {
					return
				}
			}
		}
	}
}

// pages yields one page after the other, and ends with an error that has its type.
func pages[R any](call Call, fetch Fetch[R]) iter.Seq2[[]R, error] {
	return func(yield func([]R, error) bool) {
		var at Cursor
		var circle circle
		for more := true; more; {
			items, next, err := fetch(at)
			switch {
			case err != nil:
				err = call.Typed(err)
			case items == nil:
				err = call.Unexpected("the answer has no list")
			}
			if !yield(items, err) || err != nil {
				return
			}
			if at, more, err = follow(next); err == nil && more && circle.closes(at) {
				err = errors.New("the list's next page is one that was read before")
			}
			if err != nil {
				yield(nil, call.Unexpected(err.Error()))
				return
			}
		}
	}
}

// circle finds out, after some rounds at most, that a list goes in one; by Brent's method it remembers a single page.
type circle struct {
	page        Cursor
	steps, most int
}

func (c *circle) closes(at Cursor) bool {
	if at == c.page {
		return true
	}
	if c.steps++; c.steps > c.most {
		c.page, c.steps, c.most = at, 0, 2*c.most+1
	}
	return false
}

// follow takes the cursor out of next_page_uri or next_page_url. The rest of that address is not used: the next request is made
// like the first, so no answer can send it, with its credentials, elsewhere.
func follow(next *string) (at Cursor, more bool, err error) {
	if next == nil || *next == "" {
		return at, false, nil
	}
	u, err := url.Parse(*next)
	if err != nil {
		return at, false, errors.New("the address of the list's next page cannot be parsed")
	}
	query := u.Query()
	at = Cursor{Token: query.Get("PageToken"), Number: query.Get("Page")}
	if at == (Cursor{}) {
		return at, false, errors.New("the list's next page has neither PageToken nor Page")
	}
	return at, true, nil
}
