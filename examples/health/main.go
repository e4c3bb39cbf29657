// Command health tells how accounts are, as [twilioacct.Provider.Health] does. That an account is suspended is something to know,
// not a failure: it is said, and the exit status stays 0.
//
//	go run ./examples/health [-json] SID...
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET), MONGODB_URI with MONGODB_DATABASE
// and MONGODB_COLLECTION, and TWILIO_BASE_URL. Without credentials it runs offline on a fake Twilio; then no SID stands for all of
// the fake's accounts, two of which fail on purpose.
//
// With -json, standard output is one document, {"health":[…]}. An account that could not be seen has an error there, and is not
// active.
//
// The exit status is 0 if all accounts could be seen, 1 if some could not, and 2 if the arguments or the environment are wrong.
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
	flags := setup.Flags("health [-json] SID...", stderr)
	flags.BoolVar(&out.JSON, "json", false, "print one JSON document instead of a table")
	sids, err := setup.Parse(flags, args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenFor(ctx, sids, stderr)
	if errors.Is(err, setup.ErrStore) {
		fmt.Fprintln(stderr, err, "- but health needs none.")
		err = nil
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
	checks := make([]check, 0, len(env.SIDs))
	for _, sid := range env.SIDs {
		health, err := provider.Health(ctx, sid)
		if err != nil {
			status = report.Failed
		}
		if health.Status == twilioacct.StatusSuspended {
			sendAlert(stderr, health)
		}
		checks = append(checks, check{Health: health, err: err})
	}
	if err := show(out, checks); err != nil {
		return out.Fail(err)
	}
	return status
}

// sendAlert stands for a message to whoever is on duty.
func sendAlert(w io.Writer, h twilioacct.Health) {
	fmt.Fprintf(w, "Alert: Twilio account %s (%s) is suspended.\n", h.SID, report.Plain(h.Name))
}

// check is what Health said of one account.
type check struct {
	twilioacct.Health
	err error
}

func show(out report.Output, checks []check) error {
	if out.JSON {
		list := make([]health, 0, len(checks))
		for _, c := range checks {
			list = append(list, newHealth(c))
		}
		return out.Document(map[string][]health{"health": list})
	}
	err := out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "SID\tNAME\tSTATUS\tTYPE\tACTIVE\tTRIAL")
		for _, c := range checks {
			if c.err == nil {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
					c.SID, report.Plain(c.Name), report.Plain(string(c.Status)), report.Plain(string(c.Type)),
					yesNo(c.IsActive), yesNo(c.IsTrial))
			}
		}
	})
	for _, c := range checks {
		if c.err != nil {
			fmt.Fprintln(out.Stderr, report.Line(c.SID, c.err))
		}
	}
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// health is one account in the JSON document.
type health struct {
	SID         string                 `json:"sid"`
	Name        string                 `json:"name"`
	Status      twilioacct.Status      `json:"status"`
	Type        twilioacct.AccountType `json:"type"`
	IsActive    bool                   `json:"is_active"`
	IsTrial     bool                   `json:"is_trial"`
	LastChecked time.Time              `json:"last_checked"`
	Error       *report.Error          `json:"error,omitempty"`
}

func newHealth(c check) health {
	return health{
		SID:         report.SID(c.SID),
		Name:        c.Name,
		Status:      c.Status,
		Type:        c.Type,
		IsActive:    c.IsActive,
		IsTrial:     c.IsTrial,
		LastChecked: c.LastChecked.UTC(),
		Error:       report.NewError(c.err),
	}
}
