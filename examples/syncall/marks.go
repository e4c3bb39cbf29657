package main

import (
	"errors"

	"github.com/twilioacct/twilioacct"
)

// marks finds the documents that a run with -mark-gone marks closed. Of such a document it tells that its status changes, and then
// that it failed, because Twilio has deleted the account.
type marks struct {
	closing map[orphan]bool // what was told to be closed now; nil without -mark-gone
	n       int
}

func newMarks(markGone bool) *marks {
	if !markGone {
		return &marks{}
	}
	return &marks{closing: map[orphan]bool{}}
}

// observe reports whether the event is the failure of a document that was marked.
func (m *marks) observe(e twilioacct.SyncEvent) bool {
	document := orphan{SID: e.SID, ID: e.DocumentID}
	switch {
	case m.closing == nil:
	case isStatusChange(e) && e.After == twilioacct.StatusClosed:
		m.closing[document] = true
	case e.Kind == twilioacct.EventFailed && m.closing[document] && isDeleted(e.Err):
		m.n++
		return true
	}
	return false
}

// isDeleted is true for Twilio's own word that there is no such account. A mark that could not be written is told around it.
func isDeleted(err error) bool {
	theirs, isAlone := err.(*twilioacct.Error) //nolint:errorlint // what is around it counts
	return isAlone && errors.Is(theirs, twilioacct.ErrNotFound)
}
