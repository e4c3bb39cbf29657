package mongostore

import (
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// change is what makes one record of another: leaves only, so that whatever else lies beside them stays.
type change struct {
	set   assignments
	unset []path
}

type assignments []assignment

type assignment struct {
	at    path
	value string
}

func (c change) isNone() bool { return len(c.set) == 0 && len(c.unset) == 0 }

func (c *change) text(at path, from, to string) {
	switch {
	case from == to:
	case to == "":
		c.unset = append(c.unset, at)
	default:
		c.set = append(c.set, assignment{at, to})
	}
}

// changes is what is to be written where from is stored and to is wanted.
func (p paths) changes(from, to twilioacct.Record) change {
	var c change
	c.text(p.token, from.AuthToken.Reveal(), to.AuthToken.Reveal())
	c.text(p.status, string(from.Status), string(to.Status))
	c.text(p.tenant, from.Tenant, to.Tenant)
	for _, purpose := range slices.Sorted(maps.Keys(to.APIKeys)) {
		at, was, is := p.keys.below(purpose), from.APIKeys[purpose], to.APIKeys[purpose]
		c.text(at.below("sid"), was.SID, is.SID)
		c.text(at.below("secret"), was.Secret.Reveal(), is.Secret.Reveal())
	}
	for _, purpose := range slices.Sorted(maps.Keys(from.APIKeys)) {
		if _, stays := to.APIKeys[purpose]; !stays {
			c.unset = append(c.unset, p.keys.below(purpose))
		}
	}
	return c
}

// update is the change as MongoDB takes it, with the new revision.
func (p paths) update(c change, rev int64) bson.D {
	set := append(c.set.fields(), bson.E{Key: p.rev.dotted, Value: rev})
	u := bson.D{{Key: "$set", Value: set}}
	if len(c.unset) > 0 {
		gone := bson.D{}
		for _, at := range c.unset {
			gone = append(gone, bson.E{Key: at.dotted, Value: ""})
		}
		u = append(u, bson.E{Key: "$unset", Value: gone})
	}
	return u
}

func (a assignments) fields() bson.D {
	fields := bson.D{}
	for _, one := range a {
		fields = append(fields, bson.E{Key: one.at.dotted, Value: one.value})
	}
	return fields
}

// written names all that the change sets, the revision with it.
func (c change) written(rev path) string {
	all := []string{}
	for _, one := range c.set {
		all = append(all, one.at.dotted)
	}
	return strings.Join(append(all, rev.dotted), ", ")
}
