package storage_test

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// with sets the value at a dotted path, and makes the documents on the way.
func with(d bson.D, path string, value any) bson.D {
	key, rest, isDeeper := strings.Cut(path, ".")
	for i, e := range d {
		if e.Key != key {
			continue
		}
		if inner, ok := e.Value.(bson.D); ok && isDeeper {
			value = with(inner, rest, value)
		}
		d[i].Value = value
		return d
	}
	if isDeeper {
		value = with(bson.D{}, rest, value)
	}
	return append(d, bson.E{Key: key, Value: value})
}
