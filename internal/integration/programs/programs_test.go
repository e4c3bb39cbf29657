package programs

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestMain(m *testing.M) { os.Exit(Main(m, "./examples/...")) }

// run starts a program with that environment and no other of Twilio's or MongoDB's.
func run(t *testing.T, env map[string]string, program string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := Command(t.Context(), env, program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// killed runs a program until its time has come, and kills it then, unless it has ended.
func killed(t *testing.T, hasCome func() bool, env map[string]string, program string, args ...string) {
	t.Helper()
	cmd := Command(t.Context(), env, program, args...)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed or not
		close(ended)
	}()
	for isAlive := true; isAlive && !hasCome(); {
		select {
		case <-ended:
			isAlive = false
		default:
		}
	}
	_ = cmd.Process.Kill() // it may have ended this moment
	<-ended
}

// afterMore is true once that many more requests have come.
func afterMore(fake *twiliotest.Server, requests int) func() bool {
	until := fake.Count("") + requests
	return func() bool { return fake.Count("") >= until }
}

// world is a fake Twilio and a collection with the documents of an application, and the environment that names both.
func world(t *testing.T) (*twiliotest.Server, *mongo.Collection, map[string]string) {
	t.Helper()
	fake := twiliotest.NewServer(t)
	server := mongotest.Start(t)
	accounts := server.Collection(t)
	return fake, accounts, map[string]string{
		"TWILIO_ACCOUNT_SID": fake.Parent().SID,
		"TWILIO_AUTH_TOKEN":  fake.Parent().AuthToken,
		"TWILIO_BASE_URL":    fake.URL(),
		"MONGODB_URI":        server.URI(),
		"MONGODB_DATABASE":   accounts.Database().Name(),
		"MONGODB_COLLECTION": accounts.Name(),
	}
}

func insert(t *testing.T, accounts *mongo.Collection, sid string) {
	t.Helper()
	_, err := accounts.InsertOne(t.Context(), bson.D{
		{Key: "name", Value: "Falcon Flights"},
		{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid}, {Key: "authToken", Value: "old"}, {Key: "note", Value: "keep"}}},
	})
	require.NoError(t, err)
}

func document(t *testing.T, accounts *mongo.Collection, sid string) bson.Raw {
	t.Helper()
	raw, err := accounts.FindOne(t.Context(), bson.D{{Key: "twilio_account.sid", Value: sid}}).Raw()
	require.NoError(t, err)
	return raw
}

func TestTheAccountProgramUpdatesTheApplicationsDocuments(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	acme, other := fake.AddSubaccount("Falcon Flights"), fake.AddSubaccount("Owl Post")
	fake.SetStatus(acme.SID, twiliotest.Suspended)
	insert(t, accounts, acme.SID)

	stdout, stderr, status := run(t, env, "account", "-json", acme.SID, other.SID, "ACffffffffffffffffffffffffffffffff")
	assert.Equal(t, 1, status, stderr)
	var got struct{ Accounts []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(stdout), &got), stdout)
	require.Len(t, got.Accounts, 3)
	assert.Equal(t, true, got.Accounts[0]["stored"])
	assert.Equal(t, "suspended", got.Accounts[0]["status"])
	assert.Equal(t, false, got.Accounts[1]["stored"])
	assert.Equal(t, "not_found", got.Accounts[2]["error"].(map[string]any)["kind"])
	assert.NotContains(t, stdout+stderr, acme.AuthToken)
	assert.NotContains(t, stdout+stderr, fake.Parent().AuthToken)

	raw := document(t, accounts, acme.SID)
	assert.Equal(t, acme.AuthToken, raw.Lookup("twilio_account", "authToken").StringValue())
	assert.Equal(t, "suspended", raw.Lookup("twilio_account", "status").StringValue())
	assert.Equal(t, "keep", raw.Lookup("twilio_account", "note").StringValue())
	n, err := accounts.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, n, "no document is made")
}

func TestWithAnAPIKeyTheStatusIsWrittenAndTheTokenStays(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	insert(t, accounts, acme.SID)
	key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
	delete(env, "TWILIO_AUTH_TOKEN")
	env["TWILIO_API_KEY"], env["TWILIO_API_SECRET"] = key.SID, key.Secret

	stdout, stderr, status := run(t, env, "account", acme.SID, "-json")
	assert.Equal(t, 0, status, stderr)
	assert.Contains(t, stdout, `"has_auth_token": false`)
	raw := document(t, accounts, acme.SID)
	assert.Equal(t, "old", raw.Lookup("twilio_account", "authToken").StringValue())
	assert.Equal(t, "active", raw.Lookup("twilio_account", "status").StringValue())
}

func TestTheQuickstartWorksOnARealStoreAndChangesNothingAtTwilio(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	insert(t, accounts, fake.AddSubaccount("Falcon Flights").SID)
	stdout, stderr, status := run(t, env, "quickstart")
	assert.Equal(t, 0, status, stderr)
	assert.Contains(t, stdout, "Falcon Flights")
	assert.Contains(t, stdout, "ErrForbidden")
	for _, r := range fake.Requests() {
		assert.Equal(t, "GET", r.Method)
	}
}

func TestTheQuickstartIsThereInASecond(t *testing.T) {
	t.Parallel()
	start := time.Now()
	stdout, stderr, status := run(t, nil, "quickstart")
	assert.Equal(t, 0, status, stderr)
	assert.NotEmpty(t, stdout)
	assert.Less(t, time.Since(start), 5*time.Second, "a second, with room for a busy machine")
}

func TestADatabaseThatIsAwayIsAStoreError(t *testing.T) {
	t.Parallel()
	fake, _, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	env["MONGODB_URI"] = "mongodb://user:verysecret@127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=300"
	stdout, stderr, status := run(t, env, "account", "-json", acme.SID)
	assert.Equal(t, 1, status)
	var got struct{ Accounts []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(stdout), &got), stdout)
	require.Len(t, got.Accounts, 1)
	assert.Len(t, got.Accounts[0], 2, "the SID and its error, nothing else")
	assert.Equal(t, acme.SID, got.Accounts[0]["sid"])
	assert.Contains(t, stdout, `"kind": "store"`)
	assert.NotContains(t, stdout+stderr, "verysecret")

	stdout, stderr, status = run(t, env, "health", "-json", acme.SID)
	assert.Equal(t, 0, status, "health needs no store: %s", stderr)
	assert.Contains(t, stdout, `"is_active": true`)
}

func TestTheHealthProgramNamesASuspendedAccount(t *testing.T) {
	t.Parallel()
	fake, _, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	fake.SetStatus(acme.SID, twiliotest.Suspended)
	stdout, stderr, status := run(t, env, "health", "-json", acme.SID)
	assert.Equal(t, 0, status, stderr)
	var got struct{ Health []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(stdout), &got), stdout)
	assert.Equal(t, false, got.Health[0]["is_active"])
	assert.Equal(t, "suspended", got.Health[0]["status"])
}
