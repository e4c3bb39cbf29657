package fleet_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

// requireOneEach finds one document for each subaccount, and none for the parent.
func (f *fleet) requireOneEach(t *testing.T) {
	t.Helper()
	holders := map[string]int{}
	for _, d := range f.documents(t) {
		if sid := text(d, "sid"); sid != "" {
			holders[sid]++
		}
	}
	wanted := map[string]int{}
	for _, a := range f.fake.Subaccounts() {
		wanted[a.SID] = 1
	}
	assertSame(t, wanted, holders)
	f.requireEqual(t)
}

func TestAMakingStoreGetsADocumentForEachAccountInBulkButNotForTheParent(t *testing.T) {
	t.Parallel()
	const held, missing, pageSize = 60, 240, 100
	f := newFleet(t, held, terms{isMaking: true})
	f.populate(t)
	before := f.others(t)
	f.fake.AddSubaccounts(missing)
	f.sent.forget()
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: pageSize})
	requireClean(t, r)
	f.requireOneEach(t)
	assert.Equal(t, missing, r.Made)
	assert.Equal(t, held+missing, r.Documents)
	assert.Equal(t, behind(held)+missing, r.Changed)
	assert.Zero(t, r.Unknown)
	assert.LessOrEqual(t, len(f.sent.names()), 1+3*4, "a page is written, looked at and made whole, all at once")

	after := f.others(t)
	for id := range before {
		assert.Equal(t, before[id], after[id])
	}
	made := 0
	for _, d := range f.documents(t) {
		if d.Lookup("name").Type != 0 || text(d, "sid") == "" {
			continue
		}
		made++
		elements, err := d.Lookup("twilio_account").Document().Elements()
		require.NoError(t, err)
		assert.Len(t, elements, 4)
		assert.EqualValues(t, 1, d.Lookup("twilio_account", "rev").AsInt64())
	}
	assert.Equal(t, missing, made)

	f.sent.forget()
	r = f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: pageSize})
	requireClean(t, r)
	assert.Zero(t, r.Changed+r.Made)
	assert.Empty(t, f.sent.all("update"))
}

func TestEightProcessesThatMakeDocumentsMakeOneEach(t *testing.T) {
	t.Parallel()
	n := crowded() / 2
	f := newFleet(t, n, terms{})
	f.populate(t)
	f.fake.AddSubaccounts(n)
	j := f.job()
	j.IsMaking, j.PageSize = true, n/3
	startCrowd(t, j)()
	f.requireOneEach(t)
}

func TestDocumentsAreMadeOnceWhateverBecomesOfTheReply(t *testing.T) {
	t.Parallel()
	first := mongotest.DuplicateKey("update", bson.D{field("twilio_account.sid", 1)}, 3, 4)
	first.Match = isUpsert
	for name, fault := range map[string]mongotest.Fault{
		"it is lost":                    {Command: "update", CloseAfter: true},
		"the connection is reset":       {Command: "update", CloseBefore: true},
		"it is too late":                {Command: "update", WriteConcern: true, Code: 64},
		"somebody else was first":       first, // the embedded server lets writes take turns
		"the look between them is lost": {Command: "find", CloseAfter: true},
	} {
		for nth := 1; nth <= 4; nth++ {
			t.Run(fmt.Sprintf("%s, %d", name, nth), func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 40, terms{isEmbedded: true, isSingly: true, isMaking: true})
				once := fault
				once.Nth = nth
				if once.Command == "find" {
					once.Nth++ // the scan is the first
				}
				f.server.Inject(once)
				r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 21})
				requireClean(t, r)
				f.requireOneEach(t)
			})
		}
	}
}

func isUpsert(update bson.Raw) bool {
	is, _ := update.Lookup("updates", "0", "upsert").BooleanOK()
	return is
}

// byName adopts the document that has the account's name.
func byName(store *mongostore.Store) func(context.Context, twilioacct.Account) (bool, error) {
	return func(ctx context.Context, a twilioacct.Account) (bool, error) {
		return store.Adopt(ctx, a, bson.D{field("name", a.FriendlyName)}, bson.D{field("adopted", true)})
	}
}

// named is a document of an application's that nobody has given an account yet.
func named(name string) bson.D {
	return bson.D{field("name", name), field("tags", bson.A{"a", "b"}), field("twilio_account", bson.D{field("note", "keep")})}
}

