package twilioacct_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

const aTrunk = "TK00000000000000000000000000000001"

// talking is a tenant that calls from browsers, and whose number is answered by the same application.
func talking(n *twilioacct.NumberSpec) twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: "Falcon Flights", Key: "customer 7", Number: n,
		Voice: &twilioacct.VoiceSpec{
			FriendlyName: "browser calls",
			Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://example.com/outgoing")},
			Incoming:     &twilioacct.IncomingCalls{},
			Token:        &twilioacct.TokenSpec{Identity: "alice", Lifetime: 10 * time.Minute, Voice: twilioacct.VoiceGrant{Incoming: true}},
		},
	}
}

func TestATenantIsSetUpForCallsInOneCall(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{Country: "US", AreaCode: 415}})

	has, err := p.Provision(t.Context(), spec)

	require.NoError(t, err)
	assert.Equal(t, []string{
		"ListAccount", "ListAvailablePhoneNumberLocal",
		"CreateAccount", "CreateIncomingPhoneNumber", "CreateNewKey", "ListKey", "CreateApplication", "UpdateIncomingPhoneNumber",
	}, operationsOf(fake))
	app, ok := fake.Application(has.Application.SID)
	require.True(t, ok)
	assert.Equal(t, "https://example.com/outgoing", app.VoiceURL)
	number, _ := fake.PhoneNumber(has.Caller.SID)
	assert.Equal(t, app.SID, number.VoiceApplicationSID)
	assert.Equal(t, has.Account.SID, number.AccountSID)
	assert.Len(t, fake.Keys(has.Account.SID), 1)

	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, has.Application, again.Application)
	for _, s := range again.Steps {
		t.Log(s)
	}
}

func operationsOf(fake *twiliotest.Server) []string {
	var operations []string
	for _, r := range fake.Requests() {
		operations = append(operations, r.Operation)
	}
	return operations
}
