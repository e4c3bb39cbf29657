package mongotest_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestDocumentsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	decimal, err := bson.ParseDecimal128("12.50")
	require.NoError(t, err)
	doc, err := bson.Marshal(bson.D{
		{Key: "_id", Value: bson.NewObjectID()}, {Key: "z", Value: "last letter first"}, {Key: "double", Value: 1.5},
		{Key: "nan", Value: math.NaN()}, {Key: "doc", Value: bson.D{{Key: "y", Value: 1}, {Key: "x", Value: bson.D{}}}},
		{Key: "array", Value: bson.A{1, bson.A{"nested", nil}, bson.D{}}}, {Key: "empty", Value: bson.A{}},
		{Key: "binary", Value: bson.Binary{Subtype: 0, Data: []byte{0, 1, 255}}},
		{Key: "uuid", Value: bson.Binary{Subtype: 4, Data: make([]byte, 16)}},
		{Key: "user", Value: bson.Binary{Subtype: 128, Data: []byte{}}},
		{Key: "true", Value: true}, {Key: "date", Value: time.UnixMilli(1_700_000_000_123)},
		{Key: "early", Value: bson.DateTime(math.MinInt64)}, {Key: "null", Value: nil},
		{Key: "regex", Value: bson.Regex{Pattern: "^a", Options: "i"}}, {Key: "int", Value: int32(-1)},
		{Key: "timestamp", Value: bson.Timestamp{T: 1, I: 2}}, {Key: "long", Value: int64(math.MaxInt64)},
		{Key: "decimal", Value: decimal}, {Key: "a", Value: "a\x00b"}, {Key: "dotted.key", Value: "ö"},
	})
	require.NoError(t, err)
	_, err = c.InsertOne(ctx, bson.Raw(doc))
	require.NoError(t, err)
	back, err := c.FindOne(ctx, bson.M{}).Raw()
	require.NoError(t, err)
	require.Equal(t, bson.Raw(doc), back)

	_, err = c.UpdateOne(ctx, bson.M{}, set("int", int32(-1)))
	require.NoError(t, err)
	_, err = c.UpdateOne(ctx, bson.M{}, set("added", 1))
	require.NoError(t, err)
	_, err = c.UpdateOne(ctx, bson.M{}, bson.M{"$unset": bson.M{"added": ""}})
	require.NoError(t, err)
	back, err = c.FindOne(ctx, bson.M{}).Raw()
	require.NoError(t, err)
	require.Equal(t, bson.Raw(doc), back)
}

func TestTheIDMovesToTheFront(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.D{{Key: "a", Value: 1}, {Key: "_id", Value: 2}})
	back, err := c.FindOne(ctx, bson.M{}).Raw()
	require.NoError(t, err)
	require.Equal(t, "_id", back.Index(0).Key())
}

func TestTypesWhichTheEngineCannotHoldAreRefused(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	for _, v := range []any{
		bson.MinKey{}, bson.MaxKey{}, bson.Undefined{}, bson.JavaScript("x"), bson.Symbol("x"),
		bson.CodeWithScope{Code: "x", Scope: bson.D{}}, bson.DBPointer{DB: "d"},
	} {
		_, err := c.InsertOne(ctx, bson.M{"a": bson.A{v}})
		requireCode(t, 238, err)
		_, err = c.Find(ctx, bson.M{"a": v})
		requireCode(t, 238, err)
	}
	require.Equal(t, 0, count(t, c, bson.M{}))
}
