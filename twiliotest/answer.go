package twiliotest

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answer is what comes back, before either form of the server sends it.
type answer struct {
	status int
	header http.Header
	// body is in parts so that a page is no more than a list of its items'
	// cached bytes. Parts are shared and never written to.
	body [][]byte
	size int64 // what Content-Length says, more than body if that is cut

	reset bool // no answer: the connection is reset
	hung  bool // no answer: the request's context has ended
	proxy bool // not Twilio's own, so without Twilio's headers
}

func jsonAnswer(status int, body ...[]byte) answer {
	return newAnswer(status, "application/json", body...)
}

// noContent is the answer to a DELETE.
func noContent() answer { return answer{status: http.StatusNoContent, header: make(http.Header, 3)} }

func newAnswer(status int, contentType string, body ...[]byte) answer {
	a := answer{status: status, header: make(http.Header, 6), body: body}
	a.header["Content-Type"] = []string{contentType}
	for _, part := range body {
		a.size += int64(len(part))
	}
	return a
}

// cut drops all but the first n bytes of the body, of which Content-Length
// still tells the whole length.
func (a *answer) cut(n int64) {
	var kept [][]byte
	for _, part := range a.body {
		if n <= 0 {
			break
		}
		part = part[:min(n, int64(len(part)))]
		n -= int64(len(part))
		kept = append(kept, part)
	}
	a.body = kept
}

func (a *answer) addTwilioHeaders(c *call) {
	if a.proxy {
		return
	}
	values := &[3]string{
		c.server.requestIDs.sid("RQ"),
		strconv.Itoa(c.concurrent),
		strconv.FormatFloat(time.Since(c.began).Seconds(), 'f', 3, 64),
	}
	for i, name := range [3]string{"Twilio-Request-Id", "Twilio-Concurrent-Requests", "Twilio-Request-Duration"} {
		if _, set := a.header[name]; !set { // a fault may have its own
			a.header[name] = values[i : i+1 : i+1]
		}
	}
}

const pageBuffer = 64 << 10

var pageWriters sync.Pool

// writeBody sends the parts; many small ones in few writes.
func (a *answer) writeBody(w io.Writer) {
	if len(a.body) == 1 {
		_, _ = w.Write(a.body[0]) // a client that is gone needs nothing
		return
	}
	b, ok := pageWriters.Get().(*bufio.Writer)
	if !ok {
		b = bufio.NewWriterSize(nil, pageBuffer)
	}
	b.Reset(w)
	for _, part := range a.body {
		if _, err := b.Write(part); err != nil {
			break // the client is gone
		}
	}
	_ = b.Flush()
	b.Reset(nil)
	pageWriters.Put(b)
}
