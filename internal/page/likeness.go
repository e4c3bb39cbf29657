package page

import "bytes"

// likeness is a value that was read and found valid, and where in it its account's SID stands. The subresource_uris of an account
// differ from another's by the SID alone, and they are three quarters of a page: to compare them takes a fifth of the time that it
// takes to read them.
type likeness struct {
	value []byte
	sids  []int
}

// skipLike skips a value that is like the one before it, and any other as well.
func (r *reader) skipLike(known *likeness, sid []byte) {
	r.peek()
	if known.of(r.b[r.i:], sid) {
		r.i += len(known.value)
		return
	}
	begin := r.i
	r.skip(deepest)
	if !r.lost {
		known.learn(r.b[begin:r.i], sid)
	}
}

// of is true if b begins with the value as it would be for the SID.
func (l *likeness) of(b, sid []byte) bool {
	if len(l.value) == 0 || len(b) < len(l.value) || len(sid) != lengthOfSID || unusual(sid, 0) < len(sid) {
		return false
	}
	for _, at := range l.sids {
		copy(l.value[at:], sid)
	}
	return bytes.Equal(b[:len(l.value)], l.value)
}

// learn remembers the value, unless a SID might not stand for any other there: without escapes it stands in strings alone, as no
// number and no literal looks like one, and in a string whatever is plain is as good.
func (l *likeness) learn(value, sid []byte) {
	l.value, l.sids = l.value[:0], l.sids[:0]
	if !isSID(sid) || bytes.IndexByte(value, '\\') >= 0 {
		return
	}
	l.value = append(l.value, value...)
	for from := 0; ; {
		at := bytes.Index(value[from:], sid)
		if at < 0 {
			return
		}
		l.sids = append(l.sids, from+at)
		from += at + len(sid)
	}
}

const lengthOfSID = 34

func isSID(s []byte) bool {
	if len(s) != lengthOfSID || s[0] != 'A' || s[1] != 'C' {
		return false
	}
	for _, c := range s[2:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
