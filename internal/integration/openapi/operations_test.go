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
	for quirk := range mayBeMissing {
		i := strings.LastIndex(quirk, ".")
		documented := slices.ContainsFunc(known(t), func(d document) bool {
			schema := d.Components.Schemas[quirk[:i]]
			return schema != nil && schema.Value.Properties[quirk[i+1:]] != nil
		})
		assert.True(t, documented, quirk)
	}
}

// A documentedOperation is an operation and where it is documented.
type documentedOperation struct {
	*openapi3.Operation
	stem, method, path string
}

func documentedOperations(t *testing.T) []documentedOperation {
	t.Helper()
	var all []documentedOperation
	for _, document := range known(t) {
		stem := strings.TrimSuffix(strings.TrimPrefix(document.Info.Title, "Extract of twilio_"), ".json")
		for path, item := range document.Paths.Map() {
			for method, operation := range item.Operations() {
				all = append(all, documentedOperation{operation, stem, method, path})
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
