// Command account fetches accounts from Twilio and writes their auth tokens and statuses to the store, as [twilioacct.Provider.Sync]
// does. The store's documents are the application's own: one that holds the account's SID is updated, and none is made.
//
//	go run ./examples/account [-json] SID...
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET), MONGODB_URI with MONGODB_DATABASE
// and MONGODB_COLLECTION, and TWILIO_BASE_URL. Without credentials it runs offline on a fake Twilio; then no SID stands for all of
// the fake's accounts, two of which fail on purpose.
//
// With -json, standard output is one document, {"accounts":[…]}. An account that failed has only its sid and its error there.
//
// The exit status is 0 if all accounts were synced, 1 if some were not, and 2 if the arguments or the environment are wrong. That
// no document holds an account, or that Twilio hides its token from an API key, is no failure.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := report.Output{Stdout: stdout, Stderr: stderr}
	flags := setup.Flags("account [-json] SID...", stderr)
	flags.BoolVar(&out.JSON, "json", false, "print one JSON document instead of a table")
	sids, err := setup.Parse(flags, args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenFor(ctx, sids, stderr)
	if errors.Is(err, setup.ErrStore) {
		return failAll(out, env.SIDs, err)
	}
	if err != nil {
		return out.Fail(err)
	}
	defer env.Close()
	provider, err := twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return out.Fail(err)
	}

	status := report.Done
	results := make([]result, 0, len(env.SIDs))
	for _, sid := range env.SIDs {
		synced, err := provider.Sync(ctx, sid)
		if err != nil {
			status = report.Failed
		}
		if synced.Copies > 1 {
			fmt.Fprintf(stderr, "%s: %d documents hold it, all of them are updated, and there should be one.\n", sid, synced.Copies)
		}
		results = append(results, result{sid: sid, SyncResult: synced, err: err})
	}
	if err := show(out, results); err != nil {
		return out.Fail(err)
	}
	return status
}

// failAll is the end without a store: no account was synced.
func failAll(out report.Output, sids []string, err error) int {
	if !out.JSON {
		return out.Fail(err)
	}
	fmt.Fprintln(out.Stderr, report.Sentence(err))
	results := make([]result, 0, len(sids))
	for _, sid := range sids {
		results = append(results, result{sid: sid, err: err})
	}
	if err := show(out, results); err != nil {
		return out.Fail(err)
	}
	return report.Failed
}

// result is what Sync said of one account. If only the store failed, there is an account beside the error.
type result struct {
	twilioacct.SyncResult
	sid string
	err error
}

func show(out report.Output, results []result) error {
	if out.JSON {
		accounts := make([]account, 0, len(results))
		for _, r := range results {
			accounts = append(accounts, newAccount(r))
		}
		return out.Document(map[string][]account{"accounts": accounts})
	}
	err := out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "SID\tNAME\tSTATUS\tTYPE\tCREATED\tAUTH TOKEN\tDOCUMENT")
		for _, r := range results {
			if r.SID != "" {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					r.SID, report.Plain(r.FriendlyName), report.Plain(string(r.Status)), report.Plain(string(r.Type)),
					r.DateCreated.Format(time.DateOnly), tokenWord(r), documentWord(r))
			}
		}
	})
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintln(out.Stderr, report.Line(r.sid, r.err))
		}
	}
	return err
}

func tokenWord(r result) string {
	if r.AuthToken.IsZero() {
		return "hidden"
	}
	return "fetched"
}

func documentWord(r result) string {
	switch {
	case r.err != nil:
		return "failed"
	case r.Changed:
		return "updated"
	case r.Stored:
		return "up to date"
	}
	return "none"
}

// account is one account in the JSON document: with its facts, or with its error.
type account struct {
	SID    string        `json:"sid"`
	*facts               // nil: its members are not there
	Error  *report.Error `json:"error,omitempty"`
}

type facts struct {
	FriendlyName    string                 `json:"friendly_name"`
	Status          twilioacct.Status      `json:"status"`
	Type            twilioacct.AccountType `json:"type"`
	OwnerAccountSID string                 `json:"owner_account_sid"`
	DateCreated     time.Time              `json:"date_created"`
	DateUpdated     time.Time              `json:"date_updated"`
	URI             string                 `json:"uri"`
	HasAuthToken    bool                   `json:"has_auth_token"` // never the token itself
	Stored          bool                   `json:"stored"`
}

func newAccount(r result) account {
	if r.err != nil {
		return account{SID: report.SID(r.sid), Error: report.NewError(r.err)}
	}
	return account{SID: r.SID, facts: &facts{
		FriendlyName:    r.FriendlyName,
		Status:          r.Status,
		Type:            r.Type,
		OwnerAccountSID: r.OwnerAccountSID,
		DateCreated:     r.DateCreated,
		DateUpdated:     r.DateUpdated,
		URI:             r.URI,
		HasAuthToken:    !r.AuthToken.IsZero(),
		Stored:          r.Stored,
	}}
}
