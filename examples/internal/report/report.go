// Package report is how all examples end: one JSON document or a table, errors with their kind and what to do about them, and
// the exit status.
package report

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/twilioacct/twilioacct"
)

// The exit statuses.
const (
	Done   = 0
	Failed = 1 // or failed in part
	Usage  = 2 // the command line or the environment is wrong
)

// Output is where a program prints, and how.
type Output struct {
	Stdout, Stderr io.Writer
	JSON           bool // one document on Stdout, and nothing else there
	Lines          bool // documents that come again and again, each on a line of its own
}

// BadUsage returns the exit status of what package flag has said already; asking for help is no mistake.
func BadUsage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return Done
	}
	return Usage
}

// Fail says why the program cannot do its work, and returns its exit status. In JSON the error is the whole document.
func (o Output) Fail(err error) int {
	if IsUsage(err) {
		fmt.Fprintln(o.Stderr, oneLine(err))
		return Usage
	}
	fmt.Fprintln(o.Stderr, Sentence(err))
	if o.JSON {
		_ = o.Document(map[string]*Error{"error": NewError(err)}) // it failed already
	}
	return Failed
}

// IsUsage tells what was refused before any request from what Twilio did not take. Of nil it is false.
func IsUsage(err error) bool {
	var answered *twilioacct.Error
	return kindOf(err).name == "invalid" && (!errors.As(err, &answered) || answered.Status == 0)
}

// Document prints a JSON document.
func (o Output) Document(v any) error {
	encoder := json.NewEncoder(o.Stdout)
	encoder.SetEscapeHTML(false)
	if !o.Lines {
		encoder.SetIndent("", "  ")
	}
	return encoder.Encode(v)
}

// Table prints rows, whose cells are separated by tabs, with aligned columns.
func (o Output) Table(rows func(w io.Writer)) error {
	table := tabwriter.NewWriter(o.Stdout, 0, 0, 2, ' ', 0)
	rows(table)
	return table.Flush()
}
