package twiliotest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// object is one of JSON.
type object map[string]any

// with is the object with other members; a nil takes one away.
func (o object) with(changes object) object {
	o = maps.Clone(o)
	for name, value := range changes {
		if o[name] = value; value == nil {
			delete(o, name)
		}
	}
	return o
}

var fpaHeader = object{"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}

// sign makes a token of any header and payload.
func sign(header, payload any, secret string) string {
	return signRaw(string(jsonOf(header)), string(jsonOf(payload)), secret)
}

func jsonOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func signRaw(header, payload, secret string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return signed + "." + signatureOf(signed, secret)
}

func signatureOf(signed, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// minting is a fake with all that a good token needs.
type minting struct {
	*twiliotest.Server
	account twiliotest.Account
	key     twiliotest.Key
	app     string
}

func mint(t testing.TB) minting {
	s := twiliotest.NewServer(t)
	a := s.AddSubaccount("")
	return minting{s, a, s.AddKey(a.SID, twiliotest.StandardKey), s.AddApplication(a.SID)}
}

// payload is that of a good token for ten minutes.
func (m minting) payload() object {
	now := time.Now().Unix()
	return object{
		"jti": "j1", "iss": m.key.SID, "sub": m.account.SID, "iat": now, "nbf": now, "exp": now + 600,
		"grants": object{"identity": "alice", "voice": m.voice(), "video": object{"room": "r"}},
	}
}

func (m minting) voice() object {
	return object{
		"incoming":            object{"allow": true},
		"outgoing":            object{"application_sid": m.app, "params": object{"from": "web"}},
		"push_credential_sid": "CR" + strings.Repeat("0", 32),
		"endpoint_id":         "e1",
	}
}

func (m minting) token(change object) string {
	return sign(fpaHeader, m.payload().with(change), m.key.Secret)
}

func (m minting) wantCode(t *testing.T, what, token string, code int) {
	t.Helper()
	got, err := m.VerifyAccessToken(token)
	var refusal *twiliotest.TokenError
	switch {
	case code == 0 && err != nil:
		t.Errorf("%s: %v", what, err)
	case code != 0 && (!errors.As(err, &refusal) || refusal.Code != code):
		t.Errorf("%s: got %v, want %d", what, err, code)
	case code != 0 && (refusal.Text == "" || strings.Contains(err.Error(), m.key.Secret) || !reflect.DeepEqual(got, twiliotest.AccessToken{})):
		t.Errorf("%s: got %+v and %v", what, got, err)
	}
}

func TestAGoodAccessTokenTellsAllThatItSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := mint(t)
		got, err := m.VerifyAccessToken(m.token(object{"nbf": 946684799.5}))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		if video := string(got.Grants["video"]); len(got.Grants) != 3 || video != `{"room":"r"}` {
			t.Errorf("grants are %v", got.Grants)
		}
		got.Grants = nil
		want := twiliotest.AccessToken{
			AccountSID: m.account.SID, KeySID: m.key.SID, JTI: "j1", Identity: "alice",
			IssuedAt: start, NotBefore: start.Add(-time.Second / 2), ExpiresAt: start.Add(10 * time.Minute),
			Voice: &twiliotest.VoiceGrant{
				IncomingAllowed: true, OutgoingApplicationSID: m.app, OutgoingParams: map[string]any{"from": "web"},
				PushCredentialSID: "CR" + strings.Repeat("0", 32), EndpointID: "e1",
			},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		main := m.AddKey(m.account.SID, twiliotest.MainKey)
		ofMain := sign(fpaHeader.with(object{"twr": "us1"}), m.payload().with(object{"iss": main.SID}), main.Secret)
		m.wantCode(t, "of a Main key, with a region", ofMain, 0)
	})
}

func TestATokenThatIsNoAccessTokenIsRefused(t *testing.T) {
	t.Parallel()
	m := mint(t)
	good := m.token(nil)
	parts := strings.Split(good, ".")
	for what, token := range map[string]string{
		"empty": "", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x", "a secret": m.key.Secret,
	} {
		m.wantCode(t, what, token, 20160)
	}
	for what, header := range map[string]string{
		"no base64": "?", "empty": "", "null": "bnVsbA", "an array": "W10", "padded": parts[0] + "=",
	} {
		m.wantCode(t, "the header is "+what, header+"."+parts[1]+"."+parts[2], 20102)
		m.wantCode(t, "the payload is "+what, parts[0]+"."+header+"."+parts[2], 20101)
	}
	for what, header := range map[string]object{
		"alg none": {"alg": "none"}, "another alg": {"alg": "HS512"}, "no alg": {"alg": nil}, "alg in capitals": {"alg": nil, "ALG": "HS256"},
		"typ": {"typ": "jwt"}, "no typ": {"typ": nil}, "cty": {"cty": "twilio-fpa"}, "no cty": {"cty": nil}, "a number": {"typ": 1},
	} {
		m.wantCode(t, what, sign(fpaHeader.with(header), m.payload(), m.key.Secret), 20102)
	}
}

