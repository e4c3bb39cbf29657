package twiliotest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxForm is far above any form a program sends to Twilio.
const maxForm = 1 << 20

const notEncrypted = "is not encrypted: https is missing"

const formType = "application/x-www-form-urlencoded"

// read takes the request apart and notes what no program may send.
func (c *call) read(r *http.Request) {
	c.method, c.host, c.path = r.Method, strings.ToLower(r.Host), r.URL.EscapedPath()
	var wrong string
	c.route, c.vars, wrong = router.find(c.method, c.host, c.path)
	if r.URL.Scheme == "http" { // only the no-socket form sees a scheme
		c.violate(20404, notEncrypted)
	}
	query, queryErr := parseParams(r.URL.RawQuery)
	form, formErr := readForm(r)
	c.query, c.form = query, form
	switch {
	case wrong == "host":
		c.violate(20404, "goes to a host that is not Twilio's, or not one of this fake")
	case wrong == "path":
		c.violate(20404, "has a path that Twilio, or this fake, does not know")
	case wrong == "method":
		c.violate(20004, "has a method that Twilio does not know here")
	case errors.Is(formErr, errBroken): // by the network, not by the program
		c.refusal = &answer{reset: true}
	case queryErr != nil:
		c.violate(20001, "has a bad query: "+queryErr.Error())
	case formErr != nil:
		c.violate(20001, "has a bad body: "+formErr.Error())
	case c.route.sentInForm():
		c.checkParams("form", c.form)
		c.checkNone("query", c.query)
	default:
		c.checkParams("query", c.query)
		c.checkNone("body", c.form)
	}
}

// violate notes what is wrong; the first wrong decides the answer.
func (c *call) violate(code int, what string) {
	c.violations = append(c.violations, fmt.Sprintf("%s %s%s %s", c.method, c.host, c.path, what))
	if c.refusal == nil {
		a := c.refuse(code)
		c.refusal = &a
	}
}

func (c *call) checkParams(where string, values url.Values) {
	for name, v := range values {
		repeatable := slices.Contains(c.route.params, name+"*")
		switch {
		case !repeatable && !slices.Contains(c.route.params, name):
			c.violate(20001, fmt.Sprintf("has an unknown parameter %q in its %s", name, where))
		case !repeatable && len(v) > 1:
			c.violate(20001, fmt.Sprintf("repeats %q in its %s", name, where))
		}
	}
}

func (c *call) checkNone(where string, values url.Values) {
	for name := range values {
		c.violate(20001, fmt.Sprintf("has a parameter %q in its %s, where none may be", name, where))
	}
}

var errBroken = errors.New("it ended early")

// readForm reads the body, which only a POST may have and which must be a form.
func readForm(r *http.Request) (url.Values, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	switch {
	case err != nil:
		return nil, errBroken
	case len(body) == 0:
		return nil, nil
	case r.Method == http.MethodGet || r.Method == http.MethodDelete:
		return nil, errors.New("a " + r.Method + " has none")
	case len(body) > maxForm:
		return nil, errors.New("it is longer than 1 MiB")
	}
	contentType := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != formType {
		return nil, fmt.Errorf("its Content-Type is %q, not %s", contentType, formType)
	}
	return parseParams(string(body))
}

// parseParams is url.ParseQuery, but takes nothing that an encoder would not
// have written: it finds the space, the quote or the umlaut that was pasted
// into a query without being escaped.
func parseParams(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>\\^`{|}", c) >= 0 {
			return nil, fmt.Errorf("%q at %d is not escaped", c, i)
		}
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	for name, v := range values {
		for _, value := range append(v, name) {
			if !utf8.ValidString(value) {
				return nil, fmt.Errorf("%q is not UTF-8", value)
			}
		}
	}
	return values, nil
}
