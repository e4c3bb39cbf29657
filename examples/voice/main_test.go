package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
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
	first, second = "+12065550143", "+12065550144"
	callee        = "+14155550100"

	outgoing = "https://falcon.example/outgoing"
	incoming = "https://falcon.example/incoming"
	old      = "https://old.example/voice"
	flow     = "FW0123456789abcdef0123456789abcdef"
)

// world is a Twilio whose one tenant has two numbers, the first of them with an old handler.
func world(t *testing.T) (fake *twiliotest.Server, tenant string, env try.Env) {
	t.Helper()
	fake = twiliotest.NewServer(t)
	tenant = fake.AddSubaccount("FalconFlights").SID
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: second})
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: first, VoiceURL: old})
	return fake, tenant, try.Online(fake)
}

func read(t *testing.T, got try.Result) document {
	t.Helper()
	var doc document
	got.Document(t, &doc)
	return doc
}

var allMembers = []string{
	"subaccount_sid", "api_key_sid", "application_sid", "caller_number", "token_expires_at", "incoming", "stray_keys", "call_sid",
}

// hasMembers asserts that the document has all members and those beside them, and no others.
func hasMembers(t *testing.T, got try.Result, more ...string) {
	t.Helper()
	var doc map[string]any
	got.Document(t, &doc)
	names := []string{}
	for name := range doc {
		names = append(names, name)
	}
	assert.ElementsMatch(t, append(more, allMembers...), names)
}

func TestASubaccountIsSetUpForCalls(t *testing.T) {
	fake, tenant, env := world(t)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing, "-incoming-url", incoming)

	assert.Equal(t, 0, got.Status, got.Stderr)
	hasMembers(t, got)
	keys := fake.Keys(tenant)
	require.Len(t, keys, 1)
	doc := read(t, got)
	expiry, err := time.Parse(time.RFC3339, doc.TokenExpiresAt)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(10*time.Minute), expiry, time.Minute)
	app, ok := fake.Application(doc.ApplicationSID)
	require.True(t, ok)
	assert.Equal(t, "browser calls", app.FriendlyName)
	assert.Equal(t, tenant, app.AccountSID)
	assert.Equal(t, outgoing, app.VoiceURL, "the application has the outgoing one, and the numbers the other one")
	assert.Equal(t, document{
		SubaccountSID:  tenant,
		APIKeySID:      keys[0].SID,
		ApplicationSID: app.SID,
		CallerNumber:   first,
		TokenExpiresAt: doc.TokenExpiresAt,
		Incoming:       []number{{first, old, incoming, true}, {second, "", incoming, true}},
		StrayKeys:      []string{},
	}, doc)
	for _, n := range fake.PhoneNumbers(tenant) {
		assert.Equal(t, incoming, n.VoiceURL)
	}
	got.HoldsNoSecret(t, fake, env)
	assert.NotContains(t, got.Stdout+got.Stderr, "eyJ", "a token is only printed if it is asked for")
}

func TestTheJSONHasItsMembersInThisOrder(t *testing.T) {
	_, _, env := world(t)

	got := program.Run(t, env, "-json", "-name", "Nobody", "-print-token", "-call", callee)

	assert.Equal(t, 1, got.Status)
	names := regexp.MustCompile(`(?m)^ {2}"(\w+)":`).FindAllStringSubmatch(got.Stdout, -1)
	var order []string
	for _, n := range names {
		order = append(order, n[1])
	}
	assert.Equal(t, []string{"subaccount_sid", "api_key_sid", "application_sid", "caller_number", "token", "token_expires_at", "incoming",
		"stray_keys", "call_sid", "error"}, order)
	assert.Contains(t, got.Stdout, `"incoming": [],`, "an empty list is a list")
	assert.Contains(t, got.Stdout, `"stray_keys": [],`)
}

