package fleet_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
)

// isWorker is set in the environment of this program where it is to be a worker: a process of an application that syncs the fleet.
const isWorker = "TWILIOACCT_FLEET_WORKER"

// job is what a worker reads from its standard input.
type job struct {
	Twilio, MongoDB      string // addresses
	Parent, Token        string
	Database, Collection string
	PageSize, Runs       int
	IsMaking, IsAdopting bool
}

// word is what a worker says, a line each: an event, some progress, or, at the end of a run, its report.
type word struct {
	Kind, ID, Document string
	Error              string                 `json:",omitempty"`
	Report             *twilioacct.SyncReport `json:",omitempty"`
}

const (
	progressed = "progress"
	finished   = "report"
)

// work does a job, and is the exit status.
func work(in io.Reader, out io.Writer) int {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(j.MongoDB))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	store, err := mongostore.New(client.Database(j.Database).Collection(j.Collection), &mongostore.Options{Upsert: j.IsMaking})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	status := 0
	for range cmp.Or(j.Runs, 1) {
		status = max(status, j.run(ctx, store, json.NewEncoder(out)))
	}
	return status
}

// run says everything at once: what a process that is killed has said by then is out.
func (j job) run(ctx context.Context, store *mongostore.Store, out *json.Encoder) int {
	say := func(w word) {
		if err := out.Encode(w); err != nil {
			panic(err)
		}
	}
	opts := twilioacct.SyncAllOptions{
		PageSize: j.PageSize,
		Observe: func(e twilioacct.SyncEvent) {
			say(word{Kind: string(e.Kind), ID: e.ID, Document: e.DocumentID, Error: textOf(e.Err)})
		},
		Progress: func(twilioacct.SyncReport) { say(word{Kind: progressed}) },
	}
	if j.IsAdopting {
		opts.Adopt = byName(store)
	}
	report, err := j.sync(ctx, store, &opts)
	say(word{Kind: finished, Report: &report, Error: textOf(err)})
	if err != nil || report.Failed > 0 {
		return 1
	}
	return 0
}

func (j job) sync(ctx context.Context, store *mongostore.Store, opts *twilioacct.SyncAllOptions) (twilioacct.SyncReport, error) {
	parent := twilioacct.Credentials{AccountSID: j.Parent, AuthToken: twilioacct.NewSecret(j.Token)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{BaseURL: j.Twilio, Store: store})
	if err != nil {
		return twilioacct.SyncReport{}, err
	}
	return provider.SyncAll(ctx, opts)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// worker is a process that does a job.
type worker struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	out    *bufio.Scanner
}

// job is one for a worker on this fleet.
func (f *fleet) job() job {
	parent := f.fake.Parent()
	return job{
		Twilio: f.fake.URL(), MongoDB: f.uri, Parent: parent.SID, Token: parent.AuthToken,
		Database: f.accounts.Database().Name(), Collection: f.accounts.Name(),
	}
}

func start(t *testing.T, j job) *worker {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	w := &worker{cmd: exec.CommandContext(t.Context(), program)}
	w.cmd.Env = append(os.Environ(), isWorker+"=yes")
	input, err := json.Marshal(j)
	require.NoError(t, err)
	w.cmd.Stdin, w.cmd.Stderr = bytes.NewReader(input), &w.stderr
	out, err := w.cmd.StdoutPipe()
	require.NoError(t, err)
	w.out = bufio.NewScanner(out)
	require.NoError(t, w.cmd.Start())
	return w
}

// hear is the next word, and false after the last one. What a process that was killed has said half is nothing.
func (w *worker) hear() (word, bool) {
	var heard word
	if !w.out.Scan() || json.Unmarshal(w.out.Bytes(), &heard) != nil {
		return word{}, false
	}
	return heard, true
}

// end hears all the rest, and waits for the process to end.
func (w *worker) end() (words []word, err error) {
	for heard, more := w.hear(); more; heard, more = w.hear() {
		words = append(words, heard)
	}
	if err = w.cmd.Wait(); err != nil {
		err = fmt.Errorf("%w: %s", err, w.stderr.String())
	}
	return words, err
}
