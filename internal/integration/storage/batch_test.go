package storage_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
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

func TestABatchIsOneWriteForEachThousandRecordsAndNoRead(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, patient)
	records := batchOf(t, coll, 1100)
	server.ForgetCommands()
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	assert.Equal(t, 2, server.Seen("update"))
	assert.Zero(t, server.Seen("find")+server.Seen("getMore"))
	for _, c := range server.Commands("update") {
		assert.LessOrEqual(t, len(elements(t, c, "updates")), 1000)
		assert.False(t, truthy(c, "ordered"))
	}
	assert.Equal(t, 1100, closed(t, coll))
}

// Where each write by the SID would search the whole collection, all documents of a batch are found by one search.
func TestWithoutAnIndexOnTheSIDABatchIsOneReadAndOneWriteByID(t *testing.T) {
	t.Parallel()
	bySID := bson.D{{Key: "twilio_account.sid", Value: 1}}
	for name, given := range map[string]*mongo.IndexModel{
		"none":              nil,
		"of another field":  {Keys: by("name", 1)},
		"with it in second": {Keys: bson.D{{Key: "name", Value: 1}, {Key: "twilio_account.sid", Value: 1}}},
		"of some documents": {Keys: bySID, Options: options.Index().SetPartialFilterExpression(by("twilio_account.status", "active"))},
		"that is not told":  {Keys: bySID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mongotest.Start(t)
			coll := server.Collection(t)
			if given != nil {
				_, err := coll.Indexes().CreateOne(t.Context(), *given)
				require.NoError(t, err)
			}
			if name == "that is not told" {
				server.Inject(mongotest.Fault{Command: "listIndexes", Code: 13, Times: -1})
			}
			records := batchOf(t, coll, 60)
			insert(t, coll, held(sidOf(100), 1), held(sidOf(100), 1))
			records = append(records, twilioacct.Record{SID: sidOf(99), Status: "closed"}, twilioacct.Record{SID: sidOf(100), Rev: 1, Status: "closed"})
			records[7].Rev = 5
			server.ForgetCommands()
			failures, err := open(t, coll, nil).SaveBatch(t.Context(), records)
			require.NoError(t, err)
			assert.ElementsMatch(t, []twilioacct.SaveFailure{
				{SID: sidOf(7), Err: twilioacct.ErrStale}, {SID: sidOf(99), Err: twilioacct.ErrNoRecord},
			}, failures)
			assert.Equal(t, 59+2, closed(t, coll))
			assert.Equal(t, 1+1, server.Seen("find"), "one of the batch, one of the SID with two documents")
			updates := server.Commands("update")
			assert.Len(t, updates, 1+2)
			for _, u := range elements(t, updates[0], "updates") {
				assert.NotEmpty(t, u.Lookup("q", "_id"))
			}
		})
	}
}

func TestADocumentWithAListOfSIDsDoesNotHoldUpABatch(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	records := batchOf(t, coll, 50)
	insert(t, coll, account(bson.E{Key: "sid", Value: bson.A{sidOf(3), 7, sidOf(60)}}))
	records = append(records, twilioacct.Record{SID: sidOf(60), Status: "closed"})
	server.ForgetCommands()
	failures, err := open(t, coll, nil).SaveBatch(t.Context(), records)
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assert.Equal(t, sidOf(60), failures[0].SID, "nothing else holds it")
	var odd *mongostore.DocumentError
	require.ErrorAs(t, failures[0].Err, &odd)
	assert.Equal(t, 50, closed(t, coll))
	assert.Equal(t, 1, server.Seen("find"))
	assert.Equal(t, 1, server.Seen("update"))
}

func TestAnIndexOfOursOrOfTheApplicationsIsFoundOnceAndForAll(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T, *mongo.Collection){
		"ours": func(t *testing.T, c *mongo.Collection) {
			require.NoError(t, open(t, c, nil).EnsureIndexes(t.Context()))
		},
		"a plain one": func(t *testing.T, c *mongo.Collection) { index(t, c) },
	} {
		server := mongotest.Start(t)
		coll := server.Collection(t)
		make(t, coll)
		store := open(t, coll, nil)
		records := batchOf(t, coll, 5)
		server.ForgetCommands()
		for range 3 {
			failures, err := store.SaveBatch(t.Context(), records)
			require.NoError(t, err)
			assert.Empty(t, failures, name)
			for i := range records {
				records[i].Rev++
			}
		}
		assert.Equal(t, 1, server.Seen("listIndexes"), name)
		assert.Equal(t, 3, server.Seen("update"), name)
		assert.Zero(t, server.Seen("find"), name)
	}
}

// A mongos refuses an update of one document that says neither its shard nor its _id.
func TestABatchThatAShardedCollectionRefusesIsWrittenByID(t *testing.T) {
	t.Parallel()
	for _, code := range []int32{61, 72} {
		server, coll, store := onEmbedded(t, nil)
		records := batchOf(t, coll, 20)
		insert(t, coll, held(sidOf(100), 1), held(sidOf(100), 1))
		records = append(records, twilioacct.Record{SID: sidOf(100), Rev: 1, Status: "closed"})
		hasNoID := func(c bson.Raw) bool { return c.Lookup("updates", "0", "q", "_id").IsZero() }
		all := make([]int, len(records))
		for i := range all {
			all[i] = i
		}
		server.Inject(mongotest.Fault{Command: "update", Match: hasNoID, Code: code, Ops: all, Times: -1})
		failures, err := store.SaveBatch(t.Context(), records)
		require.NoError(t, err)
		assert.Empty(t, failures)
		assert.Equal(t, 22, closed(t, coll))
	}
}

