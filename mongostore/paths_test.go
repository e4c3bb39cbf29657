package mongostore

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

func TestPathsThatCannotWorkAreRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Paths{
		"_id":                        {SID: "_id"},
		"a part of _id":              {Tenant: "_id.tenant"},
		"an empty part":              {SID: "a..b"},
		"a dot at the end":           {SID: "a."},
		"a dot alone":                {SID: "."},
		"a dollar":                   {AuthToken: "$token"},
		"a dollar inside":            {AuthToken: "a.$b"},
		"the positional operator":    {AuthToken: "accounts.$.token"},
		"a place in an array":        {Status: "accounts.0.status"},
		"NUL":                        {Rev: "a\x00b"},
		"no UTF-8":                   {Rev: "a\xffb"},
		"many levels":                {Rev: strings.Repeat("a.", 60) + "b"},
		"the same path twice":        {Status: "twilio_account.sid"},
		"a path in another":          {Status: "twilio_account.sid.status"},
		"a path around others":       {Status: "twilio_account"},
		"a path among the API keys":  {Tenant: "twilio_account.apiKeys.tenant"},
		"two that are each other's":  {SID: "x.y", Rev: "x.y"},
		"API keys around everything": {APIKeys: "twilio_account"},
	} {
		_, err := p.parse()
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		assert.Contains(t, err.Error(), "Paths.", name)
	}
}

func TestPathsThatOnlyLookAlikeAreTaken(t *testing.T) {
	t.Parallel()
	for _, p := range []Paths{
		{},
		{SID: "sid", AuthToken: "sidToken", Status: "sid_status"},
		{SID: "a.b", AuthToken: "a.bc", Status: "ab"},
		{SID: "x_id", Tenant: "a._id", Rev: "1st.rev"},
		{SID: "größe.東京", APIKeys: "a b.c-d"},
	} {
		_, err := p.parse()
		require.NoError(t, err)
	}
}

// FuzzPaths: with whatever paths are accepted, a record that is written as we write it is read as it was.
func FuzzPaths(f *testing.F) {
	f.Add("twilio_account.sid", "twilio_account.authToken", "twilio_account.status", "twilio_account.tenant", "twilio_account.apiKeys", "twilio_account.rev")
	f.Add("sid", "a.b", "a.c", "d", "keys", "a.rev")
	f.Add("a", "a.b", "$a", "0", "", "_id")
	f.Fuzz(func(t *testing.T, sid, token, status, tenant, keys, rev string) {
		p, err := Paths{SID: sid, AuthToken: token, Status: status, Tenant: tenant, APIKeys: keys, Rev: rev}.parse()
		if err != nil {
			require.ErrorIs(t, err, twilioacct.ErrInvalid)
			return
		}
		want := twilioacct.Record{
			SID: "AC00000000000000000000000000000001", AuthToken: twilioacct.NewSecret("token"), Status: "active", Tenant: "acme", Rev: 5,
			APIKeys: map[string]twilioacct.APIKey{"0": {SID: "SK00000000000000000000000000000001", Secret: twilioacct.NewSecret("s")}},
		}
		raw, err := bson.Marshal(applied(p, want))
		require.NoError(t, err)
		got, err := p.read(raw)
		require.NoError(t, err)
		require.Equal(t, want, got.record)
	})
}

// applied is the document that an update of ours makes of an empty one.
func applied(p paths, r twilioacct.Record) bson.M {
	document := bson.M{}
	set := p.update(p.changes(twilioacct.Record{}, r), r.Rev)[0].Value.(bson.D)
	for _, e := range append(set, bson.E{Key: p.sid.dotted, Value: r.SID}) {
		parts := strings.Split(e.Key, ".")
		inside := document
		for _, part := range parts[:len(parts)-1] {
			if inside[part] == nil {
				inside[part] = bson.M{}
			}
			inside = inside[part].(bson.M)
		}
		inside[parts[len(parts)-1]] = e.Value
	}
	return document
}

func TestAChangeIsMadeOfLeavesInAFixedOrder(t *testing.T) {
	t.Parallel()
	p, err := Paths{}.parse()
	require.NoError(t, err)
	key := func(n string) twilioacct.APIKey {
		return twilioacct.APIKey{SID: "SK" + n, Secret: twilioacct.NewSecret(n)}
	}
	from := twilioacct.Record{Status: "active", Tenant: "acme", APIKeys: map[string]twilioacct.APIKey{"a": key("1"), "b": key("2"), "z": key("9"), "y": key("8")}}
	to := twilioacct.Record{Status: "closed", AuthToken: twilioacct.NewSecret("t"), APIKeys: map[string]twilioacct.APIKey{"a": key("1"), "c": key("3"), "b": {SID: "SK2", Secret: twilioacct.NewSecret("new")}}}
	update := p.update(p.changes(from, to), 3)
	assert.Equal(t, bson.D{
		{Key: "$set", Value: bson.D{
			{Key: "twilio_account.authToken", Value: "t"}, {Key: "twilio_account.status", Value: "closed"},
			{Key: "twilio_account.apiKeys.b.secret", Value: "new"},
			{Key: "twilio_account.apiKeys.c.sid", Value: "SK3"}, {Key: "twilio_account.apiKeys.c.secret", Value: "3"},
			{Key: "twilio_account.rev", Value: int64(3)},
		}},
		{Key: "$unset", Value: bson.D{
			{Key: "twilio_account.tenant", Value: ""}, {Key: "twilio_account.apiKeys.y", Value: ""}, {Key: "twilio_account.apiKeys.z", Value: ""},
		}},
	}, update)
	assert.True(t, p.changes(to, to).isNone())
	assert.Len(t, slices.Collect(maps.Keys(from.APIKeys)), 4, "nothing of what it was given is changed")
}
