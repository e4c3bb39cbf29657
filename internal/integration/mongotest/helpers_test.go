package mongotest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

// deadline bounds every test's operations, so that a hang is a failure.
func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// collection is for tests of what MongoDB does too. With MONGODB_TEST_URI they
// run there, and so check what this package claims about MongoDB.
func collection(t *testing.T) (*mongo.Collection, context.Context) {
	t.Helper()
	return mongotest.Collection(t), deadline(t)
}

// start is for tests of what only the embedded server does.
func start(t *testing.T, opts ...*options.ClientOptions) (*mongotest.Server, *mongo.Collection, context.Context) {
	t.Helper()
	server := mongotest.Start(t)
	c := server.Collection(t, opts...)
	return server, c, deadline(t)
}

func insert(t *testing.T, c *mongo.Collection, docs ...any) {
	t.Helper()
	_, err := c.InsertMany(deadline(t), docs)
	require.NoError(t, err)
}

func findAll(t *testing.T, c *mongo.Collection, filter any, opts ...options.Lister[options.FindOptions]) []bson.M {
	t.Helper()
	cursor, err := c.Find(deadline(t), filter, opts...)
	require.NoError(t, err)
	found := []bson.M{}
	require.NoError(t, cursor.All(deadline(t), &found))
	return found
}

// ids are the _ids which the filter finds, sorted by _id.
func ids(t *testing.T, c *mongo.Collection, filter any) []any {
	t.Helper()
	found := []any{}
	for _, d := range findAll(t, c, filter, options.Find().SetSort(bson.M{"_id": 1})) {
		found = append(found, d["_id"])
	}
	return found
}

func count(t *testing.T, c *mongo.Collection, filter any) int {
	t.Helper()
	n, err := c.CountDocuments(deadline(t), filter)
	require.NoError(t, err)
	return int(n)
}

// requireCode expects a server error with MongoDB's code.
func requireCode(t *testing.T, code int, err error) {
	t.Helper()
	var failure mongo.ServerError
	require.ErrorAs(t, err, &failure)
	require.Truef(t, failure.HasErrorCode(code), "want code %d, got %v", code, err)
}

// set is an update which sets one field.
func set(name string, value any) bson.M { return bson.M{"$set": bson.M{name: value}} }

// uniqueSID is the index which the library needs: unique, for documents which
// have a sid.
func uniqueSID(t *testing.T, c *mongo.Collection) {
	t.Helper()
	_, err := c.Indexes().CreateOne(deadline(t), mongo.IndexModel{
		Keys: bson.M{"account.sid": 1},
		Options: options.Index().SetUnique(true).SetName("sid").
			SetPartialFilterExpression(bson.M{"account.sid": bson.M{"$gt": ""}}),
	})
	require.NoError(t, err)
}

func account(id, sid any) bson.M { return bson.M{"_id": id, "account": bson.M{"sid": sid}} }
