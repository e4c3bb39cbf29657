package fleet_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// oldToken is what documents hold that are behind. No filter and no error may have it in it.
const oldToken = "c1ea57ex70f70ken"

// holding is a document of an application's that holds an account, beside much else.
func holding(sid string, fields ...bson.E) bson.D {
	ours := append(bson.D{{Key: "note", Value: "keep"}, {Key: "sid", Value: sid}}, fields...)
	return bson.D{
		{Key: "name", Value: "Acme"}, {Key: "paid", Value: 1.0}, {Key: "seats", Value: int32(7)},
		{Key: "twilio_account", Value: append(ours, bson.E{Key: "made", Value: bson.DateTime(1)})},
		{Key: "tags", Value: bson.A{"a", nil, bson.D{{Key: "b", Value: int64(1)}}}},
	}
}

// held is such a document with a token, a status and a revision.
func held(sid, token, status string, rev any) bson.D {
	return holding(sid, field("authToken", token), field("status", status), field("rev", rev))
}

func field(key string, value any) bson.E { return bson.E{Key: key, Value: value} }

// states are the documents that a sync usually finds: up to date, of before this library, and behind in one way or the other.
var states = []func(twiliotest.Account) bson.D{
	func(a twiliotest.Account) bson.D { return held(a.SID, a.AuthToken, a.Status, int64(3)) },
	func(a twiliotest.Account) bson.D { return holding(a.SID) },
	func(a twiliotest.Account) bson.D { return held(a.SID, oldToken, a.Status, int64(1)) },
	func(a twiliotest.Account) bson.D { return held(a.SID, a.AuthToken, "elsewhere", int32(2)) },
	func(a twiliotest.Account) bson.D { return held(a.SID, oldToken, "elsewhere", nil) },
}

// populate suspends and closes some of the accounts, and gives each a document in one of the states, and the application some
// documents without an account.
func (f *fleet) populate(t *testing.T) {
	t.Helper()
	var documents []bson.D
	for i, a := range f.fake.Subaccounts() {
		switch {
		case i%7 == 3:
			f.fake.SetStatus(a.SID, twiliotest.Suspended)
		case i%11 == 5:
			f.fake.SetStatus(a.SID, twiliotest.Closed)
		}
		a, _ = f.fake.Account(a.SID)
		documents = append(documents, states[i%len(states)](a))
	}
	f.insert(t, append(documents, bson.D{{Key: "name", Value: "without"}}, bson.D{{Key: "twilio_account", Value: nil}})...)
}

// behind is how many of so many documents are not as Twilio has their accounts.
func behind(documents int) int { return documents - (documents+len(states)-1)/len(states) }

// lagBehind gives every account a document with an old token, in the order of the list.
func (f *fleet) lagBehind(t *testing.T) {
	t.Helper()
	var documents []bson.D
	for _, a := range f.fake.Subaccounts() {
		documents = append(documents, held(a.SID, oldToken, "active", int64(1)))
	}
	f.insert(t, documents...)
}

// insert puts documents there, without the library.
func (f *fleet) insert(t *testing.T, documents ...bson.D) {
	t.Helper()
	for chunk := range slices.Chunk(documents, 1000) {
		_, err := f.accounts.InsertMany(t.Context(), chunk)
		require.NoError(t, err)
	}
}

// documents are all of the application's, as they are stored.
func (f *fleet) documents(t *testing.T) (documents []bson.Raw) {
	t.Helper()
	cursor, err := f.accounts.Find(t.Context(), bson.D{})
	require.NoError(t, err)
	require.NoError(t, cursor.All(t.Context(), &documents))
	return documents
}

// snapshot is every document, byte for byte, by its id.
func (f *fleet) snapshot(t *testing.T) map[string]string { return f.snapshotOf(t, whole) }

// others is the same without what a sync writes.
func (f *fleet) others(t *testing.T) map[string]string { return f.snapshotOf(t, notOurs) }

func (f *fleet) snapshotOf(t *testing.T, part func(bson.Raw) []byte) map[string]string {
	t.Helper()
	taken := map[string]string{}
	for _, d := range f.documents(t) {
		taken[fmt.Sprintf("%v %s", d.Lookup("_id").Type, idText(d))] = string(part(d))
	}
	return taken
}

// assertSame compares what was found in each document, and shows those that differ.
func assertSame[T comparable](t *testing.T, before, after map[string]T) {
	t.Helper()
	assert.Len(t, after, len(before))
	for key := range before {
		if before[key] != after[key] {
			assert.Failf(t, "it is not the same", "%s: %#v was %#v", key, after[key], before[key])
		}
	}
}

func whole(document bson.Raw) []byte { return document }

// notOurs is a document without the fields that a sync writes, in its own order.
func notOurs(document bson.Raw) []byte { return without(document, "") }

func without(document bson.Raw, above string) (rest []byte) {
	elements, err := document.Elements()
	if err != nil {
		panic(err)
	}
	for _, e := range elements {
		inside, isDocument := e.Value().DocumentOK()
		switch path := above + e.Key(); {
		case path == "twilio_account.authToken", path == "twilio_account.status", path == "twilio_account.rev":
		case isDocument && path == "twilio_account":
			rest = append(rest, without(inside, path+".")...)
		default:
			rest = append(rest, e...)
		}
	}
	return rest
}

// revisions are those of the documents that hold an account, by SID.
func (f *fleet) revisions(t *testing.T) map[string]int64 {
	t.Helper()
	revs := map[string]int64{}
	for _, d := range f.documents(t) {
		if sid := text(d, "sid"); sid != "" {
			revs[sid], _ = d.Lookup("twilio_account", "rev").AsInt64OK()
		}
	}
	return revs
}

// idText is a document's id as the library tells it.
func idText(document bson.Raw) string {
	id := document.Lookup("_id")
	if oid, ok := id.ObjectIDOK(); ok {
		return oid.Hex()
	}
	if s, ok := id.StringValueOK(); ok {
		return s
	}
	return id.String()
}
