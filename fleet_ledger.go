package twilioacct

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/twilioacct/twilioacct/internal/page"
)

// ledger is what a run over the fleet remembers of the Store's documents: less than 64 bytes for each, unless their ids are texts of
// more than 14 bytes that are neither ObjectIDs nor UUIDs nor the SID.
// Its lines lie in blocks that are never moved, and are found by their SID through chains that begin in heads.
type ledger struct {
	seed     maphash.Seed
	heads    []uint32 // the number of a chain's first line, counted from 1, by the hash of the SID
	blocks   [][]line
	size     int
	statuses []Status // the few that there are, by the number that a line has
	ids      idText
}

func newLedger(seed maphash.Seed) ledger { return ledger{seed: seed, statuses: []Status{""}} }

const blockSize = 256

// line is one document.
type line struct {
	sid         sid
	fingerprint uint64 // of the token
	rev         uint32
	id          uint32 // where its id is in ledger.ids
	next        uint32 // line of the chain, counted from 1
	status      uint8
	marks
}

// marks is what a run has found out about a document.
type marks uint8

const (
	isSeen    marks = 1 << iota // Twilio has listed the account
	isSettled                   // the document is counted
	isCopied                    // another document holds the SID, too
	isNew                       // there is no document, or there was none when they were read
	isStrange                   // its revision or its status is none that a line can keep, or it is blurred
	isBlurred                   // the last sight of it could not be read
)

func (m *marks) set(which marks)     { *m |= which }
func (m *marks) clear(which marks)   { *m &^= which }
func (m marks) has(which marks) bool { return m&which != 0 }

// sid is an account's SID in half of its length. Twilio writes the digits in small letters, so that no two texts are one sid.
type sid [16]byte

func newSID[T ~string | ~[]byte](text T) (s sid, ok bool) {
	if len(text) != 34 || text[0] != 'A' || text[1] != 'C' {
		return s, false
	}
	return s, fromHex(s[:], text[2:])
}

// fromHex reads two small digits for each byte of b, and is false for anything else.
func fromHex[T ~string | ~[]byte](b []byte, text T) bool {
	if len(text) != 2*len(b) {
		return false
	}
	for i := range b {
		high, low := hexValue[text[2*i]], hexValue[text[2*i+1]]
		if high|low > 0xf {
			return false
		}
		b[i] = high<<4 | low
	}
	return true
}

// hexValue has the value of each small hexadecimal digit, and 0xff for what is none.
var hexValue = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for value, digit := range []byte("0123456789abcdef") {
		values[digit] = byte(value)
	}
	return values
}()

func (s sid) String() string {
	text := append(make([]byte, 0, 34), "AC"...)
	return string(hex.AppendEncode(text, s[:]))
}

// add takes up a document and returns its line, and a line that had the same SID before, or nil. A scan may see a document twice that
// is written meanwhile: then isAgain, and the later sight counts. It takes up none whose SID is not one as Twilio writes them: nil.
func (l *ledger) add(e Entry) (added, before *line, isAgain bool) {
	s, ok := newSID(e.SID)
	if !ok {
		return nil, nil, false
	}
	for x := range l.all(s) {
		if l.id(x) == e.ID {
			l.note(x, e)
			return x, nil, true
		}
		before = cmp.Or(before, x) // the newest
	}
	if l.size%blockSize == 0 {
		l.blocks = append(l.blocks, make([]line, blockSize))
	}
	l.size++
	added = l.at(l.size)
	*added = line{sid: s, id: l.ids.add(e.ID, e.SID)}
	l.note(added, e)
	if l.size > longestChain*len(l.heads) {
		l.chainAll()
	} else {
		l.chain(l.size)
	}
	return added, before, false
}

// note writes down what is to be known of a document.
func (l *ledger) note(x *line, e Entry) {
	status, ok := l.statusNumber(e.Status)
	x.clear(isStrange | isBlurred)
	if !ok || e.Rev < 0 || e.Rev > math.MaxUint32 {
		x.set(isStrange)
	}
	x.status, x.rev, x.fingerprint = status, uint32(e.Rev), e.Fingerprint //nolint:gosec // a strange one is not gone by
}

// at returns the line of that number, counted from 1.
func (l *ledger) at(number int) *line {
	return &l.blocks[(number-1)/blockSize][(number-1)%blockSize]
}

// longestChain is how many lines a chain has on average at most: fewer would be found sooner, and cost memory.
const longestChain = 2

// chainAll doubles the chains.
func (l *ledger) chainAll() {
	l.heads = make([]uint32, max(blockSize, 2*len(l.heads)))
	for number := range l.size {
		l.chain(number + 1)
	}
}

func (l *ledger) chain(number int) {
	added := l.at(number)
	head := l.head(added.sid)
	added.next, *head = *head, uint32(number) //nolint:gosec // four billion accounts
}

