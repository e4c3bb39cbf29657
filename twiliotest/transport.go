package twiliotest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// HTTPClient returns a client whose requests reach the fake by a function
// call: no socket, no goroutine, and no clock but that of package time, so it
// works inside a testing/synctest bubble. A request that hangs waits for its
// own context and for nothing else.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: direct{s}}
}

type direct struct{ server *Server }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	defer closeBody(r)
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if d.server.closed.Load() {
		return nil, errors.New("twiliotest: the server is closed")
	}
	arriving := *r // a RoundTripper must not change the caller's request
	if arriving.Host == "" {
		arriving.Host = r.URL.Host
	}
	a := d.server.serve(&arriving)
	switch {
	case a.hung:
		return nil, context.Cause(ctx)
	case a.reset:
		return nil, errReset()
	}
	return a.response(r), nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// errReset is the error of a connection that the peer has reset.
func errReset() error {
	there := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}
	return &net.OpError{Op: "read", Net: "tcp", Addr: there, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

func (a *answer) response(r *http.Request) *http.Response {
	response := &http.Response{
		Status:        strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Request:       r,
		ContentLength: a.size,
		Body:          &bodyReader{ctx: r.Context(), parts: a.body, missing: a.size},
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		response.ContentLength, response.Body = 0, http.NoBody
	}
	return response
}

// bodyReader reads the parts of an answer one after the other.
type bodyReader struct {
	ctx     context.Context
	parts   [][]byte
	offset  int   // in the first part
	missing int64 // bytes that Content-Length promises and are not read yet
	closed  bool
}

func (b *bodyReader) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, errors.New("http: read on closed response body")
	case b.missing == 0:
		return 0, io.EOF
	case b.ctx.Err() != nil:
		return 0, context.Cause(b.ctx)
	case len(b.parts) == 0:
		return 0, io.ErrUnexpectedEOF
	}
	n := 0
	for n < len(p) && len(b.parts) > 0 {
		m := copy(p[n:], b.parts[0][b.offset:])
		n += m
		b.offset += m
		if b.offset == len(b.parts[0]) {
			b.parts, b.offset = b.parts[1:], 0
		}
	}
	b.missing -= int64(n)
	return n, nil
}

func (b *bodyReader) Close() error {
	b.closed = true
	return nil
}
