package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/twilioacct/twilioacct/examples/internal/try"
	"github.com/twilioacct/twilioacct/twiliotest"
)

var program = try.Program(run)

const errorTable = `
What can go wrong, told apart with errors.Is and looked into with errors.As:

ERROR               CODE   HTTP  WHAT TO DO
ErrNotFound         20404  404   Check the SID: there is no such account.
ErrUnauthenticated  20003  401   Check the parent's SID and auth token.
ErrForbidden        20403  403   Use the credentials of the parent that owns the account.
`

func TestOfflineItShowsBeforeAndAfterAndTheThreeErrorsWithinASecond(t *testing.T) {
	start := time.Now()

	got := program.Run(t, nil)

	assert.Less(t, time.Since(start), time.Second)
	assert.Equal(t, 0, got.Status)
	assert.Equal(t, `What the store holds of each account, before and after Sync:

ACCOUNT              AT TWILIO        BEFORE                   AFTER
Plover Post          active, Trial    no document              no document
Heron Hotels         suspended, Full  active, no token         suspended, the current token
Falcon Flights       active, Full     suspended, an old token  active, the current token
Owlie Notifications  active, Full     no document              no document
`+errorTable+`
To see your own accounts and documents, set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and MONGODB_URI.
`, got.Stdout)
	assert.Equal(t, "Offline: no Twilio credentials are set, so this runs on a fake Twilio (twiliotest) and a store in memory (MemStore).\n",
		got.Stderr)
	twin := twiliotest.NewServer(t) // of the same seed, so of the same tokens
	twin.AddSubaccounts(3)
	got.HoldsNoSecret(t, twin, nil)
}

func TestWithCredentialsItShowsTheParentsFirstAccountsAndChangesNothing(t *testing.T) {
	fake := twiliotest.NewServer(t)
	fake.AddSubaccounts(7)
	env := try.Online(fake)

	got := program.Run(t, env)

	assert.Equal(t, 0, got.Status)
	assert.Equal(t, `What the store holds of each account, before and after Sync:

ACCOUNT       AT TWILIO     BEFORE       AFTER
Subaccount 7  active, Full  no document  active, the current token
Subaccount 6  active, Full  no document  active, the current token
Subaccount 5  active, Full  no document  active, the current token
Subaccount 4  active, Full  no document  active, the current token
Subaccount 3  active, Full  no document  active, the current token
`+errorTable, got.Stdout)
	for _, r := range fake.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.Equal(t, http.StatusOK, r.Status, "the errors are not this Twilio's")
	}
	got.HoldsNoSecret(t, fake, env)
}

func TestATokenThatAnAPIKeyDoesNotSeeIsLeftAsItIs(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.OnlineByKey(fake, twiliotest.MainKey)

	got := program.Run(t, env)

	assert.Equal(t, 0, got.Status)
	assert.Contains(t, got.Stdout, "Parent   active, Full  no document  active, no token\n")
	got.HoldsNoSecret(t, fake, env)
}

func TestWhatTwilioRefusesIsOneSentenceWithItsKind(t *testing.T) {
	fake := twiliotest.NewServer(t)
	env := try.OnlineByKey(fake, twiliotest.StandardKey)

	got := program.Run(t, env)

	assert.Equal(t, 1, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Regexp(t, `\nunauthenticated \(code 20003, request RQ[0-9a-f]+\): Authenticate: API key SK[0-9a-f]+ is wrong or deleted, .*\. Check .*\n$`, got.Stderr)
	got.HoldsNoSecret(t, fake, env)
}

func TestAMongoDBThatDoesNotAnswerIsOneSentence(t *testing.T) {
	env, password := try.NoMongoDB(twiliotest.NewServer(t))

	got := program.Run(t, env)

	assert.Equal(t, 1, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Regexp(t, "^store: .*no MongoDB server answered.*\n$", got.Stderr)
	assert.NotContains(t, got.Stderr, password)
}

func TestItTakesNoArguments(t *testing.T) {
	for _, args := range [][]string{{"AC0123456789abcdef0123456789abcdef"}, {"-json"}} {
		got := program.Run(t, nil, args...)
		assert.Equal(t, 2, got.Status)
		assert.Empty(t, got.Stdout)
		assert.Contains(t, got.Stderr, "usage: quickstart\n")
	}
}

func TestHalfOfTheCredentialsIsBadUsage(t *testing.T) {
	got := program.Run(t, try.Env{"TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef"})
	assert.Equal(t, 2, got.Status)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, "the auth token is empty")
}

func TestCtrlCEndsIt(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()

	got := program.RunIn(ctx, t, nil)

	assert.Equal(t, 1, got.Status)
	assert.Contains(t, got.Stderr, "It was interrupted")
}
