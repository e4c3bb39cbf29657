// Command subaccounts lists, creates, renames, suspends and reactivates the subaccounts of a parent. What it changes goes to the store
// at once, which makes a document for an account that has none.
//
//	go run ./examples/subaccounts [-json] list|create NAME|rename SID NAME|suspend SID|reactivate SID
//
// Where there is a subaccount of that name already, create finds it and makes none. With -end-calls, suspend also ends the calls that
// are under way, which would go on and cost on.
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET), MONGODB_URI with MONGODB_DATABASE
// and MONGODB_COLLECTION, and TWILIO_BASE_URL. Without credentials it runs offline on a fake Twilio, the same in every run: what is
// changed there is gone when the program ends.
//
// With -json, standard output is one document: {"accounts":[…]} of list, and {"account":{…},"did":"made"} of the others, where did is
// made, found, renamed, suspended, reactivated or failed, and account is null if none is known. The member error is there only if
// something failed, and ended_calls only with -end-calls.
//
// The exit status is 0 if all was done, 1 if not, and 2 if the arguments or the environment are wrong.
package main

import (
	"context"
	"io"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

const usage = "subaccounts [-json] list|create NAME|rename SID NAME|suspend SID|reactivate SID"

var verbs = []setup.Verb{
	{Name: "list", Does: "shows all subaccounts, newest first"},
	{Name: "create", Args: "NAME", Does: "creates a subaccount, unless there is one of that name"},
	{Name: "rename", Args: "SID NAME", Does: "gives a subaccount another name"},
	{Name: "suspend", Args: "SID", Does: "stops a subaccount; its numbers stay and cost on", Flags: "-end-calls"},
	{Name: "reactivate", Args: "SID", Does: "lets a suspended subaccount work again"},
}

const about = `
Examples:
  go run ./examples/subaccounts list
  go run ./examples/subaccounts create "Falcon Flights"
  go run ./examples/subaccounts suspend AC… -end-calls`

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	t := tool{out: report.Output{Stdout: stdout, Stderr: stderr}}
	flags := setup.VerbFlags(usage, verbs, about, stderr)
	flags.BoolVar(&t.out.JSON, "json", false, "print one JSON document instead of a table")
	flags.BoolVar(&t.endsCalls, "end-calls", false, "also end the calls that are under way")
	verb, args, err := setup.ParseVerb(flags, verbs, args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenMaking(ctx, stderr)
	if err != nil {
		return t.out.Fail(err)
	}
	defer env.Close()
	t.provider, err = twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return t.out.Fail(err)
	}
	if verb == "list" {
		return t.list(ctx)
	}
	return t.end(t.do(ctx, verb, args))
}
