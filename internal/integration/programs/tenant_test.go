package programs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheMessagingProgramKilledAtAnyMomentAndRunAgainMakesNothingTwice(t *testing.T) {
	t.Parallel()
	const seeds, deaths = 4, 3
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 6))
			fake, accounts, env := world(t)
			fake.Inject(twiliotest.Fault{Delay: 2 * time.Millisecond, Times: twiliotest.Always}) // so that a kill finds it at work
			args := []string{"-json", "-name", "FalconFlights", "-area-code", "415"}
			for range deaths {
				killed(t, afterMore(fake, random.IntN(9)), env, "messaging", args...)
			}
			for range 2 {
				stdout, stderr, status := run(t, env, "messaging", args...)
				require.Equal(t, 0, status, stderr)
				var got map[string]any
				require.NoError(t, json.Unmarshal([]byte(stdout), &got))
				tenants := fake.Subaccounts()
				require.Len(t, tenants, 1)
				tenant := tenants[0]
				assert.Equal(t, tenant.SID, got["subaccount_sid"])
				assert.Len(t, fake.PhoneNumbers(tenant.SID), 1)
				assert.Len(t, fake.MessagingServices(tenant.SID), 1)
				assert.Empty(t, fake.Messages(tenant.SID), "without -to none is sent")
				n, err := accounts.CountDocuments(t.Context(), bson.D{})
				require.NoError(t, err)
				assert.EqualValues(t, 1, n)
				kept := document(t, accounts, tenant.SID)
				assert.Equal(t, tenant.AuthToken, kept.Lookup("twilio_account", "authToken").StringValue())
				assert.NotContains(t, stdout+stderr, tenant.AuthToken)
			}
		})
	}
}

func TestTheSubaccountsProgramMakesADocumentAndWritesTheStatus(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	_, stderr, status := run(t, env, "subaccounts", "create", "FalconFlights")
	require.Equal(t, 0, status, stderr)
	sid := fake.Subaccounts()[0].SID
	for _, step := range []struct{ verb, status string }{{"suspend", "suspended"}, {"reactivate", "active"}} {
		_, stderr, status = run(t, env, "subaccounts", step.verb, sid)
		require.Equal(t, 0, status, stderr)
		assert.Equal(t, step.status, document(t, accounts, sid).Lookup("twilio_account", "status").StringValue())
	}
	_, stderr, status = run(t, env, "numbers", "list", "-account", sid)
	require.Equal(t, 0, status, stderr)
	n, err := accounts.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}
