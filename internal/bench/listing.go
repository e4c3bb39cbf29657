package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

const pageSize = 1000

// listing is a fleet of any size, made of one page. Of each SID and token in it four digits are the page's number, stamped anew
// for each answer: no account comes twice, which would let a side that shares equal strings look better than it is, and the
// garbage collector is not spoiled by a heap of 100 pages. Four more digits of a token count how often it was changed.
type listing struct {
	page     []byte // the accounts of one page, with commas between them
	accounts []stamps
	bySID    map[string]int // the place on its page of an account, by its SID without the page's digits
	pages    int
}

// stamps are where the digits of an account stand, and how often its token was changed.
type stamps struct {
	begin, end int // of the account in the page
	sids       []int
	token      int
	changes    uint16
}

const (
	digits   = 4
	sidStart = len("AC") // the digits follow it
)

func newListing(answer []byte, pages int) (*listing, error) {
	var page struct {
		Accounts []json.RawMessage `json:"accounts"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, err
	}
	if len(page.Accounts) != pageSize {
		return nil, fmt.Errorf("the first page has %d accounts", len(page.Accounts))
	}
	l := &listing{page: bytes.Join(asBytes(page.Accounts), []byte(",")), bySID: map[string]int{}, pages: pages}
	begin := 0
	for i, raw := range page.Accounts {
		var account struct {
			SID       string `json:"sid"`
			AuthToken string `json:"auth_token"`
		}
		if err := json.Unmarshal(raw, &account); err != nil {
			return nil, err
		}
		s := stamps{begin: begin, end: begin + len(raw), token: begin + bytes.Index(raw, []byte(account.AuthToken))}
		for _, at := range indexes(raw, account.SID) {
			s.sids = append(s.sids, begin+at+sidStart)
		}
		l.accounts = append(l.accounts, s)
		l.bySID[withoutPage(account.SID)] = i
		begin = s.end + len(",")
	}
	return l, nil
}

func asBytes(messages []json.RawMessage) [][]byte {
	all := make([][]byte, len(messages))
	for i, m := range messages {
		all[i] = m
	}
	return all
}

// indexes are the places where text stands in b.
func indexes(b []byte, text string) (all []int) {
	for from := 0; ; {
		at := bytes.Index(b[from:], []byte(text))
		if at < 0 {
			return all
		}
		all = append(all, from+at)
		from += at + len(text)
	}
}

func withoutPage(sid string) string { return sid[sidStart+digits:] }

// stamp makes the account at that place of the page one of page number.
func (l *listing) stamp(s stamps, number int) {
	const hex = "0123456789abcdef"
	put := func(at, n int) {
		for i := digits - 1; i >= 0; i-- {
			l.page[at+i] = hex[n%len(hex)]
			n /= len(hex)
		}
	}
	for _, at := range s.sids {
		put(at, number)
	}
	put(s.token, number)
	put(s.token+digits, int(s.changes))
}

// changeTokens changes every n-th token of each page.
func (l *listing) changeTokens(n int) error {
	if n < 1 || pageSize%n != 0 {
		return fmt.Errorf("a page of %d has no whole number of every %d accounts", pageSize, n)
	}
	for i := 0; i < len(l.accounts); i += n {
		l.accounts[i].changes++
	}
	return nil
}

// first is the SID of the fleet's first account.
func (l *listing) first() string {
	s := l.accounts[0]
	l.stamp(s, 0)
	at := s.sids[0] - sidStart
	return string(l.page[at : at+sidLength])
}

const sidLength = len("AC") + 32

func (l *listing) servePage(w http.ResponseWriter, number int) {
	for _, s := range l.accounts {
		l.stamp(s, number)
	}
	head := fmt.Sprintf(`{"page_size":%d,"accounts":[`, pageSize)
	tail := fmt.Sprintf(`],"page":%d,"next_page_uri":%s}`, number, l.next(number))
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(l.page)+len(tail)))
	_, _ = io.WriteString(w, head)
	_, _ = w.Write(l.page)
	_, _ = io.WriteString(w, tail)
}

func (l *listing) next(number int) string {
	number++
	if number == l.pages {
		return "null"
	}
	return fmt.Sprintf(`"%s.json?PageSize=%d&Page=%d&PageToken=PAAC%032x"`, accountsPath, pageSize, number, number)
}

func (l *listing) serveOne(w http.ResponseWriter, sid string) {
	i, number, ok := l.find(sid)
	if !ok {
		http.Error(w, `{"code":20404,"message":"not found","status":404}`, http.StatusNotFound)
		return
	}
	s := l.accounts[i]
	l.stamp(s, number)
	w.Header().Set("Content-Length", strconv.Itoa(s.end-s.begin))
	_, _ = w.Write(l.page[s.begin:s.end])
}

// find tells where an account is: its place on a page, and the page.
func (l *listing) find(sid string) (i, page int, ok bool) {
	if len(sid) != sidLength {
		return 0, 0, false
	}
	number, err := strconv.ParseUint(sid[sidStart:sidStart+digits], 16, 16)
	i, ok = l.bySID[withoutPage(sid)]
	return i, int(number), ok && err == nil && int(number) < l.pages
}
