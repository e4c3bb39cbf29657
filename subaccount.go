package twilioacct

import (
	"context"
	"errors"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// CreateSubaccount creates a subaccount of that friendly name: 1 to 64 characters, without space at its ends. It costs nothing,
// counts against the parent's limit (1000 by default, [ErrConflict] beyond), and can never be deleted, only closed.
//
// Its auth token goes to the Store before anything else. If the Store fails, the account is returned as well as a *[StoreError];
// if it has no record of the account and makes none, that is no failure.
//
// It makes a new account each time: names need not be unique. Where that may not be, look with [Provider.FindSubaccount] first. Of a
// lost reply nobody knows whether the account was made: the error is then [ErrOutcomeUnknown], nothing is repeated, and
// FindSubaccount tells, after a moment, and [Provider.Sync] saves the token.
//
// https://www.twilio.com/docs/iam/api/subaccounts
func (p *Provider) CreateSubaccount(ctx context.Context, friendlyName string) (Account, error) {
	if err := firstOf(checkCall(ctx, p.parent.AccountSID), checkName("friendly name", friendlyName)); err != nil {
		return Account{}, err
	}
	call := p.asParent(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).CreateAccount(new(api.CreateAccountParams).SetFriendlyName(friendlyName))
	if err != nil {
		return Account{}, call.Typed(err)
	}
	a := newAccount(raw)
	if !isSID("AC", a.SID) || a.SID == p.parent.AccountSID || a.OwnerAccountSID != p.parent.AccountSID {
		return a, call.Unexpected("the answer is account " + quote(a.SID) + " of " + quote(a.OwnerAccountSID) + ", not a new subaccount")
	}
	p.newborn.put(a.SID, struct{}{}, p.newborn.now())
	_, err = p.keep(ctx, a, 0)
	return a, err
}

// FindSubaccount finds the subaccount of exactly that friendly name. The parent itself and closed accounts do not count. It costs one
// request, however large the fleet is: Twilio filters, and the names are compared here again.
//
// None is [ErrNotFound]. Several are [ErrAmbiguous], whose text names their SIDs. An account that was created a moment ago may not be
// listed yet.
func (p *Provider) FindSubaccount(ctx context.Context, friendlyName string) (Account, error) {
	if err := checkSought(friendlyName); err != nil {
		return Account{}, err
	}
	named := p.Accounts(ctx, &AccountFilter{FriendlyName: friendlyName})
	a, err := findAmong(named, "open subaccount", friendlyName, func(a Account) bool {
		return a.FriendlyName == friendlyName && a.SID != p.parent.AccountSID && a.Status != StatusClosed
	})
	switch {
	case err != nil:
		return Account{}, err
	case !isSID("AC", a.SID) || a.OwnerAccountSID != p.parent.AccountSID:
		return Account{}, told(ErrUnavailable, "the list shows account %s of %s", quote(a.SID), quote(a.OwnerAccountSID))
	}
	p.markIfNew(a)
	return a, nil
}

// markIfNew lets the account's first refusals be waited out, if it was created a moment ago.
func (p *Provider) markIfNew(a Account) {
	if time.Since(a.DateCreated).Abs() < newbornTime {
		p.newborn.put(a.SID, struct{}{}, p.newborn.now())
	}
}

// RenameSubaccount gives the subaccount another friendly name, under the rules of [Provider.CreateSubaccount].
func (p *Provider) RenameSubaccount(ctx context.Context, sid, friendlyName string) (Account, error) {
	if err := checkName("friendly name", friendlyName); err != nil {
		return Account{}, err
	}
	a, err := p.changeSubaccount(ctx, sid, new(api.UpdateAccountParams).SetFriendlyName(friendlyName))
	if isChanged(err) && a.FriendlyName != friendlyName {
		return a, told(ErrConflict, "%s should be called %q now, and is %q", sid, friendlyName, a.FriendlyName)
	}
	return a, err
}

// SuspendSubaccount suspends the subaccount: it can neither call nor send nor receive until it is reactivated, its own credentials
// are refused, and its numbers stay and cost on. Calls that are under way go on: see [Provider.EndCalls].
//
// The request is always sent, whatever memory or Store say. An account that is suspended already is no error; a closed one is
// [ErrClosed]. The new status is written to the Store; if that fails, the account is returned as well as a *[StoreError].
func (p *Provider) SuspendSubaccount(ctx context.Context, sid string) (Account, error) {
	return p.setStatus(ctx, sid, StatusSuspended)
}

// ReactivateSubaccount makes a suspended subaccount active again, as [Provider.SuspendSubaccount] suspends it. One that Twilio has
// suspended, or whose parent is suspended, is [ErrSuspended]; a closed one is [ErrClosed], for ever.
func (p *Provider) ReactivateSubaccount(ctx context.Context, sid string) (Account, error) {
	return p.setStatus(ctx, sid, StatusActive)
}

func (p *Provider) setStatus(ctx context.Context, sid string, status Status) (Account, error) {
	a, err := p.changeSubaccount(ctx, sid, new(api.UpdateAccountParams).SetStatus(string(status)))
	if isChanged(err) && a.Status != status {
		return a, told(ErrConflict, "%s should be %s now, and is %s", sid, status, quote(string(a.Status)))
	}
	p.newborn.drop(a.SID) // what is refused from here on is not refused for being new
	return a, err
}

// isChanged is true where Twilio has made a change, though the Store may have failed after that.
func isChanged(err error) bool { return err == nil || isStores(err) }

// changeSubaccount makes a change that, made twice, leaves what it leaves once.
func (p *Provider) changeSubaccount(ctx context.Context, sid string, change *api.UpdateAccountParams) (Account, error) {
	sid, err := p.subaccountSID(ctx, sid)
	if err != nil {
		return Account{}, err
	}
	rev, loadErr := p.revision(ctx, sid) // before Twilio acts, so that who writes meanwhile finds us stale
	call := p.asParent(ctx).Repeatable().Single()
	raw, err := api.NewApiService(call.Handler()).UpdateAccount(sid, change)
	a, err := accountOf(call, sid, raw, err)
	if codeOf(err) == codeNothingChanged {
		a, err = p.look(ctx, sid)
	}
	if err != nil {
		return Account{}, err
	}
	if loadErr != nil {
		return a, loadErr
	}
	return a, p.keepChanged(ctx, a, rev)
}

// subaccountSID is the SID as Twilio writes it. The parent's is refused: what is done to a tenant must not be done to all of them.
func (p *Provider) subaccountSID(ctx context.Context, sid string) (string, error) {
	if err := checkCall(ctx, sid); err != nil {
		return "", err
	}
	return asWritten(sid), p.checkNotParent(sid)
}

func (p *Provider) checkNotParent(sid string) error {
	if strings.EqualFold(sid, p.parent.AccountSID) {
		return invalid("%s is the parent, not a subaccount: see Provider.Parent", sid)
	}
	return nil
}

// revision is that of the Store's record of the account; 0 where there is none. A Store that hangs must not keep a tenant from being
// suspended: it gets a part of the time that is left, and no more than some seconds.
func (p *Provider) revision(ctx context.Context, sid string) (int64, error) {
	if p.store == nil {
		return 0, nil
	}
	patience := 3 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/4)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := load(ctx, p.store, sid)
	if errors.Is(err, ErrNoRecord) {
		return 0, nil
	}
	return r.Rev, err
}

