package twilioacct_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// operation is one way to make a request.
type operation struct {
	name string
	do   func(context.Context) error
}

func operations(p *twilioacct.Provider, sid string) []operation {
	return []operation{
		{"Account", func(ctx context.Context) error { _, err := p.Account(ctx, sid); return err }},
		{"Sync", func(ctx context.Context) error { _, err := p.Sync(ctx, sid); return err }},
		{"Health", func(ctx context.Context) error { _, err := p.Health(ctx, sid); return err }},
		{"Accounts", func(ctx context.Context) error {
			for _, err := range p.Accounts(ctx, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"handle", func(ctx context.Context) error { _, err := p.Subaccount(sid).Account(ctx); return err }},
		{"PhoneNumbers", func(ctx context.Context) error { return endOf(p.Subaccount(sid).PhoneNumbers(ctx, nil)) }},
		{"MessagingServices", func(ctx context.Context) error { return endOf(p.Subaccount(sid).MessagingServices(ctx)) }},
		{"Messages", func(ctx context.Context) error { return endOf(p.Subaccount(sid).Messages(ctx, nil)) }},
		{"SearchNumbers", func(ctx context.Context) error {
			_, err := p.Subaccount(sid).SearchNumbers(ctx, twilioacct.NumberSearch{AreaCode: 415})
			return err
		}},
	}
}

const numOperations = 9

// endOf reads a list to its end, and returns the error that it ends with.
func endOf[T any](list iter.Seq2[T, error]) (end error) {
	for _, err := range list {
		end = err
	}
	return end
}

// fault is what can go wrong, and what must come of it.
type fault struct {
	twiliotest.Fault

	name   string
	passes bool  // a second request is made, and succeeds
	kind   error // if it never passes
	status int
}

func allFaults() []fault {
	faults := []fault{
		{name: "429", Fault: twiliotest.Fault{Status: 429, RetryAfter: "1"}, passes: true, kind: twilioacct.ErrRateLimited, status: 429},
		{name: "429 without a code", Fault: twiliotest.Fault{Status: 429, Code: twiliotest.NoCode}, passes: true, kind: twilioacct.ErrRateLimited, status: 429},
		{name: "429 of another kind", Fault: twiliotest.Fault{Status: 429, Code: 60203}, kind: twilioacct.ErrRateLimited, status: 429},
		{name: "500", Fault: twiliotest.Fault{Status: 500}, passes: true, kind: twilioacct.ErrUnavailable, status: 500},
		{name: "503", Fault: twiliotest.Fault{Status: 503}, passes: true, kind: twilioacct.ErrUnavailable, status: 503},
		{name: "503 in HTML", Fault: twiliotest.Fault{Status: 503, HTML: true}, passes: true, kind: twilioacct.ErrUnavailable, status: 503},
		{name: "502 without a body", Fault: twiliotest.Fault{Status: 502, Body: []byte{}}, passes: true, kind: twilioacct.ErrUnavailable, status: 502},
		{name: "503 of null", Fault: twiliotest.Fault{Status: 503, Body: []byte("null")}, passes: true, kind: twilioacct.ErrUnavailable, status: 503},
		{name: "503 cut short", Fault: twiliotest.Fault{Status: 503, Truncate: 20}, passes: true, kind: twilioacct.ErrUnavailable, status: 503},
		{name: "503 of 100 MB", Fault: twiliotest.Fault{Status: 503, Size: 100 << 20}, passes: true, kind: twilioacct.ErrUnavailable, status: 503},
		{name: "a reset before", Fault: twiliotest.Fault{Reset: true}, passes: true, kind: twilioacct.ErrUnavailable},
		{name: "a reset after", Fault: twiliotest.Fault{Reset: true, AfterEffect: true}, passes: true, kind: twilioacct.ErrUnavailable},
		{name: "a hang", Fault: twiliotest.Fault{Hang: true}, passes: true, kind: twilioacct.ErrUnavailable},
		{name: "an answer cut short", Fault: twiliotest.Fault{Truncate: 30}, passes: true, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "an answer of 100 MB", Fault: twiliotest.Fault{Status: 200, Size: 100 << 20}, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "an empty answer", Fault: twiliotest.Fault{Status: 200, Body: []byte{}}, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "an answer of null", Fault: twiliotest.Fault{Status: 200, Body: []byte("null")}, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "HTML for an answer", Fault: twiliotest.Fault{Status: 200, HTML: true}, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "half an answer", Fault: twiliotest.Fault{Status: 200, Body: []byte(`{"sid":"AC`)}, kind: twilioacct.ErrUnavailable, status: 200},
		{name: "a redirect", Fault: twiliotest.Fault{Status: 302, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: []byte{}}, kind: twilioacct.ErrUnavailable, status: 302},
		{name: "404", Fault: twiliotest.Fault{Status: 404}, kind: twilioacct.ErrNotFound, status: 404},
		{name: "403", Fault: twiliotest.Fault{Status: 403, Code: 20403}, kind: twilioacct.ErrForbidden, status: 403},
		{name: "400", Fault: twiliotest.Fault{Status: 400, Code: 20001}, kind: twilioacct.ErrInvalid, status: 400},
		{name: "a parent that is suspended", Fault: twiliotest.Fault{Status: 403, Code: 20005}, kind: twilioacct.ErrSuspended, status: 403},
	}
	for i := range faults {
		faults[i].Times = twiliotest.Always
	}
	return faults
}

func TestEveryFaultOfEveryOperationHasTheRightErrorAndTheRightNumberOfRequests(t *testing.T) {
	t.Parallel()
	for _, fault := range allFaults() {
		for i := range numOperations {
			t.Run(fmt.Sprintf("%s, operation %d", fault.name, i), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { // the bubble ends only when no goroutine and no request is left
					fake := twiliotest.NewServer(t)
					acme := fake.AddSubaccount("acme")
					known := twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)}
					p := providerOn(t, fake, withStore(twilioacct.NewMemStore(known)))
					op := operations(p, acme.SID)[i]

					fake.Inject(fault.Fault)
					start := time.Now()
					checkFailure(t, op, fault, op.do(t.Context()))
					if !fault.passes {
						assert.Equal(t, 1, fake.Count(""), "what Twilio has decided is not asked again")
						assert.Zero(t, time.Since(start))
					} else {
						assert.Greater(t, fake.Count(""), 1)
					}

					fake.ClearFaults()
					fake.ForgetRequests()
					once := fault.Fault
					once.Times = 1
					fake.Inject(once)
					err := op.do(t.Context())
					if fault.passes {
						require.NoError(t, err, op.name)
						assert.Equal(t, 2, fake.Count(""))
						return
					}
					checkFailure(t, op, fault, err)
				})
			})
		}
	}
}

