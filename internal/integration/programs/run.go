package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder is where the programs are built.
var folder string

// Main builds programs of this checkout, once for all tests of a package, and runs these. It returns their exit status.
func Main(m *testing.M, packages ...string) (status int) {
	defer touchMoment()
	var err error
	if folder, err = os.MkdirTemp("", "twilioacct-programs"); err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }() // what is left is in the temporary folder
	args := append([]string{"build", "-o", folder + string(filepath.Separator)}, packages...)
	build := exec.CommandContext(context.Background(), "go", args...)
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintln(os.Stderr, string(out))
		return 1
	}
	return m.Run()
}

// The go command does not see that a test depends on programs that are built here, and would answer from its cache that all is well
// when one of them was broken since. But it keeps no result of a test that read a file of this very moment: so tests read this one,
// and afterwards it gets the time of now.
const ofThisMoment = "doc.go"

func readMoment() { _, _ = os.ReadFile(ofThisMoment) }

func touchMoment() {
	now := time.Now()
	_ = os.Chtimes(ofThisMoment, now, now) // where that is not allowed, results are kept
}

// Command is a program with that environment and nothing else of Twilio's or MongoDB's.
func Command(ctx context.Context, env map[string]string, program string, args ...string) *exec.Cmd {
	readMoment()
	cmd := exec.CommandContext(ctx, filepath.Join(folder, program), args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TWILIO_") && !strings.HasPrefix(v, "MONGODB_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}
