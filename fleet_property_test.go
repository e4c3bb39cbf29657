package twilioacct_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// go test -run TestWhateverHappens -args -fleet=SEED tries one fleet again, as far as the order of goroutines lets it be the same.
var oneFleet = flag.Uint64("fleet", 0, "the seed of the only random fleet that is to be synced")

// Random fleets and documents, and Twilio, the Store and somebody else doing what they can against the run: in the end each document
// is as Twilio has its account, or the account was told of as failed or gone, or the run has ended with an error.
func TestWhateverHappensEachDocumentIsSyncedOrTold(t *testing.T) {
	t.Parallel()
	const fleets, shards = 240, 8
	base := rand.Uint64()
	for shard := range uint64(shards) {
		t.Run(fmt.Sprintf("from %d", base+shard), func(t *testing.T) {
			t.Parallel()
			for i := shard; i < fleets; i += shards {
				seed := base + i
				if *oneFleet != 0 {
					seed = *oneFleet
				}
				synctest.Test(t, func(t *testing.T) { newWorld(t, seed).run() })
				if t.Failed() {
					t.Fatalf("the seed was %d", seed)
				}
			}
		})
	}
}

// world is a random fleet, and how it is to be synced.
type world struct {
	*fleet
	t      *testing.T
	random *rand.Rand
	mu     sync.Mutex // of random, where goroutines share it

	unlisted map[string]bool // ids of the documents whose accounts Twilio does not list
	hopeless map[string]bool // ids of those that no run can sync
	newest   map[string]twilioacct.Secret

	options  twilioacct.SyncAllOptions
	kind     string
	isHidden bool
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), fleet: newFleet(t, 0),
		unlisted: map[string]bool{}, hopeless: map[string]bool{}, newest: map[string]twilioacct.Secret{},
	}
	w.sids = w.fake.AddSubaccounts(w.random.IntN(40))
	w.store.makes = w.oneIn(5)
	for _, sid := range w.sids {
		w.someDocuments(sid)
		if w.oneIn(3) {
			w.fake.SetStatus(sid, w.someStatus())
		}
	}
	w.someStrangers()
	w.someOptions()
	return w
}

func (w *world) oneIn(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n) == 0
}

func (w *world) upTo(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n + 1)
}

func (w *world) someStatus() string {
	return []string{"active", "suspended", "closed", "frozen"}[w.upTo(3)]
}

// someDocuments holds the account in no document, in one, or in some.
func (w *world) someDocuments(sid string) {
	for range []int{0, 1, 1, 1, 1, 1, 1, 2, 3}[w.upTo(8)] {
		r := w.asTwilioHas(sid)
		r.Tenant = "tenant of " + sid
		switch w.upTo(9) {
		case 0, 1:
			r.AuthToken = twilioacct.NewSecret("stale" + sid)
		case 2:
			r.Status = twilioacct.Status(w.someStatus())
		case 3:
			r.AuthToken, r.Status = twilioacct.Secret{}, ""
		case 4:
			r.Rev = int64(w.upTo(9))
		case 5:
			r.Rev, r.Status = 1<<40, "odd"
		}
		id := w.store.add(r)
		if w.oneIn(25) {
			w.store.breakDocument(id, errAway)
		}
	}
	for _, d := range w.store.holding(sid) {
		if d.broken != nil {
			w.hopeless[d.id] = true
		}
	}
}

// someStrangers are documents of accounts that Twilio does not list.
func (w *world) someStrangers() {
	stranger := func(sid, status string) {
		id := w.store.add(twilioacct.Record{SID: sid, Status: twilioacct.Status(status)})
		w.unlisted[id], w.hopeless[id] = true, true
	}
	for i := range w.upTo(3) {
		stranger(fmt.Sprintf("AC%032x", i), w.someStatus())
	}
	for range w.upTo(2) {
		stranger(w.fake.AddForeignAccount([]int{20404, 20403, 20003}[w.upTo(2)]).SID, "active")
	}
	if w.oneIn(4) {
		stranger("acme", "active")
	}
	if w.oneIn(4) {
		twice := fmt.Sprintf("AC%032x", 99)
		stranger(twice, "closed")
		stranger(twice, "active")
	}
	if len(w.sids) > 3 && w.oneIn(3) {
		w.fake.DeleteAccount(w.sids[0])
		for _, id := range w.store.idsOf(w.sids[0]) {
			w.unlisted[id], w.hopeless[id] = true, true
		}
		w.sids = w.sids[1:]
	}
	if w.oneIn(4) {
		w.store.add(twilioacct.Record{SID: w.fake.Parent().SID})
	}
}

