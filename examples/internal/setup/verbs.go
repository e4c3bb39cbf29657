package setup

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Verb is one of the things that a program can do. Its name is the program's first argument.
type Verb struct {
	Name  string
	Args  string // the other arguments as the help shows them, such as "SID NAME"; one in brackets may be left out
	Does  string // in a few words
	Flags string // those that not every verb of the program takes, such as "-near -limit"
}

// VerbFlags is [FlagsAbout] for a program with these verbs: the help has a line for each, and then that text.
func VerbFlags(usage string, verbs []Verb, about string, stderr io.Writer) *flag.FlagSet {
	var lines strings.Builder
	for _, v := range verbs {
		lines.WriteString(v.help())
	}
	return FlagsAbout(usage, lines.String()+about, stderr)
}

// ParseVerb is [Parse] for a program with these verbs: it returns the name of the one that is meant, and the arguments after it.
func ParseVerb(flags *flag.FlagSet, verbs []Verb, args []string) (verb string, rest []string, err error) {
	rest, err = Parse(flags, args)
	if err != nil {
		return "", nil, err
	}
	meant := slices.IndexFunc(verbs, func(v Verb) bool { return len(rest) > 0 && v.Name == rest[0] })
	if meant < 0 {
		return "", nil, Misuse(flags, "The first argument says what to do: %s.", oneOf(verbs))
	}
	v, rest := verbs[meant], rest[1:]
	if !v.takesArgs(len(rest)) {
		return "", nil, Misuse(flags, "%s is used so: %s", v.Name, v.usage())
	}
	var strange []string
	flags.Visit(func(f *flag.Flag) {
		if !v.takesFlag("-"+f.Name, verbs) {
			strange = append(strange, "-"+f.Name)
		}
	})
	if len(strange) > 0 {
		return "", nil, Misuse(flags, "%s takes no %s.", v.Name, strings.Join(strange, ", no "))
	}
	return v.Name, rest, nil
}

func oneOf(verbs []Verb) string {
	names := make([]string, 0, len(verbs))
	for _, v := range verbs {
		names = append(names, v.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (v Verb) usage() string { return strings.TrimSpace(v.Name + " " + v.Args) }

// help is the verb's line, with its own flags below.
func (v Verb) help() string {
	const width = 24
	lines := fmt.Sprintf("  %-*s%s\n", width, v.usage(), v.Does)
	if v.Flags != "" {
		lines += fmt.Sprintf("  %-*s%s\n", width, "", v.Flags)
	}
	return lines
}

// takesArgs tells whether that many arguments are enough, and not too many.
func (v Verb) takesArgs(n int) bool {
	args := strings.Fields(v.Args)
	optional := strings.Count(v.Args, "[")
	return len(args)-optional <= n && n <= len(args)
}

// takesFlag tells whether the flag is one of the verb's own, or one that every verb takes because none has it for its own.
func (v Verb) takesFlag(name string, verbs []Verb) bool {
	has := func(v Verb) bool { return slices.Contains(strings.Fields(v.Flags), name) }
	return has(v) || !slices.ContainsFunc(verbs, has)
}
