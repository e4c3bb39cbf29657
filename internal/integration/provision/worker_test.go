package provision

import (
	"bytes"
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

// isWorker is set in the environment of this program where it is to be a worker: a process of an application that sets up a tenant.
const isWorker = "TWILIOACCT_PROVISION_WORKER"

// job is what a worker reads from its standard input.
type job struct {
	Twilio, MongoDB      string // addresses
	Parent, Token        string
	Database, Collection string
}

// work does a job, and is the exit status.
func work(in io.Reader) int {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := j.provision(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (j job) provision(ctx context.Context) error {
	client, err := mongo.Connect(options.Client().ApplyURI(j.MongoDB))
	if err != nil {
		return err
	}
	store, err := mongostore.New(client.Database(j.Database).Collection(j.Collection), &mongostore.Options{Upsert: true})
	if err != nil {
		return err
	}
	parent := twilioacct.Credentials{AccountSID: j.Parent, AuthToken: twilioacct.NewSecret(j.Token)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{BaseURL: j.Twilio, Store: store})
	if err != nil {
		return err
	}
	_, err = provider.Provision(ctx, calling())
	return err
}

// worker is a process that does a job.
type worker struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan error
}

func start(t *testing.T, j job) *worker {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	w := &worker{cmd: exec.CommandContext(t.Context(), program), ended: make(chan error, 1)}
	w.cmd.Env = append(os.Environ(), isWorker+"=yes")
	input, err := json.Marshal(j)
	require.NoError(t, err)
	w.cmd.Stdin, w.cmd.Stderr = bytes.NewReader(input), &w.stderr
	require.NoError(t, w.cmd.Start())
	go func() { w.ended <- w.cmd.Wait() }()
	return w
}

// killWhen kills the process once the condition holds, unless it has ended by then.
func (w *worker) killWhen(isTime func() bool) {
	for !isTime() {
		select {
		case <-w.ended:
			return
		default:
		}
	}
	_ = w.cmd.Process.Kill() // it may have ended this moment
	<-w.ended
}

// end waits for the process to end well.
func (w *worker) end(t *testing.T) {
	t.Helper()
	require.NoError(t, <-w.ended, w.stderr.String())
}
