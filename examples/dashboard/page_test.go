package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/try"
)

const sid = "AC0123456789abcdef0123456789abcdef"

// account is a row whose document's key is id.
func account(id, name string, status twilioacct.Status, kind twilioacct.AccountType) twilioacct.DashboardRow {
	return twilioacct.DashboardRow{ID: id, SID: fmt.Sprintf("AC%x", []byte(fmt.Sprintf("%16s", id))), Name: name, Status: status, Type: kind}
}

// few is a small fleet with one of everything.
var few = twilioacct.Dashboard{
	Total: 7, Active: 3, Suspended: 1, Closed: 1, Trial: 1, Full: 4, Unknown: 1, Failed: 1,
	Accounts: []twilioacct.DashboardRow{
		account("d1", "Dolphin Dairy", "active", "Full"),
		account("a2", "acorn Art", "suspended", "Full"),
		account("c3", "Cedar & Sons <b>Bold</b>", "active", "Trial"),
		account("b4", "مخبز الياسمين", "closed", "Full"),
		account("e5", "Elm Energy", "active", "Full"),
		account("f6", "Fern Foods", "frozen", "Gift"),
	},
	Failures: []twilioacct.DashboardFailure{{ID: "x9", SID: sid, Err: errors.New(`<i>lost</i> & "gone"`)}},
}

func startedBoard(t *testing.T, b *board) *board {
	t.Helper()
	require.NoError(t, b.renew(t.Context()))
	return b
}

// pageOf is the page with these figures.
func pageOf(t *testing.T, d twilioacct.Dashboard) http.Handler {
	t.Helper()
	return newPage(startedBoard(t, newBoard(func(context.Context) (twilioacct.Dashboard, error) { return d, nil }, func() {})))
}

var nameCell = regexp.MustCompile(`(?s)<th role="rowheader"[^>]*>(.*?)</th>`)

// names are those of the rows on a page, as a person reads them.
func names(t *testing.T, h http.Handler, target string) []string {
	t.Helper()
	got := try.Get(t, h, target)
	assert.Equal(t, http.StatusOK, got.Status)
	names := []string{}
	for _, cell := range nameCell.FindAllStringSubmatch(got.Body, -1) {
		text := regexp.MustCompile(`^<span class="reason">|</span>$`).ReplaceAllString(cell[1], "")
		names = append(names, html.UnescapeString(text))
	}
	return names
}

func pageAddresses(n int) []string {
	addresses := []string{"/"}
	for i := 2; i <= n; i++ {
		addresses = append(addresses, fmt.Sprintf("/?page=%d", i))
	}
	return addresses
}

const (
	acorn, cedar, dolphin, elm, fern = "acorn Art", "Cedar & Sons <b>Bold</b>", "Dolphin Dairy", "Elm Energy", "Fern Foods"
	jasmine, lost                    = "مخبز الياسمين", `<i>lost</i> & "gone"`
)

func TestRowsAreFiltered(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	for target, want := range map[string][]string{
		"/":                                {acorn, cedar, dolphin, elm, fern, jasmine, lost},
		"/?q=DAIRY":                        {dolphin},
		"/?q=+dolphin++dairy+":             {dolphin},
		"/?q=" + url.QueryEscape("ياسمين"): {jasmine},
		"/?q=%3Cb%3E":                      {cedar},
		"/?q=a2":                           {acorn},
		"/?q=" + few.Accounts[4].SID:       {elm},
		"/?q=" + strings.ToLower(sid):      {lost},
		"/?q=lost":                         {lost},
		"/?q=nothing":                      {},
		"/?q=dairyAC":                      {},
		"/?status=active":                  {cedar, dolphin, elm},
		"/?status=suspended":               {acorn},
		"/?status=closed":                  {jasmine},
		"/?status=unknown":                 {fern},
		"/?status=failed":                  {lost},
		"/?type=Trial":                     {cedar},
		"/?type=Full":                      {acorn, dolphin, elm, jasmine},
		"/?type=Full&status=active&q=elm":  {elm},
	} {
		assert.Equal(t, want, names(t, page, target), target)
	}
}

