package setup_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

// noEnvironment takes away all that examples read.
func noEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_BASE_URL", "MONGODB_URI",
	} {
		t.Setenv(name, "")
	}
}

func TestOnlyAProgramThatMakesAccountsMakesDocuments(t *testing.T) {
	noEnvironment(t)
	for name, sid := range map[string]string{"offline": "", "online": "AC0123456789abcdef0123456789abcdef"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TWILIO_ACCOUNT_SID", sid)
			t.Setenv("TWILIO_AUTH_TOKEN", sid)
			assert.Equal(t, sid == "", setup.IsOffline())

			other, err := setup.Open(t.Context(), io.Discard)
			require.NoError(t, err)
			defer other.Close()
			making, err := setup.OpenMaking(t.Context(), io.Discard)
			require.NoError(t, err)
			defer making.Close()

			assert.False(t, makes(other.Options.Store))
			assert.True(t, makes(making.Options.Store))
		})
	}
}

func makes(store twilioacct.Store) bool {
	maker, ok := twilioacct.StoreAs[twilioacct.Maker](store)
	return ok && maker.Makes()
}

func TestTheFakesParentHasTheNumberThatIsMovedInDemonstrations(t *testing.T) {
	env := setup.Offline()
	defer env.Close()
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)

	_, err = provider.Parent().FindNumber(t.Context(), setup.DemoNumber)
	assert.NoError(t, err)
}
