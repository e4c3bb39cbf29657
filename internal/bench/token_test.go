package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decoded are the header and the claims of a token that the fake takes, with no id: that is another one each time.
func (m *mint) decoded(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	_, err := m.fake.VerifyAccessToken(token)
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, into))
	}
	require.Contains(t, claims["jti"], m.key.SID+"-")
	delete(claims, "jti")
	return header, claims
}

// Whoever says less is faster. In a bubble the clock stands still meanwhile, so all say the same time.
func TestAllWaysToSignATokenSayTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, err := newMint(t.Context())
		require.NoError(t, err)
		defer m.fake.Close()
		ways := m.ways(t.Context())
		token, err := ways[0].sign()
		require.NoError(t, err)
		header, claims := m.decoded(t, token)
		assert.Len(t, claims, 6)
		for _, w := range ways[1:] {
			other, err := w.sign()
			require.NoError(t, err, w.name)
			h, c := m.decoded(t, other)
			assert.Equal(t, header, h, w.name)
			if w.name == "twilio-go" {
				assert.NotContains(t, c, "iat", "or else it has to be the same")
				c["iat"] = claims["iat"]
			} else {
				assert.Len(t, other, len(token), w.name)
			}
			assert.Equal(t, claims, c, w.name)
		}
	})
}

func TestATokenOfARememberedKeyTakesNoRequest(t *testing.T) {
	t.Parallel()
	m, err := newMint(t.Context())
	require.NoError(t, err)
	defer m.fake.Close()
	before := m.fake.Count("")
	require.NotZero(t, before, "the key was made")
	require.NoError(t, repeat(m.ways(t.Context())[0].once)(1000))
	assert.Equal(t, before, m.fake.Count(""))
}

func TestATokenTakesFewerAllocationsThanOneOfTwilioGo(t *testing.T) { // no other test runs meanwhile
	m, err := newMint(t.Context())
	require.NoError(t, err)
	defer m.fake.Close()
	ways := m.ways(t.Context())
	ours, err := allocated(1000, ways[0].once)
	require.NoError(t, err)
	twilioGo, err := allocated(1000, ways[2].once)
	require.NoError(t, err)
	assert.Equal(t, "twilio-go", ways[2].name)
	assert.NotZero(t, ours)
	assert.Less(t, ours, twilioGo)
}
