package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

// document is the JSON as a reader of it sees it.
type document struct {
	Health []map[string]any `json:"health"`
	Error  map[string]any   `json:"error"`
}

// checked takes the time of each check, which must be in RFC 3339 and just now, out of the document.
func checked(t *testing.T, got try.Result) []map[string]any {
	t.Helper()
	var doc document
	got.Document(t, &doc)
	for _, h := range doc.Health {
		at, err := time.Parse(time.RFC3339, h["last_checked"].(string))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), at, time.Minute)
		delete(h, "last_checked")
	}
	return doc.Health
}

func TestHealthIsTheStatusAndWhatFollowsFromIt(t *testing.T) {
	fake := twiliotest.NewServer(t)
	active, trial, closed := fake.AddSubaccount("Active"), fake.AddSubaccount("Trial"), fake.AddSubaccount("Closed")
	fake.SetType(trial.SID, "Trial")
	fake.SetStatus(closed.SID, twiliotest.Closed)
	env := try.Online(fake)

	got := program.Run(t, env, active.SID, trial.SID, "-json", closed.SID)

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, []map[string]any{
		{"sid": active.SID, "name": "Active", "status": "active", "type": "Full", "is_active": true, "is_trial": false},
		{"sid": trial.SID, "name": "Trial", "status": "active", "type": "Trial", "is_active": true, "is_trial": true},
		{"sid": closed.SID, "name": "Closed", "status": "closed", "type": "Full", "is_active": false, "is_trial": false},
	}, checked(t, got))
	got.HoldsNoSecret(t, fake, env)
}

func TestASuspendedAccountIsAValueAndAnAlert(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	fake.SetStatus(acme.SID, twiliotest.Suspended)

	got := program.Run(t, try.Online(fake), "-json", acme.SID)

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, []map[string]any{
		{"sid": acme.SID, "name": "Acme", "status": "suspended", "type": "Full", "is_active": false, "is_trial": false},
	}, checked(t, got))
	assert.Contains(t, got.Stderr, "Alert: Twilio account "+acme.SID+" (Acme) is suspended.\n")
}

func TestAnAccountThatCannotBeSeenIsNotActive(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	const unknown = "ACffffffffffffffffffffffffffffffff"

	got := program.Run(t, try.Online(fake), "-json", unknown, acme.SID)

	assert.Equal(t, 1, got.Status)
	health := checked(t, got)
	require.Len(t, health, 2)
	assert.Subset(t, health[0], map[string]any{"sid": unknown, "is_active": false})
	assert.Subset(t, health[0]["error"], map[string]any{"kind": "not_found", "code": 20404.0})
	assert.Equal(t, true, health[1]["is_active"])
	assert.NotContains(t, health[1], "error")
}

func TestAnAPIKeyIsEnough(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	env := try.OnlineByKey(fake, twiliotest.MainKey)

	got := program.Run(t, env, "-json", acme.SID)

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, true, checked(t, got)[0]["is_active"])
	got.HoldsNoSecret(t, fake, env)
}

func TestWithoutCredentialsTheFakesOwnAccountsAreShown(t *testing.T) {
	env := setup.Offline()
	defer env.Close()

	got := program.Run(t, nil)

	assert.Equal(t, 1, got.Status, "two of them fail on purpose")
	assert.Equal(t, "SID                                 NAME            STATUS     TYPE   ACTIVE  TRIAL\n"+
		env.Demo.Active+"  Falcon Flights  active     Full   yes     no\n"+
		env.Demo.Suspended+"  Heron Hotels    suspended  Full   no      no\n"+
		env.Demo.Trial+"  Plover Post     active     Trial  yes     yes\n", got.Stdout)
	assert.Regexp(t, "^Offline: .*\nAlert: .*\n"+env.Demo.Missing+": not_found .*\n"+env.Demo.Foreign+": forbidden .*\n$", got.Stderr)
	twin := twiliotest.NewServer(t) // of the same seed, so of the same tokens
	twin.AddSubaccounts(3)
	got.HoldsNoSecret(t, twin, nil)
}

func TestSIDsGivenOfflineAreLookedUpInTheFake(t *testing.T) {
	env := setup.Offline()
	defer env.Close()

	got := program.Run(t, nil, env.Demo.Trial, "-json")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, []map[string]any{
		{"sid": env.Demo.Trial, "name": "Plover Post", "status": "active", "type": "Trial", "is_active": true, "is_trial": true},
	}, checked(t, got))
}

func TestBadUsageIsRefused(t *testing.T) { program.RefusesBadUsage(t) }

func TestCtrlCEndsItAndEveryAccountIsAccountedFor(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()

	got := program.RunIn(ctx, t, try.Online(fake), "-json", acme.SID, fake.Parent().SID)

	assert.Equal(t, 1, got.Status)
	for _, h := range checked(t, got) {
		assert.Equal(t, false, h["is_active"])
		assert.Subset(t, h["error"], map[string]any{"kind": "other", "message": "context canceled"})
	}
}
