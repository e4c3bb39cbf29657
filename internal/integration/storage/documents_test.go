package storage_test

import (
	"reflect"
	"strings"
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

// foreign are fields of many types, as an application may have them beside ours.
func foreign() bson.D {
	decimal, err := bson.ParseDecimal128("1.10")
	if err != nil {
		panic(err)
	}
	return bson.D{
		{Key: "double", Value: 1.0}, {Key: "string", Value: "text"}, {Key: "document", Value: bson.D{{Key: "z", Value: 1}, {Key: "a", Value: nil}}},
		{Key: "array", Value: bson.A{1, "two", bson.D{{Key: "three", Value: 3}}, bson.A{}}}, {Key: "binary", Value: bson.Binary{Subtype: 0, Data: []byte{0, 1}}},
		{Key: "objectID", Value: bson.NewObjectID()}, {Key: "bool", Value: false}, {Key: "date", Value: bson.NewDateTimeFromTime(time.UnixMilli(-1))},
		{Key: "null", Value: nil}, {Key: "regex", Value: bson.Regex{Pattern: "^a", Options: "i"}}, {Key: "int32", Value: int32(1)},
		{Key: "timestamp", Value: bson.Timestamp{T: 1, I: 2}}, {Key: "int64", Value: int64(1)}, {Key: "decimal", Value: decimal},
	}
}

func TestEveryOtherFieldStaysByteForByte(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	ours := append(foreign(), bson.E{Key: "sid", Value: sid1}, bson.E{Key: "authToken", Value: "old"},
		bson.E{Key: "apiKeys", Value: bson.D{{Key: "voice", Value: bson.D{{Key: "made", Value: 1.5}, {Key: "sid", Value: key1}, {Key: "secret", Value: "s"}}}}})
	insert(t, coll, append(append(foreign(), bson.E{Key: "twilio_account", Value: ours}), bson.E{Key: "last", Value: bson.A{}}))
	before := withoutOurs(raw(t, coll, bson.D{}))

	r, err := store.Save(t.Context(), twilioacct.Record{
		SID: sid1, AuthToken: secret("new"), Status: "active", Tenant: "acme",
		APIKeys: map[string]twilioacct.APIKey{"voice": {SID: key1, Secret: secret("other")}},
	})
	require.NoError(t, err)
	assert.Equal(t, before, withoutOurs(raw(t, coll, bson.D{})))
	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: r.Rev, Remove: []twilioacct.Field{twilioacct.FieldStatus, twilioacct.FieldTenant}})
	require.NoError(t, err)
	assert.Equal(t, before, withoutOurs(raw(t, coll, bson.D{})))
}

// withoutOurs is each field of a document with its bytes, but those that we write: all of them if none are named.
func withoutOurs(document bson.Raw, written ...string) map[string]string {
	fields := map[string]string{}
	collect(fields, "", document)
	if len(written) == 0 {
		written = []string{"authToken", "status", "tenant", "rev", "apiKeys.voice.sid", "apiKeys.voice.secret"}
	}
	for _, ours := range written {
		delete(fields, "twilio_account."+ours)
	}
	return fields
}

// collect notes the leaves, and the order of the fields that are not ours.
func collect(into map[string]string, prefix string, document bson.Raw) {
	elements, err := document.Elements()
	if err != nil {
		panic(err)
	}
	for _, e := range elements {
		if inner, ok := e.Value().DocumentOK(); ok && (e.Key() == "twilio_account" || e.Key() == "apiKeys" || e.Key() == "voice") {
			collect(into, prefix+e.Key()+".", inner)
			continue
		}
		into[prefix+e.Key()] = e.Value().Type.String() + string(e.Value().Value)
	}
}

func TestNullFieldsAreFieldsThatAreNotSet(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "authToken", Value: nil}, bson.E{Key: "status", Value: nil},
		bson.E{Key: "tenant", Value: nil}, bson.E{Key: "apiKeys", Value: bson.D{{Key: "voice", Value: nil}}}, bson.E{Key: "rev", Value: nil}))
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Record{SID: sid1, Copies: 1, APIKeys: map[string]twilioacct.APIKey{}}, r)
	r, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret(token), Status: "active", Tenant: "acme"})
	require.NoError(t, err)
	assert.EqualValues(t, 1, r.Rev)
	assert.Equal(t, token, raw(t, coll, bson.D{}).Lookup("twilio_account", "authToken").StringValue())
}

func TestARevisionIsAnyWholeNumber(t *testing.T) {
	t.Parallel()
	for name, rev := range map[string]any{"int32": int32(5), "int64": int64(5), "a double, as the shell writes it": 5.0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, nil)
			insert(t, coll, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: rev}))
			r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 5, Status: "active"})
			require.NoError(t, err)
			assert.EqualValues(t, 6, r.Rev)
		})
	}
}

