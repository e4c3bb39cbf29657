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
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// talking is what the program voice prints of a tenant.
type talking struct {
	SubaccountSID  string   `json:"subaccount_sid"`
	APIKeySID      string   `json:"api_key_sid"`
	ApplicationSID string   `json:"application_sid"`
	Token          string   `json:"token"`
	StrayKeys      []string `json:"stray_keys"`
	Incoming       []struct {
		After   string `json:"after"`
		Changed bool   `json:"changed"`
	} `json:"incoming"`
}

// talk runs the program voice to its end, and returns all that it printed, too.
func talk(t *testing.T, env map[string]string, args ...string) (got talking, printed string) {
	t.Helper()
	stdout, stderr, status := run(t, env, "voice", args...)
	require.Equal(t, 0, status, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	return got, stdout + stderr
}

// withNumbers gives an account two numbers.
func withNumbers(fake *twiliotest.Server, account string) {
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{PhoneNumber: "+12065550143", VoiceURL: "https://old.example/voice"})
	fake.AddPhoneNumber(account, twiliotest.PhoneNumber{PhoneNumber: "+12065550144"})
}

// keptKey is the key for calls in an account's document.
func keptKey(t *testing.T, accounts *mongo.Collection, account string) (sid, secret string) {
	t.Helper()
	kept := document(t, accounts, account)
	sid = kept.Lookup("twilio_account", "apiKeys", "voice", "sid").StringValue()
	return sid, kept.Lookup("twilio_account", "apiKeys", "voice", "secret").StringValue()
}

var wantedOfVoice = []string{"-json", "-print-token", "-name", "FalconFlights", "-outgoing-url", "https://falcon.example/voice"}

func TestTheVoiceProgramKeepsTheKeysSecretWhereTheNextRunFindsIt(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	tenant := fake.AddSubaccount("FalconFlights")
	withNumbers(fake, tenant.SID)
	insert(t, accounts, tenant.SID)

	first, printed := talk(t, env, wantedOfVoice...)

	keys := fake.Keys(tenant.SID)
	require.Len(t, keys, 1)
	sid, secret := keptKey(t, accounts, tenant.SID)
	assert.Equal(t, keys[0].SID, sid)
	assert.Equal(t, keys[0].Secret, secret)
	assert.Equal(t, sid, first.APIKeySID)
	assert.NotContains(t, printed, secret)
	assert.Equal(t, "Falcon Flights", document(t, accounts, tenant.SID).Lookup("name").StringValue(), "the rest stays as it was")

	second, printed := talk(t, env, wantedOfVoice...)

	assert.Len(t, fake.Keys(tenant.SID), 1)
	assert.Len(t, fake.Applications(tenant.SID), 1)
	assert.Equal(t, first.APIKeySID, second.APIKeySID)
	assert.Equal(t, first.ApplicationSID, second.ApplicationSID)
	assert.NotEqual(t, first.Token, second.Token)
	require.Len(t, second.Incoming, 2)
	for _, n := range second.Incoming {
		assert.Equal(t, "https://falcon.example/voice", n.After)
		assert.False(t, n.Changed)
	}
	for _, token := range []string{first.Token, second.Token} {
		_, err := fake.VerifyAccessToken(token)
		assert.NoError(t, err)
	}
	assert.NotContains(t, printed, secret)
}

func TestTheVoiceProgramMakesADocumentForASubaccountThatItMakes(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)

	got, _ := talk(t, env, wantedOfVoice...)

	tenant := fake.Subaccounts()[0]
	assert.Equal(t, tenant.SID, got.SubaccountSID)
	assert.Equal(t, tenant.AuthToken, document(t, accounts, tenant.SID).Lookup("twilio_account", "authToken").StringValue())
	sid, secret := keptKey(t, accounts, tenant.SID)
	assert.Equal(t, fake.Keys(tenant.SID)[0].SID, sid)
	assert.Equal(t, fake.Keys(tenant.SID)[0].Secret, secret)
}

func TestTheVoiceProgramKilledAtAnyMomentAndRunAgainHasOneUsableKeyAndNamesTheStrays(t *testing.T) {
	t.Parallel()
	const seeds, deaths = 6, 3
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			fake, accounts, env := world(t)
			withNumbers(fake, fake.AddSubaccount("FalconFlights").SID)
			fake.Inject(twiliotest.Fault{Delay: 2 * time.Millisecond, Times: twiliotest.Always}) // so that a kill finds it at work
			for range deaths {
				killed(t, afterMore(fake, random.IntN(9)), env, "voice", wantedOfVoice...)
			}
			tenant := fake.Subaccounts()[0]
			for range 2 {
				got, printed := talk(t, env, wantedOfVoice...)
				sid, secret := keptKey(t, accounts, tenant.SID)
				assert.Equal(t, sid, got.APIKeySID)
				key, found := fake.Key(sid)
				require.True(t, found)
				assert.Equal(t, key.Secret, secret)
				_, err := fake.VerifyAccessToken(got.Token)
				assert.NoError(t, err)

				others := []string{}
				for _, k := range fake.Keys(tenant.SID) {
					assert.NotContains(t, printed, k.Secret)
					if k.SID != sid {
						others = append(others, k.SID)
					}
				}
				assert.ElementsMatch(t, others, got.StrayKeys, "whose secret nobody has")
				assert.Len(t, fake.Applications(tenant.SID), 1)
				n, err := accounts.CountDocuments(t.Context(), bson.D{})
				require.NoError(t, err)
				assert.EqualValues(t, 1, n)
			}
		})
	}
}

func TestTheVoiceProgramKilledBetweenTheMakingOfAKeyAndItsSavingNamesTheKeyThatIsLost(t *testing.T) {
	t.Parallel()
	fake, accounts, env := world(t)
	tenant := fake.AddSubaccount("FalconFlights")
	fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", AfterEffect: true, Hang: true})
	killed(t, func() bool { return len(fake.Keys(tenant.SID)) == 1 }, env, "voice", wantedOfVoice...)
	require.Len(t, fake.Keys(tenant.SID), 1)
	lost := fake.Keys(tenant.SID)[0]

	for range 2 {
		got, printed := talk(t, env, wantedOfVoice...)

		assert.Equal(t, []string{lost.SID}, got.StrayKeys)
		assert.Contains(t, printed, "The store has no secret for "+lost.SID)
		assert.NotEqual(t, lost.SID, got.APIKeySID)
		assert.Len(t, fake.Keys(tenant.SID), 2)
		sid, _ := keptKey(t, accounts, tenant.SID)
		assert.Equal(t, sid, got.APIKeySID)
	}
}
