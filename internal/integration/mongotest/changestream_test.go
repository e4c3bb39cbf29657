package mongotest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type event struct {
	ID            bson.Raw `bson:"_id"`
	OperationType string   `bson:"operationType"`
	DocumentKey   struct {
		ID int `bson:"_id"`
	} `bson:"documentKey"`
	FullDocument bson.M `bson:"fullDocument"`
	Update       struct {
		Updated bson.M `bson:"updatedFields"`
	} `bson:"updateDescription"`
}

func watch(t *testing.T, c *mongo.Collection, pipeline any, opts ...options.Lister[options.ChangeStreamOptions]) *mongo.ChangeStream {
	t.Helper()
	stream, err := c.Watch(deadline(t), pipeline, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close(context.WithoutCancel(t.Context())) })
	return stream
}

func next(t *testing.T, stream *mongo.ChangeStream) event {
	t.Helper()
	require.True(t, stream.Next(deadline(t)), "%v", stream.Err())
	var e event
	require.NoError(t, stream.Decode(&e))
	return e
}

func TestAChangeStreamTellsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 0})
	stream := watch(t, c, mongo.Pipeline{})
	insert(t, c, bson.M{"_id": 1, "a": "x"})
	_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, set("a", "y"))
	require.NoError(t, err)
	_, err = c.DeleteOne(ctx, bson.M{"_id": 1})
	require.NoError(t, err)
	insert(t, c.Database().Collection("other"), bson.M{"_id": 9})
	require.NoError(t, c.Drop(ctx))

	inserted := next(t, stream)
	require.Equal(t, "insert", inserted.OperationType)
	require.Equal(t, bson.M{"_id": int32(1), "a": "x"}, inserted.FullDocument)
	updated := next(t, stream)
	require.Equal(t, "update", updated.OperationType)
	require.Equal(t, bson.M{"a": "y"}, updated.Update.Updated)
	require.Nil(t, updated.FullDocument)
	require.Equal(t, "delete", next(t, stream).OperationType)
	require.Equal(t, "drop", next(t, stream).OperationType)
	require.Equal(t, "invalidate", next(t, stream).OperationType)
	require.False(t, stream.Next(ctx))
}

func TestAChangeStreamWaitsForAChange(t *testing.T) {
	t.Parallel()
	server, c, _ := start(t)
	stream := watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetMaxAwaitTime(5*time.Second))
	began := time.Now()
	found := make(chan bool, 1)
	ctx := deadline(t)
	go func() { found <- stream.Next(ctx) }()
	require.Eventually(t, func() bool { return server.Seen("getMore") == 1 }, 5*time.Second, time.Millisecond)
	insert(t, c, bson.M{"_id": 1})
	require.True(t, <-found)
	require.Less(t, time.Since(began), 4*time.Second)
}

func TestAChangeStreamCanBeFilteredAndShowUpdatedDocuments(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	stream := watch(t, c, mongo.Pipeline{{{Key: "$match", Value: bson.M{"fullDocument.state": "done"}}}},
		options.ChangeStream().SetFullDocument(options.UpdateLookup))
	insert(t, c, bson.M{"_id": 1, "state": "new"}, bson.M{"_id": 2, "state": "new"})
	_, err := c.UpdateOne(ctx, bson.M{"_id": 2}, set("state", "done"))
	require.NoError(t, err)
	e := next(t, stream)
	require.Equal(t, 2, e.DocumentKey.ID)
	require.Equal(t, "done", e.FullDocument["state"])
}

func TestAChangeStreamResumesAfterItsToken(t *testing.T) {
	t.Parallel()
	server, c, _ := start(t)
	early := watch(t, c, mongo.Pipeline{})
	token := early.ResumeToken()
	require.NotNil(t, token)
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2})
	first := next(t, early)
	require.Equal(t, 1, next(t, watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetResumeAfter(token))).DocumentKey.ID)
	require.Equal(t, 2, next(t, watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetStartAfter(first.ID))).DocumentKey.ID)
	require.Positive(t, server.Seen("aggregate"))
}

func TestAChangeStreamWhoseHistoryIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	old := bson.D{{Key: "ts", Value: bson.Timestamp{T: 1, I: 1}}}
	insert(t, c, bson.M{"_id": -1})
	watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetResumeAfter(old))
	// The log keeps a thousand changes, and all of the current second.
	require.Eventually(t, func() bool {
		docs := make([]any, 1100)
		for i := range docs {
			docs[i] = bson.M{}
		}
		insert(t, c, docs...)
		_, err := c.DeleteMany(ctx, bson.M{})
		require.NoError(t, err)
		stream, err := c.Watch(ctx, mongo.Pipeline{}, options.ChangeStream().SetResumeAfter(old))
		if err == nil {
			require.NoError(t, stream.Close(ctx))
			return false
		}
		requireCode(t, 286, err)
		return true
	}, 8*time.Second, 100*time.Millisecond)
}

func TestTransactionsReachAChangeStreamAtCommit(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	stream := watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetMaxAwaitTime(time.Millisecond))
	_, err := session(t, c).WithTransaction(ctx, func(within context.Context) (any, error) {
		_, err := c.InsertOne(within, bson.M{"_id": 1})
		require.False(t, stream.TryNext(ctx))
		return nil, err
	})
	require.NoError(t, err)
	require.Equal(t, 1, next(t, stream).DocumentKey.ID)
}

func TestADatabaseCanBeWatched(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	db := c.Database()
	stream, err := db.Watch(ctx, mongo.Pipeline{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close(context.WithoutCancel(t.Context())) })
	insert(t, db.Client().Database("elsewhere").Collection("c"), bson.M{"_id": 1})
	insert(t, db.Collection("other"), bson.M{"_id": 2})
	require.Equal(t, 2, next(t, stream).DocumentKey.ID)
	require.NoError(t, db.Drop(ctx))
	require.Equal(t, "drop", next(t, stream).OperationType)
	require.Equal(t, "dropDatabase", next(t, stream).OperationType)
	require.Equal(t, "invalidate", next(t, stream).OperationType)
}

func TestClosingTheServerEndsAWaitForChanges(t *testing.T) {
	t.Parallel()
	server, c, _ := start(t)
	stream := watch(t, c, mongo.Pipeline{}, options.ChangeStream().SetMaxAwaitTime(time.Hour))
	ctx, giveUp := context.WithCancel(t.Context())
	found := make(chan bool, 1)
	go func() { found <- stream.Next(ctx) }()
	require.Eventually(t, func() bool { return server.Seen("getMore") == 1 }, 5*time.Second, time.Millisecond)
	server.Close()
	giveUp()
	require.False(t, <-found)
}