func TestAnExplicitRevisionOfZeroIsRevisionZero(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, held(sid1, 0))
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Status: "closed"})
	require.NoError(t, err)
	assert.EqualValues(t, 1, r.Rev)
}

// oddDocuments hold sid1, but cannot be read. The paths are the default ones.
func oddDocuments() map[string]bson.D {
	sid := bson.E{Key: "sid", Value: sid1}
	one := func(key string, value any) bson.D { return account(sid, bson.E{Key: key, Value: value}) }
	return map[string]bson.D{
		"an array of accounts":        {{Key: "twilio_account", Value: bson.A{bson.D{sid}}}},
		"an array of SIDs":            account(bson.E{Key: "sid", Value: bson.A{sid1, "another"}}),
		"a token that is a number":    one("authToken", 7),
		"a token that is a document":  one("authToken", bson.D{{Key: "sealed", Value: token}}),
		"a status that is an array":   one("status", bson.A{"active"}),
		"a tenant that is binary":     one("tenant", bson.Binary{Data: []byte(token)}),
		"a tenant that is an id":      one("tenant", bson.NewObjectID()),
		"a revision that is a string": one("rev", "7"),
		"a revision with a fraction":  one("rev", 7.5),
		"a negative revision":         one("rev", int64(-1)),
		"API keys in an array":        one("apiKeys", bson.A{bson.D{{Key: "sid", Value: key1}}}),
		"API keys that are a string":  one("apiKeys", token),
		"an API key that is a string": one("apiKeys", bson.D{{Key: "voice", Value: token}}),
		"an API key without a secret": one("apiKeys", bson.D{{Key: "voice", Value: bson.D{{Key: "sid", Value: key1}}}}),
		"a purpose that is none":      one("apiKeys", bson.D{{Key: "Voice!", Value: bson.D{{Key: "sid", Value: key1}, {Key: "secret", Value: token}}}}),
	}
}

func TestAnOddDocumentIsANamedErrorAndStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, odd := range oddDocuments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, &mongostore.Options{Upsert: true})
			insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, odd...), held(sid2, 3))
			before := raw(t, coll, by("_id", "odd-1"))

			_, err := store.Load(t.Context(), sid1)
			assertOdd(t, err)
			_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, AuthToken: secret("new"), Tenant: "new"})
			assertOdd(t, err)
			assert.Equal(t, before, raw(t, coll, by("_id", "odd-1")))
			count, err := coll.CountDocuments(t.Context(), bson.D{})
			require.NoError(t, err)
			assert.EqualValues(t, 2, count)
		})
	}
}

// A batch does not look at a document of its revision, and there replaces what it sets. Whether it comes to look at it, for the sake
// of another record, makes no difference.
func TestABatchMendsAnOddDocumentOrNamesIt(t *testing.T) {
	t.Parallel()
	for name, odd := range oddDocuments() {
		for with, other := range map[string]twilioacct.Record{
			"without a look": {SID: sid2, Rev: 3, Status: "closed"}, "with a look": {SID: sid2, Rev: 2, Status: "closed"},
		} {
			t.Run(name+", "+with, func(t *testing.T) {
				t.Parallel()
				coll := mongotest.Collection(t)
				store := open(t, coll, nil)
				insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, odd...), held(sid2, 3))
				before := raw(t, coll, by("_id", "odd-1"))
				failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, AuthToken: secret("new")}, other})
				require.NoError(t, err)
				reasons := map[string]error{}
				for _, f := range failures {
					reasons[f.SID] = f.Err
				}
				assert.Equal(t, other.Rev != 3, reasons[sid2] != nil)
				after := raw(t, coll, by("_id", "odd-1"))
				if reasons[sid1] != nil {
					assertOdd(t, reasons[sid1])
					assert.Equal(t, before, after)
					return
				}
				assert.Equal(t, withoutOurs(before, "authToken", "rev"), withoutOurs(after, "authToken", "rev"))
				assert.Equal(t, "new", after.Lookup("twilio_account", "authToken").StringValue())
			})
		}
	}
}

func TestABatchMakesNoDocumentBesideAnOddOne(t *testing.T) {
	t.Parallel()
	for name, odd := range oddDocuments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t) // without an index, so that it is read first
			insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, odd...))
			before := everything(t, coll)
			failures, err := open(t, coll, upsert).SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, AuthToken: secret("new")}})
			require.NoError(t, err)
			require.Len(t, failures, 1)
			assertOdd(t, failures[0].Err)
			assert.Equal(t, before, everything(t, coll))
		})
	}
}

