package twiliotest_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// pages reads a list to its end by next_page_uri, doing between after each page.
func (c caller) pages(query string, between func()) (sids []string, pages []reply) {
	c.t.Helper()
	for next := any("/2010-04-01/Accounts.json" + query); next != nil; {
		got := c.do(c.request("GET", "https://api.twilio.com"+next.(string), nil))
		wantOK(c.t, got)
		sids = append(sids, got.sids()...)
		pages = append(pages, got)
		next = got.body["next_page_uri"]
		between()
	}
	return sids, pages
}

func TestPagesFollowEachOtherWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 6, 7, 119} {
		s := twiliotest.NewServer(t)
		want := append([]string{s.Parent().SID}, s.AddSubaccounts(n)...)
		slices.Reverse(want)
		for _, size := range []int{1, 3, 7, 50, 1000} {
			got, pages := asParent(t, s).pages(fmt.Sprintf("?PageSize=%d", size), func() {})
			if !slices.Equal(got, want) {
				t.Errorf("%d by %d: got %v", n, size, got)
			}
			if len(pages) != (n+size)/size {
				t.Errorf("%d by %d: %d pages, the last one empty", n, size, len(pages))
			}
		}
	}
}

func TestALinkRepeatsFiltersAndSizeAndNamesTheLastItem(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	var sids []string
	for range 5 {
		sids = append(sids, s.AddSubaccount("a b+c&d").SID)
	}
	c := asParent(t, s)
	_, pages := c.pages("?PageSize=2&Status=active&FriendlyName=a+b%2Bc%26d", func() {})
	const path = "/2010-04-01/Accounts.json?FriendlyName=a+b%2Bc%26d&Status=active&PageSize=2"
	for name, want := range map[string]any{
		"first_page_uri":    path + "&Page=0",
		"uri":               path + "&Page=1&PageToken=PA" + sids[3],
		"next_page_uri":     path + "&Page=2&PageToken=PA" + sids[1],
		"previous_page_uri": path + "&Page=0&PageToken=PB" + sids[2],
		"page":              1.0, "page_size": 2.0, "start": 2.0, "end": 3.0,
	} {
		if got := pages[1].body[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if pages[0].body["previous_page_uri"] != nil || pages[2].body["next_page_uri"] != nil {
		t.Error("the first and the last page have no neighbour")
	}
	back := c.do(c.request("GET", "https://api.twilio.com"+pages[1].body["previous_page_uri"].(string), nil))
	if !slices.Equal(back.sids(), pages[0].sids()) {
		t.Errorf("back leads to %v", back.sids())
	}
}

func TestWithoutAPageSizeAPageHas50(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.AddSubaccounts(60)
	got := asParent(t, s).list("")
	if len(got.sids()) != 50 || got.body["page_size"] != 50.0 {
		t.Errorf("%d accounts", len(got.sids()))
	}
}

func TestAnEmptyListIsAsInTwiliosExample(t *testing.T) {
	t.Parallel()
	got := asParent(t, twiliotest.NewServer(t)).list("?FriendlyName=friendly_name&Status=active")
	const uri = `"/2010-04-01/Accounts.json?FriendlyName=friendly_name&Status=active&PageSize=50&Page=0"`
	want := `{"first_page_uri":` + uri + `,"end":0,"previous_page_uri":null,"accounts":[],"uri":` + uri +
		`,"page_size":50,"start":0,"next_page_uri":null,"page":0}`
	if got.raw != want {
		t.Errorf("got %s", got.raw)
	}
}

func TestNoAccountAppearsTwiceOrVanishesWhileAListIsRead(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	want := append([]string{s.Parent().SID}, s.AddSubaccounts(40)...)
	slices.Reverse(want)
	rest := slices.Clone(want)
	got, _ := asParent(t, s).pages("?PageSize=3", func() {
		s.AddSubaccounts(2)
		if len(rest) > 3 {
			s.DeleteAccount(rest[2]) // the one the next page's token names
			s.DeleteAccount(rest[1])
			rest = rest[3:]
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFiltersAreExact(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	a, b := s.AddSubaccount("Acme v1.2 & Sons"), s.AddSubaccount("Acme v1.2 & Sons")
	s.AddSubaccount("acme v1.2 & sons")
	s.AddSubaccount("Acme v1.2 & Sons ")
	s.SetStatus(a.SID, twiliotest.Closed)
	name := "FriendlyName=" + url.QueryEscape("Acme v1.2 & Sons")
	for query, want := range map[string][]string{
		"?" + name:                    {b.SID, a.SID},
		"?" + name + "&Status=closed": {a.SID},
		"?Status=closed":              {a.SID},
		"?Status=suspended":           nil,
		"?FriendlyName=":              nil,
	} {
		if got := c.list(query).sids(); !slices.Equal(got, want) {
			t.Errorf("%s: %v", query, got)
		}
	}
}

func TestBadPageParametersAreRefused(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	foreign := s.AddForeignAccount(20404).SID
	for query, code := range map[string]int{
		"?PageSize=1001":                     20007,
		"?PageSize=0":                        20001,
		"?PageSize=-1":                       20001,
		"?PageSize=many":                     20001,
		"?Page=-1":                           20001,
		"?Status=frozen":                     20001,
		"?PageToken=P":                       21481,
		"?PageToken=nonsense":                21481,
		"?PageToken=XX" + s.Parent().SID:     21481,
		"?PageToken=PA" + foreign:            21481,
		"?PageToken=PA" + s.Parent().SID[2:]: 21481,
	} {
		wantRefusal(t, asParent(t, s).list(query), 400, code)
	}
}

func TestAPageNumberWithoutATokenIsOnlyTheClientsState(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	s.AddSubaccounts(5)
	c := asParent(t, s)
	first, third := c.list("?PageSize=2"), c.list("?PageSize=2&Page=2")
	if !slices.Equal(first.sids(), third.sids()) || third.body["page"] != 2.0 {
		t.Errorf("got %v", third.sids())
	}
}
