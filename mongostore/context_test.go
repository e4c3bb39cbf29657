package mongostore_test

import (
	"context"
	"hash/maphash"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
)

func TestANilContextIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	client, err := mongo.Connect()
	require.NoError(t, err)
	claims := client.Database("app").Collection("claims")
	store, err := mongostore.New(client.Database("app").Collection("accounts"), &mongostore.Options{Claims: claims})
	require.NoError(t, err)
	var none context.Context
	const sid = "AC00000000000000000000000000000001"
	claim := twilioacct.Claim{Key: "k", Owner: "o"}
	for name, call := range map[string]func() error{
		"Load":       func() error { _, err := store.Load(none, sid); return err },
		"LoadTenant": func() error { _, err := store.LoadTenant(none, "acme"); return err },
		"Save":       func() error { _, err := store.Save(none, twilioacct.Record{SID: sid}); return err },
		"SaveBatch":  func() error { _, err := store.SaveBatch(none, []twilioacct.Record{{SID: sid}}); return err },
		"Adopt": func() error {
			_, err := store.Adopt(none, twilioacct.Account{SID: sid}, bson.D{{Key: "name", Value: "Acme"}}, nil)
			return err
		},
		"Claim":         func() error { _, err := store.Claim(none, "k", "o", time.Second); return err },
		"Renew":         func() error { _, err := store.Renew(none, claim, time.Second); return err },
		"Release":       func() error { return store.Release(none, claim) },
		"EnsureIndexes": func() error { return store.EnsureIndexes(none) },
		"Scan": func() error {
			for _, err := range store.Scan(none, maphash.MakeSeed()) {
				return err
			}
			return nil
		},
		"Duplicates": func() error {
			for _, err := range store.Duplicates(none) {
				return err
			}
			return nil
		},
	} {
		require.ErrorIs(t, call(), twilioacct.ErrInvalid, name)
	}
}
