package twilioacct_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestASecretNeverPrintsItself(t *testing.T) {
	t.Parallel()
	const token = "00112233445566778899aabbccddeeff"
	secret := twilioacct.NewSecret(token)
	account := twilioacct.Account{SID: unknownSID, AuthToken: secret}
	credentials := twilioacct.Credentials{AccountSID: unknownSID, AuthToken: secret}
	record := twilioacct.Record{SID: unknownSID, AuthToken: secret, APIKeys: map[string]twilioacct.APIKey{"voice": {SID: unknownKey, Secret: secret}}}
	provider, err := twilioacct.New(credentials, nil)
	require.NoError(t, err)
	hidden := struct {
		unexported twilioacct.Secret
		pointer    *twilioacct.Account
	}{secret, &account}

	for _, v := range []any{
		secret, &secret, account, &account, []twilioacct.Account{account}, credentials, record, provider, *provider,
		provider.Subaccount(unknownSID), hidden, &hidden, map[string]twilioacct.Secret{"a": secret}, fmt.Errorf("oops: %v", account),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			assertHidden(t, token, fmt.Sprintf(verb, v))
		}
		assertHidden(t, token, panicText(v))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		assertHidden(t, token, log.String())
		text, _ := json.Marshal(v)
		assertHidden(t, token, string(text))
		text, _ = xml.Marshal(v)
		assertHidden(t, token, string(text))
		text, _ = bson.Marshal(bson.M{"v": v})
		assertHidden(t, token, string(text))
	}
	assert.Equal(t, token, secret.Reveal())
}

func panicText(v any) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	panic(v)
}

func assertHidden(t *testing.T, token, text string) {
	t.Helper()
	for _, form := range []string{token, fmt.Sprintf("%x", token), strings.ToUpper(token)} {
		assert.NotContains(t, text, form)
	}
}

func TestASecretIsRedactedInBSONAndJSON(t *testing.T) {
	t.Parallel()
	doc, err := bson.Marshal(struct {
		A, B twilioacct.Secret
	}{A: twilioacct.NewSecret("token")})
	require.NoError(t, err)
	var got struct{ A, B string }
	require.NoError(t, bson.Unmarshal(doc, &got))
	assert.Equal(t, "[redacted]", got.A)
	assert.Empty(t, got.B)

	text, err := json.Marshal(map[string]twilioacct.Secret{"a": twilioacct.NewSecret("token"), "b": {}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":"[redacted]","b":""}`, string(text))
}

// Everything that the package writes for people, in one run of what can go wrong, has no secret in it.
func TestNoSecretIsInAnyLogOrError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, noSecretIsInAnyLogOrError)
}

func noSecretIsInAnyLogOrError(t *testing.T) {
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	var log bytes.Buffer
	var texts []string
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
		o.Store = twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, AuthToken: twilioacct.NewSecret(acme.AuthToken)})
		o.CacheTime, o.MaxRetryWait = -1, -1
	})
	for _, fault := range allFaults() {
		fake.Inject(fault.Fault)
		for _, op := range operations(p, acme.SID) {
			err := op.do(t.Context())
			texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
			js, _ := json.Marshal(err)
			texts = append(texts, string(js))
		}
		fake.ClearFaults()
	}
	fake.RotateToken(acme.SID)
	_, err := p.Subaccount(acme.SID).Account(t.Context())
	require.NoError(t, err)
	newest, _ := fake.Account(acme.SID)
	for _, token := range []string{fake.Parent().AuthToken, acme.AuthToken, newest.AuthToken} {
		for _, text := range append(texts, log.String()) {
			assertHidden(t, token, text)
		}
	}
	assert.NotEmpty(t, log.String())
}

func TestSecretsAreComparedByWhatTheyHold(t *testing.T) {
	t.Parallel()
	secret := twilioacct.NewSecret("token")
	assert.True(t, secret.Equal(twilioacct.NewSecret("tok"+"en")))
	for _, other := range []string{"", "Token", "toke", "tokens"} {
		assert.False(t, secret.Equal(twilioacct.NewSecret(other)), other)
		assert.False(t, twilioacct.NewSecret(other).Equal(secret), other)
	}
	assert.True(t, twilioacct.Secret{}.Equal(twilioacct.NewSecret("")))
	assert.True(t, twilioacct.NewSecret("").IsZero())
	assert.Empty(t, twilioacct.Secret{}.Reveal())
	assert.False(t, reflect.TypeFor[twilioacct.Secret]().Comparable(), "== would compare where they are kept")
}
