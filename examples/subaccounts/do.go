package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// tool is what each verb needs.
type tool struct {
	out       report.Output
	provider  *twilioacct.Provider
	endsCalls bool
}

// outcome is what became of an account. There may be an error beside it.
type outcome struct {
	account twilioacct.Account // without SID: none is known
	did     string
	ended   *int // calls; nil: nobody asked for that
}

// The ways in which a verb ends.
const (
	didMake       = "made"
	didFind       = "found"
	didRename     = "renamed"
	didSuspend    = "suspended"
	didReactivate = "reactivated"
	didFail       = "failed"
)

func (t *tool) do(ctx context.Context, verb string, args []string) (outcome, error) {
	switch verb {
	case "create":
		return t.create(ctx, args[0])
	case "rename":
		account, err := t.provider.RenameSubaccount(ctx, args[0], args[1])
		return ended(didRename, account, err)
	case "suspend":
		return t.suspend(ctx, args[0])
	}
	account, err := t.provider.ReactivateSubaccount(ctx, args[0])
	return ended(didReactivate, account, err)
}

// ended is the outcome of a change. What only the store did not keep was done.
func ended(did string, account twilioacct.Account, err error) (outcome, error) {
	var storeErr *twilioacct.StoreError
	if err != nil && !(errors.As(err, &storeErr) && account.SID != "") {
		did = didFail
	}
	return outcome{account: account, did: did}, err
}

// create looks first: names need not be unique at Twilio, and nobody wants a tenant twice.
func (t *tool) create(ctx context.Context, name string) (outcome, error) {
	found, err := t.provider.FindSubaccount(ctx, name)
	if errors.Is(err, twilioacct.ErrNotFound) {
		account, err := t.provider.CreateSubaccount(ctx, name)
		return ended(didMake, account, err)
	}
	if err != nil {
		return outcome{did: didFail}, err
	}
	fmt.Fprintln(t.out.Stderr, "There is a subaccount of that name already: no other one is made.")
	synced, err := t.provider.Sync(ctx, found.SID) // its document may never have been made
	if err != nil && synced.SID == "" {
		return outcome{account: found, did: didFail}, err
	}
	return outcome{account: synced.Account, did: didFind}, err
}

func (t *tool) suspend(ctx context.Context, sid string) (outcome, error) {
	account, err := t.provider.SuspendSubaccount(ctx, sid)
	suspended, err := ended(didSuspend, account, err)
	if suspended.did == didFail {
		return suspended, err
	}
	if !t.endsCalls {
		fmt.Fprintln(t.out.Stderr, "Calls that are under way go on, and cost on: -end-calls ends them.")
		return suspended, err
	}
	n, callsErr := t.provider.EndCalls(ctx, sid)
	suspended.ended = &n
	return suspended, errors.Join(err, callsErr)
}