func TestATokenThatItsKeyHasNotSignedIsRefused(t *testing.T) {
	t.Parallel()
	m := mint(t)
	good := m.token(nil)
	parts := strings.Split(good, ".")
	theirs := strings.Split(m.token(object{"grants": object{"identity": "mallory"}}), ".")
	for what, token := range map[string]string{
		"another secret":       sign(fpaHeader, m.payload(), "x"),
		"the auth token":       sign(fpaHeader, m.payload(), m.account.AuthToken),
		"another payload":      parts[0] + "." + theirs[1] + "." + parts[2],
		"no signature":         parts[0] + "." + parts[1] + ".",
		"a longer one":         good + "AAAA",
		"one that breaks":      good[:len(good)-4] + "\n" + good[len(good)-4:],
		"one of two spellings": otherSpelling(good),
	} {
		m.wantCode(t, what, token, 20107)
	}
	signed := parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1]
	m.wantCode(t, "a header that breaks", signed+"."+signatureOf(signed, m.key.Secret), 20102)
}

// otherSpelling changes bits of the last character that are not used.
func otherSpelling(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func TestATokenNeedsALivingKeyOfItsOwnActiveAccount(t *testing.T) {
	t.Parallel()
	for what, breakIt := range map[string]func(m minting) (change object){
		"no iss":            func(minting) object { return object{"iss": nil} },
		"no sub":            func(minting) object { return object{"sub": nil} },
		"a number":          func(minting) object { return object{"sub": 7} },
		"null":              func(m minting) object { return object{"iss": json.RawMessage("null")} },
		"an unknown key":    func(minting) object { return object{"iss": "SK" + strings.Repeat("0", 32)} },
		"another account":   func(m minting) object { return object{"sub": m.Parent().SID} },
		"another's key":     func(m minting) object { return object{"iss": m.AddKey(m.Parent().SID, twiliotest.StandardKey).SID} },
		"a deleted key":     func(m minting) object { m.DeleteKey(m.key.SID); return nil },
		"a suspended one":   func(m minting) object { m.SetStatus(m.account.SID, twiliotest.Suspended); return nil },
		"a closed one":      func(m minting) object { m.SetStatus(m.account.SID, twiliotest.Closed); return nil },
		"a deleted account": func(m minting) object { m.DeleteAccount(m.account.SID); return nil },
		"suspended parent":  func(m minting) object { m.SetStatus(m.Parent().SID, twiliotest.Suspended); return nil },
	} {
		m := mint(t)
		m.wantCode(t, "before: "+what, m.token(nil), 0)
		m.wantCode(t, what, m.token(breakIt(m)), 20103)
	}
}

func TestATokenIsGoodFromItsFirstSecondToItsLastAndADayAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := mint(t)
		now := time.Now().Unix()
		for _, try := range []struct {
			code   int
			what   string
			change object
		}{
			{0, "one second", object{"exp": now + 1}},
			{0, "a day", object{"exp": now + 86_400}},
			{20157, "a day and a second", object{"exp": now + 86_401}},
			{20157, "a day and a second from nbf on", object{"nbf": now - 1, "exp": now + 86_400}},
			{20157, "a day and a second from iat on", object{"nbf": nil, "iat": now - 1, "exp": now + 86_400}},
			{0, "a day from nbf on, whatever iat says", object{"iat": now - 1, "exp": now + 86_400}},
			{0, "neither nbf nor iat", object{"nbf": nil, "iat": nil, "exp": now + 86_400}},
			{20157, "neither, for too long", object{"nbf": nil, "iat": nil, "exp": now + 86_401}},
			{20157, "made in the future", object{"nbf": nil, "iat": now + 86_400, "exp": now + 86_401}},
			{20157, "nbf is the beginning of time", object{"nbf": 0}},
			{20104, "no exp", object{"exp": nil}},
			{20104, "exp is a text", object{"exp": "2030"}},
			{20104, "exp is negative", object{"exp": -1}},
			{20104, "exp is beyond all years", object{"exp": 253_402_300_800}},
			{20105, "nbf is before 1970", object{"nbf": -1}},
			{20105, "nbf is beyond all years", object{"nbf": 1e300}},
			{20104, "just expired", object{"exp": now}},
			{20105, "not yet", object{"nbf": now + 1}},
			{20105, "nbf is a text", object{"nbf": "now"}},
			{20101, "iat is a text", object{"iat": "now"}},
			{20101, "jti is a number", object{"jti": 1}},
			{0, "no jti", object{"jti": nil}},
		} {
			m.wantCode(t, try.what, m.token(try.change), try.code)
		}
		token := m.token(object{"nbf": now + 10})
		time.Sleep(10 * time.Second)
		m.wantCode(t, "its first second", token, 0)
		time.Sleep(590*time.Second - 1)
		m.wantCode(t, "its last nanosecond", token, 0)
		time.Sleep(time.Nanosecond)
		m.wantCode(t, "the next one", token, 20104)
	})
}

func TestAGrantThatTwilioDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	m := mint(t)
	grants := func(change object) object { return m.payload()["grants"].(object).with(change) }
	voice := func(change object) object { return object{"grants": grants(object{"voice": m.voice().with(change)})} }
	deleted := m.AddApplication(m.account.SID)
	m.DeleteApplication(deleted)
	for _, try := range []struct {
		code   int
		what   string
		change object
	}{
		{20106, "no grants", object{"grants": nil}},
		{20106, "grants are an array", object{"grants": []any{}}},
		{20106, "grants are null", object{"grants": json.RawMessage("null")}},
		{0, "an identity alone", object{"grants": object{"identity": "alice"}}},
		{0, "anybody else's identity", object{"grants": object{"identity": "alice@example.com", "chat": object{}}}},
		{20106, "the identity is a number", object{"grants": object{"identity": 7}}},
		{20106, "a space in a voice identity", object{"grants": grants(object{"identity": "alice b"})}},
		{20106, "an umlaut in it", object{"grants": grants(object{"identity": "alicé"})}},
		{20106, "an empty one", object{"grants": grants(object{"identity": ""})}},
		{20106, "a line break at its end", object{"grants": grants(object{"identity": "alice\n"})}},
		{0, "121 characters", object{"grants": grants(object{"identity": strings.Repeat("x", 121)})}},
		{20106, "122 characters", object{"grants": grants(object{"identity": strings.Repeat("x", 122)})}},
		{20106, "nobody to call", object{"grants": grants(object{"identity": nil})}},
		{0, "nobody who calls", object{"grants": object{"voice": m.voice().with(object{"incoming": nil})}}},
		{0, "an empty voice grant", object{"grants": object{"voice": object{}}}},
		{20106, "voice is null", object{"grants": object{"voice": json.RawMessage("null")}}},
		{20106, "voice is an array", object{"grants": object{"voice": []any{}}}},
		{20106, "an unknown member", voice(object{"outgoingApplicationSid": m.app})},
		{20106, "a member in capitals", voice(object{"Incoming": object{"allow": true}})},
		{20106, "unknown in incoming", voice(object{"incoming": object{"allow": true, "x": 1}})},
		{20106, "unknown in outgoing", voice(object{"outgoing": object{"application_sid": m.app, "x": 1}})},
		{20106, "allow is a text", voice(object{"incoming": object{"allow": "true"}})},
		{20106, "params are a text", voice(object{"outgoing": object{"application_sid": m.app, "params": "x"}})},
		{0, "no params", voice(object{"outgoing": object{"application_sid": m.app}})},
		{20106, "params without application", voice(object{"outgoing": object{"params": object{}}})},
		{20106, "an application that is none", voice(object{"outgoing": object{"application_sid": "x"}})},
		{21218, "a deleted application", voice(object{"outgoing": object{"application_sid": deleted}})},
		{21218, "another's application", voice(object{"outgoing": object{"application_sid": m.AddApplication(m.Parent().SID)}})},
		{20106, "a push credential that is none", voice(object{"push_credential_sid": "x"})},
		{20106, "an endpoint that is a number", voice(object{"endpoint_id": 1})},
	} {
		m.wantCode(t, try.what, m.token(try.change), try.code)
	}
}

func FuzzVerifyAccessToken(f *testing.F) {
	m := mint(f)
	f.Add(string(jsonOf(fpaHeader)), string(jsonOf(m.payload())), "", uint(0))
	f.Add(`{"alg":"HS256","typ":"JWT","cty":"twilio-fpa;v=1"}`, `{"grants":{"voice":{"incoming":{"allow":true}}}}`, "a.b.c", uint(3))
	f.Add(`null`, `{"exp":1e999,"exp":-1}`, "...", uint(40))
	// What is signed is a token of the fuzzer's own making; what is cut is a good one.
	f.Fuzz(func(t *testing.T, header, payload, other string, cut uint) {
		good := m.token(nil)
		at := int(cut % uint(len(good)))
		for _, token := range []string{signRaw(header, payload, m.key.Secret), other, good[:at] + other + good[at:]} {
			got, err := m.VerifyAccessToken(token)
			var refusal *twiliotest.TokenError
			switch {
			case err == nil:
				wantTrue(t, got, token, m)
			case !errors.As(err, &refusal) || refusal.Code < 20101 || refusal.Text == "":
				t.Errorf("%q: got %v", token, err)
			}
		}
	})
}

// wantTrue checks what is true of any token that was taken.
func wantTrue(t *testing.T, got twiliotest.AccessToken, token string, m minting) {
	now, dot := time.Now(), strings.LastIndexByte(token, '.')
	if signatureOf(token[:dot], m.key.Secret) != token[dot+1:] {
		t.Errorf("%q is not signed", token)
	}
	if got.AccountSID != m.account.SID || got.KeySID != m.key.SID || got.Grants == nil ||
		!now.Before(got.ExpiresAt) || now.Before(got.NotBefore) || got.ExpiresAt.Sub(now) > 24*time.Hour {
		t.Errorf("%q was taken as %+v", token, got)
	}
}
