package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Encode gives a result's JSON form, as ResultFile has it: the same result
// gives the same bytes, wherever the folder was moved to: Dir is the name that
// the run gave it.
func Encode(r *Result) ([]byte, error) {
	saved := *r
	saved.Dir = folder(r.StartedAt, r.Scenario, r.ID)
	b, err := encode(&saved)
	if err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	return b, nil
}

// folder is the name of a run's folder.
func folder(started time.Time, scenario, id string) string {
	return fmt.Sprintf("%s-%s-%s", started.UTC().Format("20060102T150405Z"), scenario, id)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
