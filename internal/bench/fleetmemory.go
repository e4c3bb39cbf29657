package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twilioacct/twilioacct"
)

// fleetMemory: a process that syncs 100,000 accounts, all of them changed, needs at most 1.5 times the memory of one that syncs
// 10,000; and of what is alive meanwhile, at most 64 bytes are an account's, both when the documents have been read and while the
// pages go by.
func fleetMemory(ctx context.Context, r *report) error {
	const few, many = 10_000, 100_000
	small, err := memoryOf(ctx, few)
	if err != nil {
		return err
	}
	large, err := memoryOf(ctx, many)
	if err != nil {
		return err
	}
	perAccount := func(label string, large, small float64) {
		r.line(label, "100,000: "+megabytes(large), "10,000: "+megabytes(small),
			r.judged("growth per account ", max(0, (large-small)/(many-few)), 64, inBytes))
	}
	r.line("peak memory of a sync", "100,000: "+megabytes(large.peak), "10,000: "+megabytes(small.peak),
		r.judged("ratio ", large.peak/small.peak, 1.5, hundredths))
	perAccount("live heap, documents read", large.read, small.read)
	perAccount("live heap, pages going by", large.paging, small.paging)
	return nil
}

type syncMemory struct {
	peak float64 // of a process that does nothing else, its garbage included

	// Of the heap, what is alive beyond what was before.
	read   float64 // when all documents are read, and no page has come
	paging float64 // at least, after any page
}

func memoryOf(ctx context.Context, accounts int) (m syncMemory, err error) {
	s, err := newStage(ctx, accounts)
	if err != nil {
		return m, err
	}
	defer s.close(ctx)
	if m.peak, err = s.peakOfProcess(ctx); err != nil {
		return m, err
	}
	m.read, m.paging, err = s.liveHeap(ctx)
	return m, err
}

// peakOfProcess is the median of some processes.
func (s *stage) peakOfProcess(ctx context.Context) (float64, error) {
	var peaks []float64
	for range fewRounds {
		if err := allChanged.happen(ctx, s.twilio); err != nil {
			return 0, err
		}
		var peak float64
		p, err := start(ctx, "sync", syncOrder{s.twilio, s.database}, &peak)
		if err != nil {
			return 0, err
		}
		p.stop()
		peaks = append(peaks, peak)
	}
	return middle(peaks), nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

type syncOrder struct {
	Twilio   *twilio   `json:"twilio"`
	Database *database `json:"database"`
}

// syncOnce is the job of a process that syncs a changed fleet, and answers with the most memory that it has had.
func syncOnce(ctx context.Context, order json.RawMessage, answer func(any) error) error {
	var o syncOrder
	if err := json.Unmarshal(order, &o); err != nil {
		return err
	}
	s := &stage{o.Twilio, o.Database}
	sync, err := s.ours(ctx)
	if err != nil {
		return err
	}
	if err := sync(s.twilio.Accounts); err != nil {
		return err
	}
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	return answer(peak)
}

// peakMemory asks Linux. What getrusage says is no good here: there a process begins with the peak of the one that started it.
func peakMemory() (bytesUsed float64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(status, []byte("VmHWM:"))
	if !ok {
		return 0, errors.New("this system does not tell the peak of a process's memory")
	}
	var kilobytes float64
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil {
		return 0, err
	}
	return kilobytes * 1024, nil
}

// liveHeap lets the first page come late, so that nothing of it is there when the documents have been read. After that a page or two
// and their changes are always there; the least that was alive is what stays in all of them.
func (s *stage) liveHeap(ctx context.Context) (read, paging float64, err error) {
	provider, err := syncing(s.twilio, s.database)
	if err != nil {
		return 0, 0, err
	}
	const late = 5 * time.Second
	if err := s.twilio.become(ctx, conditions{Latency: late}); err != nil {
		return 0, 0, err
	}
	if err := allChanged.happen(ctx, s.twilio); err != nil {
		return 0, 0, err
	}
	var samples []float64
	start, before := time.Now(), alive()
	isLate := false
	report, err := provider.SyncAll(ctx, &twilioacct.SyncAllOptions{Progress: func(twilioacct.SyncReport) {
		if len(samples) == 0 {
			isLate = time.Since(start) < late && s.twilio.become(ctx, conditions{Latency: far}) == nil
		}
		samples = append(samples, alive()-before)
	}})
	switch {
	case err != nil:
		return 0, 0, err
	case !isLate:
		return 0, 0, fmt.Errorf("the first page came before the documents were read, after %v", late)
	}
	return samples[0], slices.Min(samples[1:]), judge(report, s.twilio.Accounts, s.twilio.Accounts)
}
