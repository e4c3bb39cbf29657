package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// endList shows numbers, and returns the exit status. Of a list that broke off, what came before is shown.
func endList[T any, J row](t *tool, list []T, columns string, convert func(T) J, err error) int {
	if len(list) == 0 && report.IsUsage(err) {
		return t.out.Fail(err)
	}
	numbers := make([]J, 0, len(list))
	for _, n := range list {
		numbers = append(numbers, convert(n))
	}
	if showErr := showList(t.out, numbers, columns, err); showErr != nil {
		return t.out.Fail(showErr)
	}
	return t.status(err)
}

// row is something that has a line in a table.
type row interface{ cells() []string }

func showList[J row](out report.Output, numbers []J, columns string, err error) error {
	if out.JSON {
		return out.Document(struct {
			Numbers []J           `json:"numbers"`
			Error   *report.Error `json:"error,omitempty"`
		}{numbers, report.NewError(err)})
	}
	return out.Table(func(w io.Writer) {
		fmt.Fprintln(w, columns)
		for _, n := range numbers {
			fmt.Fprintln(w, line(n))
		}
	})
}

func line(r row) string {
	cells := r.cells()
	for i, cell := range cells {
		cells[i] = cmp.Or(report.Plain(cell), "-")
	}
	return strings.Join(cells, "\t")
}

// end shows the outcome of a change, and returns the exit status. What was refused before any request is bad usage.
func (t *tool) end(o outcome, err error) int {
	if o.plan == nil && o.number.SID == "" && report.IsUsage(err) {
		return t.out.Fail(err)
	}
	if showErr := t.show(o, err); showErr != nil {
		return t.out.Fail(showErr)
	}
	if o.transfer != nil && err != nil {
		fmt.Fprintln(t.out.Stderr, soFar(o.transfer))
	}
	status := t.status(err)
	if o.did == didNothing {
		fmt.Fprintln(t.out.Stderr, "Nothing was done"+t.whatToSay(err))
		return report.Failed
	}
	return status
}

// whatToSay ends the sentence that nothing was done.
func (t *tool) whatToSay(err error) string {
	if err != nil || t.console.isTerminal {
		return "."
	}
	return ": say -yes to do it."
}

// status is the exit status, and says the error.
func (t *tool) status(err error) int {
	if err == nil {
		return report.Done
	}
	fmt.Fprintln(t.out.Stderr, report.Sentence(err))
	return report.Failed
}

// change is the JSON document of a change.
type change struct {
	Number   *number       `json:"number,omitempty"`
	Did      string        `json:"did"`
	Plan     plan          `json:"plan,omitempty"`
	Transfer *transfer     `json:"transfer,omitempty"`
	Error    *report.Error `json:"error,omitempty"`
}

// transfer is how far a move came.
type transfer struct {
	LeftService bool `json:"left_service"`
	Moved       bool `json:"moved"`
	Configured  bool `json:"configured"`
}

func newChange(o outcome, err error) change {
	c := change{Did: o.did, Plan: o.plan, Error: report.NewError(err)}
	if o.number.SID != "" {
		n := newNumber(o.number)
		c.Number = &n
	}
	if o.transfer != nil {
		c.Transfer = &transfer{LeftService: o.transfer.LeftService, Moved: o.transfer.Moved, Configured: o.transfer.Configured}
	}
	return c
}

func (t *tool) show(o outcome, err error) error {
	if t.out.JSON {
		return t.out.Document(newChange(o, err))
	}
	if o.number.SID == "" {
		return nil
	}
	return t.out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "DID\t"+numberColumns)
		fmt.Fprintln(w, o.did+"\t"+line(newNumber(o.number)))
	})
}

// soFar says what of a move was done before it failed.
func soFar(done *twilioacct.Transferred) string {
	switch {
	case done.Moved:
		return "The number was moved, but not all was set again."
	case done.LeftService:
		return "The number has left " + done.Plan.LeavesService + ", and was not moved."
	}
	return "The number was not moved."
}
