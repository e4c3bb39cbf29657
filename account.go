package twilioacct

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/mail"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
	"github.com/twilioacct/twilioacct/internal/rest"
)

// Account is an account of Twilio's: the parent or a subaccount.
//
// https://www.twilio.com/docs/iam/api/account
type Account struct {
	SID             string // AC…
	FriendlyName    string
	Status          Status
	Type            AccountType
	AuthToken       Secret // zero if Twilio hides it, as it does from API keys
	OwnerAccountSID string // the parent's; a parent owns itself
	DateCreated     time.Time
	DateUpdated     time.Time
	URI             string // relative to https://api.twilio.com
}

// Status is the state of an account. Twilio may add others: one that is not listed here is not active.
type Status string

// The states of an account. A suspended one can be reactivated; a closed one never.
const (
	StatusActive    Status = "active"
	StatusSuspended Status = "suspended"
	StatusClosed    Status = "closed"
)

// AccountType tells trial accounts from paid ones.
type AccountType string

// The types of an account.
const (
	TypeTrial AccountType = "Trial"
	TypeFull  AccountType = "Full"
)

// Account fetches the account with that SID, the parent or a subaccount, or answers from memory if it was fetched within
// [Options.CacheTime]. However many callers ask at once, Twilio is asked once; each of them leaves when its own context ends.
//
// An account that does not exist is [ErrNotFound]. One of somebody else's is ErrNotFound or [ErrForbidden], as Twilio answers.
// If the parent's own credentials are refused, the error is [ErrUnauthenticated].
func (p *Provider) Account(ctx context.Context, sid string) (Account, error) {
	if err := checkCall(ctx, sid); err != nil {
		return Account{}, err
	}
	if a, ok := p.accounts.kept(sid); ok {
		return a, nil // before p.fetchAccount below is made a value, which allocates
	}
	a, err := p.accounts.get(ctx, sid, p.fetchAccount)
	if err != nil {
		return Account{}, left(ctx, err, sid)
	}
	return a, nil
}

// left gives the plain context error of a caller who left while others wait on the type that every failure has.
func left(ctx context.Context, err error, sid string) error {
	var typed *Error
	if errors.As(err, &typed) {
		return err
	}
	return &Error{Method: http.MethodGet, Path: accountPath(sid), Err: rest.Cause(ctx, err)}
}

// SyncResult is what [Provider.Sync] found and did.
type SyncResult struct {
	Account

	Stored  bool // the Store holds the account now
	Changed bool // something in the Store differed, and was written
	Copies  int  // documents that hold the SID; more than one is a mistake in the data, and all that can be read were written
}

// Sync fetches the account from Twilio, never from memory, and writes its auth token and status to the Store.
//
// A token that Twilio hides leaves the stored one as it is; the status is written all the same. If the Store has no record of
// the account and makes none, the account is returned with Stored false, which is no failure. If the Store fails, the account
// is returned as well as a *[StoreError]. Somebody else's write between our read of Twilio and our save wins: the account is
// fetched again and compared with that.
func (p *Provider) Sync(ctx context.Context, sid string) (SyncResult, error) {
	if err := checkCall(ctx, sid); err != nil {
		return SyncResult{}, err
	}
	if p.store == nil {
		return SyncResult{}, invalid("Sync needs a store: set Options.Store")
	}
	return p.sync(ctx, sid, nil)
}

// willSave is told what a sync has found, and whether it may save. The record has no SID where there is none.
type willSave func(stored Record, found Account) bool

func (p *Provider) sync(ctx context.Context, sid string, willSave willSave) (result SyncResult, err error) {
	for range syncTries {
		result, err = p.syncOnce(ctx, sid, willSave)
		if !errors.Is(err, ErrStale) {
			break
		}
	}
	return result, err
}

// syncTries bounds how often a sync looks again because somebody else wrote. Whoever loses finds nothing that differs next
// time, unless Twilio itself changes at that pace.
const syncTries = 8

func (p *Provider) syncOnce(ctx context.Context, sid string, willSave willSave) (SyncResult, error) {
	// The record's revision is read before Twilio is: a write in between must find us stale.
	record, loadErr := load(ctx, p.store, sid)
	account, err := p.look(ctx, sid)
	if err != nil {
		return SyncResult{}, err
	}
	result := SyncResult{Account: account}
	switch {
	case errors.Is(loadErr, ErrNoRecord):
		record = Record{}
	case loadErr != nil:
		return result, loadErr
	}
	if willSave != nil && !willSave(record, account) {
		result.Stored, result.Changed, result.Copies = record.SID != "", record.differs(account), record.Copies
		return result, nil
	}
	saved, err := save(ctx, p.store, Record{SID: sid, AuthToken: account.AuthToken, Status: account.Status, Rev: record.Rev})
	if errors.Is(err, ErrNoRecord) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	result.Stored, result.Changed, result.Copies = true, saved.Rev != record.Rev, saved.Copies
	return result, nil
}

