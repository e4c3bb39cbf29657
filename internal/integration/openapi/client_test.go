package openapi

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	msg "github.com/twilio/twilio-go/rest/messaging/v1"
)

// services are twilio-go's generated packages, by the stem of the file that they are generated from.
var services = map[string]func(*client.RequestHandler) any{
	"api_v2010":    func(h *client.RequestHandler) any { return api.NewApiService(h) },
	"messaging_v1": func(h *client.RequestHandler) any { return msg.NewApiService(h) },
}

// knownDifferences are those between Twilio's files and twilio-go v1.31.0, which is generated from newer ones, by
// operation, each with its reason. One that is no longer there fails the test, too.
var knownDifferences = map[string]map[string]string{
	"CreateCall": {
		"only twilio-go sends Passports":                "newer than this copy of Twilio's files; the library does not set it",
		"only twilio-go sends RecordingConfigurationId": "newer than this copy of Twilio's files; the library does not set it",
	},
	"ListUsAppToPerson": {
		"only the documentation has X-Twilio-Api-Version": "PageUsAppToPerson takes it and sends it nowhere; only Create, Fetch " +
			"and Update send it. So a list has campaigns in their first form, without addresses of policy and terms",
	},
}

func TestTwilioGoSendsWhatIsDocumented(t *testing.T) {
	t.Parallel()
	for _, operation := range documentedOperations(t) {
		t.Run(operation.OperationID, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, services, operation.stem, "add twilio-go's package to services")
			found := differences(operation, sentFor(t, operation))
			reasons := knownDifferences[operation.OperationID]
			assert.ElementsMatch(t, slices.Collect(maps.Keys(reasons)), found)
		})
	}
}

func TestDifferencesBetweenDocumentationAndTwilioGoAreFound(t *testing.T) {
	t.Parallel()
	status := openapi3.NewObjectSchema().WithProperty("Status", openapi3.NewStringSchema())
	body := openapi3.NewRequestBody().WithSchema(status, []string{form})
	version := openapi3.NewHeaderParameter("X-Version").WithSchema(openapi3.NewStringSchema())
	update := documentedOperation{
		method: "POST", address: "https://a.twilio.com/Accounts/{Sid}.json",
		Operation: &openapi3.Operation{
			Parameters:  openapi3.Parameters{{Value: version}},
			RequestBody: &openapi3.RequestBodyRef{Value: body},
		},
	}
	assert.Empty(t, differences(update, sent{"POST", "https://a.twilio.com/Accounts/path1.json", []string{"Status", "X-Version"}}))
	assert.ElementsMatch(t, []string{
		"the method is documented as POST, sent as GET",
		"the address is documented as https://a.twilio.com/Accounts/path1.json, sent as https://b.twilio.com/Accounts",
		"only twilio-go sends Stat",
		"only the documentation has Status",
		"only the documentation has X-Version",
	}, differences(update, sent{"GET", "https://b.twilio.com/Accounts", []string{"Stat"}}))
}

// sent is what reached the network's edge, with the names of its parameters.
type sent struct {
	method, address string
	names           []string
}

// differences compares what is documented with what was sent, word for word.
func differences(documented documentedOperation, sent sent) []string {
	var found []string
	if documented.method != sent.method {
		found = append(found, fmt.Sprintf("the method is documented as %s, sent as %s", documented.method, sent.method))
	}
	if address := filled(documented.address); address != sent.address {
		found = append(found, fmt.Sprintf("the address is documented as %s, sent as %s", address, sent.address))
	}
	names := parameterNames(documented.Operation)
	for _, name := range sent.names {
		if !slices.Contains(names, name) {
			found = append(found, "only twilio-go sends "+name)
		}
	}
	for _, name := range names {
		if !slices.Contains(sent.names, name) {
			found = append(found, "only the documentation has "+name)
		}
	}
	return found
}

// filled puts "account" for an account that comes with the parameters, and path1, path2 … for the others: twilio-go takes
// these as arguments, in the order of the path.
func filled(template string) string {
	parts := strings.Split(strings.ReplaceAll(template, "{AccountSid}", "account"), "{")
	for i := range parts[1:] {
		_, rest, _ := strings.Cut(parts[i+1], "}")
		parts[i+1] = fmt.Sprintf("path%d", i+1) + rest
	}
	return strings.Join(parts, "")
}

