package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

const unknown = "ACffffffffffffffffffffffffffffffff"

// document is the JSON as a reader of it sees it.
type document struct {
	Accounts   []map[string]any `json:"accounts"`
	Account    map[string]any   `json:"account"`
	Did        string           `json:"did"`
	EndedCalls *int             `json:"ended_calls"`
	Error      map[string]any   `json:"error"`
}

func read(t *testing.T, got try.Result) document {
	t.Helper()
	var doc document
	got.Document(t, &doc)
	return doc
}

// facts is how the account should be in the JSON.
func facts(a twiliotest.Account, parent string) map[string]any {
	return map[string]any{
		"sid":               a.SID,
		"friendly_name":     a.FriendlyName,
		"status":            a.Status,
		"type":              "Full",
		"owner_account_sid": parent,
		"date_created":      a.DateCreated.UTC().Format(time.RFC3339),
		"date_updated":      a.DateUpdated.UTC().Format(time.RFC3339),
		"uri":               "/2010-04-01/Accounts/" + a.SID + ".json",
		"has_auth_token":    true,
	}
}

func TestTheListHasAllSubaccountsAndNotTheParent(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme, heron := fake.AddSubaccount("Acme <& Söhne>"), fake.AddSubaccount("Heron")
	fake.SetStatus(heron.SID, twiliotest.Suspended)
	heron, _ = fake.Account(heron.SID)
	env := try.Online(fake)

	got := program.Run(t, env, "list", "-json")

	assert.Equal(t, 0, got.Status)
	parent := fake.Parent().SID
	assert.Equal(t, document{Accounts: []map[string]any{facts(heron, parent), facts(acme, parent)}}, read(t, got))
	got.HoldsNoSecret(t, fake, env)

	got = program.Run(t, env, "list")

	today := time.Now().UTC().Format(time.DateOnly)
	assert.Equal(t, "SID                                 NAME            STATUS     TYPE  CREATED\n"+
		heron.SID+"  Heron           suspended  Full  "+today+"\n"+
		acme.SID+"  Acme <& Söhne>  active     Full  "+today+"\n", got.Stdout)
	got.HoldsNoSecret(t, fake, env)
}

func TestAParentWithoutSubaccountsHasAnEmptyList(t *testing.T) {
	got := program.Run(t, try.Online(twiliotest.NewServer(t)), "-json", "list")
	assert.Equal(t, 0, got.Status)
	assert.JSONEq(t, `{"accounts":[]}`, got.Stdout)
}

func TestAListThatBreaksOffShowsWhatCameBefore(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(1500)
	fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Code: 20001})

	got := program.Run(t, try.Online(fake), "list", "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Len(t, doc.Accounts, 1000)
	assert.Equal(t, "invalid", doc.Error["kind"])
	assert.Contains(t, got.Stderr, "invalid (code 20001, request ")
}

func TestASubaccountIsMadeOnceAndThenFound(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.Online(fake)

	got := program.Run(t, env, "create", "Falcon Flights", "-json")

	assert.Equal(t, 0, got.Status)
	made := fake.Subaccounts()[0]
	assert.Equal(t, document{Account: facts(made, fake.Parent().SID), Did: "made"}, read(t, got))
	got.HoldsNoSecret(t, fake, env)

	again := program.Run(t, env, "-json", "create", "Falcon Flights")

	assert.Equal(t, 0, again.Status)
	assert.Equal(t, document{Account: facts(made, fake.Parent().SID), Did: "found"}, read(t, again))
	assert.Contains(t, again.Stderr, "There is a subaccount of that name already: no other one is made.\n")
	assert.Len(t, fake.Subaccounts(), 1)
	assert.Equal(t, 1, fake.Count("CreateAccount"))
}

func TestAPersonReadsWhatWasDone(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.Online(fake)

	got := program.Run(t, env, "create", "Falcon Flights")

	assert.Equal(t, 0, got.Status)
	assert.Regexp(t, `^SID +NAME +STATUS +TYPE +CREATED\nAC[0-9a-f]{32}  Falcon Flights  active +Full .*\n$`, got.Stdout)
	assert.Contains(t, got.Stderr, "The subaccount was made.\n")
	got.HoldsNoSecret(t, fake, env)
}

