package twiliotest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestAHangLastsAsLongAsTheRequestsContext(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := twiliotest.NewServer(t)
			s.Inject(twiliotest.Fault{Hang: true, AfterEffect: after})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
			defer cancel()
			began := time.Now()
			c := asParent(t, s)
			_, err := c.try(c.request("POST", base+".json", nil).WithContext(ctx))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Hour {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			if done := len(s.Subaccounts()) == 1; done != after {
				t.Errorf("after the effect %t: done %t", after, done)
			}
		})
	}
}

func TestAHangEndsWithTheClientsOwnTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		s.Inject(twiliotest.Fault{Hang: true})
		c := asParent(t, s)
		c.http.Timeout = time.Minute
		began := time.Now()
		_, err := c.try(c.request("GET", base+".json", nil))
		if !os.IsTimeout(err) || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestAHangOverASocketEndsWithTheRequestsContext(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	c := asParent(t, s)
	c.http = s.SocketClient()
	for n, after := range []bool{false, true} {
		s.Inject(twiliotest.Fault{Hang: true, AfterEffect: after})
		ctx, cancel := context.WithCancel(t.Context())
		failed := c.start(c.request("POST", base+".json", nil).WithContext(ctx))
		for s.Count("") == n || len(s.Subaccounts()) == 0 && after {
			runtime.Gosched()
		}
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if done := len(s.Subaccounts()) == 1; done != after {
			t.Errorf("after the effect %t: done %t", after, done)
		}
	}
}

// start sends a request from another goroutine.
func (c caller) start(r *http.Request) (failed chan error) {
	failed = make(chan error, 1)
	go func() {
		_, err := c.try(r)
		failed <- err
	}()
	return failed
}

func TestCloseCutsOffRequestsThatHangOverASocket(t *testing.T) {
	t.Parallel()
	s := twiliotest.Start()
	s.Inject(twiliotest.Fault{Hang: true})
	c := asParent(t, s)
	c.http = s.SocketClient()
	failed := c.start(c.request("POST", base+".json", nil))
	for s.Count("") == 0 {
		runtime.Gosched()
	}
	s.Close()
	if err := <-failed; err == nil {
		t.Error("no error")
	}
	s.Close()
}

func TestADelayPassesOnTheBubblesClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		s.Inject(twiliotest.Fault{Delay: 90 * time.Second})
		began := time.Now()
		got := asParent(t, s).create()
		wantOK(t, got)
		if time.Since(began) != 90*time.Second || got.header.Get("Twilio-Request-Duration") != "90.000" {
			t.Errorf("after %v: %v", time.Since(began), got.header)
		}
		s.Inject(twiliotest.Fault{Delay: time.Second, Status: 503})
		wantRefusal(t, asParent(t, s).create(), 503, 20503)
		if time.Since(began) != 91*time.Second || len(s.Subaccounts()) != 1 {
			t.Errorf("after %v", time.Since(began))
		}
	})
}

func TestADelayEndsWithTheRequestsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twiliotest.NewServer(t)
		s.Inject(twiliotest.Fault{Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := asParent(t, s)
		_, err := c.try(c.request("POST", base+".json", nil).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || len(s.Subaccounts()) != 0 {
			t.Errorf("got %v, and %d subaccounts", err, len(s.Subaccounts()))
		}
	})
}

func TestACancelledContextGivesItsCause(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := asParent(t, s)
	response, err := c.http.Do(c.request("GET", base+".json", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	if _, err := io.ReadAll(response.Body); !errors.Is(err, cause) {
		t.Errorf("reading on gives %v", err)
	}
	if _, err := c.try(c.request("GET", base+".json", nil).WithContext(ctx)); !errors.Is(err, cause) {
		t.Errorf("a new request gives %v", err)
	}
	if s.Count("") != 1 {
		t.Error("a request that was cancelled before has arrived")
	}
}

func TestABodyCannotBeReadAfterClose(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		response, err := c.http.Do(c.request("GET", base+".json", nil))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if _, err := response.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("got %v", err)
		}
	})
}

func TestAClosedServerAnswersNothingButShowsItsState(t *testing.T) {
	t.Parallel()
	s := twiliotest.Start()
	a := s.AddSubaccount("kept")
	c := asParent(t, s)
	socket := s.SocketClient()
	s.Close()
	if _, err := c.try(c.request("GET", base+".json", nil)); err == nil {
		t.Error("the form without a socket answers")
	}
	c.http = socket
	if _, err := c.try(c.request("GET", base+".json", nil)); err == nil {
		t.Error("the socket answers")
	}
	if got, ok := s.Account(a.SID); !ok || got.FriendlyName != "kept" {
		t.Errorf("state: %+v", got)
	}
}

func TestAnyClientReachesTheFakeThroughItsURL(t *testing.T) {
	t.Parallel()
	s := twiliotest.NewServer(t)
	first, second := s.URL(), s.URL()
	if first != second || !strings.HasPrefix(first, "http://127.0.0.1:") {
		t.Errorf("URLs %s, %s", first, second)
	}
	c := asParent(t, s)
	r := c.request("GET", s.URL()+"/2010-04-01/Accounts.json", nil)
	r.Host = "api.twilio.com"
	c.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	wantOK(t, c.do(r))
	if got := s.Requests()[0].Host; got != "api.twilio.com" {
		t.Errorf("host %s", got)
	}
}

func TestARequestThatBreaksOffOnItsWayIsNoViolation(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		half := io.MultiReader(strings.NewReader("FriendlyName=h"), iotest.ErrReader(errors.New("broken off")))
		r, err := http.NewRequest("POST", base+".json", half)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(c.user, c.password)
		if _, err := c.try(r); err == nil || len(s.Subaccounts()) != 0 {
			t.Errorf("%v, and %d subaccounts", err, len(s.Subaccounts()))
		}
	})
}

func TestAResetIsAnErrorOfTheNetwork(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, s *twiliotest.Server, c caller) {
		s.Inject(twiliotest.Fault{Reset: true})
		_, err := c.try(c.request("POST", base+".json", nil))
		var network *net.OpError
		if !errors.As(err, &network) || network.Op != "read" || network.Timeout() {
			t.Errorf("got %v", err)
		}
	})
}
