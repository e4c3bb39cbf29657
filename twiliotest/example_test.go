package twiliotest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

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

// Somebody else buys the number that a search has found.
func ExampleServer_TakeAvailable() {
	twilio := twiliotest.Start()
	defer twilio.Close()
	tenant := twilio.AddSubaccount("Tenant 7")
	numbers := "https://api.twilio.com/2010-04-01/Accounts/" + tenant.SID + "/IncomingPhoneNumbers.json"

	twilio.TakeAvailable("+14155552000")
	for _, number := range []string{"+14155552000", "+14155552001"} {
		post(twilio, tenant, numbers, url.Values{"PhoneNumber": {number}, "SmsUrl": {"https://example.com/sms"}})
	}
	for _, n := range twilio.PhoneNumbers(tenant.SID) {
		fmt.Println(n.FriendlyName, n.SMSMethod, n.SMSURL)
	}
	// Output:
	// 400 Bad Request
	// 201 Created
	// (415) 555-2001 POST https://example.com/sms
}

// A phone number works until it is put into a messaging service without a
// webhook.
func ExampleServer_Receive() {
	twilio := twiliotest.Start()
	defer twilio.Close()
	tenant := twilio.AddSubaccount("Tenant 7")
	number := twilio.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{SMSURL: "https://example.com/sms"})
	service := twilio.AddMessagingService(tenant.SID, twiliotest.MessagingService{})

	fmt.Println("calls", twilio.Receive(number.PhoneNumber, "+12065550199", "Hello").URL)
	post(twilio, tenant, "https://messaging.twilio.com/v1/Services/"+service.SID+"/PhoneNumbers",
		url.Values{"PhoneNumberSid": {number.SID}})
	fmt.Println("lost:", twilio.Receive(number.PhoneNumber, "+12065550199", "Hello?").Lost)

	post(twilio, tenant, "https://api.twilio.com/2010-04-01/Accounts/"+tenant.SID+"/Messages.json",
		url.Values{"To": {"+12065550199"}, "MessagingServiceSid": {service.SID}, "Body": {"Are you there?"}})
	sent := twilio.Messages(tenant.SID)[1]
	twilio.SetMessageStatus(sent.SID, "delivered", 0)
	for _, m := range twilio.Messages(tenant.SID) {
		fmt.Println(m.Direction, m.Status, m.From, m.Body)
	}
	// Output:
	// calls https://example.com/sms
	// 201 Created
	// lost: true
	// 201 Created
	// inbound received +12065550199 Hello
	// outbound-api delivered +14155550101 Are you there?
}

// A voice URL that is set has no effect while an application is set, too.
func ExampleServer_AnsweredBy() {
	twilio := twiliotest.Start()
	defer twilio.Close()
	tenant := twilio.AddSubaccount("Tenant 7")
	app := twilio.AddApplicationWith(tenant.SID, twiliotest.Application{VoiceURL: "https://example.com/app"})
	number := twilio.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{VoiceApplicationSID: app.SID})
	address := "https://api.twilio.com/2010-04-01/Accounts/" + tenant.SID + "/IncomingPhoneNumbers/" + number.SID + ".json"

	post(twilio, tenant, address, url.Values{"VoiceUrl": {"https://example.com/voice"}})
	fmt.Println(twilio.AnsweredBy(number.PhoneNumber).URL)
	post(twilio, tenant, address, url.Values{"VoiceApplicationSid": {""}})
	fmt.Println(twilio.AnsweredBy(number.PhoneNumber).URL)
	// Output:
	// 200 OK
	// https://example.com/app
	// 200 OK
	// https://example.com/voice
}

// A token dies with the key that has signed it. Here accessToken stands for the
// program that is tested.
func ExampleServer_VerifyAccessToken() {
	twilio := twiliotest.Start()
	defer twilio.Close()
	tenant := twilio.AddSubaccount("Tenant 7")
	key := twilio.AddKey(tenant.SID, twiliotest.StandardKey)

	token := accessToken(key, "alice", 10*time.Minute)
	good, err := twilio.VerifyAccessToken(token)
	fmt.Println(good.Identity, good.Voice.IncomingAllowed, good.ExpiresAt.Sub(good.NotBefore), err)

	twilio.DeleteKey(key.SID)
	_, err = twilio.VerifyAccessToken(token)
	var refusal *twiliotest.TokenError
	fmt.Println(errors.As(err, &refusal) && refusal.Code == 20103)
	// Output:
	// alice true 10m0s <nil>
	// true
}

func accessToken(k twiliotest.Key, identity string, life time.Duration) string {
	now := time.Now()
	payload := object{"iss": k.SID, "sub": k.AccountSID, "nbf": now.Unix(), "exp": now.Add(life).Unix(),
		"grants": object{"identity": identity, "voice": object{"incoming": object{"allow": true}}}}
	return sign(fpaHeader, payload, k.Secret)
}

// post sends a form, signed by an account, and prints the status.
func post(twilio *twiliotest.Server, as twiliotest.Account, url string, form url.Values) {
	r, _ := http.NewRequest("POST", url, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(as.SID, as.AuthToken)
	response, err := twilio.HTTPClient().Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	fmt.Println(response.Status)
}
