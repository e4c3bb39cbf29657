package setup_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

var verbs = []setup.Verb{
	{Name: "list", Does: "shows all", Flags: "-limit"},
	{Name: "rename", Args: "SID NAME", Does: "gives another name"},
	{Name: "buy", Args: "[NUMBER]", Does: "buys one", Flags: "-limit -near"},
}

// parseVerb parses the arguments of a program with the flags -json, -limit and -near.
func parseVerb(stderr io.Writer, args ...string) (verb string, rest []string, err error) {
	flags := setup.VerbFlags("program list|rename|buy", verbs, "\nExamples:\n  program list", stderr)
	flags.Bool("json", false, "")
	flags.Int("limit", 0, "")
	flags.String("near", "", "")
	return setup.ParseVerb(flags, verbs, args)
}

func TestAVerbIsTheFirstArgumentAndFlagsStandAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		verb string
		rest []string
	}{
		"no arguments":                    {[]string{"list"}, "list", []string{}},
		"flags before and after the verb": {[]string{"-json", "list", "-limit", "7"}, "list", []string{}},
		"flags between the arguments":     {[]string{"rename", "AC1", "-json", "Acme"}, "rename", []string{"AC1", "Acme"}},
		"an argument left out":            {[]string{"buy", "-near", "here"}, "buy", []string{}},
		"and the same argument given":     {[]string{"buy", "+1415"}, "buy", []string{"+1415"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verb, rest, err := parseVerb(io.Discard, c.args...)

			require.NoError(t, err)
			assert.Equal(t, c.verb, verb)
			assert.Equal(t, c.rest, rest)
		})
	}
}

func TestWhatAVerbDoesNotTakeIsSaidAboveTheHelp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no verb":               {nil, "The first argument says what to do: list, rename or buy.\n"},
		"an unknown one":        {[]string{"delete"}, "The first argument says what to do: list, rename or buy.\n"},
		"too few arguments":     {[]string{"rename", "AC1"}, "rename is used so: rename SID NAME\n"},
		"too many":              {[]string{"buy", "one", "two"}, "buy is used so: buy [NUMBER]\n"},
		"another verb's flag":   {[]string{"list", "-near", "here"}, "list takes no -near.\n"},
		"two of them":           {[]string{"rename", "-limit", "1", "-near", "here", "AC1", "Acme"}, "rename takes no -limit, no -near.\n"},
		"a flag that is no one": {[]string{"list", "-verbose"}, "flag provided but not defined: -verbose\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			_, _, err := parseVerb(&stderr, c.args...)

			require.Error(t, err)
			assert.Equal(t, c.want, stderr.String()[:len(c.want)])
			assert.Contains(t, stderr.String(), "\nusage: program list|rename|buy\n")
		})
	}
}

func TestTheHelpHasALineForEachVerbAndThenTheExamples(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	_, _, err := parseVerb(&stderr, "-h")

	require.Error(t, err)
	assert.Contains(t, stderr.String(), `usage: program list|rename|buy

  list                    shows all
                          -limit
  rename SID NAME         gives another name
  buy [NUMBER]            buys one
                          -limit -near

Examples:
  program list

Flags:
  -json
`)
	assert.Contains(t, stderr.String(), "\nEnvironment:\n")
}
