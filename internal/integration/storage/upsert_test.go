package storage_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

var upsert = &mongostore.Options{Upsert: true}

func TestAnUpsertedDocumentHasOurFieldsAlone(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, upsert)
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token), APIKeys: map[string]twilioacct.APIKey{
		"voice": {SID: key1, Secret: secret("s")},
	}})
	require.NoError(t, err)
	elements, err := raw(t, coll, bson.D{}).Elements()
	require.NoError(t, err)
	require.Len(t, elements, 2)
	assert.Equal(t, "_id", elements[0].Key())
	fields := map[string]any{}
	require.NoError(t, bson.Unmarshal(elements[1].Value().Document(), &fields))
	assert.Equal(t, map[string]any{
		"sid": sid1, "authToken": token, "rev": int64(1),
		"apiKeys": bson.D{{Key: "voice", Value: bson.D{{Key: "sid", Value: key1}, {Key: "secret", Value: "s"}}}},
	}, fields)
}

func TestOf16WhoUpsertOneAccountOneWins(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, upsert)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	var mu sync.Mutex
	var all sync.WaitGroup
	won := 0
	for range 16 {
		all.Go(func() {
			_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				assert.ErrorIs(t, err, twilioacct.ErrStale)
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, won)
	count, err := coll.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, count)
}

// The embedded server runs one write after the other, so the race of two upserts is injected as MongoDB answers it.
func TestADuplicateKeyOfTheSIDIsALostRace(t *testing.T) {
	t.Parallel()
	server, _, store := onEmbedded(t, upsert)
	server.Inject(mongotest.DuplicateKey("update", by("twilio_account.sid", 1), 0))
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token)})
	require.ErrorIs(t, err, twilioacct.ErrStale)

	race := mongotest.DuplicateKey("update", by("twilio_account.sid", 1), 1)
	race.Nth = 2 // after the update that found no document
	server.Inject(race)
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Status: "active"}, {SID: sid2, Status: "active"}})
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assert.Equal(t, sid2, failures[0].SID)
	require.ErrorIs(t, failures[0].Err, twilioacct.ErrStale)
}

func TestADuplicateKeyWithoutAPatternIsLookedUp(t *testing.T) {
	t.Parallel()
	server, _, store := onEmbedded(t, upsert)
	server.Inject(mongotest.DuplicateKey("update", nil, 0))
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1})
	require.NotErrorIs(t, err, twilioacct.ErrStale, "nobody made it")
	require.ErrorIs(t, err, twilioacct.ErrConflict)

	coll := server.Collection(t)
	racing := open(t, before(t, server, coll, "update", func() { insert(t, coll, held(sid1, 0)) }), upsert)
	server.Inject(mongotest.DuplicateKey("update", nil, 0))
	_, err = racing.Save(t.Context(), twilioacct.Record{SID: sid1})
	require.ErrorIs(t, err, twilioacct.ErrStale)
}

func TestADocumentThatAppearsBeforeTheUpsertStaysAsItIs(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	racing := open(t, before(t, server, coll, "update", func() { insert(t, coll, held(sid1, 0)) }), upsert)
	_, err := racing.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret("mine"), Status: "mine"})
	require.ErrorIs(t, err, twilioacct.ErrStale)
	r, err := racing.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, token, r.AuthToken.Reveal())
	assert.Equal(t, twilioacct.Record{SID: sid1, AuthToken: secret(token), Status: "active", Copies: 1}, r)
}

func TestADocumentThatAppearsBeforeTheUpsertOfABatchStaysAsItIs(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	index(t, coll)
	batches := 0
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName != "update" {
			return
		}
		if batches++; batches == 2 { // after the one that finds no document
			insert(t, coll, held(sid1, 0), account(bson.E{Key: "sid", Value: sid2}, bson.E{Key: "status", Value: "mine"}, bson.E{Key: "rev", Value: 1}))
		}
	}}
	client := mongotest.Connect(t, server.URI(), options.Client().SetMonitor(monitor))
	racing := open(t, client.Database(coll.Database().Name()).Collection(coll.Name()), upsert)
	failures, err := racing.SaveBatch(t.Context(), []twilioacct.Record{
		{SID: sid1, AuthToken: secret("mine"), Status: "mine"}, {SID: sid2, Status: "mine"}, {SID: sidOf(3), Status: "mine"},
	})
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sid1, Err: twilioacct.ErrStale}}, failures, "the second is as we wanted it")
	r, err := racing.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Record{SID: sid1, AuthToken: secret(token), Status: "active", Copies: 1}, r)
	r, err = racing.Load(t.Context(), sidOf(3))
	require.NoError(t, err)
	assert.EqualValues(t, 1, r.Rev)
}

func TestAnotherUniqueIndexIsNamedWithoutValues(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, upsert)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	_, err := coll.Indexes().CreateOne(t.Context(), mongo.IndexModel{
		Keys: by("twilio_account.authToken", 1), Options: options.Index().SetUnique(true),
	})
	require.NoError(t, err)
	insert(t, coll, held(sid1, 1))

	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid2, AuthToken: secret(token)})
	assertConflict(t, err)
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid2, AuthToken: secret(token)}})
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assertConflict(t, failures[0].Err)

	insert(t, coll, account(bson.E{Key: "sid", Value: sid2}, bson.E{Key: "authToken", Value: "other"}))
	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid2, AuthToken: secret(token)})
	assertConflict(t, err)
}

func assertConflict(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	require.NotErrorIs(t, err, twilioacct.ErrStale)
	require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	var e *mongostore.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 11000, e.Code)
	if len(e.UniqueIndex) > 0 { // not every server names it
		assert.Equal(t, []string{"twilio_account.authToken"}, e.UniqueIndex)
		assert.Contains(t, err.Error(), "twilio_account.authToken")
	}
	assert.NotContains(t, err.Error(), token)
	assert.NotContains(t, err.Error(), sid1)
}
