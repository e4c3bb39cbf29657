package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
)

// progress shows how far a run is: as a bar on a terminal, and elsewhere as a line now and then.
type progress struct {
	w        io.Writer
	terminal bool

	started, shown time.Time
	latest         twilioacct.SyncReport // of the call before, whether it was shown or not
	drawn          bool                  // the bar stands on the cursor's line
}

// How often it is shown. A run that is over sooner shows none.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

func newProgress(w io.Writer) *progress { return &progress{w: w, terminal: isTerminal(w)} }

// isTerminal tells whether a person looks at w, on something that can move its cursor.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) show(r twilioacct.SyncReport) {
	now := time.Now()
	if p.started.IsZero() {
		p.started, p.shown = now, now
	}
	isFailing := r.Failed-p.latest.Failed > r.Synced()-p.latest.Synced()
	p.latest = r
	every := lineEvery
	if p.terminal {
		every = barEvery
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	line := stateOf(r, now.Sub(p.started))
	if isFailing {
		line.left = 0 // the rest may fail in an instant, or one request after the other
	}
	if p.terminal {
		p.draw(line)
	} else {
		fmt.Fprintln(p.w, line.text())
	}
}

// What terminals understand since the VT100.
const (
	eraseLine = "\r\x1b[2K"
	wrapOff   = "\x1b[?7l" // a terminal that is too narrow cuts the line off
	wrapOn    = "\x1b[?7h"
)

func (p *progress) draw(s state) {
	fmt.Fprint(p.w, eraseLine+wrapOff+s.bar()+wrapOn)
	p.drawn = true
}

// hide makes room for another line.
func (p *progress) hide() {
	if p.drawn {
		fmt.Fprint(p.w, eraseLine)
		p.drawn = false
	}
}

// state is how far a run is.
type state struct {
	done, total int // documents; the total is 0 where it is not known
	listed      int
	left        time.Duration // 0: nobody can tell
}

// soon is too early for an estimate.
const soon = time.Second

func stateOf(r twilioacct.SyncReport, elapsed time.Duration) state {
	s := state{done: r.Synced() + r.Failed + r.Gone, total: r.Documents, listed: r.Listed}
	if r.OneByOne {
		s.total = 0 // only those that were met so far are counted
	}
	s.done = min(s.done, max(s.total, 0))
	if synced := r.Synced(); synced > 0 && elapsed >= soon { // what failed or is gone may have cost no time
		s.left = time.Duration(float64(elapsed) * float64(s.total-s.done) / float64(synced))
	}
	return s
}

// barWidth is that of the bar alone, in characters.
const barWidth = 28

// bar begins with what matters most, for the end of the line may be cut off.
func (s state) bar() string {
	if s.total == 0 {
		return " " + s.text()
	}
	full := barWidth * s.done / s.total
	return fmt.Sprintf("%4d %% %s%s %s", s.percent(), strings.Repeat("█", full), strings.Repeat("░", barWidth-full), s.text())
}

func (s state) percent() int { return 100 * s.done / s.total }

func (s state) text() string {
	if s.total == 0 {
		return report.Count(s.listed, "account", "accounts") + " so far"
	}
	text := fmt.Sprintf("%s of %s", report.Number(s.done), report.Count(s.total, "document", "documents"))
	if s.left > 0 {
		text += ", about " + roughly(s.left) + " left"
	}
	return text
}

// roughly is a time without a precision that no estimate has.
func roughly(d time.Duration) string {
	if d < 100*time.Second {
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second)/time.Second)))
	}
	return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
}
