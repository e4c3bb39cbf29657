package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// setUp takes the steps, says each when it ends, and then what is worth knowing.
func setUp(ctx context.Context, provider *twilioacct.Provider, wanted wanted, stderr io.Writer) *result {
	r := &result{wanted: wanted}
	spec := wanted.spec()
	spec.Observe = func(s twilioacct.Step) { say(stderr, s) }
	if spec.Voice.Incoming != nil {
		spec.Voice.Incoming.Observe = func(n twilioacct.IncomingNumber) { sayNumber(stderr, n) }
	}
	r.has, r.err = provider.Provision(ctx, spec)
	for _, note := range r.notes() {
		fmt.Fprintln(stderr, note)
	}
	if r.err == nil && wanted.callee != "" {
		r.call, r.err = call(ctx, provider, r.has, wanted.callee)
		spec.Observe(called(r.call, r.err))
	}
	return r
}

// call calls somebody from the subaccount's number. Once they answer, it goes on as a call from a browser does.
func call(ctx context.Context, provider *twilioacct.Provider, has twilioacct.Provisioned, callee string) (twilioacct.Call, error) {
	switch {
	case has.Caller.SID == "":
		return twilioacct.Call{}, fmt.Errorf("%s has no number to call from: ./examples/numbers buys one, or moves one there: %w",
			has.Account.SID, twilioacct.ErrNotFound)
	case has.Application.VoiceURL == "":
		return twilioacct.Call{}, fmt.Errorf("nobody would speak: the application %s has no URL, which -outgoing-url gives it: %w",
			has.Application.SID, twilioacct.ErrConflict)
	}
	return provider.Subaccount(has.Account.SID).PlaceCall(ctx, twilioacct.NewCall{
		From: has.Caller.PhoneNumber, To: callee, ApplicationSID: has.Application.SID,
	})
}

// stepCall comes after those of Provision.
const stepCall twilioacct.StepName = "call"

func called(c twilioacct.Call, err error) twilioacct.Step {
	if err != nil {
		return twilioacct.Step{Name: stepCall, Did: twilioacct.DidFail, Err: err}
	}
	return twilioacct.Step{Name: stepCall, Did: twilioacct.DidMake, SID: c.SID}
}

func say(w io.Writer, s twilioacct.Step) {
	fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintf("%-16s%-8s%s", s.Name, outcome(s), s.SID)))
}

// outcome is a word for how a step ended.
func outcome(s twilioacct.Step) string {
	isIncoming := s.Name == twilioacct.StepIncoming
	switch {
	case s.Configured, isIncoming && s.Did == twilioacct.DidMake:
		return "set"
	case isIncoming && s.Did == twilioacct.DidFind:
		return "kept"
	case s.Name == twilioacct.StepCaller && s.Did == twilioacct.DidFind && s.SID == "":
		return "none"
	}
	return string(s.Did)
}

// sayNumber tells of a number that was to be set.
func sayNumber(w io.Writer, n twilioacct.IncomingNumber) {
	switch {
	case n.Err != nil:
		fmt.Fprintf(w, "  %s: %s\n", n.PhoneNumber, report.Sentence(n.Err))
	case n.Changed:
		fmt.Fprintf(w, "  %s: %s\n", n.PhoneNumber, report.Plain(change(n)))
	}
}

// change is what answered a number's calls, and what does now.
func change(n twilioacct.IncomingNumber) string {
	before, after := handlerName(n.Before), handlerName(n.After)
	if before == after {
		return after
	}
	return before + " -> " + after
}

func handlerName(c twilioacct.CallHandler) string {
	if c == (twilioacct.CallHandler{}) {
		return "nothing"
	}
	return c.String()
}
