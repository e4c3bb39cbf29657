package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ErrInvalidRequest lies below a failure of a request that was never sent, because it could not mean what its caller meant.
var ErrInvalidRequest = errors.New("invalid request")

// request is what every attempt of a call sends alike.
type request struct {
	method     string
	url        *url.URL
	host       string         // Twilio's, also where a base URL is dialled in its place
	headers    map[string]any // twilio-go's
	userAgent  string
	body       []byte
	repeatable bool
	lean       bool
	single     bool   // the answer's form is judged by whoever decodes it, but for its ends …
	raw        bool   // … or but for its beginning
	buffer     []byte // for the answer, where it fits
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
		headers:    headers,
		userAgent:  c.client.userAgent,
		repeatable: c.repeatable || method == http.MethodGet || method == http.MethodDelete && !c.once,
		lean:       c.lean,
		single:     c.single,
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
	contentType, _ := r.headers["Content-Type"].(string)
	isJSON := strings.HasPrefix(contentType, "application/json")
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

var acceptJSON = []string{"application/json"} // nobody writes into a header's values

// header is made for each attempt: to copy one takes as long.
func (r *request) header() http.Header {
	h := make(http.Header, len(r.headers)+3)
	for k, v := range r.headers {
		if text, ok := v.(string); ok {
			h.Set(k, text)
		} else {
			h.Set(k, fmt.Sprint(v))
		}
	}
	h["User-Agent"], h["Accept"] = []string{r.userAgent}, acceptJSON
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
	address := *r.url // a transport may change it
	req := (&http.Request{
		Method:        r.method,
		URL:           &address,
		Host:          r.host,
		Header:        r.header(),
		ContentLength: int64(len(r.body)),
	}).WithContext(ctx)
	if len(r.body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(r.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.body)), nil }
	}
	req.SetBasicAuth(auth.User, auth.Password)
	return req
}
