package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

const (
	owned   = "+14158740103"
	forSale = "+14155550199"
	unknown = "ACffffffffffffffffffffffffffffffff"
	missing = "PNffffffffffffffffffffffffffffffff"
)

// askedWith runs the program at a terminal where somebody types that.
func askedWith(typed string) try.Program {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return runAt(ctx, console{in: strings.NewReader(typed), isTerminal: true}, args, stdout, stderr)
	}
}

// document is the JSON as a reader of it sees it.
type document struct {
	Numbers  []map[string]any `json:"numbers"`
	Number   map[string]any   `json:"number"`
	Did      string           `json:"did"`
	Plan     map[string]any   `json:"plan"`
	Transfer map[string]any   `json:"transfer"`
	Error    map[string]any   `json:"error"`
}

func read(t *testing.T, got try.Result) document {
	t.Helper()
	var doc document
	got.Document(t, &doc)
	return doc
}

// world is a Twilio whose parent has a number and a tenant, and which sells another one.
func world(t *testing.T) (fake *twiliotest.Server, tenant twiliotest.Account, number twiliotest.PhoneNumber, env try.Env) {
	t.Helper()
	fake = twiliotest.NewServer(t, twiliotest.WithEmptyStock())
	tenant = fake.AddSubaccount("Acme")
	number = fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		PhoneNumber: owned, FriendlyName: "Owlie's desk", VoiceURL: "https://owlie:pa55word@owlie.example/voice",
	})
	fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: forSale, Locality: "San Francisco", Region: "CA", PostalCode: "94105"})
	return fake, tenant, number, try.Online(fake)
}

// serviceWith is a messaging service of the parent's with that number in it.
func serviceWith(fake *twiliotest.Server, number twiliotest.PhoneNumber) string {
	in := twiliotest.MessagingService{FriendlyName: "owlie", PhoneNumberSIDs: []string{number.SID}}
	return fake.AddMessagingService(fake.Parent().SID, in).SID
}

// changes are the requests that were more than a look.
func changes(fake *twiliotest.Server) []string {
	did := []string{}
	for _, r := range fake.Requests() {
		if r.Method != http.MethodGet {
			did = append(did, r.Operation)
		}
	}
	return did
}

// facts is how the parent's number should be in the JSON.
func facts(n twiliotest.PhoneNumber) map[string]any {
	return map[string]any{
		"sid": n.SID, "account_sid": n.AccountSID, "phone_number": n.PhoneNumber, "friendly_name": n.FriendlyName,
		"capabilities": map[string]any{"voice": true, "sms": true, "mms": true},
		"voice_url":    strings.Replace(n.VoiceURL, "pa55word", "xxxxx", 1), "voice_method": "POST",
		"voice_fallback_url": "", "voice_fallback_method": "POST", "voice_application_sid": n.VoiceApplicationSID, "trunk_sid": "",
		"sms_url": n.SMSURL, "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST",
		"sms_application_sid": n.SMSApplicationSID, "status_callback": n.StatusCallback, "status_callback_method": "POST",
		"address_requirements": "none", "address_sid": "", "bundle_sid": "", "identity_sid": "", "emergency_address_sid": "",
		"origin":       "twilio",
		"date_created": n.DateCreated.UTC().Format(time.RFC3339), "date_updated": n.DateUpdated.UTC().Format(time.RFC3339),
	}
}

func TestTheListHasTheParentsNumbersOrThoseOfTheAccount(t *testing.T) {
	fake, tenant, number, env := world(t)
	theirs := fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{})

	parents := program.Run(t, env, "list", "-json")
	tenants := program.Run(t, env, "-account", tenant.SID, "list", "-json")

	assert.Equal(t, 0, parents.Status)
	assert.Equal(t, document{Numbers: []map[string]any{facts(number)}}, read(t, parents))
	assert.Equal(t, document{Numbers: []map[string]any{facts(theirs)}}, read(t, tenants))
	for _, sid := range []string{"parent", fake.Parent().SID} {
		assert.Equal(t, parents.Stdout, program.Run(t, env, "list", "-json", "-account", sid).Stdout)
	}
	for _, got := range []try.Result{parents, tenants, program.Run(t, env, "list")} {
		got.HoldsNoSecret(t, fake, env)
		assert.NotContains(t, got.Stdout, "pa55word", "a webhook's password")
	}
}

