// Command messaging takes a tenant from nothing to its first message, as [twilioacct.Provider.Provision] does: a subaccount, a phone
// number, a messaging service, the number in the service, and, where a recipient is named, a message. What is there already is
// found and left alone, so it can be run again and again: only the message is sent each time.
//
//	go run ./examples/messaging [-json] -name FalconFlights [-number PN…|+1…] [-area-code 415] [-service falconFlightNotifications]
//	                            [-to +1…] [-body "Hi there"]
//
// With -number, one of the parent's own numbers is moved to the subaccount; with -area-code, a number is bought there, once, which
// costs money at once and each month, and bears the subaccount's name, by which it is found again. With neither, the subaccount gets no
// number, and the service sends from what it has.
//
// It looks for all of that before it makes anything: what shows then that a step must fail leaves everything as it was.
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, MONGODB_URI with MONGODB_DATABASE and MONGODB_COLLECTION, and TWILIO_BASE_URL. An
// API key is not enough: Twilio hides the auth tokens of subaccounts from it. The subaccount gets a document in the store if it has
// none. Without credentials it runs offline on a fake Twilio; then the name is FalconFlights, and the number one of the parent's.
//
// Each step is said on standard error when it ends. With -json, standard output is one document:
//
//	{"subaccount_sid", "phone_number_sid", "phone_number", "messaging_service_sid", "message_sid", "message_status",
//	 "ready", "not_ready": […], "steps": [{"step", "did", "sid"}], "error": {…}}
//
// Its member error is there only if a step failed; what was made before that has its SID all the same. That a message would not go
// out yet is no failure: ready is false, and not_ready says why.
//
// The exit status is 0 if all steps were taken, 1 if one failed, and 2 if the arguments or the environment are wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

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
	env, err := setup.OpenMaking(ctx, stderr)
	if errors.Is(err, setup.ErrStore) {
		return end(out, &result{err: err})
	}
	if err != nil {
		return out.Fail(err)
	}
	defer env.Close()
	provider, err := twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return out.Fail(err)
	}
	r := provision(ctx, provider, wanted, stderr)
	if len(r.steps) == 0 && r.err != nil {
		return out.Fail(r.err) // nothing was begun: the arguments are wrong
	}
	return end(out, r)
}

// provision takes the steps, and says each when it ends.
func provision(ctx context.Context, provider *twilioacct.Provider, wanted wanted, stderr io.Writer) *result {
	r := &result{}
	spec := wanted.spec()
	spec.Observe = func(s twilioacct.Step) {
		r.steps = append(r.steps, s)
		say(stderr, s)
	}
	r.has, r.err = provider.Provision(ctx, spec)
	if r.err != nil {
		return r
	}
	for _, reason := range r.has.Ready.Reasons {
		fmt.Fprintln(stderr, explain(reason))
	}
	if wanted.to == "" {
		return r
	}
	tenant := provider.Subaccount(r.has.Account.SID)
	r.message, r.err = tenant.Send(ctx, twilioacct.NewMessage{To: wanted.to, ServiceSID: r.has.Service.SID, Body: wanted.body})
	spec.Observe(sent(r.message, r.err))
	return r
}

// stepMessage comes after those of Provision.
const stepMessage twilioacct.StepName = "message"

func sent(m twilioacct.Message, err error) twilioacct.Step {
	if err != nil {
		return twilioacct.Step{Name: stepMessage, Did: twilioacct.DidFail, Err: err}
	}
	return twilioacct.Step{Name: stepMessage, Did: twilioacct.DidMake, SID: m.SID}
}

func say(w io.Writer, s twilioacct.Step) {
	fmt.Fprintf(w, "%-18s%-8s%s\n", s.Name, s.Did, s.SID)
}

// explain says why a message might not go out, and what to do where this program knows.
func explain(reason twilioacct.Reason) string {
	if reason.Kind == twilioacct.ReasonNoSender {
		return "Nothing can be sent without a number: -number moves one of the parent's, -area-code buys one."
	}
	return "Not ready: " + report.Plain(reason.String()) + "."
}

// advice is what to do about a number that cannot be had, which only this program knows.
func (r *result) advice() string {
	var failed *twilioacct.StepError
	switch {
	case len(r.has.Transfer.Plan.Need) > 0:
		return "No flag of this program sets it: create the subaccount with ./examples/subaccounts, move the number there with " +
			"./examples/numbers (-address, -bundle), and run this again."
	case errors.As(r.err, &failed) && failed.Step == twilioacct.StepNumber && errors.Is(r.err, twilioacct.ErrNotFound):
		return "Say another -area-code, or a -number that the parent has: go run ./examples/numbers list shows them."
	}
	return ""
}

// end prints what came of it, and returns the exit status.
func end(out report.Output, r *result) int {
	if r.err != nil {
		fmt.Fprintln(out.Stderr, strings.TrimSpace(report.Sentence(r.err)+" "+r.advice()))
	}
	if err := r.show(out); err != nil {
		return out.Fail(err)
	}
	if r.err != nil {
		return report.Failed
	}
	return report.Done
}