func TestASpaceOfAnyKindIsFoundByASpace(t *testing.T) {
	t.Parallel()
	d := twilioacct.Dashboard{Failures: []twilioacct.DashboardFailure{{SID: sid, ID: "f", Err: errors.New("not  listed")}}}
	for id, name := range map[string]string{"a": "Acme  Air", "b": "Brook\u00a0Bakery", "c": " Cedar\t Cars "} {
		d.Accounts = append(d.Accounts, account(id, name, "active", "Full"))
	}
	page := pageOf(t, d)
	for target, want := range map[string][]string{
		"/?q=acme+air":          {"Acme  Air"},
		"/?q=acme++air":         {"Acme  Air"},
		"/?q=acme%C2%A0air":     {"Acme  Air"},
		"/?q=brook+bakery":      {"Brook\u00a0Bakery"},
		"/?q=brook%C2%A0bakery": {"Brook\u00a0Bakery"},
		"/?q=cedar+cars":        {" Cedar\t Cars "},
		"/?q=not+listed":        {"not listed"},
		"/?q=air+AC":            {},
		"/?q=air%0AAC":          {},
		"/?q=%00":               {},
	} {
		assert.Equal(t, want, names(t, page, target), target)
	}
}

func TestUnknownIsAStatusOrATypeThatIsNotListedHere(t *testing.T) {
	t.Parallel()
	page := pageOf(t, twilioacct.Dashboard{Accounts: []twilioacct.DashboardRow{
		account("a", "A", "frozen", "Full"), account("b", "B", "active", "Gift"), account("c", "C", "", "Trial"), account("d", "D", "closed", "Trial"),
	}})
	assert.Equal(t, []string{"A", "B", "C"}, names(t, page, "/?status=unknown"))
}

func TestRowsAreSortedByEachColumnBothWays(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	byName := []string{acorn, cedar, dolphin, elm, fern, jasmine, lost}
	byID := []string{acorn, jasmine, cedar, dolphin, elm, fern, lost}
	for target, want := range map[string][]string{
		"/?sort=name":             byName,
		"/?sort=name&dir=asc":     byName,
		"/?sort=name&dir=desc":    backwards(byName),
		"/?sort=id":               byID,
		"/?sort=id&dir=desc":      backwards(byID),
		"/?sort=sid":              append([]string{lost}, byID[:6]...), // 0123…, and the rest in the order of their keys
		"/?sort=sid&dir=desc":     append(backwards(byID[:6]), lost),
		"/?sort=status":           {cedar, dolphin, elm, jasmine, lost, fern, acorn},
		"/?sort=status&dir=desc":  {acorn, fern, lost, jasmine, cedar, dolphin, elm}, // within a status by name again
		"/?sort=type":             {lost, acorn, dolphin, elm, jasmine, fern, cedar},
		"/?sort=type&dir=desc":    {cedar, fern, acorn, dolphin, elm, jasmine, lost},
		"/?sort=type&type=Full":   {acorn, dolphin, elm, jasmine},
		"/?sort=status&q=n&page=": {cedar, dolphin, elm, lost, fern, acorn},
	} {
		assert.Equal(t, want, names(t, page, target), target)
	}
}

func backwards(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestTheHeadingsSayHowRowsAreSortedAndSortTheOtherWay(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)

	body := try.Get(t, page, "/?q=e&sort=status&page=1").Body

	assert.Contains(t, body, `class="status" aria-sort="ascending"><a href="/?dir=desc&amp;q=e&amp;sort=status">Status</a>`)
	assert.Contains(t, body, `class="name"><a href="/?q=e">Name</a>`)
	assert.Contains(t, body, `<caption class="hidden">Accounts, sorted by Status, ascending, page 1 of 1</caption>`)
	assert.Equal(t, 1, strings.Count(body, "aria-sort"))
	body = try.Get(t, page, "/?dir=desc&q=e&sort=status").Body
	assert.Contains(t, body, `aria-sort="descending"><a href="/?q=e&amp;sort=status">`)
	assert.Contains(t, body, `<input type="hidden" name="sort" value="status"><input type="hidden" name="dir" value="desc">`)
}

// many is a fleet whose names are in the order of their numbers.
func many(n int) twilioacct.Dashboard {
	d := twilioacct.Dashboard{Total: n, Active: n, Full: n}
	for i := range n {
		sid := fmt.Sprintf("AC%032x", i)
		d.Accounts = append(d.Accounts, twilioacct.DashboardRow{ID: sid, SID: sid, Name: fmt.Sprintf("Company %06d", i), Status: "active", Type: "Full"})
	}
	return d
}

