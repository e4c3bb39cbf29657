package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

const accountsPath = "/2010-04-01/Accounts.json"

func TestGetIsTheRequestThatTwilioGoMakes(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(*Config){
		"at Twilio's own place": nil,
		"in a region":           func(c *Config) { c.Region = "ie1" },
		"at an edge":            func(c *Config) { c.Edge = "sydney" },
		"at a base URL":         func(c *Config) { c.BaseURL = "http://127.0.0.1:4010" },
	} {
		var theirs, ours wire
		params := new(api.ListAccountParams).SetPageSize(1000).SetFriendlyName("acme v1.25")
		_, err := api.NewApiService(newClient(t, capture(&theirs), place).Call(t.Context(), accountSID, signer).Handler()).
			PageAccount(params, "PAAC1", "7")
		require.NoError(t, err)

		query := url.Values{"PageSize": {"1000"}, "FriendlyName": {"acme v1.25"}, "PageToken": {"PAAC1"}, "Page": {"7"}}
		_, err = newClient(t, capture(&ours), place).Call(t.Context(), accountSID, signer).Get(accountsPath, query, nil)
		require.NoError(t, err)
		assert.Equal(t, theirs, ours, name)
	}
}

func TestGetHandsOverWhatLooksLikeAPage(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, ` {"accounts":[{"subresource_uris":{"a":"b"}}]}`, "\n{ no JSON at all"} {
		got, err := newClient(t, answers(200, body), nil).Call(t.Context(), accountSID, signer).Get(accountsPath, nil, nil)
		require.NoError(t, err)
		assert.Equal(t, body, string(got))
	}
}

func TestGetRefusesWhatDoesNotLookLikeAPage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]transportFunc{
		"an empty answer":  answers(200, ``),
		"white space":      answers(200, " \n"),
		"null":             answers(200, `null`),
		"a list":           answers(200, `[{}]`),
		"HTML":             answers(200, `<html></html>`),
		"no content":       answers(204, ``),
		"a redirect":       answers(302, `{}`),
		"Twilio's refusal": answers(404, `{"code":20404}`),
		"too much":         answersWithout(200, largestBody+1),
		"half of it":       brokenOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, answer, func(c *Config) { c.MaxRetryWait = -1 })
			body, err := client.Call(t.Context(), accountSID, signer).Get(accountsPath, nil, make([]byte, 10))
			assert.NotZero(t, failureFrom(t, err).Status)
			assert.Equal(t, accountsPath, failureFrom(t, err).Path)
			assert.Nil(t, body)
		})
	}
}

func TestGetRefusesAPathThatIsNone(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"%zz", ".evil.example/", ":80:80/"} {
		twilio := &script{steps: []transportFunc{answers(200, `{}`)}}
		_, err := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer).Get(path, nil, nil)
		require.ErrorIs(t, err, ErrInvalidRequest, path)
		assert.Empty(t, twilio.requests(), path)
	}
}

func TestGetUsesTheMemoryThatItIsGiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		short, long := `{"accounts":[]}`, `{"accounts":[`+strings.Repeat(" ", 1000)+`]}`
		twilio := &script{steps: []transportFunc{answers(200, long), answers(503, long+long), answers(200, short), answers(200, long+long)}}
		call := newClient(t, twilio, nil).Call(t.Context(), accountSID, signer)
		first, err := call.Get(accountsPath, nil, nil)
		require.NoError(t, err)
		assert.Equal(t, long, string(first))

		second, err := call.Get(accountsPath, nil, first)
		require.NoError(t, err)
		assert.Equal(t, short, string(second), "after a repeat")
		assert.Same(t, &first[0], &second[0])

		third, err := call.Get(accountsPath, nil, second)
		require.NoError(t, err)
		assert.Equal(t, long+long, string(third))
		assert.NotSame(t, &second[0], &third[0], "it has no room")
	})
}

func TestCountingCountsEveryRequestThatIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n, others atomic.Int64
		twilio := &script{steps: []transportFunc{
			answers(503, ``), fails(errReset), answers(401, `{"code":20003}`), answers(200, `{}`), // the signer's question
			answers(200, `{}`),
		}}
		client := newClient(t, twilio, nil)
		ctx := Counting(Counting(t.Context(), &others), &n)
		_, err := send(client.Call(ctx, accountSID, asking{signer, client}), "GET", nil)
		require.NoError(t, err)
		_, err = client.Call(ctx, accountSID, signer).Get(accountsPath, nil, nil)
		require.NoError(t, err)
		assert.EqualValues(t, len(twilio.requests()), n.Load())
		assert.EqualValues(t, 6, n.Load())
		assert.Zero(t, others.Load(), "the innermost counts")

		_, err = send(client.Call(t.Context(), accountSID, signer), "GET", nil)
		require.NoError(t, err)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = send(client.Call(ended, accountSID, signer), "GET", nil)
		require.ErrorIs(t, err, context.Canceled)
		assert.EqualValues(t, 6, n.Load(), "neither another context's nor what was not sent")
	})
}

// asking is a signer that asks Twilio when it is refused.
type asking struct {
	fixedSigner

	client *Client
}

func (s asking) Refused(ctx context.Context, a Auth, _ error, _ int) (Auth, error) {
	_, err := send(s.client.Call(ctx, accountSID, signer), http.MethodGet, nil)
	return a, err
}
