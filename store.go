package twilioacct

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"regexp"
	"time"
)

// Store keeps what must survive a restart: for each account its auth token, its status and its API keys. It is a copy; Twilio
// is the truth. Package mongostore keeps it in MongoDB, in the application's own documents; [MemStore] keeps it in memory;
// package storetest checks an implementation of yours.
//
// A Store is safe for concurrent use, returns records that share nothing with what it keeps, and gives up when the context
// ends. What Load returns reflects every Save that had returned before Load was called.
type Store interface {
	// Load returns the record of the account, or ErrNoRecord.
	Load(ctx context.Context, sid string) (Record, error)

	// Save writes the fields of r that are set, and removes those that r.Remove names, if the record's revision is still
	// r.Rev; all other fields stay. It returns the record as it is then, with its new revision. Where nothing differs, nothing
	// is written and the revision stays. A record that Save makes has a revision from 1 on.
	//
	// If the revision is another one, nothing is written and the error is ErrStale: what r was made from is older than what
	// somebody else has written since. If there is no record, it is made where the Store makes records, and else the error is
	// ErrNoRecord.
	//
	// After any other error the record may or may not have been written. Saving it again is safe.
	Save(ctx context.Context, r Record) (Record, error)
}

var (
	// ErrNoRecord is what a Store answers for an account that it holds no record of.
	ErrNoRecord = errors.New("the store has no record of the account")

	// ErrStale is what a Store answers to a Save under a revision that is no longer the record's.
	ErrStale = errors.New("the record was changed by somebody else meanwhile")

	// ErrClaimed is what a Claimer answers while somebody else holds the claim.
	ErrClaimed = errors.New("somebody else holds the claim")
)

// Record is what a [Store] keeps of one account.
type Record struct {
	SID string // AC…

	AuthToken Secret            // zero in Save: leave what is kept
	Status    Status            // "" in Save: leave what is kept
	Tenant    string            // the application's own key of the customer; "" in Save: leave what is kept
	APIKeys   map[string]APIKey // by purpose, such as "voice" (1 to 32 of a-z, 0-9, _ and -); Save merges key by key

	// Remove names what Save takes away. It is the only way to take anything away: an empty field never replaces a kept one.
	Remove []Field

	// Rev counts the writes of the record. Load sets it and Save compares it; 0 is a record that was there before this library,
	// or none at all.
	Rev int64

	// Copies is how many documents hold the SID, where a Store can hold several. Load and Save set it; more than one is a
	// mistake in the data that somebody should mend.
	Copies int
}

// APIKey is an API key of an account. Twilio shows its secret once, when it is made.
type APIKey struct {
	SID    string // SK…
	Secret Secret
}

// Equal reports whether both are the same key.
func (k APIKey) Equal(other APIKey) bool { return k.SID == other.SID && k.Secret.Equal(other.Secret) }

// Field names what [Record.Remove] can take away.
type Field string

// The fields of a record that can go, beside [APIKeyField].
const (
	FieldAuthToken Field = "auth_token"
	FieldStatus    Field = "status"
	FieldTenant    Field = "tenant"
)

// APIKeyField names the API key of that purpose.
func APIKeyField(purpose string) Field { return Field(apiKeyPrefix + purpose) }

const apiKeyPrefix = "api_key:"

// Purpose returns the purpose that APIKeyField was made with, and whether f names an API key.
func (f Field) Purpose() (string, bool) {
	if len(f) <= len(apiKeyPrefix) || f[:len(apiKeyPrefix)] != apiKeyPrefix {
		return "", false
	}
	return string(f[len(apiKeyPrefix):]), true
}

