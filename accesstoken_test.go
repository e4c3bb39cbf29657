package twilioacct_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// opened is a token as anybody reads it who has the key's secret, by the standard library alone.
func opened(t *testing.T, token, secret string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	require.NoError(t, err)
	require.True(t, hmac.Equal(mac.Sum(nil), signature), "the signature is the secret's")
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	return header, claims
}

func TestATokenHasTheClaimsThatTwilioDocuments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		app := fake.AddApplication(acme.SID())
		const push = "CR00000000000000000000000000000001"
		spec := twilioacct.TokenSpec{
			Identity: "alice_1", Lifetime: 10 * time.Minute,
			Voice: twilioacct.VoiceGrant{
				ApplicationSID: app, Params: map[string]string{"tenant": "a&b <ü>"}, Incoming: true, PushCredentialSID: push,
			},
			ExtraGrants: map[string]any{"video": map[string]any{"room": "lobby"}},
		}
		time.Sleep(300 * time.Millisecond) // times are whole seconds all the same
		now := time.Now()

		token, err := acme.AccessToken(t.Context(), spec)

		require.NoError(t, err)
		key, ok := fake.Key(token.APIKeySID)
		require.True(t, ok)
		assert.Equal(t, acme.SID(), key.AccountSID)
		header, claims := opened(t, token.Token.Reveal(), key.Secret)
		assert.Equal(t, map[string]any{"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}, header)
		assert.Equal(t, map[string]any{
			"identity": "alice_1",
			"voice": map[string]any{
				"incoming":            map[string]any{"allow": true},
				"outgoing":            map[string]any{"application_sid": app, "params": map[string]any{"tenant": "a&b <ü>"}},
				"push_credential_sid": push,
			},
			"video": map[string]any{"room": "lobby"},
		}, claims["grants"])
		assert.Regexp(t, "^"+key.SID+"-[A-Z2-7]{26,}$", claims["jti"])
		assert.Equal(t, key.SID, claims["iss"])
		assert.Equal(t, acme.SID(), claims["sub"])
		iat, nbf, exp := claims["iat"].(float64), claims["nbf"].(float64), claims["exp"].(float64)
		assert.InDelta(t, now.Unix(), iat, 0)
		assert.InDelta(t, 600, exp-iat, 0)
		assert.InDelta(t, 30, iat-nbf, 0)
		assert.Len(t, claims, 7)
		assert.Equal(t, int64(exp), token.ExpiresAt.Unix())
		assert.Equal(t, now.Truncate(time.Second).Add(450*time.Second), token.RefreshAt)
		assert.Equal(t, "alice_1", token.Identity)

		verified, err := fake.VerifyAccessToken(token.Token.Reveal())
		require.NoError(t, err)
		assert.Equal(t, "alice_1", verified.Identity)
	})
}

func TestATokenGrantsNothingThatWasNotAskedFor(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	app := fake.AddApplication(acme.SID())
	for want, spec := range map[string]twilioacct.TokenSpec{
		`{"identity":"a","voice":{"incoming":{"allow":true}}}`:                    {Voice: twilioacct.VoiceGrant{Incoming: true}},
		`{"identity":"a","voice":{"outgoing":{"application_sid":"` + app + `"}}}`: {Voice: twilioacct.VoiceGrant{ApplicationSID: app}},
		`{"identity":"a","chat":{"service_sid":"IS1"}}`:                           {ExtraGrants: map[string]any{"chat": map[string]string{"service_sid": "IS1"}}},
	} {
		spec.Identity = "a"
		token, err := acme.AccessToken(t.Context(), spec)
		require.NoError(t, err)
		key, _ := fake.Key(token.APIKeySID)
		_, claims := opened(t, token.Token.Reveal(), key.Secret)
		got, err := json.Marshal(claims["grants"])
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
		assert.NotContains(t, spec.ExtraGrants, "identity", "the caller's map stays the caller's")
	}
}

