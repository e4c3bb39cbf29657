package main

import (
	"context"
	"fmt"
	"time"
)

// fleet: syncing all accounts takes at most 1.2 times the wall time and 1.5 times the CPU time of the limit where Twilio answers at
// once, and 1.1 times the wall time where it is 100 ms away.
func fleet(ctx context.Context, r *report) error {
	for _, accounts := range []int{10_000, 100_000} {
		if err := syncFleet(ctx, r, accounts); err != nil {
			return err
		}
	}
	return nil
}

func syncFleet(ctx context.Context, r *report, accounts int) error {
	s, err := newStage(ctx, accounts)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	sides := syncSides{twilio: s.twilio}
	if sides.ours, err = s.ours(ctx); err != nil {
		return err
	}
	if sides.limit, err = s.limit(ctx, asOurs); err != nil {
		return err
	}
	if sides.bare, err = s.limit(ctx, asLittleAsPossible); err != nil {
		return err
	}
	for _, latency := range []time.Duration{0, far} {
		for _, c := range []changes{allChanged, {"1 %", 100}, {"none", 0}} {
			if err := sides.compare(ctx, r, c, latency); err != nil {
				return err
			}
		}
	}
	return nil
}

// far is how far away Twilio is, in time.
const far = 100 * time.Millisecond

// syncSides take turns at the documents of one fleet. The bare limit scans less than a sync must.
type syncSides struct {
	twilio            *twilio
	ours, limit, bare func(changed int) error
}

func (s syncSides) compare(ctx context.Context, r *report, c changes, latency time.Duration) error {
	if err := s.twilio.become(ctx, conditions{Latency: latency}); err != nil {
		return err
	}
	happen := func() error { return c.happen(ctx, s.twilio) }
	side := func(name string, sync func(changed int) error) work {
		return work{name, happen, func() error { return sync(c.of(s.twilio.Accounts)) }}
	}
	sides := []work{side("ours", s.ours), side("limit", s.limit)}
	if latency == 0 {
		sides = append(sides, side("bare", s.bare))
	}
	wall, cpu, err := bothTimes(roundsOf(s.twilio.Accounts, c, latency), sides...)
	if err != nil {
		return err
	}
	label := fmt.Sprintf("%s, %s changed, %d ms", grouped(s.twilio.Accounts), c.text, latency.Milliseconds())
	if latency > 0 {
		r.ratio(label, wall[0], wall[1], 1.1)
		return nil
	}
	r.ratio(label, wall[0], wall[1], 1.2)
	r.ratio("  CPU time", cpu[0], cpu[1], 1.5)
	r.ratio("  beside the barest scan", wall[0], wall[2], 0)
	r.ratio("  CPU time", cpu[0], cpu[2], 0)
	return nil
}

// roundsOf is how many rounds there are: few where one takes more than a second.
func roundsOf(accounts int, c changes, latency time.Duration) int {
	if accounts/pageSize >= 100 && (latency > 0 || c == allChanged) {
		return fewRounds
	}
	return manyRounds
}

// grouped writes thousands.
func grouped(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
