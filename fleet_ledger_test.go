package twilioacct

import (
	"fmt"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ledgerSID = "AC0123456789abcdef0123456789abcdef"

func someSID(i int) string { return fmt.Sprintf("AC%032x", i) }

func TestALedgerGivesBackWhatItTookUp(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	want := Entry{ID: "the document's", SID: ledgerSID, Status: "suspended", Rev: 77, Fingerprint: math.MaxUint64}
	x, before, _ := l.add(want)
	require.NotNil(t, x)
	assert.Nil(t, before)
	assert.Equal(t, want, entryOf(&l, x))
	s, ok := newSID(want.SID)
	require.True(t, ok)
	assert.Same(t, x, l.find(s))
}

func entryOf(l *ledger, x *line) Entry {
	return Entry{ID: l.id(x), SID: x.sid.String(), Status: l.status(x), Rev: int64(x.rev), Fingerprint: x.fingerprint}
}

func TestAnEmptyLedgerFindsNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	s, _ := newSID(ledgerSID)
	assert.Nil(t, l.find(s))
	for range l.lines {
		assert.Fail(t, "there is a line")
	}
}

func TestIDsOfAllFormsComeBackExactly(t *testing.T) {
	t.Parallel()
	objectID, uuid := "65f0c0ffee65f0c0ffee65f0", "123e4567-e89b-12d3-a456-426614174000"
	ids := []string{
		"", "0", "7", "-1", "acme", ledgerSID, strings.ToUpper(ledgerSID), ledgerSID[2:], "AC" + strings.Repeat("f", 32),
		objectID, strings.ToUpper(objectID), objectID[:23], objectID + "0", "g" + objectID[1:], strings.Repeat("0", 24), strings.Repeat("f", 24),
		uuid, strings.ToUpper(uuid), uuid[:35], uuid + "0", strings.ReplaceAll(uuid, "-", ""), strings.Replace(uuid, "-", "0", 1),
		uuid[:35] + "g", strings.Repeat("-", 36), `{"$oid":"` + objectID + `"}`, "kündin@example.com", "\x00", "\xff\xfe", "a\x00b", "🦉",
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", longestID-1), strings.Repeat("x", longestID),
	}
	l := newLedger(maphash.MakeSeed())
	var lines []*line
	for i, id := range ids {
		x, _, _ := l.add(Entry{ID: id, SID: ledgerSID})
		lines = append(lines, x)
		_, _, _ = l.add(Entry{ID: id, SID: someSID(i)}) // the neighbours are no matter
	}
	for i, id := range ids {
		assert.Equal(t, id, l.id(lines[i]))
	}
	x, _, _ := l.add(Entry{ID: strings.Repeat("y", longestID+1), SID: ledgerSID})
	assert.Equal(t, strings.Repeat("y", longestID), l.id(x), "a longer one is cut off")
}

func TestIDsComeBackExactlyHoweverManyThereAre(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	l := newLedger(maphash.MakeSeed())
	var ids []string
	for i := range 30_000 {
		id := strings.Repeat("i", random.IntN(40))
		switch i % 4 {
		case 0:
			id = fmt.Sprintf("%024x", random.Uint64())
		case 1:
			id = someSID(i)
		case 2:
			n := random.Uint64()
			id = fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", n>>32, n>>48, n>>16&0xffff, n&0xffff, n>>16)
		}
		ids = append(ids, id)
		x, _, _ := l.add(Entry{ID: id, SID: someSID(i)})
		require.NotNil(t, x)
	}
	require.Greater(t, len(l.ids.blocks), 3)
	i := 0
	for x := range l.lines {
		require.Equal(t, ids[i], l.id(x))
		i++
	}
	assert.Equal(t, len(ids), i)
}

func TestSIDsThatDifferInOneDigitAreDifferent(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	sids := []string{ledgerSID}
	for at := 2; at < len(ledgerSID); at++ {
		for _, digit := range "0123456789abcdef" {
			if sid := ledgerSID[:at] + string(digit) + ledgerSID[at+1:]; sid != ledgerSID {
				sids = append(sids, sid)
			}
		}
	}
	for _, sid := range sids {
		x, before, _ := l.add(Entry{ID: "of " + sid, SID: sid})
		require.NotNil(t, x, sid)
		require.Nil(t, before, sid)
	}
	for _, sid := range sids {
		s, ok := newSID(sid)
		require.True(t, ok)
		assert.Equal(t, sid, s.String())
		assert.Equal(t, "of "+sid, l.id(l.find(s)))
		assert.Len(t, slices.Collect(l.all(s)), 1)
	}
}

