package twiliotest

import (
	"net/http"
	"net/url"
)

// Request is one request that arrived. Its maps are shared by all copies:
// read them only.
type Request struct {
	// Operation is the operationId in Twilio's OpenAPI files, such as
	// "FetchAccount", and "" if there is no such operation.
	Operation string

	Method   string
	Host     string
	Path     string
	RawQuery string
	Form     url.Values  // of the body
	Header   http.Header // without Authorization

	// User is the user name of the basic authentication, an account's or a
	// key's SID, right or wrong.
	User string
	// Account is the account whose auth token or key signed the request,
	// also if it is suspended or closed, and "" if the signature is wrong.
	Account string

	// Status is what was answered: 0 while the request is under way, and for
	// ever if it was reset or hung.
	Status int
}

// SignedBy tells whether the request carried valid credentials of sid: of the
// account, by its token or any of its keys, or of that very key.
func (r Request) SignedBy(sid string) bool {
	return r.Account != "" && (r.Account == sid || r.User == sid)
}

// Requests returns the requests that have arrived, oldest first, including
// those under way; at most as many as [WithRecordLimit] says.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.requests()
}

// Count returns how many requests of an operation have arrived, and with ""
// how many in all. It panics on an operation that the fake does not know.
func (s *Server) Count(operation string) int {
	mustKnow(operation)
	s.mu.Lock()
	defer s.mu.Unlock()
	if operation == "" {
		return s.journal.total
	}
	return s.journal.counts[operation]
}

// ForgetRequests empties the record and sets all counts to 0.
func (s *Server) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = journal{limit: s.journal.limit}
}

// mustKnow guards tests against a misspelt operation that never comes.
func mustKnow(operation string) {
	if operation != "" && router.byOperation[operation] == nil {
		panic("twiliotest: no operation " + operation)
	}
}

// journal keeps the latest requests in a ring.
type journal struct {
	limit  int
	ring   []*Request
	next   int // where the next one goes once the ring is full
	total  int
	counts map[string]int
}

func (j *journal) add(c *call, r *http.Request) *Request {
	j.total++
	if j.counts == nil {
		j.counts = map[string]int{}
	}
	j.counts[c.operation()]++
	request := &Request{Operation: c.operation(), User: c.signer.user, Account: c.signer.sid(),
		Method: c.method, Host: c.host, Path: c.path, RawQuery: r.URL.RawQuery, Form: c.form}
	switch {
	case j.limit == 0:
		return request
	case len(j.ring) < j.limit:
		j.ring = append(j.ring, request)
	default:
		j.ring[j.next] = request
		j.next = (j.next + 1) % j.limit
	}
	request.Header = r.Header.Clone()
	request.Header.Del("Authorization")
	return request
}

func (j *journal) requests() []Request {
	requests := make([]Request, 0, len(j.ring))
	for i := range j.ring {
		requests = append(requests, *j.ring[(j.next+i)%len(j.ring)])
	}
	return requests
}
