// Program bench measures what the documentation claims of the library's speed, memory and weight. Each claim is measured against
// what it is compared with in one process, round by round, and stands in one file.
//
//	go run ./internal/bench                  # all claims, from the root of the checkout
//	go run ./internal/bench cached uncached  # some
//
// The claims about documents need a MongoDB server, named by MONGODB_TEST_URI: each makes a database of its own there and drops it.
//
// The exit status is 0 if all targets were met, 1 if one was missed or could not be measured, 2 for a claim that does not exist.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
)

// claim is a sentence about the library, and how to find out.
type claim struct {
	name    string
	about   string
	measure func(context.Context, *report) error
}

var claims = []claim{
	{"cached", "an account that is remembered costs next to nothing", cached},
	{"uncached", "fetching an account costs little more than the request itself", uncached},
	{"list", "a fleet is listed faster than by encoding/json", list},
	{"memory", "listing a fleet takes the memory of one page", memory},
	{"fleet", "syncing a fleet takes little more than the least that does it", fleet},
	{"loop", "syncing a fleet is hundreds of times as fast as a loop over it", loop},
	{"fleetmemory", "syncing a fleet takes the memory of some pages, and little for each account", fleetMemory},
	{"faults", "a Twilio that refuses some requests costs the waits that it asks for", faults},
	{"provision", "the one call makes the changes it must, the looks it needs, and no other request", provision},
	{"handle", "a request through a handle costs little more than the request itself", handle},
	{"tenants", "200 tenants are set up 16 at once, within the budgets", tenants},
	{"incoming", "500 numbers are answered by one URL, many at once, and a second run only lists", incoming},
	{"token", "an access token costs little more than one that is signed by hand", token},
	{"build", "a program builds about as fast as with the generated code alone", build},
}

func main() {
	if isJob, status := doJob(os.Args[1:]); isJob {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:]))
}

func run(names []string) (status int) {
	chosen, err := choose(names)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !measureAll(ctx, &report{out: os.Stdout}, chosen, len(names) > 0) {
		return 1
	}
	return 0
}

func choose(names []string) ([]claim, error) {
	if len(names) == 0 {
		return claims, nil
	}
	var chosen []claim
	for _, name := range names {
		i := slices.IndexFunc(claims, func(c claim) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("bench: no claim %q; there are:\n%s", name, usage())
		}
		chosen = append(chosen, claims[i])
	}
	return chosen, nil
}

func usage() (text string) {
	for _, c := range claims {
		text += fmt.Sprintf("  %-11s %s\n", c.name, c.about)
	}
	return text
}

// measureAll is false also if a claim could not be measured; but whoever did not ask for it by name may lack a server for it.
func measureAll(ctx context.Context, r *report, chosen []claim, byName bool) (met bool) {
	met = true
	for _, c := range chosen {
		err := c.measure(ctx, r)
		if errors.Is(err, errNoMongo) && !byName {
			r.line(c.name, "not measured: "+err.Error())
		} else if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", c.name, err)
			met = false
		}
	}
	return met && !r.missed
}