func TestWhatIsNoSIDIsTooStrangeForALedger(t *testing.T) {
	t.Parallel()
	for _, sid := range []string{
		"", "AC", ledgerSID[:33], ledgerSID + "0", strings.ToUpper(ledgerSID), "ac" + ledgerSID[2:], "SK" + ledgerSID[2:], "AC" + strings.Repeat("g", 32),
		ledgerSID[:33] + "F", ledgerSID[:33] + "\x00", ledgerSID[:33] + "\xff", ledgerSID[:2] + "/" + ledgerSID[3:], ledgerSID[:2] + ":" + ledgerSID[3:],
		ledgerSID[:2] + "`" + ledgerSID[3:], strings.Repeat("é", 17),
	} {
		_, ok := newSID(sid)
		assert.False(t, ok, sid)
		_, ok = newSID([]byte(sid))
		assert.False(t, ok, sid)
		l := newLedger(maphash.MakeSeed())
		x, before, _ := l.add(Entry{SID: sid})
		assert.Nil(t, x, sid)
		assert.Nil(t, before, sid)
		assert.False(t, again(&l, Entry{SID: sid}), sid)
	}
}

func TestAllDocumentsOfASIDAreFoundTheNewestFirst(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	const sids, copies = 1500, 3 // the chains are made anew twice meanwhile
	for c := range copies {
		for i := range sids {
			x, before, _ := l.add(Entry{ID: fmt.Sprintf("%d of %d", c, i), SID: someSID(i)})
			require.NotNil(t, x)
			assert.Equal(t, c > 0, before != nil)
			if before != nil {
				assert.Equal(t, fmt.Sprintf("%d of %d", c-1, i), l.id(before))
			}
		}
	}
	assert.Equal(t, sids*copies, l.size)
	for i := range sids {
		s, _ := newSID(someSID(i))
		var ids []string
		for x := range l.all(s) {
			ids = append(ids, l.id(x))
		}
		require.Equal(t, []string{fmt.Sprintf("2 of %d", i), fmt.Sprintf("1 of %d", i), fmt.Sprintf("0 of %d", i)}, ids)
	}
	absent, _ := newSID(someSID(sids))
	assert.Nil(t, l.find(absent))
}

func TestALoopOverALedgerCanBeLeft(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	for i := range 5 {
		_, _, _ = l.add(Entry{ID: someSID(i), SID: ledgerSID})
	}
	seen := 0
	for range l.lines {
		if seen++; seen == 2 {
			break
		}
	}
	s, _ := newSID(ledgerSID)
	for range l.all(s) {
		if seen++; seen == 4 {
			break
		}
	}
	assert.Equal(t, 4, seen)
}

func TestALedgerKeepsAFewHundredStatusesAndFindsMoreStrange(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	kept := map[*line]Status{}
	for i := range 300 {
		status := Status(fmt.Sprintf("status %d", i))
		x, _, _ := l.add(Entry{SID: someSID(i), Status: status})
		if !x.has(isStrange) {
			kept[x] = status
		}
	}
	assert.Len(t, kept, 255, "and none at all")
	for x, status := range kept {
		assert.Equal(t, status, l.status(x))
	}
	for _, known := range []Status{"", "status 0", "status 254"} {
		x, _, _ := l.add(Entry{SID: ledgerSID, Status: known})
		assert.False(t, x.has(isStrange), known)
		assert.Equal(t, known, l.status(x))
	}
	x, _, _ := l.add(Entry{SID: ledgerSID, Status: "status 255"})
	assert.True(t, x.has(isStrange))
}

func TestALongStatusIsStrange(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	long := Status(strings.Repeat("s", 64))
	x, _, _ := l.add(Entry{SID: ledgerSID, Status: long})
	assert.False(t, x.has(isStrange))
	assert.Equal(t, long, l.status(x))
	x, _, _ = l.add(Entry{SID: ledgerSID, Status: long + "s"})
	assert.True(t, x.has(isStrange))
}

func TestRevisionsBeyond32BitsAreStrange(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	for _, rev := range []int64{0, 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32} {
		x, _, _ := l.add(Entry{ID: fmt.Sprint(rev), SID: ledgerSID, Rev: rev})
		assert.False(t, x.has(isStrange), rev)
		assert.Equal(t, rev, int64(x.rev))
	}
	for _, rev := range []int64{-1, math.MinInt64, math.MaxUint32 + 1, math.MaxUint32 + 2, math.MaxInt64} {
		x, _, _ := l.add(Entry{ID: fmt.Sprint(rev), SID: ledgerSID, Rev: rev})
		assert.True(t, x.has(isStrange), rev)
	}
	assert.Equal(t, 10, l.size)
}

