package twilioacct_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestASuspensionLeavesCallsRunningAndEndCallsEndsThem(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme, other := fake.AddSubaccount("acme").SID, fake.AddSubaccount("other").SID
	for range 1200 {
		fake.AddCall(acme, "in-progress")
	}
	live := []twiliotest.Call{fake.AddCall(acme, "queued"), fake.AddCall(acme, "ringing")}
	fake.AddCall(acme, "completed")
	theirs := fake.AddCall(other, "in-progress")
	_, err := p.SuspendSubaccount(t.Context(), acme)
	require.NoError(t, err)
	for _, c := range live {
		now, _ := fake.Call(c.SID)
		assert.Equal(t, c.Status, now.Status)
	}

	ended, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	assert.Equal(t, 1202, ended)
	for _, c := range fake.Calls(acme) {
		assert.Equal(t, "completed", c.Status)
	}
	still, _ := fake.Call(theirs.SID)
	assert.Equal(t, "in-progress", still.Status)
	for _, r := range fake.Requests() {
		assert.Equal(t, fake.Parent().SID, r.User)
	}
	ended, err = p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	assert.Zero(t, ended)
}

func TestACallThatIsAnsweredWhileTheCallsAreReadIsEnded(t *testing.T) {
	t.Parallel()
	fake, _ := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	call := fake.AddCall(acme, "ringing")
	n := 0
	p := providerOn(t, fake, func(o *twilioacct.Options) {
		through := o.HTTPClient.Transport
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if n++; n == 2 { // it was not among the first, and is answered before the second are read
				fake.SetCallStatus(call.SID, "in-progress")
			}
			return through.RoundTrip(r)
		})}
	})
	_, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
	now, _ := fake.Call(call.SID)
	assert.Equal(t, "completed", now.Status)
}

func TestCallsThatWereFoundAreEndedThoughNotAllCouldBeRead(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, func(o *twilioacct.Options) { o.MaxRetryWait = -1 })
	acme := fake.AddSubaccount("acme").SID
	fake.AddCall(acme, "in-progress")
	fake.Inject(twiliotest.Fault{Operation: "ListCall", Status: 500})
	ended, err := p.EndCalls(t.Context(), acme)
	require.ErrorIs(t, err, twilioacct.ErrUnavailable)
	assert.Equal(t, 1, ended)
}

func TestACallThatEndsByItselfMeanwhileIsNoError(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("acme").SID
	fake.AddCall(acme, "in-progress")
	fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Code: 21220})
	_, err := p.EndCalls(t.Context(), acme)
	require.NoError(t, err)
}

func TestACallThatCannotBeEndedKeepsNoOtherFromIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		acme := fake.AddSubaccount("acme").SID
		bad := fake.AddCall(acme, "in-progress")
		for range 20 {
			fake.AddCall(acme, "in-progress")
		}
		fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Path: bad.SID, Status: 500, Times: twiliotest.Always})
		fake.Inject(twiliotest.Fault{Operation: "UpdateCall", Reset: true, AfterEffect: true, On: 3})
		ended, err := p.EndCalls(t.Context(), acme)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		assert.Equal(t, 20, ended)
	})
}