func checkFailure(t *testing.T, op operation, fault fault, err error) {
	t.Helper()
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed, "%s: %s", op.name, fault.name)
	assert.Equal(t, fault.status, typed.Status)
	assert.Equal(t, http.MethodGet, typed.Method)
	assert.Regexp(t, "^(/2010-04-01/Accounts|/v1/Services)", typed.Path)
	if fault.kind != nil {
		require.ErrorIs(t, err, fault.kind)
	}
	require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, "nothing was to be changed")
}

func TestCancelEndsEveryOperationWithinMilliseconds(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"in flight":           {Hang: true, Times: twiliotest.Always},
		"in a wait":           {Status: 503, Times: twiliotest.Always},
		"in a delayed answer": {Delay: time.Minute, Times: twiliotest.Always},
	} {
		for i := range numOperations {
			t.Run(fmt.Sprintf("%s, operation %d", name, i), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fake := twiliotest.NewServer(t)
					acme := fake.AddSubaccount("acme")
					known := twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)}
					p := providerOn(t, fake, withStore(twilioacct.NewMemStore(known)))
					fake.Inject(fault)
					ctx, cancel := context.WithCancel(t.Context())
					const patience = 77 * time.Millisecond
					time.AfterFunc(patience, cancel)
					start := time.Now()
					err := operations(p, acme.SID)[i].do(ctx)
					require.ErrorIs(t, err, context.Canceled)
					assert.Equal(t, patience, time.Since(start))
				})
			})
		}
	}
}
