package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokens are those of a fleet by SID, as encoding/json finds them.
func tokens(t *testing.T, twilio *twilio) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := newPager(twilio).each(t.Context(), func(page []byte) error {
		var list struct{ Accounts []bareAccount }
		err := json.Unmarshal(page, &list)
		for _, a := range list.Accounts {
			all[a.SID] = a.AuthToken
			assert.Equal(t, twilio.SID, a.OwnerAccountSID)
		}
		return err
	})
	require.NoError(t, err)
	return all
}

func TestTokensChangeAndSIDsDoNot(t *testing.T) {
	t.Parallel()
	const fleet = 3 * pageSize
	twilio, err := newTwilio(fleet)
	require.NoError(t, err)
	defer twilio.Close()
	before := tokens(t, twilio)
	require.Len(t, before, fleet)
	assert.Len(t, slices.Compact(slices.Sorted(maps.Values(before))), fleet, "different tokens")
	for _, every := range []int{100, 1} {
		require.NoError(t, twilio.changeTokens(t.Context(), every))
		after := tokens(t, twilio)
		require.Len(t, after, fleet)
		strange, changed := 0, 0
		for sid, token := range after {
			was, isKnown := before[sid]
			switch {
			case !isKnown:
				strange++
			case was != token:
				changed++
			}
		}
		assert.Zero(t, strange, "other SIDs than before")
		assert.Equal(t, fleet/every, changed)
		before = after
	}
	assert.Error(t, twilio.changeTokens(t.Context(), 3), "a third of a page is no whole number")
}

func TestAnAccountIsTheSameInTheListAndAlone(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(2 * pageSize)
	require.NoError(t, err)
	defer twilio.Close()
	require.NoError(t, twilio.changeTokens(t.Context(), 1))
	bare := newBare(twilio)
	for sid, token := range tokens(t, twilio) {
		alone, err := bare.account(t.Context(), sid)
		require.NoError(t, err)
		require.Equal(t, sid, alone.SID)
		require.Equal(t, token, alone.AuthToken)
	}
	_, err = bare.account(t.Context(), twilio.SID)
	assert.ErrorContains(t, err, "404")
}

func TestConditionsRefuseEveryNth(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(pageSize)
	require.NoError(t, err)
	defer twilio.Close()
	require.NoError(t, twilio.become(t.Context(), conditions{Throttled: 5, Unavailable: 10}))
	seen := map[int]int{}
	for range 20 {
		resp, err := http.Get(twilio.URL + accountsPath + "/" + twilio.Subaccount + ".json")
		require.NoError(t, err)
		resp.Body.Close()
		seen[resp.StatusCode]++
		if resp.StatusCode == http.StatusTooManyRequests {
			assert.Equal(t, "1", resp.Header.Get("Retry-After"))
		}
	}
	assert.Equal(t, map[int]int{http.StatusOK: 14, http.StatusTooManyRequests: 4, http.StatusServiceUnavailable: 2}, seen)
	counted, err := twilio.counted(t.Context())
	require.NoError(t, err)
	assert.Equal(t, counts{Requests: 20, Throttled: 4, Unavailable: 2}, counted)

	require.NoError(t, twilio.become(t.Context(), conditions{}))
	counted, err = twilio.counted(t.Context())
	require.NoError(t, err)
	assert.Equal(t, counts{}, counted)
}

func TestLatencyIsBeforeEachAnswer(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(2 * pageSize)
	require.NoError(t, err)
	defer twilio.Close()
	const latency = 30 * time.Millisecond
	require.NoError(t, twilio.become(t.Context(), conditions{Latency: latency}))
	start := time.Now()
	tokens(t, twilio)
	assert.GreaterOrEqual(t, time.Since(start), 2*latency)
}
