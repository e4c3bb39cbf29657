package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// valueProblems checks the values of a query or a form against the parameters that are documented.
func valueProblems(where string, values url.Values, documented openapi3.Schemas, required []string) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, problem := range oneValueProblems(values[name], documented[name]) {
			problems = append(problems, fmt.Sprintf("%s parameter %q: %s", where, name, problem))
		}
	}
	for _, name := range required {
		if !values.Has(name) {
			problems = append(problems, fmt.Sprintf("%s parameter %q is required, but missing", where, name))
		}
	}
	return problems
}

func oneValueProblems(given []string, documented *openapi3.SchemaRef) []string {
	if documented == nil {
		return []string{"is not documented"}
	}
	schema := documented.Value
	if schema.Type.Is(openapi3.TypeArray) {
		schema = schema.Items.Value
	} else if len(given) > 1 {
		return []string{fmt.Sprintf("is no list, but given %d times", len(given))}
	}
	var problems []string
	for _, text := range given {
		value, err := parse(text, schema)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		problems = append(problems, describe(schema.VisitJSON(value, validation()...))...)
	}
	return problems
}

// parse reads a value as it is written in a query or a form. Objects are sent as JSON.
func parse(text string, schema *openapi3.Schema) (any, error) {
	switch {
	case schema.Type.Is(openapi3.TypeInteger):
		value, err := strconv.ParseInt(text, 10, 64)
		return value, because(err, text, "an integer")
	case schema.Type.Is(openapi3.TypeNumber):
		value, err := strconv.ParseFloat(text, 64)
		return value, because(err, text, "a number")
	case schema.Type.Is(openapi3.TypeBoolean):
		return parseBool(text)
	case schema.Type.Is(openapi3.TypeObject):
		var value any
		err := json.Unmarshal([]byte(text), &value)
		return value, because(err, text, "JSON")
	default:
		return text, nil
	}
}

func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, because(errors.New("neither"), text, "true or false")
	}
	return text == "true", nil
}

func because(err error, text, wanted string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is not %s", text, wanted)
}
