package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// pager reads a fleet's pages as they come, into memory that is used again.
type pager struct {
	twilio *twilio
	http   *http.Client
	used   chan []byte
}

func newPager(t *twilio) *pager {
	p := &pager{twilio: t, http: &http.Client{Transport: keepAlive()}}
	p.forget()
	return p
}

// forget lets go of the memory: a program that syncs now and then keeps none in between.
func (p *pager) forget() { p.used = make(chan []byte, 4) }

// each asks for a page as soon as use has taken the one before.
func (p *pager) each(ctx context.Context, use func(page []byte) error) error {
	for path := fmt.Sprintf("%s.json?PageSize=%d", accountsPath, pageSize); path != ""; {
		page, err := p.page(ctx, path)
		if err != nil {
			return err
		}
		path = nextPath(page)
		if err := use(page); err != nil {
			return err
		}
	}
	return nil
}

func (p *pager) page(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.twilio.URL+path, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(p.twilio.SID, p.twilio.Token)
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return nil, fmt.Errorf("GET %s: %s, %d bytes", path, resp.Status, resp.ContentLength)
	}
	page := p.room(int(resp.ContentLength))
	_, err = io.ReadFull(resp.Body, page)
	return page, err
}

func (p *pager) room(size int) []byte {
	select {
	case used := <-p.used:
		if cap(used) >= size {
			return used[:size]
		}
	default:
	}
	return make([]byte, size, size+size/8)
}

// reuse gives the memory of a page back.
func (p *pager) reuse(page []byte) {
	select {
	case p.used <- page:
	default:
	}
}

var nextName = []byte(`"next_page_uri":"`)

// nextPath is where the next page is, or "" on the last.
func nextPath(page []byte) string {
	at := bytes.LastIndex(page, nextName)
	if at < 0 {
		return ""
	}
	next, _ := nextText(page[at:], nextName)
	return string(next)
}
