package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode gives a result's JSON form, as ResultFile has it: the same result
// gives the same bytes. Only the folder's base name is in it.
func Encode(r *Result) ([]byte, error) {
	saved := *r
	saved.Dir = base(r.Dir)
	b, err := encode(&saved)
	if err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	return b, nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
