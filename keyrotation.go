package twilioacct

import (
	"context"
	"errors"
	"time"
)

// APIKeyRotation says which key is to be replaced by a new one, and how long the old one stays.
type APIKeyRotation struct {
	Purpose string // of the key: see [Handle.CreateAPIKey]

	// Overlap is for how long the old key goes on working beside the new one; 0 is 24 hours, which no token outlives. It may not be shorter
	// than the longest-lived token that this Provider has signed; of tokens of other processes it does not know.
	Overlap time.Duration

	// Force deletes the old key at once. That ends every access token that it has signed: a browser's next call fails until it has a new
	// token. What else signs with the key is refused, and other processes may sign tokens with it that are good for nothing: for up to five
	// minutes, and for little more than an hour if they can ask neither Twilio nor the Store.
	Force bool
}

// RotatedAPIKey is how far a rotation has come.
type RotatedAPIKey struct {
	Key APIKeyInfo // that signs from now on

	OldSID     string    // SK…, of the key before it, "" if there was none
	OldGoesAt  time.Time // when it may be deleted, by another call; zero if there is none, or none any more
	OldDeleted bool
}

// RotateAPIKey replaces the key of a purpose by a new one. The new key is saved in the Store and has signed a request before the old one
// goes; until then the Store has both.
//
// It is called at least twice. The first call makes the new key. A call within the overlap changes nothing and tells when the old key may
// go; the first call after that deletes it, and the next one begins another rotation. So a repeated call after a crash, or from several
// processes, goes on with the rotation that is under way. Processes that have the old key in memory sign with it for a while, for
// little more than an hour if they can ask neither Twilio nor the Store, so 70 minutes are added to the overlap.
//
// Where there is no key yet, one is made, as by [Handle.EnsureAPIKey]. If the new key cannot be saved it is deleted again, and if Twilio
// does not take it in the call that made it, the old one is put back: that stays in use either way. A key that Twilio takes no more
// later on is [ErrConflict], and nothing is deleted. Deleting a key cannot be undone.
func (h *Handle) RotateAPIKey(ctx context.Context, rotation APIKeyRotation) (RotatedAPIKey, error) {
	ring, err := h.keyring(ctx, rotation.Purpose)
	if err == nil {
		err = rotation.check(h.provider.longestToken())
	}
	if err != nil {
		return RotatedAPIKey{}, err
	}
	kept, err := ring.load(ctx)
	if err != nil {
		return RotatedAPIKey{}, err
	}
	_, hasKey := kept.APIKeys[ring.purpose]
	_, isUnderWay := kept.APIKeys[ring.old()]
	switch {
	case !hasKey:
		if _, _, err = ring.ensure(ctx); err == nil {
			kept, err = ring.load(ctx)
		}
	case !isUnderWay:
		kept, err = ring.replace(ctx, kept)
	}
	if err != nil {
		return RotatedAPIKey{OldSID: kept.APIKeys[ring.old()].SID}, err
	}
	return ring.finish(ctx, kept, rotation)
}

func (r APIKeyRotation) check(longestToken time.Duration) error {
	switch {
	case r.Overlap < 0 || r.Overlap > longestOverlap:
		return invalid("Overlap %v is not up to a year", r.Overlap)
	case !r.Force && r.overlap() < longestToken:
		return invalid("Overlap %v would end tokens of %v: make it longer, or say Force", r.overlap(), longestToken)
	}
	return nil
}

const longestOverlap = 365 * 24 * time.Hour

// handover is how long the old key may be signed with after the new one was made: it is loaded, tried and then remembered, and longer where
// Twilio or the Store cannot be asked.
const handover = blindTime + 2*keyTime

func (r APIKeyRotation) overlap() time.Duration {
	if r.Overlap == 0 {
		return longestLife
	}
	return r.Overlap
}

// replace makes a new key and saves it together with the one that it replaces, in one write.
func (k keyring) replace(ctx context.Context, was Record) (Record, error) {
	made, err := k.make(ctx)
	if err != nil {
		return was, err
	}
	change := Record{APIKeys: map[string]APIKey{k.purpose: made, k.old(): was.APIKeys[k.purpose]}}
	held, err := k.save(ctx, change, was)
	if err != nil {
		err = errors.Join(err, k.discard(ctx, made))
	} else if !held.Equal(made) {
		_ = k.discard(ctx, made) // somebody else rotates, too
	}
	k.handle.provider.keys.forget(k.handle.sid)
	if err != nil {
		return was, err
	}
	kept, err := k.load(ctx)
	if err != nil || !held.Equal(made) {
		return kept, err
	}
	if isGood, err := k.isGood(ctx, made); err != nil || isGood {
		return kept, err
	}
	return kept, k.goBack(ctx, kept)
}

// finish deletes the old key if the new one is good and the time has come.
func (k keyring) finish(ctx context.Context, kept Record, r APIKeyRotation) (RotatedAPIKey, error) {
	current, old := kept.APIKeys[k.purpose], kept.APIKeys[k.old()]
	since := k.handle.provider.keys.now()
	isGood, err := k.isGood(ctx, current)
	if isGood {
		k.remember(current, since)
	}
	if err == nil && !isGood {
		err = told(ErrConflict, "Twilio does not take the key %s for %q any more: EnsureAPIKey makes another one", current.SID, k.purpose)
	}
	if err != nil {
		return RotatedAPIKey{OldSID: old.SID}, err
	}
	info, err := k.handle.APIKey(ctx, current.SID)
	if err != nil {
		return RotatedAPIKey{Key: APIKeyInfo{SID: current.SID, AccountSID: k.handle.sid}, OldSID: old.SID}, err
	}
	rotated := RotatedAPIKey{Key: info, OldSID: old.SID}
	if !info.DateCreated.IsZero() {
		rotated.OldGoesAt = info.DateCreated.Add(r.overlap() + handover)
	}
	switch {
	case old.SID == "":
		return RotatedAPIKey{Key: info}, nil
	case !r.Force && (info.DateCreated.IsZero() || time.Now().Before(rotated.OldGoesAt)):
		return rotated, nil
	}
	if err := k.handle.deleteAPIKey(ctx, old.SID); err != nil {
		return rotated, err
	}
	return RotatedAPIKey{Key: info, OldSID: old.SID, OldDeleted: true}, k.handle.forgetAPIKey(ctx, old.SID)
}

// goBack puts the old key in the place of the new one, which was made a moment ago and which Twilio does not take.
func (k keyring) goBack(ctx context.Context, kept Record) error {
	current, old := kept.APIKeys[k.purpose], kept.APIKeys[k.old()]
	isGood, err := k.isGood(ctx, old)
	switch {
	case err != nil:
		return err
	case !isGood:
		return told(ErrConflict, "Twilio takes neither the new key %s nor %s: EnsureAPIKey makes another one", current.SID, old.SID)
	}
	change := Record{APIKeys: map[string]APIKey{k.purpose: old}, Remove: []Field{APIKeyField(k.old())}}
	held, err := k.save(ctx, change, kept)
	if err != nil {
		return err
	}
	k.handle.provider.keys.forget(k.handle.sid)
	return errors.Join(
		told(ErrConflict, "Twilio does not take the new key %s, so %s is in use again", current.SID, held.SID),
		k.discard(ctx, current))
}
