package harness

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// ErrDirty: something could not be healed or removed, and the record, which
// would say so, was lost. It is wrapped with what is left.
var ErrDirty = errors.New("dirty, and the record does not say so")

// dirt is what a run could not heal or remove, in words. The zero value is
// none; it is safe for concurrent use.
type dirt struct {
	mu   sync.Mutex
	list []string
}

func (d *dirt) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, fmt.Sprintf(format, args...))
}

func (d *dirt) any() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.list) > 0
}

// untold is what of the dirt a record that could not be sealed may lack. It is
// nil if there is none, or if the record is whole: lost is why it is not.
func (d *dirt) untold(lost error) error {
	if lost == nil || !d.any() {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Errorf("%w: %s: %w", ErrDirty, strings.Join(d.list, "; "), lost)
}