func TestTheTokenThatIsPrintedIsOneThatTwilioTakes(t *testing.T) {
	fake, tenant, env := world(t)
	args := []string{"-subaccount", tenant, "-outgoing-url", outgoing, "-identity", "bob_1", "-ttl", "24h", "-print-token"}

	got := program.Run(t, env, append(args, "-json")...)

	hasMembers(t, got, "token")
	doc := read(t, got)
	token, err := fake.VerifyAccessToken(*doc.Token)
	require.NoError(t, err)
	assert.Equal(t, tenant, token.AccountSID)
	assert.Equal(t, doc.APIKeySID, token.KeySID)
	assert.Equal(t, "bob_1", token.Identity)
	assert.Equal(t, 24*time.Hour, token.ExpiresAt.Sub(token.IssuedAt))
	assert.Equal(t, token.ExpiresAt.UTC().Format(time.RFC3339), doc.TokenExpiresAt)
	assert.Equal(t, doc.ApplicationSID, token.Voice.OutgoingApplicationSID)
	assert.True(t, token.Voice.IncomingAllowed)
	got.HoldsNoSecret(t, fake, env)

	got = program.Run(t, env, args...)
	last := lastLine(got.Stdout)
	_, err = fake.VerifyAccessToken(last)
	require.NoError(t, err, "in the table it has a line of its own")
	got.HoldsNoSecret(t, fake, env)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestEachStepIsSaidWhenItEnds(t *testing.T) {
	fake, tenant, env := world(t)

	got := program.Run(t, env, "-name", "FalconFlights", "-outgoing-url", outgoing, "-call", callee)

	assert.Equal(t, 0, got.Status)
	key, app, call := fake.Keys(tenant)[0].SID, fake.Applications(tenant)[0].SID, fake.Calls(tenant)[0].SID
	caller := numberOf(fake, tenant, first).SID
	lines := strings.SplitAfter(got.Stderr, "\n")
	slices.Sort(lines[5:7]) // numbers are set at the same time
	assert.Equal(t, "MONGODB_URI is not set: the store is in memory (MemStore), empty now and gone when the program ends.\n"+
		"subaccount      found   "+tenant+"\n"+
		"api_key         made    "+key+"\n"+
		"application     made    "+app+"\n"+
		"caller_number   found   "+caller+"\n"+
		"  "+first+": "+old+" -> "+outgoing+"\n"+
		"  "+second+": nothing -> "+outgoing+"\n"+
		"incoming_calls  set\n"+
		"access_token    made\n"+
		"call            made    "+call+"\n", strings.Join(lines, ""))
	expiry := regexp.MustCompile(`until (\S+)`).FindStringSubmatch(got.Stdout)[1]
	assert.Equal(t, ""+
		"subaccount     "+tenant+"  FalconFlights\n"+
		"API key        "+key+"  voice@default\n"+
		"application    "+app+"  "+outgoing+"\n"+
		"caller number  "+first+"                        "+caller+"\n"+
		"calls to       "+first+"                        "+old+" -> "+outgoing+"\n"+
		"calls to       "+second+"                        nothing -> "+outgoing+"\n"+
		"access token   for alice                           until "+expiry+"\n"+
		"call           "+call+"  queued\n", got.Stdout)
	got.HoldsNoSecret(t, fake, env)
}

func numberOf(fake *twiliotest.Server, account, digits string) twiliotest.PhoneNumber {
	for _, n := range fake.PhoneNumbers(account) {
		if n.PhoneNumber == digits {
			return n
		}
	}
	return twiliotest.PhoneNumber{}
}

func TestACallIsPlacedFromTheSubaccountsNumberWithTheApplication(t *testing.T) {
	fake, tenant, env := world(t)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing, "-call", callee)

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	calls := fake.Calls(tenant)
	require.Len(t, calls, 1)
	assert.Equal(t, calls[0].SID, doc.CallSID)
	assert.Equal(t, first, calls[0].From)
	assert.Equal(t, callee, calls[0].To)
	assert.Equal(t, doc.ApplicationSID, requestOf(t, fake, "CreateCall").Form.Get("ApplicationSid"))
}

