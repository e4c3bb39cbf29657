// Package openapi checks, in tests, what goes to Twilio and what comes back against the facts of Twilio's own OpenAPI
// files. The files, and with them the facts, are older than twilio-go and not always right: quirks.go and client_test.go
// list where they are known to differ, and why.
//
// To have the calls of a test checked, put Check between the library and the fake:
//
//	options.HTTPClient = &http.Client{Transport: openapi.Check(t, fake)}
//
// When the library learns a new resource: add its operations to testdata/operations.txt (file stem and operationId, in
// order), write their facts into testdata by
//
//	go run ./openapi/extract -from DIR
//
// from internal/integration, DIR holding Twilio's files, and run the tests. A product that is new to the list needs its
// twilio-go package in client_test.go; a string format that is new, a line in formats.go. Both say so. A field that Twilio's
// own examples leave out, or send in another form than documented, is listed in quirks.go.
package openapi
