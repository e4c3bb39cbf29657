package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

const (
	largestBody  = 16 << 20 // a page of 1000 accounts has 2.3 MB
	largestError = 64 << 10
	longestDrain = 256 << 10 // reading on is cheaper than a new connection up to about here
)

var errTooLarge = errors.New("the answer is larger than any of Twilio's")

// answer is a response that has been read to its end, so that nobody above has anything to close.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // the body broke off or is too large
}

func read(resp *http.Response, buffer []byte) *answer {
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	limit := int64(largestBody)
	if !succeeded(a.status) {
		limit = largestError
	}
	if resp.ContentLength > limit+longestDrain {
		a.err = errTooLarge // nothing of it can be used, so nothing is read
	} else {
		a.body, a.err = readUpTo(resp, limit, buffer)
	}
	if int64(len(a.body)) > limit {
		a.body, a.err = a.body[:limit], errTooLarge
		_, _ = io.CopyN(io.Discard, resp.Body, longestDrain) // what is left beyond costs the connection, not the caller
	}
	if !succeeded(a.status) {
		a.err = nil // an error status stays what it is, however its body ends
	}
	return a
}

// readUpTo reads one byte more than the limit, which tells a full body from one that is too large. A new buffer is made to measure
// where the length is known: a page of accounts is then copied once. One that takes the place of another has room to spare: the next
// page may be a little longer.
func readUpTo(resp *http.Response, limit int64, buffer []byte) ([]byte, error) {
	room := bytes.MinRead + max(0, min(resp.ContentLength, limit))
	if int64(cap(buffer)) < room {
		if cap(buffer) > 0 {
			room += room / 8
		}
		buffer = make([]byte, 0, room)
	}
	buf := bytes.NewBuffer(buffer[:0])
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	return buf.Bytes(), err
}

func succeeded(status int) bool { return status >= 200 && status <= 299 }

// mistake says what keeps a successful answer from being one, or "".
func (a *answer) mistake(r *request) string {
	switch {
	case r.method == http.MethodDelete && a.status != http.StatusNoContent:
		return "a delete is answered by 204, and only then is the thing gone"
	case len(a.body) == 0 && r.changes() && (a.status == http.StatusNoContent || a.status == http.StatusAccepted):
		return ""
	case r.raw && !a.beginsObject(), r.single && !a.isLikeObject(), !r.raw && !r.single && !a.isValue():
		return "the answer is not a JSON value"
	}
	return ""
}

// isValue is false for null, too.
func (a *answer) isValue() bool {
	return json.Valid(a.body) && !bytes.Equal(bytes.TrimSpace(a.body), []byte("null"))
}

// beginsObject tells a page from an empty answer, null and HTML.
func (a *answer) beginsObject() bool { return bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("{")) }

// isLikeObject tells an object from an empty answer, null and HTML, and from what is followed by any of these.
func (a *answer) isLikeObject() bool {
	body := bytes.TrimSpace(a.body)
	return len(body) > 1 && body[0] == '{' && body[len(body)-1] == '}'
}

// response hands the answer to twilio-go's generated code, which decodes it.
func (a *answer) response() *http.Response {
	return &http.Response{
		Status:        http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
	}
}
