package twilioacct

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"
	"sync"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// EnsuredAPIKey is the key that an account has for a purpose.
type EnsuredAPIKey struct {
	Key APIKeyInfo
	Did Did // made or found

	// Strays are keys of the same name whose secret the Store does not have (any more): of a crash between the making of a key and its
	// saving, of a lost reply, of a wrong secret that was replaced, of a failed save that a caller of CreateAPIKey was told of, or of
	// another deployment of that name. See [Handle.DeleteStrayAPIKeys].
	Strays []APIKeyInfo
}

// EnsureAPIKey sees to it that the account has a key for the purpose, and the Store its secret: it takes the one in the Store, signs a
// request with it to see that it is good, and makes one where there is none, or where that one is gone or its secret wrong. It makes at
// most one, named purpose@deployment (see [Options]), and never touches a key of another name.
//
// It needs a Store: a key whose secret could not be saved is deleted again, and the error is a *[StoreError]. If even that fails, or a
// reply is lost, or the process dies in between, a key is left at Twilio that nobody has the secret of: one of the Strays from then on.
// Of many who ensure the same key at once, also in several processes, all get the same one.
//
// If only the strays could not be listed, the key is returned as well as the error.
func (h *Handle) EnsureAPIKey(ctx context.Context, purpose string) (EnsuredAPIKey, error) {
	ring, err := h.keyring(ctx, purpose)
	if err != nil {
		return EnsuredAPIKey{}, err
	}
	key, did, err := ring.ensure(ctx)
	if err != nil {
		return EnsuredAPIKey{}, err
	}
	return ring.described(ctx, key, did)
}

// DeleteStrayAPIKeys deletes the account's keys that are named as the purpose's key is, whose secret the Store does not have, and that are
// older than a day: a younger one may be another process's, which is about to save it. It returns those that it has deleted.
//
// It cannot be undone, and ends the tokens that they have signed: make sure that no other deployment uses that name with a Store of its
// own, see [Options], and that nobody keeps the secret of such a key elsewhere. A Store without a good key for that purpose may be the
// wrong one: nothing is deleted then, and the error is [ErrConflict].
func (h *Handle) DeleteStrayAPIKeys(ctx context.Context, purpose string) ([]APIKeyInfo, error) {
	ring, err := h.keyring(ctx, purpose)
	if err != nil {
		return nil, err
	}
	kept, isGood, err := ring.find(ctx)
	if err != nil || !isGood {
		const text = "the store has no good key for %q, so it may be the wrong store: EnsureAPIKey first"
		return nil, firstOf(err, told(ErrConflict, text, purpose))
	}
	var old []APIKeyInfo
	for k, err := range ring.named(ctx) {
		if err != nil {
			return nil, err
		}
		if k.Age() > strayAge && !kept.hasKey(k.SID) {
			old = append(old, k)
		}
	}
	for i, k := range old {
		if err := h.deleteAPIKey(ctx, k.SID); err != nil {
			return old[:i], err
		}
	}
	return old, nil
}

const (
	longestPurpose = 28
	oldSuffix      = "-old"

	// keyTime is how long a key is taken to be good after it was seen to be. Until then tokens are signed with it without a look.
	keyTime = 5 * time.Minute
	// blindTime is how long a key is used after it was last seen to be good, while it cannot be tried, and lookTime how long is tried.
	blindTime = time.Hour
	lookTime  = 5 * time.Second
	// lagTime is how long a key that is not found is waited for.
	lagTime = time.Second

	strayAge = 24 * time.Hour
)

var errNoKeyStore = invalid("an API key whose secret nobody keeps is of no use: set Options.Store")

// keyring is what an account has for one purpose: a key at Twilio, its secret in the Store, and during a rotation the key before it.
type keyring struct {
	handle  *Handle
	purpose string
}

// keyring refuses a purpose that would have no room for the old key's beside it.
func (h *Handle) keyring(ctx context.Context, purpose string) (keyring, error) {
	return keyring{h, purpose}, h.check(ctx, checkPurpose(purpose))
}

