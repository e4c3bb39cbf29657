package try

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// Answer is what a page answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks a page as a browser on this machine does.
func Get(t *testing.T, page http.Handler, target string) Answer {
	t.Helper()
	return Send(t, page, http.MethodGet, target, nil)
}

// Send is Get with another method, and with headers. Host may be one of them.
func Send(t *testing.T, page http.Handler, method, target string, header map[string]string) Answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	r.Host = "127.0.0.1:8080"
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return Answer{Status: w.Code, Header: w.Header(), Body: w.Body.String()}
}

// Answers asserts what a page answers to requests such as "GET /".
func Answers(t *testing.T, page http.Handler, want map[string]int) {
	t.Helper()
	for request, status := range want {
		method, target, _ := strings.Cut(request, " ")
		if got := Send(t, page, method, target, nil); got.Status != status {
			t.Errorf("%s: status %d, want %d", request, got.Status, status)
		}
	}
}

// Protects asserts that a page's answers have that policy, are kept nowhere, and are for the page alone. Each target has its content type.
func Protects(t *testing.T, page http.Handler, policy string, targets map[string]string) {
	t.Helper()
	for target, kind := range targets {
		h := Get(t, page, target).Header
		for name, want := range map[string]string{
			"Content-Type": kind, "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

// HoldsNothingForeign asserts that a page has nothing of another host, nor a style or a script within it.
func HoldsNothingForeign(t *testing.T, body string) {
	t.Helper()
	for _, forbidden := range []string{"http://", "https://", "//", "style=", "<style", "<script>", "onclick", "javascript:"} {
		if strings.Contains(body, forbidden) {
			t.Errorf("%q is in the page:\n%s", forbidden, body)
		}
	}
}

// Served is a program while it serves a page.
type Served struct {
	Address string   // with a slash at the end
	Printed string   // on standard output, before it served
	Status  chan int // what it ends with
}

var whereabouts = regexp.MustCompile(`is at (http://\S+/)`)

// Serve runs the program offline, and returns when it says where its page is. It runs until the context ends.
func (p Program) Serve(ctx context.Context, t *testing.T, args ...string) Served {
	t.Helper()
	for _, name := range variables {
		t.Setenv(name, "")
	}
	notes, stderr := io.Pipe()
	var stdout, said bytes.Buffer
	served := Served{Status: make(chan int, 1)}
	go func() {
		served.Status <- p(ctx, args, &stdout, stderr)
		_ = stderr.Close() // of a pipe in memory
	}()
	for lines := bufio.NewScanner(io.TeeReader(notes, &said)); lines.Scan(); {
		if found := whereabouts.FindStringSubmatch(lines.Text()); found != nil {
			served.Address, served.Printed = found[1], stdout.String()
			go func() { _, _ = io.Copy(io.Discard, notes) }() // so that it can go on
			return served
		}
	}
	t.Fatalf("it serves no page:\n%s", said.String())
	return served
}
