package storage_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
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

// umbrella is an account without a document, and free a document without an account.
func umbrella() twilioacct.Account {
	return twilioacct.Account{SID: sid1, FriendlyName: "Umbrella", Status: "active", AuthToken: secret(token)}
}

func free(id string, fields ...bson.E) bson.D {
	return append(bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "Umbrella"}}, fields...)
}

var named = by("name", "Umbrella")

// holders are the ids of the documents that hold sid1.
func holders(t *testing.T, coll *mongo.Collection) []string {
	t.Helper()
	cursor, err := coll.Find(t.Context(), by("twilio_account.sid", sid1))
	require.NoError(t, err)
	var found []struct {
		ID string `bson:"_id"`
	}
	require.NoError(t, cursor.All(t.Context(), &found))
	ids := []string{}
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	return ids
}

func TestAdoptWritesTheAccountAndTheApplicationsFieldsIntoTheDocumentThatIsFound(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, free("a", bson.E{Key: "plan", Value: "gold"}, bson.E{Key: "twilio_account", Value: bson.D{{Key: "note", Value: 7.5}}}),
		by("name", "another"), held(sid2, 1))
	adopted, err := store.Adopt(t.Context(), umbrella(), named, bson.D{{Key: "since", Value: 2026}, {Key: "twilio_account.by", Value: "sync"}, {Key: "plan", Value: bson.A{}}})
	require.NoError(t, err)
	assert.True(t, adopted)
	var got bson.D
	require.NoError(t, bson.Unmarshal(raw(t, coll, by("_id", "a")), &got))
	assert.Equal(t, sorted(bson.D{
		{Key: "_id", Value: "a"}, {Key: "name", Value: "Umbrella"}, {Key: "plan", Value: bson.A{}}, {Key: "since", Value: int32(2026)},
		{Key: "twilio_account", Value: bson.D{
			{Key: "note", Value: 7.5}, {Key: "by", Value: "sync"},
			{Key: "sid", Value: sid1}, {Key: "authToken", Value: token}, {Key: "status", Value: "active"}, {Key: "rev", Value: int64(1)},
		}},
	}), sorted(got))
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, Status: "closed"})
	require.NoError(t, err)
	assert.EqualValues(t, 2, r.Rev)
}

func TestAnAccountIsAdoptedByADocumentWithoutASID(t *testing.T) {
	t.Parallel()
	for name, ours := range map[string]bson.D{
		"missing": {}, "null": {{Key: "sid", Value: nil}}, "empty": {{Key: "sid", Value: ""}}, "missing, at a revision": {{Key: "rev", Value: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, nil)
			insert(t, coll, free("a", bson.E{Key: "twilio_account", Value: ours}))
			adopted, err := store.Adopt(t.Context(), umbrella(), named, nil)
			require.NoError(t, err)
			assert.True(t, adopted)
			r, err := store.Load(t.Context(), sid1)
			require.NoError(t, err)
			rev := int64(1)
			if name == "missing, at a revision" {
				rev = 5
			}
			assert.Equal(t, twilioacct.Record{SID: sid1, AuthToken: secret(token), Status: "active", Rev: rev, Copies: 1}, r)
		})
	}
}

func TestAHiddenTokenIsNotAdopted(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: ownPaths})
	insert(t, coll, free("a"))
	adopted, err := store.Adopt(t.Context(), twilioacct.Account{SID: sid1, Status: "active"}, named, nil)
	require.NoError(t, err)
	assert.True(t, adopted)
	_, err = raw(t, coll, bson.D{}).LookupErr("secrets")
	require.Error(t, err)
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Record{SID: sid1, Status: "active", Rev: 1, Copies: 1}, r)
}

func TestATokenThatAFormerAccountLeftIsReplacedAndNeverAdopted(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, free("a", bson.E{Key: "twilio_account", Value: by("authToken", "another's")}))
	before := everything(t, coll)
	adopted, err := store.Adopt(t.Context(), twilioacct.Account{SID: sid1, Status: "active"}, named, nil)
	var odd *mongostore.DocumentError
	require.ErrorAs(t, err, &odd)
	assert.Equal(t, "twilio_account.authToken", odd.Path)
	assert.False(t, adopted)
	assert.Equal(t, before, everything(t, coll))

	adopted, err = store.Adopt(t.Context(), twilioacct.Account{SID: sid1, Status: "active", AuthToken: secret(token)}, named, nil)
	require.NoError(t, err)
	assert.True(t, adopted)
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, token, r.AuthToken.Reveal())
}

