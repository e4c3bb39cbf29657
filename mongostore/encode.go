package mongostore

import (
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// encoder writes documents by hand, one behind the other: with the driver's encoder, which goes by reflection, a bulk write takes half
// as much time again.
type encoder struct {
	paths
	sid0 string // the path of a SID's first element, if it is an array

	b []byte
}

func (p paths) encoder(records int) *encoder {
	const enough = 288 // for the guard and the update of a record with our own paths
	return &encoder{paths: p, sid0: p.sid.dotted + ".0", b: make([]byte, 0, enough*records)}
}

// update is the same as paths.update.
func (e *encoder) update(set assignments, rev int64) bson.Raw {
	start := e.open()
	e.b = appendKey(e.b, bson.TypeEmbeddedDocument, "$set")
	inside := e.open()
	for _, one := range set {
		e.b = appendText(e.b, one.at.dotted, one.value)
	}
	e.b = appendInt64(e.b, e.rev.dotted, rev)
	e.end(inside)
	return e.end(start)
}

// guard finds the document of a SID if its revision is still that one; see blindUpdate.
func (e *encoder) guard(sid string, rev int64) bson.Raw {
	start := e.open()
	e.b = appendText(e.b, e.sid.dotted, sid)
	e.b = append(appendKey(e.b, bson.TypeEmbeddedDocument, e.sid0), isMissing...)
	if rev == 0 {
		e.b = appendKey(e.b, bson.TypeNull, e.rev.dotted)
	} else {
		e.b = appendInt64(e.b, e.rev.dotted, rev)
	}
	return e.end(start)
}

// isMissing is {$exists: false}.
var isMissing = func() []byte {
	e := encoder{}
	start := e.open()
	e.b = append(appendKey(e.b, bson.TypeBoolean, "$exists"), 0)
	return e.end(start)
}()

// open leaves room for the length that a document begins with.
func (e *encoder) open() (start int) {
	start = len(e.b)
	e.b = append(e.b, 0, 0, 0, 0)
	return start
}

// end returns the document that begins there.
func (e *encoder) end(start int) bson.Raw {
	e.b = append(e.b, 0)
	binary.LittleEndian.PutUint32(e.b[start:], uint32(len(e.b)-start)) //nolint:gosec // MongoDB takes no document of 4 GB
	return bson.Raw(e.b[start:len(e.b):len(e.b)])
}

func appendKey(b []byte, t bson.Type, key string) []byte {
	b = append(b, byte(t))
	b = append(b, key...)
	return append(b, 0)
}

func appendText(b []byte, key, text string) []byte {
	b = appendKey(b, bson.TypeString, key)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)+1)) //nolint:gosec // MongoDB takes no text of 4 GB
	b = append(b, text...)
	return append(b, 0)
}

func appendInt64(b []byte, key string, n int64) []byte {
	b = appendKey(b, bson.TypeInt64, key)
	return binary.LittleEndian.AppendUint64(b, uint64(n)) //nolint:gosec // the same bits
}