func TestPagesHaveBounds(t *testing.T) {
	t.Parallel()
	page := pageOf(t, many(120))
	for target, want := range map[string]struct {
		rows  int
		first string
		says  string
	}{
		"/":                           {50, "Company 000000", "Showing 1 to 50 of 120 documents"},
		"/?page=2":                    {50, "Company 000050", "Showing 51 to 100 of 120 documents"},
		"/?page=3":                    {20, "Company 000100", "Showing 101 to 120 of 120 documents"},
		"/?page=4":                    {20, "Company 000100", "Showing 101 to 120 of 120 documents"},
		"/?page=0":                    {50, "Company 000000", "Showing 1 to 50"},
		"/?page=-7":                   {50, "Company 000000", "Showing 1 to 50"},
		"/?page=9223372036854775807":  {20, "Company 000100", "Showing 101 to 120"},
		"/?page=92233720368547758070": {50, "Company 000000", "Showing 1 to 50"},
		"/?page=two":                  {50, "Company 000000", "Showing 1 to 50"},
		"/?q=000119":                  {1, "Company 000119", "Showing 1 of 1 document<"},
		"/?q=y+00011&page=3":          {10, "Company 000110", "Showing 1 to 10 of 10 documents"},
	} {
		got := names(t, page, target)
		if assert.Len(t, got, want.rows, target) {
			assert.Equal(t, want.first, got[0], target)
		}
		assert.Contains(t, try.Get(t, page, target).Body, want.says, target)
	}
	first, last := try.Get(t, page, "/").Body, try.Get(t, page, "/?page=3").Body
	assert.NotContains(t, first, `rel="prev"`)
	assert.Contains(t, first, `rel="next" href="/?page=2"`)
	assert.Contains(t, last, `rel="prev" href="/?page=2"`)
	assert.NotContains(t, last, `rel="next"`)
	assert.Contains(t, try.Get(t, page, "/?page=99").Body, `action="/refresh?page=3"`)
	assert.Contains(t, last, `<a href="/?page=3" aria-label="Page 3" aria-current="page">3</a>`)
}

func TestOfManyPagesTheFirstTheLastAndThoseAroundAreLinked(t *testing.T) {
	t.Parallel()
	for page, want := range map[int][]int{
		1: {1, 2, 0, 100}, 2: {1, 2, 3, 0, 100}, 3: {1, 2, 3, 4, 0, 100}, 50: {1, 0, 49, 50, 51, 0, 100}, 99: {1, 0, 98, 99, 100}, 100: {1, 0, 99, 100},
	} {
		v := view{Found: found{Page: page, Pages: 100}}
		var numbers []int
		for _, link := range v.pages() {
			numbers = append(numbers, link.Number)
			assert.Equal(t, link.Number == page, link.Current)
		}
		assert.Equal(t, want, numbers)
	}
}

func TestAnEmptyFleetIsAPage(t *testing.T) {
	t.Parallel()
	body := try.Get(t, pageOf(t, twilioacct.Dashboard{}), "/").Body
	assert.Contains(t, body, "No document matches.")
	assert.Contains(t, body, "Every document has an account at Twilio.")
	assert.NotContains(t, body, "<table")
	assert.NotContains(t, body, "<rect")
}

func TestOddQueriesAreTakenForWhatIsUsual(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	all := names(t, page, "/")
	for _, target := range []string{
		"/?status=lost", "/?type=full", "/?sort=age", "/?dir=up", "/?sort=name&sort=sid", "/?status=", "/?%zz", "/?a;b", "/?q=", "/?q=%20%09", "/?other=1",
	} {
		assert.Equal(t, all, names(t, page, target), target)
	}
	assert.Empty(t, names(t, page, "/?q="+strings.Repeat("x", 100_000)))
	assert.Equal(t, []string{}, names(t, page, "/?q=%00%00"))
	body := try.Get(t, page, "/?q=%ff%22%3E%3Cscript%3E").Body
	assert.NotContains(t, body, "<script")
	assert.Contains(t, body, `value="&#34;&gt;&lt;script&gt;"`)
}

func TestALongTextIsCutBetweenLetters(t *testing.T) {
	t.Parallel()
	q := parseQuery(url.Values{"q": {strings.Repeat("ä", 150)}})
	assert.Equal(t, strings.Repeat("ä", 100), q.Text)
}