func TestAdoptWritesNothingWhereItCannotTellTheDocument(t *testing.T) {
	t.Parallel()
	another := bson.E{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid2}, {Key: "authToken", Value: token}}}
	own := bson.E{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid1}, {Key: "authToken", Value: "kept"}}}
	odd := func(value any) bson.E { return bson.E{Key: "twilio_account", Value: value} }
	for name, c := range map[string]struct {
		documents []bson.D
		adopted   bool
		reason    error
		isOdd     bool
	}{
		"no document":                        {documents: []bson.D{by("name", "another")}},
		"no document at all":                 {},
		"several":                            {documents: []bson.D{free("a"), free("b")}, reason: twilioacct.ErrAmbiguous},
		"several, one of which holds it":     {documents: []bson.D{free("a", own), free("b")}, reason: twilioacct.ErrAmbiguous},
		"one that holds another account":     {documents: []bson.D{free("a", another)}, reason: twilioacct.ErrConflict},
		"one that holds this account":        {documents: []bson.D{free("a", own)}, adopted: true},
		"another document holds the account": {documents: []bson.D{free("a"), held(sid1, 3)}},
		"another one that cannot be read":    {documents: []bson.D{free("a"), account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: "3"})}},
		"a SID that is none":                 {documents: []bson.D{free("a", odd(bson.D{{Key: "sid", Value: token}}))}, isOdd: true},
		"a SID that is a number":             {documents: []bson.D{free("a", odd(bson.D{{Key: "sid", Value: 7}}))}, isOdd: true},
		"an array of accounts":               {documents: []bson.D{free("a", odd(bson.A{bson.D{}}))}, isOdd: true},
		"text for an account":                {documents: []bson.D{free("a", odd(token))}, isOdd: true},
		"API keys of a former account": {documents: []bson.D{free("a", odd(bson.D{{Key: "apiKeys", Value: bson.D{
			{Key: "voice", Value: bson.D{{Key: "sid", Value: "SK" + sid1[2:]}, {Key: "secret", Value: token}}},
		}}}))}, isOdd: true},
		"a revision that is none": {documents: []bson.D{free("a", odd(bson.D{{Key: "rev", Value: "x"}}))}, isOdd: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, upsert)
			insert(t, coll, c.documents...)
			before := everything(t, coll)
			adopted, err := store.Adopt(t.Context(), umbrella(), named, bson.D{{Key: "plan", Value: "gold"}})
			assert.Equal(t, c.adopted, adopted)
			assert.Equal(t, c.reason != nil, err != nil && errors.Is(err, c.reason))
			assert.Equal(t, c.isOdd, errors.As(err, new(*mongostore.DocumentError)))
			if err != nil {
				assert.True(t, c.isOdd || c.reason != nil, err)
				assert.NotContains(t, err.Error(), token)
				assert.NotContains(t, err.Error(), "Umbrella")
			}
			assert.Equal(t, before, everything(t, coll))
		})
	}
}

func everything(t *testing.T, coll *mongo.Collection) []bson.Raw {
	t.Helper()
	cursor, err := coll.Find(t.Context(), bson.D{}, options.Find().SetSort(by("_id", 1)))
	require.NoError(t, err)
	var all []bson.Raw
	require.NoError(t, cursor.All(t.Context(), &all))
	return all
}

func TestAnAccountOfAnotherIsNamedWithItsDocument(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	insert(t, coll, free("odd-1", bson.E{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid2}}}))
	_, err := open(t, coll, nil).Adopt(t.Context(), umbrella(), named, nil)
	for _, part := range []string{sid1, sid2, "odd-1"} {
		require.ErrorContains(t, err, part)
	}
}

func TestNothingIsAdoptedBelowWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	if replacesNull(t, coll) {
		t.Skip("this server puts a document in the place of null; MongoDB refuses to (28)")
	}
	insert(t, coll, free("a", bson.E{Key: "twilio_account", Value: nil}))
	_, err := open(t, coll, nil).Adopt(t.Context(), umbrella(), named, bson.D{{Key: "plan", Value: token}})
	var e *mongostore.DocumentError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "a", e.ID)
	assert.Contains(t, e.Path, "twilio_account.sid")
	assert.Contains(t, e.Path, "plan")
	assertSilent(t, err)
}

func TestAdoptRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, free("a"))
	server.ForgetCommands()
	for name, c := range map[string]struct {
		account        twilioacct.Account
		filter, fields bson.D
	}{
		"no account":                   {filter: named},
		"an API key's SID":             {twilioacct.Account{SID: key1}, named, nil},
		"no filter":                    {umbrella(), nil, nil},
		"an empty filter":              {umbrella(), bson.D{}, nil},
		"an operator":                  {umbrella(), named, by("$set", bson.D{{Key: "plan", Value: "x"}})},
		"an operator in a value":       {umbrella(), named, by("plan", bson.D{{Key: "$inc", Value: 1}})},
		"the _id":                      {umbrella(), named, by("_id", "b")},
		"the SID":                      {umbrella(), named, by("twilio_account.sid", sid2)},
		"all of the account":           {umbrella(), named, by("twilio_account", bson.D{})},
		"inside the API keys":          {umbrella(), named, by("twilio_account.apiKeys.voice", 1)},
		"the revision":                 {umbrella(), named, by("twilio_account.rev", 1)},
		"an empty name":                {umbrella(), named, by("", 1)},
		"one field twice":              {umbrella(), named, bson.D{{Key: "plan", Value: 1}, {Key: "plan", Value: 2}}},
		"a field in another":           {umbrella(), named, bson.D{{Key: "plan", Value: 1}, {Key: "plan.name", Value: 2}}},
		"a value that BSON hasn't got": {umbrella(), named, by("plan", make(chan int))},
	} {
		adopted, err := store.Adopt(t.Context(), c.account, c.filter, c.fields)
		assert.False(t, adopted, name)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		assert.NotContains(t, err.Error(), token, name)
	}
	assert.Zero(t, server.Seen("find")+server.Seen("update"))
}

func TestOf16DocumentsOneAdoptsTheAccount(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	const racers = 16
	for i := range racers {
		insert(t, coll, bson.D{{Key: "_id", Value: strconv.Itoa(i)}})
	}
	var won [racers]bool
	atOnce(racers, func(i int) {
		adopted, err := store.Adopt(t.Context(), umbrella(), by("_id", strconv.Itoa(i)), nil)
		assert.NoError(t, err)
		won[i] = adopted
	})
	ids := holders(t, coll)
	require.Len(t, ids, 1)
	for i := range racers {
		assert.Equal(t, ids[0] == strconv.Itoa(i), won[i])
	}
}

func TestOf16AccountsOneIsAdoptedByTheDocument(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	insert(t, coll, free("a"))
	var won [16]bool
	atOnce(len(won), func(i int) {
		adopted, err := store.Adopt(t.Context(), twilioacct.Account{SID: sidOf(i), Status: "active"}, named, nil)
		won[i] = adopted
		if !adopted {
			assert.ErrorIs(t, err, twilioacct.ErrConflict)
		}
	})
	ours := raw(t, coll, bson.D{}).Lookup("twilio_account").Document()
	for i := range won {
		assert.Equal(t, ours.Lookup("sid").StringValue() == sidOf(i), won[i])
	}
	assert.EqualValues(t, 1, ours.Lookup("rev").AsInt64())
}

func TestOneAccountIsAdoptedByOneDocumentOnceHoweverManyTry(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, free("a"))
	atOnce(16, func(int) {
		adopted, err := store.Adopt(t.Context(), umbrella(), named, nil)
		assert.NoError(t, err)
		assert.True(t, adopted)
	})
	rev, _ := stored(t, coll)
	assert.EqualValues(t, 1, rev)
}

func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func TestALostReplyOfAnAdoptionLosesNoAccount(t *testing.T) {
	t.Parallel()
	for name, retries := range map[string]bool{"with the driver's retry": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mongotest.Start(t)
			coll := server.Collection(t, options.Client().SetRetryWrites(retries))
			store := open(t, coll, nil)
			insert(t, coll, free("a"))
			server.Inject(mongotest.LostReply("update"))
			adopted, err := store.Adopt(t.Context(), umbrella(), named, nil)
			if !retries {
				require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
				assertSilent(t, err)
				assert.False(t, adopted)
				adopted, err = store.Adopt(t.Context(), umbrella(), named, nil)
			}
			require.NoError(t, err)
			assert.True(t, adopted)
			rev, kept := stored(t, coll)
			assert.EqualValues(t, 1, rev)
			assert.Equal(t, token, kept)
		})
	}
}

