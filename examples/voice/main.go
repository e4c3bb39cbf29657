// Command voice sets a subaccount up for calls from a browser, as [twilioacct.Provider.Provision] does: an API key whose secret goes to
// the store, a TwiML application, a number to call from, what answers the calls to all of its numbers, and a first access token. What is
// there already is found and left alone, so it can be run again and again: only the token is new each time, and the call.
//
//	go run ./examples/voice [-json] -subaccount AC…|-name NAME [-outgoing-url URL] [-incoming-url URL | -studio-flow FW…]
//	                        [-identity alice] [-ttl 10m] [-print-token] [-http 127.0.0.1:8081] [-call +1…]
//
// The outgoing URL is the application's: Twilio asks it what to do with a call that begins in a browser. The incoming URL, which is the
// outgoing one unless it is said, or the Studio flow, goes to all numbers of the subaccount, but for those on a trunk. With none of the
// three, what answers the numbers stays as it is. A subaccount that is named and not there is made.
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, MONGODB_URI with MONGODB_DATABASE and MONGODB_COLLECTION, and TWILIO_BASE_URL. An
// API key is not enough: Twilio hides the auth tokens of subaccounts from it. The subaccount gets a document in the store if it has none.
// Without credentials it runs offline on a fake Twilio; then the name is FalconFlights, which has two numbers.
//
// Each step is said on standard error when it ends. With -json, standard output is one document:
//
//	{"subaccount_sid", "api_key_sid", "application_sid", "caller_number", "token", "token_expires_at",
//	 "incoming": [{"phone_number", "before", "after", "changed"}], "stray_keys": ["SK…"], "call_sid", "error": {…}}
//
// Its member token is there only with -print-token, and error only if something failed; what was made before that is told all the same.
// An account without numbers is no failure: caller_number is "", and incoming is []. So is incoming of a run that failed before them. URLs
// are shown without their passwords.
//
// With -call, a call is placed from the subaccount's number, with the application, as a call from a browser would be answered.
//
// With -http it then serves a page with the browser's side: it asks for a token, shows how long that is good, and asks for the next in
// time, until the program is interrupted. The page asks nobody who they are: sessions are the application's, so the address must be one
// that only this machine can reach, such as 127.0.0.1:8081 or localhost:0 (a free port).
//
// The exit status is 0 if all was done, 1 if something failed, and 2 if the arguments or the environment are wrong. A page that was served
// until it was interrupted ends with 0.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := report.Output{Stdout: stdout, Stderr: stderr}
	wanted, err := parse(&out, args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenCalling(ctx, stderr)
	if errors.Is(err, setup.ErrStore) {
		return (&result{wanted: wanted, err: err}).end(out)
	}
	if err != nil {
		return out.Fail(err)
	}
	defer env.Close()
	env.Options.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	provider, err := twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return out.Fail(err)
	}
	if wanted.address == "" {
		return setUp(ctx, provider, wanted, stderr).end(out)
	}
	return serve(ctx, provider, wanted, out)
}

// serve listens before anything is made: the address may be taken.
func serve(ctx context.Context, provider *twilioacct.Provider, wanted wanted, out report.Output) int {
	listener, err := setup.Listen(ctx, wanted.address)
	if err != nil {
		return (&result{wanted: wanted, err: err}).end(out)
	}
	defer listener.Close()
	r := setUp(ctx, provider, wanted, out.Stderr)
	if status := r.end(out); status != report.Done {
		return status
	}
	fmt.Fprintf(out.Stderr, "The page is at http://%s/ until you press Ctrl-C.\n", listener.Addr())
	fmt.Fprintf(out.Stderr, "It asks nobody who they are: whoever reaches it is %s. So only this machine can.\n", wanted.identity)
	if err := setup.Serve(ctx, listener, newPage(provider, r)); err != nil {
		return out.Fail(err)
	}
	return report.Done
}
