package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

// members are those of the JSON of a run that came to its end, in their order.
var members = []string{
	"listed", "synced", "changed", "unchanged", "gone", "failed", "orphan_documents", "unknown_accounts", "status_changes", "requests",
	"wall_ms",
}

// kinds counts failures by their kind.
func kinds(failed []failure) map[string]int {
	counts := map[string]int{}
	for _, f := range failed {
		counts[f.Error.Kind]++
	}
	return counts
}

// offlineFleet is a provider for the fleet that the program finds offline, and its documents.
func offlineFleet(t *testing.T) (*twilioacct.Provider, twilioacct.Store) {
	t.Helper()
	env := setup.OfflineFleet()
	t.Cleanup(env.Close)
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	return provider, env.Options.Store
}

func TestOfflineTheFleetIsSyncedAndWhatIsWrongWithItIsCounted(t *testing.T) {
	got := program.Run(t, nil, "-json")

	assert.Equal(t, 1, got.Status, "four documents fail on purpose")
	var doc document
	got.Document(t, &doc)
	assert.Equal(t, 5001, doc.Listed)
	assert.Equal(t, 4995, doc.Synced)
	assert.Equal(t, 12, doc.Changed)
	assert.Equal(t, 4983, doc.Unchanged)
	assert.Equal(t, 1, doc.Gone)
	assert.Equal(t, map[string]int{"not_found": 2, "forbidden": 2}, kinds(doc.Failed))
	assert.Len(t, doc.OrphanDocuments, 5)
	assert.Equal(t, 5, doc.UnknownAccounts)
	assert.Equal(t, map[statusChange]int{
		{Before: "active", After: "suspended"}: 3,
		{Before: "active", After: "closed"}:    2,
		{Before: "", After: "active"}:          3,
	}, withoutSIDs(doc.StatusChanges))
	assert.GreaterOrEqual(t, doc.Requests, 10, "six pages and four accounts")
	assert.Nil(t, doc.Error)
	assert.Equal(t, "Offline: no Twilio credentials are set, so this runs on a fake Twilio (twiliotest) and a store in memory (MemStore).\n",
		got.Stderr)
	provider, _ := offlineFleet(t)
	got.HoldsNoSecretOf(t, provider)
}

func withoutSIDs(changes []statusChange) map[statusChange]int {
	counts := map[statusChange]int{}
	for _, c := range changes {
		counts[statusChange{Before: c.Before, After: c.After}]++
	}
	return counts
}

func TestTheJSONHasTheseMembersInThisOrder(t *testing.T) {
	fake := twiliotest.NewServer(t)

	got := program.Run(t, try.Online(fake), "-json")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, members, memberNames(t, got.Stdout))
	var doc map[string]any
	got.Document(t, &doc)
	delete(doc, "wall_ms")
	assert.Equal(t, map[string]any{
		"listed": 1.0, "synced": 0.0, "changed": 0.0, "unchanged": 0.0, "gone": 0.0, "failed": []any{}, "orphan_documents": []any{},
		"unknown_accounts": 0.0, "status_changes": []any{}, "requests": 1.0,
	}, doc, "an empty fleet has empty lists, and no nulls")
}

// memberNames are those of the outer object.
func memberNames(t *testing.T, text string) []string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	_, err := decoder.Token()
	require.NoError(t, err)
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		names = append(names, name.(string))
		require.NoError(t, decoder.Decode(new(json.RawMessage)))
	}
	return names
}

func TestFailuresNameTheDocumentAndWhatTwilioSaid(t *testing.T) {
	got := program.Run(t, nil, "-json")

	var doc struct {
		Failed  []map[string]any `json:"failed"`
		Orphans []map[string]any `json:"orphan_documents"`
		Changes []map[string]any `json:"status_changes"`
	}
	got.Document(t, &doc)
	for _, f := range doc.Failed {
		assert.Equal(t, []string{"error", "id", "sid"}, slices.Sorted(maps.Keys(f)))
		assert.Regexp(t, "^AC[0-9a-f]{32}$", f["sid"])
		assert.Equal(t, f["sid"], f["id"], "the store in memory has no other keys")
		problem, ok := f["error"].(map[string]any)
		require.True(t, ok)
		assert.Equal(t, []string{"code", "kind", "message", "more_info", "request_id", "status"}, slices.Sorted(maps.Keys(problem)))
		assert.Contains(t, []any{20404.0, 20403.0}, problem["code"])
	}
	for _, o := range doc.Orphans {
		assert.Equal(t, []string{"id", "sid"}, slices.Sorted(maps.Keys(o)))
	}
	for _, c := range doc.Changes {
		assert.Equal(t, []string{"after", "before", "sid"}, slices.Sorted(maps.Keys(c)))
	}
}

