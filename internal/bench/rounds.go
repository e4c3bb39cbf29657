package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	manyRounds = 20
	fewRounds  = 5 // where a round takes more than a second
)

// side is one way to do the work that is compared.
type side struct {
	name string
	cost func() (time.Duration, error) // of doing it once
}

// figure is what rounds found out about one side.
type figure struct {
	name   string
	median time.Duration
	spread float64 // half of what the middle half of the rounds spans, as a part of the median
}

// rounds lets the sides take turns, so that whatever else the machine does meanwhile hits all of them alike, a server's pauses at
// every third request included. Each round begins with another side, and after all have begun the order is turned round, so that none
// always runs in another's wake.
func rounds(n int, sides ...side) ([]figure, error) {
	costs := make([][]time.Duration, len(sides))
	for round := range n {
		for turn := range sides {
			i := (turn + round) % len(sides)
			if round/len(sides)%2 == 1 {
				i = len(sides) - 1 - i
			}
			runtime.GC() // nobody pays for the garbage of the one before
			cost, err := sides[i].cost()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sides[i].name, err)
			}
			costs[i] = append(costs[i], cost)
		}
	}
	figures := make([]figure, len(sides))
	for i, s := range sides {
		figures[i] = figureOf(s.name, costs[i])
	}
	return figures, nil
}

func figureOf(name string, costs []time.Duration) figure {
	slices.Sort(costs)
	n := len(costs)
	median := (costs[(n-1)/2] + costs[n/2]) / 2
	middle := costs[n-1-n/4] - costs[n/4]
	return figure{name: name, median: median, spread: float64(middle) / 2 / float64(median)}
}

// timed is a side whose work is too short to be timed alone: it is done many times in a row.
func timed(name string, times int, work func(times int) error) side {
	return side{name, func() (time.Duration, error) {
		start := time.Now()
		err := work(times)
		return time.Since(start) / time.Duration(times), err
	}}
}

// used is timed in CPU time, of all callers together: several callers need as many cores for themselves, and where those are
// shared with other programs, the clock tells how much those did. What callers wait for one another shows in the clock alone.
func used(name string, callers, times int, work func(times int) error) side {
	return side{name, func() (time.Duration, error) {
		start := cpuTime()
		err := atOnce(callers, work)(times)
		return (cpuTime() - start) / time.Duration(callers*times), err
	}}
}

// work is what a side does where both times are taken, the clock's and its CPU time, after something was prepared that is not timed.
type work struct {
	name        string
	prepare, do func() error
}

func bothTimes(n int, works ...work) (wall, cpu []figure, err error) {
	used := make([][]time.Duration, len(works))
	sides := make([]side, len(works))
	for i, w := range works {
		sides[i] = side{w.name, func() (time.Duration, error) {
			if err := w.prepare(); err != nil {
				return 0, err
			}
			usedBefore, start := cpuTime(), time.Now()
			err := w.do()
			took := time.Since(start)
			used[i] = append(used[i], cpuTime()-usedBefore)
			return took, err
		}}
	}
	if wall, err = rounds(n, sides...); err != nil {
		return nil, nil, err
	}
	for i, w := range works {
		cpu = append(cpu, figureOf(w.name, used[i]))
	}
	return wall, cpu, nil
}

// repeat makes the work of timed from what is done once.
func repeat(once func() error) func(times int) error {
	return func(times int) error {
		for range times {
			if err := once(); err != nil {
				return err
			}
		}
		return nil
	}
}

// atOnce makes the work of timed that several callers do at once, each of them all of it.
func atOnce(callers int, work func(times int) error) func(times int) error {
	return func(times int) error {
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() { errs[i] = work(times) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
}
