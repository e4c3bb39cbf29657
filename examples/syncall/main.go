// Command syncall brings all documents of the store up to date with Twilio, as [twilioacct.Provider.SyncAll] does: the parent's
// accounts are listed 1000 at a time, and the documents that differ get the auth token and the status of their account. The
// store's documents are the application's own, and none is made.
//
//	go run ./examples/syncall [-json] [-dry-run] [-mark-gone] [-watch 5m]
//
// It reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN (or TWILIO_API_KEY with TWILIO_API_SECRET), MONGODB_URI with MONGODB_DATABASE
// and MONGODB_COLLECTION, and TWILIO_BASE_URL. Without credentials it runs offline on a fake Twilio with 5,000 subaccounts, of whose
// documents a few are out of date and four fail on purpose.
//
// Progress and what was found go to standard error, a summary to standard output. With -json that is one document instead; its
// member error is there only if the run ended before its time, and the counts then say how far it came. With -dry-run nothing is
// written, and all else is as it would be. With -mark-gone the documents of accounts that Twilio does not know any more are
// closed, and fail only this once.
//
// With -watch it runs again and again, that far apart by 10 % more or less, until it is interrupted; with -json each run is then a
// document on a line of its own.
//
// The exit status is 0 if all documents are as they should be, 1 if some are not, and 2 if the arguments or the environment are
// wrong; with -watch it is that of the last whole run.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/examples/internal/report"
	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func main() { setup.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	start := time.Now()
	s := syncer{out: report.Output{Stdout: stdout, Stderr: stderr}}
	every, err := s.parse(args)
	if err != nil {
		return report.BadUsage(err)
	}
	env, err := setup.OpenFleet(ctx, stderr)
	if errors.Is(err, setup.ErrStore) && s.out.JSON {
		return s.end(&result{took: time.Since(start)}, err)
	}
	if err != nil {
		return s.out.Fail(err)
	}
	defer env.Close()
	s.provider, err = twilioacct.New(env.Parent, &env.Options)
	if err != nil {
		return s.out.Fail(err)
	}
	if every == 0 {
		return s.sync(ctx)
	}
	return watch(ctx, every, s.sync, env.TimePasses)
}

// syncer is what one run needs, and the next one again.
type syncer struct {
	out      report.Output
	provider *twilioacct.Provider

	dryRun, markGone bool
}

// parse returns how far apart the runs are, 0 for a single one.
func (s *syncer) parse(args []string) (every time.Duration, err error) {
	flags := setup.Flags("syncall [-json] [-dry-run] [-mark-gone] [-watch 5m]", s.out.Stderr)
	flags.BoolVar(&s.out.JSON, "json", false, "print one JSON document instead of a summary")
	flags.BoolVar(&s.dryRun, "dry-run", false, "write nothing")
	flags.BoolVar(&s.markGone, "mark-gone", false, "close the documents of accounts that Twilio does not know any more")
	watchFlag(flags, &every)
	err = setup.ParseNone(flags, args)
	s.out.Lines = every > 0
	return every, err
}

func watchFlag(flags *flag.FlagSet, every *time.Duration) {
	flags.Func("watch", "run again and again, that `time` apart", func(text string) (err error) {
		*every, err = time.ParseDuration(text)
		switch {
		case err != nil:
			return errors.New("no time, such as 5m or 90s")
		case *every < time.Second:
			return errors.New("a second is the least")
		}
		return nil
	})
}

// sync is one run, and returns the exit status that it deserves.
func (s *syncer) sync(ctx context.Context) int {
	found := &result{keeps: s.out.JSON}
	told := &teller{w: s.out.Stderr, quiet: s.out.JSON, dryRun: s.dryRun, progress: newProgress(s.out.Stderr)}
	marked := newMarks(s.markGone)
	start := time.Now()
	synced, err := s.provider.SyncAll(ctx, &twilioacct.SyncAllOptions{
		DryRun:   s.dryRun,
		MarkGone: s.markGone,
		Observe: func(e twilioacct.SyncEvent) {
			found.observe(e)
			told.observe(e, marked.observe(e))
		},
		Progress: told.show,
	})
	found.finish(synced, marked.n, time.Since(start))
	told.finish()
	return s.end(found, err)
}

// end prints what came of a run. An error beside it says why it is not whole.
func (s *syncer) end(found *result, err error) int {
	if printErr := s.print(found, err); printErr != nil {
		return s.out.Fail(printErr)
	}
	if err != nil || found.report.Failed > 0 {
		return report.Failed
	}
	return report.Done
}
