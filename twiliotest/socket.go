package twiliotest

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// network is the socket form of a server. It listens when first asked for its
// address.
type network struct {
	mu         sync.Mutex
	closed     bool
	listener   net.Listener
	server     *http.Server
	end        context.CancelFunc // ends the contexts of all its requests
	requests   sync.WaitGroup
	transports []*http.Transport
}

// URL returns the base URL of the fake, such as http://127.0.0.1:1234, and
// listens there from the first call on. It stands for every Twilio host; the
// Host header of a request must tell which one is meant.
func (s *Server) URL() string {
	return "http://" + s.network.address(s)
}

func (n *network) address(s *Server) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener == nil {
		n.listen(s)
	}
	return n.listener.Addr().String()
}

func (n *network) listen(s *Server) {
	if n.closed {
		panic("twiliotest: the server is closed")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("twiliotest: " + err.Error())
	}
	ctx, end := context.WithCancel(context.Background())
	n.listener, n.end = listener, end
	n.server = &http.Server{
		Handler:     http.HandlerFunc(s.serveSocket),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // faults are no news
	}
	n.requests.Go(func() { _ = n.server.Serve(listener) }) // it ends with an error, always
}

func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	if n.server != nil {
		n.end()
		n.server.Close()
	}
	for _, t := range n.transports {
		t.CloseIdleConnections()
	}
	n.mu.Unlock()
	n.requests.Wait()
}

// begin says whether a request may still be served, so that none is at work
// when close returns.
func (n *network) begin() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.requests.Add(1)
	}
	return !n.closed
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.network.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.network.requests.Done()
	a := s.serve(r)
	switch {
	case a.hung:
		panic(http.ErrAbortHandler)
	case a.reset:
		resetConnection(w)
	default:
		a.write(w)
	}
}

func (a *answer) write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, a.header)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		w.WriteHeader(a.status)
		return
	}
	// With a cut body net/http notices that less was written than declared
	// and closes the connection.
	header["Content-Length"] = []string{strconv.FormatInt(a.size, 10)}
	w.WriteHeader(a.status)
	a.writeBody(w)
}

// resetConnection makes the kernel send RST rather than FIN.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// SocketClient returns a client that reaches the fake over real HTTP, whatever
// Twilio host a request is addressed to. Keep in mind that net/http by itself
// repeats a GET whose reused connection is reset.
func (s *Server) SocketClient() *http.Client {
	address := s.network.address(s)
	t := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	s.network.mu.Lock()
	s.network.transports = append(s.network.transports, t)
	s.network.mu.Unlock()
	return &http.Client{Transport: &redirector{s, t, address}}
}

// redirector sends to the fake what is addressed to any host, and leaves the
// Host header as it was.
type redirector struct {
	server    *Server
	transport *http.Transport
	address   string
}

func (d *redirector) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" { // over the socket nobody would see it any more
		closeBody(r)
		d.server.scold([]string{r.Method + " " + r.URL.Host + r.URL.Path + " " + notEncrypted})
		return nil, errors.New("twiliotest: the request " + notEncrypted)
	}
	there := r.Clone(r.Context())
	if there.Host == "" {
		there.Host = r.URL.Host
	}
	there.URL.Scheme, there.URL.Host = "http", d.address
	response, err := d.transport.RoundTrip(there)
	if response != nil {
		response.Request = r
	}
	return response, err
}
