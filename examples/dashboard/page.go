package main

import (
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

//go:embed page.html page.css icon.svg
var files embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"ago":    ago,
	"clock":  clock,
	"number": report.Number,
	"class":  statusClass,
}).ParseFS(files, "page.html"))

// policy lets the page load nothing but its own style and icon, and send its forms nowhere but here.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"

// newPage is the page and what belongs to it, for browsers on this machine.
func newPage(b *board) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		setup.WritePage(w, pageTemplate, newView(b.latest.Load(), parseQuery(r.URL.Query()), time.Now()))
	})
	mux.HandleFunc("POST /refresh", func(w http.ResponseWriter, r *http.Request) {
		b.ask(r.Context())
		http.Redirect(w, r, parseQuery(r.URL.Query()).address(), http.StatusSeeOther) //nolint:gosec // it begins with "/" or "/?"
	})
	mux.Handle("GET /page.css", setup.Asset(files, "page.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", setup.Asset(files, "icon.svg", "image/svg+xml"))
	return setup.LocalPage(policy, mux)
}