func TestTheTableShowsWhatHandlesCallsAndMessages(t *testing.T) {
	fake, _, number, env := world(t)
	app := fake.AddApplication(fake.Parent().SID)
	other := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		VoiceApplicationSID: app, VoiceURL: "https://owlie.example/no", SMSApplicationSID: app, SMSURL: "https://owlie.example/no",
		Capabilities: twiliotest.Capabilities{SMS: true},
	})

	got := program.Run(t, env, "list")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, ""+
		"SID                                 NUMBER        NAME            CAN            VOICE                                    MESSAGES\n"+
		other.SID+"  +14155550101  (415) 555-0101  sms            "+app+"       "+app+"\n"+
		number.SID+"  +14158740103  Owlie's desk    voice,sms,mms  https://owlie:xxxxx@owlie.example/voice  -\n", got.Stdout)
}

func TestAnAccountWithoutNumbersHasAnEmptyList(t *testing.T) {
	_, tenant, _, env := world(t)
	got := program.Run(t, env, "-json", "list", "-account", tenant.SID)
	assert.Equal(t, 0, got.Status)
	assert.JSONEq(t, `{"numbers":[]}`, got.Stdout)
}

func TestASearchShowsWhatIsForSaleAndBuysNothing(t *testing.T) {
	fake, tenant, _, env := world(t)

	got := program.Run(t, env, "search", "-area-code", "415", "-with", "sms,MMS", "-json", "-account", tenant.SID)

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, document{Numbers: []map[string]any{{
		"phone_number": forSale, "friendly_name": "(415) 555-0199", "capabilities": map[string]any{"voice": true, "sms": true, "mms": true},
		"country": "US", "region": "CA", "locality": "San Francisco", "postal_code": "94105", "address_requirements": "none",
	}}}, read(t, got))
	assert.Empty(t, changes(fake))
	assert.Equal(t, ""+
		"NUMBER        CAN            COUNTRY  REGION  LOCALITY       ADDRESS\n"+
		"+14155550199  voice,sms,mms  US       CA      San Francisco  none\n", program.Run(t, env, "search").Stdout)
}

func TestEveryFlagOfASearchNarrowsIt(t *testing.T) {
	fake, _, _, env := world(t)

	got := program.Run(t, env, "search", "-json", "-country", "CA", "-type", "toll-free", "-area-code", "800", "-contains", "OWL*",
		"-near", "37.78, -122.42", "-with", "voice,sms,mms", "-limit", "7")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "not_found", read(t, got).Error["kind"])
	assert.Contains(t, got.Stdout, `"numbers": []`)
	assert.Contains(t, got.Stderr, "not_found: no number is to be had that is as searched for: search for less, or elsewhere.\n")
	asked := fake.Requests()[0]
	assert.Equal(t, "ListAvailablePhoneNumberTollFree", asked.Operation)
	assert.Contains(t, asked.Path, "/AvailablePhoneNumbers/CA/")
	assert.Equal(t, "AreaCode=800&Contains=OWL%2A&MmsEnabled=true&NearLatLong=37.78%2C-122.42&PageSize=7&SmsEnabled=true&VoiceEnabled=true",
		asked.RawQuery)

	program.Run(t, env, "search", "-near", "+14155550100")

	assert.Equal(t, "NearNumber=%2B14155550100&PageSize=20", fake.Requests()[1].RawQuery)
}

