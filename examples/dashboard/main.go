// Command dashboard shows how the accounts of a fleet are, as [twilioacct.Provider.Dashboard] does: how many there are of each
// status and type, and which. Nothing is written, neither at Twilio nor to the store.
//
//	go run ./examples/dashboard [-json] [-http 127.0.0.1:8080]
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET), MONGODB_URI with MONGODB_DATABASE
// and MONGODB_COLLECTION, and TWILIO_BASE_URL. Without credentials it runs offline on a fake Twilio with 5,000 subaccounts, five of
// whose documents have no account on purpose; each time the page is renewed, a few accounts have been suspended or reactivated.
//
// With -json, standard output is one document, the dashboard; its member error is there only if Twilio's list broke off, and the
// accounts are those that it had shown by then. With -http it is a page for a browser, until it is interrupted. The page asks
// nobody who they are: authentication is the application's, so the address must be one that only this machine can reach, such as
// 127.0.0.1:8080 or localhost:0 (a free port).
//
// The exit status is 0 if there is a dashboard and every document has its account, 1 if there is none, or not a whole one, or if
// documents failed, and 2 if the arguments or the environment are wrong. A page that was served until it was interrupted ends with
// 0, whatever it showed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := report.Output{Stdout: stdout, Stderr: stderr}
	address, err := parse(args, &out)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenFleet(ctx, stderr)
	if err != nil {
		return out.Fail(err)
	}
	defer env.Close()
	provider, err := twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return out.Fail(err)
	}
	if address == "" {
		return show(ctx, out, provider)
	}
	if err := serve(ctx, address, stderr, newBoard(provider.Dashboard, env.TimePasses)); err != nil {
		return out.Fail(err)
	}
	return report.Done
}

// serve makes the first figures, and then serves the page until the context ends, which is no error.
func serve(ctx context.Context, address string, notes io.Writer, figures *board) error {
	if err := figures.renew(ctx); err != nil {
		return err
	}
	listener, err := setup.Listen(ctx, address)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintf(notes, "The dashboard is at http://%s/ until you press Ctrl-C.\n", listener.Addr())
	fmt.Fprintln(notes, "It asks nobody who they are. Authentication is the application's, so only this machine can reach it.")
	go figures.keepFresh(ctx)
	return setup.Serve(ctx, listener, newPage(figures))
}

// parse returns the address to listen at, "" for none.
func parse(args []string, out *report.Output) (address string, err error) {
	flags := setup.Flags("dashboard [-json] [-http 127.0.0.1:8080]", out.Stderr)
	flags.BoolVar(&out.JSON, "json", false, "print one JSON document instead of a table")
	flags.Func("http", "serve a page at this `address`, which nobody but this machine can reach", func(text string) (err error) {
		address, err = setup.LocalAddress(text)
		return err
	})
	err = setup.ParseNone(flags, args)
	if err == nil && out.JSON && address != "" {
		err = errors.New("-json and -http exclude each other")
		fmt.Fprintln(out.Stderr, err)
	}
	return address, err
}
