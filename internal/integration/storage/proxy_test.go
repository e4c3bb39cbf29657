package storage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

// line is a network line to a server, which can be disturbed. The faults of the embedded server say what happens to a command;
// these say what happens to bytes.
type line struct {
	proxy  *toxiproxy.Proxy
	direct *mongo.Collection // around the proxy
	store  *mongostore.Store // through it
}

func disturbable(t *testing.T, timeout time.Duration) *line {
	t.Helper()
	server := mongotest.Start(t)
	host, rest, _ := strings.Cut(strings.TrimPrefix(server.URI(), "mongodb://"), "/")
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), t.Name(), "127.0.0.1:0", host)
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop) // after the client, which is disconnected before that
	direct := server.Collection(t)
	client := mongotest.Connect(t, "mongodb://"+proxy.Listen+"/"+rest)
	store := open(t, client.Database(direct.Database().Name()).Collection(direct.Name()), &mongostore.Options{Timeout: timeout})
	insert(t, direct, held(sid1, 1))
	return &line{proxy: proxy, direct: direct, store: store}
}

func (l *line) disturb(t *testing.T, toxic string) {
	t.Helper()
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(t, err)
}

// saveAgain is what a caller does after an unknown outcome: look, and save what still differs.
func (l *line) saveAgain(t *testing.T) {
	t.Helper()
	l.proxy.Toxics.ResetToxics(t.Context())
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		r, err := l.store.Load(t.Context(), sid1)
		if !assert.NoError(c, err) {
			return
		}
		again := change()
		again.Rev = r.Rev
		_, err = l.store.Save(t.Context(), again)
		assert.NoError(c, err)
	}, 20*time.Second, 10*time.Millisecond)
	rev, kept := stored(t, l.direct)
	assert.Equal(t, change().AuthToken.Reveal(), kept)
	assert.EqualValues(t, 2, rev, "written once, whatever the line did")
}

func TestAStoreOutlivesABadLine(t *testing.T) {
	t.Parallel()
	for name, toxic := range map[string]string{
		"connections that are reset":         `{"name":"bad","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`,
		"answers that never come":            `{"name":"bad","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
		"answers that come too late":         `{"name":"bad","type":"latency","stream":"downstream","attributes":{"latency":3000}}`,
		"answers that are cut in the middle": `{"name":"bad","type":"limit_data","stream":"downstream","attributes":{"bytes":20}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := disturbable(t, 700*time.Millisecond)
			_, err := l.store.Load(t.Context(), sid1)
			require.NoError(t, err)
			l.disturb(t, toxic)
			_, err = l.store.Save(context.WithoutCancel(t.Context()), change())
			require.Error(t, err)
			assertSilent(t, err)
			assert.True(t, mongo.IsTimeout(err) || mongo.IsNetworkError(err), err)
			l.saveAgain(t)
		})
	}
}

func TestAStoreOutlivesAServerThatIsAway(t *testing.T) {
	t.Parallel()
	l := disturbable(t, 500*time.Millisecond)
	l.proxy.Stop()
	_, err := l.store.Save(t.Context(), change())
	require.Error(t, err)
	require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, "its read failed, so nothing was written")
	_, err = l.store.Load(t.Context(), sid1)
	require.Error(t, err)
	require.NoError(t, l.proxy.Start())
	l.saveAgain(t)
}
