package storage_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

func TestAScanThatIsLeftClosesItsCursor(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	batchOf(t, coll, 4100) // the second batch is read ahead, and is not the last one
	for _, err := range store.Scan(t.Context(), seed) {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, 1, server.Seen("killCursors"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range store.Scan(ctx, seed) {
		require.NoError(t, err)
		cancel()
		break
	}
	assert.Equal(t, 2, server.Seen("killCursors"), "although the caller has left")
}

// slowly connects to a server that is far away.
type slowly struct{ latency time.Duration }

func (d slowly) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	select {
	case <-time.After(d.latency):
		return new(net.Dialer).DialContext(ctx, network, address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAScanThatIsLeftHasTimeToCloseItsCursorOnADistantServer(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	batchOf(t, coll, 2100)
	far := mongotest.Connect(t, server.URI(), options.Client().SetDialer(slowly{300 * time.Millisecond}))
	store := open(t, far.Database(coll.Database().Name()).Collection(coll.Name()), nil)
	server.Inject(mongotest.Fault{Command: "getMore", Delay: time.Second}) // leaving it behind costs its connection
	for _, err := range store.Scan(t.Context(), seed) {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, 1, server.Seen("killCursors"))
}

func TestAScanAsksForTwoThousandAtATime(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	batchOf(t, coll, 2100)
	server.ForgetCommands()
	seen := 0
	for _, err := range store.Scan(t.Context(), seed) {
		require.NoError(t, err)
		seen++
	}
	assert.Equal(t, 2100, seen)
	assert.Equal(t, 1, server.Seen("find"))
	assert.Equal(t, 1, server.Seen("getMore"))
	_, err := server.Commands("find")[0].LookupErr("maxTimeMS")
	require.Error(t, err, "it would bound the whole scan, not a batch")
}

func TestTheTimeoutBoundsABatchAndNotTheScan(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	server, coll, store := onEmbedded(t, &mongostore.Options{Timeout: timeout})
	batchOf(t, coll, 2100)
	for _, command := range []string{"find", "getMore"} {
		server.Inject(mongotest.Fault{Command: command, Delay: timeout * 11 / 20})
	}
	began, seen := time.Now(), 0
	for _, err := range store.Scan(t.Context(), seed) {
		require.NoError(t, err)
		seen++
	}
	assert.Equal(t, 2100, seen)
	assert.Greater(t, time.Since(began), timeout)

	server.Inject(mongotest.Fault{Command: "getMore", Delay: time.Hour, Times: -1})
	var last error
	for e, err := range store.Scan(t.Context(), seed) {
		if last = err; err != nil {
			assert.Zero(t, e)
		}
	}
	require.ErrorIs(t, last, context.DeadlineExceeded)
}

func TestALostCursorEndsAScanWithAnError(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	batchOf(t, coll, 2100)
	server.Inject(mongotest.Fault{Command: "getMore", Code: 43})
	seen := 0
	var last error
	for _, err := range store.Scan(t.Context(), seed) {
		if last = err; err == nil {
			seen++
		}
	}
	assert.Equal(t, 2000, seen)
	var e *mongostore.Error
	require.ErrorAs(t, last, &e)
	assert.Equal(t, 43, e.Code)
	assertSilent(t, last)
}

func TestAnOddDocumentIsAnErrorBesideItsEntryAndTheScanGoesOn(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll,
		append(bson.D{{Key: "_id", Value: "odd-token"}}, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "authToken", Value: 7})...),
		append(bson.D{{Key: "_id", Value: "odd-rev"}}, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "status", Value: "active"}, bson.E{Key: "rev", Value: "x"})...),
		append(bson.D{{Key: "_id", Value: "odd-sid"}}, account(bson.E{Key: "sid", Value: "nonsense"})...),
		append(bson.D{{Key: "_id", Value: "odd-array"}}, account(bson.E{Key: "sid", Value: bson.A{sid1}})...),
		append(bson.D{{Key: "_id", Value: "good"}}, held(sid2, 3)...),
		bson.D{{Key: "name", Value: "without an account"}},
		account(bson.E{Key: "sid", Value: nil}), account(bson.E{Key: "sid", Value: ""}), account(bson.E{Key: "sid", Value: 7}))
	entries, failures := map[string]twilioacct.Entry{}, map[string]error{}
	for e, err := range store.Scan(t.Context(), seed) {
		entries[e.ID], failures[e.ID] = e, err
	}
	require.Len(t, entries, 5)
	require.NoError(t, failures["good"])
	want := twilioacct.Entry{ID: "good", SID: sid2, Status: "active", Rev: 3, Fingerprint: twilioacct.Fingerprint(seed, token)}
	assert.Equal(t, want, entries["good"])
	for _, id := range []string{"odd-token", "odd-rev", "odd-sid", "odd-array"} {
		var odd *mongostore.DocumentError
		require.ErrorAs(t, failures[id], &odd)
		assert.Equal(t, id, odd.ID)
	}
	assert.Equal(t, sid1, entries["odd-token"].SID)
	assert.Equal(t, twilioacct.Status("active"), entries["odd-rev"].Status)
	assert.Equal(t, "nonsense", entries["odd-sid"].SID)
}

func TestAnEntrysIDIsTheDocumentsIDAsText(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	oid := bson.NewObjectID()
	for i, id := range []any{oid, "text", int32(7), bson.D{{Key: "a", Value: int32(1)}}} {
		insert(t, coll, append(bson.D{{Key: "_id", Value: id}}, held(sidOf(i), 1)...))
	}
	ids := map[string]string{}
	for e, err := range store.Scan(t.Context(), seed) {
		require.NoError(t, err)
		ids[e.SID] = e.ID
	}
	assert.Equal(t, map[string]string{
		sidOf(0): oid.Hex(), sidOf(1): "text", sidOf(2): `{"$numberInt":"7"}`, sidOf(3): `{"a": {"$numberInt":"1"}}`,
	}, ids)
}

func TestAScanThatIsCancelledDoesNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	batchOf(t, coll, 2100)
	server.Inject(mongotest.Fault{Command: "getMore", Delay: time.Hour, Times: -1})
	server.Inject(mongotest.Fault{Command: "killCursors", Delay: time.Hour, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	n := 0
	for range store.Scan(ctx, seed) {
		if n++; n == 2000 {
			cancelled = time.Now()
			cancel()
		}
	}
	assert.Less(t, time.Since(cancelled), 5*time.Second, "it would be ten, the store's own time")
}

func TestAScanShowsWhatItCouldReadOfAnOddDocumentAndItsFirstProblem(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "authToken", Value: 7},
		bson.E{Key: "status", Value: bson.A{}}, bson.E{Key: "rev", Value: 3})...))
	for e, err := range open(t, coll, nil).Scan(t.Context(), seed) {
		assert.Equal(t, twilioacct.Entry{ID: "odd-1", SID: sid1, Rev: 3}, e)
		var odd *mongostore.DocumentError
		require.ErrorAs(t, err, &odd)
		assert.Equal(t, "twilio_account.status", odd.Path)
	}
}