// A purpose becomes a part of a field's path in a document.
var purposeForm = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// Check is for implementations of [Store]: Save calls it first. It refuses a record that no Store could keep faithfully, with
// ErrInvalid: a malformed SID, a negative revision, an impossible purpose, half a key, a field both set and removed.
func (r Record) Check() error {
	if !isSID("AC", r.SID) {
		return invalid("record: account SID %s is not AC and 32 hex digits", quote(r.SID))
	}
	if r.Rev < 0 {
		return invalid("record of %s: revision %d is negative", r.SID, r.Rev)
	}
	for purpose, key := range r.APIKeys {
		if !purposeForm.MatchString(purpose) {
			return invalid("record of %s: %q is no purpose of an API key: 1 to 32 of a-z, 0-9, _ and -", r.SID, purpose)
		}
		if !isSID("SK", key.SID) || key.Secret.IsZero() {
			return invalid("record of %s: API key %q needs its SID (SK and 32 hex digits) and its secret", r.SID, purpose)
		}
	}
	for _, f := range r.Remove {
		if err := r.checkRemoval(f); err != nil {
			return err
		}
	}
	return nil
}

func (r Record) checkRemoval(f Field) error {
	var isSet bool
	purpose, isKey := f.Purpose()
	switch {
	case f == FieldAuthToken:
		isSet = !r.AuthToken.IsZero()
	case f == FieldStatus:
		isSet = r.Status != ""
	case f == FieldTenant:
		isSet = r.Tenant != ""
	case isKey && purposeForm.MatchString(purpose):
		_, isSet = r.APIKeys[purpose]
	default:
		return invalid("record of %s: %q is no field that can be removed", r.SID, f)
	}
	if isSet {
		return invalid("record of %s: %q is both set and removed", r.SID, f)
	}
	return nil
}

// Merged is for implementations of [Store]: the record as it is after change was saved under it. Fields of change that are set
// replace those of r, keys one by one; what change removes is gone. The SID, the revision and the number of copies stay. It
// shares nothing with either.
func (r Record) Merged(change Record) Record {
	r.APIKeys = maps.Clone(r.APIKeys)
	if r.APIKeys == nil && len(change.APIKeys) > 0 {
		r.APIKeys = map[string]APIKey{}
	}
	maps.Copy(r.APIKeys, change.APIKeys)
	if !change.AuthToken.IsZero() {
		r.AuthToken = change.AuthToken
	}
	if change.Status != "" {
		r.Status = change.Status
	}
	if change.Tenant != "" {
		r.Tenant = change.Tenant
	}
	for _, f := range change.Remove {
		r.remove(f)
	}
	r.Remove = nil
	return r
}

func (r *Record) remove(f Field) {
	switch f {
	case FieldAuthToken:
		r.AuthToken = Secret{}
	case FieldStatus:
		r.Status = ""
	case FieldTenant:
		r.Tenant = ""
	default:
		purpose, _ := f.Purpose()
		delete(r.APIKeys, purpose)
	}
}

// The interfaces below are optional. Each is a [Store] that can do more; without it the Provider does less, or slower, and its
// documentation says so. [StoreAs] finds them. A Store that was made without what their methods need answers
// errors.ErrUnsupported.

// Scanner lists all records.
type Scanner interface {
	Store

	// Scan yields an entry for every record that has a SID, in no particular order; one that is written meanwhile may be seen
	// before or after. No token leaves the Store, only its fingerprint under seed. A record that cannot be read is an error
	// beside its Entry (with what could be read of it), and the scan goes on; an error beside the zero Entry ends it.
	Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[Entry, error]
}

// Entry is what a scan shows of a record.
type Entry struct {
	ID          string // of the document that holds it, as text
	SID         string
	Status      Status
	Rev         int64
	Fingerprint uint64 // of the auth token; 0 where none is kept
}

// Fingerprint tells whether two tokens are the same without keeping either. It means nothing beyond the seed, which lives as
// long as the process at most. The empty string is no token: its fingerprint is 0, and no token's is. It takes the token itself,
// so that a scan need not make a [Secret] of each.
func Fingerprint(seed maphash.Seed, token string) uint64 {
	if token == "" {
		return 0
	}
	return max(1, maphash.String(seed, token))
}

// Maker tells whether a Store makes records. Of a Store that is none, only an attempt tells.
type Maker interface {
	Store

	// Makes reports whether Save makes the record of an account that has none.
	Makes() bool
}