func TestTwoOfOneNameAreNotThree(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccount("Acme")
	fake.AddSubaccount("Acme")

	got := program.Run(t, try.Online(fake), "-json", "create", "Acme")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "failed", doc.Did)
	assert.Equal(t, "ambiguous", doc.Error["kind"])
	assert.Len(t, fake.Subaccounts(), 2)
}

func TestAListThatIsNotThereSaysNothingOfANameAndNothingIsMade(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.Inject(twiliotest.Fault{Operation: "ListAccount", Status: http.StatusNotFound, Code: twiliotest.NoCode})

	got := program.Run(t, try.Online(fake), "create", "Acme", "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "failed", doc.Did)
	assert.Equal(t, "unavailable", doc.Error["kind"])
	assert.Contains(t, got.Stderr, "Check the account's SID, and TWILIO_BASE_URL if it is set.\n")
	assert.Empty(t, fake.Subaccounts())
}

func TestASubaccountIsRenamedSuspendedAndReactivated(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	env := try.Online(fake)
	for _, step := range []struct {
		args         []string
		did          string
		name, status string
	}{
		{[]string{"rename", acme.SID, "Acme Air"}, "renamed", "Acme Air", "active"},
		{[]string{"suspend", acme.SID}, "suspended", "Acme Air", "suspended"},
		{[]string{"suspend", acme.SID}, "suspended", "Acme Air", "suspended"},
		{[]string{"reactivate", acme.SID}, "reactivated", "Acme Air", "active"},
	} {
		got := program.Run(t, env, append(step.args, "-json")...)

		assert.Equal(t, 0, got.Status)
		doc := read(t, got)
		assert.Equal(t, step.did, doc.Did)
		assert.Nil(t, doc.EndedCalls)
		is, _ := fake.Account(acme.SID)
		assert.Equal(t, step.name, is.FriendlyName)
		assert.Equal(t, step.status, is.Status)
		assert.Equal(t, facts(is, fake.Parent().SID), doc.Account)
		goOn := strings.Contains(got.Stderr, "Calls that are under way go on, and cost on: -end-calls ends them.\n")
		assert.Equal(t, step.did == "suspended", goOn)
		got.HoldsNoSecret(t, fake, env)
	}
}

func TestASuspensionEndsTheCallsThatAreUnderWayIfItIsToldTo(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	fake.AddCall(acme.SID, "in-progress")
	fake.AddCall(acme.SID, "ringing")
	fake.AddCall(acme.SID, "completed")

	got := program.Run(t, try.Online(fake), "suspend", acme.SID, "-end-calls", "-json")

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, "suspended", doc.Did)
	require.NotNil(t, doc.EndedCalls)
	assert.Equal(t, 2, *doc.EndedCalls)
	for _, call := range fake.Calls(acme.SID) {
		assert.Equal(t, "completed", call.Status)
	}

	got = program.Run(t, try.Online(fake), "suspend", acme.SID, "-end-calls")

	assert.Contains(t, got.Stderr, "Ended 0 calls.\nThe subaccount was suspended.\n")
	assert.NotContains(t, got.Stderr, "go on")
}

func TestCallsThatCouldNotBeEndedLeaveTheAccountSuspended(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	fake.AddCall(acme.SID, "in-progress")
	fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Code: 20001})

	got := program.Run(t, try.Online(fake), "suspend", "-end-calls", acme.SID, "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "suspended", doc.Did)
	assert.Equal(t, acme.SID, doc.Account["sid"])
	assert.Zero(t, *doc.EndedCalls)
	assert.Equal(t, "invalid", doc.Error["kind"])
}

