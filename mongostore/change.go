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
	unset []*path
}

type assignments []assignment

type assignment struct {
	at    *path
	value string
}

func (c change) isNone() bool { return len(c.set) == 0 && len(c.unset) == 0 }

func (c *change) text(at *path, from, to string) {
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
	if len(from.APIKeys)+len(to.APIKeys) == 0 {
		return c
	}
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

// assigned is what a record sets, whatever is stored.
func (p paths) assigned(r twilioacct.Record) change { return p.changes(twilioacct.Record{}, r) }

// update is the change as MongoDB takes it, with the new revision.
func (p paths) update(c change, rev int64) bson.D {
	u := bson.D{{Key: "$set", Value: append(c.set.fields(), bson.E{Key: p.rev.dotted, Value: rev})}}
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
	fields := make(bson.D, 0, len(a)+1) // one more for the revision
	for _, one := range a {
		fields = append(fields, bson.E{Key: one.at.dotted, Value: one.value})
	}
	return fields
}

// keys names the fields of a document.
func keys(d bson.D) string {
	all := make([]string, len(d))
	for i, e := range d {
		all[i] = e.Key
	}
	return strings.Join(all, ", ")
}

// written names all that an update with this change sets.
func (p paths) written(c change) string {
	return keys(append(c.set.fields(), bson.E{Key: p.rev.dotted}))
}