func TestADryRunCountsAsARealOneAndWritesNothing(t *testing.T) {
	dry, wet := new(document), new(document)
	program.Run(t, nil, "-json", "-dry-run").Document(t, dry)
	program.Run(t, nil, "-json").Document(t, wet)
	for _, d := range []*document{dry, wet} {
		d.WallMS = 0
		for _, f := range d.Failed {
			f.Error.RequestID = ""
		}
		slices.SortFunc(d.Failed, func(a, b failure) int { return strings.Compare(a.SID, b.SID) })
		slices.SortFunc(d.OrphanDocuments, func(a, b orphan) int { return strings.Compare(a.SID, b.SID) })
		slices.SortFunc(d.StatusChanges, func(a, b statusChange) int { return strings.Compare(a.SID, b.SID) })
	}
	assert.Equal(t, wet, dry)

	provider, store := offlineFleet(t)
	before := contents(t, store)
	s := syncer{provider: provider, dryRun: true}
	s.out.Stdout, s.out.Stderr = io.Discard, io.Discard
	assert.Equal(t, 1, s.sync(t.Context()))
	assert.Equal(t, before, contents(t, store))
	s.dryRun = false
	assert.Equal(t, 1, s.sync(t.Context()))
	assert.NotEqual(t, before, contents(t, store))
}

// contents are the records of the fleet's documents.
func contents(t *testing.T, store twilioacct.Store) map[string]twilioacct.Record {
	t.Helper()
	scanner, ok := twilioacct.StoreAs[twilioacct.Scanner](store)
	require.True(t, ok)
	records := map[string]twilioacct.Record{}
	for entry, err := range scanner.Scan(t.Context(), seed) {
		require.NoError(t, err)
		records[entry.SID], err = store.Load(t.Context(), entry.SID)
		require.NoError(t, err)
	}
	return records
}

func TestTheSummaryIsForPeople(t *testing.T) {
	got := program.Run(t, nil)

	assert.Equal(t, 1, got.Status)
	assert.Regexp(t, `^4,995 of 5,000 documents in sync, with \d+ requests in \d\.\d\d s\.

      5,001  accounts at Twilio
      4,983  documents were up to date
         12  documents updated, 8 with another status
          4  failures
          1  document of a closed account, deleted by now
          5  documents without an account
          5  accounts without a document
$`, got.Stdout)
	alerts, others := 0, 0
	for line := range strings.Lines(got.Stderr) {
		if strings.HasPrefix(line, "Alert: Twilio account AC") && strings.HasSuffix(line, " is suspended now; it was active.\n") {
			alerts++
		} else if strings.HasPrefix(line, "Twilio account AC") {
			others++
		}
	}
	assert.Equal(t, 3, alerts)
	assert.Equal(t, 2+3+1, others, "closed, never synced, gone")
	assert.Regexp(t, `\nAC[0-9a-f]{32}: forbidden \(code 20403, request RQ[0-9a-f]+\): Forbidden\. Use the credentials`, got.Stderr)
	provider, _ := offlineFleet(t)
	got.HoldsNoSecretOf(t, provider)
}

func TestADryRunSaysSo(t *testing.T) {
	got := program.Run(t, nil, "-dry-run")

	assert.Regexp(t, `^Dry run: nothing was written\.\n4,995 of 5,000 documents would be in sync`, got.Stdout)
	assert.Contains(t, got.Stdout, "12  documents to update, 8 with another status\n")
}

func TestMarkedAccountsFailOnlyOnce(t *testing.T) {
	t.Parallel()
	provider, _ := offlineFleet(t)
	s := syncer{provider: provider, markGone: true}
	var stdout strings.Builder
	s.out.Stdout, s.out.Stderr = &stdout, io.Discard

	assert.Equal(t, 1, s.sync(t.Context()))
	assert.Contains(t, stdout.String(), "         12  documents updated, 8 with another status\n"+
		"          2  documents marked closed, as Twilio has deleted their accounts\n"+
		"          4  failures\n"+
		"          1  document of a closed account")
	stdout.Reset()
	assert.Equal(t, 1, s.sync(t.Context()))
	assert.Contains(t, stdout.String(), "2  failures\n          3  documents of closed accounts", "the accounts of others still fail")
	assert.NotContains(t, stdout.String(), "marked")
}

