package mongotest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestUpdatesFailWithMongoDBsCodes(t *testing.T) {
	t.Parallel()
	doc := bson.D{
		{Key: "_id", Value: 1}, {Key: "null", Value: nil}, {Key: "text", Value: "x"}, {Key: "list", Value: bson.A{1}},
		{Key: "doc", Value: bson.M{}},
	}
	cases := []struct {
		name   string
		code   int
		update any
	}{
		{"setting below null", 28, set("null.a", 1)},
		{"setting below a string", 28, set("text.a", 1)},
		{"setting below an array", 28, set("list.a", 1)},
		{"incrementing below null", 28, bson.M{"$inc": bson.M{"null.a": 1}}},
		{"the current date below null", 28, bson.M{"$currentDate": bson.M{"null.a": true}}},
		{"setting a path and its parent", 40, bson.M{"$set": bson.D{{Key: "doc", Value: 1}, {Key: "doc.a", Value: 1}}}},
		{"setting and removing a path", 40, bson.M{"$set": bson.M{"doc.a": 1}, "$unset": bson.M{"doc.a": ""}}},
		{"changing the _id", 66, set("_id", 2)},
		{"removing the _id", 66, bson.M{"$unset": bson.M{"_id": ""}}},
		{"an unknown operator", 9, bson.M{"$sit": bson.M{"a": 1}}},
		{"an operator without paths", 9, bson.M{"$set": 1}},
		{"incrementing a string", 14, bson.M{"$inc": bson.M{"text": 1}}},
		{"multiplying null", 14, bson.M{"$mul": bson.M{"null": 1}}},
		{"pushing to a string", 2, bson.M{"$push": bson.M{"text": 1}}},
		{"an empty part in a path", 56, set("a..b", 1)},
		{"a path with a dollar", 52, set("$a", 1)},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, ctx := collection(t)
			insert(t, c, doc)
			_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, test.update)
			requireCode(t, test.code, err)
			requireCode(t, test.code, c.FindOneAndUpdate(ctx, bson.M{"_id": 1}, test.update).Err())
			left, err := c.FindOne(ctx, bson.M{}).Raw()
			require.NoError(t, err)
			want, err := bson.Marshal(doc)
			require.NoError(t, err)
			require.Equal(t, bson.Raw(want), left)
		})
	}
}

func TestOperatorsAreCheckedBeforeAnyDocumentIsFound(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	_, err := c.UpdateOne(ctx, bson.M{}, bson.M{"$sit": bson.M{"a": 1}})
	requireCode(t, 9, err)
	_, err = c.UpdateOne(ctx, bson.M{}, bson.M{"$set": bson.M{"a": 1}, "$inc": bson.M{"a.b": 1}})
	requireCode(t, 40, err)
	_, err = c.Find(ctx, bson.M{"a": bson.M{"$almost": 1}})
	requireCode(t, 2, err)
	_, err = c.Find(ctx, bson.M{"$and": bson.A{bson.M{"$perhaps": 1}}})
	requireCode(t, 2, err)
}

func TestWhatOnlyMongoDBHasIsRefused(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1, "list": bson.A{1}})
	for _, update := range []any{
		set("list.$", 1), set("a", bson.MinKey{}), mongo.Pipeline{{{Key: "$set", Value: bson.M{"a": 1}}}},
	} {
		_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, update)
		requireCode(t, 238, err)
	}
	_, err := c.Find(ctx, bson.M{"$expr": bson.M{}})
	requireCode(t, 238, err)
	_, err = c.Find(ctx, bson.M{"a": bson.M{"$not": bson.Regex{Pattern: "x"}}})
	requireCode(t, 238, err)
	_, err = c.DeleteMany(ctx, bson.M{"a": bson.M{"$in": bson.A{bson.Regex{Pattern: "x"}}}})
	requireCode(t, 238, err)
}

func TestUnsettingBelowNullIsNoError(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "a": nil})
	res, err := c.UpdateOne(ctx, bson.M{"_id": 1}, bson.M{"$unset": bson.M{"a.b": ""}})
	require.NoError(t, err)
	require.EqualValues(t, 0, res.ModifiedCount)
}

func TestWhatTheServerDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	insert(t, c, bson.M{"_id": 1})
	cases := []struct {
		name    string
		code    int
		command bson.D
	}{
		{"a command", 59, bson.D{{Key: "shrink", Value: "c"}}},
		{"a command's field", 40415, bson.D{{Key: "find", Value: "c"}, {Key: "filtre", Value: bson.M{}}}},
		{"a collation", 238, bson.D{{Key: "find", Value: "c"}, {Key: "collation", Value: bson.M{"locale": "de"}}}},
		{"a field of a wrong type", 14, bson.D{{Key: "find", Value: "c"}, {Key: "filter", Value: "x"}}},
		{"a collection without a name", 73, bson.D{{Key: "find", Value: 1}}},
		{"a field of an update", 40415, bson.D{{Key: "update", Value: "c"}, {Key: "updates", Value: bson.A{bson.M{"x": 1}}}}},
		{"an update without an update", 9, bson.D{{Key: "findAndModify", Value: "c"}}},
		{"a stage", 40324, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$foo": 1}}}, {Key: "cursor", Value: bson.M{}}}},
		{"a stage of MongoDB", 238, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$lookup": 1}}}}},
		{"an accumulator", 238, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": bson.M{"_id": 1, "a": bson.M{"$avg": "$a"}}}}}}},
		{"an accumulator that is no document", 40234, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": bson.M{"_id": 1, "a": 1}}}}}},
		{"an accumulator without an operator", 40234, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": bson.M{"_id": 1, "a": bson.M{}}}}}}},
		{"an expression to group by", 238, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": bson.M{"_id": bson.M{"$year": "$a"}}}}}}},
		{"a group without _id", 15955, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": bson.M{"a": bson.M{"$sum": 1}}}}}}},
		{"a group that is no document", 14, bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.M{"$group": "x"}}}}},
		{"an option of create", 238, bson.D{{Key: "create", Value: "d"}, {Key: "capped", Value: true}}},
		{"a hint", 2, bson.D{{Key: "find", Value: "c"}, {Key: "hint", Value: "nix"}}},
	}
	for _, test := range cases {
		requireCode(t, test.code, c.Database().RunCommand(ctx, test.command).Err())
	}
	_, err := c.UpdateOne(ctx, bson.M{"_id": 1}, set("a", 1), options.UpdateOne().SetCollation(&options.Collation{Locale: "de"}))
	requireCode(t, 238, err)
	_, err = c.UpdateOne(ctx, bson.M{"_id": 1}, set("a", 1), options.UpdateOne().SetHint("nix"))
	requireCode(t, 2, err)
	require.Equal(t, 0, count(t, c, bson.M{"a": 1}))
}

func TestAnArrayIsNoID(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	_, err := c.InsertOne(ctx, bson.M{"_id": bson.A{1}})
	requireCode(t, 53, err)
}
