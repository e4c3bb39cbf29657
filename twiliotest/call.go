package twiliotest

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// call is one request on its way through the fake.
type call struct {
	server *Server
	ctx    context.Context // of the request
	began  time.Time

	method, host, path string
	route              *route // nil if Twilio knows no such operation
	vars               []pathVar
	query, form        url.Values
	signer             signer

	refusal    *answer // set if the request is one no program may send
	violations []string
	record     *Request
	fault      *Fault
	concurrent int
}

// serve is the life of one request, the same in both forms of the server.
func (s *Server) serve(r *http.Request) answer {
	c := s.receive(r)
	s.scold(c.violations)
	a := c.answer()
	s.release(c, &a)
	return a
}

func (s *Server) receive(r *http.Request) *call {
	c := &call{server: s, ctx: r.Context(), began: time.Now()}
	c.read(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.signer = s.authenticate(r)
	c.concurrent = c.signer.enter()
	c.record = s.journal.add(c, r)
	c.fault = s.strike(c)
	return c
}

func (s *Server) release(c *call, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.signer.leave()
	if !a.reset && !a.hung {
		a.addTwilioHeaders(c)
		c.record.Status = a.status
	}
}

func (c *call) answer() answer {
	if c.fault != nil {
		return c.fault.answer(c)
	}
	return c.run()
}

// run does what was asked for, as Twilio would without any fault.
func (c *call) run() answer {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	limit := c.server.config.concurrencyLimit
	switch {
	case c.refusal != nil:
		return *c.refusal
	case c.signer.refused != 0:
		return c.refuse(c.signer.refused)
	case limit > 0 && c.concurrent > limit:
		return c.refuse(20429)
	}
	return c.route.handle(c)
}

func (c *call) operation() string {
	if c.route == nil {
		return ""
	}
	return c.route.operation
}

// pathVar returns a variable of the route's path.
func (c *call) pathVar(name string) string {
	for _, v := range c.vars {
		if v.name == name {
			return v.value
		}
	}
	panic("twiliotest: " + c.route.operation + " has no " + name + " in its path")
}

// param returns a parameter, wherever this kind of request carries it, and
// whether it was sent at all.
func (c *call) param(name string) (value string, sent bool) {
	values := c.query
	if c.route.sentInForm() {
		values = c.form
	}
	v := values[name]
	if len(v) == 0 {
		return "", false
	}
	return v[0], true
}
