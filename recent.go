package twilioacct

import (
	"sync"
	"sync/atomic"
	"time"
)

// recent keeps values that were put or read of late: a limited number of them, each for a limited time.
//
// Reading what is read again and again takes no lock and writes nothing, so that callers at once do not hold one another up. A
// list in the order of use would be exact about what goes first, but every read changes it: two callers are no faster than one.
type recent[V any] struct {
	lifetime time.Duration // 0: no limit
	capacity int

	// Values are put into the young generation, and moved there when they are read from the old one. When the young one has half
	// of the capacity, it becomes the old one: what was in that one, and was not read meanwhile, is gone.
	young atomic.Pointer[sync.Map] // string to *mortal[V]

	mu   sync.Mutex // for all but reading what is young
	old  *sync.Map
	size int // of young
}

// mortal is a value that is kept until it dies.
type mortal[V any] struct {
	value V
	dies  time.Time // zero: never
}

func newRecent[V any](lifetime time.Duration, capacity int) *recent[V] {
	r := &recent[V]{lifetime: lifetime, capacity: capacity, old: new(sync.Map)}
	r.young.Store(new(sync.Map))
	return r
}

func (r *recent[V]) get(key string) (v V, ok bool) {
	found, isYoung := r.young.Load().Load(key)
	if !isYoung {
		found = r.revive(key)
	}
	m, ok := found.(*mortal[V])
	if !ok || !m.dies.IsZero() && !time.Now().Before(m.dies) {
		return v, false
	}
	return m.value, true
}

// revive moves what is old to the young; nil is what is not there.
func (r *recent[V]) revive(key string) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.young.Load().Load(key); ok {
		return found // somebody else was faster
	}
	found, ok := r.old.LoadAndDelete(key)
	if ok {
		r.add(key, found)
	}
	return found
}

func (r *recent[V]) put(key string, v V) {
	m := &mortal[V]{value: v}
	if r.lifetime > 0 {
		m.dies = time.Now().Add(r.lifetime)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old.Delete(key)
	r.add(key, m)
}

func (r *recent[V]) add(key string, m any) {
	if _, replaced := r.young.Load().Swap(key, m); !replaced {
		r.size++
	}
	if r.size >= r.capacity/2 {
		r.old, r.size = r.young.Swap(new(sync.Map)), 0
	}
}

func (r *recent[V]) remove(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old.Delete(key)
	if _, ok := r.young.Load().LoadAndDelete(key); ok {
		r.size--
	}
}
