package mongotest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestAnUpdateChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.D{{Key: "_id", Value: 1}, {Key: "z", Value: bson.M{"kept": true}}, {Key: "a", Value: "old"}})
	res, err := c.UpdateOne(ctx, bson.M{"_id": 1}, bson.M{
		"$set": bson.M{"z.new": "x", "a": "new"}, "$unset": bson.M{"missing": ""}, "$inc": bson.M{"n": 2},
	})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 0}, []int64{res.MatchedCount, res.ModifiedCount, res.UpsertedCount})
	require.Equal(t, []bson.M{{"_id": int32(1), "z": bson.D{{Key: "kept", Value: true}, {Key: "new", Value: "x"}},
		"a": "new", "n": int32(2)}}, findAll(t, c, bson.M{}))
}

func TestSettingAnEqualValueModifiesNothing(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "a": bson.M{"b": "x"}})
	res, err := c.UpdateOne(ctx, bson.M{"_id": 1}, set("a.b", "x"))
	require.NoError(t, err)
	require.EqualValues(t, 1, res.MatchedCount)
	require.EqualValues(t, 0, res.ModifiedCount)
	res, err = c.ReplaceOne(ctx, bson.M{"_id": 1}, bson.M{"a": bson.M{"b": "x"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, res.MatchedCount)
	require.EqualValues(t, 0, res.ModifiedCount)
}

func TestAnUpsertTakesTheEqualitiesOfItsFilter(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	filter := bson.M{"account.sid": "AC1", "status": bson.M{"$ne": "closed"}}
	update := bson.M{"$set": bson.M{"account.name": "n"}, "$setOnInsert": bson.M{"made": true}}
	for range 2 {
		_, err := c.UpdateOne(ctx, filter, update, options.UpdateOne().SetUpsert(true))
		require.NoError(t, err)
	}
	found := findAll(t, c, bson.M{})
	require.Len(t, found, 1)
	require.IsType(t, bson.ObjectID{}, found[0]["_id"])
	delete(found[0], "_id")
	require.Equal(t, bson.M{
		"account": bson.D{{Key: "sid", Value: "AC1"}, {Key: "name", Value: "n"}}, "made": true,
	}, found[0])
}

func TestAnUpsertByReplacementKeepsTheFiltersID(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	res, err := c.ReplaceOne(ctx, bson.M{"_id": "x"}, bson.M{"a": 1}, options.Replace().SetUpsert(true))
	require.NoError(t, err)
	require.Equal(t, "x", res.UpsertedID)
	require.Equal(t, []bson.M{{"_id": "x", "a": int32(1)}}, findAll(t, c, bson.M{}))
	_, err = c.ReplaceOne(ctx, bson.M{"_id": "x"}, bson.M{"_id": "y", "a": 1})
	requireCode(t, 66, err)
}

func TestDocumentsAreDeletedOneOrMany(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "a": 1}, bson.M{"_id": 2, "a": 1}, bson.M{"_id": 3, "a": 1})
	res, err := c.DeleteOne(ctx, bson.M{"a": 1})
	require.NoError(t, err)
	require.EqualValues(t, 1, res.DeletedCount)
	res, err = c.DeleteMany(ctx, bson.M{})
	require.NoError(t, err)
	require.EqualValues(t, 2, res.DeletedCount)
}

func TestFindOneAndUpdateReturnsBeforeOrAfter(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "n": 1}, bson.M{"_id": 2, "n": 5})
	opts := func() *options.FindOneAndUpdateOptionsBuilder {
		return options.FindOneAndUpdate().SetSort(bson.M{"n": -1}).SetProjection(bson.M{"_id": 0, "n": 1})
	}
	inc := bson.M{"$inc": bson.M{"n": 1}}
	var d bson.M
	require.NoError(t, c.FindOneAndUpdate(ctx, bson.M{}, inc, opts()).Decode(&d))
	require.Equal(t, bson.M{"n": int32(5)}, d)
	require.NoError(t, c.FindOneAndUpdate(ctx, bson.M{}, inc, opts().SetReturnDocument(options.After)).Decode(&d))
	require.Equal(t, bson.M{"n": int32(7)}, d)
	require.ErrorIs(t, c.FindOneAndUpdate(ctx, bson.M{"n": 100}, inc, opts()).Err(), mongo.ErrNoDocuments)
}

