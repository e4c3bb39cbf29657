package mongostore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// FuzzUpdate: an update that is encoded by hand has the bytes that the driver gives it.
func FuzzUpdate(f *testing.F) {
	f.Add("token", "active", "acme", "secret", int64(1))
	f.Add("", "", "", "", int64(0))
	f.Add("with\x00NUL", "東京 \xff", "$set", "a.b", int64(-1))
	parsed, err := Paths{}.parse()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, token, status, tenant, key string, rev int64) {
		r := twilioacct.Record{AuthToken: twilioacct.NewSecret(token), Status: twilioacct.Status(status), Tenant: tenant}
		if key != "" {
			r.APIKeys = map[string]twilioacct.APIKey{"voice": {SID: "SK", Secret: twilioacct.NewSecret(key)}}
		}
		c := parsed.assigned(r)
		want, err := bson.Marshal(parsed.update(c, rev))
		require.NoError(t, err)
		assert.Equal(t, bson.Raw(want), parsed.encoder(1).update(c.set, rev))
	})
}

func TestDocumentsThatAreEncodedOneBehindTheOtherStayAsTheyAre(t *testing.T) {
	t.Parallel()
	parsed, err := Paths{}.parse()
	require.NoError(t, err)
	long := assignments{{parsed.tenant, strings.Repeat("x", 1000)}} // more than there is room for
	e := parsed.encoder(1)
	first, second, third := e.guard(anySID, 1), e.update(long, 2), e.guard(anySID, 0)
	assert.Equal(t, parsed.encoder(1).guard(anySID, 1), first)
	assert.Equal(t, parsed.encoder(1).update(long, 2), second)
	assert.Equal(t, parsed.encoder(1).guard(anySID, 0), third)
}

// FuzzGuard: so has the filter before it.
func FuzzGuard(f *testing.F) {
	f.Add("AC0123456789abcdef0123456789abcdef", int64(0))
	f.Add("", int64(7))
	f.Add("with\x00NUL", int64(-1))
	parsed, err := Paths{}.parse()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, sid string, rev int64) {
		var stored any
		if rev != 0 {
			stored = rev
		}
		want, err := bson.Marshal(bson.D{
			{Key: "twilio_account.sid", Value: sid},
			{Key: "twilio_account.sid.0", Value: bson.D{{Key: "$exists", Value: false}}},
			{Key: "twilio_account.rev", Value: stored},
		})
		require.NoError(t, err)
		assert.Equal(t, bson.Raw(want), parsed.encoder(1).guard(sid, rev))
	})
}
