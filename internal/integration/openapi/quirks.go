package openapi

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// quirks are fields whose answers are not always as Twilio's files say, by schema (or operation, where the schema has no
// name of its own) and field, each with the reason. A star stands for anything.
type quirks map[string]string

// mayBeMissing lists the fields that an answer may leave out. Everything else must be there, null if need be: of the 392
// answers that Twilio's files give as examples, all have every field but those of number searches (no paging),
// capabilities (no fax), ICE servers and one DNS validation.
var mayBeMissing = quirks{
	"api.v2010.account.auth_token": "nobody has seen whether an API key, which may not read it, gets null, \"\" or nothing",

	"ListAvailablePhoneNumber*.end":               oneAnswer,
	"ListAvailablePhoneNumber*.first_page_uri":    oneAnswer,
	"ListAvailablePhoneNumber*.next_page_uri":     oneAnswer,
	"ListAvailablePhoneNumber*.page":              oneAnswer,
	"ListAvailablePhoneNumber*.page_size":         oneAnswer,
	"ListAvailablePhoneNumber*.previous_page_uri": oneAnswer,
	"ListAvailablePhoneNumber*.start":             oneAnswer,

	"api.v2010.account.available_phone_number_country.*.capabilities.fax": "no example of a number on sale has it; owned ones do",
}

const oneAnswer = "a search is answered all at once: none of its examples has pages"

// mayBeEmpty lists the fields that may be "" where a SID or null is documented.
var mayBeEmpty = quirks{
	"api.v2010.account.incoming_phone_number.sms_application_sid":   "examples of fetch, list and update have it empty",
	"api.v2010.account.incoming_phone_number.voice_application_sid": "examples of fetch, list and update have it empty",
	"UpdateIncomingPhoneNumber.VoiceApplicationSid":                 emptied,
	"UpdateIncomingPhoneNumber.SmsApplicationSid":                   emptied,
	"UpdateIncomingPhoneNumber.TrunkSid":                            emptied,
	"UpdateIncomingPhoneNumber.AddressSid":                          emptied,
	"UpdateIncomingPhoneNumber.BundleSid":                           emptied,
}

const emptied = "an empty value empties the setting, as with the URLs; how else could one go"

// mayBeText lists the fields that may be text where a number is documented.
var mayBeText = quirks{
	"api.v2010.account.available_phone_number_country.*.latitude":  "the example of a local search has text; twilio-go reads both",
	"api.v2010.account.available_phone_number_country.*.longitude": "the example of a local search has text; twilio-go reads both",
}

// know is true for a field that is listed.
func (q quirks) know(field string) bool {
	for pattern := range q {
		if matched, err := path.Match(pattern, field); matched && err == nil {
			return true
		}
	}
	return false
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
	if schema := formSchema(operation); schema != nil {
		for name, property := range schema.Properties {
			allowQuirks(property.Value, operation.OperationID+"."+name)
		}
	}
	for _, schema := range parameterSchemas(operation) {
		if err := knowsFormats(schema); err != nil {
			return fmt.Errorf("%s: %w", operation.OperationID, err)
		}
	}
	return nil
}

// closeSchema closes an object, what a list is of, or each of several forms. A referenced schema has a name and is closed
// under it.
func closeSchema(ref *openapi3.SchemaRef, name string) error {
	if ref == nil || ref.Ref != "" {
		return nil
	}
	if err := knowsFormats(ref); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	allowQuirks(ref.Value, name)
	wantOwnAddress(ref.Value, name)
	if err := closeFields(ref.Value, name); err != nil {
		return err
	}
	for _, one := range ref.Value.OneOf {
		if err := closeSchema(one, name); err != nil {
			return err
		}
	}
	return closeSchema(ref.Value.Items, name)
}

// closeFields asks for every field of an object, and for no other. A map of addresses has no fields, but any.
func closeFields(schema *openapi3.Schema, name string) error {
	if schema.Format == "uri-map" && len(schema.Properties) == 0 {
		address := openapi3.NewStringSchema().WithMinLength(1).WithFormat(formatOfOwnAddress(name))
		schema.WithAdditionalProperties(address)
	}
	if len(schema.Properties) > 0 {
		schema.WithoutAdditionalProperties()
		schema.Required = nil
	}
	for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
		fullName := name + "." + field
		if !mayBeMissing.know(fullName) {
			schema.Required = append(schema.Required, field)
		}
		if err := closeSchema(schema.Properties[field], fullName); err != nil {
			return err
		}
	}
	return nil
}

// allowQuirks lets pass what Twilio sends in spite of its files, and no more.
func allowQuirks(schema *openapi3.Schema, name string) {
	if mayBeEmpty.know(name) {
		schema.MinLength = 0
		schema.Pattern = "^$|" + schema.Pattern
	}
	if mayBeText.know(name) {
		schema.Type = &openapi3.Types{openapi3.TypeNumber, openapi3.TypeString}
		schema.Pattern = `^-?[0-9]+(\.[0-9]+)?$`
	}
}

// wantOwnAddress asks for the one form in which this field gives an address of Twilio's own, if it gives one.
func wantOwnAddress(schema *openapi3.Schema, name string) {
	if format := formatOfOwnAddress(name); schema.Type.Is(openapi3.TypeString) && format != "" {
		schema.Format = format
	}
}
