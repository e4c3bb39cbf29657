package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// article is the flow of Twilio's article on subaccounts, as a Spec that moves a number of the parent's.
func article(number twiliotest.PhoneNumber) twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Number:       &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumberSID: number.SID}},
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	}
}

// buying is the same with a number that is bought.
func buying() twilioacct.Spec {
	return twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Key:          "customer-7 v1.25",
		Number: &twilioacct.NumberSpec{
			Buy:      &twilioacct.NumberSearch{AreaCode: 415},
			Settings: twilioacct.PhoneNumberSettings{SMSURL: new("https://falcon.example/sms"), SMSMethod: new("GET")},
		},
		Messaging: &twilioacct.MessagingSpec{
			FriendlyName: "falconFlightNotifications",
			Settings:     twilioacct.MessagingServiceSettings{StickySender: new(false)},
		},
	}
}

// owlie is the article's company: a number with URLs, in a messaging service of the parent's.
func owlie(fake *twiliotest.Server) twiliotest.PhoneNumber {
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		PhoneNumber: "+14158740103", VoiceURL: "https://demo.twilio.com/welcome/voice/", SMSURL: "https://demo.twilio.com/welcome/sms/reply",
	})
	fake.AddMessagingService(fake.Parent().SID, twiliotest.MessagingService{FriendlyName: "owlie", PhoneNumberSIDs: []string{number.SID}})
	return number
}

func stepsOf(all []twilioacct.Step) (did []string) {
	for _, s := range all {
		did = append(did, string(s.Name)+" "+string(s.Did))
	}
	return did
}

func TestTheArticlesFlowIsOneCallWithTheRequestsOfTheArticleAndTheLooksItNeeds(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: "+14158740103"})
	var observed []twilioacct.Step
	spec := article(number)
	spec.Observe = func(s twilioacct.Step) { observed = append(observed, s) }

	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"parent ListAccount",              // is there one already?
		"parent FetchIncomingPhoneNumber", // what is it set to?
		"parent ListService",              // is it in a messaging service of the parent's?
		"parent CreateAccount",
		"parent UpdateIncomingPhoneNumber",
		"parent FetchIncomingPhoneNumber", // has it arrived?
		"tenant CreateService",
		"tenant CreatePhoneNumber",
	}, signedRequests(fake))
	for _, r := range fake.Requests() {
		assert.Contains(t, []string{fake.Parent().SID, has.Account.SID}, r.Account)
	}
	assert.Equal(t, []string{"subaccount made", "number moved", "messaging_service made", "sender made"}, stepsOf(has.Steps))
	assert.Equal(t, has.Steps, observed)
	assert.Equal(t, has.Account.SID, has.Number.AccountSID)
	assert.Equal(t, has.Account.SID, has.Service.AccountSID)
	for i, sid := range []string{has.Account.SID, number.SID, has.Service.SID, number.SID} {
		assert.Equal(t, sid, has.Steps[i].SID)
	}
	service, _ := fake.MessagingService(has.Service.SID)
	assert.Equal(t, []string{number.SID}, service.PhoneNumberSIDs)
	assert.True(t, service.UseInboundWebhookOnNumber, "inbound messages go where they went before")
}

func TestARepeatedRunOnlyLooks(t *testing.T) {
	t.Parallel()
	for name, of := range specs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
			spec := of(fake)
			first, err := p.Provision(t.Context(), spec)
			require.NoError(t, err)
			fake.ForgetRequests()
			again, err := p.Provision(t.Context(), spec)
			require.NoError(t, err)
			for _, r := range fake.Requests() {
				assert.Equal(t, http.MethodGet, r.Method, r.Operation)
			}
			for _, s := range again.Steps {
				assert.Equal(t, twilioacct.DidFind, s.Did, s.Name)
			}
			assert.Equal(t, first.Account.SID, again.Account.SID)
			assert.Equal(t, first.Number, again.Number)
			assert.Equal(t, first.Service, again.Service)
		})
	}
}

