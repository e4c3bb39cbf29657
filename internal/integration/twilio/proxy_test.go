package twilio

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// proxied puts a proxy that can break connections between a client and the fake.
func proxied(t *testing.T, fake *twiliotest.Server) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "twilio", "127.0.0.1:0", strings.TrimPrefix(fake.URL(), "http://"))
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return proxy
}

func toxic(t *testing.T, proxy *toxiproxy.Proxy, json string) {
	t.Helper()
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(json))
	require.NoError(t, err)
}

func TestABrokenConnectionIsATypedErrorAndTheNextCallWorks(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{
		"reset at once":    `{"name":"x","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`,
		"cut in the body":  `{"name":"x","type":"limit_data","stream":"downstream","attributes":{"bytes":700}}`,
		"cut in the head":  `{"name":"x","type":"limit_data","stream":"downstream","attributes":{"bytes":20}}`,
		"nothing comes":    `{"name":"x","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
		"slower than time": `{"name":"x","type":"latency","stream":"downstream","attributes":{"latency":60000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := twiliotest.NewServer(t)
			acme := fake.AddSubaccount("acme")
			proxy := proxied(t, fake)
			w := newWires(t)
			p := provider(t, fake, &twilioacct.Options{
				BaseURL: "http://" + proxy.Listen, HTTPClient: &http.Client{Transport: w},
				MaxRetryWait: -1, RequestTimeout: 500 * time.Millisecond, CacheTime: -1,
			})
			toxic(t, proxy, kind)
			_, err := p.Account(t.Context(), acme.SID)
			var typed *twilioacct.Error
			require.ErrorAs(t, err, &typed)
			require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown)

			w.CloseIdleConnections()
			require.NoError(t, proxy.Toxics.RemoveToxic(context.Background(), "x"))
			_, err = p.Account(t.Context(), acme.SID)
			require.NoError(t, err)
		})
	}
}

func TestAPageThatArrivesInCrumbsIsReadWhole(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(50)
	proxy := proxied(t, fake)
	toxic(t, proxy, `{"type":"slicer","stream":"downstream","attributes":{"average_size":512,"size_variation":100,"delay":10}}`)
	p := provider(t, fake, &twilioacct.Options{BaseURL: "http://" + proxy.Listen, HTTPClient: &http.Client{Transport: newWires(t)}})
	n := 0
	for _, err := range p.Accounts(t.Context(), nil) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 51, n)
}

func TestTwilioAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	proxy := proxied(t, fake)
	p := provider(t, fake, &twilioacct.Options{
		BaseURL: "http://" + proxy.Listen, HTTPClient: &http.Client{Transport: newWires(t)}, MaxRetryWait: -1,
	})
	proxy.Stop()
	_, err := p.Account(t.Context(), acme.SID)
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	require.NotErrorIs(t, err, io.EOF)
}
