package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheOneCallMakesAsManyRequestsAsIsDocumented(t *testing.T) {
	t.Parallel()
	for _, f := range flows {
		first, again, err := f.count(t.Context())
		require.NoError(t, err, f.name)
		assert.Equal(t, f.first, first, f.name)
		assert.Equal(t, f.again, again, "%s, once more", f.name)
	}
}

func TestTheArticlesFlowIsFourChangesAndFourLooks(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "number moved", flows[0].name)
	assert.Equal(t, requests{changes: 4, looks: 4}, flows[0].first)
}

func TestRequestsAreCountedByWhatTheyDo(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	provider, err := on(fake, onFake(fake))
	require.NoError(t, err)
	assert.Equal(t, requests{}, requestsOf(fake))
	a, err := provider.CreateSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
	_, err = provider.Account(t.Context(), a.SID)
	require.NoError(t, err)
	_, err = provider.FindSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
	assert.Equal(t, requests{changes: 1, looks: 2}, requestsOf(fake))
}