// parameterNames are those in the query, the headers or the form.
func parameterNames(operation *openapi3.Operation) []string {
	var names []string
	for _, parameter := range operation.Parameters {
		if parameter.Value.In != openapi3.ParameterInPath {
			names = append(names, parameter.Value.Name)
		}
	}
	if schema := formSchema(operation); schema != nil {
		names = slices.AppendSeq(names, maps.Keys(schema.Properties))
	}
	return names
}

// sentFor calls twilio-go's function for the operation with every parameter set, and gives what it sends.
func sentFor(t *testing.T, operation documentedOperation) sent {
	t.Helper()
	wire := &wire{}
	service := reflect.ValueOf(services[operation.stem](&client.RequestHandler{Client: wire}))
	// A list is read page by page: ListX and StreamX are loops around PageX.
	name := operation.OperationID
	if kind, ok := strings.CutPrefix(name, "List"); ok {
		name = "Page" + kind
	}
	function := service.MethodByName(name)
	require.True(t, function.IsValid(), "twilio-go has no %s", name)
	results := function.Call(arguments(function.Type()))
	require.Nil(t, results[len(results)-1].Interface())
	require.Len(t, wire.calls, 1)
	return wire.calls[0]
}

// arguments are the variables of the path, the parameters, and for a page its token and number.
func arguments(function reflect.Type) []reflect.Value {
	var all []reflect.Value
	for i := range function.NumIn() {
		if function.In(i).Kind() == reflect.Pointer {
			all = append(all, allSet(function.In(i).Elem()))
			continue
		}
		all = append(all, reflect.ValueOf(fmt.Sprintf("path%d", i+1)))
	}
	return all
}

// allSet calls every SetX of a parameter struct.
func allSet(params reflect.Type) reflect.Value {
	made := reflect.New(params)
	for i := range made.NumMethod() {
		name := made.Type().Method(i).Name
		switch set := made.Method(i); {
		case name == "SetPathAccountSid":
			set.Call([]reflect.Value{reflect.ValueOf("account")})
		case strings.HasPrefix(name, "Set"):
			set.Call([]reflect.Value{something(set.Type().In(0))})
		}
	}
	return made
}

// something is a value of the type that is not its zero value.
func something(of reflect.Type) reflect.Value {
	value := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[time.Time]():
		value.Set(reflect.ValueOf(time.Date(2021, 2, 17, 15, 12, 1, 0, time.UTC)))
	case of.Kind() == reflect.String:
		value.SetString("something")
	case of.Kind() == reflect.Bool:
		value.SetBool(true)
	case value.CanInt():
		value.SetInt(7)
	case value.CanFloat():
		value.SetFloat(0.5)
	case of.Kind() == reflect.Slice:
		value.Set(reflect.Append(value, something(of.Elem()), something(of.Elem())))
	case of.Kind() == reflect.Map:
		value.Set(reflect.MakeMap(of))
		value.SetMapIndex(something(of.Key()), something(of.Elem()))
	case of.Kind() == reflect.Interface:
		value.Set(reflect.ValueOf("something"))
	default:
		panic("no value for a parameter of type " + of.String())
	}
	return value
}

// wire is a client.BaseClient that sends nothing and remembers what it should have sent.
type wire struct{ calls []sent }

func (w *wire) SendRequest(method, address string, data url.Values, headers map[string]any, _ ...byte) (*http.Response, error) {
	names := slices.Collect(maps.Keys(data))
	for header := range headers {
		if header != "Content-Type" && header != "Accept" {
			names = append(names, header)
		}
	}
	w.calls = append(w.calls, sent{method, address, names})
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func (w *wire) AccountSid() string       { return "the client's own" }
func (w *wire) SetTimeout(time.Duration) {}
func (w *wire) SetOauth(client.OAuth)    {}
func (w *wire) OAuth() client.OAuth      { return nil }