func TestADocumentWhoseRevisionCannotBeReadIsNamedAndNotCalledStale(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: "5"})...))
	failures, err := open(t, coll, nil).SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 5, Status: "closed"}})
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assertOdd(t, failures[0].Err)
}

func assertOdd(t *testing.T, err error) {
	t.Helper()
	var odd *mongostore.DocumentError
	require.ErrorAs(t, err, &odd)
	assert.Equal(t, "odd-1", odd.ID)
	assert.Contains(t, err.Error(), "odd-1")
	assert.Contains(t, err.Error(), "twilio_account")
	assert.NotContains(t, err.Error(), token)
}

func TestNothingIsWrittenBelowWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"null": nil, "a string": "text", "a number": 7, "an array": bson.A{bson.D{{Key: "token", Value: token}}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			if value == nil && replacesNull(t, coll) {
				t.Skip("this server puts a document in the place of null; MongoDB refuses to (28)")
			}
			store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{AuthToken: "secrets.twilio.token"}})
			document := append(held(sid1, 4), bson.E{Key: "secrets", Value: bson.D{{Key: "twilio", Value: value}}})
			insert(t, coll, append(bson.D{{Key: "_id", Value: "odd-1"}}, document...))
			before := raw(t, coll, bson.D{})

			loaded, err := store.Load(t.Context(), sid1) // a projection leaves the value out, unless it is an array
			assert.Equal(t, name == "an array", err != nil)
			assert.True(t, loaded.AuthToken.IsZero())
			r := twilioacct.Record{SID: sid1, Rev: 4, AuthToken: secret(token), Status: "closed"}
			_, err = store.Save(t.Context(), r)
			var odd *mongostore.DocumentError
			require.ErrorAs(t, err, &odd)
			assert.Equal(t, "odd-1", odd.ID)
			assert.Contains(t, odd.Path, "secrets.twilio.token")
			failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{r})
			require.NoError(t, err)
			require.Len(t, failures, 1)
			require.ErrorAs(t, failures[0].Err, &odd)
			assert.Equal(t, before, raw(t, coll, bson.D{}))
		})
	}
}

func replacesNull(t *testing.T, coll *mongo.Collection) bool {
	t.Helper()
	insert(t, coll, bson.D{{Key: "_id", Value: "probe"}, {Key: "null", Value: nil}})
	_, err := coll.UpdateByID(t.Context(), "probe", by("$set", by("null.below", 1)))
	deleted, deleteErr := coll.DeleteOne(t.Context(), by("_id", "probe"))
	require.NoError(t, deleteErr)
	require.EqualValues(t, 1, deleted.DeletedCount)
	return err == nil
}

func TestDocumentsWithoutAnAccountDoNotMatter(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, bson.D{{Key: "name", Value: "none"}}, bson.D{{Key: "twilio_account", Value: nil}},
		bson.D{{Key: "twilio_account", Value: "text"}}, bson.D{{Key: "twilio_account", Value: bson.A{}}}, held(sid1, 1))
	_, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	_, err = store.Load(t.Context(), sid2)
	require.ErrorIs(t, err, twilioacct.ErrNoRecord)
}

func TestAnApplicationsSettingsOfItsCollectionDoNotMatter(t *testing.T) {
	t.Parallel()
	plain := mongotest.Collection(t)
	registry := bson.NewRegistry()
	registry.RegisterTypeEncoder(reflect.TypeFor[string](), bson.ValueEncoderFunc(shout))
	theirs := plain.Clone(options.Collection().SetRegistry(registry).SetBSONOptions(&options.BSONOptions{StringifyMapKeysWithFmt: true}))
	store := open(t, theirs, nil)
	insert(t, plain, held(sid1, 1))
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, Tenant: "acme"})
	require.NoError(t, err)
	assert.Equal(t, "acme", raw(t, plain, bson.D{}).Lookup("twilio_account", "tenant").StringValue())
}

func TestATenantWithoutASIDIsNoRecord(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{Tenant: "name"}})
	insert(t, coll, bson.D{{Key: "name", Value: "Acme"}}, held(sid1, 1))
	r, err := store.LoadTenant(t.Context(), "Acme")
	require.NoError(t, err)
	assert.Equal(t, sid1, r.SID)
	_, err = store.LoadTenant(t.Context(), strings.ToLower("Acme"))
	require.ErrorIs(t, err, twilioacct.ErrNoRecord)
}

// shout is an encoder of an application's that would spoil what we write.
func shout(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	return w.WriteString(strings.ToUpper(v.String()) + "!")
}
