// Package twilio holds the tests of the library against the fake Twilio that need heavy company: Twilio's OpenAPI files, real
// sockets that break, and the count of goroutines and connections that are left.
package twilio