func TestFindOneAndUpdateCanUpsert(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	opts := options.FindOneAndUpdate().SetUpsert(true)
	require.ErrorIs(t, c.FindOneAndUpdate(ctx, bson.M{"_id": 1}, set("a", 1), opts).Err(), mongo.ErrNoDocuments)
	var d bson.M
	opts = opts.SetReturnDocument(options.After)
	require.NoError(t, c.FindOneAndUpdate(ctx, bson.M{"_id": 2}, set("a", 2), opts).Decode(&d))
	require.Equal(t, bson.M{"_id": int32(2), "a": int32(2)}, d)
	require.Equal(t, []any{int32(1), int32(2)}, ids(t, c, bson.M{}))
}

func TestFindOneAndReplaceAndDelete(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "a": 1})
	var d bson.M
	require.NoError(t, c.FindOneAndReplace(ctx, bson.M{"_id": 1}, bson.M{"b": 2},
		options.FindOneAndReplace().SetReturnDocument(options.After)).Decode(&d))
	require.Equal(t, bson.M{"_id": int32(1), "b": int32(2)}, d)
	require.NoError(t, c.FindOneAndDelete(ctx, bson.M{"_id": 1}).Decode(&d))
	require.Equal(t, 0, count(t, c, bson.M{}))
}

func TestDocumentsWithBinaryOrDocumentIDsCanBeUpdated(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uuid := bson.Binary{Subtype: 4, Data: []byte("0123456789abcdef")}
	pair := bson.D{{Key: "parent", Value: "AC0"}, {Key: "tenant", Value: "t1"}}
	for _, id := range []any{uuid, pair} {
		insert(t, c, bson.D{{Key: "_id", Value: id}, {Key: "a", Value: 1}})
		res, err := c.UpdateOne(ctx, bson.M{"_id": id}, set("a", 2))
		require.NoError(t, err)
		require.EqualValues(t, 1, res.ModifiedCount)
		res, err = c.ReplaceOne(ctx, bson.M{"_id": id}, bson.D{{Key: "_id", Value: id}, {Key: "a", Value: 3}})
		require.NoError(t, err)
		require.EqualValues(t, 1, res.ModifiedCount)
		require.Equal(t, 1, count(t, c, bson.M{"_id": id, "a": 3}))
	}
}

func TestAnInclusionShowsOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	insert(t, c, bson.D{{Key: "_id", Value: 1}, {Key: "b", Value: bson.M{"secret": "s", "sid": "AC1"}},
		{Key: "a", Value: bson.A{bson.M{"x": 1, "y": 2}, 3}}})
	show := func(p bson.M) bson.M { return findAll(t, c, bson.M{}, options.Find().SetProjection(p))[0] }
	require.Equal(t, bson.M{"_id": int32(1), "b": bson.D{{Key: "sid", Value: "AC1"}}}, show(bson.M{"b.sid": 1}))
	require.Equal(t, bson.M{"a": bson.A{bson.D{{Key: "x", Value: int32(1)}}}}, show(bson.M{"_id": 0, "a.x": true}))
	require.Equal(t, bson.M{"_id": int32(1)}, show(bson.M{"_id": 1}))
	require.NotContains(t, show(bson.M{"_id": 0}), "_id")
	require.Equal(t, bson.M{"_id": int32(1), "b": bson.D{{Key: "sid", Value: "AC1"}}}, show(bson.M{"b.secret": 0, "a": 0}))
	require.Len(t, show(bson.M{"a": bson.M{"$slice": 1}})["a"], 1)
}

func TestAFilterByNullFindsMissingAndNull(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2, "a": nil}, bson.M{"_id": 3, "a": bson.M{}},
		bson.M{"_id": 4, "a": bson.M{"b": nil}}, bson.M{"_id": 5, "a": bson.M{"b": 1}},
		bson.M{"_id": 6, "a": bson.A{bson.M{"b": 1}, bson.M{"c": 1}}}, bson.M{"_id": 7, "a": bson.A{}})
	find := func(filter bson.M) []any { return ids(t, c, filter) }
	one, two, three, four, five, six, seven := int32(1), int32(2), int32(3), int32(4), int32(5), int32(6), int32(7)
	require.Equal(t, []any{one, two}, find(bson.M{"a": nil}))
	require.Equal(t, []any{one, two, three, four, six}, find(bson.M{"a.b": nil}))
	require.Equal(t, []any{one, two, three, four, six}, find(bson.M{"a.b": bson.M{"$in": bson.A{nil, 9}}}))
	require.Equal(t, []any{five, seven}, find(bson.M{"a.b": bson.M{"$ne": nil}}))
	require.Equal(t, []any{five, seven}, find(bson.M{"a.b": bson.M{"$nin": bson.A{nil}}}))
	require.Equal(t, []any{two, four}, find(bson.M{"$or": bson.A{bson.M{"a": bson.M{"$type": "null"}}, bson.M{"a.b": bson.M{"$type": 10}}}}))
	require.Equal(t, []any{one, two, three, seven}, find(bson.M{"a.b": bson.M{"$exists": false}}))
}

