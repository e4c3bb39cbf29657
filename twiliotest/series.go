package twiliotest

import "iter"

// collection holds the resources of one kind, by SID and by what they belong
// to: an account, or for senders a messaging service.
type collection[T any] struct {
	bySID   map[string]*T
	byOwner map[string]*series[T]
}

func (c *collection[T]) add(owner, sid string, item *T) {
	if c.bySID == nil {
		c.bySID, c.byOwner = map[string]*T{}, map[string]*series[T]{}
	}
	if c.byOwner[owner] == nil {
		c.byOwner[owner] = &series[T]{places: map[string]int{}}
	}
	c.bySID[sid] = item
	c.byOwner[owner].add(sid, item)
}

func (c *collection[T]) remove(owner, sid string) {
	delete(c.bySID, sid)
	c.byOwner[owner].remove(sid)
}

// of returns what belongs to owner; nil, an empty series, if nothing ever did.
func (c *collection[T]) of(owner string) *series[T] { return c.byOwner[owner] }

// series holds things in the order in which they came. One that goes leaves
// its place empty, so that the places of the others, and the page tokens that
// stand for them, hold.
type series[T any] struct {
	entries []entry[T]     // oldest first
	places  map[string]int // by SID, also of those that are gone
	present int
}

type entry[T any] struct {
	sid  string
	item *T // nil once it is gone
}

func (s *series[T]) add(sid string, item *T) {
	s.places[sid] = len(s.entries)
	s.entries = append(s.entries, entry[T]{sid, item})
	s.present++
}

func (s *series[T]) remove(sid string) {
	if s.get(sid) != nil {
		s.entries[s.places[sid]].item = nil
		s.present--
	}
}

// get returns nil for what never came and for what is gone.
func (s *series[T]) get(sid string) *T {
	place := s.position(sid)
	if place < 0 {
		return nil
	}
	return s.entries[place].item
}

func (s *series[T]) position(sid string) int {
	if s == nil {
		return -1
	}
	if place, ok := s.places[sid]; ok {
		return place
	}
	return -1
}

func (s *series[T]) count() int {
	if s == nil {
		return 0
	}
	return s.present
}

// each goes through what is there, oldest first. What it goes through may be
// removed meanwhile.
func (s *series[T]) each() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		if s == nil {
			return
		}
		for i := range s.entries {
			if item := s.entries[i].item; item != nil && !yield(item) {
				return
			}
		}
	}
}

// values returns copies of what is there, oldest first.
func (s *series[T]) values() []T {
	values := make([]T, 0, s.count())
	for item := range s.each() {
		values = append(values, *item)
	}
	return values
}

// listSeries answers with a page of what is in a series and shows.
func listSeries[T any](c *call, key string, s *series[T], shows func(*T) bool, render func(*T) []byte) answer {
	l := listing{key: key, position: s.position}
	if s != nil {
		l.length = len(s.entries)
	}
	l.sid = func(i int) string { return s.entries[i].sid }
	l.shows = func(i int) bool { return s.entries[i].item != nil && shows(s.entries[i].item) }
	l.appendJSON = func(parts [][]byte, i int) [][]byte { return append(parts, render(s.entries[i].item)) }
	return c.list(l)
}

// every shows everything.
func every[T any](*T) bool { return true }
