package main

import (
	"embed"
	"html/template"
	"net/http"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

//go:embed page.html page.css page.js token.js icon.svg
var files embed.FS

var pageTemplate = template.Must(template.ParseFS(files, "page.html"))

// policy lets the page load its own script, style and icon, and ask this program for tokens; nothing else, and nothing from elsewhere.
// Twilio's Voice SDK needs more: wss://*.twilio.com to connect to, its sounds, and the microphone.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'"

// newPage is the page and what belongs to it, for browsers on this machine.
func newPage(provider *twilioacct.Provider, r *result) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { setup.WritePage(w, pageTemplate, r.view()) })
	mux.Handle("GET /page.js", setup.Asset(files, "page.js", "text/javascript; charset=utf-8"))
	mux.Handle("GET /token.js", setup.Asset(files, "token.js", "text/javascript; charset=utf-8"))
	mux.Handle("GET /page.css", setup.Asset(files, "page.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", setup.Asset(files, "icon.svg", "image/svg+xml"))
	mux.Handle("/token", provider.TokenHandler(r.whoAsks))
	return setup.LocalPage(policy, mux)
}

// whoAsks says which token somebody gets. An application takes the person and the tenant from its session, and refuses whoever has none;
// here whoever reaches the page is the one that the flags name. Never does it come from the request's body: a person would say who they
// are, and be believed.
func (r *result) whoAsks(*http.Request) (twilioacct.TokenRequest, error) {
	return twilioacct.TokenRequest{AccountSID: r.has.Account.SID, TokenSpec: *r.wanted.token(r.has.Application.SID)}, nil
}

// view is what the template shows.
type view struct{ Identity, Account, Name, Caller string }

func (r *result) view() view {
	return view{
		Identity: r.wanted.identity,
		Account:  r.has.Account.SID, Name: r.has.Account.FriendlyName, Caller: r.has.Caller.PhoneNumber,
	}
}
