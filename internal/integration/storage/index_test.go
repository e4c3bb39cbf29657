package storage_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

func TestEnsureIndexesCanBeCalledAgain(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	for range 3 {
		require.NoError(t, store.EnsureIndexes(t.Context()))
	}
	specifications, err := coll.Indexes().ListSpecifications(t.Context())
	require.NoError(t, err)
	names := map[string]bool{}
	for _, s := range specifications {
		names[s.Name] = s.Unique != nil && *s.Unique
	}
	delete(names, "_id_")
	assert.Equal(t, map[string]bool{"twilioacct_sid": true, "twilioacct_tenant": false}, names)
}

func TestTheIndexKeepsASecondDocumentOutAndLetsAllOthersIn(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	require.NoError(t, open(t, coll, nil).EnsureIndexes(t.Context()))
	insert(t, coll, held(sid1, 1), held(sid2, 1), bson.D{{Key: "name", Value: "a"}}, bson.D{{Key: "name", Value: "b"}})
	_, err := coll.InsertOne(t.Context(), held(sid1, 7))
	assert.True(t, mongo.IsDuplicateKeyError(err))
}

func TestTheIndexLetsNullAndEmptyTextInAgainAndAgain(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	if !isMongoDB(t, coll) {
		t.Skip("this server treats a partial index as a sparse one, where null and empty text count")
	}
	require.NoError(t, open(t, coll, nil).EnsureIndexes(t.Context()))
	for _, value := range []any{nil, nil, "", ""} {
		insert(t, coll, account(bson.E{Key: "sid", Value: value}))
	}
}

func TestIndexesCanBeMadeByTheApplication(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: ownPaths})
	_, err := coll.Indexes().CreateMany(t.Context(), store.Indexes())
	require.NoError(t, err)
	require.NoError(t, store.EnsureIndexes(t.Context()))
}

func TestDuplicatesKeepTheIndexFromBeingMadeAndAreListed(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, held(sid1, 1), held(sid2, 1), held(sid1, 2), held(sid1, 3), bson.D{}, bson.D{})
	if !mongotest.External() { // another server may count empty text in a partial index
		insert(t, coll, account(bson.E{Key: "sid", Value: ""}), account(bson.E{Key: "sid", Value: ""}))
	}
	err := store.EnsureIndexes(t.Context())
	var e *mongostore.IndexError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, mongostore.IndexError{Index: "twilioacct_sid", Code: 11000}, *e)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Contains(t, err.Error(), "Duplicates")
	assert.NotContains(t, err.Error(), sid1)

	var found []string
	for sid, err := range store.Duplicates(t.Context()) {
		require.NoError(t, err)
		found = append(found, sid)
	}
	assert.Equal(t, []string{sid1}, found)
	_, err = coll.DeleteMany(t.Context(), by("twilio_account.rev", bson.D{{Key: "$gt", Value: 1}}))
	require.NoError(t, err)
	require.NoError(t, store.EnsureIndexes(t.Context()))
}

func TestDuplicatesEndsWithTheServersError(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1), held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "aggregate", Code: 13})
	for sid, err := range store.Duplicates(t.Context()) {
		assert.Empty(t, sid)
		require.Error(t, err)
	}
	for range store.Duplicates(t.Context()) {
		break
	}
}

func TestAnotherIndexInTheWayIsATypedError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code  int
		model mongo.IndexModel
	}{
		"on the same field": {85, mongo.IndexModel{Keys: by("twilio_account.sid", 1)}},
		"of the same name":  {86, mongo.IndexModel{Keys: by("name", 1), Options: options.Index().SetName("twilioacct_sid")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			if !isMongoDB(t, coll) {
				t.Skip("this server accepts a second index of the same name or field, without effect")
			}
			if mongotest.External() && c.code == 85 {
				t.Skip("MongoDB lets two indexes of one field be if their options differ, from version 5 on")
			}
			_, err := coll.Indexes().CreateOne(t.Context(), c.model)
			require.NoError(t, err)
			err = open(t, coll, nil).EnsureIndexes(t.Context())
			var e *mongostore.IndexError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.code, e.Code)
			assert.Contains(t, err.Error(), "twilioacct_sid")
			require.ErrorIs(t, err, twilioacct.ErrConflict)
		})
	}
}

func TestEnsureIndexesShowsWhatElseTheServerRefuses(t *testing.T) {
	t.Parallel()
	server, _, store := onEmbedded(t, nil)
	server.Inject(mongotest.Fault{Command: "createIndexes", Code: 13})
	var e *mongostore.Error
	require.ErrorAs(t, store.EnsureIndexes(t.Context()), &e)
	assert.Equal(t, 13, e.Code)
}

// isMongoDB tells MongoDB, and the embedded server, from one that only speaks its protocol: that has no sessions.
func isMongoDB(t *testing.T, coll *mongo.Collection) bool {
	t.Helper()
	hello, err := coll.Database().RunCommand(t.Context(), by("hello", 1)).Raw()
	if err != nil {
		return false
	}
	_, err = hello.LookupErr("logicalSessionTimeoutMinutes")
	return err == nil
}
