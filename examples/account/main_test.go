package main

import (
	"bytes"
	"context"
	"errors"
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

// document is the JSON as a reader of it sees it.
type document struct {
	Accounts []map[string]any `json:"accounts"`
	Error    map[string]any   `json:"error"`
}

func TestEachAccountIsPrintedWithAllItsFactsAndNothingElse(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme <& Söhne>")
	env := try.Online(fake)

	got := program.Run(t, env, "-json", acme.SID)

	assert.Equal(t, 0, got.Status)
	var doc document
	got.Document(t, &doc)
	assert.Equal(t, []map[string]any{{
		"sid":               acme.SID,
		"friendly_name":     "Acme <& Söhne>",
		"status":            "active",
		"type":              "Full",
		"owner_account_sid": fake.Parent().SID,
		"date_created":      acme.DateCreated.UTC().Format(time.RFC3339),
		"date_updated":      acme.DateUpdated.UTC().Format(time.RFC3339),
		"uri":               "/2010-04-01/Accounts/" + acme.SID + ".json",
		"has_auth_token":    true,
		"stored":            false,
	}}, doc.Accounts)
	assert.Equal(t, "MONGODB_URI is not set: the store is in memory (MemStore), empty now and gone when the program ends.\n", got.Stderr)
	got.HoldsNoSecret(t, fake, env)
}

func TestAnAccountThatFailedHasOnlyItsSIDAndItsError(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme, foreign := fake.AddSubaccount("Acme"), fake.AddForeignAccount(20403)
	const unknown = "ACffffffffffffffffffffffffffffffff"

	got := program.Run(t, try.Online(fake), unknown, acme.SID, foreign.SID, "-json", "nonsense")

	assert.Equal(t, 1, got.Status)
	var doc document
	got.Document(t, &doc)
	require.Len(t, doc.Accounts, 4)
	for i := range doc.Accounts {
		if problem, ok := doc.Accounts[i]["error"].(map[string]any); ok && problem["request_id"] != "" {
			problem["request_id"] = "RQ"
		}
	}
	assert.Equal(t, map[string]any{"sid": unknown, "error": map[string]any{
		"kind": "not_found", "code": 20404.0, "status": 404.0, "request_id": "RQ",
		"message":   "The requested resource /2010-04-01/Accounts/" + unknown + ".json was not found",
		"more_info": "https://www.twilio.com/docs/errors/20404",
	}}, doc.Accounts[0])
	assert.Equal(t, acme.SID, doc.Accounts[1]["sid"])
	assert.NotContains(t, doc.Accounts[1], "error")
	assert.Equal(t, map[string]any{"sid": foreign.SID, "error": map[string]any{
		"kind": "forbidden", "code": 20403.0, "status": 403.0, "request_id": "RQ",
		"message": "Forbidden", "more_info": "https://www.twilio.com/docs/errors/20403",
	}}, doc.Accounts[2])
	assert.Equal(t, map[string]any{"sid": "nonsense", "error": map[string]any{
		"kind": "invalid", "code": 0.0, "status": 0.0, "request_id": "",
		"message": `account SID "nons…" is not AC and 32 hex digits`, "more_info": "",
	}}, doc.Accounts[3])
}

func TestAnAccountThatWasFetchedButNotStoredHasOnlyItsErrorInJSONAndARowInTheTable(t *testing.T) {
	t.Parallel()
	const sid = "AC0123456789abcdef0123456789abcdef"
	results := []result{{
		SyncResult: twilioacct.SyncResult{Account: twilioacct.Account{SID: sid, FriendlyName: "Acme", Status: twilioacct.StatusActive}},
		sid:        sid,
		err:        &twilioacct.StoreError{Op: "Save", SID: sid, Err: errors.New("no primary")},
	}}
	var stdout, stderr bytes.Buffer
	require.NoError(t, show(report.Output{Stdout: &stdout, Stderr: &stderr, JSON: true}, results))
	assert.JSONEq(t, `{"accounts":[{"sid":"`+sid+`","error":{
		"kind":"store","code":0,"status":0,"message":"Save `+sid+`: no primary","request_id":"","more_info":""}}]}`, stdout.String())

	stdout.Reset()
	require.NoError(t, show(report.Output{Stdout: &stdout, Stderr: &stderr}, results))
	assert.Regexp(t, sid+"  Acme  active .* failed\n$", stdout.String())
	assert.Equal(t, sid+": store: Save "+sid+": no primary. Check the database, then run it again.\n", stderr.String())
}

func TestATokenThatTwilioHidesFromAnAPIKeyIsNoFailure(t *testing.T) {
	for name, form := range map[string]twiliotest.HiddenToken{
		"an empty one": twiliotest.TokenEmpty, "a null": twiliotest.TokenNull, "none": twiliotest.TokenAbsent,
	} {
		t.Run(name, func(t *testing.T) {
			fake := twiliotest.NewServer(t, twiliotest.WithHiddenToken(form))
			acme := fake.AddSubaccount("Acme")
			env := try.OnlineByKey(fake, twiliotest.MainKey)

			got := program.Run(t, env, "-json", acme.SID)

			assert.Equal(t, 0, got.Status)
			var doc document
			got.Document(t, &doc)
			require.Len(t, doc.Accounts, 1)
			assert.Equal(t, false, doc.Accounts[0]["has_auth_token"])
			assert.Equal(t, "active", doc.Accounts[0]["status"])
			got.HoldsNoSecret(t, fake, env)
		})
	}
}

func TestTheTokenWinsOverAnAPIKey(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	env := try.OnlineByKey(fake, twiliotest.StandardKey)
	env["TWILIO_AUTH_TOKEN"] = fake.Parent().AuthToken

	got := program.Run(t, env, "-json", acme.SID)

	assert.Equal(t, 0, got.Status)
	got.HoldsNoSecret(t, fake, env)
}

func TestCredentialsThatTwilioRefusesAreEachAccountsError(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	env := try.OnlineByKey(fake, twiliotest.StandardKey)

	got := program.Run(t, env, "-json", acme.SID, fake.Parent().SID)

	assert.Equal(t, 1, got.Status)
	var doc document
	got.Document(t, &doc)
	require.Len(t, doc.Accounts, 2)
	for _, a := range doc.Accounts {
		assert.Subset(t, a["error"], map[string]any{"kind": "unauthenticated", "code": 20003.0, "status": 401.0})
	}
	got.HoldsNoSecret(t, fake, env)
}

func TestATokenInThePlaceOfASIDIsNotPrinted(t *testing.T) {
	fake := twiliotest.NewServer(t)
	for _, args := range [][]string{{"-json"}, nil} {
		got := program.Run(t, try.Online(fake), append(args, fake.Parent().AuthToken)...)
		assert.Equal(t, 1, got.Status)
		got.HoldsNoSecret(t, fake, nil)
	}
}

func TestWithoutCredentialsTheFakesOwnAccountsAreShown(t *testing.T) {
	got := program.Run(t, nil, "-json")

	assert.Equal(t, 1, got.Status, "two of them fail on purpose")
	assert.Equal(t, "Offline: no Twilio credentials are set, so this runs on a fake Twilio (twiliotest) and a store in memory (MemStore).\n",
		got.Stderr)
	var doc document
	got.Document(t, &doc)
	var seen []string
	for _, a := range doc.Accounts {
		if problem, ok := a["error"].(map[string]any); ok {
			seen = append(seen, problem["kind"].(string))
			continue
		}
		kept := "without a document"
		if a["stored"] == true {
			kept = "stored"
		}
		seen = append(seen, a["status"].(string)+" "+a["type"].(string)+" "+kept)
	}
	assert.Equal(t, []string{"active Full stored", "suspended Full stored", "active Trial without a document", "not_found", "forbidden"}, seen)
}

func TestSIDsGivenOfflineAreLookedUpInTheFake(t *testing.T) {
	env := setup.Offline()
	defer env.Close()

	assert.Equal(t, 0, program.Run(t, nil, env.Demo.Active).Status)
	assert.Equal(t, 0, program.Run(t, nil, env.Demo.Suspended, "-json").Status)
	assert.Equal(t, 1, program.Run(t, nil, env.Demo.Missing).Status)
}

func TestOfflineNothingOfTheEnvironmentIsUsed(t *testing.T) {
	got := program.Run(t, try.Env{"MONGODB_URI": "mongodb://127.0.0.1:1", "TWILIO_BASE_URL": "http://127.0.0.1:1"}, setup.Offline().Demo.Active)

	assert.Equal(t, 0, got.Status)
	assert.Contains(t, got.Stderr, "TWILIO_BASE_URL is not used. MONGODB_URI is not used.\n")
}

func TestTheTableShowsAccountsAndStandardErrorTheRest(t *testing.T) {
	env := setup.Offline()
	defer env.Close()

	got := program.Run(t, nil)

	rows := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	today := time.Now().UTC().Format(time.DateOnly)
	assert.Equal(t, []string{
		"SID                                 NAME            STATUS     TYPE   CREATED     AUTH TOKEN  DOCUMENT",
		env.Demo.Active + "  Falcon Flights  active     Full   " + today + "  fetched     updated",
		env.Demo.Suspended + "  Heron Hotels    suspended  Full   " + today + "  fetched     updated",
		env.Demo.Trial + "  Plover Post     active     Trial  " + today + "  fetched     none",
	}, rows)
	lines := strings.Split(strings.TrimSpace(got.Stderr), "\n")
	require.Len(t, lines, 3)
	assert.Regexp(t, "^"+env.Demo.Missing+": not_found .*20404.* Check the SID", lines[1])
	assert.Regexp(t, "^"+env.Demo.Foreign+": forbidden .*20403.* Use the credentials of the parent", lines[2])
}

func TestBadUsageIsRefused(t *testing.T) { program.RefusesBadUsage(t) }

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: account [-json] SID...")
}

