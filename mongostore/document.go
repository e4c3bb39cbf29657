package mongostore

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// document is one document of the application's, as far as it concerns us.
type document struct {
	id     bson.RawValue
	rev    bson.RawValue // as it is stored, for the guard of a write; zero where there is none
	record twilioacct.Record
}

// DocumentError is a document that cannot be read or written, because a field of ours is something else in it. Nothing was
// written to it. Mend the document, or set [Options.Paths] to other fields.
type DocumentError struct {
	ID      string // the document's _id, as text
	Path    string // of the field
	Problem string
}

// Error names the document and the field, and never shows a value.
func (e *DocumentError) Error() string {
	return fmt.Sprintf("mongostore: document %s: %s %s: mend the document, or choose other paths", e.ID, e.Path, e.Problem)
}

// read reads all that we keep in a document of an account. Beside an error it returns what could be read.
func (p paths) read(raw bson.Raw) (document, error) { return p.readWith((*reader).sid, raw) }

// readable returns the documents that can be read, and what is wrong with the first that cannot.
func (p paths) readable(raws []bson.Raw) (found []document, odd error) {
	for _, raw := range raws {
		d, err := p.read(raw)
		if err != nil {
			odd = cmp.Or(odd, err)
			continue
		}
		found = append(found, d)
	}
	return found, odd
}

// readFree reads a document that may hold no account yet.
func (p paths) readFree(raw bson.Raw) (document, error) { return p.readWith((*reader).sidIfAny, raw) }

func (p paths) readWith(sid func(*reader, *path) string, raw bson.Raw) (document, error) {
	r := readerOf(raw)
	d := document{id: r.id}
	d.record.SID = sid(&r, p.sid)
	d.record.Status = twilioacct.Status(r.text(p.status))
	d.record.AuthToken = twilioacct.NewSecret(r.text(p.token))
	d.record.Rev, d.rev = r.revision(p.rev)
	d.record.Tenant = r.text(p.tenant)
	d.record.APIKeys = r.apiKeys(p.keys)
	return d, r.problem
}

// entry reads what a scan shows, and makes no Secret. Beside an error it returns what could be read.
func (p paths) entry(raw bson.Raw, seed maphash.Seed) (twilioacct.Entry, error) {
	r := readerOf(raw)
	e := twilioacct.Entry{ID: idText(r.id)}
	e.SID = r.sid(p.sid)
	e.Status = twilioacct.Status(r.text(p.status))
	e.Fingerprint = twilioacct.Fingerprint(seed, string(r.bytes(p.token)))
	e.Rev, _ = r.revision(p.rev)
	return e, r.problem
}

// reader reads our fields in one document. What cannot be read counts as not there, and the first such problem is kept.
type reader struct {
	raw     bson.Raw
	id      bson.RawValue
	problem error

	// Most fields lie beside each other, so the way to the last one is remembered.
	above  string
	inside bson.Raw
}

func readerOf(raw bson.Raw) reader {
	return reader{raw: raw, id: raw.Lookup("_id"), inside: raw}
}

// held are the SIDs by which a document is found that cannot be read: one, or those in a list.
func (p paths) held(raw bson.Raw) (sids []string) {
	r := readerOf(raw)
	v := r.value(p.sid)
	if list, isList := v.ArrayOK(); isList {
		values, _ := list.Values()
		for _, one := range values {
			if sid, isText := one.StringValueOK(); isText {
				sids = append(sids, sid)
			}
		}
		return sids
	}
	if sid, isText := v.StringValueOK(); isText {
		sids = append(sids, sid)
	}
	return sids
}

// odd notes that a field is not what it should be.
func (r *reader) odd(at *path, problem string) {
	if r.problem == nil {
		r.problem = &DocumentError{ID: idText(r.id), Path: at.dotted, Problem: problem}
	}
}

// value is what is at a path; none is the zero RawValue.
func (r *reader) value(at *path) bson.RawValue {
	if at.above != r.above {
		r.above, r.inside = at.above, r.parent(at)
	}
	return lookup(r.inside, at.leaf())
}

