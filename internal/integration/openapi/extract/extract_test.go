package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const source = `{
	"openapi": "3.0.1",
	"info": {"title": "T", "version": "2.3.4", "description": "chatter"},
	"servers": [{"url": "https://t.twilio.com"}],
	"security": [{"basic": []}],
	"tags": [{"name": "chatter"}],
	"paths": {
		"/Things.json": {
			"description": "chatter",
			"x-twilio": {"pathType": "list"},
			"parameters": [{"$ref": "#/components/parameters/Version"}],
			"get": {
				"operationId": "ListThing",
				"summary": "chatter",
				"tags": ["chatter"],
				"parameters": [
					{"name": "Date<", "in": "query", "description": "chatter", "examples": {"a": {"value": 1}},
						"schema": {"type": "string", "minLength": 12345678901234567890}}
				],
				"responses": {
					"200": {
						"description": "chatter",
						"headers": {"Allow": {"description": "chatter"}},
						"content": {"application/json": {
							"examples": {"a": {"value": "chatter"}},
							"schema": {"title": "chatter", "type": "array", "items": {"$ref": "#/components/schemas/thing"}}
						}}
					}
				}
			},
			"post": {
				"operationId": "CreateThing",
				"responses": {"201": {"description": "chatter"}}
			}
		},
		"/Others.json": {
			"get": {"operationId": "ListOther", "responses": {"200": {"description": "chatter"}}}
		}
	},
	"components": {
		"parameters": {"Version": {"name": "V", "in": "header", "schema": {"type": "string"}}},
		"schemas": {
			"thing": {"type": "object", "description": "chatter", "properties": {
				"description": {"type": "string", "nullable": true, "default": "chatter", "example": "chatter"},
				"kind": {"$ref": "#/components/schemas/kind"},
				"parts": {"type": "array", "items": {"$ref": "#/components/schemas/thing"}},
				"names": {"type": "object", "additionalProperties": {"type": "string", "x-pii": "chatter"}},
				"others": {"type": "object", "additionalProperties": false},
				"either": {"oneOf": [{"$ref": "#/components/schemas/form"}, {"type": "string", "description": "chatter"}]}
			}},
			"kind": {"type": "string", "enum": ["a", "b"], "description": "chatter"},
			"form": {"type": "integer", "description": "chatter"},
			"unused": {"type": "string"}
		}
	}
}`

const extracted = `{
	"openapi": "3.0.1",
	"info": {
		"title": "Extract of twilio_t_v1.json",
		"version": "2.3.4",
		"license": {"name": "MIT"},
		"description": "Facts of twilio_t_v1.json in github.com/twilio/twilio-oai, Copyright (C) 2023, Twilio, Inc., MIT licence: LICENSE-twilio-oai. Made by internal/integration/openapi/extract; do not edit."
	},
	"servers": [{"url": "https://t.twilio.com"}],
	"paths": {
		"/Things.json": {
			"parameters": [{"$ref": "#/components/parameters/Version"}],
			"get": {
				"operationId": "ListThing",
				"parameters": [{"name": "Date<", "in": "query", "schema": {"type": "string", "minLength": 12345678901234567890}}],
				"responses": {"200": {"description": "", "content": {"application/json": {
					"schema": {"type": "array", "items": {"$ref": "#/components/schemas/thing"}}
				}}}}
			}
		}
	},
	"components": {
		"parameters": {"Version": {"name": "V", "in": "header", "schema": {"type": "string"}}},
		"schemas": {
			"thing": {"type": "object", "properties": {
				"description": {"type": "string", "nullable": true},
				"kind": {"$ref": "#/components/schemas/kind"},
				"parts": {"type": "array", "items": {"$ref": "#/components/schemas/thing"}},
				"names": {"type": "object", "additionalProperties": {"type": "string"}},
				"others": {"type": "object", "additionalProperties": false},
				"either": {"oneOf": [{"$ref": "#/components/schemas/form"}, {"type": "string"}]}
			}},
			"kind": {"type": "string", "enum": ["a", "b"]},
			"form": {"type": "integer"}
		}
	}
}`

func TestOnlyFactsOfListedOperationsAreKept(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 ListThing\n")
	require.NoError(t, run(from, to, false))
	extract := read(t, to, "twilio_t_v1.json")
	assert.JSONEq(t, extracted, extract)
	assert.Contains(t, extract, "12345678901234567890", "numbers are not rounded")
	assert.Contains(t, extract, `"Date<"`, "signs are not escaped")
}

func TestExtractIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 CreateThing\nt_v1 ListOther\nt_v1 ListThing\n")
	require.NoError(t, run(from, to, false))
	first := read(t, to, "twilio_t_v1.json")
	for range 20 {
		require.NoError(t, run(from, to, false))
		require.Equal(t, first, read(t, to, "twilio_t_v1.json"))
		require.NoError(t, run(from, to, true))
	}
}

func TestCheckNoticesAnEditAndWritesNothing(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 ListThing\n")
	require.NoError(t, run(from, to, false))
	edited := strings.Replace(read(t, to, "twilio_t_v1.json"), `"nullable": true`, `"nullable": false`, 1)
	write(t, string(to), "twilio_t_v1.json", edited)

	err := run(from, to, true)
	require.ErrorContains(t, err, "twilio_t_v1.json is not up to date:\n--- twilio_t_v1.json (kept)\n+++ twilio_t_v1.json (extracted now)\n@@ ")
	assert.Regexp(t, `\n- +"nullable": false,\n\+ +"nullable": true,\n`, err.Error())
	assert.Equal(t, edited, read(t, to, "twilio_t_v1.json"))
}

func TestCheckNoticesWhatTwilioChanged(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 ListThing\n")
	require.NoError(t, run(from, to, false))
	write(t, from, "twilio_t_v1.json", strings.ReplaceAll(source, "chatter", "more chatter"))
	require.NoError(t, run(from, to, true))
	write(t, from, "twilio_t_v1.json", strings.Replace(source, `["a", "b"]`, `["a", "b", "c"]`, 1))
	assert.ErrorContains(t, run(from, to, true), `"c"`)
}

func TestExtractThatNoOperationNeedsIsNoticedAndRemoved(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 ListThing\n")
	write(t, string(to), "twilio_old_v1.json", "{}\n")
	assert.ErrorContains(t, run(from, to, true), "twilio_old_v1.json is not up to date")
	require.NoError(t, run(from, to, false))
	assert.NoFileExists(t, filepath.Join(string(to), "twilio_old_v1.json"))
	assert.NoError(t, run(from, to, true))
}

func TestCheckNoticesAMissingExtract(t *testing.T) {
	t.Parallel()
	from, to := folders(t, source, "t_v1 ListThing\n")
	assert.ErrorContains(t, run(from, to, true), `+   "kind": {`)
	assert.NoFileExists(t, filepath.Join(string(to), "twilio_t_v1.json"))
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, list, want string }{
		"an operation that is not there": {
			source, "t_v1 FetchThing\n", "twilio_t_v1.json: no operation FetchThing",
		},
		"a file that is not there": {
			source, "u_v1 FetchThing\n", "no such file",
		},
		"a list out of order": {
			source, "t_v1 ListThing\nt_v1 ListOther\n", `operations.txt:2: "t_v1 ListOther" must come before "t_v1 ListThing", and once`,
		},
		"a line twice": {
			source, "t_v1 ListThing\nt_v1 ListThing\n", "and once",
		},
		"a line of one word": {
			source, "ListThing\n", `operations.txt:1: "ListThing" is not «file-stem operationId»`,
		},
		"a key that is neither fact nor prose": {
			strings.Replace(source, `"enum"`, `"const": "a", "enum"`, 1), "t_v1 ListThing\n",
			`kind: "const" of schema is neither known as a fact nor as prose`,
		},
		"a reference to nothing": {
			strings.Replace(source, `"kind": {"type"`, `"sort": {"type"`, 1), "t_v1 ListThing\n",
			`no component schemas/kind`,
		},
		"no JSON": {
			"openapi: 3.0.1", "t_v1 ListThing\n", "invalid character",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := folders(t, c.source, c.list)
			assert.ErrorContains(t, run(from, to, false), c.want)
			assert.NoFileExists(t, filepath.Join(string(to), "twilio_t_v1.json"))
		})
	}
}

// folders are one with Twilio's file t_v1 and one with the list of operations.
func folders(t *testing.T, source, list string) (from string, to folder) {
	t.Helper()
	from, to = t.TempDir(), folder(t.TempDir())
	write(t, from, "twilio_t_v1.json", source)
	write(t, string(to), "operations.txt", list)
	return from, to
}

func write(t *testing.T, in, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(in, name), []byte(text), 0o600))
}

func read(t *testing.T, in folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(in.file(name))
	require.NoError(t, err)
	return string(text)
}