func TestAMongoDBThatDoesNotAnswerIsOneSentenceWithoutThePassword(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("Acme")
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json", acme.SID)

	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stderr, "no MongoDB server answered")
	assert.Equal(t, 1, strings.Count(got.Stderr, "\n"))
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	var doc document
	got.Document(t, &doc)
	require.Len(t, doc.Accounts, 1)
	assert.Equal(t, acme.SID, doc.Accounts[0]["sid"])
	failure, _ := doc.Accounts[0]["error"].(map[string]any)
	assert.Equal(t, "store", failure["kind"])
	assert.Zero(t, fake.Count(""), "Twilio is not asked for what cannot be kept")
}

func TestCtrlCEndsItAndEveryAccountIsAccountedFor(t *testing.T) {
	fake := twiliotest.NewServer(t)
	first, second := fake.AddSubaccount("First"), fake.AddSubaccount("Second")
	fake.Inject(twiliotest.Fault{Hang: true, Times: twiliotest.Always})
	ctx, interrupt := context.WithCancel(t.Context())
	defer time.AfterFunc(50*time.Millisecond, interrupt).Stop()

	start := time.Now()
	got := program.RunIn(ctx, t, try.Online(fake), "-json", first.SID, second.SID)

	assert.Less(t, time.Since(start), 5*time.Second)
	assert.Equal(t, 1, got.Status)
	var doc document
	got.Document(t, &doc)
	require.Len(t, doc.Accounts, 2)
	for _, a := range doc.Accounts {
		assert.Subset(t, a["error"], map[string]any{"kind": "other", "message": "context canceled"})
	}
}
