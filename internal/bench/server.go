package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// server answers with bytes that were rendered beforehand: what serving costs would only hide what asking costs. It checks
// nothing; twiliotest, where the bytes come from, does.
type server struct {
	sid, token string // the parent's

	mu         sync.Mutex
	fleet      *listing
	conditions conditions
	counts     counts
}

// conditions are those under which Twilio is asked.
type conditions struct {
	Latency     time.Duration `json:"latency"`     // before each answer
	Throttled   int           `json:"throttled"`   // every n-th request is answered 429, come back in a second; 0: none
	Unavailable int           `json:"unavailable"` // every n-th request is answered 503; 0: none
}

// retryAfter is the wait that a 429 asks for.
const retryAfter = time.Second

type counts struct {
	Requests    int `json:"requests"`
	Throttled   int `json:"throttled"`
	Unavailable int `json:"unavailable"`
}

const (
	accountsPath = "/2010-04-01/Accounts"

	conditionsPath = "/bench/conditions"
	tokensPath     = "/bench/tokens"
	countsPath     = "/bench/counts"
)

func newServer(accounts int) (*server, error) {
	if accounts%pageSize != 0 {
		return nil, fmt.Errorf("a fleet is made of whole pages of %d accounts, and so not of %d", pageSize, accounts)
	}
	fake := twiliotest.Start()
	defer fake.Close()
	fake.AddSubaccounts(pageSize)
	parent := fake.Parent()
	s := &server{sid: parent.SID, token: parent.AuthToken}
	page, err := s.firstPage(fake)
	if err != nil {
		return nil, err
	}
	s.fleet, err = newListing(page, accounts/pageSize)
	return s, err
}

// firstPage has no account but subaccounts: the parent is the oldest, and so on the last.
func (s *server) firstPage(fake *twiliotest.Server) ([]byte, error) {
	path := accountsPath + ".json?PageSize=" + strconv.Itoa(pageSize)
	req, err := http.NewRequest(http.MethodGet, "https://"+apiHost+path, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(s.sid, s.token)
	resp, err := fake.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// at is the server as its clients see it.
func (s *server) at(url string) *twilio {
	return &twilio{URL: url, SID: s.sid, Token: s.token, Subaccount: s.fleet.first(), Accounts: s.fleet.pages * pageSize}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(r.URL.Path, accountsPath) {
		s.answer(w, r)
		return
	}
	s.control(w, r)
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refusal, latency := s.refusal(), s.conditions.Latency
	s.mu.Unlock()
	if !wait(r.Context(), latency) {
		return
	}
	sid, isOne := strings.CutPrefix(r.URL.Path, accountsPath+"/")
	switch {
	case refusal != 0:
		refuse(w, refusal)
	case isOne:
		s.one(w, strings.TrimSuffix(sid, ".json"))
	default:
		number, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		s.page(w, number)
	}
}

// refusal counts a request, and is the status that it is refused with; 0 is none.
func (s *server) refusal() (status int) {
	s.counts.Requests++
	switch {
	case isEvery(s.conditions.Throttled, s.counts.Requests):
		s.counts.Throttled++
		return http.StatusTooManyRequests
	case isEvery(s.conditions.Unavailable, s.counts.Requests):
		s.counts.Unavailable++
		return http.StatusServiceUnavailable
	}
	return 0
}

// isEvery is true for every n-th, beginning with the one in the middle of the first n.
func isEvery(n, number int) bool { return n > 0 && number%n == n/2 }

func refuse(w http.ResponseWriter, status int) {
	code := 20503
	if status == http.StatusTooManyRequests {
		code = 20429
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%d","status":%d}`,
		code, http.StatusText(status), code, status)
}

func (s *server) page(w http.ResponseWriter, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.servePage(w, number)
}

func (s *server) one(w http.ResponseWriter, sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.serveOne(w, sid)
}

// control is what claims say beside Twilio's API. The answer is always how many requests there were.
func (s *server) control(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.change(r.URL.Path, json.NewDecoder(r.Body)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := json.NewEncoder(w).Encode(s.counts); err != nil {
		return // the client has gone
	}
}

func (s *server) change(path string, order *json.Decoder) error {
	switch path {
	case conditionsPath:
		s.conditions, s.counts = conditions{}, counts{}
		return order.Decode(&s.conditions)
	case tokensPath:
		var every int
		if err := order.Decode(&every); err != nil {
			return err
		}
		return s.fleet.changeTokens(every)
	case countsPath:
		return nil
	}
	return fmt.Errorf("%s is no part of Twilio's that is served here", path)
}

// wait is over at once if the client leaves.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
