package twiliotest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// A program suspends a tenant, and Twilio is too busy at first. In a test,
// NewServer(t) takes the place of Start and Close.
func Example() {
	twilio := twiliotest.Start()
	defer twilio.Close()
	parent, tenant := twilio.Parent(), twilio.AddSubaccount("Tenant 7")
	twilio.Inject(twiliotest.Fault{Operation: "UpdateAccount", Status: 429, RetryAfter: "1"})

	suspend := func() {
		form := url.Values{"Status": {"suspended"}}
		r, _ := http.NewRequest("POST", "https://api.twilio.com/2010-04-01/Accounts/"+tenant.SID+".json",
			strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(parent.SID, parent.AuthToken)
		response, err := twilio.HTTPClient().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		fmt.Println(response.Status)
	}
	suspend()
	suspend()

	tenant, _ = twilio.Account(tenant.SID)
	fmt.Println(tenant.FriendlyName, "is", tenant.Status, "after", twilio.Count("UpdateAccount"), "requests")
	for _, r := range twilio.Requests() {
		fmt.Println(r.Operation, r.Form.Get("Status"), r.Status, "signed by the parent:", r.SignedBy(parent.SID))
	}
	// Output:
	// 429 Too Many Requests
	// 200 OK
	// Tenant 7 is suspended after 2 requests
	// UpdateAccount suspended 429 signed by the parent: true
	// UpdateAccount suspended 200 signed by the parent: true
}