func requestOf(t *testing.T, fake *twiliotest.Server, operation string) twiliotest.Request {
	t.Helper()
	for _, r := range fake.Requests() {
		if r.Operation == operation {
			return r
		}
	}
	require.Fail(t, "no "+operation)
	return twiliotest.Request{}
}

func TestNobodyIsCalledWithWhatCannotCall(t *testing.T) {
	fake, tenant, env := world(t)
	for name, c := range map[string]struct {
		wanted     []string
		kind, said string
	}{
		"no number": {[]string{"-name", "Heron Hotels", "-outgoing-url", outgoing}, "not_found", "has no number to call from: ./examples/num"},
		"no URL":    {[]string{"-name", "FalconFlights"}, "conflict", "which -outgoing-url gives it"},
	} {
		t.Run(name, func(t *testing.T) {
			got := program.Run(t, env, append(c.wanted, "-json", "-call", callee)...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, c.kind, doc.Error.Kind)
			assert.Contains(t, got.Stderr, c.said)
			assert.NotEmpty(t, doc.TokenExpiresAt, "all the rest was done")
			assert.Empty(t, doc.CallSID)
			assert.Zero(t, fake.Count("CreateCall"))
		})
	}
	assert.Empty(t, fake.Calls(tenant))
}

func TestWithAStoreThatStaysASecondRunMakesNothing(t *testing.T) {
	fake, tenant, _ := world(t)
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: twilioacct.NewMemStore().Making()})
	require.NoError(t, err)
	w := wanted{name: "FalconFlights", outgoing: outgoing, flow: flow, identity: "alice", lifetime: time.Minute}
	var stderr bytes.Buffer
	one := setUp(t.Context(), provider, w, &stderr)
	require.NoError(t, one.err)
	fake.ForgetRequests()
	stderr.Reset()

	two := setUp(t.Context(), provider, w, &stderr)

	require.NoError(t, two.err)
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method, r.Operation)
	}
	was, is := one.document(), two.document()
	for _, n := range is.Incoming {
		assert.Equal(t, "Studio flow "+flow, n.After)
		assert.Equal(t, n.After, n.Before)
		assert.False(t, n.Changed)
	}
	was.Incoming, is.Incoming, was.TokenExpiresAt, is.TokenExpiresAt = nil, nil, "", ""
	assert.Equal(t, was, is)
	assert.Contains(t, stderr.String(), "\nincoming_calls  kept\n")
	assert.Len(t, fake.Keys(tenant), 1)
}

func TestASettingThatDiffersIsSaidToBeSet(t *testing.T) {
	fake, tenant, env := world(t)
	fake.AddApplicationWith(tenant, twiliotest.Application{FriendlyName: "browser calls", VoiceURL: old})

	got := program.Run(t, env, "-name", "FalconFlights", "-outgoing-url", outgoing)

	assert.Equal(t, 0, got.Status, got.Stderr)
	require.Len(t, fake.Applications(tenant), 1)
	assert.Equal(t, outgoing, fake.Applications(tenant)[0].VoiceURL)
	assert.Contains(t, got.Stderr, "\napplication     set     AP")
}

func TestAStudioFlowAnswersAllNumbersOfTheSubaccount(t *testing.T) {
	fake, tenant, env := world(t)

	got := program.Run(t, env, "-json", "-subaccount", tenant, "-outgoing-url", outgoing, "-studio-flow", flow)

	assert.Equal(t, 0, got.Status, got.Stderr)
	assert.Equal(t, []number{{first, old, "Studio flow " + flow, true}, {second, "", "Studio flow " + flow, true}}, read(t, got).Incoming)
	for _, n := range fake.PhoneNumbers(tenant) {
		assert.Equal(t, "https://webhooks.twilio.com/v1/Accounts/"+tenant+"/Flows/"+flow, n.VoiceURL)
	}
}

