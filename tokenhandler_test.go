package twilioacct_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// bySession is an application's function: the session names the user, and a table the user's tenant.
func bySession(tenants map[string]string) func(*http.Request) (twilioacct.TokenRequest, error) {
	return func(r *http.Request) (twilioacct.TokenRequest, error) {
		user := r.Header.Get("Session")
		tenant, ok := tenants[user]
		if !ok {
			return twilioacct.TokenRequest{}, errors.New("no session: a detail that is nobody's business")
		}
		return twilioacct.TokenRequest{AccountSID: tenant, TokenSpec: twilioacct.TokenSpec{
			Identity: user, Lifetime: 10 * time.Minute, Voice: twilioacct.VoiceGrant{Incoming: true},
		}}, nil
	}
}

type tokenAnswer struct {
	Token     string    `json:"token"`
	Identity  string    `json:"identity"`
	ExpiresAt time.Time `json:"expires_at"`
	RefreshAt time.Time `json:"refresh_at"`
}

func TestTheTokenEndpointGivesEachCallerItsOwnToken(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	tenants := map[string]string{}
	for i := range 10 {
		account := fake.AddSubaccount(fmt.Sprint("tenant ", i)).SID
		for user := range 50 {
			tenants[fmt.Sprintf("user_%d_%d", i, user)] = account
		}
	}
	server := httptest.NewServer(p.TokenHandler(bySession(tenants)))
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = len(tenants)
	var callers sync.WaitGroup
	for user, account := range tenants {
		callers.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
			if !assert.NoError(t, err) {
				return
			}
			r.Header.Set("Session", user)
			resp, err := client.Do(r)
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			body, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			var members map[string]any
			assert.NoError(t, json.Unmarshal(body, &members))
			assert.Len(t, members, 4)
			var answer tokenAnswer
			assert.NoError(t, json.Unmarshal(body, &answer))
			token, err := fake.VerifyAccessToken(answer.Token)
			assert.NoError(t, err)
			assert.Equal(t, account, token.AccountSID)
			assert.Equal(t, user, token.Identity)
			assert.Equal(t, user, answer.Identity)
			assert.Equal(t, token.ExpiresAt.Unix(), answer.ExpiresAt.Unix())
			assert.True(t, answer.RefreshAt.Before(answer.ExpiresAt) && answer.RefreshAt.After(time.Now()))
		})
	}
	callers.Wait()
	assert.Equal(t, 10, fake.Count("CreateNewKey"), "one key for each tenant")
}

