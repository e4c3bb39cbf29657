// Package try runs an example in the process of its tests.
package try

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

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

// HoldsNoSecret asserts that no token of the fake's accounts, nor any secret of the environment's, was printed.
func (r Result) HoldsNoSecret(t *testing.T, fake *twiliotest.Server, env Env) {
	t.Helper()
	secrets := []string{fake.Parent().AuthToken, env["TWILIO_AUTH_TOKEN"], env["TWILIO_API_SECRET"]}
	for _, a := range fake.Subaccounts() {
		secrets = append(secrets, a.AuthToken)
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(r.Stdout+r.Stderr, secret) {
			t.Errorf("a secret was printed:\n%s%s", r.Stdout, r.Stderr)
		}
	}
}

// badUsage are environments and arguments that no example about accounts accepts.
var badUsage = map[string]struct {
	env  Env
	args []string
}{
	"an unknown flag":               {nil, []string{"-verbose"}},
	"an unknown flag after a SID":   {nil, []string{sid, "-verbose"}},
	"a flag with a strange value":   {nil, []string{"-json=perhaps"}},
	"no SID at the real Twilio":     {Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token}, nil},
	"a SID without its token":       {Env{"TWILIO_ACCOUNT_SID": sid}, []string{sid}},
	"a token without its SID":       {Env{"TWILIO_AUTH_TOKEN": token}, []string{sid}},
	"an API key without its secret": {Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_API_KEY": key}, []string{sid}},
	"a malformed SID of the parent": {Env{"TWILIO_ACCOUNT_SID": token, "TWILIO_AUTH_TOKEN": token}, []string{sid}},
	"a base URL that is none": {
		Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "TWILIO_BASE_URL": "http://me:" + token + "@there"}, []string{sid},
	},
	"a MONGODB_URI that is none": {
		Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "MONGODB_URI": "mongo://me:" + token + "@there"}, []string{sid},
	},
	"a MONGODB_URI whose password is not escaped": {
		Env{"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "MONGODB_URI": "mongodb://me:" + token + "%@there"}, []string{sid},
	},
}

const (
	sid   = "AC0123456789abcdef0123456789abcdef"
	key   = "SK0123456789abcdef0123456789abcdef"
	token = "89abcdef0123456789abcdef01234567"
)

// RefusesBadUsage asserts that the program says on standard error what is wrong, prints nothing else, and exits with 2.
func (p Program) RefusesBadUsage(t *testing.T) {
	for name, c := range badUsage {
		t.Run(name, func(t *testing.T) {
			got := p.Run(t, c.env, append([]string{"-json"}, c.args...)...)
			if got.Status != 2 || got.Stdout != "" || got.Stderr == "" || strings.Contains(got.Stderr, token) {
				t.Errorf("exit status %d\nstandard output: %s\nstandard error: %s", got.Status, got.Stdout, got.Stderr)
			}
		})
	}
}

// NoMongoDB is the environment of a program whose MongoDB does not answer, and how its password reads.
func NoMongoDB(fake *twiliotest.Server) (env Env, password string) {
	env, password = Online(fake), "pa55word"
	env["MONGODB_URI"] = "mongodb://me:" + password + "@127.0.0.1:1/?serverSelectionTimeoutMS=50"
	return env, password
}
