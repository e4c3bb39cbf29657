package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

const (
	number    = "+14158740103"
	recipient = "+14155550100"
	service   = "falconFlightNotifications"

	unregistered = " is a long code that is not registered for A2P 10DLC: carriers in the US block it"
)

// world is a Twilio whose parent has a number, which is in a messaging service of the parent's.
func world(t *testing.T) (fake *twiliotest.Server, owned twiliotest.PhoneNumber, env try.Env) {
	t.Helper()
	fake = twiliotest.NewServer(t)
	owned = fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: number, VoiceURL: "https://owlie.example/voice"})
	fake.AddMessagingService(fake.Parent().SID, twiliotest.MessagingService{FriendlyName: "owlie", PhoneNumberSIDs: []string{owned.SID}})
	return fake, owned, try.Online(fake)
}

// did are the steps of a document, such as "number moved".
func (d document) did() []string {
	did := []string{}
	for _, s := range d.Steps {
		did = append(did, string(s.Step)+" "+string(s.Did))
	}
	return did
}

// steps are the first of the five, of each of which a word says what became of it: made/moved/made.
func steps(did string) []string {
	all := strings.Split(did, "/")
	for i := range all {
		all[i] = []string{"subaccount", "number", "messaging_service", "sender", "message"}[i] + " " + all[i]
	}
	return all
}

func read(t *testing.T, got try.Result) document {
	t.Helper()
	var doc document
	got.Document(t, &doc)
	return doc
}

func members(t *testing.T, got try.Result) []string {
	t.Helper()
	var doc map[string]any
	got.Document(t, &doc)
	names := []string{}
	for name := range doc {
		names = append(names, name)
	}
	return names
}

var allMembers = []string{
	"subaccount_sid", "phone_number_sid", "phone_number", "messaging_service_sid", "message_sid", "message_status", "ready", "not_ready",
	"steps",
}

func TestATenantGetsItsAccountItsNumberItsServiceAndItsFirstMessage(t *testing.T) {
	fake, owned, env := world(t)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-number", owned.SID, "-to", recipient, "-body", "Boarding at gate 7")

	assert.Equal(t, 0, got.Status, got.Stderr)
	tenant := fake.Subaccounts()[0]
	services, messages := fake.MessagingServices(tenant.SID), fake.Messages(tenant.SID)
	require.Len(t, services, 1)
	require.Len(t, messages, 1)
	assert.ElementsMatch(t, allMembers, members(t, got))
	assert.Equal(t, document{
		SubaccountSID:       tenant.SID,
		PhoneNumberSID:      owned.SID,
		PhoneNumber:         number,
		MessagingServiceSID: services[0].SID,
		MessageSID:          messages[0].SID,
		MessageStatus:       "accepted",
		NotReady:            []string{owned.SID + unregistered},
		Steps: []step{
			{"subaccount", "made", tenant.SID},
			{"number", "moved", owned.SID},
			{"messaging_service", "made", services[0].SID},
			{"sender", "made", owned.SID},
			{"message", "made", messages[0].SID},
		},
	}, read(t, got))
	assert.Equal(t, "FalconFlights", tenant.FriendlyName)
	assert.Equal(t, service, services[0].FriendlyName)
	assert.Equal(t, []string{owned.SID}, services[0].PhoneNumberSIDs)
	assert.Equal(t, recipient, messages[0].To)
	assert.Equal(t, "Boarding at gate 7", messages[0].Body)
	assert.Empty(t, fake.MessagingServices(fake.Parent().SID)[0].PhoneNumberSIDs, "the number has left the parent's service")
	got.HoldsNoSecret(t, fake, env)
}

