package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// In a bubble nothing takes time but Twilio, so the figures are the same each time.
func TestManyNumbersAreAnsweredInATwelfthOfTheTime(t *testing.T) {
	t.Parallel()
	const request = 50 * time.Millisecond
	for i, loop := range []time.Duration{(1 + 500) * request, (1 + 100*(1+5)) * request} {
		synctest.Test(t, func(t *testing.T) {
			e := estates[i]
			oneByOne, err := e.oneByOne()
			require.NoError(t, err)
			assert.Equal(t, loop, oneByOne, "%s: lists, and one request for each number", e.name)
			atOnce, err := e.atOnce(t.Context())
			require.NoError(t, err)
			assert.GreaterOrEqual(t, atOnce, 11*request, "%s: a list, and 500 requests, 50 at once", e.name)
			assert.LessOrEqual(t, atOnce, oneByOne/12, e.name)
		})
	}
}

func TestASecondRunOnlyLists(t *testing.T) {
	t.Parallel()
	for _, e := range estates {
		synctest.Test(t, func(t *testing.T) {
			again, err := e.again(t.Context())
			require.NoError(t, err, e.name)
			assert.Equal(t, e.lists, again, e.name)
			assert.Zero(t, again.others, e.name)
		})
	}
}

func TestANumberThatSomethingElseAnswersDoesNotCount(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	tenant := fake.AddSubaccount("").SID
	require.NoError(t, answered(fake, 0))
	add := func(n twiliotest.PhoneNumber) { fake.AddPhoneNumber(tenant, n) }
	add(twiliotest.PhoneNumber{VoiceURL: "https://old.example/voice", VoiceMethod: "POST"})
	add(twiliotest.PhoneNumber{VoiceURL: voiceURL, VoiceMethod: "GET"})
	add(twiliotest.PhoneNumber{VoiceURL: voiceURL, VoiceMethod: "POST", TrunkSID: "TK" + tenant[2:]})
	add(twiliotest.PhoneNumber{VoiceURL: voiceURL, VoiceMethod: "POST", VoiceApplicationSID: fake.AddApplication(tenant)})
	require.NoError(t, answered(fake, 0))
	add(twiliotest.PhoneNumber{VoiceURL: voiceURL, VoiceMethod: "POST"})
	require.NoError(t, answered(fake, 1))
	require.Error(t, answered(fake, 2), "one is missing")
	require.Error(t, answered(fake, 0), "one is too many")
}

func TestRequestsThatListAreCountedApart(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	tenant := fake.AddSubaccount("")
	provider, err := on(fake, onFake(fake))
	require.NoError(t, err)
	_, err = provider.Account(t.Context(), tenant.SID)
	require.NoError(t, err)
	for _, err := range provider.Subaccount(tenant.SID).PhoneNumbers(t.Context(), nil) {
		require.NoError(t, err)
	}
	assert.Equal(t, kinds{lists: 1, others: 2}, kindsOf(fake), "the handle fetches its token")
	assert.Equal(t, "lists: 1, others: 2", kindsOf(fake).String())
}