func checkPurpose(purpose string) error {
	if isPurpose(purpose) && !strings.HasSuffix(purpose, oldSuffix) {
		return nil
	}
	return invalid("%q is no purpose of an API key: 1 to 28 of a-z, 0-9, _ and -, and not ending in %s", purpose, oldSuffix)
}

// isPurpose does without a regular expression, which every token would notice.
func isPurpose(s string) bool {
	return s != "" && len(s) <= longestPurpose && isOf(smallLetters+digits+"_-", s)
}

// name is that of the key at Twilio.
func (k keyring) name() string { return k.purpose + "@" + k.handle.provider.deployment }

// id names the key in memory.
func (k keyring) id() string { return keyOf(k.handle.sid, k.purpose) }

func keyOf(account, purpose string) string { return account + "/" + purpose }

// old is the purpose under which the Store has the key before this one, until that is deleted.
func (k keyring) old() string { return k.purpose + oldSuffix }

// key is the account's key for the purpose, from memory if it was there a moment ago.
func (k keyring) key(ctx context.Context) (APIKey, error) {
	id := k.id()
	if key, ok := k.handle.provider.keys.kept(id); ok {
		return key, nil // before the function below is made a value, which allocates
	}
	key, err := k.handle.provider.keys.get(ctx, id, func(ctx context.Context, _ string) (APIKey, error) { return k.usable(ctx) })
	if err != nil && !isStores(err) {
		err = left(ctx, err, k.handle.sid)
	}
	return key, err
}

// usable is the key as it is found and tried now. While neither the Store nor Twilio can say, it is the one that was good before: who has
// the secret can sign, and a token may be all that a call still needs.
func (k keyring) usable(ctx context.Context) (APIKey, error) {
	keys := k.handle.provider.keys
	before, wasGood := keys.before.kept(k.id())
	looking, stop := ctx, context.CancelFunc(func() {})
	if wasGood {
		looking, stop = context.WithTimeout(ctx, lookTime)
	}
	defer stop()
	kept, isGood, err := k.find(looking)
	if wasGood && passes(err) && ctx.Err() == nil {
		if is := kept.APIKeys[k.purpose]; !is.Secret.IsZero() {
			before = is // the Store can say, and has another one by now
		}
		k.handle.provider.log.WarnContext(ctx, "twilioacct: an API key could not be tried, and is used as before",
			"account", k.handle.sid, "key", before.SID, "error", err)
		return before, nil
	}
	if !isGood && !passes(err) {
		keys.before.drop(k.id()) // it is no good any more, or the account is not
	}
	if err != nil {
		return APIKey{}, err
	}
	key, _, err := k.ensureAfter(ctx, kept, isGood)
	return key, err
}

func (k keyring) ensure(ctx context.Context) (APIKey, Did, error) {
	kept, isGood, err := k.find(ctx)
	if err != nil {
		return APIKey{}, "", err
	}
	return k.ensureAfter(ctx, kept, isGood)
}

// ensureAfter makes a key if what was found is not good.
func (k keyring) ensureAfter(ctx context.Context, kept Record, isGood bool) (APIKey, Did, error) {
	if isGood {
		return kept.APIKeys[k.purpose], DidFind, nil
	}
	since := k.handle.provider.keys.now()
	made, err := k.make(ctx)
	if err != nil {
		return APIKey{}, "", err
	}
	held, err := k.save(ctx, Record{APIKeys: map[string]APIKey{k.purpose: made}}, kept)
	if err != nil {
		return APIKey{}, "", errors.Join(err, k.discard(ctx, made))
	}
	k.remember(held, since)
	if !held.Equal(made) {
		_ = k.discard(ctx, made) // else it is a stray
		return held, DidFind, nil
	}
	return held, DidMake, nil
}

// remember keeps a key that was found to be good since then, unless one was deleted meanwhile.
func (k keyring) remember(good APIKey, since int) {
	keys := k.handle.provider.keys
	keys.put(k.id(), good, since)
	if is, ok := keys.kept(k.id()); ok && is.Equal(good) {
		keys.before.put(k.id(), good, keys.before.now())
	}
}

