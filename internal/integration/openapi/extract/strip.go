package main

import (
	"fmt"
	"slices"
	"strings"
)

// fact marks a key whose value is kept as it is.
const fact = "fact"

// facts says, for each kind of OpenAPI object, which keys are facts and of what kind their values are: "[]x" is a list
// of x, "{}x" a map from names to x. A map matters: a resource may well have a field called "description".
var facts = map[string]map[string]string{
	"operation": {
		"operationId": fact,
		"parameters":  "[]parameter",
		"requestBody": "requestBody",
		"responses":   "{}response",
	},
	"parameter": {
		"$ref": fact, "name": fact, "in": fact, "required": fact, "style": fact, "explode": fact,
		"schema": "schema",
	},
	"requestBody": {"required": fact, "content": "{}mediaType"},
	"response":    {"content": "{}mediaType"},
	"mediaType":   {"schema": "schema", "encoding": fact},
	"schema": {
		"$ref": fact, "type": fact, "format": fact, "nullable": fact, "enum": fact, "pattern": fact,
		"minLength": fact, "maxLength": fact, "minimum": fact, "maximum": fact,
		"minItems": fact, "maxItems": fact, "uniqueItems": fact, "required": fact,
		"properties": "{}schema", "items": "schema", "additionalProperties": "schema", "oneOf": "[]schema",
	},
}

// prose is left out wherever it is met, and so is all that starts with "x-". Some of it is fact that no test needs:
// headers are those of CORS, security is Basic everywhere, servers repeat the file's own, and a default would make the
// validator put values into requests.
var prose = []string{
	"description", "summary", "title", "example", "examples", "tags", "headers", "security", "servers", "default",
}

// strip leaves the facts of an OpenAPI object of this kind. A key that is neither fact nor prose is an error, so that
// nothing the tests rely on goes missing unseen when Twilio's files grow.
func strip(kind string, node any, where string) (any, error) {
	if list, ok := strings.CutPrefix(kind, "[]"); ok {
		return stripList(list, node, where)
	}
	if named, ok := strings.CutPrefix(kind, "{}"); ok {
		return stripMap(named, node, where)
	}
	if _, yesOrNo := node.(bool); kind == fact || kind == "schema" && yesOrNo {
		return node, nil
	}
	return stripObject(kind, node, where)
}

func stripList(kind string, node any, where string) (any, error) {
	list, ok := node.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: not a list", where)
	}
	kept := make([]any, len(list))
	for i, inner := range list {
		var err error
		if kept[i], err = strip(kind, inner, fmt.Sprintf("%s[%d]", where, i)); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func stripMap(kind string, node any, where string) (any, error) {
	named, ok := node.(object)
	if !ok {
		return nil, fmt.Errorf("%s: not an object", where)
	}
	kept := object{}
	for name, inner := range named {
		var err error
		if kept[name], err = strip(kind, inner, where+"."+name); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func stripObject(kind string, node any, where string) (any, error) {
	whole, ok := node.(object)
	if !ok || facts[kind] == nil {
		return nil, fmt.Errorf("%s: not an object that is known as %s", where, kind)
	}
	kept := object{}
	if kind == "response" {
		kept["description"] = "" // OpenAPI wants one
	}
	for key, inner := range whole {
		of, known := facts[kind][key]
		if !known && (slices.Contains(prose, key) || strings.HasPrefix(key, "x-")) {
			continue
		}
		if !known {
			return nil, fmt.Errorf("%s: %q of %s is neither known as a fact nor as prose", where, key, kind)
		}
		var err error
		if kept[key], err = strip(of, inner, where+"."+key); err != nil {
			return nil, err
		}
	}
	return kept, nil
}
