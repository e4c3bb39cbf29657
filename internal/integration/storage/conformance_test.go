package storage_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/storetest"
)

func TestStoreKeepsItsPromises(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store {
		return seeded(t, mongostore.Options{}, seed)
	})
}

func TestUpsertingStoreKeepsItsPromises(t *testing.T) {
	t.Parallel()
	storetest.RunMaking(t, func(t testing.TB, seed ...twilioacct.Record) twilioacct.Store {
		return seeded(t, mongostore.Options{Upsert: true}, seed)
	})
}

// ownPaths are spread over the document, one of them at its top.
var ownPaths = mongostore.Paths{
	SID: "integrations.twilio.sid", AuthToken: "secrets.twilio", Status: "state", Tenant: "owner.id",
	APIKeys: "secrets.keys", Rev: "integrations.rev",
}

func TestAllThatIsKeptIsAtTheConfiguredPaths(t *testing.T) {
	t.Parallel()
	r := twilioacct.Record{SID: sid1, Status: "active", AuthToken: secret(token), Tenant: "acme", Rev: 4}
	r.APIKeys = map[string]twilioacct.APIKey{"voice": {SID: key1, Secret: secret("s")}}
	store := seeded(t, mongostore.Options{Paths: ownPaths}, []twilioacct.Record{r})
	loaded, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	r.Copies = 1
	assert.Equal(t, r, loaded)

	coll := mongotest.Collection(t)
	made := open(t, coll, &mongostore.Options{Paths: ownPaths, Upsert: true})
	r.Rev = 0
	_, err = made.Save(t.Context(), r)
	require.NoError(t, err)
	want := documentOf(r, ownPaths)[1:]
	var got bson.M
	require.NoError(t, bson.Unmarshal(raw(t, coll, bson.D{}), &got))
	delete(got, "_id")
	wantRaw, err := bson.Marshal(with(want, ownPaths.Rev, int64(1)))
	require.NoError(t, err)
	var wantMap bson.M
	require.NoError(t, bson.Unmarshal(wantRaw, &wantMap))
	assert.Equal(t, sorted(wantMap), sorted(got))

	other := mongotest.Collection(t)
	insert(t, other, by("name", "Free"))
	exercise(t, open(t, other, &mongostore.Options{Paths: ownPaths, Upsert: true, Claims: other.Database().Collection("claims")}))
}

// sorted is a document without the order of its fields.
func sorted(v any) any {
	d, isDocument := v.(bson.D)
	if isDocument {
		m := bson.M{}
		for _, e := range d {
			m[e.Key] = e.Value
		}
		v = m
	}
	m, isMap := v.(bson.M)
	if !isMap {
		return v
	}
	out := map[string]any{}
	for key, value := range m {
		out[key] = sorted(value)
	}
	return out
}

// seeded is a Store with its indexes, on documents as an application would have written them.
func seeded(t testing.TB, o mongostore.Options, seed []twilioacct.Record) twilioacct.Store {
	t.Helper()
	coll := mongotest.Collection(t)
	o.Claims, o.Timeout = coll.Database().Collection("claims"), patient.Timeout
	store := open(t, coll, &o)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	var documents []bson.D
	for _, r := range seed {
		documents = append(documents, documentOf(r, o.Paths))
	}
	insert(t, coll, documents...)
	return store
}

// documentOf writes a record as the documentation says that it is kept. Only what is set is there.
func documentOf(r twilioacct.Record, p mongostore.Paths) bson.D {
	if p == (mongostore.Paths{}) {
		p = mongostore.Paths{
			SID: "twilio_account.sid", AuthToken: "twilio_account.authToken", Status: "twilio_account.status",
			Tenant: "twilio_account.tenant", APIKeys: "twilio_account.apiKeys", Rev: "twilio_account.rev",
		}
	}
	d := bson.D{{Key: "name", Value: "of an application"}}
	put := func(at, value string) {
		if value != "" {
			d = with(d, at, value)
		}
	}
	put(p.SID, r.SID)
	put(p.AuthToken, r.AuthToken.Reveal())
	put(p.Status, string(r.Status))
	put(p.Tenant, r.Tenant)
	for purpose, key := range r.APIKeys {
		d = with(d, p.APIKeys+"."+purpose, bson.D{{Key: "sid", Value: key.SID}, {Key: "secret", Value: key.Secret.Reveal()}})
	}
	if r.Rev != 0 {
		d = with(d, p.Rev, r.Rev)
	}
	return d
}
