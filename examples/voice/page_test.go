package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// pageOf is the page of a tenant of the fake's that is set up for calls.
func pageOf(t *testing.T, fake *twiliotest.Server, tenant string) (page http.Handler, r *result) {
	t.Helper()
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: twilioacct.NewMemStore().Making()})
	require.NoError(t, err)
	w := wanted{subaccount: tenant, outgoing: outgoing, identity: "alice", lifetime: time.Minute}
	r = setUp(t.Context(), provider, w, io.Discard)
	require.NoError(t, r.err)
	return newPage(provider, r), r
}

func TestThePageGetsTokensThatTwilioTakes(t *testing.T) {
	fake, tenant, _ := world(t)
	page, r := pageOf(t, fake, tenant)
	fake.ForgetRequests()
	seen := map[string]bool{}
	for range 3 {
		answer := try.Send(t, page, http.MethodPost, "/token", map[string]string{"Sec-Fetch-Site": "same-origin"})

		assert.Equal(t, http.StatusOK, answer.Status)
		assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		var got map[string]string
		require.NoError(t, json.Unmarshal([]byte(answer.Body), &got))
		token, err := fake.VerifyAccessToken(got["token"])
		require.NoError(t, err)
		assert.Equal(t, tenant, token.AccountSID)
		assert.Equal(t, "alice", token.Identity)
		assert.Equal(t, time.Minute, token.ExpiresAt.Sub(token.IssuedAt))
		assert.Equal(t, r.has.Application.SID, token.Voice.OutgoingApplicationSID)
		assert.True(t, token.Voice.IncomingAllowed)
		seen[token.JTI] = true
	}
	assert.Len(t, seen, 3)
	assert.Zero(t, fake.Count(""), "Twilio need not be asked")
}

func TestWhoeverAsksCannotSayWhoTheyAre(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token?identity=mallory", strings.NewReader(`{"identity":"mallory"}`))
	r.Host = "localhost"
	w := httptest.NewRecorder()

	page.ServeHTTP(w, r)

	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `"identity":"alice"`)
}

func TestOnlyThePageItselfGetsTokens(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	for _, c := range []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another port", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"an older browser on another site", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a page without an origin", map[string]string{"Origin": "null"}, 403},
		{"a name that was made to point here", map[string]string{"Host": "evil.example:8081", "Sec-Fetch-Site": "same-origin"}, 421},
		{"an older browser on this page", map[string]string{"Origin": "http://127.0.0.1:8080"}, 200},
	} {
		answer := try.Send(t, page, http.MethodPost, "/token", c.header)
		assert.Equal(t, c.want, answer.Status, c.name)
		assert.Equal(t, c.want == 200, strings.Contains(answer.Body, "eyJ"), c.name)
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	try.Answers(t, page, map[string]int{
		"GET /": 200, "HEAD /": 200, "GET /page.js": 200, "GET /token.js": 200, "GET /page.css": 200, "GET /icon.svg": 200,
		"POST /": 405, "GET /token": 405, "PUT /token": 405, "OPTIONS /token": 405, "POST /page.js": 405,
		"GET /page.html": 404, "GET /page.go": 404, "GET /nothing": 404, "POST /token/": 404,
	})
}

func TestEveryAnswerIsProtected(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	try.Protects(t, page, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "+
		"base-uri 'none'; frame-ancestors 'none'", map[string]string{
		"/": "text/html; charset=utf-8", "/page.js": "text/javascript; charset=utf-8", "/token.js": "text/javascript; charset=utf-8",
		"/page.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml", "/nothing": "text/plain; charset=utf-8",
	})
}

func TestThePageHasNothingOfAnotherHostAndNoScriptOfItsOwn(t *testing.T) {
	fake, tenant, _ := world(t)
	fake.Rename(tenant, `<script>alert("Falcon")</script>`)
	page, r := pageOf(t, fake, tenant)
	body := try.Get(t, page, "/").Body
	try.HoldsNothingForeign(t, body)
	assert.NotContains(t, body, "eyJ", "a token comes when it is asked for")
	assert.Contains(t, body, `&lt;script&gt;alert(&#34;Falcon&#34;)&lt;/script&gt;`)
	assert.Contains(t, body, `<dd id="identity">alice</dd>`)
	assert.Contains(t, body, r.has.Account.SID)
}

func TestATenantThatIsSuspendedGetsNoTokenOnceItsKeyIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := twiliotest.NewServer(t) // without a socket, which no bubble can wait for
		tenant := fake.AddSubaccount("FalconFlights").SID
		page, _ := pageOf(t, fake, tenant)
		fake.SetStatus(tenant, twiliotest.Suspended)

		time.Sleep(6 * time.Minute) // in a bubble

		answer := try.Send(t, page, http.MethodPost, "/token", nil)
		assert.Equal(t, http.StatusForbidden, answer.Status)
		assert.Equal(t, "Forbidden\n", answer.Body, "the page is told no more")
	})
}

func bodyOf(t *testing.T, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return string(body)
}

func TestThePageIsServedUntilCtrlC(t *testing.T) {
	for _, listen := range []string{"localhost:0", "127.0.0.1:0"} {
		ctx, interrupt := context.WithCancel(t.Context())
		page := program.Serve(ctx, t, "-http", listen)

		answer, err := http.Get(page.Address)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Contains(t, bodyOf(t, answer), "FalconFlights")
		answer, err = http.Post(page.Address+"token", "", http.NoBody)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.NotEmpty(t, answer.Header.Get("Date"), "by which the page compares the times")
		assert.Contains(t, bodyOf(t, answer), `"refresh_at":"`)

		interrupt()
		assert.Equal(t, 0, <-page.Status)
		_, err = http.Get(page.Address)
		assert.Error(t, err, "nothing listens any more")
	}
}

func TestTheJSONComesBeforeThePage(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	page := program.Serve(ctx, t, "-json", "-http", "127.0.0.1:0")

	assert.Equal(t, "1111110", read(t, try.Result{Stdout: page.Printed}).made())

	interrupt()
	assert.Equal(t, 0, <-page.Status)
}

func TestAnAddressThatIsTakenIsAnErrorBeforeAnythingIsMade(t *testing.T) {
	fake, tenant, env := world(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing, "-http", taken.Addr().String())

	assert.Equal(t, 1, got.Status)
	hasMembers(t, got, "error")
	assert.Equal(t, "other: the address "+taken.Addr().String()+" is taken by another program; choose another one, such as localhost:0 "+
		"(any free port).", lastLine(got.Stderr))
	assert.Zero(t, fake.Count(""))
	assert.Empty(t, fake.Keys(tenant))
}