func TestWithoutAYesNothingIsDoneButThePlanIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		plan  []string // its members
		lines string
	}{
		"buy a number": {
			[]string{"buy", forSale}, []string{"account_sid", "phone_number", "offer"},
			"Buys +14155550199 for PARENT.\nIt costs money, at once and each month until it is released. A purchase cannot be undone.\n",
		},
		"buy what a search finds": {
			[]string{"buy", "-area-code", "415", "-account", "TENANT"}, []string{"account_sid", "phone_number", "offer"},
			"Buys +14155550199 (San Francisco, CA) for TENANT.\n" +
				"It costs money, at once and each month until it is released. A purchase cannot be undone.\n",
		},
		"release": {
			[]string{"release", owned}, []string{"number"},
			"Releases +14158740103 \"Owlie's desk\" (NUMBER) of PARENT.\n" +
				"It cannot be undone: Twilio may sell the number to anybody. To keep it in another account, move it.\n",
		},
		"move": {
			[]string{"move", owned, "-to", "TENANT"},
			[]string{"number", "from_account_sid", "to_account_sid", "already_there", "leaves_service", "membership_unknown", "lost", "need"},
			"Moves +14158740103 \"Owlie's desk\" (NUMBER) from PARENT to TENANT.\n" +
				"Its name, its URLs and their methods move with it. It can be moved back, but what it loses stays lost:\n" +
				"  - its opt-outs: who has replied STOP can be sent to again\n" +
				"  - its registrations, such as A2P 10DLC or a toll-free verification\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake, tenant, number, env := world(t)
			named := strings.NewReplacer("PARENT", fake.Parent().SID, "TENANT", tenant.SID, "NUMBER", number.SID)
			args := []string{}
			for _, arg := range c.args {
				args = append(args, named.Replace(arg))
			}

			got := program.Run(t, env, append(args, "-json")...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, "nothing", doc.Did)
			assert.Nil(t, doc.Error)
			assert.Nil(t, doc.Number)
			members := []string{}
			for member := range doc.Plan {
				members = append(members, member)
			}
			assert.ElementsMatch(t, c.plan, members)
			assert.Contains(t, got.Stderr, named.Replace(c.lines)+"Nothing was done: say -yes to do it.\n")
			assert.Empty(t, changes(fake))
			got.HoldsNoSecret(t, fake, env)

			got = program.Run(t, env, args...)

			assert.Equal(t, 1, got.Status)
			assert.Empty(t, got.Stdout)
			assert.Empty(t, changes(fake))
		})
	}
}

func TestSomebodyAtATerminalIsAskedAndOnlyAYesCounts(t *testing.T) {
	for typed, want := range map[string]int{
		"y\n": 0, "Yes\n": 0, "YES \r\n": 0, "y": 0,
		"n\n": 1, "\n": 1, "": 1, "yup\n": 1, "no\nyes\n": 1,
	} {
		fake, _, _, env := world(t)

		got := askedWith(typed).Run(t, env, "release", owned)

		assert.Equal(t, want, got.Status, "%q", typed)
		assert.Contains(t, got.Stderr, "To keep it in another account, move it.\nGo on? [y/N] ")
		if want == 0 {
			assert.Equal(t, []string{"DeleteIncomingPhoneNumber"}, changes(fake))
			continue
		}
		assert.Empty(t, changes(fake), "%q", typed)
		assert.True(t, strings.HasSuffix(got.Stderr, "Nothing was done.\n"), got.Stderr)
	}
}

func TestWithYesNobodyIsAsked(t *testing.T) {
	fake, _, _, env := world(t)
	got := askedWith("n\n").Run(t, env, "-yes", "release", owned)
	assert.Equal(t, 0, got.Status)
	assert.NotContains(t, got.Stderr, "Go on?")
	assert.Equal(t, []string{"DeleteIncomingPhoneNumber"}, changes(fake))
}

func TestCtrlCAtTheQuestionIsNoYes(t *testing.T) {
	fake, _, _, env := world(t)
	typing, typed := io.Pipe()
	defer func() { assert.NoError(t, typed.Close()) }()
	ctx, interrupt := context.WithCancel(t.Context())
	asking := try.Program(func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return runAt(ctx, console{in: interrupting{typing, interrupt}, isTerminal: true}, args, stdout, stderr)
	})

	got := asking.RunIn(ctx, t, env, "release", owned, "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "nothing", doc.Did)
	assert.Equal(t, "context canceled", doc.Error["message"])
	assert.Empty(t, changes(fake))
	assert.True(t, strings.HasSuffix(got.Stderr, "Nothing was done.\n"), got.Stderr)
}

// interrupting is where somebody presses Ctrl-C and types nothing.
type interrupting struct {
	io.Reader
	interrupt func()
}

func (i interrupting) Read(p []byte) (int, error) {
	i.interrupt()
	return i.Reader.Read(p)
}

func TestAPipeAFileAndNothingAreNoTerminals(t *testing.T) {
	t.Parallel()
	nothing, err := os.Open(os.DevNull)
	require.NoError(t, err)
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	end, other, err := os.Pipe()
	require.NoError(t, err)
	for _, f := range []*os.File{nothing, file, end, other} {
		assert.False(t, consoleOf(f).isTerminal, f.Name())
		require.NoError(t, f.Close())
		assert.False(t, consoleOf(f).isTerminal, f.Name())
	}
}