func again(l *ledger, e Entry) bool {
	_, _, isAgain := l.add(e)
	return isAgain
}

func TestADocumentThatIsSeenAgainIsRenewed(t *testing.T) {
	t.Parallel()
	l := newLedger(maphash.MakeSeed())
	first, _, _ := l.add(Entry{ID: "a", SID: ledgerSID, Status: "active", Rev: 1, Fingerprint: 11})
	_, _, _ = l.add(Entry{ID: "b", SID: ledgerSID, Status: "active", Rev: 1, Fingerprint: 11})
	renewed := Entry{ID: "a", SID: ledgerSID, Status: "closed", Rev: 2, Fingerprint: 22}
	assert.True(t, again(&l, renewed))
	assert.Equal(t, renewed, entryOf(&l, first))
	assert.False(t, again(&l, Entry{ID: "c", SID: ledgerSID}))
	assert.False(t, again(&l, Entry{ID: "a", SID: someSID(1)}))
	assert.Equal(t, 4, l.size)

	assert.True(t, again(&l, Entry{ID: "a", SID: ledgerSID, Rev: math.MaxInt64}))
	assert.True(t, first.has(isStrange))
	assert.True(t, again(&l, renewed))
	assert.False(t, first.has(isStrange))
}

func TestMarksAreApart(t *testing.T) {
	t.Parallel()
	all := []marks{isSeen, isSettled, isCopied, isNew, isStrange, isBlurred}
	for i, mark := range all {
		var m marks
		m.set(mark)
		for j, other := range all {
			assert.Equal(t, i == j, m.has(other))
		}
		m.set(isSeen | isSettled)
		m.clear(mark)
		assert.False(t, m.has(mark))
	}
	assert.True(t, (isSeen | isNew).has(isSeen))
}

// The most is taken where the chains or the blocks have just grown.
func TestALedgerTakesLessThan64BytesOfADocumentAtAnySize(t *testing.T) {
	t.Parallel()
	for form, id := range map[string]func(n int) string{
		"ObjectIDs":         func(n int) string { return fmt.Sprintf("%024x", n) },
		"UUIDs":             func(n int) string { return fmt.Sprintf("123e4567-e89b-12d3-a456-%012x", n) },
		"SIDs":              someSID,
		"texts of 14 bytes": func(n int) string { return fmt.Sprintf("customer %05d", n) },
	} {
		l := newLedger(maphash.MakeSeed())
		worst := 0.0
		const enough = 20_000 // for a block of each kind to weigh nothing
		for n := range 150_000 {
			l.add(Entry{ID: id(n % 100_000), SID: someSID(n), Status: StatusActive})
			if n >= enough {
				worst = max(worst, float64(l.bytes())/float64(n+1))
			}
		}
		t.Logf("%s: at most %.1f bytes for each", form, worst)
		assert.Less(t, worst, 64.0, form)
	}
}

// bytes is what the ledger has taken of the heap.
func (l *ledger) bytes() int {
	return cap(l.heads)*4 + len(l.blocks)*blockSize*int(unsafe.Sizeof(line{})) + len(l.ids.blocks)*idBlockSize
}

func TestALineTakes40Bytes(t *testing.T) {
	t.Parallel()
	assert.EqualValues(t, 40, unsafe.Sizeof(line{}))
}

// FuzzIDsAndSIDs holds the short forms equal to the texts that they stand for.
func FuzzIDsAndSIDs(f *testing.F) {
	for _, id := range []string{"", "65f0c0ffee65f0c0ffee65f0", "123e4567-e89b-12d3-a456-426614174000", ledgerSID, strings.Repeat("é", 600)} {
		f.Add(id, ledgerSID)
		f.Add(ledgerSID, id)
	}
	f.Fuzz(func(t *testing.T, id, sid string) {
		l := newLedger(maphash.MakeSeed())
		x, _, _ := l.add(Entry{ID: id, SID: sid})
		if s, ok := newSID(sid); ok != (x != nil) || ok && s.String() != sid {
			t.Fatalf("%q: %v, %q", sid, ok, s)
		}
		if x != nil && l.id(x) != id[:min(len(id), longestID)] {
			t.Fatalf("%q became %q", id, l.id(x))
		}
	})
}
