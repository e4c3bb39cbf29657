package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// list shows the subaccounts, and of a list that broke off those that came before.
func (t *tool) list(ctx context.Context) int {
	var accounts []twilioacct.Account
	var broken error
	for a, err := range t.provider.Accounts(ctx, nil) {
		switch {
		case err != nil:
			broken = err
		case a.SID != a.OwnerAccountSID: // the parent owns itself
			accounts = append(accounts, a)
		}
	}
	if err := t.showAll(accounts, broken); err != nil {
		return t.out.Fail(err)
	}
	return t.status(broken)
}

func (t *tool) showAll(accounts []twilioacct.Account, broken error) error {
	if !t.out.JSON {
		return t.table(accounts...)
	}
	document := struct {
		Accounts []account     `json:"accounts"`
		Error    *report.Error `json:"error,omitempty"`
	}{[]account{}, report.NewError(broken)}
	for _, a := range accounts {
		document.Accounts = append(document.Accounts, newAccount(a))
	}
	return t.out.Document(document)
}

// end shows the outcome of a change. What was refused before any request is bad usage.
func (t *tool) end(o outcome, err error) int {
	if o.account.SID == "" && report.IsUsage(err) {
		return t.out.Fail(err)
	}
	if showErr := t.show(o, err); showErr != nil {
		return t.out.Fail(showErr)
	}
	return t.status(err)
}

func (t *tool) show(o outcome, err error) error {
	if t.out.JSON {
		return t.out.Document(newChange(o, err))
	}
	if o.did == didFail {
		return nil
	}
	if o.ended != nil {
		fmt.Fprintf(t.out.Stderr, "Ended %s.\n", report.Count(*o.ended, "call", "calls"))
	}
	fmt.Fprintf(t.out.Stderr, "The subaccount was %s.\n", o.did)
	return t.table(o.account)
}

// status is the exit status, and says the error.
func (t *tool) status(err error) int {
	if err == nil {
		return report.Done
	}
	fmt.Fprintln(t.out.Stderr, report.Sentence(err))
	return report.Failed
}

func (t *tool) table(accounts ...twilioacct.Account) error {
	return t.out.Table(func(w io.Writer) {
		fmt.Fprintln(w, "SID\tNAME\tSTATUS\tTYPE\tCREATED")
		for _, a := range accounts {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n",
				a.SID, report.Plain(a.FriendlyName), report.Plain(string(a.Status)), report.Plain(string(a.Type)),
				a.DateCreated.Format(time.DateOnly))
		}
	})
}

// change is the JSON document of a change.
type change struct {
	Account    *account      `json:"account"` // null: none is known
	Did        string        `json:"did"`
	EndedCalls *int          `json:"ended_calls,omitempty"`
	Error      *report.Error `json:"error,omitempty"`
}

func newChange(o outcome, err error) change {
	c := change{Did: o.did, EndedCalls: o.ended, Error: report.NewError(err)}
	if o.account.SID != "" {
		a := newAccount(o.account)
		c.Account = &a
	}
	return c
}

// account is one account in the JSON document.
type account struct {
	SID             string                 `json:"sid"`
	FriendlyName    string                 `json:"friendly_name"`
	Status          twilioacct.Status      `json:"status"`
	Type            twilioacct.AccountType `json:"type"`
	OwnerAccountSID string                 `json:"owner_account_sid"`
	DateCreated     time.Time              `json:"date_created"`
	DateUpdated     time.Time              `json:"date_updated"`
	URI             string                 `json:"uri"`
	HasAuthToken    bool                   `json:"has_auth_token"` // never the token itself
}

func newAccount(a twilioacct.Account) account {
	return account{
		SID:             a.SID,
		FriendlyName:    a.FriendlyName,
		Status:          a.Status,
		Type:            a.Type,
		OwnerAccountSID: a.OwnerAccountSID,
		DateCreated:     a.DateCreated,
		DateUpdated:     a.DateUpdated,
		URI:             a.URI,
		HasAuthToken:    !a.AuthToken.IsZero(),
	}
}
