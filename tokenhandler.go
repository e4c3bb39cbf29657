package twilioacct

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// TokenRequest says which token somebody is to get, and of which account.
type TokenRequest struct {
	AccountSID string // of the tenant that the caller belongs to
	TokenSpec
}

// What a request for a token may have in it at most.
const (
	longestBody   = 16 << 10
	longestTarget = 8 << 10
)

// TokenHandler answers a POST with a new access token, for browsers and devices that renew theirs:
//
//	{"token": "eyJ…", "identity": "alice", "expires_at": "2026-11-22T20:10:00Z", "refresh_at": "2026-11-22T20:07:30Z"}
//
// The times are RFC 3339. The application's function says who asks, by its own session or credentials, and which token that is: never by
// what the caller claims to be. An error of the function means 401, one that is [ErrForbidden] 403, and one that is [ErrUnavailable],
// a *[StoreError] or a context's 503; without a function everybody is refused. It may read the body, of which there are 16 KB at most.
//
// A tenant whose account is suspended, closed or gone gets 403; what passes by itself is 503, with Retry-After; a tenant that the Store has
// no record of, and other mistakes, are 500. Answers are never to be
// stored, and say no more than that: the Provider's Logger is told why. CORS, limits of rate and sessions are the application's middleware.
func (p *Provider) TokenHandler(authorize func(*http.Request) (TokenRequest, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if status := bounded(r); status != http.StatusOK {
			refuseToken(w, status)
			return
		}
		token, status, err := p.tokenFor(r, authorize)
		if err != nil {
			p.log.WarnContext(r.Context(), "twilioacct: no access token was given", "status", status, "error", err)
			refuseToken(w, status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(token) // who asked has left, if that fails
	})
}

// tokenAnswer is what the caller gets, the secret included.
type tokenAnswer struct {
	Token     string    `json:"token"`
	Identity  string    `json:"identity"`
	ExpiresAt time.Time `json:"expires_at"`
	RefreshAt time.Time `json:"refresh_at"`
}

// bounded is the status that a request gets for what it is, and takes its body into memory, so that it cannot grow under whoever reads it.
func bounded(r *http.Request) int {
	switch {
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed
	case len(r.RequestURI) > longestTarget:
		return http.StatusRequestURITooLong
	case r.Body == nil:
		return http.StatusOK
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, longestBody+1))
	switch {
	case err != nil:
		return http.StatusBadRequest
	case len(body) > longestBody:
		return http.StatusRequestEntityTooLarge
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.StatusOK
}

func (p *Provider) tokenFor(r *http.Request, authorize func(*http.Request) (TokenRequest, error)) (tokenAnswer, int, error) {
	if authorize == nil {
		return tokenAnswer{}, http.StatusForbidden, invalid("TokenHandler has no function that says who asks")
	}
	asked, err := authorize(r)
	if err != nil {
		return tokenAnswer{}, statusOfRefusal(err), err
	}
	token, err := p.Subaccount(asked.AccountSID).AccessToken(r.Context(), asked.TokenSpec)
	if err != nil {
		return tokenAnswer{}, statusOfFailure(err), err
	}
	return tokenAnswer{
		Token: token.Token.Reveal(), Identity: token.Identity, ExpiresAt: token.ExpiresAt.UTC(), RefreshAt: token.RefreshAt.UTC(),
	}, http.StatusOK, nil
}

// statusOfRefusal is for an error of the application's function.
func statusOfRefusal(err error) int {
	switch {
	case passes(err):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrForbidden):
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

func statusOfFailure(err error) int {
	if passes(err) {
		return http.StatusServiceUnavailable
	}
	for _, lasting := range []error{ErrSuspended, ErrClosed, ErrNotFound, ErrForbidden} {
		if errors.Is(err, lasting) {
			return http.StatusForbidden
		}
	}
	return http.StatusInternalServerError
}

// passes is true for what may be otherwise in a moment. An answer without Twilio's code is not Twilio's.
func passes(err error) bool {
	var e *Error
	isProxys := errors.As(err, &e) && e.Status != 0 && e.Code == 0
	return isProxys || isStores(err) && !errors.Is(err, ErrNoRecord) || isContext(err) ||
		errors.Is(err, ErrUnavailable) || errors.Is(err, ErrRateLimited) || errors.Is(err, ErrOutcomeUnknown)
}

func refuseToken(w http.ResponseWriter, status int) {
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, http.StatusText(status), status)
}