func TestWhatTwilioRefusesIsFailedAndSaysWhatToDo(t *testing.T) {
	fake := twiliotest.NewServer(t)
	closed, theirs := fake.AddSubaccount("Closed"), fake.AddSubaccount("Theirs")
	fake.SetStatus(closed.SID, twiliotest.Closed)
	fake.SuspendByTwilio(theirs.SID)
	env := try.Online(fake)
	for name, c := range map[string]struct {
		args         []string
		kind, advice string
	}{
		"an unknown account":            {[]string{"rename", unknown, "Acme"}, "not_found", "Check the SID"},
		"a closed one":                  {[]string{"suspend", closed.SID}, "closed", "A closed account never comes back"},
		"a closed one comes never back": {[]string{"reactivate", closed.SID}, "closed", "A closed account never comes back"},
		"one that Twilio suspended":     {[]string{"reactivate", theirs.SID}, "suspended", "ask Twilio why it was suspended"},
		"calls of an unknown account":   {[]string{"suspend", unknown, "-end-calls"}, "not_found", "Check the SID"},
	} {
		t.Run(name, func(t *testing.T) {
			got := program.Run(t, env, append(c.args, "-json")...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, "failed", doc.Did)
			assert.Contains(t, got.Stdout, `"account": null`)
			assert.Equal(t, c.kind, doc.Error["kind"])
			assert.Nil(t, doc.EndedCalls)
			assert.Contains(t, got.Stderr, c.advice)
			got.HoldsNoSecret(t, fake, env)

			assert.Empty(t, program.Run(t, env, c.args...).Stdout)
		})
	}
}

func TestALimitThatIsReachedIsSaid(t *testing.T) {
	fake := twiliotest.NewServer(t, twiliotest.WithSubaccountLimit(1))
	fake.AddSubaccount("Acme")

	got := program.Run(t, try.Online(fake), "-json", "create", "Heron")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "conflict", read(t, got).Error["kind"])
}

func TestALostReplyIsNotAFailure(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.Inject(twiliotest.Fault{Operation: "CreateAccount", AfterEffect: true, Reset: true})
	env := try.Online(fake)

	got := program.Run(t, env, "-json", "create", "Acme")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "outcome_unknown", read(t, got).Error["kind"])
	assert.Contains(t, got.Stderr, "Look at Twilio before you try again: it may have been done.\n")

	again := program.Run(t, env, "-json", "create", "Acme")

	assert.Equal(t, "found", read(t, again).Did)
	assert.Len(t, fake.Subaccounts(), 1)
}

func TestOfflineAllVerbsWork(t *testing.T) {
	env := setup.Offline()
	defer env.Close()
	for _, c := range []struct {
		did  string
		args []string
	}{
		{"made", []string{"create", "FalconFlights"}},
		{"found", []string{"create", "Falcon Flights"}},
		{"renamed", []string{"rename", env.Demo.Active, "Falcon"}},
		{"suspended", []string{"suspend", env.Demo.Active, "-end-calls"}},
		{"reactivated", []string{"reactivate", env.Demo.Suspended}},
	} {
		got := program.Run(t, nil, append(c.args, "-json")...)
		assert.Equal(t, 0, got.Status, got.Stderr)
		assert.Equal(t, c.did, read(t, got).Did)
		assert.True(t, strings.HasPrefix(got.Stderr, "Offline: "))
	}

	got := program.Run(t, nil, "list")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, 4, strings.Count(got.Stdout, "\n"))
	assert.Contains(t, got.Stdout, env.Demo.Trial+"  Plover Post     active     Trial")
	twin := twiliotest.NewServer(t) // of the same seed, so of the same tokens
	twin.AddSubaccounts(3)
	got.HoldsNoSecret(t, twin, nil)
}

func TestBadUsageIsRefused(t *testing.T) {
	program.RefusesBadUsageBeside(t, []string{"list"},
		nil,
		[]string{"delete", unknown},
		[]string{"list", unknown},
		[]string{"create"},
		[]string{"rename", unknown},
		[]string{"suspend"},
		[]string{"reactivate", unknown, "Acme"},
		[]string{"list", "-end-calls"},
		[]string{"suspend", "nonsense"},
		[]string{"create", ""},
		[]string{"create", " Acme"},
		[]string{"rename", unknown, strings.Repeat("n", 65)},
	)
}

