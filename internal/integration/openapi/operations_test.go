package openapi

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExtractsHoldTheListedOperationsAndNoOthers(t *testing.T) {
	t.Parallel()
	var held []string
	for _, one := range documentedOperations(t) {
		held = append(held, one.stem+" "+one.OperationID)
	}
	slices.Sort(held)
	list, err := os.ReadFile("testdata/operations.txt")
	require.NoError(t, err)
	assert.Equal(t, strings.Split(strings.TrimSpace(string(list)), "\n"), held)
}

func TestExtractsHoldNoProse(t *testing.T) {
	t.Parallel()
	for _, one := range documentedOperations(t) {
		assert.Empty(t, one.Description+one.Summary, one.OperationID)
		assert.Empty(t, one.Extensions, one.OperationID)
		for _, parameter := range one.Parameters {
			assert.Empty(t, parameter.Value.Description, one.OperationID)
			assert.Nil(t, parameter.Value.Example, one.OperationID)
		}
	}
	for _, document := range known(t) {
		for name, schema := range document.Components.Schemas {
			for field, property := range schema.Value.Properties {
				assert.Empty(t, property.Value.Description, "%s.%s", name, field)
				assert.Empty(t, property.Value.Extensions, "%s.%s", name, field)
			}
		}
	}
}

func TestTwiliosLicenceStandsBesideTheExtracts(t *testing.T) {
	t.Parallel()
	licence, err := os.ReadFile("testdata/LICENSE-twilio-oai")
	require.NoError(t, err)
	assert.Contains(t, string(licence), "MIT License")
	assert.Contains(t, string(licence), "Twilio, Inc.")
}

func TestQuirksNameFieldsThatAreDocumented(t *testing.T) {
	t.Parallel()
	fields := documentedFields(t)
	for _, list := range []quirks{mayBeMissing, mayBeEmpty, mayBeText} {
		for quirk, reason := range list {
			one := quirks{quirk: reason}
			assert.True(t, slices.ContainsFunc(fields, one.know), quirk)
			assert.NotEmpty(t, reason, quirk)
		}
	}
	assert.False(t, slices.ContainsFunc(fields, quirks{"api.v2010.account.colour": ""}.know))
}

// documentedFields names the fields of all answers, and the parameters of all forms, as quirks do.
func documentedFields(t *testing.T) []string {
	t.Helper()
	var fields []string
	for _, one := range documentedOperations(t) {
		if schema := formSchema(one.Operation); schema != nil {
			fields = append(fields, fieldsOf(&openapi3.SchemaRef{Value: schema}, one.OperationID)...)
		}
		for _, response := range one.Responses.Map() {
			for _, media := range response.Value.Content {
				fields = append(fields, fieldsOf(media.Schema, one.OperationID)...)
			}
		}
	}
	for _, document := range known(t) {
		for name, schema := range document.Components.Schemas {
			fields = append(fields, fieldsOf(schema, name)...)
		}
	}
	return fields
}

func fieldsOf(ref *openapi3.SchemaRef, name string) []string {
	if ref == nil || ref.Ref != "" {
		return nil
	}
	var fields []string
	for field, property := range ref.Value.Properties {
		fields = append(fields, name+"."+field)
		fields = append(fields, fieldsOf(property, name+"."+field)...)
	}
	return append(fields, fieldsOf(ref.Value.Items, name)...)
}

// A documentedOperation is an operation and where it is documented.
type documentedOperation struct {
	*openapi3.Operation
	stem, method, address string
}

func documentedOperations(t *testing.T) []documentedOperation {
	t.Helper()
	var all []documentedOperation
	for _, document := range known(t) {
		stem := strings.TrimSuffix(strings.TrimPrefix(document.Info.Title, "Extract of twilio_"), ".json")
		for path, item := range document.Paths.Map() {
			for method, operation := range item.Operations() {
				all = append(all, documentedOperation{operation, stem, method, document.Servers[0].URL + path})
			}
		}
	}
	return all
}

func known(t *testing.T) documents {
	t.Helper()
	all, err := extracts()
	require.NoError(t, err)
	return all
}
