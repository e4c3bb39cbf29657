package fleet_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
)

// behindAProxy is a fleet that is behind, whose Store reaches the server over a line that can be cut.
func behindAProxy(t *testing.T, patience time.Duration) (*fleet, *toxiproxy.Proxy) {
	t.Helper()
	f := newFleet(t, bulks*bulkSize, terms{})
	f.lagBehind(t)
	uri, err := url.Parse(f.uri)
	require.NoError(t, err)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "mongodb", "127.0.0.1:0", uri.Host)
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop) // after the client, which is disconnected before that
	query := uri.Query()
	query.Set("directConnection", "true") // or a replica set would name the way around the proxy
	uri.Host, uri.RawQuery = proxy.Listen, query.Encode()
	f.store = f.through(t, uri.String(), terms{patience: patience})
	f.provider = f.with(t, f.store)
	return f, proxy
}

func TestADatabaseThatIsAwayForFiveSecondsIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, patience := range map[string]time.Duration{
		"where the driver's patience is enough": 10 * time.Second,
		"where the run needs its own":           time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, proxy := behindAProxy(t, patience)
			others := f.others(t)
			back := make(chan error, 1)
			f.sent.before("update", func(nth int) {
				if nth == 2 {
					proxy.Stop()
					time.AfterFunc(5*time.Second, func() { back <- proxy.Start() })
				}
			})
			r := f.syncInBulks(t)
			requireClean(t, r)
			require.NoError(t, <-back)
			f.requireEqual(t)
			assert.Equal(t, bulks*bulkSize, r.Changed)
			assertSame(t, others, f.others(t))
			for sid, rev := range f.revisions(t) {
				assert.EqualValues(t, 2, rev, sid)
			}
		})
	}
}

func TestADatabaseThatGoesForGoodFailsWhatIsLeft(t *testing.T) {
	t.Parallel()
	f, proxy := behindAProxy(t, 2*time.Second)
	f.sent.before("update", func(nth int) {
		if nth == 2 {
			proxy.Stop()
		}
	})
	r := f.syncInBulks(t)
	require.NoError(t, r.err)
	assert.Equal(t, bulkSize, r.Changed)
	f.requireAccounted(t, r)
	assert.Len(t, r.failures(), (bulks-1)*bulkSize)
	for _, err := range r.failures() {
		assertStores(t, err)
	}
	f.requireRepaired(t)
}

// nobodysAddress is one where nobody answers. It stays taken: a port that was given back may be another server's the next moment.
func nobodysAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var answering sync.WaitGroup
	answering.Go(func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		answering.Wait()
	})
	return listener.Addr().String()
}

func TestADatabaseThatIsAwayFromTheBeginningIsTheRunsError(t *testing.T) {
	t.Parallel()
	f := newFleet(t, bulks*bulkSize, terms{})
	f.lagBehind(t)
	away := f.through(t, "mongodb://"+nobodysAddress(t)+"/?directConnection=true", terms{patience: time.Second})
	f.provider = f.with(t, away.Store) // which is impatient in its scans, too
	before := f.snapshot(t)
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	assertStores(t, r.err)
	assert.Empty(t, r.events)
	assertSame(t, before, f.snapshot(t))
	_, err := f.provider.Dashboard(t.Context())
	assertStores(t, err)
}