func TestEachStepIsSaidWhenItEnds(t *testing.T) {
	fake, owned, env := world(t)

	got := program.Run(t, env, "-name", "FalconFlights", "-number", number, "-to", recipient)

	assert.Equal(t, 0, got.Status)
	tenant := fake.Subaccounts()[0].SID
	service := fake.MessagingServices(tenant)[0].SID
	message := fake.Messages(tenant)[0]
	assert.Equal(t, "MONGODB_URI is not set: the store is in memory (MemStore), empty now and gone when the program ends.\n"+
		"subaccount        made    "+tenant+"\n"+
		"number            moved   "+owned.SID+"\n"+
		"messaging_service made    "+service+"\n"+
		"sender            made    "+owned.SID+"\n"+
		"Not ready: "+owned.SID+unregistered+".\n"+
		"message           made    "+message.SID+"\n", got.Stderr)
	assert.Equal(t, "subaccount         "+tenant+"  FalconFlights\n"+
		"phone number       "+owned.SID+"  "+number+"\n"+
		"messaging service  "+service+"  falconFlightNotifications\n"+
		"message            "+message.SID+"  accepted\n", got.Stdout)
	assert.Equal(t, "Hi there", message.Body)
	got.HoldsNoSecret(t, fake, env)
}

func TestRunTwiceItMakesNothingNewButTheMessage(t *testing.T) {
	for name, wanted := range map[string][]string{
		"a number that is moved": {"-number", number},
		"one that is bought":     {"-area-code", "206"},
	} {
		t.Run(name, func(t *testing.T) {
			fake, _, env := world(t)
			args := append([]string{"-json", "-name", "FalconFlights", "-to", recipient}, wanted...)
			first := read(t, program.Run(t, env, args...))
			fake.ForgetRequests()

			again := program.Run(t, env, args...)

			assert.Equal(t, 0, again.Status)
			second := read(t, again)
			assert.Equal(t, steps("found/found/found/found/made"), second.did())
			for _, r := range fake.Requests() {
				assert.True(t, r.Method == http.MethodGet || r.Operation == "CreateMessage", r.Operation)
			}
			assert.NotEqual(t, first.MessageSID, second.MessageSID)
			second.MessageSID, second.Steps, first.Steps = first.MessageSID, nil, nil
			assert.Equal(t, first, second)
			assert.Len(t, fake.Messages(first.SubaccountSID), 2)
			again.HoldsNoSecret(t, fake, env)
		})
	}
}

func TestANumberIsBoughtInTheAreaAndCanSendMessages(t *testing.T) {
	fake, _, env := world(t)
	fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+12065550199", Capabilities: twiliotest.Capabilities{Voice: true}})

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-area-code", "206")

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, steps("made/made/made/made"), doc.did())
	assert.Regexp(t, `^\+1206`, doc.PhoneNumber)
	bought := fake.PhoneNumbers(doc.SubaccountSID)
	require.Len(t, bought, 1)
	assert.True(t, bought[0].Capabilities.SMS, "the first number of the area can do no more than talk")
	assert.Len(t, fake.PhoneNumbers(fake.Parent().SID), 1, "the parent keeps its own")
	assert.Empty(t, doc.MessageSID)
	assert.Zero(t, fake.Count("CreateMessage"), "nobody was named")
}

func TestWithoutANumberNothingCanBeSentAndThatIsSaid(t *testing.T) {
	fake, _, env := world(t)

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 0, got.Status)
	doc := read(t, got)
	assert.Equal(t, []string{"subaccount made", "messaging_service made"}, doc.did())
	assert.Empty(t, doc.PhoneNumberSID)
	assert.False(t, doc.Ready)
	assert.Equal(t, []string{"there is no number to send from " + doc.MessagingServiceSID}, doc.NotReady)
	assert.Contains(t, got.Stderr, "Nothing can be sent without a number: -number moves one of the parent's, -area-code buys one.\n")

	got = program.Run(t, env, "-json", "-name", "FalconFlights", "-to", recipient)

	assert.Equal(t, 1, got.Status, "Twilio says so, too")
	doc = read(t, got)
	assert.Equal(t, []string{"subaccount found", "messaging_service found", "message failed"}, doc.did())
	assert.Equal(t, 21704, doc.Error.Code)
	assert.Len(t, fake.Subaccounts(), 1)
}

