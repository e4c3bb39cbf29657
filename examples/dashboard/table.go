package main

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// table is the rows of the page: one for each document, with its account or with the reason why there is none. It is made once
// for all readers of the same figures, so that a page of it is found in a few milliseconds among 100,000.
type table struct {
	rows   []row
	HasIDs bool // the documents have keys of their own, which are not the SIDs

	orders map[sorting]func() []int32 // the rows' places; each is made when it is first asked for
}

// sorting is a column, and whether it runs from the greatest to the least.
type sorting struct {
	by   column
	down bool
}

// row is a document.
type row struct {
	twilioacct.DashboardRow
	Failure string // why it has no account; "" if it has one
	key     string // what is searched, in lower case
}

// statusFailed is the status of a row without an account, for the page alone.
const statusFailed twilioacct.Status = "failed"

// column is what the rows can be sorted by.
type column string

const (
	byName   column = "name"
	byStatus column = "status"
	byType   column = "type"
	bySID    column = "sid"
	byID     column = "id"
)

func newTable(d twilioacct.Dashboard) *table {
	t := &table{rows: make([]row, 0, len(d.Accounts)+len(d.Failures))}
	for _, a := range d.Accounts {
		a.ID = report.Readable(a.ID)
		t.add(row{DashboardRow: a})
	}
	for _, f := range slices.SortedFunc(slices.Values(d.Failures), bySIDAndID) {
		t.add(row{
			DashboardRow: twilioacct.DashboardRow{ID: report.Readable(f.ID), SID: report.SID(f.SID), Status: statusFailed},
			Failure:      reason(f.Err),
		})
	}
	byNames := sync.OnceValue(t.inNameOrder)
	t.orders = map[sorting]func() []int32{
		{byName, false}: byNames,
		{byName, true}:  sync.OnceValue(func() []int32 { return reversed(byNames()) }),
	}
	for by, of := range map[column]func(*row) string{
		byStatus: func(r *row) string { return string(r.Status) },
		byType:   func(r *row) string { return string(r.Type) },
		bySID:    func(r *row) string { return r.SID },
		byID:     func(r *row) string { return r.ID },
	} {
		t.orders[sorting{by, false}] = sync.OnceValue(func() []int32 {
			return t.sorted(byNames(), func(a, b *row) int { return strings.Compare(of(a), of(b)) })
		})
		t.orders[sorting{by, true}] = sync.OnceValue(func() []int32 {
			return t.sorted(byNames(), func(a, b *row) int { return strings.Compare(of(b), of(a)) })
		})
	}
	return t
}

// bySIDAndID keeps failures in their places from one dashboard to the next.
func bySIDAndID(a, b twilioacct.DashboardFailure) int {
	return cmp.Or(strings.Compare(a.SID, b.SID), strings.Compare(a.ID, b.ID))
}

func (t *table) add(r row) {
	const between = "\n" // no query has one, so no match begins in one of them and ends in the next
	r.key = strings.ToLower(squeezed(r.Name) + between + squeezed(r.SID) + between + squeezed(r.ID) + between + squeezed(r.Failure))
	t.HasIDs = t.HasIDs || r.ID != r.SID
	t.rows = append(t.rows, r)
}

// squeezed has one plain space where the text has several, or a tab, a line end or a space of another kind: what people type is found
// whichever of them a name has.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }

func reason(err error) string {
	e := report.NewError(err)
	return cmp.Or(report.Readable(e.Message), e.Kind)
}

func (t *table) inNameOrder() []int32 {
	order := make([]int32, len(t.rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return compareNames(&t.rows[a], &t.rows[b]) })
	return order
}

// compareNames puts rows without an account, and so without a name, behind those that have one.
func compareNames(a, b *row) int {
	if (a.Name == "") != (b.Name == "") {
		return strings.Compare(b.Name, a.Name)
	}
	return strings.Compare(a.key, b.key)
}

func reversed(order []int32) []int32 {
	order = slices.Clone(order)
	slices.Reverse(order)
	return order
}

