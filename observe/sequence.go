package observe

import (
	"slices"
	"sort"
)

// sequence finds what is missing of a balancer's lines. Those of one process
// are numbered, so that a number which was left out between others is a lost
// line, and one that comes again, or long after its time, is of a new process;
// they may come in another order. The zero value has seen nothing. It is not safe
// for concurrent use.
type sequence struct {
	// processes counts those that were seen; live are the present ones by
	// their pid (0 if lines do not tell): a reload has two for a while.
	processes int
	live      map[int]*process
	// ended holds the gaps of the processes that are gone.
	ended uint64
}

// process is what was seen of one process: runs, apart and in order.
type process struct{ runs []run }

// run is numbers without a gap, both included.
type run struct{ from, to uint64 }

// add takes a line's number and the pid of its process, 0 if not known.
func (s *sequence) add(n uint64, pid int) {
	if p := s.live[pid]; p != nil && !p.has(n) && !p.past(n) {
		p.add(n)
		return
	}
	if s.live == nil {
		s.live = map[int]*process{}
	}
	s.ended += s.live[pid].missing()
	s.processes++
	s.live[pid] = &process{runs: []run{{n, n}}}
}

// missing is the number of lines that were lost between others. What a
// process might have written before its first or after its last line is not
// in it.
func (s *sequence) missing() uint64 {
	sum := s.ended
	for _, p := range s.live {
		sum += p.missing()
	}
	return sum
}

// after is the index of the first run that begins after n.
func (p *process) after(n uint64) int {
	return sort.Search(len(p.runs), func(i int) bool { return p.runs[i].from > n })
}

func (p *process) has(n uint64) bool {
	i := p.after(n)
	return i > 0 && n <= p.runs[i-1].to
}

// outOfOrder is how many lines of a process may come before an earlier one. The
// number is given when a line is written, so that what puts lines out of order is
// their way here.
const outOfOrder = 1000

// past says that n is not p's any more: it begins anew, under the same pid, which a
// container that is started again gives to the same program.
func (p *process) past(n uint64) bool {
	last := p.runs[len(p.runs)-1].to
	return last > n && last-n > outOfOrder
}

// add takes a number that p has not.
func (p *process) add(n uint64) {
	i := p.after(n)
	before := i > 0 && p.runs[i-1].to+1 == n
	behind := i < len(p.runs) && p.runs[i].from == n+1
	switch {
	case before && behind:
		p.runs[i-1].to = p.runs[i].to
		p.runs = slices.Delete(p.runs, i, i+1)
	case before:
		p.runs[i-1].to = n
	case behind:
		p.runs[i].from = n
	default:
		p.runs = slices.Insert(p.runs, i, run{n, n})
	}
}

func (p *process) missing() (gap uint64) {
	if p == nil {
		return 0
	}
	for i := 1; i < len(p.runs); i++ {
		gap += p.runs[i].from - p.runs[i-1].to - 1
	}
	return gap
}
