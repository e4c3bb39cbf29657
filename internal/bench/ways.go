package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// The three ways to talk with the same server that are compared: ours, net/http and encoding/json by hand, and twilio-go as
// it comes. All of them sign, and all keep their connections.

const apiHost = "api.twilio.com"

// keepAlive is a transport of one side's own, so that none finds the connections of another, and with a connection for each caller.
func keepAlive() *http.Transport { return &http.Transport{MaxIdleConnsPerHost: 50} }

func ours(t *twilio, o twilioacct.Options) (*twilioacct.Provider, error) {
	o.BaseURL = t.URL
	return twilioacct.New(twilioacct.Credentials{
		AccountSID: t.SID,
		AuthToken:  twilioacct.NewSecret(t.Token),
	}, &o)
}

// on is the library on a fake.
func on(fake *twiliotest.Server, o twilioacct.Options) (*twilioacct.Provider, error) {
	parent := fake.Parent()
	return twilioacct.New(twilioacct.Credentials{
		AccountSID: parent.SID,
		AuthToken:  twilioacct.NewSecret(parent.AuthToken),
	}, &o)
}

// bare is what one writes who has only this one request to make: no deadline, no retry, no limit to the answer.
type bare struct {
	twilio *twilio
	http   *http.Client
}

func newBare(t *twilio) bare { return bare{t, &http.Client{Transport: keepAlive()}} }

func (b bare) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.twilio.URL+path, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(b.twilio.SID, b.twilio.Token)
	resp, err := b.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// stock is twilio-go with its own client.
func stock(t *twilio) *api.ApiService {
	return stockOver(redirect{to: strings.TrimPrefix(t.URL, "http://"), over: keepAlive()}, t.SID, t.Token)
}

func stockOver(transport http.RoundTripper, account, token string) *api.ApiService {
	base := &client.Client{
		Credentials: client.NewCredentials(account, token),
		HTTPClient: &http.Client{ // as its default, but for the transport
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       10 * time.Second,
		},
	}
	base.SetAccountSid(account)
	return api.NewApiService(&client.RequestHandler{Client: base})
}

// redirect sends what is meant for Twilio to the server of the benchmark, at the least cost that a RoundTripper may have.
type redirect struct {
	to   string
	over http.RoundTripper
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	there, u := *req, *req.URL
	u.Scheme, u.Host = "http", r.to
	there.URL = &u
	return r.over.RoundTrip(&there)
}