func TestWhatOthersDoDuringAnAdoptionIsFoundOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do      func(context.Context, *mongo.Collection) error
		adopted bool
		reason  error
	}{
		"the document gets this account": {set("a", sid1), true, nil},
		"the document gets another":      {set("a", sid2), false, twilioacct.ErrConflict},
		"another document gets it":       {set("b", sid1), false, nil},
		"the document is another one's now": {func(ctx context.Context, coll *mongo.Collection) error {
			_, err := coll.UpdateByID(ctx, "a", by("$set", by("name", "another")))
			return err
		}, false, nil},
		"the document is deleted": {func(ctx context.Context, coll *mongo.Collection) error {
			_, err := coll.DeleteOne(ctx, by("_id", "a"))
			return err
		}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mongotest.Start(t)
			coll := server.Collection(t)
			require.NoError(t, open(t, coll, nil).EnsureIndexes(t.Context()))
			insert(t, coll, free("a"), by("_id", "b"))
			store := open(t, before(t, server, coll, "update", func() { assert.NoError(t, c.do(t.Context(), coll)) }), nil)
			adopted, err := store.Adopt(t.Context(), umbrella(), named, nil)
			assert.Equal(t, c.adopted, adopted)
			if c.reason == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.reason)
			}
			for _, one := range everything(t, coll) {
				_, err := one.LookupErr("twilio_account", "authToken")
				assert.Error(t, err, "we wrote nothing")
			}
		})
	}
}

func set(id, sid string) func(context.Context, *mongo.Collection) error {
	return func(ctx context.Context, coll *mongo.Collection) error {
		_, err := coll.UpdateByID(ctx, id, by("$set", by("twilio_account.sid", sid)))
		return err
	}
}

func TestARefusalOfTheSIDsIndexIsTheOthersVictoryEvenIfTheServerNamesNoIndex(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, free("a"))
	server.Inject(mongotest.DuplicateKey("update", nil, 0))
	_, err := store.Adopt(t.Context(), umbrella(), named, nil)
	require.ErrorIs(t, err, twilioacct.ErrConflict, "nobody holds it, so it is another index")

	racing := open(t, before(t, server, coll, "update", func() { insert(t, coll, held(sid1, 1)) }), nil)
	server.Inject(mongotest.DuplicateKey("update", nil, 0))
	adopted, err := racing.Adopt(t.Context(), umbrella(), named, nil)
	require.NoError(t, err)
	assert.False(t, adopted)
}

func TestAnIndexOfTheApplicationsThatRefusesItsFieldsIsNamed(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	_, err := coll.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: by("code", 1), Options: options.Index().SetUnique(true)})
	require.NoError(t, err)
	insert(t, coll, free("a", bson.E{Key: "code", Value: "x"}), bson.D{{Key: "_id", Value: "b"}, {Key: "code", Value: token}})
	adopted, err := store.Adopt(t.Context(), umbrella(), named, by("code", token))
	assert.False(t, adopted)
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assertSilent(t, err)
	assert.Empty(t, holders(t, coll))
}

func TestAnAdoptionThatTheServerRefusesOrLeavesOpenSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   mongotest.Fault
		unknown bool
	}{
		"not authorized":          {mongotest.Fault{Command: "update", Code: 13, Message: token}, false},
		"document validation":     {mongotest.Fault{Command: "update", Code: 121, Ops: []int{0}, Message: token}, false},
		"a write concern error":   {mongotest.Fault{Command: "update", Code: 64, WriteConcern: true, Message: token}, true},
		"a look that is refused":  {mongotest.Fault{Command: "find", Code: 13, Message: token}, false},
		"a second look that is":   {mongotest.Fault{Command: "find", Nth: 2, Code: 13, Message: token}, false},
		"a server that goes down": {mongotest.Fault{Command: "update", Code: 11600, Times: -1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mongotest.Start(t)
			coll := server.Collection(t, options.Client().SetRetryWrites(false))
			store := open(t, coll, nil)
			insert(t, coll, free("a"))
			server.Inject(c.fault)
			adopted, err := store.Adopt(t.Context(), umbrella(), named, nil)
			assert.False(t, adopted)
			var e *mongostore.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.fault.Code, int32(e.Code))
			assert.Equal(t, c.unknown, errors.Is(err, twilioacct.ErrOutcomeUnknown))
			assertSilent(t, err)
		})
	}
}
