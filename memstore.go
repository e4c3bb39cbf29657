package twilioacct

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemStore is a [Store] in memory, for tests, for small programs and as the model of what a Store does. It has every optional
// interface. The zero value is an empty one; [NewMemStore] makes one with records.
type MemStore struct {
	makes bool

	mu      sync.Mutex
	records map[string]Record
	claims  map[string]Claim
}

var (
	_ Scanner      = (*MemStore)(nil)
	_ Maker        = (*MemStore)(nil)
	_ BatchSaver   = (*MemStore)(nil)
	_ TenantLoader = (*MemStore)(nil)
	_ Claimer      = (*MemStore)(nil)
)

// NewMemStore returns a Store that holds these records, and makes no others: like the documents of an application, they are
// there before any account is synced. A record of the same SID as one before it replaces that.
func NewMemStore(records ...Record) *MemStore {
	s := &MemStore{records: map[string]Record{}}
	for _, r := range records {
		s.records[r.SID] = kept(r)
	}
	return s
}

// Making lets Save make the records that are missing. It returns s.
func (s *MemStore) Making() *MemStore {
	s.makes = true
	return s
}

// Makes implements [Maker].
func (s *MemStore) Makes() bool { return s.makes }

// alive refuses what has no context, and gives up when it has ended.
func alive(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	return ctx.Err()
}

// kept copies a record to what is kept of it, sharing nothing with the caller.
func kept(r Record) Record {
	r.APIKeys = maps.Clone(r.APIKeys)
	r.Remove = nil
	r.Copies = 1
	return r
}

// Load implements [Store].
func (s *MemStore) Load(ctx context.Context, sid string) (Record, error) {
	if err := alive(ctx); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[sid]
	if !ok {
		return Record{}, ErrNoRecord
	}
	return kept(r), nil
}

// Save implements [Store].
func (s *MemStore) Save(ctx context.Context, r Record) (Record, error) {
	if err := alive(ctx); err != nil {
		return Record{}, err
	}
	if err := r.Check(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save(r)
}

func (s *MemStore) save(r Record) (Record, error) {
	before, ok := s.records[r.SID]
	if !ok && !s.makes {
		return Record{}, ErrNoRecord
	}
	if before.Rev != r.Rev {
		return Record{}, ErrStale
	}
	after := before.Merged(r)
	after.SID, after.Copies = r.SID, 1
	if !ok || !after.equal(before) {
		after.Rev++
		if s.records == nil {
			s.records = map[string]Record{}
		}
		s.records[r.SID] = after
	}
	return kept(after), nil
}

func (r Record) equal(other Record) bool {
	return r.AuthToken.Equal(other.AuthToken) && r.Status == other.Status && r.Tenant == other.Tenant &&
		maps.EqualFunc(r.APIKeys, other.APIKeys, APIKey.Equal)
}

// Scan implements [Scanner].
func (s *MemStore) Scan(ctx context.Context, seed maphash.Seed) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s.mu.Lock()
		records := slices.Collect(maps.Values(s.records))
		s.mu.Unlock()
		for _, r := range records {
			if err := alive(ctx); err != nil {
				yield(Entry{}, err)
				return
			}
			e := Entry{ID: r.SID, SID: r.SID, Status: r.Status, Rev: r.Rev, Fingerprint: Fingerprint(seed, r.AuthToken.Reveal())}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// SaveBatch implements [BatchSaver].
func (s *MemStore) SaveBatch(ctx context.Context, records []Record) ([]SaveFailure, error) {
	var failures []SaveFailure
	for _, r := range records {
		if err := alive(ctx); err != nil {
			return failures, err
		}
		if _, err := s.Save(ctx, r); err != nil {
			failures = append(failures, SaveFailure{SID: r.SID, Err: err})
		}
	}
	return failures, nil
}

// LoadTenant implements [TenantLoader].
func (s *MemStore) LoadTenant(ctx context.Context, tenant string) (Record, error) {
	if err := alive(ctx); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Record
	for _, r := range s.records {
		if r.Tenant == tenant && tenant != "" {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return Record{}, ErrNoRecord
	case 1:
		return kept(found[0]), nil
	}
	return Record{}, fmt.Errorf("tenant %q: %w: %d records", tenant, ErrAmbiguous, len(found))
}

// Claim implements [Claimer].
func (s *MemStore) Claim(ctx context.Context, key, owner string, d time.Duration) (Claim, error) {
	if err := alive(ctx); err != nil {
		return Claim{}, err
	}
	if err := CheckClaim(key, owner, d); err != nil {
		return Claim{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.claims[key]
	now := time.Now()
	if held.Owner != owner && held.Until.After(now) {
		return Claim{}, ErrClaimed
	}
	c := Claim{Key: key, Owner: owner, Fence: held.Fence + 1, Until: now.Add(d)}
	if s.claims == nil {
		s.claims = map[string]Claim{}
	}
	s.claims[key] = c
	return c, nil
}

// Renew implements [Claimer].
func (s *MemStore) Renew(ctx context.Context, c Claim, d time.Duration) (Claim, error) {
	if err := alive(ctx); err != nil {
		return Claim{}, err
	}
	if err := CheckClaim(c.Key, c.Owner, d); err != nil {
		return Claim{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.claims[c.Key]
	if held.Owner != c.Owner || held.Fence != c.Fence {
		return Claim{}, ErrStale
	}
	held.Until = time.Now().Add(d)
	s.claims[c.Key] = held
	return held, nil
}

// Release implements [Claimer]. The fence is kept: it must never grow smaller.
func (s *MemStore) Release(ctx context.Context, c Claim) error {
	if err := alive(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.claims[c.Key]; held.Owner == c.Owner && held.Fence == c.Fence {
		s.claims[c.Key] = Claim{Key: c.Key, Fence: c.Fence}
	}
	return nil
}
