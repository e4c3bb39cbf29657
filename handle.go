package twilioacct

import (
	"context"

	"github.com/twilio/twilio-go/client"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// Handle is one account seen from inside: what it does is signed by that account's own credentials and can land on no other.
// [Provider.Subaccount] and [Provider.Parent] make handles; making one does no I/O, and there is nothing to close.
//
// A subaccount's handle finds its auth token by itself: in memory, in the Store, or from Twilio as the parent. If Twilio refuses
// the token, the parent is asked once why, and the Store where Twilio hides tokens: a token that was rotated is saved and tried,
// a suspended account is [ErrSuspended], a closed one [ErrClosed], one that is gone [ErrNotFound] or [ErrForbidden], and a token
// that should be good [ErrUnauthenticated]. Handles are made by a [Provider]; the zero value is of no use.
type Handle struct {
	provider *Provider
	sid      string
	isSub    bool
}

// SID returns the account's SID.
func (h *Handle) SID() string { return h.sid }

// Account fetches the account as itself, never from memory: it answers whether the account's own credentials work.
func (h *Handle) Account(ctx context.Context) (Account, error) {
	if err := checkCall(ctx, h.sid); err != nil {
		return Account{}, err
	}
	return getAccount(h.call(ctx), h.sid)
}

// Services lets any of twilio-go's generated services work as this account, within ctx and with this package's errors:
//
//	messages := api.NewApiService(handle.Services(ctx)) // rest/api/v2010
//
// Call only their Page, Fetch, Create, Update and Delete methods: List, Stream and those ending in WithMetadata lose errors,
// leak goroutines or panic (twilio-go v1.31.0). An answer that is JSON, but not of the form that is documented, is an error of
// encoding/json's there; after a change that means that its outcome is unknown.
func (h *Handle) Services(ctx context.Context) *client.RequestHandler { return h.call(ctx).Handler() }

// check refuses what no request should be made for: each mistake is nil, or what is wrong with an argument.
func (h *Handle) check(ctx context.Context, mistakes ...error) error {
	if err := checkCall(ctx, h.sid); err != nil {
		return err
	}
	if h.isSub {
		if err := h.provider.checkNotParent(h.sid); err != nil {
			return err
		}
	}
	return firstOf(mistakes...)
}

func (h *Handle) call(ctx context.Context) *rest.Call {
	return h.provider.rest.Call(ctx, h.sid, h.signer())
}

func (h *Handle) signer() rest.Signer {
	if h.isSub {
		return subaccountSigner{provider: h.provider, sid: h.sid}
	}
	return parentSigner{h.provider}
}