func TestANumberIsBoughtForTheAccountAndThenFound(t *testing.T) {
	fake, tenant, _, env := world(t)
	args := []string{"buy", forSale, "-account", tenant.SID, "-name", "Acme desk", "-yes", "-json"}

	got := program.Run(t, env, args...)

	assert.Equal(t, 0, got.Status, got.Stderr)
	bought := fake.PhoneNumbers(tenant.SID)
	require.Len(t, bought, 1)
	assert.Equal(t, "Acme desk", bought[0].FriendlyName)
	assert.Equal(t, document{Number: facts(bought[0]), Did: "bought"}, read(t, got))
	got.HoldsNoSecret(t, fake, env)
	fake.ForgetRequests()

	again := program.Run(t, env, args...)

	assert.Equal(t, 0, again.Status)
	assert.Equal(t, document{Number: facts(bought[0]), Did: "found"}, read(t, again))
	assert.Empty(t, changes(fake))
	assert.NotContains(t, again.Stderr, "Buys")
}

func TestWhatASearchFindsFirstIsBought(t *testing.T) {
	fake, _, _, env := world(t)

	got := program.Run(t, env, "-yes", "buy", "-area-code", "415")

	assert.Equal(t, 0, got.Status, got.Stderr)
	assert.Regexp(t, `^DID +SID .*\nbought +PN[0-9a-f]{32} +\+14155550199 +\(415\) 555-0199 +voice,sms,mms +- +-\n$`, got.Stdout)
	assert.Equal(t, forSale, fake.PhoneNumbers(fake.Parent().SID)[1].PhoneNumber)
	assert.Equal(t, []string{"CreateIncomingPhoneNumber"}, changes(fake))
}

func TestANumberThatNeedsAnAddressSaysSo(t *testing.T) {
	fake, _, _, env := world(t)
	const german = "+493023125000"
	fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: german, AddressRequirements: twiliotest.AnyAddress})
	const advice = "It is sold only with an address: say -address, and -bundle if its country asks for one.\n"

	got := program.Run(t, env, "buy", "-country", "DE")
	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stderr, advice)

	got = program.Run(t, env, "buy", "-country", "DE", "-yes", "-json")
	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "failed", read(t, got).Did)
	assert.Equal(t, "invalid", read(t, got).Error["kind"])

	got = program.Run(t, env, "buy", "-country", "DE", "-yes", "-json", "-address", "AD0123456789abcdef0123456789abcdef")
	assert.Equal(t, 0, got.Status, got.Stderr)
	assert.NotContains(t, got.Stderr, advice)
	assert.Equal(t, "AD0123456789abcdef0123456789abcdef", read(t, got).Number["address_sid"])
}

func TestANumberThatSomebodyElseHasBoughtIsNotBought(t *testing.T) {
	fake, _, _, env := world(t)
	fake.TakeAvailable(forSale)

	got := program.Run(t, env, "buy", forSale, "-yes", "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "failed", doc.Did)
	assert.Equal(t, "conflict", doc.Error["kind"])
	assert.Contains(t, got.Stderr, "See https://www.twilio.com/docs/errors/21422.\n")
}

func TestAfterALostReplyTheNumberIsFoundAndNotBoughtAgain(t *testing.T) {
	fake, _, _, env := world(t)
	fake.Inject(twiliotest.Fault{Operation: "CreateIncomingPhoneNumber", AfterEffect: true, Reset: true})

	got := program.Run(t, env, "buy", forSale, "-yes", "-json")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "outcome_unknown", read(t, got).Error["kind"])
	assert.Equal(t, "found", read(t, program.Run(t, env, "buy", forSale, "-yes", "-json")).Did)
	assert.Equal(t, 1, fake.Count("CreateIncomingPhoneNumber"))
}

