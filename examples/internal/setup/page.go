package setup

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
)

// Asset answers with a file that belongs to a page.
func Asset(files fs.FS, name, contentType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		http.ServeFileFS(w, r, files, name)
	})
}

// WritePage answers with a page, or with why it cannot be made: never with half of one.
func WritePage(w http.ResponseWriter, page *template.Template, view any) {
	var body bytes.Buffer
	if err := page.Execute(&body, view); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = body.WriteTo(w) // who asked may have left
}
