package twilio

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func provider(t testing.TB, fake *twiliotest.Server, opts *twilioacct.Options) *twilioacct.Provider {
	t.Helper()
	parent := fake.Parent()
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: parent.SID,
		AuthToken:  twilioacct.NewSecret(parent.AuthToken),
	}, opts)
	require.NoError(t, err)
	return p
}
