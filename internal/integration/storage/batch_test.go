package storage_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

func sidOf(n int) string { return fmt.Sprintf("AC%032x", n) }

// batchOf is n documents at revision 1, and the records that close their accounts.
func batchOf(t testing.TB, coll *mongo.Collection, n int) []twilioacct.Record {
	t.Helper()
	var documents []bson.D
	var records []twilioacct.Record
	for i := range n {
		documents = append(documents, held(sidOf(i), 1))
		records = append(records, twilioacct.Record{SID: sidOf(i), Rev: 1, Status: "closed", AuthToken: secret("new-" + token)})
	}
	insert(t, coll, documents...)
	return records
}

func closed(t testing.TB, coll *mongo.Collection) int {
	t.Helper()
	n, err := coll.CountDocuments(t.Context(), by("twilio_account.status", "closed"))
	require.NoError(t, err)
	return int(n)
}

func TestABatchIsSentInChunksWithOneReadAndOneWriteEach(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 1100)
	server.ForgetCommands()
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	assert.Equal(t, 3, server.Seen("update"))
	assert.Equal(t, 3, server.Seen("find"))
	assert.Zero(t, server.Seen("getMore"))
	for _, c := range server.Commands("update") {
		assert.LessOrEqual(t, len(elements(t, c, "updates")), 500)
		assert.False(t, truthy(c, "ordered"))
	}
	assert.Equal(t, 1100, closed(t, coll))
}

func TestARefusalInTheMiddleOfABatchIsOneRecords(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 20)
	server.Inject(mongotest.Fault{Command: "update", Code: 121, Ops: []int{7}, Message: "refused " + token})
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assert.Equal(t, sidOf(7), failures[0].SID)
	assertSilent(t, failures[0].Err)
	assert.Equal(t, 19, closed(t, coll))
}

func TestALostReplyOfABatchIsAppliedOnce(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 20)
	server.Inject(mongotest.LostReply("update"))
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	assert.Equal(t, 20, closed(t, coll))
}

func TestAChunkWhoseReplyIsLostIsUnknownAndCanBeSavedAgain(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t, options.Client().SetRetryWrites(false))
	store := open(t, coll, nil)
	records := batchOf(t, coll, 520)
	server.Inject(mongotest.LostReply("update"))
	failures, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Empty(t, failures)
	assertSilent(t, err)
	assert.Equal(t, 500, closed(t, coll), "the chunk was written, the next one not tried")

	failures, err = store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Len(t, failures, 500, "stale by our own write")
	assert.Equal(t, 520, closed(t, coll))
}

func TestAWriteConcernErrorOfABatchIsUnknown(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 5)
	server.Inject(mongotest.Fault{Command: "update", WriteConcern: true, Code: 64, Message: token})
	_, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assertSilent(t, err)
}

func TestWhatOthersDoDuringABatchIsFoundOut(t *testing.T) {
	t.Parallel()
	server, coll, other := onEmbedded(t, nil)
	records := batchOf(t, coll, 10)
	store := open(t, before(t, server, coll, "update", func() {
		_, err := other.Save(t.Context(), twilioacct.Record{SID: sidOf(3), Rev: 1, Tenant: "other"})
		assert.NoError(t, err)
		_, err = other.Save(t.Context(), records[5]) // the same as ours
		assert.NoError(t, err)
		r, err := other.Save(t.Context(), records[6]) // the same as ours, and more
		assert.NoError(t, err)
		_, err = other.Save(t.Context(), twilioacct.Record{SID: r.SID, Rev: r.Rev, Tenant: "more"})
		assert.NoError(t, err)
		_, err = coll.DeleteOne(t.Context(), by("twilio_account.sid", sidOf(7)))
		assert.NoError(t, err)
	}), nil)
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	reasons := map[string]error{}
	for _, f := range failures {
		reasons[f.SID] = f.Err
	}
	require.Len(t, reasons, 3)
	require.ErrorIs(t, reasons[sidOf(3)], twilioacct.ErrStale)
	require.ErrorIs(t, reasons[sidOf(6)], twilioacct.ErrStale)
	require.ErrorIs(t, reasons[sidOf(7)], twilioacct.ErrNoRecord)
	assert.Equal(t, 8, closed(t, coll))
}

func TestABatchCancelledInFlightIsUnknown(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	records := batchOf(t, coll, 5)
	ctx, cancel := context.WithCancel(t.Context())
	store := open(t, before(t, server, coll, "update", cancel), nil)
	_, err := store.SaveBatch(ctx, records)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
}

func TestASavedRecordThatSomebodyWritesOnIsNotCalledStale(t *testing.T) {
	t.Parallel()
	server, coll, other := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1), held(sid2, 1))
	server.Inject(mongotest.Fault{Command: "update", Code: 121, Ops: []int{1}})
	finds := 0
	monitored := mongotest.Connect(t, server.URI(), options.Client().SetMonitor(&event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName != "find" {
				return
			}
			if finds++; finds == 2 { // the look after the bulk
				_, err := other.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 2, Tenant: "acme"})
				assert.NoError(t, err)
			}
		},
	}))
	mine := open(t, monitored.Database(coll.Database().Name()).Collection(coll.Name()), nil)
	failures, err := mine.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 1, Status: "closed"}, {SID: sid2, Rev: 1, Status: "closed"}})
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assert.Equal(t, sid2, failures[0].SID)
}
