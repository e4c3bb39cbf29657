package twiliotest

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// What the routes of resources to come need, and accounts do not.

func TestAPathMayHaveSeveralVariablesAndCountries(t *testing.T) {
	t.Parallel()
	table := newRouter([]route{
		{operation: "Number", method: "GET", host: "api.twilio.com", path: "/A/{AccountSid:AC}/N/{Sid:PN}.json"},
		{operation: "Search", method: "GET", host: "api.twilio.com", path: "/A/{AccountSid:AC}/N/{CountryCode:cc}/Local.json"},
		{operation: "Service", method: "DELETE", host: "messaging.twilio.com", path: "/v1/Services/{Sid:MG}"},
	})
	digits := strings.Repeat("0aF9", 8)
	for _, test := range []struct{ method, host, path, operation, wrong string }{
		{"GET", "api.twilio.com", "/A/AC" + digits + "/N/PN" + digits + ".json", "Number", ""},
		{"GET", "api.twilio.com", "/A/AC" + digits + "/N/US/Local.json", "Search", ""},
		{"GET", "api.twilio.com", "/A/AC" + digits + "/N/us/Local.json", "", "path"},
		{"GET", "api.twilio.com", "/A/AC" + digits + "/N/PN" + digits, "", "path"},
		{"DELETE", "messaging.twilio.com", "/v1/Services/MG" + digits, "Service", ""},
		{"GET", "messaging.twilio.com", "/v1/Services/MG" + digits, "", "method"},
		{"GET", "messaging.twilio.com", "", "", "path"},
		{"GET", "iam.twilio.com", "/v1/Keys", "", "host"},
	} {
		r, vars, wrong := table.find(test.method, test.host, test.path)
		switch {
		case wrong != test.wrong:
			t.Errorf("%s: wrong is %q", test.path, wrong)
		case r == nil && test.operation != "" || r != nil && r.operation != test.operation:
			t.Errorf("%s: found %v", test.path, r)
		case test.operation == "Search" && !reflect.DeepEqual(vars, []pathVar{{"AccountSid", "AC" + digits}, {"CountryCode", "US"}}):
			t.Errorf("%s: %v", test.path, vars)
		}
	}
}

func TestAParameterWithAStarMayBeRepeated(t *testing.T) {
	t.Parallel()
	c := &call{method: http.MethodPost, route: &route{method: http.MethodPost, params: []string{"MediaUrl*", "Body"}}}
	c.checkParams("form", url.Values{"MediaUrl": {"a", "b"}, "Body": {"c"}})
	if len(c.violations) != 0 {
		t.Errorf("got %q", c.violations)
	}
	c.checkParams("form", url.Values{"Body": {"c", "d"}})
	if len(c.violations) != 1 {
		t.Errorf("got %q", c.violations)
	}
}

func TestEveryRouteIsWhollyDeclared(t *testing.T) {
	t.Parallel()
	for operation, r := range router.byOperation {
		if r.operation != operation || r.method == "" || r.handle == nil || !strings.HasSuffix(r.host, ".twilio.com") {
			t.Errorf("%s: %+v", operation, r)
		}
	}
}
