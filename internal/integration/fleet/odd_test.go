package fleet_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

type accountValue func(twiliotest.Account) any

// ignored are values of twilio_account that hold no account.
var ignored = map[string]accountValue{
	"null":                 func(twiliotest.Account) any { return nil },
	"a number":             func(twiliotest.Account) any { return 7 },
	"a text":               func(a twiliotest.Account) any { return a.SID },
	"an empty array":       func(twiliotest.Account) any { return bson.A{} },
	"an array of texts":    func(a twiliotest.Account) any { return bson.A{a.SID} },
	"an empty document":    func(twiliotest.Account) any { return bson.D{} },
	"a SID of null":        func(twiliotest.Account) any { return bson.D{field("sid", nil)} },
	"an empty SID":         func(twiliotest.Account) any { return bson.D{field("sid", "")} },
	"a SID that is number": func(twiliotest.Account) any { return bson.D{field("sid", 7)} },
	"a SID in a document":  func(a twiliotest.Account) any { return bson.D{field("sid", bson.D{field("sid", a.SID)})} },
}

// unreadable are values that hold an account, or nearly, and cannot be synced before somebody has mended them.
var unreadable = map[string]accountValue{
	"an array of accounts":              func(a twiliotest.Account) any { return bson.A{bson.D{field("sid", a.SID)}} },
	"an array of SIDs":                  func(a twiliotest.Account) any { return bson.D{field("sid", bson.A{a.SID})} },
	"half a SID":                        func(a twiliotest.Account) any { return bson.D{field("sid", a.SID[:20])} },
	"a SID with a space":                func(a twiliotest.Account) any { return bson.D{field("sid", " "+a.SID)} },
	"the SID of a key":                  func(a twiliotest.Account) any { return bson.D{field("sid", "SK"+a.SID[2:])} },
	"a status that is a number":         with("status", 7),
	"a status that is an array":         with("status", bson.A{"active"}),
	"a token that is a number":          with("authToken", 7),
	"a token that is a document":        with("authToken", bson.D{field("sealed", oldToken)}),
	"a revision below zero":             with("rev", int64(-1)),
	"a revision with a fraction":        with("rev", 7.5),
	"a revision that is text":           with("rev", "7"),
	"a revision after which none comes": with("rev", int64(math.MaxInt64)),
}

// strange are values that look odd and hold an account all the same.
var strange = map[string]accountValue{
	"a revision that is a double":   with("rev", 7.0),
	"a revision of null":            with("rev", nil),
	"a revision of many digits":     with("rev", int64(1)<<40),
	"a status of null":              with("status", nil),
	"an empty status":               with("status", ""),
	"a status that nobody knows":    with("status", "frozen"),
	"a status as long as a letter":  with("status", strings.Repeat("s", 500)),
	"a token of null":               with("authToken", nil),
	"an empty token":                with("authToken", ""),
	"two megabytes beside the rest": with("blob", strings.Repeat("b", 2<<20)),
	"many other fields":             with("history", bson.A{1, "two", bson.D{field("sid", sidOf(1))}, nil}),
	"API keys that cannot be read":  with("note", bson.D{field("voice", 7)}),
	"another case of the field's name": func(a twiliotest.Account) any {
		return bson.D{field("SID", 7), field("Status", 7), field("sid", a.SID)}
	},
}

func with(key string, value any) accountValue {
	return func(a twiliotest.Account) any {
		return bson.D{field("sid", a.SID), field(key, value), field("last", 1)}
	}
}

// insertOdd gives the next accounts such documents, with their descriptions as ids, and returns the SIDs.
func (f *fleet) insertOdd(t *testing.T, values map[string]accountValue) map[string]string {
	t.Helper()
	sids := map[string]string{}
	for name, value := range values {
		a := f.fake.AddSubaccount(name)
		sids[name] = a.SID
		f.insert(t, bson.D{field("_id", name), field("twilio_account", value(a)), field("after", 1)})
	}
	return sids
}

