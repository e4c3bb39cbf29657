//go:build twiliogo

package main

// The claim about building compiles a program that imports this. Never built here, the import keeps what that needs in go.sum.
import _ "github.com/twilio/twilio-go"