func (w *world) someOptions() {
	w.options = twilioacct.SyncAllOptions{
		DryRun: w.oneIn(10), MarkGone: w.oneIn(3), PageSize: []int{0, 1, 3, 7, 60}[w.upTo(4)], Concurrent: w.upTo(5),
	}
	if w.oneIn(3) {
		w.options.Adopt = func(_ context.Context, a twilioacct.Account) (bool, error) {
			switch w.upTo(2) {
			case 0:
				return false, errAway
			case 1:
				w.store.add(twilioacct.Record{SID: a.SID, AuthToken: a.AuthToken, Status: a.Status})
				return true, nil
			}
			return false, nil
		}
	}
	kinds := []string{"a store that can do all", "a store that can do all", "a store that takes no bulks", "a store that cannot scan"}
	w.kind = kinds[w.upTo(len(kinds)-1)]
	w.isHidden = w.oneIn(8)
}

func (w *world) run() {
	s := stores()[w.kind](w.store)
	if w.oneIn(2) {
		s = stores()[w.kind](&troubled{fullStore: w.store, world: w, oneIn: 5 + w.upTo(60)})
	}
	for range w.upTo(3) {
		faults := allFaults()
		strike := faults[w.upTo(len(faults)-1)].Fault
		strike.On, strike.Times = 1+w.upTo(30), 1+w.upTo(2)
		strike.Operation = []string{"", "ListAccount", "FetchAccount"}[w.upTo(2)]
		if w.oneIn(6) {
			strike.Times = twiliotest.Always
		}
		w.fake.Inject(strike)
	}
	p := w.providerWith(w.t, s)
	if w.isHidden {
		p = providerWithKey(w.t, w.fake, twiliotest.MainKey, s)
	}
	before := w.store.contents()
	report, told, err := w.sync(w.t.Context(), p, &w.options)
	assert.Equal(w.t, w.fake.Count(""), report.Requests)
	w.checkEvents(report, told, err)
	w.checkDocuments(before, report, told, err)
	w.fake.ClearFaults()
	w.runAgain(report, told, err)
	if w.t.Failed() {
		w.t.Logf("%s, makes: %t, tokens hidden: %t, dry: %t\n%+v\n%v", w.kind, w.store.makes, w.isHidden, w.options.DryRun, report, err)
		w.t.Log(strings.Join(told.timeless(), "\n"))
	}
}

func (w *world) checkEvents(report twilioacct.SyncReport, told events, err error) {
	assert.Len(w.t, told.of(twilioacct.EventFailed), report.Failed)
	assert.Len(w.t, told.of(twilioacct.EventGone), report.Gone)
	assert.Len(w.t, told.of(twilioacct.EventUnknown), report.Unknown)
	assert.LessOrEqual(w.t, len(told.of(twilioacct.EventParent)), 1)
	assert.GreaterOrEqual(w.t, report.Missing, report.Gone)
	assert.LessOrEqual(w.t, report.Missing, report.Gone+report.Failed)
	assert.LessOrEqual(w.t, report.Made, report.Changed)
	for _, e := range told {
		assert.NotZero(w.t, e.At)
		assert.Equal(w.t, e.Kind == twilioacct.EventChanged, e.ID != "")
		assert.Equal(w.t, e.Kind == twilioacct.EventFailed || e.Kind == twilioacct.EventParent, e.Err != nil)
	}
	if err != nil {
		return
	}
	accounts := 0 // failures that are about no document
	for _, e := range told.of(twilioacct.EventFailed) {
		if e.DocumentID == "" {
			accounts++
		}
	}
	assert.Equal(w.t, report.Documents, report.Synced()+report.Failed+report.Gone-accounts, "%+v", report)
}

// isTold is true for an account of which the run has told that it, or a document of it, failed or is gone.
func isTold(told events, sid string) bool {
	return slices.ContainsFunc(told, func(e twilioacct.SyncEvent) bool {
		return e.SID == sid && (e.Kind == twilioacct.EventFailed || e.Kind == twilioacct.EventGone)
	})
}

func (w *world) checkDocuments(before map[string]twilioacct.Record, report twilioacct.SyncReport, told events, err error) {
	for id, kept := range w.store.contents() {
		assert.Equal(w.t, before[id].Tenant, kept.Tenant)
		want := w.asTwilioHas(kept.SID)
		token, isRotated := w.newest[kept.SID]
		switch isSynced := kept.Status == want.Status && (w.isHidden || kept.AuthToken.Equal(want.AuthToken)); {
		case isRotated && !w.hopeless[id] && !kept.AuthToken.Equal(token):
			assert.Fail(w.t, "an older token undid a newer one", "document %s of %s: %s", id, kept.SID, described(kept))
		case w.options.DryRun:
			assert.True(w.t, isRotated || kept.Rev == before[id].Rev, "a dry run wrote document %s", id)
		case isSynced, err != nil, report.OneByOne && (w.unlisted[id] || w.hopeless[id]): // without a scan, nobody looks at those
		case !isTold(told, kept.SID):
			assert.Fail(w.t, "neither synced nor told", "document %s of %s is %s, Twilio's is %s", id, kept.SID, described(kept), described(want))
		}
	}
}

