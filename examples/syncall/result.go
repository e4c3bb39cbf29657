package main

import (
	"errors"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// result is what came of a run.
type result struct {
	report twilioacct.SyncReport
	marked int // documents that were marked closed: they are among those that failed
	took   time.Duration

	keeps         bool // each failure and change, for the JSON; the summary needs their numbers alone
	failed        []failure
	orphans       []orphan
	statusChanges []statusChange
}

func (r *result) observe(e twilioacct.SyncEvent) {
	if !r.keeps {
		return
	}
	if e.Kind == twilioacct.EventFailed {
		r.failed = append(r.failed, failure{SID: report.SID(e.SID), ID: e.DocumentID, Error: report.NewError(e.Err)})
	}
	if isOrphan(e) {
		r.orphans = append(r.orphans, orphan{SID: report.SID(e.SID), ID: e.DocumentID})
	}
	if isStatusChange(e) {
		r.statusChanges = append(r.statusChanges, statusChange{SID: e.SID, Before: e.Before, After: e.After})
	}
}

// isOrphan tells whether it is about a document without an account.
func isOrphan(e twilioacct.SyncEvent) bool {
	switch e.Kind {
	case twilioacct.EventGone:
		return true
	case twilioacct.EventFailed:
		return errors.Is(e.Err, twilioacct.ErrNotFound) || errors.Is(e.Err, twilioacct.ErrForbidden)
	}
	return false
}

func isStatusChange(e twilioacct.SyncEvent) bool {
	return e.Kind == twilioacct.EventChanged && e.Before != e.After
}

func (r *result) finish(synced twilioacct.SyncReport, marked int, took time.Duration) {
	r.report, r.marked, r.took = synced, marked, took
}

// document is the JSON of a run.
type document struct {
	Listed          int            `json:"listed"`
	Synced          int            `json:"synced"`
	Changed         int            `json:"changed"`
	Unchanged       int            `json:"unchanged"`
	Gone            int            `json:"gone"`
	Failed          []failure      `json:"failed"`
	OrphanDocuments []orphan       `json:"orphan_documents"`
	UnknownAccounts int            `json:"unknown_accounts"`
	StatusChanges   []statusChange `json:"status_changes"`
	Requests        int            `json:"requests"`
	WallMS          int64          `json:"wall_ms"`
	Error           *report.Error  `json:"error,omitempty"` // why the run ended before its time
}

type failure struct {
	SID   string        `json:"sid"`
	ID    string        `json:"id"`
	Error *report.Error `json:"error"`
}

type orphan struct {
	SID string `json:"sid"`
	ID  string `json:"id"`
}

type statusChange struct {
	SID    string            `json:"sid"`
	Before twilioacct.Status `json:"before"`
	After  twilioacct.Status `json:"after"`
}

func (r *result) document(err error) document {
	return document{
		Listed:          r.report.Listed,
		Synced:          r.report.Synced(),
		Changed:         r.report.Changed,
		Unchanged:       r.report.Unchanged,
		Gone:            r.report.Gone,
		Failed:          list(r.failed),
		OrphanDocuments: list(r.orphans),
		UnknownAccounts: r.report.Unknown,
		StatusChanges:   list(r.statusChanges),
		Requests:        r.report.Requests,
		WallMS:          r.took.Milliseconds(),
		Error:           report.NewError(err),
	}
}

// list is never null in JSON.
func list[E any](elements []E) []E {
	if elements == nil {
		return []E{}
	}
	return elements
}
