package twilioacct

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// Provider manages the accounts of one parent: the parent itself and its subaccounts. Its methods are what is done to an
// account from outside, and are signed by the parent; what is done inside an account is done through a handle, from
// [Provider.Subaccount] or [Provider.Parent].
//
// A Provider is made by [New]. It is safe for concurrent use and has nothing to close.
type Provider struct {
	parent Credentials
	store  Store // nil: none
	rest   *rest.Client

	concurrent int           // requests at once
	retryWait  time.Duration // of one call; negative: it never waits

	log *slog.Logger

	accounts *remembered[Account] // by SID
	tokens   *remembered[Secret]  // of subaccounts, by SID
	verdicts *remembered[verdict] // on refused credentials of subaccounts, by verdictKey
	seed     maphash.Seed

	// Accounts that were created here a moment ago, by SID: Twilio may refuse their credentials at first.
	newborn *remembered[struct{}]

	keys       *keyMemory
	deployment string
	region     string
	longest    *atomic.Int64 // life of a token that was signed here, a time.Duration

	// Whether Twilio takes the parent's own credentials, by its SID. Kept for a second only: a burst of refusals costs one
	// request, and a token that was rotated since is not held to be good.
	ourselves *remembered[bool]
}

// Options are the choices of [New]; the zero value of each is a good one.
type Options struct {
	// Store keeps tokens, API keys and status across restarts. Without one (nil), Sync is an error, no access token can be signed, and
	// each handle fetches its account's token from Twilio when it is first used.
	Store Store

	// HTTPClient sends the requests, so that proxies, certificates, traces and limits of your own apply. It is copied, and
	// never follows redirects. nil is a client with Go's default transport and enough kept connections.
	HTTPClient *http.Client

	// BaseURL is dialled in the place of every Twilio host; the Host header still names Twilio's. For tests and proxies: whoever
	// answers there is handed the credentials. "" is Twilio.
	BaseURL string

	// Region and Edge choose where Twilio processes requests, such as ie1 and dublin. Credentials belong to one region. A region
	// without an edge gets the nearest edge, for Twilio has no hosts of a region alone any more. "" is us1.
	//
	// https://www.twilio.com/docs/global-infrastructure
	Region, Edge string

	// Deployment tells several installations apart that work on the same accounts with Stores of their own, such as production and
	// staging: 1 to 31 of A-Z, a-z, 0-9, ., _ and -. It stands in the names of API keys, and each leaves the others' alone;
	// those that share a Store share its keys. "" is default.
	Deployment string

	// CacheTime is how long Account answers from memory: a minute if 0, never if negative. A change through the Provider drops
	// what it changes; a change by others shows after this time at the latest. If negative, callers do not share requests either.
	CacheTime time.Duration

	// RequestTimeout bounds each request with its answer: 15 s if 0. The caller's context bounds a whole call, with all its retries.
	RequestTimeout time.Duration

	// MaxRetryWait bounds the time that one call spends waiting, between its attempts and in those that timed out: 30 s if 0, no
	// retry if negative. Where Twilio asks for a longer wait (Retry-After), the error comes back at once.
	MaxRetryWait time.Duration

	// MaxConcurrent bounds the requests at once per signing account, 50 if 0; beyond, callers wait their turn. Twilio's own limit
	// is per account and not published; over it the answer is 429, which is retried.
	MaxConcurrent int

	// RequestsPerSecond bounds the requests of each signing account; 0 is no limit.
	RequestsPerSecond float64

	// Logger gets a debug line per request, without any secret, query or body, and a warning where a handle's new token could not
	// be stored, an API key is left that nobody can use or could not be tried, or somebody was given no access token. nil is silent.
	Logger *slog.Logger
}

// newbornTime is for how long an account is new: Twilio may refuse its credentials at first.
const newbornTime = 20 * time.Second

// version stands in the User-Agent.
const version = "0.1.0"

