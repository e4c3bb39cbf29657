package twilioacct_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// setup gives a test its own Twilio and a Provider on it that takes no socket, so that it works in a synctest bubble too.
func setup(t testing.TB, change func(*twilioacct.Options)) (*twiliotest.Server, *twilioacct.Provider) {
	t.Helper()
	fake := twiliotest.NewServer(t)
	return fake, providerOn(t, fake, change)
}

func providerOn(t testing.TB, fake *twiliotest.Server, change func(*twilioacct.Options)) *twilioacct.Provider {
	t.Helper()
	opts := &twilioacct.Options{HTTPClient: fake.HTTPClient()}
	if change != nil {
		change(opts)
	}
	p, err := twilioacct.New(parentOf(fake), opts)
	require.NoError(t, err)
	return p
}

func parentOf(fake *twiliotest.Server) twilioacct.Credentials {
	parent := fake.Parent()
	return twilioacct.Credentials{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)}
}

func withStore(s twilioacct.Store) func(*twilioacct.Options) {
	return func(o *twilioacct.Options) { o.Store = s }
}

// storeFuncs is a Store of which a test replaces what it is about.
type storeFuncs struct {
	load func(context.Context, string) (twilioacct.Record, error)
	save func(context.Context, twilioacct.Record) (twilioacct.Record, error)
}

func (s storeFuncs) Load(ctx context.Context, sid string) (twilioacct.Record, error) {
	return s.load(ctx, sid)
}

func (s storeFuncs) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	return s.save(ctx, r)
}

// savingUnless is a Store that cannot be written while it is away.
func savingUnless(isAway *bool, kept twilioacct.Store) twilioacct.Store {
	return storeFuncs{kept.Load, func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
		if *isAway {
			return twilioacct.Record{}, errAway
		}
		return kept.Save(ctx, r)
	}}
}

var errAway = errors.New("the database is away")

const (
	unknownSID = "ACffffffffffffffffffffffffffffffff"
	unknownKey = "SKffffffffffffffffffffffffffffffff"
)

// scripted is a Provider whose every request is answered by a function; it never repeats one.
func scripted(t testing.TB, answer func(*http.Request) (status int, body string)) *twilioacct.Provider {
	t.Helper()
	credentials := twilioacct.Credentials{AccountSID: scriptedParent, AuthToken: twilioacct.NewSecret(goodToken)}
	p, err := twilioacct.New(credentials, &twilioacct.Options{
		HTTPClient: &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			status, body := answer(r)
			return &http.Response{
				StatusCode: status, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
			}, nil
		})},
		MaxRetryWait: -1,
	})
	require.NoError(t, err)
	return p
}

// transportAnswering is a client of a Twilio that always answers the same.
func transportAnswering(status int, body string) *http.Client {
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		return answered(r, status, body), nil
	})}
}

// before does something else once, before the first request of that method.
func before(client *http.Client, method string, do func()) *http.Client {
	var once sync.Once
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == method {
			once.Do(do)
		}
		return client.Transport.RoundTrip(r)
	})}
}

const scriptedParent = "ACabcdefabcdefabcdefabcdefabcdefab"

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
