package twilioacct

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// parentSigner signs as the parent.
type parentSigner struct{ provider *Provider }

func (s parentSigner) Auth(context.Context) (rest.Auth, error) { return s.provider.parent.auth(), nil }

// Refused tells "this account is not ours" from "our own credentials are wrong", which Twilio may answer alike: it asks for
// the parent itself.
func (s parentSigner) Refused(ctx context.Context, auth rest.Auth, refusal error, _ int) (rest.Auth, error) {
	if !errors.Is(refusal, ErrUnauthenticated) {
		return auth, refusal // the code says more than the status
	}
	p := s.provider
	ours := judged(refusal, ErrUnauthenticated, p.parent.refusedBecause())
	if about := refusedAccount(refusal); about == "" || about == p.parent.AccountSID {
		return auth, ours
	}
	accepted, err := p.ourselves.get(ctx, p.parent.AccountSID, p.askOurselves)
	switch {
	case ctx.Err() != nil:
		return auth, ctx.Err()
	case errors.Is(err, ErrSuspended):
		return auth, judged(refusal, ErrSuspended, "the parent is suspended")
	case err != nil:
		const note = "and it cannot be told whether the account is not ours or our credentials are wrong: "
		return auth, judged(refusal, ErrUnavailable, note+err.Error())
	case accepted:
		return auth, judged(refusal, ErrForbidden, "the parent's credentials are right, so the account is not one of its own")
	}
	return auth, ours
}

func (p *Provider) askOurselves(ctx context.Context, sid string) (accepted bool, err error) {
	_, err = p.fetchAccount(ctx, sid)
	if errors.Is(err, ErrUnauthenticated) {
		return false, nil
	}
	return err == nil, err
}

// refusedAccount is the account that a refused request was about: the one in its path, if there is one.
func refusedAccount(refusal error) string {
	var e *Error
	if !errors.As(refusal, &e) {
		return ""
	}
	return accountIn(e.Path)
}

// accountIn is the account in a path of the 2010 API, or "".
func accountIn(path string) string {
	_, rest, _ := strings.Cut(path, "/Accounts/")
	rest, _, _ = strings.Cut(rest, "/")
	sid := strings.TrimSuffix(rest, ".json")
	if !isSID("AC", sid) {
		return ""
	}
	return sid
}

// subaccountSigner signs as the subaccount itself. Its token is looked for in memory, in the Store and at Twilio, in this order.
type subaccountSigner struct {
	provider *Provider
	sid      string
}

func (s subaccountSigner) Auth(ctx context.Context) (rest.Auth, error) {
	if err := checkCall(ctx, s.sid); err != nil {
		return rest.Auth{}, err
	}
	if err := s.provider.checkNotParent(s.sid); err != nil {
		return rest.Auth{}, err
	}
	token, err := s.provider.tokens.get(ctx, s.sid, s.provider.findToken)
	return s.auth(token), err
}

func (s subaccountSigner) auth(token Secret) rest.Auth {
	return Credentials{AccountSID: s.sid, AuthToken: token}.auth()
}

// Refused finds out why. Twilio answers 20003 for a token that was rotated, for a suspended and for a closed account. The
// verdict is remembered for a minute, so that a thousand failing calls cost one request as the parent.
func (s subaccountSigner) Refused(ctx context.Context, auth rest.Auth, refusal error, nth int) (rest.Auth, error) {
	p := s.provider
	if nth > mostTokens {
		return auth, refusal
	}
	v, err := p.verdicts.get(ctx, p.verdictKey(auth), func(ctx context.Context, _ string) (verdict, error) {
		return p.judge(ctx, s.sid)
	})
	switch {
	case err != nil:
		return auth, err
	case v.gone != nil:
		return auth, v.gone
	case v.status == StatusSuspended:
		return auth, judged(refusal, ErrSuspended, "the account is suspended")
	case v.status == StatusClosed:
		return auth, judged(refusal, ErrClosed, "the account is closed")
	case v.token.IsZero() || v.token.Reveal() == auth.Password:
		if _, isNew := p.newborn.kept(s.sid); isNew && p.outlast(ctx, nth) {
			return auth, nil
		}
		return auth, refusal
	}
	return s.auth(v.token), nil
}

