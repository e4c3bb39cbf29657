package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// world is a provider between a Twilio and a MongoDB, and all that it has written so far.
type world struct {
	fake     *twiliotest.Server
	server   *mongotest.Server
	store    *mongostore.Store
	provider *twilioacct.Provider
	sid      string
	tokens   []string
	tenants  int

	log   bytes.Buffer // the provider's
	noted bytes.Buffer // a log of what it returned
	said  []string     // by errors, in every form
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fake: twiliotest.NewServer(t), server: mongotest.Start(t)}
	w.sid = w.fake.AddSubaccount("acme").SID
	accounts := w.server.Collection(t)
	_, err := accounts.InsertMany(t.Context(), w.documents())
	require.NoError(t, err)
	w.store, err = mongostore.New(accounts, &mongostore.Options{Timeout: 300 * time.Millisecond})
	require.NoError(t, err)
	parent := w.fake.Parent()
	w.provider, err = twilioacct.New(twilioacct.Credentials{
		AccountSID: parent.SID,
		AuthToken:  twilioacct.NewSecret(parent.AuthToken),
	}, &twilioacct.Options{
		HTTPClient: w.fake.HTTPClient(), Store: w.store, CacheTime: -1, MaxRetryWait: -1,
		Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	return w
}

// documents hold the account, and others in every way that a sync of the fleet meets, with secrets wherever one may be.
func (w *world) documents() []bson.D {
	twice, odd, vanished, sealed := w.fake.AddSubaccount(""), w.fake.AddSubaccount(""), w.fake.AddSubaccount(""), w.fake.AddSubaccount("")
	w.fake.DeleteAccount(vanished.SID)
	w.fake.AddSubaccount("to be adopted")
	w.fake.AddSubaccount("unknown")
	var documents []bson.D
	for _, ours := range []bson.D{
		{{Key: "sid", Value: w.sid}},
		{{Key: "sid", Value: twice.SID}, {Key: "authToken", Value: w.secret()}},
		{{Key: "sid", Value: twice.SID}, {Key: "authToken", Value: w.secret()}, {Key: "rev", Value: 3}},
		{{Key: "sid", Value: vanished.SID}, {Key: "authToken", Value: w.secret()}},
		{{Key: "sid", Value: odd.SID}, {Key: "authToken", Value: w.secret()}, {Key: "status", Value: bson.A{w.secret()}}},
		{{Key: "sid", Value: sealed.SID}, {Key: "authToken", Value: bson.D{{Key: "sealed", Value: w.secret()}}}},
		{{Key: "sid", Value: w.secret()}, {Key: "authToken", Value: w.secret()}},
	} {
		documents = append(documents, bson.D{{Key: "twilio_account", Value: ours}})
	}
	return append(documents, bson.D{{Key: "name", Value: "to be adopted"}})
}

// secret is a token that an application has written itself.
func (w *world) secret() string {
	token := fmt.Sprintf("%032x", 0xabcdef012345+len(w.tokens)*0x1010101)
	w.tokens = append(w.tokens, token)
	return token
}

// note keeps what v looks like wherever somebody might print it.
func (w *world) note(v any) {
	js, _ := json.Marshal(v)
	w.said = append(w.said, fmt.Sprintf("%v|%+v|%#v|%q|%s", v, v, v, v, js), panicText(v))
	slog.New(slog.NewJSONHandler(&w.noted, nil)).Info("noted", "value", v)
}

func panicText(v any) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	panic(v)
}

// work does everything once, and keeps the results and the errors.
func (w *world) work(ctx context.Context) {
	account, err := w.provider.Account(ctx, w.sid)
	w.note(account)
	w.note(err)
	synced, err := w.provider.Sync(ctx, w.sid)
	w.note(synced)
	w.note(err)
	health, err := w.provider.Health(ctx, w.sid)
	w.note(health)
	w.note(err)
	account, err = w.provider.Subaccount(w.sid).Account(ctx)
	w.note(account)
	w.note(err)
	for account, err := range w.provider.Accounts(ctx, nil) {
		w.note(account)
		w.note(err)
	}
	record, err := w.store.Load(ctx, w.sid)
	w.note(record)
	w.note(err)
	failures, err := w.store.SaveBatch(ctx, []twilioacct.Record{{SID: w.sid, Rev: record.Rev, AuthToken: record.AuthToken, Status: "x"}})
	w.note(failures)
	w.note(err)
	for entry, err := range w.store.Scan(ctx, maphash.MakeSeed()) {
		w.note(err)
		if err == nil { // else it shows what stands in the SID's place, whatever that is
			w.note(entry)
		}
	}
	w.workOnTheFleet(ctx)
	w.workOnATenant(ctx)
	w.note(w.provider)
	w.note(*w.provider.Parent())
}

