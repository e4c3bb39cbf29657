package openapi

import (
	"fmt"
	"mime"
	"net/url"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

const form = "application/x-www-form-urlencoded"

// requestProblems leaves the path and the headers to openapi3filter. Of queries and forms that lets too much pass: names
// that are not documented, values after the first, 0x10 and T, and whatever in a form it cannot parse.
func (c call) requestProblems(body []byte) []string {
	options := filterOptions()
	options.ExcludeRequestQueryParams = true
	options.ExcludeRequestBody = true
	problems := describe(openapi3filter.ValidateRequest(c.request.Context(), c.filterInput(options)))
	return append(append(problems, c.queryProblems()...), c.bodyProblems(body)...)
}

func (c call) filterInput(options *openapi3filter.Options) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request: c.request, PathParams: c.inPath, Route: c.route, Options: options,
	}
}

func (c call) queryProblems() []string {
	values, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return []string{"the query cannot be read: " + err.Error()}
	}
	schemas, required := openapi3.Schemas{}, []string{}
	for _, parameters := range []openapi3.Parameters{c.route.PathItem.Parameters, c.route.Operation.Parameters} {
		for _, parameter := range parameters {
			if parameter.Value.In != openapi3.ParameterInQuery {
				continue
			}
			schemas[parameter.Value.Name] = parameter.Value.Schema
			if parameter.Value.Required {
				required = append(required, parameter.Value.Name)
			}
		}
	}
	return valueProblems("query", values, schemas, required)
}

// bodyProblems takes no body as an empty form: Twilio's files do not mark forms as required, only their parameters.
func (c call) bodyProblems(body []byte) []string {
	schema := formSchema(c.route.Operation)
	switch {
	case schema == nil && len(body) > 0:
		return []string{"a body is sent where none is documented"}
	case schema == nil:
		return nil
	case len(body) > 0 && mediaType(c.request.Header.Get("Content-Type")) != form:
		return []string{fmt.Sprintf("Content-Type is %q, not %s", c.request.Header.Get("Content-Type"), form)}
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return []string{"the form cannot be read: " + err.Error()}
	}
	return valueProblems("form", values, schema.Properties, schema.Required)
}

// formSchema is nil for an operation that takes no form.
func formSchema(operation *openapi3.Operation) *openapi3.Schema {
	if operation.RequestBody == nil || operation.RequestBody.Value.Content[form] == nil {
		return nil
	}
	return operation.RequestBody.Value.Content[form].Schema.Value
}

// parameterSchemas are those of an operation's path, query, headers and form.
func parameterSchemas(operation *openapi3.Operation) []*openapi3.SchemaRef {
	var schemas []*openapi3.SchemaRef
	for _, parameter := range operation.Parameters {
		schemas = append(schemas, parameter.Value.Schema)
	}
	if schema := formSchema(operation); schema != nil {
		for _, property := range schema.Properties {
			schemas = append(schemas, property)
		}
	}
	return schemas
}

func mediaType(header string) string {
	media, _, _ := mime.ParseMediaType(header)
	return media
}