func TestOnlyWhatIsGivenOfANumberIsSetAndNothingEmptiesIt(t *testing.T) {
	fake, _, number, env := world(t)
	app := fake.AddApplication(fake.Parent().SID)

	got := program.Run(t, env, "configure", owned, "-json", "-name", "Owlie", "-voice-app", app, "-sms-app", app,
		"-sms-url", "https://owlie.example/sms", "-status-callback", "https://owlie.example/done")

	assert.Equal(t, 0, got.Status, got.Stderr)
	is, _ := fake.PhoneNumber(number.SID)
	assert.Equal(t, document{Number: facts(is), Did: "configured"}, read(t, got))
	want := number
	want.SMSURL, want.StatusCallback = "https://owlie.example/sms", "https://owlie.example/done"
	want.VoiceApplicationSID, want.SMSApplicationSID, want.FriendlyName = app, app, "Owlie"
	want.DateUpdated = is.DateUpdated
	assert.Equal(t, want, is)

	got = program.Run(t, env, "configure", number.SID, "-voice-url", "", "-voice-app=")

	assert.Equal(t, 0, got.Status, got.Stderr)
	is, _ = fake.PhoneNumber(number.SID)
	want.VoiceURL, want.VoiceApplicationSID, want.DateUpdated = "", "", is.DateUpdated
	assert.Equal(t, want, is)
}

func TestANumberIsReleasedForEver(t *testing.T) {
	fake, tenant, _, env := world(t)
	theirs := fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{})

	got := program.Run(t, env, "release", theirs.SID, "-account", tenant.SID, "-json", "-yes")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, document{Number: facts(theirs), Did: "released"}, read(t, got))
	_, isThere := fake.PhoneNumber(theirs.SID)
	assert.False(t, isThere)

	got = program.Run(t, env, "release", theirs.SID, "-account", tenant.SID, "-json", "-yes")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "not_found", read(t, got).Error["kind"])
	assert.Contains(t, got.Stderr, "Check the SID, and which account it belongs to.\n")
}

func TestANumberMovesWithAPlanAndThenIsFound(t *testing.T) {
	fake, tenant, number, env := world(t)
	service := serviceWith(fake, number)
	app, theirs := fake.AddApplication(fake.Parent().SID), fake.AddApplication(tenant.SID)
	program.Run(t, env, "configure", owned, "-voice-app", app)
	number, _ = fake.PhoneNumber(number.SID)
	args := []string{"move", owned, "-to", tenant.SID, "-voice-app", theirs, "-json", "-yes"}

	got := program.Run(t, env, args...)

	assert.Equal(t, 0, got.Status, got.Stderr)
	is, _ := fake.PhoneNumber(number.SID)
	assert.Equal(t, tenant.SID, is.AccountSID)
	assert.Equal(t, theirs, is.VoiceApplicationSID)
	doc := read(t, got)
	assert.Equal(t, document{
		Number: facts(is), Did: "moved",
		Plan: map[string]any{
			"number": facts(number), "from_account_sid": fake.Parent().SID, "to_account_sid": tenant.SID,
			"already_there": false, "leaves_service": service, "membership_unknown": false, "need": []any{},
			"lost": []any{
				map[string]any{"what": "messaging_service", "sid": service, "by": ""},
				map[string]any{"what": "voice_application", "sid": app, "by": theirs},
				map[string]any{"what": "opt_outs", "sid": "", "by": ""},
				map[string]any{"what": "registrations", "sid": "", "by": ""},
			},
		},
		Transfer: map[string]any{"left_service": true, "moved": true, "configured": true},
	}, doc)
	assert.Contains(t, got.Stderr, "  - its place in the messaging service "+service+"\n"+
		"  - its voice application "+app+"; "+theirs+" takes its place\n")
	got.HoldsNoSecret(t, fake, env)
	fake.ForgetRequests()

	again := program.Run(t, env, "move", number.SID, "-to", tenant.SID, "-json")

	assert.Equal(t, 0, again.Status, "nobody need agree to what is so")
	doc = read(t, again)
	assert.Equal(t, "found", doc.Did)
	assert.Equal(t, true, doc.Plan["already_there"])
	assert.Equal(t, map[string]any{"left_service": false, "moved": false, "configured": false}, doc.Transfer)
	assert.Empty(t, changes(fake))
	assert.Equal(t, again.Stdout, program.Run(t, env, "move", owned, "-to", tenant.SID, "-json").Stdout, "by its digits as well")

	back := program.Run(t, env, "move", owned, "-from", tenant.SID, "-to", "parent", "-yes")

	assert.Equal(t, 0, back.Status, back.Stderr)
	is, _ = fake.PhoneNumber(number.SID)
	assert.Equal(t, fake.Parent().SID, is.AccountSID)
}

