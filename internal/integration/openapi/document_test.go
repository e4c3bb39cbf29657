package openapi

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// messages has what accounts have not: required parameters, lists, names with signs, every type, an answer without body.
const messages = `{
	"openapi": "3.0.1", "info": {"title": "Messages", "version": "1"}, "servers": [{"url": "https://api.twilio.com"}],
	"components": {},
	"paths": {
		"/Messages.json": {
			"get": {
				"operationId": "ListMessage",
				"parameters": [
					{"name": "DateSent<", "in": "query", "schema": {"type": "string", "format": "date-time"}},
					{"name": "Kind", "in": "query", "required": true, "schema": {"type": "string"}},
					{"name": "Tag", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}}
				],
				"responses": {"200": {"description": ""}}
			},
			"post": {
				"operationId": "CreateMessage",
				"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {
					"type": "object",
					"required": ["To"],
					"properties": {
						"To": {"type": "string", "format": "phone-number"},
						"MediaUrl": {"type": "array", "items": {"type": "string", "format": "uri"}},
						"Method": {"type": "string", "format": "http-method"},
						"MaxPrice": {"type": "number"},
						"ValidityPeriod": {"type": "integer"},
						"SmartEncoded": {"type": "boolean"},
						"Variables": {"type": "object"}
					}
				}}}},
				"responses": {"201": {"description": ""}}
			},
			"delete": {"operationId": "DeleteMessage", "responses": {"204": {"description": ""}}},
			"put": {"operationId": "ListReceipt", "responses": {"200": {"description": "", "content": {"application/json": {
				"schema": {"type": "array", "items": {"type": "object", "properties": {"read": {"type": "boolean"}, "by": {"oneOf": [
					{"type": "object", "properties": {"number": {"type": "string"}, "country": {"type": "string"}}},
					{"type": "object", "properties": {"name": {"type": "string"}}}
				]}}}}
			}}}}}
		}
	}
}`

