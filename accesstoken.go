package twilioacct

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenSpec says what an access token is to allow, to whom and for how long.
type TokenSpec struct {
	// Identity names the person or device in the account: 1 to 121 of A-Z, a-z, 0-9 and _. Calls to client:Identity reach it.
	Identity string

	// Lifetime is in whole seconds, from 1 second to 24 hours; 0 is an hour. Short-lived tokens that are renewed often are the safe ones:
	// a token cannot be taken back but by deleting the key that signed it. It counts from the beginning of the second in which it is
	// signed.
	Lifetime time.Duration

	Voice VoiceGrant // the zero value grants no calls

	// ExtraGrants are what else the token allows, by the names that Twilio's products have in a token's grants: {"video": {"room": …}}.
	// Voice and the identity have fields of their own and are refused here.
	ExtraGrants map[string]any

	// Purpose is that of the API key that signs: "" is voice.
	Purpose string
}

// VoiceGrant says which calls a token allows.
type VoiceGrant struct {
	ApplicationSID    string            // AP… of the same account, which answers the calls that begin here; "" allows none
	Params            map[string]string // that the application gets with each of them
	Incoming          bool              // calls to the token's identity ring here
	PushCredentialSID string            // CR…, for mobile devices
}

// AccessToken is what a browser or a device shows to Twilio.
type AccessToken struct {
	Token     Secret // a JWT; whoever has it may do what it grants until it expires
	Identity  string
	APIKeySID string // SK…, the key that signed it
	ExpiresAt time.Time
	RefreshAt time.Time // when it is time to ask for the next one: after three quarters of its life, in whole seconds
}

// LongestIdentity is how many characters the identity of an access token may have.
const LongestIdentity = 121

const (
	longestLife  = 24 * time.Hour // Twilio refuses a token that lives longer
	usualLife    = time.Hour
	clockDiffers = 30 * time.Second // so much a token is good before it was made, for clocks that are slow
	usualPurpose = "voice"
)

// AccessToken signs an access token for the account. It is signed by the account's own API key for the purpose, which is found, and if
// need be made, as by [Handle.EnsureAPIKey]; that it is good is looked at every five minutes. In between a token costs no request and
// no I/O, and is good for nothing if somebody else deleted the key, or suspended the account, a moment ago. While the look is not
// answered, the key that was good before is used, or the one that the Store has by now, for little more than an hour.
//
// A spec that Twilio would refuse is [ErrInvalid], before any request. The application and the push credential are not looked up.
//
// https://www.twilio.com/docs/iam/access-tokens
func (h *Handle) AccessToken(ctx context.Context, spec TokenSpec) (AccessToken, error) {
	spec = spec.withDefaults()
	if err := h.check(ctx, spec.check()); err != nil {
		return AccessToken{}, err
	}
	ring, err := h.keyring(ctx, spec.Purpose)
	if err != nil {
		return AccessToken{}, err
	}
	key, err := ring.key(ctx)
	if err != nil {
		return AccessToken{}, err
	}
	h.provider.note(spec.Lifetime)
	return spec.signed(h.sid, h.provider.region, key, time.Now())
}

// note remembers the longest life that a token was given.
func (p *Provider) note(lifetime time.Duration) {
	for {
		longest := p.longest.Load()
		if int64(lifetime) <= longest || p.longest.CompareAndSwap(longest, int64(lifetime)) {
			return
		}
	}
}

func (p *Provider) longestToken() time.Duration { return time.Duration(p.longest.Load()) }

func (s TokenSpec) withDefaults() TokenSpec {
	if s.Lifetime == 0 {
		s.Lifetime = usualLife
	}
	if s.Purpose == "" {
		s.Purpose = usualPurpose
	}
	return s
}

func (s TokenSpec) check() error {
	for _, name := range []string{"voice", "identity"} {
		if _, ok := s.ExtraGrants[name]; ok {
			return invalid("ExtraGrants has %q, which has a field of its own", name)
		}
	}
	switch {
	case !isIdentity(s.Identity):
		return invalid("identity %q is not 1 to %d of A-Z, a-z, 0-9 and _", cut(s.Identity, LongestIdentity), LongestIdentity)
	case s.Lifetime < time.Second || s.Lifetime > longestLife || s.Lifetime%time.Second != 0:
		return invalid("Lifetime %v is not 1 second to 24 hours, in whole seconds", s.Lifetime)
	case s.Voice.isEmpty() && len(s.ExtraGrants) == 0:
		return invalid("the token would allow nothing: it has neither Voice nor ExtraGrants")
	}
	return firstOf(s.Voice.check(), s.checkExtra())
}

