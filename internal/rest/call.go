package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
)

// Auth is what one request is signed with: an account's SID and auth token, or the SID and the secret of an API key.
type Auth struct {
	Account        string // whose budget the request takes from, and who stands in v2010 paths
	User, Password string
}

// Signer finds the credentials of a call.
type Signer interface {
	// Auth is asked once per call, before the first request.
	Auth(ctx context.Context) (Auth, error)
	// Refused is asked whenever Twilio answered 401 to auth, for the nth time in this call, 1 being the first: either for
	// credentials to try, the same ones after a wait perhaps, or for the error that ends the call. That may be refusal itself.
	Refused(ctx context.Context, auth Auth, refusal error, nth int) (Auth, error)
}

// Call is twilio-go's [client.BaseClient] for one call. It keeps the caller's context in a field, which is wrong for
// anything that lives longer: twilio-go's methods have no other way to pass one.
type Call struct {
	ctx    context.Context
	client *Client
	signer Signer

	account    string
	repeatable bool
	once       bool
	lean       bool
	single     bool

	// The last request that was answered well, for what turns out later to be wrong with the answer.
	last atomic.Pointer[answered]
	// The error that the last request that failed gave to twilio-go.
	failed atomic.Pointer[error]
}

// Call prepares a call of ctx inside account; it does no I/O.
func (c *Client) Call(ctx context.Context, account string, signer Signer) *Call {
	return &Call{ctx: ctx, client: c, signer: signer, account: account}
}

// Repeatable marks a POST that may be sent again after an unknown outcome: sent twice, it leaves what it left at once.
func (c *Call) Repeatable() *Call {
	c.repeatable = true
	return c
}

// Once forbids to send a DELETE again after an unknown outcome: the caller looks first.
func (c *Call) Once() *Call {
	c.once = true
	return c
}

// Lean drops subresource_uris from the answers, which then decode four times faster.
func (c *Call) Lean() *Call {
	c.lean = true
	return c
}

// Single is for a call whose answers are one resource each, and whose caller gives every error to Typed: encoding/json judges the form
// when it decodes them, and once is enough.
func (c *Call) Single() *Call {
	c.single = true
	return c
}

// Handler is what twilio-go's services are made of. A literal, because NewRequestHandler reads the environment.
func (c *Call) Handler() *client.RequestHandler {
	return &client.RequestHandler{Client: c, Edge: c.client.edge, Region: c.client.region}
}

// AccountSid stands in v2010 paths where a parameter names no other.
func (c *Call) AccountSid() string { return c.account }

// SetTimeout does nothing: a call's time is its context's.
func (c *Call) SetTimeout(time.Duration) {}

// SetOauth does nothing: a call is signed by its Signer.
func (c *Call) SetOauth(client.OAuth) {}

// OAuth returns nil, twilio-go's word for basic authentication.
func (c *Call) OAuth() client.OAuth { return nil }

// SendRequest is called by twilio-go for every request of the call. The error is what Config.Fail made of the failure.
func (c *Call) SendRequest(method, rawURL string, data url.Values, headers map[string]any, body ...byte) (*http.Response, error) {
	answer, err := c.request(method, rawURL, data, headers, body)
	if err != nil {
		c.failed.Store(&err)
		return nil, err
	}
	return answer.response(), nil
}

func (c *Call) request(method, rawURL string, data url.Values, headers map[string]any, body []byte) (*answer, error) {
	r, err := c.newRequest(method, rawURL, data, headers, body)
	if err != nil {
		return nil, c.impossible(method, rawURL, err)
	}
	return c.send(r)
}

// Get asks for a path of the 2010 API, as twilio-go's services would, and hands over the body of the answer, in buffer's memory if it
// has room: to make and clear new memory for each page of 2.3 MB costs more than to receive it. To check a page for JSON costs ten
// times as much, so only its beginning is looked at; whoever decodes it judges the rest, and gives the error to Typed.
func (c *Call) Get(path string, query url.Values, buffer []byte) ([]byte, error) {
	answer, err := c.get(path, query, buffer)
	if err != nil {
		c.failed.Store(&err)
		return nil, err
	}
	return answer.body, nil
}

