package twilioacct

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
)

// Message is a message of an account, to or from one of its senders.
//
// https://www.twilio.com/docs/messaging/api/message-resource
type Message struct {
	SID        string // SM… or MM…
	AccountSID string
	ServiceSID string // MG…, "" if it was sent from a number
	To         string
	From       string // "" until a messaging service has chosen a sender
	Body       string
	Status     MessageStatus
	Direction  string // inbound, outbound-api, outbound-call, outbound-reply
	Segments   int    // 0 until a messaging service has chosen a sender
	Media      int    // how many files

	ErrorCode    int // why it failed: https://www.twilio.com/docs/api/errors
	ErrorMessage string

	Price     string // a decimal number, negative for a cost; "" until it is known
	PriceUnit string // a currency, such as USD

	DateCreated time.Time
	DateUpdated time.Time
	DateSent    time.Time // zero until it is sent
}

// MessageStatus is how far a message has come. Twilio may add others.
type MessageStatus string

// The states of a message. That it was accepted or queued does not mean that it will be sent.
const (
	MessageAccepted    MessageStatus = "accepted" // by a messaging service
	MessageScheduled   MessageStatus = "scheduled"
	MessageCanceled    MessageStatus = "canceled"
	MessageQueued      MessageStatus = "queued"
	MessageSending     MessageStatus = "sending"
	MessageSent        MessageStatus = "sent"
	MessageDelivered   MessageStatus = "delivered"
	MessageUndelivered MessageStatus = "undelivered"
	MessageFailed      MessageStatus = "failed"
	MessageReceived    MessageStatus = "received"
	MessageRead        MessageStatus = "read"
)

// NewMessage is a message to send: to somebody, from a messaging service or from a sender, with a body, media or a template.
type NewMessage struct {
	To string // a number in E.164, or another channel's address such as whatsapp:+14155550100

	ServiceSID string // MG…: the service chooses a sender
	From       string // a number in E.164, a short code, an alphanumeric sender, a channel's address; MG… is as good as ServiceSID

	Body      string   // up to 1600 characters
	MediaURLs []string // up to 10, where Twilio fetches them

	ContentSID       string            // HX…, a template
	ContentVariables map[string]string // what to put into it

	StatusCallback string        // who is told what becomes of it
	Validity       time.Duration // how long it may wait to be sent: 1 second to 10 hours; 0 is the service's, or 10 hours
	SendAt         time.Time     // when to send it, 15 minutes to 35 days ahead, from a messaging service; zero is at once
}

// Send sends a message, which costs money. That it was accepted does not mean that it was sent: see Message.Status.
//
// It is never tried twice: somebody would get it twice. Of a lost reply nobody knows whether the message goes out, and the error is
// [ErrOutcomeUnknown]; [Handle.Messages] tells. A recipient who has opted out is [ErrConflict] with code 21610 and must never be
// sent to again; a trial account's unverified recipient is [ErrForbidden] (21608), and so is a sender that is not the account's
// (21606); a service without a sender, or with none that fits, is ErrConflict (21704, 21703).
func (h *Handle) Send(ctx context.Context, m NewMessage) (Message, error) {
	if isSID("MG", m.From) && m.ServiceSID == "" {
		m.ServiceSID, m.From = m.From, ""
	}
	if err := h.check(ctx, m.check()); err != nil {
		return Message{}, err
	}
	params, err := m.params()
	if err != nil {
		return Message{}, err
	}
	call := h.call(ctx).Single().Lean()
	raw, err := api.NewApiService(call.Handler()).CreateMessage(params)
	return answered(call, h.sid, "", raw, err, newMessage)
}

func (m NewMessage) check() error {
	switch {
	case m.To == "":
		return invalid("a message needs To, its recipient")
	case (m.ServiceSID == "") == (m.From == ""):
		return invalid("a message needs either ServiceSID or From")
	case !m.SendAt.IsZero() && m.SendAt.Before(time.Now()):
		return invalid("SendAt %s has passed", m.SendAt.UTC().Format(time.RFC3339))
	case !m.SendAt.IsZero() && m.ServiceSID == "":
		return invalid("SendAt needs a ServiceSID: only messaging services schedule")
	case m.Validity != 0 && checkValidity(m.Validity) != nil:
		return checkValidity(m.Validity)
	}
	return firstOf(
		m.checkContent(),
		checkAddress("To", m.To), checkAddress("From", m.From),
		checkOptional("ServiceSID", "MG", m.ServiceSID), checkOptional("ContentSID", "HX", m.ContentSID),
		checkURL("StatusCallback", &m.StatusCallback),
	)
}

