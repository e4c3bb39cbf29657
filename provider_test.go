package twilioacct_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const goodToken = "00112233445566778899aabbccddeeff"

func TestCredentialsThatCanOnlyFailAreRefused(t *testing.T) {
	t.Parallel()
	token := twilioacct.NewSecret(goodToken)
	for name, c := range map[string]twilioacct.Credentials{
		"nothing":                    {},
		"no SID":                     {AuthToken: token},
		"no secret":                  {AccountSID: unknownSID},
		"a malformed SID":            {AccountSID: "AC123", AuthToken: token},
		"a key's SID as account":     {AccountSID: unknownKey, AuthToken: token},
		"the token as SID":           {AccountSID: goodToken, AuthToken: token},
		"a token with a line end":    {AccountSID: unknownSID, AuthToken: twilioacct.NewSecret(goodToken + "\n")},
		"a key without its secret":   {AccountSID: unknownSID, APIKeySID: unknownKey},
		"a secret without its key":   {AccountSID: unknownSID, APISecret: token},
		"a malformed key":            {AccountSID: unknownSID, APIKeySID: "SK1", APISecret: token},
		"a key's secret with spaces": {AccountSID: unknownSID, APIKeySID: unknownKey, APISecret: twilioacct.NewSecret("a b")},
		"a token and a key":          {AccountSID: unknownSID, AuthToken: token, APIKeySID: unknownKey, APISecret: token},
	} {
		_, err := twilioacct.New(c, nil)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		assert.NotContains(t, err.Error(), goodToken, name)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	c := twilioacct.Credentials{AccountSID: unknownSID, AuthToken: twilioacct.NewSecret(goodToken)}
	for name, o := range map[string]twilioacct.Options{
		"a base URL without a scheme":   {BaseURL: "127.0.0.1:80"},
		"a region without an edge":      {Region: "xx1"},
		"an edge that is a host":        {Edge: "a.b"},
		"a negative time-out":           {RequestTimeout: -1},
		"negative concurrency":          {MaxConcurrent: -1},
		"a negative rate":               {RequestsPerSecond: -1},
		"a Store that is a nil pointer": {Store: (*twilioacct.MemStore)(nil)},
	} {
		_, err := twilioacct.New(c, &o)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	opts := &twilioacct.Options{HTTPClient: fake.HTTPClient()}
	p, err := twilioacct.New(parentOf(fake), opts)
	require.NoError(t, err)
	*opts = twilioacct.Options{BaseURL: "http://127.0.0.1:1", HTTPClient: http.DefaultClient}
	_, err = p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
}

func TestABaseURLIsDialledInThePlaceOfTwilio(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme")
	p, err := twilioacct.New(parentOf(fake), &twilioacct.Options{BaseURL: fake.URL()})
	require.NoError(t, err)
	_, err = p.Account(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, "api.twilio.com", fake.Requests()[0].Host)
}

func TestARegionAndItsEdgeNameTheHost(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.Region = "ie1" })
	_, err := p.Account(t.Context(), fake.AddSubaccount("acme").SID)
	require.NoError(t, err)
	assert.Equal(t, "api.dublin.ie1.twilio.com", fake.Requests()[0].Host)
}

func TestCredentialsFromEnv(t *testing.T) {
	const sid, token, key, secret = "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET"
	byToken := twilioacct.Credentials{AccountSID: unknownSID, AuthToken: twilioacct.NewSecret(goodToken)}
	byKey := twilioacct.Credentials{AccountSID: unknownSID, APIKeySID: unknownKey, APISecret: twilioacct.NewSecret("secret")}
	tests := map[string]struct {
		env     map[string]string
		want    twilioacct.Credentials
		wantErr error
	}{
		"nothing":            {wantErr: twilioacct.ErrNoCredentials},
		"a token":            {env: map[string]string{sid: unknownSID, token: goodToken}, want: byToken},
		"a key":              {env: map[string]string{sid: unknownSID, key: unknownKey, secret: "secret"}, want: byKey},
		"both":               {env: map[string]string{sid: unknownSID, token: goodToken, key: unknownKey, secret: "secret"}, want: byToken},
		"a SID alone":        {env: map[string]string{sid: unknownSID}, wantErr: twilioacct.ErrInvalid},
		"a token alone":      {env: map[string]string{token: goodToken}, wantErr: twilioacct.ErrInvalid},
		"a key alone":        {env: map[string]string{key: unknownKey, secret: "secret"}, wantErr: twilioacct.ErrInvalid},
		"a key half":         {env: map[string]string{sid: unknownSID, key: unknownKey}, wantErr: twilioacct.ErrInvalid},
		"a malformed SID":    {env: map[string]string{sid: "AC1", token: goodToken}, wantErr: twilioacct.ErrInvalid},
		"a token that's odd": {env: map[string]string{sid: unknownSID, token: goodToken + " "}, wantErr: twilioacct.ErrInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{sid, token, key, secret} {
				t.Setenv(v, test.env[v])
			}
			got, err := twilioacct.CredentialsFromEnv()
			require.ErrorIs(t, err, test.wantErr)
			assert.Equal(t, test.want, got)
			if err != nil {
				assert.NotContains(t, err.Error(), goodToken)
			}
		})
	}
}

func TestAWrapperHidesNoCompanionOfAStore(t *testing.T) {
	t.Parallel()
	mem := twilioacct.NewMemStore()
	wrapped := wrapper{wrapper{mem}}
	scanner, ok := twilioacct.StoreAs[twilioacct.Scanner](wrapped)
	require.True(t, ok)
	assert.Equal(t, twilioacct.Scanner(mem), scanner)

	_, ok = twilioacct.StoreAs[twilioacct.Claimer](storeFuncs{})
	assert.False(t, ok)
	_, ok = twilioacct.StoreAs[twilioacct.Scanner](nil)
	assert.False(t, ok)
}

type wrapper struct{ twilioacct.Store }

func (w wrapper) Unwrap() twilioacct.Store { return w.Store }