func TestTheParentIsNoSubaccountOfItself(t *testing.T) {
	fake := twiliotest.NewServer(t)
	for _, args := range [][]string{{"suspend"}, {"reactivate"}, {"suspend", "-end-calls"}} {
		got := program.Run(t, try.Online(fake), append(args, fake.Parent().SID)...)
		assert.Equal(t, 2, got.Status)
		assert.Contains(t, got.Stderr, "is the parent, not a subaccount")
	}
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
	}
}

func TestATokenInThePlaceOfASIDIsNotPrinted(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.Online(fake)
	for _, args := range [][]string{{"suspend"}, {"rename", "Acme"}, {}} {
		got := program.Run(t, env, append(args, fake.Parent().AuthToken)...)
		assert.Equal(t, 2, got.Status)
		got.HoldsNoSecret(t, fake, env)
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: subaccounts [-json] list|create NAME|rename SID NAME|suspend SID|reactivate SID\n")
	for _, v := range verbs {
		assert.Contains(t, got.Stderr, v.Does)
	}
	assert.Contains(t, got.Stderr, "\n  go run ./examples/subaccounts list\n")
}

// failing is a store that keeps nothing.
type failing struct{ *twilioacct.MemStore }

func (failing) Save(context.Context, twilioacct.Record) (twilioacct.Record, error) {
	return twilioacct.Record{}, errors.New("no primary")
}

// with is the tool on a store of the test's own.
func with(t *testing.T, fake *twiliotest.Server, store twilioacct.Store) (on *tool, stdout *bytes.Buffer) {
	t.Helper()
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
	require.NoError(t, err)
	stdout = &bytes.Buffer{}
	return &tool{out: report.Output{Stdout: stdout, Stderr: &bytes.Buffer{}, JSON: true}, provider: provider}, stdout
}

func TestWhatTwilioDidIsShownThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	store := failing{twilioacct.NewMemStore().Making()}
	for _, c := range []struct {
		did, verb string
		args      []string
	}{
		{"made", "create", []string{"Heron"}},
		{"found", "create", []string{"Acme"}},
		{"renamed", "rename", []string{acme.SID, "Acme Air"}},
		{"suspended", "suspend", []string{acme.SID}},
		{"reactivated", "reactivate", []string{acme.SID}},
	} {
		on, stdout := with(t, fake, store)

		status := on.end(on.do(t.Context(), c.verb, c.args))

		assert.Equal(t, 1, status)
		doc := read(t, try.Result{Stdout: stdout.String()})
		assert.Equal(t, c.did, doc.Did)
		assert.NotEmpty(t, doc.Account["sid"])
		assert.Equal(t, "store", doc.Error["kind"])
	}
}

func TestAFoundAccountGetsTheDocumentThatItNeverGot(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	store := twilioacct.NewMemStore().Making()
	on, _ := with(t, fake, store)

	_, err := on.create(t.Context(), "Acme")

	require.NoError(t, err)
	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.AuthToken, kept.AuthToken.Reveal())
	assert.Equal(t, twilioacct.StatusActive, kept.Status)
}

func TestCtrlCEndsIt(t *testing.T) {
	fake := twiliotest.NewServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range [][]string{{"list"}, {"create", "Acme"}, {"suspend", unknown}} {
		got := program.RunIn(ctx, t, try.Online(fake), append(args, "-json")...)
		assert.Equal(t, 1, got.Status)
		assert.Equal(t, "context canceled", read(t, got).Error["message"])
		assert.Contains(t, got.Stderr, "It was interrupted: run it again.")
	}
	assert.Empty(t, fake.Subaccounts())
}

func TestAMongoDBThatDoesNotAnswerIsOneSentence(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json", "create", "Acme")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "store", read(t, got).Error["kind"])
	assert.Equal(t, 1, strings.Count(got.Stderr, "\n"))
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
}
