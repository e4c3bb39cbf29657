package main

import (
	"fmt"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// view is what the template shows.
type view struct {
	*figures
	Query   query
	Now     time.Time
	Found   found
	Cards   []card
	Shares  []share
	Columns []heading
	Pages   []pageLink
}

func newView(f *figures, q query, now time.Time) *view {
	v := &view{figures: f, Query: q, Now: now, Found: f.Table.find(q)}
	v.Query.Page = v.Found.Page
	v.Cards, v.Shares = v.cards(), v.shares()
	v.Columns, v.Pages = v.columns(), v.pages()
	return v
}

// card is one of the figures, and leads to its rows.
type card struct {
	Name, Class, Address string
	N                    int
	Current              bool // its rows are what is shown
}

func (v *view) cards() []card {
	of := func(name, class string, n int, q query) card {
		q.Sort, q.Page = byName, 1
		return card{
			Name: name, Class: class, N: n, Address: q.address(),
			Current: q.Status == v.Query.Status && q.Type == v.Query.Type && v.Query.Text == "",
		}
	}
	return []card{
		of("Documents", "total", v.Total, query{}),
		of("Active", "active", v.Active, query{Status: twilioacct.StatusActive}),
		of("Suspended", "suspended", v.Suspended, query{Status: twilioacct.StatusSuspended}),
		of("Closed", "closed", v.Closed, query{Status: twilioacct.StatusClosed}),
		of("Failed", "failed", v.Failed, query{Status: statusFailed}),
		of("Unknown", "unknown", v.Unknown, query{Status: statusUnknown}),
		of("Full", "full", v.Full, query{Type: twilioacct.TypeFull}),
		of("Trial", "trial", v.Trial, query{Type: twilioacct.TypeTrial}),
	}
}

// share is a stretch of the bar that shows how many documents are of which status, in percent of its length.
type share struct {
	Class    string
	X, Width float64
}

// shares leaves no stretch too short to be seen.
func (v *view) shares() []share {
	const shortest = 1.2
	var shares []share
	var sum float64
	for _, s := range []share{
		{Class: "active", Width: float64(v.Active)},
		{Class: "suspended", Width: float64(v.Suspended)},
		{Class: "closed", Width: float64(v.Closed)},
		{Class: "failed", Width: float64(v.Failed)},
	} {
		if s.Width > 0 {
			s.Width = max(shortest, 100*s.Width/float64(v.Total))
			sum += s.Width
			shares = append(shares, s)
		}
	}
	var x float64
	for i := range shares {
		shares[i].X, shares[i].Width = x, 100*shares[i].Width/sum
		x += shares[i].Width
	}
	return shares
}

// heading is that of a column. Its link sorts by the column, and the other way round if that is done already.
type heading struct {
	Name, Class, Address string
	Sorted               string // as aria-sort has it; "" if the rows are sorted by another column
}

func (v *view) columns() []heading {
	of := func(name string, by column) heading {
		q := v.Query
		q.Sort, q.Down, q.Page = by, false, 1
		h := heading{Name: name, Class: string(by)}
		if by == v.Query.Sort {
			h.Sorted, q.Down = "ascending", !v.Query.Down
			if v.Query.Down {
				h.Sorted = "descending"
			}
		}
		h.Address = q.address()
		return h
	}
	columns := []heading{of("Name", byName), of("Status", byStatus), of("Type", byType), of("SID", bySID)}
	if v.Table.HasIDs {
		columns = append(columns, of("Document", byID))
	}
	return columns
}

// SortedBy is the sorting in words.
func (v *view) SortedBy() string {
	for _, c := range v.Columns {
		if c.Sorted != "" {
			return c.Name + ", " + c.Sorted
		}
	}
	return ""
}

// IsFiltered tells whether some rows are left out.
func (v *view) IsFiltered() bool {
	return v.Query.Text != "" || v.Query.Status != "" || v.Query.Type != ""
}

// Range is which of the rows that match are on this page.
func (v *view) Range() string {
	if v.Found.Matches == 0 {
		return "No document matches."
	}
	first := (v.Found.Page-1)*pageSize + 1
	shown := report.Number(first)
	if last := first + len(v.Found.Rows) - 1; last > first {
		shown += " to " + report.Number(last)
	}
	return "Showing " + shown + " of " + report.Count(v.Found.Matches, "document", "documents")
}

// Unfiltered is where all rows are, sorted as they are now.
func (v *view) Unfiltered() string {
	return query{Sort: v.Query.Sort, Down: v.Query.Down, Page: 1}.address()
}

// Refresh is where a form has the figures renewed, to come back to the same rows.
func (v *view) Refresh() string {
	if encoded := v.Query.values().Encode(); encoded != "" {
		return "/refresh?" + encoded
	}
	return "/refresh"
}

// FirstFailures are some of them; the table has all.
func (v *view) FirstFailures() []row {
	const enough = 6
	failures := v.Table.rows[len(v.Accounts):]
	return failures[:min(enough, len(failures))]
}

// AllFailures is where the rest of them is.
func (v *view) AllFailures() string {
	return query{Status: statusFailed, Sort: byName, Page: 1}.address()
}

// Problem says why the figures are older than they should be, and is "" if they are not.
func (v *view) Problem() string {
	if v.Err == nil {
		return ""
	}
	return fmt.Sprintf("The figures could not be renewed at %s, so they are those of %s. %s",
		clock(v.Tried), clock(v.At), report.PageSentence(v.Err))
}

// recent is how many changes are seen at once.
const recent = 8

// RecentChanges are the latest ones, OlderChanges the rest of them.
func (v *view) RecentChanges() []change { return v.Changes[:min(recent, len(v.Changes))] }
func (v *view) OlderChanges() []change  { return v.Changes[min(recent, len(v.Changes)):] }

// pageLink leads to a page, or stands for several that are left out.
type pageLink struct {
	Number  int // 0: some are left out
	Address string
	Current bool
}

// pages are the first, the last and those around this one.
func (v *view) pages() []pageLink {
	const around = 1
	var links []pageLink
	var latest int
	for n := 1; n <= v.Found.Pages; n++ {
		if n != 1 && n != v.Found.Pages && (n < v.Found.Page-around || n > v.Found.Page+around) {
			continue
		}
		if n > latest+1 {
			links = append(links, pageLink{})
		}
		links = append(links, pageLink{Number: n, Address: v.page(n), Current: n == v.Found.Page})
		latest = n
	}
	return links
}

// Previous and Next are the addresses of the pages beside this one, "" if there is none.
func (v *view) Previous() string { return v.page(v.Found.Page - 1) }
func (v *view) Next() string     { return v.page(v.Found.Page + 1) }

func (v *view) page(n int) string {
	if n < 1 || n > v.Found.Pages {
		return ""
	}
	q := v.Query
	q.Page = n
	return q.address()
}

// statusClass is how the style knows a status.
func statusClass(s twilioacct.Status) string {
	if s == statusFailed || isKnownStatus(s) {
		return string(s)
	}
	return string(statusUnknown)
}

func clock(t time.Time) string { return t.Format("15:04:05") }

// ago says how long ago that was.
func ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case d < 2*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds ago", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", d/time.Minute)
	}
	return fmt.Sprintf("%d hours ago", d/time.Hour)
}
