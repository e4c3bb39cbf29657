// Extract keeps, of Twilio's OpenAPI files, the facts that our tests need.
//
//	go run ./openapi/extract -from DIR [-to FOLDER] [-check]
//
// DIR holds Twilio's files (twilio_api_v2010.json and so on). FOLDER, from internal/integration by default
// openapi/testdata, holds operations.txt, which names the operations to keep; the extracts are written beside it. With
// -check nothing is written: the exit status is 1 if FOLDER is not what DIR gives, and standard error says where.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("from", "", "the folder with Twilio's OpenAPI files (required)")
	to := flag.String("to", "openapi/testdata", "the folder with operations.txt and the extracts")
	check := flag.Bool("check", false, "write nothing, fail if the extracts are not up to date")
	flag.Parse()
	if *from == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*from, folder(*to), *check); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(from string, kept folder, check bool) error {
	operations, err := kept.operations()
	if err != nil {
		return err
	}
	extracts, err := extractAll(from, operations)
	if err != nil {
		return err
	}
	if check {
		return kept.compare(extracts)
	}
	return kept.replace(extracts)
}