// specs are the ways to a number.
var specs = map[string]func(*twiliotest.Server) twilioacct.Spec{
	"a number that is moved": func(fake *twiliotest.Server) twilioacct.Spec { return article(owlie(fake)) },
	"a number that is moved, by its digits": func(fake *twiliotest.Server) twilioacct.Spec {
		number := owlie(fake)
		spec := article(number)
		spec.Number = &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: number.PhoneNumber}}
		return spec
	},
	"a number that is bought": func(*twiliotest.Server) twilioacct.Spec { return buying() },
	"calls, with a number that is bought": func(*twiliotest.Server) twilioacct.Spec {
		spec := talking(&twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}})
		spec.Voice.Token = nil
		return spec
	},
	"calls, of a subaccount that has numbers": func(fake *twiliotest.Server) twilioacct.Spec {
		acme := fake.AddSubaccount("acme").SID
		for _, n := range []twiliotest.PhoneNumber{{VoiceURL: "https://acme.example/old"}, {TrunkSID: aTrunk}, {VoiceMethod: "GET"}} {
			fake.AddPhoneNumber(acme, n)
		}
		spec := talking(nil)
		spec.FriendlyName, spec.AccountSID, spec.Voice.Token = "", acme, nil
		spec.Voice.Incoming.Handler.URL = "https://acme.example/answer"
		return spec
	},
	"a number that is moved to a subaccount that exists": func(fake *twiliotest.Server) twilioacct.Spec {
		spec := article(owlie(fake))
		spec.FriendlyName, spec.AccountSID = "", fake.AddSubaccount("acme").SID
		return spec
	},
}

func TestAPlanShowsWhatARunWouldDoAndChangesNothing(t *testing.T) {
	t.Parallel()
	for name, of := range specs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
			spec := of(fake)
			plan, err := p.Plan(t.Context(), spec)
			require.NoError(t, err)
			for _, r := range fake.Requests() {
				assert.Equal(t, http.MethodGet, r.Method, r.Operation)
			}
			has, err := p.Provision(t.Context(), spec)
			require.NoError(t, err)
			assert.Equal(t, stepsOf(has.Steps), stepsOf(plan.Steps))
			switch {
			case spec.Number == nil:
				assert.Equal(t, has.Incoming, plan.Incoming)
			case spec.Number.Buy != nil:
				assert.Equal(t, has.Number.PhoneNumber, plan.Buys[0].PhoneNumber)
			default:
				assert.NotEmpty(t, plan.Transfer.LeavesService)
				assert.Equal(t, has.Number.SID, plan.Transfer.Number.SID)
			}
			again, err := p.Plan(t.Context(), spec)
			require.NoError(t, err)
			for _, s := range again.Steps {
				assert.Equal(t, twilioacct.DidFind, s.Did, s.Name)
				assert.Equal(t, s.Name == twilioacct.StepIncoming, s.SID == "", s.Name)
			}
		})
	}
}

// ending is what is there at the end, without what differs from run to run.
type ending struct {
	Accounts, Services []string
	Numbers            []string
	Applications       []string
	Tokens, Keys       int // that the store holds rightly
}

func endingOf(t *testing.T, fake *twiliotest.Server, store twilioacct.Store) ending {
	t.Helper()
	var w ending
	for _, a := range append(fake.Subaccounts(), fake.Parent()) {
		w.Accounts = append(w.Accounts, a.FriendlyName+" "+a.Status)
		if r, err := store.Load(t.Context(), a.SID); err == nil && r.AuthToken.Reveal() == a.AuthToken {
			w.Tokens++
		}
		w.Keys += goodKeys(t, fake, store, a.SID)
		for _, app := range fake.Applications(a.SID) {
			w.Applications = append(w.Applications, fmt.Sprint(a.FriendlyName, " ", app.FriendlyName, " ", app.VoiceURL))
		}
		for _, n := range fake.PhoneNumbers(a.SID) {
			w.Numbers = append(w.Numbers, fmt.Sprint(a.FriendlyName, " ", n.FriendlyName, " ", n.SMSURL, " ", n.SMSMethod, " ",
				n.VoiceURL, " ", n.VoiceMethod, " ", n.VoiceApplicationSID != "", " ", n.TrunkSID))
		}
		for _, s := range fake.MessagingServices(a.SID) {
			w.Services = append(w.Services, fmt.Sprint(a.FriendlyName, " ", s.FriendlyName, " ", len(s.PhoneNumberSIDs), " ", s.StickySender))
		}
	}
	return w
}

// goodKeys counts the keys of the account that the store has with their right secrets.
func goodKeys(t *testing.T, fake *twiliotest.Server, store twilioacct.Store, account string) (good int) {
	t.Helper()
	r, err := store.Load(t.Context(), account)
	if errors.Is(err, twilioacct.ErrNoRecord) {
		return 0
	}
	require.NoError(t, err)
	for _, kept := range r.APIKeys {
		if key, ok := fake.Key(kept.SID); ok && key.AccountSID == account && key.Secret == kept.Secret.Reveal() {
			good++
		}
	}
	return good
}