func TestATokenLivesAsLongAsWasAsked(t *testing.T) {
	t.Parallel()
	for _, lifetime := range []time.Duration{time.Second, 59 * time.Second, 10 * time.Minute, time.Hour, 24*time.Hour - time.Second, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			fake, _, acme := tenantWithStore(t)
			spec := incomingOnly
			spec.Lifetime = lifetime
			token, err := acme.AccessToken(t.Context(), spec)
			require.NoError(t, err)
			key, _ := fake.Key(token.APIKeySID)
			_, claims := opened(t, token.Token.Reveal(), key.Secret)
			exp := claims["exp"].(float64)
			life := time.Duration(token.RefreshAt.Unix()-int64(claims["iat"].(float64))) * time.Second
			assert.InDelta(t, 0.75*lifetime.Seconds(), life.Seconds(), 1)
			assert.Zero(t, token.RefreshAt.Nanosecond())
			assert.Positive(t, life, "never at once")
			assert.InDelta(t, lifetime.Seconds(), exp-claims["iat"].(float64), 0)
			assert.LessOrEqual(t, exp-claims["nbf"].(float64), 86400.0)
			_, err = fake.VerifyAccessToken(token.Token.Reveal())
			require.NoError(t, err)
			time.Sleep(time.Until(token.ExpiresAt))
			_, err = fake.VerifyAccessToken(token.Token.Reveal())
			require.Error(t, err)
		})
	}
	_, _, acme := tenantWithStore(t)
	token, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	assert.InDelta(t, time.Hour, time.Until(token.ExpiresAt), float64(2*time.Second), "an hour, if nothing is said")
}

func TestASpecThatTwilioWouldRefuseIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	change := func(f func(*twilioacct.TokenSpec)) twilioacct.TokenSpec {
		spec := incomingOnly
		f(&spec)
		return spec
	}
	for name, spec := range map[string]twilioacct.TokenSpec{
		"no identity":            change(func(s *twilioacct.TokenSpec) { s.Identity = "" }),
		"a long identity":        change(func(s *twilioacct.TokenSpec) { s.Identity = strings.Repeat("a", twilioacct.LongestIdentity+1) }),
		"an e-mail address":      change(func(s *twilioacct.TokenSpec) { s.Identity = "alice@example.com" }),
		"an umlaut":              change(func(s *twilioacct.TokenSpec) { s.Identity = "älice" }),
		"a hyphen":               change(func(s *twilioacct.TokenSpec) { s.Identity = "alice-1" }),
		"a line end":             change(func(s *twilioacct.TokenSpec) { s.Identity = "alice\n" }),
		"24 hours and a second":  change(func(s *twilioacct.TokenSpec) { s.Lifetime = 24*time.Hour + time.Second }),
		"half a second":          change(func(s *twilioacct.TokenSpec) { s.Lifetime = time.Second / 2 }),
		"one and a half seconds": change(func(s *twilioacct.TokenSpec) { s.Lifetime = 3 * time.Second / 2 }),
		"a negative life":        change(func(s *twilioacct.TokenSpec) { s.Lifetime = -time.Hour }),
		"nothing granted":        {Identity: "alice"},
		"voice twice":            change(func(s *twilioacct.TokenSpec) { s.ExtraGrants = map[string]any{"voice": 1} }),
		"the identity twice":     change(func(s *twilioacct.TokenSpec) { s.ExtraGrants = map[string]any{"identity": "bob"} }),
		"no application":         change(func(s *twilioacct.TokenSpec) { s.Voice.ApplicationSID = "PN" + unknownKey[2:] }),
		"no push credential":     change(func(s *twilioacct.TokenSpec) { s.Voice.PushCredentialSID = "push" }),
		"params of nothing":      change(func(s *twilioacct.TokenSpec) { s.Voice.Params = map[string]string{"a": "b"} }),
		"very much":              change(func(s *twilioacct.TokenSpec) { s.ExtraGrants = map[string]any{"x": strings.Repeat("x", 16<<10)} }),
		"no purpose":             change(func(s *twilioacct.TokenSpec) { s.Purpose = "Voice!" }),
	} {
		_, err := acme.AccessToken(t.Context(), spec)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, name)
	}
	_, err := acme.AccessToken(t.Context(), change(func(s *twilioacct.TokenSpec) { s.ExtraGrants = map[string]any{"sync": math.NaN()} }))
	require.ErrorIs(t, err, twilioacct.ErrInvalid, "no JSON")
	assert.Zero(t, fake.Count(""))

	longest := change(func(s *twilioacct.TokenSpec) { s.Identity = strings.Repeat("Z", twilioacct.LongestIdentity) })
	_, err = acme.AccessToken(t.Context(), longest)
	require.NoError(t, err)
}

