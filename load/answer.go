package load

import (
	"encoding/json"

	"github.com/hachaos/hachaos/history"
)

// answer is the body of a success, of any operation.
type answer struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	Count   *int64 `json:"count"`
	New     bool   `json:"new"`
	Node    string `json:"node"`
	Version string `json:"version"`

	Order    int64  `json:"order"`
	Key      string `json:"key"`
	Replayed bool   `json:"replayed"`
}

// understand decodes the body of a success. It returns false if it is not
// what docs/wire.md has for the operation: not JSON, without what identifies
// it, or the answer to another key. A user other than the client's own is
// understood: that is for the checkers to judge.
func understand(op, key string, body []byte) (answer, bool) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{}, false
	}
	switch op {
	case history.OpOrder:
		return a, a.Order > 0 && a.Key == key
	case history.OpLogin, history.OpLogout:
		return a, a.ID != ""
	}
	return a, a.ID != "" && a.Count != nil && *a.Count >= 0
}

// value is the counter that was read, or the order's id.
func (a answer) value() int64 {
	switch {
	case a.Order != 0:
		return a.Order
	case a.Count != nil:
		return *a.Count
	}
	return 0
}
