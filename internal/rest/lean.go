package rest

import "bytes"

var subresources = []byte(`"subresource_uris":`)

// withoutSubresources puts null in the place of every subresource_uris that is a plain object of strings. Nothing here reads
// them, and they are two thirds of the time that a page of accounts takes to decode. It works in place: a copy of each page
// is a sixth of the time that a fleet takes to list.
//
// The body means the same to whoever ignores them, and is refused by encoding/json if it was before: what is taken out is one
// whole valid value, and whatever the bytes around it make of that place, a value stands there still. Anything but the plain
// form stays for encoding/json to judge.
func withoutSubresources(body []byte) []byte {
	const null = "null"
	lean := body[:0]
	for rest := body; ; {
		at := bytes.Index(rest, subresources)
		if at < 0 {
			return append(lean, rest...)
		}
		at += len(subresources)
		lean = append(lean, rest[:at]...)
		rest = rest[at:]
		if n := plainObject(rest); n >= len(null) { // else null would overwrite what comes next
			lean = append(lean, null...)
			rest = rest[n:]
		}
	}
}

// plainObject returns the length of the object of strings, without escapes, that b begins with after white space; else 0.
func plainObject(b []byte) int {
	i := space(b, 0)
	if i == len(b) || b[i] != '{' {
		return 0
	}
	if i = space(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i = plainString(b, i); i == 0 {
			return 0
		}
		if i = space(b, i); i == len(b) || b[i] != ':' {
			return 0
		}
		if i = plainString(b, space(b, i+1)); i == 0 {
			return 0
		}
		i = space(b, i)
		switch {
		case i == len(b):
			return 0
		case b[i] == '}':
			return i + 1
		case b[i] != ',':
			return 0
		}
		i = space(b, i+1)
	}
}

// plainString returns the index behind the string at b[i:], or 0 if none begins there or it is not plain.
func plainString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return 0
	}
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\' || c < ' ':
			return 0
		}
	}
	return 0
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
