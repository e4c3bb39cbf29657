// Package page turns Twilio's paged lists into iterators, and reads the largest of them, that of accounts, quickly.
package page

import (
	"context"
	"errors"
	"iter"
	"net/url"
)

// Cursor is where a page begins, in the words of twilio-go's Page methods; the zero value is the first page. A token is the same place
// for pages of any size. A number alone counts pages: with smaller ones it is a place that was passed before.
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
		var walk Walk
		for more := true; more; {
			items, next, err := fetch(walk.At)
			switch {
			case err != nil:
				err = call.Typed(err)
			case items == nil:
				err = call.Unexpected(noList)
			}
			if !yield(items, err) || err != nil {
				return
			}
			if more, err = walk.Follow(call, value(next)); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

const noList = "the answer has no list"

// Walk is a way through a list. The zero value stands before the first page.
type Walk struct {
	At Cursor // where the next page begins; it may be read more than once, and in another size

	circle circle
}

// Follow steps to the page that next_page_uri or next_page_url names; "" is the end of the list, and more is false. A list whose
// next page cannot be told, or was read before, is an error that has its type from call. Then, too, the walk stays where it is.
func (w *Walk) Follow(call Call, next string) (more bool, err error) {
	if next == "" {
		return false, nil
	}
	at, err := parse(next)
	if err == nil && w.circle.closes(at) {
		err = errors.New("the list's next page is one that was read before")
	}
	if err != nil {
		return false, call.Unexpected(err.Error())
	}
	w.At = at
	return true, nil
}

// parse takes the cursor out of the address of a page. The rest of that address is not used: the next request is made like the
// first, so no answer can send it, with its credentials, elsewhere.
func parse(address string) (Cursor, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Cursor{}, errors.New("the address of the list's next page cannot be parsed")
	}
	query := u.Query()
	at := Cursor{Token: query.Get("PageToken"), Number: query.Get("Page")}
	if at == (Cursor{}) {
		return at, errors.New("the list's next page has neither PageToken nor Page")
	}
	return at, nil
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

// value is the string that p points to, or "".
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
