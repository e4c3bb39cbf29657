package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Some things must not be measured along with the rest, or only apart from it: a server's CPU time, the memory of one run. They are
// done by processes of their own, copies of this program with a first argument that nobody gives by hand.

// job is what such a process does: it gets an order, gives one answer, and is done when ctx ends.
type job func(ctx context.Context, order json.RawMessage, answer func(any) error) error

var jobs = map[string]job{
	"twilio": serveTwilio,
	"sync":   syncOnce,
}

const jobArgument = "-job"

// doJob does what this process is there for, if it is one of those.
func doJob(args []string) (isJob bool, status int) {
	if len(args) != 2 || args[0] != jobArgument {
		return false, 0
	}
	err := fmt.Errorf("there is no such job")
	if j, ok := jobs[args[1]]; ok {
		err = j.do(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench %s: %v\n", args[1], err)
		return true, 1
	}
	return true, 0
}

// do reads the order, writes the answer, both in JSON, and lets the job go on for as long as the input is open: its other end
// closes whenever the process ends that has started this one.
func (j job) do(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var order json.RawMessage
	if err := json.NewDecoder(in).Decode(&order); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return j(ctx, order, json.NewEncoder(out).Encode)
}

// process is one that does a job.
type process struct {
	cmd *exec.Cmd
	in  io.Closer
}

// start returns once the process has answered. It must be stopped.
func start(ctx context.Context, name string, order, answer any) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, jobArgument, name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, in}
	if err := json.NewEncoder(in).Encode(order); err != nil {
		p.stop()
		return nil, fmt.Errorf("process %s got no order: %w", name, err)
	}
	if err := json.NewDecoder(out).Decode(answer); err != nil {
		p.stop()
		return nil, fmt.Errorf("process %s gave no answer: %w", name, err)
	}
	return p, nil
}

func (p *process) stop() {
	p.in.Close()
	_ = p.cmd.Wait() // what it was there for, it has done
}