func TestWithoutANumberTheServiceSendsFromWhatItHas(t *testing.T) {
	_, _, env := world(t)
	program.Run(t, env, "-name", "FalconFlights", "-number", number)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-to", recipient)

	assert.Equal(t, 0, got.Status)
	assert.NotContains(t, got.Stderr, "Nothing can be sent")
	assert.Equal(t, []string{"subaccount found", "messaging_service found", "message made"}, read(t, got).did())
}

func TestARegisteredServiceIsReady(t *testing.T) {
	fake, _, env := world(t)
	first := read(t, program.Run(t, env, "-json", "-name", "FalconFlights", "-number", number))
	assert.False(t, first.Ready)
	fake.RegisterA2P(first.MessagingServiceSID)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-number", number)

	doc := read(t, got)
	assert.True(t, doc.Ready)
	assert.Empty(t, doc.NotReady)
	assert.Contains(t, got.Stdout, `"not_ready": []`, "an empty list is a list")
	assert.NotContains(t, got.Stderr, "Not ready")
}

func TestWhatWasMadeBeforeAFailureHasItsSIDAndTheNextRunGoesOnFromThere(t *testing.T) {
	for operation, c := range map[string]struct{ failed, again string }{
		"CreateAccount":             {"failed", "made/moved/made/made/made"},
		"UpdateIncomingPhoneNumber": {"made/failed", "found/moved/made/made/made"},
		"CreateService":             {"made/moved/failed", "found/found/made/made/made"},
		"CreatePhoneNumber":         {"made/moved/made/failed", "found/found/found/made/made"},
		"CreateMessage":             {"made/moved/made/made/failed", "found/found/found/found/made"},
	} {
		t.Run(operation, func(t *testing.T) {
			fake, owned, env := world(t)
			fake.Inject(twiliotest.Fault{Operation: operation, Code: 20001})
			args := []string{"-json", "-name", "FalconFlights", "-number", number, "-to", recipient}

			got := program.Run(t, env, args...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, steps(c.failed), doc.did())
			assert.ElementsMatch(t, append([]string{"error"}, allMembers...), members(t, got))
			assert.Equal(t, "invalid", doc.Error.Kind)
			assert.Equal(t, 20001, doc.Error.Code)
			assert.Contains(t, got.Stderr, "invalid (code 20001, request ")
			made := strings.Join(doc.did(), " ")
			assert.Equal(t, strings.Contains(made, "subaccount made"), doc.SubaccountSID != "")
			assert.Equal(t, strings.Contains(made, "number moved"), doc.PhoneNumberSID == owned.SID)
			assert.Equal(t, strings.Contains(made, "number moved"), doc.PhoneNumber == number)
			assert.Equal(t, strings.Contains(made, "messaging_service made"), doc.MessagingServiceSID != "")
			assert.Empty(t, doc.MessageSID)
			got.HoldsNoSecret(t, fake, env)

			again := program.Run(t, env, args...)

			assert.Equal(t, 0, again.Status, again.Stderr)
			assert.Equal(t, steps(c.again), read(t, again).did())
		})
	}
}

func TestASubaccountThatIsSuspendedIsSaidToBeReactivatedFirst(t *testing.T) {
	fake, _, env := world(t)
	tenant := fake.AddSubaccount("FalconFlights")
	fake.SetStatus(tenant.SID, twiliotest.Suspended)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-number", number)

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, []step{{"subaccount", "failed", tenant.SID}}, doc.Steps)
	assert.Equal(t, tenant.SID, doc.SubaccountSID)
	assert.Equal(t, "suspended", doc.Error.Kind)
	assert.Contains(t, got.Stderr, tenant.SID+" is suspended: reactivate it first")
	assert.Len(t, fake.PhoneNumbers(fake.Parent().SID), 1, "the number stays where it was")

	got = program.Run(t, env, "-name", "FalconFlights", "-number", number)

	assert.Equal(t, "subaccount  "+tenant.SID+"  FalconFlights\n", got.Stdout, "there is nothing else")
}