func (m NewMessage) checkContent() error {
	const longest, mostMedia = 1600, 10
	switch n := utf8.RuneCountInString(m.Body); {
	case m.Body == "" && len(m.MediaURLs) == 0 && m.ContentSID == "":
		return invalid("a message needs Body, MediaURLs or ContentSID")
	case n > longest:
		return invalid("Body has %d characters: %d are the most", n, longest)
	case len(m.MediaURLs) > mostMedia:
		return invalid("there are %d MediaURLs: %d are the most", len(m.MediaURLs), mostMedia)
	case slices.Contains(m.MediaURLs, ""):
		return invalid("MediaURLs has an empty one")
	case len(m.ContentVariables) > 0 && m.ContentSID == "":
		return invalid("ContentVariables need a ContentSID")
	}
	for i := range m.MediaURLs {
		if err := checkURL("MediaURLs", &m.MediaURLs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m NewMessage) params() (*api.CreateMessageParams, error) {
	params := new(api.CreateMessageParams).SetTo(m.To)
	params.MessagingServiceSid, params.From = given(m.ServiceSID), given(m.From)
	params.Body, params.ContentSid = given(m.Body), given(m.ContentSID)
	params.StatusCallback = given(m.StatusCallback)
	if len(m.MediaURLs) > 0 {
		params.SetMediaUrl(m.MediaURLs)
	}
	if len(m.ContentVariables) > 0 {
		variables, err := json.Marshal(m.ContentVariables)
		if err != nil {
			return nil, invalid("ContentVariables: %v", err)
		}
		params.SetContentVariables(string(variables))
	}
	if m.Validity > 0 {
		params.SetValidityPeriod(int(m.Validity.Seconds()))
	}
	if !m.SendAt.IsZero() {
		params.SetScheduleType("fixed").SetSendAt(m.SendAt.UTC())
	}
	return params, nil
}

// Message fetches one of the account's messages.
func (h *Handle) Message(ctx context.Context, sid string) (Message, error) {
	if err := h.check(ctx, checkSID("SM", sid)); err != nil {
		return Message{}, err
	}
	call := h.call(ctx).Single().Lean()
	raw, err := api.NewApiService(call.Handler()).FetchMessage(sid, nil)
	return answered(call, h.sid, sid, raw, err, newMessage)
}

// MessageFilter chooses among an account's messages; the zero value of a field is all of them.
type MessageFilter struct {
	To, From   string
	SentAfter  time.Time // from then on
	SentBefore time.Time // until then
}

// Messages iterates over the account's messages, newest first, as [Provider.Accounts] does over accounts. nil is all of them.
func (h *Handle) Messages(ctx context.Context, filter *MessageFilter) iter.Seq2[Message, error] {
	if err := h.check(ctx); err != nil {
		return failed[Message](err)
	}
	params := new(api.ListMessageParams).SetPageSize(largestPage)
	if filter != nil {
		if err := firstOf(checkAddress("To", filter.To), checkAddress("From", filter.From)); err != nil {
			return failed[Message](err)
		}
		params.To, params.From = given(filter.To), given(filter.From)
		if !filter.SentAfter.IsZero() {
			params.SetDateSentAfter(filter.SentAfter.UTC())
		}
		if !filter.SentBefore.IsZero() {
			params.SetDateSentBefore(filter.SentBefore.UTC())
		}
	}
	call := h.call(ctx).Lean()
	service := api.NewApiService(call.Handler())
	return listed(call, h.sid, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Message, *string, error) {
		raw, err := service.PageMessage(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Messages, raw.NextPageUri, nil
	}, newMessage))
}

// CancelMessage cancels a message that is scheduled. One that is canceled already is no error; one that was sent is [ErrConflict].
func (h *Handle) CancelMessage(ctx context.Context, sid string) (Message, error) {
	m, err := h.changeMessage(ctx, sid, new(api.UpdateMessageParams).SetStatus(string(MessageCanceled)))
	if err == nil && m.Status != MessageCanceled {
		return m, told(ErrConflict, "%s is not canceled but %s", sid, quote(string(m.Status)))
	}
	if errors.Is(err, ErrConflict) {
		if is, lookErr := h.Message(ctx, sid); lookErr == nil && is.Status == MessageCanceled {
			return is, nil
		}
	}
	return m, err
}

// RedactMessage empties the body of a message, which cannot be undone; that it was sent stays on record. Redacting it again is no
// error.
func (h *Handle) RedactMessage(ctx context.Context, sid string) (Message, error) {
	m, err := h.changeMessage(ctx, sid, new(api.UpdateMessageParams).SetBody(""))
	if err == nil && m.Body != "" {
		return m, told(ErrConflict, "%s has a body still", sid)
	}
	return m, err
}

// changeMessage makes a change that, made twice, leaves what it leaves once.
func (h *Handle) changeMessage(ctx context.Context, sid string, change *api.UpdateMessageParams) (Message, error) {
	if err := h.check(ctx, checkSID("SM", sid)); err != nil {
		return Message{}, err
	}
	call := h.call(ctx).Repeatable().Single().Lean()
	raw, err := api.NewApiService(call.Handler()).UpdateMessage(sid, change)
	return answered(call, h.sid, sid, raw, err, newMessage)
}

func (m Message) identity() (sid, kind, account string) { return m.SID, "SM", m.AccountSID }

func newMessage(raw *api.ApiV2010Message) Message {
	return Message{
		SID:          value(raw.Sid),
		AccountSID:   value(raw.AccountSid),
		ServiceSID:   value(raw.MessagingServiceSid),
		To:           value(raw.To),
		From:         value(raw.From),
		Body:         value(raw.Body),
		Status:       MessageStatus(value(raw.Status)),
		Direction:    value(raw.Direction),
		Segments:     count(value(raw.NumSegments)),
		Media:        count(value(raw.NumMedia)),
		ErrorCode:    value(raw.ErrorCode),
		ErrorMessage: value(raw.ErrorMessage),
		Price:        value(raw.Price),
		PriceUnit:    value(raw.PriceUnit),
		DateCreated:  parseDate(value(raw.DateCreated)),
		DateUpdated:  parseDate(value(raw.DateUpdated)),
		DateSent:     parseDate(value(raw.DateSent)),
	}
}

// count reads a number that Twilio writes as text; what is none is 0.
func count(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
