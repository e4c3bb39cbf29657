package twiliotest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// Always as [Fault.Times]: until [Server.ClearFaults].
	Always = -1
	// NoCode as [Fault.Code]: an error whose JSON has no code.
	NoCode = -1
)

// Fault is what goes wrong with a request, and with which. The zero Fault does
// nothing to the next request.
//
//	Fault{Status: 429, RetryAfter: "2"}                  // the next request
//	Fault{Operation: "ListAccount", On: 3, Status: 503}  // the third page
//	Fault{Operation: "CreateAccount", AfterEffect: true, Reset: true}
//	Fault{HTML: true, Status: 502, Times: Always}
type Fault struct {
	// Operation is the operationId of the requests that count, such as
	// "FetchAccount"; "" is every request.
	Operation string
	// Path, if set, is a part of the path of the requests that count, for
	// example an account's SID.
	Path string
	// SignedBy, if set, is the account whose credentials sign the requests
	// that count, or one of its keys.
	SignedBy string

	// On says which of the requests that count is hit, 1 being the first one
	// to arrive after Inject. 0 is 1.
	On int
	// Times says how many in a row are hit, from that one on. 0 is 1.
	Times int

	// AfterEffect does what was asked for before things go wrong. Without it
	// nothing is done, unless no answer is given below: then the request is
	// served as always, only late or cut.
	AfterEffect bool

	// Delay is how long everything waits, but not longer than the request's
	// context.
	Delay time.Duration
	// Reset resets the connection instead of an answer. Over a socket
	// net/http by itself repeats a GET if the connection was used before.
	Reset bool
	// Hang gives no answer for as long as the request's context lives, for
	// ever if that never ends. Over a socket it is until the client leaves or
	// the server is closed.
	Hang bool

	// Status is the answer's HTTP status. 0 is the one that goes with Code,
	// and 200 if only a body is given.
	Status int
	// Code is Twilio's code in the answer's JSON. 0 is the one that goes
	// with Status (20429 with 429); [NoCode] leaves it out.
	Code int
	// Message is the message in the answer's JSON; "" is the usual one.
	Message string
	// HTML answers as a proxy would: without Twilio's headers, and with a
	// page unless Body is set.
	HTML bool
	// Body, if not nil, is the body, as it is. []byte{} is an empty one.
	Body []byte
	// Size, if not 0, makes a body of so many bytes, one long JSON string,
	// without holding it in memory.
	Size int64
	// RetryAfter, if set, is the header of that name: seconds or a date.
	RetryAfter string
	// Header is added to the answer's.
	Header http.Header
	// Truncate ends the connection after so many bytes of the body, less
	// than Content-Length says. 0 sends it whole, a negative number nothing.
	Truncate int64
}

type armedFault struct {
	Fault
	seen int // requests that counted
}

// Inject arms a fault. Requests are counted from now on, for each fault by
// itself. If two faults hit the same request, the one injected first strikes
// and the other counts it as a hit all the same. Inject panics on a fault that
// contradicts itself and on an operation the fake does not know.
func (s *Server) Inject(f Fault) {
	mustKnow(f.Operation)
	if mistake := f.mistake(); mistake != "" {
		panic(fmt.Sprintf("twiliotest: %s: %+v", mistake, f))
	}
	f.On, f.Body, f.Header = max(f.On, 1), bytes.Clone(f.Body), f.Header.Clone()
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armedFault{Fault: f})
}

// ClearFaults disarms all faults. Requests that hang go on hanging.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// mistake is what keeps the fault from doing what it says, or "".
func (f *Fault) mistake() string {
	switch {
	case f.contradictsItself():
		return "a request is either reset, or hangs, or gets one answer"
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "Status is no status of an answer"
	case f.Code < NoCode:
		return "Code is negative"
	case f.Code == NoCode && f.Status == 0:
		return "NoCode needs a Status"
	case f.Message != "" && f.Status == 0 && f.Code == 0:
		return "Message needs a Status or a Code"
	case f.On < 0 || f.Times < Always:
		return "On or Times is negative"
	case f.Header.Get("Content-Length") != "":
		return "Content-Length is the fake's to say; see Truncate"
	}
	return ""
}

// strike returns the fault that hits the request, nil if none.
func (s *Server) strike(c *call) *Fault {
	var hit *Fault
	for _, f := range s.faults {
		if !f.counts(c) {
			continue
		}
		f.seen++
		if hit == nil && f.seen >= f.On {
			hit = &f.Fault
		}
	}
	s.faults = slices.DeleteFunc(s.faults, (*armedFault).spent)
	return hit
}

func (f *armedFault) counts(c *call) bool {
	return (f.Operation == "" || f.Operation == c.operation()) &&
		strings.Contains(c.path, f.Path) &&
		(f.SignedBy == "" || c.signer.is(f.SignedBy))
}

func (f *armedFault) spent() bool { return f.Times > 0 && f.seen >= f.On+f.Times-1 }

func (f *Fault) contradictsItself() bool {
	answers := f.replacesAnswer() || f.Truncate != 0 || f.RetryAfter != "" || f.Header != nil
	return f.Reset && f.Hang || (f.Reset || f.Hang) && answers || f.Body != nil && f.Size != 0 || f.Size < 0
}

// replacesAnswer tells whether the fault has an answer of its own.
func (f *Fault) replacesAnswer() bool {
	return f.Status != 0 || f.Code != 0 || f.HTML || f.Body != nil || f.Size != 0
}