func TestAMoveThatFailsSaysHowFarItCame(t *testing.T) {
	const update = "UpdateIncomingPhoneNumber"
	far := func(left, moved, configured bool) map[string]any {
		return map[string]any{"left_service": left, "moved": moved, "configured": configured}
	}
	for name, c := range map[string]struct {
		operation string
		on        int
		said      string
		transfer  map[string]any
		owner     string
	}{
		"at once":              {"DeletePhoneNumber", 1, "The number was not moved.", far(false, false, false), "PARENT"},
		"out of its service":   {update, 1, "The number has left SERVICE, and was not moved.", far(true, false, false), "PARENT"},
		"in the other account": {update, 2, "The number was moved, but not all was set again.", far(true, true, false), "TENANT"},
	} {
		t.Run(name, func(t *testing.T) {
			fake, tenant, number, env := world(t)
			named := strings.NewReplacer("PARENT", fake.Parent().SID, "TENANT", tenant.SID, "SERVICE", serviceWith(fake, number))
			app := fake.AddApplication(tenant.SID)
			fake.Inject(twiliotest.Fault{Operation: c.operation, On: c.on, Code: 20001})
			args := []string{"-yes", "move", owned, "-to", tenant.SID, "-voice-app", app, "-json"}

			got := program.Run(t, env, args...)

			assert.Equal(t, 1, got.Status)
			assert.Contains(t, got.Stderr, named.Replace(c.said)+"\ninvalid (code 20001")
			doc := read(t, got)
			assert.Equal(t, "failed", doc.Did)
			assert.Equal(t, c.transfer, doc.Transfer)
			assert.Equal(t, named.Replace(c.owner), doc.Number["account_sid"])
			assert.EqualValues(t, 20001, doc.Error["code"])

			again := program.Run(t, env, args...)

			assert.Equal(t, 0, again.Status, "repeated as it was")
			is, _ := fake.PhoneNumber(number.SID)
			assert.Equal(t, tenant.SID, is.AccountSID)
			assert.Equal(t, app, is.VoiceApplicationSID)
		})
	}
}

func TestWhatANumberNeedsIsSaidAsFlagsAndNobodyIsAsked(t *testing.T) {
	fake, tenant, _, env := world(t)
	german := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{
		PhoneNumber: "+493023125000", AddressRequirements: twiliotest.AnyAddress, AddressSID: "AD0123456789abcdef0123456789abcdef",
		NeedsBundle: true, BundleSID: "BU0123456789abcdef0123456789abcdef",
	})

	got := askedWith("y\n").Run(t, env, "move", german.SID, "-to", tenant.SID, "-json")

	assert.Equal(t, 1, got.Status)
	doc := read(t, got)
	assert.Equal(t, "nothing", doc.Did)
	assert.Equal(t, []any{"-address", "-bundle"}, doc.Plan["need"])
	assert.Equal(t, "+493023125000 needs what the account that gets it must have: say -address and -bundle", doc.Error["message"])
	assert.True(t, strings.HasSuffix(got.Stderr, "Nothing was done.\n"))
	assert.NotContains(t, got.Stderr, "Go on?")
	assert.Empty(t, changes(fake))

	got = program.Run(t, env, "move", german.SID, "-to", tenant.SID, "-yes",
		"-address", "AD1123456789abcdef0123456789abcdef", "-bundle", "BU1123456789abcdef0123456789abcdef")

	assert.Equal(t, 0, got.Status, got.Stderr)
	assert.Contains(t, got.Stderr,
		"  - its address AD0123456789abcdef0123456789abcdef; AD1123456789abcdef0123456789abcdef takes its place\n")
}

func TestANumberOfASuspendedAccountMovesIfItsMembershipDoesNotMatter(t *testing.T) {
	for name, called := range map[string]func(twiliotest.PhoneNumber) string{
		"by its digits": func(n twiliotest.PhoneNumber) string { return n.PhoneNumber },
		"by its SID":    func(n twiliotest.PhoneNumber) string { return n.SID },
	} {
		t.Run(name, func(t *testing.T) {
			fake, tenant, _, env := world(t)
			theirs := fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{})
			fake.SetStatus(tenant.SID, twiliotest.Suspended)
			args := []string{"move", called(theirs), "-from", tenant.SID, "-to", "parent", "-yes", "-json"}

			got := program.Run(t, env, args...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, "suspended", doc.Error["kind"])
			assert.Equal(t, true, doc.Plan["membership_unknown"])
			assert.Contains(t, got.Stderr, "-ignore-membership moves it all the same")
			assert.Empty(t, changes(fake))

			got = program.Run(t, env, append(args, "-ignore-membership")...)

			assert.Equal(t, 0, got.Status, got.Stderr)
			assert.Contains(t, got.Stderr, "Nobody can tell which messaging service it is in: "+tenant.SID+" is suspended.\n")
			assert.Len(t, fake.PhoneNumbers(fake.Parent().SID), 2)
		})
	}
}

