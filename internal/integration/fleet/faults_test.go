package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
)

// In these tests each account is behind, and Twilio lists them in pages of twenty: three bulks.
const (
	bulks    = 3
	bulkSize = 20
)

func newFleetBehind(t *testing.T, terms terms) *fleet {
	t.Helper()
	terms.isEmbedded = true
	f := newFleet(t, bulks*bulkSize, terms)
	f.lagBehind(t)
	return f
}

func (f *fleet) syncInBulks(t *testing.T) result {
	t.Helper()
	return f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: bulkSize})
}

// passing are troubles that a bulk can have once.
func passing() map[string]mongotest.Fault {
	faults := map[string]mongotest.Fault{
		"a reply that is lost":                    mongotest.LostReply("update"),
		"a connection that is reset":              {CloseBefore: true},
		"an answer after the store's time":        {Delay: 1500 * time.Millisecond},
		"a write concern that times out":          {Code: 64, WriteConcern: true},
		"an index that refuses for a moment":      {Code: 11000},
		"rights that are missing for a moment":    {Code: 13},
		"one write that meets a primary's end":    {Code: 189, Ops: []int{3}},
		"a reply that is lost, after some writes": {CloseAfter: true, Code: 189, Ops: []int{0, 5, 7}},
	}
	for _, code := range []int32{91, 189, 10107, 11600} {
		labels := []string{"RetryableWriteError"}
		faults[fmt.Sprintf("code %d before the writes", code)] = mongotest.Fault{Code: code, Labels: labels}
		faults[fmt.Sprintf("code %d after the writes", code)] = mongotest.Fault{Code: code, Labels: labels, AfterExecution: true}
	}
	return faults
}

func TestWhatPassesFailsNoDocumentAndWritesNoneTwice(t *testing.T) {
	t.Parallel()
	for name, fault := range passing() {
		for _, isSingly := range []bool{false, true} {
			for nth := 1; nth <= bulks; nth++ {
				t.Run(fmt.Sprintf("%s, driver repeats %t, bulk %d", name, !isSingly, nth), func(t *testing.T) {
					t.Parallel()
					f := newFleetBehind(t, terms{isSingly: isSingly, patience: time.Second})
					others := f.others(t)
					once := fault
					once.Command, once.Nth = "update", nth
					f.server.Inject(once)
					r := f.syncInBulks(t)
					requireClean(t, r)
					f.requireEqual(t)
					assertSame(t, others, f.others(t))
					assert.Equal(t, bulks*bulkSize, r.Changed)
					assert.Len(t, r.of(twilioacct.EventChanged), r.Changed)
					for sid, rev := range f.revisions(t) {
						assert.EqualValues(t, 2, rev, sid)
					}
				})
			}
		}
	}
}

func TestWhatLastsFailsWhatIsLeftAndTheNextRunRepairsIt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"no rights any more":           {Code: 13},
		"no primary any more":          {Code: 10107, Labels: []string{"RetryableWriteError"}},
		"a server that shuts down":     {Code: 91},
		"connections that are reset":   {CloseBefore: true},
		"replies that are lost":        {CloseAfter: true},
		"a server that hangs":          {Delay: time.Hour},
		"writes that are not durable":  {Code: 64, WriteConcern: true},
		"each write refused by itself": {Code: 121, Ops: allOf(bulkSize)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleetBehind(t, terms{patience: time.Second})
			others := f.others(t)
			fault.Command, fault.Nth, fault.Times = "update", 2, -1
			f.server.Inject(fault)
			r := f.syncInBulks(t)
			require.NoError(t, r.err, "failures are the documents', not the run's")
			assert.True(t, r.Complete)
			assert.Equal(t, bulkSize, r.Changed)
			assert.Equal(t, (bulks-1)*bulkSize, r.Failed)
			f.requireAccounted(t, r)
			for id, err := range r.failures() {
				assert.Len(t, id, 24)
				assertStores(t, err)
			}
			f.server.ClearFaults()
			f.requireRepaired(t)
			assertSame(t, others, f.others(t))
		})
	}
}

// assertStores finds a failure to be the Store's, with nothing of the write in its text.
func assertStores(t *testing.T, err error) {
	t.Helper()
	var failure *twilioacct.StoreError
	assert.ErrorAs(t, err, &failure)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), oldToken)
}

