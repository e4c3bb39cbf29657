package main

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// crowd counts how many requests each account has under way at once. It counts from before a request is sent until its answer has
// begun, so never fewer than whoever answers sees.
type crowd struct {
	to http.RoundTripper

	mu       sync.Mutex
	underWay map[string]int // by the account that signs
	largest  map[string]int
}

func newCrowd(to http.RoundTripper) *crowd {
	return &crowd{to: to, underWay: map[string]int{}, largest: map[string]int{}}
}

func (c *crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	account, _, _ := r.BasicAuth()
	c.count(account, 1)
	defer c.count(account, -1)
	return c.to.RoundTrip(r)
}

func (c *crowd) count(account string, more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.underWay[account] += more
	c.largest[account] = max(c.largest[account], c.underWay[account])
}

// most is the largest number of requests that any account had under way at once.
func (c *crowd) most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Max(slices.Collect(maps.Values(c.largest)))
}
