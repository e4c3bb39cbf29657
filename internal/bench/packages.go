package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// packagesBelow lists what a program compiles that imports that package: the package and all below it, without the standard
// library.
func packagesBelow(ctx context.Context, path string) ([]string, error) {
	const outside = "{{if not .Standard}}{{.ImportPath}}{{end}}"
	out, err := exec.CommandContext(ctx, "go", "list", "-deps", "-f", outside, path).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(out)), nil
}
