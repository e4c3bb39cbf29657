package mongotest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

func TestCollectionsAreFreshAndApart(t *testing.T) {
	t.Parallel()
	a, b := mongotest.Collection(t), mongotest.Collection(t)
	require.NotEqual(t, a.Database().Name(), b.Database().Name())
	insert(t, a, bson.M{"_id": 1})
	require.Equal(t, 0, count(t, b, bson.M{}))
}

func TestOneServerKeepsItsCollectionsApart(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	a, b := server.Collection(t), server.Collection(t)
	insert(t, a, bson.M{"_id": 1})
	require.Equal(t, 0, count(t, b, bson.M{}))
	require.Equal(t, 1, count(t, a, bson.M{}))
}

func TestAnExternalServerIsNamedByTheEnvironment(t *testing.T) {
	server := mongotest.Start(t)
	t.Setenv("MONGODB_TEST_URI", server.URI())
	require.True(t, mongotest.External())
	var names []string
	t.Run("its database is dropped", func(t *testing.T) {
		c := mongotest.Collection(t)
		insert(t, c, bson.M{"_id": 1})
		names = databases(t, c.Database().Client())
		require.Equal(t, []string{c.Database().Name()}, names)
	})
	require.Empty(t, databases(t, mongotest.Connect(t, server.URI())))
	t.Setenv("MONGODB_TEST_URI", "")
	require.False(t, mongotest.External())
}

func databases(t *testing.T, client *mongo.Client) []string {
	names, err := client.ListDatabaseNames(deadline(t), bson.M{})
	require.NoError(t, err)
	return names
}

func TestClosingTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	server, err := mongotest.New()
	require.NoError(t, err)
	server.Close()
	server.Close()
}

func TestClosingEndsADelayAtOnce(t *testing.T) {
	t.Parallel()
	server, err := mongotest.New()
	require.NoError(t, err)
	defer server.Close()
	c := server.Collection(t)
	server.Inject(mongotest.Fault{Command: "insert", Delay: time.Hour})
	ctx, giveUp := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.InsertOne(ctx, bson.M{"_id": 1})
		failed <- err
	}()
	require.Eventually(t, func() bool { return server.Seen("insert") > 0 }, 5*time.Second, time.Millisecond)
	began := time.Now()
	server.Close()
	require.Less(t, time.Since(began), 5*time.Second)
	giveUp() // or the driver would look for another server
	require.Error(t, <-failed)
}

func TestCollectionsAndDatabasesAreListed(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	db := c.Database()
	require.NoError(t, db.CreateCollection(ctx, "b"))
	require.NoError(t, db.CreateCollection(ctx, "a"))
	requireCode(t, 48, db.CreateCollection(ctx, "a"))

	names, err := db.ListCollectionNames(ctx, bson.M{})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, names)
	specs, err := db.ListCollectionSpecifications(ctx, bson.M{"name": "b"})
	require.NoError(t, err)
	require.Len(t, specs, 1)
	require.Equal(t, "_id_", specs[0].IDIndex.Name)

	require.NoError(t, db.Collection("a").Drop(ctx))
	require.NoError(t, db.Collection("never").Drop(ctx))
	names, err = db.ListCollectionNames(ctx, bson.M{})
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, names)
	require.NoError(t, db.Drop(ctx))
	require.Empty(t, databases(t, db.Client()))
}