// differs is true where a sync of the account would change the record. What Twilio hides does not count.
func (r Record) differs(a Account) bool {
	return a.Status != "" && r.Status != a.Status || !a.AuthToken.IsZero() && !r.AuthToken.Equal(a.AuthToken)
}

// look fetches the account whatever is remembered of it, and lets the next Account and the account's handle start from what it
// has seen: the account, or that there is none of ours.
func (p *Provider) look(ctx context.Context, sid string) (Account, error) {
	accountsNow, tokensNow := p.accounts.now(), p.tokens.now()
	a, err := p.fetchAccount(ctx, sid)
	switch {
	case err == nil:
		p.accounts.put(sid, a, accountsNow)
		if !a.AuthToken.IsZero() {
			p.tokens.put(sid, a.AuthToken, tokensNow)
		}
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrForbidden):
		p.drop(sid)
	}
	return a, err
}

// fetchAccount asks Twilio, as the parent.
func (p *Provider) fetchAccount(ctx context.Context, sid string) (Account, error) {
	return getAccount(p.asParent(ctx), sid)
}

// AccountFilter chooses among accounts; the zero value of a field is all of them.
type AccountFilter struct {
	Status       Status
	FriendlyName string // all of it, exactly
}

// Accounts iterates over the parent's accounts: the parent itself and its subaccounts, closed ones too until Twilio deletes
// them. It asks for 1000 at a time, as the loop goes on, and holds one such page in memory. nil is all accounts.
//
// An error ends it, after all that was read before: an error on page 7 comes after the accounts of six pages. Breaking out of
// the loop leaves nothing behind. Nothing is cached.
func (p *Provider) Accounts(ctx context.Context, filter *AccountFilter) iter.Seq2[Account, error] {
	if err := checkCall(ctx, p.parent.AccountSID); err != nil {
		return func(yield func(Account, error) bool) { yield(Account{}, err) }
	}
	var f AccountFilter
	if filter != nil {
		f = *filter
	}
	return listAccounts(ctx, p.asParent(ctx), f)
}

// largestPage is the most that Twilio puts on a page.
const largestPage = 1000

func getAccount(call *rest.Call, sid string) (Account, error) {
	raw, err := api.NewApiService(call.Lean().Handler()).FetchAccount(sid)
	return accountOf(call, sid, raw, err)
}

func accountOf(call *rest.Call, sid string, raw *api.ApiV2010Account, err error) (Account, error) {
	if err != nil {
		return Account{}, call.Typed(err)
	}
	a := newAccount(raw)
	if a.SID != sid {
		return Account{}, call.Unexpected("the answer is account " + quote(a.SID) + ", not " + sid)
	}
	return a, nil
}

func listAccounts(ctx context.Context, call *rest.Call, f AccountFilter) iter.Seq2[Account, error] {
	service := api.NewApiService(call.Lean().Handler())
	params := new(api.ListAccountParams).SetPageSize(largestPage)
	if f.Status != "" {
		params.SetStatus(string(f.Status))
	}
	if f.FriendlyName != "" {
		params.SetFriendlyName(f.FriendlyName)
	}
	return page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Account, *string, error) {
		raw, err := service.PageAccount(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Accounts, raw.NextPageUri, nil
	}, newAccount)
}

// checkActive is nil for an account that can be given something.
func (a Account) checkActive() error {
	switch a.Status {
	case StatusActive:
		return nil
	case StatusSuspended:
		return told(ErrSuspended, "%s is suspended: reactivate it first", a.SID)
	case StatusClosed:
		return told(ErrClosed, "%s is closed, for ever", a.SID)
	}
	return told(ErrConflict, "%s is not active but %s", a.SID, quote(string(a.Status)))
}

func (a Account) identity() (sid, kind, account string) { return a.SID, "AC", a.OwnerAccountSID }

func newAccount(raw *api.ApiV2010Account) Account {
	return Account{
		SID:             value(raw.Sid),
		FriendlyName:    value(raw.FriendlyName),
		Status:          Status(value(raw.Status)),
		Type:            AccountType(value(raw.Type)),
		AuthToken:       NewSecret(value(raw.AuthToken)),
		OwnerAccountSID: value(raw.OwnerAccountSid),
		DateCreated:     parseDate(value(raw.DateCreated)),
		DateUpdated:     parseDate(value(raw.DateUpdated)),
		URI:             value(raw.Uri),
	}
}

// value is what p points to, or nothing: Twilio leaves out what it does not know, and twilio-go makes nil of that.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// parseDate reads the dates of the 2010 API. mail.ParseDate knows every form of RFC 2822, at 17 times the cost of the usual one.
// What is no date is the zero time: a date is worth no failure.
func parseDate(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC1123Z, s)
	if err != nil {
		t, _ = mail.ParseDate(s)
	}
	return t.UTC()
}

func accountPath(sid string) string { return "/2010-04-01/Accounts/" + sid + ".json" }
