package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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
	// Refused is asked once per call, when Twilio answered 401 to auth: either with other credentials, which are tried
	// then, or with the error that ends the call. That may be refusal itself.
	Refused(ctx context.Context, auth Auth, refusal error) (Auth, error)
}

// Call is twilio-go's [client.BaseClient] for one call. It keeps the caller's context in a field, which is wrong for
// anything that lives longer: twilio-go's methods have no other way to pass one.
type Call struct {
	ctx    context.Context
	client *Client
	signer Signer

	account    string
	repeatable bool
	lean       bool

	last atomic.Pointer[exchanged]
}

// exchanged is the last request that was answered well, for what turns out later to be wrong with the answer.
type exchanged struct {
	request *request
	answer  *answer
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

// Lean drops subresource_uris from the answers, which then decode four times faster.
func (c *Call) Lean() *Call {
	c.lean = true
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
	r, err := c.newRequest(method, rawURL, data, headers, body)
	if err != nil {
		return nil, c.client.fail(&Failure{Method: method, Path: pathOf(rawURL), Message: err.Error(), Err: ErrInvalidRequest})
	}
	auth, err := c.signer.Auth(c.ctx)
	if err != nil {
		return nil, err
	}
	waits := c.client.newWaits()
	for renewed := false; ; {
		answer, failure := c.client.attempt(c.ctx, r, auth)
		if failure == nil {
			c.last.Store(&exchanged{r, answer})
			return answer.response(), nil
		}
		if failure.Status == http.StatusUnauthorized && !renewed {
			renewed = true
			if auth, err = c.signer.Refused(c.ctx, auth, c.client.fail(failure)); err != nil {
				return nil, err
			}
			continue
		}
		if !waits.before(c.ctx, r, failure) {
			return nil, c.client.fail(failure)
		}
	}
}

// Typed gives what twilio-go's decoding and a context say the type that every failure has, and leaves other errors alone.
func (c *Call) Typed(err error) error {
	switch err.(type) { //nolint:errorlint // what lies below a typed failure is not meant
	case *json.SyntaxError, *json.UnmarshalTypeError:
		return c.unexpected("the answer has another form than Twilio documents", err)
	}
	switch err { //nolint:errorlint // as above
	case io.EOF, io.ErrUnexpectedEOF:
		return c.unexpected("the answer is empty", err)
	case context.Canceled, context.DeadlineExceeded:
		f := c.lastly()
		f.Status, f.Err = 0, cause(c.ctx, err)
		return c.client.fail(f)
	}
	return err
}

// Unexpected is the failure of a call that was answered, but not with what was asked for.
func (c *Call) Unexpected(mistake string) error { return c.unexpected(mistake, nil) }

func (c *Call) unexpected(mistake string, err error) error {
	f := c.lastly()
	f.Message, f.Err = mistake, err
	return c.client.fail(f)
}

func (c *Call) lastly() *Failure {
	last := c.last.Load()
	if last == nil {
		return &Failure{}
	}
	f := failureOf(last.request.method, last.request.url.Path, last.answer)
	f.OutcomeUnknown = last.request.changes()
	f.Message = ""
	return f
}

// ErrInvalidRequest lies below a failure of a request that was never sent, because it could not mean what its caller meant.
var ErrInvalidRequest = errors.New("invalid request")

// request is what every attempt of a call sends alike.
type request struct {
	method     string
	url        *url.URL
	host       string // Twilio's, also where a base URL is dialled in its place
	header     http.Header
	body       []byte
	repeatable bool
	lean       bool
}

func (c *Call) newRequest(method, rawURL string, data url.Values, headers map[string]any, body []byte) (*request, error) {
	if c.ctx == nil {
		return nil, errors.New("the context is nil: pass context.Background() where there is no other")
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed")
	}
	if u.Scheme != "https" || !twilios(u.Hostname()) {
		return nil, fmt.Errorf("%s is no host of Twilio's; credentials are sent to no other", u.Host)
	}
	r := &request{
		method:     method,
		url:        u,
		host:       u.Host,
		header:     c.header(headers),
		repeatable: c.repeatable || method == http.MethodGet || method == http.MethodDelete,
		lean:       c.lean,
	}
	r.carry(data, body)
	if base := c.client.base; base != nil {
		u.Scheme, u.Host = base.Scheme, base.Host
	}
	return r, nil
}

// carry puts the values where twilio-go's contract wants them: into the query of a GET, of a DELETE and beside a JSON body,
// else into a form. url.Values.Encode leaves every byte of a value alone; the stock client cuts ".25" out of "acme v1.25".
func (r *request) carry(data url.Values, body []byte) {
	isJSON := strings.HasPrefix(r.header.Get("Content-Type"), "application/json")
	switch {
	case r.method == http.MethodGet, r.method == http.MethodDelete, isJSON:
		if data != nil { // nil: a follow-up page, whose query stands in the URL
			r.url.RawQuery = data.Encode()
		}
		r.body = body
	default:
		r.body = []byte(data.Encode())
	}
}

func (c *Call) header(headers map[string]any) http.Header {
	h := make(http.Header, len(headers)+3)
	for k, v := range headers {
		h.Set(k, fmt.Sprint(v))
	}
	h.Set("User-Agent", c.client.userAgent)
	h.Set("Accept", "application/json")
	return h
}

func twilios(host string) bool { return strings.HasSuffix(host, ".twilio.com") }

func pathOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Path
}

// http makes the request of one attempt; attempts share nothing that one of them could use up.
func (r *request) http(ctx context.Context, auth Auth) *http.Request {
	req := (&http.Request{
		Method:        r.method,
		URL:           r.url,
		Host:          r.host,
		Header:        r.header.Clone(),
		ContentLength: int64(len(r.body)),
	}).WithContext(ctx)
	if len(r.body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(r.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.body)), nil }
	}
	req.SetBasicAuth(auth.User, auth.Password)
	return req
}
