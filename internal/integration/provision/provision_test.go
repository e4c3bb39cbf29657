package provision

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/goleak"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestMain(m *testing.M) {
	if os.Getenv(isWorker) != "" {
		os.Exit(work(os.Stdin))
	}
	goleak.VerifyTestMain(m)
}

// falcon is a tenant with a number that is bought, in a messaging service.
func falcon() twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Key:          "customer-7",
		Number:       &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}},
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	}
}

// calling is the same tenant, which also calls from browsers.
func calling() twilioacct.Spec {
	spec := falcon()
	spec.Voice = &twilioacct.VoiceSpec{
		FriendlyName: "browser calls",
		Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://falcon.example/outgoing")},
		Incoming:     &twilioacct.IncomingCalls{},
		Token:        &twilioacct.TokenSpec{Identity: "alice", Voice: twilioacct.VoiceGrant{Incoming: true}},
	}
	return spec
}

// platform is an application: its parent account, and the documents of its customers.
type platform struct {
	fake      *twiliotest.Server
	server    *mongotest.Server // nil where it is the one named by MONGODB_TEST_URI
	uri       string
	customers *mongo.Collection
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{fake: twiliotest.NewServer(t)}
	if mongotest.External() {
		p.uri, p.customers = os.Getenv("MONGODB_TEST_URI"), mongotest.Collection(t)
	} else {
		p.server = mongotest.Start(t)
		p.uri, p.customers = p.server.URI(), p.server.Collection(t)
	}
	store, err := mongostore.New(p.customers, nil)
	require.NoError(t, err)
	require.NoError(t, store.EnsureIndexes(t.Context()))
	return p
}

func (p *platform) provider(t *testing.T, upsert bool) *twilioacct.Provider {
	t.Helper()
	store, err := mongostore.New(p.customers, &mongostore.Options{Upsert: upsert})
	require.NoError(t, err)
	parent := p.fake.Parent()
	provider, err := twilioacct.New(twilioacct.Credentials{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)},
		&twilioacct.Options{HTTPClient: p.fake.HTTPClient(), Store: store})
	require.NoError(t, err)
	return provider
}

func (p *platform) job() job {
	parent := p.fake.Parent()
	return job{
		Twilio: p.fake.URL(), MongoDB: p.uri, Parent: parent.SID, Token: parent.AuthToken,
		Database: p.customers.Database().Name(), Collection: p.customers.Name(),
	}
}

// requireOneTenant asserts that there is one of each thing, and one document with the tenant's token.
func (p *platform) requireOneTenant(t *testing.T) {
	t.Helper()
	tenants := p.fake.Subaccounts()
	require.Len(t, tenants, 1)
	tenant := tenants[0]
	numbers, services := p.fake.PhoneNumbers(tenant.SID), p.fake.MessagingServices(tenant.SID)
	require.Len(t, numbers, 1)
	require.Len(t, services, 1)
	assert.Equal(t, "customer-7", numbers[0].FriendlyName)
	assert.Equal(t, []string{numbers[0].SID}, services[0].PhoneNumberSIDs)

	documents := p.documents(t)
	require.Len(t, documents, 1)
	account, _ := documents[0]["twilio_account"].(bson.M)
	for field, want := range map[string]string{"sid": tenant.SID, "authToken": tenant.AuthToken, "status": "active"} {
		assert.Equal(t, want, account[field])
	}
}

// requireOneKey asserts that the document has one API key, with its secret, and that all others at Twilio are named as strays.
func (p *platform) requireOneKey(t *testing.T) {
	t.Helper()
	tenant := p.fake.Subaccounts()[0].SID
	store, err := mongostore.New(p.customers, nil)
	require.NoError(t, err)
	record, err := store.Load(t.Context(), tenant)
	require.NoError(t, err)
	require.Len(t, record.APIKeys, 1)
	kept := record.APIKeys["voice"]
	key, ok := p.fake.Key(kept.SID)
	require.True(t, ok)
	assert.Equal(t, key.Secret, kept.Secret.Reveal())

	ensured, err := p.provider(t, true).Subaccount(tenant).EnsureAPIKey(t.Context(), "voice")
	require.NoError(t, err)
	assert.Equal(t, twilioacct.DidFind, ensured.Did)
	named := []string{ensured.Key.SID}
	for _, stray := range ensured.Strays {
		named = append(named, stray.SID)
	}
	var left []string
	for _, key := range p.fake.Keys(tenant) {
		left = append(left, key.SID)
	}
	assert.ElementsMatch(t, left, named)
}

func (p *platform) documents(t *testing.T) (all []bson.M) {
	t.Helper()
	cursor, err := p.customers.Find(t.Context(), bson.D{})
	require.NoError(t, err)
	var raw []bson.Raw
	require.NoError(t, cursor.All(t.Context(), &raw))
	for _, d := range raw {
		account := bson.M{}
		require.NoError(t, bson.Unmarshal(d.Lookup("twilio_account").Document(), &account))
		all = append(all, bson.M{"twilio_account": account, "name": d.Lookup("name").String()})
	}
	return all
}

