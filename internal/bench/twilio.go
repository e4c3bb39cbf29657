package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/twilioacct/twilioacct/twiliotest"
)

const pageSize = 1000

// twilio answers with bytes that were rendered beforehand: what serving costs would only hide what asking costs. It checks
// nothing; twiliotest, where the bytes come from, does.
type twilio struct {
	*httptest.Server
	url, host  string
	sid, token string // the parent's

	subaccount string
	account    []byte // the subaccount's answer

	fleet *fleet
}

func newTwilio(accounts int) (*twilio, error) {
	fake := twiliotest.Start()
	defer fake.Close()
	parent := fake.Parent()
	t := &twilio{sid: parent.SID, token: parent.AuthToken, subaccount: fake.AddSubaccounts(pageSize)[0]}
	var err error
	if t.account, err = t.rendered(fake, "/2010-04-01/Accounts/"+t.subaccount+".json"); err != nil {
		return nil, err
	}
	page, err := t.rendered(fake, "/2010-04-01/Accounts.json?PageSize="+strconv.Itoa(pageSize))
	if err != nil {
		return nil, err
	}
	t.fleet = newFleet(page, accounts/pageSize)
	t.Server = httptest.NewServer(t)
	t.url, t.host = t.URL, t.Listener.Addr().String()
	return t, nil
}

func (t *twilio) rendered(fake *twiliotest.Server, path string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, "https://"+apiHost+path, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(t.sid, t.token)
	resp, err := fake.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

func (t *twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(r.URL.Path, "/2010-04-01/Accounts/") {
		w.Header().Set("Content-Length", strconv.Itoa(len(t.account)))
		_, _ = w.Write(t.account)
		return
	}
	t.fleet.serve(w, r.URL.Query())
}

// fleet is a list of accounts of any length, made of one page. Of each SID and token in it four digits are the page's number,
// stamped anew for each request: no account comes twice, which would let a side that shares equal strings look better than it
// is, and the garbage collector is not spoiled by a heap of 100 pages.
type fleet struct {
	mu     sync.Mutex
	page   []byte // the accounts of one page
	stamps []int  // where in it the digits stand
	pages  int
}

var hexDigits = regexp.MustCompile(`[0-9a-f]{32}`)

func newFleet(page []byte, pages int) *fleet {
	const begin, end = `"accounts":[`, `],"`
	accounts := page[bytes.Index(page, []byte(begin))+len(begin) : bytes.LastIndex(page, []byte(end))]
	f := &fleet{page: accounts, pages: pages}
	for _, at := range hexDigits.FindAllIndex(accounts, -1) {
		f.stamps = append(f.stamps, at[0])
	}
	return f
}

func (f *fleet) serve(w http.ResponseWriter, query url.Values) {
	number, _ := strconv.Atoi(query.Get("Page"))
	f.mu.Lock()
	defer f.mu.Unlock()
	digits := fmt.Sprintf("%04x", number)
	for _, at := range f.stamps {
		copy(f.page[at:], digits)
	}
	head := `{"page_size":1000,"accounts":[`
	tail := fmt.Sprintf(`],"page":%d,"next_page_uri":%s}`, number, f.next(number))
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(f.page)+len(tail)))
	_, _ = io.WriteString(w, head)
	_, _ = w.Write(f.page)
	_, _ = io.WriteString(w, tail)
}

func (f *fleet) next(number int) string {
	number++
	if number == f.pages {
		return "null"
	}
	return fmt.Sprintf(`"/2010-04-01/Accounts.json?PageSize=%d&Page=%d&PageToken=PAAC%032x"`, pageSize, number, number)
}
