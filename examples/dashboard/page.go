package main

import (
	"bytes"
	"embed"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct/examples/internal/report"
)

//go:embed page.html page.css icon.svg
var files embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"ago":    ago,
	"clock":  clock,
	"number": report.Number,
	"class":  statusClass,
}).ParseFS(files, "page.html"))

// newPage is the page and what belongs to it, for browsers on this machine.
func newPage(b *board) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		writePage(w, newView(b.latest.Load(), parseQuery(r.URL.Query()), time.Now()))
	})
	mux.HandleFunc("POST /refresh", func(w http.ResponseWriter, r *http.Request) {
		b.ask(r.Context())
		http.Redirect(w, r, parseQuery(r.URL.Query()).address(), http.StatusSeeOther) //nolint:gosec // it begins with "/" or "/?"
	})
	mux.Handle("GET /page.css", asset("page.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", asset("icon.svg", "image/svg+xml"))
	return withHeaders(forThisMachine(http.NewCrossOriginProtection().Handler(mux)))
}

func asset(name, contentType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		http.ServeFileFS(w, r, files, name)
	})
}

// withHeaders lets the page load nothing but its own style and icon, be shown in no frame, and be kept nowhere.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "+
			"base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // with less, a browser hides from us where a form comes from
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// forThisMachine refuses requests that are for another host. A page of somebody else's could have its host's name point here, and
// then read this one.
func forThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isThisMachine(r.Host) {
			http.Error(w, "this page is for 127.0.0.1, [::1] and localhost alone", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isThisMachine(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func writePage(w http.ResponseWriter, v *view) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, v); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = body.WriteTo(w) // who asked may have left
}