func TestComparisonsStayWithinTheirType(t *testing.T) {
	t.Parallel()
	c, _ := collection(t)
	insert(t, c, bson.M{"_id": 1}, bson.M{"_id": 2, "a": nil}, bson.M{"_id": 3, "a": ""}, bson.M{"_id": 4, "a": "x"},
		bson.M{"_id": 5, "a": 7})
	require.Equal(t, []any{int32(4)}, ids(t, c, bson.M{"a": bson.M{"$gt": ""}}))
	require.Equal(t, []any{int32(5)}, ids(t, c, bson.M{"a": bson.M{"$gt": 0}}))
	require.Equal(t, []any{int32(1), int32(2), int32(3), int32(5)}, ids(t, c, bson.M{"a": bson.M{"$ne": "x"}}))
}

func TestFindSortsSkipsAndLimits(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	for i := range 10 {
		insert(t, c, bson.M{"_id": i})
	}
	found := findAll(t, c, bson.M{}, options.Find().SetSort(bson.M{"_id": -1}).SetSkip(2).SetLimit(3))
	require.Equal(t, []bson.M{{"_id": int32(7)}, {"_id": int32(6)}, {"_id": int32(5)}}, found)
	n, err := c.EstimatedDocumentCount(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 10, n)
	n, err = c.CountDocuments(ctx, bson.M{"_id": bson.M{"$gte": 3}}, options.Count().SetLimit(5).SetSkip(1))
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	var values []int
	require.NoError(t, c.Distinct(ctx, "_id", bson.M{"_id": bson.M{"$lt": 2}}).Decode(&values))
	require.Equal(t, []int{0, 1}, values)
}

func TestUpdateManyChangesAllOrNothing(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	uuid := bson.Binary{Subtype: 4, Data: make([]byte, 16)}
	insert(t, c, bson.M{"_id": 1, "a": 1}, bson.M{"_id": 2, "a": 2}, bson.M{"_id": 3, "a": "x"})
	res, err := c.UpdateMany(ctx, bson.M{"a": bson.M{"$type": "number"}}, set("a", 2))
	require.NoError(t, err)
	require.Equal(t, []int64{2, 1}, []int64{res.MatchedCount, res.ModifiedCount})
	_, err = c.UpdateMany(ctx, bson.M{}, bson.M{"$inc": bson.M{"a": 1}})
	requireCode(t, 14, err)
	require.Equal(t, 2, count(t, c, bson.M{"a": 2}))
	insert(t, c, bson.M{"_id": uuid, "a": 2})
	res, err = c.UpdateMany(ctx, bson.M{"a": 2}, bson.M{"$inc": bson.M{"a": 1}})
	require.NoError(t, err)
	require.EqualValues(t, 3, res.ModifiedCount)
	require.Equal(t, 3, count(t, c, bson.M{"a": 3}))
}

func TestArraysCanBeChanged(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "a": bson.A{1, 2}, "b": bson.A{bson.M{"k": "x"}, bson.M{"k": "y"}}})
	_, err := c.UpdateOne(ctx, bson.M{"a": 2}, bson.M{
		"$push": bson.M{"a": 3}, "$set": bson.M{"b.$[e].v": true},
	}, options.UpdateOne().SetArrayFilters([]any{bson.M{"e.k": "y"}}))
	require.NoError(t, err)
	require.Equal(t, 1, count(t, c, bson.M{"a": bson.A{1, 2, 3}, "b.1.v": true, "b.0.v": nil}))
	require.Equal(t, 1, count(t, c, bson.M{"b": bson.M{"$elemMatch": bson.M{"k": "y", "v": true}}}))
	require.Equal(t, 0, count(t, c, bson.M{"b": bson.M{"$elemMatch": bson.M{"k": "x", "v": true}}}))
}

func TestImpossibleProjectionsAreRefused(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	for code, projection := range map[int]bson.D{
		31254: {{Key: "a", Value: 1}, {Key: "b", Value: 0}},
		31253: {{Key: "a", Value: 0}, {Key: "b", Value: 1}},
		31249: {{Key: "a", Value: 1}, {Key: "a.b", Value: 1}},
		238:   {{Key: "a", Value: "$b"}},
	} {
		_, err := c.Find(ctx, bson.M{}, options.Find().SetProjection(projection))
		requireCode(t, code, err)
	}
}
