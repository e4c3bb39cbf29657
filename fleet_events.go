package twilioacct

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/twilioacct/twilioacct/internal/page"
)

func (r *fleetRun) observe(e SyncEvent) {
	if r.opts.Observe != nil {
		e.At = time.Now()
		r.opts.Observe(e)
	}
}

func (r *fleetRun) fail(e SyncEvent) {
	e.Kind = EventFailed
	r.report.Failed++
	r.observe(e)
}

func (r *fleetRun) gone(e SyncEvent) {
	e.Kind, e.After = EventGone, StatusClosed
	r.report.Gone++
	r.report.Missing++
	r.observe(e)
}

// change tells of a document that is to be written under that revision.
func (r *fleetRun) change(ctx context.Context, e SyncEvent, rev int64, isCopied bool) {
	e.Kind = EventChanged
	e.After = cmp.Or(e.After, e.Before)
	e.ID = e.SID + ":" + strconv.FormatInt(rev, 10) + ":" + string(e.After)
	if isCopied {
		e.ID += ":" + e.DocumentID
	}
	e.FollowsParent = e.After == StatusSuspended && e.Before != e.After && r.isParentSuspended(ctx, e.SID)
	r.observe(e)
}

// progress tells the counts so far.
func (r *fleetRun) progress() {
	if r.opts.Progress != nil {
		r.opts.Progress(r.soFar())
	}
}

func (r *fleetRun) soFar() SyncReport {
	r.report.Requests = int(r.requests.Load())
	return r.report
}

func (r *fleetRun) isParent(s sid) bool { return s.String() == r.provider.parent.AccountSID }

// findParent looks for the parent among the accounts of a page.
func (r *fleetRun) findParent(accounts []page.Listed) {
	for i := range accounts {
		if string(accounts[i].SID) == r.provider.parent.AccountSID {
			r.parentIs(Status(accounts[i].Status))
		}
	}
}

func (r *fleetRun) parentIs(s Status) {
	r.parent = s
	r.report.ParentSuspended = s == StatusSuspended
}

// isParentSuspended asks for the parent, once, if Twilio has not listed it by now: it comes last.
func (r *fleetRun) isParentSuspended(ctx context.Context, child string) bool {
	if r.parent == "" && !r.isAsked {
		r.isAsked = true
		if a, err := r.provider.look(ctx, r.provider.parent.AccountSID); err == nil {
			r.parentIs(a.Status)
		}
	}
	return r.parent == StatusSuspended && child != r.provider.parent.AccountSID
}
