package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// handle: a request through a handle that knows its token costs at most 1.3 times the bare one, which sends the same and decodes the
// same fields: for one caller, and for each of 16 at once. It is fetching a number and sending a message, over loopback: against
// Twilio, some 100 ms away, none of this shows.
func handle(ctx context.Context, r *report) error {
	s, err := newInside(ctx, func(tape http.Handler) http.Handler { return tape })
	if err != nil {
		return err
	}
	defer s.stop()
	bare := s.bare()
	const all = 1600
	for _, callers := range []int{1, 16} {
		for _, c := range []struct {
			what       string
			ours, bare func() error
		}{
			{"number fetched", s.fetch(ctx), bare.fetch(ctx)},
			{"message sent", s.send(ctx), bare.send(ctx)},
		} {
			f, err := rounds(manyRounds,
				timed("ours", all/callers, atOnce(callers, repeat(c.ours))),
				timed("bare", all/callers, atOnce(callers, repeat(c.bare))))
			if err != nil {
				return err
			}
			r.ratio(fmt.Sprintf("%s, callers: %d", c.what, callers), f[0], f[1], 1.3)
		}
	}
	return nil
}

// inside is a tenant with a number in a messaging service, seen through its handle.
type inside struct {
	url    string
	handle *twilioacct.Handle
	token  string
	number string // its SID
	order  twilioacct.NewMessage
	stop   func()
}

// newInside records the answers that the tenant gets, and opens a handle on a server that plays them. What stands before that server
// is through's to say.
func newInside(ctx context.Context, through func(tape http.Handler) http.Handler) (*inside, error) {
	fake := twiliotest.Start()
	defer fake.Close()
	tenant := fake.AddSubaccount("FalconFlights")
	number := fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{
		FriendlyName: "support", VoiceURL: "https://falcon.example/voice", SMSURL: "https://falcon.example/sms",
	})
	service := fake.AddMessagingService(tenant.SID, twiliotest.MessagingService{
		FriendlyName: "falconFlightNotifications", PhoneNumberSIDs: []string{number.SID},
	})
	s := &inside{token: tenant.AuthToken, number: number.SID, order: twilioacct.NewMessage{
		To: "+14155550142", ServiceSID: service.SID, Body: "Your flight to San Francisco leaves at 10:40 from gate B7.",
	}}
	tape := newTape(fake.HTTPClient().Transport)
	if err := s.open(ctx, fake, tenant.SID, twilioacct.Options{HTTPClient: &http.Client{Transport: tape}}); err != nil {
		return nil, err
	}
	if err := errors.Join(s.fetch(ctx)(), s.send(ctx)()); err != nil {
		return nil, err
	}
	listening := httptest.NewServer(through(tape))
	s.url, s.stop = listening.URL, listening.Close
	if err := s.open(ctx, fake, tenant.SID, twilioacct.Options{BaseURL: s.url}); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// open makes a handle that knows its token.
func (s *inside) open(ctx context.Context, fake *twiliotest.Server, tenant string, o twilioacct.Options) error {
	provider, err := on(fake, o)
	if err != nil {
		return err
	}
	s.handle = provider.Subaccount(tenant)
	_, err = s.handle.Account(ctx)
	return err
}

func (s *inside) fetch(ctx context.Context) func() error {
	return func() error {
		n, err := s.handle.PhoneNumber(ctx, s.number)
		return whole(n.SID, n.DateCreated, err)
	}
}

func (s *inside) send(ctx context.Context) func() error {
	return func() error {
		m, err := s.handle.Send(ctx, s.order)
		return whole(m.SID, m.DateCreated, err)
	}
}

// whole is nil for an answer that was decoded.
func whole(sid string, created time.Time, err error) error {
	if err == nil && (sid == "" || created.IsZero()) {
		err = fmt.Errorf("the answer has the SID %q and the date %v", sid, created)
	}
	return err
}

// bareInside is what one writes who has only these requests to make, as bare is.
type bareInside struct {
	*inside
	account string
	http    *http.Client
}

func (s *inside) bare() bareInside {
	return bareInside{s, s.handle.SID(), &http.Client{Transport: keepAlive()}}
}

func (b bareInside) fetch(ctx context.Context) func() error {
	return func() error {
		n, err := b.phoneNumber(ctx)
		return whole(n.SID, n.DateCreated, err)
	}
}

func (b bareInside) send(ctx context.Context) func() error {
	return func() error {
		m, err := b.message(ctx)
		return whole(m.SID, m.DateCreated, err)
	}
}

