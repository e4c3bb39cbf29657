package twiliotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// AccessToken is what an access token says that [Server.VerifyAccessToken] has
// found to be good.
type AccessToken struct {
	AccountSID string // sub
	KeySID     string // iss
	JTI        string
	Identity   string      // "" if there is none
	IssuedAt   time.Time   // iat, zero if there is none
	NotBefore  time.Time   // nbf, zero if there is none
	ExpiresAt  time.Time   // exp
	Voice      *VoiceGrant // nil if there is none
	// Grants are the members of grants as they came: identity, voice and those
	// of other products, of which nothing is checked.
	Grants map[string]json.RawMessage
}

// VoiceGrant is what an access token lets a browser or an app do on the phone.
type VoiceGrant struct {
	IncomingAllowed        bool
	OutgoingApplicationSID string // "" if it may not call
	OutgoingParams         map[string]any
	PushCredentialSID      string
	EndpointID             string
}

// TokenError says why an access token is no good.
type TokenError struct {
	// Code is Twilio's:
	//
	//	20101  the payload is no JSON object, or has members of a wrong type
	//	20102  the header is not alg HS256, typ JWT, cty twilio-fpa;v=1
	//	20103  the key does not exist (any more), is not of the account that is
	//	       the subject, or that account or its parent is not active
	//	20104  it has expired, or does not say when it will
	//	20105  it is not valid yet
	//	20106  the grants are missing, or the voice grant or its identity is bad
	//	20107  the signature is not that of the key
	//	20157  it lives longer than 24 hours
	//	20160  it has not three parts
	//	21218  its application does not exist (any more), or is another account's
	Code int
	Text string
}

// Error is the code and the text.
func (e *TokenError) Error() string {
	return fmt.Sprintf("twiliotest: access token: %d: %s", e.Code, e.Text)
}

const maxTokenLife = 24 * time.Hour

// VerifyAccessToken takes an access token as Twilio would take it from a
// browser, or refuses it with a [*TokenError], the first in this order: form,
// header, key and account, signature, dates, grants.
//
// Its life counts from nbf, else from iat, else from now. Clocks that differ
// are not forgiven. An identity is 1 to 121 letters, digits and underscores;
// whoever may be called needs one. A voice grant with members that Twilio does
// not know is refused. Every push credential of the right form exists.
func (s *Server) VerifyAccessToken(token string) (AccessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, err := parseJWT(token)
	if err != nil {
		return AccessToken{}, err
	}
	var t AccessToken
	for _, read := range []func(*jwt, *AccessToken) error{readHeader, s.readIssuer, s.checkSignature, readDates, s.readGrants} {
		if err := read(j, &t); err != nil {
			return AccessToken{}, err
		}
	}
	return t, nil
}

func refused(code int, format string, a ...any) error {
	return &TokenError{code, fmt.Sprintf(format, a...)}
}

func readHeader(j *jwt, _ *AccessToken) error {
	for _, want := range [][2]string{{"alg", "HS256"}, {"typ", "JWT"}, {"cty", "twilio-fpa;v=1"}} {
		var is string
		if err := j.header.read(20102, want[0], &is); err != nil {
			return err
		}
		if is != want[1] {
			return refused(20102, "the header's %s is %q, not %q", want[0], is, want[1])
		}
	}
	return nil
}

func (s *Server) readIssuer(j *jwt, t *AccessToken) error {
	if err := j.payload.read(20103, "iss", &t.KeySID); err != nil {
		return err
	}
	if err := j.payload.read(20103, "sub", &t.AccountSID); err != nil {
		return err
	}
	k := s.keys.bySID[t.KeySID]
	switch {
	case k == nil:
		return refused(20103, "there is no key %q, which is its iss", t.KeySID)
	case k.AccountSID != t.AccountSID:
		return refused(20103, "the key is of the account %s, and sub is %q", k.AccountSID, t.AccountSID)
	case !s.accounts.isActive(s.accounts.bySID[t.AccountSID]):
		return refused(20103, "the account %s or its parent is not active", t.AccountSID)
	}
	return nil
}

