// Package rest is the one place that speaks HTTP with Twilio.
//
// It stands behind twilio-go's generated code as its [client.BaseClient] and does what the stock client leaves out: the
// caller's context on every request, queries that arrive as they were written, bodies that are bounded and closed, retries
// that never repeat a change blindly, budgets per signing account, and one kind of failure with all its facts.
package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"time"

	"github.com/twilio/twilio-go/client"
)

// Config is what all calls of one [Client] share. New fills zero values in.
type Config struct {
	HTTP              *http.Client  // nil: a transport of the client's own
	BaseURL           string        // "": Twilio's own hosts
	Region, Edge      string        // "": us1
	UserAgent         string        // put before twilio-go's own
	Timeout           time.Duration // of one attempt
	MaxRetryWait      time.Duration // of all waits of one call together, time-outs among them; negative: no retry
	MaxConcurrent     int           // requests at once per signing account
	RequestsPerSecond float64       // per signing account; 0: no limit
	Logger            *slog.Logger  // nil: silent

	// Fail turns the facts of a failed call into the error that its caller sees.
	Fail func(*Failure) error

	// Changed is told the path of every request that changed something at Twilio, or may have. nil: nobody is.
	Changed func(path string)
}

// Client sends requests to Twilio. It is safe for concurrent use.
type Client struct {
	http         *http.Client
	base         *url.URL
	region, edge string
	userAgent    string
	timeout      time.Duration
	maxRetryWait time.Duration
	budgets      *budgets
	log          *slog.Logger
	fail         func(*Failure) error
	changed      func(path string)
}

// New checks the configuration; it does no I/O.
func New(c Config) (*Client, error) {
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	region, edge, err := place(c.Region, c.Edge)
	if err != nil {
		return nil, err
	}
	if c.Timeout < 0 || c.MaxConcurrent < 0 || !(c.RequestsPerSecond >= 0) { // NaN is not
		return nil, errors.New("timeout, concurrent requests and requests per second cannot be negative")
	}
	if c.Changed == nil {
		c.Changed = func(string) {}
	}
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.MaxRetryWait == 0 {
		c.MaxRetryWait = 30 * time.Second
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = 50
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{
		http:         withoutRedirects(c.HTTP, c.MaxConcurrent),
		base:         base,
		region:       region,
		edge:         edge,
		userAgent:    userAgent(c.UserAgent),
		timeout:      c.Timeout,
		maxRetryWait: c.MaxRetryWait,
		budgets:      newBudgets(c.MaxConcurrent, c.RequestsPerSecond),
		log:          c.Logger,
		fail:         c.Fail,
		changed:      c.Changed,
	}, nil
}

// parseBase accepts what can stand for every Twilio host: a scheme and an address, nothing else.
func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("base URL cannot be parsed") // url.Parse's text would repeat a password in it
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("base URL must be http:// or https:// and a host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("base URL has port %s, which is none", port)
		}
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("base URL %s://%s must have no user, path, query or fragment", u.Scheme, u.Host)
	}
	return u, nil
}

// withoutRedirects copies the caller's client, so that nothing is changed under the caller's hands. Twilio's API never
// redirects; whoever does would be handed the credentials.
func withoutRedirects(c *http.Client, maxConcurrent int) *http.Client {
	var copied http.Client
	if c != nil {
		copied = *c
	}
	if copied.Transport == nil {
		copied.Transport = transport(maxConcurrent)
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}

// transport is Go's default one with as many kept connections as there may be requests at once; with two, its default, a
// busy client would dial for nearly every request.
func transport(maxConcurrent int) http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the program has put its own there, and means it
	}
	own := standard.Clone()
	own.MaxIdleConns = 0
	own.MaxIdleConnsPerHost = maxConcurrent
	return own
}

func userAgent(own string) string {
	return fmt.Sprintf("%s twilio-go/%s (%s %s) go/%s", own, client.LibraryVersion, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
