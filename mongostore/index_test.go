package mongostore

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestOnlyAnIndexThatHasAllSIDsLeadsToOne(t *testing.T) {
	t.Parallel()
	s := &Store{}
	var err error
	s.paths, err = Paths{}.parse()
	require.NoError(t, err)
	key := func(names ...string) bson.E {
		var d bson.D
		for _, name := range names {
			d = append(d, bson.E{Key: name, Value: 1})
		}
		return bson.E{Key: "key", Value: d}
	}
	partial := func(filter bson.D) bson.E { return bson.E{Key: "partialFilterExpression", Value: filter} }
	const sid = "twilio_account.sid"
	for name, c := range map[string]struct {
		index bson.D
		leads bool
	}{
		"a plain one":             {bson.D{key(sid)}, true},
		"a hashed one":            {bson.D{{Key: "key", Value: bson.D{{Key: sid, Value: "hashed"}}}}, true},
		"with more behind it":     {bson.D{key(sid, "name")}, true},
		"ours":                    {bson.D{key(sid), partial(bson.D{hasText(s.paths.sid)})}, true},
		"with something before":   {bson.D{key("name", sid)}, false},
		"of another field":        {bson.D{key("_id")}, false},
		"of some accounts":        {bson.D{key(sid), partial(bson.D{{Key: "plan", Value: "gold"}})}, false},
		"hidden":                  {bson.D{key(sid), {Key: "hidden", Value: true}}, false},
		"with a collation":        {bson.D{key(sid), {Key: "collation", Value: bson.D{{Key: "locale", Value: "de"}}}}, false},
		"not hidden":              {bson.D{key(sid), {Key: "hidden", Value: false}}, true},
		"none":                    {bson.D{}, false},
		"one without a field":     {bson.D{key()}, false},
		"one whose key is a text": {bson.D{{Key: "key", Value: sid}}, false},
	} {
		raw, err := bson.Marshal(c.index)
		require.NoError(t, err)
		assert.Equal(t, c.leads, s.leadsToSID(raw), name)
	}
}