func TestAnAddressSaysAllOfAQueryAndNothingThatIsUsual(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"/", "/?q=a+%26+b", "/?dir=desc&page=7&q=x&sort=sid&status=failed&type=Trial", "/?page=2", "/?sort=id",
	} {
		parsed, err := url.Parse(address)
		require.NoError(t, err)
		assert.Equal(t, address, parseQuery(parsed.Query()).address())
	}
	assert.Equal(t, "/", parseQuery(url.Values{"sort": {"name"}, "dir": {"asc"}, "page": {"1"}, "status": {""}}).address())
}

func TestNamesAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	d := few
	d.Accounts = append(slices.Clone(few.Accounts), account("g7", `<script>alert("x")</script>`, "active", "Full"), account("h8", "", "", ""))
	body := try.Get(t, pageOf(t, d), "/").Body
	assert.NotContains(t, body, "<script")
	assert.NotContains(t, body, "<b>Bold")
	assert.NotContains(t, body, "<i>lost")
	assert.Contains(t, body, `<th role="rowheader" scope="row" class="name" dir="auto">مخبز الياسمين</th>`)
	assert.Contains(t, body, `<span class="pill mark unknown">none</span>`)
}

func TestDocumentsHaveAColumnWhereTheirKeysAreNotTheSIDs(t *testing.T) {
	t.Parallel()
	assert.Contains(t, try.Get(t, pageOf(t, few), "/").Body, ">Document</a></th>")
	assert.NotContains(t, try.Get(t, pageOf(t, many(3)), "/").Body, ">Document</a></th>")
}

func TestTheCardsCountAndLeadToTheirRows(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	f := &figures{Dashboard: few, Table: newTable(few)}
	for _, c := range newView(f, parseQuery(nil), time.Now()).Cards {
		rows := names(t, page, c.Address)
		assert.Len(t, rows, c.N, c.Name)
		assert.NotContains(t, c.Address, "sort", c.Name)
		assert.Equal(t, 1, strings.Count(try.Get(t, page, c.Address).Body, `aria-current="true"`), c.Name)
	}
	assert.NotContains(t, try.Get(t, page, "/?q=a").Body, `aria-current="true"`)
}

func TestTheSharesOfTheBarAreWholeAndVisible(t *testing.T) {
	t.Parallel()
	d := twilioacct.Dashboard{Total: 100_000, Active: 99_998, Suspended: 1, Failed: 1}
	shares := newView(&figures{Dashboard: d, Table: newTable(d)}, parseQuery(nil), time.Now()).Shares
	require.Len(t, shares, 3)
	var end float64
	for _, s := range shares {
		assert.InDelta(t, end, s.X, 1e-9)
		assert.Greater(t, s.Width, 1.0)
		end = s.X + s.Width
	}
	assert.InDelta(t, 100, end, 1e-9)
}

func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	try.Protects(t, pageOf(t, few), "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "+
		"frame-ancestors 'none'", map[string]string{
		"/": "text/html; charset=utf-8", "/page.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
		"/nothing": "text/plain; charset=utf-8", "/refresh": "text/plain; charset=utf-8",
	})
}

func TestThePageHasNothingOfAnotherHostAndNoScript(t *testing.T) {
	t.Parallel()
	body := try.Get(t, pageOf(t, few), "/").Body
	try.HoldsNothingForeign(t, body)
	assert.NotContains(t, body, "<script")
	assert.NotContains(t, try.Get(t, pageOf(t, few), "/page.css").Body, "url(")
}

func TestThePageIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	for host, want := range map[string]int{"localhost:9000": 200, "[::1]:8080": 200, "evil.example:8080": 421, "192.168.0.7:8080": 421} {
		got := try.Send(t, page, http.MethodGet, "/", map[string]string{"Host": host})
		assert.Equal(t, want, got.Status, host)
		assert.Equal(t, want == http.StatusOK, strings.Contains(got.Body, "Twilio accounts"), host)
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	page := pageOf(t, few)
	try.Answers(t, page, map[string]int{
		"HEAD /": 200, "HEAD /page.css": 200, "POST /": 405, "PUT /": 405, "DELETE /page.css": 405, "OPTIONS /": 405, "GET /refresh": 405,
		"GET /nothing": 404, "GET /page.html": 404, "GET /../page.go": 307, "GET /page.css/": 404, "POST /nothing": 404,
	})
	head, full := try.Send(t, page, http.MethodHead, "/", nil), try.Get(t, page, "/")
	assert.Equal(t, full.Header.Get("Content-Length"), head.Header.Get("Content-Length"))
	assert.Equal(t, "GET, HEAD", try.Send(t, page, http.MethodPost, "/", nil).Header.Get("Allow"))
	assert.Equal(t, "POST", try.Get(t, page, "/refresh").Header.Get("Allow"))
}