func (c *Call) get(path string, query url.Values, buffer []byte) (*answer, error) {
	address, err := c.Handler().BuildUrl("https://api.twilio.com" + path)
	if err != nil {
		return nil, c.impossible(http.MethodGet, path, errors.New("the path cannot be parsed"))
	}
	r, err := c.newRequest(http.MethodGet, address, query, map[string]any{"Content-Type": "application/x-www-form-urlencoded"}, nil)
	if err != nil {
		return nil, c.impossible(http.MethodGet, path, err)
	}
	r.raw, r.buffer = true, buffer
	return c.send(r)
}

func (c *Call) send(r *request) (*answer, error) {
	auth, err := c.signer.Auth(c.ctx)
	if err != nil {
		return nil, c.unsigned(r, nil, err)
	}
	if r.changes() {
		defer c.client.changed(r.url.Path) // also if it only may have been changed
	}
	waits := c.client.newWaits()
	var before *Failure
	for refusals := 0; ; {
		answer, failure := c.client.attempt(c.ctx, r, auth, before)
		if failure == nil {
			c.last.Store(r.answeredBy(answer))
			return answer, nil
		}
		before = failure
		if failure.Status == http.StatusUnauthorized {
			refusals++
			if auth, err = c.signer.Refused(c.ctx, auth, c.client.fail(failure), refusals); err != nil {
				return nil, c.unsigned(r, before, err)
			}
			continue
		}
		if !waits.before(c.ctx, r, failure) {
			return nil, c.client.fail(failure)
		}
	}
}

// impossible is the failure of a request that was never sent, as it could not mean what its caller meant.
func (c *Call) impossible(method, rawURL string, err error) error {
	return c.client.fail(&Failure{Method: method, Path: pathOf(rawURL), Message: err.Error(), Err: ErrInvalidRequest})
}

// unsigned is the failure of a call for which there are no credentials. A signer's errors have their types already, but for the
// end of the context. What an attempt before may have done, they do not take back.
func (c *Call) unsigned(r *request, before *Failure, err error) error {
	if before != nil && before.OutcomeUnknown {
		return c.client.fail(&Failure{Method: r.method, Path: r.url.Path, Err: err, OutcomeUnknown: true})
	}
	if err == context.Canceled || err == context.DeadlineExceeded { //nolint:errorlint // what lies below a typed error is not meant
		return c.client.fail(&Failure{Method: r.method, Path: r.url.Path, Err: Cause(c.ctx, err)})
	}
	return err
}

// Typed gives the type that every failure has to what a context says, and to what twilio-go says of an answer that it cannot decode:
// whatever did not come from here.
func (c *Call) Typed(err error) error {
	if failed := c.failed.Load(); err == nil || failed != nil && errors.Is(err, *failed) {
		return err
	}
	switch {
	case errors.Is(err, io.EOF):
		return c.unexpected("the answer is empty", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return c.unexpected("the answer breaks off", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f := c.lastly()
		f.Status, f.Err = 0, Cause(c.ctx, err)
		return c.client.fail(f)
	}
	return c.Undecodable(err)
}

// Undecodable is the failure of a call whose answer could not be decoded.
func (c *Call) Undecodable(err error) error {
	return c.unexpected("the answer has another form than Twilio documents", err)
}

// Unexpected is the failure of a call that was answered, but not with what was asked for.
func (c *Call) Unexpected(mistake string) error { return c.unexpected(mistake, nil) }

// unexpected tells the SID of what the answer may be about: it may have been made, and may cost money.
func (c *Call) unexpected(mistake string, err error) error {
	f := c.lastly()
	if f.SID = f.sid(); f.SID != "" {
		mistake += "; it names " + f.SID
	}
	f.Message, f.Err, f.body = mistake, err, nil
	return c.client.fail(f)
}

func (c *Call) lastly() *Failure {
	last := c.last.Load()
	if last == nil {
		return &Failure{}
	}
	return last.facts()
}
