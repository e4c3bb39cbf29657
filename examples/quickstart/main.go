// Command quickstart shows in one second what the library is for: the accounts of a parent are listed, each is fetched from
// Twilio, and its auth token and status are written to the documents of the application that hold its SID. Then it shows the
// three errors that everybody meets first, and how a program tells them apart.
//
//	go run ./examples/quickstart
//
// Without any environment it runs offline, on a fake Twilio and on documents in memory that are out of date. With
// TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or TWILIO_API_KEY and TWILIO_API_SECRET) it does the same for that parent's first
// accounts, and changes nothing at Twilio; with MONGODB_URI (MONGODB_DATABASE, MONGODB_COLLECTION) the documents are those there.
// TWILIO_BASE_URL is dialled in the place of Twilio. The errors are always the fake's, so that nobody's real account sees a login
// that fails.
//
// The exit status is 0 if all went as it should, 1 if not, and 2 if the arguments or the environment are wrong.
package main

import (
	"cmp"
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
	if err := setup.ParseNone(setup.Flags("quickstart", stderr), args); err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.Open(ctx, stderr)
	if err != nil {
		return out.Fail(err)
	}
	defer env.Close()
	if memory, ok := env.Options.Store.(*twilioacct.MemStore); ok && env.Demo == nil {
		memory.Making() // it is empty, and nothing would be seen; no document of anybody's is made
	}
	if err := syncFirst(ctx, env, out); err != nil {
		return out.Fail(err)
	}
	if err := showErrors(ctx, out); err != nil {
		return out.Fail(err)
	}
	if env.Demo != nil {
		fmt.Fprintln(stdout)
		fmt.Fprintln(stdout, "To see your own accounts and documents, set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and MONGODB_URI.")
	}
	return report.Done
}

// first is how many accounts are enough to see what happens.
const first = 5

// change is what Sync did to the document of one account.
type change struct {
	account       twilioacct.Account
	before, after string
}

func syncFirst(ctx context.Context, env *setup.Env, out report.Output) error {
	provider, err := twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return err
	}
	var changes []change
	for account, err := range provider.Accounts(ctx, nil) {
		if err != nil {
			return err
		}
		c, err := syncOne(ctx, provider, env.Options.Store, account.SID)
		if err != nil {
			return err
		}
		if changes = append(changes, c); len(changes) == first {
			break
		}
	}
	fmt.Fprint(out.Stdout, "What the store holds of each account, before and after Sync:\n\n")
	return out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "ACCOUNT\tAT TWILIO\tBEFORE\tAFTER")
		for _, c := range changes {
			fmt.Fprintf(w, "%s\t%s, %s\t%s\t%s\n",
				report.Plain(c.account.FriendlyName), c.account.Status, c.account.Type, c.before, c.after)
		}
	})
}

func syncOne(ctx context.Context, provider *twilioacct.Provider, store twilioacct.Store, sid string) (change, error) {
	before, err := load(ctx, store, sid)
	if err != nil {
		return change{}, err
	}
	synced, err := provider.Sync(ctx, sid)
	if err != nil {
		return change{}, err
	}
	after, err := load(ctx, store, sid)
	if err != nil {
		return change{}, err
	}
	return change{
		account: synced.Account,
		before:  describe(before, synced.AuthToken),
		after:   describe(after, synced.AuthToken),
	}, nil
}

// load returns no record where no document holds the SID, which is no failure here.
func load(ctx context.Context, store twilioacct.Store, sid string) (twilioacct.Record, error) {
	record, err := store.Load(ctx, sid)
	if errors.Is(err, twilioacct.ErrNoRecord) {
		return twilioacct.Record{}, nil
	}
	if err != nil {
		return twilioacct.Record{}, &twilioacct.StoreError{Op: "Load", SID: sid, Err: err}
	}
	return record, nil
}

// describe tells what a document holds. Secrets can be compared without being shown.
func describe(r twilioacct.Record, current twilioacct.Secret) string {
	status := cmp.Or(string(r.Status), "no status")
	switch {
	case r.SID == "":
		return "no document"
	case r.AuthToken.IsZero():
		return status + ", no token"
	case current.IsZero():
		return status + ", a token" // Twilio hides the current one from API keys
	case r.AuthToken.Equal(current):
		return status + ", the current token"
	}
	return status + ", an old token"
}

// showErrors asks for what Twilio refuses.
func showErrors(ctx context.Context, out report.Output) error {
	fake := setup.Offline()
	defer fake.Close()
	provider, err := twilioacct.New(fake.Parent, &fake.Options)
	if err != nil {
		return err
	}
	mistaken := fake.Parent
	mistaken.AuthToken = twilioacct.NewSecret("mistaken")
	lockedOut, err := twilioacct.New(mistaken, &fake.Options)
	if err != nil {
		return err
	}

	_, notFound := provider.Account(ctx, fake.Demo.Missing)
	_, unauthenticated := lockedOut.Account(ctx, fake.Demo.Active)
	_, forbidden := provider.Account(ctx, fake.Demo.Foreign)

	fmt.Fprint(out.Stdout, "\nWhat can go wrong, told apart with errors.Is and looked into with errors.As:\n\n")
	return out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "ERROR\tCODE\tHTTP\tWHAT TO DO")
		for _, err := range []error{notFound, unauthenticated, forbidden} {
			fmt.Fprintln(w, explain(err))
		}
	})
}

func explain(err error) string {
	var e *twilioacct.Error
	if !errors.As(err, &e) {
		return "not as expected: " + fmt.Sprint(err)
	}
	facts := fmt.Sprintf("\t%d\t%d\t", e.Code, e.Status)
	switch {
	case errors.Is(err, twilioacct.ErrNotFound):
		return "ErrNotFound" + facts + "Check the SID: there is no such account."
	case errors.Is(err, twilioacct.ErrUnauthenticated):
		return "ErrUnauthenticated" + facts + "Check the parent's SID and auth token."
	case errors.Is(err, twilioacct.ErrForbidden):
		return "ErrForbidden" + facts + "Use the credentials of the parent that owns the account."
	}
	return "another" + facts + e.Error()
}