// head is where the chain of that SID begins. The hash keeps SIDs that somebody has made up from meeting in one chain.
func (l *ledger) head(s sid) *uint32 {
	number := maphash.Bytes(l.seed, s[:]) % uint64(len(l.heads))
	return &l.heads[number]
}

// find returns the newest line of the SID, or nil.
func (l *ledger) find(s sid) *line {
	for x := range l.all(s) {
		return x
	}
	return nil
}

// findAll is find for a whole page, nil for what is no SID: the lines lie all over the memory, and the processor waits for several
// of them at once where nothing else is done in between.
func (l *ledger) findAll(accounts []page.Listed) []*line {
	sids, firsts, found := make([]sid, len(accounts)), make([]uint32, len(accounts)), make([]*line, len(accounts))
	for i := range accounts {
		if s, ok := newSID(accounts[i].SID); ok && l.size > 0 {
			sids[i], firsts[i] = s, *l.head(s)
		}
	}
	for i, number := range firsts {
		found[i] = l.follow(number, sids[i])
	}
	return found
}

// all yields the lines of the SID, the newest first.
func (l *ledger) all(s sid) iter.Seq[*line] {
	return func(yield func(*line) bool) {
		if l.size == 0 {
			return
		}
		for x := l.follow(*l.head(s), s); x != nil && yield(x); {
			x = l.follow(x.next, s)
		}
	}
}

// follow returns the next line of the SID in a chain, or nil.
func (l *ledger) follow(number uint32, s sid) *line {
	for number != 0 {
		x := l.at(int(number))
		if x.sid == s {
			return x
		}
		number = x.next
	}
	return nil
}

// lines yields all documents.
func (l *ledger) lines(yield func(*line) bool) {
	for number := range l.size {
		if !yield(l.at(number + 1)) {
			return
		}
	}
}

func (l *ledger) status(x *line) Status { return l.statuses[x.status] }

func (l *ledger) id(x *line) string { return l.ids.at(x.id, x.sid) }

// asStatus is a status of Twilio's, without a copy of each account's own.
func (l *ledger) asStatus(text []byte) Status {
	for _, s := range l.statuses {
		if string(s) == string(text) {
			return s
		}
	}
	return Status(text)
}

// statusNumber is false for one more status than anybody has.
func (l *ledger) statusNumber(s Status) (uint8, bool) {
	const most = 256
	i := slices.Index(l.statuses, s)
	if i < 0 {
		if len(l.statuses) == most || len(s) > 64 {
			return 0, false
		}
		i = len(l.statuses)
		l.statuses = append(l.statuses, Status(strings.Clone(string(s))))
	}
	return uint8(i), true //nolint:gosec // below most
}

// idText keeps the documents' ids: in 12 bytes where they are ObjectIDs, in 16 where they are UUIDs, in none where they are the SID
// itself. A byte before them says which.
type idText struct{ blocks [][]byte }

const (
	idBlockSize = 1 << 14
	longestID   = 1 << 10 // longer ones are cut off
)

const (
	formSID byte = iota
	formObjectID
	formUUID
	formText // after two bytes of length
)

// add returns where the id is kept.
func (t *idText) add(id, sid string) uint32 {
	var space [3 + longestID]byte
	kept := compact(space[:0], id, sid)
	last := len(t.blocks) - 1
	if last < 0 || len(t.blocks[last])+len(kept) > idBlockSize {
		t.blocks = append(t.blocks, make([]byte, 0, idBlockSize))
		last++
	}
	at := last*idBlockSize + len(t.blocks[last])
	t.blocks[last] = append(t.blocks[last], kept...)
	return uint32(at) //nolint:gosec // 4 GB of ids
}

func compact(b []byte, id, sid string) []byte {
	var objectID [12]byte
	var uuid [16]byte
	switch {
	case id == sid:
		return append(b, formSID)
	case fromHex(objectID[:], id):
		return append(append(b, formObjectID), objectID[:]...)
	case fromUUID(uuid[:], id):
		return append(append(b, formUUID), uuid[:]...)
	}
	id = id[:min(len(id), longestID)]
	b = binary.BigEndian.AppendUint16(append(b, formText), uint16(len(id))) //nolint:gosec // not above longestID
	return append(b, id...)
}

// fromUUID reads the usual form, 8-4-4-4-12 digits.
func fromUUID(b []byte, text string) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	return fromHex(b[:4], text[:8]) && fromHex(b[4:6], text[9:13]) && fromHex(b[6:8], text[14:18]) &&
		fromHex(b[8:10], text[19:23]) && fromHex(b[10:], text[24:])
}

func (t *idText) at(where uint32, s sid) string {
	b := t.blocks[where/idBlockSize][where%idBlockSize:]
	form, b := b[0], b[1:]
	switch form {
	case formSID:
		return s.String()
	case formObjectID:
		return hex.EncodeToString(b[:12])
	case formUUID:
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
	}
	return string(b[2 : 2+binary.BigEndian.Uint16(b)])
}
