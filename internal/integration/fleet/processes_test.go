package fleet_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// crowd is how many processes sync one fleet at once.
const crowd = 8

// crowded is how large that fleet is: each of the processes reads all of it.
func crowded() int {
	if mongotest.External() {
		return 3000
	}
	return 300
}

// startCrowd lets the processes do a job at once; all that they say is there when wait returns. None of them may have a failure.
func startCrowd(t *testing.T, j job) (wait func() []word) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var words []word
	for range crowd {
		w := start(t, j)
		all.Go(func() {
			said, err := w.end()
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			words = append(words, said...)
		})
	}
	return func() []word {
		all.Wait()
		for _, w := range words {
			assert.Empty(t, w.Error, w.Kind)
			assert.NotEqual(t, string(twilioacct.EventFailed), w.Kind)
		}
		return words
	}
}

func TestEightProcessesAtOnceWriteEachChangeOnce(t *testing.T) {
	t.Parallel()
	n := crowded()
	f := newFleet(t, n, terms{})
	f.populate(t)
	others, wanted := f.others(t), f.revisions(t)
	isTold := map[string]bool{}
	j := f.job()
	j.PageSize = n / 6
	for _, w := range startCrowd(t, j)() {
		if w.Kind == string(twilioacct.EventChanged) {
			isTold[w.ID] = true
		}
	}
	f.requireEqual(t)
	assertSame(t, others, f.others(t))
	assert.Len(t, isTold, behind(n))
	for id := range isTold {
		wanted[sidIn(id)]++
	}
	assertSame(t, wanted, f.revisions(t))
}

// sidIn is the account's SID in the id of a change.
func sidIn(id string) string {
	sid, _, _ := strings.Cut(id, ":")
	return sid
}

func TestEightProcessesAtOnceUndoNoRotation(t *testing.T) {
	t.Parallel()
	n := crowded()
	f := newFleet(t, n, terms{})
	f.populate(t)
	others, most := f.others(t), f.revisions(t)
	j := f.job()
	j.PageSize, j.Runs = n/6, 8
	wait := startCrowd(t, j)
	var isDone atomic.Bool
	var rotating sync.WaitGroup
	var rotators []*rotator
	for accounts := range slices.Chunk(f.fake.Subaccounts(), n/4) {
		r := &rotator{fleet: f, accounts: accounts, rotated: map[string]int64{}, synced: map[string]bool{}}
		rotators = append(rotators, r)
		rotating.Go(func() { r.rotate(t, &isDone) })
	}
	wait()
	isDone.Store(true)
	rotating.Wait()

	synced := map[string]bool{}
	for _, r := range rotators {
		require.NotEmpty(t, r.rotated)
		maps.Copy(synced, r.synced)
		for sid, times := range r.rotated {
			most[sid] += times
		}
	}
	for _, d := range f.documents(t) {
		assert.True(t, !synced[text(d, "sid")] || f.isEqual(d), "an older listing has undone it: %s", d)
	}
	for sid, rev := range f.revisions(t) {
		assert.LessOrEqual(t, rev, most[sid]+1, "nobody fights about %s", sid)
	}
	requireClean(t, f.sync(t.Context(), twilioacct.SyncAllOptions{}))
	f.requireEqual(t)
	assertSame(t, others, f.others(t))
}

// rotator gives accounts of its own new tokens, again and again, and now and then syncs one by itself.
type rotator struct {
	*fleet

	accounts []twiliotest.Account
	rotated  map[string]int64 // how often
	synced   map[string]bool  // since it was rotated last
}

func (r *rotator) rotate(t *testing.T, isDone *atomic.Bool) {
	for i := 0; !isDone.Load(); i++ {
		sid := r.accounts[rand.IntN(len(r.accounts))].SID
		r.fake.RotateToken(sid)
		r.rotated[sid]++
		r.synced[sid] = i%3 == 0
		if r.synced[sid] {
			_, err := r.provider.Sync(t.Context(), sid)
			assert.NoError(t, err)
		}
	}
}

func TestAProcessKilledTenTimesLosesNothing(t *testing.T) {
	t.Parallel()
	const n, pageSize, kills = 200, 20, 10
	f := newFleet(t, n, terms{})
	f.populate(t)
	others, first := f.others(t), f.revisions(t)
	f.fake.Inject(twiliotest.Fault{Operation: "ListAccount", Delay: 20 * time.Millisecond, Times: twiliotest.Always})
	j := f.job()
	j.PageSize = pageSize
	var told []word
	for range kills {
		for _, a := range f.fake.Subaccounts() {
			f.fake.RotateToken(a.SID)
		}
		told = append(told, killed(t, start(t, j), 1+rand.IntN(n))...)
		assertSame(t, others, f.others(t))
	}
	whole := 0
	for _, w := range told {
		if w.Kind == finished {
			whole++
		}
	}
	assert.Less(t, whole, kills/2, "most of them were not done yet")
	rest, err := start(t, j).end()
	require.NoError(t, err)
	f.requireEqual(t)
	assertSame(t, others, f.others(t))
	f.requireTold(t, first, append(told, rest...))
	r := f.sync(t.Context(), twilioacct.SyncAllOptions{})
	requireClean(t, r)
	assert.Zero(t, r.Changed)
}

// requireTold finds each write since then among the changes that were told.
func (f *fleet) requireTold(t *testing.T, since map[string]int64, words []word) {
	t.Helper()
	told := map[string]bool{}
	for _, w := range words {
		told[w.ID] = true
	}
	for sid, rev := range f.revisions(t) {
		for before := since[sid]; before < rev; before++ {
			require.True(t, told[fmt.Sprintf("%s:%d:%s", sid, before, f.statusOf(t, sid))], "written and not told: %s at %d", sid, before)
		}
	}
}

// killed hears so many words of a worker, kills it, and returns all that it has said.
func killed(t *testing.T, w *worker, after int) (words []word) {
	t.Helper()
	for range after {
		heard, more := w.hear()
		if !more {
			break
		}
		words = append(words, heard)
	}
	require.NoError(t, w.cmd.Process.Kill())
	rest, _ := w.end() // that it was killed is no news
	return append(words, rest...)
}
