package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	root     = "github.com/twilioacct/twilioacct"
	twilioGo = "github.com/twilio/twilio-go"
)

// build: a program that imports the root package takes at most 1.2 times the CPU time of one that imports the generated
// packages beneath it, from an empty build cache. CPU time, because the clock shows how busy the machine is with other things.
func build(ctx context.Context, r *report) error {
	packages, err := packagesBelow(ctx, root)
	if err != nil {
		return err
	}
	const slowRounds = 3 // of some minutes each
	f, err := rounds(slowRounds,
		side{"ours", func() (time.Duration, error) { return buildTime(ctx, root) }},
		side{"generated", func() (time.Duration, error) { return buildTime(ctx, ofTwilioGo(packages)...) }},
		side{"twilio-go", func() (time.Duration, error) { return buildTime(ctx, twilioGo) }})
	if err != nil {
		return err
	}
	r.ratio("build, CPU time", f[0], f[1], 1.2)
	r.ratio("build, CPU time", f[0], f[2], 0)
	return nil
}

func ofTwilioGo(packages []string) (generated []string) {
	for _, p := range packages {
		if strings.HasPrefix(p, twilioGo+"/") {
			generated = append(generated, p)
		}
	}
	return generated
}

// buildTime is the CPU time of the go command, with all compilers and linkers it starts.
func buildTime(ctx context.Context, imports ...string) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a build cache of its own each time
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, program(imports), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "program"), source)
	cmd.Env = append(os.Environ(), "GOCACHE="+filepath.Join(dir, "cache"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func program(imports []string) []byte {
	var b bytes.Buffer
	b.WriteString("package main\n\n")
	for _, path := range imports {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	b.WriteString("\nfunc main() {}\n")
	return b.Bytes()
}
