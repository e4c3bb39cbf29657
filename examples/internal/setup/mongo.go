package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
)

// ErrStore says that the store cannot be reached.
var ErrStore = errors.New("the store cannot be reached")

// connectTime is how long a server is looked for; the URI may ask for less. The driver's own 30 s are long for somebody who
// waits at a terminal.
const connectTime = 5 * time.Second

// openMongo connects, and makes sure of it. The driver's own words are not passed on: they can hold parts of the URI, and so of
// its password.
func openMongo(ctx context.Context, uri string, makes bool) (store twilioacct.Store, disconnect func(), err error) {
	client, err := mongo.Connect(options.Client().SetServerSelectionTimeout(connectTime).ApplyURI(uri))
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		return nil, nil, fmt.Errorf("%w: the host of %s has no DNS record", ErrStore, envURI)
	}
	if err != nil {
		return nil, nil, invalid(envURI + " is no connection string of MongoDB's. It is not shown, for it may hold a password.")
	}
	disconnect = func() { disconnectFrom(ctx, client) }
	if err := ping(ctx, client); err != nil {
		disconnect()
		return nil, nil, err
	}
	accounts := client.
		Database(cmp.Or(os.Getenv(envDatabase), "twilioacct")).
		Collection(cmp.Or(os.Getenv(envCollection), "accounts"))
	store, err = mongostore.New(accounts, &mongostore.Options{Upsert: makes})
	if err != nil {
		disconnect()
		return nil, nil, err
	}
	return store, disconnect, nil
}

func ping(ctx context.Context, client *mongo.Client) error {
	limited, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	err := client.Ping(limited, nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("connecting to MongoDB: %w", context.Cause(ctx))
	case mongo.IsTimeout(err) || mongo.IsNetworkError(err):
		return fmt.Errorf("%w: no MongoDB server answered at the address in %s; is one running?", ErrStore, envURI)
	}
	return fmt.Errorf("%w: the MongoDB server of %s refused the connection; are user and password right?", ErrStore, envURI)
}

// disconnectFrom works also after Ctrl-C, which has ended ctx.
func disconnectFrom(ctx context.Context, client *mongo.Client) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTime)
	defer cancel()
	_ = client.Disconnect(limited) // the program ends; nothing is left to do about it
}
