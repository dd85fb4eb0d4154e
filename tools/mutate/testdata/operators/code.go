// Package operators has a function for each operator of the mutation tester.
package operators

import (
	"errors"
	"log/slog"
	"time"
)

// Limit is a constant whose uses are mutated.
const Limit = 3 * time.Second

// Kind is of an enumeration, which is left alone.
type Kind int

// Kinds.
const (
	First Kind = iota + 1
	Second
	Third
)

// Flag is a truth of a type of its own: && and || of it cannot be expressed.
type Flag bool

// Table is made when the program starts.
var Table = []int{10, 20}

func Boundary(a, b int) bool {
	less := a < b
	return less
}

func Negate(a, b string) bool {
	same := a == b
	return same
}

func Arithmetic(a, b float64) float64 {
	a *= b
	return a/b - b
}

func Bits(a uint64, n int) uint64 {
	return a&6 | 1<<n
}

func Logical(a, b func() bool) bool {
	both := a() && b()
	return both
}

func LogicalFlag(a, b Flag) Flag {
	return a && b
}

func Negation(a bool, n int) (bool, int) {
	b := !a
	return b, -n
}

func Branch(n int) string {
	s := ""
	if n == 1 {
		s = "one"
	}
	for n > 5 {
		n--
		s += "!"
	}
	return s
}

func Cases(k Kind) string {
	switch k {
	case First:
		return "first"
	case Second, Third:
		return "later"
	}
	return "none"
}

func Untagged(n int) string {
	switch {
	case n < 0:
		return "below"
	case n == 1, n == 2:
		return "few"
	default:
		return "many"
	}
}

type counter struct {
	n    int
	seen []string
	open map[string]bool
}

func (c *counter) add(name string) {
	c.n++
	c.n += 2
	c.seen = append(c.seen, name)
	c.open[name] = true
	c.close("other")
	slog.Debug("added", "n", c.n+1)
}

func (c *counter) close(name string) { delete(c.open, name) }

func Remove() (int, int, map[string]bool) {
	c := counter{open: map[string]bool{"other": true}}
	c.add("one")
	return c.n, len(c.seen), c.open
}

func Results(n int) (*int, string, error) {
	if n < 0 {
		return nil, "", errors.New("below")
	}
	return &n, "fine", nil
}

func Passed(n int) (*int, string, error) {
	return Results(n)
}

func Jumps(list []int) int {
	sum := 0
	for _, n := range list {
		if n == 0 {
			break
		}
		if n < 0 {
			continue
		}
		sum += n
	}
	return sum
}

func Constants(d time.Duration, list []int) (bool, int) {
	buffer := make([]int, 0, 8)
	buffer = append(buffer, list[1:]...)
	return d > Limit, len(buffer) + 0o10
}

const share = 99.9

// Allowed is reckoned exactly by the compiler, and must be with its mutants.
func Allowed() float64 {
	allowed := (100 - share) / 100
	return allowed
}

// Generic shows that types are named where they have to be.
func Generic[T ~int | ~float64](a, b T) T {
	if a > b {
		return a
	}
	return b - 1
}

func fill(n *int) error {
	*n = 7
	return nil
}

// Late reads n after fill has set it, as the compiler has it and the language
// does not promise.
func Late() (int, error) {
	n := 0
	return n, fill(&n)
}
