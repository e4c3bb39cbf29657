package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

// exercise calls everything once, with the token wherever one may be. One document is there for an account to adopt.
func exercise(t *testing.T, store *mongostore.Store) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, store.EnsureIndexes(ctx))
	keys := map[string]twilioacct.APIKey{"voice": {SID: key1, Secret: secret(token + "-key")}}
	r, err := store.Save(ctx, twilioacct.Record{SID: sid1, AuthToken: secret(token), APIKeys: keys})
	require.NoError(t, err)
	r, err = store.Save(ctx, twilioacct.Record{SID: sid1, Rev: r.Rev, AuthToken: secret(token + "-2"), Tenant: "acme"})
	require.NoError(t, err)
	r, err = store.Save(ctx, twilioacct.Record{SID: sid1, Rev: r.Rev, Remove: []twilioacct.Field{twilioacct.FieldStatus, twilioacct.FieldAuthToken}})
	require.NoError(t, err)
	failures, err := store.SaveBatch(ctx, []twilioacct.Record{
		{SID: sid1, Rev: r.Rev, AuthToken: secret(token)}, {SID: sid2, AuthToken: secret(token)},
	})
	require.NoError(t, err)
	require.Empty(t, failures)
	adopted, err := store.Adopt(ctx, twilioacct.Account{SID: sidOf(3), AuthToken: secret(token)}, by("name", "Free"), nil)
	require.NoError(t, err)
	require.True(t, adopted)
	_, err = store.LoadTenant(ctx, "acme")
	require.NoError(t, err)
	for _, err := range store.Scan(ctx, seed) {
		require.NoError(t, err)
	}
	c, err := store.Claim(ctx, "work", "me", time.Hour)
	require.NoError(t, err)
	c, err = store.Renew(ctx, c, time.Hour)
	require.NoError(t, err)
	require.NoError(t, store.Release(ctx, c))
	for range store.Duplicates(ctx) {
		t.Fatal("there is none")
	}
}

// exercised is what the server was sent by all that, from a handle with the weakest settings.
func exercised(t *testing.T) *mongotest.Server {
	t.Helper()
	server := mongotest.Start(t)
	weak := server.Collection(t, options.Client().SetWriteConcern(writeconcern.W1()).SetReadPreference(readpref.SecondaryPreferred()))
	insert(t, weak, by("name", "Free"))
	server.ForgetCommands()
	exercise(t, open(t, weak, &mongostore.Options{Upsert: true, Claims: weak.Database().Collection("claims")}))
	return server
}

func TestEveryWriteHasMajorityWriteConcern(t *testing.T) {
	t.Parallel()
	commands := exercised(t).Commands("update", "insert", "findAndModify", "createIndexes")
	require.Greater(t, len(commands), 8)
	for _, c := range commands {
		assert.Equal(t, "majority", c.Lookup("writeConcern", "w").StringValue(), c.String())
	}
}

func TestEveryReadIsOfThePrimaryWithReadConcernMajority(t *testing.T) {
	t.Parallel()
	commands := exercised(t).Commands("find", "aggregate")
	require.Greater(t, len(commands), 5)
	for _, c := range commands {
		assert.Equal(t, "majority", c.Lookup("readConcern", "level").StringValue(), c.String())
		mode, isSet := c.Lookup("$readPreference", "mode").StringValueOK()
		assert.True(t, !isSet || mode == "primary" || mode == "primaryPreferred", mode) // the driver's way over a direct connection
	}
}

func TestNoFilterContainsASecret(t *testing.T) {
	t.Parallel()
	sent := 0
	for _, c := range exercised(t).Commands("update", "insert", "findAndModify", "find", "aggregate", "createIndexes") {
		for _, filter := range filters(t, c) {
			sent++
			assert.NotContains(t, filter, token)
		}
	}
	assert.Greater(t, sent, 12)
}

// filters are those of a command, as text.
func filters(t *testing.T, command bson.Raw) []string {
	t.Helper()
	var all []string
	for _, key := range []string{"filter", "query", "pipeline"} {
		if v, err := command.LookupErr(key); err == nil {
			all = append(all, v.String())
		}
	}
	for _, u := range elements(t, command, "updates") {
		all = append(all, u.Lookup("q").String())
	}
	return all
}

// elements are the documents in an array of a command.
func elements(t *testing.T, command bson.Raw, key string) []bson.Raw {
	t.Helper()
	array, ok := command.Lookup(key).ArrayOK()
	if !ok {
		return nil
	}
	values, err := array.Values()
	require.NoError(t, err)
	var documents []bson.Raw
	for _, v := range values {
		documents = append(documents, v.Document())
	}
	return documents
}

func TestOnlyLeavesOfOursAreWrittenOneDocumentAtATime(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{}
	for _, leaf := range []string{"sid", "authToken", "status", "tenant", "rev", "apiKeys.voice.sid", "apiKeys.voice.secret"} {
		allowed["twilio_account."+leaf] = true
	}
	written := 0
	for _, c := range exercised(t).Commands("update") {
		if !strings.HasSuffix(c.Lookup("update").StringValue(), "accounts") {
			continue
		}
		for _, u := range elements(t, c, "updates") {
			assert.False(t, truthy(u, "multi"), "an update of many documents is not repeated by the driver")
			operators, err := u.Lookup("u").Document().Elements()
			require.NoError(t, err)
			for _, o := range operators {
				assert.Contains(t, []string{"$set", "$unset", "$setOnInsert"}, o.Key())
				leaves, err := o.Value().Document().Elements()
				require.NoError(t, err)
				for _, leaf := range leaves {
					written++
					assert.True(t, allowed[leaf.Key()], leaf.Key())
				}
			}
		}
	}
	assert.Greater(t, written, 10)
}

func truthy(document bson.Raw, key string) bool {
	v, _ := document.Lookup(key).BooleanOK()
	return v
}

func TestGuardedWritesFilterByPlainEquality(t *testing.T) {
	t.Parallel()
	for _, c := range exercised(t).Commands("update") {
		for _, u := range elements(t, c, "updates") {
			assert.NotContains(t, u.Lookup("q").String(), "$l")
			assert.NotContains(t, u.Lookup("q").String(), "$eq")
			assert.NotContains(t, u.Lookup("q").String(), "$g")
		}
	}
}

func TestOnlyOurFieldsAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range exercised(t).Commands("find") {
		projection, ok := c.Lookup("projection").DocumentOK()
		require.True(t, ok, c.String())
		fields, err := projection.Elements()
		require.NoError(t, err)
		for _, f := range fields {
			assert.True(t, strings.HasPrefix(f.Key(), "twilio_account."), f.Key())
			assert.EqualValues(t, 1, f.Value().AsInt64())
		}
	}
}

func TestASaveThatChangesNothingWritesNothing(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 3))
	same := twilioacct.Record{SID: sid1, Rev: 3, AuthToken: secret(token), Status: "active"}
	r, err := store.Save(t.Context(), same)
	require.NoError(t, err)
	assert.EqualValues(t, 3, r.Rev)
	assert.Zero(t, server.Seen("update"))
}

func TestNewDoesNoIO(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	before := server.Seen("find")
	open(t, coll, &mongostore.Options{Claims: coll, Upsert: true})
	assert.Equal(t, before, server.Seen("find"))
	assert.Zero(t, server.Seen("ping")+server.Seen("createIndexes")+server.Seen("create")+server.Seen("listIndexes"))
}
