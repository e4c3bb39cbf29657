package rest

import (
	"context"
	"maps"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// budgets bounds what each signing account sends: Twilio counts requests at once per account (20429), and one tenant that
// is busy must not slow another down.
type budgets struct {
	concurrent int64
	perSecond  rate.Limit

	mu        sync.Mutex
	byAccount map[string]*budget
	sweepAt   int // how many budgets there may be before those that owe nothing are looked for
}

type budget struct {
	slots   *semaphore.Weighted
	pace    *rate.Limiter
	callers int // who holds or awaits a slot; guarded by budgets.mu
}

func newBudgets(concurrent int, perSecond float64) *budgets {
	limit := rate.Limit(perSecond)
	if perSecond == 0 {
		limit = rate.Inf
	}
	return &budgets{concurrent: int64(concurrent), perSecond: limit, byAccount: map[string]*budget{}}
}

// acquire waits for the account's turn. It gives up with the context's error as soon as the context ends.
func (b *budgets) acquire(ctx context.Context, account string) (release func(), err error) {
	mine := b.join(account)
	if err := mine.slots.Acquire(ctx, 1); err != nil {
		b.leave(account, mine)
		return nil, err
	}
	if err := mine.await(ctx); err != nil {
		mine.slots.Release(1)
		b.leave(account, mine)
		return nil, err
	}
	return func() {
		mine.slots.Release(1)
		b.leave(account, mine)
	}, nil
}

func (b *budgets) join(account string) *budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := b.byAccount[account]
	if mine == nil {
		b.sweep()
		mine = &budget{slots: semaphore.NewWeighted(b.concurrent), pace: rate.NewLimiter(b.perSecond, 1)}
		b.byAccount[account] = mine
	}
	mine.callers++
	return mine
}

// leave forgets a budget that owes nothing, so that a hundred thousand tenants, each seen once, take no memory for ever.
func (b *budgets) leave(account string, mine *budget) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine.callers--
	if mine.owesNothing() {
		delete(b.byAccount, account)
	}
}

func (b *budget) owesNothing() bool { return b.callers == 0 && b.pace.Tokens() >= 1 }

// sweep forgets the budgets that still owed a pause when their last caller left. It looks at all of them each time that their
// number has doubled.
func (b *budgets) sweep() {
	if len(b.byAccount) < b.sweepAt {
		return
	}
	maps.DeleteFunc(b.byAccount, func(_ string, other *budget) bool { return other.owesNothing() })
	b.sweepAt = max(64, 2*len(b.byAccount))
}

// await is rate.Limiter.Wait, but always with the context's own error: Wait has one of its own when it foresees that the
// deadline will pass.
func (b *budget) await(ctx context.Context) error {
	if b.pace.Wait(ctx) == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}