func TestOneRecordOfABatchThatIsStaleCostsOneRead(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 20)
	records[7].Rev = 5
	server.ForgetCommands()
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sidOf(7), Err: twilioacct.ErrStale}}, failures)
	assert.Equal(t, 1, server.Seen("update"))
	assert.Equal(t, 1, server.Seen("find"))
	assert.Equal(t, 19, closed(t, coll))
}

func TestABatchWritesWhatItsRecordsSetAndNothingElse(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, append(account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "plan", Value: 7.5}), bson.E{Key: "last", Value: bson.A{}}), held(sid2, 3))
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{
		{SID: sid1, AuthToken: secret("new"), Tenant: "acme", APIKeys: map[string]twilioacct.APIKey{"voice": {SID: key1, Secret: secret("s")}}},
		{SID: sid2, Rev: 3, Status: "closed"},
	})
	require.NoError(t, err)
	assert.Empty(t, failures)
	var got, want any
	require.NoError(t, bson.Unmarshal(raw(t, coll, by("twilio_account.sid", sid1)).Lookup("twilio_account").Document(), &got))
	want = bson.D{
		{Key: "sid", Value: sid1}, {Key: "plan", Value: 7.5}, {Key: "authToken", Value: "new"}, {Key: "tenant", Value: "acme"}, {Key: "rev", Value: int64(1)},
		{Key: "apiKeys", Value: bson.D{{Key: "voice", Value: bson.D{{Key: "sid", Value: key1}, {Key: "secret", Value: "s"}}}}},
	}
	assert.Equal(t, sorted(want), sorted(got))
	r, err := store.Load(t.Context(), sid2)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Record{SID: sid2, AuthToken: secret(token), Status: "closed", Rev: 4, Copies: 1}, r)
}

func TestABatchFindsARevisionHoweverItIsStored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored any
		rev    int64
	}{
		"zero": {int64(0), 0}, "zero as the shell writes it": {0.0, 0}, "null": {nil, 0}, "int32": {int32(5), 5}, "a double": {5.0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, nil)
			insert(t, coll, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: c.stored}), held(sid2, 1))
			failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{
				{SID: sid1, Rev: c.rev, AuthToken: secret(token)}, {SID: sid2, Rev: 1, Status: "closed"},
			})
			require.NoError(t, err)
			assert.Empty(t, failures)
			rev, kept := stored(t, coll)
			assert.Equal(t, c.rev+1, rev)
			assert.Equal(t, token, kept)
			assert.Equal(t, 1, closed(t, coll))
		})
	}
}

func TestTheFirstOfTwoRecordsOfAnAccountIsSavedFirstAlsoWhereItIsSavedByItself(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, held(sid1, 0)) // which no update finds by null
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Status: "first"}, {SID: sid1, Status: "second"}})
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sid1, Err: twilioacct.ErrStale}}, failures)
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Status("first"), r.Status)
}

func TestABatchThatSetsNothingWritesNothing(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 3))
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{
		{SID: sid1, Rev: 3}, {SID: sid2}, {SID: sid1, Rev: 3, Remove: []twilioacct.Field{twilioacct.FieldTenant}},
	})
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sid2, Err: twilioacct.ErrNoRecord}}, failures)
	assert.Zero(t, server.Seen("update"))
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

// passing are the server's refusals of a write that may succeed the next moment.
var passing = []int32{112, 6, 24, 46, 50, 189, 262, 11600, 11601, 11602}

func TestAWriteOfABatchThatIsRefusedInPassingIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, code := range passing {
		for _, isIndexed := range []bool{true, false} {
			t.Run(fmt.Sprint(code, ", indexed ", isIndexed), func(t *testing.T) {
				t.Parallel()
				server := mongotest.Start(t)
				coll := server.Collection(t)
				if isIndexed {
					index(t, coll)
				}
				records := batchOf(t, coll, 20)
				server.Inject(mongotest.Fault{Command: "update", Code: code, Ops: []int{7, 8}})
				server.ForgetCommands()
				failures, err := open(t, coll, nil).SaveBatch(t.Context(), records)
				require.NoError(t, err)
				assert.Empty(t, failures)
				assert.Equal(t, 20, closed(t, coll))
				if isIndexed {
					updates := server.Commands("update")
					require.Len(t, updates, 2)
					assert.Len(t, elements(t, updates[1], "updates"), 2, "both together, and no other")
				}
			})
		}
	}
}

