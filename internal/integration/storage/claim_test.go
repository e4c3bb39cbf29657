package storage_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

func withClaims(t testing.TB, coll *mongo.Collection) (*mongostore.Store, *mongo.Collection) {
	t.Helper()
	claims := coll.Database().Collection("claims")
	return open(t, coll, &mongostore.Options{Claims: claims}), claims
}

func TestWithoutACollectionClaimsAreUnsupported(t *testing.T) {
	t.Parallel()
	store := open(t, mongotest.Collection(t), nil)
	_, err := store.Claim(t.Context(), "key", "me", time.Hour)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	assert.Contains(t, err.Error(), "Options.Claims")
	_, err = store.Renew(t.Context(), twilioacct.Claim{Key: "key", Owner: "me", Fence: 1}, time.Hour)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorIs(t, store.Release(t.Context(), twilioacct.Claim{}), errors.ErrUnsupported)
}

func TestAClaimsDocumentIsWhatTheCommentSays(t *testing.T) {
	t.Parallel()
	store, claims := withClaims(t, mongotest.Collection(t))
	c, err := store.Claim(t.Context(), "key", "me", time.Hour)
	require.NoError(t, err)
	document := raw(t, claims, bson.D{})
	assert.Equal(t, "key", document.Lookup("_id").StringValue())
	assert.Equal(t, "me", document.Lookup("owner").StringValue())
	assert.EqualValues(t, 1, document.Lookup("fence").AsInt64())
	assert.True(t, c.Until.Equal(document.Lookup("until").Time()))

	require.NoError(t, store.Release(t.Context(), c))
	document = raw(t, claims, bson.D{})
	assert.EqualValues(t, 1, document.Lookup("fence").AsInt64(), "the fence stays")
	assert.Empty(t, document.Lookup("owner").StringValue())
}

func TestALostReplyOfAClaimDoesNotLoseTheClaim(t *testing.T) {
	t.Parallel()
	for _, retries := range []bool{true, false} {
		for _, command := range []string{"insert", "findAndModify"} {
			server := mongotest.Start(t)
			store, _ := withClaims(t, server.Collection(t, options.Client().SetRetryWrites(retries)))
			if command == "findAndModify" {
				_, err := store.Claim(t.Context(), "key", "me", time.Hour)
				require.NoError(t, err)
			}
			server.Inject(mongotest.LostReply(command))
			c, err := store.Claim(t.Context(), "key", "me", time.Hour)
			if !retries {
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				c, err = store.Claim(t.Context(), "key", "me", time.Hour)
			}
			require.NoError(t, err)
			_, err = store.Renew(t.Context(), c, time.Hour)
			require.NoError(t, err)
			_, err = store.Claim(t.Context(), "key", "other", time.Hour)
			require.ErrorIs(t, err, twilioacct.ErrClaimed)
		}
	}
}

func TestAClaimWhoseDocumentIsSpoiltIsAnError(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	store, claims := withClaims(t, coll)
	server.Inject(mongotest.Fault{Command: "findAndModify", Code: 13})
	_, err := store.Claim(t.Context(), "key", "me", time.Hour)
	var e *mongostore.Error
	require.ErrorAs(t, err, &e)

	insert(t, claims, bson.D{{Key: "_id", Value: "spoilt"}, {Key: "owner", Value: "me"}, {Key: "fence", Value: "one"}})
	_, err = store.Claim(t.Context(), "spoilt", "me", time.Hour)
	require.Error(t, err)
	require.NotErrorIs(t, err, twilioacct.ErrClaimed)
}