func TestWithoutAnyURLTheNumbersStayAsTheyAreAndThatIsSaid(t *testing.T) {
	fake, tenant, env := world(t)

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 0, got.Status)
	doc := read(t, got)
	assert.Equal(t, []number{}, doc.Incoming)
	assert.Equal(t, first, doc.CallerNumber)
	assert.Equal(t, old, numberOf(fake, tenant, first).VoiceURL)
	assert.Contains(t, got.Stderr, "What answers the calls to the numbers stays as it is: -outgoing-url, -incoming-url or -studio-flow")
	assert.Contains(t, got.Stderr, "calls from browsers reach nothing yet: -outgoing-url gives it one.\n")
	assert.Regexp(t, `(?m)^application +AP\w+ +no URL$`, program.Run(t, env, "-name", "FalconFlights").Stdout)
}

func TestNumbersThatAreLeftAreSaidWithTheReason(t *testing.T) {
	const trunk = "TK0123456789abcdef0123456789abcdef"
	fake, tenant, env := world(t)
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: "+12065550145", TrunkSID: trunk})
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: "+12065550146", Capabilities: twiliotest.Capabilities{SMS: true}})

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing)

	assert.Equal(t, 0, got.Status, got.Stderr)
	assert.Equal(t, []number{
		{"+12065550146", "", "", false}, {"+12065550145", "trunk " + trunk, "trunk " + trunk, false},
		{first, old, outgoing, true}, {second, "", outgoing, true},
	}, read(t, got).Incoming)
	assert.Contains(t, got.Stderr, "+12065550145 is left as it is: its calls go to the trunk "+trunk+". Take it off the trunk first")
	assert.Contains(t, got.Stderr, "+12065550146 is left as it is: it cannot take calls.\n")
	assert.Equal(t, "+12065550145", read(t, got).CallerNumber, "the first that can call")
}

func TestAnAccountWithoutNumbersIsNoFailure(t *testing.T) {
	fake, _, env := world(t)

	got := program.Run(t, env, "-json", "-name", "Heron Hotels", "-outgoing-url", outgoing)

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, fake.Subaccounts()[1].SID, doc.SubaccountSID, "it was made")
	assert.Empty(t, doc.CallerNumber)
	assert.Equal(t, []number{}, doc.Incoming)
	assert.NotEmpty(t, doc.TokenExpiresAt)
	assert.Contains(t, got.Stderr, "caller_number   none\n")
	assert.Contains(t, got.Stderr, "The subaccount has no number that can call: ./examples/numbers buys one, or moves one there.\n")
}

func TestStrayKeysAreNamedWithWhatToDo(t *testing.T) {
	fake, tenant, env := world(t)
	stray := fake.AddKeyWith(tenant, twiliotest.Key{FriendlyName: "voice@default"})
	other := fake.AddKeyWith(tenant, twiliotest.Key{FriendlyName: "voice@staging"})

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing)

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, []string{stray.SID}, doc.StrayKeys)
	assert.NotEqual(t, stray.SID, doc.APIKeySID)
	assert.Contains(t, got.Stderr, "The store has no secret for "+stray.SID+", named as the key in use, voice@default: ")
	assert.Contains(t, got.Stderr, "Handle.DeleteStrayAPIKeys")
	assert.NotContains(t, got.Stdout+got.Stderr, other.SID, "another deployment's is none of ours")
	assert.Len(t, fake.Keys(tenant), 3, "nothing is deleted unasked")
	got.HoldsNoSecret(t, fake, env)
}

// made is what a document tells of each step, in their order: 1 is something, and 0 nothing.
func (d document) made() string {
	var made strings.Builder
	for _, is := range []bool{
		d.SubaccountSID != "", d.APIKeySID != "", d.ApplicationSID != "", d.CallerNumber != "", len(d.Incoming) > 0, d.TokenExpiresAt != "",
		d.CallSID != "",
	} {
		if is {
			made.WriteString("1")
		} else {
			made.WriteString("0")
		}
	}
	return made.String()
}

