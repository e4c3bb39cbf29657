package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
)

// Whoever does less is faster: the sides must come to the same.
func TestAllWaysComeToTheSame(t *testing.T) {
	t.Parallel()
	const fleet = 2 * pageSize
	twilio, err := newTwilio(fleet)
	require.NoError(t, err)
	defer twilio.Close()
	provider, err := ours(twilio, twilioacct.Options{CacheTime: -1})
	require.NoError(t, err)
	bare, stock := newBare(twilio), stock(twilio)

	a, err := provider.Account(t.Context(), twilio.Subaccount)
	require.NoError(t, err)
	b, err := bare.account(t.Context(), twilio.Subaccount)
	require.NoError(t, err)
	s, err := stock.FetchAccount(twilio.Subaccount)
	require.NoError(t, err)
	assert.Equal(t, twilio.Subaccount, a.SID)
	assert.Equal(t, b.SID, a.SID)
	assert.Equal(t, *s.Sid, a.SID)
	assert.Equal(t, b.AuthToken, a.AuthToken.Reveal())
	assert.Equal(t, *s.AuthToken, a.AuthToken.Reveal())
	assert.True(t, b.DateUpdated.Equal(a.DateUpdated))
	assert.Equal(t, b.URI, a.URI)

	seen := map[string]bool{}
	for a, err := range provider.Accounts(t.Context(), nil) {
		require.NoError(t, err)
		assert.True(t, a.SID != "" && !a.AuthToken.IsZero() && a.FriendlyName != "")
		seen[a.SID] = true
	}
	assert.Len(t, seen, fleet, "different accounts")
	n, err := bare.list(t.Context())
	require.NoError(t, err)
	assert.Equal(t, fleet, n)
	all, err := stock.ListAccount(new(api.ListAccountParams).SetPageSize(pageSize))
	require.NoError(t, err)
	assert.Len(t, all, fleet)
}
