package rest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"net/http"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABudgetBoundsTheRequestsAtOncePerSigningAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		twilio := transportFunc(func(r *http.Request) (*http.Response, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); {
				m = most.Load()
			}
			time.Sleep(time.Second) // of the bubble
			return answers(200, `{}`)(r)
		})
		client := newClient(t, twilio, func(c *Config) { c.MaxConcurrent = 4 })
		start := time.Now()
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
				assert.NoError(t, err)
			})
		}
		other := fixedSigner{Auth{Account: "AC2", User: "AC2", Password: "x"}}
		all.Go(func() {
			_, err := send(client.Call(t.Context(), "AC2", other), "GET", nil)
			assert.NoError(t, err)
			assert.Equal(t, time.Second, time.Since(start), "another account does not wait")
		})
		all.Wait()
		assert.EqualValues(t, 5, most.Load())
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestABudgetBoundsTheRequestsPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, answers(200, `{}`), func(c *Config) { c.RequestsPerSecond = 10 })
		start := time.Now()
		for range 21 {
			_, err := send(client.Call(t.Context(), accountSID, signer), "GET", nil)
			require.NoError(t, err)
		}
		assert.InDelta(t, 2*time.Second, time.Since(start), float64(time.Millisecond))
	})
}

func TestWhoeverWaitsForTheBudgetLeavesWithTheContext(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"of requests at once":    func(c *Config) { c.MaxConcurrent = 1 },
		"of requests per second": func(c *Config) { c.RequestsPerSecond = 0.01 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				twilio := &script{steps: []transportFunc{hangs}}
				client := newClient(t, twilio, change)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _, _ = send(client.Call(ctx, accountSID, signer), "GET", nil) }()
				synctest.Wait()

				impatient, leave := context.WithTimeout(t.Context(), time.Second)
				defer leave()
				start := time.Now()
				_, err := send(client.Call(impatient, accountSID, signer), "POST", nil)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.False(t, failureFrom(t, err).OutcomeUnknown, "it was never sent")
				assert.LessOrEqual(t, time.Since(start), time.Second)
				assert.Len(t, twilio.requests(), 1)
				cancel()
				synctest.Wait()
				time.Sleep(time.Hour)
				client.budgets.sweepAt = 0
				client.budgets.sweep()
				assert.Empty(t, client.budgets.byAccount, "nobody holds anything")
			})
		})
	}
}

func TestABudgetThatOwesNothingIsForgotten(t *testing.T) {
	t.Parallel()
	client := newClient(t, answers(200, `{}`), nil)
	for _, account := range []string{"AC1", "AC2", "AC3"} {
		_, err := send(client.Call(t.Context(), account, fixedSigner{Auth{Account: account, User: account, Password: "x"}}), "GET", nil)
		require.NoError(t, err)
	}
	assert.Empty(t, client.budgets.byAccount)
}

func TestBudgetsThatOwedAPauseAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, answers(200, `{}`), func(c *Config) { c.RequestsPerSecond = 100 })
		for n := range 1000 {
			account := fmt.Sprint("AC", n)
			call := client.Call(t.Context(), account, fixedSigner{Auth{Account: account, User: account, Password: "x"}})
			_, err := send(call, "GET", nil)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, len(client.budgets.byAccount), 64)
	})
}