// BatchSaver saves many records in few round trips.
type BatchSaver interface {
	Store

	// SaveBatch saves records of which the caller knows, from Scan, that they differ and under which revision. It may write
	// without a look at what is kept, and so is Save but for three things. A record in which nothing differs may be written all
	// the same. A record that is found at its next revision, with all that was to be saved in it, may count as saved, whoever
	// wrote it. Where several documents hold a SID, SaveBatch may write only one of them: such a record belongs to Save.
	//
	// It returns the records that were not saved, each with its reason. The error is for what says nothing of single records,
	// such as a lost connection: any of them may have been written then, and saving all of them again is safe.
	SaveBatch(ctx context.Context, records []Record) ([]SaveFailure, error)
}

// SaveFailure is a record that SaveBatch did not save: ErrStale, ErrNoRecord, or what was wrong with it.
type SaveFailure struct {
	SID string
	Err error
}

// TenantLoader finds records by the application's own key.
type TenantLoader interface {
	Store

	// LoadTenant returns the record of the tenant: ErrNoRecord if there is none, ErrAmbiguous if there are several.
	LoadTenant(ctx context.Context, tenant string) (Record, error)
}

// Claimer lets one worker at a time do a piece of work.
type Claimer interface {
	Store

	// Claim gives the piece of work named key to owner for that long. ErrClaimed: somebody else has it. Who has it already, or
	// finds that another's time is up, gets it with a new fence. Times are the worker's clock's, so let a claim last much longer
	// than clocks differ; what must not be done twice is guarded by the fence, not by the time.
	Claim(ctx context.Context, key, owner string, d time.Duration) (Claim, error)

	// Renew prolongs a claim. ErrStale: it was lost.
	Renew(ctx context.Context, c Claim, d time.Duration) (Claim, error)

	// Release gives a claim back. A claim that was lost already is no error.
	Release(ctx context.Context, c Claim) error
}

// Claim is the right to do a piece of work until a time.
type Claim struct {
	Key, Owner string
	Fence      int64 // grows with every claim of the key, and never again smaller
	Until      time.Time
}

// CheckClaim is for implementations of [Claimer]: a key, an owner and a time are needed, else the error is ErrInvalid.
func CheckClaim(key, owner string, d time.Duration) error {
	if key == "" || owner == "" || d <= 0 {
		return invalid("a claim needs a key, an owner and a time: %q, %q, %v", key, owner, d)
	}
	return nil
}

// StoreAs returns s, or the first Store below it that is a T. A wrapper shows what it wraps by a method Unwrap() Store; one
// that changes what is kept (that seals secrets, say) must itself be whatever T would go around it.
func StoreAs[T Store](s Store) (T, bool) {
	for s != nil {
		if found, ok := s.(T); ok {
			return found, true
		}
		wrapper, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = wrapper.Unwrap()
	}
	var none T
	return none, false
}

// storeTime bounds each call of a Store, for a caller whose context has no deadline.
const storeTime = 30 * time.Second

// load and save are how the Provider speaks with its Store: bounded in time, every failure a *StoreError, and no answer for
// another account accepted.
func load(ctx context.Context, s Store, sid string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	r, err := s.Load(ctx, sid)
	if err == nil && r.SID != sid {
		err = fmt.Errorf("it answered with the record of %s", quote(r.SID))
	}
	if err != nil {
		return Record{SID: sid}, &StoreError{Op: "Load", SID: sid, Err: err}
	}
	return r, nil
}

func save(ctx context.Context, s Store, r Record) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	saved, err := s.Save(ctx, r)
	if err == nil && (saved.SID != r.SID || saved.Rev < r.Rev) {
		err = fmt.Errorf("it answered with the record of %s at revision %d", quote(saved.SID), saved.Rev)
	}
	if err != nil {
		return Record{SID: r.SID}, &StoreError{Op: "Save", SID: r.SID, Err: err}
	}
	return saved, nil
}
