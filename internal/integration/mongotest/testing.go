package mongotest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// externalURI is the environment variable which names a real server.
const externalURI = "MONGODB_TEST_URI"

// cleanupTimeout bounds what is done after a test.
const cleanupTimeout = 10 * time.Second

// Start starts a server which is closed when the test and all its subtests
// are complete. Starting takes microseconds: use one per test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatalf("mongotest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// External reports whether Collection uses the server named by the
// environment variable MONGODB_TEST_URI. Start always starts an embedded
// server, so tests with faults need not ask.
func External() bool { return os.Getenv(externalURI) != "" }

// Connect returns a client which is disconnected after the test, unless the
// test does so itself. Options come after the URI and override it.
func Connect(t testing.TB, uri string, opts ...*options.ClientOptions) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(append([]*options.ClientOptions{options.Client().ApplyURI(uri)}, opts...)...)
	if err != nil {
		t.Fatalf("mongotest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if err := client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) {
			t.Errorf("mongotest: disconnect: %v", err)
		}
	})
	return client
}

// Collection returns an empty collection in a database of its own, on the
// server named by MONGODB_TEST_URI, or without it on an embedded server for
// this test alone. After the test the database is dropped and the client
// disconnected.
func Collection(t testing.TB) *mongo.Collection {
	t.Helper()
	if !External() {
		return Start(t).Collection(t)
	}
	collection := fresh(Connect(t, os.Getenv(externalURI)))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if err := collection.Database().Drop(ctx); err != nil {
			t.Errorf("mongotest: drop %s: %v", collection.Database().Name(), err)
		}
	})
	return collection
}

// Collection returns an empty collection on this server, in a database of its
// own, with a client of its own which is disconnected after the test.
func (s *Server) Collection(t testing.TB, opts ...*options.ClientOptions) *mongo.Collection {
	t.Helper()
	return fresh(Connect(t, s.URI(), opts...))
}

func fresh(client *mongo.Client) *mongo.Collection {
	return client.Database("test_" + bson.NewObjectID().Hex()).Collection("accounts")
}
