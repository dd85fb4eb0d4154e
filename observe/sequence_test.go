package observe

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSequence(t *testing.T) {
	type line struct {
		n   uint64
		pid int
	}
	of := func(ns ...uint64) (lines []line) {
		for _, n := range ns {
			lines = append(lines, line{n, 7})
		}
		return lines
	}
	tests := []struct {
		name      string
		lines     []line
		missing   uint64
		processes int
	}{
		{"nothing", nil, 0, 0},
		{"in order", of(0, 1, 2, 3), 0, 1},
		{"begun before we came", of(500, 501), 0, 1},
		{"one lost", of(0, 1, 3), 1, 1},
		{"several gaps", of(0, 2, 5, 6, 9), 5, 1},
		{"late, in two threads' order", of(0, 2, 1, 4, 3), 0, 1},
		{"a gap that is filled in the middle", of(0, 4, 2), 2, 1},
		{"a new process", of(0, 1, 2, 0, 1), 0, 2},
		{"requests that end in another order than they came", of(5, 2, 4, 1, 3), 0, 1},
		{"a new process whose third request ends first", of(1, 2, 3, 4, 3, 1, 2), 0, 2},
		{"gaps of both processes", of(0, 2, 0, 3), 3, 2},
		{"the same number at once", of(0, 0), 0, 2},
		{"a reload: the old process still ends its requests", []line{{0, 7}, {1, 7}, {0, 9}, {2, 7}, {1, 9}, {4, 7}}, 1, 2},
		{"a container that is started again, with the same pid", []line{{60, 7}, {61, 7}, {60 + outOfOrder, 7}, {61 + outOfOrder, 7}, {0, 7}, {1, 7}}, outOfOrder - 2, 2},
		{"a restart with the same pid beside another", []line{{0, 7}, {0, 9}, {2, 9}, {0, 9}}, 1, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s sequence
			for _, l := range tt.lines {
				s.add(l.n, l.pid)
			}
			require.Equal(t, tt.missing, s.missing())
			require.Equal(t, tt.processes, s.processes)
		})
	}
}

// TestSequenceAgainstASet loses and shuffles lines at random and compares
// with the plain count.
func TestSequenceAgainstASet(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		total := 20 + r.IntN(300)
		var numbers []uint64
		for n := range total {
			if r.IntN(10) > 0 {
				numbers = append(numbers, uint64(n))
			}
		}
		for i := 0; i+5 < len(numbers); i += 5 {
			r.Shuffle(5, func(a, b int) { numbers[i+a], numbers[i+b] = numbers[i+b], numbers[i+a] })
		}
		var (
			s           sequence
			first, last = numbers[0], numbers[0]
		)
		for _, n := range numbers {
			s.add(n, 1)
			first, last = min(first, n), max(last, n)
		}
		require.Equal(t, last-first+1-uint64(len(numbers)), s.missing(), "seed %d", seed)
		require.Equal(t, 1, s.processes, "seed %d", seed)
	}
}
