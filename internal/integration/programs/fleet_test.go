package programs

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// insertFleet makes a document for each account, with an old token and some field of the application's.
func insertFleet(t *testing.T, accounts *mongo.Collection, sids []string) {
	t.Helper()
	documents := make([]any, 0, len(sids))
	for i, sid := range sids {
		documents = append(documents, bson.D{
			{Key: "plan", Value: i},
			{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid}, {Key: "authToken", Value: "old"}, {Key: "note", Value: "keep"}}},
		})
	}
	_, err := accounts.InsertMany(t.Context(), documents)
	require.NoError(t, err)
}

// synced is the JSON of syncall.
type synced struct {
	Listed, Synced, Changed, Unchanged, Gone int
	Failed                                   []struct {
		SID, ID string
		Error   map[string]any
	}
	Orphans       []map[string]string `json:"orphan_documents"`
	Unknown       int                 `json:"unknown_accounts"`
	StatusChanges []map[string]string `json:"status_changes"`
	Error         map[string]any
}

func syncAll(t *testing.T, env map[string]string, wantStatus int, args ...string) synced {
	t.Helper()
	stdout, stderr, status := run(t, env, "syncall", append(args, "-json")...)
	assert.Equal(t, wantStatus, status, stderr)
	var got synced
	require.NoError(t, json.Unmarshal([]byte(stdout), &got), stdout)
	assert.NotContains(t, stdout+stderr, env["TWILIO_AUTH_TOKEN"])
	return got
}

func TestSyncAllBringsTheApplicationsDocumentsUpToDate(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	sids := fake.AddSubaccounts(1500)
	fake.SetStatus(sids[7], twiliotest.Suspended)
	const nobodys = "ACffffffffffffffffffffffffffffffff"
	insertFleet(t, accounts, append(sids[:100:100], nobodys))

	dry := syncAll(t, env, 1, "-dry-run")
	assert.Equal(t, "old", document(t, accounts, sids[0]).Lookup("twilio_account", "authToken").StringValue(), "nothing was written")
	wet := syncAll(t, env, 1)

	require.Len(t, dry.Failed, 1)
	dry.Failed[0].Error["request_id"] = wet.Failed[0].Error["request_id"]
	assert.Equal(t, wet, dry, "a dry run counts as a real one does")
	assert.Equal(t, 1501, wet.Listed)
	assert.Equal(t, 100, wet.Changed)
	assert.Equal(t, 1400, wet.Unknown)
	assert.Equal(t, nobodys, wet.Failed[0].SID)
	assert.Len(t, wet.Failed[0].ID, 24, "the document's own key")
	assert.Equal(t, "not_found", wet.Failed[0].Error["kind"])
	assert.Equal(t, []map[string]string{{"sid": nobodys, "id": wet.Failed[0].ID}}, wet.Orphans)
	assert.Len(t, wet.StatusChanges, 100, "no document had a status")
	raw := document(t, accounts, sids[7])
	acme, _ := fake.Account(sids[7])
	assert.Equal(t, acme.AuthToken, raw.Lookup("twilio_account", "authToken").StringValue())
	assert.Equal(t, "suspended", raw.Lookup("twilio_account", "status").StringValue())
	assert.Equal(t, "keep", raw.Lookup("twilio_account", "note").StringValue())
	assert.EqualValues(t, 7, raw.Lookup("plan").Int32())

	again := syncAll(t, env, 1, "-mark-gone")
	assert.Equal(t, 0, again.Changed)
	assert.Equal(t, 100, again.Unchanged)
	marked := syncAll(t, env, 0)
	assert.Equal(t, 1, marked.Gone)
	assert.Empty(t, marked.Failed)
}

