package twilioacct_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestSyncWritesTokenAndStatusThrough(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	acme := fake.AddSubaccount("acme v1.25")
	store := twilioacct.NewMemStore(twilioacct.Record{SID: acme.SID, Status: twilioacct.StatusSuspended})
	parent := fake.Parent()
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: parent.SID,
		AuthToken:  twilioacct.NewSecret(parent.AuthToken),
	}, &twilioacct.Options{BaseURL: fake.URL(), Store: store})
	require.NoError(t, err)

	got, err := p.Sync(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.True(t, got.Stored)
	assert.True(t, got.Changed)

	kept, err := store.Load(t.Context(), acme.SID)
	require.NoError(t, err)
	assert.Equal(t, acme.AuthToken, kept.AuthToken.Reveal())
	assert.Equal(t, twilioacct.StatusActive, kept.Status)
	var names []string
	for a, err := range p.Accounts(t.Context(), &twilioacct.AccountFilter{FriendlyName: "acme v1.25"}) {
		require.NoError(t, err)
		names = append(names, a.FriendlyName)
	}
	assert.Equal(t, []string{"acme v1.25"}, names)
}
