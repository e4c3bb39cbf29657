package rest

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
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
		call func(*api.ApiService) error
		trap string // the query that twilio-go's own client sends instead
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
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var theirs, ours wire
			stock := &client.Client{
				Credentials: client.NewCredentials(signer.auth.User, signer.auth.Password),
				HTTPClient:  &http.Client{Transport: capture(&theirs)},
			}
			stock.SetAccountSid(accountSID)
			require.NoError(t, test.call(api.NewApiService(&client.RequestHandler{Client: stock})))
			call := newClient(t, capture(&ours), nil).Call(t.Context(), accountSID, signer)
			require.NoError(t, test.call(api.NewApiService(call.Handler())))

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
