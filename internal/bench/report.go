package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// report prints one line for each figure, as soon as it is known.
type report struct {
	out    io.Writer
	missed bool // some target
}

// ratio compares ours with another's; a target of 0 is none.
func (r *report) ratio(label string, ours, other figure, target float64) {
	ratio := float64(ours.median) / float64(other.median)
	r.line(label, ours.String(), other.String(), r.judged("ratio ", ratio, target, hundredths))
}

// faster is a ratio so small that it is read the other way round.
func (r *report) faster(label string, ours, other figure, least float64) {
	times := float64(other.median) / float64(ours.median)
	text := fmt.Sprintf("%.0f times as fast (target %.0f)", times, least)
	if times < least {
		r.missed = true
		text += " MISSED"
	}
	r.line(label, ours.String(), other.String(), text)
}

// absolute compares a figure of ours with its target alone; the others are for scale.
func (r *report) absolute(label string, ours figure, target time.Duration, others ...figure) {
	columns := []string{r.judged(ours.name+" ", float64(ours.median), float64(target), nanoseconds)}
	for _, f := range others {
		columns = append(columns, f.String())
	}
	r.line(label, columns...)
}

// same is for what is counted: it must be what is documented, neither more nor less.
func (r *report) same(label, counted, documented string) {
	if counted == documented {
		r.line(label, counted, "as documented")
		return
	}
	r.missed = true
	r.line(label, counted, "documented: "+documented+" MISSED")
}

// atMost is for what is counted and bounded.
func (r *report) atMost(label, what string, counted, bound int) {
	text := fmt.Sprintf("at most %d", bound)
	if counted > bound {
		r.missed = true
		text += " MISSED"
	}
	r.line(label, fmt.Sprintf("%s: %d", what, counted), text)
}

func nanoseconds(x float64) string { return short(time.Duration(x)) }

func hundredths(x float64) string { return fmt.Sprintf("%.2f", x) }

func (r *report) judged(what string, value, target float64, text func(float64) string) string {
	s := what + text(value)
	if target == 0 {
		return s
	}
	s += " (target " + text(target) + ")"
	if value > target {
		r.missed = true
		s += " MISSED"
	}
	return s
}

func (r *report) line(label string, columns ...string) {
	var text strings.Builder
	fmt.Fprintf(&text, "%-31s", label)
	for _, c := range columns {
		fmt.Fprintf(&text, "%-30s", c)
	}
	fmt.Fprintln(r.out, strings.TrimRight(text.String(), " "))
}

func (f figure) String() string {
	return fmt.Sprintf("%s %s ±%.0f%%", f.name, short(f.median), 100*f.spread)
}

// short prints three digits.
func short(d time.Duration) string {
	value, unit := float64(d), "ns"
	for _, larger := range []string{"µs", "ms", "s"} {
		if value < 999.5 {
			break
		}
		value, unit = value/1000, larger
	}
	digits := 2
	switch {
	case value >= 99.95 || unit == "ns":
		digits = 0
	case value >= 9.995:
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, value, unit)
}