func TestAccountsAreAdoptedByTheirNames(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 20, terms{})
	f.populate(t)
	for i := range 6 {
		f.fake.AddSubaccount(fmt.Sprint("Acme ", i))
		f.insert(t, named(fmt.Sprint("Acme ", i)))
	}
	f.insert(t, named("Parent"), named("Nobody"), named("Twins"), named("Twins"))
	twins, stranger := f.fake.AddSubaccount("Twins"), f.fake.AddSubaccount("Stranger")
	before := f.others(t)

	dry := f.sync(t.Context(), twilioacct.SyncAllOptions{DryRun: true, Adopt: byName(f.store.Store)})
	requireClean(t, dry)
	assert.Empty(t, f.sent.all("update"))
	assert.Equal(t, 8, dry.Unknown)
	assertSame(t, before, f.others(t))

	r := f.sync(t.Context(), twilioacct.SyncAllOptions{Adopt: byName(f.store.Store)})
	require.NoError(t, r.err)
	f.requireEqual(t)
	assert.Equal(t, 6, r.Made)
	assert.Equal(t, 26, r.Documents)
	failed := r.of(twilioacct.EventFailed)
	require.Len(t, failed, 1)
	assert.Equal(t, twins.SID, failed[0].SID)
	require.ErrorIs(t, failed[0].Err, twilioacct.ErrAmbiguous)
	unknown := r.of(twilioacct.EventUnknown)
	require.Len(t, unknown, 1)
	assert.Equal(t, stranger.SID, unknown[0].SID)
	f.requireAdopted(t, 6)

	again := f.sync(t.Context(), twilioacct.SyncAllOptions{Adopt: byName(f.store.Store)})
	require.NoError(t, again.err)
	assert.Zero(t, again.Changed+again.Made)
	assert.Equal(t, 26, again.Unchanged)
}

// requireAdopted finds so many documents with the account of their name, and all else as it was in them.
func (f *fleet) requireAdopted(t *testing.T, wanted int) {
	t.Helper()
	adopted := 0
	for _, d := range f.documents(t) {
		if isAdopted, _ := d.Lookup("adopted").BooleanOK(); !isAdopted {
			continue
		}
		adopted++
		account, ok := f.fake.Account(text(d, "sid"))
		require.True(t, ok)
		assert.Equal(t, account.FriendlyName, d.Lookup("name").StringValue())
		assert.Equal(t, "keep", text(d, "note"))
		assert.Equal(t, "b", d.Lookup("tags", "1").StringValue())
		assert.EqualValues(t, 1, d.Lookup("twilio_account", "rev").AsInt64())
	}
	assert.Equal(t, wanted, adopted)
}

func TestEightProcessesThatAdoptGiveEachAccountItsDocument(t *testing.T) {
	t.Parallel()
	const n = 50
	f := newFleet(t, 20, terms{})
	f.populate(t)
	for i := range n {
		f.fake.AddSubaccount(fmt.Sprint("Acme ", i))
		f.insert(t, named(fmt.Sprint("Acme ", i)))
	}
	j := f.job()
	j.IsAdopting, j.PageSize = true, 30
	startCrowd(t, j)()
	f.requireOneEach(t)
	f.requireAdopted(t, n)
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	assert.Zero(t, r.Changed)
}

func TestAnAdoptionThatFailsIsMadeByTheNextRun(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"refused":              {Code: 13},
		"its reply lost":       {CloseAfter: true},
		"its connection reset": {CloseBefore: true},
	} {
		for _, command := range []string{"find", "update"} {
			t.Run(name+", "+command, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 0, terms{isEmbedded: true, isSingly: true})
				for i := range 3 {
					f.fake.AddSubaccount(fmt.Sprint("Acme ", i))
					f.insert(t, named(fmt.Sprint("Acme ", i)))
				}
				once := fault
				once.Command, once.Nth = command, 2
				f.server.Inject(once)
				r := f.sync(t.Context(), twilioacct.SyncAllOptions{Adopt: byName(f.store.Store)})
				require.NoError(t, r.err)
				assert.Equal(t, 1, r.Failed)
				for _, e := range r.of(twilioacct.EventFailed) {
					assert.NotEmpty(t, e.SID)
					assert.NotErrorIs(t, e.Err, twilioacct.ErrNotFound)
				}
				requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{Adopt: byName(f.store.Store)}))
				f.requireOneEach(t)
				f.requireAdopted(t, 3)
			})
		}
	}
}
