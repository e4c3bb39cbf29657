package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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

// change is what these tests save over held(sid1, 1).
func change() twilioacct.Record {
	return twilioacct.Record{SID: sid1, Rev: 1, AuthToken: secret("new-" + token)}
}

// stored is what is kept, without the library.
func stored(t testing.TB, coll *mongo.Collection) (rev int64, kept string) {
	t.Helper()
	ours := raw(t, coll, by("twilio_account.sid", sid1)).Lookup("twilio_account").Document()
	return ours.Lookup("rev").AsInt64(), ours.Lookup("authToken").StringValue()
}

func assertSilent(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), token)
	}
	var write mongo.WriteException
	var bulk mongo.BulkWriteException
	var command mongo.CommandError
	assert.False(t, errors.As(err, &write) || errors.As(err, &bulk) || errors.As(err, &command), "the driver's error is in it")
}

func TestALostReplyIsAppliedOnce(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.LostReply("update"))
	r, err := store.Save(t.Context(), change())
	require.NoError(t, err)
	assert.EqualValues(t, 2, r.Rev)
	rev, _ := stored(t, coll)
	assert.EqualValues(t, 2, rev)
	assert.Equal(t, 2, server.Seen("update"))
}

func TestALostReplyWithoutRetriesIsAnUnknownOutcomeAndALookTells(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t, options.Client().SetRetryWrites(false))
	store := open(t, coll, nil)
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.LostReply("update"))
	_, err := store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assert.True(t, mongo.IsNetworkError(err))
	assertSilent(t, err)

	_, err = store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrStale, "by our own write")
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, "new-"+token, r.AuthToken.Reveal())
	again := change()
	again.Rev = r.Rev
	saved, err := store.Save(t.Context(), again)
	require.NoError(t, err)
	assert.Equal(t, r, saved, "nothing differs")
}

func TestALostReplyOfAnUpsertMakesOneDocument(t *testing.T) {
	t.Parallel()
	for name, retries := range map[string]bool{"with the driver's retry": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mongotest.Start(t)
			coll := server.Collection(t, options.Client().SetRetryWrites(retries))
			store := open(t, coll, upsert)
			server.Inject(mongotest.LostReply("update"))
			_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token)})
			if retries {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token)})
				require.ErrorIs(t, err, twilioacct.ErrStale)
			}
			rev, kept := stored(t, coll)
			assert.EqualValues(t, 1, rev)
			assert.Equal(t, token, kept)
		})
	}
}

func TestAKilledConnectionIsRetried(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "find", CloseBefore: true})
	server.Inject(mongotest.Fault{Command: "update", CloseBefore: true})
	_, err := store.Save(t.Context(), change())
	require.NoError(t, err)
	rev, _ := stored(t, coll)
	assert.EqualValues(t, 2, rev)
}

func TestAServerThatHangsEndsWithOurTimeout(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"find", "update"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			server, coll, store := onEmbedded(t, &mongostore.Options{Timeout: 200 * time.Millisecond})
			insert(t, coll, held(sid1, 1))
			server.Inject(mongotest.Fault{Command: command, Delay: time.Hour, Times: -1})
			began := time.Now()
			_, err := store.Save(context.WithoutCancel(t.Context()), change()) // without a deadline
			assert.Less(t, time.Since(began), 5*time.Second)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.True(t, mongo.IsTimeout(err))
			assert.Equal(t, command == "update", errors.Is(err, twilioacct.ErrOutcomeUnknown))
			assertSilent(t, err)
		})
	}
}

func TestAServerThatHangsEndsWithTheCallersDeadline(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, &mongostore.Options{Timeout: time.Hour})
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "update", Delay: time.Hour, Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := store.Save(ctx, change())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
}

func TestASaveCancelledInFlightMayHaveBeenWritten(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	ctx, cancel := context.WithCancel(t.Context())
	store := open(t, before(t, server, coll, "update", cancel), nil)
	server.Inject(mongotest.Fault{Command: "update", Delay: 100 * time.Millisecond})
	_, err := store.Save(ctx, change())
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	assertSilent(t, err)
}

func TestASaveCancelledBeforeItsWriteWasNotWritten(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1), by("name", "Free"))
	for name, at := range map[string]*event.CommandMonitor{
		"while it reads":   {Started: func(ctx context.Context, _ *event.CommandStartedEvent) { cancelOf(ctx)() }},
		"when it has read": {Succeeded: func(ctx context.Context, _ *event.CommandSucceededEvent) { cancelOf(ctx)() }},
	} {
		for _, save := range saves() {
			ctx, cancel := context.WithCancel(t.Context())
			client := mongotest.Connect(t, server.URI(), options.Client().SetMonitor(at))
			store := open(t, client.Database(coll.Database().Name()).Collection(coll.Name()), upsert)
			err := save(context.WithValue(ctx, cancelKey{}, cancel), store)
			require.ErrorIs(t, err, context.Canceled, name)
			require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown, name)
		}
	}
	assert.Zero(t, server.Seen("update"))
}

type cancelKey struct{}

// cancelOf ends the caller's context, from where the driver tells what it does.
func cancelOf(ctx context.Context) context.CancelFunc {
	if cancel, ok := ctx.Value(cancelKey{}).(context.CancelFunc); ok {
		return cancel
	}
	return func() {}
}

