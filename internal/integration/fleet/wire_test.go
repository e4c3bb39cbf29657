package fleet_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
)

// wire records the commands that the library sends, and lets a test do something when one is about to be sent. It works with any
// server.
type wire struct {
	mu   sync.Mutex
	list []command
	do   map[string]func(nth int)
	seen map[string]int
}

type command struct {
	name string
	raw  bson.Raw
}

func (w *wire) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if do, nth := w.note(e.CommandName, e.Command); do != nil {
			do(nth)
		}
	}}
}

func (w *wire) note(name string, raw bson.Raw) (do func(int), nth int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]int{}
	}
	w.seen[name]++
	w.list = append(w.list, command{name, slices.Clone(raw)})
	return w.do[name], w.seen[name]
}

// before lets do be called before each command of that name, with its number from here on.
func (w *wire) before(name string, do func(nth int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.do, w.seen = map[string]func(int){name: do}, nil
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list, w.do, w.seen = nil, nil, nil
}

// names are the commands in the order in which they were sent.
func (w *wire) names() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.list {
		names = append(names, c.name)
	}
	return names
}

// scan are the commands of a scan, which comes first, and rest are those after it.
func (w *wire) scan() (scan, rest []string) {
	names := w.names()
	end := slices.IndexFunc(names, func(name string) bool { return name != "find" && name != "getMore" })
	if end < 0 {
		end = len(names)
	}
	return names[:end], names[end:]
}

// all are the commands of that name.
func (w *wire) all(name string) (found []bson.Raw) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.list {
		if c.name == name {
			found = append(found, c.raw)
		}
	}
	return found
}

// updates are the single writes of all bulks.
func (w *wire) updates(t *testing.T) (updates []bson.Raw) {
	t.Helper()
	for _, c := range w.all("update") {
		values, err := c.Lookup("updates").Array().Values()
		require.NoError(t, err)
		for _, v := range values {
			updates = append(updates, v.Document())
		}
	}
	return updates
}

// filters are what documents were looked for by, as text; servers log that.
func (w *wire) filters(t *testing.T) (filters []string) {
	t.Helper()
	for _, c := range w.all("find") {
		filters = append(filters, c.Lookup("filter").String())
	}
	for _, u := range w.updates(t) {
		filters = append(filters, u.Lookup("q").String())
	}
	return filters
}
