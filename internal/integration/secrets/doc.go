// Package secrets looks for secrets in all that the library writes for people, in one run of what can go wrong.
package secrets
