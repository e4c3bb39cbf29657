package twilioacct

import (
	"context"
	"errors"
	"iter"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
)

// APIKeyInfo is what Twilio tells of an API key of an account. It never tells the secret again.
//
// https://www.twilio.com/docs/iam/api-keys
type APIKeyInfo struct {
	SID          string // SK…
	AccountSID   string
	FriendlyName string // purpose@deployment of those that this library makes
	DateCreated  time.Time
	DateUpdated  time.Time
}

// Age is for how long there has been the key; 0 where Twilio does not say.
func (k APIKeyInfo) Age() time.Duration {
	if k.DateCreated.IsZero() {
		return 0
	}
	return time.Since(k.DateCreated)
}

// CreateAPIKey creates a standard key for a purpose, such as "voice": 1 to 28 of a-z, 0-9, _ and -. A standard key does what its account
// may do, but nothing to accounts and keys, and signs access tokens. It is named purpose@deployment, see [Options].
//
// Twilio shows the secret once. It goes to the Store before anything else, also if ctx ends meanwhile. If the Store fails, the
// key is returned as well as a *[StoreError], and stays; without a Store it is the caller's to keep. Give such a key another name
// ([Handle.RenameAPIKey]), or [Handle.DeleteStrayAPIKeys] takes it for a stray.
//
// A key that the Store has for that purpose already is [ErrConflict], and nothing is made: see [Handle.EnsureAPIKey] and
// [Handle.RotateAPIKey]. Of a lost reply nobody knows whether a key was made: the error is [ErrOutcomeUnknown], and what was made has a
// secret that nobody has, see [Handle.DeleteStrayAPIKeys]. Too many keys are ErrConflict (70151).
func (h *Handle) CreateAPIKey(ctx context.Context, purpose string) (APIKey, error) {
	ring, err := h.keyring(ctx, purpose)
	if err != nil {
		return APIKey{}, err
	}
	kept, err := ring.load(ctx)
	if err != nil {
		return APIKey{}, err
	}
	if has, ok := kept.APIKeys[purpose]; ok {
		return APIKey{}, told(ErrConflict, "the store has the key %s for %q already: RotateAPIKey replaces it", has.SID, purpose)
	}
	made, err := ring.make(ctx)
	if err != nil || h.provider.store == nil {
		return made, err
	}
	held, err := ring.save(ctx, Record{APIKeys: map[string]APIKey{purpose: made}}, kept)
	if err == nil && !held.Equal(made) {
		err = &StoreError{Op: "Save", SID: h.sid, Err: ErrStale} // somebody else has saved another one meanwhile
	}
	return made, err
}

// APIKey fetches what Twilio tells of one of the account's keys.
func (h *Handle) APIKey(ctx context.Context, sid string) (APIKeyInfo, error) {
	if err := h.check(ctx, checkSID("SK", sid)); err != nil {
		return APIKeyInfo{}, err
	}
	call := h.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).FetchKey(sid, nil)
	return answered(call, h.sid, sid, raw, err, h.newAPIKeyInfo)
}

// APIKeys iterates over the account's keys, as [Provider.Accounts] does over accounts.
func (h *Handle) APIKeys(ctx context.Context) iter.Seq2[APIKeyInfo, error] {
	if err := h.check(ctx); err != nil {
		return failed[APIKeyInfo](err)
	}
	call := h.call(ctx)
	service := api.NewApiService(call.Handler())
	params := new(api.ListKeyParams).SetPageSize(largestPage)
	return listed(call, h.sid, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Key, *string, error) {
		raw, err := service.PageKey(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Keys, raw.NextPageUri, nil
	}, h.newAPIKeyInfo))
}

// RenameAPIKey gives a key another friendly name: 1 to 64 characters. The name of a key that this library made is how it is told from
// others.
func (h *Handle) RenameAPIKey(ctx context.Context, sid, friendlyName string) (APIKeyInfo, error) {
	if err := h.check(ctx, checkSID("SK", sid), checkName("friendly name", friendlyName)); err != nil {
		return APIKeyInfo{}, err
	}
	call := h.call(ctx).Repeatable().Single()
	service := api.NewApiService(call.Handler())
	raw, err := service.UpdateKey(sid, new(api.UpdateKeyParams).SetFriendlyName(friendlyName))
	if codeOf(err) == codeNothingChanged {
		raw, err = service.FetchKey(sid, nil)
	}
	return answered(call, h.sid, sid, raw, err, h.newAPIKeyInfo)
}

// DeleteAPIKey deletes a key, which cannot be undone: what signs with it is refused from then on, and every access token that it has
// signed ends at once. If it is one that the Store has, the Store forgets it, too; if that fails, the error is a *[StoreError], and the
// key is gone.
//
// It is fetched first: one that is not there is [ErrNotFound], and the Store forgets that, too.
func (h *Handle) DeleteAPIKey(ctx context.Context, sid string) error {
	_, err := h.APIKey(ctx, sid)
	switch {
	case isGone(err):
		return firstOf(h.forgetAPIKey(ctx, asWritten(sid)), err)
	case err != nil:
		return err
	}
	if err := h.deleteAPIKey(ctx, sid); err != nil {
		return err
	}
	return h.forgetAPIKey(ctx, asWritten(sid))
}

func (h *Handle) deleteAPIKey(ctx context.Context, sid string) error {
	call := h.call(ctx).Single()
	return deleted(call.Typed(api.NewApiService(call.Handler()).DeleteKey(sid, nil)))
}

// forgetAPIKey takes the key out of memory and out of the Store, whatever it was for.
func (h *Handle) forgetAPIKey(ctx context.Context, sid string) error {
	h.provider.keys.forget(h.sid)
	if h.provider.store == nil {
		return nil
	}
	ctx, cancel := outliving(ctx)
	defer cancel()
	var err error
	for range mostSaves {
		var kept Record
		kept, err = load(ctx, h.provider.store, h.sid)
		if errors.Is(err, ErrNoRecord) {
			return nil
		}
		if err != nil {
			return err
		}
		change := Record{SID: h.sid, Rev: kept.Rev}
		for purpose, key := range kept.APIKeys {
			if key.SID == sid {
				change.Remove = append(change.Remove, APIKeyField(purpose))
			}
		}
		if change.Remove == nil {
			return nil
		}
		if _, err = save(ctx, h.provider.store, change); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return err
}

func (k APIKeyInfo) identity() (sid, kind, account string) { return k.SID, "SK", k.AccountSID }

// newAPIKeyInfo takes the account from the handle: Twilio's answers about keys do not name it.
func (h *Handle) newAPIKeyInfo(raw *api.ApiV2010Key) APIKeyInfo {
	return APIKeyInfo{
		SID:          value(raw.Sid),
		AccountSID:   h.sid,
		FriendlyName: value(raw.FriendlyName),
		DateCreated:  parseDate(value(raw.DateCreated)),
		DateUpdated:  parseDate(value(raw.DateUpdated)),
	}
}