func (s TokenSpec) checkExtra() error {
	const longest = 16 << 10
	if len(s.ExtraGrants) == 0 {
		return nil
	}
	raw, err := json.Marshal(s.ExtraGrants)
	switch {
	case err != nil:
		return invalid("ExtraGrants: %v", err)
	case len(raw) > longest:
		return invalid("ExtraGrants take %d bytes: %d are the most", len(raw), longest)
	}
	return nil
}

func (g VoiceGrant) isEmpty() bool {
	return g.ApplicationSID == "" && !g.Incoming && g.PushCredentialSID == "" && len(g.Params) == 0
}

func (g VoiceGrant) check() error {
	if len(g.Params) > 0 && g.ApplicationSID == "" {
		return invalid("Voice.Params need Voice.ApplicationSID: they are the application's")
	}
	return firstOf(
		checkOptional("Voice.ApplicationSID", "AP", g.ApplicationSID), checkOptional("Voice.PushCredentialSID", "CR", g.PushCredentialSID))
}

func isIdentity(s string) bool {
	return s != "" && len(s) <= LongestIdentity && isOf(capitals+smallLetters+digits+"_", s)
}

// cut is the beginning of what may be very long.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// header is that of an access token: a struct, for the map that jwt.Token encodes takes a fifth of all the time a token takes.
type header struct {
	Algorithm   string `json:"alg"`
	ContentType string `json:"cty"`
	Region      string `json:"twr,omitempty"`
	Type        string `json:"typ"`
}

type claims struct {
	ID        string `json:"jti"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp"`
	Grants    any    `json:"grants"`
}

type grants struct {
	Identity string      `json:"identity"`
	Voice    *voiceClaim `json:"voice,omitempty"`
}

type voiceClaim struct {
	Incoming *incomingClaim `json:"incoming,omitempty"`
	Outgoing *outgoingClaim `json:"outgoing,omitempty"`

	PushCredentialSID string `json:"push_credential_sid,omitempty"`
}

type incomingClaim struct {
	Allow bool `json:"allow"`
}

type outgoingClaim struct {
	ApplicationSID string            `json:"application_sid"`
	Params         map[string]string `json:"params,omitempty"`
}

func (s TokenSpec) signed(account, region string, key APIKey, now time.Time) (AccessToken, error) {
	issued := now.Truncate(time.Second)
	expires := issued.Add(s.Lifetime)
	since := issued.Add(-min(clockDiffers, longestLife-s.Lifetime))
	signed, err := claims{
		ID:        key.SID + "-" + rand.Text(),
		Issuer:    key.SID,
		Subject:   account,
		IssuedAt:  issued.Unix(),
		NotBefore: since.Unix(),
		ExpiresAt: expires.Unix(),
		Grants:    s.grants(),
	}.signed(region, key.Secret)
	if err != nil {
		return AccessToken{}, invalid("the token cannot be made: %v", err)
	}
	return AccessToken{
		Token: NewSecret(signed), Identity: s.Identity, APIKeySID: key.SID,
		ExpiresAt: expires, RefreshAt: issued.Add(max((s.Lifetime * 3 / 4).Truncate(time.Second), time.Second)),
	}, nil
}

func (c claims) signed(region string, secret Secret) (string, error) {
	method := jwt.SigningMethodHS256
	head, headErr := encoded(header{method.Alg(), "twilio-fpa;v=1", region, "JWT"})
	body, bodyErr := encoded(c)
	text := head + "." + body
	signature, err := method.Sign(text, []byte(secret.Reveal()))
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), firstOf(headErr, bodyErr, err)
}

func encoded(part any) (string, error) {
	raw, err := json.Marshal(part)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

func (s TokenSpec) grants() any {
	usual := grants{Identity: s.Identity, Voice: s.Voice.claim()}
	if len(s.ExtraGrants) == 0 {
		return usual
	}
	all := maps.Clone(s.ExtraGrants)
	all["identity"] = usual.Identity
	if usual.Voice != nil {
		all["voice"] = usual.Voice
	}
	return all
}

func (g VoiceGrant) claim() *voiceClaim {
	if g.isEmpty() {
		return nil
	}
	claim := &voiceClaim{PushCredentialSID: g.PushCredentialSID}
	if g.Incoming {
		claim.Incoming = &incomingClaim{Allow: true}
	}
	if g.ApplicationSID != "" {
		claim.Outgoing = &outgoingClaim{ApplicationSID: asWritten(g.ApplicationSID), Params: g.Params}
	}
	return claim
}
