package openapi

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed testdata/twilio_*.json
var testdata embed.FS

// extracts loads testdata once for all tests of a process: documents are only read once they are loaded.
var extracts = sync.OnceValues(func() (documents, error) { return load(testdata, "testdata/twilio_*.json") })

type documents []document

// A document is one of Twilio's OpenAPI files.
type document struct {
	*openapi3.T
	router routers.Router
}

// load makes documents of OpenAPI files, closed where OpenAPI is open (quirks.go), and refuses what it cannot check.
func load(files fs.FS, pattern string) (documents, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	var all documents
	for _, name := range names {
		one, err := loadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func loadFile(files fs.FS, name string) (document, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return document{}, err
	}
	spec, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return document{}, err
	}
	if err := spec.Validate(context.Background()); err != nil {
		return document{}, err
	}
	if err := closeSchemas(spec); err != nil {
		return document{}, err
	}
	router, err := gorillamux.NewRouter(spec)
	return document{T: spec, router: router}, err
}

// A call is a request to an operation that is documented.
type call struct {
	request *http.Request // a copy, at the address that is documented
	route   *routers.Route
	inPath  map[string]string
}

func (d documents) find(request *http.Request) (call, error) {
	documented := request.Clone(request.Context())
	documented.URL.Scheme = "https"
	documented.URL.Host = documentedHost(request)
	why := routers.ErrPathNotFound
	for _, one := range d {
		route, inPath, err := one.router.FindRoute(documented)
		if err == nil {
			return call{request: documented, route: route, inPath: inPath}, nil
		}
		if errors.Is(err, routers.ErrMethodNotAllowed) {
			why = routers.ErrMethodNotAllowed
		}
	}
	return call{}, fmt.Errorf("no operation in testdata/operations.txt is called like this at %s: %w", documented.URL.Host, why)
}

// documentedHost is the host that the request is meant for, without edge and region: api.sydney.au1.twilio.com is
// documented as api.twilio.com.
func documentedHost(request *http.Request) string {
	host := request.Host
	if host == "" {
		host = request.URL.Host
	}
	product, rest, _ := strings.Cut(host, ".")
	if strings.HasSuffix("."+rest, ".twilio.com") {
		return product + ".twilio.com"
	}
	return host
}

// Operations are the names of all operations that Check knows.
func Operations() ([]string, error) {
	known, err := extracts()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range known {
		for _, item := range one.Paths.Map() {
			for _, operation := range item.Operations() {
				names = append(names, operation.OperationID)
			}
		}
	}
	return names, nil
}
