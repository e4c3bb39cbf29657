package mongotest

import "sync"

// broadcast wakes everybody who waits, each time it rings.
type broadcast struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait returns a channel which is closed by the next ring. Take it before
// looking at what the ring announces, or a ring in between is missed.
func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

func (b *broadcast) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
