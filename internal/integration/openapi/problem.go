package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// validation is how a value is held against a schema: to its end, by our formats, in our words.
func validation() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{
		openapi3.MultiErrors(),
		openapi3.WithStringFormatValidators(formats),
		openapi3.SetSchemaErrorMessageCustomizer(describeOne),
	}
}

// filterOptions are the same for openapi3filter.
func filterOptions() *openapi3filter.Options {
	options := &openapi3filter.Options{
		MultiError:              true,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidators(formats)},
	}
	options.WithCustomSchemaErrorFunc(describeOne)
	return options
}

// describe gives one line for each thing that is wrong, and none for nil. It goes by the error itself, not by what that
// wraps: the list inside a RequestError does not say in which parameter.
func describe(err error) []string {
	switch err := err.(type) { //nolint:errorlint // the error itself
	case nil:
		return nil
	case openapi3.MultiError:
		var problems []string
		for _, one := range err {
			problems = append(problems, describe(one)...)
		}
		return problems
	case *openapi3.SchemaError:
		var forms openapi3.MultiError
		if err.SchemaField == "oneOf" && errors.As(err.Origin, &forms) {
			return nearest(forms)
		}
	case *openapi3filter.ResponseError:
		if many, ok := err.Err.(openapi3.MultiError); ok { //nolint:errorlint // the error itself
			return describe(many)
		}
	}
	return []string{err.Error()}
}

// nearest describes, of several forms that a value might have and has not, the one that it comes closest to.
func nearest(forms openapi3.MultiError) []string {
	described := make([][]string, len(forms))
	for i, form := range forms {
		described[i] = describe(form)
	}
	return slices.MinFunc(described, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
}

// describeOne says where and what, without the whole schema and the whole value that kin-openapi adds.
func describeOne(err *openapi3.SchemaError) string {
	reason := err.Reason
	switch err.SchemaField {
	case "enum", "pattern":
		reason = fmt.Sprintf("%#v: %s", err.Value, reason)
	case "properties":
		reason += ": it is not documented"
	}
	if path := err.JSONPointer(); len(path) > 0 {
		return strings.Join(path, ".") + ": " + reason
	}
	return reason
}