func TestNoTwoTokensHaveTheSameID(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	ids := map[any]bool{}
	for range 500 {
		token, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		key, _ := fake.Key(token.APIKeySID)
		_, claims := opened(t, token.Token.Reveal(), key.Secret)
		ids[claims["jti"]] = true
	}
	assert.Len(t, ids, 500)
}

func TestManyTokensAtOnceNeedOneKey(t *testing.T) {
	t.Parallel()
	fake, store, acme := tenantWithStore(t)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			token, err := acme.AccessToken(t.Context(), incomingOnly)
			assert.NoError(t, err)
			_, err = fake.VerifyAccessToken(token.Token.Reveal())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, fake.Count("CreateNewKey"))
	assert.Equal(t, 1, goodKeys(t, fake, store, acme.SID()))
}

func TestAKeyIsLookedAtEveryFiveMinutesAndReplacedIfItWasRevoked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		first, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		fake.ForgetRequests()
		for range 10 {
			time.Sleep(29 * time.Second)
			_, err := acme.AccessToken(t.Context(), incomingOnly)
			require.NoError(t, err)
		}
		assert.Zero(t, fake.Count(""), "a token costs no request")
		time.Sleep(15 * time.Second)
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.Equal(t, []string{first.APIKeySID + " ListApplication"}, usersOf(fake))

		fake.DeleteKey(first.APIKeySID)
		time.Sleep(5*time.Minute + time.Second)
		next, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		assert.NotEqual(t, first.APIKeySID, next.APIKeySID)
		_, err = fake.VerifyAccessToken(next.Token.Reveal())
		require.NoError(t, err)
	})
}

func TestKeysOfSeveralPurposesSignEachTheirOwn(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	mobile := incomingOnly
	mobile.Purpose = "mobile"
	a, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	b, err := acme.AccessToken(t.Context(), mobile)
	require.NoError(t, err)
	assert.NotEqual(t, a.APIKeySID, b.APIKeySID)
	key, _ := fake.Key(b.APIKeySID)
	assert.Equal(t, "mobile@default", key.FriendlyName)
}

func TestATokenOfAnotherRegionSaysSo(t *testing.T) {
	t.Parallel()
	store := twilioacct.NewMemStore().Making()
	fake, p := setup(t, func(o *twilioacct.Options) { o.Store, o.Region = store, "ie1" })
	token, err := p.Subaccount(fake.AddSubaccount("acme").SID).AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	key, _ := fake.Key(token.APIKeySID)
	header, _ := opened(t, token.Token.Reveal(), key.Secret)
	assert.Equal(t, "ie1", header["twr"])
}

func TestATokenShowsItselfToNobodyByItself(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	token, err := acme.AccessToken(t.Context(), incomingOnly)
	require.NoError(t, err)
	asJSON, err := json.Marshal(token)
	require.NoError(t, err)
	signature := token.Token.Reveal()[strings.LastIndexByte(token.Token.Reveal(), '.'):]
	for _, text := range []string{string(asJSON), fmt.Sprintf("%v %+v %#v %s", token, token, token, token.Token)} {
		assert.NotContains(t, text, signature)
	}
}

