// Package try runs an example in the process of its tests.
package try

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// Program is the run function of an example.
type Program func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Env is an environment of examples; what it leaves out is empty.
type Env map[string]string

// Result is what a program left behind.
type Result struct {
	Status         int
	Stdout, Stderr string
}

// variables are all that examples read.
var variables = []string{
	"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_BASE_URL",
	"MONGODB_URI", "MONGODB_DATABASE", "MONGODB_COLLECTION",
}

// Run runs the program in that environment, which is the process's: such tests are not parallel.
func (p Program) Run(t *testing.T, env Env, args ...string) Result {
	t.Helper()
	return p.RunIn(t.Context(), t, env, args...)
}

// RunIn is Run with a context.
func (p Program) RunIn(ctx context.Context, t *testing.T, env Env, args ...string) Result {
	t.Helper()
	for _, name := range variables {
		t.Setenv(name, env[name])
	}
	var stdout, stderr bytes.Buffer
	status := p(ctx, args, &stdout, &stderr)
	return Result{Status: status, Stdout: stdout.String(), Stderr: stderr.String()}
}

// Online is the environment of a program that works on the fake as if it were Twilio, as its parent.
func Online(fake *twiliotest.Server) Env {
	parent := fake.Parent()
	return Env{"TWILIO_ACCOUNT_SID": parent.SID, "TWILIO_AUTH_TOKEN": parent.AuthToken, "TWILIO_BASE_URL": fake.URL()}
}

// OnlineByKey is Online with an API key in the place of the token.
func OnlineByKey(fake *twiliotest.Server, kind twiliotest.KeyKind) Env {
	parent := fake.Parent()
	key := fake.AddKey(parent.SID, kind)
	return Env{
		"TWILIO_ACCOUNT_SID": parent.SID,
		"TWILIO_API_KEY":     key.SID,
		"TWILIO_API_SECRET":  key.Secret,
		"TWILIO_BASE_URL":    fake.URL(),
	}
}

// Document decodes standard output, which must be one JSON document and nothing else, into v.
func (r Result) Document(t *testing.T, v any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.Stdout))
	if err := decoder.Decode(v); err != nil {
		t.Fatalf("standard output is no JSON document: %v\n%s", err, r.Stdout)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("something comes after the JSON document:\n%s", r.Stdout)
	}
}

// HoldsNoSecret asserts that no token of the fake's accounts, no secret of their API keys, nor any secret of the environment's, was
// printed.
func (r Result) HoldsNoSecret(t *testing.T, fake *twiliotest.Server, env Env) {
	t.Helper()
	secrets := []string{fake.Parent().AuthToken, env["TWILIO_AUTH_TOKEN"], env["TWILIO_API_SECRET"]}
	for _, a := range fake.Subaccounts() {
		secrets = append(secrets, a.AuthToken)
		for _, k := range fake.Keys(a.SID) {
			secrets = append(secrets, k.Secret)
		}
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(r.Stdout+r.Stderr, secret) {
			t.Errorf("a secret was printed:\n%s%s", r.Stdout, r.Stderr)
		}
	}
}

// HoldsNoSecretOf asserts that no auth token of the accounts that the provider lists, nor that of the parent, was printed.
func (r Result) HoldsNoSecretOf(t *testing.T, provider *twilioacct.Provider) {
	t.Helper()
	tokens := map[string]string{}
	for account, err := range provider.Accounts(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		tokens[account.AuthToken.Reveal()] = account.SID
	}
	for _, text := range hexDigits.FindAllString(r.Stdout+r.Stderr, -1) {
		if sid, found := tokens[text]; found {
			t.Errorf("the auth token of %s was printed", sid)
		}
	}
}

// hexDigits is what tokens look like, and the rest of a SID.
var hexDigits = regexp.MustCompile(`[0-9a-f]{32}`)

// badEnvironments are those that no example accepts.
var badEnvironments = map[string]Env{
	"a SID without its token":       {"TWILIO_ACCOUNT_SID": sid},
	"a token without its SID":       {"TWILIO_AUTH_TOKEN": token},
	"an API key without its secret": {"TWILIO_ACCOUNT_SID": sid, "TWILIO_API_KEY": key},
	"a malformed SID of the parent": {"TWILIO_ACCOUNT_SID": token, "TWILIO_AUTH_TOKEN": token},
	"a base URL that is none": {
		"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "TWILIO_BASE_URL": "http://me:" + token + "@there",
	},
	"a MONGODB_URI that is none": {
		"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "MONGODB_URI": "mongo://me:" + token + "@there",
	},
	"a MONGODB_URI whose password is not escaped": {
		"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "MONGODB_URI": "mongodb://me:" + token + "%@there",
	},
}

const (
	sid   = "AC0123456789abcdef0123456789abcdef"
	key   = "SK0123456789abcdef0123456789abcdef"
	token = "89abcdef0123456789abcdef01234567"
)

// RefusesBadUsage asserts that a program about accounts says on standard error what is wrong, prints nothing else, and exits with 2.
func (p Program) RefusesBadUsage(t *testing.T) {
	p.refuses(t, "no SID at the real Twilio", Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token})
	p.refuses(t, "an unknown flag after a SID", nil, sid, "-verbose")
	p.refusesBadUsage(t, sid)
}

// RefusesBadUsageWithoutArguments is RefusesBadUsage for a program that takes none; each of more is another bad usage of it.
func (p Program) RefusesBadUsageWithoutArguments(t *testing.T, more ...[]string) {
	p.refuses(t, "an argument", nil, sid)
	for _, args := range more {
		p.refuses(t, strings.Join(args, " "), nil, args...)
	}
	p.refusesBadUsage(t)
}

// RefusesBadUsageBeside is RefusesBadUsage for a program of which good is a good usage, and each of bad a bad one.
func (p Program) RefusesBadUsageBeside(t *testing.T, good []string, bad ...[]string) {
	for _, args := range bad {
		p.refuses(t, strings.Join(args, " "), nil, args...)
	}
	p.refusesBadUsage(t, good...)
}

func (p Program) refusesBadUsage(t *testing.T, good ...string) {
	p.refuses(t, "an unknown flag", nil, append([]string{"-verbose"}, good...)...)
	p.refuses(t, "a flag with a strange value", nil, append([]string{"-json=perhaps"}, good...)...)
	for name, env := range badEnvironments {
		p.refuses(t, name, env, good...)
	}
}

func (p Program) refuses(t *testing.T, name string, env Env, args ...string) {
	t.Run(name, func(t *testing.T) {
		got := p.Run(t, env, append([]string{"-json"}, args...)...)
		if got.Status != 2 || got.Stdout != "" || got.Stderr == "" || strings.Contains(got.Stderr, token) {
			t.Errorf("exit status %d\nstandard output: %s\nstandard error: %s", got.Status, got.Stdout, got.Stderr)
		}
	})
}

// NoMongoDB is the environment of a program whose MongoDB does not answer, and how its password reads.
func NoMongoDB(fake *twiliotest.Server) (env Env, password string) {
	env, password = Online(fake), "pa55word"
	env["MONGODB_URI"] = "mongodb://me:" + password + "@127.0.0.1:1/?serverSelectionTimeoutMS=50"
	return env, password
}
