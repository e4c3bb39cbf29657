package main

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
)

// tape keeps what twiliotest answers to a program, and then is a server that answers the same at once. It checks nothing: what
// serving costs would only hide what asking costs.
type tape struct {
	twilio  http.RoundTripper // what is recorded
	answers map[string]recorded
}

type recorded struct {
	status int
	header http.Header
	body   []byte
}

func newTape(twilio http.RoundTripper) *tape {
	return &tape{twilio: twilio, answers: map[string]recorded{}}
}

// RoundTrip records. It is for one caller, before the tape is played.
func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.twilio.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	header := resp.Header.Clone()
	header.Set("Content-Length", strconv.Itoa(len(body)))
	t.answers[about(r)] = recorded{resp.StatusCode, header, body}
	return resp, err
}

// ServeHTTP plays.
func (t *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, ok := t.answers[about(r)]
	if !ok {
		http.Error(w, "this was not asked while the tape was recorded", http.StatusNotFound)
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // else the client has gone
}

// about is all that tells the answers apart.
func about(r *http.Request) string { return r.Method + " " + r.URL.Path }
