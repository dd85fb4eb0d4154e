package report

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

const published = "../docs/result.schema.json"

// TestSchemaIsPublished holds docs/result.schema.json to the code; UPDATE=1
// writes it.
func TestSchemaIsPublished(t *testing.T) {
	now, err := Schema()
	require.NoError(t, err)
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(published, now, 0o644))
	}
	want, err := os.ReadFile(published)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, now), "the result's form has changed: raise harness.ResultSchema if a reader would break, and run the test with UPDATE=1")
}

func TestResultsFollowTheSchema(t *testing.T) {
	b, err := Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("result.json", doc))
	schema, err := c.Compile("result.json")
	require.NoError(t, err)
	for name, r := range map[string]*harness.Result{
		"failing": failing(), "hostile": hostile(), "empty": {Schema: harness.ResultSchema, Verdict: harness.VerdictError},
	} {
		encoded, err := harness.Encode(r)
		require.NoError(t, err)
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(instance), name)
	}
	wrong, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(`{"verdict":"maybe"}`)))
	require.NoError(t, err)
	require.Error(t, schema.Validate(wrong))
}