// cleanRun is how it all is after a run that nothing disturbs, and how many requests that takes.
func cleanRun(t *testing.T, of func(*twiliotest.Server) twilioacct.Spec) (ending, int) {
	t.Helper()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, withStore(store))
	_, err := p.Provision(t.Context(), of(fake))
	require.NoError(t, err)
	return endingOf(t, fake, store), fake.Count("")
}

// lostReplies and the others are all ways in which a request can fail.
var requestFaults = map[string]twiliotest.Fault{
	"a reset before":      {Reset: true},
	"a reset after":       {Reset: true, AfterEffect: true},
	"500 before":          {Status: 500},
	"503 after":           {Status: 503, AfterEffect: true},
	"HTML after":          {Status: 502, HTML: true, AfterEffect: true},
	"an empty reply":      {Status: 200, Body: []byte{}, AfterEffect: true},
	"half a reply":        {Truncate: 25},
	"an odd reply":        {Status: 200, Body: []byte(`{"sid":7}`), AfterEffect: true},
	"429":                 {Status: 429, RetryAfter: "1"},
	"429 of another kind": {Status: 429, Code: 60203},
	"401":                 {Status: 401},
	"403":                 {Status: 403, Code: 20403},
	"400":                 {Status: 400, Code: 20001},
	"404":                 {Code: 20404},
	"410":                 {Status: 410, Code: 20410},
	"409":                 {Status: 409, Code: 20409},
	"a hang after":        {Hang: true, AfterEffect: true},
}

func TestWhateverFailsARepeatedRunEndsAsACleanOneAndMakesNothingTwice(t *testing.T) {
	t.Parallel()
	for specName, of := range specs {
		want, requests := cleanRun(t, of)
		for faultName, fault := range requestFaults {
			for on := 1; on <= requests; on++ {
				t.Run(fmt.Sprintf("%s, %s, request %d", specName, faultName, on), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						store := twilioacct.NewMemStore().Making()
						fake := twiliotest.NewServer(t)
						spec := of(fake)
						nth := fault
						nth.On = on
						fake.Inject(nth)
						has, err := providerOn(t, fake, withStore(store)).Provision(t.Context(), spec)
						checkHas(t, fake, spec, has, err)
						fake.ClearFaults()
						has, err = providerOn(t, fake, withStore(store)).Provision(t.Context(), spec) // as another process would
						require.NoError(t, err)
						assert.Equal(t, want, endingOf(t, fake, store))
						checkStrays(t, fake, has)
					})
				})
			}
		}
	}
}

// checkHas asserts that what a run returns is there, and that its error names the step.
func checkHas(t *testing.T, fake *twiliotest.Server, spec twilioacct.Spec, has twilioacct.Provisioned, err error) {
	t.Helper()
	if sid := has.Account.SID; sid != "" {
		_, ok := fake.Account(sid)
		assert.True(t, ok)
	}
	if sid := has.Service.SID; sid != "" {
		_, ok := fake.MessagingService(sid)
		assert.True(t, ok)
	}
	if sid := has.Application.SID; sid != "" {
		_, ok := fake.Application(sid)
		assert.True(t, ok)
	}
	if err == nil {
		clean, want := providerOn(t, fake, withStore(twilioacct.NewMemStore().Making())).Plan(t.Context(), spec)
		require.NoError(t, want)
		assert.Len(t, has.Steps, len(clean.Steps))
		return
	}
	var step *twilioacct.StepError
	require.ErrorAs(t, err, &step)
	last := has.Steps[len(has.Steps)-1]
	assert.Equal(t, step.Step, last.Name)
	assert.Equal(t, twilioacct.DidFail, last.Did)
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
}

// checkStrays asserts that every key whose secret nobody has is named.
func checkStrays(t *testing.T, fake *twiliotest.Server, has twilioacct.Provisioned) {
	t.Helper()
	var left []string
	for _, key := range fake.Keys(has.Account.SID) {
		if key.SID != has.APIKey.Key.SID {
			left = append(left, key.SID)
		}
	}
	var named []string
	for _, key := range has.APIKey.Strays {
		named = append(named, key.SID)
	}
	assert.ElementsMatch(t, left, named)
}

func TestARunThatIsKilledAnywhereIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const seeds = 60
	for specName, of := range specs {
		want, requests := cleanRun(t, of)
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s, seed %d", specName, seed), func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(uint64(seed), 6))
				store := twilioacct.NewMemStore().Making()
				fake := twiliotest.NewServer(t)
				spec := of(fake)
				for range 5 { // processes that die, each at some request, before or after it is carried out
					p := providerOn(t, fake, func(o *twilioacct.Options) {
						o.Store, o.MaxRetryWait = store, -1
						o.HTTPClient = dying(o.HTTPClient, random.IntN(requests+1), random.IntN(2) == 0)
					})
					_, _ = p.Provision(t.Context(), spec)
				}
				has, err := providerOn(t, fake, withStore(store)).Provision(t.Context(), spec)
				require.NoError(t, err)
				assert.Equal(t, want, endingOf(t, fake, store))
				checkStrays(t, fake, has)
			})
		}
	}
}

