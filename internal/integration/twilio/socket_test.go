package twilio

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// wires counts the connections of a client over real sockets.
type wires struct {
	http.Transport

	open, made atomic.Int64
}

type wire struct {
	net.Conn

	of     *wires
	closed atomic.Bool
}

func (c *wire) Close() error {
	if !c.closed.Swap(true) {
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

func newWires(t testing.TB) *wires {
	t.Helper()
	w := &wires{}
	w.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.open.Add(1)
		w.made.Add(1)
		return &wire{Conn: conn, of: w}, nil
	}
	t.Cleanup(func() {
		w.CloseIdleConnections()
		// Of a broken answer, net/http closes the connection after it has told its caller, on a goroutine of its own.
		assert.Eventually(t, func() bool { return w.open.Load() == 0 }, 10*time.Second, time.Millisecond, "connections are left")
	})
	return w
}

func TestNoFaultOnARealSocketLeavesAConnectionOrAGoroutine(t *testing.T) {
	t.Parallel()
	faults := map[string]twiliotest.Fault{
		"429":                      {Status: 429, RetryAfter: "100"},
		"503 in HTML":              {Status: 503, HTML: true},
		"503 of 100 MB":            {Status: 503, Size: 100 << 20},
		"a reset before":           {Reset: true},
		"a reset after the effect": {Reset: true, AfterEffect: true},
		"a hang":                   {Hang: true},
		"a hang after the effect":  {Hang: true, AfterEffect: true},
		"an answer cut short":      {Truncate: 30},
		"an answer of 100 MB":      {Status: 200, Size: 100 << 20},
		"an empty answer":          {Status: 200, Body: []byte{}},
		"a redirect":               {Status: 302, Header: http.Header{"Location": {"/elsewhere"}}, Body: []byte{}},
	}
	for name, fault := range faults {
		for op := range 4 {
			t.Run(fmt.Sprintf("%s, operation %d", name, op), func(t *testing.T) {
				t.Parallel()
				fake := twiliotest.NewServer(t)
				acme := fake.AddSubaccount("acme")
				p := provider(t, fake, &twilioacct.Options{
					BaseURL: fake.URL(), HTTPClient: &http.Client{Transport: newWires(t)},
					MaxRetryWait: -1, RequestTimeout: 300 * time.Millisecond, CacheTime: -1,
					Store: twilioacct.NewMemStore(),
				})
				always := fault
				always.Times = twiliotest.Always
				fake.Inject(always)
				err := operate(t.Context(), p, acme.SID, op)
				var typed *twilioacct.Error
				require.ErrorAs(t, err, &typed)
				if fault.Status != 0 {
					assert.Equal(t, fault.Status, typed.Status)
				}

				fake.ClearFaults()
				require.NoError(t, operate(t.Context(), p, acme.SID, op), "the next call works")
			})
		}
	}
}

func operate(ctx context.Context, p *twilioacct.Provider, sid string, op int) error {
	var err error
	switch op {
	case 0:
		_, err = p.Account(ctx, sid)
	case 1:
		_, err = p.Sync(ctx, sid)
	case 2:
		_, err = p.Health(ctx, sid)
	default:
		for _, failed := range p.Accounts(ctx, nil) {
			err = failed
		}
	}
	return err
}

func TestCancelOnARealSocketIsHonouredWithinMilliseconds(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	p := provider(t, fake, &twilioacct.Options{BaseURL: fake.URL(), HTTPClient: &http.Client{Transport: newWires(t)}})
	for op := range 4 {
		if op == 1 {
			continue // Sync needs a store, and its request is Account's
		}
		fake.Inject(twiliotest.Fault{Hang: true, Times: twiliotest.Always})
		ctx, cancel := context.WithCancel(t.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }})
		start := time.Now()
		require.ErrorIs(t, operate(ctx, p, acme.SID, op), context.Canceled)
		assert.Less(t, time.Since(start), time.Second, "with room for a busy machine")
		fake.ClearFaults()
	}
}

func TestConnectionsAreKeptForTheNextRequest(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	w := newWires(t)
	p := provider(t, fake, &twilioacct.Options{BaseURL: fake.URL(), HTTPClient: &http.Client{Transport: w}, CacheTime: -1})
	for range 50 {
		_, err := p.Account(t.Context(), acme.SID)
		require.NoError(t, err)
		_, err = p.Account(t.Context(), "ACffffffffffffffffffffffffffffffff")
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
	}
	assert.EqualValues(t, 1, w.made.Load())
}

func TestALoopThatBreaksLeavesNoConnectionBusy(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(3000)
	w := newWires(t)
	p := provider(t, fake, &twilioacct.Options{BaseURL: fake.URL(), HTTPClient: &http.Client{Transport: w}})
	for range 20 {
		for _, err := range p.Accounts(t.Context(), nil) {
			require.NoError(t, err)
			break
		}
	}
	assert.EqualValues(t, 1, w.made.Load())
}