// New returns a Provider for the parent account that the credentials belong to. It does no I/O and reads no environment: whether
// Twilio takes the credentials shows at the first call. The options are copied; nil is all defaults. Credentials or options that
// cannot work are ErrInvalid.
func New(parent Credentials, opts *Options) (*Provider, error) {
	if err := parent.check(); err != nil {
		return nil, err
	}
	parent.AccountSID = asWritten(parent.AccountSID)
	o := opts.withDefaults()
	if isNil(o.Store) {
		return nil, invalid("options: Store is a nil pointer: leave Store nil, or make a store")
	}
	if len(o.Deployment) > 31 || !isOf(capitals+smallLetters+digits+"._-", o.Deployment) {
		return nil, invalid("options: Deployment %q is not 1 to 31 of A-Z, a-z, 0-9, ., _ and -", o.Deployment)
	}
	p := &Provider{
		parent: parent,
		store:  o.Store,

		concurrent: o.MaxConcurrent,
		retryWait:  o.MaxRetryWait,

		log:       o.Logger,
		accounts:  newRemembered[Account](o.CacheTime, 8192),
		tokens:    newRemembered[Secret](0, 16384),
		verdicts:  newRemembered[verdict](time.Minute, 1024),
		keys:      newKeyMemory(),
		newborn:   newRemembered[struct{}](newbornTime, 1024),
		ourselves: newRemembered[bool](time.Second, 2),
		seed:      maphash.MakeSeed(),

		deployment: o.Deployment,
		region:     o.Region,
		longest:    new(atomic.Int64),
	}
	var err error
	p.rest, err = rest.New(rest.Config{
		HTTP:              o.HTTPClient,
		BaseURL:           o.BaseURL,
		Region:            o.Region,
		Edge:              o.Edge,
		UserAgent:         "twilioacct/" + version,
		Timeout:           o.RequestTimeout,
		MaxRetryWait:      o.MaxRetryWait,
		MaxConcurrent:     o.MaxConcurrent,
		RequestsPerSecond: o.RequestsPerSecond,
		Logger:            o.Logger,
		Fail:              newError,
		Changed:           p.changed,
	})
	if err != nil {
		return nil, invalid("options: %v", err)
	}
	return p, nil
}

// isNil finds the pointer that is nil though the interface is not.
func isNil(s Store) bool {
	v := reflect.ValueOf(s)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// withDefaults copies; what package rest has a default for is left to it.
func (o *Options) withDefaults() Options {
	var copied Options
	if o != nil {
		copied = *o
	}
	if copied.CacheTime == 0 {
		copied.CacheTime = time.Minute
	}
	if copied.MaxConcurrent == 0 {
		copied.MaxConcurrent = 50
	}
	if copied.MaxRetryWait == 0 {
		copied.MaxRetryWait = 30 * time.Second
	}
	if copied.Deployment == "" {
		copied.Deployment = "default"
	}
	if copied.Logger == nil {
		copied.Logger = slog.New(slog.DiscardHandler)
	}
	return copied
}

// Parent returns the handle of the parent account.
func (p *Provider) Parent() *Handle { return &Handle{provider: p, sid: p.parent.AccountSID} }

// Subaccount returns the handle of the subaccount with that SID. It does no I/O: that the SID is malformed, or the parent's,
// is the error of the handle's first call, before any request.
func (p *Provider) Subaccount(sid string) *Handle {
	if isSID("AC", sid) {
		sid = asWritten(sid)
	}
	return &Handle{provider: p, sid: sid, isSub: true}
}

// asParent is a call signed by the parent.
func (p *Provider) asParent(ctx context.Context) *rest.Call {
	return p.rest.Call(ctx, p.parent.AccountSID, parentSigner{p})
}

// changed drops what is remembered of an account that somebody changes through this Provider, by whatever method; so a tenant that was
// reactivated can work at once.
func (p *Provider) changed(path string) {
	if len(path) != len(accountPath(""))+lengthOfSID {
		return // as of nearly all that is changed
	}
	sid := accountIn(path)
	if path != accountPath(sid) {
		return
	}
	if token, ok := p.tokens.kept(sid); ok {
		p.verdicts.drop(p.verdictKey(subaccountSigner{p, sid}.auth(token)))
	}
	p.drop(sid)
	p.keys.forget(sid)
}

func (p *Provider) drop(sid string) {
	p.accounts.drop(sid)
	p.tokens.drop(sid)
}