func TestANumberThatIsNowhereIsSaidSo(t *testing.T) {
	fake, tenant, _, env := world(t)
	parent := fake.Parent().SID
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"configure": {[]string{"configure", forSale, "-name", "x"}, "not_found: the number is not in " + parent + ".\n"},
		"release":   {[]string{"release", forSale, "-account", tenant.SID}, "not_found: the number is not in " + tenant.SID + ".\n"},
		"move": {
			[]string{"move", forSale, "-to", tenant.SID}, "not_found: the phone number is neither in " + parent + " nor in " + tenant.SID + ".\n",
		},
		"a SID": {[]string{"release", missing, "-yes"}, "Check the SID, and which account it belongs to.\n"},
		"an account": {
			[]string{"buy", forSale, "-account", unknown, "-yes"}, "Check the SID: Twilio shows this parent no such account.\n",
		},
		"a target": {[]string{"move", owned, "-to", unknown, "-yes"}, "Check the SID: Twilio shows this parent no such account.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := program.Run(t, env, append(c.args, "-json")...)

			assert.Equal(t, 1, got.Status)
			doc := read(t, got)
			assert.Equal(t, "failed", doc.Did)
			assert.Equal(t, "not_found", doc.Error["kind"])
			assert.True(t, strings.HasSuffix(got.Stderr, c.want), got.Stderr)
			assert.Empty(t, changes(fake))
		})
	}
}

func TestAListThatFailsIsAListWithAnError(t *testing.T) {
	fake, tenant, _, env := world(t)
	fake.SetStatus(tenant.SID, twiliotest.Suspended)

	got := program.Run(t, env, "list", "-account", tenant.SID, "-json")

	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stdout, `"numbers": []`)
	assert.Equal(t, "suspended", read(t, got).Error["kind"])
	assert.Contains(t, got.Stderr, "Reactivate the account, or ask Twilio why it was suspended.\n")
}

func TestOfflineAllVerbsWork(t *testing.T) {
	env := setup.Offline()
	defer env.Close()
	for _, c := range []struct {
		did  string
		args []string
	}{
		{"bought", []string{"buy", "-area-code", "415", "-account", env.Demo.Active}},
		{"found", []string{"buy", setup.DemoNumber}},
		{"configured", []string{"configure", setup.DemoNumber, "-name", "Owlie"}},
		{"moved", []string{"move", setup.DemoNumber, "-to", env.Demo.Active}},
		{"released", []string{"release", setup.DemoNumber}},
	} {
		got := program.Run(t, nil, append(c.args, "-yes", "-json")...)
		assert.Equal(t, 0, got.Status, got.Stderr)
		assert.Equal(t, c.did, read(t, got).Did)
		assert.True(t, strings.HasPrefix(got.Stderr, "Offline: "))
	}
	assert.Len(t, read(t, program.Run(t, nil, "search", "-json", "-limit", "3")).Numbers, 3)
	got := program.Run(t, nil, "list")
	assert.Equal(t, 0, got.Status)
	assert.Equal(t, 4, strings.Count(got.Stdout, "\n"))
	twin := twiliotest.NewServer(t) // of the same seed, so of the same tokens
	twin.AddSubaccounts(3)
	got.HoldsNoSecret(t, twin, nil)
}

func TestBadUsageIsRefused(t *testing.T) {
	program.RefusesBadUsageBeside(t, []string{"list"},
		nil,
		[]string{"sell", owned},
		[]string{"list", owned},
		[]string{"list", "-to", unknown},
		[]string{"list", "-account", "nonsense"},
		[]string{"search", "-area-code", "0"},
		[]string{"search", "-near", "here"},
		[]string{"search", "-near", "37.78"},
		[]string{"search", "-with", "fax"},
		[]string{"search", "-type", "satellite"},
		[]string{"search", "-limit", "-1"},
		[]string{"buy"},
		[]string{"buy", "-name", "x"},
		[]string{"buy", forSale, "-area-code", "415"},
		[]string{"buy", missing},
		[]string{"buy", "-limit", "3", "-area-code", "415"},
		[]string{"configure", owned},
		[]string{"configure", "-name", "x"},
		[]string{"configure", "4158740103", "-name", "x"},
		[]string{"configure", owned, "-voice-url", "not a URL"},
		[]string{"configure", owned, "-name", ""},
		[]string{"move", owned},
		[]string{"move", owned, "-to", unknown, "-account", unknown},
		[]string{"move", missing, "-to", "parent"},
		[]string{"move", missing, "-to", "nonsense"},
		[]string{"release"},
		[]string{"release", "AC0123456789abcdef0123456789abcdef"},
	)
}

