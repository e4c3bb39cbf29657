package mongostore

import (
	"cmp"
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// document is one document of the application's, as far as it concerns us.
type document struct {
	raw    bson.Raw // our projection of it
	id     bson.RawValue
	rev    any // as it is stored, for the guard of a write; nil where there is none
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

// read reads all that we keep in a document.
func (p paths) read(raw bson.Raw) (document, error) {
	d, err := p.readSummary(raw)
	if err != nil {
		return d, err
	}
	if d.record.Tenant, err = d.text(p.tenant); err != nil {
		return d, err
	}
	if d.record.APIKeys, err = d.apiKeys(p.keys); err != nil {
		return d, err
	}
	return d, nil
}

// readSummary reads what a scan shows. Beside an error it returns what could be read.
func (p paths) readSummary(raw bson.Raw) (document, error) {
	d := document{raw: raw, id: raw.Lookup("_id")}
	var err error
	if d.record.SID, err = d.text(p.sid); err != nil {
		return d, err
	}
	if (twilioacct.Record{SID: d.record.SID}).Check() != nil {
		return d, d.odd(p.sid, "is not the SID of an account: AC and 32 hex digits")
	}
	status, err := d.text(p.status)
	if err != nil {
		return d, err
	}
	d.record.Status = twilioacct.Status(status)
	token, err := d.text(p.token)
	if err != nil {
		return d, err
	}
	d.record.AuthToken = twilioacct.NewSecret(token)
	d.record.Rev, d.rev, err = d.revision(p.rev)
	return d, err
}

func (d document) odd(at path, problem string) error {
	return &DocumentError{ID: idText(d.id), Path: at.dotted, Problem: problem}
}

// lookup finds the value at a path; none is the zero RawValue. Null is none, wherever it is on the way: libraries write it for a
// field that is not set. Anything else on the way than a document is an error, an array above all: there the server would
// find the field in each element, and could not write it.
func (d document) lookup(at path) (bson.RawValue, error) {
	inside := d.raw
	last := len(at.parts) - 1
	for i, part := range at.parts {
		v, err := inside.LookupErr(part)
		if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
			return bson.RawValue{}, nil //nolint:nilerr // the one error is that there is no such field
		}
		if i == last {
			return v, nil
		}
		next, ok := v.DocumentOK()
		if !ok {
			return bson.RawValue{}, d.odd(at, fmt.Sprintf("cannot be there: its part %q is %s, not a document", part, v.Type))
		}
		inside = next
	}
	return bson.RawValue{}, nil
}

func (d document) text(at path) (string, error) {
	v, err := d.lookup(at)
	if err != nil || v.IsZero() {
		return "", err
	}
	s, ok := v.StringValueOK()
	if !ok {
		return "", d.odd(at, fmt.Sprintf("is %s, not a string", v.Type))
	}
	return s, nil
}

// revision reads a revision, which may have been written as any number: the shell writes doubles.
func (d document) revision(at path) (rev int64, stored any, err error) {
	v, err := d.lookup(at)
	if err != nil || v.IsZero() {
		return 0, nil, err
	}
	rev, ok := v.AsInt64OK()
	if f, isDouble := v.DoubleOK(); isDouble && f != math.Trunc(f) || !ok || rev < 0 || rev >= math.MaxInt64-1 {
		return 0, nil, d.odd(at, "is not a revision: it must be a whole number from 0 on")
	}
	return rev, v, nil
}

func (d document) apiKeys(at path) (map[string]twilioacct.APIKey, error) {
	v, err := d.lookup(at)
	if err != nil || v.IsZero() {
		return nil, err
	}
	inside, ok := v.DocumentOK()
	if !ok {
		return nil, d.odd(at, fmt.Sprintf("is %s, not a document", v.Type))
	}
	elements, err := inside.Elements()
	if err != nil {
		return nil, d.odd(at, "is malformed")
	}
	keys := map[string]twilioacct.APIKey{}
	for _, e := range elements {
		if e.Value().Type == bson.TypeNull {
			continue
		}
		purpose := e.Key()
		if keys[purpose], err = d.apiKey(at.below(purpose)); err != nil {
			return nil, err
		}
		one := map[string]twilioacct.APIKey{purpose: keys[purpose]}
		if err := (twilioacct.Record{SID: d.record.SID, APIKeys: one}).Check(); err != nil {
			return nil, d.odd(at.below(purpose), "is no API key: a purpose is 1 to 32 of a-z, 0-9, _ and -, and it has a sid and a secret")
		}
	}
	return keys, nil
}

func (d document) apiKey(at path) (twilioacct.APIKey, error) {
	sid, err := d.text(at.below("sid"))
	if err != nil {
		return twilioacct.APIKey{}, err
	}
	secret, err := d.text(at.below("secret"))
	return twilioacct.APIKey{SID: sid, Secret: twilioacct.NewSecret(secret)}, err
}

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
