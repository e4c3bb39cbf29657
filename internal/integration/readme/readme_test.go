package readme

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var snippet = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestEverySnippetOfTheREADMEIsAnExampleThatRuns(t *testing.T) {
	t.Parallel()
	examples := unindented(t, "example_test.go")
	found := snippet.FindAllStringSubmatch(read(t, "../../../README.md"), -1)
	require.NotEmpty(t, found)
	for _, code := range found {
		assert.Contains(t, examples, trimLines(code[1]), "this stands in the README, but in no example")
	}
}

func TestTheTwoCommandsAreTheFirstCodeOfTheREADME(t *testing.T) {
	t.Parallel()
	first, _, _ := strings.Cut(strings.SplitN(read(t, "../../../README.md"), "```", 3)[1], "```")
	assert.Contains(t, first, "go run ./examples/quickstart")
	assert.Contains(t, first, "go test work")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func unindented(t *testing.T, file string) string {
	t.Helper()
	return trimLines(read(t, file))
}

// trimLines takes the indentation away, which the README and the examples differ in.
func trimLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
