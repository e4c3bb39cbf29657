package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

// offlineFleet is a provider for the fleet that the program finds offline.
func offlineFleet(t *testing.T) *twilioacct.Provider {
	t.Helper()
	env := setup.OfflineFleet()
	t.Cleanup(env.Close)
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	return provider
}

func TestOfflineTheFleetIsCountedAndListed(t *testing.T) {
	got := program.Run(t, nil, "-json")

	assert.Equal(t, 1, got.Status, "five documents fail on purpose")
	var doc struct {
		Accounts []map[string]any `json:"accounts"`
		document
	}
	got.Document(t, &doc)
	assert.Equal(t, 5000, doc.Total)
	assert.Equal(t, 4975, doc.Active)
	assert.Equal(t, 12, doc.Suspended)
	assert.Equal(t, 8, doc.Closed)
	assert.Equal(t, 200, doc.Trial)
	assert.Equal(t, 4795, doc.Full)
	assert.Equal(t, 0, doc.Unknown)
	assert.Equal(t, 5, doc.Failed)
	require.Len(t, doc.Accounts, 4995)
	for _, a := range doc.Accounts {
		assert.Len(t, a, 5)
		assert.Subset(t, a, map[string]any{"id": a["sid"]})
		assert.NotEmpty(t, a["name"])
		assert.NotEmpty(t, a["status"])
		assert.NotEmpty(t, a["type"])
	}
	lines := strings.Split(strings.TrimSpace(got.Stderr), "\n")
	require.Len(t, lines, 1+5)
	assert.Regexp(t, "^Offline: ", lines[0])
	assert.Regexp(t, "^AC[0-9a-f]{32}: not_found: ", lines[1])
	got.HoldsNoSecretOf(t, offlineFleet(t))
}

func TestTheJSONHasTheseMembersInThisOrder(t *testing.T) {
	fake := twiliotest.NewServer(t)

	got := program.Run(t, try.Online(fake), "-json")

	assert.Equal(t, 0, got.Status)
	const empty = `{"total":0,"active":0,"suspended":0,"closed":0,"trial":0,"full":0,"unknown":0,"failed":0,"accounts":[]}`
	assert.Equal(t, empty, regexp.MustCompile(`\s`).ReplaceAllString(got.Stdout, ""))
}

func TestTheTextCountsAndShowsWhatIsNotActive(t *testing.T) {
	got := program.Run(t, nil)

	assert.Equal(t, 1, got.Status, "five documents fail on purpose")
	assert.Contains(t, got.Stdout, `5,000 documents:

      4,975  active
         12  suspended
          8  closed
      4,795  of type Full
        200  of type Trial
          0  of another status or type
          5  without an account

STATUS     TYPE   SID                                 NAME
`)
	assert.Equal(t, 12, strings.Count(got.Stdout, "\nsuspended  "))
	assert.Equal(t, 8, strings.Count(got.Stdout, "\nclosed  "))
	got.HoldsNoSecretOf(t, offlineFleet(t))
}

func TestTheTextShowsTheFirstOfManyAndCountsTheRest(t *testing.T) {
	t.Parallel()
	var d twilioacct.Dashboard
	for range 25 {
		d.Accounts = append(d.Accounts, twilioacct.DashboardRow{SID: sid, ID: "65f0", Name: "Ac\tme\n", Status: "closed", Type: "Full"})
		d.Failures = append(d.Failures, twilioacct.DashboardFailure{SID: sid, ID: "65f0", Err: errors.New("broken")})
	}
	var stdout, stderr strings.Builder
	out := report.Output{Stdout: &stdout, Stderr: &stderr}

	require.NoError(t, printDashboard(out, d, nil))
	showFailures(&stderr, d.Failures)

	assert.Contains(t, stdout.String(), "STATUS  TYPE  SID                                 DOCUMENT  NAME\n")
	assert.Equal(t, most, strings.Count(stdout.String(), "closed  Full  "+sid+"  65f0      Ac me\n"))
	assert.Contains(t, stdout.String(), "\n… and 5 others that are not active.\n")
	assert.Equal(t, most, strings.Count(stderr.String(), "document 65f0: "+sid+": other: broken."))
	assert.Contains(t, stderr.String(), "\n… and 5 other failures.\n")
}

func TestAListThatBreaksOffIsADashboardOfWhatItShowed(t *testing.T) {
	t.Parallel()
	env := setup.OfflineFleet()
	t.Cleanup(env.Close)
	env.Options.MaxRetryWait = -1
	env.Options.HTTPClient = &http.Client{Transport: breakingAt{page: 3, next: env.Options.HTTPClient.Transport}}
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	var stdout, stderr strings.Builder
	out := report.Output{Stdout: &stdout, Stderr: &stderr, JSON: true}

	status := show(t.Context(), out, provider)

	assert.Equal(t, 1, status)
	var doc document
	require.NoError(t, json.Unmarshal([]byte(stdout.String()), &doc))
	assert.Equal(t, 5000, doc.Total)
	assert.Equal(t, doc.Total, len(doc.Accounts)+doc.Failed)
	assert.Greater(t, len(doc.Accounts), 1900)
	assert.Less(t, len(doc.Accounts), 3001)
	require.NotNil(t, doc.Error)
	assert.Equal(t, "unavailable", doc.Error.Kind)
	assert.Regexp(t, `… and [0-9,]+ other failures\.\n$`, stderr.String())
}

// breakingAt answers 503 from that page of a list on.
type breakingAt struct {
	page int
	next http.RoundTripper
}

