package twilioacct_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// onePage answers the first request with a body, and every other with an empty last page.
type onePage struct {
	body []byte
	sent int
}

func (p *onePage) RoundTrip(r *http.Request) (*http.Response, error) {
	body := p.body
	if p.sent++; p.sent > 1 {
		body = []byte(`{"accounts":[]}`)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(bytes.NewReader(bytes.Clone(body))), ContentLength: int64(len(body)),
	}, nil
}

// realPage is a page as Twilio writes it.
func realPage(f *testing.F) []byte {
	f.Helper()
	fake := twiliotest.Start()
	defer fake.Close()
	fake.AddSubaccount("acme v1.25 \"quoted\" 🦉")
	fake.AddSubaccounts(3)
	request, err := http.NewRequest(http.MethodGet, "https://api.twilio.com/2010-04-01/Accounts.json?PageSize=3", http.NoBody)
	require.NoError(f, err)
	request.SetBasicAuth(fake.Parent().SID, fake.Parent().AuthToken)
	response, err := fake.HTTPClient().Do(request)
	require.NoError(f, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(f, err)
	return body
}

// Whatever stands in a page, the iterator gives the accounts that encoding/json finds in it, or a typed error, and it ends.
func FuzzAPageGivesWhatEncodingJSONFindsInIt(f *testing.F) {
	for _, s := range []string{
		``, `null`, `{}`, `[]`, `{"accounts":[]}`, `{"accounts":null}`, `{"accounts":[{"sid":"AC1"}]}`, `{"accounts":[{"sid":1}]}`,
		`{"accounts":[null]}`, `{"accounts":[{"sid":"AC1","auth_token":null}],"next_page_uri":"/2010-04-01/Accounts.json?PageToken=PAAC1&Page=1"}`,
		`{"accounts":[{"subresource_uris":{"a":"b"}}],"next_page_uri":"?"}`, `{"accounts":[]} `, `{"accounts":[]}x`, "{\"accounts\":[{\"friendly_name\":\"\xff\"}]}",
		`{"ACCOUNTS":[{"SID":"AC1"}]}`, `{"accounts":[{"date_created":"Wed, 17 Feb 2021 15:12:01 +0000"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Add(realPage(f))
	parent := twilioacct.Credentials{AccountSID: unknownSID, AuthToken: twilioacct.NewSecret(goodToken)}
	f.Fuzz(func(t *testing.T, body []byte) {
		transport := &onePage{body: body}
		p, err := twilioacct.New(parent, &twilioacct.Options{HTTPClient: &http.Client{Transport: transport}, MaxRetryWait: -1})
		require.NoError(t, err)
		got, failure := collect(p.Accounts(t.Context(), nil))
		var want api.ListAccountResponse
		if json.Unmarshal(body, &want) != nil || want.Accounts == nil {
			var typed *twilioacct.Error
			if len(got) > 0 || !errors.As(failure, &typed) || typed.Status != http.StatusOK {
				t.Fatalf("encoding/json refuses it, and the iterator gives %d accounts and %v", len(got), failure)
			}
			return
		}
		if len(got) != len(want.Accounts) || transport.sent > 2 {
			t.Fatalf("%d accounts of %d after %d requests: %v", len(got), len(want.Accounts), transport.sent, failure)
		}
		for i, a := range got {
			w := want.Accounts[i]
			found := []string{a.SID, a.FriendlyName, a.AuthToken.Reveal(), string(a.Status), string(a.Type), a.OwnerAccountSID, a.URI}
			require.Equal(t, []string{
				text(w.Sid), text(w.FriendlyName), text(w.AuthToken), text(w.Status), text(w.Type), text(w.OwnerAccountSid), text(w.Uri),
			}, found)
		}
	})
}

func collect(all iter.Seq2[twilioacct.Account, error]) (good []twilioacct.Account, failure error) {
	for a, err := range all {
		if err != nil {
			return good, err
		}
		good = append(good, a)
	}
	return good, nil
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