func TestTheParentsAccountIsNotASubaccountsToken(t *testing.T) {
	t.Parallel()
	fake, _, acme := tenantWithStore(t)
	_, p := fake, providerOn(t, fake, withStore(twilioacct.NewMemStore().Making()))
	for _, sid := range []string{"", "AC1", fake.Parent().SID} {
		_, err := p.Subaccount(sid).AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrInvalid, sid)
	}
	_, err := acme.AccessToken(nil, incomingOnly) //nolint:staticcheck // that is what is tested
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	assert.Empty(t, fake.Keys(fake.Parent().SID))
}

func TestATokenOfASuspendedTenantIsRefusedOnceItsKeyIsLookedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		_, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		fake.SetStatus(acme.SID(), twiliotest.Suspended)
		time.Sleep(5*time.Minute + time.Second)
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
		assert.Len(t, fake.Keys(acme.SID()), 1)
	})
}

func TestACallersEndIsNotTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Delay: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var other sync.WaitGroup
		other.Go(func() {
			_, err := acme.AccessToken(t.Context(), incomingOnly)
			assert.NoError(t, err)
		})
		_, err := acme.AccessToken(ctx, incomingOnly)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		other.Wait()
		assert.Equal(t, 1, fake.Count("CreateNewKey"))
	})
}

func TestWhoLeavesGetsAnErrorThatHasItsType(t *testing.T) {
	t.Parallel()
	_, _, acme := tenantWithStore(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errAway)
	_, err := acme.AccessToken(ctx, incomingOnly)
	var typed *twilioacct.Error
	require.ErrorAs(t, err, &typed)
	require.ErrorIs(t, err, errAway, "why it was cancelled")
}

func TestTokensAreSignedThoughTheKeyCannotBeTriedForAWhile(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(fake *twiliotest.Server, isAway *bool){
		"Twilio is away": func(fake *twiliotest.Server, _ *bool) {
			fake.Inject(twiliotest.Fault{Status: 503, HTML: true, Times: twiliotest.Always})
		},
		"Twilio hangs": func(fake *twiliotest.Server, _ *bool) {
			fake.Inject(twiliotest.Fault{Hang: true, Times: twiliotest.Always})
		},
		"the database is away": func(_ *twiliotest.Server, isAway *bool) { *isAway = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				kept, isAway := twilioacct.NewMemStore().Making(), false
				fake, p := setup(t, withStore(storeFuncs{func(ctx context.Context, sid string) (twilioacct.Record, error) {
					if isAway {
						return twilioacct.Record{}, errAway
					}
					return kept.Load(ctx, sid)
				}, kept.Save}))
				acme := p.Subaccount(fake.AddSubaccount("acme").SID)
				first, err := acme.AccessToken(t.Context(), incomingOnly)
				require.NoError(t, err)
				spoil(fake, &isAway)
				start := time.Now()
				for range 11 {
					time.Sleep(5*time.Minute + time.Second)
					began := time.Now()
					token, err := acme.AccessToken(t.Context(), incomingOnly)
					require.NoError(t, err)
					assert.Equal(t, first.APIKeySID, token.APIKeySID)
					assert.LessOrEqual(t, time.Since(began), 5*time.Second)
				}
				time.Sleep(time.Until(start.Add(66 * time.Minute)))
				_, err = acme.AccessToken(t.Context(), incomingOnly)
				require.Error(t, err, "not for ever")
				fake.ClearFaults()
				isAway = false
				_, err = acme.AccessToken(t.Context(), incomingOnly)
				require.NoError(t, err)
				assert.Len(t, fake.Keys(acme.SID()), 1)
			})
		})
	}
}

func TestAKeyThatTwilioRefusesIsNotUsedAsBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _, acme := tenantWithStore(t)
		first, err := acme.AccessToken(t.Context(), incomingOnly)
		require.NoError(t, err)
		fake.DeleteKey(first.APIKeySID)
		fake.Inject(twiliotest.Fault{Operation: "CreateNewKey", Status: 503, Times: twiliotest.Always})
		time.Sleep(6 * time.Minute)
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrUnavailable)
		fake.SetStatus(acme.SID(), twiliotest.Suspended)
		_, err = acme.AccessToken(t.Context(), incomingOnly)
		require.ErrorIs(t, err, twilioacct.ErrSuspended)
	})
}