// bareNumber has the fields of ours.
type bareNumber struct {
	SID          string `json:"sid"`
	AccountSID   string `json:"account_sid"`
	PhoneNumber  string `json:"phone_number"`
	FriendlyName string `json:"friendly_name"`
	Capabilities struct {
		Voice bool `json:"voice"`
		SMS   bool `json:"sms"`
		MMS   bool `json:"mms"`
	} `json:"capabilities"`
	VoiceURL             string `json:"voice_url"`
	VoiceMethod          string `json:"voice_method"`
	VoiceFallbackURL     string `json:"voice_fallback_url"`
	VoiceFallbackMethod  string `json:"voice_fallback_method"`
	VoiceApplicationSID  string `json:"voice_application_sid"`
	TrunkSID             string `json:"trunk_sid"`
	SMSURL               string `json:"sms_url"`
	SMSMethod            string `json:"sms_method"`
	SMSFallbackURL       string `json:"sms_fallback_url"`
	SMSFallbackMethod    string `json:"sms_fallback_method"`
	SMSApplicationSID    string `json:"sms_application_sid"`
	StatusCallback       string `json:"status_callback"`
	StatusCallbackMethod string `json:"status_callback_method"`
	AddressRequirements  string `json:"address_requirements"`
	AddressSID           string `json:"address_sid"`
	BundleSID            string `json:"bundle_sid"`
	IdentitySID          string `json:"identity_sid"`
	EmergencyAddressSID  string `json:"emergency_address_sid"`
	Origin               string `json:"origin"`
	RawCreated           string `json:"date_created"`
	RawUpdated           string `json:"date_updated"`

	DateCreated, DateUpdated time.Time `json:"-"`
}

func (b bareInside) phoneNumber(ctx context.Context) (n bareNumber, err error) {
	err = b.do(ctx, http.MethodGet, "/IncomingPhoneNumbers/"+b.number+".json", "", http.StatusOK, &n)
	if err != nil {
		return n, err
	}
	err = errors.Join(date(&n.DateCreated, n.RawCreated), date(&n.DateUpdated, n.RawUpdated))
	return n, err
}

// bareMessage has the fields of ours.
type bareMessage struct {
	SID          string `json:"sid"`
	AccountSID   string `json:"account_sid"`
	ServiceSID   string `json:"messaging_service_sid"`
	To           string `json:"to"`
	From         string `json:"from"`
	Body         string `json:"body"`
	Status       string `json:"status"`
	Direction    string `json:"direction"`
	RawSegments  string `json:"num_segments"`
	RawMedia     string `json:"num_media"`
	ErrorCode    int    `json:"error_code"`
	ErrorMessage string `json:"error_message"`
	Price        string `json:"price"`
	PriceUnit    string `json:"price_unit"`
	RawCreated   string `json:"date_created"`
	RawUpdated   string `json:"date_updated"`
	RawSent      string `json:"date_sent"`

	Segments, Media                    int       `json:"-"`
	DateCreated, DateUpdated, DateSent time.Time `json:"-"`
}

func (b bareInside) message(ctx context.Context) (m bareMessage, err error) {
	form := url.Values{"To": {b.order.To}, "MessagingServiceSid": {b.order.ServiceSID}, "Body": {b.order.Body}}
	err = b.do(ctx, http.MethodPost, "/Messages.json", form.Encode(), http.StatusCreated, &m)
	if err != nil {
		return m, err
	}
	if m.Segments, err = strconv.Atoi(m.RawSegments); err != nil {
		return m, err
	}
	if m.Media, err = strconv.Atoi(m.RawMedia); err != nil {
		return m, err
	}
	err = errors.Join(date(&m.DateCreated, m.RawCreated), date(&m.DateUpdated, m.RawUpdated), date(&m.DateSent, m.RawSent))
	return m, err
}

// date reads one of Twilio's, which may be null.
func date(into *time.Time, raw string) error {
	if raw == "" {
		return nil
	}
	at, err := time.Parse(time.RFC1123Z, raw)
	*into = at.UTC()
	return err
}

func (b bareInside) do(ctx context.Context, method, path, form string, status int, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, b.url+accountsPath+"/"+b.account+path, strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Host = apiHost
	req.Header.Set("User-Agent", "bare/0.1.0 twilio-go/1.31.0 (linux amd64) go/go1.26.8") // as long as ours
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(b.account, b.token)
	resp, err := b.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