func allOf(n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, i)
	}
	return numbers
}

func TestSingleWritesThatAreRefusedStopNoOthers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"by a validator":                       {Code: 121},
		"by a unique index":                    mongotest.DuplicateKey("update", bson.D{field("name", 1)}),
		"because the document is too large":    {Code: 10334},
		"because something else is in the way": {Code: 28},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleetBehind(t, terms{})
			fault.Command, fault.Nth, fault.Ops, fault.Message = "update", 2, []int{0, 7, 19}, "refused "+oldToken
			f.server.Inject(fault)
			r := f.syncInBulks(t)
			require.NoError(t, r.err)
			f.requireAccounted(t, r)
			assert.Len(t, r.failures(), 3)
			assert.Equal(t, bulks*bulkSize-3, r.Changed)
			for _, err := range r.failures() {
				assertStores(t, err)
			}
			f.requireRepaired(t)
		})
	}
}

func TestASlowServerOnlyTakesItsTime(t *testing.T) {
	t.Parallel()
	f := newFleetBehind(t, terms{})
	for _, command := range []string{"find", "getMore", "update"} {
		f.server.Inject(mongotest.Fault{Command: command, Delay: 150 * time.Millisecond, Times: -1})
	}
	began := time.Now()
	requireClean(t, f.syncInBulks(t))
	f.requireEqual(t)
	assert.Less(t, time.Since(began), 5*time.Second)
}

func TestWhatSomebodyElseWroteMeanwhileIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"and all is well":                      {},
		"and the look is reset":                {Command: "find", CloseBefore: true},
		"and the look is refused for a moment": {Command: "find", Code: 13},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleetBehind(t, terms{isSingly: true})
			newer := map[string]bool{}
			for _, a := range f.fake.Subaccounts()[:7] {
				newer[a.SID] = true
			}
			f.sent.before("update", func(nth int) {
				if nth != bulks {
					return
				}
				for sid := range newer {
					f.fake.RotateToken(sid)
					_, err := f.accounts.UpdateOne(t.Context(), bson.D{field("twilio_account.sid", sid)},
						bson.D{field("$set", bson.D{field("twilio_account.note", "theirs")}), field("$inc", bson.D{field("twilio_account.rev", 1)})})
					assert.NoError(t, err)
				}
				f.server.Inject(fault)
			})
			r := f.syncInBulks(t)
			requireClean(t, r)
			f.requireEqual(t)
			for sid, rev := range f.revisions(t) {
				assert.Equal(t, map[bool]int64{false: 2, true: 3}[newer[sid]], rev)
			}
		})
	}
}

func TestALookThatFailsForGoodIsAFailureOfThoseDocumentsAlone(t *testing.T) {
	t.Parallel()
	f := newFleetBehind(t, terms{index: isPlain})
	copied := f.fake.Subaccounts()[30].SID
	f.insert(t, held(copied, oldToken, "copy", int64(5)))
	f.server.Inject(mongotest.Fault{Command: "find", Code: 13, Nth: 2, Times: -1})
	r := f.syncInBulks(t)
	f.server.ClearFaults()
	require.NoError(t, r.err)
	f.requireAccounted(t, r)
	assert.ElementsMatch(t, f.idsOf(t, copied), documentIDs(r.of(twilioacct.EventFailed)))
	for _, err := range r.failures() {
		assertStores(t, err)
	}
	f.requireRepaired(t)
}

func TestACopyThatIsNotWrittenFailsUntilTheNextRun(t *testing.T) {
	t.Parallel()
	f := newFleetBehind(t, terms{index: isPlain})
	copied := f.fake.Subaccounts()[30].SID
	f.insert(t, held(copied, oldToken, "copy", int64(5)))
	f.server.Inject(mongotest.Fault{
		Command: "update", Code: 13, Match: func(c bson.Raw) bool { return c.Lookup("updates", "0", "q", "_id").Type != 0 }, Nth: 2,
	})
	r := f.syncInBulks(t)
	require.NoError(t, r.err)
	f.requireAccounted(t, r)
	assert.ElementsMatch(t, f.idsOf(t, copied), documentIDs(r.of(twilioacct.EventFailed)))
	for _, err := range r.failures() {
		assert.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	}
	f.requireRepaired(t)
}