func TestWhatIsKnownBeforeAFailureIsToldAndTheNextRunGoesOn(t *testing.T) {
	for operation, made := range map[string]string{
		"FetchAccount":              "0000000",
		"ListIncomingPhoneNumber":   "1000000",
		"CreateNewKey":              "1001000",
		"CreateApplication":         "1101000",
		"UpdateIncomingPhoneNumber": "1111100",
		"CreateCall":                "1111110",
	} {
		t.Run(operation, func(t *testing.T) {
			fake, tenant, env := world(t)
			fake.Inject(twiliotest.Fault{Operation: operation, Code: 20001})
			args := []string{"-json", "-subaccount", tenant, "-outgoing-url", outgoing, "-call", callee}

			got := program.Run(t, env, args...)

			assert.Equal(t, 1, got.Status)
			hasMembers(t, got, "error")
			doc := read(t, got)
			assert.Equal(t, made, doc.made())
			for _, n := range doc.Incoming {
				now := numberOf(fake, tenant, n.PhoneNumber).VoiceURL
				assert.Equal(t, now, n.After, "and not what was planned")
				assert.Equal(t, n.Before != n.After, n.Changed)
			}
			assert.Equal(t, "invalid", doc.Error.Kind)
			assert.Equal(t, 20001, doc.Error.Code)
			assert.Contains(t, got.Stderr, "invalid (code 20001, request ")
			assert.Contains(t, got.Stderr, "failed")
			got.HoldsNoSecret(t, fake, env)

			again := program.Run(t, env, args...)

			assert.Equal(t, 0, again.Status, again.Stderr)
			assert.Equal(t, "1111111", read(t, again).made())
			assert.Len(t, fake.Applications(tenant), 1)
		})
	}
}

