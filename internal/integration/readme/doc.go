// Package readme runs what the README shows.
package readme
