package report

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// Schema is the JSON schema of result.json and of `run --json`, in the
// version that Result.Schema names. It is published as
// docs/result.schema.json.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous: true,
		// A reader of an older version must bear what a newer one adds.
		AllowAdditionalProperties: true,
		Mapper:                    schemaOf,
	}
	s := r.Reflect(&harness.Result{})
	s.ID = jsonschema.ID("https://github.com/hachaos/hachaos/docs/result.schema.json")
	s.Title = harness.ResultSchema
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return append(b, '\n'), nil
}

// schemaOf gives the types whose JSON form reflection does not see.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "integer", Description: "nanoseconds"}
	case reflect.TypeFor[assert.Status]():
		return &jsonschema.Schema{Type: "string", Enum: []any{"inconclusive", "pass", "fail"}}
	case reflect.TypeFor[harness.Verdict]():
		return &jsonschema.Schema{Type: "string", Enum: []any{"pass", "fail", "inconclusive", "error"}}
	}
	return nil
}