func TestAMarkedDocumentIsNotToldAsAMistakeInItsSID(t *testing.T) {
	got := program.Run(t, nil, "-mark-gone")
	assert.Equal(t, 2+2, strings.Count(got.Stderr, " is closed now; it was active.\n"), "at Twilio, and marked")
	assert.Equal(t, 2, strings.Count(got.Stderr, " is no more: Twilio has deleted it, and its document is marked closed.\n"))
	assert.NotContains(t, got.Stderr, "not_found")

	got = program.Run(t, nil, "-mark-gone", "-dry-run")
	assert.Contains(t, got.Stdout, "          2  documents to mark closed, as Twilio has deleted their accounts\n")
	assert.Equal(t, 2, strings.Count(got.Stderr, " is no more: Twilio has deleted it, and its document would be marked closed.\n"))

	got = program.Run(t, nil)
	assert.Equal(t, 2, strings.Count(got.Stderr, "not_found"), "nobody has asked for marks")
	assert.NotContains(t, got.Stdout, "mark")
}

func TestADocumentThatCouldNotBeMarkedIsNoneThatWas(t *testing.T) {
	t.Parallel()
	deleted := &twilioacct.Error{Code: 20404, Status: 404, Message: "Not found"}
	change := twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, DocumentID: "7", Before: "active", After: "closed"}
	failure := twilioacct.SyncEvent{Kind: twilioacct.EventFailed, SID: sid, DocumentID: "7", Err: deleted}
	notMarked := failure
	notMarked.Err = fmt.Errorf("%w; its document could not be marked: %s", deleted, "away")
	another := failure
	another.DocumentID = "8"
	for name, c := range map[string]struct {
		events []twilioacct.SyncEvent
		want   int
	}{
		"marked":                   {[]twilioacct.SyncEvent{change, failure}, 1},
		"not marked":               {[]twilioacct.SyncEvent{change, notMarked}, 0},
		"another document":         {[]twilioacct.SyncEvent{change, another}, 0},
		"closed, and not deleted":  {[]twilioacct.SyncEvent{change}, 0},
		"deleted, and not changed": {[]twilioacct.SyncEvent{failure}, 0},
	} {
		m, none := newMarks(true), newMarks(false)
		for _, e := range c.events {
			m.observe(e)
			none.observe(e)
		}
		assert.Equal(t, c.want, m.n, name)
		assert.Zero(t, none.n, name)
	}
	assert.Equal(t, "document 7: "+sid+": not_found (code 20404): Not found; its document could not be marked: away. "+
		"Check the SID: Twilio shows this parent no such account.\n", tell(notMarked))
}

func TestAParentThatIsRefusedReadsWhatThatMayMean(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.OnlineByKey(fake, twiliotest.StandardKey)

	got := program.Run(t, env, "-json")

	var doc document
	got.Document(t, &doc)
	const why = " is wrong or deleted, or it is a standard key, "
	assert.Contains(t, doc.Error.Message, "API key "+env["TWILIO_API_KEY"]+why)
	assert.Contains(t, got.Stderr, "API key "+env["TWILIO_API_KEY"]+why)
	assert.NotContains(t, doc.Error.Message, "/2010-04-01/")
	got.HoldsNoSecret(t, fake, env)
}

func TestWithAnAPIKeyTheSummarySaysThatTokensAreHidden(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccount("Acme")
	env := try.OnlineByKey(fake, twiliotest.MainKey)

	got := program.Run(t, env)

	assert.Equal(t, 0, got.Status)
	assert.Contains(t, got.Stdout, "\nTwilio hides auth tokens from an API key: statuses were synced, the stored tokens stay as they are.\n")
	got.HoldsNoSecret(t, fake, env)
}

func TestAParentThatIsRefusedIsAnErrorBesideTheCounts(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.Online(fake)
	env["TWILIO_AUTH_TOKEN"] = "00000000000000000000000000000000"

	got := program.Run(t, env, "-json")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, append(slices.Clone(members), "error"), memberNames(t, got.Stdout))
	var doc document
	got.Document(t, &doc)
	assert.Equal(t, "unauthenticated", doc.Error.Kind)
	assert.Zero(t, doc.Listed)
	got.HoldsNoSecret(t, fake, env)

	got = program.Run(t, env)
	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stdout, "The run ended before its time.\n0 of 0 documents in sync")
	assert.Regexp(t, `unauthenticated \(code 20003, .*Check TWILIO_ACCOUNT_SID`, got.Stderr)
}

func TestASuspendedParentEndsTheRunAndIsSaidOnce(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.SetStatus(fake.Parent().SID, twiliotest.Suspended)

	got := program.Run(t, try.Online(fake))

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, 1, strings.Count(got.Stderr, "suspended ("), got.Stderr)
}