func TestTwoSubaccountsOfOneNameAreNamedByTheirSIDs(t *testing.T) {
	fake, _, env := world(t)
	one, other := fake.AddSubaccount("FalconFlights"), fake.AddSubaccount("FalconFlights")

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "ambiguous", doc.Error.Kind)
	assert.Contains(t, doc.Error.Message, one.SID)
	assert.Contains(t, doc.Error.Message, other.SID)
	assert.Contains(t, got.Stderr, "Name the one that is meant by its SID, or rename the others.\n")
	assert.Len(t, fake.Subaccounts(), 2)
}

func TestARecipientWhoHasRepliedSTOPIsSentNothing(t *testing.T) {
	fake, _, env := world(t)
	first := read(t, program.Run(t, env, "-json", "-name", "FalconFlights", "-number", number))
	fake.OptOut(first.SubaccountSID, recipient)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-number", number, "-to", recipient)

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "conflict", read(t, got).Error.Kind)
	assert.Contains(t, got.Stderr, "See https://www.twilio.com/docs/errors/21610.\n")
}

func TestAServiceThatLosesWhatComesInLeavesTheNumberWhereItWas(t *testing.T) {
	for name, c := range map[string]struct {
		wanted []string
		sid    string // of the step that failed
	}{
		"one that would be moved":  {[]string{"-number", number}, "OWNED"},
		"one that would be bought": {[]string{"-area-code", "206"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fake, owned, env := world(t)
			tenant := fake.AddSubaccount("FalconFlights")
			loses := fake.AddMessagingService(tenant.SID, twiliotest.MessagingService{FriendlyName: service})

			got := program.Run(t, env, append(c.wanted, "-json", "-name", "FalconFlights")...)

			assert.Equal(t, 1, got.Status)
			assert.ElementsMatch(t, append([]string{"error"}, allMembers...), members(t, got))
			doc := read(t, got)
			assert.Equal(t, []step{
				{"subaccount", "found", tenant.SID},
				{"messaging_service", "found", loses.SID},
				{"sender", "failed", strings.Replace(c.sid, "OWNED", owned.SID, 1)},
			}, doc.Steps)
			assert.Equal(t, loses.SID, doc.MessagingServiceSID)
			assert.Empty(t, doc.PhoneNumberSID, "it is not the tenant's")
			assert.Empty(t, doc.PhoneNumber)
			assert.Equal(t, "conflict", doc.Error.Kind)
			assert.Contains(t, got.Stderr, "Give the service an inbound URL, or let it use its numbers' own webhooks.\n")
			nothingIsChanged(t, fake)
		})
	}
}

// nothingIsChanged asserts that there was no more than a look.
func nothingIsChanged(t *testing.T, fake *twiliotest.Server) {
	t.Helper()
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method, r.Operation)
	}
}

