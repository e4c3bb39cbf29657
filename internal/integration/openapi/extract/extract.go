package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An object is a JSON object as it was read.
type object = map[string]any

// extractAll makes the extract of each file in the folder from that has operations to keep. Stems are the file names
// without "twilio_" and ".json".
func extractAll(from string, operations map[string][]string) (map[string][]byte, error) {
	extracts := map[string][]byte{}
	for stem, ids := range operations {
		name := "twilio_" + stem + ".json"
		spec, err := readSpec(filepath.Join(from, name))
		if err != nil {
			return nil, err
		}
		extract, err := extractSpec(name, spec, ids)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if extracts[name], err = encode(extract); err != nil {
			return nil, err
		}
	}
	return extracts, nil
}

// readSpec keeps numbers as they are written, so that no bound is rounded.
func readSpec(path string) (object, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var spec object
	if err := decoder.Decode(&spec); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}

// encode writes keys in order (encoding/json does), one on a line, and leaves a parameter such as DateSent< readable.
func encode(extract object) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(extract)
	return text.Bytes(), err
}

func extractSpec(name string, spec object, ids []string) (object, error) {
	paths, err := keptPaths(spec, ids)
	if err != nil {
		return nil, err
	}
	components, err := reachable(spec, paths)
	if err != nil {
		return nil, err
	}
	return object{
		"openapi":    spec["openapi"],
		"info":       origin(name, spec),
		"servers":    spec["servers"],
		"paths":      paths,
		"components": components,
	}, nil
}

func origin(name string, spec object) object {
	info, _ := spec["info"].(object)
	return object{
		"title":   "Extract of " + name,
		"version": info["version"],
		"license": object{"name": "MIT"},
		"description": "Facts of " + name + " in github.com/twilio/twilio-oai, Copyright (C) 2023, Twilio, Inc., " +
			"MIT licence: LICENSE-twilio-oai. Made by internal/integration/openapi/extract; do not edit.",
	}
}

var methods = []string{"get", "put", "post", "delete", "patch"}

// keptPaths picks the operations with these ids, each of which must be there.
func keptPaths(spec object, ids []string) (object, error) {
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	kept := object{}
	paths, _ := spec["paths"].(object)
	for path, item := range paths {
		operations, _ := item.(object)
		for _, method := range methods {
			operation, _ := operations[method].(object)
			id, _ := operation["operationId"].(string)
			if !missing[id] {
				continue
			}
			delete(missing, id)
			stripped, err := strip("operation", operation, id)
			if err != nil {
				return nil, err
			}
			keep(kept, path, method, stripped)
		}
		if err := keepShared(kept, path, operations["parameters"]); err != nil {
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no operation %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return kept, nil
}

// keepShared keeps the parameters that a kept path gives to all its operations.
func keepShared(kept object, path string, parameters any) error {
	if kept[path] == nil || parameters == nil {
		return nil
	}
	stripped, err := strip("[]parameter", parameters, path)
	if err != nil {
		return err
	}
	keep(kept, path, "parameters", stripped)
	return nil
}

// reachable gives the components that the paths refer to, and those that these refer to in turn.
func reachable(spec, paths object) (object, error) {
	kept := object{}
	todo := references(paths)
	for len(todo) > 0 {
		ref := todo[0]
		todo = todo[1:]
		section, name, ok := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
		if !ok {
			return nil, fmt.Errorf("reference %q leads nowhere that is known", ref)
		}
		if inner, _ := kept[section].(object); inner[name] != nil {
			continue
		}
		stripped, err := component(spec, section, name)
		if err != nil {
			return nil, err
		}
		keep(kept, section, name, stripped)
		todo = append(todo, references(stripped)...)
	}
	return kept, nil
}

func component(spec object, section, name string) (any, error) {
	components, _ := spec["components"].(object)
	named, _ := components[section].(object)
	if named[name] == nil {
		return nil, fmt.Errorf("no component %s/%s", section, name)
	}
	return strip(strings.TrimSuffix(section, "s"), named[name], name)
}

func references(node any) []string {
	var found []string
	switch node := node.(type) {
	case object:
		if ref, ok := node["$ref"].(string); ok {
			found = append(found, ref)
		}
		for _, inner := range node {
			found = append(found, references(inner)...)
		}
	case []any:
		for _, inner := range node {
			found = append(found, references(inner)...)
		}
	}
	return found
}

func keep(in object, outer, inner string, value any) {
	held, there := in[outer].(object)
	if !there {
		held = object{}
		in[outer] = held
	}
	held[inner] = value
}
