package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
)

// twilio is a server that answers as Twilio does, as its clients see it.
type twilio struct {
	URL        string `json:"url"`
	SID        string `json:"sid"` // the parent's, and so is the token
	Token      string `json:"token"`
	Subaccount string `json:"subaccount"` // one of the fleet
	Accounts   int    `json:"accounts"`   // the size of the fleet

	stop func()
}

// newTwilio serves in this process.
func newTwilio(accounts int) (*twilio, error) {
	s, err := newServer(accounts)
	if err != nil {
		return nil, err
	}
	listening := httptest.NewServer(s)
	t := s.at(listening.URL)
	t.stop = listening.Close
	return t, nil
}

// startTwilio serves in a process of its own, so that what serving costs is in nobody's CPU time.
func startTwilio(ctx context.Context, accounts int) (*twilio, error) {
	t := &twilio{}
	p, err := start(ctx, "twilio", accounts, t)
	if err != nil {
		return nil, err
	}
	t.stop = p.stop
	return t, nil
}

// serveTwilio is the job of that process.
func serveTwilio(ctx context.Context, order json.RawMessage, answer func(any) error) error {
	var accounts int
	if err := json.Unmarshal(order, &accounts); err != nil {
		return err
	}
	s, err := newServer(accounts)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := answer(s.at("http://" + listener.Addr().String())); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	_ = http.Serve(listener, s) //nolint:gosec // G114: this program asks, and nobody else
	return nil
}

func (t *twilio) Close() { t.stop() }

// become lets the conditions be others from the next request on, and counts the requests anew.
func (t *twilio) become(ctx context.Context, c conditions) error {
	_, err := t.control(ctx, conditionsPath, c)
	return err
}

// changeTokens gives every n-th account of the fleet another token.
func (t *twilio) changeTokens(ctx context.Context, n int) error {
	_, err := t.control(ctx, tokensPath, n)
	return err
}

// counted is how many requests there were under the present conditions.
func (t *twilio) counted(ctx context.Context) (counts, error) { return t.control(ctx, countsPath, nil) }

func (t *twilio) control(ctx context.Context, path string, order any) (c counts, err error) {
	body, err := json.Marshal(order)
	if err != nil {
		return c, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL+path, bytes.NewReader(body))
	if err != nil {
		return c, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c, fmt.Errorf("POST %s: %s", path, resp.Status)
	}
	err = json.NewDecoder(resp.Body).Decode(&c)
	return c, err
}
