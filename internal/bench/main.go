// Program bench measures what the documentation claims of the library's speed, memory and weight. Each claim is measured against
// what it is compared with in one process, round by round, and stands in one file.
//
//	go run ./internal/bench                  # all claims, from the root of the checkout
//	go run ./internal/bench cached uncached  # some
//
// The exit status is 0 if all targets were met, 1 if one was missed or could not be measured, 2 for a claim that does not exist.
package main

import (
	"context"
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
	{"build", "a program builds about as fast as with the generated code alone", build},
}

func main() { os.Exit(run(os.Args[1:])) }

func run(names []string) (status int) {
	chosen, err := choose(names)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !measureAll(ctx, chosen) {
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
		text += fmt.Sprintf("  %-9s %s\n", c.name, c.about)
	}
	return text
}

func measureAll(ctx context.Context, chosen []claim) (met bool) {
	r := &report{out: os.Stdout}
	met = true
	for _, c := range chosen {
		if err := c.measure(ctx, r); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", c.name, err)
			met = false
		}
	}
	return met && !r.missed
}
