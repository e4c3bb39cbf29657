package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"log/slog"
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

	log  bytes.Buffer
	said []string // by errors, in every form
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fake: twiliotest.NewServer(t), server: mongotest.Start(t)}
	w.sid = w.fake.AddSubaccount("acme").SID
	accounts := w.server.Collection(t)
	_, err := accounts.InsertOne(t.Context(), bson.D{{Key: "twilio_account", Value: bson.D{{Key: "sid", Value: w.sid}}}})
	require.NoError(t, err)
	w.store, err = mongostore.New(accounts, &mongostore.Options{Timeout: time.Second})
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

// note keeps what v looks like wherever somebody might print it.
func (w *world) note(v any) {
	js, _ := json.Marshal(v)
	w.said = append(w.said, fmt.Sprintf("%v|%+v|%#v|%q|%s", v, v, v, v, js), panicText(v))
	slog.New(slog.NewJSONHandler(&w.log, nil)).Info("noted", "value", v)
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
		w.note(entry)
		w.note(err)
	}
	w.note(w.provider)
	w.note(*w.provider.Parent())
}

func TestNoSecretIsInAnyLogErrorValueJSONPanicOrFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := []string{w.fake.Parent().AuthToken}
	faults := []twiliotest.Fault{
		{}, {Status: 401, Code: 20003}, {Status: 503, HTML: true}, {Reset: true}, {Status: 200, Body: []byte(`{"sid":"AC`)}, {Truncate: 100},
		{Status: 400, Message: "you sent " + w.fake.Parent().AuthToken, SignedBy: w.fake.Parent().SID},
	}
	for _, fault := range faults {
		tokens = append(tokens, w.fake.RotateToken(w.sid))
		fault.Times = twiliotest.Always
		w.fake.Inject(fault)
		w.work(t.Context())
		w.fake.ClearFaults()
	}
	for _, code := range []int32{11000, 11600, 13, 50} {
		tokens = append(tokens, w.fake.RotateToken(w.sid))
		w.server.Inject(mongotest.Fault{Command: "update", Code: code, Message: "server text", Times: -1})
		w.work(t.Context())
		w.server.ClearFaults()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	w.work(ended)

	written := strings.Join(w.said, "\n") + w.log.String() + strings.Join(filters(t, w.server.Commands()), "\n")
	require.Contains(t, written, w.sid, "there is something to look through")
	for _, token := range tokens {
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