// counted is a board whose dashboards are counted, and change from one to the next.
type counted struct {
	*board
	made atomic.Int64

	mu   sync.Mutex
	took time.Duration
	err  error
}

// from sets how long the next dashboards take, and how they end.
func (c *counted) from(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took, c.err = took, err
}

func (c *counted) next() (took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took, c.err
}

func newCounted() *counted {
	c := &counted{}
	c.board = newBoard(func(context.Context) (twilioacct.Dashboard, error) {
		took, err := c.next()
		time.Sleep(took) // in a bubble
		d := few
		d.Accounts = slices.Clone(few.Accounts)
		if c.made.Add(1)%2 == 0 {
			d.Accounts[0].Status = twilioacct.StatusSuspended
		}
		return d, err
	}, func() {})
	return c
}

// inBubble runs f with a board that is kept fresh.
func inBubble(t *testing.T, f func(t *testing.T, c *counted, page http.Handler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		c := newCounted()
		startedBoard(t, c.board)
		go c.keepFresh(ctx)
		f(t, c, newPage(c.board))
	})
}

func TestARefreshComesBackToTheSameRowsWithNewFigures(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		time.Sleep(10 * time.Second) // in a bubble
		got := try.Send(t, page, http.MethodPost, "/refresh?q=a&sort=sid&page=2&other=1", map[string]string{"Sec-Fetch-Site": "same-origin"})
		assert.Equal(t, http.StatusSeeOther, got.Status)
		assert.Equal(t, "/?page=2&q=a&sort=sid", got.Header.Get("Location"))
		assert.EqualValues(t, 2, c.made.Load())
	})
}

func TestWhoeverAsksTooSoonGetsWhatIsThere(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		for range 100 {
			try.Send(t, page, http.MethodPost, "/refresh", nil)
		}
		assert.EqualValues(t, 1, c.made.Load())
		time.Sleep(soonest) // in a bubble
		for range 100 {
			try.Send(t, page, http.MethodPost, "/refresh", nil)
		}
		assert.EqualValues(t, 2, c.made.Load())
	})
}

func TestAFormOfAnotherSiteRenewsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		time.Sleep(10 * time.Second) // in a bubble
		for _, header := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
		} {
			assert.Equal(t, http.StatusForbidden, try.Send(t, page, http.MethodPost, "/refresh", header).Status)
		}
		assert.EqualValues(t, 1, c.made.Load())
		try.Send(t, page, http.MethodPost, "/refresh", map[string]string{"Origin": "http://127.0.0.1:8080"})
		assert.EqualValues(t, 2, c.made.Load())
	})
}

func TestFiguresAreRenewedEveryMinuteAndLessOftenWhereThatTakesLong(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		time.Sleep(10*time.Minute + time.Second) // in a bubble
		assert.EqualValues(t, 11, c.made.Load())
		c.from(30*time.Second, nil)
		time.Sleep(2 * time.Hour) // in a bubble
		assert.InDelta(t, 11+2*60/5.5, c.made.Load(), 3, "a tenth of the time")
	})
}

func TestWhoLeavesDoesNotWaitAndStopsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		c.from(time.Minute, nil)
		time.Sleep(10 * time.Second) // in a bubble
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		start := time.Now()
		c.ask(ctx)
		c.ask(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		time.Sleep(time.Minute) // in a bubble
		assert.EqualValues(t, 2, c.made.Load())
		assert.NoError(t, c.latest.Load().Err)
	})
}

