package twiliotest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAFaultThatCannotDoWhatItSaysPanics(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]twiliotest.Fault{
		"a message without an answer": {Message: "x"},
		"no code without an answer":   {Code: twiliotest.NoCode},
		"a negative code":             {Code: -7},
		"a status of no answer":       {Status: 100},
		"a status that is none":       {Status: 1000},
		"a negative request":          {Status: 503, On: -1},
		"a length of its own":         {Status: 503, Header: http.Header{"Content-Length": {"3"}}},
		"a reset with a status":       {Status: 503, Reset: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("Inject took it")
				}
			}()
			twiliotest.Start().Inject(fault)
		})
	}
}

func TestAnEffectComesBeforeTheDelayOfItsAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t)
		fake.Inject(twiliotest.Fault{Operation: "CreateAccount", AfterEffect: true, Delay: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.twilio.com/2010-04-01/Accounts.json", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(fake.Parent().SID, fake.Parent().AuthToken)
		response, err := fake.HTTPClient().Do(request)
		if err == nil {
			response.Body.Close()
			t.Fatal("the answer came in time")
		}
		if n := len(fake.Subaccounts()); n != 1 {
			t.Errorf("%d accounts were made", n)
		}
	})
}

func TestAFaultsHeaderReplacesTwilios(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	fake.Inject(twiliotest.Fault{Status: 503, Header: http.Header{"Twilio-Request-Id": {"RQ1"}}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.twilio.com/2010-04-01/Accounts.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(fake.Parent().SID, fake.Parent().AuthToken)
	response, err := fake.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Twilio-Request-Id"); got != "RQ1" {
		t.Errorf("the request id is %q", got)
	}
}
