package mongostore

import (
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// lengthSize is that of the number that a document begins with.
const lengthSize = 4

// rawUpdate is update, encoded by hand: with the driver's encoder, which goes by reflection, a bulk write takes half as much time again.
func (p paths) rawUpdate(set assignments, rev int64) bson.Raw {
	b := make([]byte, lengthSize, 256)
	b = appendKey(b, bson.TypeEmbeddedDocument, "$set")
	inside := len(b)
	b = append(b, make([]byte, lengthSize)...)
	for _, one := range set {
		b = appendText(b, one.at.dotted, one.value)
	}
	b = appendInt64(b, p.rev.dotted, rev)
	b = closeDocument(b, inside)
	return closeDocument(b, 0)
}

// rawGuard finds the document of a SID if its revision is still that one; see blindUpdate.
func (p paths) rawGuard(sid string, rev int64) bson.Raw {
	b := make([]byte, lengthSize, 192)
	b = appendText(b, p.sid.dotted, sid)
	b = appendKey(b, bson.TypeNull, p.sid.dotted+".0")
	if rev == 0 {
		b = appendKey(b, bson.TypeNull, p.rev.dotted)
	} else {
		b = appendInt64(b, p.rev.dotted, rev)
	}
	return closeDocument(b, 0)
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

// closeDocument ends the document that begins there.
func closeDocument(b []byte, start int) []byte {
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start)) //nolint:gosec // MongoDB takes no document of 4 GB
	return b
}