// find is what the Store has, and whether its key for the purpose is good. One that is, is remembered.
func (k keyring) find(ctx context.Context) (kept Record, isGood bool, err error) {
	if k.handle.provider.store == nil {
		return kept, false, errNoKeyStore
	}
	keys := k.handle.provider.keys
	keys.purposes.Store(k.purpose, struct{}{}) // before the look, so that forget ends what began before it
	since := keys.now()
	if kept, err = k.load(ctx); err != nil {
		return kept, false, err
	}
	isGood, err = k.isGood(ctx, kept.APIKeys[k.purpose])
	if isGood {
		k.remember(kept.APIKeys[k.purpose], since)
	}
	return kept, isGood, err
}

// load is the Store's record of the account; an empty one, where there is none yet and one could be made.
func (k keyring) load(ctx context.Context) (Record, error) {
	p, sid := k.handle.provider, k.handle.sid
	if p.store == nil {
		return Record{SID: sid}, nil
	}
	r, err := load(ctx, p.store, sid)
	if !errors.Is(err, ErrNoRecord) {
		return r, err
	}
	if maker, ok := StoreAs[Maker](p.store); ok && !maker.Makes() {
		return r, err
	}
	return Record{SID: sid}, nil
}

// hasKey is true for a key whose secret is kept, for whatever purpose.
func (r Record) hasKey(sid string) bool {
	for _, key := range r.APIKeys {
		if key.SID == sid {
			return true
		}
	}
	return false
}

// described is what Twilio tells of the key, and of those beside it.
func (k keyring) described(ctx context.Context, key APIKey, did Did) (EnsuredAPIKey, error) {
	ensured := EnsuredAPIKey{Key: APIKeyInfo{SID: key.SID, AccountSID: k.handle.sid, FriendlyName: k.name()}, Did: did}
	kept, err := k.load(ctx)
	if err != nil {
		return ensured, err
	}
	for info, err := range k.named(ctx) {
		switch {
		case err != nil:
			return ensured, err
		case info.SID == key.SID:
			ensured.Key = info
		case !kept.hasKey(info.SID):
			ensured.Strays = append(ensured.Strays, info)
		}
	}
	if ensured.Key.DateCreated.IsZero() { // it has another name by now, or is not listed yet
		info, err := k.handle.APIKey(ctx, key.SID)
		if err != nil {
			return ensured, err
		}
		ensured.Key = info
	}
	return ensured, nil
}

// isGood asks Twilio for something small, signed by the key. A key that is refused may be gone, or have another secret, or be so new
// that Twilio does not know it everywhere: the account's own credentials tell.
func (k keyring) isGood(ctx context.Context, key APIKey) (bool, error) {
	if key.Secret.IsZero() {
		return false, nil
	}
	err := k.try(ctx, key, false)
	if !isRefusal(err) {
		return err == nil, err
	}
	info, err := k.handle.APIKey(ctx, key.SID)
	switch {
	case isGone(err):
		if !rest.Sleep(ctx, lagTime) { // another process may have made it a moment ago
			return false, left(ctx, ctx.Err(), k.handle.sid)
		}
	case err != nil:
		return false, err
	case info.DateCreated.IsZero() || info.Age() > newbornTime:
		return false, nil
	}
	err = k.try(ctx, key, err == nil)
	if isRefusal(err) {
		return false, nil
	}
	return err == nil, err
}

// isRefusal is true if it was Twilio that did not take the credentials: a 401 without a code may be a proxy's.
func isRefusal(err error) bool { return errors.Is(err, ErrUnauthenticated) && codeOf(err) != 0 }

func (k keyring) try(ctx context.Context, key APIKey, isNew bool) error {
	h := k.handle
	call := h.provider.rest.Call(ctx, h.sid, keySigner{h.provider, h.sid, key, isNew})
	_, err := call.Get("/2010-04-01/Accounts/"+h.sid+"/Applications.json", url.Values{"PageSize": {"1"}}, nil)
	return call.Typed(err)
}