func TestWhatIsMissingIsSaidBeforeAnythingIsOpened(t *testing.T) {
	fake, _, _, _ := world(t)
	env, _ := try.NoMongoDB(fake)
	for want, args := range map[string][]string{
		"Nothing is to be set: say what, such as -voice-url https://example.com/voice.":               {"configure", owned},
		"Say where the number is to go: -to AC…, or -to parent.":                                      {"move", owned},
		"NUMBER is neither a SID (PN and 32 hex digits) nor a number in E.164, such as +14158740103.": {"release", "4158740103"},
		"What is to be bought is no number in E.164, such as +14155550100.":                           {"buy", missing},
		"Say either the number to buy, or how to search for one, such as -area-code 415.":             {"buy"},
		"move takes no -account.": {"move", owned, "-to", "parent", "-account", unknown},
	} {
		got := program.Run(t, env, args...)
		assert.Equal(t, 2, got.Status)
		assert.True(t, strings.HasPrefix(got.Stderr, want+"\nusage: numbers "), got.Stderr)
	}
}

func TestANumberIsNotTakenForALongerOneThatItIsAPartOf(t *testing.T) {
	fake, _, number, env := world(t)
	fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: owned + "7"})

	got := program.Run(t, env, "release", owned, "-yes", "-json")

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, number.SID, read(t, got).Number["sid"])
}

func TestATokenInThePlaceOfASIDIsNotPrinted(t *testing.T) {
	fake, _, _, env := world(t)
	token := fake.Parent().AuthToken
	for _, args := range [][]string{{"release", token}, {"list", "-account", token}, {"move", missing, "-to", token}, {token}} {
		got := program.Run(t, env, args...)
		assert.Equal(t, 2, got.Status)
		got.HoldsNoSecret(t, fake, env)
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	got := program.Run(t, nil, "-h")
	assert.Equal(t, 0, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "usage: numbers [-json] [-yes] [-account SID] search|list|buy|configure|move|release …\n")
	for _, v := range verbs {
		assert.Contains(t, got.Stderr, v.Does)
	}
	assert.Contains(t, got.Stderr, "\nExamples:\n  go run ./examples/numbers search ")
}

func TestEveryFlagOfAVerbIsAFlag(t *testing.T) {
	t.Parallel()
	for _, v := range verbs {
		for flag := range strings.FieldsSeq(v.Flags) {
			var stderr bytes.Buffer
			tool := tool{}
			tool.out.Stderr = &stderr
			_, _, err := tool.parse([]string{v.Name, "-h"})
			require.Error(t, err)
			assert.Regexp(t, "\n  "+flag+"( |\n)", stderr.String())
		}
	}
}

func TestCtrlCEndsIt(t *testing.T) {
	fake, tenant, _, env := world(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range [][]string{
		{"list"}, {"search"}, {"buy", forSale, "-yes"}, {"configure", owned, "-name", "x"}, {"release", owned, "-yes"},
		{"move", owned, "-to", tenant.SID, "-yes"},
	} {
		got := program.RunIn(ctx, t, env, append(args, "-json")...)
		assert.Equal(t, 1, got.Status)
		assert.Equal(t, "context canceled", read(t, got).Error["message"])
	}
	assert.Empty(t, changes(fake))
}

func TestAMongoDBThatDoesNotAnswerIsOneSentence(t *testing.T) {
	fake, _, _, _ := world(t)
	env, password := try.NoMongoDB(fake)

	got := program.Run(t, env, "-json", "list")

	assert.Equal(t, 1, got.Status)
	assert.Equal(t, "store", read(t, got).Error["kind"])
	assert.Equal(t, 1, strings.Count(got.Stderr, "\n"))
	assert.NotContains(t, got.Stdout+got.Stderr, password)
	assert.Zero(t, fake.Count(""))
}
