package twilioacct

import (
	"context"
	"sync"
	"time"

	"resenje.org/singleflight"
)

// remembered keeps values that are asked for again and again: each for a limited time, a limited number of them, those going
// first that nobody asked for of late. Whoever asks for a value that is not there joins the one who is already finding it.
//
// It starts no goroutine, and takes memory only for what it keeps.
type remembered[V any] struct {
	lifetime time.Duration // 0: no limit; negative: nothing is kept and nobody waits for another's finding

	flights singleflight.Group[string, V]
	values  *recent[V]

	mu      sync.Mutex // orders put and drop
	changes int        // counts drops, so that a finding that began before one is not kept after it
}

func newRemembered[V any](lifetime time.Duration, capacity int) *remembered[V] {
	return &remembered[V]{lifetime: lifetime, values: newRecent[V](lifetime, capacity)}
}

// kept returns the value if it is there.
func (m *remembered[V]) kept(key string) (v V, ok bool) {
	if m.lifetime < 0 {
		return v, false
	}
	return m.values.get(key)
}

// get returns the kept value or finds it, once for all who ask meanwhile. The finding goes on until the last of them has left.
func (m *remembered[V]) get(ctx context.Context, key string, find func(context.Context, string) (V, error)) (V, error) {
	if m.lifetime < 0 {
		return find(ctx, key)
	}
	if v, ok := m.values.get(key); ok {
		return v, nil
	}
	if err := ctx.Err(); err != nil {
		return *new(V), err
	}
	v, _, err := m.flights.Do(ctx, key, func(ctx context.Context) (V, error) {
		if v, ok := m.values.get(key); ok {
			return v, nil // found between our look and now
		}
		since := m.now()
		v, err := find(ctx, key)
		if err == nil {
			m.fill(key, v, since)
		}
		return v, err
	})
	return v, err
}

// now is when a finding begins, for put.
func (m *remembered[V]) now() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes
}

// put keeps what was found since then, unless something was dropped meanwhile: it may be from before that change.
func (m *remembered[V]) put(key string, v V, since int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lifetime >= 0 && m.changes == since {
		m.values.put(key, v)
	}
}

// fill is put for a finding that began where nothing was kept: what is kept now is newer than it, and stays.
func (m *remembered[V]) fill(key string, v V, since int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, newer := m.values.get(key); !newer && m.changes == since {
		m.values.put(key, v)
	}
}

// drop forgets the value, and lets nobody join a finding that began before.
func (m *remembered[V]) drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	m.flights.Forget(key)
	m.values.remove(key)
}
