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
	if sides.limit, err = s.limit(ctx); err != nil {
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

// syncSides take turns at the documents of one fleet.
type syncSides struct {
	twilio      *twilio
	ours, limit func(changed int) error
}

func (s syncSides) compare(ctx context.Context, r *report, c changes, latency time.Duration) error {
	if err := s.twilio.become(ctx, conditions{Latency: latency}); err != nil {
		return err
	}
	happen := func() error { return c.happen(ctx, s.twilio) }
	changed := c.of(s.twilio.Accounts)
	wall, cpu, err := bothTimes(roundsOf(s.twilio.Accounts, latency),
		work{"ours", happen, func() error { return s.ours(changed) }},
		work{"limit", happen, func() error { return s.limit(changed) }})
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
	return nil
}

// roundsOf is how many rounds a fleet of that size has time for: a round of the largest is 100 pages one after the other, twice.
func roundsOf(accounts int, latency time.Duration) int {
	const longRounds = 3
	switch pages := accounts / pageSize; {
	case pages < 100 && latency == 0:
		return manyRounds
	case pages < 100 || latency == 0:
		return fewRounds
	}
	return longRounds
}

// grouped writes thousands.
func grouped(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
