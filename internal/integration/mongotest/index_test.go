package mongotest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestAPartialUniqueIndexIgnoresDocumentsWithoutAValue(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	for i, sid := range []any{nil, nil, "", ""} {
		insert(t, c, account(i, sid))
	}
	insert(t, c, bson.M{"_id": "a"}, bson.M{"_id": "b"}, bson.M{"_id": "c", "account": bson.M{}}, account("d", "AC1"))
	_, err := c.InsertOne(ctx, account("e", "AC1"))
	require.True(t, mongo.IsDuplicateKeyError(err))
	_, err = c.UpdateOne(ctx, bson.M{"_id": "a"}, set("account.sid", "AC1"))
	require.True(t, mongo.IsDuplicateKeyError(err))
	_, err = c.UpdateOne(ctx, bson.M{"_id": "a"}, set("account.sid", "AC2"))
	require.NoError(t, err)
	_, err = c.ReplaceOne(ctx, bson.M{"_id": "b"}, bson.M{"account": bson.M{"sid": "AC2"}})
	require.True(t, mongo.IsDuplicateKeyError(err))
	_, err = c.UpdateOne(ctx, bson.M{"_id": "d"}, bson.M{"$unset": bson.M{"account.sid": ""}})
	require.NoError(t, err)
	insert(t, c, account("e", "AC1"))
}

func TestAPlainUniqueIndexCountsAMissingFieldAsNull(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys: bson.M{"account.sid": 1}, Options: options.Index().SetUnique(true),
	})
	require.NoError(t, err)
	insert(t, c, bson.M{"_id": 1})
	_, err = c.InsertOne(ctx, bson.M{"_id": 2})
	require.True(t, mongo.IsDuplicateKeyError(err))
	_, err = c.InsertOne(ctx, account(3, nil))
	require.True(t, mongo.IsDuplicateKeyError(err))
}

func TestADuplicateNamesItsKey(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	insert(t, c, account(1, "AC1"), account(2, "AC2"))
	_, insertErr := c.InsertOne(ctx, account(3, "AC1"))
	_, updateErr := c.UpdateOne(ctx, bson.M{"_id": 2}, set("account.sid", "AC1"))
	_, upsertErr := c.UpdateOne(ctx, bson.M{"_id": 4}, set("account.sid", "AC1"), options.UpdateOne().SetUpsert(true))
	for _, err := range []error{insertErr, updateErr, upsertErr} {
		var failure mongo.WriteException
		require.ErrorAs(t, err, &failure)
		raw := failure.WriteErrors[0].Raw
		require.Equal(t, `{"account.sid": {"$numberInt":"1"}}`, raw.Lookup("keyPattern").String())
		require.Equal(t, `{"account.sid": "AC1"}`, raw.Lookup("keyValue").String())
		require.Contains(t, failure.WriteErrors[0].Message, `index: sid dup key: { account.sid: "AC1" }`)
	}
	err := c.FindOneAndUpdate(ctx, bson.M{"_id": 2}, set("account.sid", "AC1")).Err()
	var failure mongo.CommandError
	require.ErrorAs(t, err, &failure)
	require.True(t, mongo.IsDuplicateKeyError(err))
	require.Equal(t, `{"account.sid": "AC1"}`, failure.Raw.Lookup("keyValue").String())
	_, err = c.InsertOne(ctx, bson.M{"_id": 1})
	var write mongo.WriteException
	require.ErrorAs(t, err, &write)
	require.Equal(t, `{"_id": {"$numberInt":"1"}}`, write.WriteErrors[0].Raw.Lookup("keyPattern").String())
}

func TestAUniqueIndexOverDuplicatesIsRefused(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, account(1, "AC1"), account(2, "AC1"))
	_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys: bson.M{"account.sid": 1}, Options: options.Index().SetUnique(true),
	})
	requireCode(t, 11000, err)
	var failure mongo.CommandError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, `{"account.sid": "AC1"}`, failure.Raw.Lookup("keyValue").String())
	specs, err := c.Indexes().ListSpecifications(ctx)
	require.NoError(t, err)
	require.Len(t, specs, 1)
}

