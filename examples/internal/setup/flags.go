package setup

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

const environment = `
Environment:
  TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN   the parent account (or TWILIO_API_KEY, TWILIO_API_SECRET for the token)
  MONGODB_URI                             where the store is; MONGODB_DATABASE (twilioacct), MONGODB_COLLECTION (accounts)
  TWILIO_BASE_URL                         dialled in the place of Twilio
Without credentials it runs offline, on a fake.

Exit status: 0 all is well, 1 it failed or some accounts or documents did, 2 the arguments or the environment are wrong.
`

// Flags returns the flags of the program with that usage, such as "account [-json] SID...". They speak on stderr.
func Flags(usage string, stderr io.Writer) *flag.FlagSet { return FlagsAbout(usage, "", stderr) }

// FlagsAbout is Flags for a program that needs more than its usage: the help shows that text before the flags.
func FlagsAbout(usage, about string, stderr io.Writer) *flag.FlagSet {
	name, _, _ := strings.Cut(usage, " ")
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage:", usage)
		if about != "" {
			fmt.Fprintf(stderr, "\n%s\n\nFlags:\n", strings.Trim(about, "\n"))
		}
		flags.PrintDefaults()
		fmt.Fprint(stderr, environment)
	}
	return flags
}

// Parse reads the flags wherever they stand, before, between and after the arguments, and returns the arguments. After -- all
// are arguments.
func Parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		parsed := len(args) - flags.NArg()
		if flags.NArg() == 0 || parsed > 0 && args[parsed-1] == "--" {
			return append(rest, flags.Args()...), nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// ParseNone is Parse for a program without arguments.
func ParseNone(flags *flag.FlagSet, args []string) error {
	rest, err := Parse(flags, args)
	if err == nil && len(rest) > 0 {
		err = Misuse(flags, "%s takes no arguments", flags.Name())
	}
	return err
}

// Misuse says what is wrong with the arguments, and shows the help, as package flag does of what it finds itself.
func Misuse(flags *flag.FlagSet, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	fmt.Fprintln(flags.Output(), err)
	flags.Usage()
	return err
}