// parent is the document that a field is in; nil is none. Anything else on the way than a document is odd, an array above all:
// there the server would find the field in each element, and could not write it.
func (r *reader) parent(at *path) bson.Raw {
	inside := r.raw
	for _, part := range at.parts[:len(at.parts)-1] {
		v := lookup(inside, part)
		if v.IsZero() {
			return nil
		}
		next, ok := v.DocumentOK()
		if !ok {
			r.odd(at, fmt.Sprintf("cannot be there: its part %q is %s, not a document", part, v.Type))
			return nil
		}
		inside = next
	}
	return inside
}

// lookup takes null for a field that is not there: libraries write it where none is set.
func lookup(inside bson.Raw, key string) bson.RawValue {
	v, err := inside.LookupErr(key)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return bson.RawValue{}
	}
	return v
}

func (r *reader) text(at *path) string { return string(r.bytes(at)) }

// bytes are those of a text, and not a copy of them.
func (r *reader) bytes(at *path) []byte {
	v := r.value(at)
	if v.IsZero() {
		return nil
	}
	const lengthBefore, zeroAfter = 4, 1
	end := len(v.Value) - zeroAfter
	if v.Type != bson.TypeString || end < lengthBefore {
		r.odd(at, fmt.Sprintf("is %s, not a string", v.Type))
		return nil
	}
	return v.Value[lengthBefore:end]
}

func (r *reader) sid(at *path) string {
	sid := r.text(at)
	if !isSID(sid) {
		r.odd(at, "is not the SID of an account: AC and 32 hex digits")
	}
	return sid
}

func isSID(text string) bool { return (twilioacct.Record{SID: text}).Check() == nil }

func (r *reader) sidIfAny(at *path) string {
	if r.text(at) == "" {
		return ""
	}
	return r.sid(at)
}

// revision reads a revision, which may have been written as any number: the shell writes doubles.
func (r *reader) revision(at *path) (rev int64, stored bson.RawValue) {
	v := r.value(at)
	if v.IsZero() {
		return 0, v
	}
	rev, ok := v.AsInt64OK()
	if f, isDouble := v.DoubleOK(); isDouble && f != math.Trunc(f) || !ok || rev < 0 || rev >= math.MaxInt64-1 {
		r.odd(at, "is not a revision: it must be a whole number from 0 on")
		return 0, bson.RawValue{}
	}
	return rev, v
}

func (r *reader) apiKeys(at *path) map[string]twilioacct.APIKey {
	v := r.value(at)
	if v.IsZero() {
		return nil
	}
	inside, ok := v.DocumentOK()
	if !ok {
		r.odd(at, fmt.Sprintf("is %s, not a document", v.Type))
		return nil
	}
	elements, err := inside.Elements()
	if err != nil {
		r.odd(at, "is malformed")
	}
	keys := map[string]twilioacct.APIKey{}
	for _, e := range elements {
		if e.Value().Type != bson.TypeNull {
			keys[e.Key()] = r.apiKey(at.below(e.Key()))
		}
	}
	return keys
}

func (r *reader) apiKey(at *path) twilioacct.APIKey {
	key := twilioacct.APIKey{SID: r.text(at.below("sid")), Secret: twilioacct.NewSecret(r.text(at.below("secret")))}
	one := twilioacct.Record{SID: anySID, APIKeys: map[string]twilioacct.APIKey{at.leaf(): key}}
	if one.Check() != nil {
		r.odd(at, "is no API key: a purpose is 1 to 32 of a-z, 0-9, _ and -, and it has a sid and a secret")
	}
	return key
}

// anySID lets the rest of a record be checked.
const anySID = "AC00000000000000000000000000000000"

// compare puts the document first that the record is read from: the one of the highest revision, then the lowest id.
func (d document) compare(other document) int {
	return cmp.Or(cmp.Compare(other.record.Rev, d.record.Rev), cmp.Compare(idText(d.id), idText(other.id)))
}

// idText is a document's _id as text: an ObjectID's digits, a string as it is, anything else as extended JSON.
func idText(id bson.RawValue) string {
	if oid, ok := id.ObjectIDOK(); ok {
		return oid.Hex()
	}
	if s, ok := id.StringValueOK(); ok {
		return s
	}
	return id.String()
}
