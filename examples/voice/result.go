package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// result is how far it came. An error beside it says why it came no farther.
type result struct {
	wanted wanted
	has    twilioacct.Provisioned
	call   twilioacct.Call
	err    error
}

// end prints what came of it, and returns the exit status.
func (r *result) end(out report.Output) int {
	if r.has.Account.SID == "" && report.IsUsage(r.err) {
		return out.Fail(r.err) // nothing was begun: the arguments are wrong
	}
	if r.err != nil {
		fmt.Fprintln(out.Stderr, report.Sentence(r.err))
	}
	if err := r.show(out); err != nil {
		return out.Fail(err)
	}
	if r.err != nil {
		return report.Failed
	}
	return report.Done
}

// notes are sentences on what was left as it is, and what to do about it.
func (r *result) notes() []string {
	var notes []string
	for _, n := range r.has.Incoming {
		if n.Left != "" {
			notes = append(notes, leftNote(n))
		}
	}
	if len(r.has.APIKey.Strays) > 0 {
		notes = append(notes, r.strayNote())
	}
	if r.err != nil {
		return notes
	}
	if r.has.Caller.SID == "" && r.wanted.callee == "" {
		notes = append(notes, "The subaccount has no number that can call: ./examples/numbers buys one, or moves one there.")
	}
	if r.has.Application.VoiceURL == "" {
		notes = append(notes, "The application has no URL, so calls from browsers reach nothing yet: -outgoing-url gives it one.")
	}
	if !r.wanted.setsIncoming() {
		notes = append(notes, "What answers the calls to the numbers stays as it is: "+
			"-outgoing-url, -incoming-url or -studio-flow would set it.")
	}
	return notes
}

func leftNote(n twilioacct.IncomingNumber) string {
	switch n.Left {
	case twilioacct.LeftOnTrunk:
		return fmt.Sprintf("%s is left as it is: its calls go to the %s. Take it off the trunk first, if that is not meant.",
			n.PhoneNumber, n.Before)
	case twilioacct.LeftVoiceless:
		return n.PhoneNumber + " is left as it is: it cannot take calls."
	}
	return fmt.Sprintf("%s is left as it is: %s.", n.PhoneNumber, n.Left)
}

func (r *result) strayNote() string {
	return fmt.Sprintf("The store has no secret for %s, named as the key in use, %s: left over by a run that died or kept its store in "+
		"memory, or made by another installation. If nobody else uses them, delete them in Twilio's console, or by "+
		"Handle.DeleteStrayAPIKeys once they are a day old.",
		strings.Join(r.strays(), ", "), report.Plain(r.has.APIKey.Key.FriendlyName))
}

func (r *result) strays() []string {
	sids := []string{}
	for _, k := range r.has.APIKey.Strays {
		sids = append(sids, k.SID)
	}
	return sids
}

func (r *result) show(out report.Output) error {
	if out.JSON {
		return out.Document(r.document())
	}
	return out.Table(func(w io.Writer) {
		has := r.has
		row := func(is bool, what, which, more string) {
			if is {
				fmt.Fprintf(w, "%s\t%s\t%s\n", what, which, report.Plain(more))
			}
		}
		row(has.Account.SID != "", "subaccount", has.Account.SID, has.Account.FriendlyName)
		row(has.APIKey.Key.SID != "", "API key", has.APIKey.Key.SID, has.APIKey.Key.FriendlyName)
		row(has.Application.SID != "", "application", has.Application.SID, urlOf(has.Application))
		row(has.Caller.SID != "", "caller number", has.Caller.PhoneNumber, has.Caller.SID)
		for _, n := range has.Incoming {
			row(true, "calls to", n.PhoneNumber, change(n)+ifFailed(n))
		}
		row(!has.Token.Token.IsZero(), "access token", "for "+has.Token.Identity, "until "+r.expiry())
		row(r.call.SID != "", "call", r.call.SID, string(r.call.Status))
		if r.wanted.showsToken && !has.Token.Token.IsZero() {
			fmt.Fprintln(w, has.Token.Token.Reveal())
		}
	})
}

// urlOf is what answers the application's calls, without a password.
func urlOf(app twilioacct.TwiMLApp) string {
	return cmp.Or(twilioacct.CallHandler{URL: app.VoiceURL}.String(), "no URL")
}

func ifFailed(n twilioacct.IncomingNumber) string {
	if n.Err != nil {
		return " (not set)"
	}
	return ""
}

// document is the result in JSON. All members are always there, but for the token, which must be asked for, and the error.
type document struct {
	SubaccountSID  string        `json:"subaccount_sid"`
	APIKeySID      string        `json:"api_key_sid"`
	ApplicationSID string        `json:"application_sid"`
	CallerNumber   string        `json:"caller_number"`
	Token          *string       `json:"token,omitempty"`
	TokenExpiresAt string        `json:"token_expires_at"`
	Incoming       []number      `json:"incoming"`
	StrayKeys      []string      `json:"stray_keys"`
	CallSID        string        `json:"call_sid"`
	Error          *report.Error `json:"error,omitempty"`
}

// number is one of the subaccount's. What answers its calls is a URL without its password, or a kind and its SID; "" is nothing.
type number struct {
	PhoneNumber string `json:"phone_number"`
	Before      string `json:"before"`
	After       string `json:"after"`
	Changed     bool   `json:"changed"`
}

func (r *result) document() document {
	d := document{
		SubaccountSID:  r.has.Account.SID,
		APIKeySID:      r.has.APIKey.Key.SID,
		ApplicationSID: r.has.Application.SID,
		CallerNumber:   r.has.Caller.PhoneNumber,
		TokenExpiresAt: r.expiry(),
		Incoming:       []number{},
		StrayKeys:      r.strays(),
		CallSID:        r.call.SID,
		Error:          report.NewError(r.err),
	}
	if r.wanted.showsToken {
		d.Token = new(r.has.Token.Token.Reveal())
	}
	for _, n := range r.has.Incoming {
		d.Incoming = append(d.Incoming, number{n.PhoneNumber, n.Before.String(), n.After.String(), n.Changed})
	}
	return d
}

// expiry is when the access token ends, "" while there is none.
func (r *result) expiry() string {
	if r.has.Token.Token.IsZero() {
		return ""
	}
	return r.has.Token.ExpiresAt.UTC().Format(time.RFC3339)
}