func TestADocumentWhoseKeyIsANumberIsNamedByThatNumber(t *testing.T) {
	t.Parallel()
	_, accounts, env := world(t)
	const nobodys = "ACffffffffffffffffffffffffffffffff"
	_, err := accounts.InsertMany(t.Context(), []any{
		bson.D{{Key: "_id", Value: int64(7)}, {Key: "twilio_account", Value: bson.D{{Key: "sid", Value: nobodys}}}},
		bson.D{{Key: "_id", Value: 8}, {Key: "twilio_account", Value: bson.D{{Key: "sid", Value: "nonsense"}}}},
	})
	require.NoError(t, err)

	stdout, stderr, status := run(t, env, "syncall", "-mark-gone")
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "1  document marked closed, as Twilio has deleted its account\n")
	assert.Contains(t, stderr, "document 7: Twilio account "+nobodys+" is no more: Twilio has deleted it, and its document is marked closed.\n")
	assert.Contains(t, stderr, "document 8: nons…: store: Scan nons…: mongostore: document 8: ")
	assert.NotContains(t, stdout+stderr, "$number")
	assert.Equal(t, "closed", document(t, accounts, nobodys).Lookup("twilio_account", "status").StringValue())

	stdout, stderr, status = run(t, env, "dashboard")
	assert.Equal(t, 1, status)
	assert.NotContains(t, stdout+stderr, "$number")
	stdout, _, _ = run(t, env, "syncall", "-json")
	assert.Contains(t, stdout, `"id": "{\"$number`, "a program reads the key as the library gives it")
}

// start starts a program, whose standard output or error is read line by line.
func start(t *testing.T, env map[string]string, program string, args ...string) (cmd *exec.Cmd, stdout, stderr *bufio.Scanner) {
	t.Helper()
	cmd = Command(t.Context(), env, program, args...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out), bufio.NewScanner(errs)
}

func TestSyncAllRunsAgainAndAgainUntilItIsTerminated(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	insert(t, accounts, acme.SID)
	cmd, stdout, _ := start(t, env, "syncall", "-watch", "1s", "-json")

	var runs []synced
	for stdout.Scan() {
		var got synced
		require.NoError(t, json.Unmarshal(stdout.Bytes(), &got), stdout.Text())
		runs = append(runs, got)
		switch len(runs) {
		case 1:
			fake.SetStatus(acme.SID, twiliotest.Suspended)
		case 2:
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}

	assert.NoError(t, cmd.Wait(), "the exit status is that of the last run")
	require.Len(t, runs, 2)
	assert.Equal(t, 1, runs[0].Changed)
	assert.Equal(t, []map[string]string{{"sid": acme.SID, "before": "active", "after": "suspended"}}, runs[1].StatusChanges)
}

func TestTheDashboardHasTheKeysOfTheApplicationsDocuments(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	fake.SetType(acme.SID, "Trial")
	insert(t, accounts, acme.SID)
	id := document(t, accounts, acme.SID).Lookup("_id").ObjectID().Hex()

	stdout, stderr, status := run(t, env, "dashboard", "-json")

	assert.Equal(t, 0, status, stderr)
	assert.JSONEq(t, `{"total":1,"active":1,"suspended":0,"closed":0,"trial":1,"full":0,"unknown":0,"failed":0,"accounts":[
		{"id":"`+id+`","sid":"`+acme.SID+`","name":"Falcon Flights","status":"active","type":"Trial"}]}`, stdout)
	assert.Equal(t, "old", document(t, accounts, acme.SID).Lookup("twilio_account", "authToken").StringValue(), "nothing is written")
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
	}
}

func TestTheDashboardsPageIsServedUntilTheProgramIsTerminated(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	acme := fake.AddSubaccount("Falcon Flights")
	insert(t, accounts, acme.SID)
	id := document(t, accounts, acme.SID).Lookup("_id").ObjectID().Hex()
	cmd, _, stderr := start(t, env, "dashboard", "-http", "localhost:0")
	var address string
	for address == "" && stderr.Scan() {
		address = regexp.MustCompile(`http://\S+|$`).FindString(stderr.Text())
	}
	require.NotEmpty(t, address)

	answer, err := http.Get(address + "?q=falcon")
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "<code>"+id+"</code>")
	assert.NotContains(t, string(body), acme.AuthToken)
	for stderr.Scan() && !strings.Contains(stderr.Text(), "Authentication is the application's") {
		t.Log(stderr.Text())
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	assert.NoError(t, cmd.Wait(), "which is a good end")
}

func TestOfflineBothFleetProgramsAreThereInAMoment(t *testing.T) {
	t.Parallel()
	for program, wantStatus := range map[string]int{"syncall": 1, "dashboard": 1} {
		start := time.Now()
		stdout, stderr, status := run(t, nil, program)
		assert.Equal(t, wantStatus, status, stderr)
		assert.Contains(t, stdout, "5,000 documents")
		assert.Less(t, time.Since(start), 10*time.Second, "half a second, with room for a busy machine")
	}
}