var errKilled = errors.New("the process is dead")

// dying is a client of a process that is killed at its nth request: nothing that it does from then on has any effect.
func dying(alive *http.Client, nth int, isCarriedOut bool) *http.Client {
	var requests atomic.Int64
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		n := int(requests.Add(1))
		if n == nth && isCarriedOut {
			if resp, err := alive.Transport.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
		}
		if n >= nth {
			return nil, errKilled
		}
		return alive.Transport.RoundTrip(r)
	})}
}

func TestA404ThatIsNotTwiliosMakesNothingTwice(t *testing.T) {
	t.Parallel()
	for name, fault := range notTwilios {
		for specName, of := range specs {
			want, requests := cleanRun(t, of)
			for on := 1; on <= requests; on++ {
				store := twilioacct.NewMemStore().Making()
				fake := twiliotest.NewServer(t)
				spec := of(fake)
				p := providerOn(t, fake, withStore(store))
				_, err := p.Provision(t.Context(), spec)
				require.NoError(t, err)
				nth := fault
				nth.On = on
				fake.Inject(nth)
				_, _ = p.Provision(t.Context(), spec) // a repeated run, whose nth look is answered by a proxy
				fake.ClearFaults()
				_, err = p.Provision(t.Context(), spec)
				require.NoError(t, err)
				assert.Equal(t, want, endingOf(t, fake, store), "%s, %s, request %d", name, specName, on)
			}
		}
	}
}

func TestAStoreThatFailsEndsTheRunAndARepeatedOneSavesTheToken(t *testing.T) {
	t.Parallel()
	kept := twilioacct.NewMemStore().Making()
	isAway := true
	fake, p := setup(t, withStore(storeFuncs{
		load: kept.Load,
		save: func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if isAway {
				return twilioacct.Record{}, errAway
			}
			return kept.Save(ctx, r)
		},
	}))
	spec := article(owlie(fake))
	has, err := p.Provision(t.Context(), spec)
	var storeErr *twilioacct.StoreError
	require.ErrorAs(t, err, &storeErr)
	assert.Equal(t, fake.Subaccounts()[0].SID, has.Account.SID)
	assert.Equal(t, []string{"subaccount failed"}, stepsOf(has.Steps))
	assert.Equal(t, has.Account.SID, has.Steps[0].SID)

	isAway = false
	again, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, has.Account.SID, again.Account.SID)
	record, err := kept.Load(t.Context(), has.Account.SID)
	require.NoError(t, err)
	assert.Equal(t, fake.Subaccounts()[0].AuthToken, record.AuthToken.Reveal())
}

func TestTwoOfWhatShouldBeOneAreAmbiguous(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		double func(fake *twiliotest.Server, sub string)
		step   twilioacct.StepName
	}{
		"subaccounts": {func(fake *twiliotest.Server, _ string) { fake.AddSubaccount("FalconFlights") }, twilioacct.StepSubaccount},
		"numbers with the Spec's key": {func(fake *twiliotest.Server, sub string) {
			for range 2 {
				fake.AddPhoneNumber(sub, twiliotest.PhoneNumber{FriendlyName: "customer-7 v1.25"})
			}
		}, twilioacct.StepNumber},
		"services": {func(fake *twiliotest.Server, sub string) {
			for range 2 {
				fake.AddMessagingService(sub, twiliotest.MessagingService{FriendlyName: "falconFlightNotifications"})
			}
		}, twilioacct.StepService},
	} {
		fake, p := setup(t, nil)
		c.double(fake, fake.AddSubaccount("FalconFlights").SID)
		_, err := p.Provision(t.Context(), buying())
		require.ErrorIs(t, err, twilioacct.ErrAmbiguous, name)
		var step *twilioacct.StepError
		require.ErrorAs(t, err, &step, name)
		assert.Equal(t, c.step, step.Step, name)
	}
}

func TestANumberThatIsGoneMeanwhileIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	fake.Inject(twiliotest.Fault{Operation: "CreateIncomingPhoneNumber", Code: 21422, Times: 2})
	has, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, 3, fake.Count("CreateIncomingPhoneNumber"))
	assert.Len(t, fake.PhoneNumbers(has.Account.SID), 1)

	fake, p = setup(t, nil)
	fake.Inject(twiliotest.Fault{Operation: "CreateIncomingPhoneNumber", Code: 21422, Times: twiliotest.Always})
	_, err = p.Provision(t.Context(), buying())
	require.ErrorIs(t, err, twilioacct.ErrConflict)
	assert.Equal(t, 10, fake.Count("CreateIncomingPhoneNumber"))
}