// make creates a key at Twilio. Nobody has its secret yet but the caller. It goes on where the caller's context ends: else whoever leaves
// in this moment leaves a key behind that is of no use.
func (k keyring) make(ctx context.Context) (APIKey, error) {
	if _, err := k.handle.signer().Auth(ctx); err != nil { // which may have to be looked for
		if !isStores(err) {
			err = left(ctx, err, k.handle.sid)
		}
		return APIKey{}, err
	}
	if err := ctx.Err(); err != nil {
		return APIKey{}, left(ctx, err, k.handle.sid)
	}
	ctx, cancel := lingering(ctx)
	defer cancel()
	call := k.handle.call(ctx).Single()
	raw, err := api.NewApiService(call.Handler()).CreateNewKey(new(api.CreateNewKeyParams).SetFriendlyName(k.name()))
	if err != nil {
		return APIKey{}, call.Typed(err)
	}
	made := APIKey{SID: value(raw.Sid), Secret: NewSecret(value(raw.Secret))}
	if !isSID("SK", made.SID) || made.Secret.IsZero() {
		return made, call.Unexpected("the answer has no new key with its secret")
	}
	return made, nil
}

// save writes a change of the ring's keys, unless the key is another one by now than it was. It returns the key that is kept then. It goes
// on where the caller's context ends: nobody can ask for a new key's secret again.
func (k keyring) save(ctx context.Context, change, was Record) (APIKey, error) {
	made, replaced := change.APIKeys[k.purpose], was.APIKeys[k.purpose]
	change.SID, change.Rev = k.handle.sid, was.Rev
	saving, cancel := outliving(ctx)
	defer cancel()
	var err error
	for range mostSaves {
		_, err = save(saving, k.handle.provider.store, change)
		if err == nil || errors.Is(err, ErrNoRecord) {
			return made, err
		}
		is, loadErr := k.reload(ctx)
		now := is.APIKeys[k.purpose]
		switch {
		case loadErr != nil:
			return made, err
		case now.Equal(made), errors.Is(err, ErrStale) && !now.Secret.IsZero() && !now.Equal(replaced):
			return now, nil
		case !errors.Is(err, ErrStale):
			return made, err
		}
		change.Rev = is.Rev
	}
	return made, err
}

// reload has a time of its own: what was to be saved may have been, though its reply took all the time there was.
func (k keyring) reload(ctx context.Context) (Record, error) {
	ctx, cancel := outliving(ctx)
	defer cancel()
	return k.load(ctx)
}

// mostSaves bounds how often a change is saved that somebody else was faster than.
const mostSaves = 10

// discard deletes a key that was made a moment ago and is of no use to anybody.
func (k keyring) discard(ctx context.Context, made APIKey) error {
	ctx, cancel := outliving(ctx)
	defer cancel()
	err := k.handle.deleteAPIKey(ctx, made.SID)
	if err != nil {
		k.handle.provider.log.WarnContext(ctx, "twilioacct: an API key is left whose secret nobody has",
			"account", k.handle.sid, "key", made.SID, "error", err)
	}
	return err
}

// named are the keys at Twilio that are named as this ring's.
func (k keyring) named(ctx context.Context) iter.Seq2[APIKeyInfo, error] {
	return func(yield func(APIKeyInfo, error) bool) {
		for info, err := range k.handle.APIKeys(ctx) {
			if (err != nil || info.FriendlyName == k.name()) && !yield(info, ofList(err)) {
				return
			}
		}
	}
}

// keyMemory remembers the keys that were good a moment ago, by keyOf.
type keyMemory struct {
	*remembered[APIKey]

	before   *remembered[APIKey] // those that were good of late
	purposes sync.Map            // that somebody has asked for
}

func newKeyMemory() *keyMemory {
	const most = 16384
	return &keyMemory{remembered: newRemembered[APIKey](keyTime, most), before: newRemembered[APIKey](blindTime, most)}
}

// forget drops all keys of the account.
func (m *keyMemory) forget(account string) {
	m.purposes.Range(func(purpose, _ any) bool {
		id := keyOf(account, purpose.(string)) //nolint:forcetypeassert // nothing else is put there
		m.drop(id)
		m.before.drop(id)
		return true
	})
}

// lingering is the context of what goes on for a while though its caller may leave.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		rest.Sleep(longer, keepTime)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}
