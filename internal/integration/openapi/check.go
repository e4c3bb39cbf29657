package openapi

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// Check gives a RoundTripper that lets every call through to next, unchanged, and reports by t.Errorf, with method and
// path, each thing that Twilio's OpenAPI files do not allow.
//
// Of a request: a path, method or parameter that they do not know, a required parameter that is missing, a value of the
// wrong type, enum, pattern or format, a form that is not form-encoded. The operation is found by path and Host header
// (which may name an edge and a region), so the URL may lead anywhere.
//
// Of an answer: a 2xx status that they do not document, a body that does not match, a field that they do not know, a
// field that is left out (Twilio sends null), an address of Twilio's own that is a path where it is due in full, or the
// reverse. Any other status must carry Twilio's error: JSON with code, message, more_info and status.
//
// An answer for which one of the injected functions says true is a fault that the test made on purpose: it is not
// looked at. The function may not read the body. A call that fails without an answer has nothing to check.
//
// Operations that testdata/operations.txt does not name are unknown. A test that is wrong on purpose goes round Check.
// What is let through must end before the test does.
func Check(t testing.TB, next http.RoundTripper, injected ...func(*http.Response) bool) http.RoundTripper {
	t.Helper()
	known, err := extracts()
	if err != nil {
		t.Fatalf("the facts in testdata: %v", err)
	}
	return &checked{t: t, next: next, documents: known, injected: injected}
}

type checked struct {
	t         testing.TB
	next      http.RoundTripper
	documents documents
	injected  []func(*http.Response) bool
}

func (c *checked) RoundTrip(request *http.Request) (*http.Response, error) {
	request, body, err := rereadable(request)
	if err != nil {
		return nil, err
	}
	call, err := c.documents.find(request)
	if err != nil {
		c.report(request, "the request", err.Error())
		return c.next.RoundTrip(request)
	}
	c.report(request, "the request", call.requestProblems(body)...)

	response, err := c.next.RoundTrip(request)
	if err == nil && !c.isInjected(response) {
		c.checkAnswer(call, request, response)
	}
	return response, err
}

// checkAnswer says nothing of a call that its caller gave up.
func (c *checked) checkAnswer(to call, request *http.Request, response *http.Response) {
	body, err := readAnswer(response)
	switch {
	case to.request.Context().Err() != nil:
	case err != nil:
		c.report(request, "the answer", "the body cannot be read: "+err.Error())
	default:
		c.report(request, "the answer", to.answerProblems(response, body)...)
	}
}

func (c *checked) report(request *http.Request, where string, problems ...string) {
	for _, problem := range problems {
		c.t.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, where, problem)
	}
}

func (c *checked) isInjected(response *http.Response) bool {
	for _, is := range c.injected {
		if is(response) {
			return true
		}
	}
	return false
}

// rereadable gives the body, and a copy of the request that can still be sent: a RoundTripper may not change the
// request it is given, and must close its body.
func rereadable(request *http.Request) (*http.Request, []byte, error) {
	again := request.Clone(request.Context())
	if request.Body == nil || request.Body == http.NoBody {
		return again, nil, nil
	}
	defer request.Body.Close()
	body, err := io.ReadAll(request.Body)
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again, body, err
}

// readAnswer reads the body and leaves the caller one that reads the same, up to the same error.
func readAnswer(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return body, err
}

// failing is a body's end: an error, or where there was none a proper end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
