package main

import (
	"fmt"
	"io"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// result is how far it came. An error beside it says why it came no farther.
type result struct {
	has     twilioacct.Provisioned
	message twilioacct.Message
	steps   []twilioacct.Step
	err     error
}

func (r *result) show(out report.Output) error {
	if out.JSON {
		return out.Document(r.document())
	}
	return out.Table(func(w io.Writer) {
		for _, row := range []struct{ what, sid, more string }{
			{"subaccount", r.has.Account.SID, r.has.Account.FriendlyName},
			{"phone number", r.has.Number.SID, r.has.Number.PhoneNumber},
			{"messaging service", r.has.Service.SID, r.has.Service.FriendlyName},
			{"message", r.message.SID, string(r.message.Status)},
		} {
			if row.sid != "" {
				fmt.Fprintf(w, "%s\t%s\t%s\n", row.what, row.sid, report.Plain(row.more))
			}
		}
	})
}

// document is the result in JSON. All members are always there, but for the error.
type document struct {
	SubaccountSID       string                   `json:"subaccount_sid"`
	PhoneNumberSID      string                   `json:"phone_number_sid"`
	PhoneNumber         string                   `json:"phone_number"`
	MessagingServiceSID string                   `json:"messaging_service_sid"`
	MessageSID          string                   `json:"message_sid"`
	MessageStatus       twilioacct.MessageStatus `json:"message_status"`
	Ready               bool                     `json:"ready"`
	NotReady            []string                 `json:"not_ready"`
	Steps               []step                   `json:"steps"`
	Error               *report.Error            `json:"error,omitempty"`
}

type step struct {
	Step twilioacct.StepName `json:"step"`
	Did  twilioacct.Did      `json:"did"`
	SID  string              `json:"sid"`
}

func (r *result) document() document {
	d := document{
		SubaccountSID:       r.has.Account.SID,
		PhoneNumberSID:      r.has.Number.SID,
		PhoneNumber:         r.has.Number.PhoneNumber,
		MessagingServiceSID: r.has.Service.SID,
		MessageSID:          r.message.SID,
		MessageStatus:       r.message.Status,
		Ready:               r.has.Ready.OK,
		NotReady:            []string{},
		Steps:               []step{},
		Error:               report.NewError(r.err),
	}
	for _, reason := range r.has.Ready.Reasons {
		d.NotReady = append(d.NotReady, report.Plain(reason.String()))
	}
	for _, s := range r.steps {
		d.Steps = append(d.Steps, step{Step: s.Name, Did: s.Did, SID: s.SID})
	}
	return d
}