func TestIndexesAreCreatedOnceAndListed(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	uniqueSID(t, c)
	names, err := c.Indexes().CreateMany(ctx, []mongo.IndexModel{
		{Keys: bson.D{{Key: "state", Value: 1}, {Key: "lease_until", Value: -1}}},
		{Keys: bson.M{"finished": 1}, Options: options.Index().SetExpireAfterSeconds(60)},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"state_1_lease_until_-1", "finished_1"}, names)
	cursor, err := c.Indexes().List(ctx)
	require.NoError(t, err)
	var raw []bson.Raw
	require.NoError(t, cursor.All(ctx, &raw))
	byName := map[string]bson.Raw{}
	for _, index := range raw {
		byName[index.Lookup("name").StringValue()] = index
	}
	require.Len(t, byName, 4)
	require.Equal(t, "_id_", raw[0].Lookup("name").StringValue())
	require.EqualValues(t, 60, byName["finished_1"].Lookup("expireAfterSeconds").AsInt64())
	require.True(t, byName["sid"].Lookup("unique").Boolean())
	require.Equal(t, `{"account.sid": {"$gt": ""}}`, byName["sid"].Lookup("partialFilterExpression").String())
}

func TestIndexesOfNothingAreNone(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	specs, err := c.Indexes().ListSpecifications(ctx)
	require.NoError(t, err)
	require.Empty(t, specs)
	requireCode(t, 26, c.Database().RunCommand(ctx, bson.M{"listIndexes": "none"}).Err())
}

func TestConflictingIndexesAreRefused(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	create := func(keys any, opts *options.IndexOptionsBuilder) error {
		_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: opts})
		return err
	}
	requireCode(t, 86, create(bson.M{"other": 1}, options.Index().SetName("sid")))
	requireCode(t, 86, create(bson.M{"account.sid": 1}, options.Index().SetName("sid")))
	requireCode(t, 85, create(bson.M{"account.sid": 1}, options.Index().SetName("sid2")))
	require.NoError(t, create(bson.M{"at": 1}, options.Index().SetExpireAfterSeconds(60)))
	requireCode(t, 85, create(bson.M{"at": 1}, options.Index().SetExpireAfterSeconds(90)))
	require.NoError(t, create(bson.M{"_id": 1}, nil))
}

func TestIndexOptionsWhichWouldBeIgnoredAreRefused(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	create := func(keys any, opts *options.IndexOptionsBuilder) error {
		_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: opts})
		return err
	}
	requireCode(t, 238, create(bson.M{"a": 1}, options.Index().SetSparse(true)))
	requireCode(t, 238, create(bson.M{"a": 1}, options.Index().SetCollation(&options.Collation{Locale: "de"})))
	requireCode(t, 238, create(bson.M{"a": "text"}, nil))
	requireCode(t, 67, create(bson.M{"a": 1}, options.Index().SetPartialFilterExpression(bson.M{"a": bson.M{"$ne": 1}})))
	requireCode(t, 67, create(bson.M{"a": 1}, options.Index().SetPartialFilterExpression(bson.M{"a": bson.M{"$exists": false}})))
	spec := bson.M{"name": "x", "key": bson.M{"a": 1}, "spars": true}
	command := bson.D{{Key: "createIndexes", Value: "c"}, {Key: "indexes", Value: bson.A{spec}}}
	requireCode(t, 197, c.Database().RunCommand(ctx, command).Err())
}

func TestIndexesAreDropped(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	requireCode(t, 27, c.Indexes().DropOne(ctx, "other"))
	requireCode(t, 72, c.Indexes().DropOne(ctx, "_id_"))
	require.NoError(t, c.Indexes().DropOne(ctx, "sid"))
	uniqueSID(t, c)
	require.NoError(t, c.Indexes().DropWithKey(ctx, bson.M{"account.sid": 1}))
	uniqueSID(t, c)
	require.NoError(t, c.Indexes().DropAll(ctx))
	insert(t, c, account(1, "AC1"), account(2, "AC1"))
}

func TestOldDocumentsExpire(t *testing.T) {
	t.Parallel()
	server, c, ctx := start(t)
	_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys: bson.M{"finished": 1}, Options: options.Index().SetExpireAfterSeconds(60),
	})
	require.NoError(t, err)
	insert(t, c, bson.M{"_id": 1, "finished": time.Now().Add(-2 * time.Minute)},
		bson.M{"_id": 2, "finished": time.Now()}, bson.M{"_id": 3})
	require.NoError(t, server.Expire())
	require.Equal(t, []any{int32(2), int32(3)}, ids(t, c, bson.M{}))
}
