package twilioacct

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"log/slog"
)

// redacted stands wherever a secret would be printed.
const redacted = "[redacted]"

// Secret is a string that does not print itself: not with fmt, slog, JSON, text or BSON, and not as an unexported field of
// something else that is printed. Compare two with Equal; == does not compile. The zero value is no secret.
//
// It is no vault: what follows pointers by reflection, as the differences that testify prints do, finds the string all the same.
type Secret struct {
	_ [0]func() // == would compare pointers

	// A pointer, because fmt prints the strings in unexported fields without asking their type.
	value *string
}

// NewSecret wraps s; the empty string gives the zero value.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Reveal returns the string itself: the one deliberate way out.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether both are the same secret, or both none. How long it takes tells nothing of where they differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]", or "" where there is no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format prints what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue redacts for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText redacts for encoding/json, encoding/xml and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalBSONValue redacts for the MongoDB driver: a token is stored by a [Store] that means to, never by accident.
func (s Secret) MarshalBSONValue() (typ byte, data []byte, err error) {
	const bsonString = 0x02
	text := s.String()
	data = binary.LittleEndian.AppendUint32(nil, uint32(len(text)+1)) //nolint:gosec // two short constants
	return bsonString, append(append(data, text...), 0), nil
}
