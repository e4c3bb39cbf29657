package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct/mongostore"
)

const mongoVariable = "MONGODB_TEST_URI"

var errNoMongo = errors.New("it needs a MongoDB server, named by " + mongoVariable)

// database is one of its own for each measurement. Each side connects by itself, so that none has the connections of another.
type database struct {
	URI  string `json:"uri"`
	Name string `json:"name"`

	clients []*mongo.Client
}

func mongoURI() (string, error) {
	uri := os.Getenv(mongoVariable)
	if uri == "" {
		return "", errNoMongo
	}
	return uri, nil
}

// newDatabase has the documents of that fleet, as Twilio has it now, and the unique index on their SIDs.
func newDatabase(ctx context.Context, uri string, t *twilio) (*database, error) {
	d := &database{URI: uri, Name: fmt.Sprintf("bench_%016x", rand.Uint64())} //nolint:gosec // G404: a name, no secret
	if err := d.fill(ctx, t); err != nil {
		d.drop(ctx)
		return nil, err
	}
	return d, nil
}

// accounts is the collection through a client that nobody else has.
func (d *database) accounts() (*mongo.Collection, error) {
	client, err := mongo.Connect(options.Client().ApplyURI(d.URI))
	if err != nil {
		return nil, err
	}
	d.clients = append(d.clients, client)
	return client.Database(d.Name).Collection("accounts"), nil
}

// store is ours on the collection, through a client that nobody else has.
func (d *database) store() (*mongostore.Store, error) {
	accounts, err := d.accounts()
	if err != nil {
		return nil, err
	}
	return mongostore.New(accounts, nil)
}

func (d *database) fill(ctx context.Context, t *twilio) error {
	accounts, err := d.accounts()
	if err != nil {
		return err
	}
	store, err := mongostore.New(accounts, nil)
	if err != nil {
		return err
	}
	if err := store.EnsureIndexes(ctx); err != nil {
		return err
	}
	pages := newPager(t)
	return pages.each(ctx, func(page []byte) error {
		defer pages.reuse(page)
		_, err := accounts.InsertMany(ctx, documentsOf(page))
		return err
	})
}

// documentsOf are as an application has them, for each account of the page.
func documentsOf(page []byte) (all []any) {
	for a, rest := nextAccount(page); rest != nil; a, rest = nextAccount(rest) {
		n := len(all)
		all = append(all, bson.D{
			{Key: "_id", Value: bson.NewObjectID()},
			{Key: "name", Value: fmt.Sprintf("Customer %d", n)},
			{Key: "plan", Value: "professional"},
			{Key: "seats", Value: n % 50},
			{Key: "twilio_account", Value: bson.D{
				{Key: "sid", Value: string(a.sid)},
				{Key: "authToken", Value: string(a.token)},
				{Key: "status", Value: string(a.status)},
				{Key: "rev", Value: int64(1)},
			}},
		})
	}
	return all
}

// drop leaves nothing on the server, also if the measurement was broken off.
func (d *database) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for i, client := range d.clients {
		if i == 0 {
			_ = client.Database(d.Name).Drop(ctx)
		}
		_ = client.Disconnect(ctx)
	}
}
