package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// watch runs sync at once and then every so often until the context ends, never two at a time, and returns the status of the last
// run that was not interrupted. A run that takes longer than that is followed by the next one at once.
func watch(ctx context.Context, every time.Duration, sync func(context.Context) int, between func()) int {
	status := report.Failed
	for {
		next := time.NewTimer(jittered(every))
		latest := sync(ctx)
		if ctx.Err() == nil {
			status = latest
		}
		select {
		case <-ctx.Done():
			next.Stop()
			return status
		case <-next.C:
		}
		if ctx.Err() != nil { // both were ready
			return status
		}
		between()
	}
}

// jittered is up to 10 % more or less, so that the programs of many machines do not ask Twilio all at once.
func jittered(every time.Duration) time.Duration {
	tenth := every / 10
	return every - tenth + rand.N(2*tenth) //nolint:gosec // nothing depends on its being hard to guess
}
