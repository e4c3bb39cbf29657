package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/twilioacct/twilioacct"
)

// memory: while 100,000 accounts are listed, no more of the heap is alive than while 10,000 are. A list that kept no more than the
// SID of each account would grow by 50 bytes for each.
func memory(ctx context.Context, r *report) error {
	const few, many = 10_000, 100_000
	small, err := liveHeap(ctx, few)
	if err != nil {
		return err
	}
	large, err := liveHeap(ctx, many)
	if err != nil {
		return err
	}
	growth := max(0, (large-small)/(many-few))
	r.line("live heap while listing", "100,000: "+megabytes(large), "10,000: "+megabytes(small),
		r.judged("growth per account ", growth, 8, inBytes))
	return nil
}

func inBytes(x float64) string { return fmt.Sprintf("%.1f B", x) }

func megabytes(bytes float64) string { return fmt.Sprintf("%.2f MB", bytes/1e6) }

// liveHeap is the most that was alive within the pages of a list, beyond what was before.
func liveHeap(ctx context.Context, accounts int) (most float64, err error) {
	t, err := newTwilio(accounts)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	provider, err := ours(t, twilioacct.Options{})
	if err != nil {
		return 0, err
	}
	before, n := alive(), 0
	for _, err := range provider.Accounts(ctx, nil) {
		if err != nil {
			return 0, err
		}
		const withinEveryTenthPage = 9*pageSize + pageSize/2
		if n++; n%(10*pageSize) == withinEveryTenthPage {
			most = max(most, alive()-before)
		}
	}
	return most, nil
}

func alive() float64 {
	runtime.GC()
	runtime.GC() // the first one lets go of secrets that nobody holds, the second frees them
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