func TestANumberThatCannotBeSetIsToldBesideThoseThatWere(t *testing.T) {
	fake, tenant, env := world(t)
	bad := numberOf(fake, tenant, second)
	fake.Inject(twiliotest.Fault{Operation: "UpdateIncomingPhoneNumber", Path: bad.SID, Code: 20001, Times: twiliotest.Always})

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing, "-print-token")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, []number{{first, old, outgoing, true}, {second, "", "", false}}, doc.Incoming)
	assert.Empty(t, *doc.Token, "the step after it was not taken")
	assert.Regexp(t, `(?m)^ {2}\`+second+`: invalid \(code 20001, request RQ`, got.Stderr)
	assert.Contains(t, got.Stderr, "1 of 2 numbers were not set")
	got = program.Run(t, env, "-name", "FalconFlights", "-outgoing-url", outgoing)
	assert.Regexp(t, `(?m)^calls to +\`+second+` +nothing \(not set\)$`, got.Stdout)
}

func TestASuspendedSubaccountIsSaidToBeReactivatedFirst(t *testing.T) {
	fake, tenant, env := world(t)
	fake.SetStatus(tenant, twiliotest.Suspended)

	got := program.Run(t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing)

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, tenant, doc.SubaccountSID)
	assert.Equal(t, "suspended", doc.Error.Kind)
	assert.Empty(t, fake.Keys(tenant))
	assert.Empty(t, fake.Applications(tenant))
}

func TestAPasswordInAURLIsNotShownToThoseWhoLookOn(t *testing.T) {
	_, _, env := world(t)
	for _, flag := range []string{"-outgoing-url", "-incoming-url"} {
		got := program.Run(t, env, "-name", "FalconFlights", flag, "https://me:pa55word@falcon.example/voice")
		assert.Equal(t, 0, got.Status)
		assert.Contains(t, got.Stdout, "https://me:xxxxx@falcon.example/voice")
		assert.NotContains(t, got.Stdout+got.Stderr, "pa55word")

		got = program.Run(t, env, "-json", "-name", "FalconFlights", flag, "https://me:pa55word@falcon.example/voice")
		assert.Equal(t, 0, got.Status)
		assert.Equal(t, "https://me:xxxxx@falcon.example/voice", read(t, got).Incoming[0].After)
		assert.NotContains(t, got.Stdout+got.Stderr, "pa55word")

		got = program.Run(t, env, "-name", "FalconFlights", flag, "ftp://me:pa55word@falcon.example/voice")
		assert.Equal(t, 2, got.Status)
		assert.NotContains(t, got.Stdout+got.Stderr, "pa55word")
	}
}

func TestOfflineATenantWithTwoNumbersIsSetUp(t *testing.T) {
	got := program.Run(t, nil, "-json")

	assert.Equal(t, 0, got.Status, got.Stderr)
	doc := read(t, got)
	assert.Equal(t, "1111110", doc.made())
	assert.Len(t, doc.Incoming, 2)
	for _, n := range doc.Incoming {
		assert.True(t, n.Changed)
	}
	assert.True(t, strings.HasPrefix(got.Stderr, "Offline: "))
	got.HoldsNoSecretOf(t, offlineProvider(t))

	got = program.Run(t, nil, "-name", "Plover Post")
	assert.Equal(t, 0, got.Status)
	assert.Regexp(t, `(?m)^subaccount +AC.* Plover Post$`, got.Stdout)
}

// offlineProvider works on a fake of the same seed, so of the same tokens.
func offlineProvider(t *testing.T) *twilioacct.Provider {
	t.Helper()
	env := setup.OfflineCalls()
	t.Cleanup(env.Close)
	provider, err := twilioacct.New(env.Parent, &env.Options)
	require.NoError(t, err)
	return provider
}

func TestBadUsageIsRefused(t *testing.T) {
	const account = "AC0123456789abcdef0123456789abcdef"
	good := []string{"-name", "FalconFlights"}
	bad := [][]string{
		{"FalconFlights"},
		{"-name", "FalconFlights", "-subaccount", account},
		{"-subaccount", "AC123"},
		{"-subaccount", "PN0123456789abcdef0123456789abcdef"},
		{"-name", strings.Repeat("n", 65)},
		{"-incoming-url", incoming, "-studio-flow", flow},
		{"-outgoing-url", "falcon.example/outgoing"},
		{"-outgoing-url", "tel:+14155550100"},
		{"-incoming-url", "https://"},
		{"-studio-flow", "FW123"},
		{"-studio-flow", account},
		{"-identity", ""},
		{"-identity", "alice@example.com"},
		{"-identity", strings.Repeat("i", 122)},
		{"-ttl", "0"},
		{"-ttl", "999ms"},
		{"-ttl", "1.5s"},
		{"-ttl", "24h1s"},
		{"-ttl", "-1m"},
		{"-ttl", "600"},
		{"-call", "4155550100"},
		{"-call", "client:bob"},
	}
	for _, address := range []string{"", "8081", "0.0.0.0:8081"} {
		bad = append(bad, []string{"-http", address})
	}
	program.RefusesBadUsageBeside(t, good, bad...)
}

func TestBadUsageIsRefusedBeforeAnyRequest(t *testing.T) {
	fake, _, env := world(t)
	for name, args := range map[string][]string{
		"no subaccount":     {"-outgoing-url", outgoing},
		"the parent":        {"-subaccount", fake.Parent().SID},
		"a long life":       {"-name", "FalconFlights", "-ttl", "25h"},
		"an impossible app": {"-name", "a\x01b"},
	} {
		got := program.Run(t, env, append(args, "-json")...)
		assert.Equal(t, 2, got.Status, name)
		assert.Empty(t, got.Stdout, name)
	}
	assert.Zero(t, fake.Count(""))
	assert.Contains(t, program.Run(t, env).Stderr, "Say which subaccount: either -name FalconFlights or -subaccount AC….\nusage: voice ")
}

func TestTheShortestAndTheLongestLifeAndIdentityAreTaken(t *testing.T) {
	for _, args := range [][]string{{"-ttl", "1s"}, {"-ttl", "24h"}, {"-identity", strings.Repeat("i", 121)}} {
		got := program.Run(t, nil, args...)
		assert.Equal(t, 0, got.Status, got.Stderr)
	}
}

func TestATokenInThePlaceOfAnArgumentIsNotPrinted(t *testing.T) {
	fake, _, env := world(t)
	for _, flag := range []string{"-subaccount", "-studio-flow", "-call", "-outgoing-url", "-incoming-url"} {
		got := program.Run(t, env, "-name", "FalconFlights", flag, fake.Parent().AuthToken)
		assert.Equal(t, 2, got.Status)
		got.HoldsNoSecret(t, fake, env)
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: voice [-json] -subaccount AC…|-name NAME ")
	assert.Contains(t, got.Stderr, "\nExamples:\n  go run ./examples/voice ")
}

func TestAnAPIKeyIsNotEnoughToMakeASubaccount(t *testing.T) {
	fake, _, _ := world(t)
	env := try.OnlineByKey(fake, twiliotest.MainKey)

	got := program.Run(t, env, "-json", "-name", "Heron Hotels", "-outgoing-url", outgoing)

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "forbidden", read(t, got).Error.Kind)
	assert.Contains(t, got.Stderr, "use the parent's auth token")
	assert.Len(t, fake.Subaccounts(), 1)
	got.HoldsNoSecret(t, fake, env)
}

func TestAMongoDBThatDoesNotAnswerIsSaidWithAllMembersAndNothingIsMade(t *testing.T) {
	fake, _, _ := world(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json", "-name", "FalconFlights")

	assert.Equal(t, 1, got.Status)
	hasMembers(t, got, "error")
	assert.Equal(t, "store", read(t, got).Error.Kind)
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
}

// broken is a store that keeps no key.
type broken struct{ *twilioacct.MemStore }

func (b broken) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if len(r.APIKeys) > 0 {
		return twilioacct.Record{}, errors.New("no primary")
	}
	return b.MemStore.Save(ctx, r)
}

func TestAKeyThatTheStoreDidNotKeepIsDeletedAgain(t *testing.T) {
	fake, tenant, _ := world(t)
	provider, err := twilioacct.New(
		twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)},
		&twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: broken{twilioacct.NewMemStore().Making()}})
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	w := wanted{name: "FalconFlights", identity: "alice", lifetime: time.Minute}

	status := setUp(t.Context(), provider, w, &stderr).end(report.Output{Stdout: &stdout, Stderr: &stderr, JSON: true})

	assert.Equal(t, 1, status)
	doc := read(t, try.Result{Stdout: stdout.String()})
	assert.Equal(t, "store", doc.Error.Kind)
	assert.Equal(t, tenant, doc.SubaccountSID)
	assert.Empty(t, fake.Keys(tenant))
	assert.Contains(t, stderr.String(), "Check the database, then run it again.\n")
}

func TestCtrlCEndsItWithWhatWasMade(t *testing.T) {
	fake, tenant, env := world(t)
	fake.Inject(twiliotest.Fault{Operation: "CreateApplication", Hang: true})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		assert.Eventually(t, func() bool { return fake.Count("CreateApplication") > 0 }, time.Minute, time.Millisecond)
		interrupt()
	}()

	start := time.Now()
	got := program.RunIn(ctx, t, env, "-json", "-name", "FalconFlights", "-outgoing-url", outgoing, "-http", "127.0.0.1:0")

	assert.Less(t, time.Since(start), 5*time.Second)
	assert.Equal(t, 1, got.Status, "no page is served of what is not there")
	doc := read(t, got)
	assert.Equal(t, fake.Keys(tenant)[0].SID, doc.APIKeySID)
	assert.Equal(t, "outcome_unknown", doc.Error.Kind)
}