// mostTokens bounds how many tokens one call tries, where each that is found is refused again.
const mostTokens = 6

// outlast waits for Twilio to know a new account everywhere: a quarter of a second, then twice that, and so on, some 8 seconds
// together and no longer than the Provider's calls may wait. It is false where there is nothing more to wait for.
func (p *Provider) outlast(ctx context.Context, nth int) bool {
	const first, most = 250 * time.Millisecond, 5
	wait := first << (nth - 1)
	return nth <= most && 2*wait-first <= p.retryWait && rest.Sleep(ctx, wait)
}

// verdict is what was found out about a subaccount whose token was refused.
type verdict struct {
	token  Secret // the one it has now
	status Status
	gone   error // the parent has no such account
}

// verdictKey names these very credentials without being them.
func (p *Provider) verdictKey(auth rest.Auth) string {
	return auth.User + "/" + strconv.FormatUint(maphash.String(p.seed, auth.Password), 36)
}

// judge asks Twilio as the parent. Only where Twilio hides the token does it take that from the Store, into which another process
// may have put a newer one.
func (p *Provider) judge(ctx context.Context, sid string) (verdict, error) {
	since := p.tokens.now()
	a, err := p.renew(ctx, sid)
	if isGone(err) || errors.Is(err, ErrForbidden) {
		return verdict{gone: err}, nil
	}
	if errors.Is(err, ErrNotFound) {
		err = judged(err, ErrUnavailable, "it was not Twilio that said so")
	}
	v := verdict{token: a.AuthToken, status: a.Status}
	if err != nil || !v.token.IsZero() {
		return v, err
	}
	if v.token, err = p.storedToken(ctx, sid); err == nil && !v.token.IsZero() {
		p.tokens.put(sid, v.token, since)
	}
	return v, err
}

// findToken takes the subaccount's token from the Store, else from Twilio.
func (p *Provider) findToken(ctx context.Context, sid string) (Secret, error) {
	kept, err := p.storedToken(ctx, sid)
	if err != nil || !kept.IsZero() {
		return kept, err
	}
	a, err := p.renew(ctx, sid)
	if err != nil {
		return Secret{}, err
	}
	if a.AuthToken.IsZero() {
		const text = "no auth token of %s: none is stored, and Twilio hides tokens from the parent's API key: use its auth token"
		return Secret{}, invalid(text, sid)
	}
	return a.AuthToken, nil
}

// storedToken is the token in the Store; none, if there is no Store or no record.
func (p *Provider) storedToken(ctx context.Context, sid string) (Secret, error) {
	if p.store == nil {
		return Secret{}, nil
	}
	r, err := load(ctx, p.store, sid)
	if errors.Is(err, ErrNoRecord) {
		return Secret{}, nil
	}
	return r.AuthToken, err
}

// renew fetches the account as the parent and saves what it has now. A Store that fails keeps nobody from working with a token
// that Twilio has just given.
func (p *Provider) renew(ctx context.Context, sid string) (Account, error) {
	if p.store == nil {
		return p.look(ctx, sid)
	}
	synced, err := p.Sync(ctx, sid)
	var storeErr *StoreError
	if errors.As(err, &storeErr) {
		p.log.WarnContext(ctx, "twilioacct: a renewed auth token was not stored", "account", sid, "error", err)
		err = nil
	}
	return synced.Account, err
}

// keySigner signs as an account by one of its API keys.
type keySigner struct {
	provider *Provider
	account  string
	key      APIKey
	isNew    bool // its first refusals are waited out
}

func (s keySigner) Auth(context.Context) (rest.Auth, error) {
	return rest.Auth{Account: s.account, User: s.key.SID, Password: s.key.Secret.Reveal()}, nil
}

func (s keySigner) Refused(ctx context.Context, auth rest.Auth, refusal error, nth int) (rest.Auth, error) {
	if s.isNew && s.provider.outlast(ctx, nth) {
		return auth, nil
	}
	return auth, firstOf(ctx.Err(), refusal) // who had no time to wait has not seen that it is refused
}
