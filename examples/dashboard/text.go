package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// most is how many lines of a kind are enough for somebody at a terminal.
const most = 20

// document is the JSON: the dashboard, and why it is not whole.
type document struct {
	twilioacct.Dashboard
	Error *report.Error `json:"error,omitempty"`
}

// show prints the dashboard, and what failed to standard error. Where Twilio's list broke off there is an error, but what it had
// shown by then is printed as well.
func show(ctx context.Context, out report.Output, provider *twilioacct.Provider) int {
	d, err := provider.Dashboard(ctx)
	if err != nil && len(d.Accounts) == 0 {
		return out.Fail(err)
	}
	status := report.Done
	if err != nil || d.Failed > 0 {
		status = report.Failed
	}
	if err != nil {
		fmt.Fprintln(out.Stderr, report.Sentence(err))
	}
	showFailures(out.Stderr, d.Failures)
	if printErr := printDashboard(out, d, err); printErr != nil {
		return out.Fail(printErr)
	}
	return status
}

func printDashboard(out report.Output, d twilioacct.Dashboard, err error) error {
	if out.JSON {
		return out.Document(document{Dashboard: d, Error: report.NewError(err)})
	}
	showFigures(out.Stdout, d)
	return showTroubled(out, d.Accounts)
}

func showFailures(w io.Writer, failures []twilioacct.DashboardFailure) {
	for _, f := range failures[:min(most, len(failures))] {
		fmt.Fprintln(w, report.DocumentLine(f.ID, f.SID, f.Err))
	}
	if rest := len(failures) - most; rest > 0 {
		fmt.Fprintf(w, "… and %s.\n", report.Count(rest, "other failure", "other failures"))
	}
}

func showFigures(w io.Writer, d twilioacct.Dashboard) {
	fmt.Fprintf(w, "%s:\n\n", report.Count(d.Total, "document", "documents"))
	for _, f := range []struct {
		n    int
		name string
	}{
		{d.Active, "active"},
		{d.Suspended, "suspended"},
		{d.Closed, "closed"},
		{d.Full, "of type Full"},
		{d.Trial, "of type Trial"},
		{d.Unknown, "of another status or type"},
		{d.Failed, "without an account"},
	} {
		fmt.Fprintf(w, "  %9s  %s\n", report.Number(f.n), f.name)
	}
}

// showTroubled shows the accounts that are not active: of thousands that are, nobody at a terminal reads the list.
func showTroubled(out report.Output, accounts []twilioacct.DashboardRow) error {
	var troubled []twilioacct.DashboardRow
	for _, a := range accounts {
		if a.Status != twilioacct.StatusActive {
			troubled = append(troubled, a)
		}
	}
	if len(troubled) == 0 {
		return nil
	}
	fmt.Fprintln(out.Stdout)
	withIDs := slices.ContainsFunc(troubled, func(a twilioacct.DashboardRow) bool { return a.ID != a.SID })
	err := out.Table(func(w io.Writer) {
		fmt.Fprintln(w, line(withIDs, "STATUS", "TYPE", "SID", "DOCUMENT", "NAME"))
		for _, a := range troubled[:min(most, len(troubled))] {
			fmt.Fprintln(w, line(withIDs, string(a.Status), string(a.Type), a.SID, a.ID, a.Name))
		}
	})
	if rest := len(troubled) - most; rest > 0 {
		fmt.Fprintf(out.Stdout, "… and %s not active.\n", report.Count(rest, "other that is", "others that are"))
	}
	return err
}

// line leaves the documents' keys out where they are the SIDs.
func line(withIDs bool, status, kind, sid, id, name string) string {
	cells := []string{report.Plain(status), report.Plain(kind), report.Plain(sid)}
	if withIDs {
		cells = append(cells, report.Plain(report.Readable(id)))
	}
	return strings.Join(append(cells, report.Plain(name)), "\t")
}