// answerTo is what the endpoint says to a request.
func answerTo(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestAnybodyElseIsRefusedWithoutDetail(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	good := bySession(map[string]string{"alice": account})
	failing := func(err error) func(*http.Request) (twilioacct.TokenRequest, error) {
		return func(*http.Request) (twilioacct.TokenRequest, error) { return twilioacct.TokenRequest{}, err }
	}
	request := func(method, user, body string) *http.Request {
		r := httptest.NewRequest(method, "/token", strings.NewReader(body))
		r.Header.Set("Session", user)
		return r
	}
	chunked := httptest.NewRequest(http.MethodPost, "/token", io.MultiReader(strings.NewReader(strings.Repeat("x", 17<<10))))
	chunked.ContentLength = -1
	broken := httptest.NewRequest(http.MethodPost, "/token", io.MultiReader(strings.NewReader("x"), brokenReader{}))
	for name, c := range map[string]struct {
		who    func(*http.Request) (twilioacct.TokenRequest, error)
		r      *http.Request
		status int
	}{
		"a GET":                     {good, request(http.MethodGet, "alice", ""), 405},
		"a HEAD":                    {good, request(http.MethodHead, "alice", ""), 405},
		"an OPTIONS":                {good, request(http.MethodOptions, "alice", ""), 405},
		"a PUT":                     {good, request(http.MethodPut, "alice", ""), 405},
		"a stranger":                {good, request(http.MethodPost, "mallory", ""), 401},
		"nobody":                    {good, httptest.NewRequest(http.MethodPost, "/token", nil), 401},
		"somebody who may not":      {failing(fmt.Errorf("alice: %w", twilioacct.ErrForbidden)), request(http.MethodPost, "alice", ""), 403},
		"sessions that are away":    {failing(fmt.Errorf("redis: %w", twilioacct.ErrUnavailable)), request(http.MethodPost, "alice", ""), 503},
		"a database that is away":   {failing(&twilioacct.StoreError{Op: "Load", Err: errAway}), request(http.MethodPost, "alice", ""), 503},
		"a session's time-out":      {failing(context.DeadlineExceeded), request(http.MethodPost, "alice", ""), 503},
		"no function":               {nil, request(http.MethodPost, "alice", ""), 403},
		"a large body":              {good, request(http.MethodPost, "alice", strings.Repeat("x", 16<<10+1)), 413},
		"a large body without size": {good, chunked, 413},
		"a body that breaks off":    {good, broken, 400},
		"a long address":            {good, httptest.NewRequest(http.MethodPost, "/token?"+strings.Repeat("x", 8<<10), nil), 414},
		"a tenant that is none":     {bySession(map[string]string{"alice": "AC1"}), request(http.MethodPost, "alice", ""), 500},
		"the parent":                {bySession(map[string]string{"alice": fake.Parent().SID}), request(http.MethodPost, "alice", ""), 500},
		"a tenant of somebody else": {bySession(map[string]string{"alice": unknownSID}), request(http.MethodPost, "alice", ""), 403},
		"an identity that is none":  {bySession(map[string]string{"alice@example.com": account}), request(http.MethodPost, "alice@example.com", ""), 500},
	} {
		resp := answerTo(p.TokenHandler(c.who), c.r)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, c.status, resp.StatusCode, name)
		assert.Equal(t, http.StatusText(c.status)+"\n", string(body), name)
		assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"), name)
		assert.Equal(t, c.status == 405, resp.Header.Get("Allow") == "POST", name)
		assert.Equal(t, c.status == 503, resp.Header.Get("Retry-After") != "", name)
	}
	assert.Empty(t, fake.Keys(account))

	resp := answerTo(p.TokenHandler(good), request(http.MethodPost, "alice", strings.Repeat("x", 16<<10)))
	assert.Equal(t, http.StatusOK, resp.StatusCode, "a body of 16 KB is none too large")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheFunctionReadsTheBodyThatCame(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	h := p.TokenHandler(func(r *http.Request) (twilioacct.TokenRequest, error) {
		identity := r.PostFormValue("device")
		return twilioacct.TokenRequest{AccountSID: account, TokenSpec: twilioacct.TokenSpec{
			Identity: identity, Voice: twilioacct.VoiceGrant{Incoming: true},
		}}, nil
	})
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader("device=alice_phone"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer tokenAnswer
	require.NoError(t, json.NewDecoder(answerTo(h, r).Body).Decode(&answer))
	assert.Equal(t, "alice_phone", answer.Identity)
}

func TestWhatPassesByItselfIsToldApartFromWhatDoesNot(t *testing.T) {
	t.Parallel()
	for status, spoil := range map[int]func(*twiliotest.Server, string){
		403: func(fake *twiliotest.Server, account string) { fake.SetStatus(account, twiliotest.Suspended) },
		503: func(fake *twiliotest.Server, _ string) {
			fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 503, Times: twiliotest.Always})
		},
	} {
		var log bytes.Buffer
		fake, p := setup(t, func(o *twilioacct.Options) {
			o.Store, o.MaxRetryWait, o.Logger = twilioacct.NewMemStore().Making(), -1, slog.New(slog.NewTextHandler(&log, nil))
		})
		account := fake.AddSubaccount("acme").SID
		spoil(fake, account)
		r := httptest.NewRequest(http.MethodPost, "/token", nil)
		r.Header.Set("Session", "alice")
		assert.Equal(t, status, answerTo(p.TokenHandler(bySession(map[string]string{"alice": account})), r).StatusCode)
		assert.Contains(t, log.String(), account, "the log says why")
	}
}

func TestADatabaseThatIsAwayPasses(t *testing.T) {
	t.Parallel()
	store := storeFuncs{load: nil, save: nil}
	store.load = func(_ context.Context, sid string) (twilioacct.Record, error) {
		return twilioacct.Record{SID: sid}, errAway
	}
	fake, p := setup(t, withStore(store))
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.Header.Set("Session", "alice")
	h := p.TokenHandler(bySession(map[string]string{"alice": fake.AddSubaccount("acme").SID}))
	assert.Equal(t, http.StatusServiceUnavailable, answerTo(h, r).StatusCode)
}

func TestATenantThatThisProviderSuspendsGetsNoMoreTokens(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	account := fake.AddSubaccount("acme").SID
	h := p.TokenHandler(bySession(map[string]string{"alice": account}))
	ask := func() int {
		r := httptest.NewRequest(http.MethodPost, "/token", nil)
		r.Header.Set("Session", "alice")
		return answerTo(h, r).StatusCode
	}
	assert.Equal(t, http.StatusOK, ask())
	_, err := p.SuspendSubaccount(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, ask())
	_, err = p.ReactivateSubaccount(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, ask())
}

func TestAProxysAnswerPasses(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListApplication", "CreateNewKey"} {
		for _, status := range []int{400, 401, 403, 404} {
			store := twilioacct.NewMemStore().Making()
			fake, p := setup(t, withStore(store))
			account := fake.AddSubaccount("acme").SID
			if operation == "ListApplication" {
				_, err := p.Subaccount(account).EnsureAPIKey(t.Context(), "voice")
				require.NoError(t, err)
				p = providerOn(t, fake, withStore(store))
			}
			fake.Inject(twiliotest.Fault{Operation: operation, Status: status, HTML: true})
			r := httptest.NewRequest(http.MethodPost, "/token", nil)
			r.Header.Set("Session", "alice")
			got := answerTo(p.TokenHandler(bySession(map[string]string{"alice": account})), r).StatusCode
			assert.Equal(t, http.StatusServiceUnavailable, got, "%s %d", operation, status)
		}
	}
}

func TestATenantWithoutADocumentIsAMistake(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore()))
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.Header.Set("Session", "alice")
	h := p.TokenHandler(bySession(map[string]string{"alice": fake.AddSubaccount("acme").SID}))
	assert.Equal(t, http.StatusInternalServerError, answerTo(h, r).StatusCode)
}
