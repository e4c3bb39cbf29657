// Package programs runs the example programs as a person does, on a fake Twilio over a socket and on a MongoDB server.
package programs