func (s *Server) checkSignature(j *jwt, t *AccessToken) error {
	mac := hmac.New(sha256.New, []byte(s.keys.bySID[t.KeySID].Secret))
	mac.Write([]byte(j.signed))
	if !hmac.Equal(mac.Sum(nil), j.signature) {
		return refused(20107, "the signature is not that of the key %s", t.KeySID)
	}
	return nil
}

func readDates(j *jwt, t *AccessToken) error {
	if err := j.payload.read(20101, "jti", &t.JTI); err != nil {
		return err
	}
	for _, date := range []struct {
		name string
		code int // if it is none
		into *time.Time
	}{{"exp", 20104, &t.ExpiresAt}, {"nbf", 20105, &t.NotBefore}, {"iat", 20101, &t.IssuedAt}} {
		if err := j.payload.readDate(date.code, date.name, date.into); err != nil {
			return err
		}
	}
	now := time.Now()
	switch {
	case t.ExpiresAt.IsZero():
		return refused(20104, "it has no exp")
	case !now.Before(t.ExpiresAt):
		return refused(20104, "it expired at %v", t.ExpiresAt)
	case now.Before(t.NotBefore):
		return refused(20105, "it is valid from %v on", t.NotBefore)
	case t.ExpiresAt.Sub(t.begin(now)) > maxTokenLife:
		return refused(20157, "it lives from %v to %v", t.begin(now), t.ExpiresAt)
	}
	return nil
}

// begin is from when on a token that is valid has been so: now at the latest.
func (t *AccessToken) begin(now time.Time) time.Time {
	switch {
	case !t.NotBefore.IsZero():
		return t.NotBefore
	case !t.IssuedAt.IsZero() && t.IssuedAt.Before(now):
		return t.IssuedAt
	}
	return now
}

func (s *Server) readGrants(j *jwt, t *AccessToken) error {
	if err := j.payload.read(20106, "grants", &t.Grants); err != nil {
		return err
	}
	if t.Grants == nil {
		return refused(20106, "it has no grants")
	}
	if err := members(t.Grants).read(20106, "identity", &t.Identity); err != nil {
		return err
	}
	if t.Grants["voice"] == nil {
		return nil
	}
	t.Voice = &VoiceGrant{}
	if err := t.Voice.read(t.Grants); err != nil {
		return err
	}
	return s.voiceRefusal(t)
}

func (v *VoiceGrant) read(grants members) error {
	var r grantReader
	voice := r.object(grants, "voice", "incoming", "outgoing", "push_credential_sid", "endpoint_id")
	incoming := r.object(voice, "incoming", "allow")
	outgoing := r.object(voice, "outgoing", "application_sid", "params")
	r.value(incoming, "allow", &v.IncomingAllowed)
	r.value(outgoing, "application_sid", &v.OutgoingApplicationSID)
	r.value(outgoing, "params", &v.OutgoingParams)
	r.value(voice, "push_credential_sid", &v.PushCredentialSID)
	r.value(voice, "endpoint_id", &v.EndpointID)
	if r.err == nil && outgoing != nil && v.OutgoingApplicationSID == "" {
		return refused(20106, "outgoing has no application_sid")
	}
	return r.err
}

var clientIdentity = regexp.MustCompile(`^[0-9A-Za-z_]{1,121}$`)

func (s *Server) voiceRefusal(t *AccessToken) error {
	app, push := t.Voice.OutgoingApplicationSID, t.Voice.PushCredentialSID
	_, named := t.Grants["identity"]
	switch {
	case named && !clientIdentity.MatchString(t.Identity):
		return refused(20106, "the identity %q is not 1 to 121 letters, digits and underscores", t.Identity)
	case !named && t.Voice.IncomingAllowed:
		return refused(20106, "it may be called, but has no identity")
	case push != "" && !isSID(push, "CR"):
		return refused(20106, "push_credential_sid is %q", push)
	case app != "" && !isSID(app, "AP"):
		return refused(20106, "application_sid is %q", app)
	case app != "" && !s.hasApplication(t.AccountSID, app):
		return refused(21218, "the account %s has no application %s", t.AccountSID, app)
	}
	return nil
}