func TestATenantIsSetUpOnceAndItsDocumentWrittenOnce(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for range 3 {
		_, err := p.provider(t, true).Provision(t.Context(), falcon())
		require.NoError(t, err)
		p.requireOneTenant(t)
		account, _ := p.documents(t)[0]["twilio_account"].(bson.M)
		assert.EqualValues(t, 1, account["rev"])
	}
}

func TestATenantsKeyIsInItsDocumentAndFoundThereByTheNextProcess(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for range 3 {
		has, err := p.provider(t, true).Provision(t.Context(), calling())
		require.NoError(t, err)
		p.requireOneTenant(t)
		p.requireOneKey(t)
		assert.Empty(t, has.APIKey.Strays)
		_, err = p.fake.VerifyAccessToken(has.Token.Token.Reveal())
		require.NoError(t, err)
	}
}

func TestAKeyIsRotatedInTheDocument(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	has, err := p.provider(t, true).Provision(t.Context(), calling())
	require.NoError(t, err)
	tenant := p.provider(t, false).Subaccount(has.Account.SID)
	begun, err := tenant.RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice"})
	require.NoError(t, err)
	assert.Equal(t, has.APIKey.Key.SID, begun.OldSID)
	assert.Len(t, p.fake.Keys(has.Account.SID), 2)
	_, err = p.provider(t, false).Subaccount(has.Account.SID).RotateAPIKey(t.Context(), twilioacct.APIKeyRotation{Purpose: "voice", Force: true})
	require.NoError(t, err)
	p.requireOneKey(t)
	assert.Len(t, p.fake.Keys(has.Account.SID), 1)
}

func TestATenantWhoseDocumentTheApplicationMakesIsSetUpAndSyncedLater(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	provider := p.provider(t, false)
	has, err := provider.Provision(t.Context(), falcon())
	require.NoError(t, err, "that there is no document yet is no failure")
	assert.Empty(t, p.documents(t))
	_, err = p.customers.InsertOne(t.Context(), bson.D{
		{Key: "name", Value: "Falcon"}, {Key: "twilio_account", Value: bson.D{{Key: "sid", Value: has.Account.SID}}},
	})
	require.NoError(t, err)
	_, err = p.provider(t, false).Provision(t.Context(), falcon())
	require.NoError(t, err)
	p.requireOneTenant(t)
	assert.Contains(t, p.documents(t)[0]["name"], "Falcon", "the rest of the document is as it was")
}

func TestASuspensionIsWrittenIntoTheDocument(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	provider := p.provider(t, true)
	has, err := provider.Provision(t.Context(), twilioacct.Spec{FriendlyName: "FalconFlights"})
	require.NoError(t, err)
	for status, change := range map[string]func() error{
		"suspended": func() error { _, err := provider.SuspendSubaccount(t.Context(), has.Account.SID); return err },
		"active":    func() error { _, err := provider.ReactivateSubaccount(t.Context(), has.Account.SID); return err },
	} {
		require.NoError(t, change())
		account, _ := p.documents(t)[0]["twilio_account"].(bson.M)
		assert.Equal(t, status, account["status"])
	}
}

func TestADatabaseThatIsAwayLosesNoTenant(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mongotest.Fault{
		"away":            {Command: "update", Code: 91, Times: -1},
		"a refusal":       {Command: "update", Code: 13, Times: -1},
		"replies lost":    {Command: "update", CloseAfter: true, Times: -1},
		"reading refused": {Command: "find", Code: 13, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t)
			if p.server == nil {
				t.Skip("only the embedded server can be told to fail")
			}
			p.server.Inject(fault)
			has, err := p.provider(t, true).Provision(t.Context(), falcon())
			var storeErr *twilioacct.StoreError
			if fault.Command == "update" {
				require.ErrorAs(t, err, &storeErr)
				require.Len(t, p.fake.Subaccounts(), 1)
				assert.Equal(t, p.fake.Subaccounts()[0].SID, has.Account.SID)
			}
			p.server.ClearFaults()
			_, err = p.provider(t, true).Provision(t.Context(), falcon())
			require.NoError(t, err)
			p.requireOneTenant(t)
		})
	}
}

func TestProcessesThatAreKilledAtAnyMomentMakeNothingTwice(t *testing.T) {
	t.Parallel()
	const seeds, deaths = 6, 4
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 6))
			p := newPlatform(t)
			p.fake.Inject(twiliotest.Fault{Delay: 2 * time.Millisecond, Times: twiliotest.Always}) // so that a kill finds it at work
			for range deaths {
				until := p.fake.Count("") + random.IntN(14)
				start(t, p.job()).killWhen(func() bool { return p.fake.Count("") >= until })
			}
			start(t, p.job()).end(t)
			p.requireOneTenant(t)
			p.requireOneKey(t)
			changes := map[string]int{}
			for _, r := range p.fake.Requests() {
				if r.Method == http.MethodPost && r.Status == http.StatusCreated {
					changes[r.Operation]++
				}
			}
			for _, made := range []string{"CreateAccount", "CreateIncomingPhoneNumber", "CreateService", "CreateApplication"} {
				assert.LessOrEqual(t, changes[made], 1, made)
			}
		})
	}
}
