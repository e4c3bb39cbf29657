package mongotest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

func upserts(n int) []mongo.WriteModel {
	var models []mongo.WriteModel
	for i := range n {
		sid := fmt.Sprintf("AC%d", i)
		models = append(models, mongo.NewUpdateOneModel().SetUpsert(true).
			SetFilter(bson.M{"account.sid": sid}).SetUpdate(set("account.name", sid)))
	}
	return models
}

func TestAnUnorderedBulkGoesOnAfterADuplicate(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	insert(t, c, account("x", "AC9"))
	models := upserts(6)
	models[3] = mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": "y"}).SetUpdate(set("account.sid", "AC9")).SetUpsert(true)
	res, err := c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	var failure mongo.BulkWriteException
	require.ErrorAs(t, err, &failure)
	require.Len(t, failure.WriteErrors, 1)
	require.Equal(t, 3, failure.WriteErrors[0].Index)
	require.Equal(t, 11000, failure.WriteErrors[0].Code)
	require.Same(t, models[3], failure.WriteErrors[0].Request)
	require.EqualValues(t, 5, res.UpsertedCount)
	for _, i := range []int64{0, 1, 2, 4, 5} {
		require.Contains(t, res.UpsertedIDs, i)
	}
	require.Equal(t, 6, count(t, c, bson.M{}))
}

func TestAnOrderedBulkEndsAtItsFirstError(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 2})
	docs := []any{bson.M{"_id": 1}, bson.M{"_id": 2}, bson.M{"_id": 3}}
	_, err := c.InsertMany(ctx, docs)
	var failure mongo.BulkWriteException
	require.ErrorAs(t, err, &failure)
	require.Equal(t, 1, failure.WriteErrors[0].Index)
	require.Equal(t, 2, count(t, c, bson.M{}))
	_, err = c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	require.ErrorAs(t, err, &failure)
	require.Len(t, failure.WriteErrors, 2)
	require.Equal(t, 3, count(t, c, bson.M{}))
}

func TestEachErrorOfAnUnorderedBulkHasItsOwnCode(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "null": nil})
	one := func(update bson.M) mongo.WriteModel {
		return mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": 1}).SetUpdate(update)
	}
	res, err := c.BulkWrite(ctx, []mongo.WriteModel{
		one(set("null.a", 1)), one(set("_id", 2)), one(set("ok", 1)), one(bson.M{"$foo": bson.M{"a": 1}}),
	}, options.BulkWrite().SetOrdered(false))
	var failure mongo.BulkWriteException
	require.ErrorAs(t, err, &failure)
	require.Len(t, failure.WriteErrors, 3)
	for i, want := range [][2]int{{0, 28}, {1, 66}, {3, 9}} {
		require.Equal(t, want, [2]int{failure.WriteErrors[i].Index, failure.WriteErrors[i].Code})
	}
	require.EqualValues(t, 1, res.ModifiedCount)
}

func TestABulkOfAThousandIsOneCommand(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	uniqueSID(t, c)
	res, err := c.BulkWrite(ctx, upserts(1000), options.BulkWrite().SetOrdered(false))
	require.NoError(t, err)
	require.EqualValues(t, 1000, res.UpsertedCount)
	require.Equal(t, 1, server.Seen("update"))
}

func TestADuplicateCanBeInjectedIntoOneOperation(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	server.Inject(mongotest.DuplicateKey("update", bson.D{{Key: "account.sid", Value: 1}}, 1))
	res, err := c.BulkWrite(ctx, upserts(3), options.BulkWrite().SetOrdered(false))
	var failure mongo.BulkWriteException
	require.ErrorAs(t, err, &failure)
	require.True(t, mongo.IsDuplicateKeyError(err))
	require.Len(t, failure.WriteErrors, 1)
	require.Equal(t, 1, failure.WriteErrors[0].Index)
	require.Equal(t, `{"account.sid": {"$numberInt":"1"}}`, failure.WriteErrors[0].Raw.Lookup("keyPattern").String())
	require.EqualValues(t, 2, res.UpsertedCount)
	require.Equal(t, 0, count(t, c, bson.M{"account.sid": "AC1"}))
}
