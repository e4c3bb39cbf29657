package twiliotest

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// answer is what the request that was hit gets.
func (f *Fault) answer(c *call) answer {
	own := f.replacesAnswer()
	var a answer
	if f.AfterEffect {
		a = c.run() // before the wait, which the client may not live to see the end of
	}
	if !c.wait(f.Delay) {
		return answer{hung: true}
	}
	if !f.AfterEffect && !own && !f.Reset && !f.Hang {
		a = c.run()
	}
	if a.reset {
		return a
	}
	switch {
	case f.Reset:
		return answer{reset: true}
	case f.Hang:
		<-c.ctx.Done()
		return answer{hung: true}
	case own:
		a = f.ownAnswer()
	}
	f.decorate(&a)
	return a
}

// wait tells whether d has passed before the request's context ended.
func (c *call) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (f *Fault) ownAnswer() answer {
	status := f.status()
	switch {
	case f.Body != nil:
		return newAnswer(status, f.contentType(), f.Body)
	case f.Size != 0:
		return newAnswer(status, f.contentType(), longBody(f.Size)...)
	case f.HTML:
		return newAnswer(status, f.contentType(), proxyPage(status))
	case status < http.StatusBadRequest:
		return newAnswer(status, f.contentType())
	}
	code := f.Code
	if code == 0 {
		code = codeOf(status)
	}
	message := f.Message
	if message == "" {
		message = twilioErrors[code].message
	}
	if message == "" {
		message = http.StatusText(status)
	}
	return jsonAnswer(status, errorJSON(status, code, message))
}

func (f *Fault) status() int {
	switch {
	case f.Status != 0:
		return f.Status
	case f.Code > 0:
		return statusOf(f.Code)
	}
	return http.StatusOK
}

func (f *Fault) contentType() string {
	if f.HTML {
		return "text/html"
	}
	return "application/json"
}

func (f *Fault) decorate(a *answer) {
	a.proxy = f.HTML
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if f.Truncate != 0 {
		a.cut(f.Truncate)
	}
}

func proxyPage(status int) []byte {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return []byte("<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n")
}

var filler = bytes.Repeat([]byte("x"), 64<<10)

// longBody is a body of exactly size bytes whose parts are all the same piece
// of memory.
func longBody(size int64) [][]byte {
	const head, tail = `{"friendly_name":"`, `"}`
	rest := size - int64(len(head)+len(tail))
	if rest < 0 {
		return [][]byte{filler[:size]}
	}
	parts := [][]byte{[]byte(head)}
	for ; rest > 0; rest -= int64(len(parts[len(parts)-1])) {
		parts = append(parts, filler[:min(rest, int64(len(filler)))])
	}
	return append(parts, []byte(tail))
}
