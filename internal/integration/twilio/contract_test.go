package twilio

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/openapi"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// checked is a client whose requests and answers are held against Twilio's OpenAPI files.
func checked(t *testing.T, fake *twiliotest.Server) *http.Client {
	t.Helper()
	return &http.Client{Transport: openapi.Check(t, fake.HTTPClient().Transport)}
}

func TestWhatTheProviderSendsAndTheFakeAnswersIsWhatTwilioDocuments(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]twiliotest.HiddenToken{
		"an empty token": twiliotest.TokenEmpty, "a null token": twiliotest.TokenNull, "no token": twiliotest.TokenAbsent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := twiliotest.NewServer(t, twiliotest.WithHiddenToken(hidden))
			sids := fake.AddSubaccounts(60)
			acme := fake.AddSubaccount("acme v1.25 & söns 🦉")
			fake.SetStatus(sids[3], twiliotest.Suspended)
			fake.SetStatus(sids[4], twiliotest.Closed)
			key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
			byToken := provider(t, fake, &twilioacct.Options{
				HTTPClient: checked(t, fake), CacheTime: -1, Store: twilioacct.NewMemStore().Making(),
			})
			byKey, err := twilioacct.New(twilioacct.Credentials{
				AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
			}, &twilioacct.Options{HTTPClient: checked(t, fake), CacheTime: -1})
			require.NoError(t, err)

			for _, p := range []*twilioacct.Provider{byToken, byKey} {
				for _, sid := range []string{fake.Parent().SID, acme.SID, sids[3], sids[4]} {
					_, err := p.Account(t.Context(), sid)
					require.NoError(t, err)
				}
				for _, filter := range []*twilioacct.AccountFilter{nil, {FriendlyName: acme.FriendlyName}, {Status: twilioacct.StatusClosed}} {
					for _, err := range p.Accounts(t.Context(), filter) {
						require.NoError(t, err)
					}
				}
				for _, code := range []int{20404, 20403, 20003} {
					_, err := p.Account(t.Context(), fake.AddForeignAccount(code).SID)
					require.Error(t, err)
				}
			}
			_, err = byToken.Subaccount(acme.SID).Account(t.Context())
			require.NoError(t, err)
			_, err = byToken.Sync(t.Context(), acme.SID)
			require.NoError(t, err)
		})
	}
}

func TestWhatASyncOfTheFleetSendsAndTheFakeAnswersIsWhatTwilioDocuments(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]twiliotest.HiddenToken{
		"an empty token": twiliotest.TokenEmpty, "a null token": twiliotest.TokenNull, "no token": twiliotest.TokenAbsent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := twiliotest.NewServer(t, twiliotest.WithHiddenToken(hidden))
			records := fleet(fake)
			parent := fake.Parent()
			key := fake.AddKey(parent.SID, twiliotest.MainKey)
			for _, credentials := range []twilioacct.Credentials{
				{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)},
				{AccountSID: parent.SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret)},
			} {
				fake.ForgetRequests()
				p, err := twilioacct.New(credentials, &twilioacct.Options{HTTPClient: checked(t, fake), Store: twilioacct.NewMemStore(records...)})
				require.NoError(t, err)
				fake.Inject(twiliotest.Fault{Operation: "ListAccount", Status: 400, Code: 70002})
				report, err := p.SyncAll(t.Context(), &twilioacct.SyncAllOptions{PageSize: 100, MarkGone: true})
				require.NoError(t, err)
				assert.True(t, report.Complete)
				assert.Equal(t, 50, report.PageSize, "Twilio has refused the larger one")
				assert.Equal(t, 4, report.Failed, "of others, and one that is deleted")
				assert.Equal(t, credentials.APIKeySID != "", report.TokensHidden)
				assert.GreaterOrEqual(t, fake.Count("FetchAccount"), 4)
				dashboard, err := p.Dashboard(t.Context())
				require.NoError(t, err)
				assert.Len(t, dashboard.Accounts, len(records)-4)
			}
		})
	}
}

// fleet is a few pages of accounts of all kinds, and the records of some, as an application may have them.
func fleet(fake *twiliotest.Server) (records []twilioacct.Record) {
	sids := fake.AddSubaccounts(240)
	fake.SetStatus(sids[3], twiliotest.Suspended)
	fake.SetStatus(sids[4], twiliotest.Closed)
	fake.Rename(sids[5], "acme v1.25 & söns 🦉")
	deleted := fake.AddSubaccount("deleted").SID
	fake.DeleteAccount(deleted)
	sids = append(sids[:200], deleted)
	for _, code := range []int{20404, 20403, 20003} {
		sids = append(sids, fake.AddForeignAccount(code).SID)
	}
	for _, sid := range sids {
		records = append(records, twilioacct.Record{SID: sid})
	}
	return records
}

// The operations that the provider does not use yet are driven through twilio-go's own client.
func TestEveryOperationOfTheFakeIsAsTwilioDocumentsIt(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	parent := fake.Parent()
	stock := &client.Client{Credentials: client.NewCredentials(parent.SID, parent.AuthToken), HTTPClient: checked(t, fake)}
	stock.SetAccountSid(parent.SID)
	service := api.NewApiService(&client.RequestHandler{Client: stock})

	made, err := service.CreateAccount(new(api.CreateAccountParams).SetFriendlyName("acme"))
	require.NoError(t, err)
	unnamed, err := service.CreateAccount(nil)
	require.NoError(t, err)
	_, err = service.UpdateAccount(*made.Sid, new(api.UpdateAccountParams).SetFriendlyName("acme & sons"))
	require.NoError(t, err)
	for _, status := range []string{"suspended", "active", "closed"} {
		changed, err := service.UpdateAccount(*unnamed.Sid, new(api.UpdateAccountParams).SetStatus(status))
		require.NoError(t, err)
		assert.Equal(t, status, *changed.Status)
	}
	fetched, err := service.FetchAccount(*made.Sid)
	require.NoError(t, err)
	assert.Equal(t, "acme & sons", *fetched.FriendlyName)

	// Refusals are held against the form of Twilio's errors.
	for _, refused := range []func() error{
		func() error {
			_, err := service.UpdateAccount(*unnamed.Sid, new(api.UpdateAccountParams).SetStatus("active"))
			return err
		},
		func() error {
			_, err := service.UpdateAccount(parent.SID, new(api.UpdateAccountParams).SetStatus("closed"))
			return err
		},
		func() error { _, err := service.FetchAccount("ACffffffffffffffffffffffffffffffff"); return err },
	} {
		var theirs *client.TwilioRestError
		require.ErrorAs(t, refused(), &theirs)
		assert.NotZero(t, theirs.Code)
	}

	fake.AddSubaccounts(120)
	list, err := service.ListAccount(new(api.ListAccountParams).SetPageSize(50))
	require.NoError(t, err)
	assert.Len(t, list, 123)
}