func TestTenantsWhoSearchForTheSameAtOnceAllGetANumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, p := setup(t, nil)
		fake.Inject(twiliotest.Fault{Delay: 50 * time.Millisecond, Times: twiliotest.Always}) // so that all of them search first
		var all sync.WaitGroup
		for tenant := range 16 {
			all.Go(func() {
				spec := buying()
				spec.FriendlyName = fmt.Sprint("tenant ", tenant)
				_, err := p.Provision(t.Context(), spec)
				assert.NoError(t, err)
			})
		}
		all.Wait()
		for _, a := range fake.Subaccounts() {
			assert.Len(t, fake.PhoneNumbers(a.SID), 1)
		}
	})
}

func TestATenantThatIsNotActiveGetsNothing(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	number := owlie(fake)
	acme := fake.AddSubaccount("FalconFlights").SID
	fake.SetStatus(acme, twiliotest.Suspended)
	has, err := p.Provision(t.Context(), article(number))
	require.ErrorIs(t, err, twilioacct.ErrSuspended)
	assert.Equal(t, acme, has.Account.SID)
	unchanged(t, fake, number)

	fake.SetStatus(acme, twiliotest.Closed)
	spec := article(number)
	spec.FriendlyName, spec.AccountSID = "", acme
	_, err = p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrClosed)

	has, err = p.Provision(t.Context(), article(number)) // a closed one of that name is no obstacle
	require.NoError(t, err)
	assert.NotEqual(t, acme, has.Account.SID)
}

func TestANumberOfTheTenantsOwnIsFoundWhereverItIsSaidToComeFrom(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	number := fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
	for _, from := range []string{"", acme, fake.AddSubaccount("other").SID} {
		spec := article(number)
		spec.Number.Move.FromSID = from
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, twilioacct.DidFind, has.Steps[1].Did)
	}
}

func TestSettingsOfTheSpecAreSetAgainWhereTheyHaveDrifted(t *testing.T) {
	t.Parallel()
	_, p := setup(t, nil)
	has, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, "https://falcon.example/sms", has.Number.SMSURL)
	assert.Equal(t, "customer-7 v1.25", has.Number.FriendlyName)
	acme := p.Subaccount(has.Account.SID)
	_, err = acme.ConfigureNumber(t.Context(), has.Number.SID, twilioacct.PhoneNumberSettings{SMSMethod: new("POST")})
	require.NoError(t, err)
	_, err = acme.ConfigureMessagingService(t.Context(), has.Service.SID, twilioacct.MessagingServiceSettings{StickySender: new(true)})
	require.NoError(t, err)

	again, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, "GET", again.Number.SMSMethod)
	assert.False(t, again.Service.StickySender)
	assert.Equal(t, has.Number.SID, again.Number.SID)
}

func TestAServiceThatWouldLoseInboundMessagesGetsNoNumber(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	service := fake.AddMessagingService(acme, twiliotest.MessagingService{FriendlyName: "falconFlightNotifications"})
	spec := article(owlie(fake))
	has, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrInboundLost)
	assert.Equal(t, []string{"subaccount found", "messaging_service found", "sender failed"}, stepsOf(has.Steps))
	assert.Empty(t, fake.PhoneNumbers(acme), "nothing was moved before that showed")

	spec.Messaging.Settings.LoseInbound = true
	_, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	now, _ := fake.MessagingService(service.SID)
	assert.Len(t, now.PhoneNumberSIDs, 1)
}

func TestASpecThatCannotBeIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	pn := "PN" + unknownSID[2:]
	type (
		spec   = twilioacct.Spec
		number = twilioacct.NumberSpec
		move   = twilioacct.NumberTransfer
	)
	search := &twilioacct.NumberSearch{}
	for name, s := range map[string]spec{
		"nothing":                    {},
		"a name and a SID":           {FriendlyName: "x", AccountSID: unknownSID},
		"a name with a line end":     {FriendlyName: "x\n"},
		"a number for an account":    {AccountSID: pn},
		"the parent":                 {AccountSID: fake.Parent().SID},
		"a long key":                 {FriendlyName: "x", Key: strings.Repeat("x", 65), Number: &number{Buy: search}},
		"a number without a key":     {FriendlyName: "x", Number: &number{Buy: search}},
		"an empty number":            {FriendlyName: "x", Number: &number{}},
		"two numbers":                {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: pn, PhoneNumber: "+14155550100"}}},
		"no number to be moved":      {FriendlyName: "x", Number: &number{Move: &move{}}},
		"a number and a search":      {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: pn}, Buy: search}},
		"a bad number":               {FriendlyName: "x", Number: &number{Move: &move{PhoneNumber: "415"}}},
		"a bad SID of a number":      {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: unknownSID}}},
		"a bad search":               {FriendlyName: "x", Key: "k", Number: &number{Buy: &twilioacct.NumberSearch{Country: "usa"}}},
		"a move that is told twice":  {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: pn, ToSID: unknownSID}}},
		"a move from nowhere":        {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: pn, FromSID: "AC"}}},
		"a move with a bad app":      {FriendlyName: "x", Number: &number{Move: &move{PhoneNumberSID: pn, SMSApplicationSID: pn}}},
		"a bought number's own name": {FriendlyName: "x", Key: "k", Number: &number{Buy: search, Settings: twilioacct.PhoneNumberSettings{FriendlyName: new("y")}}},
		"a bad URL":                  {FriendlyName: "x", Key: "k", Number: &number{Buy: search, Settings: twilioacct.PhoneNumberSettings{SMSURL: new("y")}}},
		"a service without a name":   {FriendlyName: "x", Messaging: &twilioacct.MessagingSpec{}},
		"a service with two names": {FriendlyName: "x", Messaging: &twilioacct.MessagingSpec{
			FriendlyName: "y", Settings: twilioacct.MessagingServiceSettings{FriendlyName: new("z")},
		}},
		"a bad setting of a service": {FriendlyName: "x", Messaging: &twilioacct.MessagingSpec{
			FriendlyName: "y", Settings: twilioacct.MessagingServiceSettings{InboundURL: new("z")},
		}},
	} {
		_, err := p.Provision(t.Context(), s)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
		_, err = p.Plan(t.Context(), s)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	assert.Zero(t, fake.Count(""))
}

func TestATenantCanHaveLessThanAll(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	has, err := p.Provision(t.Context(), twilioacct.Spec{FriendlyName: "FalconFlights"})
	require.NoError(t, err)
	assert.Equal(t, []string{"subaccount made"}, stepsOf(has.Steps))
	assert.Equal(t, twilioacct.ReasonNoService, has.Ready.Reasons[0].Kind)

	has, err = p.Provision(t.Context(), twilioacct.Spec{FriendlyName: "FalconFlights", Messaging: &twilioacct.MessagingSpec{FriendlyName: "x"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"subaccount found", "messaging_service made"}, stepsOf(has.Steps))
	assert.Len(t, fake.MessagingServices(has.Account.SID), 1)
	assert.False(t, has.Ready.OK)
}

// requireUntouched asserts that a run which could not succeed has changed nothing.
func requireUntouched(t *testing.T, fake *twiliotest.Server, p *twilioacct.Provider, spec twilioacct.Spec, kind error, step twilioacct.StepName) {
	t.Helper()
	before := holdings(fake)
	for name, run := range map[string]func() error{
		"Plan":      func() error { return second(p.Plan(t.Context(), spec)) },
		"Provision": func() error { return second(p.Provision(t.Context(), spec)) },
	} {
		err := run()
		require.ErrorIs(t, err, kind, name)
		var failed *twilioacct.StepError
		require.ErrorAs(t, err, &failed, name)
		assert.Equal(t, step, failed.Step, name)
		assert.Equal(t, before, holdings(fake), name)
	}
}

func TestWhatCannotSucceedChangesNothing(t *testing.T) {
	t.Parallel()
	type world struct {
		fake *twiliotest.Server
		spec twilioacct.Spec
	}
	voice := twiliotest.Capabilities{Voice: true}
	for name, c := range map[string]struct {
		prepare func(w *world)
		kind    error
		step    twilioacct.StepName
	}{
		"a number that nobody has": {func(w *world) {
			w.spec.Number.Move.PhoneNumberSID = "PN" + unknownSID[2:]
		}, twilioacct.ErrNotFound, twilioacct.StepNumber},
		"a number of a suspended account": {func(w *world) {
			from := w.fake.AddSubaccount("from").SID
			n := w.fake.AddPhoneNumber(from, twiliotest.PhoneNumber{})
			w.fake.SetStatus(from, twiliotest.Suspended)
			w.spec.Number.Move = &twilioacct.NumberTransfer{PhoneNumberSID: n.SID, FromSID: from}
		}, twilioacct.ErrSuspended, twilioacct.StepNumber},
		"a number that needs an address": {func(w *world) {
			n := w.fake.AddPhoneNumber(w.fake.Parent().SID, twiliotest.PhoneNumber{AddressRequirements: "any"})
			w.spec.Number.Move.PhoneNumberSID = n.SID
		}, twilioacct.ErrInvalid, twilioacct.StepNumber},
		"a number that cannot send": {func(w *world) {
			n := w.fake.AddPhoneNumber(w.fake.Parent().SID, twiliotest.PhoneNumber{Capabilities: voice})
			w.spec.Number.Move.PhoneNumberSID = n.SID
		}, twilioacct.ErrConflict, twilioacct.StepNumber},
		"a number on offer that cannot send": {func(w *world) {
			w.fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+12125550177", Capabilities: voice})
			w.spec.Key, w.spec.Number = "k", &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{Contains: "2125550177"}}
		}, twilioacct.ErrNotFound, twilioacct.StepNumber},
		"numbers on offer that need an address": {func(w *world) {
			w.spec.Key, w.spec.Number = "k", &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{Country: "FR", Type: twilioacct.NumberMobile}}
		}, twilioacct.ErrInvalid, twilioacct.StepNumber},
		"a service without a webhook": {func(w *world) {
			w.spec.Messaging.Settings.UseNumberWebhook = new(false)
		}, twilioacct.ErrInboundLost, twilioacct.StepService},
		"a number in another service of the tenant's": {func(w *world) {
			acme := w.fake.AddSubaccount("FalconFlights").SID
			n := w.fake.AddPhoneNumber(acme, twiliotest.PhoneNumber{})
			w.fake.AddMessagingService(acme, twiliotest.MessagingService{FriendlyName: "other", PhoneNumberSIDs: []string{n.SID}})
			w.spec.Number.Move.PhoneNumberSID = n.SID
		}, twilioacct.ErrConflict, twilioacct.StepSender},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := setup(t, nil)
			w := &world{fake, article(owlie(fake))}
			c.prepare(w)
			requireUntouched(t, fake, p, w.spec, c.kind, c.step)
		})
	}
}

