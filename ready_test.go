package twilioacct_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAServiceIsReadyIfOneOfItsNumbersMaySend(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{UseInboundWebhookOnNumber: true})
	ready := acme.Ready(t.Context(), service.SID)
	assert.False(t, ready.OK)
	assert.Equal(t, []twilioacct.Reason{{Kind: twilioacct.ReasonNoSender, SID: service.SID}}, ready.Reasons)

	join := func(n twiliotest.PhoneNumber) string {
		n = fake.AddPhoneNumber(acme.SID(), n)
		_, err := acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: n.SID})
		require.NoError(t, err)
		return n.SID
	}
	long, free := join(twiliotest.PhoneNumber{}), join(twiliotest.PhoneNumber{PhoneNumber: "+18885550100"})
	kinds := func(ready twilioacct.Readiness) map[string]twilioacct.ReasonKind {
		found := map[string]twilioacct.ReasonKind{}
		for _, r := range ready.Reasons {
			found[r.SID] = r.Kind
			assert.Contains(t, r.String(), r.SID)
		}
		return found
	}
	ready = acme.Ready(t.Context(), service.SID)
	assert.False(t, ready.OK)
	assert.Equal(t, map[string]twilioacct.ReasonKind{long: twilioacct.ReasonA2P, free: twilioacct.ReasonTollFree}, kinds(ready))

	for _, status := range []string{"PENDING_REVIEW", "IN_REVIEW", "TWILIO_REJECTED"} {
		fake.VerifyTollFree(free, status)
		assert.False(t, acme.Ready(t.Context(), service.SID).OK, status)
	}
	fake.VerifyTollFree(free, "TWILIO_APPROVED")
	ready = acme.Ready(t.Context(), service.SID)
	assert.True(t, ready.OK)
	assert.Equal(t, map[string]twilioacct.ReasonKind{long: twilioacct.ReasonA2P}, kinds(ready))

	fake.RegisterA2P(service.SID)
	ready = acme.Ready(t.Context(), service.SID)
	assert.True(t, ready.OK)
	assert.Empty(t, ready.Reasons)
}

func TestANumberThatCannotSendIsAReason(t *testing.T) {
	t.Parallel()
	p := scripted(t, func(r *http.Request) (int, string) {
		const ids = `"account_sid":"` + scriptedParent + `","sid":"`
		if strings.HasSuffix(r.URL.Path, "/PhoneNumbers") {
			return 200, `{"phone_numbers":[{` + ids + "PN" + unknownSID[2:] + `","capabilities":["Voice"]}],"meta":{}}`
		}
		return 200, `{` + ids + "MG" + unknownSID[2:] + `"}`
	})
	ready := p.Parent().Ready(t.Context(), "MG"+unknownSID[2:])
	assert.Equal(t, twilioacct.Readiness{Reasons: []twilioacct.Reason{{Kind: twilioacct.ReasonNoSMS, SID: "PN" + unknownSID[2:]}}}, ready)
	assert.Contains(t, ready.Reasons[0].String(), "cannot send")
}

func TestAnIslandsNumberIsNoLongCodeOfTheUS(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	jamaican := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+18765550100", Country: "JM"})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{jamaican.SID}})
	assert.True(t, acme.Ready(t.Context(), service.SID).OK)
}

func TestANumberOfAnotherCountryNeedsNoRegistration(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenant(t)
	number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+447700900123"})
	service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	assert.Equal(t, twilioacct.Readiness{OK: true}, acme.Ready(t.Context(), service.SID))
}

func TestALookThatFailsIsAReasonAndNoFailure(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"FetchService", "ListPhoneNumber", "ListTollfreeVerification"} {
		fake, _, acme := tenant(t)
		number := fake.AddPhoneNumber(acme.SID(), twiliotest.PhoneNumber{PhoneNumber: "+18885550100"})
		service := fake.AddMessagingService(acme.SID(), twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
		fake.Inject(twiliotest.Fault{Operation: operation, Code: 20403})
		ready := acme.Ready(t.Context(), service.SID)
		assert.False(t, ready.OK)
		require.Len(t, ready.Reasons, 1)
		assert.Equal(t, twilioacct.ReasonNotLooked, ready.Reasons[0].Kind)
		require.ErrorIs(t, ready.Reasons[0].Err, twilioacct.ErrForbidden)
	}

	fake, p := setup(t, nil)
	spec := buying()
	spec.Number.Buy = &twilioacct.NumberSearch{Type: twilioacct.NumberTollFree}
	fake.Inject(twiliotest.Fault{Operation: "ListTollfreeVerification", Code: 20403})
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.ReasonNotLooked, has.Ready.Reasons[0].Kind)
}

func TestARunSaysWhetherAMessageWouldGoOut(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	has, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Readiness{Reasons: []twilioacct.Reason{{Kind: twilioacct.ReasonA2P, SID: has.Number.SID}}}, has.Ready)
	fake.RegisterA2P(has.Service.SID)
	has, err = p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.True(t, has.Ready.OK)
}
