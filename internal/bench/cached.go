package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// cached: an account that is remembered costs 200 ns of CPU time at most, for one caller and for each of two at once, and no
// allocation (which a test checks). The clock tells whether callers wait for one another: then a second one costs more than it
// does with a bare map, which has no lock, forgets nothing and must never change.
func cached(ctx context.Context, r *report) error {
	c, err := newCache(ctx, 1000)
	if err != nil {
		return err
	}
	defer c.fake.Close()
	const times = 200_000
	for _, callers := range []int{1, 2} {
		f, err := rounds(manyRounds,
			used("ours", callers, times, c.ours(ctx)),
			timed("by the clock", times, atOnce(callers, c.ours(ctx))),
			timed("map", times, atOnce(callers, c.mapped)))
		if err != nil {
			return err
		}
		label := fmt.Sprintf("cached account, callers: %d", callers)
		r.absolute(label, f[0], 200*time.Nanosecond, f[1], f[2])
	}
	return nil
}

// cache is a Provider that remembers all accounts of a fleet, beside a map that has the same.
type cache struct {
	fake     *twiliotest.Server
	provider *twilioacct.Provider
	sids     []string

	accounts map[string]twilioacct.Account
}

func newCache(ctx context.Context, accounts int) (*cache, error) {
	c := &cache{fake: twiliotest.Start(), accounts: map[string]twilioacct.Account{}}
	c.sids = c.fake.AddSubaccounts(accounts)
	var err error
	c.provider, err = on(c.fake, twilioacct.Options{HTTPClient: c.fake.HTTPClient(), CacheTime: time.Hour})
	if err != nil {
		return nil, err
	}
	for _, sid := range c.sids {
		if c.accounts[sid], err = c.provider.Account(ctx, sid); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cache) ours(ctx context.Context) func(times int) error {
	return func(times int) error {
		for i := range times {
			sid := c.sids[i%len(c.sids)]
			if a, err := c.provider.Account(ctx, sid); err != nil || a.SID != sid {
				return fmt.Errorf("asked for %s, got %s: %w", sid, a.SID, err)
			}
		}
		return nil
	}
}

func (c *cache) mapped(times int) error {
	for i := range times {
		sid := c.sids[i%len(c.sids)]
		if a := c.accounts[sid]; a.SID != sid {
			return fmt.Errorf("asked for %s, got %s", sid, a.SID)
		}
	}
	return nil
}
