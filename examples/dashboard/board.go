package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twilioacct/twilioacct"
)

// When figures are renewed.
const (
	soonest = 2 * time.Second // after the last time, whoever asks
	usually = time.Minute
	oneIn   = 10 // so much of the time, at most, is spent on it
)

// board has the latest figures, ready for any number of readers. One goroutine renews them.
type board struct {
	make    func(context.Context) (twilioacct.Dashboard, error)
	between func() // from one making to the next
	latest  atomic.Pointer[figures]
	asked   chan chan struct{}
}

// figures are a dashboard as it was at one moment.
type figures struct {
	twilioacct.Dashboard
	Table   *table
	At      time.Time
	Took    time.Duration
	Since   time.Time // the first ones
	Changes []change  // the latest first

	// The latest attempt to renew them, and why it failed.
	Tried time.Time
	Err   error
}

// change is an account whose status is another one than in the figures before.
type change struct {
	At            time.Time
	SID, Name     string
	Before, After twilioacct.Status
}

// lastChanges is how many changes are kept.
const lastChanges = 50

func newBoard(dashboard func(context.Context) (twilioacct.Dashboard, error), between func()) *board {
	return &board{make: dashboard, between: between, asked: make(chan chan struct{})}
}

// renew makes new figures. If that fails, the old ones stay, with the error.
func (b *board) renew(ctx context.Context) error {
	before := b.latest.Load()
	if before != nil {
		b.between()
	}
	start := time.Now()
	d, err := b.make(ctx)
	now := time.Now()
	switch {
	case err == nil:
		b.latest.Store(newFigures(d, before, now, now.Sub(start)))
	case before != nil:
		stale := *before
		stale.Tried, stale.Err = now, err
		b.latest.Store(&stale)
	}
	return err
}

func newFigures(d twilioacct.Dashboard, before *figures, at time.Time, took time.Duration) *figures {
	f := &figures{Dashboard: d, Table: newTable(d), At: at, Took: took, Since: at, Tried: at}
	if before != nil {
		f.Since = before.Since
		f.Changes = append(changesBetween(before.Accounts, d.Accounts, at), before.Changes...)
		f.Changes = f.Changes[:min(lastChanges, len(f.Changes))]
	}
	return f
}

func changesBetween(before, after []twilioacct.DashboardRow, at time.Time) []change {
	status := make(map[string]twilioacct.Status, len(before))
	for _, row := range before {
		status[row.SID] = row.Status
	}
	var changes []change
	for _, row := range after {
		if was, known := status[row.SID]; known && was != row.Status {
			changes = append(changes, change{At: at, SID: row.SID, Name: row.Name, Before: was, After: row.Status})
			status[row.SID] = row.Status // several documents may hold it
		}
	}
	return changes
}

// keepFresh renews the figures, when asked to and every so often by itself, until the context ends.
func (b *board) keepFresh(ctx context.Context) {
	for {
		pause := time.NewTimer(max(usually, oneIn*b.latest.Load().Took))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
			_ = b.renew(ctx) // the page says so
		case done := <-b.asked:
			if f := b.latest.Load(); time.Since(f.Tried) >= max(soonest, f.Took) {
				_ = b.renew(ctx)
			}
			close(done)
		}
	}
}

// ask has the figures renewed, unless they were just now, and waits for that or for the end of the context.
func (b *board) ask(ctx context.Context) {
	done := make(chan struct{})
	select {
	case b.asked <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}