func TestFiguresThatCannotBeRenewedStayWithTheReason(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		c.from(0, fmt.Errorf("%w: <b>away</b>", twilioacct.ErrUnavailable))
		time.Sleep(61 * time.Second) // in a bubble
		body := try.Get(t, page, "/").Body
		assert.Contains(t, body, `<p class="problem" role="alert">The figures could not be renewed at 00:01:00, so they are those of 00:00:00. `+
			`unavailable: Twilio is unavailable: &lt;b&gt;away&lt;/b&gt;. Check the network and https://status.twilio.com, `+
			`then try again in a minute.</p>`)
		assert.Contains(t, body, `<time datetime="2000-01-01T00:00:00Z">00:00:00</time>, 61 seconds ago`)
		c.from(0, nil)
		time.Sleep(time.Minute) // in a bubble
		body = try.Get(t, page, "/").Body
		assert.NotContains(t, body, `class="problem"`)
		assert.Contains(t, body, `00:02:00</time>, just now`)
	})
}

func TestTheLastChangesOfStatusAreShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *counted, page http.Handler) {
		assert.Contains(t, try.Get(t, page, "/").Body, "No status has changed since 00:00:00.")
		time.Sleep(61 * time.Second) // in a bubble
		changes := c.latest.Load().Changes
		require.Len(t, changes, 1)
		assert.Equal(t, "Dolphin Dairy", changes[0].Name)
		assert.Equal(t, twilioacct.StatusActive, changes[0].Before)
		assert.Equal(t, twilioacct.StatusSuspended, changes[0].After)
		assert.Regexp(t, `(?s)<strong dir="auto">Dolphin Dairy</strong> <time [^>]*>00:01:00</time>.*>active<.*>suspended<`, try.Get(t, page, "/").Body)
		time.Sleep(2 * time.Hour) // in a bubble
		changes = c.latest.Load().Changes
		assert.Len(t, changes, lastChanges)
		assert.True(t, changes[0].At.After(changes[1].At))
		body := try.Get(t, page, "/").Body
		assert.Contains(t, body, "<summary>42 older</summary>")
		assert.Equal(t, lastChanges, strings.Count(body, `class="step"`))
	})
}

func TestAnAccountWithSeveralDocumentsChangesOnce(t *testing.T) {
	t.Parallel()
	before := []twilioacct.DashboardRow{{SID: sid, ID: "1", Status: "active"}, {SID: sid, ID: "2", Status: "active"}}
	after := []twilioacct.DashboardRow{{SID: sid, ID: "1", Status: "closed"}, {SID: sid, ID: "2", Status: "closed"}, {SID: "AC", Status: "closed"}}
	assert.Len(t, changesBetween(before, after, time.Now()), 1, "and an account that was not there before has not changed")
}

func TestTimesAreSaidAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for d, want := range map[time.Duration]string{
		0: "just now", time.Second: "just now", 35 * time.Second: "35 seconds ago", 119 * time.Second: "119 seconds ago", 2 * time.Minute: "2 minutes ago",
		119 * time.Minute: "119 minutes ago", 49 * time.Hour: "49 hours ago",
	} {
		assert.Equal(t, want, ago(now, now.Add(-d)))
	}
}

// A page is asked for again and again, and must not cost what making the figures costs.
func TestFindingAPageAmongMillionsOfLettersAllocatesNextToNothing(t *testing.T) {
	table := newTable(many(100_000))
	for _, q := range []query{
		{Sort: byName, Page: 1},
		{Sort: byStatus, Down: true, Page: 2000},
		{Sort: bySID, Page: 1 << 40, Text: "company 09"},
		{Sort: byType, Page: 1, Text: "nobody"},
	} {
		table.find(q) // the first one sorts
		assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { table.find(q) }), 20.0, "the rows of two pages, and the text in lower case")
	}
}

func BenchmarkFind(b *testing.B) {
	table := newTable(many(100_000))
	for name, q := range map[string]query{
		"all":    {Sort: byName, Page: 1},
		"text":   {Sort: byName, Page: 1, Text: "company 09"},
		"nobody": {Sort: byStatus, Down: true, Page: 1, Text: "nobody"},
		"last":   {Sort: bySID, Page: 1 << 40},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				table.find(q)
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	d := many(100_000)
	f := newFigures(d, nil, time.Now(), 0)
	board := newBoard(nil, nil)
	board.latest.Store(f)
	page := newPage(board)
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/?q=company+09&page=7", nil)
		r.Host = "localhost"
		page.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func BenchmarkNewTable(b *testing.B) {
	d := many(100_000)
	for b.Loop() {
		table := newTable(d)
		for sorting := range table.orders {
			table.orders[sorting]()
		}
	}
}
