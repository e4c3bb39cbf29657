package mongotest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

func aggregate(t *testing.T, c *mongo.Collection, stages ...bson.M) []bson.M {
	t.Helper()
	cursor, err := c.Aggregate(deadline(t), stages)
	require.NoError(t, err)
	found := []bson.M{}
	require.NoError(t, cursor.All(deadline(t), &found))
	return found
}

func TestAPipelineGroupsAndSums(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	insert(t, c, bson.M{"_id": 1, "s": "a", "n": 1}, bson.M{"_id": 2, "s": "a", "n": 2.5}, bson.M{"_id": 3, "s": "b"},
		bson.M{"_id": 4, "n": 7})
	require.Equal(t, []bson.M{
		{"_id": nil, "n": int32(7), "docs": int32(1)},
		{"_id": "a", "n": 3.5, "docs": int32(2)},
		{"_id": "b", "n": int32(0), "docs": int32(1)},
	}, aggregate(t, c,
		bson.M{"$group": bson.M{"_id": "$s", "n": bson.M{"$sum": "$n"}, "docs": bson.M{"$count": bson.M{}}}},
		bson.M{"$sort": bson.M{"_id": 1}}))
	require.Equal(t, []bson.M{{"_id": bson.D{{Key: "state", Value: "b"}}, "n": int32(1)}}, aggregate(t, c,
		bson.M{"$match": bson.M{"s": "b"}},
		bson.M{"$group": bson.M{"_id": bson.M{"state": "$s"}, "n": bson.M{"$sum": 1}}}))
}

func TestAPipelineSortsSkipsLimitsProjectsAndCounts(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	for i := range 10 {
		insert(t, c, bson.M{"_id": i, "a": i * i})
	}
	require.Equal(t, []bson.M{{"a": int32(49)}, {"a": int32(36)}}, aggregate(t, c,
		bson.M{"$sort": bson.M{"_id": -1}}, bson.M{"$skip": 2}, bson.M{"$limit": 2},
		bson.M{"$project": bson.M{"_id": 0, "a": 1}}))
	require.Equal(t, []bson.M{{"many": int32(5)}}, aggregate(t, c,
		bson.M{"$match": bson.M{"_id": bson.M{"$gte": 5}}}, bson.M{"$count": "many"}))
	require.Empty(t, aggregate(t, c, bson.M{"$match": bson.M{"_id": "x"}}, bson.M{"$count": "many"}))
}

func TestACursorFetchesItsBatches(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	for i := range 10 {
		insert(t, c, bson.M{"_id": i})
	}
	require.Len(t, findAll(t, c, bson.M{}, options.Find().SetBatchSize(4)), 10)
	require.Equal(t, 2, server.Seen("getMore"))
	cursor, err := c.Aggregate(ctx, []bson.M{}, options.Aggregate().SetBatchSize(3))
	require.NoError(t, err)
	var found []bson.M
	require.NoError(t, cursor.All(ctx, &found))
	require.Len(t, found, 10)
}

func TestAResultOfMoreThanABatchIsWhole(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	docs := make([]any, 250)
	for i := range docs {
		docs[i] = bson.M{"_id": i}
	}
	insert(t, c, docs...)
	require.Len(t, findAll(t, c, bson.M{}), 250)
}

func TestAClosedCursorIsGone(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2})
	cursor, err := c.Find(ctx, bson.M{}, options.Find().SetBatchSize(1))
	require.NoError(t, err)
	id := cursor.ID()
	require.NotZero(t, id)
	require.NoError(t, cursor.Close(ctx))
	require.Equal(t, 1, server.Seen("killCursors"))
	getMore := bson.D{{Key: "getMore", Value: id}, {Key: "collection", Value: c.Name()}}
	requireCode(t, 43, c.Database().RunCommand(ctx, getMore).Err())
}

func TestALostCursorIsReported(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2})
	server.Inject(mongotest.Fault{Command: "getMore", Code: 43})
	cursor, err := c.Find(ctx, bson.M{}, options.Find().SetBatchSize(1))
	require.NoError(t, err)
	var found []bson.M
	requireCode(t, 43, cursor.All(ctx, &found))
}
