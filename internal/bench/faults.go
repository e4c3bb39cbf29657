package main

import (
	"context"
	"fmt"
	"time"
)

// faults: where 3 % of the requests are answered 429 and 1 % 503, all accounts are synced all the same, and the time beyond the waits
// that Twilio asked for is at most 1.3 times that of a run without faults.
func faults(ctx context.Context, r *report) error {
	s, err := newStage(ctx, 100_000)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	sync, err := s.ours(ctx)
	if err != nil {
		return err
	}
	under := func(c conditions) func() (time.Duration, error) {
		return func() (time.Duration, error) { return s.timeUnder(ctx, c, sync) }
	}
	f, err := rounds(fewRounds,
		side{"beyond the waits", under(conditions{Latency: far, Throttled: 33, Unavailable: 100})},
		side{"without faults", under(conditions{Latency: far})})
	if err != nil {
		return err
	}
	r.ratio(fmt.Sprintf("%s, 3 %% 429, 1 %% 503", grouped(s.twilio.Accounts)), f[0], f[1], 1.3)
	return nil
}

// timeUnder is how long a sync of a fleet takes that has changed, without the waits that Twilio asked for.
func (s *stage) timeUnder(ctx context.Context, c conditions, sync func(changed int) error) (time.Duration, error) {
	if err := s.twilio.become(ctx, c); err != nil {
		return 0, err
	}
	if err := allChanged.happen(ctx, s.twilio); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := sync(s.twilio.Accounts); err != nil {
		return 0, err
	}
	took := time.Since(start)
	n, err := s.twilio.counted(ctx)
	if err != nil {
		return 0, err
	}
	if isFaulty := c.Throttled > 0; isFaulty && (n.Throttled < 3 || n.Unavailable < 1) {
		return 0, fmt.Errorf("too few faults: %+v", n)
	}
	return took - time.Duration(n.Throttled)*retryAfter, nil
}
