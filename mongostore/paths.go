package mongostore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twilioacct/twilioacct"
)

// Paths are where in a document the fields of a record are, with dots between the parts. "" is the default. They must not
// lie in each other, nor in _id.
type Paths struct {
	SID       string // twilio_account.sid
	AuthToken string // twilio_account.authToken
	Status    string // twilio_account.status
	Tenant    string // twilio_account.tenant
	APIKeys   string // twilio_account.apiKeys: a document with {sid, secret} for each purpose
	Rev       string // twilio_account.rev
}

// path is a parsed path.
type path struct {
	dotted string
	parts  []string
	above  string // dotted, without the last part
}

func pathOf(parts ...string) *path {
	return &path{
		dotted: strings.Join(parts, "."),
		parts:  parts,
		above:  strings.Join(parts[:len(parts)-1], "."),
	}
}

func (p *path) String() string { return p.dotted }

// leaf is the last part.
func (p *path) leaf() string { return p.parts[len(p.parts)-1] }

// below is the path of something inside what p leads to.
func (p *path) below(part string) *path { return pathOf(append(slices.Clone(p.parts), part)...) }

// paths are Paths, parsed and checked.
type paths struct{ sid, token, status, tenant, keys, rev *path }

// all are the paths of what we write.
func (p paths) all() []*path { return []*path{p.sid, p.token, p.status, p.tenant, p.keys, p.rev} }

func (p Paths) parse() (paths, error) {
	var parsed paths
	all := []struct {
		into              **path
		name, given, none string
	}{
		{&parsed.sid, "SID", p.SID, "twilio_account.sid"},
		{&parsed.token, "AuthToken", p.AuthToken, "twilio_account.authToken"},
		{&parsed.status, "Status", p.Status, "twilio_account.status"},
		{&parsed.tenant, "Tenant", p.Tenant, "twilio_account.tenant"},
		{&parsed.keys, "APIKeys", p.APIKeys, "twilio_account.apiKeys"},
		{&parsed.rev, "Rev", p.Rev, "twilio_account.rev"},
	}
	for i, one := range all {
		dotted := cmp.Or(one.given, one.none)
		at := pathOf(strings.Split(dotted, ".")...)
		if problem := at.problem(); problem != "" {
			return paths{}, invalid("Paths.%s %q: %s", one.name, dotted, problem)
		}
		for _, other := range all[:i] {
			if at.overlaps(*other.into) {
				return paths{}, invalid("Paths.%s %q and Paths.%s %q: one is the other, or lies in it: give each field a path of its own",
					one.name, dotted, other.name, *other.into)
			}
		}
		*one.into = at
	}
	return parsed, nil
}

// deepest leaves room below MongoDB's 100 levels.
const deepest = 50

// problem is why MongoDB, or this package, could not work with the path.
func (p *path) problem() string {
	switch {
	case !utf8.ValidString(p.dotted):
		return "it is not UTF-8"
	case strings.ContainsRune(p.dotted, 0):
		return "it contains NUL"
	case len(p.parts) > deepest:
		return fmt.Sprintf("it is more than %d levels deep", deepest)
	case p.parts[0] == "_id":
		return "the _id of a document never changes: choose another field"
	}
	for _, part := range p.parts {
		switch {
		case part == "":
			return "a part between the dots is empty"
		case part[0] == '$':
			return "a part begins with $, as MongoDB's operators do"
		case strings.Trim(part, "0123456789") == "":
			return "a part is a number, as the place in an array is"
		}
	}
	return ""
}

// overlaps is true where the paths are the same or one lies in the other: MongoDB refuses to write both.
func (p *path) overlaps(q *path) bool {
	n := min(len(p.parts), len(q.parts))
	return slices.Equal(p.parts[:n], q.parts[:n])
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("mongostore: "+format+": %w", append(args, twilioacct.ErrInvalid)...)
}
