package fleet_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestADashboardShowsEachDocumentByItsOwnID(t *testing.T) {
	t.Parallel()
	n := size(5000)
	f := newFleet(t, n, terms{index: isPlain})
	f.populate(t)
	accounts := f.fake.Subaccounts()
	f.fake.SetType(accounts[1].SID, "Trial")
	f.fake.SetStatus(accounts[2].SID, "frozen")
	f.fake.Rename(accounts[4].SID, "<b>مرحبا</b>")
	before := f.snapshot(t)

	d, err := f.provider.Dashboard(t.Context())
	require.NoError(t, err)
	assert.Equal(t, n, d.Total)
	assert.Equal(t, 1, d.Trial)
	assert.Equal(t, n-1, d.Full)
	assert.Equal(t, 1, d.Unknown)
	assert.Equal(t, n-1, d.Active+d.Suspended+d.Closed)
	assert.Zero(t, d.Failed)
	counted := map[twilioacct.Status]int{}
	rows := map[string]twilioacct.DashboardRow{}
	for _, row := range d.Accounts {
		counted[row.Status]++
		rows[row.ID] = row
	}
	assert.Equal(t, map[twilioacct.Status]int{"active": d.Active, "suspended": d.Suspended, "closed": d.Closed, "frozen": 1}, counted)
	wanted := map[string]twilioacct.DashboardRow{}
	for _, document := range f.documents(t) {
		if a, ok := f.fake.Account(text(document, "sid")); ok {
			id := document.Lookup("_id").ObjectID().Hex()
			wanted[id] = twilioacct.DashboardRow{
				ID: id, SID: a.SID, Name: a.FriendlyName, Status: twilioacct.Status(a.Status), Type: twilioacct.AccountType(a.Type),
			}
		}
	}
	assertSame(t, wanted, rows)

	assertSame(t, before, f.snapshot(t))
	scan, rest := f.sent.scan()
	assert.LessOrEqual(t, len(scan), 1+n/1000)
	assert.Empty(t, rest)
	assert.Equal(t, 1+n/1000, f.fake.Count(""))
}

func TestADashboardCountsWhatItCannotShowAsFailed(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 10, terms{index: isPlain})
	f.populate(t)
	f.insertOdd(t, ignored)
	f.insertOdd(t, unreadable)
	f.insertOdd(t, strange)
	twice := f.fake.Subaccounts()[3]
	f.insert(t, append(bson.D{field("_id", "twice")}, held(twice.SID, oldToken, "copy", int64(1))...))
	foreign, vanished := f.fake.AddForeignAccount(20403), f.fake.AddSubaccount("Vanished")
	f.insert(t, append(bson.D{field("_id", "foreign")}, holding(foreign.SID)...), append(bson.D{field("_id", "vanished")}, holding(vanished.SID)...))
	f.fake.DeleteAccount(vanished.SID)
	f.fake.ForgetRequests()

	d, err := f.provider.Dashboard(t.Context())
	require.NoError(t, err)
	reasons := map[string]error{}
	for _, failure := range d.Failures {
		reasons[failure.ID] = failure.Err
	}
	require.Len(t, reasons, d.Failed)
	assert.Equal(t, len(unreadable)+2, d.Failed)
	assert.Len(t, d.Accounts, 10+1+len(strange))
	assert.Equal(t, d.Total, d.Failed+len(d.Accounts))
	for name := range unreadable {
		var odd *mongostore.DocumentError
		require.ErrorAs(t, reasons[name], &odd, name)
		assert.Equal(t, name, odd.ID)
	}
	for _, name := range []string{"foreign", "vanished"} {
		require.ErrorIs(t, reasons[name], twilioacct.ErrNotFound)
	}
	assert.Zero(t, f.fake.Count("FetchAccount"))
	copies := 0
	for _, row := range d.Accounts {
		if row.SID == twice.SID {
			copies++
		}
	}
	assert.Equal(t, 2, copies)
}

func TestADashboardAsJSONHasNoTokenAndNoFailureButItsNumber(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 5, terms{})
	f.populate(t)
	f.insert(t, holding(sidOf(1)))
	d, err := f.provider.Dashboard(t.Context())
	require.NoError(t, err)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	for _, a := range append(f.fake.Subaccounts(), f.fake.Parent()) {
		assert.NotContains(t, string(text), a.AuthToken)
	}
	assert.NotContains(t, string(text), oldToken)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	assert.Len(t, fields["accounts"], 5)
	delete(fields, "accounts")
	assert.Equal(t, map[string]any{
		"total": 6.0, "active": 4.0, "suspended": 1.0, "closed": 0.0, "trial": 0.0, "full": 5.0, "unknown": 0.0, "failed": 1.0,
	}, fields)
}

func TestADashboardWhoseListingBreaksOffSaysSoForWhatItDidNotShow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1500, terms{})
	f.insert(t, holding(f.fake.Subaccounts()[0].SID), holding(f.fake.Subaccounts()[1499].SID))
	f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Code: 20403, Status: 403, Times: twiliotest.Always})
	d, err := f.provider.Dashboard(t.Context())
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	require.Len(t, d.Failures, 1)
	require.ErrorIs(t, d.Failures[0].Err, twilioacct.ErrForbidden)
	assert.Equal(t, f.fake.Subaccounts()[0].SID, d.Failures[0].SID, "the oldest is listed last")
	assert.Len(t, d.Accounts, 1)
}
