package page

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"unicode/utf8"
)

// reader reads JSON of the kind that Twilio writes, faster than encoding/json and without ever contradicting it: at whatever is unusual,
// right or wrong, it is lost, and encoding/json has to be asked.
//
// A container is read by
//
//	for more := r.open('{', '}'); more; more = r.another('}') {
//
// with a key and a value, or a value alone, in the loop; a reader that is lost leaves it.
type reader struct {
	b    []byte
	i    int
	lost bool
}

// peek returns the first byte of what comes next, 0 at the end.
func (r *reader) peek() byte {
	for ; r.i < len(r.b); r.i++ {
		if c := r.b[r.i]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.peek() != c {
		r.lost = true
		return false
	}
	r.i++
	return true
}

func (r *reader) open(begin, end byte) (more bool) {
	if !r.take(begin) {
		return false
	}
	if r.peek() == end {
		r.i++
		return false
	}
	return true
}

func (r *reader) another(end byte) (more bool) {
	if r.peek() == ',' {
		r.i++
		return !r.lost
	}
	r.take(end)
	return false
}

// done is true at the end of a page that was understood.
func (r *reader) done() bool { return !r.lost && r.peek() == 0 && r.i == len(r.b) }

func (r *reader) key() []byte {
	key, plain := r.quoted()
	if !r.take(':') || !plain {
		r.lost = true
	}
	return key
}

// text reads a string or null into a field that was not read before.
func (r *reader) text(into *[]byte) {
	if *into != nil {
		r.lost = true
	}
	if r.peek() != '"' {
		if string(r.scalar()) != "null" {
			r.lost = true
		}
		return
	}
	begin := r.i
	text, plain := r.quoted()
	if !plain || !utf8.Valid(text) {
		text = r.decoded(r.b[begin:r.i])
	}
	*into = text
}

// decoded is the text of a string with escapes or with bytes that are no UTF-8.
func (r *reader) decoded(quoted []byte) []byte {
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		r.lost = true
	}
	return []byte(text)
}

// other skips the value of a key that is none of ours. encoding/json does not mind capitals, nor some letters that are not ASCII,
// so a key with those may be one of ours.
func (r *reader) other(key []byte) {
	for _, c := range key {
		if c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf {
			r.lost = true
		}
	}
	r.skip(deepest)
}

// deepest is how deep a value may be nested that is skipped; encoding/json has a limit, too.
const deepest = 100

func (r *reader) skip(depth int) {
	switch c := r.peek(); {
	case c == '"':
		r.quoted()
	case c == '{' && depth > 0:
		for more := r.open('{', '}'); more; more = r.another('}') {
			r.quoted()
			r.take(':')
			r.skip(depth - 1)
		}
	case c == '[' && depth > 0:
		for more := r.open('[', ']'); more; more = r.another(']') {
			r.skip(depth - 1)
		}
	default:
		r.scalar()
	}
}

// scalar reads a number or a literal: these are rare, and encoding/json knows what they may look like.
func (r *reader) scalar() []byte {
	begin := r.i
	for r.i < len(r.b) && !ends(r.b[r.i]) {
		r.i++
	}
	scalar := r.b[begin:r.i]
	if !json.Valid(scalar) {
		r.lost = true
	}
	return scalar
}

func ends(c byte) bool { return c == ',' || c == '}' || c == ']' || c <= ' ' }

// quoted reads a string. plain is true if there is no escape in it, so that it means what stands there.
func (r *reader) quoted() (text []byte, plain bool) {
	if !r.take('"') {
		return nil, false
	}
	begin := r.i
	r.i = unusual(r.b, begin)
	if r.i < len(r.b) && r.b[r.i] == '"' {
		r.i++
		return r.b[begin : r.i-1], true
	}
	r.escaped(begin - 1)
	return nil, false
}

// escaped reads on in a string that is not plain.
func (r *reader) escaped(begin int) {
	for r.i < len(r.b) && r.b[r.i] == '\\' {
		r.i = unusual(r.b, r.i+2)
	}
	r.i = min(r.i+1, len(r.b))
	if !json.Valid(r.b[begin:r.i]) {
		r.lost = true
	}
}

// unusual returns the index of the first byte from i on that does not simply stand for itself in a string: a quote, a backslash
// or a control character. It looks at eight at a time.
func unusual(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		word := binary.LittleEndian.Uint64(b[i:])
		if found := (below(word, ' ') | below(word^all*'"', 1) | below(word^all*'\\', 1)) & (all * 0x80); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// all times a byte is that byte eight times.
const all = 0x0101010101010101

// below marks the bytes of a word that are smaller than c, by their highest bit. What it marks above the first one may be wrong: a
// subtraction borrows upwards.
func below(word, c uint64) uint64 { return (word - all*c) &^ word }
