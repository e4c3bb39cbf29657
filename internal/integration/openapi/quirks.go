package openapi

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// mayBeMissing lists the documented fields that an answer may leave out, by schema (or operation, where the schema has
// no name of its own) and field, with the reason. Everything else must be there, null if need be: of the 392 answers that
// Twilio's files give as examples, all have every field but those of number searches (no paging), capabilities (no
// fax), ICE servers and one DNS validation.
var mayBeMissing = map[string]string{
	"api.v2010.account.auth_token": "nobody has seen whether an API key, which may not read it, gets null, \"\" or nothing",
}

// closeSchemas makes a document say what Twilio means. OpenAPI allows an object any further fields, and to leave out
// all that are not marked as required, as Twilio's files mark none; a test must see both.
func closeSchemas(spec *openapi3.T) error {
	for name, schema := range spec.Components.Schemas {
		if err := closeSchema(schema, name); err != nil {
			return err
		}
	}
	for _, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			if err := closeOperation(operation); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeOperation refuses a body that is no form: the schema of a JSON body, closed as an answer, would ask for too much.
func closeOperation(operation *openapi3.Operation) error {
	if operation.RequestBody != nil && formSchema(operation) == nil {
		return fmt.Errorf("%s: the request is no form: requests in JSON are not checked yet", operation.OperationID)
	}
	for _, response := range operation.Responses.Map() {
		for _, media := range response.Value.Content {
			if err := closeSchema(media.Schema, operation.OperationID); err != nil {
				return err
			}
		}
	}
	for _, schema := range parameterSchemas(operation) {
		if err := knowsFormats(schema); err != nil {
			return fmt.Errorf("%s: %w", operation.OperationID, err)
		}
	}
	return nil
}

// closeSchema closes an object, or what a list is of. A referenced schema has a name and is closed under it.
func closeSchema(ref *openapi3.SchemaRef, name string) error {
	if ref == nil || ref.Ref != "" {
		return nil
	}
	schema := ref.Value
	if err := knowsFormats(ref); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if schema.Format == "uri-map" && len(schema.Properties) == 0 {
		schema.WithAdditionalProperties(openapi3.NewStringSchema().WithMinLength(1))
	}
	if len(schema.Properties) > 0 {
		schema.WithoutAdditionalProperties()
		schema.Required = nil
	}
	for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
		if _, may := mayBeMissing[name+"."+field]; !may {
			schema.Required = append(schema.Required, field)
		}
		if err := closeSchema(schema.Properties[field], name+"."+field); err != nil {
			return err
		}
	}
	return closeSchema(schema.Items, name)
}