func TestAParentsAPIKeyMakesNothingThatItCouldNotFinish(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	key := fake.AddKey(fake.Parent().SID, twiliotest.MainKey)
	p, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: fake.Parent().SID, APIKeySID: key.SID, APISecret: twilioacct.NewSecret(key.Secret),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	require.NoError(t, err)
	number := owlie(fake)
	requireUntouched(t, fake, p, article(number), twilioacct.ErrForbidden, twilioacct.StepSubaccount)
	to := fake.AddSubaccount("to").SID
	before := holdings(fake)
	_, err = p.TransferNumber(t.Context(), twilioacct.NumberTransfer{PhoneNumberSID: number.SID, ToSID: to})
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.Equal(t, before, holdings(fake))
}

func TestAPlanSaysWhichSettingsWouldBeSetAndSetsNone(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	has, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	acme := p.Subaccount(has.Account.SID)
	_, err = acme.ConfigureNumber(t.Context(), has.Number.SID, twilioacct.PhoneNumberSettings{SMSURL: new("")})
	require.NoError(t, err)
	_, err = acme.ConfigureMessagingService(t.Context(), has.Service.SID, twilioacct.MessagingServiceSettings{StickySender: new(true)})
	require.NoError(t, err)
	before := holdings(fake)

	plan, err := p.Plan(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, before, holdings(fake))
	again, err := p.Provision(t.Context(), buying())
	require.NoError(t, err)
	assert.Equal(t, plan.Steps, again.Steps)
	var configured []twilioacct.StepName
	for _, s := range again.Steps {
		if s.Configured {
			configured = append(configured, s.Name)
		}
	}
	assert.Equal(t, []twilioacct.StepName{twilioacct.StepNumber, twilioacct.StepService}, configured)
}

func TestARefusedMoveNamesTheServiceThatTheNumberHasLeft(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	spec := article(owlie(fake))
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Code: 21473})
	has, err := p.Provision(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrForbidden)
	assert.True(t, has.Transfer.LeftService)
	assert.Equal(t, fake.MessagingServices(fake.Parent().SID)[0].SID, has.Transfer.Plan.LeavesService)
	assert.Zero(t, has.Number, "the tenant has none")
	assert.Equal(t, has.Transfer.Plan.Number.SID, has.Steps[1].SID)
}

