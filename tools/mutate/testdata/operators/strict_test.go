package operators

import (
	"reflect"
	"testing"
	"time"
)

func same(t *testing.T, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("want %v, got %v", want, got)
	}
}

func yes() bool { return true }
func no() bool  { return false }

func TestBoundary(t *testing.T) {
	same(t, true, Boundary(1, 2))
	same(t, false, Boundary(2, 2))
}

func TestNegate(t *testing.T) {
	same(t, true, Negate("a", "a"))
	same(t, false, Negate("a", "b"))
}

func TestArithmetic(t *testing.T) { same(t, 2.0, Arithmetic(4, 2)) }

func TestBits(t *testing.T) {
	same(t, uint64(1<<40|2), Bits(3, 40))
	same(t, uint64(1<<40|1<<2), Bits(5, 40))
	same(t, uint64(1<<40), Bits(9, 40))
}

func TestLogical(t *testing.T) {
	same(t, true, Logical(yes, yes))
	same(t, false, Logical(yes, no))
	same(t, false, Logical(no, func() bool { panic("called") }))
}

func TestLogicalFlag(t *testing.T) {
	same(t, Flag(true), LogicalFlag(true, true))
	same(t, Flag(false), LogicalFlag(true, false))
}

func TestNegation(t *testing.T) {
	b, n := Negation(true, 3)
	same(t, false, b)
	same(t, -3, n)
	b, _ = Negation(false, 3)
	same(t, true, b)
}

func TestBranch(t *testing.T) {
	same(t, "one", Branch(1))
	same(t, "", Branch(2))
	same(t, "", Branch(5))
	same(t, "!!", Branch(7))
}

func TestCases(t *testing.T) {
	same(t, "first", Cases(First))
	same(t, "later", Cases(Second))
	same(t, "later", Cases(Third))
	same(t, "none", Cases(0))
}

func TestUntagged(t *testing.T) {
	same(t, "below", Untagged(-1))
	same(t, "many", Untagged(0))
	same(t, "few", Untagged(1))
	same(t, "few", Untagged(2))
	same(t, "many", Untagged(3))
}

func TestRemove(t *testing.T) {
	n, seen, open := Remove()
	same(t, 3, n)
	same(t, 1, seen)
	same(t, map[string]bool{"one": true}, open)
}

func TestResults(t *testing.T) {
	n, s, err := Results(-1)
	same(t, (*int)(nil), n)
	same(t, "", s)
	same(t, "below", err.Error())
	n, s, err = Results(0)
	same(t, 0, *n)
	same(t, "fine", s)
	same(t, nil, err)
}

func TestPassed(t *testing.T) {
	n, _, _ := Passed(4)
	same(t, 4, *n)
}

func TestJumps(t *testing.T) {
	same(t, 4, Jumps([]int{1, -1, 3, 0, 5}))
}

func TestConstants(t *testing.T) {
	above, n := Constants(3*time.Second, []int{1, 2, 3})
	same(t, false, above)
	same(t, 10, n)
	above, _ = Constants(3*time.Second+1, []int{1, 2, 3})
	same(t, true, above)
	above, _ = Constants(2*time.Second, []int{1, 2, 3})
	same(t, false, above)
}

func TestAllowed(t *testing.T) { same(t, 0.001, Allowed()) }

func TestGeneric(t *testing.T) {
	same(t, 1, Generic(1, 2))
	same(t, 2.5, Generic(2.5, 2.5)+1)
	same(t, 4.0, Generic(4.0, 2.5))
}

func TestTable(t *testing.T) { same(t, []int{10, 20}, Table) }

func TestLate(t *testing.T) {
	n, err := Late()
	same(t, 7, n)
	same(t, nil, err)
}
