package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// A folder holds operations.txt and one extract for each of Twilio's files that it names.
type folder string

// operations reads operations.txt: the ids of the operations to keep, by the stem of the file they are in. The list is
// held to one order without repetitions, so that two branches that add to it merge without thought.
func (f folder) operations() (map[string][]string, error) {
	text, err := os.ReadFile(f.file("operations.txt"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	operations := map[string][]string{}
	for i, line := range lines {
		stem, id, ok := strings.Cut(line, " ")
		if !ok || stem == "" || id == "" || strings.ContainsAny(id, " \t\r") {
			return nil, fmt.Errorf("operations.txt:%d: %q is not «file-stem operationId»", i+1, line)
		}
		if i > 0 && lines[i-1] >= line {
			return nil, fmt.Errorf("operations.txt:%d: %q must come before %q, and once", i+1, line, lines[i-1])
		}
		operations[stem] = append(operations[stem], id)
	}
	return operations, nil
}

// replace makes the extracts, named by their files, the only ones in the folder.
func (f folder) replace(extracts map[string][]byte) error {
	present, err := f.present()
	if err != nil {
		return err
	}
	for _, name := range present {
		if extracts[name] == nil {
			if err := os.Remove(f.file(name)); err != nil {
				return err
			}
		}
	}
	for name, extract := range extracts {
		if err := os.WriteFile(f.file(name), extract, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare fails, with a diff, if the folder's extracts are not these.
func (f folder) compare(extracts map[string][]byte) error {
	present, err := f.present()
	if err != nil {
		return err
	}
	names := slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(present, maps.Keys(extracts)))))
	var differences []error
	for _, name := range names {
		if err := f.compareFile(name, extracts[name]); err != nil {
			differences = append(differences, err)
		}
	}
	return errors.Join(differences...)
}

// compareFile takes a file that is not there, and an extract that is not wanted, as an empty one.
func (f folder) compareFile(name string, want []byte) error {
	have, err := os.ReadFile(f.file(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if bytes.Equal(have, want) {
		return nil
	}
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(string(have)), FromFile: name + " (kept)",
		B: difflib.SplitLines(string(want)), ToFile: name + " (extracted now)",
		Context: 3,
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is not up to date:\n%s", name, diff)
}

// present names the extracts in the folder.
func (f folder) present() ([]string, error) {
	files, err := filepath.Glob(f.file("twilio_*.json"))
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return files, err
}

func (f folder) file(name string) string { return filepath.Join(string(f), name) }