// sorted leaves rows that are the same in the order of names.
func (t *table) sorted(order []int32, compare func(a, b *row) int) []int32 {
	order = slices.Clone(order)
	slices.SortStableFunc(order, func(a, b int32) int { return compare(&t.rows[a], &t.rows[b]) })
	return order
}

// query is what somebody wants to see of the table, as the page's address says it.
type query struct {
	Text   string
	Status twilioacct.Status // "", one of the statuses, failed or unknown
	Type   twilioacct.AccountType
	Sort   column
	Down   bool
	Page   int // from 1
}

// statusUnknown are the rows of a status or a type that is not listed here.
const statusUnknown twilioacct.Status = "unknown"

// longestText bounds what is searched for, and so the work that an address can ask for.
const longestText = 100

// parseQuery takes what it does not understand for what is usual.
func parseQuery(values url.Values) query {
	q := query{
		Text: squeezed(strings.ToValidUTF8(values.Get("q"), "")),
		Status: oneOf(values.Get("status"),
			twilioacct.StatusActive, twilioacct.StatusSuspended, twilioacct.StatusClosed, statusFailed, statusUnknown),
		Type: oneOf(values.Get("type"), twilioacct.TypeFull, twilioacct.TypeTrial),
		Sort: cmp.Or(oneOf(values.Get("sort"), byName, byStatus, byType, bySID, byID), byName),
		Down: values.Get("dir") == "desc",
		Page: 1,
	}
	if letters := []rune(q.Text); len(letters) > longestText {
		q.Text = string(letters[:longestText])
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil {
		q.Page = max(1, n)
	}
	return q
}

func oneOf[S ~string](text string, of ...S) S {
	if i := slices.Index(of, S(text)); i >= 0 {
		return of[i]
	}
	return ""
}

// values is the query as an address has it, without what is usual.
func (q query) values() url.Values {
	values := url.Values{}
	set := func(name, value string, unusual bool) {
		if unusual {
			values.Set(name, value)
		}
	}
	set("q", q.Text, q.Text != "")
	set("status", string(q.Status), q.Status != "")
	set("type", string(q.Type), q.Type != "")
	set("sort", string(q.Sort), q.Sort != byName)
	set("dir", "desc", q.Down)
	set("page", strconv.Itoa(q.Page), q.Page > 1)
	return values
}

func (q query) address() string {
	if encoded := q.values().Encode(); encoded != "" {
		return "/?" + encoded
	}
	return "/"
}

func (q query) matches(r *row) bool {
	switch q.Status {
	case "":
	case statusUnknown:
		if r.isKnown() {
			return false
		}
	default:
		if r.Status != q.Status {
			return false
		}
	}
	return (q.Type == "" || r.Type == q.Type) && strings.Contains(r.key, q.Text)
}

// isKnown tells whether both status and type are listed here.
func (r *row) isKnown() bool {
	if r.Status == statusFailed {
		return true
	}
	return isKnownStatus(r.Status) && (r.Type == twilioacct.TypeFull || r.Type == twilioacct.TypeTrial)
}

func isKnownStatus(s twilioacct.Status) bool {
	return s == twilioacct.StatusActive || s == twilioacct.StatusSuspended || s == twilioacct.StatusClosed
}

// pageSize is how many rows a page has.
const pageSize = 50

// found is a page of the rows that match.
type found struct {
	Rows    []*row
	Matches int
	Page    int // from 1
	Pages   int // at least 1
}

// find returns the page that was asked for, or the last one.
func (t *table) find(q query) found {
	q.Text = strings.ToLower(q.Text)
	f := t.look(q)
	if q.Page > f.Pages {
		q.Page = f.Pages
		f = t.look(q)
	}
	return f
}

func (t *table) look(q query) found {
	first := (q.Page - 1) * pageSize
	f := found{Page: q.Page}
	for _, place := range t.orders[sorting{q.Sort, q.Down}]() {
		r := &t.rows[place]
		if !q.matches(r) {
			continue
		}
		if f.Matches >= first && len(f.Rows) < pageSize {
			f.Rows = append(f.Rows, r)
		}
		f.Matches++
	}
	f.Pages = max(1, (f.Matches+pageSize-1)/pageSize)
	return f
}
