package twiliotest

import (
	"encoding/json"
	"time"
)

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and dates always encode
	}
	return b
}

// orNull is JSON's null for what is not set.
func orNull[T comparable](v T) *T {
	var unset T
	if v == unset {
		return nil
	}
	return &v
}

// rfc2822 is a date as the 2010 API writes it, null if there is none.
type rfc2822 struct{ time.Time }

// MarshalJSON writes the date.
func (d rfc2822) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return appendDate(nil, d.Time), nil
}

// iso8601 is a date as the newer APIs write it.
type iso8601 struct{ time.Time }

// MarshalJSON writes the date.
func (d iso8601) MarshalJSON() ([]byte, error) {
	return []byte(d.UTC().Format(`"2006-01-02T15:04:05Z"`)), nil
}
