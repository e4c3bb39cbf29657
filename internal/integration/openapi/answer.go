package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// twilioError is the body of every answer that is no success. More may stand beside these fields.
var twilioError = openapi3.NewObjectSchema().
	WithProperty("code", openapi3.NewIntegerSchema().WithMin(1)).
	WithProperty("message", openapi3.NewStringSchema().WithMinLength(1)).
	WithProperty("more_info", openapi3.NewStringSchema()).
	WithProperty("status", openapi3.NewIntegerSchema()).
	WithRequired([]string{"code", "message", "more_info", "status"})

// answerProblems takes a status that is documented, even an error, at its word.
func (c call) answerProblems(response *http.Response, body []byte) []string {
	documented := c.route.Operation.Responses.Status(response.StatusCode)
	switch {
	case documented == nil && response.StatusCode/100 == 2:
		return []string{fmt.Sprintf("status %d is not documented, only %s", response.StatusCode, c.statuses())}
	case documented == nil:
		return errorProblems(response, body)
	case len(documented.Value.Content) == 0 && len(body) > 0:
		return []string{fmt.Sprintf("status %d comes with a body where none is documented", response.StatusCode)}
	case len(documented.Value.Content) > 0 && !json.Valid(body):
		return []string{"the body is not one JSON document"}
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: c.filterInput(filterOptions()),
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Options:                filterOptions(),
	}
	return describe(openapi3filter.ValidateResponse(c.request.Context(), input.SetBodyBytes(body)))
}

func (c call) statuses() string {
	return strings.Join(slices.Sorted(maps.Keys(c.route.Operation.Responses.Map())), ", ")
}

func errorProblems(response *http.Response, body []byte) []string {
	if mediaType(response.Header.Get("Content-Type")) != "application/json" {
		return []string{fmt.Sprintf("error %d has Content-Type %q", response.StatusCode, response.Header.Get("Content-Type"))}
	}
	var told any
	if err := json.Unmarshal(body, &told); err != nil {
		return []string{fmt.Sprintf("error %d is not JSON: %v", response.StatusCode, err)}
	}
	if err := twilioError.VisitJSON(told, validation()...); err != nil {
		return describe(err)
	}
	fields, _ := told.(map[string]any)
	if fields["status"] != float64(response.StatusCode) {
		return []string{fmt.Sprintf("error %d says that its status is %v", response.StatusCode, fields["status"])}
	}
	return nil
}
