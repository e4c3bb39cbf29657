package mongotest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

func session(t *testing.T, c *mongo.Collection) *mongo.Session {
	t.Helper()
	s, err := c.Database().Client().StartSession()
	require.NoError(t, err)
	t.Cleanup(func() { s.EndSession(context.WithoutCancel(t.Context())) })
	return s
}

func TestACommittedTransactionIsVisibleAtOnceAndWhole(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	_, err := session(t, c).WithTransaction(ctx, func(ctx context.Context) (any, error) {
		for i := range 2 {
			if _, err := c.InsertOne(ctx, bson.M{"_id": i}); err != nil {
				return nil, err
			}
		}
		require.Equal(t, 0, count(t, c, bson.M{}), "others must not see it")
		n, err := c.CountDocuments(ctx, bson.M{})
		require.EqualValues(t, 2, n, "its own reads must see it")
		return nil, err
	})
	require.NoError(t, err)
	require.Equal(t, 2, count(t, c, bson.M{}))
}

func TestAnAbortedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	no := errors.New("no")
	_, err := session(t, c).WithTransaction(ctx, func(ctx context.Context) (any, error) {
		_, err := c.InsertOne(ctx, bson.M{"_id": 1})
		require.NoError(t, err)
		return nil, no
	})
	require.ErrorIs(t, err, no)
	require.Equal(t, 0, count(t, c, bson.M{}))
	insert(t, c, bson.M{"_id": 1})
}

func TestAnErrorEndsItsTransaction(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1})
	s := session(t, c)
	require.NoError(t, s.StartTransaction())
	within := mongo.NewSessionContext(ctx, s)
	_, err := c.InsertOne(within, bson.M{"_id": 2})
	require.NoError(t, err)
	_, err = c.InsertOne(within, bson.M{"_id": 1})
	require.True(t, mongo.IsDuplicateKeyError(err))
	_, err = c.InsertOne(within, bson.M{"_id": 3})
	requireCode(t, 251, err)
	requireCode(t, 251, s.CommitTransaction(ctx))
	require.Equal(t, []any{int32(1)}, ids(t, c, bson.M{}))
}

func TestTwoTransactionsConflict(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	a, b := session(t, c), session(t, c)
	require.NoError(t, a.StartTransaction())
	require.NoError(t, b.StartTransaction())
	_, err := c.UpdateOne(mongo.NewSessionContext(ctx, a), bson.M{"_id": 1}, increment)
	require.NoError(t, err)
	_, err = c.UpdateOne(mongo.NewSessionContext(ctx, b), bson.M{"_id": 1}, increment)
	requireCode(t, 112, err)
	var failure mongo.ServerError
	require.ErrorAs(t, err, &failure)
	require.True(t, failure.HasErrorLabel("TransientTransactionError"))
	require.NoError(t, b.AbortTransaction(ctx))
	require.NoError(t, a.CommitTransaction(ctx))
	require.Equal(t, 1, count(t, c, bson.M{"n": 1}))
}

func TestAnInjectedWriteConflictIsRetriedByWithTransaction(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	server.Inject(mongotest.WriteConflict("update"))
	_, err := session(t, c).WithTransaction(ctx, func(ctx context.Context) (any, error) {
		return c.UpdateOne(ctx, bson.M{"_id": 1}, increment)
	})
	require.NoError(t, err)
	require.Equal(t, 2, server.Seen("update"))
	require.Equal(t, 1, count(t, c, bson.M{"n": 1}))
}

func TestACommitWhoseReplyWasLostIsRetried(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.LostReply("commitTransaction"))
	_, err := session(t, c).WithTransaction(ctx, func(ctx context.Context) (any, error) {
		return c.InsertOne(ctx, bson.M{"_id": 1})
	})
	require.NoError(t, err)
	require.Equal(t, 2, server.Seen("commitTransaction"))
	require.Equal(t, 1, count(t, c, bson.M{}))
}

func TestAnOpenTransactionKeepsWritersWaiting(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	s := session(t, c)
	require.NoError(t, s.StartTransaction())
	_, err := c.UpdateOne(mongo.NewSessionContext(ctx, s), bson.M{"_id": 1}, increment)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, increment)
		done <- err
	}()
	require.Eventually(t, func() bool { return server.Seen("update") == 2 }, 5*time.Second, time.Millisecond)
	require.Empty(t, done)
	require.NoError(t, s.CommitTransaction(ctx))
	require.NoError(t, <-done)
	require.Equal(t, 1, count(t, c, bson.M{"n": 2}))
}

func TestTheEndOfASessionAbortsItsTransaction(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	client := mongotest.Connect(t, server.URI())
	s, err := client.StartSession()
	require.NoError(t, err)
	require.NoError(t, s.StartTransaction())
	other := client.Database(c.Database().Name()).Collection(c.Name())
	_, err = other.InsertOne(mongo.NewSessionContext(ctx, s), bson.M{"_id": 1})
	require.NoError(t, err)
	s.EndSession(ctx)
	insert(t, c, bson.M{"_id": 1})
}
