package main

import (
	"bufio"
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

// send asks the page as a browser on this machine does.
func send(t *testing.T, page http.Handler, method, target string, header map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	r.Host = "127.0.0.1:8081"
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return string(body)
}

func TestThePageGetsTokensThatTwilioTakes(t *testing.T) {
	fake, tenant, _ := world(t)
	page, r := pageOf(t, fake, tenant)
	fake.ForgetRequests()
	seen := map[string]bool{}
	for range 3 {
		answer := send(t, page, http.MethodPost, "/token", map[string]string{"Sec-Fetch-Site": "same-origin"})

		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		var got map[string]string
		require.NoError(t, json.Unmarshal([]byte(bodyOf(t, answer)), &got))
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
		{"an older browser on this page", map[string]string{"Origin": "http://127.0.0.1:8081"}, 200},
	} {
		answer := send(t, page, http.MethodPost, "/token", c.header)
		assert.Equal(t, c.want, answer.StatusCode, c.name)
		assert.Equal(t, c.want == 200, strings.Contains(bodyOf(t, answer), "eyJ"), c.name)
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	for request, want := range map[string]int{
		"GET /": 200, "HEAD /": 200, "GET /page.js": 200, "GET /token.js": 200, "GET /page.css": 200, "GET /icon.svg": 200,
		"POST /": 405, "GET /token": 405, "PUT /token": 405, "OPTIONS /token": 405, "POST /page.js": 405,
		"GET /page.html": 404, "GET /page.go": 404, "GET /nothing": 404, "POST /token/": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		assert.Equal(t, want, send(t, page, method, path, nil).StatusCode, request)
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	fake, tenant, _ := world(t)
	page, _ := pageOf(t, fake, tenant)
	for target, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/page.js": "text/javascript; charset=utf-8", "/token.js": "text/javascript; charset=utf-8",
		"/page.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml", "/nothing": "text/plain; charset=utf-8",
	} {
		h := send(t, page, http.MethodGet, target, nil).Header
		assert.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "+
			"base-uri 'none'; frame-ancestors 'none'", h.Get("Content-Security-Policy"), target)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), target)
		assert.Equal(t, "same-origin", h.Get("Referrer-Policy"), target)
		assert.Equal(t, "no-store", h.Get("Cache-Control"), target)
		assert.Equal(t, kind, h.Get("Content-Type"), target)
	}
}

func TestThePageHasNothingOfAnotherHostAndNoScriptOfItsOwn(t *testing.T) {
	fake, tenant, _ := world(t)
	fake.Rename(tenant, `<script>alert("Falcon")</script>`)
	page, r := pageOf(t, fake, tenant)
	body := bodyOf(t, send(t, page, http.MethodGet, "/", nil))
	for _, forbidden := range []string{"http://", "https://", "//", "style=", "<style", "<script>", "onclick", "javascript:", "eyJ"} {
		assert.NotContains(t, body, forbidden)
	}
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

		answer := send(t, page, http.MethodPost, "/token", nil)
		assert.Equal(t, http.StatusForbidden, answer.StatusCode)
		assert.Equal(t, "Forbidden\n", bodyOf(t, answer), "the page is told no more")
	})
}

// served is the program while it serves the page.
type served struct {
	address string // with a slash at the end
	printed string // by then, on standard output
	status  chan int
}

func serveOffline(ctx context.Context, t *testing.T, args ...string) served {
	t.Helper()
	notes, stderr := io.Pipe()
	var stdout strings.Builder
	s := served{status: make(chan int, 1)}
	go func() {
		s.status <- run(ctx, args, &stdout, stderr)
		_ = stderr.Close()
	}()
	var said []string
	for lines := bufio.NewScanner(notes); s.address == "" && lines.Scan(); {
		said = append(said, lines.Text())
		if _, rest, found := strings.Cut(lines.Text(), "The page is at "); found {
			s.address, _, _ = strings.Cut(rest, " ")
			s.printed = stdout.String()
		}
	}
	go func() { _, _ = io.Copy(io.Discard, notes) }()
	require.NotEmpty(t, s.address, said)
	return s
}

func TestThePageIsServedUntilCtrlC(t *testing.T) {
	for _, listen := range []string{"localhost:0", "127.0.0.1:0"} {
		ctx, interrupt := context.WithCancel(t.Context())
		page := serveOffline(ctx, t, "-http", listen)

		answer, err := http.Get(page.address)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Contains(t, bodyOf(t, answer), "FalconFlights")
		answer, err = http.Post(page.address+"token", "", http.NoBody)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.NotEmpty(t, answer.Header.Get("Date"), "by which the page compares the times")
		assert.Contains(t, bodyOf(t, answer), `"refresh_at":"`)

		interrupt()
		assert.Equal(t, 0, <-page.status)
		_, err = http.Get(page.address)
		assert.Error(t, err, "nothing listens any more")
	}
}

func TestTheJSONComesBeforeThePage(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	page := serveOffline(ctx, t, "-json", "-http", "127.0.0.1:0")

	assert.Equal(t, "1111110", read(t, try.Result{Stdout: page.printed}).made())

	interrupt()
	assert.Equal(t, 0, <-page.status)
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