// workOnATenant sets one up and lets it work, each time another.
func (w *world) workOnATenant(ctx context.Context) {
	w.tenants++
	name := fmt.Sprint("tenant ", w.tenants)
	made, err := w.provider.CreateSubaccount(ctx, name)
	w.note(made)
	w.note(err)
	spec := twilioacct.Spec{
		FriendlyName: name, Key: name,
		Number:    &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}},
		Messaging: &twilioacct.MessagingSpec{FriendlyName: name},
		Observe:   func(s twilioacct.Step) { w.note(s) },
	}
	plan, err := w.provider.Plan(ctx, spec)
	w.note(plan)
	w.note(err)
	has, err := w.provider.Provision(ctx, spec)
	w.note(has)
	w.note(err)
	tenant := w.provider.Subaccount(has.Account.SID)
	sent, err := tenant.Send(ctx, twilioacct.NewMessage{To: "+12083186206", ServiceSID: has.Service.SID, Body: "Hi"})
	w.note(sent)
	w.note(err)
	w.note(tenant.Ready(ctx, has.Service.SID))
	w.workOnCalls(ctx, tenant)
	moved, err := w.provider.TransferNumber(ctx, twilioacct.NumberTransfer{
		PhoneNumberSID: has.Number.SID, FromSID: has.Account.SID, ToSID: w.fake.Parent().SID,
	})
	w.note(moved)
	w.note(err)
	suspended, err := w.provider.SuspendSubaccount(ctx, has.Account.SID)
	w.note(suspended)
	w.note(err)
	w.note(*tenant)
}

// workOnCalls lets a tenant have keys, of which one is saved and one is not, and sign tokens.
func (w *world) workOnCalls(ctx context.Context, tenant *twilioacct.Handle) {
	key, err := tenant.CreateAPIKey(ctx, "warehouse")
	w.note(key)
	w.note(err)
	w.keep(key.Secret)
	ensured, err := tenant.EnsureAPIKey(ctx, "voice")
	w.note(ensured)
	w.note(err)
	spec := twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}}
	token, err := tenant.AccessToken(ctx, spec)
	w.note(token)
	w.note(err)
	w.keep(token.Token)
	rotated, err := tenant.RotateAPIKey(ctx, twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	w.note(rotated)
	w.note(err)
	handler := w.provider.TokenHandler(func(*http.Request) (twilioacct.TokenRequest, error) {
		return twilioacct.TokenRequest{AccountSID: tenant.SID(), TokenSpec: spec}, nil
	})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodPost, "/token", nil))
	var given struct{ Token string }
	if json.Unmarshal(answer.Body.Bytes(), &given) == nil {
		w.keep(twilioacct.NewSecret(given.Token))
	}
}

// keep adds a secret to those that must be nowhere.
func (w *world) keep(s twilioacct.Secret) {
	if !s.IsZero() {
		w.tokens = append(w.tokens, s.Reveal())
	}
}

func (w *world) workOnTheFleet(ctx context.Context) {
	report, err := w.provider.SyncAll(ctx, &twilioacct.SyncAllOptions{
		MarkGone: true,
		Adopt: func(ctx context.Context, a twilioacct.Account) (bool, error) {
			return w.store.Adopt(ctx, a, bson.D{{Key: "name", Value: a.FriendlyName}}, nil)
		},
		Observe:  func(e twilioacct.SyncEvent) { w.note(e) },
		Progress: func(r twilioacct.SyncReport) { w.note(r) },
	})
	w.note(report)
	w.note(err)
	dashboard, err := w.provider.Dashboard(ctx)
	w.note(dashboard)
	w.note(err)
	for _, f := range dashboard.Failures {
		w.note(f)
	}
}