func TestAnOddDocumentIsSyncedOrFailsByNameAndTheOthersAreSynced(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30, terms{index: isPlain})
	f.populate(t)
	f.insertOdd(t, ignored)
	f.insertOdd(t, unreadable)
	sids := f.insertOdd(t, strange)
	f.insert(t, bson.D{field("_id", "capitals"), field("twilio_account", bson.D{field("sid", "AC"+strings.Repeat("AB", 16))})})
	before, others := f.snapshot(t), f.others(t)

	r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 13})
	require.NoError(t, r.err)
	f.requireAccounted(t, r)
	assertSame(t, others, f.others(t))
	failures := r.failures()
	require.ErrorIs(t, failures["capitals"], twilioacct.ErrInvalid, "Twilio writes no SID like that")
	delete(failures, "capitals")
	for name := range unreadable {
		var odd *mongostore.DocumentError
		require.ErrorAs(t, failures[name], &odd, name)
		assert.Equal(t, name, odd.ID)
		assert.Contains(t, odd.Path, "twilio_account")
		delete(failures, name)
	}
	assert.Empty(t, failures)
	for name, sid := range sids {
		record, err := f.store.Load(t.Context(), sid)
		require.NoError(t, err, name)
		assert.Equal(t, "active", string(record.Status), name)
		assert.NotZero(t, record.Rev, name)
	}
	after := f.snapshot(t)
	for _, values := range []map[string]accountValue{ignored, unreadable} {
		for id := range values {
			assert.Equal(t, before["string "+id], after["string "+id], id)
		}
	}
	assert.Equal(t, 30+len(strange)+len(unreadable)+1, r.Documents)
	assert.Equal(t, r.Documents, r.Changed+r.Unchanged+r.Failed+r.Gone)
}

func TestADocumentsIDIsToldAsTextWhateverItIs(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0, terms{})
	uuid := bson.Binary{Subtype: 4, Data: []byte("0123456789abcdef")}
	ids := []any{
		bson.NewObjectID(), "a text", "0123456789abcdef01234567", "01234567-89ab-cdef-0123-456789abcdef", int32(7), int64(8), 9.5, uuid, true,
		bson.NewDateTimeFromTime(time.UnixMilli(1)), bson.D{field("tenant", "acme"), field("n", 1)}, strings.Repeat("ü", 300), "",
	}
	for i, id := range ids {
		f.insert(t, append(bson.D{field("_id", id)}, holding(f.fake.AddSubaccount("").SID)...))
		f.insert(t, append(bson.D{field("_id", bson.D{field("odd", id)})}, holding(fmt.Sprint("nonsense ", i))...))
	}
	wanted := map[string]int{}
	for _, d := range f.documents(t) {
		wanted[idText(d)]++
	}
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	require.NoError(t, r.err)
	f.requireEqual(t)
	found := map[string]int{}
	for _, e := range append(r.of(twilioacct.EventChanged), r.of(twilioacct.EventFailed)...) {
		found[e.DocumentID]++
	}
	assert.Equal(t, wanted, found)
	assert.Len(t, r.of(twilioacct.EventChanged), len(ids))
}

func TestAllDocumentsOfASIDAreWrittenAndEachIsToldAsADuplicate(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30, terms{index: isPlain})
	f.populate(t)
	accounts := f.fake.Subaccounts()
	twice, often, equal := accounts[1], accounts[4], accounts[5]
	f.insert(t, held(twice.SID, oldToken, "copy", int64(1)))
	f.insert(t, held(often.SID, often.AuthToken, often.Status, int64(9)), held(often.SID, "another", "copy", int64(9)), holding(often.SID))
	f.insert(t, held(equal.SID, equal.AuthToken, f.statusOf(t, equal.SID), int64(3)))
	before := f.others(t)

	r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 7})
	requireClean(t, r)
	f.requireEqual(t)
	assertSame(t, before, f.others(t))
	assert.Equal(t, 3, r.Duplicates)
	assert.Equal(t, 35, r.Documents)
	assert.Equal(t, r.Documents, r.Changed+r.Unchanged)
	assert.ElementsMatch(t, f.idsOf(t, twice.SID, often.SID, equal.SID), documentIDs(r.of(twilioacct.EventDuplicate)))

	again := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 7})
	requireClean(t, again)
	assert.Zero(t, again.Changed)
	assert.Len(t, again.of(twilioacct.EventDuplicate), 8, "until somebody mends it")
}

