package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// print prints the result as the program was asked to, and the error in words.
func (s *syncer) print(r *result, err error) error {
	if err != nil {
		fmt.Fprintln(s.out.Stderr, report.Sentence(err))
	}
	if s.out.JSON {
		return s.out.Document(r.document(err))
	}
	_, printErr := io.WriteString(s.out.Stdout, s.heading()+r.summary(s.dryRun, err != nil))
	return printErr
}

// heading sets a run apart from the one before.
func (s *syncer) heading() string {
	if !s.out.Lines {
		return ""
	}
	return "\n" + time.Now().Format(time.DateTime) + "\n"
}

// summary is what a run did, for somebody who sees this for the first time.
func (r *result) summary(dryRun, brokeOff bool) string {
	var b strings.Builder
	b.WriteString(r.headline(dryRun, brokeOff) + "\n\n")
	for _, f := range r.figures(dryRun) {
		if f.n > 0 {
			fmt.Fprintf(&b, "  %9s  %s\n", report.Number(f.n), f.words())
		}
	}
	if remarks := r.remarks(brokeOff); len(remarks) > 0 {
		b.WriteString("\n" + strings.Join(remarks, "\n") + "\n")
	}
	return b.String()
}

func (r *result) headline(dryRun, brokeOff bool) string {
	var warnings string
	state := "in sync"
	if dryRun {
		warnings, state = "Dry run: nothing was written.\n", "would be in sync"
	}
	if brokeOff {
		warnings += "The run ended before its time.\n"
	}
	return warnings + fmt.Sprintf("%s of %s %s, with %s in %s.",
		report.Number(r.report.Synced()), report.Count(r.report.Documents, "document", "documents"), state,
		report.Count(r.report.Requests, "request", "requests"), seconds(r.took))
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// figure is a line of the summary: how many of what.
type figure struct {
	n         int
	one, many string
}

func (f figure) words() string {
	if f.n == 1 {
		return f.one
	}
	return f.many
}

func (r *result) figures(dryRun bool) []figure {
	const deleted = ", as Twilio has deleted "
	updated, changes, marked := "updated", "", "marked closed"
	if dryRun {
		updated, marked = "to update", "to mark closed"
	}
	if n := r.report.StatusChanges - r.marked; n > 0 {
		changes = fmt.Sprintf(", %s with another status", report.Number(n))
	}
	return []figure{
		{r.report.Listed, "account at Twilio", "accounts at Twilio"},
		{r.report.Unchanged, "document was up to date", "documents were up to date"},
		{r.report.Changed, "document " + updated + changes, "documents " + updated + changes},
		{r.report.Made, "of them was made", "of them were made"},
		{r.marked, "document " + marked + deleted + "its account", "documents " + marked + deleted + "their accounts"},
		{r.report.Failed, "failure", "failures"},
		{r.report.Gone, "document of a closed account, deleted by now", "documents of closed accounts, deleted by now"},
		{r.report.Missing, "document without an account", "documents without an account"},
		{r.report.Unknown, "account without a document", "accounts without a document"},
		{r.report.Duplicates, "SID that several documents hold", "SIDs that several documents hold"},
	}
}

// remarks are what explains the figures.
func (r *result) remarks(brokeOff bool) []string {
	listed := r.report.Complete || r.report.OneByOne || brokeOff
	var remarks []string
	for _, remark := range []struct {
		applies bool
		text    string
	}{
		{r.report.ParentSuspended, "The parent account is suspended, and all its subaccounts with it."},
		{r.report.TokensHidden, "Twilio hides auth tokens from an API key: statuses were synced, the stored tokens stay as they are."},
		{r.report.OneByOne, "The store cannot list its documents, so each account was fetched by itself."},
		{!listed, "Twilio's list of accounts broke off: what it did not show was fetched one by one."},
	} {
		if remark.applies {
			remarks = append(remarks, remark.text)
		}
	}
	return remarks
}
