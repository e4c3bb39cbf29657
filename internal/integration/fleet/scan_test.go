package fleet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// several are so many documents that a scan takes several batches.
const several = 2100

// large is a fleet of that size, of which little is behind.
func large(t *testing.T, terms terms) *fleet {
	t.Helper()
	f := newFleet(t, several, terms)
	var documents []bson.D
	for i, a := range f.fake.Subaccounts() {
		token := a.AuthToken
		if i%100 == 0 {
			token = oldToken
		}
		documents = append(documents, held(a.SID, token, a.Status, int64(1)))
	}
	f.insert(t, documents...)
	return f
}

func TestAScanThatBreaksOffIsTheRunsErrorAndChangesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"refused at its beginning":         {Command: "find", Code: 13},
		"reset at its beginning":           {Command: "find", CloseBefore: true, Times: -1}, // the driver repeats it
		"refused after a batch":            {Command: "getMore", Code: 13},
		"with a cursor that is lost":       {Command: "getMore", Code: 43},
		"reset after a batch":              {Command: "getMore", CloseBefore: true},
		"after a batch, the answer's lost": {Command: "getMore", CloseAfter: true},
		"after a batch, by silence":        {Command: "getMore", Delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := large(t, terms{isEmbedded: true, patience: 3 * time.Second})
			f.provider = f.with(t, f.store.Store) // which is impatient in its scans, too
			before := f.snapshot(t)
			f.server.Inject(fault)
			r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
			f.server.ClearFaults()
			require.NotEmpty(t, f.sent.all(fault.Command))
			assertStores(t, r.err)
			assert.Empty(t, r.events)
			assert.False(t, r.Complete)
			assert.Empty(t, f.sent.all("update"))
			assertSame(t, before, f.snapshot(t))

			f.server.Inject(fault)
			d, err := f.provider.Dashboard(t.Context())
			f.server.ClearFaults()
			assertStores(t, err)
			assert.Zero(t, d.Total)
			assert.Empty(t, d.Accounts)
			assert.Empty(t, d.Failures)
			f.requireRepaired(t)
		})
	}
}

func TestAScanThatIsResetOnceAtItsBeginningIsRepeated(t *testing.T) {
	t.Parallel()
	f := large(t, terms{isEmbedded: true})
	f.server.Inject(mongotest.Fault{Command: "find", CloseBefore: true})
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{}))
	f.requireEqual(t)
}

func TestADocumentThatIsWrittenWhileItIsScannedIsCountedAndWrittenOnce(t *testing.T) {
	t.Parallel()
	f := large(t, terms{})
	behind := f.fake.Subaccounts()[several/100*100-100]
	f.sent.before("getMore", func(nth int) {
		if nth == 1 {
			_, err := f.with(t, f.store).Sync(t.Context(), behind.SID)
			assert.NoError(t, err)
		}
	})
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	require.NotEmpty(t, f.sent.all("getMore"))
	require.Equal(t, several, r.Documents)
	f.requireEqual(t)
	assert.EqualValues(t, 2, f.revisions(t)[behind.SID])
}

func TestWhatIsSyncedBetweenTheFirstPageAndTheScanIsNotUndone(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 30, terms{})
	f.lagBehind(t)
	rotated, suspended := f.fake.Subaccounts()[10].SID, f.fake.Subaccounts()[20].SID
	f.sent.before("find", func(nth int) {
		if nth > 1 {
			return // the scan is the first
		}
		assert.Eventually(t, func() bool { return len(f.fake.Requests()) == 1 && f.fake.Requests()[0].Status == 200 }, 10*time.Second, time.Millisecond)
		f.fake.RotateToken(rotated)
		f.fake.SetStatus(suspended, twiliotest.Suspended)
		for _, sid := range []string{rotated, suspended} {
			_, err := f.with(t, f.store).Sync(t.Context(), sid)
			assert.NoError(t, err)
		}
	})
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	f.requireEqual(t)
	for sid, rev := range f.revisions(t) {
		assert.EqualValues(t, 2, rev, sid)
	}
}
