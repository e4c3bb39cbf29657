package fleet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

// requireStopped is a run that ended with its context, at once, and says how far it came.
func requireStopped(t *testing.T, r result, cancelled time.Time) {
	t.Helper()
	require.ErrorIs(t, r.err, context.Canceled)
	require.ErrorContains(t, r.err, fmt.Sprintf("stopped after %d of %d documents", r.Synced()+r.Failed+r.Gone, r.Documents))
	require.Empty(t, r.failures(), "a document is not to blame for it")
	require.Less(t, time.Since(cancelled), 3*time.Second)
}

func TestARunCancelledInItsScanChangesNothingAndTheNextIsWhole(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"find", "getMore"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			f := large(t, terms{isEmbedded: true})
			before := f.snapshot(t)
			f.server.Inject(mongotest.Fault{Command: command, Delay: time.Hour})
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			f.sent.before(command, func(int) { cancelled = time.Now(); cancel() })
			r := f.sync(ctx, twilioacct.SyncAllOptions{})
			f.server.ClearFaults()
			require.NotEmpty(t, f.sent.all(command))
			requireStopped(t, r, cancelled)
			assert.Empty(t, r.events)
			assertSame(t, before, f.snapshot(t))
			f.requireRepaired(t)
		})
	}
}

func TestARunCancelledInABulkLeavesWhatTheNextOneMends(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"before it is written": {CloseBefore: true},
		"while it is written":  {Delay: 100 * time.Millisecond}, // it is written, but nobody waits for the answer
		"and nobody answers":   {Delay: time.Hour},
		"after some failed":    {Code: 91},
	} {
		for nth := 1; nth <= bulks; nth++ {
			t.Run(fmt.Sprintf("%s, bulk %d", name, nth), func(t *testing.T) {
				t.Parallel()
				f := newFleetBehind(t, terms{})
				others := f.others(t)
				once := fault
				once.Command, once.Nth = "update", nth
				f.server.Inject(once)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var cancelled time.Time
				f.sent.before("update", func(n int) {
					if n == nth {
						cancelled = time.Now()
						cancel()
					}
				})
				r := f.sync(ctx, twilioacct.SyncAllOptions{PageSize: bulkSize})
				requireStopped(t, r, cancelled)
				assert.LessOrEqual(t, r.Changed, (nth-1)*bulkSize)
				assertSame(t, others, f.others(t))
				f.server.ClearFaults()
				f.requireRepaired(t)
				for sid, rev := range f.revisions(t) {
					assert.EqualValues(t, 2, rev, sid)
				}
			})
		}
	}
}

func TestARunCancelledByItsObserverWritesNoMore(t *testing.T) {
	t.Parallel()
	f := newFleetBehind(t, terms{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	told := 0
	r := f.sync(ctx, twilioacct.SyncAllOptions{PageSize: bulkSize, Observe: func(twilioacct.SyncEvent) {
		if told++; told == bulkSize+5 {
			cancelled = time.Now()
			cancel()
		}
	}})
	requireStopped(t, r, cancelled)
	assert.LessOrEqual(t, len(f.sent.updates(t)), bulkSize, "the page before")
	f.requireRepaired(t)
}

func TestARunCancelledWhileItWaitsForADatabaseEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleetBehind(t, terms{})
	f.server.Inject(mongotest.Fault{Command: "update", Code: 13, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	f.sent.before("update", func(nth int) {
		if nth == 4 { // two seconds of waiting lie before it, and two behind it
			time.AfterFunc(100*time.Millisecond, func() { cancelled = time.Now(); cancel() })
		}
	})
	r := f.sync(ctx, twilioacct.SyncAllOptions{PageSize: bulkSize})
	require.Less(t, time.Since(cancelled), time.Second)
	requireStopped(t, r, cancelled)
	f.server.ClearFaults()
	f.requireRepaired(t)
}