func TestFormsAndQueriesOfEveryTypeAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, query, form string
		want                []string
	}{
		"a full form": {
			"POST", "", "To=client:alice&MediaUrl=https://a.example/1&MediaUrl=https://a.example/2&Method=POST" +
				"&MaxPrice=0.5&ValidityPeriod=60&SmartEncoded=true&Variables={\"1\":\"x\"}", nil,
		},
		"an address that is emptied": {"POST", "", "To=1&MediaUrl=&Method=", nil},
		"no form at all":             {"POST", "", "", []string{`form parameter "To" is required, but missing`}},
		"a form without what it needs": {
			"POST", "", "ValidityPeriod=60", []string{`form parameter "To" is required, but missing`},
		},
		"text for an integer": {"POST", "", "To=1&ValidityPeriod=long", []string{`form parameter "ValidityPeriod": "long" is not an integer`}},
		"text for a number":   {"POST", "", "To=1&MaxPrice=much", []string{`form parameter "MaxPrice": "much" is not a number`}},
		"a number for yes":    {"POST", "", "To=1&SmartEncoded=1", []string{`form parameter "SmartEncoded": "1" is not true or false`}},
		"text for an object":  {"POST", "", "To=1&Variables=x", []string{`form parameter "Variables": "x" is not JSON`}},
		"every wrong item": {
			"POST", "", "To=1&MediaUrl=a&MediaUrl=b", []string{
				`form parameter "MediaUrl": string doesn't match the format "uri" ("a" is neither absolute nor a path)`,
				`form parameter "MediaUrl": string doesn't match the format "uri" ("b" is neither absolute nor a path)`,
			},
		},
		"a method in lower case": {
			"POST", "", "To=1&Method=get",
			[]string{`form parameter "Method": string doesn't match the format "http-method" (string doesn't match pattern "^(GET|POST)?$")`},
		},
		"a full query":                  {"GET", "Kind=in&DateSent<=2021-02-17T15:12:01Z&Tag=1&Tag=2", "", nil},
		"a query without what it needs": {"GET", "", "", []string{`query parameter "Kind" is required, but missing`}},
		"text in a list of integers":    {"GET", "Kind=in&Tag=1&Tag=x", "", []string{`query parameter "Tag": "x" is not an integer`}},
		"an unlike name":                {"GET", "Kind=in&DateSent<<=x", "", []string{`query parameter "DateSent<<": is not documented`}},
		"a query that cannot be read":   {"GET", "Kind=%zz", "", []string{`the query cannot be read: invalid URL escape "%zz"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := post("https://api.twilio.com/Messages.json", c.form)
			request.Method, request.URL.RawQuery = c.method, c.query
			found, err := messageDocuments(t).find(request)
			require.NoError(t, err)
			assert.Equal(t, c.want, found.requestProblems([]byte(c.form)))
		})
	}
}

func TestItemsOfAListAreCheckedForFieldsTooManyAndTooFew(t *testing.T) {
	t.Parallel()
	found, err := messageDocuments(t).find(with(get("https://api.twilio.com/Messages.json"), func(r *http.Request) { r.Method = "PUT" }))
	require.NoError(t, err)
	response, err := answer{200, ""}.RoundTrip(nil)
	require.NoError(t, err)
	assert.Empty(t, found.answerProblems(response, []byte(`[{"read": true, "by": {"name": "Alice"}}]`)))
	assert.Equal(t, []string{
		`0: property "seen" is unsupported: it is not documented`,
		`0.read: property "read" is missing`,
	}, found.answerProblems(response, []byte(`[{"seen": true, "by": {"name": "Alice"}}]`)))
}

func TestAValueOfSeveralFormsIsHeldAgainstTheNearest(t *testing.T) {
	t.Parallel()
	found, err := messageDocuments(t).find(with(get("https://api.twilio.com/Messages.json"), func(r *http.Request) { r.Method = "PUT" }))
	require.NoError(t, err)
	response, err := answer{200, ""}.RoundTrip(nil)
	require.NoError(t, err)
	for by, want := range map[string][]string{
		`{"name": "Alice"}`:              nil,
		`{"number": "1","country":"US"}`: nil,
		`{"number": "1"}`:                {`0.by.country: property "country" is missing`},
		`{"name": "Alice", "age": 7}`:    {`0.by: property "age" is unsupported: it is not documented`},
		`{}`:                             {`0.by.name: property "name" is missing`},
		`"Alice"`:                        {`0.by: value must be an object`},
	} {
		assert.Equal(t, want, found.answerProblems(response, []byte(`[{"read": true, "by": `+by+`}]`)), by)
	}
}

func TestBodyWhereNoneIsDocumentedIsReported(t *testing.T) {
	t.Parallel()
	found, err := messageDocuments(t).find(with(get("https://api.twilio.com/Messages.json"), func(r *http.Request) { r.Method = "DELETE" }))
	require.NoError(t, err)
	gone := &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader(""))}
	assert.Empty(t, found.answerProblems(gone, nil))
	assert.Equal(t, []string{"status 204 comes with a body where none is documented"}, found.answerProblems(gone, []byte("{}")))
}

func TestWhatCannotBeCheckedDoesNotLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"a format that is new": {
			`"format": "http-method"`, `"format": "colour"`,
			`m.json: CreateMessage: format "colour" is new: add it to a list in formats.go`,
		},
		"a request in JSON": {
			"application/x-www-form-urlencoded", "application/json",
			`m.json: CreateMessage: the request is no form: requests in JSON are not checked yet`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(strings.Replace(messages, c.old, c.new, 1))
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestURIIsAbsoluteAPathOrEmpty(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "/2010-04-01/Accounts.json?Page=0", "https://a.example/x"} {
		assert.NoError(t, isURI(good), good)
	}
	for _, bad := range []string{"a.example", "mailto:x", "https://a b/", "?Page=0"} {
		assert.Error(t, isURI(bad), bad)
	}
}

func messageDocuments(t *testing.T) documents {
	t.Helper()
	loaded, err := loadText(messages)
	require.NoError(t, err)
	return loaded
}

func loadText(text string) (documents, error) {
	return load(fstest.MapFS{"m.json": {Data: []byte(text)}}, "*.json")
}
