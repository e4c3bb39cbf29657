package twilioacct

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// parentSigner signs as the parent what is asked about an account.
type parentSigner struct {
	provider *Provider
	about    string // account SID
}

func (s parentSigner) Auth(context.Context) (rest.Auth, error) { return s.provider.parent.auth(), nil }

// Refused tells "this account is not ours" from "our own credentials are wrong", which Twilio may answer alike: it asks for
// the parent itself.
func (s parentSigner) Refused(ctx context.Context, auth rest.Auth, refusal error) (rest.Auth, error) {
	p := s.provider
	ours := judged(refusal, ErrUnauthenticated, "the parent's credentials are wrong, or the parent is suspended or closed")
	if s.about == p.parent.AccountSID {
		return auth, ours
	}
	parent, err := p.verdicts.get(ctx, p.parent.AccountSID, func(ctx context.Context, sid string) (verdict, error) {
		_, err := p.fetchAccount(ctx, sid)
		if err != nil && !errors.Is(err, ErrUnauthenticated) {
			return verdict{}, err
		}
		return verdict{accepted: err == nil}, nil
	})
	switch {
	case err != nil:
		return auth, refusal // the parent could not be asked
	case parent.accepted:
		return auth, judged(refusal, ErrForbidden, "the parent's credentials are right, so the account is not one of its own")
	}
	return auth, ours
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
	if s.sid == s.provider.parent.AccountSID {
		return rest.Auth{}, invalid("%s is the parent, not a subaccount: use Provider.Parent", s.sid)
	}
	token, err := s.provider.tokens.get(ctx, s.sid, s.provider.findToken)
	return s.auth(token), err
}

func (s subaccountSigner) auth(token Secret) rest.Auth {
	return Credentials{AccountSID: s.sid, AuthToken: token}.auth()
}

// Refused asks the parent why. Twilio answers 20003 for a token that was rotated, for a suspended and for a closed account. The
// answer is remembered for a minute, so that a thousand failing calls cost one request as the parent.
func (s subaccountSigner) Refused(ctx context.Context, auth rest.Auth, refusal error) (rest.Auth, error) {
	p := s.provider
	v, err := p.verdicts.get(ctx, p.verdictKey(auth), func(ctx context.Context, _ string) (verdict, error) {
		a, err := p.renew(ctx, s.sid)
		return verdict{token: a.AuthToken, status: a.Status}, err
	})
	switch {
	case err != nil:
		return auth, err
	case v.status == StatusSuspended:
		return auth, judged(refusal, ErrSuspended, "the account is suspended")
	case v.status == StatusClosed:
		return auth, judged(refusal, ErrClosed, "the account is closed")
	case v.token.IsZero() || v.token.Reveal() == auth.Password:
		return auth, refusal
	}
	return s.auth(v.token), nil
}

// verdict is what the parent found out about credentials that were refused.
type verdict struct {
	accepted bool   // of the parent: its credentials are right
	token    Secret // of a subaccount: the token it has now
	status   Status
}

// verdictKey names these very credentials without being them.
func (p *Provider) verdictKey(auth rest.Auth) string {
	return auth.User + "/" + strconv.FormatUint(maphash.String(p.seed, auth.Password), 36)
}

// findToken takes the subaccount's token from the Store, else from Twilio.
func (p *Provider) findToken(ctx context.Context, sid string) (Secret, error) {
	if p.store != nil {
		r, err := load(ctx, p.store, sid)
		if err == nil && !r.AuthToken.IsZero() {
			return r.AuthToken, nil
		}
		if err != nil && !errors.Is(err, ErrNoRecord) {
			return Secret{}, err
		}
	}
	a, err := p.renew(ctx, sid)
	if err != nil {
		return Secret{}, err
	}
	if a.AuthToken.IsZero() {
		return Secret{}, invalid("no auth token of %s: none is stored, and Twilio hides tokens from the parent's API key", sid)
	}
	return a.AuthToken, nil
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