func (b breakingAt) RoundTrip(r *http.Request) (*http.Response, error) {
	if page := r.URL.Query().Get("Page"); len(page) == 1 && int(page[0]-'0')+1 >= b.page {
		return &http.Response{
			StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r,
		}, nil
	}
	return b.next.RoundTrip(r)
}

func TestWithoutAnyAccountThereIsNoDashboard(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.Online(fake)
	env["TWILIO_AUTH_TOKEN"] = "00000000000000000000000000000000"

	got := program.Run(t, env, "-json")

	assert.Equal(t, 1, got.Status)
	var doc map[string]map[string]any
	got.Document(t, &doc)
	assert.Len(t, doc, 1)
	assert.Equal(t, "unauthenticated", doc["error"]["kind"])
	got.HoldsNoSecret(t, fake, env)
}

func TestAMongoDBThatDoesNotAnswerIsAStoreError(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json")

	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stdout, `"kind": "store"`)
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
}

func TestBadUsageIsRefused(t *testing.T) {
	program.RefusesBadUsageWithoutArguments(t,
		[]string{"-json=false", "-http", ""}, []string{"-json=false", "-http", "0.0.0.0:8080"}, []string{"-json=false", "-http", "8080"},
		[]string{"-http", "127.0.0.1:0"}, []string{"-http"})
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: dashboard [-json] [-http 127.0.0.1:8080]")
	assert.Contains(t, got.Stderr, "\nExit status: 0 all is well, 1 it failed or some accounts or documents did, 2 the arguments")
}

func TestCtrlCEndsIt(t *testing.T) {
	for _, args := range [][]string{nil, {"-http", "127.0.0.1:0"}} {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()

		got := program.RunIn(ctx, t, nil, args...)

		assert.Equal(t, 1, got.Status, "there is no dashboard")
		assert.Contains(t, got.Stderr, "It was interrupted")
	}
}

func TestThePageIsServedUntilCtrlC(t *testing.T) {
	for _, listen := range []string{"localhost:0", "127.0.0.1:0", "[::1]:0"} {
		if probe, err := net.Listen("tcp", listen); err != nil {
			t.Logf("not tried, for this machine has no %s", listen)
			continue
		} else {
			probe.Close()
		}
		ctx, interrupt := context.WithCancel(t.Context())
		page := program.Serve(ctx, t, "-http", listen)

		answer, err := http.Get(page.Address)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		answer.Body.Close()
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Contains(t, string(body), "<strong>5,000</strong>")

		interrupt()
		assert.Equal(t, 0, <-page.Status)
		_, err = http.Get(page.Address)
		assert.Error(t, err, "nothing listens any more")
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()

	got := program.Run(t, nil, "-http", taken.Addr().String())

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "other: the address "+taken.Addr().String()+" is taken by another program; choose another one, such as localhost:0 "+
		"(any free port).", lastLine(got.Stderr))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestADashboardOfDocumentsThatAllHaveTheirAccountsIsAGoodOne(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.SetStatus(fake.AddSubaccount("Acme").SID, twiliotest.Closed)
	for _, args := range [][]string{nil, {"-json"}} {
		assert.Equal(t, 0, program.Run(t, try.Online(fake), args...).Status)
	}
}

func TestAKeyThatIsANumberIsReadAsOneAndStaysAsItIsInTheJSON(t *testing.T) {
	t.Parallel()
	const seven = `{"$numberLong":"7"}`
	d := twilioacct.Dashboard{
		Accounts: []twilioacct.DashboardRow{{SID: sid, ID: seven, Name: "Acme", Status: "closed", Type: "Full"}},
		Failures: []twilioacct.DashboardFailure{{ID: `{"$numberInt":"4242"}`, Err: errors.New("broken")}},
	}
	var stdout, stderr strings.Builder
	out := report.Output{Stdout: &stdout, Stderr: &stderr}

	require.NoError(t, printDashboard(out, d, nil))
	showFailures(&stderr, d.Failures)
	assert.Contains(t, stdout.String(), "closed  Full  "+sid+"  7         Acme\n")
	assert.Equal(t, "document 4242: other: broken.\n", stderr.String())

	stdout.Reset()
	out.JSON = true
	require.NoError(t, printDashboard(out, d, nil))
	var doc document
	require.NoError(t, json.Unmarshal([]byte(stdout.String()), &doc))
	assert.Equal(t, seven, doc.Accounts[0].ID)

	body := try.Get(t, pageOf(t, d), "/").Body
	assert.NotContains(t, body, "$number")
	assert.Contains(t, body, `<td role="cell" class="id"><code>7</code></td>`)
	assert.Contains(t, body, `<li><span class="document">document <code>4242</code></span>`, "which has no SID")
	assert.NotContains(t, body, "<code></code>")
	assert.Equal(t, []string{"broken"}, names(t, pageOf(t, d), "/?q=4242"))
}

func TestNoPageHoldsAToken(t *testing.T) {
	t.Parallel()
	provider := offlineFleet(t)
	handler := newPage(startedBoard(t, newBoard(provider.Dashboard, func() {})))
	var all strings.Builder
	for _, page := range pageAddresses(100) {
		all.WriteString(try.Get(t, handler, page).Body)
	}
	assert.Equal(t, 5000, strings.Count(all.String(), `<tr role="row">`)-100, "all rows were seen")
	try.Result{Stdout: all.String()}.HoldsNoSecretOf(t, provider)
}