// runAgain syncs the fleet once more, without any trouble: only what had failed is changed.
func (w *world) runAgain(first twilioacct.SyncReport, told events, firstErr error) {
	w.store.willWrite = nil
	report, again, err := w.sync(w.t.Context(), w.provider(w.t), nil)
	require.NoError(w.t, err)
	assert.True(w.t, report.Complete)
	w.checkEvents(report, again, err)
	for id, kept := range w.store.contents() {
		want := w.asTwilioHas(kept.SID)
		isSynced := kept.Status == want.Status && kept.AuthToken.Equal(want.AuthToken)
		isExcused := w.hopeless[id] && isTold(again, kept.SID)
		if !isSynced && !isExcused {
			assert.Fail(w.t, "not as Twilio has it", "document %s of %s is %s, Twilio's is %s", id, kept.SID, described(kept), described(want))
		}
	}
	if firstErr != nil || w.options.DryRun || w.isHidden {
		return
	}
	for _, e := range again.of(twilioacct.EventChanged) {
		isFirstSeen := e.DocumentID == "" && !first.Complete
		assert.True(w.t, isFirstSeen || isTold(told, e.SID), "%s was synced before", e.SID)
	}
}

// troubled is a Store that fails now and then, before or after it has done what it was asked for, wholly or in part, takes its time,
// and is written to by somebody else.
type troubled struct {
	fullStore
	world *world
	oneIn int
}

func (s *troubled) before(ctx context.Context) error {
	w := s.world
	isAway, isSlow, isRotated := w.oneIn(s.oneIn), w.oneIn(s.oneIn), w.oneIn(s.oneIn)
	switch {
	case isAway:
		return errAway
	case isSlow:
		select {
		case <-time.After(time.Duration(w.upTo(40)) * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	case isRotated && len(w.sids) > 0:
		w.somebodyRotates(w.sids[w.upTo(len(w.sids)-1)])
	}
	return nil
}

// somebodyRotates is what another process does meanwhile, if there is a document that can be written.
func (w *world) somebodyRotates(sid string) {
	r, err := w.store.Load(context.Background(), sid)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r.AuthToken = twilioacct.NewSecret(w.fake.RotateToken(sid))
	r.Status = ""
	for {
		if _, err = w.store.Save(context.Background(), r); err == nil {
			w.newest[sid] = r.AuthToken
			return
		}
		kept, err := w.store.Load(context.Background(), sid)
		require.NoError(w.t, err)
		r.Rev = kept.Rev
	}
}

func (s *troubled) after() error {
	if s.world.oneIn(s.oneIn) {
		return errAway
	}
	return nil
}

func (s *troubled) Load(ctx context.Context, sid string) (twilioacct.Record, error) {
	if err := s.before(ctx); err != nil {
		return twilioacct.Record{}, err
	}
	return s.fullStore.Load(ctx, sid)
}

func (s *troubled) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if err := s.before(ctx); err != nil {
		return twilioacct.Record{}, err
	}
	if s.world.oneIn(s.oneIn) {
		return twilioacct.Record{}, twilioacct.ErrStale
	}
	saved, err := s.fullStore.Save(ctx, r)
	if err == nil {
		err = s.after()
	}
	return saved, err
}

func (s *troubled) SaveBatch(ctx context.Context, records []twilioacct.Record) (failures []twilioacct.SaveFailure, err error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	if s.world.oneIn(s.oneIn) {
		_, _ = s.fullStore.SaveBatch(ctx, records[:s.world.upTo(len(records))])
		return nil, errAway
	}
	records = slices.DeleteFunc(slices.Clone(records), func(r twilioacct.Record) bool {
		reasons := []error{errAway, twilioacct.ErrStale, twilioacct.ErrNoRecord}
		isRefused := s.world.oneIn(s.oneIn)
		if isRefused {
			failures = append(failures, twilioacct.SaveFailure{SID: r.SID, Err: reasons[s.world.upTo(2)]})
		}
		return isRefused
	})
	others, err := s.fullStore.SaveBatch(ctx, records)
	if err == nil {
		err = s.after()
	}
	return append(failures, others...), err
}
