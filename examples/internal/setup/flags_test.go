package setup_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, rest []string
		set        bool
	}{
		"nothing":                {nil, nil, false},
		"before":                 {[]string{"-json", "a", "b"}, []string{"a", "b"}, true},
		"between":                {[]string{"a", "--json", "b"}, []string{"a", "b"}, true},
		"after":                  {[]string{"a", "b", "-json=true"}, []string{"a", "b"}, true},
		"not after two dashes":   {[]string{"a", "--", "b", "-json"}, []string{"a", "b", "-json"}, false},
		"before two dashes":      {[]string{"-json", "--", "-a"}, []string{"-a"}, true},
		"two dashes at the end":  {[]string{"a", "--"}, []string{"a"}, false},
		"the later one is meant": {[]string{"-json", "a", "-json=false"}, []string{"a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := setup.Flags("program [-json]", io.Discard)
			set := flags.Bool("json", false, "")

			rest, err := setup.Parse(flags, c.args)

			require.NoError(t, err)
			assert.Equal(t, c.rest, rest)
			assert.Equal(t, c.set, *set)
		})
	}
}