// keepChanged is keep after a change of an account that was there before. Of two who change it at once, the later one may find in the
// Store what it wanted, write nothing, and be overwritten by the earlier one under the same revision. So whoever has written looks again.
func (p *Provider) keepChanged(ctx context.Context, a Account, rev int64) error {
	saved, err := p.keep(ctx, a, rev)
	if err != nil || saved == rev {
		return err
	}
	const patience = 2 * time.Second
	looking, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if now, err := p.look(looking, a.SID); err == nil && now.Status != a.Status { // else the next sync will see it
		ctx, cancel := outliving(ctx)
		defer cancel()
		return p.synced(ctx, a.SID)
	}
	return nil
}

// keepTime bounds what goes on though its caller may have left.
const keepTime = 10 * time.Second

func outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), keepTime)
}

// keep remembers what Twilio has just said of an account, and writes it to the Store under the revision that was read before. It goes
// on where the caller's context ends: a token that nobody kept is a tenant that nobody can act for. It returns the record's revision.
func (p *Provider) keep(ctx context.Context, a Account, rev int64) (int64, error) {
	if !a.AuthToken.IsZero() {
		p.tokens.put(a.SID, a.AuthToken, p.tokens.now())
	}
	if p.store == nil {
		return rev, nil
	}
	ctx, cancel := outliving(ctx)
	defer cancel()
	saved, err := save(ctx, p.store, Record{SID: a.SID, AuthToken: a.AuthToken, Status: a.Status, Rev: rev})
	if errors.Is(err, ErrStale) { // somebody else wrote meanwhile, and may know more
		return rev, p.synced(ctx, a.SID)
	}
	if errors.Is(err, ErrNoRecord) {
		return rev, nil
	}
	return saved.Rev, err
}

// synced brings the Store up to date. Whatever keeps it from that, the Store is behind then.
func (p *Provider) synced(ctx context.Context, sid string) error {
	_, err := p.sync(ctx, sid, nil)
	if err == nil || isStores(err) {
		return err
	}
	return &StoreError{Op: "Save", SID: sid, Err: err}
}

// keepFound brings the Store's record of an account up to date that was listed just now. It asks Twilio again only if they differ.
func (p *Provider) keepFound(ctx context.Context, listed Account) error {
	if p.store == nil {
		return nil
	}
	kept, err := load(ctx, p.store, listed.SID)
	if errors.Is(err, ErrNoRecord) {
		if maker, ok := StoreAs[Maker](p.store); ok && !maker.Makes() {
			return nil
		}
	} else if err != nil || !kept.differs(listed) {
		return err
	}
	_, err = p.Sync(ctx, listed.SID)
	return err
}
