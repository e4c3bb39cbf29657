package twiliotest

import (
	"net/url"
	"slices"
	"strconv"
)

// setting is a parameter whose value a resource keeps. An update changes what
// is sent and nothing else.
type setting[T any] struct {
	param string
	// put keeps a value, or returns the code with which it is refused.
	put func(to *T, value string) (code int)
}

// refusal is the code with which a value is refused, 0 if it is good.
type refusal func(value string) (code int)

func text[T any](param string, refused refusal, field func(*T) *string) setting[T] {
	return setting[T]{param, func(to *T, value string) int {
		code := refused(value)
		if code == 0 {
			*field(to) = value
		}
		return code
	}}
}

// named is a FriendlyName, of which an empty one counts as not sent.
func named[T any](field func(*T) *string) setting[T] {
	return setting[T]{"FriendlyName", func(to *T, value string) int {
		code := aName(value)
		if code == 0 && value != "" {
			*field(to) = value
		}
		return code
	}}
}

func flag[T any](param string, field func(*T) *bool) setting[T] {
	return setting[T]{param, func(to *T, value string) int {
		b, ok := parseBool(value)
		if !ok {
			return 20001
		}
		*field(to) = b
		return 0
	}}
}

func count[T any](param string, bounds refusal, field func(*T) *int) setting[T] {
	return setting[T]{param, func(to *T, value string) int {
		code := bounds(value)
		if code == 0 {
			*field(to), _ = strconv.Atoi(value) // what is within bounds is a number
		}
		return code
	}}
}

// ignored is a parameter that is checked and then has no effect in this fake.
func ignored[T any](param string, refused refusal) setting[T] {
	return setting[T]{param, func(_ *T, value string) int { return refused(value) }}
}

// settled returns what was, with the values of the parameters that were sent,
// or the code for the first one that is refused.
func settled[T any](c *call, settings []setting[T], was T) (is T, code int) {
	is = was
	for _, s := range settings {
		if value, sent := c.param(s.param); sent {
			if code := s.put(&is, value); code != 0 {
				return was, code
			}
		}
	}
	return is, 0
}

// paramsOf returns the names of the settings, and others, for a route.
func paramsOf[T any](settings []setting[T], others ...string) []string {
	names := slices.Clone(others)
	for _, s := range settings {
		names = append(names, s.param)
	}
	return names
}

func anything(string) int { return 0 }

func oneOf(code int, values ...string) refusal {
	return func(value string) int {
		if slices.Contains(values, value) {
			return 0
		}
		return code
	}
}

func between(code, least, most int) refusal {
	return func(value string) int {
		if n, err := strconv.Atoi(value); err != nil || n < least || n > most {
			return code
		}
		return 0
	}
}

// webURL takes "", too, which clears an address.
func webURL(code int) refusal {
	return func(value string) int {
		if value == "" {
			return 0
		}
		address, err := url.Parse(value)
		if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
			return code
		}
		return 0
	}
}

var (
	anyURL    = webURL(21402)
	anyMethod = oneOf(21403, "GET", "POST")
)

// sidOf takes "", too, which clears a reference.
func sidOf(prefix string) refusal {
	return func(value string) int {
		if value == "" || isSID(value, prefix) {
			return 0
		}
		return 20001
	}
}

func aBool(value string) int {
	if _, ok := parseBool(value); !ok {
		return 20001
	}
	return 0
}

func parseBool(value string) (b, ok bool) {
	return value == "true", value == "true" || value == "false"
}
