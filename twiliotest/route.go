package twiliotest

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

const apiHost = "api.twilio.com"

// route is one operation of Twilio's API.
type route struct {
	operation string // the operationId in Twilio's OpenAPI files
	method    string
	host      string // without edge and region
	// path has variables such as {Sid:AC}: a name and the SID prefix its
	// value must have, {Sid:SM|MM} one of two. {CountryCode:cc} is two capital
	// letters.
	path string
	// params are the parameters that may come, in the query of a GET or
	// DELETE and in the form of a POST. Name* may be repeated.
	params []string
	// handle runs with the server's state locked.
	handle func(*call) answer

	segments []segment
}

var pageParams = []string{"PageSize", "Page", "PageToken"}

// paged adds to filters the parameters of every list.
func paged(filters ...string) []string { return append(filters, pageParams...) }

// filters are the parameters of a list other than those of its pages, in the
// order in which links repeat them.
func (r *route) filters() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range r.params {
			if !slices.Contains(pageParams, name) && !yield(strings.TrimSuffix(name, "*")) {
				return
			}
		}
	}
}

// sentInForm tells where the parameters are.
func (r *route) sentInForm() bool { return r.method == http.MethodPost }

type segment struct {
	before, name, kind, after string // before{name:kind}after
}

type pathVar struct{ name, value string }

type routeTable struct {
	byHost      map[string][]*route
	byOperation map[string]*route
}

func newRouter(tables ...[]route) *routeTable {
	t := &routeTable{map[string][]*route{}, map[string]*route{}}
	for _, table := range tables {
		for i := range table {
			r := &table[i]
			r.segments = parsePattern(r.path)
			t.byHost[r.host] = append(t.byHost[r.host], r)
			t.byOperation[r.operation] = r
		}
	}
	return t
}

func parsePattern(path string) []segment {
	var segments []segment
	for part := range strings.SplitSeq(path[1:], "/") {
		before, variable, _ := strings.Cut(part, "{")
		variable, after, _ := strings.Cut(variable, "}")
		name, kind, _ := strings.Cut(variable, ":")
		segments = append(segments, segment{before, name, kind, after})
	}
	return segments
}

// find returns the route of a request, or with none what is wrong: the host,
// the path or the method.
func (t *routeTable) find(method, host, path string) (r *route, vars []pathVar, wrong string) {
	routes, ok := t.byHost[product(host)]
	if !ok {
		return nil, nil, "host"
	}
	wrong = "path"
	for _, r := range routes {
		vars, ok := match(r.segments, path)
		switch {
		case ok && r.method == method:
			return r, vars, ""
		case ok:
			wrong = "method"
		}
	}
	return nil, nil, wrong
}

// product removes edge and region from a host: api.sydney.au1.twilio.com is
// api.twilio.com. Hosts with a region but no edge stay as they are, and so
// unknown: Twilio has switched them off.
func product(host string) string {
	host = strings.TrimSuffix(host, ":443")
	if strings.Count(host, ".") != 4 || !strings.HasSuffix(host, ".twilio.com") {
		return host
	}
	name, _, _ := strings.Cut(host, ".")
	return name + ".twilio.com"
}

func match(segments []segment, path string) ([]pathVar, bool) {
	if strings.Count(path, "/") != len(segments) || path[0] != '/' {
		return nil, false
	}
	var vars []pathVar
	for i := range segments {
		path = path[1:]
		part := path
		if end := strings.IndexByte(path, '/'); end >= 0 {
			part, path = path[:end], path[end:]
		}
		v, ok := segments[i].match(part)
		if !ok {
			return nil, false
		}
		if segments[i].name != "" {
			vars = append(vars, pathVar{segments[i].name, v})
		}
	}
	return vars, true
}

func (s *segment) match(part string) (value string, ok bool) {
	if s.name == "" {
		return "", part == s.before
	}
	value, ok = strings.CutPrefix(part, s.before)
	if !ok {
		return "", false
	}
	value, ok = strings.CutSuffix(value, s.after)
	return value, ok && isKind(value, s.kind)
}

func isKind(value, kind string) bool {
	if kind == "cc" {
		return len(value) == 2 && 'A' <= value[0] && value[0] <= 'Z' && 'A' <= value[1] && value[1] <= 'Z'
	}
	for prefix := range strings.SplitSeq(kind, "|") {
		if isSID(value, prefix) {
			return true
		}
	}
	return false
}
