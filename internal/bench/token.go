package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/twilio/twilio-go/client/jwt"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// token: an access token, signed by a key that is remembered, costs at most 1.5 times one of the same claims that is signed by hand with
// the standard library, and less than twilio-go's. It is for a voice application and incoming calls. A round is first so short that no
// garbage is collected meanwhile, and then so long that it is, which makes all sides slower and more alike. Who has encoded the header
// beforehand is faster by hand, and is shown without a target.
func token(ctx context.Context, r *report) error {
	m, err := newMint(ctx)
	if err != nil {
		return err
	}
	defer m.fake.Close()
	ways := m.ways(ctx)
	for _, c := range []struct {
		label         string
		rounds, times int
	}{
		{"access token", 10 * manyRounds, 200},
		{"the same, garbage collected", manyRounds, 5000},
	} {
		f, err := rounds(c.rounds, signing(ways, c.times)...)
		if err != nil {
			return err
		}
		r.ratio(c.label, f[0], f[1], 1.5)
		r.ratio(c.label, f[0], f[2], 1)
		r.ratio(c.label, f[0], f[3], 0)
	}
	return allocations(r, "allocations", ways)
}

func signing(ways []way, times int) []side {
	sides := make([]side, len(ways))
	for i, w := range ways {
		sides[i] = timed(w.name, times, repeat(w.once))
	}
	return sides
}

// mint is a tenant with an API key and an application, for which tokens are signed.
type mint struct {
	fake   *twiliotest.Server
	handle *twilioacct.Handle
	key    twilioacct.APIKey
	spec   twilioacct.TokenSpec
}

const clocksDiffer = 30 * time.Second // so much earlier ours begins to be good

func newMint(ctx context.Context) (*mint, error) {
	fake := twiliotest.Start()
	tenant := fake.AddSubaccount("FalconFlights")
	store := twilioacct.NewMemStore().Making()
	provider, err := on(fake, twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
	if err != nil {
		return nil, err
	}
	m := &mint{fake: fake, handle: provider.Subaccount(tenant.SID), spec: twilioacct.TokenSpec{
		Identity: "alice", Lifetime: 10 * time.Minute,
		Voice: twilioacct.VoiceGrant{ApplicationSID: fake.AddApplication(tenant.SID), Incoming: true},
	}}
	if _, err := m.ours(ctx); err != nil {
		return nil, err
	}
	kept, err := store.Load(ctx, tenant.SID)
	m.key = kept.APIKeys["voice"]
	return m, err
}

// way is one to sign a token.
type way struct {
	name string
	sign func() (string, error)
}

func (w way) once() error {
	_, err := w.sign()
	return err
}

func (m *mint) ways(ctx context.Context) []way {
	return []way{
		{"ours", func() (string, error) { return m.ours(ctx) }},
		{"by hand", m.byHand},
		{"twilio-go", m.twilioGo},
		{"prepared", m.prepared()},
	}
}

func (m *mint) ours(ctx context.Context) (string, error) {
	t, err := m.handle.AccessToken(ctx, m.spec)
	return t.Token.Reveal(), err
}

type handHeader struct {
	Algorithm   string `json:"alg"`
	ContentType string `json:"cty"`
	Type        string `json:"typ"`
}

var voiceHeader = handHeader{"HS256", "twilio-fpa;v=1", "JWT"}

type handClaims struct {
	ID        string     `json:"jti"`
	Issuer    string     `json:"iss"`
	Subject   string     `json:"sub"`
	IssuedAt  int64      `json:"iat"`
	NotBefore int64      `json:"nbf"`
	ExpiresAt int64      `json:"exp"`
	Grants    handGrants `json:"grants"`
}

type handGrants struct {
	Identity string    `json:"identity"`
	Voice    handVoice `json:"voice"`
}

type handVoice struct {
	Incoming struct {
		Allow bool `json:"allow"`
	} `json:"incoming"`
	Outgoing struct {
		ApplicationSID string `json:"application_sid"`
	} `json:"outgoing"`
}

// byHand is what one writes who has only this token to make.
func (m *mint) byHand() (string, error) {
	header, err := part(voiceHeader)
	if err != nil {
		return "", err
	}
	return m.signed(header)
}

// prepared is by hand without a header to be encoded each time.
func (m *mint) prepared() func() (string, error) {
	header, err := part(voiceHeader)
	return func() (string, error) {
		if err != nil {
			return "", err
		}
		return m.signed(header)
	}
}

func (m *mint) signed(header string) (string, error) {
	now := time.Now()
	c := handClaims{
		ID:        m.key.SID + "-" + rand.Text(),
		Issuer:    m.key.SID,
		Subject:   m.handle.SID(),
		IssuedAt:  now.Unix(),
		NotBefore: now.Add(-clocksDiffer).Unix(),
		ExpiresAt: now.Add(m.spec.Lifetime).Unix(),
		Grants:    handGrants{Identity: m.spec.Identity},
	}
	c.Grants.Voice.Incoming.Allow = m.spec.Voice.Incoming
	c.Grants.Voice.Outgoing.ApplicationSID = m.spec.Voice.ApplicationSID
	payload, err := part(c)
	if err != nil {
		return "", err
	}
	text := header + "." + payload
	mac := hmac.New(sha256.New, []byte(m.key.Secret.Reveal()))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

func part(of any) (string, error) {
	raw, err := json.Marshal(of)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

// twilioGo has no iat to give, and an id that is the same for a second, which can only make it faster.
func (m *mint) twilioGo() (string, error) {
	now := time.Now()
	t := jwt.CreateAccessToken(jwt.AccessTokenParams{
		AccountSid:    m.handle.SID(),
		SigningKeySid: m.key.SID,
		Secret:        m.key.Secret.Reveal(),
		Identity:      m.spec.Identity,
		Nbf:           float64(now.Add(-clocksDiffer).Unix()),
		ValidUntil:    float64(now.Add(m.spec.Lifetime).Unix()), // a Ttl of less than an hour would become one
		Grants: []jwt.BaseGrant{&jwt.VoiceGrant{
			Incoming: jwt.Incoming{Allow: m.spec.Voice.Incoming},
			Outgoing: jwt.Outgoing{ApplicationSid: m.spec.Voice.ApplicationSID},
		}},
	})
	return t.ToJwt()
}

// allocations prints how many each way takes.
func allocations(r *report, label string, ways []way) error {
	columns := make([]string, len(ways))
	for i, w := range ways {
		n, err := allocated(1000, w.once)
		if err != nil {
			return err
		}
		columns[i] = fmt.Sprintf("%s %d", w.name, n)
	}
	r.line(label, columns...)
	return nil
}

// allocated is how many allocations it takes to do it once, while nobody else does anything.
func allocated(times uint64, once func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if err := once(); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / times, nil
}