// saves are the ways to write after a look: what is there, what is missing, in a batch, and what is adopted.
func saves() []func(context.Context, *mongostore.Store) error {
	one := func(r twilioacct.Record) func(context.Context, *mongostore.Store) error {
		return func(ctx context.Context, s *mongostore.Store) error {
			_, err := s.Save(ctx, r)
			return err
		}
	}
	return []func(context.Context, *mongostore.Store) error{
		one(change()),
		one(twilioacct.Record{SID: sid2}),
		func(ctx context.Context, s *mongostore.Store) error {
			_, err := s.SaveBatch(ctx, []twilioacct.Record{{SID: sid1, Rev: 1, Remove: []twilioacct.Field{twilioacct.FieldStatus}}})
			return err
		},
		func(ctx context.Context, s *mongostore.Store) error {
			_, err := s.Adopt(ctx, twilioacct.Account{SID: sid2}, by("name", "Free"), nil)
			return err
		},
	}
}

func TestAWriteConcernErrorIsAnUnknownOutcomeThatWasApplied(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "update", WriteConcern: true, Code: 64, Message: "waiting for replication timed out: " + token})
	_, err := store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	var e *mongostore.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 64, e.Code)
	assertSilent(t, err)
	rev, _ := stored(t, coll)
	assert.EqualValues(t, 2, rev)
}

func TestWhatTheServerRefusesWasNotWritten(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int32{"not authorized": 13, "document validation": 121, "too large": 10334} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, ops := range [][]int{nil, {0}} {
				server, coll, store := onEmbedded(t, nil)
				insert(t, coll, held(sid1, 1))
				server.Inject(mongotest.Fault{Command: "update", Code: code, Ops: ops, Message: "refused " + token})
				_, err := store.Save(t.Context(), change())
				var e *mongostore.Error
				require.ErrorAs(t, err, &e)
				assert.EqualValues(t, code, e.Code)
				require.NotErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				assertSilent(t, err)
				rev, _ := stored(t, coll)
				assert.EqualValues(t, 1, rev)
			}
		})
	}
}

func TestAnElectionThatDoesNotEndIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	coll := server.Collection(t)
	store := open(t, coll, &mongostore.Options{Timeout: time.Second})
	insert(t, coll, held(sid1, 1))
	server.Inject(mongotest.Fault{Command: "update", Code: 11600, Times: -1})
	_, err := store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
}

func TestASaveBetweenReadAndWriteOfAnotherIsStale(t *testing.T) {
	t.Parallel()
	server, coll, other := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	store := open(t, before(t, server, coll, "update", func() {
		_, err := other.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, Status: "closed"})
		assert.NoError(t, err)
	}), nil)
	_, err := store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrStale)
	rev, kept := stored(t, coll)
	assert.EqualValues(t, 2, rev)
	assert.Equal(t, token, kept)
}

func TestADocumentDeletedBetweenReadAndWriteIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	insert(t, coll, held(sid1, 1))
	store := open(t, before(t, server, coll, "update", func() {
		_, err := coll.DeleteMany(t.Context(), bson.D{})
		assert.NoError(t, err)
	}), upsert)
	_, err := store.Save(t.Context(), change())
	require.ErrorIs(t, err, twilioacct.ErrStale)
	count, err := coll.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.Zero(t, count)
}

func TestADisconnectedClientIsAnError(t *testing.T) {
	t.Parallel()
	server := mongotest.Start(t)
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI()))
	require.NoError(t, err)
	store := open(t, client.Database("d").Collection("accounts"), nil)
	require.NoError(t, client.Disconnect(t.Context()))
	_, err = store.Load(t.Context(), sid1)
	require.ErrorContains(t, err, "disconnected")
}

func TestAServerThatWasInterruptedMayHaveWritten(t *testing.T) {
	t.Parallel()
	for _, code := range []int32{6, 24, 46, 50, 89, 91, 189, 237, 262, 290, 10107, 11600, 11601, 11602} {
		for name, fault := range map[string]mongotest.Fault{
			"the command": {Command: "update", Code: code, AfterExecution: true, Times: -1},
			"a write":     {Command: "update", Code: code, Ops: []int{0}, Times: -1},
		} {
			t.Run(fmt.Sprintf("%d, %s", code, name), func(t *testing.T) {
				t.Parallel()
				server := mongotest.Start(t)
				coll := server.Collection(t, options.Client().SetRetryWrites(false))
				store := open(t, coll, nil)
				insert(t, coll, held(sid1, 1))
				server.Inject(fault)
				_, err := store.Save(t.Context(), change())
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				insert(t, coll, held(sid2, 1))
				_, err = store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid2, Rev: 1, Status: "closed"}})
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
			})
		}
	}
}

func TestAFieldThatCannotBeWrittenIsNamedWithTheRevision(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{Rev: "meta.rev"}})
	insert(t, coll, append(account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "status", Value: "active"}), bson.E{Key: "meta", Value: "text"}))
	for _, change := range []twilioacct.Record{
		{SID: sid1, Status: "closed"},
		{SID: sid1, Remove: []twilioacct.Field{twilioacct.FieldStatus}},
	} {
		_, err := store.Save(t.Context(), change)
		var e *mongostore.DocumentError
		require.ErrorAs(t, err, &e)
		assert.Contains(t, e.Path, "meta.rev")
	}
}