func TestAMongoDBThatDoesNotAnswerIsAStoreErrorAndTwilioIsNotAsked(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json")

	assert.Equal(t, 1, got.Status)
	var doc document
	got.Document(t, &doc)
	assert.Equal(t, "store", doc.Error.Kind)
	assert.Equal(t, []failure{}, doc.Failed)
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
	assert.Positive(t, doc.WallMS, "it waited for the server")

	got = program.Run(t, env)
	assert.Equal(t, 1, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Equal(t, "store: the store cannot be reached: no MongoDB server answered at the address in MONGODB_URI; is one running? "+
		"Check the database, then run it again.\n", got.Stderr)
}

func TestCtrlCEndsItWithTheCountsSoFar(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(1500)
	fake.Inject(twiliotest.Fault{Operation: "ListAccount", On: 2, Hang: true, Times: twiliotest.Always})
	ctx, interrupt := context.WithCancel(t.Context())
	defer time.AfterFunc(200*time.Millisecond, interrupt).Stop()

	got := program.RunIn(ctx, t, try.Online(fake), "-json")

	assert.Equal(t, 1, got.Status)
	var doc document
	got.Document(t, &doc)
	assert.Equal(t, 1000, doc.Listed)
	require.NotNil(t, doc.Error)
	assert.Equal(t, "other", doc.Error.Kind)
	assert.Contains(t, doc.Error.Message, "context canceled")
}

func TestBadUsageIsRefused(t *testing.T) {
	program.RefusesBadUsageWithoutArguments(t,
		[]string{"-watch", "0"}, []string{"-watch", "0s"}, []string{"-watch", "999ms"}, []string{"-watch", "-5m"}, []string{"-watch", "soon"},
		[]string{"-watch"}, []string{"-dry-run=perhaps"}, []string{"-mark-gone=perhaps"})
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: syncall [-json] [-dry-run] [-mark-gone] [-watch 5m]")
}

// runFor runs the program for so long a time, which costs none.
func runFor(t *testing.T, d time.Duration, args ...string) (got try.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithTimeout(t.Context(), d)
		defer interrupt()
		got = program.RunIn(ctx, t, nil, args...)
	})
	return got
}

func TestWatchedTheFleetIsSyncedAgainAndAgain(t *testing.T) {
	got := runFor(t, 21*time.Minute, "-watch", "5m", "-json")

	assert.Equal(t, 1, got.Status, "that of the last run")
	lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	require.InDelta(t, 5, len(lines), 1, "a document on each line")
	for i, line := range lines {
		var doc document
		require.NoError(t, json.Unmarshal([]byte(line), &doc))
		assert.Equal(t, 5001, doc.Listed)
		if i > 0 {
			assert.Len(t, doc.StatusChanges, 1+max(0, min(1, i-3)), "time passes: run %d", i)
		}
	}
}

func TestWatchedWithoutJSONEachRunHasItsTime(t *testing.T) {
	got := runFor(t, 90*time.Second, "-watch", "1m")

	assert.Equal(t, 2, strings.Count(got.Stdout, "documents in sync"))
	assert.Regexp(t, `(?s)^\n2000-01-01 00:00:00\n.*\n\n2000-01-01 00:0[01]:\d\d\n`, got.Stdout)
}

func TestAnInterruptedRunDoesNotCountForTheExitStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var runs int
		status := watch(ctx, time.Minute, func(context.Context) int {
			if runs++; runs == 3 {
				interrupt()
				return 1
			}
			return 0
		}, func() {})
		assert.Equal(t, 0, status)
		assert.Equal(t, 3, runs)
	})
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	assert.Equal(t, 1, watch(ctx, time.Minute, func(context.Context) int { return 0 }, func() {}), "there was no whole run")
}

func TestRunsNeverOverlapAndAreTheirTimeApartMoreOrLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithTimeout(t.Context(), 10*time.Hour)
		defer interrupt()
		var starts []time.Time
		running, between := false, 0
		watch(ctx, time.Minute, func(context.Context) int {
			assert.False(t, running)
			running = true
			starts = append(starts, time.Now())
			time.Sleep(time.Duration(len(starts)%3) * 30 * time.Second) // in a bubble
			running = false
			return 0
		}, func() { between++ })
		shortest, longest := time.Hour, time.Duration(0)
		for i, start := range starts[1:] {
			shortest, longest = min(shortest, start.Sub(starts[i])), max(longest, start.Sub(starts[i]))
		}
		assert.Len(t, starts, between+1)
		assert.InDelta(t, 54, shortest.Seconds(), 1)
		assert.InDelta(t, 66, longest.Seconds(), 1)
	})
}

func TestNothingIsChangedAtTwilio(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(3)

	program.Run(t, try.Online(fake))

	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
	}
}