func TestADocumentWhoseMakingIsRefusedInPassingIsMadeByTheNextAttempt(t *testing.T) {
	t.Parallel()
	for _, code := range passing {
		server, coll, store := onEmbedded(t, upsert)
		records := []twilioacct.Record{{SID: sid1, Status: "closed"}, {SID: sid2, Status: "closed"}}
		server.Inject(mongotest.Fault{Command: "update", Nth: 2, Code: code, Ops: []int{1}})
		failures, err := store.SaveBatch(t.Context(), records)
		require.NoError(t, err)
		assert.Empty(t, failures)
		assert.Equal(t, 2, closed(t, coll))
	}
}

func TestAConflictThatDoesNotPassIsTheRecordsFailure(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 3)
	server.Inject(mongotest.Fault{Command: "update", Code: 112, Ops: []int{0}, Times: -1, Message: token})
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	require.Len(t, failures, 1)
	var e *mongostore.Error
	require.ErrorAs(t, failures[0].Err, &e)
	assert.Equal(t, 112, e.Code)
	assertSilent(t, failures[0].Err)
	assert.Equal(t, 2, closed(t, coll))
	assert.Equal(t, 3, server.Seen("update"))
}

func TestAnInterruptedWriteThatWasAppliedIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	server, coll, other := onEmbedded(t, nil)
	records := batchOf(t, coll, 20)
	store := open(t, before(t, server, coll, "update", func() {
		_, err := other.Save(t.Context(), records[7])
		assert.NoError(t, err)
		server.Inject(mongotest.Fault{Command: "update", Code: 11601, Ops: []int{7}})
	}), nil)
	server.ForgetCommands()
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	assert.Equal(t, 20, closed(t, coll))
	assert.Equal(t, 1+1, server.Seen("update"), "the other's and ours")
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

func TestAChunkWhoseReplyIsLostIsUnknownAndIsFoundSavedTheNextTime(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t, options.Client().SetRetryWrites(false))
	store := open(t, coll, patient)
	records := batchOf(t, coll, 1020)
	server.Inject(mongotest.LostReply("update"))
	failures, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Empty(t, failures)
	assertSilent(t, err)
	assert.Equal(t, 1000, closed(t, coll), "the chunk was written, the next one not tried")

	records[3].Status = "suspended" // not what was written
	failures, err = store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sidOf(3), Err: twilioacct.ErrStale}}, failures)
	n, err := coll.CountDocuments(t.Context(), bson.D{{Key: "twilio_account.status", Value: "closed"}, {Key: "twilio_account.rev", Value: 2}})
	require.NoError(t, err)
	assert.EqualValues(t, 1020, n, "each of them once")
}

func TestARecordSavedByItselfWhoseReplyIsLostIsFoundSavedTheNextTime(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t, options.Client().SetRetryWrites(false))
	store := open(t, coll, nil)
	insert(t, coll, held(sid1, 1), held(sid2, 1))
	records := []twilioacct.Record{
		{SID: sid1, Rev: 1, Remove: []twilioacct.Field{twilioacct.FieldAuthToken}},
		{SID: sid2, Rev: 1, Status: "closed"},
	}
	server.Inject(mongotest.Fault{Command: "update", Nth: 2, CloseAfter: true})
	_, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	for _, sid := range []string{sid1, sid2} {
		r, err := store.Load(t.Context(), sid)
		require.NoError(t, err)
		assert.EqualValues(t, 2, r.Rev)
		assert.Equal(t, sid == sid1, r.AuthToken.IsZero())
	}
}

func TestInsertionsWhoseReplyIsLostAreFoundSavedTheNextTime(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t, options.Client().SetRetryWrites(false))
	store := open(t, coll, upsert)
	records := batchOf(t, coll, 4)
	records = append(records, twilioacct.Record{SID: sidOf(7), AuthToken: secret(token)}, twilioacct.Record{SID: sidOf(8), Status: "closed"})
	server.Inject(mongotest.Fault{Command: "update", Nth: 2, CloseAfter: true})
	_, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	failures, err := store.SaveBatch(t.Context(), records)
	require.NoError(t, err)
	assert.Empty(t, failures)
	assert.Equal(t, 5, closed(t, coll))
	n, err := coll.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.EqualValues(t, 6, n)
}

func TestAServerThatFailsInTheLookAfterABatchLeavesItUnknown(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	records := batchOf(t, coll, 3)
	records[1].Rev = 9
	server.Inject(mongotest.Fault{Command: "find", Code: 13})
	failures, err := store.SaveBatch(t.Context(), records)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Empty(t, failures)
	assertSilent(t, err)
	assert.Equal(t, 2, closed(t, coll))
}

func TestAServerThatDoesNotAnswerIsNoFailureOfARecord(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "find", CloseBefore: true, Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	failures, err := store.SaveBatch(ctx, []twilioacct.Record{{SID: sid1, Rev: 1, Remove: []twilioacct.Field{twilioacct.FieldStatus}}})
	require.Error(t, err)
	require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, "it was not even read")
	assert.Empty(t, failures)
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

func TestABatchWhoseContextHasEndedWasNotWritten(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	records := batchOf(t, coll, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failures, err := store.SaveBatch(ctx, records)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.Empty(t, failures)
	assert.Zero(t, closed(t, coll))
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
			if finds++; finds == 1 { // the look after the bulk
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
