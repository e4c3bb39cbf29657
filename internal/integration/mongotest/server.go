package mongotest

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/256dpi/lungo"
	"go.mongodb.org/mongo-driver/bson"
)

// Server is an embedded server which speaks the MongoDB protocol on a free
// local port. It keeps everything in memory and forgets it on Close. All its
// methods may be called at any time from any goroutine.
type Server struct {
	listener net.Listener
	engine   *lungo.Engine
	done     chan struct{} // closed by Close; ends every wait
	running  sync.WaitGroup
	lastID   atomic.Int64

	faults   faults
	record   record
	sessions sessions
	cursors  cursors
	commits  broadcast
	oplog    oplogStart

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// New starts a server, for a TestMain or another place without a testing.TB;
// elsewhere use Start. The caller must Close it.
func New() (*Server, error) {
	engine, err := lungo.CreateEngine(lungo.Options{
		Store: lungo.NewMemoryStore(),
		// Every write copies the oplog, so a short one keeps writes fast.
		MinOplogSize: 100,
		MaxOplogSize: 1000,
		MinOplogAge:  time.Millisecond,
		MaxOplogAge:  time.Minute,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		engine.Close()
		return nil, err
	}
	s := &Server{
		listener: listener,
		engine:   engine,
		done:     make(chan struct{}),
		conns:    map[net.Conn]struct{}{},
	}
	s.running.Go(s.accept)
	return s, nil
}

// URI returns the connection string. It names a replica set, because without
// one the driver uses neither sessions nor retryable writes.
func (s *Server) URI() string {
	return "mongodb://" + s.Address() + "/?replicaSet=" + setName + "&directConnection=true"
}

// Address returns the host and port, for a proxy between driver and server.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close ends all connections, delays and waits, and returns when nothing of
// the server runs any more. Closing twice is harmless.
func (s *Server) Close() {
	if s.shut() {
		s.engine.Close()
	}
	s.running.Wait()
}

// shut stops the intake, and reports whether this call was the first.
func (s *Server) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	close(s.done)
	s.listener.Close()
	for c := range s.conns {
		c.Close()
	}
	return true
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.admit(c) {
			c.Close()
			return
		}
		s.running.Go(func() {
			defer s.dismiss(c)
			s.serve(c)
		})
	}
}

func (s *Server) admit(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) dismiss(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// serve answers the messages of one connection until it ends, is malformed or
// is to be dropped.
func (s *Server) serve(c net.Conn) {
	for {
		m, err := readMessage(c)
		if err != nil {
			return
		}
		reply, ok := s.answer(m.body)
		if !ok {
			return
		}
		if m.noReply {
			continue
		}
		if _, err := c.Write(s.encode(m, reply)); err != nil {
			return
		}
	}
}

// encode makes a reply of whatever there is to say, if only that there is
// nothing which could be said in BSON.
func (s *Server) encode(m message, reply bson.D) []byte {
	id := uint32(s.nextID())
	out, err := encodeReply(m, id, reply)
	if err != nil {
		out, _ = encodeReply(m, id, fail(codeUnknownError, "reply to %s: %s", m.body[0].Key, err).reply())
	}
	return out
}

func (s *Server) nextID() int64 { return s.lastID.Add(1) }

// pause waits, and reports false if the server closed meanwhile.
func (s *Server) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
