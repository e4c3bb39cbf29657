package fleet_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestWhateverHappensADocumentIsAsTwilioHasItOrHasFailed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := chance{rand.New(rand.NewPCG(seed, 0))}
			f := newFleet(t, 5+c.IntN(40), terms{isEmbedded: true, index: []index{isPlain, isNone}[c.IntN(2)], isSingly: c.is(), patience: time.Second})
			c.populate(t, f)
			others := f.others(t)
			for range c.IntN(5) {
				f.server.Inject(c.fault())
			}
			r := f.sync(t.Context(), twilioacct.SyncAllOptions{PageSize: 1 + c.IntN(30), MarkGone: c.is()})
			f.server.ClearFaults()
			require.NoError(t, r.err)
			require.True(t, r.Complete)
			require.Equal(t, r.Documents, r.Changed+r.Unchanged+r.Failed+r.Gone)
			f.requireAccounted(t, r)
			assertSame(t, others, f.others(t))
			f.requireAccounted(t, f.sync(t.Context(), twilioacct.SyncAllOptions{}))
		})
	}
}

// chance decides what a test is like.
type chance struct{ *rand.Rand }

func (c chance) is() bool { return c.IntN(2) == 0 }

// populate gives accounts none, one or several documents of all kinds, and deletes some of the accounts.
func (c chance) populate(t *testing.T, f *fleet) {
	t.Helper()
	kinds := slices.Concat(states, states, states)
	for _, odd := range []map[string]accountValue{unreadable, strange} {
		for _, name := range slices.Sorted(maps.Keys(odd)) {
			kinds = append(kinds, func(a twiliotest.Account) bson.D { return bson.D{field("twilio_account", odd[name](a))} })
		}
	}
	for _, a := range f.fake.Subaccounts() {
		f.fake.SetStatus(a.SID, []string{"active", "active", "suspended", "closed"}[c.IntN(4)])
		a, _ = f.fake.Account(a.SID)
		for range []int{0, 1, 1, 1, 1, 1, 2, 3}[c.IntN(8)] {
			f.insert(t, kinds[c.IntN(len(kinds))](a))
		}
		if c.IntN(10) == 0 {
			f.fake.DeleteAccount(a.SID)
		}
	}
}

// fault hits a write or a look, never the scan, which comes first.
func (c chance) fault() mongotest.Fault {
	fault := mongotest.Fault{Command: "update", Nth: 1 + c.IntN(6), Times: 1 + c.IntN(3)}
	if c.IntN(3) == 0 {
		fault.Command = "find"
		fault.Nth++
	}
	code := []int32{13, 64, 91, 121, 189, 10107, 11000, 11600}[c.IntN(8)]
	switch c.IntN(6) {
	case 0:
		fault.CloseBefore = true
	case 1:
		fault.CloseAfter = true
	case 2:
		fault.Code = code
	case 3:
		fault.Code, fault.AfterExecution = code, true
	case 4:
		fault.Code, fault.Ops = code, []int{0, c.IntN(9)}
	default:
		fault.Code, fault.WriteConcern = 64, true
	}
	return fault
}
