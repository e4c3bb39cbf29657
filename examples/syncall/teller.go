package main

import (
	"fmt"
	"io"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// teller says on standard error what a run finds, while it finds it.
type teller struct {
	w        io.Writer
	quiet    bool // the JSON has it all
	dryRun   bool
	progress *progress

	changes, failures, gone, duplicates topic
}

// topic is a kind of line that there may be thousands of.
type topic struct{ told, untold int }

// most is how many lines of a topic are enough for a person.
const most = 20

// observe tells what a person should know of an event. isMark is true for a failure whose document was marked closed.
func (t *teller) observe(e twilioacct.SyncEvent, isMark bool) {
	switch e.Kind {
	case twilioacct.EventChanged:
		if isStatusChange(e) {
			t.tell(&t.changes, changeLine(e))
		}
	case twilioacct.EventFailed:
		t.tell(&t.failures, t.failureLine(e, isMark))
	case twilioacct.EventGone:
		t.tell(&t.gone, named(e)+" was closed, and Twilio has deleted it since.")
	case twilioacct.EventDuplicate:
		id := report.Plain(report.Readable(e.DocumentID))
		t.tell(&t.duplicates, named(e)+" is held by several documents, of which "+id+" is one; there should be one only.")
	case twilioacct.EventUnknown, twilioacct.EventParent: // the summary counts the first, the run's error tells the second
	}
}

func (t *teller) tell(about *topic, line string) {
	if t.quiet {
		return
	}
	if about.told == most {
		about.untold++
		return
	}
	about.told++
	t.progress.hide()
	fmt.Fprintln(t.w, line)
}

// show is called with the counts so far.
func (t *teller) show(r twilioacct.SyncReport) {
	if !t.quiet {
		t.progress.show(r)
	}
}

// finish takes the bar away, and counts what was not told.
func (t *teller) finish() {
	t.progress.hide()
	for _, rest := range []struct {
		of        topic
		one, many string
	}{
		{t.changes, "other status changed", "other statuses changed"},
		{t.failures, "other failure", "other failures"},
		{t.gone, "other account is gone", "other accounts are gone"},
		{t.duplicates, "other duplicate", "other duplicates"},
	} {
		if rest.of.untold > 0 {
			fmt.Fprintf(t.w, "… and %s. All of them are in the JSON.\n", report.Count(rest.of.untold, rest.one, rest.many))
		}
	}
}

// changeLine is an alert where an account was suspended. It stands for a message to whoever is on duty.
func changeLine(e twilioacct.SyncEvent) string {
	line := fmt.Sprintf("%s is %s now; it was %s", named(e), report.Plain(string(e.After)), statusWord(e.Before))
	if e.FollowsParent {
		line += ". The parent is suspended, too"
	}
	if e.After == twilioacct.StatusSuspended {
		line = "Alert: " + line
	}
	return line + "."
}

func statusWord(s twilioacct.Status) string {
	if s == "" {
		return "never synced"
	}
	return report.Plain(string(s))
}

func (t *teller) failureLine(e twilioacct.SyncEvent, isMark bool) string {
	if !isMark {
		return report.DocumentLine(e.DocumentID, e.SID, e.Err)
	}
	marked := "is marked closed"
	if t.dryRun {
		marked = "would be marked closed"
	}
	return report.OfDocument(e.DocumentID, e.SID, named(e)+" is no more: Twilio has deleted it, and its document "+marked+".")
}

func named(e twilioacct.SyncEvent) string {
	account := "Twilio account " + report.Plain(report.SID(e.SID))
	if e.Name == "" {
		return account
	}
	return account + " (" + report.Plain(e.Name) + ")"
}
