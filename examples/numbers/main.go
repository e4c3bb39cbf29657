// Command numbers searches, lists, buys, configures, moves and releases the phone numbers of an account: the parent's own, or with
// -account those of a subaccount.
//
//	go run ./examples/numbers [-json] [-yes] [-account SID] search|list|buy|configure|move|release …
//
// What costs money or cannot be undone (buy, move, release) shows its plan on standard error, and is done with -yes or if somebody at
// a terminal agrees. Otherwise nothing is done. What is so already is found, and needs nobody to agree: a number that the account has,
// one that was moved.
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET, which do less), MONGODB_URI with
// MONGODB_DATABASE and MONGODB_COLLECTION, where a subaccount's auth token may be kept, and TWILIO_BASE_URL. Without credentials it
// runs offline on a fake Twilio, the same in every run: what is changed there is gone when the program ends.
//
// With -json, standard output is one document: {"numbers":[…]} of search and list, and {"number":{…},"did":"bought"} of the others,
// where did is bought, configured, moved, released, found, nothing or failed. With nothing, the member plan says what would have been
// done; it is also there after a move, beside transfer, which says how far that came. The member error is there only if something
// failed.
//
// The exit status is 0 if all was done, 1 if not, and 2 if the arguments or the environment are wrong.
package main

import (
	"context"
	"io"
	"os"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runAt(ctx, consoleOf(os.Stdin), args, stdout, stderr)
}

// runAt is run with somebody at the console, or nobody.
func runAt(ctx context.Context, c console, args []string, stdout, stderr io.Writer) int {
	t := tool{out: report.Output{Stdout: stdout, Stderr: stderr}, console: c}
	verb, args, err := t.parse(args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.Open(ctx, stderr)
	if err != nil {
		return t.out.Fail(err)
	}
	defer env.Close()
	t.parent = env.Parent.AccountSID
	t.provider, err = twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return t.out.Fail(err)
	}
	return t.do(ctx, verb, args)
}

// do does what the verb says, and returns the exit status.
func (t *tool) do(ctx context.Context, verb string, args []string) int {
	switch verb {
	case "search":
		offered, err := t.handle().SearchNumbers(ctx, t.asked.search)
		return endList(t, offered, offerColumns, newOffer, err)
	case "list":
		numbers, err := t.list(ctx)
		return endList(t, numbers, numberColumns, newNumber, err)
	case "buy":
		return t.end(t.buy(ctx, args))
	case "configure":
		return t.end(t.configure(ctx, args[0]))
	case "move":
		return t.end(t.move(ctx, args[0]))
	}
	return t.end(t.release(ctx, args[0]))
}
