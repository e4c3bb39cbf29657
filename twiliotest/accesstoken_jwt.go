package twiliotest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// jwt is a JSON web token, taken apart and not believed yet.
type jwt struct {
	signed          string // header and payload as they came
	header, payload members
	signature       []byte
}

func parseJWT(token string) (*jwt, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, refused(20160, "it has %d parts, not three", len(parts))
	}
	header, headerOK := decodeObject(parts[0])
	payload, payloadOK := decodeObject(parts[1])
	signature, signatureOK := decodePart(parts[2])
	switch {
	case !headerOK:
		return nil, refused(20102, "the header is no JSON object in base64url")
	case !payloadOK:
		return nil, refused(20101, "the payload is no JSON object in base64url")
	case !signatureOK:
		return nil, refused(20107, "the signature is not base64url")
	}
	return &jwt{parts[0] + "." + parts[1], header, payload, signature}, nil
}

// decodePart is strict: one value has one spelling. By itself the decoder
// passes over line breaks.
func decodePart(part string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return b, err == nil && !strings.ContainsAny(part, "\r\n")
}

func decodeObject(part string) (members, bool) {
	raw, ok := decodePart(part)
	var m members
	err := json.Unmarshal(raw, &m)
	return m, ok && err == nil && m != nil // which it is after null
}

// members are those of a JSON object. Unlike those of a Go struct their names
// are exact.
type members map[string]json.RawMessage

// read fills in a value that must be of the type that into points to. A member
// that is not there leaves it as it is.
func (m members) read(code int, name string, into any) error {
	raw, there := m[name]
	if !there {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil || bytes.Equal(raw, []byte("null")) {
		return refused(code, "%s is of a wrong type", name)
	}
	return nil
}

// lastDate is the last second of the year 9999.
const lastDate = 253_402_300_799

// readDate reads seconds since 1970.
func (m members) readDate(code int, name string, into *time.Time) error {
	seconds := math.NaN()
	if err := m.read(code, name, &seconds); err != nil || math.IsNaN(seconds) {
		return err
	}
	if seconds < 0 || seconds > lastDate {
		return refused(code, "%s is out of range", name)
	}
	whole, rest := math.Modf(seconds)
	*into = time.Unix(int64(whole), int64(rest*1e9)).UTC()
	return nil
}

// grantReader reads members of grants until the first one that is bad.
type grantReader struct{ err error }

func (r *grantReader) value(m members, name string, into any) {
	if r.err == nil {
		r.err = m.read(20106, name, into)
	}
}

// object refuses members that Twilio does not know, and is nil if there is no
// object of that name.
func (r *grantReader) object(m members, name string, known ...string) members {
	var is members
	r.value(m, name, &is)
	for _, member := range slices.Sorted(maps.Keys(is)) {
		if r.err == nil && !slices.Contains(known, member) {
			r.err = refused(20106, "%s has an unknown member %q", name, member)
		}
	}
	return is
}
