package openapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryDocumentedCallPasses(t *testing.T) {
	t.Parallel()
	for _, operation := range documentedOperations(t) {
		t.Run(operation.OperationID, func(t *testing.T) {
			t.Parallel()
			for status := range operation.Responses.Map() {
				code, err := strconv.Atoi(status)
				require.NoError(t, err)
				assert.Empty(t, reported(t, sampleRequest(operation), answer{code, sampleBody(t, operation, code)}))
			}
		})
	}
}

func TestEveryFieldOfEveryAnswerIsChecked(t *testing.T) {
	t.Parallel()
	for _, operation := range documentedOperations(t) {
		success, documented := successOf(operation)
		if documented == nil {
			continue
		}
		t.Run(operation.OperationID, func(t *testing.T) {
			t.Parallel()
			whole := sample(documented)
			spoil(documented, operation.OperationID, whole, func(what string, wrong bool) {
				body, err := json.Marshal(whole)
				require.NoError(t, err)
				problems := reported(t, sampleRequest(operation), answer{success, string(body)})
				assert.Equal(t, wrong, len(problems) > 0, what)
			})
		})
	}
}

// spoil changes one thing of a value after the other, calls check with what it is and whether it is wrong, and mends it
// again.
func spoil(ref *openapi3.SchemaRef, name string, value any, check func(what string, wrong bool)) {
	if ref.Ref != "" {
		name = ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
	}
	switch value := value.(type) {
	case []any:
		spoil(ref.Value.Items, name, value[0], check)
	case map[string]any:
		if len(ref.Value.OneOf) > 0 {
			spoil(ref.Value.OneOf[0], name, value, check)
			return
		}
		value["colour"] = true
		check(name+" with a field too many", !isAnything(ref))
		delete(value, "colour")
		for field, property := range ref.Value.Properties {
			spoilField(property, name+"."+field, value, field, check)
		}
	}
}

func spoilField(ref *openapi3.SchemaRef, name string, of map[string]any, field string, check func(what string, wrong bool)) {
	good := of[field]
	spoil(ref, name, good, check)
	of[field] = unlike(good)
	check(name+" of another type", !isAnything(ref))
	delete(of, field)
	check(name+" left out", !mayBeMissing.know(name))
	of[field] = good
}

func unlike(good any) any {
	if _, list := good.([]any); list {
		return map[string]any{}
	}
	return []any{}
}

// isAnything is true for a schema that describes nothing.
func isAnything(ref *openapi3.SchemaRef) bool {
	return ref.Value.Type == nil && len(ref.Value.OneOf) == 0
}

// sampleRequest has every parameter that is documented.
func sampleRequest(operation documentedOperation) *http.Request {
	address, query, form := operation.address, url.Values{}, url.Values{}
	header := http.Header{}
	for _, parameter := range operation.Parameters {
		switch name := parameter.Value.Name; parameter.Value.In {
		case openapi3.ParameterInPath:
			address = strings.ReplaceAll(address, "{"+name+"}", sampleTexts(parameter.Value.Schema)[0])
		case openapi3.ParameterInQuery:
			query[name] = sampleTexts(parameter.Value.Schema)
		case openapi3.ParameterInHeader:
			header[name] = sampleTexts(parameter.Value.Schema)
		}
	}
	schema := formSchema(operation.Operation)
	if schema == nil {
		return with(get(address+"?"+query.Encode()), func(r *http.Request) { r.Method, r.Header = operation.method, header })
	}
	for name, property := range schema.Properties {
		form[name] = sampleTexts(property)
	}
	return post(address+"?"+query.Encode(), form.Encode())
}

// sampleTexts are the values of a parameter as they are sent: of a list there may be more than one.
func sampleTexts(ref *openapi3.SchemaRef) []string {
	switch value := sample(ref).(type) {
	case []any:
		return []string{fmt.Sprint(value[0]), fmt.Sprint(value[0])}
	case map[string]any:
		return []string{"{}"}
	default:
		return []string{fmt.Sprint(value)}
	}
}

func sampleBody(t *testing.T, operation documentedOperation, status int) string {
	t.Helper()
	media := operation.Responses.Status(status).Value.Content.Get("application/json")
	if media == nil {
		return ""
	}
	body, err := json.Marshal(sample(media.Schema))
	require.NoError(t, err)
	return string(body)
}

// successOf is the first status that says success, and the answer's schema, which is nil where there is no body.
func successOf(operation documentedOperation) (int, *openapi3.SchemaRef) {
	for status := 200; status < 300; status++ {
		if response := operation.Responses.Status(status); response != nil {
			if media := response.Value.Content.Get("application/json"); media != nil {
				return status, media.Schema
			}
			return status, nil
		}
	}
	return 0, nil
}

// sample is a value that a schema describes, in the first of several forms, with every field set.
func sample(ref *openapi3.SchemaRef) any {
	schema := ref.Value
	switch {
	case len(schema.OneOf) > 0:
		return sample(schema.OneOf[0])
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case isAnything(ref):
		return map[string]any{}
	case schema.Type.Is(openapi3.TypeArray):
		return []any{sample(schema.Items)}
	case schema.Type.Is(openapi3.TypeObject):
		return sampleObject(schema)
	case schema.Type.Is(openapi3.TypeBoolean):
		return true
	case schema.Type.Is(openapi3.TypeInteger):
		return 7
	case schema.Type.Includes(openapi3.TypeNumber):
		return 7.5
	default:
		return sampleText(schema)
	}
}

func sampleObject(schema *openapi3.Schema) any {
	object := map[string]any{}
	if others := schema.AdditionalProperties.Schema; others != nil {
		object["one"] = sample(others)
	}
	for field, property := range schema.Properties {
		object[field] = sample(property)
	}
	return object
}

var sidPrefix = regexp.MustCompile(`[A-Z]{2}`)

func sampleText(schema *openapi3.Schema) string {
	if schema.Pattern != "" {
		return sidPrefix.FindString(schema.Pattern) + strings.Repeat("a", 32)
	}
	switch schema.Format {
	case "date-time-rfc-2822":
		return "Wed, 17 Feb 2021 15:12:01 +0000"
	case "date-time":
		return "2021-02-17T15:12:01Z"
	case "http-method":
		return http.MethodPost
	case "iso-country-code":
		return "US"
	case "currency":
		return "USD"
	case ownPath:
		return "/2010-04-01/Accounts.json?Page=0"
	case ownURL:
		return "https://messaging.twilio.com/v1/Services?Page=0"
	case "uri":
		return "https://a.example/"
	default:
		return "something"
	}
}