func TestACopyThatCannotBeReadFailsByNameAndTheOtherDocumentIsSynced(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 10, terms{index: isPlain})
	f.populate(t)
	behind, upToDate := f.fake.Subaccounts()[2], f.fake.Subaccounts()[0]
	for id, a := range map[string]twiliotest.Account{"odd-1": behind, "odd-2": upToDate} {
		f.insert(t, bson.D{field("_id", id), field("twilio_account", bson.D{field("sid", a.SID), field("status", 7)})})
	}
	before := f.snapshot(t)
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	require.NoError(t, r.err)
	f.requireAccounted(t, r)
	failures := r.failures()
	assert.Len(t, failures, 2)
	after := f.snapshot(t)
	for _, id := range []string{"odd-1", "odd-2"} {
		require.ErrorContains(t, failures[id], id)
		assert.Equal(t, before["string "+id], after["string "+id])
	}
}

func TestADocumentWithAnArrayOfSIDsIsNeverWrittenInAnothersPlace(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]func(sid string) bson.A{
		"the SID":           func(sid string) bson.A { return bson.A{sid} },
		"null and the SID":  func(sid string) bson.A { return bson.A{nil, sid} },
		"a document and it": func(sid string) bson.A { return bson.A{bson.D{field("x", 1)}, sid} },
	} {
		for _, index := range []index{isPlain, isNone} {
			t.Run(name+", "+index.String(), func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 1, terms{index: index})
				sid := f.fake.Subaccounts()[0].SID
				f.insert(t, bson.D{field("_id", "odd"), field("twilio_account", bson.D{field("sid", list(sid))})}, holding(sid))
				before := f.snapshot(t)["string odd"]
				r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
				require.NoError(t, r.err)
				assert.Equal(t, before, f.snapshot(t)["string odd"])
				f.requireAccounted(t, r)
			})
		}
	}
}

func TestACopyThatIsTooStrangeForTheLedgerIsADuplicateAllTheSame(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]accountValue{"status": strange["a status as long as a letter"], "revision": strange["a revision of many digits"]} {
		for _, isFirst := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", first ", isFirst), func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 0, terms{index: isPlain})
				a := f.fake.AddSubaccount("")
				both := []bson.D{holding(a.SID), {field("_id", "strange"), field("twilio_account", value(a))}}
				if isFirst {
					slices.Reverse(both)
				}
				f.insert(t, both...)
				r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
				requireClean(t, r)
				f.requireEqual(t)
				assert.Equal(t, 1, r.Duplicates)
				assert.Equal(t, 2, r.Changed)
				assert.ElementsMatch(t, f.idsOf(t, a.SID), documentIDs(r.of(twilioacct.EventDuplicate)))
			})
		}
	}
}

func (f *fleet) statusOf(t *testing.T, sid string) string {
	t.Helper()
	a, ok := f.fake.Account(sid)
	require.True(t, ok)
	return a.Status
}

// idsOf are the ids of all documents that hold one of the SIDs.
func (f *fleet) idsOf(t *testing.T, sids ...string) (ids []string) {
	t.Helper()
	for _, d := range f.documents(t) {
		for _, sid := range sids {
			if text(d, "sid") == sid {
				ids = append(ids, idText(d))
			}
		}
	}
	return ids
}

func documentIDs(events []twilioacct.SyncEvent) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.DocumentID)
	}
	return ids
}
