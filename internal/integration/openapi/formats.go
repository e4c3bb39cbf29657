package openapi

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// formats are the string formats that are checked. They are handed to each validation: kin-openapi's own list is one for
// the whole process.
var formats = map[string]openapi3.StringFormatValidator{
	"date-time-rfc-2822": openapi3.NewCallbackValidator(isRFC2822),
	"date-time":          openapi3.NewCallbackValidator(isISO8601),
	"date":               openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringDate),
	"uri":                openapi3.NewCallbackValidator(isURI),
	ownPath:              openapi3.NewRegexpFormatValidator(`^/2010-04-01/`),
	ownURL:               openapi3.NewRegexpFormatValidator(`^https://([a-z0-9-]+\.)+twilio\.com/`),
	"http-method":        openapi3.NewRegexpFormatValidator(`^(GET|POST)?$`),
	"iso-country-code":   openapi3.NewRegexpFormatValidator(`^[A-Z]{2}$`),
	"currency":           openapi3.NewRegexpFormatValidator(`^([A-Z]{3}|[a-z]{3})$`),
}

// Formats that Twilio's files do not name, though all their examples keep to them: see formatOfOwnAddress.
const (
	ownPath = "path at Twilio"
	ownURL  = "address at Twilio"
)

// uncheckedFormats are the string formats that say nothing that could be checked. One that is in neither list does not
// load.
var uncheckedFormats = map[string]string{
	"phone-number": "short codes, client names, WhatsApp and messaging service SIDs go under it, too",
	"endpoint":     "a number, a SIP address or a client name",
	"twiml":        "the fake does not read TwiML",
}

func knowsFormats(ref *openapi3.SchemaRef) error {
	schema := ref.Value
	if schema.Items != nil {
		return knowsFormats(schema.Items)
	}
	if schema.Format == "" || !schema.Type.Is(openapi3.TypeString) {
		return nil
	}
	if formats[schema.Format] == nil && uncheckedFormats[schema.Format] == "" {
		return fmt.Errorf("format %q is new: add it to a list in formats.go", schema.Format)
	}
	return nil
}

// isRFC2822 wants the one form in which Twilio writes dates: Wed, 17 Feb 2021 15:12:01 +0000. Writing the date again shows
// a wrong day of the week, which time.Parse lets pass.
func isRFC2822(text string) error {
	date, err := time.Parse(time.RFC1123Z, text)
	if err != nil {
		return fmt.Errorf("%q is not like %q", text, time.RFC1123Z)
	}
	if again := date.UTC().Format(time.RFC1123Z); again != text {
		return fmt.Errorf("%q would be written %q", text, again)
	}
	return nil
}

// isISO8601 wants what time.Time can be read from, as twilio-go does.
func isISO8601(text string) error {
	if new(time.Time).UnmarshalText([]byte(text)) != nil {
		return fmt.Errorf("%q is not like %q", text, time.RFC3339)
	}
	return nil
}

// formatOfOwnAddress goes by a field's name: where an answer says where it or its next page is, v2010 gives a path, in a
// field that ends in uri or uris, and the other products give a whole address, in url or links. It is empty for other
// fields, which hold addresses of the customer or none.
func formatOfOwnAddress(name string) string {
	field := name[strings.LastIndex(name, ".")+1:]
	switch {
	case field == "uri", field == "subresource_uris", strings.HasSuffix(field, "_page_uri"):
		return ownPath
	case field == "url", field == "links", strings.HasSuffix(field, "_page_url"):
		return ownURL
	}
	return ""
}

// isURI takes an absolute address, a path on the same host, and the empty text of an address that is not set.
func isURI(text string) error {
	address, err := url.Parse(text)
	if err != nil {
		return err
	}
	if text != "" && address.Host == "" && (address.Path == "" || address.Path[0] != '/') {
		return fmt.Errorf("%q is neither absolute nor a path", text)
	}
	return nil
}
