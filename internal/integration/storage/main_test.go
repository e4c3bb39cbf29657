package storage_test

import (
	"context"
	"hash/maphash"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sid1 = "AC00000000000000000000000000000001"
	sid2 = "AC00000000000000000000000000000002"
	key1 = "SK00000000000000000000000000000001"

	// token stands in every test where one may leak: no filter and no error may have it in it.
	token = "c1ea57ex70f70ken"
)

func secret(s string) twilioacct.Secret { return twilioacct.NewSecret(s) }

// open returns a Store on the collection.
func open(t testing.TB, coll *mongo.Collection, opts *mongostore.Options) *mongostore.Store {
	t.Helper()
	store, err := mongostore.New(coll, opts)
	require.NoError(t, err)
	return store
}

// patient gives the embedded server time for a thousand writes, of which each takes as long as the collection is large.
var patient = &mongostore.Options{Timeout: time.Minute}

// account is a document of an application's, with our part as given.
func account(fields ...bson.E) bson.D {
	return bson.D{{Key: "name", Value: "Acme"}, {Key: "twilio_account", Value: bson.D(fields)}}
}

// held is a document that holds an account at a revision.
func held(sid string, rev int64) bson.D {
	return account(bson.E{Key: "sid", Value: sid}, bson.E{Key: "authToken", Value: token},
		bson.E{Key: "status", Value: "active"}, bson.E{Key: "rev", Value: rev})
}

// insert puts documents there, without the library.
func insert(t testing.TB, coll *mongo.Collection, documents ...bson.D) {
	t.Helper()
	if len(documents) == 0 {
		return
	}
	_, err := coll.InsertMany(t.Context(), documents)
	require.NoError(t, err)
}

// raw is the one document that matches, as it is stored.
func raw(t testing.TB, coll *mongo.Collection, filter bson.D) bson.Raw {
	t.Helper()
	var documents []bson.Raw
	cursor, err := coll.Find(t.Context(), filter)
	require.NoError(t, err)
	require.NoError(t, cursor.All(t.Context(), &documents))
	require.Len(t, documents, 1)
	return documents[0]
}

func by(key string, value any) bson.D { return bson.D{{Key: key, Value: value}} }

// onEmbedded starts a server that can be given faults, with a collection and a Store on it.
func onEmbedded(t testing.TB, opts *mongostore.Options) (*mongotest.Server, *mongo.Collection, *mongostore.Store) {
	t.Helper()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	index(t, coll)
	return server, coll, open(t, coll, opts)
}

// index lets documents be found by their SID, and lets several have the same one.
func index(t testing.TB, coll *mongo.Collection) {
	t.Helper()
	_, err := coll.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: by("twilio_account.sid", 1)})
	require.NoError(t, err)
}

// seed is of the fingerprints, where they do not matter.
var seed = maphash.MakeSeed()

// before is a handle on the same collection that does something once, just before it sends its first command of that name.
func before(t testing.TB, server *mongotest.Server, coll *mongo.Collection, command string, do func()) *mongo.Collection {
	t.Helper()
	var once sync.Once
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName == command {
			once.Do(do)
		}
	}}
	client := mongotest.Connect(t, server.URI(), options.Client().SetMonitor(monitor))
	return client.Database(coll.Database().Name()).Collection(coll.Name())
}
