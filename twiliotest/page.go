package twiliotest

import (
	"net/http"
	"net/url"
	"strconv"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// listing is a list as the paging sees it. Items have fixed places, counted
// from the oldest; a deleted one leaves its place empty. So a page token, which
// names the item where the page before ended, holds whatever is created or
// deleted meanwhile.
type listing struct {
	key        string // of the items in the JSON
	length     int
	sid        func(i int) string
	position   func(sid string) int // -1 if there is none
	shows      func(i int) bool
	appendJSON func(parts [][]byte, i int) [][]byte
}

// page is what a request asks for. The newest items come first.
type page struct {
	size, number int
	token        string
	from         int  // the place where to begin
	backwards    bool // from there to newer items
}

// list answers with one page in the form of the API that was called.
func (c *call) list(l listing) answer {
	p, code := c.page(l)
	if code != 0 {
		return c.refuse(code)
	}
	places, more := p.choose(l)
	items := make([][]byte, 1, 2*len(places)+2)
	for i, place := range places {
		if i > 0 {
			items = append(items, comma)
		}
		items = l.appendJSON(items, place)
	}
	if c.route.host == apiHost {
		items[0] = c.pageHead(l, p, places)
		items = append(items, c.pageTail(l, p, places, more))
	} else {
		items[0] = c.metaHead(l, p, places, more)
		items = append(items, []byte("]}"))
	}
	return jsonAnswer(http.StatusOK, items...)
}

var comma = []byte(",")

func (c *call) page(l listing) (p page, code int) {
	var sizeOK, numberOK bool
	p.size, sizeOK = c.number("PageSize", defaultPageSize, 1)
	p.number, numberOK = c.number("Page", 0, 0)
	p.from = l.length - 1
	switch {
	case !sizeOK || !numberOK:
		return p, 20001
	case p.size > maxPageSize:
		return p, 20007
	}
	p.token, _ = c.param("PageToken")
	if p.token != "" {
		code = p.resume(l)
	}
	return p, code
}

func (c *call) number(name string, absent, least int) (n int, ok bool) {
	s, sent := c.param(name)
	if !sent {
		return absent, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= least
}

// resume goes to where a token points: PA and a SID is the page after that
// item, PB the page before it.
func (p *page) resume(l listing) (code int) {
	if len(p.token) < 2 {
		return 21481
	}
	place := l.position(p.token[2:])
	switch kind := p.token[:2]; {
	case place < 0:
		return 21481
	case kind == "PA":
		p.from = place - 1
	case kind == "PB":
		p.from, p.backwards = place+1, true
	default:
		return 21481
	}
	return 0
}

// choose returns the places of a page's items, newest first, and whether older
// ones follow.
func (p page) choose(l listing) (places []int, more bool) {
	places = make([]int, 0, min(p.size, l.length))
	if p.backwards {
		for i := p.from; i < l.length && len(places) < p.size; i++ {
			if l.shows(i) {
				places = append(places, i)
			}
		}
		reverse(places)
		return places, true
	}
	for i := p.from; i >= 0; i-- {
		if !l.shows(i) {
			continue
		}
		if len(places) == p.size {
			return places, true
		}
		places = append(places, i)
	}
	return places, false
}

func reverse(places []int) {
	for i, j := 0, len(places)-1; i < j; i, j = i+1, j-1 {
		places[i], places[j] = places[j], places[i]
	}
}

// pageHead and pageTail are what surrounds the items in the 2010 API, in the
// order of the examples in Twilio's OpenAPI file.
func (c *call) pageHead(l listing, p page, places []int) []byte {
	b := append([]byte(nil), `{"first_page_uri":`...)
	b = c.appendLink(b, p.size, 0, "")
	b = append(b, `,"end":`...)
	b = strconv.AppendInt(b, int64(max(p.number*p.size+len(places)-1, 0)), 10)
	b = append(b, `,"previous_page_uri":`...)
	b = c.appendPrevious(b, l, p, places)
	b = append(b, `,"`...)
	b = append(b, l.key...)
	return append(b, `":[`...)
}

func (c *call) pageTail(l listing, p page, places []int, more bool) []byte {
	b := append([]byte(nil), `],"uri":`...)
	b = c.appendLink(b, p.size, p.number, p.token)
	b = append(b, `,"page_size":`...)
	b = strconv.AppendInt(b, int64(p.size), 10)
	b = append(b, `,"start":`...)
	b = strconv.AppendInt(b, int64(p.number*p.size), 10)
	b = append(b, `,"next_page_uri":`...)
	b = c.appendNext(b, l, p, places, more)
	b = append(b, `,"page":`...)
	b = strconv.AppendInt(b, int64(p.number), 10)
	return append(b, '}')
}

// metaHead is what stands before the items in the newer APIs.
func (c *call) metaHead(l listing, p page, places []int, more bool) []byte {
	b := append([]byte(nil), `{"meta":{"page":`...)
	b = strconv.AppendInt(b, int64(p.number), 10)
	b = append(b, `,"page_size":`...)
	b = strconv.AppendInt(b, int64(p.size), 10)
	b = append(b, `,"first_page_url":`...)
	b = c.appendLink(b, p.size, 0, "")
	b = append(b, `,"previous_page_url":`...)
	b = c.appendPrevious(b, l, p, places)
	b = append(b, `,"next_page_url":`...)
	b = c.appendNext(b, l, p, places, more)
	b = append(b, `,"key":"`...)
	b = append(b, l.key...)
	b = append(b, `","url":`...)
	b = c.appendLink(b, p.size, p.number, p.token)
	b = append(b, `},"`...)
	b = append(b, l.key...)
	return append(b, `":[`...)
}

func (c *call) appendPrevious(b []byte, l listing, p page, places []int) []byte {
	if p.number == 0 || len(places) == 0 {
		return append(b, "null"...)
	}
	return c.appendLink(b, p.size, p.number-1, "PB"+l.sid(places[0]))
}

func (c *call) appendNext(b []byte, l listing, p page, places []int, more bool) []byte {
	if !more || len(places) == 0 {
		return append(b, "null"...)
	}
	return c.appendLink(b, p.size, p.number+1, "PA"+l.sid(places[len(places)-1]))
}

// appendLink writes the address of a page, which is relative in the 2010 API
// and repeats the filters. Escaping leaves nothing in it that JSON would have
// to escape.
func (c *call) appendLink(b []byte, size, number int, token string) []byte {
	b = append(b, '"')
	if c.route.host != apiHost {
		b = append(append(b, "https://"...), c.route.host...)
	}
	b = append(append(b, c.path...), '?')
	for name := range c.route.filters() {
		for _, value := range c.query[name] {
			b = append(append(append(b, url.QueryEscape(name)...), '='), url.QueryEscape(value)...)
			b = append(b, '&')
		}
	}
	b = strconv.AppendInt(append(b, "PageSize="...), int64(size), 10)
	b = strconv.AppendInt(append(b, "&Page="...), int64(number), 10)
	if token != "" {
		b = append(append(b, "&PageToken="...), url.QueryEscape(token)...)
	}
	return append(b, '"')
}