func TestANumberThatCannotBeHadMakesNothingAndIsSaidWithWhatToDo(t *testing.T) {
	const (
		another = "Say another -area-code, or a -number that the parent has: go run ./examples/numbers list shows them.\n"
		byHand  = "No flag of this program sets it: create the subaccount with ./examples/subaccounts, move the number there with " +
			"./examples/numbers (-address, -bundle), and run this again.\n"
	)
	fake, _, env := world(t)
	bound := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		AddressRequirements: twiliotest.AnyAddress, AddressSID: "AD0123456789abcdef0123456789abcdef",
	})
	mute := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{Capabilities: twiliotest.Capabilities{Voice: true}})
	for name, c := range map[string]struct {
		wanted     []string
		kind, said string
	}{
		"digits of nobody's":         {[]string{"-number", recipient}, "not_found", another},
		"a SID of nobody's":          {[]string{"-number", "PNffffffffffffffffffffffffffffffff"}, "not_found", another},
		"an area that is sold out":   {[]string{"-area-code", "211"}, "not_found", another},
		"a number with an address":   {[]string{"-number", bound.SID}, "invalid", byHand},
		"a number that cannot write": {[]string{"-number", mute.PhoneNumber}, "conflict", mute.SID + " can call, but neither send nor receive"},
	} {
		t.Run(name, func(t *testing.T) {
			got := program.Run(t, env, append(c.wanted, "-json", "-name", "FalconFlights", "-to", recipient)...)

			assert.Equal(t, 1, got.Status)
			assert.ElementsMatch(t, append([]string{"error"}, allMembers...), members(t, got))
			doc := read(t, got)
			assert.Equal(t, []string{"number failed"}, doc.did())
			assert.Empty(t, doc.SubaccountSID)
			assert.Empty(t, doc.PhoneNumberSID)
			assert.Equal(t, c.kind, doc.Error.Kind)
			assert.Contains(t, got.Stderr, c.said)
			assert.Empty(t, fake.Subaccounts())
			nothingIsChanged(t, fake)
		})
	}
}

func TestABoughtNumberBearsTheTenantsName(t *testing.T) {
	fake, _, env := world(t)

	doc := read(t, program.Run(t, env, "-json", "-name", "FalconFlights", "-area-code", "206"))

	assert.Equal(t, "FalconFlights", fake.PhoneNumbers(doc.SubaccountSID)[0].FriendlyName)
}

func TestOfflineTheArticlesTenantIsMadeWithANumberOfTheFakesParent(t *testing.T) {
	got := program.Run(t, nil, "-json", "-to", recipient)

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, steps("made/moved/made/made/made"), doc.did())
	assert.Equal(t, setup.DemoNumber, doc.PhoneNumber)
	assert.EqualValues(t, "accepted", doc.MessageStatus)
	assert.True(t, strings.HasPrefix(got.Stderr, "Offline: "))
	got.HoldsNoSecretOf(t, offlineProvider(t))

	got = program.Run(t, nil, "-name", "Plover Post", "-area-code", "212")
	assert.Equal(t, 0, got.Status)
	assert.Regexp(t, `(?m)^subaccount +AC.* Plover Post$`, got.Stdout)
	assert.Regexp(t, `(?m)^phone number .* \+1212`, got.Stdout)
}

// offlineProvider works on a fake of the same seed, so of the same tokens.
func offlineProvider(t *testing.T) *twilioacct.Provider {
	t.Helper()
	env := setup.Offline()
	t.Cleanup(env.Close)
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	_, err = provider.CreateSubaccount(t.Context(), "FalconFlights")
	require.NoError(t, err)
	return provider
}

func TestBadUsageIsRefused(t *testing.T) {
	program.RefusesBadUsageBeside(t, []string{"-name", "FalconFlights"},
		[]string{"FalconFlights"},
		[]string{"-number", number, "-area-code", "415"},
		[]string{"-number", "4158740103"},
		[]string{"-number", "MG0123456789abcdef0123456789abcdef"},
		[]string{"-area-code", "0"},
		[]string{"-to", "4155550100"},
		[]string{"-to", "+1 415 555 0100"},
		[]string{"-to", recipient, "-body", ""},
		[]string{"-to", recipient, "-body", strings.Repeat("é", 1601)},
		[]string{"-service", ""},
		[]string{"-name", strings.Repeat("n", 65)},
	)
}

