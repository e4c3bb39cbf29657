package mongotest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

var increment = bson.M{"$inc": bson.M{"n": 1}}

// transactionNumbers of the commands, to tell retries from new attempts.
func transactionNumbers(server *mongotest.Server, command string) []int64 {
	var numbers []int64
	for _, raw := range server.Commands(command) {
		n, _ := raw.Lookup("txnNumber").AsInt64OK()
		numbers = append(numbers, n)
	}
	return numbers
}

func TestARetriedWriteIsAppliedOnce(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	server.Inject(mongotest.LostReply("update"))
	res, err := c.UpdateOne(ctx, bson.M{"_id": 1}, increment)
	require.NoError(t, err)
	require.EqualValues(t, 1, res.ModifiedCount)
	require.Equal(t, 1, count(t, c, bson.M{"n": 1}))
	numbers := transactionNumbers(server, "update")
	require.Len(t, numbers, 2)
	require.Equal(t, numbers[0], numbers[1])
}

func TestARetriedFindOneAndUpdateIsAppliedOnce(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	server.Inject(mongotest.LostReply("findAndModify"))
	var d bson.M
	require.NoError(t, c.FindOneAndUpdate(ctx, bson.M{"_id": 1}, increment,
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&d))
	require.Equal(t, int32(1), d["n"])
	require.Equal(t, 2, server.Seen("findAndModify"))
}

func TestARetriedInsertIsNoDuplicate(t *testing.T) {
	t.Parallel()
	server, c, _ := start(t)
	server.Inject(mongotest.LostReply("insert"))
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2})
	require.Equal(t, 2, count(t, c, bson.M{}))
}

func TestAConnectionDroppedBeforeAWriteIsRetried(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "n": 0})
	server.Inject(mongotest.Fault{Command: "update", CloseBefore: true})
	_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, increment)
	require.NoError(t, err)
	require.Equal(t, 1, count(t, c, bson.M{"n": 1}))
}

func TestALostReplyWithoutRetriesIsANetworkErrorAfterTheWrite(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t, options.Client().SetRetryWrites(false))
	insert(t, c, bson.M{"_id": 1, "n": 0})
	server.Inject(mongotest.LostReply("update"))
	_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, increment)
	require.True(t, mongo.IsNetworkError(err))
	require.Equal(t, 1, count(t, c, bson.M{"n": 1}))
}

func TestARetryableErrorIsLabelledAndRetried(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Code: 10107})
	_, err := c.InsertOne(ctx, bson.M{"_id": 1})
	require.NoError(t, err)
	require.Equal(t, 2, server.Seen("insert"))
}

func TestAnErrorIsAnsweredInsteadOfTheCommand(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Code: 13, Message: "no", Labels: []string{"Mine"}})
	_, err := c.InsertOne(ctx, bson.M{"_id": 1})
	var failure mongo.CommandError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, []any{int32(13), "Unauthorized", "no"}, []any{failure.Code, failure.Name, failure.Message})
	require.True(t, failure.HasErrorLabel("Mine"))
	require.Equal(t, 0, count(t, c, bson.M{}))
}

func TestAnErrorCanFollowTheWrite(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Code: 50, AfterExecution: true})
	_, err := c.InsertOne(ctx, bson.M{"_id": 1})
	requireCode(t, 50, err)
	require.Equal(t, 1, count(t, c, bson.M{}))
}

func TestAWriteConcernErrorComesWithTheWrite(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Code: 64, WriteConcern: true})
	_, err := c.InsertOne(ctx, bson.M{"_id": 1})
	var failure mongo.WriteException
	require.ErrorAs(t, err, &failure)
	require.Equal(t, 64, failure.WriteConcernError.Code)
	require.Equal(t, 1, count(t, c, bson.M{}))
}

func TestAWriteConcernOfMoreServersThanThereAreIsAnErrorAfterTheWrite(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	_, err := c.Clone(options.Collection().SetWriteConcern(&writeconcern.WriteConcern{W: 3})).
		InsertOne(ctx, bson.M{"_id": 1})
	var failure mongo.WriteException
	require.ErrorAs(t, err, &failure)
	require.Equal(t, 100, failure.WriteConcernError.Code)
	require.Equal(t, 1, count(t, c, bson.M{}))
}

func TestAWriteConflictIsCode112(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.WriteConflict("update"))
	_, err := c.UpdateOne(ctx, bson.M{}, increment)
	requireCode(t, 112, err)
}

func TestAFaultHitsTheNthMatchingCommand(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Nth: 2, Times: 2, Code: 13, Match: func(command bson.Raw) bool {
		return command.Lookup("insert").StringValue() == c.Name()
	}})
	other := c.Database().Collection("other")
	var failed []int
	for i := range 5 {
		_, err := other.InsertOne(ctx, bson.M{"_id": i})
		require.NoError(t, err)
		if _, err := c.InsertOne(ctx, bson.M{"_id": i}); err != nil {
			failed = append(failed, i)
		}
	}
	require.Equal(t, []int{1, 2}, failed)
}

func TestAFaultCanHitForEver(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Times: -1, Code: 13})
	for range 3 {
		_, err := c.InsertOne(ctx, bson.M{})
		requireCode(t, 13, err)
	}
	server.ClearFaults()
	insert(t, c, bson.M{})
}

func TestADelayedWriteHappensAfterTheClientGaveUp(t *testing.T) {
	t.Parallel()
	server, c, _ := start(t)
	server.Inject(mongotest.Fault{Command: "insert", Delay: 100 * time.Millisecond})
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	failed := make(chan error, 1)
	go func() {
		_, err := c.InsertOne(ctx, bson.M{"_id": 1})
		failed <- err
	}()
	require.Eventually(t, func() bool { return server.Seen("insert") == 1 }, 5*time.Second, time.Millisecond)
	giveUp()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Eventually(t, func() bool { return count(t, c, bson.M{}) == 1 }, 5*time.Second, 5*time.Millisecond)
}

func TestCommandsAreRecordedAsSent(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	majority := c.Clone(options.Collection().SetWriteConcern(writeconcern.Majority()))
	_, err := majority.UpdateOne(ctx, bson.M{"account.sid": "AC1"}, set("account.token", "secret"))
	require.NoError(t, err)
	updates := server.Commands("update")
	require.Len(t, updates, 1)
	require.Equal(t, "majority", updates[0].Lookup("writeConcern", "w").StringValue())
	update := updates[0].Lookup("updates", "0").Document()
	require.NotContains(t, update.Lookup("q").String(), "secret")
	require.Contains(t, update.Lookup("u").String(), "secret")
	require.NotEmpty(t, server.Commands("hello", "isMaster"))
	require.Greater(t, len(server.Commands()), 1)
	server.ForgetCommands()
	require.Zero(t, server.Seen("update"))
}

func TestAnUnacknowledgedWriteIsApplied(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	res, err := c.Clone(options.Collection().SetWriteConcern(writeconcern.Unacknowledged())).
		InsertOne(ctx, bson.M{"_id": 1})
	require.NoError(t, err)
	require.False(t, res.Acknowledged)
	require.Eventually(t, func() bool { return count(t, c, bson.M{}) == 1 }, 5*time.Second, time.Millisecond)
}