// troubles are what can go wrong, as something that is done to a world in which all was well.
func troubles() map[string]func(*world) {
	all := map[string]func(*world){"none": func(*world) {}}
	for name, fault := range map[string]twiliotest.Fault{
		"the parent is refused": {Status: 401, Code: 20003}, "Twilio is away": {Status: 503, HTML: true}, "connections are reset": {Reset: true},
		"answers break off": {Status: 200, Body: []byte(`{"sid":"AC`)}, "answers are cut": {Truncate: 100},
	} {
		all[name] = func(w *world) {
			fault.Times = twiliotest.Always
			w.fake.Inject(fault)
		}
	}
	all["Twilio says what it was sent"] = func(w *world) {
		parent := w.fake.Parent()
		w.fake.Inject(twiliotest.Fault{Status: 400, Message: "you sent " + parent.AuthToken, SignedBy: parent.SID, Times: twiliotest.Always})
	}
	for name, fault := range map[string]mongotest.Fault{
		"writes are refused": {Code: 13, Times: 5}, "writes are interrupted": {Code: 11600, Times: -1}, "writes take too long": {Code: 50, Times: 5},
		"a unique index refuses": {Code: 11000, Times: 5}, "single writes are refused": {Code: 121, Ops: []int{0, 1, 2, 3, 4}, Times: -1},
		"replies are lost": {CloseAfter: true, Times: 5},
	} {
		fault.Command, fault.Message = "update", "server text"
		all[name] = func(w *world) { w.server.Inject(fault) }
	}
	all["reads are refused"] = func(w *world) { w.server.Inject(mongotest.Fault{Command: "find", Code: 13, Times: -1}) }
	return all
}

func TestNoSecretIsInAnyLogErrorValueJSONPanicOrFilter(t *testing.T) {
	t.Parallel()
	for name, trouble := range troubles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.work(t.Context())
			for _, a := range w.fake.Subaccounts() { // what is stored is old from now on
				w.tokens = append(w.tokens, a.AuthToken, w.fake.RotateToken(a.SID))
			}
			trouble(w)
			w.work(t.Context())
			w.requireSilent(t)
		})
	}
	t.Run("the caller has left", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.work(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.work(ctx)
		w.requireSilent(t)
	})
}

// requireSilent looks for every token in all that was written.
func (w *world) requireSilent(t *testing.T) {
	t.Helper()
	written := strings.Join(w.said, "\n") + w.log.String() + w.noted.String() + strings.Join(filters(t, w.server.Commands()), "\n")
	require.Contains(t, written, w.sid, "there is something to look through")
	require.Contains(t, written, "to be adopted")
	w.tokens = append(w.tokens, w.fake.Parent().AuthToken)
	for _, a := range w.fake.Subaccounts() {
		w.tokens = append(w.tokens, a.AuthToken)
		for _, key := range w.fake.Keys(a.SID) {
			w.tokens = append(w.tokens, key.Secret)
		}
	}
	for _, token := range w.tokens {
		if i := strings.Index(written, token); i >= 0 {
			t.Errorf("a token, after: %.300s", written[max(0, i-300):i])
		}
		assert.NotContains(t, written, fmt.Sprintf("%x", token))
	}
}

// filters are the parts of commands by which documents are looked for; servers log those.
func filters(t *testing.T, commands []bson.Raw) []string {
	t.Helper()
	var found []string
	for _, command := range commands {
		for _, key := range []string{"filter", "query", "pipeline", "key"} {
			if v, err := command.LookupErr(key); err == nil {
				found = append(found, v.String())
			}
		}
		updates, ok := command.Lookup("updates").ArrayOK()
		if !ok {
			continue
		}
		values, err := updates.Values()
		require.NoError(t, err)
		for _, update := range values {
			found = append(found, update.Document().Lookup("q").String())
		}
	}
	require.NotEmpty(t, found)
	return found
}
