package fleet_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

// size is how many accounts a test's fleet may have. The embedded server reads the whole collection for each write.
func size(external int) int {
	const embedded = 500
	if mongotest.External() {
		return external
	}
	return embedded
}

func TestAFleetBecomesWhatTwilioSaysAndAllElseStaysByteForByte(t *testing.T) {
	t.Parallel()
	for _, index := range []index{isUnique, isPlain, isNone} {
		t.Run(index.String(), func(t *testing.T) {
			t.Parallel()
			n := size(5000)
			f := newFleet(t, n, terms{index: index})
			f.populate(t)
			before, revs := f.others(t), f.revisions(t)
			r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: n / 5})
			requireClean(t, r)
			f.requireEqual(t)
			assertSame(t, before, f.others(t))

			assert.Equal(t, n, r.Documents)
			assert.Equal(t, n+1, r.Listed)
			assert.Equal(t, behind(n), r.Changed)
			assert.Equal(t, n-behind(n), r.Unchanged)
			assert.Len(t, r.of(twilioacct.EventChanged), r.Changed)
			for _, e := range r.of(twilioacct.EventChanged) {
				revs[e.SID]++
			}
			assertSame(t, revs, f.revisions(t)) // each change is one write
		})
	}
}

func TestARunIsOneScanAndOneBulkForEachPageWithChanges(t *testing.T) {
	t.Parallel()
	n, pageSize := size(4900), 99
	f := newFleet(t, n, terms{})
	var documents []bson.D
	for i, a := range f.fake.Subaccounts() {
		token := a.AuthToken
		if page := (n - 1 - i) / pageSize; page%2 == 1 && i%7 == 0 { // the newest comes first, the parent last
			token = oldToken
		}
		documents = append(documents, held(a.SID, token, a.Status, int64(1)))
	}
	f.insert(t, documents...)
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: pageSize})
	requireClean(t, r)
	f.requireEqual(t)

	pages := n/pageSize + 1
	assert.Equal(t, pages, f.fake.Count("ListAccount"))
	assert.Equal(t, pages, f.fake.Count(""))
	assert.Equal(t, pages, r.Requests)
	scan, rest := f.sent.scan()
	assert.LessOrEqual(t, len(scan), 1+n/1000)
	assert.Equal(t, append([]string{"listIndexes"}, slices.Repeat([]string{"update"}, pages/2)...), rest)
	assert.Len(t, f.sent.updates(t), r.Changed)
	assert.NotZero(t, r.Changed)
}

func TestAScanAsksForNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, terms{})
	f.populate(t)
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{}))
	finds := f.sent.all("find")
	require.Len(t, finds, 1)
	fields, err := finds[0].Lookup("projection").Document().Elements()
	require.NoError(t, err)
	var shown []string
	for _, e := range fields {
		shown = append(shown, e.Key())
		assert.EqualValues(t, 1, e.Value().AsInt64())
	}
	assert.ElementsMatch(t, []string{"twilio_account.sid", "twilio_account.authToken", "twilio_account.status", "twilio_account.rev"}, shown)
}

func TestEveryBulkIsUnorderedDurableAndOfOneDocumentEach(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30, terms{})
	f.populate(t)
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 7}))
	bulks := f.sent.all("update")
	assert.NotEmpty(t, bulks)
	for _, bulk := range bulks {
		assert.Equal(t, "majority", bulk.Lookup("writeConcern", "w").StringValue())
		assert.False(t, bulk.Lookup("ordered").Boolean())
	}
	for _, u := range f.sent.updates(t) {
		isMany, _ := u.Lookup("multi").BooleanOK()
		assert.False(t, isMany, "the driver never repeats that")
	}
}

func TestNoTokenIsInAnyFilter(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 60, terms{index: isPlain})
	f.populate(t)
	f.insert(t, held(f.fake.Subaccounts()[4].SID, oldToken, "copy", int64(9))) // and what is written one by one
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 7}))
	filters := f.sent.filters(t)
	require.Greater(t, len(filters), behind(60))
	tokens := []string{oldToken, f.fake.Parent().AuthToken}
	for _, a := range f.fake.Subaccounts() {
		tokens = append(tokens, a.AuthToken)
	}
	for _, filter := range filters {
		for _, token := range tokens {
			require.NotContains(t, filter, token)
		}
	}
}

func TestASecondRunWritesNothing(t *testing.T) {
	t.Parallel()
	n := size(5000)
	f := newFleet(t, n, terms{})
	f.populate(t)
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: n / 5}))
	before := f.snapshot(t)
	f.sent.forget()
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	assert.Zero(t, r.Changed)
	assert.Equal(t, n, r.Unchanged)
	assert.Empty(t, r.of(twilioacct.EventChanged))
	assert.Empty(t, f.sent.all("update"))
	assert.Len(t, f.sent.all("find"), 1)
	assertSame(t, before, f.snapshot(t))
}

func TestADryRunSaysWhatARunWouldDoAndWritesNothing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 60, terms{index: isPlain})
	f.populate(t)
	f.insert(t, held(f.fake.Subaccounts()[4].SID, oldToken, "copy", int64(9)), held(sidOf(1), oldToken, "active", nil))
	before := f.snapshot(t)
	dry := f.sync(t.Context(), twilioacct.SyncAllOptions{DryRun: true, MarkGone: true})
	require.NoError(t, dry.err)
	assertSame(t, before, f.snapshot(t))
	assert.Empty(t, f.sent.all("update"))
	wet := f.sync(t.Context(), twilioacct.SyncAllOptions{MarkGone: true})
	require.NoError(t, wet.err)
	f.requireEqual(t)
	wet.Requests = dry.Requests
	assert.Equal(t, wet.SyncReport, dry.SyncReport)
	assert.ElementsMatch(t, told(wet), told(dry))
}

// told are the ids of the changes.
func told(r result) (ids []string) {
	for _, e := range r.of(twilioacct.EventChanged) {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestAnAccountThatIsDeletedIsMarkedOnceAndGoneFromThenOn(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 10, terms{})
	f.populate(t)
	vanished := f.fake.Subaccounts()[2]
	f.fake.DeleteAccount(vanished.SID)
	before := f.others(t)

	r := f.sync(t.Context(), twilioacct.SyncAllOptions{MarkGone: true})
	require.NoError(t, r.err)
	require.Len(t, r.failures(), 1)
	for id, err := range r.failures() {
		require.ErrorIs(t, err, twilioacct.ErrNotFound)
		assert.Len(t, id, 24)
	}
	assert.Equal(t, 1, r.Missing)
	assertSame(t, before, f.others(t))

	f.fake.ForgetRequests()
	r = f.sync(t.Context(), twilioacct.SyncAllOptions{MarkGone: true})
	requireClean(t, r)
	assert.Equal(t, 1, r.Gone)
	assert.Len(t, r.of(twilioacct.EventGone), 1)
	assert.Zero(t, f.fake.Count("FetchAccount"))
}