func TestBadUsageIsRefusedBeforeAnyRequest(t *testing.T) {
	fake, _, env := world(t)
	for name, args := range map[string][]string{
		"no name":               {"-number", number},
		"a malformed recipient": {"-name", "FalconFlights", "-number", number, "-to", "nobody"},
		"no body":               {"-name", "FalconFlights", "-number", number, "-to", recipient, "-body", " "},
		"an impossible service": {"-name", "FalconFlights", "-number", number, "-service", "a\x01b"},
	} {
		got := program.Run(t, env, append(args, "-json")...)
		assert.Equal(t, 2, got.Status, name)
		assert.Empty(t, got.Stdout, name)
	}
	assert.Zero(t, fake.Count(""))
	assert.Contains(t, program.Run(t, env).Stderr, "Say who it is for: -name FalconFlights.\nusage: messaging ")
}

func TestABodyOfTheGreatestLengthIsSent(t *testing.T) {
	got := program.Run(t, nil, "-json", "-to", recipient, "-body", strings.Repeat("é", 1600))
	assert.Equal(t, 0, got.Status, got.Stderr)
}

func TestATokenInThePlaceOfANumberIsNotPrinted(t *testing.T) {
	fake, _, env := world(t)
	for _, flag := range []string{"-number", "-to"} {
		got := program.Run(t, env, "-name", "FalconFlights", flag, fake.Parent().AuthToken)
		assert.Equal(t, 2, got.Status)
		got.HoldsNoSecret(t, fake, env)
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: messaging [-json] -name NAME ")
	assert.Contains(t, got.Stderr, "\nExamples:\n  go run ./examples/messaging ")
}

func TestAnAPIKeyIsNotEnoughAndNothingIsMade(t *testing.T) {
	fake, _, _ := world(t)
	env := try.OnlineByKey(fake, twiliotest.MainKey)

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, []string{"subaccount failed"}, doc.did())
	assert.Equal(t, "forbidden", doc.Error.Kind)
	assert.Contains(t, got.Stderr, "use the parent's auth token")
	assert.Empty(t, fake.Subaccounts())
	nothingIsChanged(t, fake)
	got.HoldsNoSecret(t, fake, env)
}

func TestAMongoDBThatDoesNotAnswerIsSaidWithAllMembersAndNothingIsMade(t *testing.T) {
	fake, _, _ := world(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 1, got.Status)
	assert.ElementsMatch(t, append([]string{"error"}, allMembers...), members(t, got))
	assert.Equal(t, "store", read(t, got).Error.Kind)
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
}

// broken is a store that keeps nothing.
type broken struct{ *twilioacct.MemStore }

func (broken) Save(context.Context, twilioacct.Record) (twilioacct.Record, error) {
	return twilioacct.Record{}, errors.New("no primary")
}

func TestAnAccountThatTheStoreDidNotKeepIsNotLost(t *testing.T) {
	fake := twiliotest.NewServer(t)
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: broken{twilioacct.NewMemStore()}})
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	out := report.Output{Stdout: &stdout, Stderr: &stderr, JSON: true}

	status := end(out, provision(t.Context(), provider, wanted{name: "FalconFlights", service: service}, &stderr))

	assert.Equal(t, 1, status)
	doc := read(t, try.Result{Stdout: stdout.String()})
	assert.Equal(t, fake.Subaccounts()[0].SID, doc.SubaccountSID)
	assert.Equal(t, "store", doc.Error.Kind)
	assert.Contains(t, stderr.String(), "Check the database, then run it again.\n")
}

func TestCtrlCEndsItWithWhatWasMade(t *testing.T) {
	fake, _, env := world(t)
	fake.Inject(twiliotest.Fault{Operation: "CreateService", Hang: true})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		assert.Eventually(t, func() bool { return fake.Count("CreateService") > 0 }, time.Minute, time.Millisecond)
		interrupt()
	}()

	start := time.Now()
	got := program.RunIn(ctx, t, env, "-json", "-name", "FalconFlights", "-number", number)

	assert.Less(t, time.Since(start), 5*time.Second)
	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, steps("made/moved/failed"), doc.did())
	assert.NotEmpty(t, doc.SubaccountSID)
	assert.Equal(t, "outcome_unknown", doc.Error.Kind)
}