func TestTheTenantsOwnWordsForAMoveAreSetOnce(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	spec := article(owlie(fake))
	spec.Number.Move.VoiceApplicationSID = fake.AddApplication(acme)
	spec.Number.Settings.SMSApplicationSID = new(fake.AddApplication(acme))
	for range 2 {
		has, err := p.Provision(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, spec.Number.Move.VoiceApplicationSID, has.Number.VoiceApplicationSID)
		assert.Equal(t, *spec.Number.Settings.SMSApplicationSID, has.Number.SMSApplicationSID)
		fake.ForgetRequests()
	}
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method, r.Operation)
	}
}

func TestReadyCountsTheOtherNumbersOfTheServiceToo(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	spec := article(owlie(fake))
	has, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.False(t, has.Ready.OK)
	british := fake.AddPhoneNumber(has.Account.SID, twiliotest.PhoneNumber{PhoneNumber: "+447700900123"})
	acme := p.Subaccount(has.Account.SID)
	_, err = acme.AddSender(t.Context(), twilioacct.Sender{ServiceSID: has.Service.SID, PhoneNumberSID: british.SID})
	require.NoError(t, err)
	has, err = p.Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.True(t, has.Ready.OK)
	assert.Equal(t, acme.Ready(t.Context(), has.Service.SID), has.Ready)
}

func TestOnlyAListThatWasReadToItsEndShowsThatThereIsNone(t *testing.T) {
	t.Parallel()
	// The tenant's token is refused once, and the parent does not find the account at that moment.
	for _, operation := range []string{"ListIncomingPhoneNumber", "ListService"} {
		fake, p := setup(t, nil)
		_, err := p.Provision(t.Context(), buying())
		require.NoError(t, err)
		before := holdings(fake)
		fake.Inject(twiliotest.Fault{Operation: operation, Code: 20003})
		fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Code: 20404})
		_, err = p.Provision(t.Context(), buying())
		require.Error(t, err, operation)
		_, err = p.Provision(t.Context(), buying())
		require.NoError(t, err)
		assert.Equal(t, before, holdings(fake), operation)
	}
	// The account is listed, is to be stored, and is not found then.
	fake, p := setup(t, withStore(twilioacct.NewMemStore().Making()))
	fake.AddSubaccount("FalconFlights")
	fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Code: 20404})
	_, err := p.Provision(t.Context(), buying())
	require.Error(t, err)
	assert.Len(t, fake.Subaccounts(), 1)
}

func TestAnApplicationThatANewSubaccountCannotHaveIsRefusedFirst(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	app := fake.AddApplication(fake.Parent().SID)
	bought, moved := buying(), article(owlie(fake))
	bought.Number.Settings.SMSApplicationSID = &app
	moved.Number.Move.VoiceApplicationSID = app
	for _, spec := range []twilioacct.Spec{bought, moved} {
		requireUntouched(t, fake, p, spec, twilioacct.ErrInvalid, twilioacct.StepNumber)
	}
}

func TestSettingsThatTakeTheLastWebhookAwayAreRefusedFirst(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	spec := buying()
	spec.Messaging.Settings = twilioacct.MessagingServiceSettings{InboundURL: new("https://falcon.example/in")}
	_, err := p.Provision(t.Context(), spec)
	require.NoError(t, err)
	spec.Messaging.Settings.InboundURL, spec.Number.Settings.SMSURL = new(""), new("https://falcon.example/new")
	requireUntouched(t, fake, p, spec, twilioacct.ErrInboundLost, twilioacct.StepService)
}

func TestAPlanTellsNobodyAndShowsWhatAMoveNeeds(t *testing.T) {
	t.Parallel()
	fake, p := setup(t, nil)
	acme := fake.AddSubaccount("FalconFlights").SID
	app := fake.AddApplication(acme)
	parent := fake.Parent().SID
	spec := article(fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{AddressRequirements: "any", SMSApplicationSID: fake.AddApplication(parent)}))
	spec.Observe = func(twilioacct.Step) { t.Error("nothing has been done") }
	spec.Number.Settings.SMSApplicationSID = &app
	plan, err := p.Plan(t.Context(), spec)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Equal(t, []string{"AddressSID"}, plan.Transfer.Need)
	assert.Equal(t, app, plan.Transfer.Lost[0].By)
}

func TestNumbersBehindThoseThatNeedAnAddressAreFound(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	for i := range 25 {
		n := twiliotest.AvailableNumber{PhoneNumber: fmt.Sprintf("+1917555%04d", i), AddressRequirements: twiliotest.AnyAddress}
		if i == 24 {
			n.AddressRequirements = twiliotest.NoAddress
		}
		fake.AddAvailable(n)
	}
	spec := buying()
	spec.Number.Buy = &twilioacct.NumberSearch{AreaCode: 917}
	has, err := providerOn(t, fake, nil).Provision(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "+19175550024", has.Number.PhoneNumber)
}
