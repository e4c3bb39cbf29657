package fleet_test

import (
	"context"
	"flag"
	"fmt"
	"hash/maphash"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestMain(m *testing.M) {
	if os.Getenv(isWorker) != "" {
		os.Exit(work(os.Stdin, os.Stdout))
	}
	if !mongotest.External() { // these tests have a server each, and most of them wait for it while it is away
		_ = flag.Set("test.parallel", "16") // there is such a flag
	}
	goleak.VerifyTestMain(m)
}

// fleet is a parent's accounts at Twilio, an application's documents that hold them, and a Provider between the two.
type fleet struct {
	fake     *twiliotest.Server
	server   *mongotest.Server // nil where it is the one named by MONGODB_TEST_URI
	uri      string
	accounts *mongo.Collection // around the library
	sent     *wire             // what went through the library
	store    *impatient
	provider *twilioacct.Provider
}

// terms are what a test wants its fleet to be; the zero value is what an application should have.
type terms struct {
	isEmbedded bool // for faults, which only the embedded server can be given
	index      index
	isSingly   bool          // the driver repeats nothing
	isMaking   bool          // the Store makes the documents that are missing
	patience   time.Duration // of the Store, in all but its scans; the Store's own if 0
}

// index is that of the SIDs.
type index int

const (
	isUnique index = iota
	isPlain        // several documents may hold a SID
	isNone         // any server reads the whole collection to find one
)

func (i index) String() string {
	return [...]string{"with the unique index", "with a plain index", "without an index"}[i]
}

func (f *fleet) ensure(t *testing.T, i index) {
	t.Helper()
	switch i {
	case isUnique:
		require.NoError(t, f.store.EnsureIndexes(t.Context()))
	case isPlain:
		_, err := f.accounts.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{field("twilio_account.sid", 1)}})
		require.NoError(t, err)
	case isNone:
	}
}

// newFleet has so many accounts at Twilio, and no documents yet.
func newFleet(t *testing.T, accounts int, terms terms) *fleet {
	t.Helper()
	f := &fleet{fake: twiliotest.NewServer(t), sent: new(wire)}
	f.fake.AddSubaccounts(accounts)
	f.connect(t, terms.isEmbedded)
	f.store = f.through(t, f.uri, terms)
	f.ensure(t, terms.index)
	f.provider = f.with(t, f.store)
	f.sent.forget()
	return f
}

// connect finds a collection of the test's own.
func (f *fleet) connect(t *testing.T, isEmbedded bool) {
	t.Helper()
	switch {
	case mongotest.External() && isEmbedded:
		t.Skip("only the embedded server can be told to fail")
	case mongotest.External():
		f.uri, f.accounts = os.Getenv("MONGODB_TEST_URI"), mongotest.Collection(t)
		return
	}
	f.server = mongotest.Start(t)
	f.uri, f.accounts = f.server.URI(), f.server.Collection(t)
}

// impatient is a Store that scans for as long as it takes, and has less time for all else: a busy machine must not look like a
// database that is away.
type impatient struct {
	*mongostore.Store

	patient *mongostore.Store
}

func (s *impatient) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[twilioacct.Entry, error] {
	return s.patient.Scan(ctx, seed)
}

// through is a Store whose commands are recorded, over a line to the server.
func (f *fleet) through(t *testing.T, uri string, terms terms) *impatient {
	t.Helper()
	client := mongotest.Connect(t, uri, options.Client().SetMonitor(f.sent.monitor()).SetRetryWrites(!terms.isSingly).SetRetryReads(!terms.isSingly))
	accounts := client.Database(f.accounts.Database().Name()).Collection(f.accounts.Name())
	patient, err := mongostore.New(accounts, &mongostore.Options{Upsert: terms.isMaking})
	require.NoError(t, err)
	store, err := mongostore.New(accounts, &mongostore.Options{Upsert: terms.isMaking, Timeout: terms.patience})
	require.NoError(t, err)
	return &impatient{Store: store, patient: patient}
}

// with is a Provider on that Store, which has no connections to leave behind.
func (f *fleet) with(t *testing.T, store twilioacct.Store) *twilioacct.Provider {
	t.Helper()
	p, err := twilioacct.New(f.parent(), &twilioacct.Options{HTTPClient: f.fake.HTTPClient(), Store: store})
	require.NoError(t, err)
	return p
}

func (f *fleet) parent() twilioacct.Credentials {
	parent := f.fake.Parent()
	return twilioacct.Credentials{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)}
}

// result is what came of a SyncAll.
type result struct {
	twilioacct.SyncReport

	err    error
	events []twilioacct.SyncEvent
}

// sync syncs the fleet and keeps what it is told.
func (f *fleet) sync(ctx context.Context, opts twilioacct.SyncAllOptions) (r result) {
	observe := opts.Observe
	opts.Observe = func(e twilioacct.SyncEvent) {
		r.events = append(r.events, e)
		if observe != nil {
			observe(e)
		}
	}
	r.SyncReport, r.err = f.provider.SyncAll(ctx, &opts)
	return r
}

// of are the events of a kind.
func (r result) of(kind twilioacct.EventKind) (found []twilioacct.SyncEvent) {
	for _, e := range r.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// failures are the reasons of the documents that have failed, by their ids.
func (r result) failures() map[string]error {
	reasons := map[string]error{}
	for _, e := range r.of(twilioacct.EventFailed) {
		reasons[e.DocumentID] = e.Err
	}
	return reasons
}

// requireClean is a run after which nothing is left to be done.
func requireClean(t *testing.T, r result) {
	t.Helper()
	require.NoError(t, r.err)
	require.Empty(t, r.failures())
	require.Zero(t, r.Failed)
	require.True(t, r.Complete)
}

// requireRepaired syncs once more, as the next process does, and finds every document to be as Twilio has its account.
func (f *fleet) requireRepaired(t *testing.T) {
	t.Helper()
	f.provider = f.with(t, f.through(t, f.uri, terms{}))
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	f.requireEqual(t)
	f.sent.forget()
	r = f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	assert.Zero(t, r.Changed)
	assert.Empty(t, f.sent.all("update"))
}

// requireAccounted finds every document to be as Twilio has its account, or told as failed with that reason.
func (f *fleet) requireAccounted(t *testing.T, r result) {
	t.Helper()
	failures := r.failures()
	require.Len(t, failures, r.Failed, "each document fails once")
	different := 0
	for _, d := range f.documents(t) {
		if !f.isEqual(d) {
			different++
			require.Error(t, failures[idText(d)], "neither synced nor failed: %s", d)
		}
	}
	require.LessOrEqual(t, different, r.Failed)
}

// requireEqual finds every document that holds an account to be as Twilio has it.
func (f *fleet) requireEqual(t *testing.T) {
	t.Helper()
	for _, d := range f.documents(t) {
		require.True(t, f.isEqual(d), "%s", d)
	}
}

// isEqual is true also for a document whose account Twilio does not know, and for one without an account.
func (f *fleet) isEqual(document bson.Raw) bool {
	sid, ok := document.Lookup("twilio_account", "sid").StringValueOK()
	if !ok {
		return true
	}
	account, ok := f.fake.Account(sid)
	return !ok || text(document, "authToken") == account.AuthToken && text(document, "status") == account.Status
}

func text(document bson.Raw, field string) string {
	s, _ := document.Lookup("twilio_account", field).StringValueOK()
	return s
}

func sidOf(n int) string { return fmt.Sprintf("AC%032x", n) }
