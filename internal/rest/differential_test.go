package rest

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	msg "github.com/twilio/twilio-go/rest/messaging/v1"
)

// wire is what of a request Twilio sees.
type wire struct {
	method, url, body, contentType, authorization string
}

// capture notes the request and answers with what every generated call can decode.
func capture(seen *wire) http.RoundTripper {
	return transportFunc(func(r *http.Request) (*http.Response, error) {
		*seen = wire{
			method:        r.Method,
			url:           r.URL.String(),
			contentType:   r.Header.Get("Content-Type"),
			authorization: r.Header.Get("Authorization"),
		}
		if r.Body != nil {
			body, _ := io.ReadAll(r.Body)
			seen.body = string(body)
		}
		return answers(200, `{}`)(r)
	})
}

// The calls of twilio-go that this library makes go out as twilio-go's own client sends them, except for its known traps. After
// an upgrade of twilio-go this shows at once what has changed.
func TestTheSameCallIsTheSameRequestAsTwilioGos(t *testing.T) {
	t.Parallel()
	list := func() *api.ListAccountParams { return new(api.ListAccountParams) }
	tests := map[string]struct {
		call      func(*api.ApiService) error
		messaging func(*msg.ApiService) error
		trap      string // the query that twilio-go's own client sends instead
	}{
		"FetchAccount": {call: func(s *api.ApiService) error { _, err := s.FetchAccount(accountSID); return err }},
		"PageAccount": {call: func(s *api.ApiService) error {
			_, err := s.PageAccount(list().SetPageSize(1000), "", "")
			return err
		}},
		"PageAccount, a later page": {call: func(s *api.ApiService) error {
			_, err := s.PageAccount(list().SetPageSize(1000), "PAAC0123", "7")
			return err
		}},
		"PageAccount without parameters": {call: func(s *api.ApiService) error { _, err := s.PageAccount(nil, "", ""); return err }},
		"PageAccount by status and name": {call: func(s *api.ApiService) error {
			_, err := s.PageAccount(list().SetStatus("active").SetFriendlyName("Falcon & Flights + ünïcode 🦉"), "", "")
			return err
		}},
		"PageAccount by a name with a version": {
			call: func(s *api.ApiService) error {
				_, err := s.PageAccount(list().SetFriendlyName("acme v1.25"), "", "")
				return err
			},
			trap: "FriendlyName=acme+v1",
		},
		"CreateAccount": {call: func(s *api.ApiService) error {
			_, err := s.CreateAccount(new(api.CreateAccountParams).SetFriendlyName("acme v1.25"))
			return err
		}},
		"UpdateAccount": {call: func(s *api.ApiService) error {
			_, err := s.UpdateAccount(accountSID, new(api.UpdateAccountParams).SetStatus("suspended").SetFriendlyName("a=b&c"))
			return err
		}},
		"PageIncomingPhoneNumber": {call: func(s *api.ApiService) error {
			_, err := s.PageIncomingPhoneNumber(new(api.ListIncomingPhoneNumberParams).SetPhoneNumber("+14155550100").SetFriendlyName("a & b"), "", "")
			return err
		}},
		"CreateIncomingPhoneNumber": {call: func(s *api.ApiService) error {
			order := new(api.CreateIncomingPhoneNumberParams).SetAreaCode("415").SetFriendlyName("v1.25").SetSmsUrl("https://x.example/?a=1&b=ü")
			_, err := s.CreateIncomingPhoneNumber(order)
			return err
		}},
		"UpdateIncomingPhoneNumber, a move": {call: func(s *api.ApiService) error {
			move := new(api.UpdateIncomingPhoneNumberParams).SetPathAccountSid(accountSID).SetAccountSid("AC2").SetVoiceUrl("")
			_, err := s.UpdateIncomingPhoneNumber("PN1", move)
			return err
		}},
		"CreateMessage": {call: func(s *api.ApiService) error {
			at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			m := new(api.CreateMessageParams).SetTo("+14155550100").SetBody("Hi there 🦉").SetMediaUrl([]string{"https://x.example/1", "https://x.example/2"})
			_, err := s.CreateMessage(m.SetScheduleType("fixed").SetSendAt(at))
			return err
		}},
		"UpdateMessage, a redaction": {call: func(s *api.ApiService) error {
			_, err := s.UpdateMessage("SM1", new(api.UpdateMessageParams).SetBody(""))
			return err
		}},
		"PageMessage": {call: func(s *api.ApiService) error {
			after := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			_, err := s.PageMessage(new(api.ListMessageParams).SetFrom("whatsapp:+14155550100").SetDateSentAfter(after), "", "")
			return err
		}},
		"CreateService": {messaging: func(s *msg.ApiService) error {
			_, err := s.CreateService(new(msg.CreateServiceParams).SetFriendlyName("v1.25").SetUseInboundWebhookOnNumber(true).SetValidityPeriod(60))
			return err
		}},
		"PageService": {messaging: func(s *msg.ApiService) error {
			_, err := s.PageService(new(msg.ListServiceParams).SetPageSize(1000), "PAMG1", "1")
			return err
		}},
		"CreatePhoneNumber": {messaging: func(s *msg.ApiService) error {
			_, err := s.CreatePhoneNumber("MG1", new(msg.CreatePhoneNumberParams).SetPhoneNumberSid("PN1"))
			return err
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := func(h *client.RequestHandler) error {
				if test.messaging != nil {
					return test.messaging(msg.NewApiService(h))
				}
				return test.call(api.NewApiService(h))
			}
			var theirs, ours wire
			stock := &client.Client{
				Credentials: client.NewCredentials(signer.auth.User, signer.auth.Password),
				HTTPClient:  &http.Client{Transport: capture(&theirs)},
			}
			stock.SetAccountSid(accountSID)
			require.NoError(t, call(&client.RequestHandler{Client: stock}))
			require.NoError(t, call(newClient(t, capture(&ours), nil).Call(t.Context(), accountSID, signer).Handler()))

			if test.trap != "" {
				u, err := url.Parse(theirs.url)
				require.NoError(t, err)
				assert.Equal(t, test.trap, u.RawQuery, "the trap is gone: let the queries be compared")
				theirs.url, ours.url = "", ours.url[:0]
			}
			assert.Equal(t, theirs, ours)
		})
	}
}
