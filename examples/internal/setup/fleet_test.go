package setup

import (
	"context"
	"errors"
	"hash/maphash"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
)

var seed = maphash.MakeSeed()

// compared is how the documents and the accounts of a fleet differ.
type compared struct {
	Accounts, Documents               int // at Twilio with the parent, in the store
	Active, Suspended, Closed, Trial  int
	SameStatus, SameToken, NoDocument int
	Closings                          int // documents of accounts that are gone, closed before
	Vanished, Foreign                 int
}

func compare(t *testing.T, env *Env) compared {
	t.Helper()
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	store := env.Options.Store
	var c compared
	listed := map[string]bool{}
	for a, err := range provider.Accounts(t.Context(), nil) {
		require.NoError(t, err)
		listed[a.SID] = true
		c.Accounts++
		count(&c.Active, a.Status == twilioacct.StatusActive)
		count(&c.Suspended, a.Status == twilioacct.StatusSuspended)
		count(&c.Closed, a.Status == twilioacct.StatusClosed)
		count(&c.Trial, a.Type == twilioacct.TypeTrial)
		record, err := store.Load(t.Context(), a.SID)
		count(&c.NoDocument, errors.Is(err, twilioacct.ErrNoRecord))
		count(&c.SameStatus, record.Status == a.Status)
		count(&c.SameToken, record.AuthToken.Equal(a.AuthToken))
	}
	for sid := range records(t.Context(), t, store) {
		c.Documents++
		if listed[sid] {
			continue
		}
		_, err := provider.Account(t.Context(), sid)
		record, loadErr := store.Load(t.Context(), sid)
		require.NoError(t, loadErr)
		closed := record.Status == twilioacct.StatusClosed
		count(&c.Closings, errors.Is(err, twilioacct.ErrNotFound) && closed)
		count(&c.Vanished, errors.Is(err, twilioacct.ErrNotFound) && !closed)
		count(&c.Foreign, errors.Is(err, twilioacct.ErrForbidden))
	}
	return c
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

func records(ctx context.Context, t *testing.T, store twilioacct.Store) map[string]bool {
	t.Helper()
	scanner, ok := twilioacct.StoreAs[twilioacct.Scanner](store)
	require.True(t, ok)
	sids := map[string]bool{}
	for entry, err := range scanner.Scan(ctx, seed) {
		require.NoError(t, err)
		sids[entry.SID] = true
	}
	return sids
}

func TestTheOfflineFleetIsAsItsDocumentationSays(t *testing.T) {
	t.Parallel()
	env := OfflineFleet()
	defer env.Close()

	assert.Equal(t, compared{
		Accounts: 5001, Documents: 5000,
		Active: 5001 - 12 - 8, Suspended: 12, Closed: 8, Trial: 200,
		SameStatus: 5001 - 1 - 5 - 5 - 3, SameToken: 5001 - 1 - 5 - 4 - 3, NoDocument: 1 + 5,
		Closings: 1, Vanished: 2, Foreign: 2,
	}, compare(t, env))
}

func TestTheOfflineFleetIsTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	one, other := OfflineFleet(), OfflineFleet()
	defer one.Close()
	defer other.Close()

	assert.Equal(t, one.Parent, other.Parent)
	assert.Equal(t, records(t.Context(), t, one.Options.Store), records(t.Context(), t, other.Options.Store))
}

func TestAsTimePassesAFewAccountsAreSuspendedForAWhile(t *testing.T) {
	t.Parallel()
	env := OfflineFleet()
	defer env.Close()
	before := compare(t, env)
	for passed := range 120 {
		env.TimePasses()
		if passed == 0 {
			assert.Equal(t, before.Suspended+1, compare(t, env).Suspended)
		}
	}
	after := compare(t, env)
	assert.Equal(t, before.Suspended+suspensions, after.Suspended)
	assert.Equal(t, before.Closed, after.Closed)
	assert.Less(t, after.SameToken, before.SameToken)
}

func TestNoTwoCompaniesHaveTheSameName(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i := range FleetSize + leavers {
		names[companyName(i)] = true
	}
	assert.Len(t, names, FleetSize+leavers)
	for _, name := range oddNames {
		assert.LessOrEqual(t, len([]rune(name)), 64, "Twilio takes no longer one: %s", name)
	}
}
